/* A way to a raw MIDI device, pty or FIFO. */
#include "ingest/midi_way.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { OPEN_EVERY_MS = 250 };

typedef struct file {
    int fd;
    bool is_out; /* nothing is read */
    bool can_read;
    bool can_write;
    char path[];
} file;

static sl_err open_file(void *ctx, char why[SL_MIDI_WHY_BYTES]);
static void close_file(void *ctx);
static int fd_of(const void *ctx);
static bool can_write(const void *ctx);
static ssize_t read_file(void *ctx, uint8_t *bytes, size_t capacity);
static ssize_t write_file(void *ctx, const uint8_t *bytes, size_t length);
static void destroy(void *ctx);

sl_err sl_midi_file_create(const char *path, sl_midi_way *out)
{
    file *file = calloc(1, sizeof *file + strlen(path) + 1);
    if (file == NULL) return SL_ERR_MEMORY;
    memcpy(file->path, path, strlen(path) + 1);
    file->fd = -1;
    *out = (sl_midi_way){
        .ctx = file,
        .open = open_file,
        .close = close_file,
        .fd = fd_of,
        .can_write = can_write,
        .read = read_file,
        .write = write_file,
        .destroy = destroy,
        .open_every_ms = OPEN_EVERY_MS,
    };
    return SL_OK;
}

sl_err sl_midi_file_create_out(const char *path, sl_midi_way *out)
{
    sl_err err = sl_midi_file_create(path, out);
    if (err != SL_OK) return err;
    file *file = out->ctx;
    file->is_out = true;
    return SL_OK;
}

static void destroy(void *ctx)
{
    close_file(ctx);
    free(ctx);
}

/* Both directions if there are both: a device may have one alone. */
static int open_either(file *file)
{
    static const int modes[] = {O_RDWR, O_RDONLY, O_WRONLY};
    for (size_t i = file->is_out ? 2 : 0; i < sizeof modes / sizeof modes[0]; i++) {
        file->fd = open(file->path, modes[i] | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        file->can_read = modes[i] != O_WRONLY;
        file->can_write = modes[i] != O_RDONLY;
        const bool has_one_direction = errno == ENODEV || errno == ENXIO || errno == EACCES || errno == EINVAL;
        if (file->fd >= 0 || !has_one_direction) break;
    }
    return file->fd >= 0 ? 0 : errno;
}

/* Makes a terminal pass every byte as it is. */
static void make_raw(int fd)
{
    struct termios terms;
    if (tcgetattr(fd, &terms) != 0) return; /* no terminal, then */
    cfmakeraw(&terms);
    (void)tcsetattr(fd, TCSANOW, &terms);
}

static sl_err open_file(void *ctx, char why[SL_MIDI_WHY_BYTES])
{
    file *file = ctx;
    struct stat status;
    const int failed = open_either(file);
    if (failed != 0) {
        const bool is_nothing = failed == ENOENT || failed == ENXIO || failed == ENODEV;
        const bool is_busy = failed == EBUSY || failed == EAGAIN;
        snprintf(why, SL_MIDI_WHY_BYTES, "%s",
                 is_nothing ? "there is no such device (yet)"
                 : is_busy  ? "another program has the device"
                            : strerror(failed));
        return is_nothing ? SL_ERR_NOT_FOUND : SL_ERR_IO;
    }
    if (fstat(file->fd, &status) != 0 || !(S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))) {
        snprintf(why, SL_MIDI_WHY_BYTES, "it is neither a MIDI device nor a pty nor a FIFO");
        close_file(file);
        return SL_ERR_REFUSED;
    }
    /* Opened for writing too, it does not end when its last writer leaves; but what was written would come back. */
    if (S_ISFIFO(status.st_mode)) file->can_write = file->is_out;
    make_raw(file->fd);
    return SL_OK;
}

static void close_file(void *ctx)
{
    file *file = ctx;
    if (file->fd >= 0) close(file->fd);
    file->fd = -1;
}

static int fd_of(const void *ctx)
{
    const file *file = ctx;
    return file->fd;
}

static bool can_write(const void *ctx)
{
    const file *file = ctx;
    return file->can_write;
}

static bool is_for_later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* The end of a file is the end of the connection: the other end of a pty is closed. */
static ssize_t read_file(void *ctx, uint8_t *bytes, size_t capacity)
{
    const file *file = ctx;
    if (!file->can_read) return -1; /* called only when the descriptor tells of something: of the end, that is */
    const ssize_t count = read(file->fd, bytes, capacity);
    if (count > 0) return count;
    return count < 0 && is_for_later() ? 0 : -1;
}

static ssize_t write_file(void *ctx, const uint8_t *bytes, size_t length)
{
    const file *file = ctx;
    const ssize_t count = write(file->fd, bytes, length);
    if (count >= 0) return count;
    return is_for_later() ? 0 : -1;
}
