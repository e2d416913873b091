/*
 * A save beside live events. A save shows the set as it was when the file was written; what live events said since then
 * is applied to it once more, in its order, so that nothing of it is undone. What no save holds (play, position, what
 * is triggered) stays. Nodes that live events made get no other id because the save knows them under Live's own: the
 * same node is recognised by its name or its place.
 *
 * For that the state keeps what it has applied in the last minute, once a project file has been named as a source.
 * (That is simpler than a number for each attribute of each node, and right for what inserts, removes and moves, too;
 * so there is no need for a share of differing nodes beyond which the file would win against later events.)
 */
#include "core/reconcile.h"

#include "core/state.h"

#include <assert.h>
#include <string.h>

/* Recent events. */

static void forget_first(sl_state *state)
{
    sl_recents *recents = &state->recents;
    sl_recent *gone = recents->first;
    recents->first = gone->next;
    if (recents->first == NULL) recents->last = NULL;
    recents->count--;
    recents->size_bytes -= gone->event.length;
    sl_pool_give(&state->pool, gone, sizeof *gone + gone->event.length);
}

void sl_recents_clear(sl_state *state)
{
    while (state->recents.first != NULL) forget_first(state);
    state->recents.has_forgotten = false;
    state->recents.forgotten_ns = 0;
}

void sl_recents_forget(sl_state *state)
{
    sl_recents *recents = &state->recents;
    if (!recents->is_kept) return;
    while (recents->first != NULL) forget_first(state);
    recents->has_forgotten = true;
    recents->forgotten_ns = state->event->time_ns;
}

static bool is_too_much(const sl_recents *recents, uint64_t now_ns)
{
    const sl_recent *first = recents->first;
    if (first == NULL) return false;
    bool is_old = now_ns > first->event.time_ns && now_ns - first->event.time_ns > SL_RECENT_NS_MAX;
    return is_old || recents->count > SL_RECENT_COUNT_MAX || recents->size_bytes > SL_RECENT_BYTES_MAX;
}

sl_err sl_recents_append(sl_state *state, const sl_event *event, uint64_t unnumbered_count)
{
    sl_recents *recents = &state->recents;
    sl_recent *made = sl_pool_take(&state->pool, sizeof *made + event->length);
    if (made == NULL) return SL_ERR_MEMORY;
    *made = (sl_recent){.event = *event, .unnumbered_count = unnumbered_count};
    made->event.payload = made->payload;
    if (event->length > 0) memcpy(made->payload, event->payload, event->length);
    *(recents->last != NULL ? &recents->last->next : &recents->first) = made;
    recents->last = made;
    recents->count++;
    recents->size_bytes += event->length;
    return SL_OK;
}

sl_err sl_recents_note(sl_state *state, const sl_event *event)
{
    sl_recents *recents = &state->recents;
    if (!recents->is_kept) return SL_OK;
    sl_err err = sl_recents_append(state, event, state->sender->source.unnumbered_count);
    while (is_too_much(recents, event->time_ns)) {
        recents->has_forgotten = true;
        recents->forgotten_ns = recents->first->event.time_ns;
        forget_first(state);
    }
    return err;
}

/* The same nodes. */

static bool has_live_id(const sl_node *node)
{
    static const char mark[] = "-live-";
    const size_t length = sizeof mark - 1;
    for (size_t at = 0; at + length <= node->id_length; at++)
        if (memcmp(node->id + at, mark, length) == 0) return true;
    return false;
}

static bool has_same_name(const sl_node *a, const sl_node *b)
{
    sl_value name = sl_node_value(a, SL_ATTRIBUTE_NAME), other = sl_node_value(b, SL_ATTRIBUTE_NAME);
    return name.type == SL_VALUE_TEXT && sl_value_equal(&name, &other);
}

/* A node below `parent` that live events made and the picture does not know: of the same name, nearest to the place;
 * else at the place itself, if one of the two has no name. */
static const sl_node *find_made(const sl_tree *picture, const sl_node *parent, const sl_node *node)
{
    enum { REACH = 64 };
    sl_node_type type = (sl_node_type)node->type;
    uint32_t place = sl_node_position(node), count = sl_node_child_count(parent, type);
    for (uint32_t step = 0; step <= 2 * REACH; step++) {
        uint32_t by = (step + 1) / 2;
        bool is_back = step % 2 == 1;
        if (is_back && by > place) continue;
        uint32_t position = is_back ? place - by : place + by;
        const sl_node *made = position < count ? sl_node_child(parent, type, position) : NULL;
        if (made == NULL || has_live_id(made) || sl_tree_find(picture, made->id, made->id_length) != NULL) continue;
        bool is_unnamed = sl_node_value(made, SL_ATTRIBUTE_NAME).type == SL_VALUE_ABSENT ||
                          sl_node_value(node, SL_ATTRIBUTE_NAME).type == SL_VALUE_ABSENT;
        if (has_same_name(made, node) || (step == 0 && is_unnamed)) return made;
    }
    return NULL;
}

