/* The renderer's creation, tracks and settings. */
#include "core/renderer_internal.h"

#include "core/digest.h"

#include <assert.h>

#define RAMP_S 0.005F
#define FADE_S 0.01F
#define LEAVE_S 0.08F /* notes that a panic ended, and the chorus behind them, are exact silence by then */
#define GAIN_MAX 4.0F

static void settle(sl_renderer *renderer);
static void set_defaults(sl_renderer *renderer);
static void clear_track(sl_renderer *renderer, sl_track *track);
static void set_patch(const sl_renderer *renderer, sl_track *track, sl_patch *patch, const float *values, bool is_new);
static void mix_tracks(sl_renderer *renderer);
static void set_strip(sl_renderer *renderer, sl_track *track, const float *values, uint32_t given);

/* The block: the renderer, then its lines. */
static size_t layout(sl_renderer *renderer, uint32_t rate)
{
    renderer->rate = rate;
    renderer->delay_frames = 2 * rate + STEP;
    renderer->string_frames = rate <= 96000 ? 4096 : 8192;
    sl_space_layout(renderer);
    const size_t floats = (size_t)VOICES * renderer->string_frames + (size_t)TRACKS * CHORUS_FRAMES +
                          (size_t)SL_RENDERER_DELAYS * 2 * renderer->delay_frames +
                          (size_t)SL_RENDERER_REVERBS * renderer->reverb_frames;
    return sizeof *renderer + 32 + floats * sizeof(float);
}

/* Where the lines are. Lines of delays and reverbs are cleared when they are taken. */
static void place_lines(sl_renderer *renderer)
{
    float *at = (float *)(void *)(renderer + 1);
    renderer->strings = at;
    at += (size_t)VOICES * renderer->string_frames;
    renderer->chorus = at;
    at += (size_t)TRACKS * CHORUS_FRAMES;
    memset(renderer->strings, 0, (size_t)((char *)at - (char *)renderer->strings));
    for (uint32_t i = 0; i < SL_RENDERER_DELAYS; i++) {
        renderer->delays[i].lines[0] = at;
        renderer->delays[i].lines[1] = at + renderer->delay_frames;
        at += 2 * (size_t)renderer->delay_frames;
    }
    for (uint32_t i = 0; i < SL_RENDERER_REVERBS; i++) {
        renderer->reverbs[i].memory = at;
        at += renderer->reverb_frames;
    }
}

sl_err sl_renderer_create(sl_memory memory, uint32_t rate, sl_renderer **out)
{
    *out = NULL;
    if (rate < SL_RENDERER_RATE_MIN || rate > SL_RENDERER_RATE_MAX) return SL_ERR_RANGE;
    sl_renderer *renderer = memory.resize(memory.ctx, NULL, 0, sizeof *renderer);
    if (renderer == NULL) return SL_ERR_MEMORY;
    const size_t size_bytes = layout(renderer, rate);
    sl_renderer *whole = memory.resize(memory.ctx, renderer, sizeof *renderer, size_bytes);
    if (whole == NULL) {
        memory.resize(memory.ctx, renderer, sizeof *renderer, 0);
        return SL_ERR_MEMORY;
    }
    renderer = whole;
    memset(renderer, 0, sizeof *renderer);
    (void)layout(renderer, rate);
    renderer->memory = memory;
    renderer->size_bytes = size_bytes;
    place_lines(renderer);
    sl_wavetable_make(&renderer->waves);
    settle(renderer);
    set_defaults(renderer);
    *out = renderer;
    return SL_OK;
}

void sl_renderer_destroy(sl_renderer *renderer)
{
    if (renderer != NULL) renderer->memory.resize(renderer->memory.ctx, renderer, renderer->size_bytes, 0);
}

/* What follows from the rate. */
static void settle(sl_renderer *renderer)
{
    const float rate = (float)renderer->rate;
    renderer->ramp_steps = (uint32_t)(RAMP_S * rate * STEP_SHARE) + 1;
    renderer->turns = 4294967296.0 / (double)renderer->rate;
    renderer->rest_loss = sl_exp2(-1.44269504F / (0.001F * rate));
    renderer->limiter_loss = sl_exp2(-1.44269504F / (0.15F * rate));
    renderer->quiet_frames = renderer->delay_frames;
    renderer->fade_frames = (uint32_t)(FADE_S * rate);
    renderer->leave_frames = (uint32_t)(LEAVE_S * rate);
}

static void set_defaults(sl_renderer *renderer)
{
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++) renderer->defaults[i] = sl_parameter_at(i)->initial;
    renderer->bpm = 120;
    sl_ramp_set(&renderer->volume, renderer->defaults[SL_PARAMETER_MASTER_VOLUME]);
    for (uint32_t i = 0; i < TRACKS; i++) clear_track(renderer, &renderer->tracks[i]);
    for (uint32_t i = 0; i < SL_RENDERER_DELAYS; i++) renderer->delays[i].is_clear = 1;
    for (uint32_t i = 0; i < SL_RENDERER_REVERBS; i++) renderer->reverbs[i].is_clear = 1;
}

