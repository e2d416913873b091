/* The reducer: applies events to the state, one after the other. */
#include "core/reduce.h"

#include "core/picture.h"
#include "core/state.h"

#include <assert.h>
#include <string.h>

static sl_err take_start(sl_state *state, const sl_event *event)
{
    sl_start start;
    if (sl_start_decode(event, &start) == SL_OK)
        state->wall_ns = start.wall_ns;
    else
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
    sl_err err = SL_OK;
    for (uint32_t i = 0; i < state->source_count && err == SL_OK; i++)
        err = sl_hold_release_all(state, state->sources[i]); /* no picture will come any more */
    return err;
}

/* A new run of the sender begins: what the old one left open is settled first. */
static sl_err take_session(sl_state *state, const sl_event *event)
{
    sl_session session;
    if (sl_session_decode(event, &session) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    sl_source_state *sender = state->sender;
    sl_err err = sl_hold_release_all(state, sender);
    if (err == SL_OK) err = sl_run_end(state, false);
    sl_source *source = &sender->source;
    source->input = session.input;
    source->session = event->session;
    source->next_source_seq = 0;
    sender->has_number = false;
    size_t length = session.name_length < SL_NAME_BYTES_MAX ? session.name_length : SL_NAME_BYTES_MAX;
    memset(source->name, 0, sizeof source->name);
    memcpy(source->name, session.name, length);
    return err;
}

static sl_err take_counters(sl_state *state, const sl_event *event)
{
    sl_counters counters;
    if (sl_counters_decode(event, &counters) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    state->kernel_drops = counters.kernel_drops;
    state->refused_unnamed = counters.refused_unnamed;
    for (uint32_t i = 0; i < counters.count; i++)
        for (uint32_t s = 0; s < state->source_count; s++)
            if (state->sources[s]->source.number == counters.sources[i].source)
                state->sources[s]->source.counts = counters.sources[i];
    return SL_OK;
}

static sl_err replace_tree(sl_state *state, sl_tree *tree)
{
    state->former = state->tree;
    state->tree = tree;
    state->launched = sl_state_find_launched(tree);
    state->has_more_launched = true;
    sl_err err = sl_state_set_stale(state, sl_value_bool(false), sl_value_null());
    if (err == SL_OK && state->output != NULL) err = sl_compare(state, state->former, tree);
    sl_state_tell_diff(state);
    return err;
}

/* What follows a snapshot's last part waits until it is known what became of that snapshot. */
static sl_err release_if_answered(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    return sl_hold_is_answered(sender, event) ? sl_hold_release(state, sender) : SL_OK;
}

/* A picture of another session, or of a moment that its sender's applied events are past (the hold was full before it
 * came), would undo them. */
static bool is_late(const sl_source_state *sender, const sl_event *event)
{
    if (event->source_seq == SL_SOURCE_SEQ_NONE) return false;
    if (event->session != sender->source.session) return true;
    return sender->has_number && sl_state_number_distance(event->source_seq, sender->source.next_source_seq) < -1;
}

static sl_err take_picture(sl_state *state, const sl_event *event)
{
    sl_err err = sl_run_end(state, false);
    if (err != SL_OK) return err;
    if (is_late(state->sender, event)) {
        sl_state_refuse(state, SL_REFUSAL_LATE);
        return release_if_answered(state, event);
    }
    char prefix[SL_ID_BYTES_MAX] = {0};
    sl_writer writer = {.bytes = (uint8_t *)prefix, .capacity = sizeof prefix - 1};
    sl_state_write_origin(state, &writer);
    sl_tree *tree;
    sl_picture_error error;
    err = sl_tree_create(state->memory, &tree);
    if (err != SL_OK) return err;
    err = sl_picture_build(event->payload, event->length, prefix, tree, &error);
    if (err == SL_OK && event->version == SL_PICTURE_VERSION) {
        err = replace_tree(state, tree);
    } else {
        sl_tree_destroy(tree);
        if (err == SL_ERR_MEMORY) return err;
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        err = SL_OK;
    }
    return err == SL_OK ? release_if_answered(state, event) : err;
}

static sl_err take(sl_state *state, const sl_event *event)
{
    switch (event->kind) {
    case SL_KIND_START: return take_start(state, event);
    case SL_KIND_COUNTERS: return take_counters(state, event);
    case SL_KIND_SESSION: return take_session(state, event);
    case SL_KIND_OSC: return sl_state_take_osc(state, event);
    case SL_KIND_PICTURE: return take_picture(state, event);
    case SL_KIND_REFUSED: return release_if_answered(state, event);
    case SL_KIND_ORDER_SETTLED: return sl_run_end(state, false);
    default: return SL_OK; /* marks, checkpoints, and what later versions append: nothing to do */
    }
}

sl_err sl_reduce(sl_state *state, const sl_event *event, const sl_output *output)
{
    assert(event->seq == state->seq + 1);
    sl_tree_bury(state->tree);
    sl_tree_destroy(state->former);
    state->former = NULL;
    state->seq = event->seq;
    state->output = output;
    state->event = event;
    state->seq_num = event->source_seq;
    state->timestamp = 0;
    state->message = NULL;
    state->ordinal = 0;
    state->diff.count = 0;
    sl_err err = sl_state_find_sender(state, event);
    if (err == SL_OK) err = take(state, event);
    sl_state_tell_diff(state);
    state->output = NULL;
    return err;
}
