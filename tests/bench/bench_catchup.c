/*
 * The catch-up: 8 subscribers that resume with ?batch=1 at the beginning of a log, events a second summed, beside a
 * bare loop that writes the same arrays, made before, to 8 sockets.
 */
#include "tests/bench/bench.h"

#include "store/log.h"
#include "tests/bench/set_mix.h"
#include "tools/symlog/feed.h"
#include "tools/symlog/teller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SUBSCRIBERS = 8,
    EVENTS = 300000,
    DRAFTS_MAX = 4096,
    READ_BYTES = 256 << 10,
    TAIL_BYTES = 64,
    CHUNKS_MAX = 16384
};
static const set_shape SHAPE = {.tracks = 16, .scenes = 16};

/* A log, and what it gives: the arrays, as the catch-up makes them. */
typedef struct past {
    char dir[BENCH_DIR_BYTES];
    sl_log *log;
    uint64_t head;
    uint64_t last_told; /* newest event that gives a message */
    sl_chunk *chunks[CHUNKS_MAX];
    size_t count;
    uint64_t bytes; /* of the arrays */
    sl_chunk_writer writer;
} past;

/* One that serves. */
typedef struct server {
    sl_feed *feed;
    const past *past;
    _Atomic bool is_stopping;
} server;

/* The subscribers' side: one thread that reads from all. */
typedef struct readers {
    int fds[SUBSCRIBERS];
    uint64_t bytes_wanted; /* by each; or 0: until `end` comes */
    char end[TAIL_BYTES];
    uint64_t bytes[SUBSCRIBERS];
    char tails[SUBSCRIBERS][TAIL_BYTES];
} readers;

static void past_open(past *past, const bench *bench, const set_stream *stream);
static void past_close(past *past);
static double measure_catchup(const past *past);
static double measure_bare(const past *past);
static void measure_told(const past *past, bench_series *series);

void bench_catchup(bench *bench)
{
    static past past;
    set_stream stream;
    set_stream_open(&stream, EVENTS);
    set_mix_attributes(&stream, SHAPE, EVENTS);
    past_open(&past, bench, &stream);
    bench_series own = {0}, bare = {0}, told = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&own, measure_catchup(&past));
        bench_add(&bare, measure_bare(&past));
        measure_told(&past, &told);
    }
    bench_report(bench, &(bench_figure){"8 subscribers, summed", "events/s", &own, "the arrays alone, to 8 sockets",
                                        &bare, BENCH_LIMIT_VALUE_MIN, 5e6});
    bench_report(bench, &(bench_figure){.name = "reading and telling, once", .unit = "events/s", .own = &told});
    bench_note(bench, "%d events, %.0f bytes of message each; 16 tracks x 16 scenes", EVENTS,
               (double)past.bytes / (double)EVENTS);
    past_close(&past);
    set_stream_close(&stream);
}

static void on_message(void *ctx, const sl_message_view *message)
{
    past *past = ctx;
    sl_chunk_writer_add(&past->writer, message, false);
    past->last_told = message->event;
}

static void take_chunk(past *past)
{
    if (past->count == CHUNKS_MAX) bench_die("more chunks than expected");
    if (sl_chunk_writer_take(&past->writer, &past->chunks[past->count]) != SL_OK) bench_die("out of memory");
    past->bytes += past->chunks[past->count++]->length;
}

/* Reads the log from its second event on, the first being the picture. */
static void tell_all(const past *past, sl_teller *teller, sl_chunk_writer *writer, void (*full)(struct past *past),
                     struct past *taker)
{
    sl_state *state = NULL;
    sl_log_reader *reader = NULL;
    sl_event event;
    if (sl_state_create(set_memory(), &state) != SL_OK || sl_log_reader_open(past->log, 1, &reader) != SL_OK)
        bench_die("out of memory");
    if (sl_log_read(reader, &event) != SL_OK || sl_reduce(state, &event, NULL) != SL_OK) bench_die("no picture");
    sl_chunk_writer_begin(writer, 1);
    while (sl_state_seq(state) < past->head) {
        if (sl_log_read(reader, &event) != SL_OK) bench_die("%s", sl_log_reader_error(reader));
        if (sl_teller_apply(teller, state, &event) != SL_OK) bench_die("out of memory");
        sl_chunk_writer_end(writer, event.seq);
        if (sl_chunk_writer_is_full(writer)) full(taker);
    }
    full(taker);
    sl_log_reader_close(reader);
    sl_state_destroy(state);
}

