/* What a mark makes of the groove box's lanes: they begin, go on with other steps, and end. */
#include "core/schedule_internal.h"

/* A lane from a tick on, in the phase of all. */
static sl_err splice(sl_view *view, sl_memory memory, sl_code_track *track, int64_t tick)
{
    int64_t end = view->lanes_length > 0 ? view->lanes_origin + view->lanes_length : SL_TICK_NEVER;
    (void)sl_view_end_voices(view, memory, track, true, tick);
    if (end <= tick) return SL_OK;
    return sl_view_add_voice(view, memory,
                             (sl_voice){.track = track,
                                        .origin = view->lanes_origin,
                                        .from = tick,
                                        .end = end,
                                        .channel = track->channel,
                                        .is_lane = true});
}

sl_err sl_view_begin_lanes(sl_view *view, sl_memory memory, int64_t tick)
{
    sl_err err = SL_OK;
    if (!view->lanes_run) return SL_OK;
    view->lanes_origin = tick;
    for (uint32_t i = 0; i < view->lanes->count && err == SL_OK; i++)
        err = splice(view, memory, view->lanes->entries[i].track, tick);
    return err;
}

static void end_lanes(sl_view *view, sl_memory memory, int64_t tick)
{
    for (uint32_t i = 0; i < view->lanes->count; i++)
        (void)sl_view_end_voices(view, memory, view->lanes->entries[i].track, true, tick);
}

/* Lanes that go on: those that are the same are not touched, unless all end elsewhere now. */
static sl_err exchange(sl_view *view, sl_memory memory, const sl_session_view *old, bool is_same_length, int64_t tick)
{
    const sl_session_view *new = view->lanes;
    sl_err err = SL_OK;
    if (tick < view->lanes_origin) tick = view->lanes_origin;
    for (uint32_t i = 0; i < new->count &&err == SL_OK; i++) {
        sl_code_track *track = new->entries[i].track;
        int64_t at = sl_session_find(old, track->name, track->name_length, i);
        bool is_same = is_same_length && at >= 0 && sl_digest_equal(old->entries[at].track->digest, track->digest);
        if (!is_same) err = splice(view, memory, track, tick);
    }
    for (uint32_t i = 0; i < old->count; i++) {
        const sl_code_track *track = old->entries[i].track;
        if (sl_session_find(new, track->name, track->name_length, i) < 0)
            (void)sl_view_end_voices(view, memory, track, true, tick);
    }
    return err;
}

sl_err sl_view_apply_lanes(sl_view *view, sl_memory memory, const sl_input_entry *input, int64_t tick)
{
    sl_session_view *old = view->lanes;
    bool has_run = view->lanes_run, runs = input->quantize != 0;
    int64_t length = (int64_t)input->value;
    bool is_same_length = length == view->lanes_length;
    bool is_stopped = !view->clock.is_running && view->clock.is_stopped;
    sl_err err = SL_OK;
    if (has_run && !runs && !is_stopped) end_lanes(view, memory, tick);
    view->lanes = sl_session_hold(input->session);
    view->lanes_run = runs;
    view->lanes_length = length;
    if (runs && !has_run && !is_stopped)
        err = sl_view_begin_lanes(view, memory, sl_clock_next(&view->clock, view, tick, SL_QUANTIZE_BAR));
    if (runs && has_run && !is_stopped) err = exchange(view, memory, old, is_same_length, tick);
    sl_session_drop(old, memory);
    return err;
}
