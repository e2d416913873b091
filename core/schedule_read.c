/* What a schedule answers: its clock, its session, what changed in it. */
#include "core/schedule_internal.h"

uint64_t sl_schedule_taken_seq(const sl_schedule *schedule)
{
    return schedule->taken_seq;
}

uint64_t sl_schedule_applied_seq(const sl_schedule *schedule)
{
    return schedule->now.applied_seq;
}

bool sl_schedule_mark(const sl_schedule *schedule, sl_applied *out)
{
    *out = schedule->now.mark;
    return schedule->now.has_mark;
}

int64_t sl_schedule_tick(const sl_schedule *schedule, uint64_t frame)
{
    sl_clock clock = schedule->now.clock;
    return sl_clock_run_to_frame(&clock, &schedule->now, frame);
}

uint64_t sl_schedule_frame(const sl_schedule *schedule, int64_t tick)
{
    sl_clock clock = schedule->now.clock;
    sl_clock_run(&clock, &schedule->now, tick);
    if (!clock.is_running || tick < clock.tempo.tick) return SL_FRAME_NEVER;
    return sl_tempo_frame_at(&clock.tempo, tick);
}

sl_position sl_schedule_position(const sl_schedule *schedule, uint64_t frame)
{
    const sl_view *view = &schedule->now;
    sl_clock clock = view->clock;
    int64_t tick = sl_clock_run_to_frame(&clock, view, frame);
    int64_t bar = sl_clock_next(&clock, view, tick, SL_QUANTIZE_BAR);
    return (sl_position){.tick = tick,
                         .beat = (double)(tick - clock.start) / (double)SL_TICKS_PER_BEAT,
                         .bar = clock.bar_number + (uint64_t)((tick - clock.bar_origin) / sl_clock_bar_ticks(&clock)),
                         .next_bar_beat = (double)(bar - clock.start) / (double)SL_TICKS_PER_BEAT,
                         .numerator = clock.numerator,
                         .denominator = clock.denominator,
                         .is_playing = clock.is_running,
                         .bpm = sl_tempo_bpm(&clock.tempo, tick)};
}

int64_t sl_schedule_next(const sl_schedule *schedule, int64_t tick, sl_quantize quantize)
{
    return sl_clock_next(&schedule->now.clock, &schedule->now, tick,
                         quantize == SL_QUANTIZE_DEFAULT ? schedule->quantize : (uint8_t)quantize);
}

uint64_t sl_schedule_panics(const sl_schedule *schedule)
{
    return schedule->now.panics;
}

bool sl_schedule_is_sounding(const sl_schedule *schedule, uint64_t frame)
{
    const sl_view *view = &schedule->now;
    sl_clock clock = view->clock;
    int64_t tick = sl_clock_run_to_frame(&clock, view, frame);
    if (!clock.is_running) return clock.has_halted && clock.halt_frame >= frame;
    for (uint32_t i = 0; i < view->voice_count; i++)
        if (view->voices[i].end >= tick && view->voices[i].track->part->note_count > 0) return true;
    return false;
}

void sl_schedule_advance(sl_schedule *schedule, uint64_t frame)
{
    (void)sl_clock_run_to_frame(&schedule->now.clock, &schedule->now, frame);
}

uint32_t sl_schedule_track_count(const sl_schedule *schedule)
{
    return sl_schedule_present(schedule)->count;
}

const sl_code_track *sl_schedule_track(const sl_schedule *schedule, uint32_t index)
{
    return index < sl_schedule_present(schedule)->count ? sl_schedule_present(schedule)->entries[index].track : NULL;
}

bool sl_schedule_track_is_stopped(const sl_schedule *schedule, uint32_t index)
{
    return index < sl_schedule_present(schedule)->count && sl_schedule_present(schedule)->entries[index].is_stopped;
}

double sl_schedule_session_bpm(const sl_schedule *schedule)
{
    return sl_schedule_present(schedule)->bpm;
}

bool sl_schedule_session_signature(const sl_schedule *schedule, uint8_t *numerator, uint8_t *denominator)
{
    *numerator = sl_schedule_present(schedule)->numerator;
    *denominator = sl_schedule_present(schedule)->denominator;
    return *numerator > 0;
}

sl_quantize sl_schedule_quantize(const sl_schedule *schedule)
{
    return (sl_quantize)schedule->quantize;
}

uint32_t sl_schedule_undo_count(const sl_schedule *schedule)
{
    return schedule->history_at;
}

uint32_t sl_schedule_redo_count(const sl_schedule *schedule)
{
    return schedule->history_count - 1 - schedule->history_at;
}

bool sl_schedule_has_track(const sl_schedule *schedule, const char *name, size_t length, uint32_t hint)
{
    return sl_session_find(sl_schedule_present(schedule), name, length, hint) >= 0;
}

sl_session_diff sl_session_diff_begin(const sl_schedule *schedule)
{
    return (sl_session_diff){.before = sl_session_hold(sl_schedule_present(schedule))};
}

bool sl_session_diff_is_any(const sl_session_diff *diff, const sl_schedule *schedule)
{
    return diff->before != sl_schedule_present(schedule);
}

bool sl_session_diff_has(const sl_session_diff *diff, const sl_code_track *track, bool is_stopped, uint32_t hint)
{
    int64_t at = sl_session_find(diff->before, track->name, track->name_length, hint);
    return at < 0 || diff->before->entries[at].track != track || diff->before->entries[at].is_stopped != is_stopped;
}

bool sl_session_diff_bpm(const sl_session_diff *diff, double bpm)
{
    return !sl_is_same(diff->before->bpm, bpm);
}

void sl_session_diff_end(const sl_schedule *schedule, sl_session_diff *diff)
{
    sl_session_drop(diff->before, schedule->memory);
    diff->before = NULL;
}
