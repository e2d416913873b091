/* Deleting the oldest records, and what only they refer to. */
#include "core/bytes.h"
#include "core/digest.h"
#include "store/log_internal.h"

#include <string.h>

enum {
    REWRITTEN_BYTES_MAX = 1 << 20 /* of blobs that others refer to, in one transaction; a single one may be bigger */
};

static int delete_oldest(const sl_log *log, MDB_cursor *cursor, size_t *rewritten_bytes, bool *is_done);
static int release_blob(const sl_log *log, MDB_txn *txn, const MDB_val *record, size_t *rewritten_bytes);

int sl_log_delete_in(const sl_log *log, MDB_txn *txn, size_t max, bool *is_done)
{
    MDB_cursor *cursor = NULL;
    *is_done = false;
    int code = mdb_cursor_open(txn, log->events, &cursor);
    if (code != 0) return code;
    size_t rewritten_bytes = 0;
    for (size_t count = 0; count < max && rewritten_bytes < REWRITTEN_BYTES_MAX; count++) {
        code = delete_oldest(log, cursor, &rewritten_bytes, is_done);
        if (code != 0 || *is_done) break;
    }
    mdb_cursor_close(cursor);
    return code;
}

static int delete_oldest(const sl_log *log, MDB_cursor *cursor, size_t *rewritten_bytes, bool *is_done)
{
    MDB_val key;
    MDB_val record;
    int code = mdb_cursor_get(cursor, &key, &record, MDB_FIRST);
    if (code == MDB_NOTFOUND) *is_done = true;
    if (code != 0) return code == MDB_NOTFOUND ? 0 : code;
    uint64_t seq = 0;
    if (key.mv_size != sizeof seq) return MDB_CORRUPTED;
    memcpy(&seq, key.mv_data, sizeof seq);
    *is_done = seq >= log->beginning.first_seq;
    if (*is_done) return 0;
    code = release_blob(log, mdb_cursor_txn(cursor), &record, rewritten_bytes);
    return code == 0 ? mdb_cursor_del(cursor, 0) : code;
}

/* One reference less; the blob goes with the last. A record that is damaged refers to none that could be found. */
static int release_blob(const sl_log *log, MDB_txn *txn, const MDB_val *record, size_t *rewritten_bytes)
{
    sl_event event;
    if (record->mv_size != SL_RECORD_HEADER_BYTES + SL_DIGEST_BYTES) return 0;
    if (sl_record_decode(record->mv_data, SL_RECORD_HEADER_BYTES, &event) != SL_OK) return 0;
    if (event.length <= SL_LOG_INLINE_BYTES_MAX) return 0;

    uint8_t digest[SL_DIGEST_BYTES];
    memcpy(digest, (const uint8_t *)record->mv_data + SL_RECORD_HEADER_BYTES, sizeof digest);
    MDB_val key = {.mv_size = sizeof digest, .mv_data = digest};
    MDB_val kept;
    int code = mdb_get(txn, log->blobs, &key, &kept);
    if (code == MDB_NOTFOUND) return 0;
    if (code != 0) return code;
    if (kept.mv_size < SL_LOG_BLOB_HEADER_BYTES) return MDB_CORRUPTED;
    const uint64_t count = sl_get_le(kept.mv_data, SL_LOG_BLOB_HEADER_BYTES);
    if (count <= 1) return mdb_del(txn, log->blobs, &key, NULL);
    MDB_val blob = {.mv_size = kept.mv_size};
    code = mdb_put(txn, log->blobs, &key, &blob, MDB_RESERVE);
    if (code != 0) return code;
    memmove(blob.mv_data, kept.mv_data, kept.mv_size); /* the same place where this transaction has written it before */
    sl_put_le(blob.mv_data, count - 1, SL_LOG_BLOB_HEADER_BYTES);
    *rewritten_bytes += kept.mv_size;
    return 0;
}
