/* symlog's way in, wired as in serve: receiver -> ring -> committer -> log. Without what follows the commit. */
#ifndef SL_TESTS_BENCH_PIPELINE_H
#define SL_TESTS_BENCH_PIPELINE_H

#include "tests/bench/bench.h"
#include "tests/bench/taker.h"

#include <stdint.h>

typedef struct pipeline pipeline;

/* With a new log in a folder of its own. */
pipeline *pipeline_open(const bench *bench);
void pipeline_close(pipeline *pipeline);

uint16_t pipeline_port(const pipeline *pipeline);

/* Datagrams that are durable. */
taker *pipeline_taken(pipeline *pipeline);

/* Datagrams that the kernel threw away. */
uint64_t pipeline_kernel_drops(const pipeline *pipeline);

#endif
