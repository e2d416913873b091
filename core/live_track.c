/* Messages about tracks, devices and their parameters. */
#include "core/live.h"

enum { PARAMETER_POSITION_MAX = 4096 };

sl_err sl_live_add_track(sl_state *state, const sl_live *live)
{
    sl_node *project = sl_tree_project(state->tree);
    int64_t position = live->arguments[0].integer;
    if (position < 0 || position > sl_node_child_count(project, SL_NODE_TRACK) || position >= SL_POSITION_MAX)
        return sl_live_no_such_index(state);
    sl_node *track;
    sl_err err = sl_live_add_node(state, project, SL_NODE_TRACK, (uint32_t)position, &track);
    if (err == SL_OK) err = sl_live_set_text(state, track, SL_ATTRIBUTE_NAME, &live->arguments[1]);
    if (err == SL_OK) err = sl_live_set_text(state, track, SL_ATTRIBUTE_TYPE, &live->arguments[2]);
    if (err == SL_OK) err = sl_live_note_shifted(state, SL_NODE_TRACK, (uint32_t)position + 1, 1);
    return err == SL_OK ? sl_live_note_added(state, track) : err;
}

sl_err sl_live_delete_track(sl_state *state, const sl_live *live)
{
    sl_node *track = sl_live_find_track(state, live);
    if (track == NULL) return sl_live_no_such_index(state);
    sl_err err = sl_live_remove_node(state, track, true);
    if (err != SL_OK) return err;
    return sl_live_note_shifted(state, SL_NODE_TRACK, (uint32_t)live->arguments[0].integer, -1);
}

/* Devices. */

sl_err sl_live_add_device(sl_state *state, const sl_live *live)
{
    sl_node *track = sl_live_find_track(state, live);
    int64_t position = live->arguments[1].integer;
    if (track == NULL || position < 0 || position > sl_node_child_count(track, SL_NODE_DEVICE) ||
        position >= SL_POSITION_MAX)
        return sl_live_no_such_index(state);
    sl_node *device;
    sl_err err = sl_live_add_node(state, track, SL_NODE_DEVICE, (uint32_t)position, &device);
    if (err == SL_OK) err = sl_live_set_text(state, device, SL_ATTRIBUTE_NAME, &live->arguments[2]);
    if (err == SL_OK) err = sl_live_set_text(state, device, SL_ATTRIBUTE_DEVICE_TYPE, &live->arguments[3]);
    return err == SL_OK ? sl_live_note_added(state, device) : err;
}

sl_err sl_live_delete_device(sl_state *state, const sl_live *live)
{
    sl_node *device = sl_live_find_device(state, live);
    if (device == NULL) return sl_live_no_such_index(state);
    return sl_live_remove_node(state, device, true);
}

sl_err sl_live_set_parameter(sl_state *state, const sl_live *live)
{
    sl_node *device = sl_live_find_device(state, live);
    int64_t position = live->arguments[2].integer;
    if (device == NULL || position < 0 || position >= PARAMETER_POSITION_MAX) return sl_live_no_such_index(state);
    uint32_t count = sl_node_child_count(device, SL_NODE_PARAMETER);
    for (; count <= position; count++) {
        sl_node *parameter;
        sl_err err = sl_live_add_node(state, device, SL_NODE_PARAMETER, count, &parameter);
        if (err == SL_OK) err = sl_live_note_added(state, parameter);
        if (err != SL_OK) return err;
    }
    sl_state_tell_diff(state);
    sl_node *parameter = sl_node_child(device, SL_NODE_PARAMETER, (uint32_t)position);
    return sl_live_set_attribute(state, parameter, live);
}
