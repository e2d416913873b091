/*
 * The statistics of one place in the table of peers, while it passes from source to source: written by the receiver,
 * read by any thread. The committing thread tells what has become events.
 *
 * received = processed + queue_size + dropped + parse_errors + duplicates + heartbeats + ignored.
 */
#ifndef SL_INGEST_PEER_COUNTS_H
#define SL_INGEST_PEER_COUNTS_H

#include "core/payload.h"

#include <stdbool.h>
#include <stdint.h>

/* One statistic. */
typedef _Atomic uint64_t sl_peer_count;

typedef struct sl_peer_counts {
    /* High half: the source, 0 while the place changes hands. Low half: the part of `accepted` that is committed, mod
     * 2^32; the committing thread adds to it. One word, so that a late count cannot fall to the place's next owner. */
    sl_peer_count owner;

    /* Valid if `owner` names the same source before and after. */
    sl_peer_count received;
    sl_peer_count accepted; /* processed and waiting */
    sl_peer_count dropped;
    sl_peer_count parse_errors;
    sl_peer_count duplicates;
    sl_peer_count resends;
    sl_peer_count heartbeats;
    sl_peer_count ignored;
    sl_peer_count queue_max;
} sl_peer_counts;

uint64_t sl_peer_count_get(const sl_peer_count *count);

/* Receiver thread only, as are the next five. */
void sl_peer_count_add(sl_peer_count *count, uint64_t more);

/* The place belongs to a source with these counts now; with source 0, to nobody. */
void sl_peer_counts_begin(sl_peer_counts *counts, const sl_source_counts *from);

/* Its source; 0 if it is nobody's. */
uint32_t sl_peer_counts_source(const sl_peer_counts *counts);

/* A draft is about to wait for its commit. Returns the longest queue before it, for sl_peer_counts_undo. */
uint64_t sl_peer_counts_accept(sl_peer_counts *counts);

/* It found no room. */
void sl_peer_counts_undo(sl_peer_counts *counts, uint64_t queue_max);

/* Any thread: `count` drafts of `source` wait no longer. False: the place is not that source's. */
bool sl_peer_counts_commit(sl_peer_counts *counts, uint32_t source, uint32_t count);

/* Any thread. False if the place is nobody's, or changes hands. */
bool sl_peer_counts_read(const sl_peer_counts *counts, sl_source_counts *out);

/* True if they tell the same; heartbeats, which come while nothing happens, do not count. */
bool sl_peer_counts_are_same(const sl_source_counts *one, const sl_source_counts *other);

#endif
