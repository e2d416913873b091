/*
 * The event log: an LMDB environment that holds records by sequence number, contiguous from 1. The only code in symlog
 * that calls LMDB, with store/snapshots.c. Of what events mean it knows one thing: a base stands for all that was
 * before its number, so what lies below the newest one may be deleted.
 *
 * One process may write; any number may read at the same time. Records are drawn in store/README.md.
 */
#ifndef SL_STORE_LOG_H
#define SL_STORE_LOG_H

#include "core/err.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_LOG_ERRMSG_BYTES = 256,
    SL_LOG_ID_HEX = 32,
    SL_LOG_DELETE_MAX = 512 /* records deleted in one transaction while others wait for it */
};

typedef struct sl_log sl_log;
typedef struct sl_log_reader sl_log_reader;

typedef enum sl_durability {
    SL_DURABILITY_POWER,  /* a commit that returned survives a power cut */
    SL_DURABILITY_PROCESS /* it survives the death of the program; a crash of the machine may damage the file */
} sl_durability;

typedef struct sl_log_options {
    const char *dir;          /* made, with its parents, when writing */
    bool is_writer;           /* takes the writer's lock */
    sl_durability durability; /* of a writer */
    const uint8_t *new_id;    /* id for a log that is made now (import); NULL: random */
    uint64_t new_first_seq;   /* number of its first event (import of a pruned log); 0: 1 */
    size_t map_size_bytes;    /* 0: the default, 1 TiB of address space (64 GiB where that is refused) */
} sl_log_options;

/* Opens the log in options->dir, once in a process at a time, and never for use after a fork (LMDB's rules). `errmsg`
 * gets a sentence on failure. SL_ERR_BUSY: another process writes it (or it is being written and may only be looked at:
 * where LMDB's lock file can neither be written nor made, a log is readable only while nobody writes);
 * SL_ERR_NOT_FOUND: reading, and there is none; SL_ERR_VERSION: made by another format; SL_ERR_MALFORMED: something
 * else is there; SL_ERR_IO, SL_ERR_MEMORY. */
sl_err sl_log_open(sl_log **out, const sl_log_options *options, char errmsg[SL_LOG_ERRMSG_BYTES]);

/* NULL is passed over. Readers must be closed first. */
void sl_log_close(sl_log *log);

const uint8_t *sl_log_id(const sl_log *log); /* SL_LOG_ID_BYTES, valid while open */
const char *sl_log_id_hex(const sl_log *log);

/* What went wrong, as a sentence: "log: append: mdb_txn_commit: No space left on device". A failed append is told
 * before anything else, otherwise the first failure. Any thread; valid until the log is closed. */
const char *sl_log_error(const sl_log *log);

/* Appends `count` (>= 1) drafts in one transaction and returns once it is committed; *last_seq (may be NULL) is the
 * number of the last. Drafts' seq is ignored. One thread. The first failure is final: the log then refuses every
 * append with SL_ERR_IO, so that no hole can arise. SL_ERR_FULL: the map is full (final too, as are SL_ERR_MEMORY and
 * SL_ERR_CORRUPT). SL_ERR_RANGE: a payload above SL_PAYLOAD_BYTES_MAX (nothing appended, not final). */
sl_err sl_log_append(sl_log *log, const sl_event *drafts, size_t count, uint64_t *last_seq);

/* The highest sequence number committed; 0 in an empty log. Any thread. */
sl_err sl_log_last(sl_log *log, uint64_t *seq);

/* Where a log begins. */
typedef struct sl_log_beginning {
    uint64_t first_seq;  /* the first event that counts: 1, or the one that the newest base tells */
    uint64_t base_seq;   /* that base's own number; 0: there is none, and nothing was ever deleted */
    uint64_t oldest_seq; /* the lowest number still stored: below first_seq until all is deleted; 0: an empty log */
} sl_log_beginning;

/* Any thread. A base counts from its commit on, if its number lies neither beyond itself nor below what the log holds
 * or the base before it tells (an import meets bases whose events are gone). */
sl_err sl_log_begins(sl_log *log, sl_log_beginning *out);

/* From now on each append also deletes SL_LOG_DELETE_MAX records below the newest base, in its own transaction, so that
 * deleting costs no flush of its own; until none is left. Blobs go with the last record that refers to them. Appending
 * thread. */
void sl_log_delete_along(sl_log *log);

/* The same at once, while there is nothing to append: `max` records (fewer where big blobs have to be written anew).
 * *is_done: nothing (more) is to be deleted. It fails as sl_log_append does, with the same consequence. Appending
 * thread. */
sl_err sl_log_delete_some(sl_log *log, size_t max, bool *is_done);

/* How many events the log holds, as LMDB counts them: told without looking at any, so also where the last is damaged.
 * Any thread. */
sl_err sl_log_count(sl_log *log, uint64_t *count);

/* A reader positioned before `from` (>= 1). Any thread; each reader is one thread's at a time. SL_ERR_MEMORY. */
sl_err sl_log_reader_open(sl_log *log, uint64_t from, sl_log_reader **out);
void sl_log_reader_close(sl_log_reader *reader);

/* The next event, checked for contiguity and checksum. Its payload is a view, valid until the next call on this
 * reader. SL_ERR_END: nothing more is committed yet (call again later; the read transaction has been let go);
 * SL_ERR_GAP, SL_ERR_CORRUPT, SL_ERR_MALFORMED: damaged at the number sl_log_reader_next_seq, and again at every call
 * until that is skipped; SL_ERR_RANGE: not there, because the log begins later now (it was pruned); SL_ERR_IO (also
 * when more than 1,024 readers are open in all processes), SL_ERR_MEMORY; SL_ERR_BUSY: somebody began to write a log of
 * the kind that sl_log_open tells of. */
sl_err sl_log_read(sl_log_reader *reader, sl_event *out);

/* What went wrong last with this reader: "log: event 17: its bytes do not match their checksum". The reader's thread;
 * valid until the next call on it. */
const char *sl_log_reader_error(const sl_log_reader *reader);

/* Number of the event that sl_log_read will try next. */
uint64_t sl_log_reader_next_seq(const sl_log_reader *reader);

/* Passes over the event at which sl_log_read found damage. */
void sl_log_reader_skip(sl_log_reader *reader);

/* Lets the read transaction go while the caller waits or does other work: a view of a long-forgotten moment would keep
 * the file growing. Views are invalid afterwards; the position stays. */
void sl_log_reader_rest(sl_log_reader *reader);

/* Frees the slots of readers whose process died; their number in *freed (may be NULL). At start and every 30 s. */
sl_err sl_log_reader_check(sl_log *log, int *freed);

/* Looks through LMDB's list of free pages, which appending needs and reading does not. SL_ERR_CORRUPT; a damaged file
 * may also end the process. Any thread. */
sl_err sl_log_check_free_pages(sl_log *log);

/* Whether the file that the log is kept in still has a name: SL_ERR_NOT_FOUND when it was deleted under us, so that
 * what is appended is lost with the last process that has it open. Any thread. */
sl_err sl_log_check_name(sl_log *log);

/* Bytes of the file in use, for status lines. */
sl_err sl_log_size_bytes(sl_log *log, uint64_t *size_bytes);

#endif
