/* Five seconds of each instrument and effect, for tests, digests and pictures: tests/unit/test_core_renderer.c holds
 * their digests, tests/portable/sound.c writes them as samples. */
#ifndef SL_TESTS_SOUND_SCENES_H
#define SL_TESTS_SOUND_SCENES_H

#include "core/renderer.h"

#include <string.h>

enum { SOUND_SECONDS = 5 };

typedef struct sound_note {
    uint16_t at_ms;
    uint16_t length_ms;
    uint8_t pitch;
    uint8_t velocity;
} sound_note;

typedef struct sound_scene {
    const char *name;
    const char *instrument;
    const char *params;
    const char *effect; /* "": none */
    const char *effect_params;
    const sound_note *notes;
    size_t note_count;
} sound_scene;

static const sound_note sound_low[] = {{0, 200, 36, 110},    {250, 200, 36, 80},  {500, 400, 48, 120},
                                       {1000, 200, 34, 110}, {1375, 200, 41, 90}, {1500, 450, 43, 127},
                                       {2000, 1500, 31, 110}};
static const sound_note sound_melody[] = {{0, 400, 69, 100},    {500, 200, 72, 90},  {750, 200, 76, 110},
                                          {1000, 900, 81, 127}, {2000, 220, 79, 70}, {2250, 220, 76, 40},
                                          {2500, 1200, 72, 100}};
static const sound_note sound_chords[] = {{0, 1400, 57, 100},    {0, 1400, 60, 90},     {0, 1400, 64, 90},
                                          {0, 1400, 71, 100},    {1500, 1900, 53, 110}, {1500, 1900, 60, 80},
                                          {1500, 1900, 65, 100}, {1500, 1900, 69, 120}};
/* Each of the kit's sounds, then two beats of a groove. */
static const sound_note sound_drums[] = {
    {0, 50, 24, 127},    {250, 50, 26, 127},  {500, 50, 30, 110},  {625, 50, 34, 110},  {875, 50, 30, 110},
    {1000, 50, 27, 120}, {1250, 50, 36, 110}, {1500, 50, 33, 110}, {1750, 50, 31, 110}, {2000, 50, 25, 110},
    {2250, 50, 39, 110}, {2500, 50, 37, 120}, {3000, 50, 90, 110}, {3500, 50, 24, 127}, {3500, 50, 30, 100},
    {3625, 50, 30, 60},  {3750, 50, 26, 127}, {3750, 50, 30, 100}, {3875, 50, 34, 90},  {4000, 50, 24, 110},
    {4000, 50, 30, 100}, {4125, 50, 24, 90},  {4250, 50, 26, 127}, {4250, 50, 27, 90}};

#define SOUND_NOTES(list) (list), sizeof(list) / sizeof((list)[0])

static const sound_scene sound_scenes[] = {
    {"bass", "bass", "", "", "", SOUND_NOTES(sound_low)},
    {"lead", "lead", "", "", "", SOUND_NOTES(sound_melody)},
    {"pad", "pad", "", "", "", SOUND_NOTES(sound_chords)},
    {"keys", "keys", "", "", "", SOUND_NOTES(sound_chords)},
    {"pluck", "pluck", "", "", "", SOUND_NOTES(sound_melody)},
    {"kit", "kit", "", "", "", SOUND_NOTES(sound_drums)},
    {"drive", "keys", "", "drive", "{\"amount\":0.7}", SOUND_NOTES(sound_chords)},
    {"filter", "kit", "", "filter", "{\"mode\":0.5,\"cutoff\":900,\"resonance\":0.7}", SOUND_NOTES(sound_drums)},
    {"chorus", "keys", "{\"width\":0}", "chorus", "{\"mix\":0.8}", SOUND_NOTES(sound_chords)},
    {"delay", "pluck", "", "delay", "{\"beats\":0.75,\"feedback\":0.55}", SOUND_NOTES(sound_melody)},
    {"reverb", "kit", "", "reverb", "{\"mix\":0.5,\"decay\":2.5}", SOUND_NOTES(sound_drums)},
};
enum { SOUND_SCENE_COUNT = sizeof sound_scenes / sizeof sound_scenes[0] };

static inline void sound_set(sl_renderer *renderer, uint32_t track, const sound_scene *scene)
{
    sl_instrument instrument;
    (void)sl_instrument_by_name(scene->instrument, strlen(scene->instrument), &instrument);
    sl_renderer_set_instrument(renderer, track, instrument, scene->params, strlen(scene->params));
    const sl_renderer_effect effect = {scene->effect, strlen(scene->effect), scene->effect_params,
                                       strlen(scene->effect_params)};
    sl_renderer_set_effects(renderer, track, &effect, scene->effect[0] != '\0');
}

static inline uint64_t sound_frame(const sl_renderer *renderer, uint32_t ms)
{
    return (uint64_t)ms * sl_renderer_rate(renderer) / 1000;
}

/* The notes of a scene that start or end at the present frame; the next frame after it at which one does. */
static inline uint64_t sound_notes_now(sl_renderer *renderer, uint32_t track, const sound_scene *scene)
{
    const uint64_t now = sl_renderer_frame(renderer);
    uint64_t next = UINT64_MAX;
    for (unsigned is_start = 0; is_start < 2; is_start++)
        for (size_t i = 0; i < scene->note_count; i++) {
            const sound_note *note = &scene->notes[i];
            const uint32_t ms = note->at_ms + (is_start != 0 ? 0U : note->length_ms);
            const uint64_t frame = sound_frame(renderer, ms);
            const sl_renderer_note id = {.voice = track, .ordinal = i};
            if (frame == now && is_start != 0)
                sl_renderer_start(renderer, track, id, note->pitch, note->velocity);
            else if (frame == now)
                sl_renderer_end(renderer, id);
            else if (frame > now && frame < next)
                next = frame;
        }
    return next;
}

/* Renders a scene on from where it stands, `frames` of it in blocks of `block`. */
static inline void sound_render(sl_renderer *renderer, uint32_t track, const sound_scene *scene, float *out,
                                size_t frames, size_t block)
{
    const uint64_t end = sl_renderer_frame(renderer) + frames;
    uint64_t next = sound_notes_now(renderer, track, scene);
    uint64_t block_end = sl_renderer_frame(renderer) + block;
    while (sl_renderer_frame(renderer) < end) {
        const uint64_t now = sl_renderer_frame(renderer);
        if (now == next) next = sound_notes_now(renderer, track, scene);
        if (now == block_end) block_end += block;
        uint64_t to = block_end < end ? block_end : end;
        if (next < to) to = next;
        sl_renderer_render(renderer, out, (size_t)(to - now));
        out += 2 * (to - now);
    }
}

#endif
