/* Live code from the shell: an edit is sent to a running serve, and what came of it is shown. */
#ifndef SL_TOOLS_EVAL_CLIENT_H
#define SL_TOOLS_EVAL_CLIENT_H

#include "core/err.h"
#include "tools/symlog/rpc_client.h"

#include <stdbool.h>
#include <stdio.h>

enum { SL_EVAL_CLIENT_PARAMS_BYTES_MAX = 63 << 10 /* of a call's params as JSON: serve takes messages of 64 KiB */ };

typedef struct sl_eval_request {
    const char *url;
    const char *code;     /* UTF-8 */
    const char *name;     /* of the buffer; NULL: none */
    const char *quantize; /* "bar", "beat", "off"; NULL: as the session has it */
} sl_eval_request;

/* Asks serve. `result`: as JSON-RPC's eval answers, the caller's. SL_ERR_RANGE: no such URL, or the text is too long or
 * not UTF-8; else as sl_rpc_client_call. */
sl_err sl_eval_client_ask(const sl_eval_request *request, json_t **result, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES]);

/* Shows what the code printed, then the result: "drums, bass: from beat 16 on", or the error with the line of `code`
 * and a mark under the column. True if it was accepted. */
bool sl_eval_client_show(FILE *out, FILE *err, const json_t *result, const char *code);

#endif
