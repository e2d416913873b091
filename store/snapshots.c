/* Opening the snapshots, and finding and keeping one. What goes to make room is in snapshots_thin.c. */
#include "store/snapshots.h"

#include "core/bytes.h"
#include "store/log_internal.h"
#include "store/snapshots_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_FILE "data.mdb"       /* LMDB's */
#define LOCK_FILE "lock.mdb"       /* LMDB's */
#define CONDEMNED_FILE "condemned" /* ours, empty: the next writer begins anew */

static const size_t MAP_BYTES = (size_t)16 << 30; /* address space; freed room is in pieces */
static const size_t MAP_BYTES_LIMITED = (size_t)4 << 30;

static sl_err find_dir(sl_snapshots *snapshots, char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES]);
static sl_err check_soundness(const sl_snapshots *snapshots, bool *was_damaged, char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES]);
static int open_env(sl_snapshots *snapshots, size_t map_size_bytes);
static int open_states(sl_snapshots *snapshots);
static sl_err write_in(sl_snapshots *snapshots, int (*write)(sl_snapshots *, MDB_txn *, const void *), const void *what,
                       const char *step);
static int put_in(sl_snapshots *snapshots, MDB_txn *txn, const void *what);
static int keep_in(sl_snapshots *snapshots, MDB_txn *txn, const void *what);
static int remove_one(const sl_snapshots *snapshots, MDB_txn *txn, uint32_t reducer_version, uint64_t seq);
static int find_nearest(const sl_snapshots *snapshots, MDB_txn *txn, uint32_t reducer_version, uint64_t *seq);
static sl_err read_value(const sl_snapshots *snapshots, const MDB_val *value, sl_snapshot *snapshot, sl_text *bytes);
static void put_digest(uint8_t *bytes, sl_digest digest);
static sl_digest get_digest(const uint8_t *bytes);

/* What put_in and keep_in are to do. */
typedef struct put {
    const sl_snapshot *snapshot;
    const void *bytes;
    size_t length;
} put;

typedef struct range {
    uint32_t reducer_version;
    uint64_t first;
    uint64_t last;
} range;

sl_err sl_snapshots_open(sl_snapshots **out, const sl_snapshots_options *options, bool *was_damaged,
                         char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES])
{
    assert(out != NULL && options != NULL && options->dir != NULL && options->log_id != NULL);
    *out = NULL;
    if (was_damaged != NULL) *was_damaged = false;
    sl_snapshots *snapshots = calloc(1, sizeof *snapshots);
    if (snapshots == NULL) return sl_log_explain(errmsg, "snapshots", ENOMEM);
    snapshots->lock_fd = -1;
    const int length = snprintf(snapshots->dir, sizeof snapshots->dir, "%s/snapshots", options->dir);
    snapshots->is_writer = options->is_writer;
    snapshots->count_max = options->count_max != 0 ? options->count_max : SL_SNAPSHOTS_COUNT_MAX;
    snapshots->bytes_max = options->bytes_max != 0 ? options->bytes_max : SL_SNAPSHOTS_BYTES_MAX;
    memcpy(snapshots->log_id, options->log_id, SL_LOG_ID_BYTES);

    sl_err err = SL_OK;
    if (length >= PATH_MAX) err = sl_log_explain(errmsg, "snapshots", ENAMETOOLONG);
    if (err == SL_OK) err = find_dir(snapshots, errmsg);
    if (err == SL_OK) err = check_soundness(snapshots, was_damaged, errmsg);
    if (err == SL_OK) {
        int code = open_env(snapshots, MAP_BYTES);
        if (code == ENOMEM) code = open_env(snapshots, MAP_BYTES_LIMITED);
        if (code == 0) code = open_states(snapshots);
        if (code != 0) err = sl_log_explain(errmsg, "snapshots: open", code);
        if (code == MDB_NOTFOUND) err = SL_ERR_NOT_FOUND; /* being made */
    }
    if (err == SL_OK) {
        *out = snapshots;
    } else {
        sl_snapshots_close(snapshots);
    }
    return err;
}

void sl_snapshots_close(sl_snapshots *snapshots)
{
    if (snapshots == NULL) return;
    if (snapshots->env != NULL) mdb_env_close(snapshots->env);
    if (snapshots->lock_fd >= 0) close(snapshots->lock_fd);
    free(snapshots);
}

