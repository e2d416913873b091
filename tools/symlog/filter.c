/* Which events of a replay are shown. */
#include "tools/symlog/filter.h"

#include "tools/symlog/options.h"

#include <assert.h>
#include <string.h>

static bool is_called(const sl_source *source, const char *text);
static bool is_touched(const sl_node *wanted, const sl_change *change);
static bool is_moved(const sl_node *wanted, const sl_change *change);
static bool is_within(const sl_node *node, const sl_node *above);

bool sl_filter_kind(const char *text, uint16_t *kind)
{
    uint64_t number = sl_kind_by_name(text);
    if (number == 0 && !sl_option_number(text, 1, UINT16_MAX, &number)) return false;
    *kind = (uint16_t)number;
    return true;
}

bool sl_filter_takes(const sl_filter *filter, const sl_state *state, const sl_event *event)
{
    if (filter->kind != 0 && filter->kind != event->kind) return false;
    if (filter->source == NULL) return true;
    uint64_t number = 0;
    if (sl_option_number(filter->source, 0, UINT32_MAX, &number)) return event->source == number;
    const sl_source *source = sl_state_source(state, event->source);
    return source != NULL && is_called(source, filter->source);
}

bool sl_filter_has_source(const sl_filter *filter, const sl_state *state)
{
    if (filter->source == NULL) return true;
    uint64_t number = 0;
    if (sl_option_number(filter->source, 0, UINT32_MAX, &number))
        return number == SL_SOURCE_SELF || sl_state_source(state, (uint32_t)number) != NULL;
    for (size_t i = 0; sl_state_source_at(state, i) != NULL; i++) {
        if (is_called(sl_state_source_at(state, i), filter->source)) return true;
    }
    return false;
}

/* By its name, or by the address that its name begins with. */
static bool is_called(const sl_source *source, const char *text)
{
    const size_t length = strlen(text);
    return strncmp(source->name, text, length) == 0 && (source->name[length] == '\0' || source->name[length] == ':');
}

const sl_node *sl_filter_node(const sl_filter *filter, const sl_state *state)
{
    if (filter->node == NULL) return NULL;
    return sl_tree_find_path(sl_state_tree_view(state), filter->node, strlen(filter->node));
}

bool sl_filter_takes_diff(const sl_filter *filter, const sl_state *state, const sl_node *before, const sl_diff *diff)
{
    if (filter->node == NULL) return true;
    assert(state != NULL && diff != NULL);
    const sl_node *after = sl_filter_node(filter, state);
    for (size_t i = 0; i < diff->count; i++) {
        const sl_change *change = &diff->changes[i];
        if (before != NULL && is_touched(before, change)) return true;
        if (after != NULL && after != before && is_touched(after, change)) return true;
    }
    return false;
}

static bool is_touched(const sl_node *wanted, const sl_change *change)
{
    switch ((sl_change_type)change->type) {
    case SL_CHANGE_REMOVED: // It may have gone with one above it; and where it stood only `parent` still tells.
        if (is_within(wanted, change->node) || is_within(change->node, wanted)) return true;
        return change->parent != NULL && is_within(change->parent, wanted);
    case SL_CHANGE_MODIFIED:
    case SL_CHANGE_STATE:
    case SL_CHANGE_ADDED: return is_within(change->node, wanted);
    case SL_CHANGE_SHIFTED:
    case SL_CHANGE_PERMUTED: return wanted == change->node || is_moved(wanted, change);
    }
    return false;
}

/* True if the node, or one above it, stands where tracks or scenes have moved. Slots move with their scene. */
static bool is_moved(const sl_node *wanted, const sl_change *change)
{
    sl_node_type child = change->type == SL_CHANGE_SHIFTED ? (sl_node_type)change->child : SL_NODE_SCENE;
    for (const sl_node *node = wanted; node != NULL; node = sl_node_parent(node)) {
        bool goes_along = node->type == child || (child == SL_NODE_SCENE && node->type == SL_NODE_CLIP_SLOT);
        if (!goes_along) continue;
        uint32_t position = sl_node_position(node);
        if (change->type == SL_CHANGE_SHIFTED) return position >= change->position;
        for (uint32_t i = 0; i < change->count; i++) {
            if (change->at[i] == position) return true;
        }
        return false;
    }
    return false;
}

/* True if it is that node or stands below it. */
static bool is_within(const sl_node *node, const sl_node *above)
{
    while (node != NULL && node != above) node = sl_node_parent(node);
    return node != NULL;
}
