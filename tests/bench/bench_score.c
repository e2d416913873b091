/*
 * Live code in core: a track of 20,000 notes compiled; one track of a session of 100 edited, beside the whole session
 * compiled; a mark that splices it; and what telling a note costs.
 *
 * The limit of the first is a fiftieth of the 295 ms that SymphonyScript's published compiler took for as many notes
 * where it was measured (Node 22, a desktop CPU of 2023). An edit comes as a whole session: the 99 others are read and
 * recognised by digest.
 */
#include "tests/bench/bench.h"

#include "core/heap.h"
#include "core/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACKS = 100, NOTES = 20000, EDITS = 200, TELL_BEATS = 2000, WINDOW_FRAMES = 480, PER_TRACK = NOTES / TRACKS };
enum { BEAT = SL_TICKS_PER_BEAT, BYTES_MAX = 1 << 20, RATE = 48000 };
#define COMPILE_LIMIT_MS (295.0 / 50)

typedef struct builder {
    sl_writer writer;
    sl_score_writer score;
    uint8_t *bytes;
} builder;

static double time_compile(builder *builder);
static double time_session(builder *builder);
static void time_edits(builder *builder, double *take_us, double *mark_us);
static double time_telling(builder *builder, unsigned tracks);

void bench_score(bench *bench)
{
    builder builder = {.bytes = malloc(BYTES_MAX)};
    if (builder.bytes == NULL) bench_die("out of memory");
    bench_series compile = {0}, session = {0}, edit = {0}, mark = {0}, tell_one = {0}, tell_all = {0};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double take_us, mark_us;
        bench_add(&compile, time_compile(&builder));
        bench_add(&session, time_session(&builder));
        time_edits(&builder, &take_us, &mark_us);
        bench_add(&edit, take_us);
        bench_add(&mark, mark_us);
        bench_add(&tell_one, time_telling(&builder, 1));
        bench_add(&tell_all, time_telling(&builder, TRACKS));
    }
    bench_report(bench, &(bench_figure){"20,000 notes compiled", "ms", &compile, NULL, NULL, BENCH_LIMIT_VALUE_MAX,
                                        COMPILE_LIMIT_MS});
    bench_report(bench, &(bench_figure){"one track of 100 edited", "us", &edit, "the session compiled", &session,
                                        BENCH_LIMIT_RATIO_MAX, 1.0 / 20});
    bench_report(bench, &(bench_figure){"a mark that splices it", "us", &mark, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"a note told, of 1 track", "ns", &tell_one, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"a note told, of 100 tracks, in windows of 10 ms", "ns", &tell_all, NULL, NULL,
                                        BENCH_LIMIT_NONE, 0});
    free(builder.bytes);
}

static void begin(builder *builder, bool replaces)
{
    builder->writer = (sl_writer){.bytes = builder->bytes, .capacity = BYTES_MAX};
    sl_score_begin(&builder->score, &builder->writer,
                   &(sl_score_head){.replaces = replaces, .quantize = SL_QUANTIZE_OFF, .buffer = ""});
}

/* Sixteenths, each another than the one before; `variant` makes a track another. */
static void put_track(builder *builder, unsigned number, unsigned notes, unsigned variant)
{
    char name[16];
    snprintf(name, sizeof name, "track-%u", number);
    sl_score_track track = {.name = name, .name_length = strlen(name), .instrument = "", .params = ""};
    sl_score_begin_track(&builder->score, &track);
    sl_score_begin_clip(&builder->score, "", 0);
    for (unsigned i = 0; i < notes; i++) {
        sl_score_step step = {.op = SL_SCORE_NOTE,
                              .pitch = (uint8_t)(36 + (i * 7 + variant + number) % 48),
                              .duration = BEAT / 4,
                              .velocity = (uint16_t)(5000 + i % 5000)};
        sl_score_put_step(&builder->score, &step);
    }
    sl_score_end_clip(&builder->score);
    sl_score_end_track(&builder->score);
}

static sl_event end(builder *builder, uint64_t seq)
{
    sl_score_end(&builder->score);
    if (builder->writer.bad) bench_die("a score that is too long for its memory");
    return (sl_event){.seq = seq,
                      .kind = SL_KIND_SCORE,
                      .version = SL_SCORE_VERSION,
                      .payload = builder->bytes,
                      .length = (uint32_t)builder->writer.length};
}

static void take(sl_schedule *schedule, sl_event event)
{
    const char *what;
    if (sl_schedule_take(schedule, &event, &what) != SL_OK) bench_die("refused: %s", what);
}

