/*
 * Watches a project file, or a folder for its newest set, and puts each save into the log: by notification (inotify),
 * and by looking once a second where there is none (network shares).
 *
 * Editors write in place, in pieces, to another name that is then renamed, or delete and create: a file is read once it
 * has been left alone for 150 ms. One that is then cut off or no valid XML may be half written: it is refused only if
 * nothing more has come after two seconds. So is one that cannot be read. In a folder an older set is taken two seconds
 * after the newest has gone.
 */
#ifndef SL_INGEST_PROJECT_WATCH_H
#define SL_INGEST_PROJECT_WATCH_H

#include "core/digest.h"
#include "core/err.h"
#include "core/sink.h"

#include <stdint.h>

typedef struct sl_project_watch sl_project_watch;

typedef struct sl_project_watch_options {
    const char *path; /* a file that may come later, or a folder; borrowed until stopped */
    uint32_t source;  /* named by a session event */
    uint64_t session;
    uint64_t start_ns;   /* CLOCK_BOOTTIME at which the log's time was 0 */
    sl_digest last_save; /* XXH3-128 of the last save in the log: not put again at the start. Zero: none */
    sl_sink sink;
} sl_project_watch_options;

/* Starts the thread. SL_ERR_NOT_FOUND: neither the file nor its folder is there, or something that is neither;
 * SL_ERR_IO, SL_ERR_MEMORY; errmsg says it. */
sl_err sl_project_watch_start(sl_project_watch **out, const sl_project_watch_options *options, char errmsg[256]);

/* Lets a read that is under way finish. NULL is passed over. */
void sl_project_watch_stop(sl_project_watch *watch);

#endif
