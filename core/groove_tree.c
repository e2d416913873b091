/*
 * The groove in the tree: a groove node with lanes and steps, changed as little as the patches differ. Lanes have no
 * names, so those of the old patch are matched with those of the new one, in order: as many equal ones as can be, then
 * of the same sound, then any. A matched lane stays the node that it was; so an inserted lane is one that is added.
 */
#include "core/groove_internal.h"
#include "core/patch_internal.h"

#include <assert.h>

enum { WEIGHT_EQUAL = 8, WEIGHT_SOUND = 3, WEIGHT_ANY = 1, NONE = -1 };

/* Which lane of the old patch each one of the new patch was. */
typedef struct matching {
    int16_t old_of[SL_PATCH_LANES_MAX]; /* or NONE */
    bool stays[SL_PATCH_LANES_MAX];     /* of the old lanes */
    bool has_new;
    bool has_gone;
} matching;

static sl_err show_new(sl_state *state, const sl_groove_plan *plan, const char *text, size_t length);
static sl_err show_values(sl_state *state, const sl_groove_plan *plan, const char *text, size_t length, bool is_new);
static void match_lanes(const sl_patch *old, const sl_patch *next, matching *out);
static sl_err change_lane(sl_state *state, sl_node *node, const sl_lane *lane);
static sl_err add_lane(sl_state *state, uint32_t position, const sl_lane *lane);
static sl_err add_steps(sl_state *state, sl_node *node, const sl_lane *lane);
static sl_err remove_node(sl_state *state, sl_node *node);

sl_err sl_groove_show(sl_state *state, const sl_groove_plan *plan, const char *text, size_t length)
{
    sl_groove_state *groove = state->groove;
    if (groove->node == NULL) return show_new(state, plan, text, length);
    const sl_patch *old = &groove->patch, *next = &groove->next;
    matching matching;
    match_lanes(old, next, &matching);
    sl_err err = SL_OK;
    for (uint16_t i = 0; i < next->lane_count && err == SL_OK; i++) {
        if (matching.old_of[i] == NONE) continue;
        sl_node *node = sl_node_child(groove->node, SL_NODE_LANE, (uint32_t)matching.old_of[i]);
        for (uint32_t count = sl_node_child_count(node, SL_NODE_STEP); count > next->lanes[i].step_count; count--) {
            err = remove_node(state, sl_node_child(node, SL_NODE_STEP, count - 1));
            if (err != SL_OK) return err;
        }
    }
    if (err == SL_OK) err = show_values(state, plan, text, length, false);
    for (uint16_t i = 0; i < next->lane_count && err == SL_OK; i++) {
        int16_t was = matching.old_of[i];
        if (was == NONE || sl_lane_equal(&old->lanes[was], &next->lanes[i])) continue;
        err = change_lane(state, sl_node_child(groove->node, SL_NODE_LANE, (uint32_t)was), &next->lanes[i]);
    }
    /* What was modified is told of before lanes come and go: its paths are the ones from before. */
    if (matching.has_new || matching.has_gone) sl_state_tell_diff(state);
    for (uint16_t i = old->lane_count; i > 0 && err == SL_OK; i--)
        if (!matching.stays[i - 1])
            err = remove_node(state, sl_node_child(groove->node, SL_NODE_LANE, (uint32_t)(i - 1)));
    for (uint16_t i = 0; i < next->lane_count && err == SL_OK; i++)
        err = matching.old_of[i] == NONE
                  ? add_lane(state, i, &next->lanes[i])
                  : add_steps(state, sl_node_child(groove->node, SL_NODE_LANE, i), &next->lanes[i]);
    return err;
}

static sl_err add_node(sl_state *state, sl_node *parent, sl_node_type type, uint32_t position, sl_node **out)
{
    char id[SL_ID_BYTES_MAX];
    size_t length = sl_state_make_id(state, type, id);
    return sl_tree_insert(state->tree, parent, type, position, (sl_id){id, length}, out);
}

static sl_err note_added(sl_state *state, const sl_node *node)
{
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_ADDED, .node = node});
}

