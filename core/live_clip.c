/* Messages about clip slots and clips. */
#include "core/live.h"

enum { STATUS_STOPPED = 0, STATUS_PLAYING = 1, STATUS_TRIGGERED = 2 };

/* A clip that Live has but never described is added first, as a parameter is. */
sl_err sl_live_set_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = sl_live_find_slot(state, live);
    if (slot == NULL) return sl_live_no_such_index(state);
    sl_node *clip = sl_node_child(slot, SL_NODE_CLIP, 0);
    if (clip == NULL) {
        if (!sl_live_is_true(slot, SL_ATTRIBUTE_HAS_CLIP)) return sl_live_no_such_index(state);
        sl_err err = sl_live_add_node(state, slot, SL_NODE_CLIP, 0, &clip);
        if (err == SL_OK) err = sl_live_note_added(state, clip);
        if (err != SL_OK) return err;
        sl_state_tell_diff(state);
    }
    return sl_live_set_attribute(state, clip, live);
}

static sl_err set_status(sl_state *state, sl_node *slot, sl_change_type change, int64_t status)
{
    sl_err err = sl_state_set(state, slot, change, SL_ATTRIBUTE_PLAYING_STATUS, sl_value_int(status));
    if (err == SL_OK)
        err = sl_state_set(state, slot, change, SL_ATTRIBUTE_IS_PLAYING, sl_value_bool(status == STATUS_PLAYING));
    if (err == SL_OK)
        err = sl_state_set(state, slot, change, SL_ATTRIBUTE_IS_TRIGGERED, sl_value_bool(status == STATUS_TRIGGERED));
    return err;
}

static sl_err remove_clip(sl_state *state, const sl_node *slot)
{
    sl_node *clip = sl_node_child(slot, SL_NODE_CLIP, 0);
    return clip != NULL ? sl_live_remove_node(state, clip, true) : SL_OK;
}

/* The node of a slot whose track and scene exist, made if there is none. NULL in *out: refused. */
static sl_err find_or_add_slot(sl_state *state, const sl_live *live, sl_node **out, bool *is_new)
{
    sl_node *track = sl_live_find_track(state, live);
    *out = NULL;
    if (track == NULL || sl_live_find_scene(state, live->arguments[1].integer) == NULL)
        return sl_live_no_such_index(state);
    *out = sl_live_find_slot(state, live);
    *is_new = *out == NULL;
    if (!*is_new) return SL_OK;
    return sl_live_add_node(state, track, SL_NODE_CLIP_SLOT, (uint32_t)live->arguments[1].integer, out);
}

sl_err sl_live_create_slot(sl_state *state, const sl_live *live)
{
    sl_node *slot;
    bool is_new = false;
    sl_err err = find_or_add_slot(state, live, &slot, &is_new);
    if (err != SL_OK || slot == NULL) return err;
    bool has_clip = live->arguments[2].integer != 0;
    bool has_stop = live->arguments[3].integer != 0;
    const sl_output *output = state->output;
    if (is_new) state->output = NULL; /* its attributes are told with the node */
    if (!has_clip) err = remove_clip(state, slot);
    if (err == SL_OK)
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(has_clip));
    if (err == SL_OK)
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_STOP_BUTTON, sl_value_bool(has_stop));
    if (err == SL_OK) err = set_status(state, slot, SL_CHANGE_MODIFIED, live->arguments[4].integer);
    state->output = output;
    return err == SL_OK && is_new ? sl_live_note_added(state, slot) : err;
}

sl_err sl_live_set_playing_status(sl_state *state, const sl_live *live)
{
    sl_node *slot = sl_live_find_slot(state, live);
    if (slot == NULL) return sl_live_no_such_index(state);
    return set_status(state, slot, SL_CHANGE_STATE, live->arguments[2].integer);
}

sl_err sl_live_trigger_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = sl_live_find_slot(state, live);
    if (slot == NULL) return sl_live_no_such_index(state);
    return set_status(state, slot, SL_CHANGE_STATE, STATUS_TRIGGERED);
}

sl_err sl_live_stop_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = sl_live_find_slot(state, live);
    if (slot == NULL) return sl_live_no_such_index(state);
    return set_status(state, slot, SL_CHANGE_STATE, STATUS_STOPPED);
}

sl_err sl_live_add_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot;
    bool is_new = false;
    sl_err err = find_or_add_slot(state, live, &slot, &is_new);
    if (err != SL_OK || slot == NULL) return err;
    err = remove_clip(state, slot);
    if (err != SL_OK) return err;
    if (is_new) {
        err = sl_tree_set(state->tree, slot, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(true), NULL, NULL);
        if (err == SL_OK) err = sl_live_note_added(state, slot);
    } else {
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(true));
    }
    if (err != SL_OK) return err;
    sl_node *clip;
    err = sl_live_add_node(state, slot, SL_NODE_CLIP, 0, &clip);
    if (err == SL_OK) err = sl_live_set_text(state, clip, SL_ATTRIBUTE_NAME, &live->arguments[2]);
    return err == SL_OK ? sl_live_note_added(state, clip) : err;
}

sl_err sl_live_delete_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = sl_live_find_slot(state, live);
    if (slot == NULL) return sl_live_no_such_index(state);
    sl_err err = remove_clip(state, slot);
    if (err == SL_OK) err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(false));
    sl_value status = sl_node_value(slot, SL_ATTRIBUTE_PLAYING_STATUS);
    if (err != SL_OK || status.type == SL_VALUE_ABSENT || status.as.integer == 0) return err;
    return set_status(state, slot, SL_CHANGE_MODIFIED, STATUS_STOPPED);
}
