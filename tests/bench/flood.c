/* The senders. */
#include "tests/bench/flood.h"

#include "tests/bench/bench.h"
#include "tests/unit/osc_builder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BATCH = 32,           /* datagrams a system call, and at once */
    NUMBER_POSITION = 20, /* of the sender's number in the wrapper */
    NAME_POSITION = 52,   /* of the track's new name */
    NAME_BYTES = 68       /* makes the datagram FLOOD_DATAGRAM_BYTES long */
};

typedef struct sender {
    int fd;
    pthread_t thread;
    uint32_t next_number;
    uint64_t sent; /* in this run, and so is the rest */
    uint64_t count_max;
    uint64_t began_ns;
    uint64_t end_ns;
    double rate; /* 0: as fast as it goes */
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    osc_builder packets[BATCH];
} sender;

struct flood {
    sender senders[FLOOD_SENDERS];
};

static void open_sender(sender *sender, uint16_t port);
static void *run(void *ctx);
static void send_batch(sender *sender, uint64_t count);

flood *flood_open(uint16_t port)
{
    flood *flood = calloc(1, sizeof *flood);
    if (flood == NULL) bench_die("out of memory");
    for (size_t i = 0; i < FLOOD_SENDERS; i++) open_sender(&flood->senders[i], port);
    return flood;
}

void flood_close(flood *flood)
{
    for (size_t i = 0; i < FLOOD_SENDERS; i++) close(flood->senders[i].fd);
    free(flood);
}

static void build(osc_builder *packet, const char *path, const char *tags, ...)
{
    va_list list;
    va_start(list, tags);
    osc_message(packet, 0, path, tags, list);
    va_end(list);
    assert(packet->length == FLOOD_DATAGRAM_BYTES);
}

static void open_sender(sender *sender, uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    sender->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender->fd < 0 || connect(sender->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        bench_die("cannot send to port %u: %s", port, strerror(errno));
    char name[NAME_BYTES];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < BATCH; i++) {
        build(&sender->packets[i], "/live/track/renamed", "is", 0, name);
        sender->vectors[i] = (struct iovec){sender->packets[i].bytes, sender->packets[i].length};
        sender->headers[i].msg_hdr = (struct msghdr){.msg_iov = &sender->vectors[i], .msg_iovlen = 1};
    }
}

flood_result flood_run(flood *flood, double rate, uint64_t duration_ns)
{
    flood_result result = {.began_ns = bench_now_ns()};
    for (size_t i = 0; i < FLOOD_SENDERS; i++) {
        sender *sender = &flood->senders[i];
        sender->rate = rate / (double)FLOOD_SENDERS;
        sender->began_ns = result.began_ns;
        sender->end_ns = result.began_ns + duration_ns;
        sender->count_max = UINT64_MAX;
        if (pthread_create(&sender->thread, NULL, run, sender) != 0) bench_die("cannot start a thread");
    }
    for (size_t i = 0; i < FLOOD_SENDERS; i++) {
        pthread_join(flood->senders[i].thread, NULL);
        result.sent += flood->senders[i].sent;
    }
    result.ended_ns = bench_now_ns();
    return result;
}

flood_result flood_burst(flood *flood, uint64_t count)
{
    sender *sender = &flood->senders[0];
    flood_result result = {.began_ns = bench_now_ns(), .sent = count};
    sender->rate = 0;
    sender->count_max = count;
    sender->end_ns = UINT64_MAX;
    run(sender);
    result.ended_ns = bench_now_ns();
    return result;
}

static void *run(void *ctx)
{
    sender *sender = ctx;
    sender->sent = 0;
    while (sender->sent < sender->count_max) {
        if (sender->rate > 0)
            bench_wait_until(sender->began_ns + (uint64_t)((double)sender->sent / sender->rate * 1e9));
        if (bench_now_ns() >= sender->end_ns) break;
        const uint64_t left = sender->count_max - sender->sent;
        send_batch(sender, left < BATCH ? left : BATCH);
    }
    return NULL;
}

static void send_batch(sender *sender, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t number = sender->next_number + (uint32_t)i;
        const uint32_t bytes = htonl(number);
        memcpy(sender->packets[i].bytes + NUMBER_POSITION, &bytes, sizeof bytes);
        sender->packets[i].bytes[NAME_POSITION] = (uint8_t)('a' + number % 26); /* so that it changes something */
    }
    for (uint64_t done = 0; done < count;) {
        const int sent = sendmmsg(sender->fd, sender->headers + done, (unsigned)(count - done), 0);
        if (sent < 0 && errno != EINTR && errno != ECONNREFUSED) bench_die("cannot send: %s", strerror(errno));
        if (sent > 0) done += (uint64_t)sent;
    }
    sender->next_number += (uint32_t)count;
    sender->sent += count;
}