static sl_err show_new(sl_state *state, const sl_groove_plan *plan, const char *text, size_t length)
{
    sl_groove_state *groove = state->groove;
    sl_err err = add_node(state, sl_tree_project(state->tree), SL_NODE_GROOVE, 0, &groove->node);
    if (err == SL_OK) err = show_values(state, plan, text, length, true);
    if (err == SL_OK) err = note_added(state, groove->node);
    for (uint16_t i = 0; i < groove->next.lane_count && err == SL_OK; i++)
        err = add_lane(state, i, &groove->next.lanes[i]);
    return err;
}

/* Values. */

/* Sets a value, and notes it unless the node is new: then it is told of as a whole. */
static sl_err put(sl_state *state, sl_node *node, bool is_new, sl_attribute attribute, sl_value value)
{
    if (is_new) return sl_tree_set(state->tree, node, attribute, value, NULL, NULL);
    return sl_state_set(state, node, SL_CHANGE_STATE, attribute, value);
}

static sl_value number_or_none(bool is_there, int64_t number)
{
    return is_there ? sl_value_int(number) : sl_value_null();
}

static sl_value text_or_none(const sl_writer *text)
{
    return text->length > 0 ? sl_value_text((const char *)text->bytes, text->length) : sl_value_null();
}

static sl_err show_values(sl_state *state, const sl_groove_plan *plan, const char *text, size_t length, bool is_new)
{
    enum { WORDS_BYTES_MAX = 32 };
    uint8_t end_bytes[WORDS_BYTES_MAX], trainer_bytes[WORDS_BYTES_MAX], ramp_bytes[WORDS_BYTES_MAX];
    sl_writer end = {.bytes = end_bytes, .capacity = sizeof end_bytes};
    sl_writer trainer = {.bytes = trainer_bytes, .capacity = sizeof trainer_bytes};
    sl_writer ramp = {.bytes = ramp_bytes, .capacity = sizeof ramp_bytes};
    const sl_patch *patch = &state->groove->next;
    sl_patch_write_end(patch, &end);
    sl_patch_write_trainer(patch, &trainer);
    sl_patch_write_ramp(patch, &ramp);
    const char *device_id = state->groove->view.device_id;
    const struct {
        sl_attribute attribute;
        sl_value value;
    } values[] = {
        {SL_ATTRIBUTE_BPM, sl_value_float(patch->bpm)},
        {SL_ATTRIBUTE_VOLUME, patch->has_volume ? sl_value_float(patch->volume) : sl_value_null()},
        {SL_ATTRIBUTE_RUNNING, sl_value_bool(plan->is_running)},
        {SL_ATTRIBUTE_SET_LIST, sl_value_int(plan->set_list)},
        {SL_ATTRIBUTE_ITEM, sl_value_int(plan->item)},
        {SL_ATTRIBUTE_PATCH, sl_value_text(text, length)},
        {SL_ATTRIBUTE_DEVICE_ID, device_id[0] != '\0' ? sl_value_text(device_id, strlen(device_id)) : sl_value_null()},
        {SL_ATTRIBUTE_BARS, number_or_none(patch->bars > 0, patch->bars)},
        {SL_ATTRIBUTE_COUNT_IN, number_or_none(patch->has_count_in, patch->count_in)},
        {SL_ATTRIBUTE_REPEAT, number_or_none(patch->has_repeat, patch->repeat)},
        {SL_ATTRIBUTE_END, text_or_none(&end)},
        {SL_ATTRIBUTE_TRAINER, text_or_none(&trainer)},
        {SL_ATTRIBUTE_RAMP, text_or_none(&ramp)},
    };
    assert(!end.bad && !trainer.bad && !ramp.bad);
    sl_err err = SL_OK;
    for (size_t i = 0; i < sizeof values / sizeof values[0] && err == SL_OK; i++)
        err = put(state, state->groove->node, is_new, values[i].attribute, values[i].value);
    return err;
}

