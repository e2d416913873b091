/* Rendering: step by step, tracks into one, and the limiter behind them. */
#include "core/renderer_internal.h"
#include "core/vector.h"

#include <assert.h>

#define HEARD_MIN 1e-8F /* a track that stays below is asleep */
#define KNEE 0.7F
#define CEILING 0.98F

static void begin_step(sl_renderer *renderer);
static void render_some(sl_renderer *renderer, uint32_t offset, uint32_t frames, float *out);
static void render_track(sl_renderer *renderer, uint32_t index, uint32_t offset, uint32_t frames);
static void add_rest(const sl_renderer *renderer, sl_track *track, sl_bus *bus, uint32_t frames);
static void add_side(float *restrict values, const sl_ramp *gain, uint32_t offset, uint32_t frames,
                     float *restrict sum);
static void limit(sl_renderer *renderer, uint32_t offset, uint32_t frames, float *out);

void sl_renderer_render(sl_renderer *renderer, float *left_right, size_t frames)
{
    while (frames > 0) {
        const uint32_t offset = (uint32_t)(renderer->frame % STEP);
        const uint32_t some = frames < STEP - offset ? (uint32_t)frames : STEP - offset;
        if (offset == 0) begin_step(renderer);
        render_some(renderer, offset, some, left_right);
        renderer->frame += some;
        left_right += 2 * (size_t)some;
        frames -= some;
    }
}

/* A track without a voice that was quiet for long enough goes to sleep; what is left in its lines is nothing. */
static void put_to_sleep(sl_renderer *renderer, uint32_t index)
{
    sl_track *track = &renderer->tracks[index];
    const bool has_space = track->delay != LINES_NONE || track->reverb != LINES_NONE;
    if (track->is_awake == 0 || track->quiet < (has_space ? renderer->quiet_frames : CHORUS_FRAMES)) return;
    for (uint32_t i = 0; i < VOICES; i++)
        if (renderer->voices[i].is_active != 0 && renderer->voices[i].track == index) return;
    sl_strip_clear(renderer, track);
    track->is_awake = 0;
    track->quiet = 0;
}

static void begin_step(sl_renderer *renderer)
{
    sl_ramp_step(&renderer->volume);
    for (uint32_t i = 0; i < TRACKS; i++) {
        if (renderer->tracks[i].is_taken == 0) continue;
        put_to_sleep(renderer, i);
        sl_strip_step(renderer, &renderer->tracks[i]);
    }
    sl_voices_step(renderer);
}

static void render_some(sl_renderer *renderer, uint32_t offset, uint32_t frames, float *out)
{
    memset(&renderer->sum, 0, sizeof renderer->sum);
    for (uint32_t i = 0; i < TRACKS; i++)
        if (renderer->tracks[i].is_awake != 0) memset(&renderer->buses[i], 0, sizeof renderer->buses[i]);
    sl_voices_render(renderer, frames);
    for (uint32_t i = 0; i < TRACKS; i++) {
        if (renderer->tracks[i].is_awake != 0)
            render_track(renderer, i, offset, frames);
        else
            renderer->meters[i].frames += frames;
    }
    limit(renderer, offset, frames, out);
}

