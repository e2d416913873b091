/* What the groove box says, as inputs of the schedule: its lanes, its play and stop, its tempo. */
#include "core/code.h"
#include "core/lanes.h"

#include <string.h>

/* Writes the lanes of a patch into the state's memory for them, from `offset` on; NULL: there is no more memory. */
static const uint8_t *write_lanes(sl_state *state, const sl_patch *patch, size_t offset, size_t *length)
{
    size_t wanted = offset + sl_lanes_size_bytes(patch);
    if (wanted > state->lanes_capacity) {
        uint8_t *bytes = state->memory.resize(state->memory.ctx, state->lanes_bytes, state->lanes_capacity, wanted);
        if (bytes == NULL) return NULL;
        state->lanes_bytes = bytes;
        state->lanes_capacity = wanted;
    }
    sl_writer writer = {.bytes = state->lanes_bytes + offset, .capacity = state->lanes_capacity - offset};
    if (sl_lanes_write(patch, &writer) != SL_OK) return NULL;
    *length = writer.length;
    return state->lanes_bytes + offset;
}

/* True if both patches have the same lanes and end alike: then nothing sounds otherwise. *is_same is left undefined
 * without memory. */
static sl_err compare_lanes(sl_state *state, const sl_patch *old, const sl_patch *next, bool *is_same)
{
    size_t old_length, length;
    if (write_lanes(state, old, 0, &old_length) == NULL) return SL_ERR_MEMORY;
    const uint8_t *bytes = write_lanes(state, next, old_length, &length); /* may move the others */
    if (bytes == NULL) return SL_ERR_MEMORY;
    *is_same = length == old_length && memcmp(bytes, state->lanes_bytes, length) == 0 &&
               sl_lanes_length(old) == sl_lanes_length(next);
    return SL_OK;
}

static sl_err lanes_of(sl_state *state, const sl_patch *patch, bool is_running, sl_follow *out)
{
    *out = (sl_follow){.type = SL_FOLLOW_LANES, .is_running = is_running, .length_ticks = sl_lanes_length(patch)};
    out->bytes = write_lanes(state, patch, 0, &out->bytes_length);
    return out->bytes != NULL ? SL_OK : SL_ERR_MEMORY;
}

static sl_err show(sl_state *state, sl_attribute attribute, sl_value value)
{
    return sl_state_set(state, state->session, SL_CHANGE_STATE, attribute, value);
}

static sl_err give_tempo(sl_state *state, double bpm)
{
    sl_err err = sl_code_give(state, (sl_follow){.type = SL_FOLLOW_TEMPO, .value = bpm});
    return err == SL_OK ? show(state, SL_ATTRIBUTE_TEMPO, sl_value_float(bpm)) : err;
}

static sl_err give_turn(sl_state *state, bool is_running)
{
    sl_err err = sl_code_give(state, (sl_follow){.type = is_running ? SL_FOLLOW_PLAY : SL_FOLLOW_STOP});
    return err == SL_OK ? show(state, SL_ATTRIBUTE_IS_PLAYING, sl_value_bool(is_running)) : err;
}

static bool is_playing(const sl_state *state)
{
    sl_value value = sl_node_value(state->session, SL_ATTRIBUTE_IS_PLAYING);
    return value.type == SL_VALUE_BOOL && value.as.integer != 0;
}

static bool is_evt(const sl_groove_plan *plan, const char *word)
{
    size_t length = strlen(word);
    return plan->evt_length >= length && memcmp(plan->evt, word, length) == 0;
}

sl_err sl_code_follow_groove(sl_state *state, const sl_groove_plan *plan)
{
    const sl_groove_state *groove = state->groove;
    const sl_groove *view = &groove->view;
    if (state->schedule == NULL) return SL_OK;
    bool is_turn = plan->is_running != view->is_running || is_evt(plan, "play") || is_evt(plan, "stop");
    bool is_tempo = (view->is_known && groove->patch.bpm != groove->next.bpm) || is_evt(plan, "bpm=");
    bool is_same;
    sl_err err = compare_lanes(state, &groove->patch, &groove->next, &is_same);
    if (err == SL_OK && (is_tempo || (is_turn && plan->is_running && !is_playing(state))))
        err = give_tempo(state, groove->next.bpm);
    if (err == SL_OK && (!is_same || !view->is_known || plan->is_running != view->is_running)) {
        sl_follow lanes;
        err = lanes_of(state, &groove->next, plan->is_running, &lanes);
        if (err == SL_OK) err = sl_code_give(state, lanes);
    }
    return err == SL_OK && is_turn ? give_turn(state, plan->is_running) : err;
}

double sl_code_first_bpm(const sl_state *state)
{
    const sl_groove_state *groove = state->groove;
    bool is_known = groove != NULL && groove->view.is_known;
    if (is_known && groove->view.is_running) return groove->patch.bpm;
    sl_value tempo = sl_node_value(sl_tree_project(state->tree), SL_ATTRIBUTE_TEMPO);
    if (tempo.type == SL_VALUE_FLOAT && tempo.as.number >= 1 && tempo.as.number <= 1000) return tempo.as.number;
    return is_known ? groove->patch.bpm : SL_PATCH_BPM_DEFAULT;
}

sl_err sl_code_begin_groove(sl_state *state)
{
    const sl_groove_state *groove = state->groove;
    if (groove == NULL || !groove->view.is_known) return SL_OK;
    uint64_t seq = groove->view.changed_seq;
    sl_follow lanes;
    sl_err err = lanes_of(state, &groove->patch, groove->view.is_running, &lanes);
    if (err == SL_OK) err = sl_schedule_follow(state->schedule, seq, &lanes);
    if (err != SL_OK || !groove->view.is_running) return err;
    return sl_schedule_follow(state->schedule, seq, &(sl_follow){.type = SL_FOLLOW_PLAY});
}

bool sl_state_awaits_mark(const sl_state *state)
{
    return state->schedule == NULL && state->groove != NULL && state->groove->view.is_running;
}
