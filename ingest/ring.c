/*
 * The ring of drafts. Positions are byte counts that only grow; masked, they are places in `bytes`. A draft lies there
 * as its sl_event and then its payload, in one piece: where it would run over the end, the rest of the lap is skipped.
 *
 *     | sl_event | payload, padded to 8 | sl_event | … | skip (kind 0), to the end of the lap |
 */
#include "ingest/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, SIZE_MIN = 1 << 20, KIND_SKIP = 0 };

struct sl_ring {
    /* Written by the writing thread. */
    alignas(CACHE_LINE) atomic_size_t written; /* end of what may be read */
    atomic_size_t put_count;
    size_t released_seen; /* `released` as last read: the reader's line is touched only when this says full */

    /* Immutable; here because the reader fetches this line anyway. */
    uint8_t *bytes;
    size_t size;

    /* Written by the reading thread. */
    alignas(CACHE_LINE) atomic_size_t released; /* end of what may be written over */
    atomic_size_t released_count;
    size_t taken; /* end of what sl_ring_take has given */
    size_t taken_count;
};

sl_err sl_ring_create(size_t size_bytes, sl_ring **out)
{
    assert(size_bytes >= SIZE_MIN && (size_bytes & (size_bytes - 1)) == 0);
    sl_ring *ring = aligned_alloc(alignof(sl_ring), sizeof *ring);
    uint8_t *bytes = aligned_alloc(CACHE_LINE, size_bytes);
    if (ring == NULL || bytes == NULL) {
        free(ring);
        free(bytes);
        return SL_ERR_MEMORY;
    }
    memset(ring, 0, sizeof *ring);
    ring->bytes = bytes;
    ring->size = size_bytes;
    *out = ring;
    return SL_OK;
}

void sl_ring_destroy(sl_ring *ring)
{
    if (ring == NULL) return;
    free(ring->bytes);
    free(ring);
}

/* Bytes that a draft takes in the ring. */
static size_t draft_size(size_t payload_length)
{
    return sizeof(sl_event) + ((payload_length + 7) & ~(size_t)7);
}

/* True if the bytes before position `end` are free. */
static bool is_free_before(sl_ring *ring, size_t end)
{
    if (end - ring->released_seen <= ring->size) return true;
    ring->released_seen = atomic_load_explicit(&ring->released, memory_order_acquire);
    return end - ring->released_seen <= ring->size;
}

sl_err sl_ring_put(sl_ring *ring, const sl_event *draft)
{
    assert(draft->kind != KIND_SKIP);
    size_t size = draft_size(draft->length);
    if (size > ring->size) return SL_ERR_FULL;
    size_t position = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t place = position & (ring->size - 1);
    size_t rest = ring->size - place;
    size_t skipped = size <= rest ? 0 : rest;
    if (!is_free_before(ring, position + skipped + size)) return SL_ERR_FULL;
    if (skipped > 0) {
        /* A rest too short for an sl_event is skipped without being told. */
        if (rest >= sizeof(sl_event)) memcpy(ring->bytes + place, &(sl_event){.kind = KIND_SKIP}, sizeof(sl_event));
        place = 0;
    }
    sl_event event = *draft;
    event.payload = ring->bytes + place + sizeof event;
    memcpy(ring->bytes + place, &event, sizeof event);
    if (draft->length > 0) memcpy(ring->bytes + place + sizeof event, draft->payload, draft->length);
    size_t count = atomic_load_explicit(&ring->put_count, memory_order_relaxed);
    atomic_store_explicit(&ring->put_count, count + 1, memory_order_relaxed);
    atomic_store_explicit(&ring->written, position + skipped + size, memory_order_release);
    return SL_OK;
}

size_t sl_ring_take(sl_ring *ring, sl_event *drafts, size_t count_max)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    const uint8_t *bytes = ring->bytes;
    size_t size = ring->size;
    size_t taken = ring->taken;
    size_t count = 0;
    while (count < count_max && taken != written) {
        size_t place = taken & (size - 1);
        size_t rest = size - place;
        sl_event *draft = &drafts[count];
        if (rest >= sizeof *draft) memcpy(draft, bytes + place, sizeof *draft);
        if (rest < sizeof *draft || draft->kind == KIND_SKIP) {
            taken += rest;
            continue;
        }
        taken += draft_size(draft->length);
        count++;
    }
    ring->taken = taken;
    ring->taken_count += count;
    return count;
}

void sl_ring_release(sl_ring *ring)
{
    atomic_store_explicit(&ring->released_count, ring->taken_count, memory_order_release);
    atomic_store_explicit(&ring->released, ring->taken, memory_order_release);
}

size_t sl_ring_count(const sl_ring *ring)
{
    /* In this order, the difference is never negative: what is released had been put before. */
    size_t released = atomic_load_explicit(&ring->released_count, memory_order_acquire);
    return atomic_load_explicit(&ring->put_count, memory_order_relaxed) - released;
}
