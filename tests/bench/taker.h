/* How many datagrams a receiver has taken, told by its thread and awaited by the bench. Zero to begin with. */
#ifndef SL_TESTS_BENCH_TAKER_H
#define SL_TESTS_BENCH_TAKER_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct taker {
    _Atomic uint64_t count;
    _Atomic uint64_t last_ns; /* bench_now_ns when it last grew */
} taker;

/* The receiver's thread: `count` more are taken. */
void taker_add(taker *taker, uint64_t count);

/* Waits until `count` are taken in all, or no more come; returns how many are. */
uint64_t taker_wait(taker *taker, uint64_t count);

#endif
