/* A track's effects up to the chorus, and their order: drive, filter, chorus, delay, reverb. */
#include "core/renderer_internal.h"

static void drive(const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames);
static void filter(sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames);
static void chorus(sl_renderer *renderer, uint32_t index, uint32_t offset, uint32_t frames);

static bool is_on(const sl_track *track, sl_effect_kind kind)
{
    return track->on[kind].value > 0 || track->on[kind].next > 0;
}

/* How much of a chorus there is: the instrument's width, or the effect. */
typedef struct chorus_ramps {
    sl_ramp own, on, mix, depth;
} chorus_ramps;

static chorus_ramps chorus_ramps_of(const sl_track *track)
{
    return (chorus_ramps){.own = track->width,
                          .on = track->on[SL_EFFECT_CHORUS],
                          .mix = track->strip[SL_STRIP_CHORUS_MIX],
                          .depth = track->strip[SL_STRIP_CHORUS_DEPTH]};
}

static inline float chorus_mix(const chorus_ramps *ramps, uint32_t offset)
{
    const float own = sl_ramp_at(&ramps->own, offset);
    const float effect = sl_ramp_at(&ramps->on, offset) * sl_ramp_at(&ramps->mix, offset);
    return own > effect ? own : effect;
}

/* The coefficients that the filter goes to in this step. */
static void step_filter(const sl_renderer *renderer, sl_track *track)
{
    const sl_ramp *strip = track->strip;
    sl_strip_filter *own = &track->filter;
    const float share = strip[SL_STRIP_FILTER_CUTOFF].next / (float)renderer->rate;
    const float g = sl_tan((float)SL_PI * sl_clamp(share, 0.0002F, 0.45F));
    const float k = 1.4F - 1.35F * strip[SL_STRIP_FILTER_RESONANCE].next;
    const float a1 = 1 / (1 + g * (g + k)), a2 = g * a1;
    const bool is_first = own->next[0] <= 0;
    memcpy(own->now, own->next, sizeof own->now);
    own->next[0] = a1;
    own->next[1] = a2;
    own->next[2] = g * a2;
    if (is_first) memcpy(own->now, own->next, sizeof own->now);
    /* low (0) to band (1) to high (2) */
    const float mode = strip[SL_STRIP_FILTER_MODE].next, high = sl_clamp(mode - 1, 0, 1);
    const float low = sl_clamp(1 - mode, 0, 1), band = 1 - high - low;
    own->mix[0] = high;
    own->mix[1] = k * (band - high);
    own->mix[2] = low - high;
}

static void step_ramps(sl_track *track)
{
    track->moving--;
    sl_ramp_step(&track->left);
    sl_ramp_step(&track->right);
    sl_ramp_step(&track->width);
    for (uint32_t i = 0; i < SL_STRIP_COUNT; i++) sl_ramp_step(&track->strip[i]);
    for (uint32_t i = 0; i < SL_EFFECT_KIND_COUNT; i++) sl_ramp_step(&track->on[i]);
    for (uint32_t i = 0; i < SL_PARAM_COUNT; i++) sl_ramp_step(&track->patches[0].params[i]);
    for (uint32_t i = 0; i < SL_PARAM_COUNT; i++) sl_ramp_step(&track->patches[1].params[i]);
}

/* What all its voices need, unless it is known. */
static void step_patch(sl_patch *patch)
{
    const float cutoff = patch->params[SL_PARAM_CUTOFF].value, level = patch->params[SL_PARAM_LEVEL].next;
    if (sl_bits_of_float(cutoff) == sl_bits_of_float(patch->cutoff) &&
        sl_bits_of_float(level) == sl_bits_of_float(patch->level))
        return;
    patch->cutoff = cutoff;
    patch->level = level;
    patch->octave = sl_log2(cutoff);
    patch->gain = sl_gain_of_db(level);
}

void sl_strip_step(sl_renderer *renderer, sl_track *track)
{
    const sl_patch *patch = &track->patches[track->patch];
    const bool is_kit = patch->instrument == SL_INSTRUMENT_KIT; /* it has its own width */
    sl_ramp_to(renderer, track, &track->width, is_kit ? 0 : patch->params[SL_PARAM_WIDTH].target);
    if (track->moving > 0) step_ramps(track);
    if (track->is_awake == 0) return;
    for (uint32_t i = 0; i < 2; i++) step_patch(&track->patches[i]);
    if (is_on(track, SL_EFFECT_FILTER))
        step_filter(renderer, track);
    else
        memset(&track->filter, 0, sizeof track->filter);
    sl_space_step(renderer, track);
    if (track->delay != LINES_NONE) sl_delay_step(renderer, track);
    sl_space_give(renderer, track, false);
}

void sl_strip_clear(sl_renderer *renderer, sl_track *track)
{
    sl_space_clear(renderer, track);
    track->has_chorus = 0;
    memset(track->filter.states, 0, sizeof track->filter.states);
    track->rest_left = 0;
    track->rest_right = 0;
}

void sl_strip_render(sl_renderer *renderer, uint32_t index, uint32_t offset, uint32_t frames)
{
    sl_track *track = &renderer->tracks[index];
    sl_bus *bus = &renderer->buses[index];
    if (is_on(track, SL_EFFECT_DRIVE)) drive(track, bus, offset, frames);
    if (is_on(track, SL_EFFECT_FILTER)) filter(track, bus, offset, frames);
    chorus(renderer, index, offset, frames);
    if (track->delay != LINES_NONE) sl_delay_render(renderer, track, bus, offset, frames);
    if (track->reverb != LINES_NONE) sl_reverb_render(renderer, track, bus, offset, frames);
}

