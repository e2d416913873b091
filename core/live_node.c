/* What the messages have in common: finding a node by its indexes, adding, removing, telling. */
#include "core/live.h"

static sl_node *child_at(const sl_node *parent, sl_node_type type, int64_t position)
{
    if (parent == NULL || position < 0 || position >= SL_POSITION_MAX) return NULL;
    return sl_node_child(parent, type, (uint32_t)position);
}

sl_node *sl_live_find_track(const sl_state *state, const sl_live *live)
{
    return child_at(sl_tree_project(state->tree), SL_NODE_TRACK, live->arguments[0].integer);
}

sl_node *sl_live_find_device(const sl_state *state, const sl_live *live)
{
    return child_at(sl_live_find_track(state, live), SL_NODE_DEVICE, live->arguments[1].integer);
}

sl_node *sl_live_find_scene(const sl_state *state, int64_t position)
{
    return child_at(sl_tree_project(state->tree), SL_NODE_SCENE, position);
}

sl_node *sl_live_find_slot(const sl_state *state, const sl_live *live)
{
    return child_at(sl_live_find_track(state, live), SL_NODE_CLIP_SLOT, live->arguments[1].integer);
}

sl_err sl_live_no_such_index(sl_state *state)
{
    sl_state_refuse(state, SL_REFUSAL_INDEX);
    return SL_OK;
}

/* Adding nodes. */

/* Inserts a node, or puts a clip_slot at its place, with an id made from the present message. */
sl_err sl_live_add_node(sl_state *state, sl_node *parent, sl_node_type type, uint32_t position, sl_node **out)
{
    char id[SL_ID_BYTES_MAX];
    size_t length = sl_state_make_id(state, type, id);
    if (type == SL_NODE_CLIP_SLOT) return sl_tree_place(state->tree, parent, type, position, (sl_id){id, length}, out);
    return sl_tree_insert(state->tree, parent, type, position, (sl_id){id, length}, out);
}

sl_err sl_live_note_added(sl_state *state, const sl_node *node)
{
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_ADDED, .node = node});
}

sl_err sl_live_set_text(sl_state *state, sl_node *node, sl_attribute attribute, const sl_live_argument *text)
{
    if (!text->is_given) return SL_OK;
    return sl_tree_set(state->tree, node, attribute, sl_value_text(text->text, text->length), NULL, NULL);
}

/* Takes a node out and notes it; its place closes up if `close`. */
sl_err sl_live_remove_node(sl_state *state, sl_node *node, bool close)
{
    sl_change change = {
        .type = SL_CHANGE_REMOVED, .node = node, .parent = sl_node_parent(node), .position = sl_node_position(node)};
    sl_tree_remove(state->tree, node, close);
    return sl_state_change(state, change);
}

/* Tells that what stands from `position` on has moved `by`; nothing if nothing stands there. */
sl_err sl_live_note_shifted(sl_state *state, sl_node_type child, uint32_t position, int8_t by)
{
    const sl_node *project = sl_tree_project(state->tree);
    if (position >= sl_node_child_count(project, child)) return SL_OK;
    return sl_state_change(
        state,
        (sl_change){
            .type = SL_CHANGE_SHIFTED, .node = project, .child = (uint8_t)child, .position = position, .by = by});
}

bool sl_live_is_true(const sl_node *node, sl_attribute attribute)
{
    sl_value value = sl_node_value(node, attribute);
    return value.type == SL_VALUE_BOOL && value.as.integer != 0;
}
