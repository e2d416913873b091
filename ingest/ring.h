/*
 * A bounded ring of drafts between two threads, for one writing and one reading thread. Payloads lie in the ring, so
 * that taking a batch copies nothing. Full: sl_ring_put refuses, and the caller counts the draft as dropped.
 */
#ifndef SL_INGEST_RING_H
#define SL_INGEST_RING_H

#include "core/err.h"
#include "core/event.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sl_ring sl_ring;

/* `size_bytes` is a power of two, at least 1 MiB (asserted). SL_ERR_MEMORY. */
sl_err sl_ring_create(size_t size_bytes, sl_ring **out);

/* Both threads must be done with it. NULL is passed over. */
void sl_ring_destroy(sl_ring *ring);

/* Writing thread. Copies the draft in, its kind must not be 0 (asserted). SL_ERR_FULL if it does not fit now; a draft
 * longer than half the ring may never fit. Visible to the reader at once. */
sl_err sl_ring_put(sl_ring *ring, const sl_event *draft);

/* Reading thread. Up to `count_max` drafts, oldest first; their payloads are views into the ring, valid until
 * sl_ring_release. Returns how many. */
size_t sl_ring_take(sl_ring *ring, sl_event *drafts, size_t count_max);

/* Reading thread. Frees all drafts that sl_ring_take has given. */
void sl_ring_release(sl_ring *ring);

/* Either thread: drafts put and not yet released. */
size_t sl_ring_count(const sl_ring *ring);

#endif
