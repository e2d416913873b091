/*
 * What the files of the snapshots share: an open environment, the key and the value of a record. For store/snapshots*.c
 * alone.
 */
#ifndef SL_STORE_SNAPSHOTS_INTERNAL_H
#define SL_STORE_SNAPSHOTS_INTERNAL_H

#include "store/snapshots.h"

#include <limits.h>
#include <lmdb.h>

#define SL_SNAPSHOTS_STATES "states" /* the one database */

enum {
    SL_SNAPSHOTS_FORM = 1,          /* of a value */
    SL_SNAPSHOTS_KEY_BYTES = 12,    /* u32 reducer version, u64 number; big-endian, so that they sort */
    SL_SNAPSHOTS_HEADER_BYTES = 52, /* u32 form, the log's id, the state's digest, the bytes' digest */
    SL_SNAPSHOTS_DATABASES = 1,
    SL_SNAPSHOTS_READERS_MAX = 1024,
    SL_SNAPSHOTS_PATH_BYTES = PATH_MAX + 16 /* of a file in the folder */
};

struct sl_snapshots {
    MDB_env *env;   /* Immutable, like all that has no note. */
    MDB_dbi states; /* key -> header and bytes */
    int lock_fd;    /* the writer's lock file; -1: not needed */
    bool is_writer;
    bool is_lockless; /* reads without LMDB's lock file, so only while nobody writes */
    uint8_t log_id[SL_LOG_ID_BYTES];
    size_t count_max;
    size_t bytes_max;
    char dir[PATH_MAX];
    bool is_condemned; /* Writing thread, and so is the next. */
    char error[SL_SNAPSHOTS_ERRMSG_BYTES];
};

/* Begins a read transaction. Returns LMDB's result; EBUSY for a lockless reader while somebody writes. Any thread. */
int sl_snapshots_view_begin(const sl_snapshots *snapshots, MDB_txn **txn);

/* Removes what is too much, in `txn`; of the newest version the newest stays. Returns LMDB's result. */
int sl_snapshots_thin(const sl_snapshots *snapshots, MDB_txn *txn, uint32_t reducer_version);

/* Whether the environment in `dir` can be walked through, and for a writer also changed: a child tries, since LMDB ends
 * a process that meets a damaged page. */
bool sl_snapshots_is_sound(const char *dir, bool is_writer, bool is_lockless);

void sl_snapshots_key(uint32_t reducer_version, uint64_t seq, uint8_t key[SL_SNAPSHOTS_KEY_BYTES]);

/* False: the key is none. */
bool sl_snapshots_key_read(const MDB_val *key, uint32_t *reducer_version, uint64_t *seq);

#endif
