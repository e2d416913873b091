/*
 * What inserting, removing and moving a scene costs in a set of 200 tracks x 200 scenes, diffs not written out, beside
 * building that set anew from its picture. A move is a run of scene/reordered for each scene between the two places,
 * and the event that ends it.
 */
#include "tests/bench/bench.h"

#include "core/picture.h"
#include "tests/bench/set.h"

#include <stdio.h>

enum { EDITS = 100, STRIDE = 97, MOVE_NEAR = 10, NAME_BYTES = 32, TRACKS = 200, SCENES = 200 };

/* Kinds of edits. */
enum { INSERT, REMOVE, MOVE_BY_TEN, MOVE_TO_END, KINDS };
static const char *const kind_names[KINDS] = {"a scene inserted", "a scene removed", "a scene moved by 10 places",
                                              "a scene moved from the first place to the last"};

static void add_edit(set_stream *stream, int kind, uint32_t at, uint32_t *order);
static double time_edits(const set_picture *picture, int kind, size_t digest_every);
static double time_rebuild(const set_picture *picture, bool is_digested);

void bench_scenes(bench *bench)
{
    set_picture picture = set_picture_make((set_shape){TRACKS, SCENES});
    bench_series plain[KINDS] = {{.count = 0}}, digested[KINDS] = {{.count = 0}};
    bench_series rebuild = {0}, rebuild_digested = {0};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        bench_add(&rebuild, time_rebuild(&picture, false));
        bench_add(&rebuild_digested, time_rebuild(&picture, true));
        for (int kind = 0; kind < KINDS; kind++) {
            bench_add(&plain[kind], time_edits(&picture, kind, 0));
            bench_add(&digested[kind], time_edits(&picture, kind, 1));
        }
    }
    for (int kind = 0; kind < KINDS; kind++) {
        char name[96];
        snprintf(name, sizeof name, "%s, and all digests", kind_names[kind]);
        bench_report(bench, &(bench_figure){kind_names[kind], "us", &plain[kind], "the set built anew", &rebuild,
                                            BENCH_LIMIT_RATIO_MAX, 0.01});
        bench_report(bench, &(bench_figure){name, "us", &digested[kind], "the set built anew, and all digests",
                                            &rebuild_digested, BENCH_LIMIT_RATIO_MAX, 0.01});
    }
    set_picture_free(&picture);
}

/* Microseconds an edit. */
static double time_edits(const set_picture *picture, int kind, size_t digest_every)
{
    set_stream stream;
    set_stream_open(&stream, (size_t)EDITS * (SCENES + 2));
    uint64_t spent_ns = 0;
    uint32_t order[SCENES];
    for (uint32_t i = 0; i < SCENES; i++) order[i] = i;
    sl_state *state = set_state_create(picture);
    for (uint32_t i = 0; i < EDITS; i++) {
        const size_t begin = stream.count;
        add_edit(&stream, kind, (i * STRIDE) % (SCENES - MOVE_NEAR), order);
        const size_t end = kind == INSERT || kind == REMOVE ? begin + 1 : stream.count;
        const uint64_t began_ns = bench_now_ns();
        set_reduce(state, &stream, begin, end, 0, NULL);
        if (digest_every != 0) sl_state_digests(state, NULL, NULL);
        spent_ns += bench_now_ns() - began_ns;
        set_reduce(state, &stream, end, stream.count, 0, NULL);
        sl_state_digests(state, NULL, NULL);
    }
    set_check_nothing_refused(state);
    sl_state_destroy(state);
    set_stream_close(&stream);
    return (double)spent_ns / 1e3 / (double)EDITS;
}

static void add_move(set_stream *stream, uint32_t *order, uint32_t from, uint32_t to)
{
    const uint32_t moved = order[from];
    for (uint32_t i = from; i < to; i++) order[i] = order[i + 1];
    order[to] = moved;
    for (uint32_t i = from; i <= to; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "scene-%u", order[i]);
        set_stream_add(stream, "/live/scene/reordered", "is", (int)i, name);
    }
    set_stream_add_settled(stream);
}

/* One edit at place `at`; what inserts or removes is followed by its opposite, so that the set stays as big. */
static void add_edit(set_stream *stream, int kind, uint32_t at, uint32_t *order)
{
    switch (kind) {
    case INSERT:
        set_stream_add(stream, "/live/scene/added", "is", (int)at, "new");
        set_stream_add(stream, "/live/scene/removed", "i", (int)at);
        break;
    case REMOVE:
        set_stream_add(stream, "/live/scene/removed", "i", (int)at);
        set_stream_add(stream, "/live/scene/added", "is", (int)at, "new");
        break;
    case MOVE_BY_TEN: add_move(stream, order, at, at + MOVE_NEAR); break;
    default: add_move(stream, order, 0, SCENES - 1);
    }
}

/* Microseconds. */
static double time_rebuild(const set_picture *picture, bool is_digested)
{
    sl_tree *tree = NULL;
    sl_picture_error error;
    if (sl_tree_create(set_memory(), &tree) != SL_OK) bench_die("out of memory");
    const uint64_t began_ns = bench_now_ns();
    if (sl_picture_build(picture->bytes, picture->length, "1", tree, &error) != SL_OK) bench_die("%s", error.what);
    if (is_digested) sl_tree_digest(tree);
    const double spent_us = (double)(bench_now_ns() - began_ns) / 1e3;
    sl_tree_destroy(tree);
    return spent_us;
}
