/*
 * The door of the WebSocket port: reads from a request what access.h judges, and turns away by HTTP whoever may not
 * come in. The service thread's, in libwebsockets' callbacks.
 */
#ifndef SL_TOOLS_DOOR_H
#define SL_TOOLS_DOOR_H

#include "tools/symlog/access.h"
#include "tools/symlog/wishes.h"

struct lws;

/* Judges a request to become a WebSocket, in LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION. NULL: it is welcome; else why
 * not, which it has been told: close it. Static. */
const char *sl_door_judge(struct lws *wsi, const sl_access *access);

/* Reads what a subscriber that is welcome asks for, there or in LWS_CALLBACK_ESTABLISHED. NULL: it makes sense; else
 * what does not, which it has been told: close it. Static. */
const char *sl_door_read_wishes(struct lws *wsi, sl_wishes *out);

/* Answers with an HTTP status ("403 Forbidden") and a sentence. The caller then closes the connection. */
void sl_door_turn_away(struct lws *wsi, const char *status, const char *why);

#endif
