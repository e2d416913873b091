#include "ingest/project_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static sl_err fail(char reason[SL_ALS_REASON_BYTES])
{
    snprintf(reason, SL_ALS_REASON_BYTES, "%s", strerror(errno));
    return SL_ERR_IO;
}

/* As much as is there, though it be more or less than the file's size said. */
static sl_err read_bytes(int fd, size_t size, sl_project_file *file, char reason[SL_ALS_REASON_BYTES])
{
    file->bytes = malloc(size > 0 ? size : 1);
    if (file->bytes == NULL) return SL_ERR_MEMORY;
    while (file->length < size) {
        ssize_t got = read(fd, file->bytes + file->length, size - file->length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(reason);
        if (got == 0) break;
        file->length += (size_t)got;
    }
    return SL_OK;
}

sl_err sl_project_file_read(const char *path, sl_project_file *file, char reason[SL_ALS_REASON_BYTES])
{
    *file = (sl_project_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return fail(reason);
    struct stat status;
    sl_err err = fstat(fd, &status) == 0 ? SL_OK : fail(reason);
    if (err == SL_OK && !S_ISREG(status.st_mode)) {
        snprintf(reason, SL_ALS_REASON_BYTES, "not a file");
        err = SL_ERR_IO;
    }
    if (err == SL_OK && status.st_size > SL_ALS_FILE_BYTES_MAX) {
        snprintf(reason, SL_ALS_REASON_BYTES, "the file has more than %d MiB", SL_ALS_FILE_BYTES_MAX >> 20);
        err = SL_ERR_RANGE;
    }
    if (err == SL_OK) {
        file->mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        err = read_bytes(fd, (size_t)status.st_size, file, reason);
    }
    if (err == SL_ERR_MEMORY) snprintf(reason, SL_ALS_REASON_BYTES, "out of memory");
    if (err != SL_OK) sl_project_file_free(file);
    (void)close(fd);
    return err;
}

void sl_project_file_free(sl_project_file *file)
{
    free(file->bytes);
    *file = (sl_project_file){0};
}
