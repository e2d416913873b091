/* The peer of the receiver: a bare recvmmsg loop that throws away what it gets, on a socket like symlog's. */
#ifndef SL_TESTS_BENCH_BARE_RECEIVER_H
#define SL_TESTS_BENCH_BARE_RECEIVER_H

#include "tests/bench/taker.h"

#include <pthread.h>
#include <stdint.h>

typedef struct bare_receiver {
    int fd;
    uint16_t port;
    taker taken;
    _Atomic int is_stopping;
    pthread_t thread;
} bare_receiver;

/* Opens the socket, on a free port of 127.0.0.1. */
void bare_receiver_open(bare_receiver *receiver);

/* Runs the loop in a thread of its own, until closed. */
void bare_receiver_start(bare_receiver *receiver);
void bare_receiver_close(bare_receiver *receiver);

/* Receives what the kernel has kept so far; returns how many datagrams. While the loop does not run. */
uint64_t bare_receiver_empty(bare_receiver *receiver);

/* What the kernel grants where symlog asks for its buffer, as SO_RCVBUF tells it. */
int bare_receiver_buffer_bytes(void);

#endif
