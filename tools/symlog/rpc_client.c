/* One JSON-RPC call over a WebSocket. */
#include "tools/symlog/rpc_client.h"

#include <assert.h>
#include <libwebsockets.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_ID = 1, PIECE_BYTES = 65536, MESSAGE_BYTES_MAX = 1 << 30 };

typedef struct place {
    char host[256];
    char path[1024];
    int port;
} place;

/* One call. All of it belongs to the thread that calls. */
typedef struct call {
    const char *url;
    int timeout_ms;
    unsigned char *request; // LWS_PRE bytes, then the text.
    size_t request_length;
    char *message; // What has come of the present one.
    size_t message_length;
    size_t message_capacity;
    struct lws_context *context;
    lws_sorted_usec_list_t timeout;
    json_t *result;
    sl_err err; // SL_ERR_END: not settled yet.
    char *errmsg;
} call;

static bool parse_url(const char *url, place *out);
static bool write_request(call *call, const char *method, const json_t *params);
static void converse(call *call, const place *place);
static void settle(call *call, sl_err err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);
static void on_timeout(lws_sorted_usec_list_t *timeout);
static void take_piece(call *call, struct lws *wsi, const char *bytes, size_t length);
static void take_message(call *call);

sl_err sl_rpc_client_call(const char *url, const char *method, const json_t *params, int timeout_ms, json_t **result,
                          char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES])
{
    assert(method != NULL && result != NULL);
    place place;
    call call = {.url = url, .timeout_ms = timeout_ms, .err = SL_ERR_END, .errmsg = errmsg};
    *result = NULL;
    if (!parse_url(url, &place)) {
        settle(&call, SL_ERR_RANGE, "\"%.200s\" is no WebSocket address; say ws://HOST:PORT", url);
    } else if (!write_request(&call, method, params)) {
        settle(&call, SL_ERR_MEMORY, "memory ran out");
    } else {
        converse(&call, &place);
    }
    free(call.request);
    free(call.message);
    *result = call.result;
    return call.err;
}

/* [ws://]HOST:PORT[/PATH] */
static bool parse_url(const char *url, place *out)
{
    if (strncmp(url, "ws://", strlen("ws://")) == 0) url += strlen("ws://");
    size_t host_length = strcspn(url, ":/?");
    if (host_length == 0 || host_length >= sizeof out->host || url[host_length] != ':') return false;
    memcpy(out->host, url, host_length);
    out->host[host_length] = '\0';
    char *end = NULL;
    const char *digits = url + host_length + 1;
    unsigned long port = strtoul(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || port == 0 || port > UINT16_MAX) return false;
    if (*end != '\0' && *end != '/' && *end != '?') return false;
    out->port = (int)port;
    int length = snprintf(out->path, sizeof out->path, "%s%s", *end == '/' ? "" : "/", end);
    return length > 0 && (size_t)length < sizeof out->path;
}

static bool write_request(call *call, const char *method, const json_t *params)
{
    json_t *request = json_pack("{s:s, s:i, s:s, s:O*}", "jsonrpc", "2.0", "id", CALL_ID, "method", method, "params",
                                (json_t *)params);
    char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (text == NULL) return false;
    call->request_length = strlen(text);
    call->request = malloc(LWS_PRE + call->request_length);
    if (call->request != NULL) memcpy(call->request + LWS_PRE, text, call->request_length);
    free(text);
    return call->request != NULL;
}

static void converse(call *call, const place *place)
{
    const struct lws_protocols protocols[] = {
        {.name = "symlog", .callback = on_event, .rx_buffer_size = PIECE_BYTES},
        {0},
    };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .gid = -1, .uid = -1};
    info.timeout_secs = (unsigned)call->timeout_ms / 1000 + 1; // A handshake may take as long as the answer.
    lws_set_log_level(0, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (context == NULL) {
        settle(call, SL_ERR_MEMORY, "no WebSocket can be made");
        return;
    }
    call->context = context;
    struct lws_client_connect_info target = {
        .context = context,
        .address = place->host,
        .port = place->port,
        .path = place->path,
        .host = place->host,
        .local_protocol_name = "symlog",
        .opaque_user_data = call,
    };
    lws_sul_schedule(context, 0, &call->timeout, on_timeout, (lws_usec_t)call->timeout_ms * LWS_US_PER_MS);
    if (lws_client_connect_via_info(&target) == NULL) {
        settle(call, SL_ERR_IO, "nobody listens at %.200s; symlog serve does", call->url);
    }
    while (call->err == SL_ERR_END) {
        if (lws_service(context, 0) < 0) settle(call, SL_ERR_IO, "the connection to %.200s failed", call->url);
    }
    lws_sul_schedule(context, 0, &call->timeout, on_timeout, LWS_SET_TIMER_USEC_CANCEL);
    lws_context_destroy(context);
}