/* Four sums side by side are quicker than one. */
static float squares(const float *values, uint32_t frames, float *peak)
{
    sl_four sums = {0}, peaks = {0};
    uint32_t i = 0;
    for (; i + 4 <= frames; i += 4) {
        const sl_four size = sl_four_abs(sl_four_load(values + i));
        sums += size * size;
        peaks = sl_four_larger(size, peaks);
    }
    for (; i < frames; i++) {
        const float size = sl_abs(values[i]);
        sums[i % 4] += size * size;
        peaks[i % 4] = size > peaks[i % 4] ? size : peaks[i % 4];
    }
    for (i = 0; i < 4; i++)
        if (peaks[i] > *peak) *peak = peaks[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static void measure(sl_renderer_meter *meter, const sl_bus *bus, uint32_t frames)
{
    meter->square_left += (double)squares(bus->left, frames, &meter->peak_left);
    meter->square_right += (double)squares(bus->right, frames, &meter->peak_right);
    meter->frames += frames;
}

/* Frames since something was heard. */
static void listen(sl_track *track, const sl_bus *bus, uint32_t frames)
{
    uint32_t after = 0;
    while (after < frames && sl_abs(bus->left[frames - 1 - after]) < HEARD_MIN &&
           sl_abs(bus->right[frames - 1 - after]) < HEARD_MIN)
        after++;
    track->quiet = after < frames ? after : track->quiet + after;
}

static void render_track(sl_renderer *renderer, uint32_t index, uint32_t offset, uint32_t frames)
{
    sl_track *track = &renderer->tracks[index];
    sl_bus *bus = &renderer->buses[index];
    add_rest(renderer, track, bus, frames);
    sl_strip_render(renderer, index, offset, frames);
    listen(track, bus, frames);
    add_side(bus->left, &track->left, offset, frames, renderer->sum.left);
    add_side(bus->right, &track->right, offset, frames, renderer->sum.right);
    measure(&renderer->meters[index], bus, frames);
}

/* What was cut off dies away. */
static void add_rest(const sl_renderer *renderer, sl_track *track, sl_bus *bus, uint32_t frames)
{
    const float loss = renderer->rest_loss;
    float left = track->rest_left, right = track->rest_right;
    if (!(sl_abs(left) > 0) && !(sl_abs(right) > 0)) return;
    for (uint32_t i = 0; i < frames; i++) {
        bus->left[i] += left;
        bus->right[i] += right;
        left = sl_without_tiny(left * loss);
        right = sl_without_tiny(right * loss);
    }
    track->rest_left = left;
    track->rest_right = right;
}

/* Through its gain into the sum. */
static void add_side(float *restrict values, const sl_ramp *gain, uint32_t offset, uint32_t frames, float *restrict sum)
{
    const sl_ramp ramp = *gain;
    for (uint32_t i = 0; i < frames; i++) {
        values[i] = values[i] * sl_ramp_at(&ramp, offset + i);
        sum[i] += values[i];
    }
}

/* How loud a peak may come out: as it is up to the knee, then ever less more, up to the ceiling. */
static float bound(float peak)
{
    return KNEE + (CEILING - KNEE) * sl_saturate((peak - KNEE) * (1 / (CEILING - KNEE)));
}

/* The gain follows the peaks: down at once, up again slowly. Below the knee nothing changes, not a bit. */
static void limit(sl_renderer *renderer, uint32_t offset, uint32_t frames, float *out)
{
    const sl_ramp volume = renderer->volume;
    const float loss = renderer->limiter_loss;
    float peak = renderer->peak;
    for (uint32_t i = 0; i < frames; i++) {
        const float now = sl_ramp_at(&volume, offset + i);
        float left = renderer->sum.left[i] * now, right = renderer->sum.right[i] * now;
        peak = sl_without_tiny(peak * loss);
        if (sl_abs(left) > peak) peak = sl_abs(left);
        if (sl_abs(right) > peak) peak = sl_abs(right);
        if (peak > KNEE) {
            const float gain = bound(peak) / peak;
            left = left * gain;
            right = right * gain;
        }
        renderer->sum.left[i] = left;
        renderer->sum.right[i] = right;
        *out++ = left;
        *out++ = right;
    }
    renderer->peak = peak;
    measure(&renderer->meters[TRACKS], &renderer->sum, frames);
}

sl_renderer_meter sl_renderer_take_meter(sl_renderer *renderer, uint32_t track)
{
    assert(track <= TRACKS);
    const sl_renderer_meter meter = renderer->meters[track];
    renderer->meters[track] = (sl_renderer_meter){0};
    return meter;
}

bool sl_renderer_is_silent(const sl_renderer *renderer)
{
    for (uint32_t i = 0; i < TRACKS; i++)
        if (renderer->tracks[i].is_awake != 0) return false;
    return true;
}
