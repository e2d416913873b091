/* The real `symlog serve` in a process of its own, on a new log, with SERVING_TRACKS tracks added. */
#ifndef SL_TESTS_BENCH_SERVING_H
#define SL_TESTS_BENCH_SERVING_H

#include "tests/bench/bench.h"
#include "tests/bench/taker.h"

#include <stdint.h>

enum { SERVING_TRACKS = 8 };

typedef struct serving serving;

/* Starts bench->program and waits until it listens. */
serving *serving_open(const bench *bench);

/* Stops it and removes its log. */
void serving_close(serving *serving);

uint16_t serving_osc_port(const serving *serving);
uint16_t serving_ws_port(const serving *serving);

/* Has its log read along from now on, by a thread of ours: serving_taken counts the durable datagrams. */
void serving_watch(serving *serving);
taker *serving_taken(serving *serving);

#endif
