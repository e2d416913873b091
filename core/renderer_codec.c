/*
 * The renderer's state as bytes: a header, then every number in the order of the functions below, little-endian, floats
 * by their bits. One walk for both directions, so that they cannot differ.
 *
 *   u32 "SLAU" · u32 version · u32 rate · the walk
 *
 * Lines are (u32 zeros · u32 count · count floats) again and again, until they are full.
 *
 * Reading checks what is used as a place, and that floats are finite and no larger than FLOAT_MAX. What the numbers
 * mean otherwise is not checked: the worst that they can sound like is noise.
 */
#include "core/renderer_internal.h"

#include <assert.h>

#define MAGIC 0x55414c53U
#define FLOAT_MAX 1e6F
#define LARGE UINT32_MAX

typedef struct walk {
    sl_renderer_put *put; /* NULL: reading */
    void *ctx;
    sl_reader *reader;
    bool is_bad;
} walk;

static void walk_state(walk *walk, sl_renderer *renderer);

void sl_renderer_encode(const sl_renderer *renderer, sl_renderer_put *put, void *ctx)
{
    walk walk = {.put = put, .ctx = ctx};
    uint8_t head[12];
    sl_writer writer = {.bytes = head, .capacity = sizeof head};
    sl_write_le(&writer, MAGIC, 4);
    sl_write_le(&writer, SL_RENDERER_VERSION, 4);
    sl_write_le(&writer, renderer->rate, 4);
    put(ctx, head, sizeof head);
    walk_state(&walk, (sl_renderer *)renderer); /* which writing leaves as it is */
}

sl_err sl_renderer_decode(sl_reader *reader, sl_memory memory, sl_renderer **out)
{
    *out = NULL;
    const uint64_t magic = sl_read_le(reader, 4), version = sl_read_le(reader, 4), rate = sl_read_le(reader, 4);
    if (reader->bad || magic != MAGIC) return SL_ERR_MALFORMED;
    if (version != SL_RENDERER_VERSION) return SL_ERR_VERSION;
    sl_renderer *renderer;
    sl_err err = sl_renderer_create(memory, (uint32_t)rate, &renderer);
    if (err != SL_OK) return err;
    walk walk = {.reader = reader};
    walk_state(&walk, renderer);
    if (walk.is_bad || reader->bad) {
        sl_renderer_destroy(renderer);
        return SL_ERR_MALFORMED;
    }
    *out = renderer;
    return SL_OK;
}

/* A number of `size` bytes, at most `most`. */
static uint64_t number(walk *walk, uint64_t value, size_t size, uint64_t most)
{
    uint8_t bytes[8];
    if (walk->put != NULL) {
        sl_put_le(bytes, value, size);
        walk->put(walk->ctx, bytes, size);
        return value;
    }
    value = sl_read_le(walk->reader, size);
    if (value <= most) return value;
    walk->is_bad = true;
    return 0;
}

static void u32(walk *walk, uint32_t *value, uint32_t most)
{
    *value = (uint32_t)number(walk, *value, 4, most);
}

static void u64(walk *walk, uint64_t *value)
{
    *value = number(walk, *value, 8, UINT64_MAX);
}

static void floats(walk *walk, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float value = sl_float_of_bits((uint32_t)number(walk, sl_bits_of_float(values[i]), 4, LARGE));
        if (value >= -FLOAT_MAX && value <= FLOAT_MAX)
            values[i] = value;
        else
            walk->is_bad = true;
    }
}

static void write_line(walk *walk, const float *values, size_t count)
{
    size_t at = 0;
    while (at < count) {
        const size_t first = at;
        while (at < count && sl_bits_of_float(values[at]) == 0) at++;
        const size_t from = at;
        while (at < count && sl_bits_of_float(values[at]) != 0) at++;
        number(walk, from - first, 4, LARGE);
        number(walk, at - from, 4, LARGE);
        floats(walk, (float *)values + from, at - from);
    }
}

static void line(walk *walk, float *values, size_t count)
{
    if (walk->put != NULL) {
        write_line(walk, values, count);
        return;
    }
    size_t at = 0;
    while (at < count && !walk->is_bad && !walk->reader->bad) {
        const uint64_t zeros = number(walk, 0, 4, count - at);
        memset(values + at, 0, (size_t)zeros * sizeof *values);
        at += (size_t)zeros;
        const uint64_t some = number(walk, 0, 4, count - at);
        floats(walk, values + at, (size_t)some);
        at += (size_t)some;
        if (zeros + some == 0) walk->is_bad = true;
    }
}

