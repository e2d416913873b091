/*
 * The sound of a real serve, on JACK's dummy server: what it misses beside a bare PortAudio sine on the same server in
 * the same minutes, while four processes keep all cores busy; how long its callback takes; from a parameter over the
 * WebSocket to the first frame at JACK's port that is another one; from input to output through a processor; what its
 * process takes; and how quickly the same log is rendered.
 *
 * A round has 20 s beside the busy processes, or, with $SYMLOG_SOAK, ten minutes. Each part has a server and a serve of
 * its own, so the times that a callback took are of that part alone. JACK tells all its clients of each xrun, whoever
 * was late: the sine's misses are the callbacks that were told, and so is what is flagged here.
 */
#include "tests/bench/bench.h"

#include "tests/bench/process_cost.h"
#include "tests/bench/sounding.h"
#include "tests/bench/websocket.h"
#include "tools/symlog/sound_thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = 3,
    BLOCK = 256,
    SHORT_BLOCK = 64,
    BUSY = 4,
    BESIDE_S = 20,
    SOAK_S = 600,
    ALONE_S = 10,
    WARM_UP_S = 2,
    CHANGES = 200,
    IMPULSES = 20,
    PATIENCE_MS = 20000
};

static const char set_code[] =
    "Session.create().tempo(126)\n"
    "  .track('drums', t => t.instrument('kit').effect('drive', {amount: 0.3})\n"
    "    .clip(Drums.kick().hat().snare().hat().loop(4)))\n"
    "  .track('bass', t => t.instrument('bass')\n"
    "    .clip(Clip.melody().note('C2', '8n').staccato().note('G2', '8n').note('Eb2', '4n').loop(4)))\n"
    "  .track('pad', t => t.instrument('pad').effect('chorus').effect('reverb', {decay: 3})\n"
    "    .clip(Clip.keys().chord('Cm7', 4, '1n').chord('Fm7', 4, '1n')))\n"
    "  .track('lead', t => t.instrument('lead').effect('delay', {beats: 0.75}).effect('reverb')\n"
    "    .clip(Clip.melody().arpeggio(['C4', 'Eb4', 'G4', 'Bb4'], '16n').loop(3)))\n";

static const char steady_code[] =
    "track('tone', t => t.instrument('lead', {detune: 0, vibrato: 0, sub: 0, drive: 0, width: 0, envelope: 0, "
    "sustain: 1, attack: 0.001}).clip(Clip.melody().note('C6', 4000)))";

/* What a status counts. */
typedef struct counts {
    double underruns;
    double callbacks;
    double flagged;
} counts;

/* Of one block size, or one circumstance. */
typedef struct times {
    bench_series p50, p99, p999;
} times;

typedef struct beside {
    bench_series underruns, misses, beyond, flagged, sine_flagged;
    times times;
} beside;

typedef struct figures {
    times alone;
    bench_series cpu, cpu_stopped, rss, pss, anon, speed;
    beside usual, small;
    bench_series change_p50, change_p99, jitter, lead, late, input_frames, input_ms;
} figures;

static void measure_alone(const bench *bench, figures *figures);
static void measure_beside(const bench *bench, unsigned block, unsigned seconds, beside *figures);
static void measure_changes(const bench *bench, figures *figures);
static void measure_input(const bench *bench, figures *figures);
static void report(bench *bench, const figures *figures);

void bench_sound(bench *bench)
{
    static figures figures;
    peer_process card;
    if (bench->program == NULL || bench->evaluator == NULL || bench->bare_sine == NULL) {
        bench_note(bench, "left out: it wants --program, --evaluator and --bare-sine");
        return;
    }
    if (!sound_card_open(&card, BLOCK)) {
        bench_note(bench, "left out: jackd is missing, or does not start");
        return;
    }
    sound_card_close(&card);
    if (setenv("SYMLOG_EVAL", bench->evaluator, 1) != 0) bench_die("sound: no environment");
    const unsigned seconds = getenv("SYMLOG_SOAK") != NULL ? SOAK_S : BESIDE_S;
    for (int round = 0; round < ROUNDS; round++) {
        measure_alone(bench, &figures);
        measure_beside(bench, BLOCK, seconds, &figures.usual);
        measure_beside(bench, SHORT_BLOCK, BESIDE_S, &figures.small);
        measure_changes(bench, &figures);
        measure_input(bench, &figures);
    }
    bench_note(bench, "%d rounds; %u s beside %d busy processes at %d frames, %d s at %d", ROUNDS, seconds, BUSY, BLOCK,
               BESIDE_S, SHORT_BLOCK);
    report(bench, &figures);
}

