/* The events of the groove box: frames that came, frames that symlog said, edits, set lists. */
#include "core/code.h"
#include "core/groove_internal.h"

#include <string.h>

/* Takes the planned values over, and tells of them. */
static sl_err take_plan(sl_state *state, sl_groove_plan *plan, sl_groove_what what);
static sl_err keep_edit(sl_state *state, sl_groove_plan *plan, const char *text, size_t length);
static sl_err take_live_sync(sl_state *state, const sl_event *event, const sl_sysex *frame);
static sl_err take_full(sl_state *state, const sl_event *event, const sl_sysex *frame);
static sl_err take_delta(sl_state *state, const sl_event *event, const sl_sysex *frame);
static sl_err take_device(sl_state *state, const sl_event *event, const sl_sysex *frame);

static sl_refusal refusal_of(sl_sysex_fault fault)
{
    switch (fault) {
    case SL_SYSEX_FAULT_NONE: return SL_REFUSAL_NONE;
    case SL_SYSEX_FAULT_FRAME: return SL_REFUSAL_FRAME;
    case SL_SYSEX_FAULT_ASCII: return SL_REFUSAL_ASCII;
    case SL_SYSEX_FAULT_FIELDS: return SL_REFUSAL_FIELDS;
    case SL_SYSEX_FAULT_VALUE: return SL_REFUSAL_VALUE;
    }
    return SL_REFUSAL_MALFORMED;
}

/* Where a refusal or the end of an event stands: nodes that the next event makes get other ids. */
static sl_err count_event(sl_state *state, sl_err err)
{
    state->sender->source.unnumbered_count++;
    return err;
}

sl_err sl_groove_take_sysex(sl_state *state, const sl_event *event)
{
    sl_sysex frame;
    sl_sysex_fault fault = sl_sysex_read(event->payload, event->length, &frame);
    if (fault != SL_SYSEX_FAULT_NONE || event->version != SL_PAYLOAD_VERSION) {
        sl_refusal refusal = fault != SL_SYSEX_FAULT_NONE ? refusal_of(fault) : SL_REFUSAL_MALFORMED;
        sl_state_refuse_at(state, refusal, sl_sysex_fault_text(fault), frame.position);
        return count_event(state, SL_OK);
    }
    if (frame.is_ours && sl_sysex_is_live_sync(frame.op))
        return count_event(state, take_live_sync(state, event, &frame));
    sl_err err = SL_OK;
    if (frame.is_ours && frame.op == SL_SYSEX_VERSION) err = take_device(state, event, &frame);
    sl_groove_change change = {.what = SL_GROOVE_OTHER, .op = frame.op, .evt = ""};
    if (err == SL_OK) sl_state_tell_groove(state, &change);
    return count_event(state, err);
}

static bool is_own(const sl_state *state, const sl_sysex *frame)
{
    char origin[SL_GROOVE_ORIGIN_BYTES];
    sl_groove_origin(state, origin);
    return frame->origin_length == sizeof origin && memcmp(frame->origin, origin, sizeof origin) == 0;
}

static bool is_duplicate(const sl_state *state, const sl_event *event, const sl_sysex *frame)
{
    const sl_groove_peer *peer = sl_groove_peer_of(state, event->source);
    if (frame->op != SL_SYSEX_DELTA || peer == NULL || peer->session != event->session) return false;
    return peer->has_seq && peer->seq == frame->seq && peer->origin_length == frame->origin_length &&
           memcmp(peer->origin, frame->origin, frame->origin_length) == 0;
}

/* Notes that a good frame came. */
static void hear(sl_state *state, const sl_event *event, const sl_sysex *frame)
{
    sl_groove_peer *peer = sl_groove_find_peer(state->groove, event->source, event->session, true);
    bool is_same =
        peer->origin_length == frame->origin_length && memcmp(peer->origin, frame->origin, frame->origin_length) == 0;
    peer->is_armed = frame->op != SL_SYSEX_BYE;
    peer->heard_seq = event->seq;
    bool begins_anew = !is_same || frame->op == SL_SYSEX_HELLO || frame->op == SL_SYSEX_BYE;
    if (begins_anew) peer->has_seq = false;
    if (frame->op == SL_SYSEX_DELTA) peer->has_seq = true;
    if (frame->op == SL_SYSEX_DELTA || begins_anew) peer->seq = frame->seq;
    peer->origin_length = (uint8_t)frame->origin_length;
    memset(peer->origin, 0, sizeof peer->origin);
    memcpy(peer->origin, frame->origin, frame->origin_length);
}

