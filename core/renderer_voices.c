/* Voices: envelopes, filters, and what all of them together sound like. */
#include "core/renderer_internal.h"
#include "core/vector.h"

#define CUTOFF_SHARE_MAX 0.45F /* of the rate */
#define SECOND_K 1.848F        /* the second filter's damping, but for drums */
#define LEVEL_MIN 3e-5F        /* a voice that is more quiet has ended */

/* All lanes of a group at once. */
typedef sl_eight lanes;
typedef sl_eight_bits lane_bits;

/* What is the same for the whole of a step, and lets a group do less. */
typedef struct group {
    uint32_t first;
    bool has_drums; /* the others go through two low-passes, and nothing beside them */
    bool is_driven;
} group;

/* Where the filters of all voices go in a step. */
typedef struct filters {
    float octave[VOICES]; /* of the cutoff */
    float k[VOICES];
    uint32_t moves[VOICES]; /* the others stay */
} filters;

static void step_voice(sl_renderer *renderer, uint32_t index, filters *filters);
static void step_lanes(sl_renderer *renderer);
static void step_filters(sl_renderer *renderer, const filters *filters);
static float octave_of(const sl_sounding *voice, const sl_ramp *params, float octave);
static float damping_of(const sl_ramp *params);
static void set_drive(sl_renderer *renderer, uint32_t index, const sl_ramp *params);
static void set_amp(sl_renderer *renderer, uint32_t index, float gain, uint32_t frames);
static void filter_lanes(sl_renderer *renderer, const group *group, uint32_t frames);
static void mix_voice(sl_renderer *renderer, uint32_t index, uint32_t frames);

float sl_loss_of(const sl_renderer *renderer, float octaves, float seconds)
{
    return 1 - sl_exp2(-octaves * (float)STEP / (seconds * (float)renderer->rate));
}

float sl_fall_of(const sl_renderer *renderer, float seconds)
{
    return sl_exp2(-9.96578428F / (seconds * (float)renderer->rate));
}

void sl_voices_step(sl_renderer *renderer)
{
    filters filters = {0};
    step_lanes(renderer);
    for (uint32_t i = 0; i < VOICES; i++)
        if (renderer->voices[i].is_active != 0) step_voice(renderer, i, &filters);
    step_filters(renderer, &filters);
}

/* What the step before was on the way to is there. */
static void step_lanes(sl_renderer *renderer)
{
    float(*field)[VOICES] = renderer->lanes.field;
    memcpy(field[LANE_A1], field[LANE_A1_NEXT], 6 * sizeof field[0]);
    memcpy(field[LANE_AMP], field[LANE_AMP_NEXT], sizeof field[0]);
}

static void step_voice(sl_renderer *renderer, uint32_t index, filters *filters)
{
    sl_sounding *voice = &renderer->voices[index];
    const sl_track *track = &renderer->tracks[voice->track];
    const sl_patch *patch = &track->patches[voice->patch];
    const sl_ramp *params = patch->params;
    const bool is_drum = voice->instrument == SL_INSTRUMENT_KIT;
    if (voice->stage == STAGE_DONE || (is_drum && sl_drum_is_over(voice))) {
        sl_sounding_cut(renderer, index);
        return;
    }
    voice->age++;
    sl_voice_envelope(voice, params[SL_PARAM_SUSTAIN].value, 1);
    set_amp(renderer, index, patch->gain, STEP);
    if (is_drum) return; /* its filter stays */
    filters->moves[index] = 1;
    filters->octave[index] = octave_of(voice, params, patch->octave);
    filters->k[index] = damping_of(params);
    if (track->moving > 0) set_drive(renderer, index, params);
}

/* Moves the envelopes on by a share of a step. */
void sl_voice_envelope(sl_sounding *voice, float sustain, float share)
{
    switch ((sl_stage)voice->stage) {
    case STAGE_ATTACK:
        voice->level += voice->attack_rate * share;
        voice->open = voice->level;
        if (voice->level < 1) return;
        voice->level = 1;
        voice->open = 1;
        voice->stage = STAGE_DECAY;
        return;
    case STAGE_DECAY:
        voice->level += (sustain - voice->level) * (voice->decay_loss * share);
        if (voice->level < LEVEL_MIN) voice->stage = STAGE_RELEASE; /* nothing to sustain */
        break;
    case STAGE_RELEASE:
        voice->level -= voice->level * (voice->release_loss * share);
        if (voice->level < LEVEL_MIN) {
            voice->level = 0;
            voice->stage = STAGE_DONE;
        }
        break;
    case STAGE_HOLD:
    case STAGE_DONE: break;
    }
    voice->open = sl_without_tiny(voice->open - voice->open * (voice->sweep_loss * share));
}

