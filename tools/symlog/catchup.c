/* Those who catch up, as the service sees them. */
#include "tools/symlog/catchup.h"

#include "ingest/thread.h"
#include "tools/symlog/catchup_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

sl_err sl_catchup_start(sl_catchup **out, const sl_catchup_options *options)
{
    sl_catchup *catchup = calloc(1, sizeof *catchup);
    if (catchup == NULL) return SL_ERR_MEMORY;
    catchup->options = *options;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&catchup->lock, NULL);
    pthread_cond_init(&catchup->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sl_err err = sl_thread_start(&catchup->thread, "catchup", sl_catchup_main, catchup);
    if (err != SL_OK) {
        pthread_cond_destroy(&catchup->changed);
        pthread_mutex_destroy(&catchup->lock);
        free(catchup);
        return err;
    }
    *out = catchup;
    return SL_OK;
}

void sl_catchup_stop(sl_catchup *catchup)
{
    if (catchup == NULL) return;
    assert(catchup->first == NULL);
    pthread_mutex_lock(&catchup->lock);
    atomic_store(&catchup->is_stopping, true);
    pthread_cond_broadcast(&catchup->changed);
    pthread_mutex_unlock(&catchup->lock);
    pthread_join(catchup->thread, NULL);
    pthread_cond_destroy(&catchup->changed);
    pthread_mutex_destroy(&catchup->lock);
    free(catchup);
}

void sl_catchup_set_head(sl_catchup *catchup, uint64_t seq)
{
    atomic_store(&catchup->head, seq);
}

static bool is_too_far(const sl_catchup *catchup, uint64_t from)
{
    return atomic_load(&catchup->head) - from > SL_CATCHUP_EVENTS_MAX;
}

sl_err sl_catchup_seek(sl_catchup *catchup, uint64_t from, bool is_compact, sl_seeker **out)
{
    if (is_too_far(catchup, from)) return SL_ERR_RANGE;
    sl_seeker *seeker = calloc(1, sizeof *seeker);
    if (seeker == NULL) return SL_ERR_MEMORY;
    seeker->catchup = catchup;
    seeker->is_compact = is_compact;
    seeker->through = from;
    pthread_mutex_lock(&catchup->lock);
    seeker->next = catchup->first;
    catchup->first = seeker;
    pthread_cond_broadcast(&catchup->changed);
    pthread_mutex_unlock(&catchup->lock);
    *out = seeker;
    return SL_OK;
}

sl_seek sl_seeker_take(sl_seeker *seeker, sl_chunk **out)
{
    sl_catchup *catchup = seeker->catchup;
    sl_seek result = SL_SEEK_WAIT;
    pthread_mutex_lock(&catchup->lock);
    if (seeker->count > 0) {
        *out = seeker->chunks[seeker->begin];
        seeker->begin = (seeker->begin + 1) % SL_SEEKER_CHUNKS;
        seeker->count--;
        result = SL_SEEK_CHUNK;
    } else if (seeker->has_failed) {
        result = SL_SEEK_FAILED;
    } else if (seeker->place == PLACE_NOWHERE && is_too_far(catchup, seeker->through)) {
        snprintf(seeker->why, sizeof seeker->why, "it has fallen more than %d events behind", SL_CATCHUP_EVENTS_MAX);
        result = SL_SEEK_FAILED;
    } else if (seeker->place == PLACE_NOWHERE) {
        seeker->place = PLACE_QUEUE;
    }
    pthread_cond_broadcast(&catchup->changed);
    pthread_mutex_unlock(&catchup->lock);
    return result;
}

const char *sl_seeker_why(const sl_seeker *seeker)
{
    return seeker->why;
}

void sl_seeker_leave(sl_seeker *seeker)
{
    if (seeker == NULL) return;
    sl_catchup *catchup = seeker->catchup;
    pthread_mutex_lock(&catchup->lock);
    sl_seeker **link = &catchup->first;
    while (*link != seeker) link = &(*link)->next;
    *link = seeker->next;
    pthread_cond_broadcast(&catchup->changed);
    pthread_mutex_unlock(&catchup->lock);
    for (size_t i = 0; i < seeker->count; i++) sl_chunk_leave(seeker->chunks[(seeker->begin + i) % SL_SEEKER_CHUNKS]);
    free(seeker);
}
