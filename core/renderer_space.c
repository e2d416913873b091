/*
 * Delay and reverb. Their lines come from a pool: a track takes one when it is told to have the effect, and gives it
 * back when that has faded out.
 *
 * The reverb: eight lines whose ends go, mixed by a Hadamard matrix and each a little quieter and darker, into all
 * their beginnings (J.-M. Jot, A. Chaigne, 1991), behind two all-pass diffusers a side (M. Schroeder, 1962). Four lines
 * change their length a little, slowly.
 */
#include "core/renderer_internal.h"
#include "core/vector.h"

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
    delay->leaving = 0;
    delay->is_clear = 1;
}

void sl_space_clear_reverb(const sl_renderer *renderer, sl_reverb *reverb)
{
    memset(reverb->memory, 0, renderer->reverb_frames * sizeof(float));
    memset(reverb->at, 0, sizeof reverb->at);
    memset(reverb->damped, 0, sizeof reverb->damped);
    reverb->phase = 0;
    reverb->leaving = 0;
    reverb->is_clear = 1;
}

void sl_space_clear(sl_renderer *renderer, sl_track *track)
{
    if (track->delay != LINES_NONE && renderer->delays[track->delay].is_clear == 0)
        sl_space_clear_delay(renderer, &renderer->delays[track->delay]);
    if (track->reverb != LINES_NONE && renderer->reverbs[track->reverb].is_clear == 0)
        sl_space_clear_reverb(renderer, &renderer->reverbs[track->reverb]);
}

void sl_space_leave(sl_renderer *renderer, const sl_track *track)
{
    sl_delay *delay = track->delay != LINES_NONE ? &renderer->delays[track->delay] : NULL;
    sl_reverb *reverb = track->reverb != LINES_NONE ? &renderer->reverbs[track->reverb] : NULL;
    if (delay != NULL && delay->is_clear == 0 && delay->leaving == 0) delay->leaving = renderer->leave_frames + 1;
    if (reverb != NULL && reverb->is_clear == 0 && reverb->leaving == 0) reverb->leaving = renderer->leave_frames + 1;
}

void sl_space_step(sl_renderer *renderer, const sl_track *track)
{
    if (track->delay != LINES_NONE && renderer->delays[track->delay].leaving == 1)
        sl_space_clear_delay(renderer, &renderer->delays[track->delay]);
    if (track->reverb != LINES_NONE && renderer->reverbs[track->reverb].leaving == 1)
        sl_space_clear_reverb(renderer, &renderer->reverbs[track->reverb]);
}