/* The first verdict counts: what the end of the connection brings afterwards does not. */
static void settle(call *call, sl_err err, const char *format, ...)
{
    if (call->err != SL_ERR_END) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->errmsg, SL_RPC_CLIENT_ERRMSG_BYTES, format, arguments);
    va_end(arguments);
    call->err = err;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    (void)user;
    call *call = wsi != NULL ? lws_get_opaque_user_data(wsi) : NULL;
    if (call == NULL) return 0;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        lws_callback_on_writable(wsi);
    } else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE && call->request_length > 0) {
        int sent = lws_write(wsi, call->request + LWS_PRE, call->request_length, LWS_WRITE_TEXT);
        if (sent < 0) settle(call, SL_ERR_IO, "%.200s cannot be written to", call->url);
        call->request_length = 0;
    } else if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        take_piece(call, wsi, in, length);
    } else if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        // libwebsockets says "HS: …" of a handshake that came to nothing: somebody is there.
        bool is_refused = in != NULL && strncmp(in, "HS: ", strlen("HS: ")) == 0;
        settle(call, SL_ERR_IO,
               is_refused ? "%.200s does not let us in; a token goes into the address: ws://HOST:PORT/?token=T"
                          : "nobody listens at %.200s; symlog serve does",
               call->url);
    } else if (reason == LWS_CALLBACK_CLIENT_CLOSED) {
        settle(call, SL_ERR_IO, "%.200s closed the connection without an answer", call->url);
    }
    return 0;
}

static void on_timeout(lws_sorted_usec_list_t *timeout)
{
    call *call = lws_container_of(timeout, struct call, timeout);
    settle(call, SL_ERR_IO, "no answer from %.200s in %d seconds", call->url, call->timeout_ms / 1000);
    lws_cancel_service(call->context); // Which would go on to wait for its own next timer.
}

/* A message comes in pieces. */
static void take_piece(call *call, struct lws *wsi, const char *bytes, size_t length)
{
    if (call->err != SL_ERR_END) return;
    if (call->message_length + length > call->message_capacity) {
        size_t capacity = 2 * (call->message_length + length);
        char *grown = capacity <= MESSAGE_BYTES_MAX ? realloc(call->message, capacity) : NULL;
        if (grown == NULL) {
            settle(call, SL_ERR_MEMORY, "memory ran out on a message of %.200s", call->url);
            return;
        }
        call->message = grown;
        call->message_capacity = capacity;
    }
    if (length > 0) memcpy(call->message + call->message_length, bytes, length);
    call->message_length += length;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0) return;
    take_message(call);
    call->message_length = 0;
}

/* Subscribers are also sent the project and what changes it; an answer alone has our id. */
static void take_message(call *call)
{
    static const char feed_message[] = "{\"type\":";
    size_t feed_length = sizeof feed_message - 1;
    bool is_feed = call->message_length > feed_length && memcmp(call->message, feed_message, feed_length) == 0;
    if (is_feed) return; // Seen without reading it: a project may have megabytes.
    json_t *answer = json_loadb(call->message, call->message_length, 0, NULL);
    const json_t *id = json_object_get(answer, "id");
    if (json_is_integer(id) && json_integer_value(id) == CALL_ID) {
        const char *refusal = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
        json_t *result = json_object_get(answer, "result");
        if (refusal != NULL) {
            settle(call, SL_ERR_REFUSED, "%.200s refuses: %.250s", call->url, refusal);
        } else if (result == NULL) {
            settle(call, SL_ERR_MALFORMED, "%.200s answers with neither result nor error", call->url);
        } else {
            call->result = json_incref(result);
            call->err = SL_OK;
        }
    }
    json_decref(answer);
}
