/* The door of the WebSocket port. */
#include "tools/symlog/door.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_BYTES_MAX = 512 };

static const char *copy_header(struct lws *wsi, enum lws_token_indexes name, char buf[HEADER_BYTES_MAX]);

const char *sl_door_judge(struct lws *wsi, const sl_access *access)
{
    char origin[HEADER_BYTES_MAX];
    char host[HEADER_BYTES_MAX];
    char token[HEADER_BYTES_MAX];
    static const char bearer[] = "Bearer ";
    sl_visitor visitor = {
        .origin = copy_header(wsi, WSI_TOKEN_ORIGIN, origin),
        .host = copy_header(wsi, WSI_TOKEN_HOST, host),
        .token = copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, token),
    };
    if (visitor.token != NULL && strncmp(token, bearer, sizeof bearer - 1) == 0) visitor.token += sizeof bearer - 1;
    if (visitor.token == NULL) visitor.token = lws_get_urlarg_by_name(wsi, "token=", token, sizeof token);

    const char *why = NULL;
    switch (sl_access_judge(access, &visitor)) {
    case SL_VERDICT_WELCOME: break;
    case SL_VERDICT_ORIGIN:
        why = "a page of another site; --allow-origin lets it in";
        sl_door_turn_away(wsi, "403 Forbidden", why);
        break;
    case SL_VERDICT_TOKEN:
        why = "no token, or a wrong one; bring ?token=T";
        sl_door_turn_away(wsi, "401 Unauthorized", why);
        break;
    }
    return why;
}

/* Where an address is looked at for values. */
typedef struct address {
    struct lws *wsi;
    char value[SL_WISHES_VALUE_BYTES];
} address;

static const char *find_value(void *ctx, const char *name)
{
    address *address = ctx;
    char prefix[16];
    snprintf(prefix, sizeof prefix, "%s=", name);
    return lws_get_urlarg_by_name(address->wsi, prefix, address->value, sizeof address->value);
}

const char *sl_door_read_wishes(struct lws *wsi, sl_wishes *out)
{
    address address = {.wsi = wsi};
    const char *fault = sl_wishes_read(out, find_value, &address);
    if (fault != NULL) sl_door_turn_away(wsi, "400 Bad Request", fault);
    return fault;
}

/* NULL if there is none. One that is too long is kept as an empty one, which no rule lets in. */
static const char *copy_header(struct lws *wsi, enum lws_token_indexes name, char buf[HEADER_BYTES_MAX])
{
    if (lws_hdr_total_length(wsi, name) <= 0) return NULL;
    if (lws_hdr_copy(wsi, buf, HEADER_BYTES_MAX, name) < 0) buf[0] = '\0';
    return buf;
}

/* (lws_return_http_status would say HTTP/1.0 here, which is no answer to a WebSocket client.) */
void sl_door_turn_away(struct lws *wsi, const char *status, const char *why)
{
    char answer[LWS_PRE + HEADER_BYTES_MAX];
    const int length = snprintf(answer + LWS_PRE, HEADER_BYTES_MAX,
                                "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                                "Connection: close\r\n\r\n%s\n",
                                status, strlen(why) + 1, why);
    lws_write(wsi, (unsigned char *)answer + LWS_PRE, (size_t)length, LWS_WRITE_HTTP);
}
