/* The committer thread and the bounded queue before it. */
#include "tools/symlog/committer.h"

#include "ingest/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One draft of the queue, its payload behind it. */
typedef struct queued {
    struct queued *next;
    sl_event draft;
    uint8_t payload[];
} queued;

typedef struct queue {
    queued *first;
    queued **end; /* where the next one is linked */
} queue;

struct sl_committer {
    sl_committer_options options; /* Immutable. */
    pthread_t thread;             /* Immutable. */

    pthread_mutex_t lock;
    queue waiting;       /* Under the lock, and so are the next two. */
    size_t queued_count; /* put and not yet committed */
    size_t queued_bytes;

    _Atomic uint64_t head;
    _Atomic bool failed;
    _Atomic bool stopping;
    _Atomic bool deleting; /* there is something below the log's newest base */

    queue taken;                                /* Committer's thread, and so is the rest. */
    size_t ahead;                               /* ring drafts to be committed before the first of `taken` */
    sl_event drafts[SL_COMMITTER_BATCH_EVENTS]; /* the batch being committed */
};

static void *run(void *ctx);
static bool take_and_commit(sl_committer *committer);
static size_t add_taken(sl_committer *committer, size_t count);
static bool commit(sl_committer *committer, size_t count);
static void free_committed(sl_committer *committer, size_t count);
static void delete_some(sl_committer *committer);
static void wait_for_drafts(const sl_committer *committer);
static sl_err put(void *ctx, const sl_event *draft);

static void queue_clear(queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

sl_err sl_committer_start(sl_committer **out, const sl_committer_options *options)
{
    assert(options->log != NULL && options->ring != NULL && options->tell != NULL && options->wake_fd >= 0);
    sl_committer *committer = calloc(1, sizeof *committer);
    if (committer == NULL) return SL_ERR_MEMORY;
    committer->options = *options;
    queue_clear(&committer->waiting);
    queue_clear(&committer->taken);
    pthread_mutex_init(&committer->lock, NULL);
    const sl_err err = sl_thread_start(&committer->thread, "committer", run, committer);
    if (err != SL_OK) {
        pthread_mutex_destroy(&committer->lock);
        free(committer);
        return err;
    }
    *out = committer;
    return SL_OK;
}

static void wake(const sl_committer *committer)
{
    const uint64_t one = 1;
    /* Fails only when the counter is at its maximum, and then the committer is awake anyway. */
    if (write(committer->options.wake_fd, &one, sizeof one) < 0) assert(errno == EAGAIN);
}

bool sl_committer_stop(sl_committer *committer)
{
    if (committer == NULL) return true;
    atomic_store(&committer->stopping, true);
    wake(committer);
    pthread_join(committer->thread, NULL);
    const bool is_well = !atomic_load(&committer->failed);
    queue *const queues[] = {&committer->taken, &committer->waiting};
    for (size_t i = 0; i < 2; i++) {
        for (queued *item = queues[i]->first; item != NULL;) {
            queued *next = item->next;
            free(item);
            item = next;
        }
    }
    pthread_mutex_destroy(&committer->lock);
    free(committer);
    return is_well;
}

uint64_t sl_committer_head(const sl_committer *committer)
{
    return atomic_load_explicit(&committer->head, memory_order_acquire);
}

bool sl_committer_failed(const sl_committer *committer)
{
    return atomic_load(&committer->failed);
}

static void *run(void *ctx)
{
    sl_committer *committer = ctx;
    while (!atomic_load(&committer->failed)) {
        const bool stopping = atomic_load(&committer->stopping); /* before looking: what was put by then is committed */
        if (atomic_load(&committer->deleting)) sl_log_delete_along(committer->options.log);
        if (take_and_commit(committer)) continue;
        if (stopping) break;
        if (atomic_load(&committer->deleting)) {
            delete_some(committer);
        } else {
            wait_for_drafts(committer);
        }
    }
    return NULL;
}

void sl_committer_delete(sl_committer *committer)
{
    atomic_store(&committer->deleting, true);
    wake(committer);
}

/* There is time for it. */
static void delete_some(sl_committer *committer)
{
    bool is_done = false;
    atomic_store(&committer->deleting, false); /* before looking: another base may come meanwhile */
    if (sl_log_delete_some(committer->options.log, SL_LOG_DELETE_MAX, &is_done) != SL_OK) {
        atomic_store(&committer->failed, true);
        committer->options.tell(committer->options.ctx, NULL, 0);
    } else if (!is_done) {
        atomic_store(&committer->deleting, true);
    }
}

/* One batch. False if nothing waited. */
static bool take_and_commit(sl_committer *committer)
{
    if (committer->taken.first == NULL) {
        pthread_mutex_lock(&committer->lock);
        if (committer->waiting.first != NULL) {
            committer->taken = committer->waiting;
            queue_clear(&committer->waiting);
        }
        pthread_mutex_unlock(&committer->lock);
        committer->ahead = committer->taken.first != NULL ? sl_ring_count(committer->options.ring) : 0;
    }
    const size_t from_ring = sl_ring_take(committer->options.ring, committer->drafts, SL_COMMITTER_BATCH_EVENTS);
    committer->ahead -= from_ring < committer->ahead ? from_ring : committer->ahead;
    const size_t count = committer->ahead == 0 ? add_taken(committer, from_ring) : from_ring;
    if (count == 0) return false;
    const bool is_committed = commit(committer, count);
    sl_ring_release(committer->options.ring);
    if (is_committed) free_committed(committer, count - from_ring);
    return true;
}

/* Adds what was taken from the queue to the batch of `count` drafts; returns how many there are then. */
static size_t add_taken(sl_committer *committer, size_t count)
{
    for (queued *item = committer->taken.first; item != NULL && count < SL_COMMITTER_BATCH_EVENTS; item = item->next) {
        committer->drafts[count++] = item->draft;
    }
    return count;
}

/* Commits the batch, in more than one transaction where its payloads are big, and tells. */
static bool commit(sl_committer *committer, size_t count)
{
    for (size_t begin = 0; begin < count;) {
        size_t end = begin;
        size_t bytes = 0;
        do {
            bytes += committer->drafts[end++].length;
        } while (end < count && bytes + committer->drafts[end].length <= SL_COMMITTER_BATCH_BYTES);
        uint64_t last = 0;
        if (sl_log_append(committer->options.log, committer->drafts + begin, end - begin, &last) != SL_OK) {
            atomic_store(&committer->failed, true);
            committer->options.tell(committer->options.ctx, NULL, 0);
            return false;
        }
        atomic_store_explicit(&committer->head, last, memory_order_release);
        committer->options.tell(committer->options.ctx, committer->drafts + begin, end - begin);
        begin = end;
    }
    return true;
}

/* Frees the first `count` of what was taken. */
static void free_committed(sl_committer *committer, size_t count)
{
    if (count == 0) return;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        queued *item = committer->taken.first;
        committer->taken.first = item->next;
        bytes += item->draft.length;
        free(item);
    }
    if (committer->taken.first == NULL) queue_clear(&committer->taken);
    pthread_mutex_lock(&committer->lock);
    committer->queued_count -= count;
    committer->queued_bytes -= bytes;
    pthread_mutex_unlock(&committer->lock);
}

