/*
 * Delay and reverb. Their lines come from a pool: a track takes one when it is told to have the effect, and gives it
 * back when that has faded out.
 *
 * The reverb: eight lines whose ends go, mixed by a Hadamard matrix and each a little quieter and darker, into all
 * their beginnings (J.-M. Jot, A. Chaigne, 1991), behind two all-pass diffusers a side (M. Schroeder, 1962). Four lines
 * change their length a little, slowly.
 */
#include "core/renderer_internal.h"

enum { FADE_FRAMES = 1024, SWING_FRAMES = 12 };
#define SWING_HZ 0.57
#define DIFFUSION 0.62F

/* At 48 kHz; primes. */
static const uint32_t lengths[LINES + DIFFUSERS] = {1427, 1637, 1877, 2083, 2297, 2539, 2791, 3049, 149, 379, 163, 401};

void sl_space_layout(sl_renderer *renderer)
{
    uint32_t start = 0;
    for (uint32_t i = 0; i < LINES + DIFFUSERS; i++) {
        renderer->reverb_lengths[i] = (uint32_t)((uint64_t)lengths[i] * renderer->rate / 48000) | 1;
        renderer->reverb_starts[i] = start;
        start += renderer->reverb_lengths[i];
    }
    renderer->reverb_frames = start;
}

void sl_space_take(sl_renderer *renderer, sl_track *track)
{
    if ((track->effects >> SL_EFFECT_DELAY & 1) != 0 && track->delay == LINES_NONE) {
        for (uint32_t i = 0; i < SL_RENDERER_DELAYS && track->delay == LINES_NONE; i++)
            if (renderer->delays[i].is_taken == 0) track->delay = i;
        if (track->delay != LINES_NONE) {
            renderer->delays[track->delay].is_taken = 1;
            sl_space_clear_delay(renderer, &renderer->delays[track->delay]);
        }
    }
    if ((track->effects >> SL_EFFECT_REVERB & 1) != 0 && track->reverb == LINES_NONE) {
        for (uint32_t i = 0; i < SL_RENDERER_REVERBS && track->reverb == LINES_NONE; i++)
            if (renderer->reverbs[i].is_taken == 0) track->reverb = i;
        if (track->reverb != LINES_NONE) {
            renderer->reverbs[track->reverb].is_taken = 1;
            sl_space_clear_reverb(renderer, &renderer->reverbs[track->reverb]);
        }
    }
}

static bool is_needed(const sl_track *track, sl_effect_kind kind)
{
    const sl_ramp *on = &track->on[kind];
    return on->value > 0 || on->next > 0 || on->target > 0;
}

void sl_space_give(sl_renderer *renderer, sl_track *track, bool is_all)
{
    if (track->delay != LINES_NONE && (is_all || !is_needed(track, SL_EFFECT_DELAY))) {
        renderer->delays[track->delay].is_taken = 0;
        track->delay = LINES_NONE;
    }
    if (track->reverb != LINES_NONE && (is_all || !is_needed(track, SL_EFFECT_REVERB))) {
        renderer->reverbs[track->reverb].is_taken = 0;
        track->reverb = LINES_NONE;
    }
}

void sl_space_clear_delay(const sl_renderer *renderer, sl_delay *delay)
{
    for (uint32_t i = 0; i < 2; i++) {
        memset(delay->lines[i], 0, renderer->delay_frames * sizeof(float));
        delay->states[i] = 0;
    }
    delay->at = 0;
    delay->back = 0;
    delay->fade = 0;
    delay->is_clear = 1;
}

void sl_space_clear_reverb(const sl_renderer *renderer, sl_reverb *reverb)
{
    memset(reverb->memory, 0, renderer->reverb_frames * sizeof(float));
    memset(reverb->at, 0, sizeof reverb->at);
    memset(reverb->damped, 0, sizeof reverb->damped);
    reverb->phase = 0;
    reverb->is_clear = 1;
}

void sl_space_clear(sl_renderer *renderer, sl_track *track)
{
    if (track->delay != LINES_NONE && renderer->delays[track->delay].is_clear == 0)
        sl_space_clear_delay(renderer, &renderer->delays[track->delay]);
    if (track->reverb != LINES_NONE && renderer->reverbs[track->reverb].is_clear == 0)
        sl_space_clear_reverb(renderer, &renderer->reverbs[track->reverb]);
}

