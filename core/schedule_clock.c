/* The clock: from tick to frame through tempo changes, time signatures and halts. */
#include "core/schedule_internal.h"

#include <assert.h>

int64_t sl_clock_beat_ticks(const sl_clock *clock)
{
    return SL_TICKS_PER_BEAT * 4 / clock->denominator;
}

int64_t sl_clock_bar_ticks(const sl_clock *clock)
{
    return sl_clock_beat_ticks(clock) * clock->numerator;
}

/* The first cue of a part at or after a time. */
static uint32_t first_cue(const sl_part *part, int64_t time)
{
    uint32_t low = 0, high = part->cue_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (part->cues[middle].start < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next time, at or after `tick`, that a voice passes a cue. */
static int64_t next_cue(const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    if (part->cue_count == 0 || part->length == 0) return SL_TICK_NEVER;
    if (tick < voice->from) tick = voice->from;
    if (tick >= voice->end) return SL_TICK_NEVER;
    int64_t length = part->length, turn = (tick - voice->origin) / length;
    int64_t best = SL_TICK_NEVER;
    for (int64_t k = turn > 0 ? turn - 1 : 0; k <= turn + 1; k++) {
        int64_t begin = voice->origin + k * length;
        uint32_t cue = first_cue(part, tick - begin);
        if (cue < part->cue_count && begin + part->cues[cue].start < best) best = begin + part->cues[cue].start;
    }
    return best < voice->end ? best : SL_TICK_NEVER;
}

static int64_t next_event(const sl_clock *clock, const sl_view *view)
{
    int64_t best = SL_TICK_NEVER;
    for (uint32_t i = 0; i < view->plan_count; i++)
        if (view->plans[i].tick >= clock->tick && view->plans[i].tick < best) best = view->plans[i].tick;
    for (uint32_t i = 0; i < view->voice_count; i++) {
        int64_t at = next_cue(&view->voices[i], clock->tick);
        if (at < best) best = at;
    }
    return best;
}

void sl_clock_set_signature(sl_clock *clock, int64_t tick, uint8_t numerator, uint8_t denominator)
{
    if (clock->numerator == numerator && clock->denominator == denominator) return;
    int64_t bar = sl_clock_bar_ticks(clock), gone = tick - clock->bar_origin;
    clock->bar_number += (uint64_t)((gone + bar - 1) / bar); /* a bar that is broken off counts */
    clock->bar_origin = tick;
    clock->numerator = numerator;
    clock->denominator = denominator;
}

void sl_clock_halt(sl_clock *clock, int64_t tick, uint64_t frame, bool is_stop)
{
    clock->is_running = false;
    clock->is_stopped = is_stop;
    clock->has_halted = true;
    clock->halt_frame = frame;
    clock->tick = tick;
    clock->cut_before = clock->cut;
    clock->cut = tick;
}

static void take_cues(sl_clock *clock, const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    if (part->cue_count == 0 || part->length == 0 || tick < voice->from || tick >= voice->end) return;
    int64_t length = part->length, turn = (tick - voice->origin) / length;
    for (int64_t k = turn > 0 ? turn - 1 : 0; k <= turn; k++) {
        int64_t time = tick - voice->origin - k * length;
        for (uint32_t i = first_cue(part, time); i < part->cue_count && part->cues[i].start == time; i++) {
            const sl_cue *cue = &part->cues[i];
            if (cue->type == SL_CUE_TEMPO)
                sl_tempo_change(&clock->tempo, tick, cue->bpm, cue->ramp, cue->curve);
            else
                sl_clock_set_signature(clock, tick, cue->numerator, cue->denominator);
        }
    }
}

/* Does what happens at a tick; a halt comes before the rest, which then waits until the clock runs again. */
static void take_events(sl_clock *clock, const sl_view *view, int64_t tick)
{
    for (uint32_t i = 0; i < view->plan_count; i++) {
        if (view->plans[i].tick != tick || view->plans[i].type != SL_PLAN_HALT) continue;
        sl_clock_halt(clock, tick, sl_tempo_frame_at(&clock->tempo, tick), true);
        return;
    }
    for (uint32_t i = 0; i < view->plan_count; i++) {
        const sl_plan *plan = &view->plans[i];
        if (plan->tick != tick) continue;
        if (plan->type == SL_PLAN_TEMPO)
            sl_tempo_change(&clock->tempo, tick, plan->bpm, 0, SL_CURVE_LINEAR);
        else
            sl_clock_set_signature(clock, tick, plan->numerator, plan->denominator);
    }
    for (uint32_t i = 0; i < view->voice_count; i++) take_cues(clock, &view->voices[i], tick);
    clock->tick = tick + 1;
}

int64_t sl_clock_step(sl_clock *clock, const sl_view *view, int64_t before)
{
    if (!clock->is_running) return SL_TICK_NEVER;
    int64_t event = next_event(clock, view);
    if (event >= before) return SL_TICK_NEVER;
    take_events(clock, view, event);
    return event;
}

void sl_clock_run(sl_clock *clock, const sl_view *view, int64_t tick)
{
    while (sl_clock_step(clock, view, tick) != SL_TICK_NEVER) continue;
    if (clock->is_running && clock->tick < tick) clock->tick = tick;
}

int64_t sl_clock_run_to_frame(sl_clock *clock, const sl_view *view, uint64_t frame)
{
    while (clock->is_running) {
        int64_t tick = sl_tempo_tick_at(&clock->tempo, frame);
        if (sl_clock_step(clock, view, tick) != SL_TICK_NEVER) continue;
        if (clock->tick < tick) clock->tick = tick;
        return tick;
    }
    return clock->tick;
}

/* Where the grid has its next line; signatures that change on the way make a line of their own. */
int64_t sl_clock_next(const sl_clock *clock, const sl_view *view, int64_t tick, uint8_t quantize)
{
    if (quantize == SL_QUANTIZE_OFF) return tick;
    sl_clock run = *clock;
    sl_clock_run(&run, view, tick);
    for (;;) {
        int64_t unit = quantize == SL_QUANTIZE_BAR ? sl_clock_bar_ticks(&run) : sl_clock_beat_ticks(&run);
        int64_t gone = tick - run.bar_origin, origin = run.bar_origin;
        int64_t line = origin + (gone + unit - 1) / unit * unit;
        while (run.bar_origin == origin)
            if (sl_clock_step(&run, view, line) == SL_TICK_NEVER) return line;
        if (run.bar_origin >= tick) return run.bar_origin;
    }
}