/* After a panic: less and less is heard of it, then nothing until it is cleared, at the next step. */
static void leave(const sl_renderer *renderer, uint32_t *leaving, uint32_t frames, float *left, float *right)
{
    const uint32_t fade = renderer->fade_frames, silent = renderer->leave_frames - fade;
    for (uint32_t i = 0; i<frames && * leaving> 0; i++) {
        const uint32_t rest = *leaving - 1 > silent ? *leaving - 1 - silent : 0;
        const float share = (float)(int32_t)rest / (float)(int32_t)fade;
        left[i] = left[i] * share;
        right[i] = right[i] * share;
        if (*leaving > 1) --*leaving;
    }
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

/* What stands in a line from a place on, which may go round its end. */
static void read_run(const float *line, uint32_t length, uint32_t at, float *out, uint32_t frames)
{
    const uint32_t some = length - at < frames ? length - at : frames;
    memcpy(out, line + at, some * sizeof *out);
    memcpy(out + some, line, (frames - some) * sizeof *out);
}

static void write_run(float *line, uint32_t length, uint32_t at, const float *from, uint32_t frames)
{
    const uint32_t some = length - at < frames ? length - at : frames;
    memcpy(line + at, from, some * sizeof *from);
    memcpy(line, from + some, (frames - some) * sizeof *from);
}

static void read_back(const sl_renderer *renderer, const float *line, uint32_t at, uint32_t back, float *out,
                      uint32_t frames)
{
    const uint32_t length = renderer->delay_frames;
    read_run(line, length, at >= back ? at - back : at + length - back, out, frames);
}

/* What was written before; while it fades over to another time, both. A delay is longer than a step (wanted_back), so
 * all of a step can be read before it is written. */
static void read_delay(const sl_renderer *renderer, sl_delay *delay, float heard[2][STEP], uint32_t frames)
{
    for (uint32_t side = 0; side < 2; side++) {
        read_back(renderer, delay->lines[side], delay->at, delay->back, heard[side], frames);
        if (delay->fade == 0) continue;
        float next[STEP];
        read_back(renderer, delay->lines[side], delay->at, delay->back_next, next, frames);
        for (uint32_t i = 0; i < frames; i++) {
            const float old = (float)(int32_t)(delay->fade > i ? delay->fade - i : 0) * (1 / (float)FADE_FRAMES);
            heard[side][i] = next[i] + old * (heard[side][i] - next[i]);
        }
    }
    if (delay->fade > 0 && delay->fade <= frames) delay->back = delay->back_next;
    delay->fade -= delay->fade < frames ? delay->fade : frames;
}

/* What comes back into the lines is duller. */
static void darken_delay(const sl_renderer *renderer, sl_delay *delay, float tone_hz, float heard[2][STEP],
                         float dull[2][STEP], uint32_t frames)
{
    const float tone = one_pole(renderer, tone_hz);
    float left = delay->states[0], right = delay->states[1];
    for (uint32_t i = 0; i < frames; i++) {
        left = sl_without_tiny(left + tone * (heard[0][i] - left));
        right = sl_without_tiny(right + tone * (heard[1][i] - right));
        dull[0][i] = left;
        dull[1][i] = right;
    }
    delay->states[0] = left;
    delay->states[1] = right;
}

void sl_delay_render(sl_renderer *renderer, const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames)
{
    sl_delay *delay = &renderer->delays[track->delay];
    const sl_ramp on = track->on[SL_EFFECT_DELAY], width = track->strip[SL_STRIP_DELAY_WIDTH];
    const sl_ramp feedback = track->strip[SL_STRIP_DELAY_FEEDBACK], mix = track->strip[SL_STRIP_DELAY_MIX];
    const uint32_t length = renderer->delay_frames;
    float heard[2][STEP], dull[2][STEP];
    if (delay->back == 0) delay->back = wanted_back(renderer, track);
    delay->is_clear = 0;
    read_delay(renderer, delay, heard, frames);
    darken_delay(renderer, delay, track->strip[SL_STRIP_DELAY_TONE].next, heard, dull, frames);
    leave(renderer, &delay->leaving, frames, heard[0], heard[1]);
    for (uint32_t i = 0; i < frames; i++) {
        const float is_on = sl_ramp_at(&on, offset + i), wide = sl_ramp_at(&width, offset + i);
        const float kept = sl_clamp(sl_ramp_at(&feedback, offset + i), 0, 0.95F);
        const float wet = is_on * sl_ramp_at(&mix, offset + i);
        const float left = bus->left[i], right = bus->right[i], both = 0.5F * (left + right);
        const float in_left = is_on * (left + wide * (both - left)), in_right = is_on * (right - wide * right);
        const float from_left = dull[0][i] + wide * (dull[1][i] - dull[0][i]);
        const float from_right = dull[1][i] + wide * (dull[0][i] - dull[1][i]);
        dull[0][i] = sl_without_tiny(in_left + kept * from_left);
        dull[1][i] = sl_without_tiny(in_right + kept * from_right);
        bus->left[i] = left + wet * heard[0][i];
        bus->right[i] = right + wet * heard[1][i];
    }
    for (uint32_t side = 0; side < 2; side++) write_run(delay->lines[side], length, delay->at, dull[side], frames);
    delay->at = delay->at + frames < length ? delay->at + frames : delay->at + frames - length;
}

/* Where a line of the reverb goes on. */
static void move_on(const sl_renderer *renderer, sl_reverb *reverb, uint32_t number, uint32_t frames)
{
    const uint32_t length = renderer->reverb_lengths[number], at = reverb->at[number] + frames;
    reverb->at[number] = at < length ? at : at - length;
}

/* An all-pass: what goes in comes out spread over time. It is longer than a step. */
static void diffuse(const sl_renderer *renderer, sl_reverb *reverb, uint32_t number, float *values, uint32_t frames)
{
    float *line = reverb->memory + renderer->reverb_starts[number];
    const uint32_t length = renderer->reverb_lengths[number];
    float held[STEP], in[STEP];
    read_run(line, length, reverb->at[number], held, frames);
    for (uint32_t i = 0; i < frames; i++) {
        in[i] = sl_without_tiny(values[i] - DIFFUSION * held[i]);
        values[i] = held[i] + DIFFUSION * in[i];
    }
    write_run(line, length, reverb->at[number], in, frames);
    move_on(renderer, reverb, number, frames);
}

/* What comes out of a line; of the first four, the end is read a little earlier, now more, now less. */
static void read_line(const sl_renderer *renderer, const sl_reverb *reverb, uint32_t number, float *values,
                      uint32_t frames)
{
    const float *line = reverb->memory + renderer->reverb_starts[number];
    const uint32_t length = renderer->reverb_lengths[number], at = reverb->at[number];
    float later[STEP + SWING_FRAMES + 2];
    if (number >= LINES / 2) {
        read_run(line, length, at, values, frames);
        return;
    }
    const uint32_t step = sl_phase_step(renderer, SWING_HZ), phase = reverb->phase + number * 0x40000000U;
    read_run(line, length, at, later, frames + SWING_FRAMES + 2);
    for (uint32_t i = 0; i < frames; i++) {
        const float shift = (sl_triangle(phase + step * i) + 1) * (0.5F * (float)SWING_FRAMES);
        const uint32_t whole = (uint32_t)(int32_t)shift;
        const float near = later[i + whole], far = later[i + whole + 1];
        values[i] = near + (shift - (float)(int32_t)whole) * (far - near);
    }
}

/* All lines darker, side by side. */
static void darken_lines(sl_reverb *reverb, float dark, float lines[LINES][STEP], uint32_t frames)
{
    sl_eight damped;
    sl_eight_load(&damped, reverb->damped);
    for (uint32_t at = 0; at < frames; at += LINES) {
        const uint32_t some = frames - at < LINES ? frames - at : LINES;
        sl_eight values[LINES];
        for (uint32_t i = 0; i < LINES; i++) sl_eight_load(&values[i], lines[i] + at);
        sl_eight_turn_over(values);
        for (uint32_t i = 0; i < some; i++) {
            damped = damped + dark * (values[i] - damped);
            sl_eight_cut_tiny(&damped);
            values[i] = damped;
        }
        sl_eight_turn_over(values);
        for (uint32_t i = 0; i < LINES; i++) sl_eight_store(lines[i] + at, &values[i]);
    }
    sl_eight_store(reverb->damped, &damped);
}

static void write_line(const sl_renderer *renderer, sl_reverb *reverb, uint32_t number, const float *back,
                       const float *in, uint32_t frames)
{
    float *line = reverb->memory + renderer->reverb_starts[number];
    float values[STEP];
    for (uint32_t i = 0; i < frames; i++) values[i] = sl_without_tiny(back[i] + in[i]);
    write_run(line, renderer->reverb_lengths[number], reverb->at[number], values, frames);
    move_on(renderer, reverb, number, frames);
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
    const sl_ramp *strip = track->strip, on = track->on[SL_EFFECT_REVERB], mix = strip[SL_STRIP_REVERB_MIX];
    const float dark = one_pole(renderer, strip[SL_STRIP_REVERB_DAMPING].next);
    const float seconds = sl_clamp(strip[SL_STRIP_REVERB_DECAY].next, 0.05F, 60) * (float)renderer->rate;
    float lines[LINES][STEP] = {{0}}, in[2][STEP], wet[2][STEP] = {{0}}, kept[LINES];
    reverb->is_clear = 0;
    for (uint32_t i = 0; i < frames; i++) {
        const float share = 0.4F * sl_ramp_at(&on, offset + i);
        in[0][i] = share * bus->left[i];
        in[1][i] = share * bus->right[i];
    }
    for (uint32_t i = 0; i < DIFFUSERS; i++) diffuse(renderer, reverb, LINES + i, in[i / 2], frames);
    for (uint32_t line = 0; line < LINES; line++) read_line(renderer, reverb, line, lines[line], frames);
    darken_lines(reverb, dark, lines, frames);
    for (uint32_t line = 0; line < LINES; line++)
        kept[line] = sl_exp2(-9.96578428F * (float)(int32_t)renderer->reverb_lengths[line] / seconds) * 0.353553391F;
    for (uint32_t line = 0; line < LINES; line++) {
        const float sign = (line & 2) != 0 ? -1 : 1;
        for (uint32_t i = 0; i < frames; i++) wet[line % 2][i] += sign * lines[line][i];
        for (uint32_t i = 0; i < frames; i++) lines[line][i] = lines[line][i] * kept[line];
    }
    mix_lines(lines, frames);
    for (uint32_t line = 0; line < LINES; line++) write_line(renderer, reverb, line, lines[line], in[line % 2], frames);
    reverb->phase += sl_phase_step(renderer, SWING_HZ) * frames;
    leave(renderer, &reverb->leaving, frames, wet[0], wet[1]);
    for (uint32_t i = 0; i < frames; i++) {
        const float wetness = sl_ramp_at(&on, offset + i) * sl_ramp_at(&mix, offset + i);
        bus->left[i] = bus->left[i] - 0.5F * wetness * bus->left[i] + wetness * wet[0][i];
        bus->right[i] = bus->right[i] - 0.5F * wetness * bus->right[i] + wetness * wet[1][i];
    }
}