static void ramps(walk *walk, sl_ramp *ramps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        floats(walk, &ramps[i].value, 1);
        floats(walk, &ramps[i].next, 1);
        floats(walk, &ramps[i].target, 1);
        floats(walk, &ramps[i].step, 1);
        u32(walk, &ramps[i].left, LARGE);
    }
}

static void walk_voice(walk *walk, sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    u32(walk, &voice->is_active, 1);
    if (voice->is_active == 0) return; /* its lanes go along, but nobody reads them */
    u32(walk, &voice->is_released, 1);
    u32(walk, &voice->track, TRACKS - 1);
    u32(walk, &voice->patch, 1);
    u32(walk, &voice->instrument, SL_INSTRUMENT_COUNT - 1);
    u32(walk, &voice->drum, SL_DRUM_COUNT - 1);
    u32(walk, &voice->stage, STAGE_DONE);
    u32(walk, &voice->pitch, 127);
    u32(walk, &voice->age, LARGE);
    u32(walk, &voice->noise, LARGE);
    /* A drum counts frames there. */
    u32(walk, &voice->line_at, voice->instrument == SL_INSTRUMENT_KIT ? LARGE : renderer->string_frames - 1);
    u32(walk, &voice->line_back, renderer->string_frames - 1);
    u64(walk, &voice->id_voice);
    u64(walk, &voice->id_ordinal);
    u64(walk, &voice->order);
    u64(walk, &voice->released);
    for (uint32_t i = 0; i < PHASES; i++) u32(walk, &voice->phases[i], LARGE);
    for (uint32_t i = 0; i < PHASES; i++) u32(walk, &voice->steps[i], LARGE);
    for (uint32_t i = 0; i < WAVES; i++) u32(walk, &voice->waves[i], SL_WAVE_VERSIONS - 1);
    floats(walk, voice->wave_gains, WAVES);
    floats(walk, voice->envelopes, 4);
    floats(walk, voice->losses, 4);
    floats(walk, voice->string, 6);
    float *rest[] = {&voice->level,       &voice->open,       &voice->velocity,   &voice->loudness,
                     &voice->attack_rate, &voice->decay_loss, &voice->sweep_loss, &voice->release_loss,
                     &voice->pan_left,    &voice->pan_right};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) floats(walk, rest[i], 1);
    for (uint32_t i = 0; i < LANE_FIELDS; i++) floats(walk, &renderer->lanes.field[i][index], 1);
    if (voice->instrument == SL_INSTRUMENT_PLUCK)
        line(walk, renderer->strings + (size_t)index * renderer->string_frames, renderer->string_frames);
}

static void walk_track(walk *walk, sl_renderer *renderer, uint32_t index)
{
    sl_track *track = &renderer->tracks[index];
    u64(walk, &track->name_low);
    u64(walk, &track->name_high);
    u64(walk, &track->used);
    u32(walk, &track->is_taken, 1);
    u32(walk, &track->is_muted, 1);
    u32(walk, &track->is_soloed, 1);
    u32(walk, &track->patch, 1);
    u32(walk, &track->strip_given, LARGE);
    u32(walk, &track->effects, LARGE);
    u32(walk, &track->delay, LARGE);
    u32(walk, &track->reverb, LARGE);
    if (track->delay != LINES_NONE && track->delay >= SL_RENDERER_DELAYS) walk->is_bad = true;
    if (track->reverb != LINES_NONE && track->reverb >= SL_RENDERER_REVERBS) walk->is_bad = true;
    u32(walk, &track->quiet, LARGE);
    u32(walk, &track->is_awake, 1);
    u32(walk, &track->chorus_at, LARGE);
    u32(walk, &track->chorus_phase, LARGE);
    u32(walk, &track->has_chorus, 1);
    u32(walk, &track->moving, LARGE);
    floats(walk, &track->gain, 1);
    floats(walk, &track->pan, 1);
    floats(walk, &track->rest_left, 1);
    floats(walk, &track->rest_right, 1);
    ramps(walk, &track->left, 1);
    ramps(walk, &track->right, 1);
    ramps(walk, &track->width, 1);
    ramps(walk, track->strip, SL_STRIP_COUNT);
    ramps(walk, track->on, SL_EFFECT_KIND_COUNT);
    for (uint32_t i = 0; i < 2; i++) {
        u32(walk, &track->patches[i].instrument, SL_INSTRUMENT_COUNT - 1);
        u32(walk, &track->patches[i].given, LARGE);
        ramps(walk, track->patches[i].params, SL_PARAM_COUNT);
    }
    floats(walk, track->filter.now, 3);
    floats(walk, track->filter.next, 3);
    floats(walk, track->filter.mix, 3);
    floats(walk, track->filter.states, 4);
    if (track->has_chorus != 0) line(walk, renderer->chorus + (size_t)index * CHORUS_FRAMES, CHORUS_FRAMES);
}

