/* The methods of JSON-RPC: a table, and what each does. For rpc.c. */
#ifndef SL_TOOLS_RPC_METHODS_H
#define SL_TOOLS_RPC_METHODS_H

#include "core/text.h"
#include "tools/symlog/rpc.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* JSON-RPC's own error codes, and ours. */
enum {
    SL_RPC_PARSE_ERROR = -32700,
    SL_RPC_INVALID_REQUEST = -32600,
    SL_RPC_METHOD_NOT_FOUND = -32601,
    SL_RPC_INVALID_PARAMS = -32602,
    SL_RPC_INTERNAL_ERROR = -32603,
    SL_RPC_UNKNOWN_PARAMETER = -32000,
    SL_RPC_OUT_OF_RANGE = -32001
};

/* One call. */
typedef struct sl_rpc_call {
    const sl_rpc_owner *owner;
    uint64_t subscriber;
    const json_t *params; /* an object, or NULL */
    sl_text *result;      /* the result is appended here, as JSON */
    const char *mark;     /* set by `mark`: to be put into the log, and answered when it is there */
    size_t mark_length;
    const sl_source *source; /* set by a pause, or its end: likewise */
    bool is_paused;
    sl_text edit;      /* of the groove, set by groove.*: likewise; the call's, to be closed. Empty: none */
    bool is_transport; /* `edit` is the payload of a transport event instead, … */
    bool is_parameter; /* … or of a parameter event, and the answer is {} */
    bool is_question;  /* `question` is set: to be answered by the worker */
    sl_question question;
    int code; /* set with `reason` when it failed */
    char reason[160];
} sl_rpc_call;

typedef struct sl_rpc_method {
    const char *name;
    void (*run)(sl_rpc_call *call);
} sl_rpc_method;

/* The method so named, or NULL. */
const sl_rpc_method *sl_rpc_method_find(const char *name);

/* Appends the names of all methods, separated by commas. */
void sl_rpc_method_names(sl_text *text);

/* Sets code and reason. */
void sl_rpc_fail(sl_rpc_call *call, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Checks the text of a mark and sets it, or fails. `text` is borrowed. */
void sl_rpc_set_mark(sl_rpc_call *call, const json_t *text);

/* Finds the source to pause, or to let go on, by its number or its name (the newest so named), or fails. */
void sl_rpc_set_pause(sl_rpc_call *call, const json_t *source, bool is_paused);

/* The parameter so named: "bar", "beat" or "off"; null, or none, leaves `quantize` as it is; or fails. rpc_live.c's. */
void sl_rpc_take_quantize(sl_rpc_call *call, const char *name, uint8_t *quantize);

#endif
