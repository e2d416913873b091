/* Voices: envelopes, filters, and what all of them together sound like. */
#include "core/renderer_internal.h"

#define CUTOFF_SHARE_MAX 0.45F /* of the rate */
#define LEVEL_MIN 3e-5F        /* a voice that is more quiet has ended */

/* All lanes of a group at once. Only within functions: how one is passed differs from CPU to CPU. */
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t lane_bits __attribute__((vector_size(4 * LANES)));

static void step_voice(sl_renderer *renderer, uint32_t index);
static void step_lanes(sl_renderer *renderer, uint32_t index);
static void filter_lanes(sl_renderer *renderer, uint32_t first, uint32_t frames);
static void mix_voice(sl_renderer *renderer, uint32_t index, uint32_t frames);

float sl_loss_of(const sl_renderer *renderer, float octaves, float seconds)
{
    return 1 - sl_exp2(-octaves * (float)STEP / (seconds * (float)renderer->rate));
}

float sl_fall_of(const sl_renderer *renderer, float seconds)
{
    return sl_exp2(-9.96578428F / (seconds * (float)renderer->rate));
}

uint32_t sl_phase_step(const sl_renderer *renderer, double hz)
{
    const double step = hz * renderer->turns;
    return step > 0 && step < 2147483648.0 ? (uint32_t)step : 0;
}

void sl_voices_step(sl_renderer *renderer)
{
    for (uint32_t i = 0; i < VOICES; i++)
        if (renderer->voices[i].is_active != 0) step_voice(renderer, i);
}

