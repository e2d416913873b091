/*
 * What the files of the log share: the structure of an open log, LMDB's results as an sl_err, and the directory with
 * its writer's lock. For store/log*.c alone.
 */
#ifndef SL_STORE_LOG_INTERNAL_H
#define SL_STORE_LOG_INTERNAL_H

#include "store/log.h"

#include <assert.h>
#include <lmdb.h>
#include <stdatomic.h>

enum {
    SL_LOG_FORMAT = 2,              /* of the databases and the record; a log of a later one is not opened */
    SL_LOG_FORMAT_NEW = 1,          /* what a log is made as: it becomes 2 with its first base */
    SL_LOG_INLINE_BYTES_MAX = 2000, /* of a payload in its record; beyond that LMDB takes whole pages for the record */
    SL_LOG_ROOM_BYTES = 1 << 16, /* of disk; with less, a write that failed for no reason told failed for want of it */
    SL_LOG_BLOB_HEADER_BYTES = 8 /* before a blob's bytes: u64 count of the records that refer to it */
};

static_assert(sizeof(size_t) == sizeof(uint64_t), "LMDB's integer keys are size_t, sequence numbers u64");

struct sl_log {
    MDB_env *env;               /* Immutable, like all that has no note. */
    MDB_dbi events;             /* u64 sequence number -> record */
    MDB_dbi blobs;              /* digest of a payload above SL_LOG_INLINE_BYTES_MAX -> reference count, bytes */
    MDB_dbi meta;               /* name -> value */
    bool is_writer;             /* holds the writer's lock in lock_fd */
    bool is_lockless;           /* reads without LMDB's lock file, so only while nobody writes */
    int lock_fd;                /* the writer's lock file; -1: not needed, or there is none */
    uint64_t last_seq;          /* Appending thread only, as the next two: what the next append goes on from. */
    sl_log_beginning beginning; /* as committed; oldest_seq as it was when the log was opened */
    bool is_deleting;           /* appends delete along */
    uint8_t id[SL_LOG_ID_BYTES];
    char id_hex[SL_LOG_ID_HEX + 1];

    char append_error[SL_LOG_ERRMSG_BYTES]; /* Appending thread, until has_failed is set; then immutable. */
    atomic_bool has_failed;                 /* an append failed; no other will be tried */
    char first_error[SL_LOG_ERRMSG_BYTES];  /* Whoever sets is_claimed, until has_error is set; then immutable. */
    atomic_bool is_claimed;
    atomic_bool has_error;
};

/* The sl_err for a result of LMDB or an errno; 0 is SL_OK. */
sl_err sl_log_code_err(int code);

/* Writes "log: STEP: what `code` means" and returns the sl_err for it. */
sl_err sl_log_explain(char errmsg[SL_LOG_ERRMSG_BYTES], const char *step, int code);

/* The same into the log's own message, where the first stays. Any thread. */
sl_err sl_log_note(sl_log *log, const char *step, int code);

/* Where the log begins, as `txn` sees it. Returns LMDB's result. */
int sl_log_get_beginning(const sl_log *log, MDB_txn *txn, sl_log_beginning *out);

/* Notes in `txn` that the log begins as `beginning` says. Returns LMDB's result. */
int sl_log_put_base(const sl_log *log, MDB_txn *txn, const sl_log_beginning *beginning);

/* Deletes, in `txn`, up to `max` records below log->beginning.first_seq. Returns LMDB's result. */
int sl_log_delete_in(const sl_log *log, MDB_txn *txn, size_t max, bool *is_done);

/* Walks LMDB's list of free pages, which may end the process. Returns LMDB's result, MDB_CORRUPTED for nonsense. */
int sl_log_walk_free(MDB_txn *txn);

/* Begins the read transaction *txn (NULL), or renews it after a reset. Returns LMDB's result; EBUSY for a lockless
 * reader while somebody writes. Any thread. */
int sl_log_view_begin(sl_log *log, MDB_txn **txn);

/* Makes `dir` with its parents (0700) and takes the writer's lock in it, which *lock_fd holds until it is closed or the
 * process ends. SL_ERR_BUSY: somebody has it; SL_ERR_IO. `errmsg` says which. */
sl_err sl_log_dir_claim(const char *dir, int *lock_fd, char errmsg[SL_LOG_ERRMSG_BYTES]);

/* Looks for a log to read in `dir`. *is_lockless: LMDB's lock file can neither be written nor made there; then *lock_fd
 * is the writer's lock file, opened for a look (-1: there is none). SL_ERR_NOT_FOUND, SL_ERR_IO. */
sl_err sl_log_dir_find(const char *dir, bool *is_lockless, int *lock_fd, char errmsg[SL_LOG_ERRMSG_BYTES]);

/* Whether a process holds the writer's lock. `lock_fd` is not -1 and does not hold it itself. */
bool sl_log_dir_is_claimed(int lock_fd);

/* Makes data.mdb in `dir` where there is none. LMDB would write its first two pages where they are to stay, and refuse
 * for ever what a power cut leaves of them; so they are flushed in a folder of their own and then moved. The caller
 * holds the writer's lock. Returns 0, an errno or LMDB's result. */
int sl_log_make_file(const char *dir);

/* Makes the names in `dir` survive a power cut: a file's own fdatasync does not. Returns 0 or an errno. */
int sl_log_dir_sync(const char *dir);

#endif
