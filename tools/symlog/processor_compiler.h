/* Which C compiler there is on this machine, and how it is called. */
#ifndef SL_TOOLS_PROCESSOR_COMPILER_H
#define SL_TOOLS_PROCESSOR_COMPILER_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { SL_PROCESSOR_COMPILER_WORDS_MAX = 16 };

typedef struct sl_processor_compiler {
    char text[8192];                                    /* the words, each NUL-terminated */
    const char *words[SL_PROCESSOR_COMPILER_WORDS_MAX]; /* the program by its path, then its first arguments */
    size_t word_count;
} sl_processor_compiler;

/* Finds it, as sl_processor_compile says. SL_ERR_NOT_FOUND: there is none, and message says what to do. */
sl_err sl_processor_compiler_find(sl_processor_compiler *out, char *message, size_t message_size);

#endif
