/* Buckets. The first eight hold 0 to 7 ns; then a number's highest bit chooses the eight, and the next three one. */
#include "tools/symlog/audio_times.h"

#include <assert.h>

static unsigned bucket_of(uint64_t ns)
{
    if (ns < 8) return (unsigned)ns;
    if (ns > UINT32_MAX) return SL_AUDIO_TIMES_BUCKETS - 1;
    const unsigned highest = 63 - (unsigned)__builtin_clzll(ns);
    return (highest - 2) * 8 + (unsigned)(ns >> (highest - 3)) % 8;
}

/* The longest time in it. */
static uint64_t end_of(unsigned bucket)
{
    if (bucket < 8) return bucket;
    const unsigned shift = bucket / 8 - 1;
    return ((UINT64_C(8) + bucket % 8 + 1) << shift) - 1;
}

void sl_audio_times_add(sl_audio_times *times, uint64_t ns)
{
    atomic_fetch_add_explicit(&times->counts[bucket_of(ns)], 1, memory_order_relaxed);
}

uint64_t sl_audio_times_quantile(const sl_audio_times *times, unsigned of_1000)
{
    assert(of_1000 <= 1000);
    uint64_t counts[SL_AUDIO_TIMES_BUCKETS], total = 0, below = 0;
    for (unsigned i = 0; i < SL_AUDIO_TIMES_BUCKETS; i++)
        total += counts[i] = atomic_load_explicit(&times->counts[i], memory_order_relaxed);
    if (total == 0) return 0;
    const uint64_t wanted = (total * of_1000 + 999) / 1000;
    unsigned bucket = 0;
    for (; bucket + 1 < SL_AUDIO_TIMES_BUCKETS; bucket++) {
        below += counts[bucket];
        if (below >= wanted && below > 0) break;
    }
    return end_of(bucket);
}
