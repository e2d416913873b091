/* Appending: one transaction a call, and nothing more after the first that fails. What a base made superfluous goes
 * along. */
#include "store/log.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/payload.h"
#include "store/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static bool is_disk_full(const sl_log *log);
static sl_err append_drafts(sl_log *log, const sl_event *drafts, size_t count);
static sl_err delete_records(sl_log *log, size_t max, bool *is_done);
static sl_err append_in(sl_log *log, MDB_txn *txn, const sl_event *drafts, size_t count);
static void note_base(sl_log *log, const sl_event *event);
static sl_err append_event(sl_log *log, MDB_cursor *cursor, const sl_event *event);
static sl_err keep_blob(sl_log *log, MDB_txn *txn, const sl_event *event, uint8_t digest[SL_DIGEST_BYTES]);
static bool is_blob_of(const MDB_val *blob, const sl_event *event);
static void write_key(sl_digest digest, uint8_t key[SL_DIGEST_BYTES]);

sl_err sl_log_append(sl_log *log, const sl_event *drafts, size_t count, uint64_t *last_seq)
{
    assert(log != NULL && log->is_writer);
    assert(drafts != NULL && count >= 1);
    if (atomic_load(&log->has_failed)) return SL_ERR_IO;
    for (size_t i = 0; i < count; i++) {
        if (drafts[i].length > SL_PAYLOAD_BYTES_MAX) return SL_ERR_RANGE;
    }

    sl_err err = append_drafts(log, drafts, count);
    if (err != SL_OK) {
        /* LMDB would let later commits succeed, and what this one was to hold would be missing without a trace. */
        atomic_store(&log->has_failed, true);
        return err;
    }
    log->last_seq += count;
    if (last_seq != NULL) *last_seq = log->last_seq;
    return SL_OK;
}

void sl_log_delete_along(sl_log *log)
{
    log->is_deleting = true;
}

sl_err sl_log_delete_some(sl_log *log, size_t max, bool *is_done)
{
    assert(log != NULL && log->is_writer);
    if (atomic_load(&log->has_failed)) return SL_ERR_IO;
    sl_err err = delete_records(log, max, is_done);
    if (err != SL_OK) atomic_store(&log->has_failed, true);
    if (err == SL_OK && *is_done) log->is_deleting = false;
    return err;
}

static sl_err delete_records(sl_log *log, size_t max, bool *is_done)
{
    MDB_txn *txn = NULL;
    *is_done = false;
    int code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (code != 0) return sl_log_explain(log->append_error, "delete: mdb_txn_begin", code);
    code = sl_log_delete_in(log, txn, max, is_done);
    if (code != 0) {
        mdb_txn_abort(txn);
        return sl_log_explain(log->append_error, "delete", code);
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? SL_OK : sl_log_explain(log->append_error, "delete: mdb_txn_commit", code);
}

static sl_err append_drafts(sl_log *log, const sl_event *drafts, size_t count)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (code != 0) return sl_log_explain(log->append_error, "append: mdb_txn_begin", code);

    bool is_done = false;
    const sl_log_beginning before = log->beginning;
    sl_err err = append_in(log, txn, drafts, count);
    if (err == SL_OK && log->beginning.base_seq != before.base_seq) {
        code = sl_log_put_base(log, txn, &log->beginning);
        if (code != 0) err = sl_log_explain(log->append_error, "append: mdb_put", code);
    }
    if (err == SL_OK && log->is_deleting) {
        code = sl_log_delete_in(log, txn, SL_LOG_DELETE_MAX, &is_done);
        if (code != 0) err = sl_log_explain(log->append_error, "append: delete", code);
    }
    if (err != SL_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    code = mdb_txn_commit(txn);
    if (code == EIO && is_disk_full(log)) code = ENOSPC;
    if (code != 0) return sl_log_explain(log->append_error, "append: mdb_txn_commit", code);
    if (is_done) log->is_deleting = false;
    return SL_OK;
}

static sl_err append_in(sl_log *log, MDB_txn *txn, const sl_event *drafts, size_t count)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, log->events, &cursor);
    if (code != 0) return sl_log_explain(log->append_error, "append: mdb_cursor_open", code);

    sl_err err = SL_OK;
    for (size_t i = 0; i < count && err == SL_OK; i++) {
        sl_event event = drafts[i];
        event.seq = log->last_seq + 1 + i;
        err = append_event(log, cursor, &event);
        if (event.kind == SL_KIND_BASE) note_base(log, &event);
    }
    mdb_cursor_close(cursor);
    return err;
}