static void wait_s(unsigned seconds)
{
    bench_wait_until(bench_now_ns() + seconds * UINT64_C(1000000000));
}

static counts read_counts(const sounding *sounding)
{
    json_t *status = sounding_status(sounding);
    const counts counts = {.underruns = sounding_number(status, "counts", "underruns"),
                           .callbacks = sounding_number(status, "counts", "callbacks"),
                           .flagged = sounding_number(status, "counts", "flagged")};
    json_decref(status);
    return counts;
}

/* As shares of the period. */
static void add_times(const sounding *sounding, times *times)
{
    const double period_us = 1e6 * sounding->block / (double)SOUND_CARD_RATE;
    json_t *status = sounding_status(sounding);
    bench_add(&times->p50, 100 * sounding_number(status, "callback_us", "p50") / period_us);
    bench_add(&times->p99, 100 * sounding_number(status, "callback_us", "p99") / period_us);
    bench_add(&times->p999, 100 * sounding_number(status, "callback_us", "p999") / period_us);
    json_decref(status);
}

/* The share of a core in these seconds. */
static double measure_cpu(pid_t pid, unsigned seconds)
{
    const uint64_t begun_ns = bench_now_ns(), begun_cpu_ns = process_cost_cpu_ns(pid);
    wait_s(seconds);
    return 100.0 * (double)(process_cost_cpu_ns(pid) - begun_cpu_ns) / (double)(bench_now_ns() - begun_ns);
}

/* Renders all that its log has: how many times as quick as real time. */
static double measure_render(const sounding *sounding)
{
    char path[BENCH_DIR_BYTES + 16], line[512] = "";
    const char *dir = serving_dir(sounding->serving);
    snprintf(path, sizeof path, "%s/all.f32", dir);
    const char *const argv[] = {sounding->bench->program, "render", path, "--db", dir, NULL};
    peer_process render;
    const uint64_t begun_ns = bench_now_ns();
    peer_process_start(&render, argv, true);
    const char *said = fgets(line, sizeof line, render.from);
    const char *colon = said != NULL ? strstr(said, ".f32: ") : NULL;
    if (peer_process_end(&render, 0) != 0 || colon == NULL) bench_die("sound: symlog render failed: %s", line);
    return strtod(colon + strlen(".f32: "), NULL) * 1e9 / (double)(bench_now_ns() - begun_ns);
}

static void measure_alone(const bench *bench, figures *figures)
{
    sounding sounding;
    sounding_play(&sounding, bench, BLOCK, set_code);
    const pid_t sound = process_cost_find(serving_pid(sounding.serving), "sound");
    bench_add(&figures->cpu, measure_cpu(sound, ALONE_S));
    const process_memory memory = process_cost_memory(sound);
    bench_add(&figures->rss, (double)memory.rss_bytes / 1e6);
    bench_add(&figures->pss, (double)memory.pss_bytes / 1e6);
    bench_add(&figures->anon, (double)memory.anon_bytes / 1e6);
    add_times(&sounding, &figures->alone);
    json_decref(sounding_ask(&sounding, "stop", json_pack("{s:s}", "quantize", "off")));
    wait_s(ALONE_S); /* tails die away */
    bench_add(&figures->cpu_stopped, measure_cpu(sound, ALONE_S));
    bench_add(&figures->speed, measure_render(&sounding));
    sounding_close(&sounding);
}

/* How the sine goes. */
static counts ask_sine(peer_process *sine)
{
    char line[64] = "";
    fputc('\n', sine->to);
    fflush(sine->to);
    char *end = line;
    if (fgets(line, sizeof line, sine->from) == NULL) bench_die("sound: the bare sine has ended");
    const double callbacks = (double)strtoull(line, &end, 10);
    return (counts){.callbacks = callbacks, .flagged = (double)strtoull(end, NULL, 10)};
}

static counts less(counts a, counts b)
{
    return (counts){a.underruns - b.underruns, a.callbacks - b.callbacks, a.flagged - b.flagged};
}

