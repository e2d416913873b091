/* `symlog log import`: makes a new log of an exported one, the same byte for byte. */
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_file.h"
#include "tools/symlog/ndjson.h"
#include "tools/symlog/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_BYTES_MAX = 16 << 20 /* of payloads, beyond which a batch is committed early */ };

/* What one import works with. */
typedef struct import {
    sl_ndjson input;
    sl_log *log;
    sl_event *batch; // Their payloads stand in `payloads`, one behind the other.
    size_t batch_count;
    size_t batch_max;
    sl_text payloads;
    uint64_t first_seq; // The number of the first event.
    uint64_t committed; // Events in the log.
} import;

static sl_err open_input(import *in, const char *path, uint8_t id[SL_LOG_ID_BYTES], char errmsg[512]);
static sl_err open_new_log(import *in, const char *dir, const uint8_t id[SL_LOG_ID_BYTES], char errmsg[512]);
static sl_err copy_events(import *in, char errmsg[512]);
static sl_err check_beginning(const import *in, char errmsg[512]);
static sl_err take_event(import *in, const json_t *object, char reason[SL_NDJSON_REASON_BYTES]);
static sl_err commit(import *in, char errmsg[512]);

int sl_log_file_import(const char *db, const char *path, size_t batch)
{
    char dir[SL_HOST_DIR_BYTES];
    char errmsg[512];
    uint8_t id[SL_LOG_ID_BYTES];
    if (!sl_host_db_dir(db, dir, sizeof dir, errmsg)) return sl_failure("log", "%s", errmsg);
import in = {.batch_max = batch, .batch = calloc(batch, sizeof(sl_event)) };
    sl_text_open(&in.payloads, sl_host_memory());
    sl_err err = in.batch != NULL ? SL_OK : SL_ERR_MEMORY;
    if (err != SL_OK) snprintf(errmsg, sizeof errmsg, "no memory for a batch of %zu; ask for less with --batch", batch);
    if (err == SL_OK) err = open_input(&in, path, id, errmsg);
    if (err == SL_OK) err = open_new_log(&in, dir, id, errmsg);
    if (err == SL_OK) err = copy_events(&in, errmsg);
    if (err == SL_OK) err = check_beginning(&in, errmsg);

    int status = SL_EXIT_OK;
    unsigned long long count = in.committed;
    if (err == SL_OK) {
        printf("imported %llu events into %s, log %s\n", count, dir, sl_log_id_hex(in.log));
    } else if (in.log != NULL && count > 0) {
        status = sl_failure("log", "%s; the first %llu events were imported: remove %s before you try again", errmsg,
                            count, dir);
    } else {
        status = sl_failure("log", "%s; nothing was imported", errmsg);
    }
    sl_log_close(in.log);
    sl_ndjson_close(&in.input);
    sl_text_close(&in.payloads);
    free(in.batch);
    return status;
}

static sl_err open_input(import *in, const char *path, uint8_t id[SL_LOG_ID_BYTES], char errmsg[512])
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

static sl_err open_new_log(import *in, const char *dir, const uint8_t id[SL_LOG_ID_BYTES], char errmsg[512])
{
    sl_log_options options = {.dir = dir, .is_writer = true, .new_id = id, .new_first_seq = in->first_seq};
    sl_err err = sl_log_open(&in->log, &options, errmsg);
    if (err != SL_OK) {
        in->log = NULL;
        return err;
    }
    uint64_t last = 0;
    err = sl_log_last(in->log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 512, "%s", sl_log_error(in->log));
    } else if (last > 0 || memcmp(sl_log_id(in->log), id, SL_LOG_ID_BYTES) != 0) {
        snprintf(errmsg, 512, "%.300s holds a log already; name a new folder with --db DIR", dir);
        err = SL_ERR_REFUSED;
    }
    return err;
}

/* Each event is committed or told of: what is right before a bad line is kept. */
static sl_err copy_events(import *in, char errmsg[512])
{
    sl_progress progress = sl_progress_begin("importing", 0, true);
    sl_err err = SL_OK;
    while (err == SL_OK) {
        char reason[SL_NDJSON_REASON_BYTES];
        json_t *object = NULL;
        err = sl_ndjson_next(&in->input, &object, reason);
        if (err == SL_ERR_END) break;
        if (err == SL_OK) {
            err = take_event(in, object, reason);
            json_decref(object);
        }
        if (err != SL_OK) {
            snprintf(errmsg, 512, "line %llu: %s", (unsigned long long)in->input.line_number, reason);
            break;
        }
        if (in->batch_count == in->batch_max || in->payloads.length >= BATCH_BYTES_MAX) err = commit(in, errmsg);
        sl_progress_show(&progress, in->committed + in->batch_count);
    }
    if (err == SL_ERR_END) {
        err = commit(in, errmsg);
    } else if (err == SL_ERR_MALFORMED || err == SL_ERR_RANGE) {
        char ignored[512];
        sl_err last = commit(in, ignored);
        if (last != SL_OK) snprintf(errmsg, 512, "%s", ignored);
    }
    sl_progress_end(&progress);
    return err;
}

/* What a pruned log begins with stands near its end. */
static sl_err check_beginning(const import *in, char errmsg[512])
{
    sl_log_beginning beginning;
    sl_err err = sl_log_begins(in->log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 512, "%s", sl_log_error(in->log));
    } else if (beginning.first_seq != in->first_seq) {
        snprintf(errmsg, 512, "the log was pruned, and no base among the events says how it was before event %llu",
                 (unsigned long long)in->first_seq);
        err = SL_ERR_REFUSED;
    }
    return err;
}

static sl_err take_event(import *in, const json_t *object, char reason[SL_NDJSON_REASON_BYTES])
{
    sl_event *event = &in->batch[in->batch_count];
    sl_err err = sl_log_file_read_event(object, event, &in->payloads, reason);
    if (err != SL_OK) return err;
    uint64_t due = in->first_seq + in->committed + in->batch_count;
    if (event->seq != due) {
        snprintf(reason, SL_NDJSON_REASON_BYTES, "\"seq\" is %llu where %llu is due", (unsigned long long)event->seq,
                 (unsigned long long)due);
        return SL_ERR_MALFORMED;
    }
    in->batch_count++;
    return SL_OK;
}

static sl_err commit(import *in, char errmsg[512])
{
    if (in->batch_count == 0) return SL_OK;
    size_t position = 0;
    for (size_t i = 0; i < in->batch_count; i++) {
        in->batch[i].payload = (const uint8_t *)in->payloads.bytes + position;
        position += in->batch[i].length;
    }
    uint64_t last = 0;
    sl_err err = sl_log_append(in->log, in->batch, in->batch_count, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 512, "%s", sl_log_error(in->log));
        return err;
    }
    in->committed = last + 1 - in->first_seq;
    in->batch_count = 0;
    sl_text_clear(&in->payloads);
    return SL_OK;
}