/* In beats, if it has some; half as long until it fits. */
static uint32_t wanted_back(const sl_renderer *renderer, const sl_track *track)
{
    const double rate = renderer->rate, longest = renderer->delay_frames - STEP;
    const double beats = (double)track->strip[SL_STRIP_DELAY_BEATS].target;
    double frames = (double)track->strip[SL_STRIP_DELAY_TIME].target * rate;
    if (beats > 0.01) frames = beats * 60 / renderer->bpm * rate;
    for (uint32_t i = 0; i < 16 && frames > longest; i++) frames = frames * 0.5;
    if (!(frames > 2 * STEP)) return 2 * STEP;
    return frames < longest ? (uint32_t)frames : (uint32_t)longest;
}

void sl_delay_step(sl_renderer *renderer, const sl_track *track)
{
    sl_delay *delay = &renderer->delays[track->delay];
    const uint32_t wanted = wanted_back(renderer, track);
    if (delay->is_clear != 0) {
        delay->back = wanted;
        delay->fade = 0;
    } else if (delay->fade == 0 && wanted != delay->back) {
        delay->back_next = wanted;
        delay->fade = FADE_FRAMES;
    }
}

static float one_pole(const sl_renderer *renderer, float hz)
{
    const float share = sl_clamp(hz / (float)renderer->rate, 0, 0.45F);
    return 1 - sl_exp2(-9.06472028F * share);
}

static float read_back(const sl_renderer *renderer, const float *line, uint32_t at, uint32_t back)
{
    return line[at >= back ? at - back : at + renderer->delay_frames - back];
}

void sl_delay_render(sl_renderer *renderer, const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames)
{
    sl_delay *delay = &renderer->delays[track->delay];
    const sl_ramp *strip = track->strip;
    const float tone = one_pole(renderer, strip[SL_STRIP_DELAY_TONE].next);
    if (delay->back == 0) delay->back = wanted_back(renderer, track);
    delay->is_clear = 0;
    for (uint32_t i = 0; i < frames; i++) {
        const float on = sl_ramp_at(&track->on[SL_EFFECT_DELAY], offset + i);
        const float width = sl_ramp_at(&strip[SL_STRIP_DELAY_WIDTH], offset + i);
        const float feedback = sl_clamp(sl_ramp_at(&strip[SL_STRIP_DELAY_FEEDBACK], offset + i), 0, 0.95F);
        const float wet = on * sl_ramp_at(&strip[SL_STRIP_DELAY_MIX], offset + i);
        float heard[2];
        for (uint32_t side = 0; side < 2; side++) {
            heard[side] = read_back(renderer, delay->lines[side], delay->at, delay->back);
            if (delay->fade > 0) {
                const float next = read_back(renderer, delay->lines[side], delay->at, delay->back_next);
                const float old = (float)(int32_t)delay->fade * (1 / (float)FADE_FRAMES);
                heard[side] = next + old * (heard[side] - next);
            }
            delay->states[side] = sl_without_tiny(delay->states[side] + tone * (heard[side] - delay->states[side]));
        }
        if (delay->fade > 0 && --delay->fade == 0) delay->back = delay->back_next;
        const float left = bus->left[i], right = bus->right[i], both = 0.5F * (left + right);
        const float *back = delay->states;
        const float in_left = on * (left + width * (both - left)), in_right = on * (right - width * right);
        const float from_left = back[0] + width * (back[1] - back[0]);
        const float from_right = back[1] + width * (back[0] - back[1]);
        delay->lines[0][delay->at] = sl_without_tiny(in_left + feedback * from_left);
        delay->lines[1][delay->at] = sl_without_tiny(in_right + feedback * from_right);
        delay->at = delay->at + 1 < renderer->delay_frames ? delay->at + 1 : 0;
        bus->left[i] = left + wet * heard[0];
        bus->right[i] = right + wet * heard[1];
    }
}

/* An all-pass: what goes in comes out spread over time. */
static void diffuse(const sl_renderer *renderer, sl_reverb *reverb, uint32_t number, float *values, uint32_t frames)
{
    float *line = reverb->memory + renderer->reverb_starts[number];
    const uint32_t length = renderer->reverb_lengths[number];
    uint32_t at = reverb->at[number];
    for (uint32_t i = 0; i < frames; i++) {
        const float held = line[at], in = sl_without_tiny(values[i] - DIFFUSION * held);
        line[at] = in;
        values[i] = held + DIFFUSION * in;
        at = at + 1 < length ? at + 1 : 0;
    }
    reverb->at[number] = at;
}