static void past_open(past *past, const bench *bench, const set_stream *stream)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    bench_make_dir(bench, past->dir);
    const sl_log_options options = {.dir = past->dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS};
    if (sl_log_open(&past->log, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    set_picture picture = set_picture_make(SHAPE);
    const sl_event first = {.kind = SL_KIND_PICTURE,
                            .version = 1,
                            .source = 1,
                            .session = 1,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = picture.bytes,
                            .length = (uint32_t)picture.length};
    if (sl_log_append(past->log, &first, 1, NULL) != SL_OK) bench_die("%s", sl_log_error(past->log));
    for (size_t i = 0; i < stream->count; i += DRAFTS_MAX) {
        const size_t count = stream->count - i < DRAFTS_MAX ? stream->count - i : DRAFTS_MAX;
        if (sl_log_append(past->log, stream->events + i, count, &past->head) != SL_OK)
            bench_die("%s", sl_log_error(past->log));
    }
    set_picture_free(&picture);
    sl_teller teller;
    const sl_listener listener = {.ctx = past, .message = on_message};
    sl_teller_open(&teller, &listener);
    sl_chunk_writer_open(&past->writer);
    tell_all(past, &teller, &past->writer, take_chunk, past);
    sl_chunk_writer_close(&past->writer);
    sl_teller_close(&teller);
}

static void past_close(past *past)
{
    for (size_t i = 0; i < past->count; i++) sl_chunk_leave(past->chunks[i]);
    sl_log_close(past->log);
    bench_remove_dir(past->dir);
}

static double rate_since(uint64_t began_ns, uint64_t count)
{
    return (double)count * 1e9 / (double)(bench_now_ns() - began_ns);
}

static void throw_away(past *past)
{
    sl_chunk_writer_begin(&past->writer, past->writer.through);
}

static void measure_told(const past *given, bench_series *series)
{
    static past past; /* the same log, and another writer */
    past.log = given->log;
    past.head = given->head;
    sl_teller teller;
    const sl_listener listener = {.ctx = &past, .message = on_message};
    sl_teller_open(&teller, &listener);
    sl_chunk_writer_open(&past.writer);
    const uint64_t began_ns = bench_now_ns();
    tell_all(&past, &teller, &past.writer, throw_away, &past);
    bench_add(series, rate_since(began_ns, EVENTS));
    sl_chunk_writer_close(&past.writer);
    sl_teller_close(&teller);
}

/* The subscribers. */

/* Keeps the last bytes; true if the reader has got everything. */
static bool see(readers *readers, size_t i, const char *bytes, size_t count)
{
    char *tail = readers->tails[i];
    const size_t end_length = strlen(readers->end);
    readers->bytes[i] += count;
    if (readers->bytes_wanted > 0) return readers->bytes[i] >= readers->bytes_wanted;
    const size_t kept = count < TAIL_BYTES ? TAIL_BYTES - count : 0;
    memmove(tail, tail + TAIL_BYTES - kept, kept);
    memcpy(tail + kept, bytes + count - (TAIL_BYTES - kept), TAIL_BYTES - kept);
    return memcmp(tail + TAIL_BYTES - end_length, readers->end, end_length) == 0;
}

static void *read_all(void *ctx)
{
    static char bytes[READ_BYTES];
    readers *readers = ctx;
    struct pollfd wanted[SUBSCRIBERS];
    for (size_t i = 0; i < SUBSCRIBERS; i++) wanted[i] = (struct pollfd){.fd = readers->fds[i], .events = POLLIN};
    for (size_t done = 0; done < SUBSCRIBERS;) {
        if (poll(wanted, SUBSCRIBERS, -1) < 0) bench_die("poll: %s", strerror(errno));
        for (size_t i = 0; i < SUBSCRIBERS; i++) {
            if (wanted[i].fd < 0 || wanted[i].revents == 0) continue;
            const ssize_t count = recv(readers->fds[i], bytes, sizeof bytes, 0);
            if (count <= 0) bench_die("a subscriber was cut off");
            if (!see(readers, i, bytes, (size_t)count)) continue;
            wanted[i].fd = -1;
            done++;
        }
    }
    return NULL;
}

/* Serving. */

static void on_woken(void *ctx)
{
    (void)ctx;
}

static uint64_t on_tick(void *ctx)
{
    (void)ctx;
    return 1000000000;
}

static uint64_t on_whole(void *ctx, sl_text *text, const sl_paths *paths)
{
    (void)ctx;
    (void)text;
    (void)paths;
    bench_die("a subscriber was not let resume");
}

static uint64_t on_head(void *ctx)
{
    const server *server = ctx;
    return server->past->head;
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

/* Catch-up's thread. */
static void on_ready(void *ctx)
{
    const server *server = ctx;
    sl_feed_wake(server->feed);
}

static void *serve(void *ctx)
{
    server *server = ctx;
    while (!atomic_load(&server->is_stopping)) sl_feed_turn(server->feed);
    return NULL;
}

/* Connects and asks; the answer's head is read by whoever reads the rest. */
static int ask(const past *past, uint16_t port)
{
    char request[512];
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int length = snprintf(request, sizeof request,
                                "GET /?from=1&log=%s&batch=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Version: 13\r\n\r\n",
                                sl_log_id_hex(past->log), port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
        send(fd, request, (size_t)length, 0) != length)
        bench_die("cannot connect to port %u: %s", port, strerror(errno));
    return fd;
}

static double measure_catchup(const past *past)
{
    static readers readers;
    server server = {.past = past};
    const sl_access access = {.token = NULL};
    const sl_feed_owner owner = {.ctx = &server,
                                 .woken = on_woken,
                                 .tick = on_tick,
                                 .whole = on_whole,
                                 .head = on_head,
                                 .receive = on_receive,
                                 .receive_binary = on_receive_binary,
                                 .joined = on_joined,
                                 .left = on_left,
                                 .refused = on_refused};
    const sl_catchup_options catchup_options = {.log = past->log, .ready = on_ready, .ready_ctx = &server};
    sl_catchup *catchup = NULL;
    pthread_t thread;
    if (sl_catchup_start(&catchup, &catchup_options) != SL_OK) bench_die("cannot start a thread");
    sl_catchup_set_head(catchup, past->head);
    const sl_feed_options options = {.access = &access,
                                     .log_id = sl_log_id_hex(past->log),
                                     .catchup = catchup,
                                     .backlog_bytes = SL_FEED_BACKLOG_BYTES};
    if (sl_feed_create(&server.feed, &owner, &options) != SL_OK || sl_feed_listen(server.feed, "127.0.0.1", 0) != SL_OK)
        bench_die("the feed cannot listen");
    if (pthread_create(&thread, NULL, serve, &server) != 0) bench_die("cannot start a thread");
    memset(&readers, 0, sizeof readers);
    snprintf(readers.end, sizeof readers.end, "\"seq\":%llu}]", (unsigned long long)past->last_told);
    const uint64_t began_ns = bench_now_ns();
    for (size_t i = 0; i < SUBSCRIBERS; i++) readers.fds[i] = ask(past, sl_feed_port(server.feed));
    read_all(&readers);
    const double rate = rate_since(began_ns, (uint64_t)EVENTS * SUBSCRIBERS);
    atomic_store(&server.is_stopping, true);
    sl_feed_wake(server.feed);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < SUBSCRIBERS; i++) close(readers.fds[i]);
    sl_feed_destroy(server.feed);
    sl_catchup_stop(catchup);
    return rate;
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

static double measure_bare(const past *past)
{
    static readers readers;
    int writers[SUBSCRIBERS];
    pthread_t thread;
    memset(&readers, 0, sizeof readers);
    readers.bytes_wanted = past->bytes;
    for (size_t i = 0; i < SUBSCRIBERS; i++) connect_pair(&writers[i], &readers.fds[i]);
    const uint64_t began_ns = bench_now_ns();
    if (pthread_create(&thread, NULL, read_all, &readers) != 0) bench_die("cannot start a thread");
    for (size_t c = 0; c < past->count; c++) {
        const sl_chunk *chunk = past->chunks[c];
        for (size_t i = 0; i < SUBSCRIBERS; i++) {
            if (send(writers[i], chunk->array, chunk->length, 0) != (ssize_t)chunk->length)
                bench_die("cannot send: %s", strerror(errno));
        }
    }
    pthread_join(thread, NULL);
    const double rate = rate_since(began_ns, (uint64_t)EVENTS * SUBSCRIBERS);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        close(writers[i]);
        close(readers.fds[i]);
    }
    return rate;
}
