/*
 * Runs of scene/reordered (core/TREE.md, "Scene order"): Live reports where each scene that moved now stands, one
 * message a scene, and does not say where a run ends.
 */
#include "core/state.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

/* A name at a place: of the scene that stands there, or reported. */
typedef struct placed_name {
    const char *name;
    uint32_t length;
    uint32_t place;
    uint32_t from; /* of a report: where the scene stands that is to stand there */
} placed_name;

void sl_run_clear(sl_state *state, sl_run *run)
{
    for (uint32_t i = 0; i < run->count; i++)
        sl_pool_give(&state->pool, run->entries[i].name, run->entries[i].name_length);
    sl_pool_give(&state->pool, run->entries, run->capacity * sizeof(sl_run_entry));
    *run = (sl_run){0};
}

static sl_err grow_run(sl_state *state, sl_run *run)
{
    if (run->count < run->capacity) return SL_OK;
    uint32_t capacity = run->capacity == 0 ? FIRST_CAPACITY : run->capacity * 2;
    sl_run_entry *entries = sl_pool_take(&state->pool, capacity * sizeof *entries);
    if (entries == NULL) return SL_ERR_MEMORY;
    if (run->count > 0) memcpy(entries, run->entries, run->count * sizeof *entries);
    sl_pool_give(&state->pool, run->entries, run->capacity * sizeof *entries);
    run->entries = entries;
    run->capacity = capacity;
    return SL_OK;
}

sl_err sl_run_add(sl_state *state, int64_t place, const char *name, size_t name_length)
{
    sl_run *run = &state->sender->run;
    state->sender->source.has_open_run = true;
    if (place < 0 || place >= SL_POSITION_MAX || run->count == SL_RUN_COUNT_MAX) {
        run->is_bad = true;
        return SL_OK;
    }
    sl_err err = grow_run(state, run);
    if (err != SL_OK) return err;
    char *copy = sl_pool_take(&state->pool, name_length);
    if (copy == NULL) return SL_ERR_MEMORY;
    if (name_length > 0) memcpy(copy, name, name_length);
    run->entries[run->count++] =
        (sl_run_entry){.place = (uint32_t)place, .name_length = (uint32_t)name_length, .name = copy};
    return SL_OK;
}

/* By name, then by place. */
static bool is_before(const placed_name *a, const placed_name *b, bool by_name)
{
    if (by_name) {
        uint32_t shorter = a->length < b->length ? a->length : b->length;
        int order = shorter > 0 ? memcmp(a->name, b->name, shorter) : 0;
        if (order != 0) return order < 0;
        if (a->length != b->length) return a->length < b->length;
    }
    return a->place < b->place;
}

/* Bottom-up merge sort, stable; `spare` has room for as many. */
static void sort(placed_name *names, placed_name *spare, uint32_t count, bool by_name)
{
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t left = 0; left < count; left += 2 * width) {
            uint32_t middle = left + width < count ? left + width : count;
            uint32_t right = left + 2 * width < count ? left + 2 * width : count;
            uint32_t a = left, b = middle;
            for (uint32_t i = left; i < right; i++) {
                bool take_b = a == middle || (b < right && is_before(&names[b], &names[a], by_name));
                spare[i] = take_b ? names[b++] : names[a++];
            }
        }
        memcpy(names, spare, count * sizeof *names);
    }
}

/* The run's reports sorted by place, of those for one place the last; their number. */
static uint32_t collect_reports(const sl_run *run, placed_name *reports, placed_name *spare)
{
    for (uint32_t i = 0; i < run->count; i++)
        reports[i] = (placed_name){run->entries[i].name, run->entries[i].name_length, run->entries[i].place, 0};
    sort(reports, spare, run->count, false);
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->count; i++) {
        if (count > 0 && reports[count - 1].place == reports[i].place) count--;
        reports[count++] = reports[i];
    }
    return count;
}

/* The names that stand now at the reported places; false if a place does not exist. */
static bool collect_present(const sl_state *state, const placed_name *reports, uint32_t count, placed_name *present)
{
    const sl_node *project = sl_tree_project(state->tree);
    for (uint32_t i = 0; i < count; i++) {
        const sl_node *scene = sl_node_child(project, SL_NODE_SCENE, reports[i].place);
        if (scene == NULL) return false;
        sl_value name = sl_node_value(scene, SL_ATTRIBUTE_NAME);
        bool is_named = name.type == SL_VALUE_TEXT;
        present[i] = (placed_name){is_named ? name.as.text : "", is_named ? name.length : 0, reports[i].place, 0};
    }
    return true;
}

