/* Opening a log, and questions to an open one. Appending is in log_append.c, reading in log_reader.c. */
#include "store/log.h"

#include "core/bytes.h"
#include "store/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_FORMAT "format" /* u32 */
#define META_LOG_ID "log_id" /* SL_LOG_ID_BYTES */
#define META_BASE "base"     /* u64 number of the newest base, u64 first number that counts */

enum { DATABASE_COUNT = 3, READERS_MAX = 1024, FORMAT_BYTES = 4, BASE_BYTES = 16 };

/* Address space, not memory or disk. Set once: no other process has to follow a map that grows. */
static const size_t MAP_BYTES = (size_t)1 << 40;
static const size_t MAP_BYTES_LIMITED = (size_t)64 << 30; /* under a limit such as `ulimit -v` or a container's */

static int open_env(sl_log *log, const sl_log_options *options);
static int open_env_sized(sl_log *log, const sl_log_options *options, size_t map_size_bytes);
static void on_broken_file(MDB_env *env, const char *what);
static sl_err open_databases(sl_log *log, const sl_log_options *options, char errmsg[SL_LOG_ERRMSG_BYTES]);
static sl_err open_databases_in(sl_log *log, MDB_txn *txn, const sl_log_options *options,
                                char errmsg[SL_LOG_ERRMSG_BYTES]);
static int is_txn_empty(MDB_txn *txn, bool *is_empty);
static sl_err write_meta(sl_log *log, MDB_txn *txn, const uint8_t *new_id, char errmsg[SL_LOG_ERRMSG_BYTES]);
static int put_meta(const sl_log *log, MDB_txn *txn, const char *name, const void *bytes, size_t length);
static sl_err read_meta(sl_log *log, MDB_txn *txn, char errmsg[SL_LOG_ERRMSG_BYTES]);
static int get_meta(const sl_log *log, MDB_txn *txn, const char *name, void *bytes, size_t length);
static int get_end(const sl_log *log, MDB_txn *txn, MDB_cursor_op which, uint64_t *seq);
static void begin_late(sl_log *log, uint64_t first_seq);

sl_err sl_log_open(sl_log **out, const sl_log_options *options, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    assert(out != NULL && options != NULL && options->dir != NULL && errmsg != NULL);
    *out = NULL;
    errmsg[0] = '\0';
    sl_log *log = calloc(1, sizeof *log);
    if (log == NULL) return sl_log_explain(errmsg, "open", ENOMEM);
    log->lock_fd = -1;
    log->is_writer = options->is_writer;

    sl_err err = options->is_writer ? sl_log_dir_claim(options->dir, &log->lock_fd, errmsg)
                                    : sl_log_dir_find(options->dir, &log->is_lockless, &log->lock_fd, errmsg);
    if (err != SL_OK) goto fail;
    int code = options->is_writer ? sl_log_make_file(options->dir) : 0;
    if (code == 0) code = open_env(log, options);
    if (code == EBADF && !options->is_writer) { /* LMDB tried to write the metas of an empty file */
        snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: data.mdb is empty", options->dir);
        err = SL_ERR_MALFORMED;
        goto fail;
    }
    if (code != 0) {
        char step[SL_LOG_ERRMSG_BYTES];
        snprintf(step, sizeof step, "%s: mdb_env_open", options->dir);
        err = sl_log_explain(errmsg, step, code);
        goto fail;
    }
    err = open_databases(log, options, errmsg);
    if (err != SL_OK) goto fail;

    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SL_LOG_ID_BYTES; i++) {
        log->id_hex[2 * i] = digits[log->id[i] >> 4];
        log->id_hex[2 * i + 1] = digits[log->id[i] & 15];
    }
    *out = log;
    return SL_OK;

fail:
    sl_log_close(log);
    return err;
}

void sl_log_close(sl_log *log)
{
    if (log == NULL) return;
    if (log->env != NULL) {
        /* After SL_DURABILITY_PROCESS a clean end leaves nothing to a crash of the machine. */
        unsigned flags = 0;
        if (mdb_env_get_flags(log->env, &flags) == 0 && (flags & MDB_NOSYNC) != 0) mdb_env_sync(log->env, 1);
        mdb_env_close(log->env);
    }
    if (log->lock_fd >= 0) close(log->lock_fd); /* and with it the writer's lock */
    free(log);
}

const uint8_t *sl_log_id(const sl_log *log)
{
    return log->id;
}

const char *sl_log_id_hex(const sl_log *log)
{
    return log->id_hex;
}

const char *sl_log_error(const sl_log *log)
{
    if (atomic_load(&log->has_failed)) return log->append_error;
    return atomic_load(&log->has_error) ? log->first_error : "log: nothing went wrong";
}

