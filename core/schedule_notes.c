/* What sounds in a window: the starts and ends of all voices, in order of time. */
#include "core/schedule_internal.h"

typedef struct window {
    const sl_view *view;
    const sl_tempo *tempo;
    int64_t cut;         /* what began before was let go */
    uint64_t halt_frame; /* not 0: all of it falls on this frame */
    sl_schedule_tell *tell;
    void *ctx;
    bool is_over; /* `tell` wants no more */
} window;

/* The first note (or end) of a part at or after a time. */
static uint32_t first_start(const sl_part *part, int64_t time)
{
    uint32_t low = 0, high = part->note_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (part->notes[middle].start < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t end_of(const sl_part *part, uint32_t order)
{
    const sl_note *note = &part->notes[part->by_end[order]];
    return (int64_t)note->start + note->sounds;
}

static uint32_t first_end(const sl_part *part, int64_t time)
{
    uint32_t low = 0, high = part->note_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (end_of(part, middle) < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The repetition in which something that lies up to `reach` behind a repetition's beginning may be at `time`. */
static int64_t first_turn(const sl_part *part, int64_t time, int64_t reach)
{
    int64_t turn = (time - reach) / part->length;
    return time > reach && turn > 0 ? turn : 0;
}

static int64_t reach_of(const sl_part *part)
{
    return (int64_t)part->start_max + part->sounds_max;
}

static int64_t next_start(const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    if (tick < voice->from) tick = voice->from;
    if (part->note_count == 0 || tick >= voice->end) return SL_TICK_NEVER;
    int64_t time = tick - voice->origin, best = SL_TICK_NEVER;
    for (int64_t turn = first_turn(part, time, part->start_max); turn <= time / part->length + 1; turn++) {
        uint32_t index = first_start(part, time - turn * part->length);
        while (index < part->note_count && part->notes[index].sounds == 0) index++;
        if (index == part->note_count) continue;
        int64_t at = voice->origin + turn * part->length + part->notes[index].start;
        if (at < best) best = at;
    }
    return best < voice->end ? best : SL_TICK_NEVER;
}

static int64_t next_end(const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    if (part->note_count == 0 || tick > voice->end || voice->end <= voice->from) return SL_TICK_NEVER;
    if (tick < voice->from) tick = voice->from;
    int64_t time = tick - voice->origin, best = voice->end;
    for (int64_t turn = first_turn(part, time, reach_of(part)); turn <= time / part->length + 1; turn++) {
        uint32_t order = first_end(part, time - turn * part->length);
        if (order == part->note_count) continue;
        int64_t at = voice->origin + turn * part->length + end_of(part, order);
        if (at < best) best = at;
    }
    return best;
}

static void tell(window *window, const sl_voice *voice, int64_t turn, uint32_t index, int64_t tick, bool is_start)
{
    if (window->is_over) return;
    const sl_note *note = &voice->track->part->notes[index];
    sl_sound sound = {
        .is_start = is_start,
        .pitch = note->pitch,
        .velocity = note->velocity,
        .channel = voice->channel,
        .tick = tick,
        .frame = window->halt_frame > 0 ? window->halt_frame : sl_tempo_frame_at(window->tempo, tick),
        .is_lane = voice->is_lane,
        .id = {.voice = voice->number, .ordinal = (uint64_t)turn * voice->track->part->note_count + index},
        .track = voice->track->name,
        .track_length = voice->track->name_length};
    window->is_over = !window->tell(window->ctx, &sound);
}

/* True if the note that starts at `start` is this voice's, and was not let go since. */
static bool is_held(const window *window, const sl_voice *voice, int64_t start)
{
    return start >= voice->from && start < voice->end && start >= window->cut;
}

static void tell_starts(window *window, const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    if (part->note_count == 0 || tick < voice->from || tick >= voice->end) return;
    int64_t time = tick - voice->origin;
    for (int64_t turn = first_turn(part, time, part->start_max); turn <= time / part->length; turn++) {
        int64_t wanted = time - turn * part->length;
        for (uint32_t i = first_start(part, wanted); i < part->note_count && part->notes[i].start == wanted; i++)
            if (part->notes[i].sounds > 0) tell(window, voice, turn, i, tick, true);
    }
}

static void tell_ends(window *window, const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    int64_t time = tick - voice->origin;
    for (int64_t turn = first_turn(part, time, reach_of(part)); turn <= time / part->length; turn++) {
        int64_t wanted = time - turn * part->length;
        for (uint32_t order = first_end(part, wanted); order < part->note_count; order++) {
            if (end_of(part, order) != wanted) break;
            const sl_note *note = &part->notes[part->by_end[order]];
            if (note->sounds > 0 && is_held(window, voice, tick - note->sounds))
                tell(window, voice, turn, part->by_end[order], tick, false);
        }
    }
}

/* Lets go all that a voice holds at a tick: what began before it, and does not end before it. */
static void let_go(window *window, const sl_voice *voice, int64_t tick)
{
    const sl_part *part = voice->track->part;
    if (part->note_count == 0 || tick <= voice->from) return;
    int64_t time = tick - voice->origin;
    for (int64_t turn = first_turn(part, time, reach_of(part)); turn <= time / part->length; turn++) {
        int64_t wanted = time - turn * part->length;
        for (uint32_t i = first_start(part, wanted - part->sounds_max); i < part->note_count; i++) {
            const sl_note *note = &part->notes[i];
            if (note->start >= wanted) break;
            if (note->sounds == 0 || (int64_t)note->start + note->sounds < wanted) continue;
            if (is_held(window, voice, tick - (wanted - note->start))) tell(window, voice, turn, i, tick, false);
        }
    }
}

/* When a voice tells something next, from a tick on. */
static void look_up(sl_voice *voice, int64_t tick)
{
    if (voice->seen <= tick && tick <= voice->next) return;
    int64_t start = next_start(voice, tick), end = next_end(voice, tick);
    voice->seen = tick;
    voice->next = start < end ? start : end;
}

static void tell_tick(window *window, int64_t tick)
{
    const sl_view *view = window->view;
    for (uint32_t i = 0; i < view->voice_count; i++) {
        const sl_voice *voice = &view->voices[i];
        if (voice->next != tick || tick <= voice->from || tick > voice->end) continue;
        if (tick == voice->end)
            let_go(window, voice, tick);
        else
            tell_ends(window, voice, tick);
    }
    for (uint32_t i = 0; i < view->voice_count; i++) {
        sl_voice *voice = &view->voices[i];
        if (voice->next != tick) continue;
        tell_starts(window, voice, tick);
        look_up(voice, tick + 1);
    }
}

/* Everything from tick `from` to before `to`, between which the tempo is one. What a voice tells next is looked up
 * once, and again where it has told something. */
static void tell_ticks(window *window, int64_t from, int64_t to)
{
    const sl_view *view = window->view;
    for (uint32_t i = 0; i < view->voice_count; i++) look_up(&view->voices[i], from);
    while (!window->is_over) {
        int64_t tick = SL_TICK_NEVER;
        for (uint32_t i = 0; i < view->voice_count; i++)
            if (view->voices[i].next < tick) tick = view->voices[i].next;
        if (tick >= to) return;
        tell_tick(window, tick);
    }
}

/* The clock has halted: what it holds is let go, if that is in the window. What a voice that ended before held is not
 * its any more. */
static void tell_halt(window *window, const sl_clock *clock, uint64_t from, uint64_t to)
{
    if (!clock->has_halted || clock->halt_frame < from || clock->halt_frame >= to) return;
    window->cut = clock->cut_before;
    window->halt_frame = clock->halt_frame;
    for (uint32_t i = 0; i < window->view->voice_count; i++) {
        const sl_voice *voice = &window->view->voices[i];
        if (clock->tick <= voice->end) let_go(window, voice, clock->tick);
    }
}

void sl_schedule_notes(const sl_schedule *schedule, uint64_t from, uint64_t to, sl_schedule_tell *tell, void *ctx)
{
    const sl_view *view = &schedule->now;
    sl_clock clock = view->clock;
    window window = {.view = view, .tempo = &clock.tempo, .tell = tell, .ctx = ctx};
    if (from >= to) return;
    int64_t tick = sl_clock_run_to_frame(&clock, view, from);
    while (clock.is_running && !window.is_over) {
        window.cut = clock.cut;
        int64_t end = sl_tempo_tick_at(&clock.tempo, to);
        sl_clock next = clock;
        int64_t event = sl_clock_step(&next, view, end);
        tell_ticks(&window, tick, event < end ? event : end);
        if (event >= end) return;
        tick = event;
        clock = next;
    }
    if (!clock.is_running && !window.is_over) tell_halt(&window, &clock, from, to);
}
