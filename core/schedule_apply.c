/* What a mark makes count: splices, halts, tempo. */
#include "core/schedule_internal.h"

#include <assert.h>
#include <string.h>

bool sl_is_same(double a, double b)
{
    uint64_t a_bits, b_bits;
    memcpy(&a_bits, &a, sizeof a_bits);
    memcpy(&b_bits, &b, sizeof b_bits);
    return a_bits == b_bits;
}

void sl_view_clear(sl_view *view, sl_memory memory)
{
    for (uint32_t i = 0; i < view->voice_count; i++) sl_code_track_drop(view->voices[i].track, memory);
    if (view->voices != NULL) memory.resize(memory.ctx, view->voices, view->voice_capacity * sizeof *view->voices, 0);
    sl_session_drop(view->session, memory);
    sl_session_drop(view->lanes, memory);
    memset(view, 0, sizeof *view);
}

sl_err sl_view_copy(const sl_view *view, sl_memory memory, sl_view *out)
{
    *out = *view;
    out->voices = NULL;
    out->voice_capacity = view->voice_count;
    if (view->voice_count > 0) {
        out->voices = memory.resize(memory.ctx, NULL, 0, view->voice_count * sizeof *view->voices);
        if (out->voices == NULL) {
            memset(out, 0, sizeof *out);
            return SL_ERR_MEMORY;
        }
        memcpy(out->voices, view->voices, view->voice_count * sizeof *view->voices);
    }
    assert(out->voice_count == 0 || out->voices != NULL);
    for (uint32_t i = 0; i < out->voice_count; i++) sl_code_track_hold(out->voices[i].track);
    sl_session_hold(out->session);
    sl_session_hold(out->lanes);
    return SL_OK;
}

static void remove_voice(sl_view *view, sl_memory memory, uint32_t index)
{
    sl_code_track_drop(view->voices[index].track, memory);
    view->voice_count--;
    memmove(view->voices + index, view->voices + index + 1, (view->voice_count - index) * sizeof *view->voices);
}

sl_err sl_view_add_voice(sl_view *view, sl_memory memory, sl_voice voice)
{
    if (view->voice_count == view->voice_capacity) {
        uint32_t capacity = view->voice_capacity < 8 ? 16 : view->voice_capacity * 2;
        size_t old_size = view->voice_capacity * sizeof *view->voices;
        sl_voice *voices = memory.resize(memory.ctx, view->voices, old_size, capacity * sizeof *voices);
        if (voices == NULL) return SL_ERR_MEMORY;
        view->voices = voices;
        view->voice_capacity = capacity;
    }
    voice.number = view->voice_next++;
    voice.next = -1;
    sl_code_track_hold(voice.track);
    view->voices[view->voice_count++] = voice;
    return SL_OK;
}

static void remove_plans(sl_view *view, uint8_t type, int64_t from)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < view->plan_count; i++)
        if (view->plans[i].type != type || view->plans[i].tick < from) view->plans[kept++] = view->plans[i];
    view->plan_count = kept;
}

/* A plan takes away those of its type that would come after it: it is the later word. */
static void add_plan(sl_view *view, sl_plan plan)
{
    remove_plans(view, plan.type, plan.tick);
    if (view->plan_count == SL_PLANS_MAX) view->plan_count--;
    uint32_t at = view->plan_count++;
    for (; at > 0 && view->plans[at - 1].tick > plan.tick; at--) view->plans[at] = view->plans[at - 1];
    view->plans[at] = plan;
}

void sl_view_advance(sl_view *view, sl_memory memory, uint64_t frame)
{
    (void)sl_clock_run_to_frame(&view->clock, view, frame);
    int64_t tick = view->clock.tick;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < view->plan_count; i++)
        if (view->plans[i].tick >= tick) view->plans[kept++] = view->plans[i];
    view->plan_count = kept;
    for (uint32_t i = view->voice_count; i-- > 0;)
        if (view->voices[i].end < tick) remove_voice(view, memory, i);
}

void sl_view_set_rate(sl_view *view, uint64_t frame, uint32_t rate)
{
    sl_clock *clock = &view->clock;
    if (clock->tempo.rate == rate) return;
    int64_t tick = sl_clock_run_to_frame(clock, view, frame);
    if (clock->is_running) {
        clock->tempo.frame = sl_tempo_frame(&clock->tempo, tick);
        clock->tempo.tick = tick;
    }
    clock->tempo.rate = rate;
}

/* Where the transport stands still a tempo has no frame: it is one from there on. */
static void set_tempo(sl_view *view, int64_t tick, double bpm)
{
    sl_tempo *tempo = &view->clock.tempo;
    if (view->clock.is_running) {
        sl_tempo_change(tempo, tick, bpm, 0, SL_CURVE_LINEAR);
        return;
    }
    tempo->begin = tempo->tick = tick;
    tempo->ramp = 0;
    tempo->bpm_from = tempo->bpm_to = bpm;
}