/* What a filter's cutoff and damping k come to: its coefficients. (Source of the structure: the state variable filter
 * in trapezoidal integration, as A. Simper and V. Zavalishin have described it.) */
static inline float g_of(float hz, float rate)
{
    return sl_tan((float)SL_PI * sl_clamp(hz / rate, 0.0002F, CUTOFF_SHARE_MAX));
}

static inline void set_coefficients(float out[3], float g, float k)
{
    out[0] = 1 / (1 + g * (g + k));
    out[1] = g * out[0];
    out[2] = g * out[1];
}

static inline float hz_of_octave(float octave)
{
    return sl_exp2(sl_clamp(octave, 4, 15));
}

/* All voices side by side. */
static void step_filters(sl_renderer *renderer, const filters *filters)
{
    float(*field)[VOICES] = renderer->lanes.field;
    const float rate = (float)renderer->rate;
    float next[6][VOICES];
    for (uint32_t i = 0; i < VOICES; i++) {
        const float g = g_of(hz_of_octave(filters->octave[i]), rate);
        float one[3], two[3];
        set_coefficients(one, g, filters->k[i]);
        set_coefficients(two, g, SECOND_K);
        for (uint32_t j = 0; j < 3; j++) {
            next[j][i] = one[j];
            next[3 + j][i] = two[j];
        }
    }
    for (uint32_t j = 0; j < 6; j++)
        for (uint32_t i = 0; i < VOICES; i++) {
            const float now = field[LANE_A1 + j][i], then = next[j][i];
            const bool moves = filters->moves[i] != 0;
            field[LANE_A1_NEXT + j][i] = moves ? then : field[LANE_A1_NEXT + j][i];
            field[LANE_A1_STEP + j][i] = moves ? (then - now) * STEP_SHARE : field[LANE_A1_STEP + j][i];
        }
}

/* Of the cutoff; `octave`: of the parameter. */
static float octave_of(const sl_sounding *voice, const sl_ramp *params, float octave)
{
    const float height = ((float)(int32_t)voice->pitch - 60) * (1.0F / 12);
    const float bright = params[SL_PARAM_VELOCITY].value * 1.5F * (voice->velocity - 0.75F);
    return octave + params[SL_PARAM_TRACKING].value * height + bright +
           params[SL_PARAM_ENVELOPE].value * voice->open * (0.4F + 0.6F * voice->velocity);
}

static float damping_of(const sl_ramp *params)
{
    return 0.765F - 0.7F * params[SL_PARAM_RESONANCE].value;
}

static void set_drive(sl_renderer *renderer, uint32_t index, const sl_ramp *params)
{
    float(*field)[VOICES] = renderer->lanes.field;
    const float drive = params[SL_PARAM_DRIVE].value, push = 1 + 4 * drive;
    field[LANE_PUSH][index] = push;
    field[LANE_PULL][index] = 1 / __builtin_sqrtf(push);
    field[LANE_DRIVEN][index] = sl_clamp(3 * drive, 0, 1);
}

void sl_voice_filter(sl_renderer *renderer, uint32_t index)
{
    const sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    float(*field)[VOICES] = renderer->lanes.field;
    const bool is_drum = voice->instrument == SL_INSTRUMENT_KIT;
    float hz, k = damping_of(params), mixture[3] = {0, 0, 1}, coefficients[6];
    if (is_drum)
        sl_drum_mixture(voice, &hz, &k, mixture);
    else
        hz = hz_of_octave(octave_of(voice, params, sl_log2(params[SL_PARAM_CUTOFF].value)));
    const float g = g_of(hz, (float)renderer->rate);
    set_coefficients(coefficients, g, k);
    set_coefficients(coefficients + 3, g, is_drum ? 1 : SECOND_K);
    for (uint32_t i = 0; i < 3; i++) {
        field[LANE_IN + i][index] = mixture[i];
        field[LANE_IN_2 + i][index] = i == (is_drum ? 0U : 2U) ? 1.0F : 0.0F;
    }
    for (uint32_t i = 0; i < 6; i++) {
        field[LANE_A1 + i][index] = coefficients[i];
        field[LANE_A1_NEXT + i][index] = coefficients[i];
        field[LANE_A1_STEP + i][index] = 0;
    }
    set_drive(renderer, index, params);
}