static void apply(sl_schedule *schedule, uint64_t seq, uint64_t frame)
{
    uint8_t bytes[32];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_applied applied = {.through_seq = seq - 1, .frame = frame, .rate = RATE};
    if (sl_applied_encode(&applied, &writer) != SL_OK) bench_die("no room for a mark");
    take(schedule,
         (sl_event){
             .seq = seq, .kind = SL_KIND_APPLIED, .version = 1, .payload = bytes, .length = (uint32_t)writer.length});
}

static sl_schedule *make_schedule(void)
{
    sl_schedule *schedule;
    if (sl_schedule_create(sl_heap_memory(), &schedule) != SL_OK) bench_die("out of memory");
    return schedule;
}

/* Milliseconds, reading included. */
static double time_compile(builder *builder)
{
    begin(builder, true);
    put_track(builder, 0, NOTES, 0);
    sl_event event = end(builder, 1);
    sl_schedule *schedule = make_schedule();
    const uint64_t began_ns = bench_now_ns();
    take(schedule, event);
    const double spent_ms = (double)(bench_now_ns() - began_ns) / 1e6;
    if (sl_schedule_track(schedule, 0)->part->note_count != NOTES) bench_die("notes are missing");
    sl_schedule_destroy(schedule);
    return spent_ms;
}

/* A session in which one track is its variant. */
static sl_event build_session(builder *builder, uint64_t seq, unsigned edited, unsigned variant)
{
    begin(builder, true);
    for (unsigned i = 0; i < TRACKS; i++) put_track(builder, i, PER_TRACK, i == edited ? variant : 0);
    return end(builder, seq);
}

/* Microseconds. */
static double time_session(builder *builder)
{
    sl_event event = build_session(builder, 1, 0, 0);
    sl_schedule *schedule = make_schedule();
    const uint64_t began_ns = bench_now_ns();
    take(schedule, event);
    const double spent_us = (double)(bench_now_ns() - began_ns) / 1e3;
    sl_schedule_destroy(schedule);
    return spent_us;
}

static void play(sl_schedule *schedule, uint64_t seq)
{
    if (sl_schedule_follow(schedule, seq, &(sl_follow){.type = SL_FOLLOW_PLAY}) != SL_OK) bench_die("out of memory");
}

/* Microseconds an edit, and a mark. The music plays. */
static void time_edits(builder *builder, double *take_us, double *mark_us)
{
    uint64_t seq = 1, taken_ns = 0, marked_ns = 0;
    sl_schedule *schedule = make_schedule();
    take(schedule, build_session(builder, seq++, 0, 0));
    play(schedule, seq++);
    apply(schedule, seq++, 0);
    for (unsigned i = 1; i <= EDITS; i++) {
        sl_event event = build_session(builder, seq++, 0, i);
        const uint64_t began_ns = bench_now_ns();
        take(schedule, event);
        const uint64_t middle_ns = bench_now_ns();
        apply(schedule, seq++, (uint64_t)i * RATE);
        marked_ns += bench_now_ns() - middle_ns;
        taken_ns += middle_ns - began_ns;
    }
    sl_schedule_destroy(schedule);
    *take_us = (double)taken_ns / 1e3 / (double)EDITS;
    *mark_us = (double)marked_ns / 1e3 / (double)EDITS;
}

static bool count(void *ctx, const sl_sound *sound)
{
    *(uint64_t *)ctx += sound->is_start;
    return true;
}

/* Nanoseconds a note, its end included; all tracks start at once. */
static double time_telling(builder *builder, unsigned tracks)
{
    sl_schedule *schedule = make_schedule();
    begin(builder, true);
    for (unsigned i = 0; i < tracks; i++) put_track(builder, i, PER_TRACK, 0);
    take(schedule, end(builder, 1));
    play(schedule, 2);
    apply(schedule, 3, 0);
    uint64_t told = 0, frames = TELL_BEATS * (uint64_t)RATE / 2;
    const uint64_t began_ns = bench_now_ns();
    for (uint64_t frame = 0; frame < frames; frame += WINDOW_FRAMES) {
        sl_schedule_notes(schedule, frame, frame + WINDOW_FRAMES, count, &told);
        if (frame % RATE == 0) sl_schedule_advance(schedule, frame);
    }
    const double spent_ns = (double)(bench_now_ns() - began_ns);
    sl_schedule_destroy(schedule);
    return spent_ns / (double)told;
}
