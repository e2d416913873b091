/* The child process, and the pipelining client. */
#include "tests/bench/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMANDS = 512, COMMAND_BYTES_MAX = 512, READ_BYTES = 64 << 10, TRIES = 1000 };
static const uint64_t TRY_NS = 5000000;
static const char socket_name[] = "socket"; /* in the folder */

struct redis {
    char dir[BENCH_DIR_BYTES];
    pid_t child;
};

/* One pipelined connection. */
typedef struct connection {
    int fd;
    size_t offset; /* into the commands, which are sent again and again */
} connection;

static void start(const redis *redis);
static int connect_to(const redis *redis);
static uint64_t take_answers(const connection *connection);

redis *redis_open(const bench *bench)
{
    redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL) bench_die("out of memory");
    bench_make_dir(bench, redis->dir);
    redis->child = fork();
    if (redis->child < 0) bench_die("fork: %s", strerror(errno));
    if (redis->child == 0) start(redis);
    for (int i = 0; i < TRIES; i++) {
        int status = 0;
        if (waitpid(redis->child, &status, WNOHANG) == redis->child) {
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 127) bench_die("redis-server ended at once");
            bench_remove_dir(redis->dir);
            free(redis);
            return NULL;
        }
        const int fd = connect_to(redis);
        if (fd >= 0) {
            close(fd);
            return redis;
        }
        bench_wait_until(bench_now_ns() + TRY_NS);
    }
    bench_die("redis-server does not listen");
}

/* The child: becomes the server. */
static void start(const redis *redis)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a bench that died */
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDOUT_FILENO);
    static char *const arguments[] = {"redis-server",
                                      "--port",
                                      "0",
                                      "--unixsocket",
                                      "socket",
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "yes",
                                      "--appendfsync",
                                      "always",
                                      "--auto-aof-rewrite-percentage",
                                      "0",
                                      NULL};
    if (chdir(redis->dir) == 0) {
        execvp("redis-server", arguments);
        execvp("redis-check-rdb", arguments); /* Debian's redis-tools: the same program, and no service that starts */
    }
    _exit(127);
}

/* -1: nobody listens there yet. */
static int connect_to(const redis *redis)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const int length = snprintf(to.sun_path, sizeof to.sun_path, "%s/%s", redis->dir, socket_name);
    if (length >= (int)sizeof to.sun_path) bench_die("%s: too long a name for a unix socket", redis->dir);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) bench_die("socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

void redis_close(redis *redis)
{
    kill(redis->child, SIGKILL);
    (void)waitpid(redis->child, NULL, 0);
    bench_remove_dir(redis->dir);
    free(redis);
}

/* As many commands as are sent at once; their length in bytes. The caller frees them. */
static char *make_commands(size_t payload_bytes, size_t *length)
{
    char command[COMMAND_BYTES_MAX];
    const int head = snprintf(command, sizeof command, "*3\r\n$5\r\nRPUSH\r\n$3\r\nlog\r\n$%zu\r\n", payload_bytes);
    const size_t whole = (size_t)head + payload_bytes + 2;
    if (whole > sizeof command) bench_die("a payload of %zu bytes", payload_bytes);
    memset(command + head, 'x', payload_bytes);
    command[whole - 2] = '\r';
    command[whole - 1] = '\n';
    char *commands = malloc(COMMANDS * whole);
    if (commands == NULL) bench_die("out of memory");
    for (size_t i = 0; i < COMMANDS; i++) memcpy(commands + i * whole, command, whole);
    *length = COMMANDS * whole;
    return commands;
}

double redis_push(redis *redis, size_t connections, size_t payload_bytes, uint64_t duration_ns)
{
    connection all[REDIS_CONNECTIONS_MAX];
    struct pollfd wanted[REDIS_CONNECTIONS_MAX];
    size_t length = 0;
    char *commands = make_commands(payload_bytes, &length);
    if (connections > REDIS_CONNECTIONS_MAX) bench_die("too many connections");
    for (size_t i = 0; i < connections; i++) {
        all[i] = (connection){.fd = connect_to(redis)};
        if (all[i].fd < 0) bench_die("redis-server no longer listens");
        wanted[i] = (struct pollfd){.fd = all[i].fd, .events = POLLIN | POLLOUT};
    }
    uint64_t answered = 0;
    const uint64_t began_ns = bench_now_ns();
    while (bench_now_ns() - began_ns < duration_ns) {
        if (poll(wanted, connections, 100) < 0) bench_die("poll: %s", strerror(errno));
        for (size_t i = 0; i < connections; i++) {
            if ((wanted[i].revents & POLLIN) != 0) answered += take_answers(&all[i]);
            if ((wanted[i].revents & POLLOUT) == 0) continue;
            const ssize_t sent = send(all[i].fd, commands + all[i].offset, length - all[i].offset, MSG_DONTWAIT);
            if (sent > 0) all[i].offset = (all[i].offset + (size_t)sent) % length;
        }
    }
    const double rate = (double)answered * 1e9 / (double)(bench_now_ns() - began_ns);
    for (size_t i = 0; i < connections; i++) close(all[i].fd);
    free(commands);
    return rate;
}

/* Each answer is a line: ":" and the list's length. */
static uint64_t take_answers(const connection *connection)
{
    static char bytes[READ_BYTES];
    const ssize_t count = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count <= 0) bench_die("redis-server closed a connection");
    uint64_t answers = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (bytes[i] == '-') bench_die("redis-server refuses a command");
        answers += bytes[i] == '\n';
    }
    return answers;
}
