/* JSON-RPC's methods of the sound. */
#include "tools/symlog/rpc_audio.h"

#include "core/instruments.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_DIGITS_MAX = 9 /* always read back as the same float */ };

#define TIME_US_MAX 9007199254740992.0 /* beyond, doubles leave some out */

static const char processor_prefix[] = "processor.";
enum { PREFIX_LENGTH = sizeof processor_prefix - 1 };
_Static_assert(PREFIX_LENGTH + SL_AUDIO_NAME_BYTES <= SL_PARAMETER_ID_BYTES_MAX + 1, "each of a processor's has an id");

/* A parameter as clients see it, whoever has it. */
typedef struct described {
    char id[SL_PARAMETER_ID_BYTES_MAX + 1];
    const char *name;
    const char *unit;
    double min;
    double max;
    double initial;
    double value;
} described;

/* The double with the fewest digits that is this float: 0.1 for 0.1f. */
static double shortest(float value)
{
    char text[32];
    for (int digits = 6; digits < FLOAT_DIGITS_MAX; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (!(strtof(text, NULL) < value) && !(strtof(text, NULL) > value)) return strtod(text, NULL);
    }
    snprintf(text, sizeof text, "%.*g", FLOAT_DIGITS_MAX, (double)value);
    return strtod(text, NULL);
}

/* As it was set, within the range that it has now. */
static void find_value(const sl_state *state, described *out)
{
    const sl_parameter_value *set = sl_state_parameter(state, out->id, strlen(out->id));
    out->value = out->initial;
    if (set == NULL) return;
    const double value = set->index < SL_PARAMETER_COUNT ? shortest((float)set->value) : set->value;
    out->value = value < out->min ? out->min : (value > out->max ? out->max : value);
}

static void describe_own(const sl_state *state, uint32_t index, described *out)
{
    const sl_parameter *own = sl_parameter_at(index);
    *out = (described){.name = own->name,
                       .unit = own->unit,
                       .min = shortest(own->min),
                       .max = shortest(own->max),
                       .initial = shortest(own->initial)};
    snprintf(out->id, sizeof out->id, "%s", own->id);
    find_value(state, out);
}

/* `parameter` must outlive what is described. */
static void describe_processors(const sl_state *state, const sl_audio_parameter *parameter, described *out)
{
    *out = (described){.name = parameter->name,
                       .unit = parameter->unit,
                       .min = parameter->min,
                       .max = parameter->max,
                       .initial = parameter->initial};
    snprintf(out->id, sizeof out->id, "%s%s", processor_prefix, parameter->name);
    find_value(state, out);
}

/* The one that the call's `id` names; its name and unit are not told. Or fails. */
static bool find(sl_rpc_call *call, described *out)
{
    const sl_rpc_owner *owner = call->owner;
    const json_t *id = json_object_get(call->params, "id");
    const char *text = json_string_value(id);
    const size_t length = json_string_length(id); /* 0 for what is no text */
    if (length == 0) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "id is a parameter's, a text like lead.cutoff");
        return false;
    }
    const uint32_t index = sl_parameter_find(text, length);
    if (index < SL_PARAMETER_COUNT) {
        describe_own(owner->state, index, out);
        return true;
    }
    sl_audio_parameter processors[SL_AUDIO_PARAMETERS_MAX];
    const size_t count = sl_sound_status_get_processor(owner->sound(owner->ctx), processors);
    const bool has_prefix = length > PREFIX_LENGTH && strncmp(text, processor_prefix, PREFIX_LENGTH) == 0;
    for (size_t i = 0; has_prefix && i < count; i++) {
        if (strlen(processors[i].name) != length - PREFIX_LENGTH) continue;
        if (strcmp(processors[i].name, text + PREFIX_LENGTH) != 0) continue;
        describe_processors(owner->state, &processors[i], out);
        return true;
    }
    sl_rpc_fail(call, SL_RPC_UNKNOWN_PARAMETER, "there is no parameter %.80s; getAllParameters tells them", text);
    return false;
}

static void write_id_and_value(const char *id, double value, sl_text *text)
{
    sl_text_string(text, "{\"id\":");
    sl_text_json(text, id, strlen(id));
    sl_text_string(text, ",\"value\":");
    sl_text_double(text, value);
}

void sl_rpc_write_parameter(const sl_parameter_value *value, sl_text *text)
{
    const bool is_own = value->index < SL_PARAMETER_COUNT;
    write_id_and_value(value->id, is_own ? shortest((float)value->value) : value->value, text);
    sl_text_string(text, "}");
}

void sl_rpc_get_parameter(sl_rpc_call *call)
{
    described found;
    if (!find(call, &found)) return;
    write_id_and_value(found.id, found.value, call->result);
    sl_text_string(call->result, "}");
}

void sl_rpc_set_parameter(sl_rpc_call *call)
{
    described found;
    if (!find(call, &found)) return;
    const json_t *wanted = json_object_get(call->params, "value");
    const double value = json_number_value(wanted); /* finite: JSON has no other */
    if (!json_is_number(wanted)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "value is a number");
        return;
    }
    if (!(value >= found.min && value <= found.max)) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "%.80s is %.9g to %.9g", found.id, found.min, found.max);
        return;
    }
    const sl_parameter_event event = {.value = value, .id = found.id, .id_length = strlen(found.id)};
    uint8_t bytes[16 + SL_PARAMETER_ID_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_err err = sl_parameter_event_encode(&event, &writer);
    assert(err == SL_OK);
    sl_text_open(&call->edit, sl_host_memory());
    sl_text_bytes(&call->edit, (const char *)bytes, writer.length);
    call->is_parameter = true;
    if (call->edit.length == 0) sl_rpc_fail(call, SL_RPC_INTERNAL_ERROR, "memory ran out");
}

