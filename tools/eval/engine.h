/*
 * JavaScriptCore with the prelude in it: runs buffers, and writes down the score that they make. Knows neither streams
 * nor walls.
 *
 * One engine a process, one thread. The engine's own options (no JIT, no WebAssembly) are set by sl_engine_create.
 */
#ifndef SL_TOOLS_EVAL_ENGINE_H
#define SL_TOOLS_EVAL_ENGINE_H

#include "core/score.h"
#include "tools/eval/script.h"

#include <JavaScriptCore/JavaScript.h>

enum { SL_ENGINE_STRINGS_MAX = 64 /* given to live.eval in one evaluation */ };

/* What was wrong, and where in which text. */
typedef struct sl_engine_fault {
    char message[1025];
    char url[32];    /* the text's name, as it was given to the engine; "": unknown */
    uint32_t line;   /* both from 1; 0: unknown */
    uint32_t column; /* in UTF-16 units */
} sl_engine_fault;

typedef struct sl_engine {
    JSContextGroupRef group;
    JSGlobalContextRef context;
    JSObjectRef begin, finish, names; /* the prelude's */
    uint64_t code_seq;
    uint8_t quantize;
    const char *buffer;
    size_t buffer_length;
    sl_writer out; /* the score */
    sl_score_writer score;
    const char *refusal; /* why the score cannot be written; NULL: it can */
    sl_writer printed;
    char *strings[SL_ENGINE_STRINGS_MAX]; /* what live.eval was given, named "live0" … */
    size_t string_count;
} sl_engine;

/* The first context, prelude included. `score` and `printed` are where it writes; the caller's. False: it cannot be
 * made. */
bool sl_engine_create(sl_engine *engine, sl_writer score, sl_writer printed);

/* A fresh context in place of the one before: what was run in it is forgotten. */
bool sl_engine_renew(sl_engine *engine);

/* Checks the syntax of `source` (NUL-terminated UTF-8); what it refuses but would take as a module, it makes a script
 * of: *script then is another text, which the caller frees; else `source` itself. */
bool sl_engine_check(sl_engine *engine, char *source, char **script, sl_engine_fault *fault);

/* Evaluates a script that gives a function. */
bool sl_engine_load(sl_engine *engine, const char *script, const char *url, JSObjectRef *function,
                    sl_engine_fault *fault);

/* Begins the music anew, with chance seeded, and calls the function: *next is the function that it returns, or NULL. */
bool sl_engine_call(sl_engine *engine, JSObjectRef function, uint32_t seed, JSObjectRef *next, sl_engine_fault *fault);

/* Writes the score of what the last call made. */
bool sl_engine_finish(sl_engine *engine, sl_engine_fault *fault);

/* engine_host.c: the object through which the prelude writes. NULL: it cannot be made. */
JSObjectRef sl_engine_host(sl_engine *engine);

/* engine_fault.c: what an exception says. */
void sl_engine_describe(sl_engine *engine, JSValueRef exception, sl_engine_fault *fault);

/* engine_fault.c: the column of a syntax error in its line, 0: unknown. */
uint32_t sl_engine_column(sl_engine *engine, const char *source, const sl_engine_fault *fault);

/* A UTF-8 copy of a string, NUL-terminated; the caller frees it. NULL: memory. */
char *sl_engine_text(JSStringRef string);

#endif
