/* Long logs of a set: its picture, then changes of attributes drawn at random. */
#ifndef SL_TESTS_BENCH_SET_LOG_H
#define SL_TESTS_BENCH_SET_LOG_H

#include "store/log.h"
#include "tests/bench/set.h"

#include <stddef.h>

/* Makes a log in the folder `dir`: the picture of `shape`, then as many changes as make it `events` events, rounded up
 * to whole millions of changes. Every `checkpoint_every` of them (0: never) a checkpoint follows, as serve would write
 * it. Returns how many events it has. */
uint64_t set_log_make(const char *dir, set_shape shape, size_t events, size_t checkpoint_every);

#endif