static void walk_delay(walk *walk, sl_renderer *renderer, sl_delay *delay)
{
    const uint32_t last = renderer->delay_frames - 1;
    u32(walk, &delay->is_taken, 1);
    if (delay->is_taken == 0) return;
    u32(walk, &delay->is_clear, 1);
    u32(walk, &delay->at, last);
    u32(walk, &delay->back, last);
    u32(walk, &delay->back_next, last);
    u32(walk, &delay->fade, LARGE);
    u32(walk, &delay->leaving, renderer->leave_frames + 1);
    floats(walk, delay->states, 2);
    for (uint32_t i = 0; i < 2; i++) line(walk, delay->lines[i], renderer->delay_frames);
}

static void walk_reverb(walk *walk, sl_renderer *renderer, sl_reverb *reverb)
{
    u32(walk, &reverb->is_taken, 1);
    if (reverb->is_taken == 0) return;
    u32(walk, &reverb->is_clear, 1);
    for (uint32_t i = 0; i < LINES + DIFFUSERS; i++) u32(walk, &reverb->at[i], renderer->reverb_lengths[i] - 1);
    u32(walk, &reverb->phase, LARGE);
    u32(walk, &reverb->leaving, renderer->leave_frames + 1);
    floats(walk, reverb->damped, LINES);
    line(walk, reverb->memory, renderer->reverb_frames);
}

/* Two tracks with one line, a line that nobody has taken: that cannot be. */
static bool is_pool_right(const sl_renderer *renderer)
{
    uint32_t delays = 0, reverbs = 0, taken = 0, taken_reverbs = 0;
    for (uint32_t i = 0; i < TRACKS; i++) {
        const sl_track *track = &renderer->tracks[i];
        if (track->delay != LINES_NONE && renderer->delays[track->delay].is_taken == 0) return false;
        if (track->reverb != LINES_NONE && renderer->reverbs[track->reverb].is_taken == 0) return false;
        delays += track->delay != LINES_NONE;
        reverbs += track->reverb != LINES_NONE;
    }
    for (uint32_t i = 0; i < SL_RENDERER_DELAYS; i++) taken += renderer->delays[i].is_taken;
    for (uint32_t i = 0; i < SL_RENDERER_REVERBS; i++) taken_reverbs += renderer->reverbs[i].is_taken;
    return delays == taken && reverbs == taken_reverbs;
}

static void walk_state(walk *walk, sl_renderer *renderer)
{
    u64(walk, &renderer->frame);
    u64(walk, &renderer->order);
    uint64_t bpm;
    memcpy(&bpm, &renderer->bpm, sizeof bpm);
    u64(walk, &bpm);
    memcpy(&renderer->bpm, &bpm, sizeof bpm);
    if (!(renderer->bpm >= 1 && renderer->bpm <= 1000)) walk->is_bad = true;
    floats(walk, &renderer->peak, 1);
    ramps(walk, &renderer->volume, 1);
    floats(walk, renderer->defaults, SL_PARAMETER_COUNT);
    for (uint32_t i = 0; i < VOICES && !walk->is_bad; i++) walk_voice(walk, renderer, i);
    for (uint32_t i = 0; i < TRACKS && !walk->is_bad; i++) walk_track(walk, renderer, i);
    for (uint32_t i = 0; i < SL_RENDERER_DELAYS && !walk->is_bad; i++) walk_delay(walk, renderer, &renderer->delays[i]);
    for (uint32_t i = 0; i < SL_RENDERER_REVERBS && !walk->is_bad; i++)
        walk_reverb(walk, renderer, &renderer->reverbs[i]);
    if (walk->put == NULL && !walk->is_bad && !is_pool_right(renderer)) walk->is_bad = true;
}
