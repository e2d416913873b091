/* A schedule's notes through a renderer. */
#include "core/playback.h"

#include "core/audio_math.h"
#include "core/schedule_internal.h"

#include <assert.h>

#define MAGIC 0x504c4c53U

enum { TEMPO_FRAMES = 512 };

struct sl_playback {
    sl_memory memory;
    sl_renderer *renderer;
    uint64_t begin;  /* the log's frame at which the renderer began */
    uint64_t panics; /* of the schedule that were obeyed */
    /* A version of a track is looked at once: by voice number, what was last set on each of the renderer's tracks. */
    uint64_t versions[SL_RENDERER_TRACKS];
};

/* One call of sl_playback_render. */
typedef struct window {
    sl_playback *playback;
    const sl_schedule *schedule;
    float *out;
} window;

static bool play(void *ctx, const sl_sound *sound);
static void render_to(window *window, uint64_t frame);

sl_err sl_playback_create(sl_memory memory, uint32_t rate, uint64_t frame, sl_playback **out)
{
    *out = NULL;
    sl_playback *playback = memory.resize(memory.ctx, NULL, 0, sizeof *playback);
    if (playback == NULL) return SL_ERR_MEMORY;
    *playback = (sl_playback){.memory = memory, .begin = frame};
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++) playback->versions[i] = UINT64_MAX;
    const sl_err err = sl_renderer_create(memory, rate, &playback->renderer);
    if (err != SL_OK) {
        memory.resize(memory.ctx, playback, sizeof *playback, 0);
        return err;
    }
    *out = playback;
    return SL_OK;
}

void sl_playback_destroy(sl_playback *playback)
{
    if (playback == NULL) return;
    sl_renderer_destroy(playback->renderer);
    playback->memory.resize(playback->memory.ctx, playback, sizeof *playback, 0);
}

uint64_t sl_playback_frame(const sl_playback *playback)
{
    return playback->begin + sl_renderer_frame(playback->renderer);
}

sl_renderer *sl_playback_renderer(sl_playback *playback)
{
    return playback->renderer;
}

void sl_playback_render(sl_playback *playback, const sl_schedule *schedule, float *left_right, size_t frames)
{
    window window = {.playback = playback, .schedule = schedule, .out = left_right};
    const uint64_t from = sl_playback_frame(playback), to = from + frames;
    if (sl_schedule_panics(schedule) != playback->panics) {
        playback->panics = sl_schedule_panics(schedule);
        sl_renderer_panic(playback->renderer);
    }
    sl_schedule_notes(schedule, from, to, play, &window);
    render_to(&window, to);
}

/* The tempo is looked at every TEMPO_FRAMES, wherever calls begin. */
static void render_to(window *window, uint64_t frame)
{
    sl_renderer *renderer = window->playback->renderer;
    uint64_t now = sl_playback_frame(window->playback);
    while (now < frame) {
        const uint64_t rest = TEMPO_FRAMES - now % TEMPO_FRAMES;
        if (rest == TEMPO_FRAMES) sl_renderer_set_tempo(renderer, sl_schedule_position(window->schedule, now).bpm);
        const uint64_t some = frame - now < rest ? frame - now : rest;
        sl_renderer_render(renderer, window->out, (size_t)some);
        window->out += 2 * some;
        now += some;
    }
}