/* A base from whose number on everything is here is where the log begins from now on. */
static void note_base(sl_log *log, const sl_event *event)
{
    sl_base base;
    if (sl_base_decode(event, &base) != SL_OK) return;
    const uint64_t oldest = log->beginning.oldest_seq > 0 ? log->beginning.oldest_seq : 1;
    if (base.before_seq > event->seq || base.before_seq < log->beginning.first_seq || base.before_seq < oldest) return;
    log->beginning.first_seq = base.before_seq;
    log->beginning.base_seq = event->seq;
}

static sl_err append_event(sl_log *log, MDB_cursor *cursor, const sl_event *event)
{
    const uint8_t *tail = event->payload;
    size_t tail_length = event->length;
    uint8_t digest[SL_DIGEST_BYTES];
    if (event->length > SL_LOG_INLINE_BYTES_MAX) {
        sl_err err = keep_blob(log, mdb_cursor_txn(cursor), event, digest);
        if (err != SL_OK) return err;
        tail = digest;
        tail_length = sizeof digest;
    }

    uint64_t seq = event->seq;
    MDB_val key = {.mv_size = sizeof seq, .mv_data = &seq};
    MDB_val record = {.mv_size = SL_RECORD_HEADER_BYTES + tail_length};
    int code = mdb_cursor_put(cursor, &key, &record, MDB_APPEND | MDB_RESERVE);
    if (code != 0) return sl_log_explain(log->append_error, "append: mdb_cursor_put", code);
    uint8_t *bytes = record.mv_data;
    sl_record_encode(event, log->id, bytes);
    if (tail_length > 0) memcpy(bytes + SL_RECORD_HEADER_BYTES, tail, tail_length);
    return SL_OK;
}

/* Keeps the payload once however often it comes, counts the records that refer to it, and writes its key. */
static sl_err keep_blob(sl_log *log, MDB_txn *txn, const sl_event *event, uint8_t digest[SL_DIGEST_BYTES])
{
    write_key(sl_digest_bytes(event->payload, event->length), digest);
    MDB_val key = {.mv_size = SL_DIGEST_BYTES, .mv_data = digest};
    MDB_val kept;
    uint64_t count = 0;
    int code = mdb_get(txn, log->blobs, &key, &kept);
    if (code == 0) {
        if (!is_blob_of(&kept, event)) {
            snprintf(log->append_error, sizeof log->append_error,
                     "log: append: blobs: other bytes are kept under this payload's digest; check the log with verify");
            return SL_ERR_IO;
        }
        count = sl_get_le(kept.mv_data, SL_LOG_BLOB_HEADER_BYTES);
    } else if (code != MDB_NOTFOUND) {
        return sl_log_explain(log->append_error, "append: mdb_get", code);
    }

    MDB_val blob = {.mv_size = SL_LOG_BLOB_HEADER_BYTES + (size_t)event->length};
    code = mdb_put(txn, log->blobs, &key, &blob, MDB_RESERVE);
    if (code != 0) return sl_log_explain(log->append_error, "append: mdb_put", code);
    uint8_t *bytes = blob.mv_data;
    sl_put_le(bytes, count + 1, SL_LOG_BLOB_HEADER_BYTES);
    memcpy(bytes + SL_LOG_BLOB_HEADER_BYTES, event->payload, event->length);
    return SL_OK;
}

static bool is_blob_of(const MDB_val *blob, const sl_event *event)
{
    if (blob->mv_size != SL_LOG_BLOB_HEADER_BYTES + (size_t)event->length) return false;
    const uint8_t *bytes = blob->mv_data;
    return memcmp(bytes + SL_LOG_BLOB_HEADER_BYTES, event->payload, event->length) == 0;
}

static void write_key(sl_digest digest, uint8_t key[SL_DIGEST_BYTES])
{
    sl_put_le(key, digest.low, 8);
    sl_put_le(key + 8, digest.high, 8);
}

/* LMDB calls it an input/output error when only a part of what it writes finds room. */
static bool is_disk_full(const sl_log *log)
{
    const char *path = NULL;
    struct statvfs disk;
    if (mdb_env_get_path(log->env, &path) != 0 || statvfs(path, &disk) != 0) return false;
    return (uint64_t)disk.f_bavail * disk.f_frsize < SL_LOG_ROOM_BYTES;
}
