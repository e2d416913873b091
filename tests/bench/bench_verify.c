/*
 * `symlog verify` on a log of two million events with a checkpoint every 4,096, as serve writes them: the first pass
 * (numbers and checksums) by itself; the second (applying, and comparing digests) beside reading and reducing the same
 * events with nothing else done, digests brought up to date at the same places. Processing starts as in the command, in
 * a child that opens the log.
 */
#include "tests/bench/bench.h"

#include "tests/bench/set_log.h"
#include "tools/symlog/chores.h"
#include "tools/symlog/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 2000000 };
static const uint64_t LOOK_NS = 300000;
static const set_shape SHAPE = {.tracks = 8, .scenes = 100};

static void measure_verify(const char *dir, uint64_t events, bench_series *reading, bench_series *applying);
static double measure_reducing(const char *dir, uint64_t events);

void bench_verify(bench *bench)
{
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    const uint64_t events = set_log_make(dir, SHAPE, EVENTS, SL_CHORES_CHECKPOINT_EVERY);
    bench_series reading = {0}, applying = {0}, reducing = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        measure_verify(dir, events, &reading, &applying);
        bench_add(&reducing, measure_reducing(dir, events));
    }
    bench_remove_dir(dir);
    bench_report(bench, &(bench_figure){.name = "numbers and checksums",
                                        .unit = "events/s",
                                        .own = &reading,
                                        .limit_type = BENCH_LIMIT_VALUE_MIN,
                                        .limit = 3e6});
    bench_report(bench, &(bench_figure){"states and digests", "events/s", &applying, "reading and reducing alone",
                                        &reducing, BENCH_LIMIT_RATIO_MIN, 0.9});
}

/* The child of the command, its words thrown away; this process looks how far it is. */
static void measure_verify(const char *dir, uint64_t events, bench_series *reading, bench_series *applying)
{
    sl_verify_trace *trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trace == MAP_FAILED) bench_die("mmap: %s", strerror(errno));
    fflush(NULL);
    const uint64_t began_ns = bench_now_ns();
    const pid_t child = fork();
    if (child < 0) bench_die("fork: %s", strerror(errno));
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL) _exit(1);
        exit(sl_verify_run(dir, trace));
    }
    uint64_t applying_ns = 0;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (applying_ns == 0 && trace->is_applying) applying_ns = bench_now_ns();
        bench_wait_until(bench_now_ns() + LOOK_NS);
    }
    const uint64_t done_ns = bench_now_ns();
    if (status != 0 || applying_ns == 0) bench_die("verify found something wrong");
    bench_add(reading, (double)events * 1e9 / (double)(applying_ns - began_ns));
    bench_add(applying, (double)events * 1e9 / (double)(done_ns - applying_ns));
    munmap(trace, sizeof *trace);
}

static double measure_reducing(const char *dir, uint64_t events)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    sl_state *state = NULL;
    sl_event event;
    const sl_log_options options = {.dir = dir};
    if (sl_log_open(&log, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    if (sl_log_reader_open(log, 1, &reader) != SL_OK || sl_state_create(set_memory(), &state) != SL_OK)
        bench_die("out of memory");
    const uint64_t began_ns = bench_now_ns();
    while (sl_log_read(reader, &event) == SL_OK) {
        if (event.kind == SL_KIND_CHECKPOINT) sl_state_digests(state, NULL, NULL);
        if (sl_reduce(state, &event, NULL) != SL_OK) bench_die("out of memory");
    }
    const double rate = (double)events * 1e9 / (double)(bench_now_ns() - began_ns);
    if (sl_state_seq(state) != events) bench_die("%s", sl_log_reader_error(reader));
    set_check_nothing_refused(state);
    sl_state_destroy(state);
    sl_log_reader_close(reader);
    sl_log_close(log);
    return rate;
}
