/* The log's directory: making it, finding a log in it, and the lock that lets one process write. */
#include "store/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_FILE "data.mdb"           /* LMDB's */
#define READER_LOCK_FILE "lock.mdb"    /* LMDB's: its table of readers */
#define WRITER_LOCK_FILE "writer.lock" /* ours: locked by the writer, holds its process id as text */

enum { PID_TEXT_BYTES = 24 };

static int make_directories(const char *dir);
static int make_directory(const char *dir);
static sl_err claim_file(int fd, const char *dir, char errmsg[SL_LOG_ERRMSG_BYTES]);
static int write_pid(int fd);
static long read_pid(int fd);
static bool is_refusal(int code);
static sl_err explain_dir(char errmsg[SL_LOG_ERRMSG_BYTES], const char *dir, const char *file, int code);

sl_err sl_log_dir_claim(const char *dir, int *lock_fd, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    *lock_fd = -1;
    int code = make_directories(dir);
    if (code != 0) return explain_dir(errmsg, dir, "making the folder", code);

    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) return explain_dir(errmsg, dir, "opening the folder", errno);
    int fd = openat(dir_fd, WRITER_LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    code = fd < 0 ? errno : 0;
    close(dir_fd);
    if (code != 0) return explain_dir(errmsg, dir, WRITER_LOCK_FILE, code);

    sl_err err = claim_file(fd, dir, errmsg);
    if (err != SL_OK) {
        close(fd);
        return err;
    }
    *lock_fd = fd;
    return SL_OK;
}

sl_err sl_log_dir_find(const char *dir, bool *is_lockless, int *lock_fd, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    *is_lockless = false;
    *lock_fd = -1;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = dir_fd < 0 || faccessat(dir_fd, DATA_FILE, F_OK, 0) != 0 ? errno : 0;
    if (code != 0) {
        if (dir_fd >= 0) close(dir_fd);
        if (code != ENOENT) return explain_dir(errmsg, dir, DATA_FILE, code);
        snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: there is no log here", dir);
        return SL_ERR_NOT_FOUND;
    }

    int reader_lock_fd = openat(dir_fd, READER_LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (reader_lock_fd >= 0) {
        close(reader_lock_fd);
    } else if (is_refusal(errno)) {
        *is_lockless = true;
        *lock_fd = openat(dir_fd, WRITER_LOCK_FILE, O_RDONLY | O_CLOEXEC);
    } else {
        code = errno;
    }
    close(dir_fd);
    return code == 0 ? SL_OK : explain_dir(errmsg, dir, READER_LOCK_FILE, code);
}

bool sl_log_dir_is_claimed(int lock_fd)
{
    assert(lock_fd >= 0);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(lock_fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int sl_log_dir_sync(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int code = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return code;
}

static int make_directories(const char *dir)
{
    char path[PATH_MAX];
    size_t length = strlen(dir);
    if (length == 0) return ENOENT;
    if (length >= sizeof path) return ENAMETOOLONG;
    memcpy(path, dir, length + 1);

    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        path[i] = '\0';
        int code = make_directory(path);
        if (code != 0) return code;
        if (i < length) path[i] = '/';
    }
    return 0;
}

/* Makes one directory, and its name in its parent durable; 0 if there is one already. */
static int make_directory(const char *dir)
{
    if (mkdir(dir, 0700) != 0) return errno == EEXIST ? 0 : errno;
    char parent[PATH_MAX + sizeof "/.."];
    snprintf(parent, sizeof parent, "%s/..", dir);
    return sl_log_dir_sync(parent);
}

/* An open-file-description lock: it also keeps a second log of the same process out, and the kernel takes it back
 * however the process ends. */
static sl_err claim_file(int fd, const char *dir, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
        int code = write_pid(fd);
        return code == 0 ? SL_OK : explain_dir(errmsg, dir, WRITER_LOCK_FILE, code);
    }
    if (errno != EAGAIN && errno != EACCES) return explain_dir(errmsg, dir, WRITER_LOCK_FILE, errno);

    long pid = read_pid(fd);
    char who[sizeof "process " + PID_TEXT_BYTES] = "another process";
    if (pid > 0) snprintf(who, sizeof who, "process %ld", pid);
    snprintf(errmsg, SL_LOG_ERRMSG_BYTES, "log: %s: written by %s; stop that one, or use another folder", dir, who);
    return SL_ERR_BUSY;
}

static int write_pid(int fd)
{
    char text[PID_TEXT_BYTES];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0) return errno;
    ssize_t written = pwrite(fd, text, (size_t)length, 0);
    if (written < 0) return errno;
    return written == length ? 0 : EIO;
}

/* The process that wrote its number last, if it lives; 0 if not known. */
static long read_pid(int fd)
{
    char text[PID_TEXT_BYTES] = "";
    if (pread(fd, text, sizeof text - 1, 0) <= 0) return 0;
    long pid = strtol(text, NULL, 10);
    if (pid <= 0 || pid > INT_MAX) return 0;
    return kill((pid_t)pid, 0) == 0 || errno == EPERM ? pid : 0;
}

static bool is_refusal(int code)
{
    return code == EACCES || code == EPERM || code == EROFS;
}

static sl_err explain_dir(char errmsg[SL_LOG_ERRMSG_BYTES], const char *dir, const char *file, int code)
{
    char step[SL_LOG_ERRMSG_BYTES];
    snprintf(step, sizeof step, "%s: %s", dir, file);
    return sl_log_explain(errmsg, step, code);
}
