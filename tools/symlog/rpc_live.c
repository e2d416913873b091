/* JSON-RPC's methods of live code's transport. */
#include "tools/symlog/rpc_live.h"

#include "core/live_code.h"
#include "core/schedule.h"
#include "ingest/clock.h"
#include "tools/symlog/host.h"

#include <stdlib.h>
#include <string.h>

enum { FIXED_BYTES = 64 };

#define BPM_MIN 1.0
#define BPM_MAX 1000.0

/* True if the call has not failed so far; then the transport is on its way into the log. */
static void put(sl_rpc_call *call, const sl_transport *transport)
{
    if (call->code != 0) return;
    const size_t capacity = FIXED_BYTES + transport->track_length + transport->name_length + transport->params_length;
    uint8_t *bytes = malloc(capacity);
    sl_writer writer = {.bytes = bytes, .capacity = capacity};
    sl_text_open(&call->edit, sl_host_memory());
    if (bytes != NULL && sl_transport_encode(transport, &writer) == SL_OK)
        sl_text_bytes(&call->edit, (const char *)bytes, writer.length);
    free(bytes);
    call->is_transport = true;
    if (call->edit.length == 0) sl_rpc_fail(call, SL_RPC_INTERNAL_ERROR, "memory ran out");
}

static const sl_schedule *schedule_of(const sl_rpc_call *call)
{
    return sl_state_schedule(call->owner->state);
}

/* The parameter so named, a text of at most `max` bytes; or fails. */
static const char *take_text(sl_rpc_call *call, const char *name, size_t max, size_t *length)
{
    const json_t *value = json_object_get(call->params, name);
    *length = json_string_length(value); /* 0 for what is no text */
    if (*length == 0 || *length > max)
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "%s is a text of 1 to %zu bytes", name, max);
    return json_is_string(value) ? json_string_value(value) : "";
}

/* The parameter `track`; fails if the session has none so named. */
static void take_track(sl_rpc_call *call, sl_transport *transport)
{
    transport->track = take_text(call, "track", SL_SCORE_NAME_BYTES_MAX, &transport->track_length);
    const sl_schedule *schedule = schedule_of(call);
    if (call->code != 0) return;
    if (schedule == NULL || !sl_schedule_has_track(schedule, transport->track, transport->track_length, 0))
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "the session has no track \"%.80s\"", transport->track);
}

void sl_rpc_take_quantize(sl_rpc_call *call, const char *name, uint8_t *quantize)
{
    static const char *const modes[] = {
        [SL_QUANTIZE_OFF] = "off", [SL_QUANTIZE_BEAT] = "beat", [SL_QUANTIZE_BAR] = "bar"};
    const json_t *value = json_object_get(call->params, name);
    if (value == NULL || json_is_null(value)) return;
    for (size_t i = 0; json_is_string(value) && i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(json_string_value(value), modes[i]) != 0) continue;
        *quantize = (uint8_t)i;
        return;
    }
    sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "%s is bar, beat or off", name);
}

static void put_action(sl_rpc_call *call, sl_transport_action action)
{
    sl_transport transport = {
        .action = (uint8_t)action, .quantize = SL_QUANTIZE_DEFAULT, .track = "", .name = "", .params = ""};
    const bool has_quantize = action == SL_TRANSPORT_STOP || action == SL_TRANSPORT_UNDO || action == SL_TRANSPORT_REDO;
    if (has_quantize) sl_rpc_take_quantize(call, "quantize", &transport.quantize);
    if (action == SL_TRANSPORT_STOP && json_object_get(call->params, "track") != NULL) take_track(call, &transport);
    put(call, &transport);
}

void sl_rpc_live_play(sl_rpc_call *call)
{
    put_action(call, SL_TRANSPORT_PLAY);
}

void sl_rpc_live_pause(sl_rpc_call *call)
{
    put_action(call, SL_TRANSPORT_PAUSE);
}

void sl_rpc_live_stop(sl_rpc_call *call)
{
    put_action(call, SL_TRANSPORT_STOP);
}

void sl_rpc_live_panic(sl_rpc_call *call)
{
    put_action(call, SL_TRANSPORT_PANIC);
}

void sl_rpc_live_undo(sl_rpc_call *call)
{
    const sl_schedule *schedule = schedule_of(call);
    if (schedule == NULL || sl_schedule_undo_count(schedule) == 0)
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "there is nothing to undo");
    put_action(call, SL_TRANSPORT_UNDO);
}

void sl_rpc_live_redo(sl_rpc_call *call)
{
    const sl_schedule *schedule = schedule_of(call);
    if (schedule == NULL || sl_schedule_redo_count(schedule) == 0)
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "there is nothing to redo");
    put_action(call, SL_TRANSPORT_REDO);
}