/* A refused frame changes nothing, not even who is on the line. */
static sl_err take_live_sync(sl_state *state, const sl_event *event, const sl_sysex *frame)
{
    sl_err err = sl_groove_open(state);
    if (err != SL_OK) return err;
    sl_groove_change change = {.evt = ""};
    if (is_own(state, frame)) {
        change.what = SL_GROOVE_ECHO;
        sl_state_tell_groove(state, &change);
        return SL_OK;
    }
    if (is_duplicate(state, event, frame)) {
        change.what = SL_GROOVE_DUPLICATE;
        sl_state_tell_groove(state, &change);
        return SL_OK;
    }
    switch (frame->op) {
    case SL_SYSEX_FULL: return take_full(state, event, frame);
    case SL_SYSEX_DELTA: return take_delta(state, event, frame);
    default:
        change.what = frame->op == SL_SYSEX_HELLO ? SL_GROOVE_HELLO : SL_GROOVE_BYE;
        hear(state, event, frame);
        sl_state_tell_groove(state, &change);
        return SL_OK;
    }
}

/* A FULL says what is, not what somebody did: nothing is copied because of it. */
static sl_err take_full(sl_state *state, const sl_event *event, const sl_sysex *frame)
{
    sl_groove_state *groove = state->groove;
    sl_groove_plan plan = {.is_running = frame->is_running, .set_list = frame->set_list, .item = frame->item};
    groove->next = groove->patch;
    sl_refusal refusal = sl_groove_plan_patch(frame->tail, frame->tail_length, &groove->next, &plan);
    if (refusal != SL_REFUSAL_NONE) {
        size_t before = (size_t)((const uint8_t *)frame->tail - event->payload);
        sl_state_refuse_at(state, refusal, plan.detail, before + plan.position);
        return SL_OK;
    }
    hear(state, event, frame);
    return take_plan(state, &plan, SL_GROOVE_FULL);
}

static sl_err take_delta(sl_state *state, const sl_event *event, const sl_sysex *frame)
{
    sl_groove_state *groove = state->groove;
    sl_groove_plan plan;
    groove->next = groove->patch;
    sl_refusal refusal = sl_groove_plan_evt(groove, frame->tail, frame->tail_length, false, &groove->next, &plan);
    if (refusal != SL_REFUSAL_NONE) {
        size_t before = (size_t)((const uint8_t *)frame->tail - event->payload);
        sl_state_refuse_at(state, refusal, plan.detail, before + plan.position);
        return SL_OK;
    }
    hear(state, event, frame);
    plan.wants_full = false; /* the frame itself is passed on */
    return take_plan(state, &plan, SL_GROOVE_DELTA);
}

sl_err sl_groove_take_edit(sl_state *state, const sl_event *event)
{
    sl_err err = sl_groove_open(state);
    if (err != SL_OK) return err;
    sl_groove_state *groove = state->groove;
    sl_groove_plan plan = {.detail = NULL};
    groove->next = groove->patch;
    sl_refusal refusal = SL_REFUSAL_MALFORMED;
    if (event->version == SL_PAYLOAD_VERSION)
        refusal = sl_groove_plan_evt(groove, event->length > 0 ? (const char *)event->payload : "", event->length, true,
                                     &groove->next, &plan);
    if (refusal != SL_REFUSAL_NONE) {
        sl_state_refuse_at(state, refusal, plan.detail, plan.position);
        return count_event(state, SL_OK);
    }
    return count_event(state, take_plan(state, &plan, SL_GROOVE_EDIT));
}

/* What FULL says becomes what is planned: lists, tree, and then the view. */
static sl_err take_plan(sl_state *state, sl_groove_plan *plan, sl_groove_what what)
{
    sl_groove_state *groove = state->groove;
    sl_groove *view = &groove->view;
    sl_writer out = {.bytes = (uint8_t *)groove->next_text, .capacity = sizeof groove->next_text};
    sl_err err = sl_patch_write(&groove->next, &out);
    if (err != SL_OK) return err;
    bool is_same_text = out.length == view->patch_length && memcmp(groove->text, out.bytes, out.length) == 0;
    if (!plan->is_edit || !is_same_text) err = keep_edit(state, plan, groove->next_text, out.length);
    if (err != SL_OK) return err;
    bool is_same = is_same_text && plan->is_running == view->is_running && plan->set_list == view->set_list &&
                   plan->item == view->item;
    if (!is_same || groove->node == NULL) err = sl_groove_show(state, plan, groove->next_text, out.length);
    if (err == SL_OK) err = sl_code_follow_groove(state, plan);
    if (err != SL_OK) return err;
    view->is_known = true;
    view->is_running = plan->is_running;
    view->set_list = plan->set_list;
    view->item = plan->item;
    if (!is_same_text) {
        groove->patch = groove->next;
        memcpy(groove->text, groove->next_text, out.length);
        view->patch_length = out.length;
    }
    if (!is_same) {
        view->changed_seq = state->event->seq;
        view->changed_source = state->event->source;
    }
    sl_groove_find_title(groove);
    sl_state_tell_diff(state);
    const sl_groove_change change = {.what = (uint8_t)what,
                                     .is_changed = !is_same,
                                     .wants_full = plan->wants_full && !is_same,
                                     .evt = plan->evt,
                                     .evt_length = plan->evt_length};
    sl_state_tell_groove(state, &change);
    return SL_OK;
}

/* The lists' side of a plan. An edit of a built-in item goes into a copy in "My edits"; a patch of an item that stands
 * there already is its patch from now on; where it has no room, the groove is an item of no list. */
