#include "ingest/project_watch.h"

#include "ingest/clock.h"
#include "ingest/project_file.h"
#include "ingest/project_save.h"
#include "ingest/thread.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 1000,      /* without a notification */
    QUIET_MS = 150,      /* left alone for so long, it is read */
    PATIENCE_MS = 2000,  /* with a file that is not whole */
    PUT_TRIES_MAX = 1000 /* 10 ms each, while the log's queue is full */
};

/* What stat tells of a file: the same as before means that nothing was written. */
typedef struct look {
    bool is_there;
    uint64_t device, inode, size;
    int64_t mtime_ns;
    int64_t ctime_ns; /* its rights may have changed, and it can be read now */
    char path[SL_PROJECT_PATH_BYTES];
} look;

struct sl_project_watch {
    sl_project_watch_options options;
    pthread_t thread;
    int wake;    /* eventfd: stop */
    int changes; /* inotify, -1: none to be had */
    atomic_bool stops;
    look taken; /* what was read last */
    look seen;  /* what was there when looked last */
    uint64_t seen_ns;
    bool is_half;     /* that was read, and was not whole: it is not read again before it changes, or patience ends */
    sl_digest digest; /* of the bytes that were put last */
};

static void *run(void *ctx);

static bool is_set(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && name[0] != '.' && (strcmp(dot, ".als") == 0 || strcmp(dot, ".xml") == 0);
}

static bool stat_file(const char *path, look *out)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return false;
    *out = (look){.is_there = true,
                  .device = status.st_dev,
                  .inode = status.st_ino,
                  .size = (uint64_t)status.st_size,
                  .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                  .ctime_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec};
    snprintf(out->path, sizeof out->path, "%s", path);
    return true;
}

/* The newest set of a folder; Live's own Backup folder is below it and not looked at. */
static look look_into(DIR *dir, const char *folder)
{
    look newest = {0};
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        look found;
        char path[SL_PROJECT_PATH_BYTES];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (!is_set(entry->d_name) || (size_t)length >= sizeof path || !stat_file(path, &found)) continue;
        if (!newest.is_there || found.mtime_ns > newest.mtime_ns) newest = found;
    }
    return newest;
}

static look look_now(const char *path)
{
    look found = {0};
    DIR *dir = opendir(path);
    if (dir == NULL) {
        (void)stat_file(path, &found);
        return found;
    }
    found = look_into(dir, path);
    (void)closedir(dir);
    return found;
}

static bool is_same(const look *a, const look *b)
{
    return a->is_there == b->is_there && a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && strcmp(a->path, b->path) == 0;
}

/* The folder in which something will happen. */
static void folder_of(const char *path, char folder[SL_PROJECT_PATH_BYTES])
{
    struct stat status;
    snprintf(folder, SL_PROJECT_PATH_BYTES, "%s", path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return;
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, SL_PROJECT_PATH_BYTES, ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
}

static sl_err check_path(const char *path, char folder[SL_PROJECT_PATH_BYTES], char errmsg[256])
{
    struct stat status;
    const size_t length = strlen(path);
    if (length == 0 || length >= SL_PROJECT_PATH_BYTES) {
        snprintf(errmsg, 256, "the path of the project is %s", length == 0 ? "empty" : "too long");
        return SL_ERR_NOT_FOUND;
    }
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        snprintf(errmsg, 256, "%.200s: neither a file nor a folder", path);
        return SL_ERR_NOT_FOUND;
    }
    folder_of(path, folder);
    errno = stat(folder, &status) == 0 && !S_ISDIR(status.st_mode) ? ENOTDIR : 0;
    if (errno == 0 && access(folder, R_OK | X_OK) == 0) return SL_OK;
    snprintf(errmsg, 256, "%.150s: %.90s", folder, strerror(errno));
    return SL_ERR_NOT_FOUND;
}

sl_err sl_project_watch_start(sl_project_watch **out, const sl_project_watch_options *options, char errmsg[256])
{
    char folder[SL_PROJECT_PATH_BYTES];
    sl_err err = check_path(options->path, folder, errmsg);
    if (err != SL_OK) return err;
    sl_project_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        snprintf(errmsg, 256, "out of memory");
        return SL_ERR_MEMORY;
    }
    watch->options = *options;
    watch->digest = options->last_save;
    watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    /* Without notifications it looks once a second. */
    if (watch->changes >= 0)
        (void)inotify_add_watch(watch->changes, folder,
                                IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE);
    err = watch->wake >= 0 ? sl_thread_start(&watch->thread, "project", run, watch) : SL_ERR_IO;
    if (err == SL_OK) {
        *out = watch;
        return SL_OK;
    }
    snprintf(errmsg, 256, "the system gives no more threads or files");
    if (watch->wake >= 0) (void)close(watch->wake);
    if (watch->changes >= 0) (void)close(watch->changes);
    free(watch);
    return err;
}

