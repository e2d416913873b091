/* A schedule's notes through a renderer. */
#include "core/playback.h"

#include "core/audio_math.h"

#include <assert.h>
#include <string.h>

#define MAGIC 0x504c4c53U

enum { TEMPO_FRAMES = 512, NAME_BYTES_MAX = SL_SCORE_NAME_BYTES_MAX + 1 };

struct sl_playback {
    sl_memory memory;
    sl_renderer *renderer;
    uint64_t begin;  /* the log's frame at which the renderer began */
    uint64_t panics; /* of the schedule that were obeyed */
    /* A version of a track is looked at once: by voice number, what was last set on each of the renderer's tracks. */
    uint64_t versions[SL_RENDERER_TRACKS];
    sl_digest names[SL_RENDERER_TRACKS]; /* who has it, as sl_playback_name says */
    sl_digest mixed[SL_RENDERER_TRACKS]; /* the plain name, by which the mixer knows it */
    sl_mixer mixer;
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
    sl_mixer_begin(&playback->mixer);
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

/* A lane's name has a byte before it that no other's has. */
static size_t write_name(char out[NAME_BYTES_MAX], const char *name, size_t length, bool is_lane)
{
    const size_t own = length < NAME_BYTES_MAX - 1 ? length : NAME_BYTES_MAX - 1;
    out[0] = '\0';
    memcpy(out + (is_lane ? 1 : 0), name, own);
    return own + (is_lane ? 1 : 0);
}

sl_digest sl_playback_name(const char *name, size_t length, bool is_lane)
{
    char own[NAME_BYTES_MAX];
    return sl_digest_bytes(own, write_name(own, name, length, is_lane));
}

sl_digest sl_playback_track_name(const sl_playback *playback, uint32_t index)
{
    assert(index < SL_RENDERER_TRACKS);
    return playback->names[index];
}

static void mix_track(sl_playback *playback, uint32_t index)
{
    const sl_renderer_mix mix = sl_mixer_find(&playback->mixer, playback->mixed[index]);
    sl_renderer_set_mix(playback->renderer, index, &mix);
}

/* The renderer's track of who plays; one that somebody else had until now is new. */
static sl_err find_track(sl_playback *playback, const sl_sound *sound, uint32_t *index)
{
    char name[NAME_BYTES_MAX];
    const size_t length = write_name(name, sound->track, sound->track_length, sound->is_lane);
    const sl_err err = sl_renderer_track(playback->renderer, name, length, index);
    if (err != SL_OK) return err;
    const sl_digest digest = sl_digest_bytes(name, length);
    if (sl_digest_equal(playback->names[*index], digest)) return SL_OK;
    playback->names[*index] = digest;
    playback->mixed[*index] = sl_digest_bytes(sound->track, sound->track_length);
    playback->versions[*index] = UINT64_MAX;
    mix_track(playback, *index);
    return SL_OK;
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
    if (find_track(playback, sound, &index) != SL_OK) return true;
    if (playback->versions[index] != sound->id.voice) {
        const sl_code_track *track = sl_schedule_track_of(window->schedule, sound->id.voice);
        if (track != NULL) set_track(renderer, index, track, sound->channel);
        playback->versions[index] = sound->id.voice;
    }
    sl_renderer_start(renderer, index, note, sound->pitch, sound->velocity);
    return true;
}

void sl_playback_set_mixer(sl_playback *playback, const sl_mixer *mixer)
{
    playback->mixer = *mixer;
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++)
        if (playback->names[i].low != 0 || playback->names[i].high != 0) mix_track(playback, i);
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++) {
        const float value = mixer->parameters[i], present = sl_renderer_parameter(playback->renderer, i);
        if (sl_bits_of_float(value) != sl_bits_of_float(present))
            sl_renderer_set_parameter(playback->renderer, i, (double)value);
    }
}

/* The parameters stand in the renderer. */
static void encode_mixer(const sl_mixer *mixer, sl_renderer_put *put, void *ctx)
{
    uint8_t bytes[32];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, mixer->count, 4);
    put(ctx, bytes, writer.length);
    for (uint32_t i = 0; i < mixer->count; i++) {
        const sl_mixer_track *track = &mixer->tracks[i];
        writer.length = 0;
        sl_write_le(&writer, track->name.low, 8);
        sl_write_le(&writer, track->name.high, 8);
        sl_write_le(&writer, sl_bits_of_float(track->mix.gain), 4);
        sl_write_le(&writer, sl_bits_of_float(track->mix.pan), 4);
        sl_write_le(&writer, (track->mix.is_muted ? 1 : 0) | (track->mix.is_soloed ? 2 : 0), 1);
        put(ctx, bytes, writer.length);
    }
}

static sl_err decode_mixer(sl_reader *reader, sl_mixer *mixer)
{
    sl_mixer_begin(mixer);
    const uint64_t count = sl_read_le(reader, 4);
    if (reader->bad || count > SL_MIXER_TRACKS_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        sl_mixer_track *track = &mixer->tracks[i];
        track->name.low = sl_read_le(reader, 8);
        track->name.high = sl_read_le(reader, 8);
        track->mix.gain = sl_clamp(sl_float_of_bits((uint32_t)sl_read_le(reader, 4)), 0, 4);
        track->mix.pan = sl_clamp(sl_float_of_bits((uint32_t)sl_read_le(reader, 4)), -1, 1);
        const uint64_t flags = sl_read_le(reader, 1);
        track->mix.is_muted = (flags & 1) != 0;
        track->mix.is_soloed = (flags & 2) != 0;
        mixer->has_solo = mixer->has_solo || track->mix.is_soloed;
    }
    mixer->count = (uint32_t)count;
    return reader->bad ? SL_ERR_MALFORMED : SL_OK;
}

void sl_playback_encode(const sl_playback *playback, sl_renderer_put *put, void *ctx)
{
    uint8_t bytes[24 + 40 * SL_RENDERER_TRACKS];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, MAGIC, 4);
    sl_write_le(&writer, SL_PLAYBACK_VERSION, 4);
    sl_write_le(&writer, playback->begin, 8);
    sl_write_le(&writer, playback->panics, 8);
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++) {
        sl_write_le(&writer, playback->versions[i], 8);
        sl_write_le(&writer, playback->names[i].low, 8);
        sl_write_le(&writer, playback->names[i].high, 8);
        sl_write_le(&writer, playback->mixed[i].low, 8);
        sl_write_le(&writer, playback->mixed[i].high, 8);
    }
    assert(!writer.bad);
    put(ctx, bytes, writer.length);
    encode_mixer(&playback->mixer, put, ctx);
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
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++) {
        playback->versions[i] = sl_read_le(reader, 8);
        playback->names[i].low = sl_read_le(reader, 8);
        playback->names[i].high = sl_read_le(reader, 8);
        playback->mixed[i].low = sl_read_le(reader, 8);
        playback->mixed[i].high = sl_read_le(reader, 8);
    }
    sl_err err = decode_mixer(reader, &playback->mixer);
    if (err == SL_OK) err = sl_renderer_decode(reader, memory, &playback->renderer);
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT && err == SL_OK; i++)
        playback->mixer.parameters[i] = sl_renderer_parameter(playback->renderer, i);
    if (err != SL_OK) {
        memory.resize(memory.ctx, playback, sizeof *playback, 0);
        return err;
    }
    *out = playback;
    return SL_OK;
}
