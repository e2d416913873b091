/*
 * What leads from one tree to another: nodes are matched by id. A node stays if the other tree has one of its id and
 * type below the same parent, which stays too; tracks, scenes and clip_slots then tell their new place as a modified
 * index, other children whose order changed are removed and added again.
 */
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

/* Below a node that stays, those without an index that now stand before a sibling that they stood behind. */
typedef struct order {
    uint8_t type;
    uint32_t next; /* lowest place in the former tree that keeps the order */
} order;

static sl_err mark_moving(sl_state *state, const sl_tree *former, sl_node *node, void *ctx)
{
    order *order = ctx;
    if (order->type != node->type) {
        order->type = node->type;
        order->next = 0;
    }
    sl_node *twin = find_twin(former, node);
    if (twin == NULL) return SL_OK;
    if (!has_index((sl_node_type)node->type)) {
        uint32_t place = sl_node_position(twin);
        if (place < order->next) {
            node->is_moving = twin->is_moving = true;
            return SL_OK;
        }
        order->next = place + 1;
    }
    struct order below = {.type = SL_NODE_TYPE_COUNT};
    return each_child(state, former, node, mark_moving, &below);
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
    order order = {.type = SL_NODE_TYPE_COUNT};
    bool is_new = false;
    sl_err err = each_child(state, former, is, mark_moving, &order);
    if (err == SL_OK) err = each_child(state, present, was, note_removed, NULL);
    if (err == SL_OK) err = note_modified(state, former, is, NULL);
    if (err == SL_OK) err = each_child(state, former, is, note_added, &is_new);
    if (err == SL_OK) err = clear_moving(state, former, is, NULL);
    return err;
}
