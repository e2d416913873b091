/* Reading: a cursor that walks the records in order and believes none of them unchecked. */
#include "store/log.h"

#include "core/digest.h"
#include "store/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records read in one view before a new one is taken. LMDB keeps every page that a view might read, so a replay of
 * millions of records must not hold on to one; taking one costs less than a record in a thousand. */
enum { VIEW_READS_MAX = 4096 };

struct sl_log_reader {
    sl_log *log;
    MDB_txn *txn;        /* NULL until the first read; then kept, with its slot among LMDB's readers */
    MDB_cursor *cursor;  /* of txn, on events */
    uint64_t next_seq;   /* what the next read tries */
    uint32_t view_reads; /* records read in this view */
    bool is_viewing;     /* txn is live, not reset */
    bool is_placed;      /* the cursor stands on next_seq - 1 */
    char error[SL_LOG_ERRMSG_BYTES];
};

static sl_err find_record(sl_log_reader *reader, MDB_val *record);
static sl_err explain_missing(sl_log_reader *reader);
static sl_err begin_view(sl_log_reader *reader);
static sl_err take_record(sl_log_reader *reader, const MDB_val *record, sl_event *out);
static sl_err find_blob(sl_log_reader *reader, const uint8_t *digest, sl_event *out);
static sl_err explain(sl_log_reader *reader, const char *step, int code);
static sl_err explain_damage(sl_log_reader *reader, sl_err err, const char *what);

sl_err sl_log_reader_open(sl_log *log, uint64_t from, sl_log_reader **out)
{
    assert(log != NULL && out != NULL);
    assert(from >= 1);
    *out = NULL;
    sl_log_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return sl_log_note(log, "reader", ENOMEM);
    reader->log = log;
    reader->next_seq = from;
    *out = reader;
    return SL_OK;
}

void sl_log_reader_close(sl_log_reader *reader)
{
    if (reader == NULL) return;
    if (reader->cursor != NULL) mdb_cursor_close(reader->cursor);
    if (reader->txn != NULL) mdb_txn_abort(reader->txn);
    free(reader);
}

sl_err sl_log_read(sl_log_reader *reader, sl_event *out)
{
    assert(reader != NULL && out != NULL);
    if (reader->view_reads == VIEW_READS_MAX) sl_log_reader_rest(reader);
    const bool is_older_view = reader->is_viewing;

    MDB_val record;
    sl_err err = find_record(reader, &record);
    if (err == SL_ERR_END && is_older_view) { /* more may have been committed since it was taken */
        sl_log_reader_rest(reader);
        err = find_record(reader, &record);
    }
    if (err == SL_OK) err = take_record(reader, &record, out);
    if (err != SL_OK) {
        sl_log_reader_rest(reader);
        return err;
    }
    reader->is_placed = true;
    reader->next_seq++;
    reader->view_reads++;
    return SL_OK;
}

uint64_t sl_log_reader_next_seq(const sl_log_reader *reader)
{
    return reader->next_seq;
}

const char *sl_log_reader_error(const sl_log_reader *reader)
{
    return reader->error;
}

void sl_log_reader_skip(sl_log_reader *reader)
{
    reader->next_seq++;
    reader->is_placed = false;
}

void sl_log_reader_rest(sl_log_reader *reader)
{
    if (reader->is_viewing) mdb_txn_reset(reader->txn);
    reader->is_viewing = false;
    reader->is_placed = false;
    reader->view_reads = 0;
}

static sl_err find_record(sl_log_reader *reader, MDB_val *record)
{
    if (!reader->is_viewing) {
        sl_err err = begin_view(reader);
        if (err != SL_OK) return err;
    }
    uint64_t seq = reader->next_seq;
    MDB_val key = {.mv_size = sizeof seq, .mv_data = &seq};
    int code = mdb_cursor_get(reader->cursor, &key, record, reader->is_placed ? MDB_NEXT : MDB_SET_RANGE);
    if (code == MDB_NOTFOUND) return SL_ERR_END;
    if (code != 0) return explain(reader, "read: mdb_cursor_get", code);
    if (key.mv_size != sizeof seq) return explain_damage(reader, SL_ERR_MALFORMED, "its key is not 8 bytes long");
    memcpy(&seq, key.mv_data, sizeof seq);
    return seq == reader->next_seq ? SL_OK : explain_missing(reader);
}

