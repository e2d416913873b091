/* JSON-RPC's eval, watch and unwatch. */
#include "tools/symlog/rpc_eval.h"

#include <string.h>

static bool is_typescript(const char *name, size_t length)
{
    return length > 3 && memcmp(name + length - 3, ".ts", 3) == 0;
}

/* False: it has failed. */
static bool take_quantize(sl_rpc_call *call, uint8_t *quantize)
{
    static const char *const names[] = {
        [SL_QUANTIZE_OFF] = "off", [SL_QUANTIZE_BEAT] = "beat", [SL_QUANTIZE_BAR] = "bar"};
    const json_t *value = json_object_get(call->params, "quantize");
    *quantize = SL_QUANTIZE_DEFAULT;
    if (value == NULL || json_is_null(value)) return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!json_is_string(value) || strcmp(json_string_value(value), names[i]) != 0) continue;
        *quantize = (uint8_t)i;
        return true;
    }
    sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "quantize is bar, beat or off");
    return false;
}

void sl_rpc_eval(sl_rpc_call *call)
{
    const json_t *code = json_object_get(call->params, "code");
    const json_t *name = json_object_get(call->params, "name");
    sl_code edit = {.buffer = "", .buffer_length = 0};
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
    if (!take_quantize(call, &edit.quantize)) return;
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
