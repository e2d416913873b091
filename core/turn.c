/*
 * A sender's events in the sender's own order (numbers mod 2^32 while they are 32-bit ones): what comes after a hole is
 * held until the hole is filled, or given up; what comes after the last part of a snapshot, until the picture is there.
 */
#include "core/state.h"

#include <assert.h>
#include <string.h>

/* How many numbers an event stands for. */
static uint64_t count_numbers(const sl_event *event)
{
    if (!sl_osc_is_bundle(event->payload, event->length) || !sl_osc_check(event->payload, event->length, NULL))
        return 1;
    uint64_t count = 0;
    sl_osc_walk walk = sl_osc_walk_begin(event->payload, event->length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) count++;
    return count > 0 ? count : 1;
}

/* The hold. */

static bool is_full(const sl_source_state *sender, const sl_event *event)
{
    const sl_hold *hold = &sender->hold;
    return hold->count == SL_HOLD_COUNT_MAX || hold->size_bytes + event->length > SL_HOLD_BYTES_MAX;
}

/* Says in the source what its hold has. */
static void tell_held(sl_source_state *sender)
{
    sender->source.held_count = sender->hold.count;
    sender->source.held_bytes = (uint32_t)sender->hold.size_bytes;
}

/* Keeps a copy of the event at `link`. */
static sl_err insert_held(sl_state *state, const sl_event *event, uint64_t number_count, sl_held **link)
{
    sl_source_state *sender = state->sender;
    sl_held *held = sl_pool_take(&state->pool, sizeof *held + event->length);
    if (held == NULL) return SL_ERR_MEMORY;
    *held = (sl_held){.next = *link, .event = *event, .number_count = number_count};
    held->event.payload = held->payload;
    if (event->length > 0) memcpy(held->payload, event->payload, event->length);
    if (*link == NULL) sender->hold.last = held;
    *link = held;
    sender->hold.count++;
    sender->hold.size_bytes += event->length;
    tell_held(sender);
    return SL_OK;
}

/* Keeps a copy of the event in its place; one whose number is held already is late. */
static sl_err hold_event(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_hold *hold = &sender->hold;
    sl_held **link = &hold->first;
    if (hold->last != NULL && sl_number_distance(event->source_seq, hold->last->event.source_seq) > 0) {
        link = &hold->last->next;
    } else {
        while (*link != NULL && sl_number_distance(event->source_seq, (*link)->event.source_seq) > 0)
            link = &(*link)->next;
        if (*link != NULL && (*link)->event.source_seq == event->source_seq) {
            sender->source.late++;
            return SL_OK;
        }
    }
    sl_held *behind = *link;
    sl_err err = insert_held(state, event, count_numbers(event), link);
    if (err == SL_OK && behind != NULL) sender->source.recovered += (*link)->number_count;
    return err;
}

sl_err sl_hold_append(sl_state *state, const sl_event *event, uint64_t number_count, bool is_answered)
{
    sl_hold *hold = &state->sender->hold;
    sl_held **link = hold->last != NULL ? &hold->last->next : &hold->first;
    sl_err err = insert_held(state, event, number_count, link);
    if (err == SL_OK) (*link)->is_answered = is_answered;
    return err;
}

static sl_held *take_first(sl_source_state *sender)
{
    sl_hold *hold = &sender->hold;
    sl_held *held = hold->first;
    hold->first = held->next;
    if (hold->first == NULL) hold->last = NULL;
    hold->count--;
    hold->size_bytes -= held->event.length;
    tell_held(sender);
    return held;
}

static void free_held(sl_state *state, sl_held *held)
{
    sl_pool_give(&state->pool, held, sizeof *held + held->event.length);
}

/* Going on. */

static sl_err apply_held(sl_state *state, sl_source_state *sender)
{
    sl_source *source = &sender->source;
    sl_held *held = take_first(sender);
    sl_err err = SL_OK;
    state->sender = sender;
    if (sl_number_distance(held->event.source_seq, source->next_source_seq) < 0) {
        source->late++;
    } else {
        source->next_source_seq = sl_number_after(held->event.source_seq, held->number_count);
        state->is_answered = held->is_answered;
        err = sl_state_apply_osc(state, &held->event);
        state->is_answered = false;
    }
    free_held(state, held);
    return err;
}

/* The numbers from the next one up to `end` will not come: the tree may be wrong from here on. */
static sl_err lose(sl_state *state, sl_source_state *sender, uint64_t end)
{
    static const char reason[] = "events lost";
    sl_source *source = &sender->source;
    sl_hole gap = {.first = source->next_source_seq,
                   .count = (uint64_t)sl_number_distance(end, source->next_source_seq)};
    source->gaps++;
    source->gap_size_total += gap.count;
    source->next_source_seq = end;
    sl_state_tell_gap(state, gap);
    return sl_state_go_stale(state, sl_value_text(reason, strlen(reason)));
}

