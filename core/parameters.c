/* The parameters in the state. */
#include "core/parameters.h"

#include "core/instruments.h"
#include "core/state.h"

#include <assert.h>
#include <string.h>

static int compare(const sl_parameter_value *value, const char *id, size_t length)
{
    const size_t shared = value->id_length < length ? value->id_length : length;
    const int order = memcmp(value->id, id, shared);
    return order != 0 ? order : (value->id_length > length) - (value->id_length < length);
}

/* Where it stands, or would. */
static uint32_t find(const struct sl_parameters *parameters, const char *id, size_t length)
{
    uint32_t low = 0, high = parameters->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (compare(&parameters->values[middle], id, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const sl_parameter_value *sl_state_parameter_at(const sl_state *state, size_t index)
{
    const struct sl_parameters *parameters = state->parameters;
    return parameters != NULL && index < parameters->count ? &parameters->values[index] : NULL;
}

const sl_parameter_value *sl_state_parameter(const sl_state *state, const char *id, size_t length)
{
    if (state->parameters == NULL) return NULL;
    const sl_parameter_value *value = sl_state_parameter_at(state, find(state->parameters, id, length));
    return value != NULL && compare(value, id, length) == 0 ? value : NULL;
}

/* SL_ERR_FULL: there are too many. */
static sl_err set(sl_state *state, const char *id, size_t length, double value)
{
    if (state->parameters == NULL) {
        state->parameters = sl_pool_take(&state->pool, sizeof *state->parameters);
        if (state->parameters == NULL) return SL_ERR_MEMORY;
        state->parameters->count = 0;
    }
    struct sl_parameters *parameters = state->parameters;
    const uint32_t at = find(parameters, id, length);
    sl_parameter_value *entry = &parameters->values[at];
    if (at == parameters->count || compare(entry, id, length) != 0) {
        if (parameters->count == SL_PARAMETERS_MAX) return SL_ERR_FULL;
        memmove(entry + 1, entry, (parameters->count - at) * sizeof *entry);
        parameters->count++;
        *entry = (sl_parameter_value){.index = sl_parameter_find(id, length), .id_length = (uint8_t)length};
        memcpy(entry->id, id, length);
    }
    const bool is_own = entry->index < SL_PARAMETER_COUNT;
    entry->value = is_own ? (double)sl_parameter_clamp(sl_parameter_at(entry->index), value) : value;
    return SL_OK;
}

sl_err sl_parameters_take(sl_state *state, const sl_event *event)
{
    sl_parameter_event parameter;
    sl_err err = sl_parameter_event_decode(event, &parameter);
    if (err == SL_OK) err = set(state, parameter.id, parameter.id_length, parameter.value);
    if (err == SL_ERR_MEMORY) return err;
    if (err != SL_OK) sl_state_refuse(state, SL_REFUSAL_MALFORMED);
    return SL_OK;
}

void sl_parameters_encode(const sl_state *state, void (*put)(void *ctx, const void *bytes, size_t length), void *ctx)
{
    uint8_t bytes[16 + SL_PARAMETER_ID_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, state->parameters->count, 4);
    put(ctx, bytes, writer.length);
    for (uint32_t i = 0; i < state->parameters->count; i++) {
        const sl_parameter_value *entry = &state->parameters->values[i];
        uint64_t value;
        memcpy(&value, &entry->value, sizeof value);
        writer.length = 0;
        sl_write_le(&writer, value, 8);
        sl_write_text(&writer, entry->id, entry->id_length);
        assert(!writer.bad);
        put(ctx, bytes, writer.length);
    }
}

sl_err sl_parameters_decode(sl_state *state, sl_reader *reader)
{
    const uint32_t count = (uint32_t)sl_read_le(reader, 4);
    if (reader->bad || count == 0 || count > SL_PARAMETERS_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        size_t length;
        const uint64_t bits = sl_read_le(reader, 8);
        const char *id = sl_read_text(reader, &length);
        double value;
        memcpy(&value, &bits, sizeof value);
        const bool is_finite = value - value == 0;
        if (reader->bad || !is_finite || length == 0 || length > SL_PARAMETER_ID_BYTES_MAX) return SL_ERR_MALFORMED;
        const sl_err err = set(state, id, length, value);
        if (err != SL_OK) return err;
        if (state->parameters->count != i + 1) return SL_ERR_MALFORMED; /* one came twice */
    }
    return SL_OK;
}
