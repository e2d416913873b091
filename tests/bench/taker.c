/* Counting and waiting. */
#include "tests/bench/taker.h"

#include "tests/bench/bench.h"

static const uint64_t LOOK_NS = 1000000;
static const uint64_t PATIENCE_NS = 400000000; /* longer than a commit ever takes */

void taker_add(taker *taker, uint64_t count)
{
    if (count == 0) return;
    atomic_store(&taker->last_ns, bench_now_ns());
    atomic_fetch_add(&taker->count, count);
}

uint64_t taker_wait(taker *taker, uint64_t count)
{
    uint64_t seen = atomic_load(&taker->count);
    uint64_t grown_ns = bench_now_ns();
    while (seen < count && bench_now_ns() - grown_ns < PATIENCE_NS) {
        bench_wait_until(bench_now_ns() + LOOK_NS);
        const uint64_t now = atomic_load(&taker->count);
        if (now > seen) grown_ns = bench_now_ns();
        seen = now;
    }
    return seen;
}
