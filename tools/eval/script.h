/*
 * One script of several buffers, each inside the function of the one before: later ones see the definitions of earlier
 * ones, and may define the same names anew. Knows no engine.
 *
 *     (function(){
 *     first buffer
 *     ;return function(){
 *     second buffer
 *     }})
 *
 * Whoever calls the functions one after the other learns which buffer fails.
 */
#ifndef SL_TOOLS_EVAL_SCRIPT_H
#define SL_TOOLS_EVAL_SCRIPT_H

#include "tools/eval/eval_wire.h"

typedef struct sl_script {
    char *text; /* NUL-terminated; freed by sl_script_close */
    size_t count;
    uint32_t first_lines[SL_EVAL_BUFFERS_MAX]; /* the line of the script in which each text begins */
} sl_script;

/* Of `count` (at least 1) NUL-terminated texts. False: memory. */
bool sl_script_open(sl_script *script, char *const *texts, size_t count);
void sl_script_close(sl_script *script);

/* Which text a line of the script is of; *line becomes that text's own. */
size_t sl_script_place(const sl_script *script, uint32_t *line);

/* Where `part` stands in `source`: turns a line and column of the one into those of the other. False: it does not, or
 * more than once. */
bool sl_script_place_part(const char *source, const char *part, uint32_t *line, uint32_t *column);

/* The seed of chance for a buffer: FNV-1a of its name, a NUL and its text, 32 bits. */
uint32_t sl_script_seed(const sl_eval_buffer *buffer);

#endif