static double flagged_share(counts counts)
{
    if (!(counts.callbacks > 0)) bench_die("sound: nobody asks for sound");
    return 100 * counts.flagged / counts.callbacks;
}

static void measure_beside(const bench *bench, unsigned block, unsigned seconds, beside *figures)
{
    char frames[16];
    sounding sounding;
    peer_process sine, busy[BUSY];
    static const char *const loop[] = {"sh", "-c", "while :; do :; done", NULL};
    snprintf(frames, sizeof frames, "%u", block);
    sounding_play(&sounding, bench, block, set_code);
    peer_process_start(&sine, (const char *const[]){bench->bare_sine, frames, NULL}, true);
    for (int i = 0; i < BUSY; i++) peer_process_start(&busy[i], loop, false);
    wait_s(WARM_UP_S);
    const counts begun = read_counts(&sounding), sine_begun = ask_sine(&sine);
    wait_s(seconds);
    const counts own = less(read_counts(&sounding), begun), bare = less(ask_sine(&sine), sine_begun);
    for (int i = 0; i < BUSY; i++) (void)peer_process_end(&busy[i], SIGTERM);
    add_times(&sounding, &figures->times);
    (void)peer_process_end(&sine, 0);
    sounding_close(&sounding);
    bench_add(&figures->underruns, own.underruns);
    bench_add(&figures->misses, bare.flagged);
    bench_add(&figures->beyond, own.underruns > bare.flagged ? own.underruns - bare.flagged : 0);
    bench_add(&figures->flagged, flagged_share(own));
    bench_add(&figures->sine_flagged, flagged_share(bare));
}

static void set_volume(websocket *client, int value)
{
    char text[128];
    size_t length;
    const int written = snprintf(
        text, sizeof text,
        "{\"jsonrpc\":\"2.0\",\"method\":\"setParameter\",\"params\":{\"id\":\"master.volume\",\"value\":%d}}", value);
    websocket_send(client, text, (size_t)written);
    websocket_receive(client); /* meters, and what else is told */
    while (websocket_next(client, &length) != NULL) continue;
}

/* A steady tone goes on and off; on is what counts. */
static void measure_changes(const bench *bench, figures *figures)
{
    static double values_ms[CHANGES];
    uint64_t seed = 1;
    sounding sounding;
    sounding_play(&sounding, bench, BLOCK, steady_code);
    ear *ear = ear_open();
    ear_connect(ear, 2);
    websocket *client = websocket_open_path(serving_ws_port(sounding.serving), "/?paths=scenes", 0);
    for (int i = 0; i < CHANGES; i++) {
        uint64_t heard_ns;
        set_volume(client, 0);
        ear_wait_for_silence(ear);
        bench_wait_until(bench_now_ns() + bench_random(&seed, 10000000));
        const unsigned onsets = ear_onsets(ear);
        const uint64_t sent_ns = bench_now_ns();
        set_volume(client, 1);
        if (!ear_wait_for_sound(ear, onsets, PATIENCE_MS, &heard_ns)) bench_die("sound: a parameter is not heard");
        values_ms[i] = (double)(heard_ns - sent_ns) / 1e6;
    }
    json_t *status = sounding_status(&sounding);
    bench_add(&figures->late, sounding_number(status, "counts", "late_marks"));
    json_decref(status);
    websocket_close(client);
    ear_close(ear);
    sounding_close(&sounding);
    const double p99 = bench_quantile(values_ms, CHANGES, 0.99);
    bench_add(&figures->change_p50, bench_quantile(values_ms, CHANGES, 0.5));
    bench_add(&figures->change_p99, p99);
    bench_add(&figures->jitter, p99 - bench_quantile(values_ms, CHANGES, 0.01));
    bench_add(&figures->lead, 1e3 * (double)SL_SOUND_RING_LEAD / (double)SOUND_CARD_RATE);
}

