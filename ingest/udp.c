/* The receiver: its socket and its thread. */
#include "ingest/udp.h"

#include "ingest/clock.h"
#include "ingest/intake.h"
#include "ingest/snapshot.h"
#include "ingest/thread.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BATCH_MAX = 64,                 /* datagrams a system call */
    BUFFER_BYTES = 4 << 20,         /* asked for by default */
    BUFFER_PER_DATAGRAM = 512,      /* what the kernel counts at least for one */
    PACKET_STRIDE = (64 << 10) + 64 /* odd in cache lines, so that headers do not fall on one cache set */
};

#define SECOND_NS UINT64_C(1000000000)

/* What recvmmsg fills for one datagram, besides its bytes. */
typedef struct slot {
    struct sockaddr_in from;
    struct iovec bytes;
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint32_t))];
} slot;

struct sl_udp {
    /* Immutable while the thread runs. */
    sl_udp_options options;
    sl_snapshot *snapshot;
    pthread_t thread;
    int fd;
    int stop_fd; /* an eventfd */
    int buffer_bytes;
    uint16_t port;

    /* Receiver thread only. */
    sl_intake intake; /* but its faults */
    uint64_t due_ns;  /* when something is due by the clock */
    struct mmsghdr headers[BATCH_MAX];
    slot slots[BATCH_MAX];
    uint8_t *packets; /* BATCH_MAX of PACKET_STRIDE bytes */
    uint32_t kernel_drops_seen;

    /* Any thread. */
    atomic_bool is_stopping;
    _Atomic uint64_t kernel_drops;
};

static sl_err open_socket(sl_udp *udp, const char *address, char errmsg[256]);
static void ask_for_buffer(sl_udp *udp);
static void close_all(sl_udp *udp);
static void *run(void *ctx);
static void wait_for_datagrams(const sl_udp *udp);
static unsigned receive(sl_udp *udp);
static void prepare(sl_udp *udp, unsigned count);
static void count_kernel_drops(sl_udp *udp, struct msghdr *header);
static void wake(const sl_udp *udp);
static void send_packet(void *ctx, const struct sockaddr_in *to, const uint8_t *packet, size_t length);
static sl_err put_picture(void *ctx, const sl_event *draft);

sl_err sl_udp_start(sl_udp **out, const sl_udp_options *options, char errmsg[256])
{
    sl_udp *udp = calloc(1, sizeof *udp);
    if (udp == NULL) {
        snprintf(errmsg, 256, "udp: out of memory");
        return SL_ERR_MEMORY;
    }
    udp->options = *options;
    udp->options.address = NULL; /* The caller's, not valid for longer than this function. */
    udp->fd = -1;
    udp->stop_fd = -1;
    sl_err err = SL_ERR_MEMORY;
    udp->packets = malloc((size_t)BATCH_MAX * PACKET_STRIDE);
    if (udp->packets == NULL) {
        snprintf(errmsg, 256, "udp: out of memory");
        goto fail;
    }
    err = open_socket(udp, options->address, errmsg);
    if (err != SL_OK) goto fail;
    prepare(udp, BATCH_MAX);
    err = sl_snapshot_start(&udp->snapshot, (sl_sink){.put = put_picture, .ctx = udp}, options->start_ns);
    udp->intake = (sl_intake){.start_ns = options->start_ns,
                              .ring = options->ring,
                              .peers = options->peers,
                              .snapshot = udp->snapshot,
                              .report = options->report,
                              .report_ctx = options->report_ctx,
                              .send = send_packet,
                              .send_ctx = udp};
    if (err == SL_OK) err = sl_thread_start(&udp->thread, "receiver", run, udp);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "udp: cannot start a thread: %s", sl_err_text(err));
        goto fail;
    }
    *out = udp;
    return SL_OK;
fail:
    close_all(udp);
    return err;
}

void sl_udp_stop(sl_udp *udp)
{
    if (udp == NULL) return;
    atomic_store(&udp->is_stopping, true);
    ssize_t written = write(udp->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(written == sizeof(uint64_t));
    pthread_join(udp->thread, NULL);
    close_all(udp);
}

uint16_t sl_udp_port(const sl_udp *udp)
{
    return udp->port;
}

int sl_udp_buffer_bytes(const sl_udp *udp)
{
    return udp->buffer_bytes;
}

uint64_t sl_udp_kernel_drops(const sl_udp *udp)
{
    return atomic_load_explicit(&udp->kernel_drops, memory_order_relaxed);
}

void sl_udp_faults(const sl_udp *udp, uint64_t counts[SL_OSC_FAULT_COUNT])
{
    sl_intake_faults(&udp->intake, counts);
}

static sl_err open_socket(sl_udp *udp, const char *address, char errmsg[256])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(udp->options.port)};
    socklen_t length = sizeof name;
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1) {
        snprintf(errmsg, 256, "udp: \"%.40s\" is not an IPv4 address; write one like 127.0.0.1", address);
        return SL_ERR_IO;
    }
    const char *step = "socket";
    udp->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (udp->fd < 0) goto fail;
    ask_for_buffer(udp);
    step = "SO_RXQ_OVFL";
    if (setsockopt(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, &(int){1}, sizeof(int)) != 0) goto fail;
    step = "bind";
    if (bind(udp->fd, (struct sockaddr *)&name, sizeof name) != 0) goto fail;
    step = "getsockname";
    if (getsockname(udp->fd, (struct sockaddr *)&name, &length) != 0) goto fail;
    udp->port = ntohs(name.sin_port);
    step = "eventfd";
    udp->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (udp->stop_fd >= 0) return SL_OK;
