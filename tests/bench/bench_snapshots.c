/*
 * Snapshots: reaching a state near the start, the middle and the end of a log of ten million events, beside replaying
 * the log up to there; and what a snapshot of a big set costs.
 */
#include "tests/bench/bench.h"

#include "core/state_codec.h"
#include "ingest/clock.h"
#include "tests/bench/set_log.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/nearest.h"
#include "tools/symlog/opening.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 10000000, MOMENTS = 3 };

/* Each as far behind its snapshot as the others. */
static const struct {
    const char *name;
    uint64_t seq;
} MOMENT[MOMENTS] = {{"near the start", 150000}, {"in the middle", 5050000}, {"near the end", 9950000}};

static const set_shape SMALL = {.tracks = 8, .scenes = 100};
static const set_shape BIG = {.tracks = 64, .scenes = 1000};

static void take_snapshots(const char *dir);
static void measure_moments(bench *bench, const char *dir);
static double time_reach(const sl_nearest *from, uint64_t seq);
static void measure_replay(bench *bench, const char *dir);
static double time_replay(const char *program, const char *dir, uint64_t seq);
static void measure_big_set(bench *bench);

void bench_snapshots(bench *bench)
{
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    (void)set_log_make(dir, SMALL, EVENTS, 0);
    take_snapshots(dir);
    measure_moments(bench, dir);
    if (bench->program != NULL) measure_replay(bench, dir);
    bench_remove_dir(dir);
    measure_big_set(bench);
}

/* As the first serve on a log does. */
static void take_snapshots(const char *dir)
{
    static volatile sig_atomic_t signal;
    char errmsg[256];
    sl_status status;
    sl_opening opening;
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    sl_status_open(&status, nowhere);
    const sl_opening_options options = {.dir = dir,
                                        .durability = SL_DURABILITY_PROCESS,
                                        .options = "bench",
                                        .snapshot_every = SL_KEEPER_EVERY_EVENTS,
                                        .signal = &signal,
                                        .status = &status};
    if (sl_opening_open(&opening, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    sl_opening_close(&opening);
    sl_status_close(&status);
    close(nowhere);
}

static void measure_moments(bench *bench, const char *dir)
{
    char errmsg[256];
    sl_log *log = NULL;
    sl_snapshots *snapshots = NULL;
    if (sl_log_open(&log, &(sl_log_options){.dir = dir}, errmsg) != SL_OK) bench_die("%s", errmsg);
    const sl_snapshots_options options = {.dir = dir, .log_id = sl_log_id(log)};
    if (sl_snapshots_open(&snapshots, &options, NULL, errmsg) != SL_OK) bench_die("%s", errmsg);
    const sl_nearest near = {.log = log, .snapshots = snapshots};
    const sl_nearest replay = {.log = log};
    bench_series own[MOMENTS] = {{.count = 0}}, peer[MOMENTS] = {{.count = 0}};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        for (size_t i = 0; i < MOMENTS; i++) {
            bench_add(&own[i], time_reach(&near, MOMENT[i].seq));
            bench_add(&peer[i], time_reach(&replay, MOMENT[i].seq));
        }
    }
    for (size_t i = 0; i < MOMENTS; i++) {
        char name[96];
        snprintf(name, sizeof name, "a state of a log of 10 M events, %s", MOMENT[i].name);
        bench_report(bench, &(bench_figure){name, "ms", &own[i], "replay from event 1", &peer[i], BENCH_LIMIT_NONE, 0});
    }
    bench_report(bench, &(bench_figure){"a state near the end", "ms", &own[2], "near the start", &own[0],
                                        BENCH_LIMIT_RATIO_MAX, 2});
    bench_report(bench, &(bench_figure){"a state in the middle", "ms", &own[1], "near the start", &own[0],
                                        BENCH_LIMIT_RATIO_MAX, 2});
    sl_snapshots_close(snapshots);
    sl_log_close(log);
}

static double time_reach(const sl_nearest *from, uint64_t seq)
{
    char errmsg[256];
    sl_state *state = NULL;
    const uint64_t began_ns = bench_now_ns();
    if (sl_nearest_reach(from, seq, NULL, &state, errmsg) != SL_OK) bench_die("%s", errmsg);
    const double ms = (double)(bench_now_ns() - began_ns) / 1e6;
    set_check_nothing_refused(state);
    sl_state_destroy(state);
    return ms;
}

/* The program, from its start to its end. */
static void measure_replay(bench *bench, const char *dir)
{
    bench_series ms[MOMENTS] = {{.count = 0}};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        for (size_t i = 0; i < MOMENTS; i++) bench_add(&ms[i], time_replay(bench->program, dir, MOMENT[i].seq));
    }
    for (size_t i = 1; i < MOMENTS; i++) {
        char name[96];
        snprintf(name, sizeof name, "the command replay --at, %s", MOMENT[i].name);
        bench_report(bench, &(bench_figure){name, "ms", &ms[i], MOMENT[0].name, &ms[0], BENCH_LIMIT_RATIO_MAX, 2});
    }
}