/* Nobody deletes anything but what lies below the newest base. */
static sl_err explain_missing(sl_log_reader *reader)
{
    sl_log_beginning beginning;
    int code = sl_log_get_beginning(reader->log, reader->txn, &beginning);
    if (code != 0) return explain(reader, "read: meta", code);
    if (reader->next_seq >= beginning.first_seq)
        return explain_damage(reader, SL_ERR_GAP, "missing, though a later one is there");
    snprintf(reader->error, sizeof reader->error, "log: event %" PRIu64 ": pruned; the log begins with event %" PRIu64,
             reader->next_seq, beginning.first_seq);
    return SL_ERR_RANGE;
}

static sl_err begin_view(sl_log_reader *reader)
{
    int code = sl_log_view_begin(reader->log, &reader->txn);
    if (code != 0) return explain(reader, "read: mdb_txn_begin", code);
    reader->is_viewing = true;
    code = reader->cursor == NULL ? mdb_cursor_open(reader->txn, reader->log->events, &reader->cursor)
                                  : mdb_cursor_renew(reader->txn, reader->cursor);
    return code == 0 ? SL_OK : explain(reader, "read: mdb_cursor_open", code);
}

static sl_err take_record(sl_log_reader *reader, const MDB_val *record, sl_event *out)
{
    const uint8_t *bytes = record->mv_data;
    if (record->mv_size < SL_RECORD_HEADER_BYTES) {
        return explain_damage(reader, SL_ERR_MALFORMED, "its record is shorter than a header");
    }
    sl_err err = sl_record_decode(bytes, SL_RECORD_HEADER_BYTES, out);
    if (err != SL_OK) return explain_damage(reader, err, "its header is malformed");
    const bool is_blob = out->length > SL_LOG_INLINE_BYTES_MAX;
    const size_t tail_length = is_blob ? (size_t)SL_DIGEST_BYTES : out->length;
    if (record->mv_size != SL_RECORD_HEADER_BYTES + tail_length) {
        return explain_damage(reader, SL_ERR_MALFORMED, "its record is not as long as its header says");
    }

    out->seq = reader->next_seq;
    out->payload = bytes + SL_RECORD_HEADER_BYTES;
    if (is_blob) err = find_blob(reader, bytes + SL_RECORD_HEADER_BYTES, out);
    if (err != SL_OK) return err;
    err = sl_record_check(out, reader->log->id, bytes);
    return err == SL_OK ? SL_OK : explain_damage(reader, err, "its bytes do not match their checksum");
}

static sl_err find_blob(sl_log_reader *reader, const uint8_t *digest, sl_event *out)
{
    MDB_val key = {.mv_size = SL_DIGEST_BYTES, .mv_data = (void *)digest};
    MDB_val blob;
    int code = mdb_get(reader->txn, reader->log->blobs, &key, &blob);
    if (code == MDB_NOTFOUND) return explain_damage(reader, SL_ERR_CORRUPT, "its payload is not among the blobs");
    if (code != 0) return explain(reader, "read: mdb_get", code);
    if (blob.mv_size != SL_LOG_BLOB_HEADER_BYTES + (size_t)out->length) {
        return explain_damage(reader, SL_ERR_CORRUPT, "its payload's blob is of another length");
    }
    out->payload = (const uint8_t *)blob.mv_data + SL_LOG_BLOB_HEADER_BYTES;
    return SL_OK;
}

static sl_err explain(sl_log_reader *reader, const char *step, int code)
{
    return sl_log_explain(reader->error, step, code);
}

static sl_err explain_damage(sl_log_reader *reader, sl_err err, const char *what)
{
    snprintf(reader->error, sizeof reader->error, "log: event %" PRIu64 ": %s", reader->next_seq, what);
    return err;
}
