/* What the machine gives. */
#include "tools/symlog/host.h"

#include "core/heap.h"
#include "tools/symlog/nearest.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

static void on_bad_snapshot(void *ctx, uint64_t seq, const char *reason);

sl_memory sl_host_memory(void)
{
    return sl_heap_memory();
}

bool sl_host_db_dir(const char *option, char *dir, size_t dir_size, char errmsg[256])
{
    const char *named = option != NULL ? option : getenv("SYMLOG_DB");
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int length = 0;
    if (option != NULL || (named != NULL && named[0] != '\0')) {
        length = snprintf(dir, dir_size, "%s", named);
    } else if (data != NULL && data[0] == '/') { // The XDG specification has relative ones ignored.
        length = snprintf(dir, dir_size, "%s/symlog/default", data);
    } else if (home != NULL && home[0] != '\0') {
        length = snprintf(dir, dir_size, "%s/.local/share/symlog/default", home);
    }
    if (length <= 0) {
        snprintf(errmsg, 256, "no place for the log is known; name one with --db DIR");
        return false;
    }
    if ((size_t)length >= dir_size) {
        snprintf(errmsg, 256, "the log's path is longer than %zu bytes; name a shorter one with --db DIR",
                 dir_size - 1);
        return false;
    }
    return true;
}

bool sl_host_beside(const char *name, char *path, size_t size)
{
#ifdef __APPLE__
    uint32_t length = (uint32_t)size;
    if (_NSGetExecutablePath(path, &length) != 0) return false;
#else
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0 || (size_t)length >= size - 1) return false;
    path[length] = '\0';
#endif
    char *slash = strrchr(path, '/');
    if (slash == NULL) return false;
    size_t left = size - (size_t)(slash + 1 - path);
    return (size_t)snprintf(slash + 1, left, "%s", name) < left;
}

bool sl_host_endpoint(const char *text, char *address, size_t address_size, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon != NULL ? colon + 1 : text;
    char *end = NULL;
    unsigned long number = strtoul(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || number > UINT16_MAX) return false;
    if (colon != NULL) {
        char host[INET_ADDRSTRLEN];
        size_t length = (size_t)(colon - text);
        struct in_addr parsed;
        if (length == 0 || length >= sizeof host || length >= address_size) return false;
        memcpy(host, text, length);
        host[length] = '\0';
        if (inet_pton(AF_INET, host, &parsed) != 1) return false;
        memcpy(address, host, length + 1);
    }
    *port = (uint16_t)number;
    return true;
}

sl_err sl_host_open_log(const char *option, sl_log **log, char errmsg[256])
{
    char dir[SL_HOST_DIR_BYTES];
    if (!sl_host_db_dir(option, dir, sizeof dir, errmsg)) return SL_ERR_NOT_FOUND;
    sl_log_options options = {.dir = dir};
    sl_err err = sl_log_open(log, &options, errmsg);
    if (err == SL_ERR_NOT_FOUND) {
        snprintf(errmsg, 256, "there is no log in %.150s; name one with --db DIR, or record one with symlog serve",
                 dir);
    }
    return err;
}

void sl_host_read_error(const sl_log_reader *reader, sl_err err, char errmsg[256])
{
    bool is_damage = err == SL_ERR_GAP || err == SL_ERR_CORRUPT || err == SL_ERR_MALFORMED;
    snprintf(errmsg, 256, "%.180s%s", sl_log_reader_error(reader),
             is_damage ? "; symlog verify tells how much is damaged" : "");
}

sl_snapshots *sl_host_open_snapshots(const char *option, const sl_log *log)
{
    char dir[SL_HOST_DIR_BYTES];
    char errmsg[256];
    sl_snapshots *snapshots = NULL;
    if (!sl_host_db_dir(option, dir, sizeof dir, errmsg)) return NULL;
    const sl_snapshots_options options = {.dir = dir, .log_id = sl_log_id(log)};
    sl_err err = sl_snapshots_open(&snapshots, &options, NULL, errmsg);
    if (err != SL_OK && err != SL_ERR_NOT_FOUND) fprintf(stderr, "symlog: goes without snapshots: %s\n", errmsg);
    return snapshots;
}

sl_err sl_host_nearest(const char *option, sl_log *log, uint64_t seq, sl_state **state, char errmsg[256])
{
    sl_nearest from = {.log = log, .snapshots = sl_host_open_snapshots(option, log), .report = on_bad_snapshot};
    sl_err err = sl_nearest_state(&from, seq, state, errmsg);
    sl_snapshots_close(from.snapshots);
    return err;
}

sl_err sl_host_replay(const char *option, sl_log **log, sl_state **state, char errmsg[256])
{
    uint64_t last = 0;
    *state = NULL;
    sl_err err = sl_host_open_log(option, log, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_last(*log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(*log));
    } else {
        sl_nearest from = {.log = *log, .snapshots = sl_host_open_snapshots(option, *log), .report = on_bad_snapshot};
        err = sl_nearest_reach(&from, last, NULL, state, errmsg);
        sl_snapshots_close(from.snapshots);
    }
    if (err == SL_OK) return SL_OK;
    sl_log_close(*log);
    *log = NULL;
    return err;
}

static void on_bad_snapshot(void *ctx, uint64_t seq, const char *reason)
{
    (void)ctx;
    fprintf(stderr, "symlog: passes over the snapshot of event %llu: %s\n", (unsigned long long)seq, reason);
}
