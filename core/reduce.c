/* The reducer: applies events to the state, one after the other. */
#include "core/reduce.h"

#include "core/code.h"
#include "core/groove_internal.h"
#include "core/parameters.h"
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
    sl_recents_clear(state);
    /* The pictures that were under way when serve ended will not come any more. */
    for (uint32_t i = 0; i < state->source_count && err == SL_OK; i++)
        err = sl_turn_forget_answers(state, state->sources[i]);
    sl_groove_take_start(state);
    return err;
}

/* Another session than before is a new run of the sender: what the old one left open is closed first. The same one has
 * moved, or said hello. */
static sl_err take_session(sl_state *state, const sl_event *event)
{
    sl_session session;
    if (sl_session_decode(event, &session) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    sl_source_state *sender = state->sender;
    sl_source *source = &sender->source;
    sl_err err = SL_OK;
    if (event->session != source->session || source->name[0] == '\0') {
        err = sl_turn_close(state, sender);
        source->next_source_seq = 0;
        state->sender = sender;
        if (err == SL_OK) err = sl_run_end(state, false);
        source->has_hello = source->has_said = false;
        source->said_session = 0;
    }
    sl_groove_take_session(state, event);
    source->input = session.input;
    if (session.input == SL_INPUT_PROJECT) state->recents.is_kept = true;
    source->session = event->session;
    source->has_hello = source->has_hello || session.has_hello;
    memset(source->name, 0, sizeof source->name);
    memcpy(source->name, session.name, session.name_length); /* at most SL_NAME_BYTES_MAX, or it would not decode */
    return err;
}

static sl_err take_gave_up(sl_state *state, const sl_event *event)
{
    sl_gave_up gave_up;
    if (sl_gave_up_decode(event, &gave_up) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    if (event->session != state->sender->source.session) return SL_OK; /* of a run that is over */
    return sl_turn_give_up(state, state->sender, gave_up.through);
}

/* Silence tells the end of a run of scene/reordered only where nothing is missing: the rest of it may be. When that has
 * come, or is given up, there will be another silence. */
static sl_err take_settled(sl_state *state)
{
    return sl_turn_is_waiting(state->sender) ? SL_OK : sl_run_end(state, false);
}

/* What happens while nobody listens is not known: the tree is stale. The numbers go on behind the pause: those that
 * were sent in it are missing, and what comes from before it is late. */
static sl_err take_paused(sl_state *state, const sl_event *event)
{
    static const char reason[] = "source paused";
    sl_paused paused;
    if (sl_paused_decode(event, &paused) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    sl_source_state *sender = state->sender;
    if (sender->source.is_paused == paused.is_paused) return SL_OK;
    bool has_number = sender->has_number;
    sl_err err = sl_turn_close(state, sender);
    sender->has_number = has_number;
    sender->source.is_paused = paused.is_paused;
    return err == SL_OK ? sl_state_go_stale(state, sl_value_text(reason, strlen(reason))) : err;
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

/* `saved_ns` NULL: a snapshot, which is of the moment of its last part. */
static sl_err replace_tree(sl_state *state, sl_tree *tree, const uint64_t *saved_ns)
{
    state->former = state->tree;
    state->tree = tree;
    state->launched = sl_state_find_launched(tree);
    state->has_more_launched = true;
    sl_err err = sl_state_set_stale(state, sl_value_bool(false), sl_value_null());
    if (err == SL_OK && saved_ns != NULL) err = sl_reconcile(state, *saved_ns);
    if (saved_ns == NULL) sl_recents_forget(state);
    if (err == SL_OK) err = sl_groove_carry(state);
    if (err == SL_OK) err = sl_code_carry(state);
    if (err == SL_OK && state->output != NULL) err = sl_compare(state, state->former, tree);
    sl_state_tell_diff(state);
    return err;
}

/* A picture of another session, or of a moment that its sender's applied events are past, would undo them. */
static bool is_late(const sl_source_state *sender, const sl_event *event)
{
    if (event->source_seq == SL_SOURCE_SEQ_NONE) return false;
    return event->session != sender->source.session || sl_turn_is_past(sender, event->source_seq);
}

/* What became of a snapshot is known: nothing waits for it any longer, or will, where its last part itself has to wait.
 * An older one's answer changes nothing. */
static sl_err take_answer(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_turn_note_answer(sender, event);
    return sl_turn_is_answer(sender, event) ? sl_turn_release(state, sender) : SL_OK;
}

/* The sender's run; before a save, which stands for what all senders did, everybody's. */
static sl_err end_runs(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_err err = sl_run_end(state, false);
    for (uint32_t i = 0; event->version == SL_PICTURE_SAVE_VERSION && err == SL_OK && i < state->source_count; i++) {
        state->sender = state->sources[i];
        err = sl_run_end(state, false);
    }
    state->sender = sender;
    return err;
}

static sl_err take_picture(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_err err = end_runs(state, event);
    if (err != SL_OK) return err;
    if (is_late(sender, event)) {
        sl_state_refuse(state, SL_REFUSAL_LATE);
        return SL_OK;
    }
    char prefix[SL_ID_BYTES_MAX] = {0};
    sl_writer writer = {.bytes = (uint8_t *)prefix, .capacity = sizeof prefix - 1};
    sl_state_write_origin(state, &writer);
    sl_tree *tree;
    sl_picture_error error;
    uint64_t saved_ns;
    bool is_save = event->version == SL_PICTURE_SAVE_VERSION;
    sl_reader reader = {.bytes = event->payload, .length = event->length};
    if (is_save) saved_ns = sl_read_le(&reader, 8);
    err = sl_tree_create(state->memory, &tree);
    if (err != SL_OK) return err;
    err = sl_picture_build(event->payload + reader.position, event->length - reader.position, prefix, tree, &error);
    if (err == SL_OK && (is_save || event->version == SL_PICTURE_VERSION)) {
        err = replace_tree(state, tree, is_save ? &saved_ns : NULL);
        if (is_save) state->recents.is_save_open = false;
        if (err == SL_OK && event->source_seq == SL_SOURCE_SEQ_NONE) err = take_answer(state, event);
        if (err != SL_OK || event->source_seq == SL_SOURCE_SEQ_NONE) return err;
        return sl_turn_skip(state, sender, event->source_seq);
    }
    sl_tree_destroy(tree);
    if (err == SL_ERR_MEMORY) return err;
    sl_state_refuse(state, SL_REFUSAL_MALFORMED);
    return take_answer(state, event);
}

static sl_err take_refused(sl_state *state, const sl_event *event)
{
    sl_refused refused;
    bool is_good = sl_refused_decode(event, &refused) == SL_OK;
    if (event->version > 1) { /* of code */
        if (is_good) sl_buffers_answer(state, refused.code_seq, false);
        return SL_OK;
    }
    if (is_good && refused.kind == SL_KIND_SAVE) {
        state->recents.is_save_open = false;
        sl_state_tell_message(state, SL_EFFECT_BAD_SAVE);
    }
    return take_answer(state, event);
}

/* What is in it comes as a picture. */
static sl_err take_save(sl_state *state, const sl_event *event)
{
    sl_save save;
    if (sl_save_decode(event, &save) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    state->recents.last_save = sl_digest_bytes(save.bytes, save.length);
    state->recents.is_save_open = true;
    return SL_OK;
}

static sl_err take(sl_state *state, const sl_event *event)
{
    switch (event->kind) {
    case SL_KIND_START: return take_start(state, event);
    case SL_KIND_COUNTERS: return take_counters(state, event);
    case SL_KIND_SESSION: return take_session(state, event);
    case SL_KIND_OSC: return sl_turn_take(state, event);
    case SL_KIND_PICTURE: return take_picture(state, event);
    case SL_KIND_REFUSED: return take_refused(state, event);
    case SL_KIND_ORDER_SETTLED: return take_settled(state);
    case SL_KIND_GAVE_UP: return take_gave_up(state, event);
    case SL_KIND_PAUSED: return take_paused(state, event);
    case SL_KIND_SAVE: return take_save(state, event);
    case SL_KIND_SYSEX: return sl_groove_take_sysex(state, event);
    case SL_KIND_SYSEX_SENT: return sl_groove_take_sent(state, event);
    case SL_KIND_GROOVE_EDIT: return sl_groove_take_edit(state, event);
    case SL_KIND_SETLISTS: return sl_groove_take_setlists(state, event);
    case SL_KIND_CODE: return sl_buffers_take_code(state, event); /* its score, or its refusal, follows */
    case SL_KIND_SCORE:
    case SL_KIND_TRANSPORT:
    case SL_KIND_APPLIED: return sl_code_take(state, event);
    case SL_KIND_PARAMETER: return sl_parameters_take(state, event);
    default: return SL_OK; /* marks, proofs, bases, and what later versions append: nothing to do */
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
    state->is_answered = false;
    state->diff.count = 0;
    state->follow_count = 0;
    sl_err err = sl_state_find_sender(state, event);
    if (err == SL_OK) err = take(state, event);
    sl_state_tell_diff(state);
    state->output = NULL;
    return err;
}