const char *sl_snapshots_error(const sl_snapshots *snapshots)
{
    return snapshots->error;
}

void sl_snapshots_condemn(sl_snapshots *snapshots)
{
    char mark[SL_SNAPSHOTS_PATH_BYTES];
    snprintf(mark, sizeof mark, "%s/" CONDEMNED_FILE, snapshots->dir);
    assert(snapshots->is_writer);
    snapshots->is_condemned = true;
    const int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd); /* without it the next writer finds out for itself */
}

static sl_err find_dir(sl_snapshots *snapshots, char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES])
{
    if (snapshots->is_writer) return sl_log_dir_claim(snapshots->dir, &snapshots->lock_fd, errmsg);
    return sl_log_dir_find(snapshots->dir, &snapshots->is_lockless, &snapshots->lock_fd, errmsg);
}

static sl_err check_soundness(const sl_snapshots *snapshots, bool *was_damaged, char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES])
{
    char path[SL_SNAPSHOTS_PATH_BYTES];
    snprintf(path, sizeof path, "%s/" CONDEMNED_FILE, snapshots->dir);
    const bool is_condemned = snapshots->is_writer && access(path, F_OK) == 0;
    snprintf(path, sizeof path, "%s/" DATA_FILE, snapshots->dir);
    if (access(path, F_OK) != 0) return SL_OK;
    if (access(path, R_OK) != 0) return sl_log_explain(errmsg, path, errno); /* which is no damage */
    if (!is_condemned && sl_snapshots_is_sound(snapshots->dir, snapshots->is_writer, snapshots->is_lockless))
        return SL_OK;
    if (was_damaged != NULL) *was_damaged = true;
    if (!snapshots->is_writer) {
        snprintf(errmsg, SL_SNAPSHOTS_ERRMSG_BYTES, "log: %.200s: damaged", snapshots->dir);
        return SL_ERR_CORRUPT;
    }
    static const char *const files[] = {DATA_FILE, LOCK_FILE, CONDEMNED_FILE};
    int code = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && code == 0; i++) {
        snprintf(path, sizeof path, "%s/%s", snapshots->dir, files[i]);
        if (unlink(path) != 0 && errno != ENOENT) code = errno;
    }
    return code == 0 ? SL_OK : sl_log_explain(errmsg, "snapshots: removing what is damaged", code);
}

static int open_env(sl_snapshots *snapshots, size_t map_size_bytes)
{
    /* After a power cut the newest may be missing; it is a cache. */
    unsigned flags = MDB_NOTLS | (snapshots->is_writer ? MDB_NOMETASYNC : MDB_RDONLY);
    if (snapshots->is_lockless) flags |= MDB_NOLOCK;
    int code = mdb_env_create(&snapshots->env);
    if (code != 0) return code;
    code = mdb_env_set_maxdbs(snapshots->env, SL_SNAPSHOTS_DATABASES);
    if (code == 0) code = mdb_env_set_maxreaders(snapshots->env, SL_SNAPSHOTS_READERS_MAX);
    if (code == 0) code = mdb_env_set_mapsize(snapshots->env, map_size_bytes);
    if (code == 0) code = mdb_env_open(snapshots->env, snapshots->dir, flags, 0600);
    if (code != 0) {
        mdb_env_close(snapshots->env);
        snapshots->env = NULL;
    }
    return code;
}

static int open_states(sl_snapshots *snapshots)
{
    MDB_txn *txn = NULL;
    int code =
        snapshots->is_writer ? mdb_txn_begin(snapshots->env, NULL, 0, &txn) : sl_snapshots_view_begin(snapshots, &txn);
    if (code != 0) return code;
    code = mdb_dbi_open(txn, SL_SNAPSHOTS_STATES, snapshots->is_writer ? MDB_CREATE : 0, &snapshots->states);
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn); /* also a reader's: it is what keeps the handle */
}

int sl_snapshots_view_begin(const sl_snapshots *snapshots, MDB_txn **txn)
{
    if (snapshots->is_lockless && snapshots->lock_fd >= 0 && sl_log_dir_is_claimed(snapshots->lock_fd)) return EBUSY;
    return mdb_txn_begin(snapshots->env, NULL, MDB_RDONLY, txn);
}

