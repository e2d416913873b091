/* `symlog render`: a log's sound as a file. */
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/pace.h"
#include "tools/symlog/performance.h"
#include "tools/symlog/progress.h"
#include "tools/symlog/sound_file.h"
#include "tools/symlog/stretch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct render {
    const char *path;
    sl_log *log;
    sl_stretch stretch;
    sl_sound_file *file;
    sl_progress progress;
    float peak;
    uint64_t frames; // Written.
    uint64_t unsure; // Of those: frames that may have sounded otherwise.
    sl_err err;
    char errmsg[256];
} render;

static int run(int argc, char **argv);
static sl_err render_all(render *render, const char *db, char errmsg[256]);
static bool hear(void *ctx, const sl_performance_block *block);
static void print_summary(const render *render, double seconds);
static double now_s(void);

const sl_command sl_command_render = {
    .name = "render",
    .summary = "write what sounded as a file, the same bytes from the same log",
    .help =
        "usage: symlog render OUT.wav [--db DIR] [--from MOMENT] [--to MOMENT]\n\n"
        "Computes the sound of live code and groove again from the log alone, and writes it as 32-bit float WAV at "
        "the\n"
        "rate that the log says. Works while serve runs, and for sets that were played without --sound.\n"
        "A MOMENT is an event's number, a time (2025-11-08T21:30, local unless a zone follows), +SECONDS since the\n"
        "log's first start, or the text of a mark (mark:TEXT if it could be taken for one of the others).\n\n"
        "  --db DIR       the log's folder\n"
        "  --from MOMENT  where the file begins; else with the first thing that played\n"
        "  --to MOMENT    where it ends; else with the log's last event. What plays then goes on up to a later time\n\n"
        "OUT.flac is 24-bit FLAC; OUT.f32 and - (standard output) are the samples alone, left and right in turn.\n"
        "A part is, sample for sample, that part of the whole. The file gets its name when it is complete.\n\n"
        "example: symlog render friday.wav --from chorus --to +300\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *db = NULL;
    const char *from = NULL;
    const char *to = NULL;
    const sl_option table[] = {
        {.name = "--db", .value = &db},
        {.name = "--from", .value = &from},
        {.name = "--to", .value = &to},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count != 1) return sl_usage_error("render", "wants one file to write, such as friday.wav");
    render render = {.path = operands.words[0]};
    if (strcmp(render.path, "-") == 0 && isatty(STDOUT_FILENO) == 1)
        return sl_usage_error("render", "- writes samples, which say nothing on a terminal; name a file, or a pipe");

    char errmsg[256];
    const double begin = now_s();
    sl_err err = sl_host_open_log(db, &render.log, errmsg);
    if (err == SL_OK) err = sl_stretch_find(&render.stretch, db, render.log, from, to, errmsg);
    if (err == SL_OK) err = render_all(&render, db, errmsg);
    if (err == SL_OK) {
        print_summary(&render, now_s() - begin);
    } else if (err != SL_ERR_END) { // Else nobody reads it any more.
        status = sl_failure("render", "%s", errmsg);
    }
    sl_stretch_clear(&render.stretch);
    sl_log_close(render.log);
    return status;
}

static sl_err render_all(render *render, const char *db, char errmsg[256])
{
    const sl_stretch *stretch = &render->stretch;
    const uint64_t frames = stretch->to_frame - stretch->from_frame;
    sl_err err = sl_sound_file_create(&render->file, render->path, stretch->rate, frames, errmsg);
    if (err != SL_OK) return err;
    sl_pace_hold_signals(); // What is half is to be removed.
    sl_sound_states *states = sl_sound_states_find(db, render->log);
    const sl_performance performance = {
        .db = db,
        .log = render->log,
        .through = stretch->last,
        .marks = &stretch->marks,
        .states = states,
        .hear = hear,
        .ctx = render,
        .from_frame = stretch->from_frame,
        .to_frame = stretch->to_frame,
    };
    render->progress = sl_progress_begin("rendering, frames:", frames, true);
    err = sl_performance_run(&performance, NULL, NULL, errmsg);
    sl_progress_end(&render->progress);
    sl_sound_states_close(states);
    if (err == SL_ERR_END) {
        err = render->err;
        snprintf(errmsg, 256, "%s", render->errmsg);
    } else if (err == SL_OK && !(render->peak > 0)) {
        snprintf(errmsg, 256, "nothing sounds there: frames %llu to %llu are silent; no file was written",
                 (unsigned long long)stretch->from_frame, (unsigned long long)stretch->to_frame);
        err = SL_ERR_NOT_FOUND;
    }
    if (err == SL_OK) return sl_sound_file_finish(render->file, errmsg);
    sl_sound_file_discard(render->file);
    return err;
}

static bool hear(void *ctx, const sl_performance_block *block)
{
    render *render = ctx;
    const size_t frames = (size_t)block->frames;
    for (size_t i = 0; i < 2 * frames; i++) {
        const float sample = fabsf(block->left_right[i]);
        if (sample > render->peak) render->peak = sample;
    }
    render->err = sl_sound_file_write(render->file, block->left_right, frames, render->errmsg);
    render->frames += frames;
    if (!block->is_exact) render->unsure += frames;
    if (render->err == SL_OK && !sl_pace_sleep(0)) {
        snprintf(render->errmsg, sizeof render->errmsg, "interrupted; no file was written");
        render->err = SL_ERR_IO;
    }
    sl_progress_show(&render->progress, render->frames - render->frames % SL_PERFORMANCE_BLOCK_FRAMES);
    return render->err == SL_OK;
}

/* "friday.wav: 12.345 s at 48000 Hz from frame 96000 on, peak -6.0 dB, 85 x real time" */
static void print_summary(const render *render, double seconds)
{
    FILE *out = strcmp(render->path, "-") == 0 ? stderr : stdout;
    const sl_stretch *stretch = &render->stretch;
    const double sound_s = (double)render->frames / stretch->rate;
    if (render->unsure > 0) {
        fprintf(stderr,
                "symlog render: how %.3f s of it sounded cannot be known (what came before was pruned or lost); they "
                "begin from silence\n",
                (double)render->unsure / stretch->rate);
    }
    fprintf(out, "%s: %.3f s at %u Hz from frame %llu on, peak %.1f dB, %.0f x real time\n", render->path, sound_s,
            (unsigned)stretch->rate, (unsigned long long)stretch->from_frame, 20 * log10((double)render->peak),
            sound_s / (seconds > 0 ? seconds : 1));
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
