/*
 * The committer: the only thread that appends to the log. It takes what waits (the receiver's ring, and one bounded
 * queue that all other sources share), commits it in one transaction, tells the new head, and begins again. While one
 * commit is under way the next batch gathers, so batches grow with the load and no timer is needed.
 *
 * What was put into the queue is numbered after everything that was in the ring by then: a picture follows its parts.
 *
 * It knows neither what the events mean nor who waits for them.
 */
#ifndef SL_TOOLS_COMMITTER_H
#define SL_TOOLS_COMMITTER_H

#include "core/err.h"
#include "core/sink.h"
#include "ingest/ring.h"
#include "store/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_COMMITTER_BATCH_EVENTS = 16384,
    SL_COMMITTER_BATCH_BYTES = 4 << 20, /* of payloads; a single event may be bigger */
    SL_COMMITTER_QUEUE_EVENTS = 1024,
    SL_COMMITTER_QUEUE_BYTES = 256 << 20
};

typedef struct sl_committer sl_committer;

typedef struct sl_committer_options {
    sl_log *log;   /* nobody else appends to it until sl_committer_stop */
    sl_ring *ring; /* the committer is its reading thread */
    int wake_fd;   /* an eventfd, not blocking; whoever puts into the ring writes it. The caller closes it afterwards */
    /* Committer's thread: these drafts have become the events up to sl_committer_head; none: sl_committer_failed. */
    void (*tell)(void *ctx, const sl_event *drafts, size_t count);
    void *ctx;
} sl_committer_options;

/* Starts the thread. The options are copied. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_committer_start(sl_committer **out, const sl_committer_options *options);

/* Commits what is in the ring and in the queue, ends the thread and frees everything; false if a commit failed, now or
 * earlier. The log stays open. NULL is passed over (true). The ring's writing thread must have stopped, or what it puts
 * from now on may be left in the ring. */
bool sl_committer_stop(sl_committer *committer);

/* The bounded queue: SL_ERR_FULL beyond SL_COMMITTER_QUEUE_EVENTS or _BYTES. Valid until sl_committer_stop. */
sl_sink sl_committer_sink(sl_committer *committer);

/* Has what lies below the log's newest base deleted, a little with each commit and whenever nothing else is to be done;
 * what is left when the committer stops stays for the next. Any thread. */
void sl_committer_delete(sl_committer *committer);

/* Number of the last event committed by this thread; 0 before the first. Any thread. */
uint64_t sl_committer_head(const sl_committer *committer);

/* True once a commit failed: nothing is committed any more, sl_log_error says why. Any thread. */
bool sl_committer_failed(const sl_committer *committer);

#endif
