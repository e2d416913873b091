/*
 * What all benches share: series of rounds, the report, a scratch folder, a clock.
 *
 * A bench measures symlog and its peer in turn, round by round, in one run, and reports each figure with its limit.
 * A figure that disappoints is reported like any other: benches are not tests. What the machine refuses ends the run
 * with a sentence (bench_die).
 */
#ifndef SL_TESTS_BENCH_H
#define SL_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_ROUNDS = 5, BENCH_DIR_BYTES = 512 };

/* One value a round. Zero to begin with. */
typedef struct bench_series {
    double values[BENCH_ROUNDS];
    size_t count;
} bench_series;

typedef enum bench_limit_type {
    BENCH_LIMIT_NONE,
    BENCH_LIMIT_RATIO_MIN, /* own / peer is at least this */
    BENCH_LIMIT_RATIO_MAX, /* own / peer is at most this */
    BENCH_LIMIT_VALUE_MIN, /* own is at least this */
    BENCH_LIMIT_VALUE_MAX, /* own is at most this, in every round */
    BENCH_LIMIT_MEDIAN_MAX /* own is at most this in the median round */
} bench_limit_type;

/* A figure as measured. */
typedef struct bench_figure {
    const char *name;
    const char *unit;
    const bench_series *own;
    const char *peer_name; /* NULL: there is none */
    const bench_series *peer;
    bench_limit_type limit_type;
    double limit;
} bench_figure;

typedef struct bench {
    const char *name;           /* of the bench that runs */
    const char *program;        /* path of the symlog program; NULL: not given */
    const char *evaluator;      /* path of symlog-eval; NULL: not given */
    const char *bare_evaluator; /* path of bare-javascript, likewise */
    const char *bare_sine;      /* path of bare-sine, likewise */
    char dir[BENCH_DIR_BYTES];  /* a scratch folder on the disk that is measured */
    bool is_json;
    unsigned reached; /* figures with a limit */
    unsigned missed;
} bench;

/* The benches, one a file: reports its figures and returns. */
void bench_udp(bench *bench);
void bench_burst(bench *bench);
void bench_reduce(bench *bench);
void bench_scale(bench *bench);
void bench_scenes(bench *bench);
void bench_latency(bench *bench);
void bench_store(bench *bench);
void bench_redis(bench *bench);
void bench_feed(bench *bench);
void bench_catchup(bench *bench);
void bench_snapshots(bench *bench);
void bench_verify(bench *bench);
void bench_prune(bench *bench);
void bench_laggard(bench *bench);
void bench_als(bench *bench);
void bench_score(bench *bench);
void bench_eval(bench *bench);
void bench_midi(bench *bench);
void bench_render(bench *bench);
void bench_sound(bench *bench);

/* At most BENCH_ROUNDS times (asserted). */
void bench_add(bench_series *series, double value);

/* q 0: the lowest, 0.5: the median, 1: the highest. At least one value (asserted). */
double bench_quantile(const double *values, size_t count, double q);

/* Prints the figure: minimum, median and maximum of both sides over the rounds, the median of the rounds' ratios, the
 * limit, and whether the median reaches it (BENCH_LIMIT_VALUE_MAX: the maximum). */
void bench_report(bench *bench, const bench_figure *figure);

/* Prints a sentence that belongs to the figures. */
void bench_note(const bench *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints a sentence and ends the program. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Nanoseconds of a clock that only goes forward. Any thread. */
uint64_t bench_now_ns(void);

/* Waits until then: asleep while it is far, awake when it is near. Any thread. */
void bench_wait_until(uint64_t time_ns);

/* A number below `below`; the same seed gives the same numbers. */
uint32_t bench_random(uint64_t *seed, uint32_t below);

/* Writes the path of a new folder in the scratch folder. */
void bench_make_dir(const bench *bench, char dir[BENCH_DIR_BYTES]);

/* Removes a folder with all that is in it. */
void bench_remove_dir(const char *dir);

#endif