sl_err sl_snapshots_put(sl_snapshots *snapshots, const sl_snapshot *snapshot, const void *bytes, size_t length)
{
    if (length > snapshots->bytes_max) {
        snprintf(snapshots->error, sizeof snapshots->error, "log: snapshots: a state of %zu bytes is more than fits",
                 length);
        return SL_ERR_FULL;
    }
    /* What a killed reader has read would never be written again. */
    int code = mdb_reader_check(snapshots->env, NULL);
    if (code != 0) return sl_log_explain(snapshots->error, "snapshots: mdb_reader_check", code);
    return write_in(snapshots, put_in, &(put){.snapshot = snapshot, .bytes = bytes, .length = length}, "put");
}

sl_err sl_snapshots_keep(sl_snapshots *snapshots, uint32_t reducer_version, uint64_t first, uint64_t last)
{
    return write_in(snapshots, keep_in, &(range){.reducer_version = reducer_version, .first = first, .last = last},
                    "keep");
}

static sl_err write_in(sl_snapshots *snapshots, int (*write)(sl_snapshots *, MDB_txn *, const void *), const void *what,
                       const char *step)
{
    assert(snapshots->is_writer);
    if (snapshots->is_condemned) {
        snprintf(snapshots->error, sizeof snapshots->error,
                 "log: snapshots: damaged; they are made anew at the next start");
        return SL_ERR_CORRUPT;
    }
    char where[32];
    snprintf(where, sizeof where, "snapshots: %s", step);
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(snapshots->env, NULL, 0, &txn);
    if (code != 0) return sl_log_explain(snapshots->error, where, code);
    code = write(snapshots, txn, what);
    if (code != 0) {
        mdb_txn_abort(txn);
        return sl_log_explain(snapshots->error, where, code);
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? SL_OK : sl_log_explain(snapshots->error, where, code);
}

static int put_in(sl_snapshots *snapshots, MDB_txn *txn, const void *what)
{
    const put *put = what;
    uint8_t key_bytes[SL_SNAPSHOTS_KEY_BYTES];
    sl_snapshots_key(put->snapshot->reducer_version, put->snapshot->seq, key_bytes);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value = {.mv_size = SL_SNAPSHOTS_HEADER_BYTES + put->length};
    int code = mdb_put(txn, snapshots->states, &key, &value, MDB_RESERVE);
    if (code != 0) return code;
    uint8_t *at = value.mv_data;
    sl_put_le(at, SL_SNAPSHOTS_FORM, 4);
    memcpy(at + 4, snapshots->log_id, SL_LOG_ID_BYTES);
    put_digest(at + 20, put->snapshot->digest);
    put_digest(at + 36, sl_digest_bytes(put->bytes, put->length));
    if (put->length > 0) memcpy(at + SL_SNAPSHOTS_HEADER_BYTES, put->bytes, put->length);
    return sl_snapshots_thin(snapshots, txn, put->snapshot->reducer_version);
}

static int keep_in(sl_snapshots *snapshots, MDB_txn *txn, const void *what)
{
    const range *kept = what;
    for (uint64_t seq = UINT64_MAX;; seq--) {
        int code = find_nearest(snapshots, txn, kept->reducer_version, &seq);
        if (code == MDB_NOTFOUND) return 0;
        const bool is_kept = seq >= kept->first && seq <= kept->last;
        if (code == 0 && !is_kept) code = remove_one(snapshots, txn, kept->reducer_version, seq);
        if (code != 0 || seq == 0) return code;
    }
}

static int remove_one(const sl_snapshots *snapshots, MDB_txn *txn, uint32_t reducer_version, uint64_t seq)
{
    uint8_t key_bytes[SL_SNAPSHOTS_KEY_BYTES];
    sl_snapshots_key(reducer_version, seq, key_bytes);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    return mdb_del(txn, snapshots->states, &key, NULL);
}

sl_err sl_snapshots_nearest(sl_snapshots *snapshots, uint32_t reducer_version, uint64_t seq, uint64_t *found)
{
    MDB_txn *txn = NULL;
    int code = sl_snapshots_view_begin(snapshots, &txn);
    if (code != 0) return sl_log_code_err(code);
    *found = seq;
    code = find_nearest(snapshots, txn, reducer_version, found);
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? SL_ERR_NOT_FOUND : sl_log_code_err(code);
}

/* The newest of the version at or before *seq. */
static int find_nearest(const sl_snapshots *snapshots, MDB_txn *txn, uint32_t reducer_version, uint64_t *seq)
{
    uint8_t wanted[SL_SNAPSHOTS_KEY_BYTES];
    sl_snapshots_key(reducer_version, *seq, wanted);
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, snapshots->states, &cursor);
    if (code != 0) return code;
    MDB_val key = {.mv_size = sizeof wanted, .mv_data = wanted};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    const bool is_exact = code == 0 && key.mv_size == sizeof wanted && memcmp(key.mv_data, wanted, sizeof wanted) == 0;
    if (code == MDB_NOTFOUND) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    } else if (code == 0 && !is_exact) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
    }
    mdb_cursor_close(cursor);
    uint32_t version = 0;
    if (code == 0 && !sl_snapshots_key_read(&key, &version, seq)) code = MDB_CORRUPTED;
    return code == 0 && version != reducer_version ? MDB_NOTFOUND : code;
}

