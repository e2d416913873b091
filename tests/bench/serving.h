/* The real `symlog serve` in a process of its own, on a new log, with SERVING_TRACKS tracks added. */
#ifndef SL_TESTS_BENCH_SERVING_H
#define SL_TESTS_BENCH_SERVING_H

#include "tests/bench/bench.h"
#include "tests/bench/taker.h"

#include <stdint.h>
#include <sys/types.h>

enum { SERVING_TRACKS = 8 };

typedef struct serving serving;

/* Starts bench->program and waits until it listens. */
serving *serving_open(const bench *bench);

/* The same on the log in the folder `dir`, which becomes the serving's; no track is added. */
serving *serving_open_log(const bench *bench, const char *dir);

/* The same, and the notes of live code go to `notes_out`. */
serving *serving_open_player(const bench *bench, const char *dir, const char *notes_out);

/* The same, with further words for its command line, up to NULL, which it has to outlive. */
serving *serving_open_with(const bench *bench, const char *dir, const char *const *words);

/* Stops it and removes its log. */
void serving_close(serving *serving);

/* Its process, and the folder of its log. */
pid_t serving_pid(const serving *serving);
const char *serving_dir(const serving *serving);

uint16_t serving_osc_port(const serving *serving);
uint16_t serving_ws_port(const serving *serving);

/* The process stops where it is, and goes on. */
void serving_pause(const serving *serving);
void serving_resume(const serving *serving);

/* Memory that belongs to the process alone: the log, which is mapped, is not in it. */
uint64_t serving_memory_bytes(const serving *serving);

/* Reads its log: how many datagrams it holds after event `after_seq`; *oldest_seq (may be NULL) is the oldest number
 * that is still stored. */
uint64_t serving_count_datagrams(const serving *serving, uint64_t after_seq, uint64_t *oldest_seq);

/* Has its log read along from now on, by a thread of ours: serving_taken counts the durable datagrams. */
void serving_watch(serving *serving);
taker *serving_taken(serving *serving);

#endif