sl_err sl_log_last(sl_log *log, uint64_t *seq)
{
    MDB_txn *txn = NULL;
    int code = sl_log_view_begin(log, &txn);
    if (code != 0) return sl_log_note(log, "last: mdb_txn_begin", code);
    code = get_end(log, txn, MDB_LAST, seq);
    mdb_txn_abort(txn);
    return code == 0 ? SL_OK : sl_log_note(log, "last: mdb_cursor_get", code);
}

sl_err sl_log_begins(sl_log *log, sl_log_beginning *out)
{
    MDB_txn *txn = NULL;
    int code = sl_log_view_begin(log, &txn);
    if (code != 0) return sl_log_note(log, "beginning: mdb_txn_begin", code);
    code = sl_log_get_beginning(log, txn, out);
    mdb_txn_abort(txn);
    return code == 0 ? SL_OK : sl_log_note(log, "beginning: meta", code);
}

sl_err sl_log_count(sl_log *log, uint64_t *count)
{
    MDB_txn *txn = NULL;
    int code = sl_log_view_begin(log, &txn);
    if (code != 0) return sl_log_note(log, "count: mdb_txn_begin", code);
    MDB_stat stat;
    code = mdb_stat(txn, log->events, &stat);
    mdb_txn_abort(txn);
    *count = code == 0 ? stat.ms_entries : 0;
    return code == 0 ? SL_OK : sl_log_note(log, "count: mdb_stat", code);
}

sl_err sl_log_reader_check(sl_log *log, int *freed)
{
    int count = 0;
    int code = mdb_reader_check(log->env, &count);
    if (freed != NULL) *freed = count;
    return code == 0 ? SL_OK : sl_log_note(log, "mdb_reader_check", code);
}

sl_err sl_log_check_name(sl_log *log)
{
    mdb_filehandle_t fd;
    struct stat file;
    int code = mdb_env_get_fd(log->env, &fd);
    if (code == 0 && fstat(fd, &file) != 0) code = errno;
    if (code != 0) return sl_log_note(log, "fstat", code);
    return file.st_nlink > 0 ? SL_OK : SL_ERR_NOT_FOUND;
}

sl_err sl_log_size_bytes(sl_log *log, uint64_t *size_bytes)
{
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(log->env, &info);
    if (code == 0) code = mdb_env_stat(log->env, &stat);
    if (code != 0) return sl_log_note(log, "mdb_env_info", code);
    *size_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    return SL_OK;
}

sl_err sl_log_code_err(int code)
{
    switch (code) {
    case 0: return SL_OK;
    case ENOMEM: return SL_ERR_MEMORY;
    case EBUSY: return SL_ERR_BUSY;
    case MDB_MAP_FULL: return SL_ERR_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND: return SL_ERR_CORRUPT;
    case MDB_INVALID:
    case MDB_INCOMPATIBLE: return SL_ERR_MALFORMED;
    case MDB_VERSION_MISMATCH: return SL_ERR_VERSION;
    default: return SL_ERR_IO;
    }
}

sl_err sl_log_explain(char errmsg[SL_LOG_ERRMSG_BYTES], const char *step, int code)
{
    snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: %s", step, mdb_strerror(code));
    return sl_log_code_err(code);
}

sl_err sl_log_note(sl_log *log, const char *step, int code)
{
    if (!atomic_exchange(&log->is_claimed, true)) {
        (void)sl_log_explain(log->first_error, step, code);
        atomic_store(&log->has_error, true);
    }
    return sl_log_code_err(code);
}

int sl_log_view_begin(sl_log *log, MDB_txn **txn)
{
    /* Without LMDB's table of readers a writer would reuse the pages that we read. */
    if (log->is_lockless && log->lock_fd >= 0 && sl_log_dir_is_claimed(log->lock_fd)) return EBUSY;
    return *txn == NULL ? mdb_txn_begin(log->env, NULL, MDB_RDONLY, txn) : mdb_txn_renew(*txn);
}

static int open_env(sl_log *log, const sl_log_options *options)
{
    if (options->map_size_bytes != 0) return open_env_sized(log, options, options->map_size_bytes);
    int code = open_env_sized(log, options, MAP_BYTES);
    return code == ENOMEM ? open_env_sized(log, options, MAP_BYTES_LIMITED) : code;
}

