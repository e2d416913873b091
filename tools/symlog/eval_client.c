#include "tools/symlog/eval_client.h"

#include <string.h>

/* True if serve takes a call with these params as one message: quotes and ends of lines take two bytes in JSON. */
static bool fits(const json_t *params)
{
    return json_dumpb(params, NULL, 0, JSON_COMPACT) <= SL_EVAL_CLIENT_PARAMS_BYTES_MAX;
}

sl_err sl_eval_client_ask(const sl_eval_request *request, json_t **result, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES])
{
    *result = NULL;
    json_t *params =
        json_pack("{s:s, s:s*, s:s*}", "code", request->code, "name", request->name, "quantize", request->quantize);
    if (params == NULL) {
        snprintf(errmsg, SL_RPC_CLIENT_ERRMSG_BYTES, "the text is not UTF-8");
        return SL_ERR_RANGE;
    }
    sl_err err = SL_ERR_RANGE;
    if (fits(params))
        err = sl_rpc_client_call(request->url, "eval", params, SL_RPC_CLIENT_TIMEOUT_MS, result, errmsg);
    else
        snprintf(errmsg, SL_RPC_CLIENT_ERRMSG_BYTES,
                 "the text is longer than %d KiB, as JSON; save it and have serve watch the file (--watch FILE)",
                 SL_EVAL_CLIENT_PARAMS_BYTES_MAX >> 10);
    json_decref(params);
    return err;
}

static void show_changed(FILE *out, const json_t *result)
{
    const json_t *changed = json_object_get(result, "changed");
    const json_t *beat = json_object_get(result, "at_beat");
    for (size_t i = 0; i < json_array_size(changed); i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(changed, i)));
    if (json_array_size(changed) == 0)
        fprintf(out, "nothing changes\n");
    else if (json_is_number(beat))
        fprintf(out, ": from beat %g on\n", json_number_value(beat));
    else
        fprintf(out, ": when it plays\n");
}

/* How many columns a terminal needs for the first `count` UTF-16 units of a text, tabs as they are. */
static void show_blank(FILE *err, const char *line, size_t length, json_int_t count)
{
    for (size_t i = 0; i < length && count > 0; i++) {
        const unsigned char byte = (unsigned char)line[i];
        if ((byte & 0xC0) == 0x80) continue;
        fputc(byte == '\t' ? '\t' : ' ', err);
        count -= byte >= 0xF0 ? 2 : 1;
    }
    for (; count > 0; count--) fputc(' ', err);
}

/* The line, and a mark below the column. */
static void show_place(FILE *err, const char *code, json_int_t line, json_int_t column)
{
    for (json_int_t i = 1; i < line && code != NULL; i++) {
        code = strchr(code, '\n');
        if (code != NULL) code++;
    }
    if (code == NULL || line < 1) return;
    const size_t length = strcspn(code, "\r\n");
    const int width = fprintf(err, "%4lld | ", (long long)line);
    fprintf(err, "%.*s\n", (int)length, code);
    if (column < 1) return;
    fprintf(err, "%*s", width, "");
    show_blank(err, code, length, column - 1);
    fprintf(err, "^\n");
}

bool sl_eval_client_show(FILE *out, FILE *err, const json_t *result, const char *code)
{
    const char *printed = json_string_value(json_object_get(result, "printed"));
    if (printed != NULL) fputs(printed, out);
    if (json_is_true(json_object_get(result, "success"))) {
        show_changed(out, result);
        return true;
    }
    const json_t *error = json_object_get(result, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    const json_int_t line = json_integer_value(json_object_get(error, "line"));
    const json_int_t column = json_integer_value(json_object_get(error, "column"));
    fprintf(err, "%s\n", message != NULL ? message : "refused; is it another version of symlog?");
    show_place(err, code, line, column);
    return false;
}
