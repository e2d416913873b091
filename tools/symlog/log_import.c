/* `symlog log import`: makes a new log of an exported one, the same byte for byte. */
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_batch.h"
#include "tools/symlog/log_file.h"
#include "tools/symlog/ndjson.h"
#include "tools/symlog/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What one import works with. */
typedef struct import_run {
    sl_ndjson input;
    sl_log_batch batch;
    uint64_t first_seq; // The number of the first event.
} import_run;

static sl_err open_input(import_run *in, const char *path, uint8_t id[SL_LOG_ID_BYTES], char errmsg[512]);
static sl_err make_log(import_run *in, const char *dir, const uint8_t id[SL_LOG_ID_BYTES], char errmsg[512]);
static sl_err copy_events(import_run *in, char errmsg[512]);
static sl_err take_event(import_run *in, const json_t *object, sl_event *event, char reason[SL_NDJSON_REASON_BYTES]);

int sl_log_file_import(const char *db, const char *path, size_t batch)
{
    char dir[SL_HOST_DIR_BYTES];
    char errmsg[512];
    uint8_t id[SL_LOG_ID_BYTES];
    if (!sl_host_db_dir(db, dir, sizeof dir, errmsg)) return sl_failure("log", "%s", errmsg);
    import_run in = {0};
    sl_err err = sl_log_batch_open(&in.batch, batch);
    if (err != SL_OK) snprintf(errmsg, sizeof errmsg, "no memory for a batch of %zu; ask for less with --batch", batch);
    if (err == SL_OK) err = open_input(&in, path, id, errmsg);
    if (err == SL_OK) err = make_log(&in, dir, id, errmsg);
    if (err == SL_OK) err = copy_events(&in, errmsg);
    if (err == SL_OK) err = sl_log_batch_check(&in.batch, errmsg);

    int status = SL_EXIT_OK;
    unsigned long long count = in.batch.committed;
    if (err == SL_OK) {
        printf("imported %llu events into %s, log %s\n", count, dir, sl_log_id_hex(in.batch.log));
    } else if (in.batch.log != NULL && count > 0) {
        status = sl_failure("log", "%s; the first %llu events were imported: remove %s before you try again", errmsg,
                            count, dir);
    } else {
        status = sl_failure("log", "%s; nothing was imported", errmsg);
    }
    sl_log_batch_close(&in.batch);
    sl_ndjson_close(&in.input);
    return status;
}

static sl_err open_input(import_run *in, const char *path, uint8_t id[SL_LOG_ID_BYTES], char errmsg[512])
{
    char reason[SL_NDJSON_REASON_BYTES];
    if (!sl_ndjson_open(&in->input, path)) {
        snprintf(errmsg, 512, "%.300s cannot be read: %s", path, strerror(errno));
        return SL_ERR_IO;
    }
    json_t *object = NULL;
    sl_err err = sl_ndjson_next(&in->input, &object, reason);
    if (err == SL_ERR_END) {
        snprintf(errmsg, 512, "%.300s is empty; symlog log export writes what can be imported", path);
        return SL_ERR_MALFORMED;
    }
    if (err == SL_OK) {
        err = sl_log_file_read_head(object, id, reason);
        if (err == SL_OK) err = sl_log_file_read_first(object, &in->first_seq, reason);
        json_decref(object);
    }
    if (err != SL_OK) {
        snprintf(errmsg, 512, "line %llu: %s", (unsigned long long)in->input.line_number, reason);
    }
    return err;
}

static sl_err make_log(import_run *in, const char *dir, const uint8_t id[SL_LOG_ID_BYTES], char errmsg[512])
{
    sl_err err = sl_log_batch_make(&in->batch, dir, id, in->first_seq, errmsg);
    if (err == SL_ERR_REFUSED) {
        size_t length = strlen(errmsg);
        snprintf(errmsg + length, 512 - length, "; name a new folder with --db DIR");
    }
    return err;
}

/* Each event is committed or told of: what is right before a bad line is kept. */
static sl_err copy_events(import_run *in, char errmsg[512])
{
    sl_progress progress = sl_progress_begin("importing", 0, true);
    sl_err err = SL_OK;
    while (err == SL_OK) {
        char reason[SL_NDJSON_REASON_BYTES];
        json_t *object = NULL;
        sl_event event;
        err = sl_ndjson_next(&in->input, &object, reason);
        if (err == SL_ERR_END) break;
        if (err == SL_OK) {
            err = take_event(in, object, &event, reason);
            json_decref(object);
        }
        if (err != SL_OK) {
            snprintf(errmsg, 512, "line %llu: %s", (unsigned long long)in->input.line_number, reason);
            break;
        }
        err = sl_log_batch_add(&in->batch, &event, errmsg);
        sl_progress_show(&progress, event.seq);
    }
    if (err == SL_ERR_END) {
        err = sl_log_batch_commit(&in->batch, errmsg);
    } else if (err == SL_ERR_MALFORMED || err == SL_ERR_RANGE) {
        char ignored[512];
        sl_err last = sl_log_batch_commit(&in->batch, ignored);
        if (last != SL_OK) snprintf(errmsg, 512, "%s", ignored);
    }
    sl_progress_end(&progress);
    return err;
}

static sl_err take_event(import_run *in, const json_t *object, sl_event *event, char reason[SL_NDJSON_REASON_BYTES])
{
    const uint64_t due = sl_log_batch_next(&in->batch);
    const size_t begin = in->batch.payloads.length;
    sl_err err = sl_log_file_read_event(object, event, &in->batch.payloads, reason);
    if (err != SL_OK || event->seq == due) return err;
    in->batch.payloads.length = begin;
    snprintf(reason, SL_NDJSON_REASON_BYTES, "\"seq\" is %llu where %llu is due", (unsigned long long)event->seq,
             (unsigned long long)due);
    return SL_ERR_MALFORMED;
}