/* `gain`: of the patch's level. */
static void set_amp(sl_renderer *renderer, uint32_t index, float gain, uint32_t frames)
{
    const sl_sounding *voice = &renderer->voices[index];
    float(*field)[VOICES] = renderer->lanes.field;
    const float next = voice->level * voice->loudness * gain;
    field[LANE_AMP_NEXT][index] = next;
    field[LANE_AMP_STEP][index] = (next - field[LANE_AMP][index]) / (float)(int32_t)frames;
}

void sl_voice_amp(sl_renderer *renderer, uint32_t index, uint32_t frames)
{
    const sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    set_amp(renderer, index, sl_gain_of_db(params[SL_PARAM_LEVEL].next), frames);
}

void sl_voices_render(sl_renderer *renderer, uint32_t frames)
{
    for (uint32_t first = 0; first < VOICES; first += LANES) {
        group group = {.first = first};
        bool is_active = false;
        memset(renderer->source, 0, sizeof renderer->source);
        memset(renderer->dry, 0, sizeof renderer->dry);
        for (uint32_t lane = 0; lane < LANES; lane++) {
            const sl_sounding *voice = &renderer->voices[first + lane];
            if (voice->is_active == 0) continue;
            is_active = true;
            sl_voice_source(renderer, first + lane, frames, renderer->source[lane], renderer->dry[lane]);
            if (voice->instrument == SL_INSTRUMENT_KIT) group.has_drums = true;
            if (renderer->lanes.field[LANE_DRIVEN][first + lane] > 0) group.is_driven = true;
        }
        if (!is_active) continue;
        filter_lanes(renderer, &group, frames);
        for (uint32_t lane = 0; lane < LANES; lane++)
            if (renderer->voices[first + lane].is_active != 0) mix_voice(renderer, first + lane, frames);
    }
}

/* x, at most 3 from 0. */
static inline void bound_to_3(lanes *x)
{
    const lane_bits sign = (lane_bits)*x & INT32_MIN, size = (lane_bits)*x & INT32_MAX;
    const lane_bits three = (lane_bits)((lanes){0} + 3), is_small = size < three;
    *x = (lanes)(sign | (size & is_small) | (three & ~is_small));
}

/* One of the two filters: its states, its coefficients and what is added to them each frame. */
typedef struct bank {
    lanes s1, s2, a[3], step[3];
} bank;

static inline void load_bank(bank *bank, float (*field)[VOICES], uint32_t states, uint32_t first, uint32_t lane)
{
    sl_eight_load(&bank->s1, field[states] + lane);
    sl_eight_load(&bank->s2, field[states + 1] + lane);
    for (uint32_t i = 0; i < 3; i++) sl_eight_load(&bank->a[i], field[first + i] + lane);
    for (uint32_t i = 0; i < 3; i++) sl_eight_load(&bank->step[i], field[first + (LANE_A1_STEP - LANE_A1) + i] + lane);
    for (uint32_t i = 0; i < 3; i++) {
        bank->a[i] += bank->a[i];
        bank->step[i] += bank->step[i];
    }
}

static inline void store_bank(const bank *bank, float (*field)[VOICES], uint32_t states, uint32_t first, uint32_t lane)
{
    sl_eight_store(field[states] + lane, &bank->s1);
    sl_eight_store(field[states + 1] + lane, &bank->s2);
    for (uint32_t i = 0; i < 3; i++) {
        const lanes once = 0.5F * bank->a[i];
        sl_eight_store(field[first + i] + lane, &once);
    }
}

/* One frame: from x the band and the low part. */
static inline void run_bank(bank *bank, const lanes *x, lanes *band, lanes *low)
{
    const lanes rest = *x - bank->s2;
    const lanes twice_band = bank->a[0] * bank->s1 + bank->a[1] * rest;
    const lanes twice_low = bank->s2 + bank->s2 + (bank->a[1] * bank->s1 + bank->a[2] * rest);
    *band = 0.5F * twice_band;
    *low = 0.5F * twice_low;
    bank->s1 = twice_band - bank->s1;
    bank->s2 = twice_low - bank->s2;
    sl_eight_cut_tiny(&bank->s1);
    sl_eight_cut_tiny(&bank->s2);
    for (uint32_t i = 0; i < 3; i++) bank->a[i] += bank->step[i];
}