sl_err sl_snapshots_read(sl_snapshots *snapshots, sl_snapshot *snapshot, sl_text *bytes)
{
    MDB_txn *txn = NULL;
    int code = sl_snapshots_view_begin(snapshots, &txn);
    if (code != 0) return sl_log_code_err(code);
    uint8_t key_bytes[SL_SNAPSHOTS_KEY_BYTES];
    sl_snapshots_key(snapshot->reducer_version, snapshot->seq, key_bytes);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_get(txn, snapshots->states, &key, &value);
    sl_err err = code == MDB_NOTFOUND ? SL_ERR_NOT_FOUND : sl_log_code_err(code);
    if (err == SL_OK) err = read_value(snapshots, &value, snapshot, bytes);
    mdb_txn_abort(txn);
    return err;
}

static sl_err read_value(const sl_snapshots *snapshots, const MDB_val *value, sl_snapshot *snapshot, sl_text *bytes)
{
    const uint8_t *at = value->mv_data;
    if (value->mv_size < SL_SNAPSHOTS_HEADER_BYTES || sl_get_le(at, 4) != SL_SNAPSHOTS_FORM) return SL_ERR_CORRUPT;
    if (memcmp(at + 4, snapshots->log_id, SL_LOG_ID_BYTES) != 0) return SL_ERR_CORRUPT;
    const size_t begin = bytes->length;
    const size_t length = value->mv_size - SL_SNAPSHOTS_HEADER_BYTES;
    sl_text_bytes(bytes, (const char *)at + SL_SNAPSHOTS_HEADER_BYTES, length);
    if (bytes->bad) return SL_ERR_MEMORY;
    if (!sl_digest_equal(sl_digest_bytes(bytes->bytes + begin, length), get_digest(at + 36))) return SL_ERR_CORRUPT;
    snapshot->digest = get_digest(at + 20);
    return SL_OK;
}

void sl_snapshots_key(uint32_t reducer_version, uint64_t seq, uint8_t key[SL_SNAPSHOTS_KEY_BYTES])
{
    for (unsigned i = 0; i < 4; i++) key[i] = (uint8_t)(reducer_version >> (8 * (3 - i)));
    for (unsigned i = 0; i < 8; i++) key[4 + i] = (uint8_t)(seq >> (8 * (7 - i)));
}

bool sl_snapshots_key_read(const MDB_val *key, uint32_t *reducer_version, uint64_t *seq)
{
    const uint8_t *bytes = key->mv_data;
    if (key->mv_size != SL_SNAPSHOTS_KEY_BYTES) return false;
    *reducer_version = 0;
    *seq = 0;
    for (unsigned i = 0; i < 4; i++) *reducer_version = *reducer_version << 8 | bytes[i];
    for (unsigned i = 0; i < 8; i++) *seq = *seq << 8 | bytes[4 + i];
    return true;
}

static void put_digest(uint8_t *bytes, sl_digest digest)
{
    sl_put_le(bytes, digest.low, 8);
    sl_put_le(bytes + 8, digest.high, 8);
}

static sl_digest get_digest(const uint8_t *bytes)
{
    return (sl_digest){.low = sl_get_le(bytes, 8), .high = sl_get_le(bytes + 8, 8)};
}