static void clear_track(sl_renderer *renderer, sl_track *track)
{
    memset(track, 0, sizeof *track);
    track->delay = LINES_NONE;
    track->reverb = LINES_NONE;
    track->gain = 1;
    for (uint32_t i = 0; i < SL_STRIP_COUNT; i++)
        sl_ramp_set(&track->strip[i], renderer->defaults[SL_PARAMETER_STRIP + i]);
    for (uint32_t i = 0; i < 2; i++) {
        track->patches[i].instrument = SL_INSTRUMENT_KEYS;
        const uint32_t first = sl_parameter_of_instrument(SL_INSTRUMENT_KEYS);
        set_patch(renderer, track, &track->patches[i], renderer->defaults + first, true);
    }
}

uint32_t sl_renderer_rate(const sl_renderer *renderer)
{
    return renderer->rate;
}

uint64_t sl_renderer_frame(const sl_renderer *renderer)
{
    return renderer->frame;
}

void sl_ramp_set(sl_ramp *ramp, float value)
{
    *ramp = (sl_ramp){.value = value, .next = value, .target = value};
}

static void move(sl_ramp *ramp, float target, uint32_t steps)
{
    ramp->target = target;
    ramp->left = steps;
    ramp->step = (target - ramp->next) / (float)steps;
}

void sl_ramp_to(const sl_renderer *renderer, sl_track *track, sl_ramp *ramp, float target)
{
    if (sl_bits_of_float(target) == sl_bits_of_float(ramp->target)) return;
    move(ramp, target, renderer->ramp_steps);
    track->moving = renderer->ramp_steps + 2;
}

/* The track that can make room: silent, and longest without a note. */
static sl_track *find_idle(sl_renderer *renderer)
{
    sl_track *found = NULL;
    for (uint32_t i = 0; i < TRACKS; i++) {
        sl_track *track = &renderer->tracks[i];
        if (track->is_awake == 0 && (found == NULL || track->used < found->used)) found = track;
    }
    return found;
}

sl_err sl_renderer_track(sl_renderer *renderer, const char *name, size_t length, uint32_t *out)
{
    const sl_digest digest = sl_digest_bytes(name, length);
    sl_track *track = NULL;
    for (uint32_t i = 0; i < TRACKS; i++) {
        sl_track *at = &renderer->tracks[i];
        *out = i;
        if (at->is_taken != 0 && at->name_low == digest.low && at->name_high == digest.high) return SL_OK;
        if (at->is_taken == 0 && track == NULL) track = at;
    }
    if (track == NULL) track = find_idle(renderer);
    *out = 0;
    if (track == NULL) return SL_ERR_FULL;
    *out = (uint32_t)(track - renderer->tracks);
    sl_space_give(renderer, track, true);
    clear_track(renderer, track);
    track->is_taken = 1;
    track->used = renderer->order;
    track->name_low = digest.low;
    track->name_high = digest.high;
    mix_tracks(renderer);
    sl_ramp_set(&track->left, track->left.target);
    sl_ramp_set(&track->right, track->right.target);
    return SL_OK;
}

static void set_patch(const sl_renderer *renderer, sl_track *track, sl_patch *patch, const float *values, bool is_new)
{
    for (uint32_t i = 0; i < SL_PARAM_COUNT; i++) {
        if (is_new)
            sl_ramp_set(&patch->params[i], values[i]);
        else
            sl_ramp_to(renderer, track, &patch->params[i], values[i]);
    }
}

void sl_renderer_set_instrument(sl_renderer *renderer, uint32_t track_index, sl_instrument instrument,
                                const char *params, size_t params_length)
{
    assert(track_index < TRACKS && instrument < SL_INSTRUMENT_COUNT);
    sl_track *track = &renderer->tracks[track_index];
    sl_patch *patch = &track->patches[track->patch];
    const uint32_t first = sl_parameter_of_instrument(instrument);
    float values[SL_PARAM_COUNT];
    memcpy(values, renderer->defaults + first, sizeof values);
    const uint32_t given = sl_params_read(params, params_length, sl_parameter_at(first), SL_PARAM_COUNT, values);
    const bool is_new = patch->instrument != (uint32_t)instrument;
    if (is_new) {
        track->patch = 1 - track->patch;
        patch = &track->patches[track->patch];
        for (uint32_t i = 0; i < VOICES; i++) {
            const sl_sounding *voice = &renderer->voices[i];
            if (voice->is_active != 0 && voice->track == track_index && voice->patch == track->patch)
                sl_sounding_cut(renderer, i);
        }
    }
    patch->instrument = (uint32_t)instrument;
    patch->given = given;
    set_patch(renderer, track, patch, values, is_new);
}

void sl_renderer_set_gm(sl_renderer *renderer, uint32_t track_index)
{
    assert(track_index < TRACKS);
    sl_track *track = &renderer->tracks[track_index];
    sl_patch *patch = &track->patches[track->patch];
    if (patch->instrument != SL_INSTRUMENT_KIT) return;
    patch->given |= 1U << SL_PARAM_VIBRATO;
    sl_ramp_set(&patch->params[SL_PARAM_VIBRATO], 1);
}