static sl_err show_lane_values(sl_state *state, sl_node *node, const sl_lane *lane, bool is_new)
{
    char groups[SL_PATCH_GROUPS_BYTES_MAX];
    size_t groups_length = sl_lane_write_groups(lane, groups);
    const struct {
        sl_attribute attribute;
        sl_value value;
    } values[] = {
        {SL_ATTRIBUTE_SOUND, sl_value_text(lane->sound, strlen(lane->sound))},
        {SL_ATTRIBUTE_GROUPS, sl_value_text(groups, groups_length)},
        {SL_ATTRIBUTE_SUB, sl_value_int(lane->sub)},
        {SL_ATTRIBUTE_SWING, sl_value_bool(lane->has_swing)},
        {SL_ATTRIBUTE_GAIN, sl_value_float(lane->gain)},
        {SL_ATTRIBUTE_POLY, sl_value_bool(lane->is_poly)},
        {SL_ATTRIBUTE_ENABLED, sl_value_bool(lane->is_enabled)},
    };
    sl_err err = SL_OK;
    for (size_t i = 0; i < sizeof values / sizeof values[0] && err == SL_OK; i++)
        err = put(state, node, is_new, values[i].attribute, values[i].value);
    return err;
}

/* Lanes. */

static uint16_t weigh(const sl_lane *old, const sl_lane *next)
{
    if (sl_lane_equal(old, next)) return WEIGHT_EQUAL;
    return strcmp(old->sound, next->sound) == 0 ? WEIGHT_SOUND : WEIGHT_ANY;
}

static void pair(matching *matching, unsigned old, unsigned next)
{
    matching->stays[old] = true;
    matching->old_of[next] = (int16_t)old;
}

/* Equal lanes at the beginning and at the end are matched; what is between, in the heaviest way that keeps the order,
 * and of several in the one that matches the first lanes. */
static void match_lanes(const sl_patch *old, const sl_patch *next, matching *out)
{
    static_assert(SL_PATCH_LANES_MAX * WEIGHT_EQUAL <= UINT16_MAX, "a weight fits");
    unsigned first = 0, old_end = old->lane_count, next_end = next->lane_count;
    memset(out, 0, sizeof *out);
    for (unsigned j = 0; j < next_end; j++) out->old_of[j] = NONE;
    for (; first < old_end && first < next_end && sl_lane_equal(&old->lanes[first], &next->lanes[first]); first++)
        pair(out, first, first);
    for (; first < old_end && first < next_end && sl_lane_equal(&old->lanes[old_end - 1], &next->lanes[next_end - 1]);
         old_end--, next_end--)
        pair(out, old_end - 1, next_end - 1);
    uint16_t best[SL_PATCH_LANES_MAX + 1][SL_PATCH_LANES_MAX + 1] = {0}; /* of the lanes from [old][next] on */
    for (unsigned i = old_end; i-- > first;)
        for (unsigned j = next_end; j-- > first;) {
            uint16_t both = (uint16_t)(best[i + 1][j + 1] + weigh(&old->lanes[i], &next->lanes[j]));
            uint16_t one = best[i + 1][j] > best[i][j + 1] ? best[i + 1][j] : best[i][j + 1];
            best[i][j] = both >= one ? both : one;
        }
    for (unsigned i = first, j = first; i < old_end && j < next_end;) {
        if (best[i][j] == best[i + 1][j + 1] + weigh(&old->lanes[i], &next->lanes[j]))
            pair(out, i++, j++);
        else if (best[i][j] == best[i + 1][j])
            i++;
        else
            j++;
    }
    for (unsigned j = 0; j < next->lane_count; j++) out->has_new = out->has_new || out->old_of[j] == NONE;
    for (unsigned i = 0; i < old->lane_count; i++) out->has_gone = out->has_gone || !out->stays[i];
}

static sl_err change_lane(sl_state *state, sl_node *node, const sl_lane *lane)
{
    sl_err err = show_lane_values(state, node, lane, false);
    uint32_t count = sl_node_child_count(node, SL_NODE_STEP);
    for (uint32_t i = 0; i < count && err == SL_OK; i++)
        err = sl_state_set(state, sl_node_child(node, SL_NODE_STEP, i), SL_CHANGE_STATE, SL_ATTRIBUTE_LEVEL,
                           sl_value_int(lane->steps[i]));
    return err;
}

static sl_err add_lane(sl_state *state, uint32_t position, const sl_lane *lane)
{
    sl_node *node;
    sl_err err = add_node(state, state->groove->node, SL_NODE_LANE, position, &node);
    if (err == SL_OK) err = show_lane_values(state, node, lane, true);
    if (err == SL_OK) err = note_added(state, node);
    return err == SL_OK ? add_steps(state, node, lane) : err;
}

