/* Making a state, and reading it. */
#include "core/state.h"

#include "core/code.h"

#include <string.h>

static const char no_picture[] = "no picture yet";

bool sl_state_is_without_picture(sl_value stale_reason)
{
    sl_value reason = sl_value_text(no_picture, strlen(no_picture));
    return sl_value_equal(&stale_reason, &reason);
}

bool sl_state_has_picture(const sl_state *state)
{
    return !sl_state_is_without_picture(sl_node_value(sl_tree_project(state->tree), SL_ATTRIBUTE_STALE_REASON));
}

sl_err sl_state_go_stale(sl_state *state, sl_value reason)
{
    sl_node *project = sl_tree_project(state->tree);
    sl_value old = sl_node_value(project, SL_ATTRIBUTE_STALE_REASON);
    if (sl_state_is_without_picture(old)) return SL_OK; /* that is the deeper reason */
    sl_err err = sl_state_set(state, project, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_STALE, sl_value_bool(true));
    if (err == SL_OK) err = sl_state_set(state, project, SL_CHANGE_STATE, SL_ATTRIBUTE_STALE_REASON, reason);
    sl_state_tell_diff(state);
    return err;
}

sl_err sl_state_set_stale(sl_state *state, sl_value is_stale, sl_value reason)
{
    sl_node *project = sl_tree_project(state->tree);
    sl_err err = sl_tree_set(state->tree, project, SL_ATTRIBUTE_IS_STALE, is_stale, NULL, NULL);
    if (err != SL_OK) return err;
    return sl_tree_set(state->tree, project, SL_ATTRIBUTE_STALE_REASON, reason, NULL, NULL);
}

sl_err sl_state_create(sl_memory memory, sl_state **out)
{
    sl_state *state = memory.resize(memory.ctx, NULL, 0, sizeof *state);
    if (state == NULL) return SL_ERR_MEMORY;
    memset(state, 0, sizeof *state);
    state->memory = memory;
    state->source_next = 1;
    sl_pool_open(&state->pool, memory);
    sl_live_open(state);
    sl_err err = sl_tree_create(memory, &state->tree);
    if (err == SL_OK)
        err = sl_state_set_stale(state, sl_value_bool(true), sl_value_text(no_picture, strlen(no_picture)));
    if (err != SL_OK) {
        sl_state_destroy(state);
        return err;
    }
    *out = state;
    return SL_OK;
}

void sl_state_destroy(sl_state *state)
{
    if (state == NULL) return;
    sl_memory memory = state->memory;
    sl_tree_destroy(state->tree);
    sl_tree_destroy(state->former);
    sl_schedule_destroy(state->schedule);
    sl_buffers_close(state);
    if (state->lanes_bytes != NULL) memory.resize(memory.ctx, state->lanes_bytes, state->lanes_capacity, 0);
    if (state->follows != NULL)
        memory.resize(memory.ctx, state->follows, state->follow_capacity * sizeof *state->follows, 0);
    sl_pool_close(&state->pool);
    memory.resize(memory.ctx, state, sizeof *state, 0);
}

sl_digest sl_state_last_save(const sl_state *state)
{
    return state->recents.last_save;
}

uint64_t sl_state_seq(const sl_state *state)
{
    return state->seq;
}

sl_tree *sl_state_tree(sl_state *state)
{
    return state->tree;
}

const sl_tree *sl_state_tree_view(const sl_state *state)
{
    return state->tree;
}

uint32_t sl_state_source_next(const sl_state *state)
{
    return state->source_next;
}

uint64_t sl_state_kernel_drops(const sl_state *state)
{
    return state->kernel_drops;
}

uint64_t sl_state_refused_unnamed(const sl_state *state)
{
    return state->refused_unnamed;
}

int64_t sl_state_wall_ns(const sl_state *state)
{
    return state->wall_ns;
}

size_t sl_state_size_bytes(const sl_state *state)
{
    return sizeof *state + state->pool.size_bytes + sl_tree_size_bytes(state->tree) +
           state->follow_capacity * sizeof *state->follows + sl_buffers_size_bytes(state) + state->lanes_capacity +
           (state->schedule != NULL ? sl_schedule_size_bytes(state->schedule) : 0);
}

const sl_schedule *sl_state_schedule(const sl_state *state)
{
    return state->schedule;
}

size_t sl_state_follows(const sl_state *state, const sl_follow **out)
{
    *out = state->follows;
    return state->follow_count;
}

const sl_source *sl_state_source_at(const sl_state *state, size_t index)
{
    return index < state->source_count ? &state->sources[index]->source : NULL;
}

const sl_source *sl_state_source(const sl_state *state, uint32_t number)
{
    for (uint32_t i = 0; i < state->source_count; i++)
        if (state->sources[i]->source.number == number) return &state->sources[i]->source;
    return NULL;
}

const char *sl_refusal_text(sl_refusal refusal)
{
    switch (refusal) {
    case SL_REFUSAL_NONE: return "none";
    case SL_REFUSAL_PATH: return "unknown path";
    case SL_REFUSAL_TYPES: return "wrong types";
    case SL_REFUSAL_FINITE: return "not a finite number";
    case SL_REFUSAL_INDEX: return "no such index";
    case SL_REFUSAL_BUNDLE: return "bundle refused";
    case SL_REFUSAL_MALFORMED: return "malformed payload";
    case SL_REFUSAL_LATE: return "picture came too late";
    case SL_REFUSAL_FRAME: return "not a SysEx frame";
    case SL_REFUSAL_ASCII: return "not 7-bit ASCII";
    case SL_REFUSAL_FIELDS: return "wrong number of fields";
    case SL_REFUSAL_VALUE: return "not a value of its field";
    case SL_REFUSAL_EVT: return "unknown evt";
    case SL_REFUSAL_PATCH: return "not a patch";
    case SL_REFUSAL_COUNT: break;
    }
    return "unknown";
}

sl_node *sl_state_find_launched(const sl_tree *tree)
{
    const sl_node *project = sl_tree_project(tree);
    for (uint32_t i = 0; i < sl_node_child_count(project, SL_NODE_SCENE); i++) {
        sl_node *scene = sl_node_child(project, SL_NODE_SCENE, i);
        sl_value value = sl_node_value(scene, SL_ATTRIBUTE_IS_TRIGGERED);
        if (value.type == SL_VALUE_BOOL && value.as.integer != 0) return scene;
    }
    return NULL;
}