static bool is_same_name(const placed_name *a, const placed_name *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->name, b->name, a->length) == 0);
}

/* True if one scene moves, from place *source to place *target, and those between make room. */
static bool is_single_move(const uint32_t *at, const uint32_t *from, uint32_t count, uint32_t *source, uint32_t *target)
{
    uint32_t first = at[0], last = at[count - 1];
    bool moves_up = from[0] == last;
    bool moves_down = from[count - 1] == first;
    for (uint32_t i = 0; i < count; i++) {
        if (at[i] != first + i) return false;
        if (i > 0 && from[i] != at[i] - 1) moves_up = false;
        if (i < count - 1 && from[i] != at[i] + 1) moves_down = false;
    }
    *source = moves_up ? last : first;
    *target = moves_up ? first : last;
    return moves_up || moves_down;
}

static sl_err move_children(sl_state *state, sl_node *parent, sl_node_type type, const sl_change *order)
{
    uint32_t source, target;
    if (is_single_move(order->at, order->from, order->count, &source, &target))
        return sl_tree_move(state->tree, parent, type, source, target);
    return sl_tree_permute(state->tree, parent, type, order->at, order->from, order->count);
}

/* Moves the scenes, and the slots of each track with them. `at` is in ascending order. */
static sl_err apply_order(sl_state *state, const uint32_t *at, const uint32_t *from, uint32_t count)
{
    sl_node *project = sl_tree_project(state->tree);
    sl_change order = {
        .type = SL_CHANGE_PERMUTED, .node = project, .child = SL_NODE_SCENE, .at = at, .from = from, .count = count};
    sl_err err = move_children(state, project, SL_NODE_SCENE, &order);
    uint32_t track_count = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t t = 0; t < track_count && err == SL_OK; t++)
        err = move_children(state, sl_node_child(project, SL_NODE_TRACK, t), SL_NODE_CLIP_SLOT, &order);
    if (err == SL_OK) err = sl_state_change(state, order);
    sl_state_tell_diff(state); /* while the arrays are there */
    return err;
}

static sl_err order_unknown(sl_state *state)
{
    static const char reason[] = "scene order unknown";
    return sl_state_go_stale(state, sl_value_text(reason, strlen(reason)));
}

/* Matches reports with scenes and moves those that must. `names` has room for three times the run, `places` for
 * twice. */
static sl_err settle(sl_state *state, const sl_run *run, placed_name *names, uint32_t *places)
{
    placed_name *reports = names, *present = names + run->count, *spare = present + run->count;
    uint32_t count = collect_reports(run, reports, spare);
    if (!collect_present(state, reports, count, present)) return order_unknown(state);
    sort(reports, spare, count, true);
    sort(present, spare, count, true);
    uint32_t *at = places, *from = places + run->count, moved = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_same_name(&reports[i], &present[i])) return order_unknown(state);
        reports[i].from = present[i].place;
    }
    sort(reports, spare, count, false);
    for (uint32_t i = 0; i < count; i++) {
        if (reports[i].place == reports[i].from) continue;
        at[moved] = reports[i].place;
        from[moved++] = reports[i].from;
    }
    return moved > 0 ? apply_order(state, at, from, moved) : SL_OK;
}

sl_err sl_run_end(sl_state *state, bool is_before_added)
{
    sl_run run = state->sender->run;
    if (run.count == 0 && !run.is_bad) return SL_OK;
    state->sender->run = (sl_run){0};
    state->sender->source.has_open_run = false;
    sl_err err = SL_OK;
    if (!is_before_added && run.is_bad) {
        err = order_unknown(state);
    } else if (!is_before_added) {
        size_t names_size = 3 * (size_t)run.count * sizeof(placed_name);
        size_t places_size = 2 * (size_t)run.count * sizeof(uint32_t);
        placed_name *names = sl_pool_take(&state->pool, names_size);
        uint32_t *places = sl_pool_take(&state->pool, places_size);
        err = names != NULL && places != NULL ? settle(state, &run, names, places) : SL_ERR_MEMORY;
        sl_pool_give(&state->pool, names, names_size);
        sl_pool_give(&state->pool, places, places_size);
    }
    sl_run_clear(state, &run);
    return err;
}