void sl_rpc_live_set_tempo(sl_rpc_call *call)
{
    const json_t *bpm = json_object_get(call->params, "bpm");
    const double value = json_number_value(bpm); /* 0 for what is no number */
    if (!json_is_number(bpm)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "bpm is a number");
    } else if (!(value >= BPM_MIN && value <= BPM_MAX)) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "bpm is %g to %g", BPM_MIN, BPM_MAX);
    }
    put(call, &(sl_transport){.action = SL_TRANSPORT_TEMPO, .value = value, .track = "", .name = "", .params = ""});
}

void sl_rpc_live_set_quantize(sl_rpc_call *call)
{
    sl_transport transport = {
        .action = SL_TRANSPORT_QUANTIZE, .quantize = SL_QUANTIZE_DEFAULT, .track = "", .name = "", .params = ""};
    sl_rpc_take_quantize(call, "mode", &transport.quantize);
    if (call->code == 0 && transport.quantize == SL_QUANTIZE_DEFAULT)
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "mode is missing: bar, beat or off");
    put(call, &transport);
}

void sl_rpc_live_set_channel(sl_rpc_call *call)
{
    sl_transport transport = {
        .action = SL_TRANSPORT_CHANNEL, .quantize = SL_QUANTIZE_DEFAULT, .name = "", .params = ""};
    const json_t *channel = json_object_get(call->params, "channel");
    const json_int_t number = json_integer_value(channel);
    if (!json_is_integer(channel)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "channel is a number");
    } else if (number < 0 || number > SL_SCHEDULE_CHANNELS) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "channel is 1 to %d, or 0: symlog chooses", SL_SCHEDULE_CHANNELS);
    }
    if (call->code == 0) take_track(call, &transport);
    transport.value = (double)number;
    put(call, &transport);
}

/* {track, name, params?} */
static void put_named(sl_rpc_call *call, sl_transport_action action)
{
    sl_transport transport = {.action = (uint8_t)action, .quantize = SL_QUANTIZE_DEFAULT, .params = ""};
    transport.name = take_text(call, "name", SL_SCORE_NAME_BYTES_MAX, &transport.name_length);
    if (call->code == 0) take_track(call, &transport);
    const json_t *params = json_object_get(call->params, "params");
    char *json = params != NULL ? json_dumps(params, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (json != NULL) transport.params = json;
    transport.params_length = strlen(transport.params);
    if (transport.params_length > SL_SCORE_PARAMS_BYTES_MAX)
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "params have at most %d bytes", SL_SCORE_PARAMS_BYTES_MAX);
    put(call, &transport);
    free(json);
}

void sl_rpc_live_set_instrument(sl_rpc_call *call)
{
    put_named(call, SL_TRANSPORT_INSTRUMENT);
}

void sl_rpc_live_connect_effect(sl_rpc_call *call)
{
    put_named(call, SL_TRANSPORT_EFFECT);
}

/* Where the transport is now; where a mark that is a moment ahead counts already, at its frame. */
static sl_position find_position(const sl_rpc_call *call, uint64_t *frame)
{
    const sl_schedule *schedule = schedule_of(call);
    *frame = call->owner->frame(call->owner->ctx);
    if (schedule == NULL) {
        const sl_tree *tree = sl_state_tree_view(call->owner->state);
        const sl_value tempo = sl_node_value(sl_tree_project(tree), SL_ATTRIBUTE_TEMPO);
        return (sl_position){
            .numerator = 4, .denominator = 4, .bpm = tempo.type == SL_VALUE_FLOAT ? tempo.as.number : 120};
    }
    sl_applied mark;
    if (sl_schedule_mark(schedule, &mark) && mark.frame > *frame) *frame = mark.frame;
    return sl_schedule_position(schedule, *frame);
}

void sl_rpc_live_position(sl_rpc_call *call)
{
    sl_text *text = call->result;
    uint64_t frame;
    const sl_position position = find_position(call, &frame);
    sl_text_string(text, "{\"beat\":");
    sl_text_double(text, position.beat);
    sl_text_string(text, ",\"bar\":");
    sl_text_u64(text, position.bar);
    sl_text_string(text, ",\"next_bar_beat\":");
    sl_text_double(text, position.next_bar_beat);
    sl_text_string(text, position.is_playing ? ",\"is_playing\":true,\"bpm\":" : ",\"is_playing\":false,\"bpm\":");
    sl_text_double(text, position.bpm);
    sl_text_string(text, ",\"numerator\":");
    sl_text_u64(text, position.numerator);
    sl_text_string(text, ",\"denominator\":");
    sl_text_u64(text, position.denominator);
    sl_text_string(text, ",\"frame\":");
    sl_text_u64(text, frame);
    sl_text_string(text, ",\"time_us\":");
    sl_text_i64(text, sl_clock_wall_ns() / 1000);
    sl_text_string(text, "}");
}

void sl_rpc_live_get_tempo(sl_rpc_call *call)
{
    uint64_t frame;
    sl_text_string(call->result, "{\"bpm\":");
    sl_text_double(call->result, find_position(call, &frame).bpm);
    sl_text_string(call->result, "}");
}
