/* Messages about scenes; runs of scene/reordered are in scene_order.c. */
#include "core/live.h"

sl_err sl_live_add_scene(sl_state *state, const sl_live *live)
{
    sl_node *project = sl_tree_project(state->tree);
    int64_t position = live->arguments[0].integer;
    if (position < 0 || position > sl_node_child_count(project, SL_NODE_SCENE) || position >= SL_POSITION_MAX)
        return sl_live_no_such_index(state);
    uint32_t place = (uint32_t)position;
    sl_node *scene;
    sl_err err = sl_live_add_node(state, project, SL_NODE_SCENE, place, &scene);
    if (err == SL_OK) err = sl_live_set_text(state, scene, SL_ATTRIBUTE_NAME, &live->arguments[1]);
    uint32_t track_count = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t t = 0; t < track_count && err == SL_OK; t++) {
        sl_node *track = sl_node_child(project, SL_NODE_TRACK, t);
        err = sl_tree_open_place(state->tree, track, SL_NODE_CLIP_SLOT, place);
    }
    if (err == SL_OK) err = sl_live_note_shifted(state, SL_NODE_SCENE, place + 1, 1);
    return err == SL_OK ? sl_live_note_added(state, scene) : err;
}

sl_err sl_live_remove_scene(sl_state *state, const sl_live *live)
{
    sl_node *scene = sl_live_find_scene(state, live->arguments[0].integer);
    if (scene == NULL) return sl_live_no_such_index(state);
    uint32_t place = (uint32_t)live->arguments[0].integer;
    bool was_launched = state->launched == scene;
    sl_err err = sl_live_remove_node(state, scene, true);
    if (was_launched) state->launched = state->has_more_launched ? sl_state_find_launched(state->tree) : NULL;
    const sl_node *project = sl_tree_project(state->tree);
    uint32_t track_count = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t t = 0; t < track_count && err == SL_OK; t++) {
        sl_node *track = sl_node_child(project, SL_NODE_TRACK, t);
        sl_node *slot = sl_node_child(track, SL_NODE_CLIP_SLOT, place);
        if (slot != NULL)
            err = sl_live_remove_node(state, slot, true);
        else
            sl_tree_close_place(state->tree, track, SL_NODE_CLIP_SLOT, place);
    }
    return err == SL_OK ? sl_live_note_shifted(state, SL_NODE_SCENE, place, -1) : err;
}

/* Launched last: the mark goes from one scene (a picture may have brought several) to another. A second launch is told
 * again. */
sl_err sl_live_trigger_scene(sl_state *state, const sl_live *live)
{
    sl_node *scene = sl_live_find_scene(state, live->arguments[0].integer);
    if (scene == NULL) return sl_live_no_such_index(state);
    bool is_again = sl_live_is_true(scene, SL_ATTRIBUTE_IS_TRIGGERED);
    sl_err err = SL_OK;
    if (is_again) err = sl_tree_set(state->tree, scene, SL_ATTRIBUTE_IS_TRIGGERED, sl_value_null(), NULL, NULL);
    sl_node *other = state->has_more_launched ? sl_state_find_launched(state->tree) : state->launched;
    while (err == SL_OK && other != NULL && other != scene) {
        err = sl_state_set(state, other, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_TRIGGERED, sl_value_bool(false));
        other = state->has_more_launched ? sl_state_find_launched(state->tree) : NULL;
    }
    if (err != SL_OK) return err;
    state->launched = scene;
    state->has_more_launched = false;
    if (!is_again) return sl_state_set(state, scene, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_TRIGGERED, sl_value_bool(true));
    err = sl_tree_set(state->tree, scene, SL_ATTRIBUTE_IS_TRIGGERED, sl_value_bool(true), NULL, NULL);
    if (err != SL_OK) return err;
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_STATE,
                                              .node = scene,
                                              .attribute = SL_ATTRIBUTE_IS_TRIGGERED,
                                              .old_value = sl_value_bool(true),
                                              .new_value = sl_value_bool(true)});
}
