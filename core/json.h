/* Whether bytes are JSON. A value that is kept as JSON text goes out to subscribers as it is, so it is looked at when
 * it comes in. */
#ifndef SL_CORE_JSON_H
#define SL_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum { SL_JSON_DEPTH_MAX = 2048 /* lists and objects inside each other, as jansson has it */ };

/* True for one whole value of RFC 8259 in compact form: no spaces between its parts, text in valid UTF-8. Keys may come
 * twice. */
bool sl_json_check(const char *bytes, size_t length);

#endif
