/* The methods of JSON-RPC. */
#include "tools/symlog/rpc_methods.h"

#include "core/message.h"
#include "tools/symlog/rpc_audio.h"
#include "tools/symlog/rpc_eval.h"
#include "tools/symlog/rpc_groove.h"
#include "tools/symlog/rpc_live.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void run_ping(sl_rpc_call *call);
static void run_query(sl_rpc_call *call);
static void run_stat(sl_rpc_call *call);
static void run_digest(sl_rpc_call *call);
static void run_mark(sl_rpc_call *call);
static void run_pause_source(sl_rpc_call *call);
static void run_resume_source(sl_rpc_call *call);
static void run_state_at(sl_rpc_call *call);
static void run_history(sl_rpc_call *call);
static void run_prune(sl_rpc_call *call);

static const sl_rpc_method methods[] = {
    {"ping", run_ping},
    {"query", run_query},
    {"stat", run_stat},
    {"digest", run_digest},
    {"mark", run_mark},
    {"pauseSource", run_pause_source},
    {"resumeSource", run_resume_source},
    {"stateAt", run_state_at},
    {"history", run_history},
    {"prune", run_prune},
    {"eval", sl_rpc_eval},
    {"watch", sl_rpc_watch},
    {"unwatch", sl_rpc_unwatch},
    {"groove.play", sl_rpc_groove_play},
    {"groove.stop", sl_rpc_groove_stop},
    {"groove.bpm", sl_rpc_groove_bpm},
    {"groove.vol", sl_rpc_groove_vol},
    {"groove.sel", sl_rpc_groove_sel},
    {"groove.beat", sl_rpc_groove_beat},
    {"groove.lane", sl_rpc_groove_lane},
    {"groove.patch", sl_rpc_groove_patch},
    {"groove.edit", sl_rpc_groove_edit},
    {"play", sl_rpc_live_play},
    {"pause", sl_rpc_live_pause},
    {"stop", sl_rpc_live_stop},
    {"panic", sl_rpc_live_panic},
    {"undo", sl_rpc_live_undo},
    {"redo", sl_rpc_live_redo},
    {"setTempo", sl_rpc_live_set_tempo},
    {"setQuantize", sl_rpc_live_set_quantize},
    {"setChannel", sl_rpc_live_set_channel},
    {"setInstrument", sl_rpc_live_set_instrument},
    {"connectEffect", sl_rpc_live_connect_effect},
    {"position", sl_rpc_live_position},
    {"getTempo", sl_rpc_live_get_tempo},
    {"getParameter", sl_rpc_get_parameter},
    {"setParameter", sl_rpc_set_parameter},
    {"getAllParameters", sl_rpc_get_all_parameters},
    {"getMeterFrame", sl_rpc_get_meter_frame},
    {"getAudioStatus", sl_rpc_get_audio_status},
    {"registerAudio", sl_rpc_register_audio},
    {"meterUpdate", sl_rpc_meter_update},
};
enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

const sl_rpc_method *sl_rpc_method_find(const char *name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(methods[i].name, name) == 0) return &methods[i];
    }
    return NULL;
}

void sl_rpc_method_names(sl_text *text)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (i > 0) sl_text_string(text, ", ");
        sl_text_string(text, methods[i].name);
    }
}

void sl_rpc_fail(sl_rpc_call *call, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    call->code = code;
    vsnprintf(call->reason, sizeof call->reason, format, arguments);
    va_end(arguments);
}

/* ping -> {pong:true} */
static void run_ping(sl_rpc_call *call)
{
    sl_text_string(call->result, "{\"pong\":true}");
}

/* query {id | path, depth?} -> the node, with its children down to `depth` levels (all of them without it) */
static void run_query(sl_rpc_call *call)
{
    const json_t *id = json_object_get(call->params, "id");
    const json_t *path = json_object_get(call->params, "path");
    const json_t *depth = json_object_get(call->params, "depth");
    const json_t *name = id != NULL ? id : path;
    if ((id != NULL) == (path != NULL) || !json_is_string(name)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "query wants either id or path, a string");
        return;
    }
    if (depth != NULL && !(json_is_integer(depth) && json_integer_value(depth) >= -1)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "depth is a number of levels, or -1 for all");
        return;
    }
    const json_int_t wanted = depth != NULL ? json_integer_value(depth) : -1;
    const int levels = wanted > INT16_MAX ? INT16_MAX : (int)wanted;
    sl_tree *tree = sl_state_tree(call->owner->state);
    const char *text = json_string_value(name);
    const size_t length = json_string_length(name);
    const sl_node *node = id != NULL ? sl_tree_find(tree, text, length) : sl_tree_find_path(tree, text, length);
    if (node == NULL) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "there is no node %.100s", text);
        return;
    }
    sl_state_digests(call->owner->state, NULL, NULL);
    sl_text_node(call->result, tree, node, levels);
}