/* What goes on in a group beside its filters. */
typedef struct blend {
    lanes amp, amp_step, push, pull, driven, in, band, low, in_2, low_2, last;
} blend;

static void load_blend(blend *blend, float (*field)[VOICES], uint32_t lane)
{
    sl_eight_load(&blend->amp, field[LANE_AMP] + lane);
    sl_eight_load(&blend->amp_step, field[LANE_AMP_STEP] + lane);
    sl_eight_load(&blend->push, field[LANE_PUSH] + lane);
    sl_eight_load(&blend->pull, field[LANE_PULL] + lane);
    sl_eight_load(&blend->driven, field[LANE_DRIVEN] + lane);
    sl_eight_load(&blend->in, field[LANE_IN] + lane);
    sl_eight_load(&blend->band, field[LANE_BAND] + lane);
    sl_eight_load(&blend->low, field[LANE_LOW] + lane);
    sl_eight_load(&blend->in_2, field[LANE_IN_2] + lane);
    sl_eight_load(&blend->low_2, field[LANE_LOW_2] + lane);
    sl_eight_load(&blend->last, field[LANE_LAST] + lane);
}

/* What comes out of the first filter goes through the second, drive and amplitude. */
static inline void run_frame(bank *one, bank *two, blend *blend, const group *group, lanes *x, const lanes *dry)
{
    lanes v1, v2, y;
    run_bank(one, x, &v1, &v2);
    if (group->has_drums) {
        const lanes middle = blend->in * *x + (blend->band * v1 + blend->low * v2);
        run_bank(two, &middle, &v1, &v2);
        y = (blend->in_2 * middle + blend->low_2 * v2) + *dry;
    } else {
        const lanes middle = v2;
        run_bank(two, &middle, &v1, &y);
    }
    if (group->is_driven) {
        lanes u = y * blend->push;
        bound_to_3(&u);
        const lanes square = u * u, bent = u * (27 + square) / (27 + 9 * square);
        y = y + blend->driven * (bent * blend->pull - y);
    }
    *x = y * blend->amp;
    blend->amp += blend->amp_step;
}

/* A group of lanes through both filters, drive and amplitude; what comes out takes the place of what went in. */
static void filter_lanes(sl_renderer *renderer, const group *group, uint32_t frames)
{
    float(*field)[VOICES] = renderer->lanes.field;
    bank one, two;
    blend blend;
    load_bank(&one, field, LANE_S1, LANE_A1, group->first);
    load_bank(&two, field, LANE_T1, LANE_B1, group->first);
    load_blend(&blend, field, group->first);
    for (uint32_t at = 0; at < frames; at += LANES) {
        lanes x[LANES], dry[LANES];
        const uint32_t some = frames - at < LANES ? frames - at : LANES;
        for (uint32_t i = 0; i < LANES; i++) sl_eight_load(&x[i], renderer->source[i] + at);
        sl_eight_turn_over(x);
        for (uint32_t i = 0; i < LANES && group->has_drums; i++) sl_eight_load(&dry[i], renderer->dry[i] + at);
        if (group->has_drums) sl_eight_turn_over(dry);
        for (uint32_t i = 0; i < some; i++) run_frame(&one, &two, &blend, group, &x[i], &dry[i]);
        blend.last = x[some - 1];
        sl_eight_turn_over(x);
        for (uint32_t i = 0; i < LANES; i++) sl_eight_store(renderer->source[i] + at, &x[i]);
    }
    store_bank(&one, field, LANE_S1, LANE_A1, group->first);
    store_bank(&two, field, LANE_T1, LANE_B1, group->first);
    sl_eight_store(field[LANE_AMP] + group->first, &blend.amp);
    sl_eight_store(field[LANE_LAST] + group->first, &blend.last);
}

static void mix_voice(sl_renderer *renderer, uint32_t index, uint32_t frames)
{
    const sl_sounding *voice = &renderer->voices[index];
    sl_bus *bus = &renderer->buses[voice->track];
    const float *values = renderer->source[index % LANES], left = voice->pan_left, right = voice->pan_right;
    for (uint32_t i = 0; i < frames; i++) bus->left[i] += values[i] * left;
    for (uint32_t i = 0; i < frames; i++) bus->right[i] += values[i] * right;
}