static void drive(const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames)
{
    const float amount = track->strip[SL_STRIP_DRIVE_AMOUNT].value, push = 1 + 15 * amount * amount;
    const float amount_next = track->strip[SL_STRIP_DRIVE_AMOUNT].next, push_next = 1 + 15 * amount_next * amount_next;
    const float level = sl_gain_of_db(track->strip[SL_STRIP_DRIVE_LEVEL].value);
    const float pull = level / __builtin_sqrtf(push), pull_next = level / __builtin_sqrtf(push_next);
    for (uint32_t i = 0; i < frames; i++) {
        const float share = (float)(int32_t)(offset + i) * STEP_SHARE;
        const float in = push + (push_next - push) * share, out = pull + (pull_next - pull) * share;
        const float on = sl_ramp_at(&track->on[SL_EFFECT_DRIVE], offset + i);
        bus->left[i] += on * (sl_saturate(bus->left[i] * in) * out - bus->left[i]);
        bus->right[i] += on * (sl_saturate(bus->right[i] * in) * out - bus->right[i]);
    }
}

static void filter(sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames)
{
    sl_strip_filter *own = &track->filter;
    float *sides[2] = {bus->left, bus->right};
    for (size_t side = 0; side < 2; side++) {
        float s1 = own->states[2 * side], s2 = own->states[2 * side + 1];
        for (uint32_t i = 0; i < frames; i++) {
            const float share = (float)(int32_t)(offset + i) * STEP_SHARE;
            const float a1 = own->now[0] + (own->next[0] - own->now[0]) * share;
            const float a2 = own->now[1] + (own->next[1] - own->now[1]) * share;
            const float a3 = own->now[2] + (own->next[2] - own->now[2]) * share;
            const float x = sides[side][i], v3 = x - s2;
            const float v1 = a1 * s1 + a2 * v3, v2 = s2 + (a2 * s1 + a3 * v3);
            s1 = sl_without_tiny(2 * v1 - s1);
            s2 = sl_without_tiny(2 * v2 - s2);
            const float y = own->mix[0] * x + (own->mix[1] * v1 + own->mix[2] * v2);
            sides[side][i] = x + sl_ramp_at(&track->on[SL_EFFECT_FILTER], offset + i) * (y - x);
        }
        own->states[2 * side] = s1;
        own->states[2 * side + 1] = s2;
    }
}

/* A value between two of the line. */
static inline float tap(const float *line, uint32_t at, float back)
{
    const uint32_t whole = (uint32_t)(int32_t)back;
    const float rest = back - (float)(int32_t)whole;
    const float near = line[(at - whole) % CHORUS_FRAMES], far = line[(at - whole - 1) % CHORUS_FRAMES];
    return near + rest * (far - near);
}

/* Two voices beside the sound, one on each side, that come now earlier, now later: always by more than a step, so the
 * line can be written before it is read. */
static void chorus(sl_renderer *renderer, uint32_t index, uint32_t offset, uint32_t frames)
{
    sl_track *track = &renderer->tracks[index];
    sl_bus *bus = &renderer->buses[index];
    float *line = renderer->chorus + (size_t)index * CHORUS_FRAMES;
    const chorus_ramps ramps = chorus_ramps_of(track);
    if (track->has_chorus == 0) {
        if (!(chorus_mix(&ramps, 0) > 0) && !(chorus_mix(&ramps, STEP) > 0)) return;
        memset(line, 0, CHORUS_FRAMES * sizeof *line);
        track->has_chorus = 1;
    }
    const float rate = (float)renderer->rate, middle = 0.0105F * rate;
    const uint32_t step = sl_phase_step(renderer, (double)track->strip[SL_STRIP_CHORUS_RATE].value);
    const uint32_t at = track->chorus_at, phase = track->chorus_phase;
    float mixes[STEP], swings[STEP], first[STEP], second[STEP];
    for (uint32_t i = 0; i < frames; i++) mixes[i] = chorus_mix(&ramps, offset + i);
    for (uint32_t i = 0; i < frames; i++)
        swings[i] = 0.006F * sl_clamp(sl_ramp_at(&ramps.depth, offset + i), 0, 1) * rate;
    for (uint32_t i = 0; i < frames; i++)
        line[(at + i) % CHORUS_FRAMES] = sl_without_tiny(0.5F * (bus->left[i] + bus->right[i]));
    for (uint32_t i = 0; i < frames; i++) {
        const float wave = sl_wave_value(&renderer->waves.sine, phase + step * i);
        const float other = sl_wave_value(&renderer->waves.sine, phase + step * i + 0x55555555U);
        first[i] = tap(line, at + i, middle + swings[i] * wave);
        second[i] = tap(line, at + i, middle * 1.21F + swings[i] * other);
    }
    for (uint32_t i = 0; i < frames; i++) {
        const float mix = mixes[i], dry = 1 - 0.3F * mix;
        bus->left[i] = dry * bus->left[i] + mix * (0.85F * first[i] - 0.2F * second[i]);
        bus->right[i] = dry * bus->right[i] + mix * (0.85F * second[i] - 0.2F * first[i]);
    }
    track->chorus_at = at + frames;
    track->chorus_phase = phase + step * frames;
}