fail:
    snprintf(errmsg, 256, "udp: cannot listen on %s:%u: %s: %s", address, udp->options.port, step, strerror(errno));
    return SL_ERR_IO;
}

/* A refusal is no failure: what was granted is read back, and told to whoever asks. */
static void ask_for_buffer(sl_udp *udp)
{
    int wanted = udp->options.receive_buffer_bytes > 0 ? udp->options.receive_buffer_bytes : BUFFER_BYTES;
    if (setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
        (void)setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    socklen_t length = sizeof udp->buffer_bytes;
    (void)getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &udp->buffer_bytes, &length);
}

static void close_all(sl_udp *udp)
{
    sl_snapshot_stop(udp->snapshot);
    if (udp->fd >= 0) close(udp->fd);
    if (udp->stop_fd >= 0) close(udp->stop_fd);
    free(udp->packets);
    free(udp);
}

static void *run(void *ctx)
{
    sl_udp *udp = ctx;
    udp->due_ns = 0; /* holes of before a restart */
    while (!atomic_load_explicit(&udp->is_stopping, memory_order_relaxed)) {
        if (receive(udp) < BATCH_MAX) wait_for_datagrams(udp);
    }
    /* What had arrived: no more than the kernel's buffer holds, or a flood would keep us here. */
    int left = udp->buffer_bytes / BUFFER_PER_DATAGRAM;
    while (left > 0) {
        unsigned count = receive(udp);
        if (count == 0) break;
        left -= (int)count;
    }
    return NULL;
}

/* Until a datagram comes, or something is due by the clock. */
static void wait_for_datagrams(const sl_udp *udp)
{
    struct pollfd fds[] = {{.fd = udp->fd, .events = POLLIN}, {.fd = udp->stop_fd, .events = POLLIN}};
    struct timespec timeout = {0};
    if (udp->due_ns != UINT64_MAX) {
        uint64_t now_ns = sl_clock_boot_ns();
        uint64_t left_ns = udp->due_ns > now_ns ? udp->due_ns - now_ns : 0;
        timeout = (struct timespec){.tv_sec = (time_t)(left_ns / SECOND_NS), .tv_nsec = (long)(left_ns % SECOND_NS)};
    }
    /* Whatever it says, the next recvmmsg knows. */
    (void)ppoll(fds, 2, udp->due_ns != UINT64_MAX ? &timeout : NULL, NULL);
}

/* Takes what is there, at most a batch, and does what is due; returns how many datagrams it was. All bear the time at
 * which the kernel handed them over. */
static unsigned receive(sl_udp *udp)
{
    int received = recvmmsg(udp->fd, udp->headers, BATCH_MAX, MSG_DONTWAIT, NULL);
    unsigned count = received > 0 ? (unsigned)received : 0;
    if (count == 0 && udp->due_ns == UINT64_MAX) return 0;
    uint64_t now_ns = sl_clock_boot_ns();
    udp->intake.is_anything_put = false;
    for (unsigned i = 0; i < count; i++) {
        struct mmsghdr *header = &udp->headers[i];
        count_kernel_drops(udp, &header->msg_hdr);
        const uint8_t *packet = udp->slots[i].bytes.iov_base;
        sl_intake_take(&udp->intake, &udp->slots[i].from, packet, header->msg_len, now_ns);
    }
    udp->due_ns = sl_intake_tick(&udp->intake, now_ns);
    if (udp->intake.is_anything_put) wake(udp);
    prepare(udp, count);
    return count;
}

static void wake(const sl_udp *udp)
{
    if (udp->options.wake_fd < 0) return;
    /* Fails only when the counter is full, and then the committer is awake. */
    ssize_t written = write(udp->options.wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(written > 0 || errno == EAGAIN);
}

/* What cannot leave at once is lost, as it could be on the way: it is asked for again. */
static void send_packet(void *ctx, const struct sockaddr_in *to, const uint8_t *packet, size_t length)
{
    const sl_udp *udp = ctx;
    (void)sendto(udp->fd, packet, length, MSG_DONTWAIT, (const struct sockaddr *)to, sizeof *to);
}

/* Snapshot's thread. Said first: the numbers of a session may then begin at 0, and nobody may wait for them in vain. */
static sl_err put_picture(void *ctx, const sl_event *draft)
{
    const sl_udp *udp = ctx;
    if (draft->kind == SL_KIND_PICTURE) sl_peers_have_picture(udp->options.peers);
    return udp->options.sink.put(udp->options.sink.ctx, draft);
}

/* Makes the first `count` headers ready to be filled: the kernel has shortened their lengths. */
static void prepare(sl_udp *udp, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        slot *slot = &udp->slots[i];
        slot->bytes = (struct iovec){.iov_base = udp->packets + (size_t)i * PACKET_STRIDE, .iov_len = PACKET_STRIDE};
        udp->headers[i].msg_hdr = (struct msghdr){.msg_name = &slot->from,
                                                  .msg_namelen = sizeof slot->from,
                                                  .msg_iov = &slot->bytes,
                                                  .msg_iovlen = 1,
                                                  .msg_control = slot->control,
                                                  .msg_controllen = sizeof slot->control};
    }
}

/* The control message is a running total, mod 2^32, and comes only once there were drops. */
static void count_kernel_drops(sl_udp *udp, struct msghdr *header)
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(header);
    if (control == NULL || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SO_RXQ_OVFL) return;
    uint32_t total;
    memcpy(&total, CMSG_DATA(control), sizeof total);
    uint32_t more = total - udp->kernel_drops_seen;
    udp->kernel_drops_seen = total;
    if (more > 0) atomic_fetch_add_explicit(&udp->kernel_drops, more, memory_order_relaxed);
}
