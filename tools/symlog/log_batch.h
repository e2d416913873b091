/* Events that are collected and then committed together, at the numbers that they bring: how a log is copied. */
#ifndef SL_TOOLS_LOG_BATCH_H
#define SL_TOOLS_LOG_BATCH_H

#include "core/text.h"
#include "store/log.h"

typedef struct sl_log_batch {
    sl_log *log;      /* the new one, empty at first */
    sl_event *events; /* their payloads stand in `payloads`, one behind the other */
    size_t count;     /* waiting */
    size_t count_max;
    sl_text payloads;
    uint64_t first_seq; /* the number of the log's first event */
    uint64_t committed; /* events in the log */
} sl_log_batch;

/* Room for `count_max` events at a time. SL_ERR_MEMORY. */
sl_err sl_log_batch_open(sl_log_batch *batch, size_t count_max);

/* Makes the log `id`, whose first event has the number `first_seq`, in `dir`. SL_ERR_REFUSED: there is one already;
 * others as sl_log_open. `errmsg` says which. */
sl_err sl_log_batch_make(sl_log_batch *batch, const char *dir, const uint8_t id[SL_LOG_ID_BYTES], uint64_t first_seq,
                         char errmsg[512]);

/* After the last commit: a log that was pruned must have the base that tells its beginning. SL_ERR_REFUSED: it has
 * not. */
sl_err sl_log_batch_check(const sl_log_batch *batch, char errmsg[512]);

/* Closes the log too. What was not committed is forgotten. */
void sl_log_batch_close(sl_log_batch *batch);

/* The number that the next event must have. */
uint64_t sl_log_batch_next(const sl_log_batch *batch);

/* Adds the event whose payload the caller has just appended to batch->payloads, and commits if there are many. Errors
 * as sl_log_append, `errmsg` says which. */
sl_err sl_log_batch_add(sl_log_batch *batch, const sl_event *event, char errmsg[512]);

/* Commits what waits. */
sl_err sl_log_batch_commit(sl_log_batch *batch, char errmsg[512]);

#endif