/* Applies what has its turn, and gives up what is to be given up, until something is waited for. */
static sl_err go_on(sl_state *state, sl_source_state *sender)
{
    sl_hold *hold = &sender->hold;
    sl_source *source = &sender->source;
    sl_err err = SL_OK;
    while (err == SL_OK && !hold->is_waiting) {
        const sl_held *first = hold->first;
        if (first != NULL && sl_number_distance(first->event.source_seq, source->next_source_seq) <= 0) {
            err = apply_held(state, sender);
            continue;
        }
        if (!hold->gives_up || sl_number_distance(hold->given_up, source->next_source_seq) < 0) break;
        uint64_t end = sl_number_after(hold->given_up, 1);
        if (first != NULL && sl_number_distance(first->event.source_seq, end) < 0) end = first->event.source_seq;
        err = lose(state, sender, end);
    }
    if (!hold->is_waiting) hold->gives_up = false;
    return err;
}

/* The first number of a session says where its numbers begin. */
static void begin_numbers(const sl_state *state, sl_source_state *sender, uint64_t first)
{
    uint64_t *next = &sender->source.next_source_seq;
    bool at_zero = sl_numbers_begin_at_zero(first, sender->source.has_hello, sl_state_has_picture(state));
    *next = at_zero ? 0 : first;
    sender->has_number = true;
}

/* Where nothing of a session came yet, a heartbeat told that there was something, and its numbers go on behind it. */
sl_err sl_turn_give_up(sl_state *state, sl_source_state *sender, uint64_t through)
{
    sl_hold *hold = &sender->hold;
    if (!sender->has_number) begin_numbers(state, sender, sl_number_after(through, 1));
    if (!hold->gives_up || sl_number_distance(through, hold->given_up) > 0) hold->given_up = through;
    hold->gives_up = true;
    return go_on(state, sender);
}

/* An answer bears the number of the part at which it was given: the last one, or one before. */
bool sl_turn_is_answer(const sl_source_state *sender, const sl_event *event)
{
    const sl_hold *hold = &sender->hold;
    if (!hold->is_waiting || event->session != sender->source.session) return false;
    if (hold->last_part == SL_SOURCE_SEQ_NONE) return event->source_seq == SL_SOURCE_SEQ_NONE;
    int64_t before_last = sl_number_distance(hold->last_part, event->source_seq);
    return before_last >= 0 && (uint64_t)before_last < hold->part_count;
}

void sl_turn_note_answer(sl_source_state *sender, const sl_event *event)
{
    if (event->source_seq == SL_SOURCE_SEQ_NONE || event->session != sender->source.session) return;
    for (sl_held *held = sender->hold.first; held != NULL; held = held->next) {
        int64_t offset = sl_number_distance(event->source_seq, held->event.source_seq);
        if (offset >= 0 && (uint64_t)offset < held->number_count) held->is_answered = true;
    }
}

static void stop_waiting(sl_hold *hold)
{
    hold->is_waiting = false;
    hold->part_count = hold->last_part = 0;
}

sl_err sl_turn_release(sl_state *state, sl_source_state *sender)
{
    stop_waiting(&sender->hold);
    return go_on(state, sender);
}

sl_err sl_turn_forget_answers(sl_state *state, sl_source_state *sender)
{
    for (sl_held *held = sender->hold.first; held != NULL; held = held->next) held->is_answered = true;
    return sender->hold.is_waiting ? sl_turn_release(state, sender) : SL_OK;
}

/* Gives up all that is waited for before the held events, of which there is one at least. */
static sl_err empty_hold(sl_state *state, sl_source_state *sender)
{
    const uint32_t count = sender->hold.count;
    sl_err err = sl_turn_give_up(state, sender, sender->hold.last->event.source_seq);
    /* The last may lie below the first: numbers 2^31 apart have no order. One must go, or this would have no end. */
    return err == SL_OK && sender->hold.count == count ? apply_held(state, sender) : err;
}

/* What is held is applied; the holes before it are lost, and those that only a heartbeat told of. */
sl_err sl_turn_close(sl_state *state, sl_source_state *sender)
{
    sl_hold *hold = &sender->hold;
    sl_err err = SL_OK;
    while (err == SL_OK && (hold->first != NULL || hold->is_waiting)) {
        stop_waiting(hold);
        if (hold->first != NULL) err = empty_hold(state, sender);
    }
    if (err == SL_OK && sl_turn_is_waiting(sender)) err = lose(state, sender, sender->horizon);
    sender->has_number = sender->has_horizon = false;
    sender->horizon = 0;
    return err;
}