static void wait_for_drafts(const sl_committer *committer)
{
    struct pollfd wanted = {.fd = committer->options.wake_fd, .events = POLLIN};
    if (poll(&wanted, 1, -1) < 0) return; /* a signal; look again */
    uint64_t count = 0;
    if (read(committer->options.wake_fd, &count, sizeof count) < 0) assert(errno == EAGAIN);
}

sl_sink sl_committer_sink(sl_committer *committer)
{
    return (sl_sink){.put = put, .ctx = committer};
}

static sl_err put(void *ctx, const sl_event *draft)
{
    sl_committer *committer = ctx;
    if (draft->length > SL_COMMITTER_QUEUE_BYTES) return SL_ERR_FULL;
    queued *item = malloc(sizeof *item + draft->length);
    if (item == NULL) return SL_ERR_MEMORY;
    item->next = NULL;
    item->draft = *draft;
    item->draft.payload = item->payload;
    if (draft->length > 0) memcpy(item->payload, draft->payload, draft->length);

    pthread_mutex_lock(&committer->lock);
    const bool fits = committer->queued_count < SL_COMMITTER_QUEUE_EVENTS &&
                      committer->queued_bytes + draft->length <= SL_COMMITTER_QUEUE_BYTES;
    if (fits) {
        *committer->waiting.end = item;
        committer->waiting.end = &item->next;
        committer->queued_count++;
        committer->queued_bytes += draft->length;
    }
    pthread_mutex_unlock(&committer->lock);
    if (!fits) {
        free(item);
        return SL_ERR_FULL;
    }
    wake(committer);
    return SL_OK;
}
