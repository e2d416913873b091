/* The schedule: takes events, and keeps what waits for a mark. */
#include "core/schedule.h"

#include "core/schedule_internal.h"

#include <assert.h>
#include <string.h>

enum { BPM = 120, BEATS = 4 };

static void drop_inputs(sl_schedule *schedule, uint32_t count)
{
    if (count == 0) return;
    assert(schedule->inputs != NULL);
    for (uint32_t i = 0; i < count; i++) sl_session_drop(schedule->inputs[i].session, schedule->memory);
    schedule->input_count -= count;
    memmove(schedule->inputs, schedule->inputs + count, schedule->input_count * sizeof *schedule->inputs);
}

sl_err sl_schedule_create(sl_memory memory, sl_schedule **out)
{
    sl_schedule *schedule = memory.resize(memory.ctx, NULL, 0, sizeof *schedule);
    if (schedule == NULL) return SL_ERR_MEMORY;
    memset(schedule, 0, sizeof *schedule);
    schedule->memory = memory;
    schedule->quantize = SL_QUANTIZE_BAR;
    schedule->now.voice_next = 1;
    sl_clock *clock = &schedule->now.clock;
    clock->is_stopped = true;
    clock->numerator = clock->denominator = BEATS;
    clock->tempo.rate = SL_SCHEDULE_RATE;
    clock->tempo.bpm_from = clock->tempo.bpm_to = BPM;
    sl_session_view *session;
    size_t inputs_size = SL_SCHEDULE_INPUTS_MAX * sizeof *schedule->inputs;
    size_t history_size = SL_SCHEDULE_HISTORY_MAX * sizeof(void *);
    sl_err err = sl_session_make(memory, 0, &session);
    if (err == SL_OK) schedule->now.session = session;
    schedule->inputs = memory.resize(memory.ctx, NULL, 0, inputs_size);
    schedule->history = memory.resize(memory.ctx, NULL, 0, history_size);
    if (err != SL_OK || schedule->inputs == NULL || schedule->history == NULL) {
        sl_schedule_destroy(schedule);
        return SL_ERR_MEMORY;
    }
    schedule->history[0] = sl_session_hold(session);
    schedule->history_count = 1;
    *out = schedule;
    return SL_OK;
}

void sl_schedule_destroy(sl_schedule *schedule)
{
    if (schedule == NULL) return;
    sl_memory memory = schedule->memory;
    drop_inputs(schedule, schedule->input_count);
    assert(schedule->history_count == 0 || schedule->history != NULL);
    for (uint32_t i = 0; i < schedule->history_count; i++) sl_session_drop(schedule->history[i], memory);
    sl_view_clear(&schedule->now, memory);
    sl_view_clear(&schedule->before, memory);
    sl_session_drop(schedule->lanes, memory);
    if (schedule->inputs != NULL)
        memory.resize(memory.ctx, schedule->inputs, SL_SCHEDULE_INPUTS_MAX * sizeof *schedule->inputs, 0);
    if (schedule->history != NULL)
        memory.resize(memory.ctx, schedule->history, SL_SCHEDULE_HISTORY_MAX * sizeof(void *), 0);
    memory.resize(memory.ctx, schedule, sizeof *schedule, 0);
}

/* The view before the newest mark is not needed any more; inputs that only it waited for go. */
static void confirm(sl_schedule *schedule)
{
    sl_view_clear(&schedule->before, schedule->memory);
    schedule->has_before = false;
    uint32_t count = 0;
    while (count < schedule->input_count && schedule->inputs[count].seq <= schedule->now.applied_seq) count++;
    drop_inputs(schedule, count);
}

/* All inputs of the oldest event that waits count at the last mark's frame. */
static sl_err apply_oldest(sl_schedule *schedule)
{
    uint64_t seq = schedule->inputs[0].seq;
    uint32_t count = 0;
    sl_err err = SL_OK;
    for (; count < schedule->input_count && schedule->inputs[count].seq == seq && err == SL_OK; count++)
        err = sl_view_apply(&schedule->now, schedule->memory, &schedule->inputs[count], schedule->now.mark.frame);
    drop_inputs(schedule, count);
    return err;
}

/* Makes an input wait. Where too many do, no player is there. Takes over the holder of its session. */
static sl_err add_input(sl_schedule *schedule, sl_input_entry input)
{
    sl_err err = SL_OK;
    assert(input.seq >= schedule->taken_seq);
    schedule->taken_seq = input.seq;
    if (schedule->input_count == SL_SCHEDULE_INPUTS_MAX) confirm(schedule);
    if (schedule->input_count == SL_SCHEDULE_INPUTS_MAX) err = apply_oldest(schedule);
    if (err == SL_OK && input.seq > schedule->now.applied_seq) {
        schedule->inputs[schedule->input_count++] = input;
        return SL_OK;
    }
    /* The event's others count already: it alone had more than may wait. */
    if (err == SL_OK) err = sl_view_apply(&schedule->now, schedule->memory, &input, schedule->now.mark.frame);
    sl_session_drop(input.session, schedule->memory);
    return err;
}

