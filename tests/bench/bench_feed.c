/*
 * The feed: messages a second to 8 subscribers of this machine, each in a frame of its own, beside bare loops that
 * write the same bytes to 8 sockets: one write a message, and 64 KiB a write.
 */
#include "tests/bench/bench.h"

#include "tests/bench/websocket.h"
#include "tools/symlog/feed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SUBSCRIBERS = 8,
    MESSAGES = 40000,
    TURN_MESSAGES = 1024, /* as the service does */
    FRAME_HEADER_BYTES = 4,
    FRAMES_AT_ONCE = 300,   /* about 64 KiB */
    WINDOW_BYTES = 4 << 20, /* nobody lags so much that he is given coalesced changes */
    READ_BYTES = 256 << 10
};

static const char whole[] = "{\"type\":\"FULL_AST\",\"seq\":0}";
static const char message[] =
    "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[{\"type\":\"state_changed\",\"node_id\":\"track-0-1-"
    "17-0\","
    "\"node_type\":\"track\",\"path\":\"tracks[0]\",\"attribute\":\"volume\",\"old_value\":0.25,\"new_value\":0.75}],"
    "\"added\":[],\"removed\":[],\"modified\":[\"track-0-1-17-0\"],\"unchanged\":[]}},\"seq\":1234567}";
enum { MESSAGE_BYTES = sizeof message - 1, WHOLE_FRAME_BYTES = 2 + sizeof whole - 1 };

/* The subscribers' side: one thread that reads from all. */
typedef struct readers {
    int fds[SUBSCRIBERS];
    _Atomic uint64_t received[SUBSCRIBERS];
    _Atomic bool is_stopping;
    pthread_t thread;
} readers;

/* A feed that publishes the same message again and again. */
typedef struct publisher {
    sl_feed *feed;
    const readers *readers;
    uint64_t published;      /* Feed's thread. */
    _Atomic uint64_t wanted; /* messages in all */
    _Atomic bool is_stopping;
    pthread_t thread;
} publisher;

static double measure_feed(void);
static double measure_writes(size_t frames_at_once);
static void readers_start(readers *readers);
static void readers_stop(readers *readers);
static void readers_wait(const readers *readers, uint64_t bytes);
static uint64_t readers_slowest(const readers *readers);
static void on_woken(void *ctx);
static void *run_feed(void *ctx);

void bench_feed(bench *bench)
{
    bench_series own = {0}, each = {0}, many = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&own, measure_feed());
        bench_add(&each, measure_writes(1));
        bench_add(&many, measure_writes(FRAMES_AT_ONCE));
    }
    static const char name[] = "to each of 8 subscribers";
    bench_report(bench,
                 &(bench_figure){name, "messages/s", &own, "a write for each message", &each, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){name, "messages/s", &own, "64 KiB a write", &many, BENCH_LIMIT_NONE, 0});
    bench_note(bench, "messages of %d bytes", MESSAGE_BYTES);
}

static double rate_since(uint64_t began_ns)
{
    return (double)MESSAGES * 1e9 / (double)(bench_now_ns() - began_ns);
}

static uint64_t on_tick(void *ctx)
{
    (void)ctx;
    return 1000000000;
}

static uint64_t on_whole(void *ctx, sl_text *text, const sl_paths *paths)
{
    (void)ctx;
    (void)paths;
    sl_text_bytes(text, whole, sizeof whole - 1);
    return 0;
}

static uint64_t on_head(void *ctx)
{
    const publisher *publisher = ctx;
    return publisher->published;
}

static void on_receive(void *ctx, uint64_t subscriber, const char *bytes, size_t length)
{
    (void)ctx;
    (void)subscriber;
    (void)bytes;
    (void)length;
}

static sl_err on_receive_binary(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length, size_t *taken)
{
    (void)ctx;
    (void)subscriber;
    (void)bytes;
    *taken = length;
    return SL_OK;
}

static void on_joined(void *ctx, uint64_t subscriber, const char *peer)
{
    (void)ctx;
    (void)subscriber;
    (void)peer;
}

static void on_left(void *ctx, uint64_t subscriber, const char *peer, const char *why)
{
    (void)ctx;
    (void)subscriber;
    (void)peer;
    if (why != NULL) bench_die("the feed closed a subscriber: %s", why);
}

static void on_refused(void *ctx, const char *peer, const char *why)
{
    (void)ctx;
    (void)peer;
    bench_die("the feed refused a subscriber: %s", why);
}