static void write_described(const described *one, sl_text *text)
{
    const char *dot = strchr(one->id, '.');
    write_id_and_value(one->id, one->value, text);
    sl_text_string(text, ",\"name\":");
    sl_text_json(text, one->name, strlen(one->name));
    sl_text_string(text, ",\"type\":\"float\",\"default\":");
    sl_text_double(text, one->initial);
    sl_text_string(text, ",\"min\":");
    sl_text_double(text, one->min);
    sl_text_string(text, ",\"max\":");
    sl_text_double(text, one->max);
    if (one->unit[0] != '\0') sl_text_string(text, ",\"unit\":");
    if (one->unit[0] != '\0') sl_text_json(text, one->unit, strlen(one->unit));
    if (dot != NULL) sl_text_string(text, ",\"group\":");
    if (dot != NULL) sl_text_json(text, one->id, (size_t)(dot - one->id));
    sl_text_string(text, "}");
}

void sl_rpc_get_all_parameters(sl_rpc_call *call)
{
    const sl_rpc_owner *owner = call->owner;
    described one;
    sl_text_string(call->result, "{\"parameters\":[");
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++) {
        if (i > 0) sl_text_string(call->result, ",");
        describe_own(owner->state, i, &one);
        write_described(&one, call->result);
    }
    sl_audio_parameter processors[SL_AUDIO_PARAMETERS_MAX];
    const size_t count = sl_sound_status_get_processor(owner->sound(owner->ctx), processors);
    for (size_t i = 0; i < count; i++) {
        sl_text_string(call->result, ",");
        describe_processors(owner->state, &processors[i], &one);
        write_described(&one, call->result);
    }
    sl_text_string(call->result, "]}");
}

void sl_rpc_get_meter_frame(sl_rpc_call *call)
{
    sl_text *text = call->result;
    sl_audio_meter meter;
    if (!sl_sound_status_get_meter(call->owner->sound(call->owner->ctx), &meter)) {
        sl_text_string(text, "{\"frame\":null}");
        return;
    }
    sl_text_string(text, "{\"frame\":{\"peak_l\":");
    sl_text_double(text, shortest(meter.master.left_peak));
    sl_text_string(text, ",\"peak_r\":");
    sl_text_double(text, shortest(meter.master.right_peak));
    sl_text_string(text, ",\"rms_l\":");
    sl_text_double(text, shortest(meter.master.left_rms));
    sl_text_string(text, ",\"rms_r\":");
    sl_text_double(text, shortest(meter.master.right_rms));
    sl_text_string(text, ",\"timestamp\":");
    sl_text_i64(text, meter.timestamp_us);
    sl_text_string(text, "}}");
}

void sl_rpc_get_audio_status(sl_rpc_call *call)
{
    sl_audio_status status;
    sl_sound_status_get(call->owner->sound(call->owner->ctx), &status);
    sl_text_string(call->result, "{\"status\":");
    sl_audio_status_write(&status, call->result);
    sl_text_string(call->result, "}");
}

void sl_rpc_register_audio(sl_rpc_call *call)
{
    const json_t *id = json_object_get(call->params, "client_id");
    const json_t *rate = json_object_get(call->params, "sample_rate");
    const json_t *size = json_object_get(call->params, "buffer_size");
    if (json_string_length(id) == 0 || json_string_length(id) >= SL_AUDIO_CLIENT_BYTES) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "client_id is a text of 1 to %d bytes", SL_AUDIO_CLIENT_BYTES - 1);
    } else if (!json_is_number(rate) || !(json_number_value(rate) > 0)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "sample_rate is a number of frames in a second");
    } else if (!json_is_integer(size) || json_integer_value(size) <= 0) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "buffer_size is a number of frames");
    } else if (call->owner->add_audio(call->owner->ctx, call->subscriber, json_string_value(id)) != SL_OK) {
        sl_rpc_fail(call, SL_RPC_INTERNAL_ERROR, "too many clients make sound already");
    }
    sl_text_string(call->result, "{\"status\":\"registered\"}");
}

/* Takes a member that is a number; false: it is none. */
static bool take_level(const json_t *params, const char *name, float *out)
{
    const json_t *value = json_object_get(params, name);
    *out = (float)json_number_value(value);
    return json_is_number(value) && *out - *out == 0; /* it may be beyond all floats */
}

void sl_rpc_meter_update(sl_rpc_call *call)
{
    const json_t *timestamp = json_object_get(call->params, "timestamp_us");
    const double time_us = json_number_value(timestamp);
    sl_audio_meter meter = {0};
    const bool is_time = json_is_number(timestamp) && time_us >= 0 && time_us < TIME_US_MAX;
    if (is_time) meter.timestamp_us = (int64_t)time_us;
    const bool is_valid = is_time && take_level(call->params, "left_peak", &meter.master.left_peak) &&
                          take_level(call->params, "left_rms", &meter.master.left_rms) &&
                          take_level(call->params, "right_peak", &meter.master.right_peak) &&
                          take_level(call->params, "right_rms", &meter.master.right_rms);
    const sl_err err = call->owner->pass_meter(call->owner->ctx, call->subscriber, is_valid ? &meter : NULL);
    if (err != SL_OK) {
        sl_rpc_fail(call, SL_RPC_INVALID_REQUEST, "registerAudio comes before meterUpdate");
    } else if (!is_valid) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS,
                    "timestamp_us, left_peak, left_rms, right_peak and right_rms are numbers");
    }
    sl_text_string(call->result, "{}");
}