static int open_env_sized(sl_log *log, const sl_log_options *options, size_t map_size_bytes)
{
    unsigned flags = MDB_NOTLS; /* a read transaction belongs to its sl_log_reader, not to a thread */
    if (!options->is_writer) flags |= MDB_RDONLY;
    if (options->is_writer && options->durability == SL_DURABILITY_PROCESS) flags |= MDB_NOSYNC;
    if (log->is_lockless) flags |= MDB_NOLOCK; /* only where the lock file cannot be made */

    int code = mdb_env_create(&log->env);
    if (code != 0) return code;
    code = mdb_env_set_maxdbs(log->env, DATABASE_COUNT);
    if (code == 0) code = mdb_env_set_assert(log->env, on_broken_file);
    if (code == 0) code = mdb_env_set_maxreaders(log->env, READERS_MAX);
    if (code == 0) code = mdb_env_set_mapsize(log->env, map_size_bytes);
    if (code == 0) code = mdb_env_open(log->env, options->dir, flags, 0600);
    if (code != 0) {
        mdb_env_close(log->env);
        log->env = NULL;
    }
    return code;
}

/* LMDB found nonsense where it does not expect any, and would abort with a line of its source. Ends like the other ways
 * in which a damaged file ends a process, so that a program has one of them to prepare for. */
static void on_broken_file(MDB_env *env, const char *what)
{
    (void)env;
    (void)what;
    raise(SIGBUS);
}

static sl_err open_databases(sl_log *log, const sl_log_options *options, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    MDB_txn *txn = NULL;
    int code = log->is_writer ? mdb_txn_begin(log->env, NULL, 0, &txn) : sl_log_view_begin(log, &txn);
    if (code == EBUSY) {
        snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: being written, and lock.mdb may not be; read it as its owner",
                 options->dir);
        return SL_ERR_BUSY;
    }
    if (code != 0) return sl_log_explain(errmsg, "open: mdb_txn_begin", code);

    sl_err err = open_databases_in(log, txn, options, errmsg);
    if (err != SL_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    code = mdb_txn_commit(txn); /* also a reader's: it is what keeps the handles */
    return code == 0 ? SL_OK : sl_log_explain(errmsg, "open: mdb_txn_commit", code);
}

static sl_err open_databases_in(sl_log *log, MDB_txn *txn, const sl_log_options *options,
                                char errmsg[SL_LOG_ERRMSG_BYTES])
{
    const struct {
        const char *name;
        unsigned flags;
        MDB_dbi *dbi;
    } databases[DATABASE_COUNT] = {
        {"events", MDB_INTEGERKEY, &log->events}, {"blobs", 0, &log->blobs}, {"meta", 0, &log->meta}};

    bool is_fresh = false;
    int code = is_txn_empty(txn, &is_fresh);
    if (code != 0) return sl_log_explain(errmsg, "open: mdb_stat", code);
    if (is_fresh && !log->is_writer) { /* its making was cut short, or is under way */
        snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: there is no log here yet", options->dir);
        return SL_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < DATABASE_COUNT; i++) {
        unsigned flags = databases[i].flags | (is_fresh ? MDB_CREATE : 0);
        code = mdb_dbi_open(txn, databases[i].name, flags, databases[i].dbi);
        if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE) {
            snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: an LMDB database, but no log of symlog", options->dir);
            return SL_ERR_MALFORMED;
        }
        if (code != 0) return sl_log_explain(errmsg, "open: mdb_dbi_open", code);
    }
    sl_err err = is_fresh ? write_meta(log, txn, options->new_id, errmsg) : read_meta(log, txn, errmsg);
    if (err != SL_OK) return err;
    code = is_fresh ? sl_log_dir_sync(options->dir) : 0;
    if (code == 0 && log->is_writer)
        code = get_end(log, txn, MDB_LAST, &log->last_seq); /* readers ask when they want */
    if (code == 0 && log->is_writer) code = sl_log_get_beginning(log, txn, &log->beginning);
    if (code != 0) return sl_log_explain(errmsg, "open", code);
    if (log->is_writer && log->last_seq == 0 && options->new_first_seq > 1) begin_late(log, options->new_first_seq);
    return SL_OK;
}

/* An empty log that is to hold what a pruned one held: until its base comes it has no beginning. */
static void begin_late(sl_log *log, uint64_t first_seq)
{
    log->last_seq = first_seq - 1;
    log->beginning.oldest_seq = first_seq;
}

static int is_txn_empty(MDB_txn *txn, bool *is_empty)
{
    MDB_dbi names; /* LMDB's unnamed database, which lists the others */
    MDB_stat stat;
    int code = mdb_dbi_open(txn, NULL, 0, &names);
    if (code == 0) code = mdb_stat(txn, names, &stat);
    if (code == 0) *is_empty = stat.ms_entries == 0;
    return code;
}