void sl_project_watch_stop(sl_project_watch *watch)
{
    if (watch == NULL) return;
    atomic_store(&watch->stops, true);
    uint64_t one = 1;
    ssize_t written = write(watch->wake, &one, sizeof one);
    (void)written;
    pthread_join(watch->thread, NULL);
    (void)close(watch->wake);
    if (watch->changes >= 0) (void)close(watch->changes);
    free(watch);
}

/* Until something changes, `timeout_ms` have passed, or it is to stop. */
static void wait_for_change(sl_project_watch *watch, int timeout_ms)
{
    struct pollfd wanted[] = {{.fd = watch->wake, .events = POLLIN}, {.fd = watch->changes, .events = POLLIN}};
    (void)poll(wanted, 2, timeout_ms);
    char events[4096];
    while (watch->changes >= 0 && read(watch->changes, events, sizeof events) > 0) continue;
}

static sl_err put(sl_project_watch *watch, const sl_event *event)
{
    const sl_sink *sink = &watch->options.sink;
    sl_err err = sink->put(sink->ctx, event);
    for (int tries = 1; err == SL_ERR_FULL && tries < PUT_TRIES_MAX && !atomic_load(&watch->stops); tries++) {
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

/* What was seen has changed, or is no longer there: that it cannot be read is no news then. */
static bool is_gone(const sl_project_watch *watch)
{
    const look now = look_now(watch->options.path);
    return !is_same(&now, &watch->seen);
}

static sl_err put_both(sl_project_watch *watch, const sl_project_events *events)
{
    sl_err err = put(watch, &events->save);
    return err == SL_OK ? put(watch, &events->answer) : err;
}

/* Reads what was seen. False: it may be half written, and is to be read again. */
static bool take(sl_project_watch *watch, bool is_patient)
{
    sl_project_file file;
    char reason[SL_ALS_REASON_BYTES];
    const bool is_read = sl_project_file_read(watch->seen.path, &file, reason) == SL_OK;
    if (!is_read && (is_patient || is_gone(watch))) return false;
    sl_digest digest = sl_digest_bytes(file.bytes, file.length);
    if (is_read && sl_digest_equal(digest, watch->digest)) {
        sl_project_file_free(&file);
        return true;
    }
    const int64_t mtime_ns = is_read ? file.mtime_ns : watch->seen.mtime_ns;
    uint64_t now_ns = sl_clock_boot_ns() - watch->options.start_ns;
    sl_project_save save = {.source = watch->options.source,
                            .session = watch->options.session,
                            .time_ns = now_ns,
                            .saved_ns = saved_ns(now_ns, mtime_ns),
                            .mtime_ns = mtime_ns,
                            .path = watch->seen.path,
                            .bytes = file.bytes,
                            .length = file.length};
    sl_project_events events;
    sl_err err = is_read ? sl_project_events_make(&save, &events) : sl_project_events_refuse(&save, reason, &events);
    sl_project_file_free(&file);
    if (err != SL_OK) return false;
    bool is_whole = events.verdict != SL_ERR_MALFORMED;
    if (is_whole || !is_patient) {
        err = put_both(watch, &events);
        if (err == SL_OK && is_read) watch->digest = digest;
        is_whole = err == SL_OK;
    }
    sl_project_events_close(&events);
    return is_whole;
}

/* The newest of a folder went, and an older one is what is left: perhaps it only comes again. */
static bool is_left_over(const look *now, const look *taken)
{
    return taken->is_there && now->mtime_ns < taken->mtime_ns && strcmp(now->path, taken->path) != 0;
}

static void *run(void *ctx)
{
    sl_project_watch *watch = ctx;
    const uint64_t quiet_ns = QUIET_MS * UINT64_C(1000000), patience_ns = PATIENCE_MS * UINT64_C(1000000);
    while (!atomic_load(&watch->stops)) {
        look now = look_now(watch->options.path);
        uint64_t now_ns = sl_clock_boot_ns();
        if (!is_same(&now, &watch->seen)) {
            watch->seen = now;
            watch->seen_ns = now_ns;
            watch->is_half = false;
        }
        bool is_new = now.is_there && !is_same(&now, &watch->taken);
        uint64_t quiet_for_ns = now_ns - watch->seen_ns;
        bool is_patient = quiet_for_ns < patience_ns;
        const bool is_quiet = quiet_for_ns >= (is_left_over(&now, &watch->taken) ? patience_ns : quiet_ns);
        if (is_new && is_quiet && !(watch->is_half && is_patient)) {
            watch->is_half = !take(watch, is_patient);
            if (!watch->is_half) watch->taken = watch->seen;
        }
        is_new = now.is_there && !is_same(&now, &watch->taken);
        wait_for_change(watch, is_new ? QUIET_MS / 3 : LOOK_MS);
    }
    return NULL;
}
