#include "ingest/code_watch.h"

#include "core/digest.h"
#include "core/live_code.h"
#include "core/payload.h"
#include "ingest/clock.h"
#include "ingest/file_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    QUIET_MS = 100,
    PUT_TRIES_MAX = 1000, /* 10 ms each, while the log's queue is full */
    CODE_BYTES = 64       /* of a code event beside its texts */
};

typedef struct file {
    const sl_code_watch_options *options;
    char path[SL_FILE_WATCH_PATH_BYTES];
    sl_file_watch *watch;
    sl_digest digest; /* of the text that was put last */
} file;

struct sl_code_watch {
    sl_code_watch_options options;
    file *files[SL_CODE_WATCH_FILES_MAX];
    size_t count;
};

sl_err sl_code_watch_create(sl_code_watch **out, const sl_code_watch_options *options)
{
    sl_code_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) return SL_ERR_MEMORY;
    watch->options = *options;
    *out = watch;
    return SL_OK;
}

static void close_file(file *file)
{
    sl_file_watch_stop(file->watch);
    free(file);
}

void sl_code_watch_destroy(sl_code_watch *watch)
{
    if (watch == NULL) return;
    for (size_t i = 0; i < watch->count; i++) close_file(watch->files[i]);
    free(watch);
}

const char *sl_code_watch_buffer(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), wanted = strlen(ending);
    return length > wanted && strcmp(name + length - wanted, ending) == 0;
}

/* Reads it whole into `out`, which the caller frees; false, having set errmsg. */
static bool read_text(const char *path, char **out, size_t *length, char errmsg[256])
{
    bool is_read = false;
    struct stat status;
    char *bytes = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        snprintf(errmsg, 256, "%s", strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        snprintf(errmsg, 256, "it is no file");
    } else if (status.st_size > SL_CODE_WATCH_BYTES_MAX) {
        snprintf(errmsg, 256, "it is longer than %d MiB", SL_CODE_WATCH_BYTES_MAX >> 20);
    } else if ((bytes = malloc((size_t)status.st_size + 1)) == NULL) {
        snprintf(errmsg, 256, "memory ran out");
    } else {
        size_t done = 0;
        ssize_t got = 1;
        while (done < (size_t)status.st_size && (got = read(fd, bytes + done, (size_t)status.st_size - done)) > 0)
            done += (size_t)got;
        is_read = got >= 0;
        if (!is_read) snprintf(errmsg, 256, "%s", strerror(errno));
        *length = done;
    }
    if (fd >= 0) (void)close(fd);
    if (!is_read) free(bytes);
    *out = is_read ? bytes : NULL;
    return is_read;
}

static sl_err put(const file *file, const sl_file_watch *watch, const sl_event *event)
{
    const sl_sink *sink = &file->options->sink;
    sl_err err = sink->put(sink->ctx, event);
    for (int tries = 1; err == SL_ERR_FULL && tries < PUT_TRIES_MAX && !sl_file_watch_is_stopping(watch); tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        err = sink->put(sink->ctx, event);
    }
    return err;
}

static sl_err put_code(const file *file, const sl_file_watch *watch, const char *text, size_t length)
{
    const char *buffer = sl_code_watch_buffer(file->path);
    const sl_code code = {.quantize = SL_QUANTIZE_DEFAULT,
                          .language = ends_in(buffer, ".ts") ? SL_LANGUAGE_TYPESCRIPT : SL_LANGUAGE_JAVASCRIPT,
                          .buffer = buffer,
                          .buffer_length = strlen(buffer),
                          .source = text,
                          .source_length = length};
    sl_writer writer = {.capacity = CODE_BYTES + code.buffer_length + length};
    writer.bytes = malloc(writer.capacity);
    if (writer.bytes == NULL) return SL_ERR_MEMORY;
    sl_err err = sl_code_encode(&code, &writer);
    const sl_event event = {.kind = SL_KIND_CODE,
                            .version = SL_PAYLOAD_VERSION,
                            .source = SL_SOURCE_SELF,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .time_ns = sl_clock_boot_ns() - file->options->start_ns,
                            .payload = writer.bytes,
                            .length = (uint32_t)writer.length};
    if (err == SL_OK) err = put(file, watch, &event);
    free(writer.bytes);
    return err;
}

/* The file's own thread. An empty text is what editors leave for a moment while they write in place. */
static bool take(void *ctx, const sl_file_watch *watch, const sl_file_seen *seen, bool is_last)
{
    file *file = ctx;
    char *text;
    char errmsg[256] = "";
    size_t length = 0;
    if (!read_text(seen->path, &text, &length, errmsg)) {
        const bool is_told = is_last && !sl_file_watch_is_gone(watch);
        if (is_told) file->options->say(file->options->ctx, seen->path, errmsg);
        return is_told;
    }
    const sl_digest digest = sl_digest_bytes(text, length);
    sl_err err = length == 0 && !is_last ? SL_ERR_END : SL_OK;
    if (err == SL_OK && !sl_digest_equal(digest, file->digest)) err = put_code(file, watch, text, length);
    free(text);
    if (err == SL_OK) file->digest = digest;
    return err == SL_OK;
}

static bool is_known(const sl_code_watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->files[i]->path, path) == 0) return true;
    return false;
}

sl_err sl_code_watch_add(sl_code_watch *watch, const char *path, const void *known, size_t known_length,
                         char errmsg[256])
{
    const char *name = sl_code_watch_buffer(path);
    if (!ends_in(name, ".js") && !ends_in(name, ".mjs") && !ends_in(name, ".ts")) {
        snprintf(errmsg, 256, "%.150s: a file of live code ends in .js, .mjs or .ts", path);
        return SL_ERR_REFUSED;
    }
    if (strlen(path) >= SL_FILE_WATCH_PATH_BYTES || strlen(name) > SL_SCORE_NAME_BYTES_MAX) {
        snprintf(errmsg, 256, "the path of the file is too long");
        return SL_ERR_REFUSED;
    }
    if (is_known(watch, path) || watch->count == SL_CODE_WATCH_FILES_MAX) {
        const bool is_full = !is_known(watch, path);
        snprintf(errmsg, 256, is_full ? "%d files are watched already" : "it is watched already",
                 SL_CODE_WATCH_FILES_MAX);
        return is_full ? SL_ERR_FULL : SL_ERR_BUSY;
    }
    file *made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(errmsg, 256, "memory ran out");
        return SL_ERR_MEMORY;
    }
    made->options = &watch->options;
    snprintf(made->path, sizeof made->path, "%s", path);
    if (known != NULL) made->digest = sl_digest_bytes(known, known_length);
    const sl_file_watch_options options = {.path = made->path,
                                           .quiet_ms = QUIET_MS,
                                           .patience_ms = 10 * QUIET_MS,
                                           .take = take,
                                           .thread = "code",
                                           .ctx = made};
    const sl_err err = sl_file_watch_start(&made->watch, &options, errmsg);
    if (err == SL_OK)
        watch->files[watch->count++] = made;
    else
        free(made);
    return err;
}

sl_err sl_code_watch_remove(sl_code_watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (strcmp(watch->files[i]->path, path) != 0) continue;
        close_file(watch->files[i]);
        watch->files[i] = watch->files[--watch->count];
        return SL_OK;
    }
    return SL_ERR_NOT_FOUND;
}
