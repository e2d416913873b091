/* The bare loop. */
#include "tests/bench/bare_receiver.h"

#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BATCH = 64, PACKET_BYTES = 2048, BUFFER_BYTES = 4 << 20 /* as ingest/udp.c asks for */, LOOK_US = 20000 };

static void *run(void *ctx);
static uint64_t receive(const bare_receiver *receiver, int flags);

void bare_receiver_open(bare_receiver *receiver)
{
    *receiver = (bare_receiver){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    const int wanted = BUFFER_BYTES;
    const struct timeval look = {.tv_usec = LOOK_US};
    if (receiver->fd < 0 || bind(receiver->fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        getsockname(receiver->fd, (struct sockaddr *)&name, &length) != 0 ||
        setsockopt(receiver->fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look) != 0)
        bench_die("cannot open a UDP socket: %s", strerror(errno));
    if (setsockopt(receiver->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
        (void)setsockopt(receiver->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    receiver->port = ntohs(name.sin_port);
}

void bare_receiver_start(bare_receiver *receiver)
{
    if (pthread_create(&receiver->thread, NULL, run, receiver) != 0) bench_die("cannot start a thread");
}

void bare_receiver_close(bare_receiver *receiver)
{
    atomic_store(&receiver->is_stopping, 1);
    if (receiver->thread != 0) pthread_join(receiver->thread, NULL);
    close(receiver->fd);
}

uint64_t bare_receiver_empty(bare_receiver *receiver)
{
    uint64_t total = 0;
    for (uint64_t count = receive(receiver, MSG_DONTWAIT); count > 0; count = receive(receiver, MSG_DONTWAIT))
        total += count;
    return total;
}

int bare_receiver_buffer_bytes(void)
{
    bare_receiver receiver;
    int granted = 0;
    socklen_t length = sizeof granted;
    bare_receiver_open(&receiver);
    (void)getsockopt(receiver.fd, SOL_SOCKET, SO_RCVBUF, &granted, &length);
    bare_receiver_close(&receiver);
    return granted;
}

static void *run(void *ctx)
{
    bare_receiver *receiver = ctx;
    while (!atomic_load(&receiver->is_stopping)) taker_add(&receiver->taken, receive(receiver, MSG_WAITFORONE));
    return NULL;
}

static uint64_t receive(const bare_receiver *receiver, int flags)
{
    static _Thread_local uint8_t packets[BATCH][PACKET_BYTES];
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    for (size_t i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){packets[i], PACKET_BYTES};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    const int count = recvmmsg(receiver->fd, headers, BATCH, flags, NULL);
    return count > 0 ? (uint64_t)count : 0;
}