static double measure_feed(void)
{
    readers readers = {.is_stopping = false};
    publisher publisher = {.readers = &readers};
    const sl_access access = {.token = NULL};
    const sl_feed_options options = {.access = &access, .log_id = "", .backlog_bytes = SL_FEED_BACKLOG_BYTES};
    const sl_feed_owner owner = {.ctx = &publisher,
                                 .woken = on_woken,
                                 .tick = on_tick,
                                 .whole = on_whole,
                                 .head = on_head,
                                 .receive = on_receive,
                                 .receive_binary = on_receive_binary,
                                 .joined = on_joined,
                                 .left = on_left,
                                 .refused = on_refused};
    if (sl_feed_create(&publisher.feed, &owner, &options) != SL_OK ||
        sl_feed_listen(publisher.feed, "127.0.0.1", 0) != SL_OK)
        bench_die("the feed cannot listen");
    const uint16_t port = sl_feed_port(publisher.feed);
    if (pthread_create(&publisher.thread, NULL, run_feed, &publisher) != 0) bench_die("cannot start a thread");
    websocket *sockets[SUBSCRIBERS];
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        sockets[i] = websocket_open(port);
        readers.fds[i] = sockets[i]->fd;
        readers.received[i] = sockets[i]->end - sockets[i]->begin;
    }
    readers_start(&readers);
    readers_wait(&readers, WHOLE_FRAME_BYTES);
    const uint64_t began_ns = bench_now_ns();
    atomic_store(&publisher.wanted, MESSAGES);
    sl_feed_wake(publisher.feed);
    readers_wait(&readers, WHOLE_FRAME_BYTES + (uint64_t)MESSAGES * (FRAME_HEADER_BYTES + MESSAGE_BYTES));
    const double rate = rate_since(began_ns);
    readers_stop(&readers);
    atomic_store(&publisher.is_stopping, true);
    sl_feed_wake(publisher.feed);
    pthread_join(publisher.thread, NULL);
    for (size_t i = 0; i < SUBSCRIBERS; i++) websocket_close(sockets[i]);
    sl_feed_destroy(publisher.feed);
    return rate;
}

static void *run_feed(void *ctx)
{
    publisher *publisher = ctx;
    while (!atomic_load(&publisher->is_stopping)) sl_feed_turn(publisher->feed);
    return NULL;
}

/* A bounded part, as the service does; never so much that a subscriber falls out of the backlog. */
static void on_woken(void *ctx)
{
    publisher *publisher = ctx;
    const uint64_t wanted = atomic_load(&publisher->wanted);
    const uint64_t slowest = readers_slowest(publisher->readers);
    for (int i = 0; i < TURN_MESSAGES && publisher->published < wanted; i++) {
        if (publisher->published * MESSAGE_BYTES > slowest + WINDOW_BYTES) break;
        const sl_message_view view = {
            .bytes = message, .length = MESSAGE_BYTES, .event = ++publisher->published, .is_last = true};
        sl_feed_publish(publisher->feed, &view);
    }
    if (publisher->published < wanted) sl_feed_wake(publisher->feed);
}

/* A connected pair over TCP: ours to write, the reader's. */
static void connect_pair(int *writer, int *reader)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *reader = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&name, &length) != 0 ||
        connect(*reader, (struct sockaddr *)&name, sizeof name) != 0)
        bench_die("cannot connect: %s", strerror(errno));
    *writer = accept(listener, NULL, NULL);
    close(listener);
}

static double measure_writes(size_t frames_at_once)
{
    const size_t frame_bytes = FRAME_HEADER_BYTES + MESSAGE_BYTES;
    readers readers = {.is_stopping = false};
    int writers[SUBSCRIBERS];
    for (size_t i = 0; i < SUBSCRIBERS; i++) connect_pair(&writers[i], &readers.fds[i]);
    char *bytes = calloc(frames_at_once, frame_bytes);
    if (bytes == NULL) bench_die("out of memory");
    readers_start(&readers);
    const uint64_t began_ns = bench_now_ns();
    for (size_t sent = 0; sent < MESSAGES; sent += frames_at_once) {
        const size_t count = MESSAGES - sent < frames_at_once ? MESSAGES - sent : frames_at_once;
        for (size_t i = 0; i < SUBSCRIBERS; i++) {
            if (send(writers[i], bytes, count * frame_bytes, 0) != (ssize_t)(count * frame_bytes))
                bench_die("cannot send: %s", strerror(errno));
        }
    }
    readers_wait(&readers, MESSAGES * frame_bytes);
    const double rate = rate_since(began_ns);
    readers_stop(&readers);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        close(writers[i]);
        close(readers.fds[i]);
    }
    free(bytes);
    return rate;
}

static void *read_all(void *ctx)
{
    static char bytes[READ_BYTES];
    readers *readers = ctx;
    struct pollfd wanted[SUBSCRIBERS];
    for (size_t i = 0; i < SUBSCRIBERS; i++) wanted[i] = (struct pollfd){.fd = readers->fds[i], .events = POLLIN};
    while (!atomic_load(&readers->is_stopping)) {
        if (poll(wanted, SUBSCRIBERS, 20) <= 0) continue;
        for (size_t i = 0; i < SUBSCRIBERS; i++) {
            if ((wanted[i].revents & POLLIN) == 0) continue;
            const ssize_t count = recv(readers->fds[i], bytes, sizeof bytes, 0);
            if (count <= 0) bench_die("a subscriber was cut off");
            atomic_fetch_add(&readers->received[i], (uint64_t)count);
        }
    }
    return NULL;
}

static void readers_start(readers *readers)
{
    if (pthread_create(&readers->thread, NULL, read_all, readers) != 0) bench_die("cannot start a thread");
}

static void readers_stop(readers *readers)
{
    atomic_store(&readers->is_stopping, true);
    pthread_join(readers->thread, NULL);
}

/* Waits until everybody has received `bytes`. */
static void readers_wait(const readers *readers, uint64_t bytes)
{
    while (readers_slowest(readers) < bytes) bench_wait_until(bench_now_ns() + 300000);
}

static uint64_t readers_slowest(const readers *readers)
{
    uint64_t slowest = UINT64_MAX;
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        const uint64_t received = atomic_load(&readers->received[i]);
        if (received < slowest) slowest = received;
    }
    return slowest;
}
