/*
 * A user's processor, from its source to a shared object: read, and compiled by the C compiler that the machine has, in
 * a folder of its own that nobody else may read. Knows nothing of what a processor does.
 *
 * Reading and compiling are apart, so that what is compiled is what was logged.
 */
#ifndef SL_TOOLS_PROCESSOR_BUILD_H
#define SL_TOOLS_PROCESSOR_BUILD_H

#include "core/err.h"

#include <stdatomic.h>
#include <stddef.h>

enum {
    SL_PROCESSOR_SOURCE_BYTES_MAX = 1 << 20,
    SL_PROCESSOR_BUILD_TEXT_BYTES = 1024, /* of messages, NUL included */
    SL_PROCESSOR_BUILD_FOLDER_BYTES = 512,
    SL_PROCESSOR_BUILD_TIME_MS_MAX = 60000 /* the first run of `zig cc` takes seconds, others a tenth of one */
};

typedef struct sl_processor_build {
    char folder[SL_PROCESSOR_BUILD_FOLDER_BYTES];    /* "": there is none */
    char path[SL_PROCESSOR_BUILD_FOLDER_BYTES + 16]; /* the shared object, in that folder */
    char message[SL_PROCESSOR_BUILD_TEXT_BYTES];     /* what is wrong, and what to do: lines for a person */
    char warnings[SL_PROCESSOR_BUILD_TEXT_BYTES];    /* of a source that was compiled: the compiler's, or "" */
} sl_processor_build;

/* symlog_processor.h, NUL-terminated; the build makes it. */
extern const char sl_processor_header_text[];

/* Reads the file at `path`. *source, NUL-terminated, is the caller's to free. SL_ERR_NOT_FOUND, SL_ERR_IO (it cannot be
 * read), SL_ERR_RANGE (more than 1 MiB), SL_ERR_MALFORMED (no text: it holds a NUL), SL_ERR_MEMORY: message says so,
 * and what to do. Any thread. */
sl_err sl_processor_read(const char *path, char **source, size_t *length, char message[SL_PROCESSOR_BUILD_TEXT_BYTES]);

/*
 * Compiles `source`. In messages the file is called `name`, as the user called it: "gain.c:12:5: error: …".
 *
 * The compiler is $SYMLOG_CC, which may have options ("gcc -O3"), else the first of cc, clang, gcc and `zig cc` in
 * PATH, else the zig that tools/setup put into .tools, of the folder in which the program was built.
 *
 * On success out->path is there until sl_processor_build_remove; else nothing is left. SL_ERR_REFUSED: it has errors,
 * or took more than a minute; SL_ERR_NOT_FOUND: there is no compiler; SL_ERR_END: `is_cancelled` (may be NULL) became
 * true; SL_ERR_IO: the folder or the compiler's process could not be made; SL_ERR_MEMORY. out->message says which. Any
 * thread.
 */
sl_err sl_processor_compile(const char *name, const char *source, size_t length, const atomic_bool *is_cancelled,
                            sl_processor_build *out);

/* Removes the folder; a shared object that is loaded stays loaded. One that is removed already is passed over. */
void sl_processor_build_remove(sl_processor_build *build);

#endif
