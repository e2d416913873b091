/*
 * Who may subscribe. Any web site that a browser shows may open ws://127.0.0.1, and its page is told apart only by the
 * Origin that the browser sends along; programs send none. Beyond that a token, where one is set. Pure.
 */
#ifndef SL_TOOLS_ACCESS_H
#define SL_TOOLS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

enum { SL_ACCESS_ORIGINS_MAX = 16 };

typedef struct sl_access {
    const char *token;                          /* NULL: none is asked for */
    const char *origins[SL_ACCESS_ORIGINS_MAX]; /* allowed besides pages of the same host */
    size_t origin_count;
} sl_access;

/* What a client says of itself; NULL where it says nothing. */
typedef struct sl_visitor {
    const char *origin;
    const char *host;
    const char *token;
} sl_visitor;

typedef enum sl_verdict {
    SL_VERDICT_WELCOME,
    SL_VERDICT_ORIGIN, /* a page of another site */
    SL_VERDICT_TOKEN,  /* no token, or a wrong one */
} sl_verdict;

/* An origin is welcome if it is one of access->origins, or if its host is the host that was called and is an address,
 * or "localhost", or a token protects: a page of some other site may call itself by a name that it has pointed at this
 * machine (DNS rebinding), so a bare name proves nothing. */
sl_verdict sl_access_judge(const sl_access *access, const sl_visitor *visitor);

/* True for an address that only this machine can reach (127.0.0.0/8). */
bool sl_access_is_loopback(const char *address);

#endif
