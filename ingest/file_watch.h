/*
 * Watches a file, or a folder for its newest one, from a thread of its own: by notification (inotify), and by looking
 * once a second where there is none (network shares).
 *
 * Editors write in place, in pieces, to another name that is then renamed, or delete and create: a file is handed over
 * once it has been left alone for a while, and again whenever it has changed since. One that turns out to be half
 * written is handed over again when it has changed, or for the last time when patience ends. Where a folder's newest
 * file has gone, an older one waits as long: perhaps the newest only comes again.
 */
#ifndef SL_INGEST_FILE_WATCH_H
#define SL_INGEST_FILE_WATCH_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_FILE_WATCH_PATH_BYTES = 4096 };

typedef struct sl_file_watch sl_file_watch;

/* A file as it was found. */
typedef struct sl_file_seen {
    const char *path;
    int64_t mtime_ns; /* wall clock */
} sl_file_seen;

typedef struct sl_file_watch_options {
    const char *path;                    /* a file that may come later, or a folder; copied */
    bool (*is_wanted)(const char *name); /* of a folder's files; NULL: folders are passed over */
    unsigned quiet_ms;                   /* left alone for so long, it is handed over */
    unsigned patience_ms;                /* with one that is half written */
    /* The watch's thread. False: it may be half written; with is_last (patience has ended): it could not be taken, and
     * comes again soon. */
    bool (*take)(void *ctx, const sl_file_watch *watch, const sl_file_seen *seen, bool is_last);
    const char *thread; /* its name, at most 15 bytes */
    void *ctx;
} sl_file_watch_options;

/* Starts the thread; what is there already is handed over first. SL_ERR_NOT_FOUND: the path or its folder cannot be
 * watched; SL_ERR_IO, SL_ERR_MEMORY; errmsg says it. */
sl_err sl_file_watch_start(sl_file_watch **out, const sl_file_watch_options *options, char errmsg[256]);

/* True once it is to stop: for a `take` that waits for something. Any thread. */
bool sl_file_watch_is_stopping(const sl_file_watch *watch);

/* True if what `take` was handed has changed since, or is no longer there: that it cannot be read is no news then. The
 * watch's thread. */
bool sl_file_watch_is_gone(const sl_file_watch *watch);

/* Lets a `take` that is under way finish. NULL is passed over. */
void sl_file_watch_stop(sl_file_watch *watch);

#endif
