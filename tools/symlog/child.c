/* One child process: started, fed, read, watched, reaped. */
#include "tools/symlog/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WATCH_MS = 5, END_MS = 500, READ_BYTES = 64 << 10 };

typedef struct run {
    const sl_child_job *job;
    sl_child_result *result;
    pid_t pid;
    int stream; /* both ways */
    size_t sent;
    size_t capacity; /* of result->out */
    uint64_t begun_ms;
} run;

static bool start(run *run, int with_errors);
static sl_child_end serve(run *run);
static void end(run *run, sl_child_end how);

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

sl_err sl_child_run(const sl_child_job *job, int with_errors, sl_child_result *result)
{
    sl_child child;
    const sl_err err = sl_child_start(&child, job, with_errors, result);
    if (err == SL_ERR_NOT_FOUND) return SL_OK; /* result->end says so */
    return err == SL_OK ? sl_child_finish(&child, job, result) : err;
}

sl_err sl_child_start(sl_child *child, const sl_child_job *job, int with_errors, sl_child_result *result)
{
    *child = (sl_child){.pid = 0};
    *result = (sl_child_result){.end = SL_CHILD_MISSING};
    run run = {.job = job, .result = result};
    if (!start(&run, with_errors)) return result->error[0] == '\0' ? SL_ERR_NOT_FOUND : SL_ERR_IO;
    *child = (sl_child){.pid = run.pid, .stream = run.stream};
    return SL_OK;
}

sl_err sl_child_finish(sl_child *child, const sl_child_job *job, sl_child_result *result)
{
    *result = (sl_child_result){.end = SL_CHILD_MISSING};
    run run = {.job = job, .result = result, .pid = child->pid, .stream = child->stream, .begun_ms = now_ms()};
    *child = (sl_child){.pid = 0};
    if (job->in_length == 0) shutdown(run.stream, SHUT_WR);
    end(&run, serve(&run));
    return result->end == SL_CHILD_DONE && result->out == NULL ? SL_ERR_MEMORY : SL_OK;
}

bool sl_child_waits(sl_child *child)
{
    if (child->pid == 0) return false;
    if (waitpid(child->pid, NULL, WNOHANG) == 0) return true;
    close(child->stream);
    *child = (sl_child){.pid = 0};
    return false;
}

void sl_child_drop(sl_child *child)
{
    if (!sl_child_waits(child)) return;
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) continue;
    close(child->stream);
    *child = (sl_child){.pid = 0};
}

static bool refuse(run *run, const char *what, int error)
{
    run->result->end = SL_CHILD_FAILED;
    (void)snprintf(run->result->error, sizeof run->result->error, "%s: %s", what, strerror(error));
    return false;
}

/* Descriptors that are open here and not marked to be closed must not reach the child. */
static int describe(posix_spawn_file_actions_t *actions, int stream, int with_errors)
{
    int error = posix_spawn_file_actions_adddup2(actions, stream, STDIN_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(actions, stream, STDOUT_FILENO);
    if (error == 0 && with_errors) error = posix_spawn_file_actions_adddup2(actions, stream, STDERR_FILENO);
    if (error == 0 && !with_errors)
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#ifdef __linux__
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
    return error;
}

static int spawn(run *run, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes)
{
    char *environment[] = {NULL};
    /* posix_spawn does not change the words, which it takes as not constant. */
    char *const *argv = (char *const *)(uintptr_t)run->job->argv;
    return posix_spawnp(&run->pid, run->job->path, actions, attributes, argv, environment);
}

static bool start(run *run, int with_errors)
{
    int streams[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, streams) != 0) return refuse(run, "socketpair", errno);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = describe(&actions, streams[1], with_errors);
    if (error == 0) error = spawn(run, &actions, &attributes);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(streams[1]);
    run->stream = streams[0];
    if (error == 0) return true;
    close(streams[0]);
    return error != ENOENT && error != EACCES ? refuse(run, run->job->path, error) : false;
}