/* stat -> {log_id, head, digest, content_digest, sources, ..., ports, player, audio?} */
static void run_stat(sl_rpc_call *call)
{
    const sl_rpc_owner *owner = call->owner;
    sl_message_stat(call->result, owner->state, owner->log_id);
    if (call->result->bad) return;
    call->result->length--; /* the closing brace: what only a running serve knows comes before it */
    sl_text_string(call->result, ",\"ports\":");
    owner->write_ports(owner->ctx, call->result);
    sl_text_string(call->result, ",\"player\":");
    owner->write_player(owner->ctx, call->result);
    owner->write_audio(owner->ctx, call->result);
    sl_text_string(call->result, "}");
}

/* digest {seq?} -> {seq, digest, content_digest}, of the present state only */
static void run_digest(sl_rpc_call *call)
{
    const uint64_t head = sl_state_seq(call->owner->state);
    const json_t *seq = json_object_get(call->params, "seq");
    if (seq != NULL && !json_is_integer(seq)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "seq is an event's number");
        return;
    }
    if (seq != NULL && (uint64_t)json_integer_value(seq) != head) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "only the present digest is at hand, of event %llu",
                    (unsigned long long)head);
        return;
    }
    sl_digest content;
    sl_digest whole;
    char hex[SL_DIGEST_HEX + 1];
    sl_state_digests(call->owner->state, &content, &whole);
    sl_text_string(call->result, "{\"seq\":");
    sl_text_u64(call->result, head);
    sl_text_string(call->result, ",\"digest\":\"");
    sl_digest_hex(whole, hex);
    sl_text_string(call->result, hex);
    sl_text_string(call->result, "\",\"content_digest\":\"");
    sl_digest_hex(content, hex);
    sl_text_string(call->result, hex);
    sl_text_string(call->result, "\"}");
}

/* mark {text} -> {seq}, once it is committed */
static void run_mark(sl_rpc_call *call)
{
    sl_rpc_set_mark(call, json_object_get(call->params, "text"));
}

void sl_rpc_set_mark(sl_rpc_call *call, const json_t *text)
{
    const size_t length = json_string_length(text); /* 0 for what is no string */
    if (length == 0) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "mark wants a text");
    } else if (length > SL_RPC_MARK_BYTES_MAX) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "a mark's text has at most %d bytes", SL_RPC_MARK_BYTES_MAX);
    } else {
        call->mark = json_string_value(text);
        call->mark_length = length;
    }
}

/* pauseSource {source | name} -> {seq}, once it is committed: its datagrams are counted, and not recorded */
static void run_pause_source(sl_rpc_call *call)
{
    const json_t *source = json_object_get(call->params, "source");
    sl_rpc_set_pause(call, source != NULL ? source : json_object_get(call->params, "name"), true);
}

/* resumeSource {source | name} -> {seq}, once it is committed */
static void run_resume_source(sl_rpc_call *call)
{
    const json_t *source = json_object_get(call->params, "source");
    sl_rpc_set_pause(call, source != NULL ? source : json_object_get(call->params, "name"), false);
}

void sl_rpc_set_pause(sl_rpc_call *call, const json_t *source, bool is_paused)
{
    if (!json_is_integer(source) && !json_is_string(source)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "which source? Its number, or its name as stat tells it");
        return;
    }
    const sl_source *found = NULL;
    const sl_source *each;
    for (size_t i = 0; (each = sl_state_source_at(call->owner->state, i)) != NULL; i++) {
        const bool is_meant = json_is_integer(source) ? json_integer_value(source) == (json_int_t)each->number
                                                      : strcmp(json_string_value(source), each->name) == 0;
        if (is_meant && each->input == SL_INPUT_OSC) found = each;
    }
    if (found == NULL) sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "no sender is so called; stat tells their names");
    call->source = found;
    call->is_paused = is_paused;
}

/* A parameter that is an event's number, from `min` on; or fails. */
static bool take_number(sl_rpc_call *call, const char *name, json_int_t min, uint64_t *number)
{
    const json_t *value = json_object_get(call->params, name);
    if (json_is_integer(value) && json_integer_value(value) >= min) {
        *number = (uint64_t)json_integer_value(value);
        return true;
    }
    sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "%s is an event's number, %lld or more", name, (long long)min);
    return false;
}

/* stateAt {seq} -> the project's node as it was after event seq, with all its children */
static void run_state_at(sl_rpc_call *call)
{
    call->question.type = SL_QUESTION_STATE_AT;
    call->is_question = take_number(call, "seq", 0, &call->question.through);
}

/* history {from, to} -> {messages, from, to}: what subscribers were told of the events from … to, or of as many as fit;
 * "to" is the last of those */
static void run_history(sl_rpc_call *call)
{
    call->question.type = SL_QUESTION_HISTORY;
    if (!take_number(call, "from", 1, &call->question.from)) return;
    call->is_question = take_number(call, "to", (json_int_t)call->question.from, &call->question.through);
}

/* prune {before, log?} -> {before, base}: once the log begins with event `before`; deleting goes on */
static void run_prune(sl_rpc_call *call)
{
    const json_t *log = json_object_get(call->params, "log");
    if (log != NULL && (!json_is_string(log) || strcmp(json_string_value(log), call->owner->log_id) != 0)) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "this serve has another log, %s", call->owner->log_id);
        return;
    }
    call->question.type = SL_QUESTION_PRUNE;
    call->is_question = take_number(call, "before", 1, &call->question.from);
}