void sl_renderer_set_effects(sl_renderer *renderer, uint32_t track_index, const sl_renderer_effect *effects,
                             uint32_t count)
{
    assert(track_index < TRACKS);
    sl_track *track = &renderer->tracks[track_index];
    float values[SL_STRIP_COUNT];
    uint32_t given = 0, has = 0;
    memcpy(values, renderer->defaults + SL_PARAMETER_STRIP, sizeof values);
    for (uint32_t i = 0; i < count; i++) {
        sl_effect_kind kind;
        if (!sl_effect_kind_by_name(effects[i].name, effects[i].name_length, &kind)) continue;
        uint32_t own;
        const uint32_t first = sl_effect_kind_params(kind, &own);
        const sl_parameter *parameters = sl_parameter_at(SL_PARAMETER_STRIP + first);
        memcpy(values + first, renderer->defaults + SL_PARAMETER_STRIP + first, own * sizeof values[0]);
        given &= ~(((1U << own) - 1) << first);
        given |= sl_params_read(effects[i].params, effects[i].params_length, parameters, own, values + first) << first;
        has |= 1U << kind;
    }
    track->effects = has;
    set_strip(renderer, track, values, given);
}

/* What an effect begins with need not be approached: it is not heard yet. */
static void set_strip(sl_renderer *renderer, sl_track *track, const float *values, uint32_t given)
{
    track->strip_given = given;
    for (uint32_t kind = 0; kind < SL_EFFECT_KIND_COUNT; kind++) {
        sl_ramp *on = &track->on[kind];
        uint32_t count;
        const uint32_t first = sl_effect_kind_params((sl_effect_kind)kind, &count);
        const bool is_heard = on->next > 0 || on->left > 0;
        for (uint32_t i = first; i < first + count; i++) {
            if (is_heard)
                sl_ramp_to(renderer, track, &track->strip[i], values[i]);
            else
                sl_ramp_set(&track->strip[i], values[i]);
        }
        sl_ramp_to(renderer, track, on, (track->effects >> kind & 1) != 0 ? 1 : 0);
    }
    sl_space_take(renderer, track);
}

void sl_renderer_set_mix(sl_renderer *renderer, uint32_t track_index, const sl_renderer_mix *mix)
{
    assert(track_index < TRACKS);
    sl_track *track = &renderer->tracks[track_index];
    track->gain = sl_clamp(mix->gain, 0, GAIN_MAX);
    track->pan = sl_clamp(mix->pan, -1, 1);
    track->is_muted = mix->is_muted;
    track->is_soloed = mix->is_soloed;
    mix_tracks(renderer);
}

/* Gains of all tracks: a solo is about all of them. */
static void mix_tracks(sl_renderer *renderer)
{
    uint32_t soloed = 0;
    for (uint32_t i = 0; i < TRACKS; i++) soloed += renderer->tracks[i].is_soloed;
    for (uint32_t i = 0; i < TRACKS; i++) {
        sl_track *track = &renderer->tracks[i];
        const bool is_heard = track->is_muted == 0 && (soloed == 0 || track->is_soloed != 0);
        const float gain = is_heard ? track->gain : 0;
        const float left = track->pan > 0 ? 1 - track->pan : 1, right = track->pan < 0 ? 1 + track->pan : 1;
        sl_ramp_to(renderer, track, &track->left, gain * __builtin_sqrtf(left));
        sl_ramp_to(renderer, track, &track->right, gain * __builtin_sqrtf(right));
    }
}

void sl_renderer_set_tempo(sl_renderer *renderer, double bpm)
{
    renderer->bpm = bpm > 1 ? (bpm < 1000 ? bpm : 1000) : 1;
}

void sl_renderer_set_parameter(sl_renderer *renderer, uint32_t index, double value)
{
    assert(index < SL_PARAMETER_COUNT);
    const float clamped = sl_parameter_clamp(sl_parameter_at(index), value);
    renderer->defaults[index] = clamped;
    if (index == SL_PARAMETER_MASTER_VOLUME) move(&renderer->volume, clamped, renderer->ramp_steps);
    for (uint32_t i = 0; i < TRACKS; i++) {
        sl_track *track = &renderer->tracks[i];
        const uint32_t place = index - SL_PARAMETER_STRIP;
        if (index >= SL_PARAMETER_STRIP && place < SL_STRIP_COUNT && (track->strip_given >> place & 1) == 0)
            sl_ramp_to(renderer, track, &track->strip[place], clamped);
        for (uint32_t j = 0; j < 2 && index < SL_PARAMETER_STRIP; j++) {
            sl_patch *patch = &track->patches[j];
            const uint32_t param = index % SL_PARAM_COUNT;
            if (patch->instrument != index / SL_PARAM_COUNT || (patch->given >> param & 1) != 0) continue;
            sl_ramp_to(renderer, track, &patch->params[param], clamped);
        }
    }
}

float sl_renderer_parameter(const sl_renderer *renderer, uint32_t index)
{
    assert(index < SL_PARAMETER_COUNT);
    return renderer->defaults[index];
}
