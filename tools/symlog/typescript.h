/* TypeScript to JavaScript, by esbuild (a program of its own, which may be missing): types out, nothing else changed;
 * and where each place of the JavaScript stood. */
#ifndef SL_TOOLS_TYPESCRIPT_H
#define SL_TOOLS_TYPESCRIPT_H

#include "core/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* From a place of the JavaScript on, up to the next one. All from 0. */
typedef struct sl_typescript_mark {
    uint32_t line;
    uint32_t column;
    uint32_t source_line;
    uint32_t source_column;
} sl_typescript_mark;

typedef struct sl_typescript {
    char *text; /* JavaScript; NULL: there is none */
    size_t length;
    sl_typescript_mark *marks; /* by line, column */
    size_t mark_count;
    char message[512]; /* why there is none */
    uint32_t line;     /* in the source, both from 1; 0: unknown */
    uint32_t column;
} sl_typescript;

/* SL_ERR_REFUSED: it is no TypeScript, or esbuild is not installed (message says which); SL_ERR_IO, SL_ERR_MEMORY;
 * SL_ERR_END: cancelled. `out` is to be freed in any case. Any thread. */
sl_err sl_typescript_strip(const char *source, size_t length, const atomic_bool *is_cancelled, sl_typescript *out);

/* From a line and column of the JavaScript to those of the source; all from 1, columns may be 0. */
void sl_typescript_place(const sl_typescript *script, uint32_t *line, uint32_t *column);

void sl_typescript_free(sl_typescript *script);

#endif
