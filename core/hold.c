/* Events of a source that wait for their turn. */
#include "core/state.h"

#include <string.h>

sl_err sl_hold_add(sl_state *state, const sl_event *event, bool *is_full)
{
    sl_hold *hold = &state->sender->hold;
    *is_full = hold->count == SL_HOLD_COUNT_MAX || hold->size_bytes + event->length > SL_HOLD_BYTES_MAX;
    if (*is_full) return SL_OK;
    sl_held *held = sl_pool_take(&state->pool, sizeof *held + event->length);
    if (held == NULL) return SL_ERR_MEMORY;
    held->next = NULL;
    held->event = *event;
    held->event.payload = held->payload;
    if (event->length > 0) memcpy(held->payload, event->payload, event->length);
    if (hold->last != NULL)
        hold->last->next = held;
    else
        hold->first = held;
    hold->last = held;
    hold->count++;
    hold->size_bytes += event->length;
    return SL_OK;
}

bool sl_hold_is_answered(const sl_source_state *sender, const sl_event *event)
{
    const sl_hold *hold = &sender->hold;
    if (!hold->is_open || event->session != sender->source.session) return false;
    /* The answer bears the number of the part at which it was given, the last one or one before; mod 2^32. */
    const uint32_t before_last = (uint32_t)hold->last_part - (uint32_t)event->source_seq;
    return before_last < hold->part_count;
}

static void free_held(sl_state *state, sl_held *held)
{
    sl_pool_give(&state->pool, held, sizeof *held + held->event.length);
}

/* An event released may be the last part of another snapshot: the rest is then held on. */
sl_err sl_hold_release(sl_state *state, sl_source_state *sender)
{
    sl_hold *hold = &sender->hold;
    hold->is_open = false;
    sl_err err = SL_OK;
    while (hold->first != NULL && !hold->is_open && err == SL_OK) {
        sl_held *held = hold->first;
        hold->first = held->next;
        if (hold->first == NULL) hold->last = NULL;
        hold->count--;
        hold->size_bytes -= held->event.length;
        state->sender = sender;
        err = sl_state_apply_osc(state, &held->event);
        free_held(state, held);
    }
    return err;
}

sl_err sl_hold_release_all(sl_state *state, sl_source_state *sender)
{
    sl_err err;
    do err = sl_hold_release(state, sender);
    while (err == SL_OK && sender->hold.first != NULL);
    sender->hold.is_open = false;
    return err;
}

void sl_hold_clear(sl_state *state, sl_hold *hold)
{
    while (hold->first != NULL) {
        sl_held *held = hold->first;
        hold->first = held->next;
        free_held(state, held);
    }
    *hold = (sl_hold){0};
}