/* The lowest channel that no voice has; the drums' (10) only where the code says so. */
static uint8_t choose_channel(const sl_view *view)
{
    unsigned used = 1U << 10;
    for (uint32_t i = 0; i < view->voice_count; i++)
        if (view->voices[i].end == SL_TICK_NEVER) used |= 1U << view->voices[i].channel;
    for (unsigned channel = 1; channel <= SL_SCHEDULE_CHANNELS; channel++)
        if ((used & 1U << channel) == 0) return (uint8_t)channel;
    uint8_t channel = (uint8_t)(view->voice_next % (SL_SCHEDULE_CHANNELS - 1) + 1);
    return channel >= 10 ? channel + 1 : channel;
}

static bool is_of(const sl_voice *voice, const sl_code_track *track, bool is_lane)
{
    if (voice->is_lane != is_lane) return false;
    return voice->track == track || (voice->track->name_length == track->name_length &&
                                     memcmp(voice->track->name, track->name, track->name_length) == 0);
}

static void end_voice(sl_voice *voice, int64_t tick)
{
    voice->end = tick;
    voice->next = -1;
}

uint8_t sl_view_end_voices(sl_view *view, sl_memory memory, const sl_code_track *track, bool is_lane, int64_t tick)
{
    uint8_t channel = 0;
    for (uint32_t i = view->voice_count; i-- > 0;) {
        sl_voice *voice = &view->voices[i];
        if (!is_of(voice, track, is_lane)) continue;
        channel = channel == 0 ? voice->channel : channel;
        if (voice->from >= tick)
            remove_voice(view, memory, i);
        else if (voice->end > tick)
            end_voice(voice, tick);
    }
    return channel;
}

/* Where a track begins that is spliced in: anew, or where it is, if it is the same music. */
static int64_t origin_of(const sl_view *view, const sl_code_track *track, int64_t tick)
{
    int64_t origin = tick;
    for (uint32_t i = view->voice_count; i-- > 0;) {
        const sl_voice *voice = &view->voices[i];
        if (!is_of(voice, track, false) || voice->from >= tick || voice->end <= tick) continue;
        if (sl_digest_equal(voice->track->part->digest, track->part->digest)) origin = voice->origin;
    }
    return origin;
}

/* Ends what the track plays at `tick`, and takes away what it was to play from then on. Begins it anew, if `starts`. */
static sl_err splice(sl_view *view, sl_memory memory, sl_code_track *track, bool starts, int64_t tick)
{
    int64_t origin = origin_of(view, track, tick);
    uint8_t channel = sl_view_end_voices(view, memory, track, false, tick);
    if (!starts) return SL_OK;
    if (track->channel > 0) channel = track->channel;
    if (channel == 0) channel = choose_channel(view);
    return sl_view_add_voice(
        view, memory,
        (sl_voice){.track = track, .origin = origin, .from = tick, .end = SL_TICK_NEVER, .channel = channel});
}

static void plan_tempo(sl_view *view, const sl_session_view *old, const sl_session_view *new, int64_t now, int64_t tick)
{
    bool is_tempo = new->bpm > 0 && !sl_is_same(new->bpm, old->bpm);
    bool is_signature =
        new->numerator > 0 && (new->numerator != old->numerator || new->denominator != old->denominator);
    bool is_now = tick == now;
    if (is_tempo && is_now) remove_plans(view, SL_PLAN_TEMPO, tick);
    if (is_tempo && is_now) set_tempo(view, tick, new->bpm);
    if (is_tempo && !is_now) add_plan(view, (sl_plan){.tick = tick, .type = SL_PLAN_TEMPO, .bpm = new->bpm});
    if (is_signature && is_now) remove_plans(view, SL_PLAN_SIGNATURE, tick);
    if (is_signature && is_now) sl_clock_set_signature(&view->clock, tick, new->numerator, new->denominator);
    if (is_signature && !is_now)
        add_plan(view, (sl_plan){.tick = tick,
                                 .type = SL_PLAN_SIGNATURE,
                                 .numerator = new->numerator,
                                 .denominator = new->denominator});
}