/* What comes out of a line, darker; its end is read a little earlier, now more, now less. */
static void read_line(const sl_renderer *renderer, sl_reverb *reverb, uint32_t number, float dark, float *values,
                      uint32_t frames)
{
    const float *line = reverb->memory + renderer->reverb_starts[number];
    const uint32_t length = renderer->reverb_lengths[number], step = sl_phase_step(renderer, SWING_HZ);
    uint32_t at = reverb->at[number], phase = reverb->phase + number * 0x40000000U;
    float damped = reverb->damped[number];
    for (uint32_t i = 0; i < frames; i++) {
        float value = line[at];
        if (number < LINES / 2) {
            const float shift = (sl_triangle(phase) + 1) * (0.5F * (float)SWING_FRAMES);
            const uint32_t whole = (uint32_t)(int32_t)shift;
            const uint32_t near = at + whole < length ? at + whole : at + whole - length;
            const uint32_t far = near + 1 < length ? near + 1 : 0;
            value = line[near] + (shift - (float)(int32_t)whole) * (line[far] - line[near]);
            phase += step;
        }
        damped = sl_without_tiny(damped + dark * (value - damped));
        values[i] = damped;
        at = at + 1 < length ? at + 1 : 0;
    }
    reverb->damped[number] = damped;
}

static void write_line(const sl_renderer *renderer, sl_reverb *reverb, uint32_t number, const float *back,
                       const float *in, uint32_t frames)
{
    float *line = reverb->memory + renderer->reverb_starts[number];
    const uint32_t length = renderer->reverb_lengths[number];
    uint32_t at = reverb->at[number];
    for (uint32_t i = 0; i < frames; i++) {
        line[at] = sl_without_tiny(back[i] + in[i]);
        at = at + 1 < length ? at + 1 : 0;
    }
    reverb->at[number] = at;
}

/* Each line's end into every line's beginning, none louder than the whole. */
static void mix_lines(float lines[LINES][STEP], uint32_t frames)
{
    for (uint32_t half = 1; half < LINES; half *= 2)
        for (uint32_t a = 0; a < LINES; a++) {
            if ((a & half) != 0) continue;
            float *one = lines[a], *other = lines[a + half];
            for (uint32_t i = 0; i < frames; i++) {
                const float sum = one[i] + other[i], difference = one[i] - other[i];
                one[i] = sum;
                other[i] = difference;
            }
        }
}

void sl_reverb_render(sl_renderer *renderer, const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames)
{
    sl_reverb *reverb = &renderer->reverbs[track->reverb];
    const sl_ramp *strip = track->strip;
    const float dark = one_pole(renderer, strip[SL_STRIP_REVERB_DAMPING].next);
    const float seconds = sl_clamp(strip[SL_STRIP_REVERB_DECAY].next, 0.05F, 60) * (float)renderer->rate;
    float lines[LINES][STEP], in[2][STEP], wet[2][STEP];
    reverb->is_clear = 0;
    for (uint32_t i = 0; i < frames; i++) {
        const float on = 0.4F * sl_ramp_at(&track->on[SL_EFFECT_REVERB], offset + i);
        in[0][i] = on * bus->left[i];
        in[1][i] = on * bus->right[i];
        wet[0][i] = 0;
        wet[1][i] = 0;
    }
    for (uint32_t i = 0; i < DIFFUSERS; i++) diffuse(renderer, reverb, LINES + i, in[i / 2], frames);
    for (uint32_t line = 0; line < LINES; line++) {
        read_line(renderer, reverb, line, dark, lines[line], frames);
        const float sign = (line & 2) != 0 ? -1 : 1;
        const float kept = sl_exp2(-9.96578428F * (float)(int32_t)renderer->reverb_lengths[line] / seconds);
        for (uint32_t i = 0; i < frames; i++) wet[line % 2][i] += sign * lines[line][i];
        for (uint32_t i = 0; i < frames; i++) lines[line][i] = lines[line][i] * (kept * 0.353553391F);
    }
    mix_lines(lines, frames);
    for (uint32_t line = 0; line < LINES; line++) write_line(renderer, reverb, line, lines[line], in[line % 2], frames);
    reverb->phase += sl_phase_step(renderer, SWING_HZ) * frames;
    for (uint32_t i = 0; i < frames; i++) {
        const float on = sl_ramp_at(&track->on[SL_EFFECT_REVERB], offset + i);
        const float mix = on * sl_ramp_at(&strip[SL_STRIP_REVERB_MIX], offset + i);
        bus->left[i] = bus->left[i] - 0.5F * mix * bus->left[i] + mix * wet[0][i];
        bus->right[i] = bus->right[i] - 0.5F * mix * bus->right[i] + mix * wet[1][i];
    }
}