/* The hold is full: the picture is waited for no longer, else the first hole is given up. */
static sl_err make_room(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_err err = sender->hold.is_waiting ? sl_turn_release(state, sender) : SL_OK;
    while (err == SL_OK && is_full(sender, event)) {
        bool waits = sender->hold.is_waiting; /* again, for the picture of another snapshot */
        uint64_t first = sender->hold.first->event.source_seq;
        err =
            waits ? sl_turn_release(state, sender) : sl_turn_give_up(state, sender, sl_number_after(first, UINT32_MAX));
    }
    state->sender = sender;
    return err;
}

sl_err sl_turn_take(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_source *source = &sender->source;
    if (event->source_seq == SL_SOURCE_SEQ_NONE) {
        sl_err err = sl_state_apply_osc(state, event);
        source->unnumbered_count++;
        return err;
    }
    if (!sender->has_number) begin_numbers(state, sender, event->source_seq);
    int64_t ahead = sl_number_distance(event->source_seq, source->next_source_seq);
    if (ahead < 0) {
        source->late++;
        return SL_OK;
    }
    if (ahead > 0 || sender->hold.is_waiting) {
        if (!is_full(sender, event)) return hold_event(state, event);
        sl_err err = make_room(state, event);
        return err == SL_OK ? sl_turn_take(state, event) : err;
    }
    uint64_t count = count_numbers(event);
    if (sender->hold.first != NULL) source->recovered += count;
    source->next_source_seq = sl_number_after(event->source_seq, count);
    sl_err err = sl_state_apply_osc(state, event);
    return err == SL_OK && sender->hold.first != NULL ? go_on(state, sender) : err;
}

/* A picture stands for all up to its last part: what is held of that is done with. */
sl_err sl_turn_skip(sl_state *state, sl_source_state *sender, uint64_t last)
{
    sl_hold *hold = &sender->hold;
    sender->has_number = true;
    sender->source.next_source_seq = sl_number_after(last, 1);
    while (hold->first != NULL && sl_number_distance(hold->first->event.source_seq, sender->source.next_source_seq) < 0)
        free_held(state, take_first(sender));
    return sl_turn_release(state, sender);
}

bool sl_turn_is_past(const sl_source_state *sender, uint64_t last)
{
    return sender->has_number && sl_number_distance(sl_number_after(last, 1), sender->source.next_source_seq) < 0;
}

bool sl_turn_is_waiting(const sl_source_state *sender)
{
    bool is_tail_missing = sender->has_number && sender->has_horizon &&
                           sl_number_distance(sender->horizon, sender->source.next_source_seq) > 0;
    return sender->hold.first != NULL || sender->hold.is_waiting || is_tail_missing;
}

void sl_turn_hear(sl_state *state, uint64_t next)
{
    sl_source_state *sender = state->sender;
    bool has_hello = sender->source.has_hello;
    /* All that came before it is lost so far. Where the session was joined in the middle, it tells nothing yet. */
    bool is_beginning = next > 0 && sl_numbers_begin_at_zero(next, has_hello, sl_state_has_picture(state));
    if (!sender->has_number && is_beginning) begin_numbers(state, sender, next);
    if (sender->has_horizon && sl_number_distance(next, sender->horizon) <= 0) return;
    sender->has_horizon = true;
    sender->horizon = next;
}

static size_t add_hole(sl_hole *holes, size_t max, size_t count, sl_hole hole)
{
    if (count < max) holes[count] = hole;
    return count + 1;
}

/* The holes of a source, and in *end the number after everything that is known of; 0 if nothing is. */
static size_t walk_holes(const sl_state *state, uint32_t source, uint64_t *end, sl_hole *holes, size_t max)
{
    uint32_t at = 0;
    *end = 0;
    while (at < state->source_count && state->sources[at]->source.number != source) at++;
    if (at == state->source_count || !state->sources[at]->has_number) return 0;
    const sl_source_state *sender = state->sources[at];
    uint64_t expected = sender->source.next_source_seq;
    size_t count = 0;
    for (const sl_held *held = sender->hold.first; held != NULL; held = held->next) {
        int64_t missing = sl_number_distance(held->event.source_seq, expected);
        if (missing > 0) count = add_hole(holes, max, count, (sl_hole){expected, (uint64_t)missing});
        expected = sl_number_after(held->event.source_seq, held->number_count);
    }
    int64_t missing = sender->has_horizon ? sl_number_distance(sender->horizon, expected) : 0;
    if (missing > 0) count = add_hole(holes, max, count, (sl_hole){expected, (uint64_t)missing});
    *end = missing > 0 ? sender->horizon : expected;
    return count;
}

size_t sl_state_holes(const sl_state *state, uint32_t source, sl_hole *holes, size_t max)
{
    uint64_t end;
    return walk_holes(state, source, &end, holes, max);
}

uint64_t sl_state_source_end(const sl_state *state, uint32_t source)
{
    uint64_t end;
    (void)walk_holes(state, source, &end, NULL, 0);
    return end;
}
