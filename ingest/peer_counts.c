/* The statistics of a peer. */
#include "ingest/peer_counts.h"

#include <stdatomic.h>

static void set(sl_peer_count *count, uint64_t value)
{
    atomic_store_explicit(count, value, memory_order_release);
}

uint64_t sl_peer_count_get(const sl_peer_count *count)
{
    return atomic_load_explicit(count, memory_order_acquire);
}

void sl_peer_count_add(sl_peer_count *count, uint64_t more)
{
    set(count, sl_peer_count_get(count) + more); /* Only the receiver writes it. */
}

static uint64_t owner_of(uint32_t source, uint64_t committed)
{
    return (uint64_t)source << 32 | (uint32_t)committed;
}

/* Drafts that were accepted and are not committed, for an `owner` that was read before `accepted`. */
static uint32_t queue_of(uint64_t owner, uint64_t accepted)
{
    return (uint32_t)accepted - (uint32_t)owner;
}

void sl_peer_counts_begin(sl_peer_counts *counts, const sl_source_counts *from)
{
    set(&counts->owner, 0);
    set(&counts->received, from->received);
    set(&counts->accepted, from->processed);
    set(&counts->dropped, from->dropped);
    set(&counts->parse_errors, from->parse_errors);
    set(&counts->duplicates, from->duplicates);
    set(&counts->resends, from->resends);
    set(&counts->heartbeats, from->heartbeats);
    set(&counts->ignored, from->ignored);
    set(&counts->queue_max, from->queue_max);
    set(&counts->owner, owner_of(from->source, from->processed));
}

uint32_t sl_peer_counts_source(const sl_peer_counts *counts)
{
    return (uint32_t)(sl_peer_count_get(&counts->owner) >> 32);
}

uint64_t sl_peer_counts_accept(sl_peer_counts *counts)
{
    uint64_t queue_max = sl_peer_count_get(&counts->queue_max);
    sl_peer_count_add(&counts->accepted, 1);
    uint32_t queue = queue_of(sl_peer_count_get(&counts->owner), sl_peer_count_get(&counts->accepted));
    if (queue > queue_max) set(&counts->queue_max, queue);
    return queue_max;
}

void sl_peer_counts_undo(sl_peer_counts *counts, uint64_t queue_max)
{
    set(&counts->accepted, sl_peer_count_get(&counts->accepted) - 1);
    set(&counts->queue_max, queue_max);
}

bool sl_peer_counts_commit(sl_peer_counts *counts, uint32_t source, uint32_t count)
{
    uint64_t now = sl_peer_count_get(&counts->owner);
    while (source != 0 && now >> 32 == source) {
        if (atomic_compare_exchange_weak(&counts->owner, &now, owner_of(source, now + count))) return true;
    }
    return false;
}

bool sl_peer_counts_read(const sl_peer_counts *counts, sl_source_counts *out)
{
    uint64_t owner = sl_peer_count_get(&counts->owner);
    uint64_t accepted = sl_peer_count_get(&counts->accepted);
    uint32_t queue = queue_of(owner, accepted);
    *out = (sl_source_counts){.source = (uint32_t)(owner >> 32),
                              .received = sl_peer_count_get(&counts->received),
                              .processed = accepted - queue,
                              .dropped = sl_peer_count_get(&counts->dropped),
                              .parse_errors = sl_peer_count_get(&counts->parse_errors),
                              .duplicates = sl_peer_count_get(&counts->duplicates),
                              .resends = sl_peer_count_get(&counts->resends),
                              .heartbeats = sl_peer_count_get(&counts->heartbeats),
                              .ignored = sl_peer_count_get(&counts->ignored),
                              .queue_size = queue,
                              .queue_max = sl_peer_count_get(&counts->queue_max)};
    return out->source != 0 && sl_peer_counts_source(counts) == out->source;
}

bool sl_peer_counts_are_same(const sl_source_counts *one, const sl_source_counts *other)
{
    return one->source == other->source && one->received - one->heartbeats == other->received - other->heartbeats &&
           one->processed == other->processed && one->dropped == other->dropped &&
           one->parse_errors == other->parse_errors && one->duplicates == other->duplicates &&
           one->resends == other->resends && one->ignored == other->ignored && one->queue_size == other->queue_size &&
           one->queue_max == other->queue_max;
}