/* Voices stand by number. */
static const sl_code_track *find_track(const sl_schedule *schedule, uint64_t number)
{
    const sl_view *view = &schedule->now;
    uint32_t low = 0, high = view->voice_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (view->voices[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < view->voice_count && view->voices[low].number == number ? view->voices[low].track : NULL;
}

static void set_effects(sl_renderer *renderer, uint32_t index, const sl_code_track *track)
{
    sl_renderer_effect effects[SL_SCORE_EFFECTS_MAX];
    sl_reader reader = {.bytes = track->effects, .length = track->effects_length};
    uint32_t count = 0;
    while (count < track->effect_count && count < SL_SCORE_EFFECTS_MAX) {
        sl_renderer_effect *effect = &effects[count];
        effect->name = sl_read_text(&reader, &effect->name_length);
        effect->params = sl_read_text(&reader, &effect->params_length);
        if (reader.bad) break;
        count++;
    }
    sl_renderer_set_effects(renderer, index, effects, count);
}

static void set_track(sl_renderer *renderer, uint32_t index, const sl_code_track *track, uint8_t channel)
{
    sl_instrument instrument;
    const bool is_named = track->instrument_length > 0;
    if (is_named)
        (void)sl_instrument_by_name(track->instrument, track->instrument_length, &instrument);
    else
        instrument = sl_instrument_by_track(track->name, track->name_length, track->channel == 0 ? 0 : channel);
    sl_renderer_set_instrument(renderer, index, instrument, track->params, track->params_length);
    const bool is_gm = is_named ? sl_instrument_is_gm(track->instrument, track->instrument_length)
                                : track->channel == 10; /* drums of MIDI; the groove box's lanes are there */
    if (is_gm) sl_renderer_set_gm(renderer, index);
    set_effects(renderer, index, track);
}

static bool play(void *ctx, const sl_sound *sound)
{
    window *window = ctx;
    sl_playback *playback = window->playback;
    sl_renderer *renderer = playback->renderer;
    const sl_renderer_note note = {.voice = sound->id.voice, .ordinal = sound->id.ordinal};
    render_to(window, sound->frame);
    if (!sound->is_start) {
        sl_renderer_end(renderer, note);
        return true;
    }
    uint32_t index;
    if (sl_renderer_track(renderer, sound->track, sound->track_length, &index) != SL_OK) return true;
    if (playback->versions[index] != sound->id.voice) {
        const sl_code_track *track = find_track(window->schedule, sound->id.voice);
        if (track != NULL) set_track(renderer, index, track, sound->channel);
        playback->versions[index] = sound->id.voice;
    }
    sl_renderer_start(renderer, index, note, sound->pitch, sound->velocity);
    return true;
}

sl_err sl_playback_set_mix(sl_playback *playback, const sl_playback_mix *tracks, size_t count)
{
    sl_err result = SL_OK;
    for (size_t i = 0; i < count; i++) {
        uint32_t index;
        const sl_err err = sl_renderer_track(playback->renderer, tracks[i].name, tracks[i].name_length, &index);
        if (err == SL_OK)
            sl_renderer_set_mix(playback->renderer, index, &tracks[i].mix);
        else
            result = err;
    }
    return result;
}

float sl_playback_gain_of_volume(double volume)
{
    if (!(volume > 0)) return 0;
    const double db = volume >= 0.4 ? (volume < 1 ? volume - 0.85 : 0.15) * 40 : -18 - (0.4 - volume) * 130;
    const float gain = sl_gain_of_db((float)db);
    return volume < 0.02 ? gain * (float)(volume / 0.02) : gain;
}

void sl_playback_encode(const sl_playback *playback, sl_renderer_put *put, void *ctx)
{
    uint8_t bytes[24 + 8 * SL_RENDERER_TRACKS];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, MAGIC, 4);
    sl_write_le(&writer, SL_PLAYBACK_VERSION, 4);
    sl_write_le(&writer, playback->begin, 8);
    sl_write_le(&writer, playback->panics, 8);
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++) sl_write_le(&writer, playback->versions[i], 8);
    assert(!writer.bad);
    put(ctx, bytes, writer.length);
    sl_renderer_encode(playback->renderer, put, ctx);
}

sl_err sl_playback_decode(sl_reader *reader, sl_memory memory, sl_playback **out)
{
    *out = NULL;
    const uint64_t magic = sl_read_le(reader, 4), version = sl_read_le(reader, 4);
    if (reader->bad || magic != MAGIC) return SL_ERR_MALFORMED;
    if (version != SL_PLAYBACK_VERSION) return SL_ERR_VERSION;
    sl_playback *playback = memory.resize(memory.ctx, NULL, 0, sizeof *playback);
    if (playback == NULL) return SL_ERR_MEMORY;
    *playback = (sl_playback){.memory = memory};
    playback->begin = sl_read_le(reader, 8);
    playback->panics = sl_read_le(reader, 8);
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++) playback->versions[i] = sl_read_le(reader, 8);
    const sl_err err = sl_renderer_decode(reader, memory, &playback->renderer);
    if (err != SL_OK) {
        memory.resize(memory.ctx, playback, sizeof *playback, 0);
        return err;
    }
    *out = playback;
    return SL_OK;
}
