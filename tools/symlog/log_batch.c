/* Copies events into a new log, many a transaction. */
#include "tools/symlog/log_batch.h"

#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_BYTES_MAX = 16 << 20 /* of payloads, beyond which a batch is committed early */ };

sl_err sl_log_batch_open(sl_log_batch *batch, size_t count_max)
{
    *batch = (sl_log_batch){.count_max = count_max, .events = calloc(count_max, sizeof(sl_event))};
    sl_text_open(&batch->payloads, sl_host_memory());
    return batch->events != NULL ? SL_OK : SL_ERR_MEMORY;
}

sl_err sl_log_batch_make(sl_log_batch *batch, const char *dir, const uint8_t id[SL_LOG_ID_BYTES], uint64_t first_seq,
                         char errmsg[512])
{
    sl_log_options options = {.dir = dir, .is_writer = true, .new_id = id, .new_first_seq = first_seq};
    batch->first_seq = first_seq;
    sl_err err = sl_log_open(&batch->log, &options, errmsg);
    if (err != SL_OK) {
        batch->log = NULL;
        return err;
    }
    uint64_t last = 0;
    err = sl_log_last(batch->log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 512, "%s", sl_log_error(batch->log));
    } else if (last > 0 || memcmp(sl_log_id(batch->log), id, SL_LOG_ID_BYTES) != 0) {
        snprintf(errmsg, 512, "%.300s holds a log already", dir);
        err = SL_ERR_REFUSED;
    }
    return err;
}

void sl_log_batch_close(sl_log_batch *batch)
{
    sl_log_close(batch->log);
    sl_text_close(&batch->payloads);
    free(batch->events);
    *batch = (sl_log_batch){0};
}

uint64_t sl_log_batch_next(const sl_log_batch *batch)
{
    return batch->first_seq + batch->committed + batch->count;
}

sl_err sl_log_batch_add(sl_log_batch *batch, const sl_event *event, char errmsg[512])
{
    assert(event->seq == sl_log_batch_next(batch) && batch->count < batch->count_max);
    if (batch->payloads.bad) {
        snprintf(errmsg, 512, "memory ran out");
        return SL_ERR_MEMORY;
    }
    batch->events[batch->count++] = *event;
    const bool is_due = batch->count == batch->count_max || batch->payloads.length >= BATCH_BYTES_MAX;
    return is_due ? sl_log_batch_commit(batch, errmsg) : SL_OK;
}

sl_err sl_log_batch_commit(sl_log_batch *batch, char errmsg[512])
{
    if (batch->count == 0) return SL_OK;
    size_t position = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->events[i].length == 0) continue; /* there may be no payloads at all, and NULL + 0 is not allowed */
        batch->events[i].payload = (const uint8_t *)batch->payloads.bytes + position;
        position += batch->events[i].length;
    }
    uint64_t last = 0;
    sl_err err = sl_log_append(batch->log, batch->events, batch->count, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 512, "%s", sl_log_error(batch->log));
        return err;
    }
    batch->committed = last + 1 - batch->first_seq;
    batch->count = 0;
    sl_text_clear(&batch->payloads);
    return SL_OK;
}

sl_err sl_log_batch_check(const sl_log_batch *batch, char errmsg[512])
{
    sl_log_beginning beginning;
    sl_err err = sl_log_begins(batch->log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 512, "%s", sl_log_error(batch->log));
    } else if (beginning.first_seq < batch->first_seq) {
        snprintf(errmsg, 512, "the log was pruned, and no base among the events says how it was before event %llu",
                 (unsigned long long)batch->first_seq);
        err = SL_ERR_REFUSED;
    }
    return err;
}
