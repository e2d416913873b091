/* What one attribute change costs as the set grows: 8 tracks, 10 to 10,000 scenes, random nodes. */
#include "tests/bench/bench.h"

#include "tests/bench/set_mix.h"

#include <stdio.h>

enum { EVENTS = 40000, SIZES = 4 };
static const uint32_t SCENES[SIZES] = {10, 100, 1000, 10000};

static double time_changes(sl_state *state, const set_stream *stream, size_t digest_every);
static void report(bench *bench, const char *name, bench_series series[SIZES]);

void bench_scale(bench *bench)
{
    bench_series plain[SIZES] = {{.count = 0}}, digested[SIZES] = {{.count = 0}};
    set_picture pictures[SIZES];
    set_stream streams[SIZES];
    for (size_t i = 0; i < SIZES; i++) {
        const set_shape shape = {.tracks = 8, .scenes = SCENES[i]};
        pictures[i] = set_picture_make(shape);
        set_stream_open(&streams[i], (size_t)2 * EVENTS);
        set_mix_attributes(&streams[i], shape, (size_t)2 * EVENTS);
    }
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        for (size_t i = 0; i < SIZES; i++) {
            sl_state *state = set_state_create(&pictures[i]);
            set_reduce(state, &streams[i], 0, EVENTS, 0, NULL); /* warms up */
            bench_add(&plain[i], time_changes(state, &streams[i], 0));
            sl_state_destroy(state);
            state = set_state_create(&pictures[i]);
            set_reduce(state, &streams[i], 0, EVENTS, 1, NULL);
            bench_add(&digested[i], time_changes(state, &streams[i], 1));
            set_check_nothing_refused(state);
            sl_state_destroy(state);
        }
    }
    report(bench, "an attribute change", plain);
    report(bench, "an attribute change, and all digests after each", digested);
    for (size_t i = 0; i < SIZES; i++) {
        set_stream_close(&streams[i]);
        set_picture_free(&pictures[i]);
    }
}

/* The second half of the stream; nanoseconds an event. */
static double time_changes(sl_state *state, const set_stream *stream, size_t digest_every)
{
    const uint64_t began_ns = bench_now_ns();
    set_reduce(state, stream, EVENTS, stream->count, digest_every, NULL);
    return (double)(bench_now_ns() - began_ns) / (double)EVENTS;
}

static void report(bench *bench, const char *name, bench_series series[SIZES])
{
    for (size_t i = 0; i < SIZES; i++) {
        char text[96];
        snprintf(text, sizeof text, "%s, %u scenes", name, SCENES[i]);
        const bool is_last = i == SIZES - 1;
        bench_report(bench, &(bench_figure){text, "ns", &series[i], is_last ? "the same at 10 scenes" : NULL,
                                            is_last ? &series[0] : NULL,
                                            is_last ? BENCH_LIMIT_RATIO_MAX : BENCH_LIMIT_NONE, 2});
    }
}
