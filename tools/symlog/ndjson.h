/* Reads NDJSON: one JSON object a line, from a file or standard input. Knows what line it is at. */
#ifndef SL_TOOLS_NDJSON_H
#define SL_TOOLS_NDJSON_H

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SL_NDJSON_REASON_BYTES = 256 };

typedef struct sl_ndjson {
    FILE *file;
    char *line; /* the last one read */
    size_t capacity;
    uint64_t line_number; /* of it, from 1; 0 before the first */
} sl_ndjson;

/* Opens the file at `path`, or standard input for "-". False: it cannot be opened, errno says why. */
bool sl_ndjson_open(sl_ndjson *input, const char *path);
void sl_ndjson_close(sl_ndjson *input);

/* The object of the next line; the caller lets it go (json_decref). Lines of nothing but spaces are passed over.
 * SL_ERR_END: that was all; SL_ERR_MALFORMED, SL_ERR_IO: `reason` says what, where in the line. */
sl_err sl_ndjson_next(sl_ndjson *input, json_t **object, char reason[SL_NDJSON_REASON_BYTES]);

#endif