static sl_err write_meta(sl_log *log, MDB_txn *txn, const uint8_t *new_id, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    if (new_id != NULL) {
        memcpy(log->id, new_id, sizeof log->id);
    } else if (getrandom(log->id, sizeof log->id, 0) != (ssize_t)sizeof log->id) {
        return sl_log_explain(errmsg, "open: getrandom", errno);
    }
    uint8_t format[FORMAT_BYTES];
    sl_put_le(format, SL_LOG_FORMAT_NEW, sizeof format);
    int code = put_meta(log, txn, META_FORMAT, format, sizeof format);
    if (code == 0) code = put_meta(log, txn, META_LOG_ID, log->id, sizeof log->id);
    return code == 0 ? SL_OK : sl_log_explain(errmsg, "open: mdb_put", code);
}

static int put_meta(const sl_log *log, MDB_txn *txn, const char *name, const void *bytes, size_t length)
{
    MDB_val key = {.mv_size = strlen(name), .mv_data = (void *)name};
    MDB_val value = {.mv_size = length, .mv_data = (void *)bytes};
    return mdb_put(txn, log->meta, &key, &value, 0);
}

static sl_err read_meta(sl_log *log, MDB_txn *txn, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    uint8_t bytes[FORMAT_BYTES];
    int code = get_meta(log, txn, META_FORMAT, bytes, sizeof bytes);
    if (code != 0) return sl_log_explain(errmsg, "open: meta: " META_FORMAT, code);
    uint64_t format = sl_get_le(bytes, sizeof bytes);
    if (format < SL_LOG_FORMAT_NEW || format > SL_LOG_FORMAT) {
        snprintf(errmsg, SL_LOG_ERRMSG_BYTES,
                 "log: made by another symlog (format %u; this one reads %d); update symlog", (unsigned)format,
                 SL_LOG_FORMAT);
        return SL_ERR_VERSION;
    }
    code = get_meta(log, txn, META_LOG_ID, log->id, sizeof log->id);
    return code == 0 ? SL_OK : sl_log_explain(errmsg, "open: meta: " META_LOG_ID, code);
}

/* Copies the value of `name`; MDB_INVALID if there is none, or not of `length` bytes. */
static int get_meta(const sl_log *log, MDB_txn *txn, const char *name, void *bytes, size_t length)
{
    MDB_val key = {.mv_size = strlen(name), .mv_data = (void *)name};
    MDB_val value;
    int code = mdb_get(txn, log->meta, &key, &value);
    if (code != 0) return code == MDB_NOTFOUND ? MDB_INVALID : code;
    if (value.mv_size != length) return MDB_INVALID;
    memcpy(bytes, value.mv_data, length);
    return 0;
}

int sl_log_get_beginning(const sl_log *log, MDB_txn *txn, sl_log_beginning *out)
{
    uint8_t bytes[BASE_BYTES];
    MDB_val key = {.mv_size = strlen(META_BASE), .mv_data = META_BASE};
    MDB_val value;
    *out = (sl_log_beginning){.first_seq = 1};
    int code = get_end(log, txn, MDB_FIRST, &out->oldest_seq);
    if (code == 0) code = mdb_get(txn, log->meta, &key, &value);
    if (code == MDB_NOTFOUND) return 0;
    if (code == 0) code = get_meta(log, txn, META_BASE, bytes, sizeof bytes);
    if (code != 0) return code;
    out->base_seq = sl_get_le(bytes, 8);
    out->first_seq = sl_get_le(bytes + 8, 8);
    return out->first_seq >= 1 && out->first_seq <= out->base_seq ? 0 : MDB_INVALID;
}

int sl_log_put_base(const sl_log *log, MDB_txn *txn, const sl_log_beginning *beginning)
{
    uint8_t format[FORMAT_BYTES];
    uint8_t bytes[BASE_BYTES];
    sl_put_le(format, SL_LOG_FORMAT, sizeof format);
    sl_put_le(bytes, beginning->base_seq, 8);
    sl_put_le(bytes + 8, beginning->first_seq, 8);
    int code = put_meta(log, txn, META_FORMAT, format, sizeof format);
    return code == 0 ? put_meta(log, txn, META_BASE, bytes, sizeof bytes) : code;
}

/* The number of the first or the last record; 0 if there is none. */
static int get_end(const sl_log *log, MDB_txn *txn, MDB_cursor_op which, uint64_t *seq)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, log->events, &cursor);
    if (code != 0) return code;
    MDB_val key;
    MDB_val record;
    code = mdb_cursor_get(cursor, &key, &record, which);
    mdb_cursor_close(cursor);
    *seq = 0;
    if (code == MDB_NOTFOUND) return 0;
    if (code == 0) memcpy(seq, key.mv_data, sizeof *seq); /* LMDB aligns keys to 2 bytes only */
    return code;
}
