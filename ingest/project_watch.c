#include "ingest/project_watch.h"

#include "ingest/clock.h"
#include "ingest/file_watch.h"
#include "ingest/project_file.h"
#include "ingest/project_save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    QUIET_MS = 150,      /* left alone for so long, it is read */
    PATIENCE_MS = 2000,  /* with a file that is not whole */
    PUT_TRIES_MAX = 1000 /* 10 ms each, while the log's queue is full */
};

struct sl_project_watch {
    sl_project_watch_options options;
    sl_file_watch *files;
    sl_digest digest; /* of the bytes that were put last */
};

static bool take(void *ctx, const sl_file_watch *files, const sl_file_seen *seen, bool is_last);

/* Of a folder: Live's own Backup folder is below it and not looked at. */
static bool is_set(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && name[0] != '.' && (strcmp(dot, ".als") == 0 || strcmp(dot, ".xml") == 0);
}

sl_err sl_project_watch_start(sl_project_watch **out, const sl_project_watch_options *options, char errmsg[256])
{
    sl_project_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        snprintf(errmsg, 256, "out of memory");
        return SL_ERR_MEMORY;
    }
    watch->options = *options;
    watch->digest = options->last_save;
    const sl_file_watch_options files = {.path = options->path,
                                         .is_wanted = is_set,
                                         .quiet_ms = QUIET_MS,
                                         .patience_ms = PATIENCE_MS,
                                         .take = take,
                                         .thread = "project",
                                         .ctx = watch};
    const sl_err err = sl_file_watch_start(&watch->files, &files, errmsg);
    if (err == SL_OK)
        *out = watch;
    else
        free(watch);
    return err;
}

void sl_project_watch_stop(sl_project_watch *watch)
{
    if (watch == NULL) return;
    sl_file_watch_stop(watch->files);
    free(watch);
}

static sl_err put(const sl_project_watch *watch, const sl_file_watch *files, const sl_event *event)
{
    const sl_sink *sink = &watch->options.sink;
    sl_err err = sink->put(sink->ctx, event);
    for (int tries = 1; err == SL_ERR_FULL && tries < PUT_TRIES_MAX && !sl_file_watch_is_stopping(files); tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        err = sink->put(sink->ctx, event);
    }
    return err;
}

/* When the file was written, on the log's clock. */
static uint64_t saved_ns(uint64_t now_ns, int64_t mtime_ns)
{
    int64_t age_ns = sl_clock_wall_ns() - mtime_ns;
    if (age_ns < 0) age_ns = 0;
    return (uint64_t)age_ns < now_ns ? now_ns - (uint64_t)age_ns : 0;
}

static sl_err put_both(const sl_project_watch *watch, const sl_file_watch *files, const sl_project_events *events)
{
    sl_err err = put(watch, files, &events->save);
    return err == SL_OK ? put(watch, files, &events->answer) : err;
}

/* Reads what was seen. False: it may be half written, and is to be read again. */
static bool take(void *ctx, const sl_file_watch *files, const sl_file_seen *seen, bool is_last)
{
    sl_project_watch *watch = ctx;
    sl_project_file file;
    char reason[SL_ALS_REASON_BYTES];
    const bool is_read = sl_project_file_read(seen->path, &file, reason) == SL_OK;
    if (!is_read && (!is_last || sl_file_watch_is_gone(files))) return false;
    sl_digest digest = sl_digest_bytes(file.bytes, file.length);
    if (is_read && sl_digest_equal(digest, watch->digest)) {
        sl_project_file_free(&file);
        return true;
    }
    const int64_t mtime_ns = is_read ? file.mtime_ns : seen->mtime_ns;
    uint64_t now_ns = sl_clock_boot_ns() - watch->options.start_ns;
    sl_project_save save = {.source = watch->options.source,
                            .session = watch->options.session,
                            .time_ns = now_ns,
                            .saved_ns = saved_ns(now_ns, mtime_ns),
                            .mtime_ns = mtime_ns,
                            .path = seen->path,
                            .bytes = file.bytes,
                            .length = file.length};
    sl_project_events events;
    sl_err err = is_read ? sl_project_events_make(&save, &events) : sl_project_events_refuse(&save, reason, &events);
    sl_project_file_free(&file);
    if (err != SL_OK) return false;
    bool is_whole = events.verdict != SL_ERR_MALFORMED;
    if (is_whole || is_last) {
        err = put_both(watch, files, &events);
        if (err == SL_OK && is_read) watch->digest = digest;
        is_whole = err == SL_OK;
    }
    sl_project_events_close(&events);
    return is_whole;
}