static void step_voice(sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    const bool is_drum = voice->instrument == SL_INSTRUMENT_KIT;
    if (voice->stage == STAGE_DONE || (is_drum && sl_drum_is_over(voice))) {
        sl_sounding_cut(renderer, index);
        return;
    }
    voice->age++;
    sl_voice_envelope(voice, params[SL_PARAM_SUSTAIN].value, 1);
    step_lanes(renderer, index);
    sl_voice_filter(renderer, index, false);
    sl_voice_amp(renderer, index, STEP);
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

/* What the step before was on the way to is there. */
static void step_lanes(sl_renderer *renderer, uint32_t index)
{
    float(*field)[VOICES] = renderer->lanes.field;
    for (uint32_t i = 0; i < 6; i++) field[LANE_A1 + i][index] = field[LANE_A1_NEXT + i][index];
    field[LANE_AMP][index] = field[LANE_AMP_NEXT][index];
}

/* (Source of the structure: the state variable filter in trapezoidal integration, as A. Simper and V. Zavalishin have
 * described it.) */
static void set_coefficients(float (*field)[VOICES], uint32_t index, uint32_t first, float g, float k)
{
    const float a1 = 1 / (1 + g * (g + k)), a2 = g * a1;
    field[first][index] = a1;
    field[first + 1][index] = a2;
    field[first + 2][index] = g * a2;
}

/* `octave`: of the parameter. */
static float cutoff_of(const sl_sounding *voice, const sl_ramp *params, float octave)
{
    const float height = ((float)(int32_t)voice->pitch - 60) * (1.0F / 12);
    const float bright = params[SL_PARAM_VELOCITY].value * 1.5F * (voice->velocity - 0.75F);
    const float sum = octave + params[SL_PARAM_TRACKING].value * height + bright +
                      params[SL_PARAM_ENVELOPE].value * voice->open * (0.4F + 0.6F * voice->velocity);
    return sl_exp2(sl_clamp(sum, 4, 15));
}

void sl_voice_filter(sl_renderer *renderer, uint32_t index, bool is_new)
{
    const sl_sounding *voice = &renderer->voices[index];
    const sl_track *track = &renderer->tracks[voice->track];
    const sl_ramp *params = track->patches[voice->patch].params;
    float(*field)[VOICES] = renderer->lanes.field;
    const bool is_drum = voice->instrument == SL_INSTRUMENT_KIT;
    if (is_drum && !is_new) return; /* it stays */
    float hz, k = 0.765F - 0.7F * params[SL_PARAM_RESONANCE].value, mixture[3] = {0, 0, 1};
    if (is_drum)
        sl_drum_mixture(voice, &hz, &k, mixture);
    else
        hz = cutoff_of(voice, params, is_new ? sl_log2(params[SL_PARAM_CUTOFF].value) : track->octaves[voice->patch]);
    const float share = sl_clamp(hz / (float)renderer->rate, 0.0002F, CUTOFF_SHARE_MAX);
    const float g = sl_tan((float)SL_PI * share);
    set_coefficients(field, index, LANE_A1_NEXT, g, k);
    set_coefficients(field, index, LANE_B1_NEXT, g, is_drum ? 1 : 1.848F);
    for (uint32_t i = 0; i < 3 && is_new; i++) {
        field[LANE_IN + i][index] = mixture[i];
        field[LANE_IN_2 + i][index] = i == (is_drum ? 0U : 2U) ? 1.0F : 0.0F;
    }
    if (is_new) step_lanes(renderer, index);
    for (uint32_t i = 0; i < 6; i++)
        field[LANE_A1_STEP + i][index] = (field[LANE_A1_NEXT + i][index] - field[LANE_A1 + i][index]) * STEP_SHARE;
    if (!is_new && track->moving == 0) return;
    const float drive = params[SL_PARAM_DRIVE].value, push = 1 + 4 * drive;
    field[LANE_PUSH][index] = push;
    field[LANE_PULL][index] = 1 / __builtin_sqrtf(push);
    field[LANE_DRIVEN][index] = sl_clamp(3 * drive, 0, 1);
}

void sl_voice_amp(sl_renderer *renderer, uint32_t index, uint32_t frames)
{
    const sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    float(*field)[VOICES] = renderer->lanes.field;
    const float next = voice->level * voice->loudness * sl_gain_of_db(params[SL_PARAM_LEVEL].next);
    field[LANE_AMP_NEXT][index] = next;
    field[LANE_AMP_STEP][index] = (next - field[LANE_AMP][index]) / (float)(int32_t)frames;
}

void sl_voices_render(sl_renderer *renderer, uint32_t frames)
{
    for (uint32_t group = 0; group < GROUPS; group++) {
        uint32_t active = 0;
        for (uint32_t lane = 0; lane < LANES; lane++) active += renderer->voices[group * LANES + lane].is_active;
        if (active == 0) continue;
        memset(renderer->source, 0, sizeof renderer->source);
        memset(renderer->dry, 0, sizeof renderer->dry);
        for (uint32_t lane = 0; lane < LANES; lane++) {
            const uint32_t index = group * LANES + lane;
            if (renderer->voices[index].is_active == 0) continue;
            float source[STEP], dry[STEP];
            sl_voice_source(renderer, index, frames, source, dry);
            for (uint32_t i = 0; i < frames; i++) renderer->source[i][lane] = source[i];
            if (renderer->voices[index].instrument != SL_INSTRUMENT_KIT) continue;
            for (uint32_t i = 0; i < frames; i++) renderer->dry[i][lane] = dry[i];
        }
        filter_lanes(renderer, group * LANES, frames);
        for (uint32_t lane = 0; lane < LANES; lane++)
            if (renderer->voices[group * LANES + lane].is_active != 0)
                mix_voice(renderer, group * LANES + lane, frames);
    }
}

static inline void cut_tiny(lanes *x)
{
    const lane_bits bits = (lane_bits)*x, tiny = (lane_bits)((lanes){0} + SL_TINY);
    *x = (lanes)(bits & ((bits & INT32_MAX) > tiny));
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

static inline void load(lanes *out, const float *from)
{
    memcpy(out, from, sizeof *out);
}

static inline void store(float *to, const lanes *from)
{
    memcpy(to, from, sizeof *from);
}

static inline void load_bank(bank *bank, float (*field)[VOICES], uint32_t states, uint32_t first, uint32_t lane)
{
    load(&bank->s1, field[states] + lane);
    load(&bank->s2, field[states + 1] + lane);
    for (uint32_t i = 0; i < 3; i++) load(&bank->a[i], field[first + i] + lane);
    for (uint32_t i = 0; i < 3; i++) load(&bank->step[i], field[first + (LANE_A1_STEP - LANE_A1) + i] + lane);
}

static inline void store_bank(const bank *bank, float (*field)[VOICES], uint32_t states, uint32_t first, uint32_t lane)
{
    store(field[states] + lane, &bank->s1);
    store(field[states + 1] + lane, &bank->s2);
    for (uint32_t i = 0; i < 3; i++) store(field[first + i] + lane, &bank->a[i]);
}

/* One frame: from x the band and the low part. */
static inline void run_bank(bank *bank, const lanes *x, lanes *band, lanes *low)
{
    const lanes rest = *x - bank->s2;
    *band = bank->a[0] * bank->s1 + bank->a[1] * rest;
    *low = bank->s2 + (bank->a[1] * bank->s1 + bank->a[2] * rest);
    bank->s1 = *band + *band - bank->s1;
    bank->s2 = *low + *low - bank->s2;
    cut_tiny(&bank->s1);
    cut_tiny(&bank->s2);
    for (uint32_t i = 0; i < 3; i++) bank->a[i] += bank->step[i];
}

/* A group of lanes through both filters, drive and amplitude; what comes out takes the place of what went in. */
static void filter_lanes(sl_renderer *renderer, uint32_t first, uint32_t frames)
{
    float(*field)[VOICES] = renderer->lanes.field;
    bank one, two;
    lanes amp, amp_step, push, pull, driven, in, band, low, in_2, low_2, last;
    load_bank(&one, field, LANE_S1, LANE_A1, first);
    load_bank(&two, field, LANE_T1, LANE_B1, first);
    load(&amp, field[LANE_AMP] + first);
    load(&amp_step, field[LANE_AMP_STEP] + first);
    load(&push, field[LANE_PUSH] + first);
    load(&pull, field[LANE_PULL] + first);
    load(&driven, field[LANE_DRIVEN] + first);
    load(&in, field[LANE_IN] + first);
    load(&band, field[LANE_BAND] + first);
    load(&low, field[LANE_LOW] + first);
    load(&in_2, field[LANE_IN_2] + first);
    load(&low_2, field[LANE_LOW_2] + first);
    load(&last, field[LANE_LAST] + first);
    for (uint32_t i = 0; i < frames; i++) {
        lanes x, dry, v1, v2;
        load(&x, renderer->source[i]);
        load(&dry, renderer->dry[i]);
        run_bank(&one, &x, &v1, &v2);
        const lanes middle = in * x + (band * v1 + low * v2);
        run_bank(&two, &middle, &v1, &v2);
        const lanes y = (in_2 * middle + low_2 * v2) + dry;
        lanes u = y * push;
        bound_to_3(&u);
        const lanes square = u * u, bent = u * (27 + square) / (27 + 9 * square);
        last = (y + driven * (bent * pull - y)) * amp;
        amp += amp_step;
        store(renderer->source[i], &last);
    }
    store_bank(&one, field, LANE_S1, LANE_A1, first);
    store_bank(&two, field, LANE_T1, LANE_B1, first);
    store(field[LANE_AMP] + first, &amp);
    store(field[LANE_LAST] + first, &last);
}

static void mix_voice(sl_renderer *renderer, uint32_t index, uint32_t frames)
{
    const sl_sounding *voice = &renderer->voices[index];
    sl_bus *bus = &renderer->buses[voice->track];
    const uint32_t lane = index % LANES;
    for (uint32_t i = 0; i < frames; i++) {
        const float value = renderer->source[i][lane];
        bus->left[i] += value * voice->pan_left;
        bus->right[i] += value * voice->pan_right;
    }
}
