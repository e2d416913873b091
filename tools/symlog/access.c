/* Origins and tokens. */
#include "tools/symlog/access.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool is_welcome_origin(const sl_access *access, const sl_visitor *visitor);
static bool is_same_text(const char *a, const char *b);
static size_t host_length(const char *host);
static bool is_address(const char *host, size_t length);

sl_verdict sl_access_judge(const sl_access *access, const sl_visitor *visitor)
{
    if (visitor->origin != NULL && !is_welcome_origin(access, visitor)) return SL_VERDICT_ORIGIN;
    if (access->token == NULL) return SL_VERDICT_WELCOME;
    const bool has_token = visitor->token != NULL && is_same_text(visitor->token, access->token);
    return has_token ? SL_VERDICT_WELCOME : SL_VERDICT_TOKEN;
}

static bool is_welcome_origin(const sl_access *access, const sl_visitor *visitor)
{
    for (size_t i = 0; i < access->origin_count; i++) {
        if (strcasecmp(access->origins[i], visitor->origin) == 0) return true;
    }
    const char *scheme_end = strstr(visitor->origin, "://");
    if (scheme_end == NULL || visitor->host == NULL) return false;
    const char *origin_host = scheme_end + 3;
    const size_t length = host_length(origin_host);
    if (length == 0 || length != host_length(visitor->host)) return false;
    if (strncasecmp(origin_host, visitor->host, length) != 0) return false;
    return access->token != NULL || is_address(origin_host, length);
}

/* Takes as long for a token that is wrong at once as for one that is nearly right. */
static bool is_same_text(const char *a, const char *b)
{
    const size_t length = strlen(b);
    if (strlen(a) != length) return false;
    unsigned difference = 0;
    for (size_t i = 0; i < length; i++) difference |= (unsigned char)a[i] ^ (unsigned char)b[i];
    return difference == 0;
}

/* Length of the host in "host", "host:port", "[v6]:port". */
static size_t host_length(const char *host)
{
    if (host[0] != '[') return strcspn(host, ":/");
    const char *end = strchr(host, ']');
    return end != NULL ? (size_t)(end - host) + 1 : 0;
}

static bool is_address(const char *host, size_t length)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0) return true;
    if (length >= sizeof text) return false;
    const bool is_v6 = host[0] == '[';
    const size_t bare = is_v6 ? length - 2 : length;
    memcpy(text, is_v6 ? host + 1 : host, bare);
    text[bare] = '\0';
    return is_v6 ? inet_pton(AF_INET6, text, &v6) == 1 : inet_pton(AF_INET, text, &v4) == 1;
}

bool sl_access_is_loopback(const char *address)
{
    struct in_addr parsed;
    return inet_pton(AF_INET, address, &parsed) == 1 && ntohl(parsed.s_addr) >> 24 == 127;
}
