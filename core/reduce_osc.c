/* OSC events: message by message, a bundle as a whole or not at all. */
#include "core/state.h"

/* One message: ends a run of scene/reordered unless it goes on with it, then reads and applies. */
static sl_err apply_message(sl_state *state, const sl_osc_message *message)
{
    sl_live live;
    state->message = message;
    sl_refusal refusal = sl_live_read(state, message, &live);
    sl_run_effect effect = sl_live_run_effect(message, &live);
    if (effect != SL_RUN_GOES_ON) {
        sl_err err = sl_run_end(state, effect == SL_RUN_DROPPED);
        if (err != SL_OK) return err;
    }
    if (refusal != SL_REFUSAL_NONE) {
        sl_state_refuse(state, refusal);
        return SL_OK;
    }
    sl_err err = sl_live_apply(state, &live);
    sl_state_tell_diff(state);
    return err;
}

/* Goes through a packet's messages, wrappers taken off. With `is_dry` they are only read; the first refusal is told in
 * *refusal. */
static sl_err each_message(sl_state *state, const sl_event *event, bool is_dry, sl_refusal *refusal, uint64_t *count)
{
    sl_osc_walk walk = sl_osc_walk_begin(event->payload, event->length);
    sl_osc_message message, inner;
    sl_err err = SL_OK;
    for (*count = 0; err == SL_OK && sl_osc_walk_next(&walk, &message); ++*count) {
        int64_t number;
        bool is_bad = false;
        state->timestamp = 0;
        bool is_wrapped = sl_osc_unwrap(&message, &inner, &number, &state->timestamp, &is_bad);
        const sl_osc_message *plain = is_wrapped ? &inner : &message;
        state->seq_num = event->source_seq;
        if (event->source_seq != SL_SOURCE_SEQ_NONE) state->seq_num = sl_number_after(event->source_seq, *count);
        sl_live live;
        if (!is_dry)
            err = apply_message(state, plain);
        else if (*refusal == SL_REFUSAL_NONE)
            *refusal = sl_live_read(state, plain, &live);
    }
    return err;
}

sl_err sl_state_apply_osc(sl_state *state, const sl_event *event)
{
    const sl_event *outer = state->event;
    state->event = event;
    state->ordinal = 0;
    state->seq_num = event->source_seq;
    state->message = NULL;
    sl_refusal refusal = SL_REFUSAL_NONE;
    sl_err err = SL_OK;
    uint64_t count = 1;
    if (!sl_osc_check(event->payload, event->length, NULL))
        refusal = SL_REFUSAL_MALFORMED;
    else if (sl_osc_is_bundle(event->payload, event->length))
        err = each_message(state, event, true, &refusal, &count);
    if (err == SL_OK && refusal == SL_REFUSAL_NONE) {
        err = each_message(state, event, false, &refusal, &count);
    } else if (err == SL_OK) {
        err = sl_run_end(state, false);
        sl_state_refuse(state, refusal == SL_REFUSAL_MALFORMED ? refusal : SL_REFUSAL_BUNDLE);
    }
    state->event = outer;
    return err == SL_OK ? sl_recents_note(state, event) : err;
}