static uint8_t resolve(const sl_schedule *schedule, uint8_t quantize)
{
    return quantize == SL_QUANTIZE_DEFAULT ? schedule->quantize : quantize;
}

/* The session changes, by a step that undo takes back. Takes over the holder of `session`. */
static sl_err change(sl_schedule *schedule, uint64_t seq, uint8_t quantize, sl_session_view *session)
{
    sl_memory memory = schedule->memory;
    while (schedule->history_count > schedule->history_at + 1)
        sl_session_drop(schedule->history[--schedule->history_count], memory);
    if (schedule->history_count == SL_SCHEDULE_HISTORY_MAX) {
        sl_session_drop(schedule->history[0], memory);
        schedule->history_count--;
        memmove(schedule->history, schedule->history + 1, schedule->history_count * sizeof(void *));
    }
    schedule->history[schedule->history_count] = session;
    schedule->history_at = schedule->history_count++;
    return add_input(
        schedule,
        (sl_input_entry){.seq = seq, .quantize = resolve(schedule, quantize), .session = sl_session_hold(session)});
}

static sl_err take_score(sl_schedule *schedule, const sl_event *event, const char **what)
{
    sl_score_error error;
    sl_session_view *session;
    sl_err err = sl_session_after_score(schedule->memory, sl_schedule_present(schedule), event, &session, &error);
    *what = error.what;
    if (err == SL_ERR_MEMORY) return err;
    if (err != SL_OK) return SL_ERR_REFUSED;
    return change(schedule, event->seq, event->payload[8], session);
}

/* The session with one entry another: stopped, or played otherwise. */
static sl_err take_track(sl_schedule *schedule, uint64_t seq, const sl_transport *transport, const char **what)
{
    sl_session_view *old = sl_schedule_present(schedule), *new;
    int64_t at = sl_session_find(old, transport->track, transport->track_length, 0);
    *what = "no track of that name";
    if (at < 0) return SL_ERR_REFUSED;
    sl_err err = sl_session_make(schedule->memory, old->count, &new);
    if (err != SL_OK) return err;
    new->bpm = old->bpm;
    new->numerator = old->numerator;
    new->denominator = old->denominator;
    for (uint32_t i = 0; i < old->count; i++) {
        new->entries[i] = old->entries[i];
        if (i != at) sl_code_track_hold(new->entries[i].track);
    }
    sl_session_entry *entry = &new->entries[at];
    if (transport->action == SL_TRANSPORT_STOP) {
        entry->is_stopped = true;
        sl_code_track_hold(entry->track);
    } else {
        entry->track = NULL;
        err = sl_code_track_change(schedule->memory, old->entries[at].track, transport, &entry->track);
    }
    *what = "too many effects on a track";
    if (err != SL_OK) sl_session_drop(new, schedule->memory);
    if (err == SL_ERR_FULL) return SL_ERR_REFUSED;
    return err == SL_OK ? change(schedule, seq, transport->quantize, new) : err;
}

/* One step in the history, back or forth. */
static sl_err take_step(sl_schedule *schedule, uint64_t seq, const sl_transport *transport, const char **what)
{
    bool is_undo = transport->action == SL_TRANSPORT_UNDO;
    *what = is_undo ? "nothing to undo" : "nothing to redo";
    if (is_undo ? schedule->history_at == 0 : schedule->history_at + 1 == schedule->history_count)
        return SL_ERR_REFUSED;
    if (is_undo)
        schedule->history_at--;
    else
        schedule->history_at++;
    return add_input(schedule, (sl_input_entry){.seq = seq,
                                                .quantize = resolve(schedule, transport->quantize),
                                                .session = sl_session_hold(sl_schedule_present(schedule))});
}

static sl_err take_transport(sl_schedule *schedule, const sl_event *event, const char **what)
{
    sl_transport transport;
    *what = "no transport";
    if (sl_transport_decode(event, &transport) != SL_OK) return SL_ERR_REFUSED;
    switch ((sl_transport_action)transport.action) {
    case SL_TRANSPORT_QUANTIZE: schedule->quantize = transport.quantize; return SL_OK;
    case SL_TRANSPORT_UNDO:
    case SL_TRANSPORT_REDO: return take_step(schedule, event->seq, &transport, what);
    case SL_TRANSPORT_CHANNEL:
    case SL_TRANSPORT_INSTRUMENT:
    case SL_TRANSPORT_EFFECT: return take_track(schedule, event->seq, &transport, what);
    case SL_TRANSPORT_STOP:
        if (transport.track_length > 0) return take_track(schedule, event->seq, &transport, what);
        break;
    case SL_TRANSPORT_PLAY:
    case SL_TRANSPORT_PAUSE:
    case SL_TRANSPORT_PANIC:
    case SL_TRANSPORT_TEMPO: break;
    }
    return add_input(schedule, (sl_input_entry){.seq = event->seq,
                                                .action = transport.action,
                                                .quantize = resolve(schedule, transport.quantize),
                                                .value = transport.value});
}

