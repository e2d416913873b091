/*
 * How long events take to subscribers while a serve is under load: a flood at a pace, and among it, from a sender of
 * its own, TIMING_RATE numbered events a second, sent by the clock whatever comes back, that every subscriber is
 * waiting for.
 */
#ifndef SL_TESTS_BENCH_TIMING_H
#define SL_TESTS_BENCH_TIMING_H

#include "tests/bench/serving.h"

#include <stddef.h>
#include <stdint.h>

enum { TIMING_RATE = 1000, TIMING_SUBSCRIBERS_MAX = 8 };

typedef struct timing timing;

/* Connects senders, and subscribers that read all that they are sent (one thread for all). */
timing *timing_open(const serving *serving, size_t subscribers);
void timing_close(timing *timing);

/* Quantiles over the timed events and the subscribers. */
typedef struct timing_result {
    double p50_ms;
    double p99_ms;
} timing_result;

/* Sends `rate` events a second, the timed ones included, for `duration_ns`; waits until everybody has the last one.
 * Ends the program if a timed one does not come. */
timing_result timing_run(timing *timing, double rate, uint64_t duration_ns);

/* Datagrams sent so far. */
uint64_t timing_sent(const timing *timing);

/* Timed events that subscribers were told of by a later one, since they had lagged. */
uint64_t timing_coalesced(const timing *timing);

#endif