/* Resident pages, from the second number of statm. 0: not told. */
static uint64_t resident_mb(pid_t pid)
{
    uint64_t pages = 0;
#ifdef __linux__
    char name[64], text[128];
    (void)snprintf(name, sizeof name, "/proc/%d/statm", (int)pid);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = '\0';
    char *second = strchr(text, ' ');
    if (second != NULL) pages = strtoull(second, NULL, 10);
#else
    (void)pid;
#endif
    return pages * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
}

/* False: it cannot be written to any more; the child has what it wanted. */
static bool feed(run *run)
{
    const sl_child_job *job = run->job;
    ssize_t count = send(run->stream, job->in + run->sent, job->in_length - run->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    run->sent += (size_t)count;
    if (run->sent == job->in_length) shutdown(run->stream, SHUT_WR);
    return true;
}

typedef enum reading { READ_ON, READ_ENDED, READ_TOO_MUCH } reading;

static reading take(run *run)
{
    sl_child_result *result = run->result;
    if (run->capacity - result->out_length < READ_BYTES + 1) {
        size_t capacity = run->capacity == 0 ? 2 * (size_t)READ_BYTES : 2 * run->capacity;
        uint8_t *out = realloc(result->out, capacity);
        if (out == NULL) return READ_TOO_MUCH;
        result->out = out;
        run->capacity = capacity;
    }
    ssize_t count = recv(run->stream, result->out + result->out_length, READ_BYTES, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return READ_ON;
    if (count > 0) result->out_length += (size_t)count;
    result->out[result->out_length] = '\0';
    if (result->out_length > run->job->out_max) return READ_TOO_MUCH;
    return count > 0 ? READ_ON : READ_ENDED;
}

/* Until it has ended its output, or has to be killed. */
static sl_child_end serve(run *run)
{
    const sl_child_job *job = run->job;
    uint64_t watched_ms = run->begun_ms;
    for (;;) {
        bool is_fed = run->sent == job->in_length;
        struct pollfd ready = {.fd = run->stream, .events = (short)(POLLIN | (is_fed ? 0 : POLLOUT))};
        int count = poll(&ready, 1, WATCH_MS);
        if (count > 0 && (ready.revents & POLLOUT) != 0 && !is_fed && !feed(run)) run->sent = job->in_length;
        reading reading = count > 0 && (ready.revents & ~POLLOUT) != 0 ? take(run) : READ_ON;
        if (reading == READ_TOO_MUCH) return SL_CHILD_OUTPUT;
        if (reading == READ_ENDED) return SL_CHILD_DONE;
        uint64_t now = now_ms();
        if (job->is_cancelled != NULL && atomic_load(job->is_cancelled)) return SL_CHILD_CANCELLED;
        if (now - run->begun_ms > job->time_ms_max) return SL_CHILD_TIME;
        if (now - watched_ms < WATCH_MS) continue;
        watched_ms = now;
        if (resident_mb(run->pid) > job->memory_mb_max) return SL_CHILD_MEMORY;
    }
}

/* Who has closed its output but stays gets a moment. */
static bool reap(run *run, int flags)
{
    for (;;) {
        pid_t ended = waitpid(run->pid, &run->result->status, flags);
        if (ended == run->pid) return true;
        if (ended == 0 || errno != EINTR) return false;
    }
}

static void end(run *run, sl_child_end how)
{
    bool is_reaped = false;
    if (how == SL_CHILD_DONE) {
        uint64_t last_ms = run->begun_ms + run->job->time_ms_max + END_MS;
        while (!(is_reaped = reap(run, WNOHANG)) && now_ms() < last_ms)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    if (!is_reaped) {
        kill(-run->pid, SIGKILL);
        (void)reap(run, 0);
        if (how == SL_CHILD_DONE) how = SL_CHILD_TIME;
    }
    close(run->stream);
    int status = run->result->status;
    if (how == SL_CHILD_DONE && WIFEXITED(status) && WEXITSTATUS(status) == 127 && run->result->out_length == 0)
        how = SL_CHILD_MISSING;
    if (how == SL_CHILD_DONE && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) how = SL_CHILD_FAILED;
    if (how == SL_CHILD_FAILED && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) how = SL_CHILD_TIME;
    run->result->end = how;
}
