/* What the files of the reducer use to change the tree and to tell of it: changes, effects, ids. */
#include "core/state.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CHANGES = 64 };

sl_err sl_state_change(sl_state *state, sl_change change)
{
    if (state->output == NULL) return SL_OK;
    sl_diff *diff = &state->diff;
    if (diff->count == diff->capacity) {
        size_t capacity = diff->capacity == 0 ? FIRST_CHANGES : diff->capacity * 2;
        sl_change *changes = sl_pool_take(&state->pool, capacity * sizeof *changes);
        if (changes == NULL) return SL_ERR_MEMORY;
        if (diff->count > 0) memcpy(changes, state->changes, diff->count * sizeof *changes);
        sl_pool_give(&state->pool, state->changes, diff->capacity * sizeof *changes);
        state->changes = changes;
        diff->changes = changes;
        diff->capacity = capacity;
    }
    state->changes[diff->count++] = change;
    return SL_OK;
}

static void tell(sl_state *state, sl_effect effect)
{
    if (state->output == NULL) return;
    effect.event = state->event;
    effect.seq_num = state->seq_num;
    effect.timestamp = state->timestamp;
    effect.message = state->message;
    state->output->tell(state->output->ctx, state, &effect);
}

void sl_state_tell_diff(sl_state *state)
{
    if (state->diff.count == 0) return;
    tell(state, (sl_effect){.type = SL_EFFECT_DIFF, .diff = &state->diff});
    state->diff.count = 0;
}

void sl_state_tell_message(sl_state *state, sl_effect_type type)
{
    tell(state, (sl_effect){.type = type});
}

void sl_state_tell_gap(sl_state *state, sl_hole gap)
{
    tell(state, (sl_effect){.type = SL_EFFECT_GAP, .gap = gap});
}

void sl_state_refuse(sl_state *state, sl_refusal refusal)
{
    sl_state_refuse_at(state, refusal, NULL, 0);
}

void sl_state_refuse_at(sl_state *state, sl_refusal refusal, const char *detail, size_t position)
{
    state->sender->source.refused[refusal]++;
    tell(state, (sl_effect){.type = SL_EFFECT_REFUSED, .refusal = refusal, .detail = detail, .position = position});
}

void sl_state_tell_groove(sl_state *state, const sl_groove_change *change)
{
    tell(state, (sl_effect){.type = SL_EFFECT_GROOVE, .groove = change});
}

sl_err sl_state_set(sl_state *state, sl_node *node, sl_change_type type, sl_attribute attribute, sl_value value)
{
    sl_change change = {.type = (uint8_t)type, .node = node, .attribute = (uint8_t)attribute};
    bool is_changed;
    sl_err err = sl_tree_set(state->tree, node, attribute, value, &change.old_value, &is_changed);
    if (err != SL_OK || !is_changed) return err;
    change.new_value = sl_node_value(node, attribute);
    return sl_state_change(state, change);
}

static void write_decimal(sl_writer *writer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    sl_write_bytes(writer, digits + at, sizeof digits - at);
}

/* "SOURCE-SESSION-NUMBER" of the present message. */
void sl_state_write_origin(const sl_state *state, sl_writer *writer)
{
    write_decimal(writer, state->event->source);
    sl_write_bytes(writer, "-", 1);
    write_decimal(writer, state->event->session);
    sl_write_bytes(writer, "-", 1);
    bool is_numbered = state->seq_num != SL_SOURCE_SEQ_NONE;
    if (!is_numbered) sl_write_bytes(writer, "u", 1);
    write_decimal(writer, is_numbered ? state->seq_num : state->sender->source.unnumbered_count);
}

size_t sl_state_make_id(sl_state *state, sl_node_type type, char id[SL_ID_BYTES_MAX])
{
    sl_writer writer = {.bytes = (uint8_t *)id, .capacity = SL_ID_BYTES_MAX};
    const char *name = sl_schema_type_name(type);
    sl_write_bytes(&writer, name, strlen(name));
    sl_write_bytes(&writer, "-", 1);
    sl_state_write_origin(state, &writer);
    sl_write_bytes(&writer, "-", 1);
    size_t stem = writer.length;
    do {
        writer.length = stem;
        write_decimal(&writer, state->ordinal++);
        assert(!writer.bad);
    } while (sl_tree_find(state->tree, id, writer.length) != NULL);
    return writer.length;
}