static sl_err take_applied(sl_schedule *schedule, const sl_event *event, const char **what)
{
    sl_memory memory = schedule->memory;
    sl_applied applied;
    *what = "no mark";
    if (sl_applied_decode(event, &applied) != SL_OK) return SL_ERR_REFUSED;
    sl_err err = SL_OK;
    if (applied.late && schedule->has_before) {
        sl_view_clear(&schedule->now, memory);
        err = sl_view_copy(&schedule->before, memory, &schedule->now);
    } else {
        confirm(schedule);
        err = sl_view_copy(&schedule->now, memory, &schedule->before);
        schedule->has_before = err == SL_OK;
    }
    sl_view *view = &schedule->now;
    if (err == SL_OK && view->has_mark && applied.frame < view->mark.frame) applied.frame = view->mark.frame;
    if (err == SL_OK) sl_view_set_rate(view, applied.frame, applied.rate);
    uint64_t before_seq = view->applied_seq; /* several inputs may have one number */
    for (uint32_t i = 0; i < schedule->input_count && err == SL_OK; i++) {
        const sl_input_entry *input = &schedule->inputs[i];
        if (input->seq > applied.through_seq) break;
        if (input->seq > before_seq) err = sl_view_apply(view, memory, input, applied.frame);
    }
    if (err != SL_OK) return err;
    view->has_mark = true;
    view->mark = applied;
    sl_view_advance(view, memory, applied.frame);
    return SL_OK;
}

sl_err sl_schedule_take(sl_schedule *schedule, const sl_event *event, const char **what)
{
    *what = NULL;
    switch (event->kind) {
    case SL_KIND_SCORE: return take_score(schedule, event, what);
    case SL_KIND_TRANSPORT: return take_transport(schedule, event, what);
    case SL_KIND_APPLIED: return take_applied(schedule, event, what);
    default: return SL_OK;
    }
}

/* What the groove box plays. Lanes that are as they were are recognised by digest. */
static sl_err take_lanes(sl_schedule *schedule, uint64_t seq, const sl_follow *follow)
{
    sl_memory memory = schedule->memory;
    sl_session_view *lanes;
    sl_score_error error;
    sl_err err = schedule->lanes == NULL ? sl_session_make(memory, 0, &schedule->lanes) : SL_OK;
    if (err != SL_OK) return err;
    sl_event event = {.version = SL_SCORE_VERSION, .payload = follow->bytes, .length = (uint32_t)follow->bytes_length};
    if (follow->bytes_length > 0)
        err = sl_session_after_score(memory, schedule->lanes, &event, &lanes, &error);
    else
        lanes = sl_session_hold(schedule->lanes);
    if (err != SL_OK) return err;
    sl_session_drop(schedule->lanes, memory);
    schedule->lanes = lanes;
    return add_input(schedule, (sl_input_entry){.seq = seq,
                                                .action = SL_INPUT_LANES,
                                                .quantize = follow->is_running,
                                                .value = (double)follow->length_ticks,
                                                .session = sl_session_hold(lanes)});
}

sl_err sl_schedule_follow(sl_schedule *schedule, uint64_t seq, const sl_follow *follow)
{
    sl_input_entry input = {.seq = seq};
    switch ((sl_follow_type)follow->type) {
    case SL_FOLLOW_PLAY: input.action = SL_TRANSPORT_PLAY; break;
    case SL_FOLLOW_STOP: input.action = SL_TRANSPORT_STOP; break;
    case SL_FOLLOW_TEMPO:
        if (!(follow->value >= 1 && follow->value <= 1000)) return SL_OK;
        input.action = SL_TRANSPORT_TEMPO;
        input.value = follow->value;
        break;
    case SL_FOLLOW_LANES: return take_lanes(schedule, seq, follow);
    default: return SL_OK;
    }
    return add_input(schedule, input);
}

void sl_schedule_begin(sl_schedule *schedule, double bpm)
{
    schedule->now.clock.tempo.bpm_from = schedule->now.clock.tempo.bpm_to = bpm;
}

/* Voices stand by number. */
const sl_code_track *sl_schedule_track_of(const sl_schedule *schedule, uint64_t voice)
{
    const sl_view *view = &schedule->now;
    uint32_t low = 0, high = view->voice_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (view->voices[middle].number < voice)
            low = middle + 1;
        else
            high = middle;
    }
    return low < view->voice_count && view->voices[low].number == voice ? view->voices[low].track : NULL;
}
