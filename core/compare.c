/*
 * What leads from one tree to another: nodes are matched by id. A node stays if the other tree has one of its id and
 * type below the same parent, which stays too; tracks, scenes and clip_slots then tell their new place as a modified
 * index, other children whose order changed are removed and added again, as few as possible.
 */
#include "core/moves.h"
#include "core/state.h"

#include <assert.h>

/* The node of `other` that is the same as `node`, whose parent stays; NULL if it does not stay. */
static sl_node *find_twin(const sl_tree *other, const sl_node *node)
{
    sl_node *twin = sl_tree_find(other, node->id, node->id_length);
    if (twin == NULL || twin->type != node->type || twin->is_moving || node->is_moving) return NULL;
    const sl_node *parent = sl_node_parent(node), *twin_parent = sl_node_parent(twin);
    if (parent == NULL || twin_parent == NULL) return parent == twin_parent ? twin : NULL;
    sl_node *same = sl_tree_find(other, parent->id, parent->id_length);
    return same == twin_parent ? twin : NULL;
}

static bool has_index(sl_node_type type)
{
    return type == SL_NODE_TRACK || type == SL_NODE_SCENE || type == SL_NODE_CLIP_SLOT;
}

typedef sl_err (*visit_function)(sl_state *state, const sl_tree *other, sl_node *node, void *ctx);

/* Calls `visit` for each child, of all types, in order. */
static sl_err each_child(sl_state *state, const sl_tree *other, const sl_node *node, visit_function visit, void *ctx)
{
    size_t type_count;
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &type_count);
    for (size_t i = 0; i < type_count; i++) {
        uint32_t count = sl_node_child_count(node, types[i]);
        for (uint32_t p = 0; p < count; p++) {
            sl_node *child = sl_node_child(node, types[i], p);
            sl_err err = child != NULL ? visit(state, other, child, ctx) : SL_OK;
            if (err != SL_OK) return err;
        }
    }
    return SL_OK;
}

/* The children of a type that stay, with the places at which they stood. */
typedef struct staying {
    sl_node **nodes; /* `capacity` of each, in one piece of memory */
    uint32_t *former;
    bool *moved;
    uint32_t count, capacity;
    size_t size_bytes;
} staying;

static sl_err open_staying(const sl_state *state, uint32_t capacity, staying *out)
{
    const size_t each = sizeof(void *) + sizeof(uint32_t) + sizeof(bool);
    *out = (staying){.capacity = capacity, .size_bytes = each * capacity};
    out->nodes = state->memory.resize(state->memory.ctx, NULL, 0, out->size_bytes);
    if (out->nodes == NULL) return SL_ERR_MEMORY;
    out->former = (uint32_t *)(out->nodes + capacity);
    out->moved = (bool *)(out->former + capacity);
    return SL_OK;
}

static sl_err mark_moved(const sl_state *state, const sl_tree *former, const sl_node *parent, sl_node_type type)
{
    const uint32_t count = sl_node_child_count(parent, type);
    staying staying;
    sl_err err = open_staying(state, count, &staying);
    if (err != SL_OK) return err;
    for (uint32_t p = 0; p < count; p++) {
        sl_node *child = sl_node_child(parent, type, p);
        const sl_node *twin = child != NULL ? find_twin(former, child) : NULL;
        if (twin == NULL) continue;
        staying.nodes[staying.count] = child;
        staying.former[staying.count++] = sl_node_position(twin);
    }
    err = sl_moves_find(staying.former, staying.count, state->memory, staying.moved);
    for (uint32_t i = 0; err == SL_OK && i < staying.count; i++) {
        if (!staying.moved[i]) continue;
        find_twin(former, staying.nodes[i])->is_moving = true;
        staying.nodes[i]->is_moving = true;
    }
    (void)state->memory.resize(state->memory.ctx, staying.nodes, staying.size_bytes, 0);
    return err;
}

/* Below a node that stays, those without an index whose order changed. */
static sl_err mark_moving(sl_state *state, const sl_tree *former, sl_node *node, void *ctx)
{
    if (find_twin(former, node) == NULL) return SL_OK;
    size_t type_count;
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &type_count);
    for (size_t i = 0; i < type_count; i++) {
        if (has_index(types[i]) || sl_node_child_count(node, types[i]) < 2) continue;
        sl_err err = mark_moved(state, former, node, types[i]);
        if (err != SL_OK) return err;
    }
    return each_child(state, former, node, mark_moving, ctx);
}

static sl_err note_removed(sl_state *state, const sl_tree *present, sl_node *node, void *ctx)
{
    if (find_twin(present, node) != NULL) return each_child(state, present, node, note_removed, ctx);
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_REMOVED, .node = node});
}

static sl_err note_value(sl_state *state, const sl_node *node, const sl_node *place, sl_attribute attribute)
{
    sl_value old_value = sl_node_value(place, attribute);
    sl_value new_value = sl_node_value(node, attribute);
    if (sl_value_equal(&old_value, &new_value)) return SL_OK;
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_MODIFIED,
                                              .node = node,
                                              .place = place,
                                              .attribute = (uint8_t)attribute,
                                              .old_value = old_value,
                                              .new_value = new_value});
}

static sl_err note_modified(sl_state *state, const sl_tree *former, sl_node *node, void *ctx)
{
    const sl_node *place = find_twin(former, node);
    if (place == NULL) return SL_OK;
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes((sl_node_type)node->type, &count);
    static const sl_attribute positions[] = {SL_ATTRIBUTE_INDEX, SL_ATTRIBUTE_TRACK_INDEX, SL_ATTRIBUTE_SCENE_INDEX};
    sl_err err = SL_OK;
    for (size_t i = 0; i < 3 && err == SL_OK; i++) err = note_value(state, node, place, positions[i]);
    for (size_t i = 0; i < count && err == SL_OK; i++) err = note_value(state, node, place, attributes[i]);
    return err == SL_OK ? each_child(state, former, node, note_modified, ctx) : err;
}

static sl_err note_added(sl_state *state, const sl_tree *former, sl_node *node, void *ctx)
{
    bool *is_new = ctx;
    bool is_new_here = *is_new || find_twin(former, node) == NULL;
    if (is_new_here) {
        sl_err err = sl_state_change(state, (sl_change){.type = SL_CHANGE_ADDED, .node = node});
        if (err != SL_OK) return err;
    }
    return each_child(state, former, node, note_added, &is_new_here);
}

static sl_err clear_moving(sl_state *state, const sl_tree *former, sl_node *node, void *ctx)
{
    node->is_moving = false;
    return each_child(state, former, node, clear_moving, ctx);
}

sl_err sl_compare(sl_state *state, const sl_tree *former, const sl_tree *present)
{
    sl_node *was = sl_tree_project(former), *is = sl_tree_project(present);
    bool is_new = false;
    sl_err err = mark_moving(state, former, is, NULL);
    if (err == SL_OK) err = each_child(state, present, was, note_removed, NULL);
    if (err == SL_OK) err = note_modified(state, former, is, NULL);
    if (err == SL_OK) err = each_child(state, former, is, note_added, &is_new);
    if (err == SL_OK) err = clear_moving(state, former, is, NULL);
    return err;
}
