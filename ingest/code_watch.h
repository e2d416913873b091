/*
 * Watches files of live code: each save with another text becomes a `code` event, whose buffer is the file's name. A
 * few files at a time, each with a thread of its own (ingest/file_watch.h).
 *
 * All functions are one thread's.
 */
#ifndef SL_INGEST_CODE_WATCH_H
#define SL_INGEST_CODE_WATCH_H

#include "core/err.h"
#include "core/sink.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SL_CODE_WATCH_FILES_MAX = 16,
    SL_CODE_WATCH_BYTES_MAX = 16 << 20 /* of a file; a longer one is told of, and not read */
};

typedef struct sl_code_watch sl_code_watch;

typedef struct sl_code_watch_options {
    uint64_t start_ns; /* CLOCK_BOOTTIME at which the log's time was 0 */
    sl_sink sink;
    void (*say)(void *ctx, const char *path, const char *why); /* Any thread: a file could not be read. */
    void *ctx;
} sl_code_watch_options;

/* Watches nothing yet. SL_ERR_MEMORY. */
sl_err sl_code_watch_create(sl_code_watch **out, const sl_code_watch_options *options);

/* Stops all. NULL is passed over. */
void sl_code_watch_destroy(sl_code_watch *watch);

/* Begins with what the file says now, unless that is `known` (its buffer's text; NULL: none). SL_ERR_REFUSED: its name
 * does not end in .js, .mjs or .ts, or is too long; SL_ERR_BUSY: it is watched already; SL_ERR_FULL;
 * SL_ERR_NOT_FOUND: no such folder; SL_ERR_IO, SL_ERR_MEMORY. errmsg says it. */
sl_err sl_code_watch_add(sl_code_watch *watch, const char *path, const void *known, size_t known_length,
                         char errmsg[256]);

/* SL_ERR_NOT_FOUND: it is not watched. Waits for a read that is under way. */
sl_err sl_code_watch_remove(sl_code_watch *watch, const char *path);

/* The name of the buffer that a path's edits have: its last part. */
const char *sl_code_watch_buffer(const char *path);

#endif