static double time_replay(const char *program, const char *dir, uint64_t seq)
{
    char at[24];
    int status = 0;
    snprintf(at, sizeof at, "%llu", (unsigned long long)seq);
    const uint64_t began_ns = bench_now_ns();
    const pid_t child = fork();
    if (child < 0) bench_die("fork failed");
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nowhere, STDOUT_FILENO);
        execl(program, program, "replay", "--db", dir, "--at", at, "--state", (char *)NULL);
        _exit(127);
    }
    if (waitpid(child, &status, 0) < 0 || status != 0) bench_die("symlog replay ended with status %d", status);
    return (double)(bench_now_ns() - began_ns) / 1e6;
}

static void measure_big_set(bench *bench)
{
    static const uint8_t log_id[SL_LOG_ID_BYTES] = {1};
    char dir[BENCH_DIR_BYTES], errmsg[256];
    bench_make_dir(bench, dir);
    sl_snapshots *snapshots = NULL;
    const sl_snapshots_options options = {.dir = dir, .log_id = log_id, .is_writer = true};
    if (sl_snapshots_open(&snapshots, &options, NULL, errmsg) != SL_OK) bench_die("%s", errmsg);
    set_picture picture = set_picture_make(BIG);
    sl_state *state = set_state_create(&picture);
    bench_series save = {0}, keep = {0}, load = {0};
    size_t bytes = 0;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        sl_text text;
        sl_text_open(&text, set_memory());
        const uint64_t began_ns = bench_now_ns();
        if (sl_state_save(state, &text) != SL_OK) bench_die("out of memory");
        const uint64_t saved_ns = bench_now_ns();
        bytes = text.length;
        sl_text_close(&text);
        const uint64_t again_ns = bench_now_ns();
        if (sl_keeper_take(snapshots, state) != SL_OK) bench_die("%s", sl_snapshots_error(snapshots));
        const uint64_t kept_ns = bench_now_ns();
        sl_state *loaded = NULL;
        if (sl_nearest_load(snapshots, sl_state_seq(state), &loaded) != SL_OK) bench_die("the snapshot is bad");
        bench_add(&load, (double)(bench_now_ns() - kept_ns) / 1e6);
        sl_state_destroy(loaded);
        bench_add(&save, (double)(saved_ns - began_ns) / 1e6);
        bench_add(&keep, (double)(kept_ns - again_ns) / 1e6);
    }
    bench_note(bench, "a set of %u tracks and %u scenes, %zu bytes saved:", BIG.tracks, BIG.scenes, bytes);
    bench_report(bench, &(bench_figure){"saving it", "ms", &save, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"its snapshot, durable", "ms", &keep, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"loading and proving it", "ms", &load, NULL, NULL, BENCH_LIMIT_NONE, 0});
    sl_state_destroy(state);
    set_picture_free(&picture);
    sl_snapshots_close(snapshots);
    bench_remove_dir(dir);
}
