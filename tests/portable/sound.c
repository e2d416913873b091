/*
 * What a log sounds like, by core alone, built for every CPU so that their outputs can be compared:
 *
 *   sound < RECORDS           (as digest.c) "second digest" of each second that the log's marks tell of, and of two
 * more sound --scene NAME [RATE] > SAMPLES five seconds of an instrument or effect (tests/unit/sound_scenes.h) as
 * little-endian float32, left and right in turn: for tests/spectrogram.py and tests/loudness.py sound --wave [RATE] a
 * bare saw of 5 kHz, for its aliases
 */
#include "core/digest.h"
#include "core/event.h"
#include "core/heap.h"
#include "core/playback.h"
#include "tests/unit/sound_scenes.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD_BYTES = 8 + SL_RECORD_HEADER_BYTES, RATE = 48000, SECONDS_AFTER = 2, SECONDS_MAX = 30 };

static int play_scene(const sound_scene *scene, uint32_t rate);
static int print_digests(void);
static int play_log(void);

/* Its note is D#8; what could hide an alias is off. */
static const sound_note wave_notes[] = {{0, 5000, 111, 100}};
static const sound_scene wave = {"wave",
                                 "lead",
                                 "{\"detune\":0,\"sub\":0,\"drive\":0,\"width\":0,\"vibrato\":0,\"cutoff\":20000,"
                                 "\"resonance\":0,\"level\":-12}",
                                 "",
                                 "",
                                 SOUND_NOTES(wave_notes)};

int main(int argc, char **argv)
{
    const uint32_t rate = argc > 1 && argc == (strcmp(argv[1], "--wave") == 0 ? 3 : 4)
                              ? (uint32_t)strtoul(argv[argc - 1], NULL, 10)
                              : RATE;
    if (argc == 1) return play_log();
    if (strcmp(argv[1], "--digests") == 0) return print_digests();
    if (strcmp(argv[1], "--wave") == 0) return play_scene(&wave, rate);
    for (size_t i = 0; i < SOUND_SCENE_COUNT && argc > 2; i++)
        if (strcmp(argv[2], sound_scenes[i].name) == 0) return play_scene(&sound_scenes[i], rate);
    fprintf(
        stderr,
        "usage: sound < RECORDS, sound --scene NAME [RATE], sound --wave [RATE], sound --digests; a NAME is one of:");
    for (size_t i = 0; i < SOUND_SCENE_COUNT; i++) fprintf(stderr, " %s", sound_scenes[i].name);
    fprintf(stderr, "\n");
    return 2;
}

static int play_scene(const sound_scene *scene, uint32_t rate)
{
    sl_renderer *renderer = NULL;
    uint32_t track = 0;
    const size_t frames = (size_t)rate * SOUND_SECONDS;
    float *samples = malloc(frames * 2 * sizeof *samples);
    sl_err err = samples == NULL ? SL_ERR_MEMORY : sl_renderer_create(sl_heap_memory(), rate, &renderer);
    if (err == SL_OK) err = sl_renderer_track(renderer, scene->name, strlen(scene->name), &track);
    if (err == SL_OK) {
        sound_set(renderer, track, scene);
        sound_render(renderer, track, scene, samples, frames, 512);
        if (fwrite(samples, 2 * sizeof *samples, frames, stdout) != frames) err = SL_ERR_IO;
    }
    if (err != SL_OK) fprintf(stderr, "sound: %s\n", sl_err_text(err));
    sl_renderer_destroy(renderer);
    free(samples);
    return err == SL_OK ? 0 : 1;
}

static void print_digest(const float *second)
{
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(sl_digest_bytes(second, (size_t)2 * RATE * sizeof *second), hex);
    printf(" %s", hex);
}

static int print_digests(void)
{
    static float second[2 * RATE];
    for (size_t i = 0; i < SOUND_SCENE_COUNT; i++) {
        sl_renderer *renderer;
        uint32_t track;
        sl_err err = sl_renderer_create(sl_heap_memory(), RATE, &renderer);
        if (err == SL_OK) err = sl_renderer_track(renderer, "a", 1, &track);
        if (err != SL_OK) return 1;
        sound_set(renderer, track, &sound_scenes[i]);
        printf("%s", sound_scenes[i].name);
        for (unsigned j = 0; j < SOUND_SECONDS; j++) {
            sound_render(renderer, track, &sound_scenes[i], second, RATE, 512);
            print_digest(second);
        }
        printf("\n");
        sl_renderer_destroy(renderer);
    }
    return 0;
}

/* Renders up to a frame, and prints what each second that is complete was. */
static void play_to(sl_playback *playback, const sl_schedule *schedule, uint64_t frame, float *second)
{
    while (sl_playback_frame(playback) < frame) {
        const uint64_t now = sl_playback_frame(playback), in = now % RATE;
        const uint64_t some = frame - now < RATE - in ? frame - now : RATE - in;
        sl_playback_render(playback, schedule, second + 2 * in, (size_t)some);
        if (in + some < RATE) continue;
        printf("%llu", (unsigned long long)(now / RATE));
        print_digest(second);
        printf("\n");
    }
}

static int play_log(void)
{
    uint8_t id[SL_LOG_ID_BYTES], head[HEAD_BYTES];
    uint8_t *payload = malloc(1 << 24);
    float *second = calloc((size_t)2 * RATE, sizeof *second);
    sl_schedule *schedule = NULL;
    sl_playback *playback = NULL;
    sl_err err = payload == NULL || second == NULL ? SL_ERR_MEMORY : SL_OK;
    if (err == SL_OK) err = sl_schedule_create(sl_heap_memory(), &schedule);
    if (err == SL_OK) err = sl_playback_create(sl_heap_memory(), RATE, 0, &playback);
    if (err == SL_OK && fread(id, 1, sizeof id, stdin) != sizeof id) err = SL_ERR_MALFORMED;
    while (err == SL_OK && fread(head, 1, HEAD_BYTES, stdin) == HEAD_BYTES) {
        sl_event event;
        const char *what;
        sl_applied mark;
        err = sl_record_decode(head + 8, SL_RECORD_HEADER_BYTES, &event);
        if (err == SL_OK && event.length > 1 << 24) err = SL_ERR_RANGE;
        if (err != SL_OK || fread(payload, 1, event.length, stdin) != event.length) break;
        event.seq = sl_get_le(head, 8);
        event.payload = payload;
        if (event.kind == SL_KIND_APPLIED && sl_applied_decode(&event, &mark) == SL_OK &&
            mark.frame < (uint64_t)SECONDS_MAX * RATE)
            play_to(playback, schedule, mark.frame, second);
        err = sl_schedule_take(schedule, &event, &what);
        if (err == SL_ERR_REFUSED || err == SL_ERR_MALFORMED) err = SL_OK;
    }
    if (err == SL_OK) play_to(playback, schedule, sl_playback_frame(playback) + (uint64_t)SECONDS_AFTER * RATE, second);
    if (err != SL_OK) fprintf(stderr, "sound: %s\n", sl_err_text(err));
    sl_playback_destroy(playback);
    sl_schedule_destroy(schedule);
    free(second);
    free(payload);
    return err == SL_OK ? 0 : 1;
}
