/*
 * The renderer: 32 voices at 48 kHz on one core, of each instrument and mixed with effects, in seconds of sound a
 * second; what a voice costs; and whether a tail that dies away costs more than the sound did (denormals would).
 */
#include "tests/bench/bench.h"

#include "core/heap.h"
#include "core/renderer.h"

#include <time.h>

enum { RATE = 48000, BLOCK = 512, BLOCKS = 470 /* five seconds */, TRACKS_USED = 4 };

typedef struct load {
    const char *name;
    sl_instrument instruments[TRACKS_USED];
    bool has_effects;
} load;

static const load loads[] = {
    {"bass", {SL_INSTRUMENT_BASS, SL_INSTRUMENT_BASS, SL_INSTRUMENT_BASS, SL_INSTRUMENT_BASS}, false},
    {"lead", {SL_INSTRUMENT_LEAD, SL_INSTRUMENT_LEAD, SL_INSTRUMENT_LEAD, SL_INSTRUMENT_LEAD}, false},
    {"pad", {SL_INSTRUMENT_PAD, SL_INSTRUMENT_PAD, SL_INSTRUMENT_PAD, SL_INSTRUMENT_PAD}, false},
    {"keys", {SL_INSTRUMENT_KEYS, SL_INSTRUMENT_KEYS, SL_INSTRUMENT_KEYS, SL_INSTRUMENT_KEYS}, false},
    {"pluck", {SL_INSTRUMENT_PLUCK, SL_INSTRUMENT_PLUCK, SL_INSTRUMENT_PLUCK, SL_INSTRUMENT_PLUCK}, false},
    {"mixed", {SL_INSTRUMENT_BASS, SL_INSTRUMENT_LEAD, SL_INSTRUMENT_PAD, SL_INSTRUMENT_KEYS}, false},
    {"mixed, delays and reverbs",
     {SL_INSTRUMENT_BASS, SL_INSTRUMENT_LEAD, SL_INSTRUMENT_PAD, SL_INSTRUMENT_KEYS},
     true},
};
enum { LOAD_COUNT = sizeof loads / sizeof loads[0] };

static double now_s(void);
static sl_renderer *prepare(const load *load);
static double render_s(sl_renderer *renderer, unsigned blocks);

void bench_render(bench *bench)
{
    bench_series speeds[LOAD_COUNT] = {0}, costs[LOAD_COUNT] = {0}, sound = {0}, tail = {0};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        for (size_t i = 0; i < LOAD_COUNT; i++) {
            sl_renderer *renderer = prepare(&loads[i]);
            const double spent_s = render_s(renderer, BLOCKS), frames = (double)(BLOCKS * BLOCK);
            bench_add(&speeds[i], frames / (double)RATE / spent_s);
            bench_add(&costs[i], spent_s * 1e9 / (frames * (double)SL_RENDERER_VOICES));
            sl_renderer_destroy(renderer);
        }
        sl_renderer *renderer = prepare(&loads[LOAD_COUNT - 1]);
        bench_add(&sound, render_s(renderer, BLOCKS) * 1e3);
        for (uint64_t i = 0; i < SL_RENDERER_VOICES; i++) sl_renderer_end(renderer, (sl_renderer_note){0, i});
        double slowest_s = 0;
        for (unsigned i = 0; i < 12 && !sl_renderer_is_silent(renderer); i++) {
            const double spent_s = render_s(renderer, BLOCKS);
            slowest_s = spent_s > slowest_s ? spent_s : slowest_s;
        }
        bench_add(&tail, slowest_s * 1e3);
        sl_renderer_destroy(renderer);
    }
    for (size_t i = 0; i < LOAD_COUNT; i++) {
        bench_report(bench, &(bench_figure){loads[i].name, "x real time", &speeds[i], NULL, NULL,
                                            i + 2 == LOAD_COUNT ? BENCH_LIMIT_VALUE_MIN : BENCH_LIMIT_NONE, 100});
        bench_report(bench, &(bench_figure){"  a voice", "ns/frame", &costs[i], NULL, NULL, BENCH_LIMIT_NONE, 0});
    }
    bench_report(bench, &(bench_figure){"slowest five seconds of its tail", "ms", &tail, "the sound", &sound,
                                        BENCH_LIMIT_RATIO_MAX, 1});
}

/* What this thread has spent, whoever else runs. */
static double now_s(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) bench_die("there is no clock of the CPU's time");
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Voices that are held and do not end. */
static sl_renderer *prepare(const load *load)
{
    static const char params[] = "{\"sustain\":1,\"decay\":20}";
    sl_renderer *renderer;
    if (sl_renderer_create(sl_heap_memory(), RATE, &renderer) != SL_OK) bench_die("no memory for a renderer");
    for (uint32_t i = 0; i < TRACKS_USED; i++) {
        const char name = (char)('a' + (char)i);
        const sl_renderer_effect effects[] = {{"reverb", 6, "", 0}, {"delay", 5, "", 0}};
        uint32_t track;
        if (sl_renderer_track(renderer, &name, 1, &track) != SL_OK) bench_die("no track");
        sl_renderer_set_instrument(renderer, track, load->instruments[i], params, sizeof params - 1);
        if (load->has_effects) sl_renderer_set_effects(renderer, track, &effects[i % 2], 1);
        for (uint32_t voice = 0; voice < SL_RENDERER_VOICES / TRACKS_USED; voice++) {
            const sl_renderer_note note = {0, i * (SL_RENDERER_VOICES / TRACKS_USED) + voice};
            sl_renderer_start(renderer, track, note, (uint8_t)(40 + 4 * voice), 100);
        }
    }
    return renderer;
}

static double render_s(sl_renderer *renderer, unsigned blocks)
{
    static float samples[2 * BLOCK];
    const double began_s = now_s();
    for (unsigned i = 0; i < blocks; i++) sl_renderer_render(renderer, samples, BLOCK);
    return now_s() - began_s;
}