/* Those that the node has not yet. */
static sl_err add_steps(sl_state *state, sl_node *node, const sl_lane *lane)
{
    sl_err err = SL_OK;
    for (uint32_t i = sl_node_child_count(node, SL_NODE_STEP); i < lane->step_count && err == SL_OK; i++) {
        sl_node *step;
        err = add_node(state, node, SL_NODE_STEP, i, &step);
        if (err == SL_OK)
            err = sl_tree_set(state->tree, step, SL_ATTRIBUTE_LEVEL, sl_value_int(lane->steps[i]), NULL, NULL);
        if (err == SL_OK) err = note_added(state, step);
    }
    return err;
}

static sl_err remove_node(sl_state *state, sl_node *node)
{
    sl_change change = {
        .type = SL_CHANGE_REMOVED, .node = node, .parent = sl_node_parent(node), .position = sl_node_position(node)};
    sl_tree_remove(state->tree, node, true);
    return sl_state_change(state, change);
}

/* The device's id comes with a frame of its own, maybe before there is a groove to show. */
sl_err sl_groove_show_device(sl_state *state)
{
    sl_groove_state *groove = state->groove;
    const sl_groove *view = &groove->view;
    if (groove->node != NULL)
        return sl_state_set(state, groove->node, SL_CHANGE_STATE, SL_ATTRIBUTE_DEVICE_ID,
                            sl_value_text(view->device_id, strlen(view->device_id)));
    sl_groove_plan plan = {.is_running = view->is_running, .set_list = view->set_list, .item = view->item};
    groove->next = groove->patch;
    return sl_groove_show(state, &plan, groove->text, view->patch_length);
}

/* A picture shows what Live has, and the groove box is none of it. */

/* Copies a subtree of the former tree. An id that the picture has taken is made anew. */
static sl_err copy_node(sl_state *state, const sl_node *from, sl_node *parent, uint32_t position, sl_node **out)
{
    char made[SL_ID_BYTES_MAX];
    sl_id id = {from->id, from->id_length};
    sl_node_type type = (sl_node_type)from->type;
    if (sl_tree_find(state->tree, id.bytes, id.length) != NULL) id = (sl_id){made, sl_state_make_id(state, type, made)};
    sl_err err = sl_tree_insert(state->tree, parent, type, position, id, out);
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes(type, &count);
    for (size_t i = 0; i < count && err == SL_OK; i++)
        if (from->values[i].type != SL_VALUE_ABSENT)
            err = sl_tree_set(state->tree, *out, attributes[i], from->values[i], NULL, NULL);
    const sl_node_type *types = sl_schema_children(type, &count);
    for (size_t i = 0; i < count && err == SL_OK; i++)
        for (uint32_t p = 0; p < sl_node_child_count(from, types[i]) && err == SL_OK; p++) {
            sl_node *child;
            err = copy_node(state, sl_node_child(from, types[i], p), *out, p, &child);
        }
    return err;
}

sl_err sl_groove_carry(sl_state *state)
{
    sl_groove_state *groove = state->groove;
    if (groove == NULL || groove->node == NULL) return SL_OK;
    sl_node *project = sl_tree_project(state->tree);
    sl_node *same = sl_tree_find(state->tree, groove->node->id, groove->node->id_length);
    bool is_groove = same != NULL && same->type == SL_NODE_GROOVE; /* of a picture made of symlog's own tree */
    if (is_groove) sl_tree_remove(state->tree, same, true);
    return copy_node(state, groove->node, project, 0, &groove->node);
}

bool sl_groove_fits(const sl_groove_state *groove)
{
    const sl_node *node = groove->node;
    if (node->type != SL_NODE_GROOVE || sl_node_child_count(node, SL_NODE_LANE) != groove->patch.lane_count)
        return false;
    for (uint16_t i = 0; i < groove->patch.lane_count; i++) {
        const sl_node *lane = sl_node_child(node, SL_NODE_LANE, i);
        if (sl_node_child_count(lane, SL_NODE_STEP) != groove->patch.lanes[i].step_count) return false;
    }
    return true;
}
