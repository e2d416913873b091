/*
 * A Redis server of our own, and a client that pipelines: an append-only file flushed before every answer
 * (`appendfsync always`), no snapshots of it, nothing rewritten, on a unix socket, in a scratch folder.
 */
#ifndef SL_TESTS_BENCH_REDIS_H
#define SL_TESTS_BENCH_REDIS_H

#include "tests/bench/bench.h"

#include <stddef.h>
#include <stdint.h>

enum { REDIS_CONNECTIONS_MAX = 64 };

typedef struct redis redis;

/* Starts `redis-server` with a new folder and waits until it answers. NULL: there is no such program here. */
redis *redis_open(const bench *bench);

/* Ends it and removes its folder. */
void redis_close(redis *redis);

/* Sends RPUSH commands of one element of `payload_bytes`, over `connections` at once and on each as many as the socket
 * takes, never waiting for an answer; for `duration_ns`. Returns how many a second were answered. */
double redis_push(redis *redis, size_t connections, size_t payload_bytes, uint64_t duration_ns);

#endif