/* JACK, too, keeps one block back where an ear feeds what it hears. */
static void measure_input(const bench *bench, figures *figures)
{
    static const char *const words[] = {"--with-audio", "tools/symlog/processors/gain.c", "--block", "256", NULL};
    double values[IMPULSES];
    uint64_t frames = 0;
    sounding sounding;
    sounding_open(&sounding, bench, BLOCK, words);
    ear *ear = ear_open();
    ear_connect(ear, 4);
    bool is_heard = false;
    for (int i = 0; i < 100 && !is_heard; i++) is_heard = ear_send_impulse(ear, PATIENCE_MS / 100, &frames);
    for (int i = 0; i < IMPULSES; i++) {
        if (!is_heard || !ear_send_impulse(ear, PATIENCE_MS, &frames)) bench_die("sound: the input is not heard");
        values[i] = (double)frames;
    }
    ear_close(ear);
    sounding_close(&sounding);
    const double longest = bench_quantile(values, IMPULSES, 1);
    bench_add(&figures->input_frames, longest);
    bench_add(&figures->input_ms, 1e3 * longest / (double)SOUND_CARD_RATE);
}

static void report_times(bench *bench, const char *name, const times *times, bool is_limited)
{
    char text[128];
    const bench_limit_type type = is_limited ? BENCH_LIMIT_MEDIAN_MAX : BENCH_LIMIT_NONE;
    const struct {
        const char *name;
        const bench_series *series;
        bench_limit_type type;
    } rows[] = {
        {"p50", &times->p50, BENCH_LIMIT_NONE}, {"p99", &times->p99, BENCH_LIMIT_NONE}, {"p99.9", &times->p999, type}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "callback, %s, %s", name, rows[i].name);
        bench_report(bench, &(bench_figure){text, "% of the period", rows[i].series, NULL, NULL, rows[i].type, 5});
    }
}

static void report_beside(bench *bench, unsigned block, const beside *figures, bool is_limited)
{
    char name[128];
    const bench_limit_type type = is_limited ? BENCH_LIMIT_MEDIAN_MAX : BENCH_LIMIT_NONE;
    snprintf(name, sizeof name, "own underruns beside busy processes, %u frames", block);
    bench_report(bench, &(bench_figure){name, "", &figures->underruns, "bare sine's misses", &figures->misses,
                                        BENCH_LIMIT_NONE, 0});
    snprintf(name, sizeof name, "  beyond the sine's, %u frames", block);
    bench_report(bench, &(bench_figure){name, "", &figures->beyond, NULL, NULL, type, 0});
    snprintf(name, sizeof name, "  callbacks flagged by the device, %u frames", block);
    bench_report(bench, &(bench_figure){name, "%", &figures->flagged, "bare sine", &figures->sine_flagged, type, 1});
    snprintf(name, sizeof name, "busy, %u frames", block);
    report_times(bench, name, &figures->times, is_limited);
}

static void report(bench *bench, const figures *figures)
{
    report_beside(bench, BLOCK, &figures->usual, true);
    report_beside(bench, SHORT_BLOCK, &figures->small, false);
    report_times(bench, "alone, 256 frames", &figures->alone, true);
    static const char lead[] = "the ring's lead";
    bench_report(bench, &(bench_figure){"setParameter to the port, p50", "ms", &figures->change_p50, lead,
                                        &figures->lead, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"setParameter to the port, p99", "ms", &figures->change_p99, NULL, NULL,
                                        BENCH_LIMIT_VALUE_MAX, 50});
    bench_report(bench,
                 &(bench_figure){"  jitter: p1 to p99", "ms", &figures->jitter, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"  marks that came late", "", &figures->late, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"input to output through gain.c, frames", "frames", &figures->input_frames,
                                        NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"input to output through gain.c", "ms", &figures->input_ms, NULL, NULL,
                                        BENCH_LIMIT_VALUE_MAX, 50});
    bench_report(bench, &(bench_figure){"CPU of the sound process, playing", "% of a core", &figures->cpu, NULL, NULL,
                                        BENCH_LIMIT_MEDIAN_MAX, 10});
    bench_report(bench, &(bench_figure){"CPU of the sound process, stopped", "% of a core", &figures->cpu_stopped, NULL,
                                        NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"its memory, shared in part (PSS)", "MB", &figures->pss, NULL, NULL,
                                        BENCH_LIMIT_VALUE_MAX, 50});
    bench_report(bench,
                 &(bench_figure){"  all that it touches (RSS)", "MB", &figures->rss, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"  not in files", "MB", &figures->anon, NULL, NULL, BENCH_LIMIT_NONE, 0});
    bench_report(
        bench, &(bench_figure){"render of that log", "x real time", &figures->speed, NULL, NULL, BENCH_LIMIT_NONE, 0});
}
