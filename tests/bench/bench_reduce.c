/*
 * The reducer in a set of 200 tracks x 200 scenes, digests brought up to date every 4,096 events: attribute changes
 * alone, and a mix with insertions, removals and moves; beside loops that only parse the same packets, with core's
 * reader and with liblo.
 */
#include "tests/bench/bench.h"

#include "core/message.h"
#include "tests/bench/set_mix.h"

#include <lo/lo.h>
#include <stdio.h>

enum { EVENTS = 300000, DIGEST_EVERY = 4096 };
static const set_shape SHAPE = {.tracks = 200, .scenes = 200};

/* What one stream gave. */
typedef struct result {
    bench_series reduced, undigested, told, core_parsed, liblo_parsed;
} result;

static void measure(const set_picture *picture, const set_stream *stream, result *result);
static void report(bench *bench, const char *name, const result *result, double limit);
static double parse_with_core(const set_stream *stream);
static double parse_with_liblo(const set_stream *stream);
static void write_message(void *ctx, const sl_state *state, const sl_effect *effect);

static double percent(size_t count)
{
    return 100.0 * (double)count / (double)EVENTS;
}

void bench_reduce(bench *bench)
{
    set_picture picture = set_picture_make(SHAPE);
    set_stream attributes, mix;
    set_stream_open(&attributes, EVENTS);
    set_stream_open(&mix, EVENTS);
    set_mix_attributes(&attributes, SHAPE, EVENTS);
    const set_mix_counts counts = set_mix_all(&mix, SHAPE, EVENTS);
    result of_attributes = {0}, of_mix = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        measure(&picture, &attributes, &of_attributes);
        measure(&picture, &mix, &of_mix);
    }
    report(bench, "attributes", &of_attributes, 5e6);
    report(bench, "mix", &of_mix, 1e6);
    bench_note(bench, "200 tracks x 200 scenes; attributes: a third each track/volume, device/param, clip_slot/color");
    bench_note(
        bench, "mix: %.1f %% attributes, %.1f %% slots and clips, %.1f %% devices, %.1f %% scenes (add, remove, move)",
        percent(counts.attributes), percent(counts.slots_and_clips), percent(counts.devices), percent(counts.scenes));
    set_stream_close(&attributes);
    set_stream_close(&mix);
    set_picture_free(&picture);
}

static double rate_since(uint64_t began_ns)
{
    return (double)EVENTS * 1e9 / (double)(bench_now_ns() - began_ns);
}

static double reduce(const set_picture *picture, const set_stream *stream, size_t digest_every, const sl_output *output)
{
    sl_state *state = set_state_create(picture);
    const uint64_t began_ns = bench_now_ns();
    set_reduce(state, stream, 0, stream->count, digest_every, output);
    const double rate = rate_since(began_ns);
    set_check_nothing_refused(state);
    sl_state_destroy(state);
    return rate;
}

static void measure(const set_picture *picture, const set_stream *stream, result *result)
{
    sl_text text;
    sl_text_open(&text, set_memory());
    const sl_output output = {.tell = write_message, .ctx = &text};
    bench_add(&result->reduced, reduce(picture, stream, DIGEST_EVERY, NULL));
    bench_add(&result->undigested, reduce(picture, stream, 0, NULL));
    bench_add(&result->core_parsed, parse_with_core(stream));
    bench_add(&result->liblo_parsed, parse_with_liblo(stream));
    bench_add(&result->told, reduce(picture, stream, DIGEST_EVERY, &output));
    sl_text_close(&text);
}

static void report(bench *bench, const char *name, const result *result, double limit)
{
    char told[64], undigested[64];
    snprintf(told, sizeof told, "%s, with each diff written as a message", name);
    snprintf(undigested, sizeof undigested, "%s, without digests", name);
    bench_report(bench, &(bench_figure){name, "events/s", &result->reduced, "core's reader alone", &result->core_parsed,
                                        BENCH_LIMIT_VALUE_MIN, limit});
    bench_report(bench,
                 &(bench_figure){undigested, "events/s", &result->undigested, "liblo's lo_message_deserialise alone",
                                 &result->liblo_parsed, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){.name = told, .unit = "events/s", .own = &result->told});
}

static void write_message(void *ctx, const sl_state *state, const sl_effect *effect)
{
    sl_text *text = ctx;
    sl_text_clear(text);
    sl_message_effect(text, state, effect);
    sl_message_close(text, effect->event->seq);
}

/* Checks the packet, takes the wrapper off and reads every argument. */
static double parse_with_core(const set_stream *stream)
{
    int64_t sum = 0;
    const uint64_t began_ns = bench_now_ns();
    for (size_t i = 0; i < stream->count; i++) {
        sl_osc_error error;
        sl_osc_message message, inner;
        sl_osc_argument argument;
        int64_t number = 0;
        double timestamp = 0;
        bool is_bad_wrapper = false;
        const uint8_t *payload = stream->events[i].payload;
        const size_t length = stream->events[i].length;
        if (!sl_osc_check(payload, length, &error)) bench_die("core refuses a packet");
        sl_osc_walk walk = sl_osc_walk_begin(payload, length);
        while (sl_osc_walk_next(&walk, &message)) {
            if (!sl_osc_unwrap(&message, &inner, &number, &timestamp, &is_bad_wrapper)) bench_die("no wrapper");
            sl_osc_cursor cursor = sl_osc_arguments(&inner);
            while (sl_osc_next(&cursor, &argument)) sum += argument.integer;
        }
    }
    const double rate = rate_since(began_ns);
    if (sum == 0) bench_die("nothing was read");
    return rate;
}

static double parse_with_liblo(const set_stream *stream)
{
    const uint64_t began_ns = bench_now_ns();
    for (size_t i = 0; i < stream->count; i++) {
        int status = 0;
        lo_message message =
            lo_message_deserialise((void *)stream->events[i].payload, stream->events[i].length, &status);
        if (message == NULL) bench_die("liblo refuses a packet: %d", status);
        lo_message_free(message);
    }
    return rate_since(began_ns);
}
