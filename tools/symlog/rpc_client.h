/*
 * Asks a running serve one thing: a JSON-RPC 2.0 call over its WebSocket. What else it sends meanwhile is passed over.
 */
#ifndef SL_TOOLS_RPC_CLIENT_H
#define SL_TOOLS_RPC_CLIENT_H

#include "core/err.h"

#include <jansson.h>

#define SL_RPC_CLIENT_URL "ws://127.0.0.1:8765"

enum {
    SL_RPC_CLIENT_ERRMSG_BYTES = 512,
    SL_RPC_CLIENT_TIMEOUT_MS = 10000,      /* for what serve knows at once */
    SL_RPC_CLIENT_LONG_TIMEOUT_MS = 300000 /* for what it has to replay the log for */
};

/* Calls `method` at `url` (ws://HOST:PORT[/PATH]; HOST:PORT will do) with `params` (may be NULL; not kept) and waits
 * for the answer, `timeout_ms` at most. `result` is the caller's, to be let go (json_decref). SL_ERR_RANGE:
 * no such URL; SL_ERR_IO: nobody answers there; SL_ERR_REFUSED: an error came back; SL_ERR_MALFORMED: an answer that is
 * none; SL_ERR_MEMORY. `errmsg` then says what to do. */
sl_err sl_rpc_client_call(const char *url, const char *method, const json_t *params, int timeout_ms, json_t **result,
                          char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES]);

#endif