static sl_err splice_session(sl_view *view, sl_memory memory, sl_session_view *new, uint8_t quantize, int64_t now)
{
    sl_session_view *old = view->session;
    bool is_stopped = !view->clock.is_running && view->clock.is_stopped;
    int64_t tick = is_stopped ? now : sl_clock_next(&view->clock, view, now, quantize);
    sl_err err = SL_OK;
    for (uint32_t i = 0; i < new->count && !is_stopped &&err == SL_OK; i++) {
        const sl_session_entry *entry = &new->entries[i];
        int64_t at = sl_session_find(old, entry->track->name, entry->track->name_length, i);
        bool is_same = at >= 0 && old->entries[at].is_stopped == entry->is_stopped &&
                       sl_digest_equal(old->entries[at].track->digest, entry->track->digest);
        if (!is_same) err = splice(view, memory, entry->track, !entry->is_stopped, tick);
    }
    for (uint32_t i = 0; i < old->count && !is_stopped && err == SL_OK; i++) {
        sl_code_track *track = old->entries[i].track;
        if (sl_session_find(new, track->name, track->name_length, i) < 0)
            err = splice(view, memory, track, false, tick);
    }
    plan_tempo(view, old, new, now, tick);
    view->session = sl_session_hold(new);
    sl_session_drop(old, memory);
    return err;
}

/* Everything begins anew: bar 0, all tracks that are not stopped. What was to change later has changed. */
static sl_err begin_anew(sl_view *view, sl_memory memory, int64_t tick)
{
    sl_clock *clock = &view->clock;
    for (uint32_t i = view->voice_count; i-- > 0;) {
        sl_voice *voice = &view->voices[i];
        if (voice->end > tick) end_voice(voice, tick);
        if (voice->from >= tick) remove_voice(view, memory, i); /* the others keep the channel */
    }
    for (uint32_t i = 0; i < view->plan_count; i++) {
        const sl_plan *plan = &view->plans[i];
        if (plan->type == SL_PLAN_TEMPO) set_tempo(view, tick, plan->bpm);
        if (plan->type == SL_PLAN_SIGNATURE) sl_clock_set_signature(clock, tick, plan->numerator, plan->denominator);
    }
    view->plan_count = 0;
    clock->bar_origin = clock->start = tick;
    clock->bar_number = 0;
    sl_err err = SL_OK;
    for (uint32_t i = 0; i < view->session->count && err == SL_OK; i++) {
        const sl_session_entry *entry = &view->session->entries[i];
        if (!entry->is_stopped) err = splice(view, memory, entry->track, true, tick);
    }
    return err == SL_OK ? sl_view_begin_lanes(view, memory, tick) : err;
}

static sl_err play(sl_view *view, sl_memory memory, int64_t tick, uint64_t frame)
{
    sl_clock *clock = &view->clock;
    remove_plans(view, SL_PLAN_HALT, INT64_MIN);
    if (clock->is_running) return SL_OK;
    bool is_told = !clock->has_halted || clock->halt_frame < frame; /* else it halts and begins at one frame */
    if (!is_told) clock->cut = clock->cut_before;
    sl_err err = clock->is_stopped ? begin_anew(view, memory, tick) : SL_OK;
    clock->tempo.tick = tick;
    clock->tempo.frame = (double)frame;
    clock->is_running = true;
    clock->is_stopped = clock->has_halted = false;
    return err;
}

static void stop(sl_view *view, uint8_t quantize, int64_t tick, uint64_t frame)
{
    sl_clock *clock = &view->clock;
    remove_plans(view, SL_PLAN_HALT, INT64_MIN);
    if (!clock->is_running) {
        clock->is_stopped = true;
        return;
    }
    int64_t at = sl_clock_next(clock, view, tick, quantize);
    if (at == tick)
        sl_clock_halt(clock, tick, frame, true);
    else
        add_plan(view, (sl_plan){.tick = at, .type = SL_PLAN_HALT});
}

sl_err sl_view_apply(sl_view *view, sl_memory memory, const sl_input_entry *input, uint64_t frame)
{
    int64_t tick = sl_clock_run_to_frame(&view->clock, view, frame);
    view->applied_seq = input->seq;
    switch (input->action) {
    case 0: return splice_session(view, memory, input->session, input->quantize, tick);
    case SL_INPUT_LANES: return sl_view_apply_lanes(view, memory, input, tick);
    case SL_TRANSPORT_PLAY: return play(view, memory, tick, frame);
    case SL_TRANSPORT_STOP: stop(view, input->quantize, tick, frame); return SL_OK;
    case SL_TRANSPORT_PANIC:
        view->panics++;
        stop(view, SL_QUANTIZE_OFF, tick, frame);
        return SL_OK;
    case SL_TRANSPORT_PAUSE:
        remove_plans(view, SL_PLAN_HALT, INT64_MIN);
        if (view->clock.is_running) sl_clock_halt(&view->clock, tick, frame, false);
        return SL_OK;
    case SL_TRANSPORT_TEMPO:
        remove_plans(view, SL_PLAN_TEMPO, tick);
        set_tempo(view, tick, input->value);
        return SL_OK;
    default: return SL_OK;
    }
}