typedef struct kept_attribute {
    uint8_t type, attribute;
} kept_attribute;

/* What live events tell and no save does. */
static const kept_attribute kept[] = {
    {SL_NODE_PROJECT, SL_ATTRIBUTE_IS_PLAYING},   {SL_NODE_PROJECT, SL_ATTRIBUTE_POSITION},
    {SL_NODE_TRACK, SL_ATTRIBUTE_VOLUME},         {SL_NODE_CLIP_SLOT, SL_ATTRIBUTE_PLAYING_STATUS},
    {SL_NODE_CLIP_SLOT, SL_ATTRIBUTE_IS_PLAYING}, {SL_NODE_CLIP_SLOT, SL_ATTRIBUTE_IS_TRIGGERED},
    {SL_NODE_CLIP_SLOT, SL_ATTRIBUTE_COLOR},      {SL_NODE_CLIP, SL_ATTRIBUTE_VIEW},
    {SL_NODE_SCENE, SL_ATTRIBUTE_IS_TRIGGERED},
};

static sl_err keep_values(sl_tree *picture, const sl_node *present, sl_node *node)
{
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (kept[i].type != node->type) continue;
        sl_value told = sl_node_value(node, (sl_attribute)kept[i].attribute);
        sl_value value = sl_node_value(present, (sl_attribute)kept[i].attribute);
        if (told.type != SL_VALUE_ABSENT || value.type == SL_VALUE_ABSENT) continue;
        sl_err err = sl_tree_set(picture, node, (sl_attribute)kept[i].attribute, value, NULL, NULL);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

/* Goes down both trees, where they have the same nodes; `keeps` values, too, or only ids. */
static sl_err adopt(sl_tree *picture, const sl_tree *former, const sl_node *present, sl_node *node, bool keeps)
{
    sl_err err = keeps ? keep_values(picture, present, node) : SL_OK;
    size_t type_count;
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &type_count);
    for (size_t t = 0; t < type_count; t++)
        for (uint32_t p = 0; err == SL_OK && p < sl_node_child_count(node, types[t]); p++) {
            sl_node *child = sl_node_child(node, types[t], p);
            if (child == NULL) continue;
            const sl_node *twin = sl_tree_find(former, child->id, child->id_length);
            if (twin != NULL && (twin->type != child->type || sl_node_parent(twin) != present)) continue;
            if (twin == NULL) {
                twin = find_made(picture, present, child);
                if (twin != NULL) err = sl_tree_rename(picture, child, (sl_id){twin->id, twin->id_length});
            }
            if (err == SL_OK && twin != NULL) err = adopt(picture, former, twin, child, keeps);
        }
    return err;
}

sl_err sl_reconcile_ids(sl_tree *picture, const sl_tree *former)
{
    return adopt(picture, former, sl_tree_project(former), sl_tree_project(picture), false);
}

/* Since the save. */

/* One event once more, on the tree that the save shows. It counts, and tells, nothing a second time. */
static sl_err apply_again(sl_state *state, const sl_recent *recent)
{
    uint32_t at = 0;
    while (at < state->source_count && state->sources[at]->source.number != recent->event.source) at++;
    if (at == state->source_count) return SL_OK; /* it gave way to others meanwhile */
    state->sender = state->sources[at];
    sl_source *source = &state->sender->source;
    const sl_source before = *source;
    source->unnumbered_count = recent->unnumbered_count;
    sl_err err = sl_state_apply_osc(state, &recent->event);
    bool has_open_run = source->has_open_run;
    *source = before;
    source->has_open_run = has_open_run;
    return err;
}

static sl_err end_runs(sl_state *state)
{
    sl_err err = SL_OK;
    for (uint32_t i = 0; err == SL_OK && i < state->source_count; i++) {
        state->sender = state->sources[i];
        err = sl_run_end(state, false);
    }
    return err;
}

sl_err sl_reconcile(sl_state *state, uint64_t saved_ns)
{
    sl_recents *recents = &state->recents;
    const sl_output *output = state->output;
    sl_source_state *sender = state->sender;
    const bool is_kept = recents->is_kept;
    sl_err err = adopt(state->tree, state->former, sl_tree_project(state->former), sl_tree_project(state->tree), true);
    state->output = NULL;
    recents->is_kept = false;
    state->is_again = true;
    for (const sl_recent *recent = recents->first; err == SL_OK && recent != NULL; recent = recent->next)
        if (recent->event.time_ns > saved_ns) err = apply_again(state, recent);
    if (err == SL_OK) err = end_runs(state);
    static const char reason[] = "live events since the save are forgotten";
    if (err == SL_OK && recents->has_forgotten && recents->forgotten_ns > saved_ns)
        err = sl_state_set_stale(state, sl_value_bool(true), sl_value_text(reason, strlen(reason)));
    recents->is_kept = is_kept;
    state->is_again = false;
    state->output = output;
    state->sender = sender;
    return err;
}