static sl_err keep_edit(sl_state *state, sl_groove_plan *plan, const char *text, size_t length)
{
    sl_groove_state *groove = state->groove;
    sl_groove *view = &groove->view;
    sl_groove_item item = {.name = ""};
    if (groove->setlists == NULL || plan->set_list < 0 || plan->item < 0) return SL_OK;
    bool is_there = sl_groove_find_item(groove, plan->set_list, plan->item, &item) == SL_OK;
    bool is_own_list = (uint32_t)plan->set_list == view->list_count;
    sl_err err = SL_OK;
    if (is_own_list && is_there)
        err = sl_groove_replace_edit(state, (uint32_t)plan->item, text, length);
    else if (is_own_list && (uint32_t)plan->item == view->edit_count)
        err = sl_groove_append_edit(state, "", 0, text, length);
    else if (!plan->is_edit || !is_there)
        return SL_OK;
    else {
        err = sl_groove_append_edit(state, item.name, item.name_length, text, length);
        plan->set_list = (int32_t)view->list_count;
        plan->item = (int32_t)view->edit_count - 1;
        plan->wants_full = true;
    }
    if (err != SL_ERR_FULL) return err;
    plan->set_list = plan->item = -1;
    return SL_OK;
}

/* "K;0.0.23" is a K; firmware before 0.0.23 says the version alone, and is a K too. */
static sl_err take_device(sl_state *state, const sl_event *event, const sl_sysex *frame)
{
    char id[SL_GROOVE_DEVICE_BYTES_MAX + 1] = {0};
    sl_writer out = {.bytes = (uint8_t *)id, .capacity = SL_GROOVE_DEVICE_BYTES_MAX};
    size_t length = 0;
    while (length < frame->payload_length && frame->payload[length] > ' ' && frame->payload[length] <= '~' &&
           frame->payload[length] != ';')
        length++;
    bool is_told = length < frame->payload_length && frame->payload[length] == ';';
    bool has_id = is_told && length > 0 && length <= out.capacity;
    sl_write_bytes(&out, has_id ? frame->payload : "K", has_id ? length : 1);
    sl_err err = sl_groove_open(state);
    if (err != SL_OK) return err;
    sl_groove *view = &state->groove->view;
    memcpy(view->device_id, id, sizeof id);
    view->device_source = event->source;
    view->device_seq = event->seq;
    err = sl_groove_show_device(state);
    sl_state_tell_diff(state);
    return err;
}

sl_err sl_groove_take_sent(sl_state *state, const sl_event *event)
{
    sl_sysex_sent sent;
    sl_sysex frame;
    if (sl_sysex_sent_decode(event, &sent) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    if (sl_sysex_read(sent.frame, sent.frame_length, &frame) != SL_SYSEX_FAULT_NONE) return SL_OK;
    if (frame.op != SL_SYSEX_FULL && frame.op != SL_SYSEX_DELTA) return SL_OK;
    sl_err err = sl_groove_open(state);
    if (err == SL_OK && frame.seq > state->groove->view.own_seq) state->groove->view.own_seq = frame.seq;
    return err;
}

/* "My edits" stands behind the built-in lists, however many those are now. */
sl_err sl_groove_take_setlists(sl_state *state, const sl_event *event)
{
    sl_setlists lists;
    if (sl_setlists_decode(event, &lists) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    sl_err err = sl_groove_open(state);
    if (err != SL_OK) return err;
    sl_groove_state *groove = state->groove;
    sl_groove *view = &groove->view;
    bool is_edited = groove->setlists != NULL && view->set_list >= 0 && (uint32_t)view->set_list == view->list_count;
    err = sl_groove_put_setlists(state, event->payload, event->length);
    if (err != SL_OK || !is_edited || (uint32_t)view->set_list == view->list_count) return err;
    sl_groove_plan plan = {
        .is_running = view->is_running, .set_list = (int32_t)view->list_count, .item = view->item, .wants_full = true};
    groove->next = groove->patch;
    return take_plan(state, &plan, SL_GROOVE_EDIT);
}

void sl_groove_take_session(sl_state *state, const sl_event *event)
{
    if (state->groove == NULL) return;
    const sl_groove_peer *peer = sl_groove_find_peer(state->groove, event->source, 0, false);
    if (peer != NULL) (void)sl_groove_find_peer(state->groove, event->source, event->session, true);
}

void sl_groove_take_start(sl_state *state)
{
    if (state->groove == NULL) return;
    memset(state->groove->peers, 0, sizeof state->groove->peers);
    state->groove->view.peer_count = 0;
}

void sl_groove_forget(sl_state *state, uint32_t source)
{
    sl_groove_state *groove = state->groove;
    if (groove == NULL) return;
    sl_groove_peer *peer = sl_groove_find_peer(groove, source, 0, false);
    if (peer == NULL) return;
    size_t behind = groove->view.peer_count - (size_t)(peer - groove->peers) - 1;
    memmove(peer, peer + 1, behind * sizeof *peer);
    groove->view.peer_count--;
}
