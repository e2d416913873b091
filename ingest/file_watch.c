#include "ingest/file_watch.h"

#include "ingest/clock.h"
#include "ingest/thread.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 1000 /* without a notification */ };

/* What stat tells of a file: the same as before means that nothing was written. */
typedef struct look {
    bool is_there;
    uint64_t device, inode, size;
    int64_t mtime_ns;
    int64_t ctime_ns; /* its rights may have changed, and it can be read now */
    char path[SL_FILE_WATCH_PATH_BYTES];
} look;

struct sl_file_watch {
    sl_file_watch_options options;
    char path[SL_FILE_WATCH_PATH_BYTES]; /* options.path */
    pthread_t thread;
    int wake;    /* eventfd: stop */
    int changes; /* inotify, -1: none to be had */
    atomic_bool stops;
    look taken; /* what was handed over last */
    look seen;  /* what was there when looked last */
    uint64_t seen_ns;
    bool is_half; /* `seen` was not whole: it is not handed over again before it changes, or patience ends */
};

static void *run(void *ctx);

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

/* The newest of a folder's own files. */
static look look_into(DIR *dir, const sl_file_watch *watch)
{
    look newest = {0};
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        look found;
        char path[SL_FILE_WATCH_PATH_BYTES];
        const int length = snprintf(path, sizeof path, "%s/%s", watch->path, entry->d_name);
        if (!watch->options.is_wanted(entry->d_name) || (size_t)length >= sizeof path) continue;
        if (stat_file(path, &found) && (!newest.is_there || found.mtime_ns > newest.mtime_ns)) newest = found;
    }
    return newest;
}

static look look_now(const sl_file_watch *watch)
{
    look found = {0};
    DIR *dir = watch->options.is_wanted != NULL ? opendir(watch->path) : NULL;
    if (dir == NULL) {
        (void)stat_file(watch->path, &found);
        return found;
    }
    found = look_into(dir, watch);
    (void)closedir(dir);
    return found;
}

static bool is_same(const look *a, const look *b)
{
    return a->is_there == b->is_there && a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && strcmp(a->path, b->path) == 0;
}

/* The folder in which something will happen. */
static void folder_of(const char *path, char folder[SL_FILE_WATCH_PATH_BYTES])
{
    struct stat status;
    snprintf(folder, SL_FILE_WATCH_PATH_BYTES, "%s", path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return;
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, SL_FILE_WATCH_PATH_BYTES, ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
}

static sl_err check_path(const sl_file_watch_options *options, char folder[SL_FILE_WATCH_PATH_BYTES], char errmsg[256])
{
    struct stat status;
    const char *path = options->path;
    const size_t length = strlen(path);
    const bool is_folder_wanted = options->is_wanted != NULL;
    if (length == 0 || length >= SL_FILE_WATCH_PATH_BYTES) {
        snprintf(errmsg, 256, "the path is %s", length == 0 ? "empty" : "too long");
        return SL_ERR_NOT_FOUND;
    }
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !(is_folder_wanted && S_ISDIR(status.st_mode))) {
        snprintf(errmsg, 256, "%.200s: %s", path, is_folder_wanted ? "neither a file nor a folder" : "it is no file");
        return SL_ERR_NOT_FOUND;
    }
    folder_of(path, folder);
    errno = stat(folder, &status) == 0 && !S_ISDIR(status.st_mode) ? ENOTDIR : 0;
    if (errno == 0 && access(folder, R_OK | X_OK) == 0) return SL_OK;
    snprintf(errmsg, 256, "%.150s: %.90s", folder, strerror(errno));
    return SL_ERR_NOT_FOUND;
}

sl_err sl_file_watch_start(sl_file_watch **out, const sl_file_watch_options *options, char errmsg[256])
{
    char folder[SL_FILE_WATCH_PATH_BYTES];
    sl_err err = check_path(options, folder, errmsg);
    if (err != SL_OK) return err;
    sl_file_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        snprintf(errmsg, 256, "out of memory");
        return SL_ERR_MEMORY;
    }
    watch->options = *options;
    snprintf(watch->path, sizeof watch->path, "%s", options->path);
    watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    /* Without notifications it looks once a second. */
    if (watch->changes >= 0)
        (void)inotify_add_watch(watch->changes, folder,
                                IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE);
    err = watch->wake >= 0 ? sl_thread_start(&watch->thread, options->thread, run, watch) : SL_ERR_IO;
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

bool sl_file_watch_is_stopping(const sl_file_watch *watch)
{
    return atomic_load(&watch->stops);
}

bool sl_file_watch_is_gone(const sl_file_watch *watch)
{
    const look now = look_now(watch);
    return !is_same(&now, &watch->seen);
}

void sl_file_watch_stop(sl_file_watch *watch)
{
    if (watch == NULL) return;
    atomic_store(&watch->stops, true);
    const uint64_t one = 1;
    const ssize_t written = write(watch->wake, &one, sizeof one);
    (void)written;
    pthread_join(watch->thread, NULL);
    (void)close(watch->wake);
    if (watch->changes >= 0) (void)close(watch->changes);
    free(watch);
}

/* Until something changes, `timeout_ms` have passed, or it is to stop. */
static void wait_for_change(sl_file_watch *watch, int timeout_ms)
{
    struct pollfd wanted[] = {{.fd = watch->wake, .events = POLLIN}, {.fd = watch->changes, .events = POLLIN}};
    (void)poll(wanted, 2, timeout_ms);
    char events[4096];
    while (watch->changes >= 0 && read(watch->changes, events, sizeof events) > 0) continue;
}

/* The newest of a folder went, and an older one is what is left: perhaps it only comes again. */
static bool is_left_over(const look *now, const look *taken)
{
    return taken->is_there && now->mtime_ns < taken->mtime_ns && strcmp(now->path, taken->path) != 0;
}

static void *run(void *ctx)
{
    sl_file_watch *watch = ctx;
    const uint64_t quiet_ns = watch->options.quiet_ms * UINT64_C(1000000);
    const uint64_t patience_ns = watch->options.patience_ms * UINT64_C(1000000);
    while (!atomic_load(&watch->stops)) {
        const look now = look_now(watch);
        const uint64_t now_ns = sl_clock_boot_ns();
        if (!is_same(&now, &watch->seen)) {
            watch->seen = now;
            watch->seen_ns = now_ns;
            watch->is_half = false;
        }
        bool is_new = now.is_there && !is_same(&now, &watch->taken);
        const uint64_t quiet_for_ns = now_ns - watch->seen_ns;
        const bool is_last = quiet_for_ns >= patience_ns;
        const bool is_quiet = quiet_for_ns >= (is_left_over(&now, &watch->taken) ? patience_ns : quiet_ns);
        if (is_new && is_quiet && (!watch->is_half || is_last)) {
            const sl_file_seen seen = {.path = watch->seen.path, .mtime_ns = watch->seen.mtime_ns};
            watch->is_half = !watch->options.take(watch->options.ctx, watch, &seen, is_last);
            if (!watch->is_half) watch->taken = watch->seen;
        }
        is_new = now.is_there && !is_same(&now, &watch->taken);
        wait_for_change(watch, is_new ? (int)(watch->options.quiet_ms / 3 + 1) : LOOK_MS);
    }
    return NULL;
}
