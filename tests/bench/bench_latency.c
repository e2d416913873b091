/*
 * UDP to subscriber: how long after a message was sent a subscriber has the diff, through the real serve process,
 * beside a bare echo process: UDP in, one LMDB commit, TCP out. 200 messages a second, each after the answer to the
 * last.
 */
#include "tests/bench/bench.h"

#include "store/log.h"
#include "tests/bench/bare_log.h"
#include "tests/bench/serving.h"
#include "tests/bench/udp_client.h"
#include "tests/bench/websocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 300, WARM_UP = 20, PACKET_BYTES = 256 };
static const uint64_t INTERVAL_NS = 5000000;

/* The echo: a child process, and our ends of its sockets. */
typedef struct echo {
    char dir[BENCH_DIR_BYTES];
    pid_t child;
    int udp_fd; /* theirs */
    int tcp_fd; /* ours */
    uint16_t udp_port;
} echo;

static void echo_open(const bench *bench, echo *echo);
static void echo_close(echo *echo);
static void serve_echo(const echo *echo, int tcp_fd);
static void measure_serve(const serving *serving, bench_series *p50, bench_series *p99);
static void measure_echo(const echo *echo, bench_series *p50, bench_series *p99);
static void add_quantiles(const double *values_ms, bench_series *p50, bench_series *p99);

void bench_latency(bench *bench)
{
    if (bench->program == NULL) return;
    bench_series own_p50 = {0}, own_p99 = {0}, peer_p50 = {0}, peer_p99 = {0};
    echo echo;
    echo_open(bench, &echo); /* before anything here opens LMDB, which must not be taken through a fork */
    serving *serving = serving_open(bench);
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        measure_serve(serving, &own_p50, &own_p99);
        measure_echo(&echo, &peer_p50, &peer_p99);
    }
    serving_close(serving);
    echo_close(&echo);
    static const char peer_name[] = "UDP -> LMDB commit -> TCP";
    bench_report(bench, &(bench_figure){"UDP to WebSocket subscriber, p50", "us", &own_p50, peer_name, &peer_p50,
                                        BENCH_LIMIT_RATIO_MAX, 1.3});
    bench_report(bench, &(bench_figure){"UDP to WebSocket subscriber, p99", "us", &own_p99, peer_name, &peer_p99,
                                        BENCH_LIMIT_NONE, 0});
}

static void measure_serve(const serving *serving, bench_series *p50, bench_series *p99)
{
    static const char sign[] = "\"attribute\":\"volume\"";
    double values_us[MESSAGES];
    websocket *subscriber = websocket_open(serving_ws_port(serving));
    size_t length = 0;
    (void)websocket_read(subscriber, &length); /* the whole project */
    const int fd = udp_client_open(serving_osc_port(serving));
    for (int i = -WARM_UP; i < MESSAGES; i++) {
        const uint64_t sent_ns = bench_now_ns();
        udp_client_send(fd, i + WARM_UP, "/live/track/volume", "if", 0,
                        (double)(i + WARM_UP + 1) / (WARM_UP + MESSAGES));
        const char *message = NULL;
        do message = websocket_read(subscriber, &length);
        while (memmem(message, length, sign, sizeof sign - 1) == NULL);
        if (i >= 0) values_us[i] = (double)(bench_now_ns() - sent_ns) / 1e3;
        bench_wait_until(sent_ns + INTERVAL_NS);
    }
    close(fd);
    websocket_close(subscriber);
    add_quantiles(values_us, p50, p99);
}

static void measure_echo(const echo *echo, bench_series *p50, bench_series *p99)
{
    double values_us[MESSAGES];
    const int fd = udp_client_open(echo->udp_port);
    for (int i = -WARM_UP; i < MESSAGES; i++) {
        const uint64_t sent_ns = bench_now_ns();
        udp_client_send(fd, i + WARM_UP, "/live/track/volume", "if", 0, 0.5);
        char bytes[PACKET_BYTES];
        if (recv(echo->tcp_fd, bytes, sizeof bytes, 0) <= 0) bench_die("the echo is gone");
        if (i >= 0) values_us[i] = (double)(bench_now_ns() - sent_ns) / 1e3;
        bench_wait_until(sent_ns + INTERVAL_NS);
    }
    close(fd);
    add_quantiles(values_us, p50, p99);
}

static void add_quantiles(const double *values_us, bench_series *p50, bench_series *p99)
{
    bench_add(p50, bench_quantile(values_us, MESSAGES, 0.5));
    bench_add(p99, bench_quantile(values_us, MESSAGES, 0.99));
}

/* A socket of 127.0.0.1, bound to a free port. */
static int bind_any(int type, uint16_t *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        bench_die("cannot open a socket: %s", strerror(errno));
    *port = ntohs(name.sin_port);
    return fd;
}

static void echo_open(const bench *bench, echo *echo)
{
    bench_make_dir(bench, echo->dir);
    uint16_t tcp_port = 0;
    const int listener = bind_any(SOCK_STREAM, &tcp_port);
    echo->udp_fd = bind_any(SOCK_DGRAM, &echo->udp_port);
    echo->tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(tcp_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (listen(listener, 1) != 0 || connect(echo->tcp_fd, (const struct sockaddr *)&to, sizeof to) != 0)
        bench_die("cannot connect: %s", strerror(errno));
    const int accepted = accept(listener, NULL, NULL);
    close(listener);
    echo->child = fork();
    if (accepted < 0 || echo->child < 0) bench_die("cannot start the echo: %s", strerror(errno));
    if (echo->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(echo->tcp_fd);
        serve_echo(echo, accepted);
    }
    close(accepted);
    close(echo->udp_fd);
}

/* The child: until it is killed. */
static void serve_echo(const echo *echo, int tcp_fd)
{
    bare_log log;
    bare_log_open(&log, echo->dir);
    for (;;) {
        uint8_t record[SL_RECORD_HEADER_BYTES + PACKET_BYTES] = {0};
        const ssize_t length = recv(echo->udp_fd, record + SL_RECORD_HEADER_BYTES, PACKET_BYTES, 0);
        if (length < 0) _exit(1);
        bare_log_append(&log, record, SL_RECORD_HEADER_BYTES + (size_t)length, 1);
        if (send(tcp_fd, record + SL_RECORD_HEADER_BYTES, (size_t)length, 0) != length) _exit(1);
    }
}

static void echo_close(echo *echo)
{
    kill(echo->child, SIGKILL);
    (void)waitpid(echo->child, NULL, 0);
    close(echo->tcp_fd);
    bench_remove_dir(echo->dir);
}
