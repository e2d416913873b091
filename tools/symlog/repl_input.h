/*
 * What is typed into the REPL: lines with history (libedit) on a terminal, plain lines else; several of them while a
 * bracket, a text or a comment is open.
 */
#ifndef SL_TOOLS_REPL_INPUT_H
#define SL_TOOLS_REPL_INPUT_H

#include <stdbool.h>
#include <stddef.h>

enum { SL_REPL_NAME_BYTES = 64 };

typedef struct sl_repl_input sl_repl_input;

/* NULL: memory ran out. On a terminal it begins with the history of the last time. */
sl_repl_input *sl_repl_input_open(bool is_terminal);

/* The next input, which is a command (from its dot on) or has all its brackets closed; the caller frees it. NULL: the
 * end. */
char *sl_repl_input_next(sl_repl_input *input);

/* Keeps the history. Returns whether it was a terminal. */
bool sl_repl_input_close(sl_repl_input *input);

/* True if something in the text is not closed: ( [ {, a template, a comment. */
bool sl_repl_is_open(const char *text);

/* If the text begins with a declaration, `name` is "repl:" and what it declares: the buffer that it stands in. */
bool sl_repl_declared(const char *text, char name[SL_REPL_NAME_BYTES]);

/* A whole file, which the caller frees; NULL with errmsg set. */
char *sl_repl_read_file(const char *path, size_t max, char errmsg[256]);

#endif
