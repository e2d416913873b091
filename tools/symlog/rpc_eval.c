/* JSON-RPC's eval, watch and unwatch. */
#include "tools/symlog/rpc_eval.h"

#include <string.h>

static bool is_typescript(const char *name, size_t length)
{
    return length > 3 && memcmp(name + length - 3, ".ts", 3) == 0;
}

void sl_rpc_eval(sl_rpc_call *call)
{
    const json_t *code = json_object_get(call->params, "code");
    const json_t *name = json_object_get(call->params, "name");
    sl_code edit = {.quantize = SL_QUANTIZE_DEFAULT, .buffer = ""};
    if (!json_is_string(code)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "eval wants code, a text");
        return;
    }
    if (name != NULL && !json_is_null(name) && !json_is_string(name)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "name is a text: the buffer's");
        return;
    }
    if (json_is_string(name)) {
        edit.buffer = json_string_value(name);
        edit.buffer_length = json_string_length(name);
    }
    if (edit.buffer_length > SL_SCORE_NAME_BYTES_MAX) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "a buffer's name has at most %d bytes", SL_SCORE_NAME_BYTES_MAX);
        return;
    }
    sl_rpc_take_quantize(call, "quantize", &edit.quantize);
    if (call->code != 0) return;
    edit.language = is_typescript(edit.buffer, edit.buffer_length) ? SL_LANGUAGE_TYPESCRIPT : SL_LANGUAGE_JAVASCRIPT;
    edit.source = json_string_value(code);
    edit.source_length = json_string_length(code);
    call->question.type = SL_QUESTION_EVAL;
    call->question.code = edit;
    call->is_question = true;
}

static void watch(sl_rpc_call *call, bool is_wanted)
{
    const json_t *path = json_object_get(call->params, "path");
    char errmsg[256];
    if (!json_is_string(path) || json_string_value(path)[0] != '/' ||
        strlen(json_string_value(path)) != json_string_length(path)) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "path is a file's, from / on, on the machine of symlog serve");
    } else if (call->owner->watch(call->owner->ctx, json_string_value(path), is_wanted, errmsg) != SL_OK) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "%.150s", errmsg);
    } else {
        sl_text_string(call->result, "{}");
    }
}

void sl_rpc_watch(sl_rpc_call *call)
{
    watch(call, true);
}

void sl_rpc_unwatch(sl_rpc_call *call)
{
    watch(call, false);
}
