/* The receiver: its socket, its thread, and the way of a datagram into the ring. */
#include "ingest/udp.h"

#include "ingest/clock.h"
#include "ingest/datagram.h"
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
    BATCH_MAX = 64,                  /* datagrams a system call */
    BUFFER_BYTES = 4 << 20,          /* asked for by default */
    BUFFER_PER_DATAGRAM = 512,       /* what the kernel counts at least for one */
    PACKET_STRIDE = (64 << 10) + 64, /* odd in cache lines, so that headers do not fall on one cache set */
    REPORT_BYTES = 256,
    FAULT_COUNT = (int)SL_OSC_FAULT_COUNT + (int)SL_DATAGRAM_FAULT_COUNT /* kinds that are reported */
};

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
    struct mmsghdr headers[BATCH_MAX];
    slot slots[BATCH_MAX];
    uint8_t *packets; /* BATCH_MAX of PACKET_STRIDE bytes */
    uint32_t kernel_drops_seen;
    bool is_reported[FAULT_COUNT];

    /* Any thread. */
    atomic_bool is_stopping;
    _Atomic uint64_t kernel_drops;
    _Atomic uint64_t faults[SL_OSC_FAULT_COUNT];
};

static sl_err open_socket(sl_udp *udp, const char *address, char errmsg[256]);
static void ask_for_buffer(sl_udp *udp);
static void close_all(sl_udp *udp);
static void *run(void *ctx);
static void wait_for_datagrams(const sl_udp *udp);
static unsigned receive(sl_udp *udp);
static void prepare(sl_udp *udp, unsigned count);
static void count_kernel_drops(sl_udp *udp, struct msghdr *header);
static bool take(sl_udp *udp, const slot *slot, const uint8_t *packet, size_t length, uint64_t time_ns);
static bool put_session(sl_udp *udp, const sl_peer_verdict *verdict, uint64_t time_ns);
static void hand_snapshot(sl_udp *udp, const sl_event *draft);
static void refuse(sl_udp *udp, const struct sockaddr_in *from, sl_osc_fault fault, unsigned kind, const char *what);

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
    err = sl_snapshot_start(&udp->snapshot, options->sink, options->start_ns);
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
    for (size_t i = 0; i < SL_OSC_FAULT_COUNT; i++)
        counts[i] = atomic_load_explicit(&udp->faults[i], memory_order_relaxed);
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

static void wait_for_datagrams(const sl_udp *udp)
{
    struct pollfd fds[] = {{.fd = udp->fd, .events = POLLIN}, {.fd = udp->stop_fd, .events = POLLIN}};
    (void)poll(fds, 2, -1); /* Whatever it says, the next recvmmsg knows. */
}

/* Takes what is there, at most a batch; returns how many datagrams it was. All bear the time at which the kernel handed
 * them over. */
static unsigned receive(sl_udp *udp)
{
    int received = recvmmsg(udp->fd, udp->headers, BATCH_MAX, MSG_DONTWAIT, NULL);
    if (received <= 0) return 0;
    unsigned count = (unsigned)received;
    uint64_t time_ns = sl_clock_boot_ns() - udp->options.start_ns;
    bool is_anything_put = false;
    for (unsigned i = 0; i < count; i++) {
        struct mmsghdr *header = &udp->headers[i];
        count_kernel_drops(udp, &header->msg_hdr);
        const uint8_t *packet = udp->slots[i].bytes.iov_base;
        if (take(udp, &udp->slots[i], packet, header->msg_len, time_ns)) is_anything_put = true;
    }
    if (is_anything_put && udp->options.wake_fd >= 0) {
        /* Fails only when the counter is full, and then the committer is awake. */
        ssize_t written = write(udp->options.wake_fd, &(uint64_t){1}, sizeof(uint64_t));
        assert(written > 0 || errno == EAGAIN);
    }
    prepare(udp, count);
    return count;
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

/* The way of one datagram. True if something was put into the ring. */
static bool take(sl_udp *udp, const slot *slot, const uint8_t *packet, size_t length, uint64_t time_ns)
{
    sl_peers *peers = udp->options.peers;
    sl_osc_error error;
    if (!sl_osc_check(packet, length, &error)) {
        refuse(udp, &slot->from, error.fault, error.fault, sl_osc_fault_text(error.fault));
        return false;
    }
    sl_datagram datagram;
    sl_datagram_fault fault = sl_datagram_read(packet, length, &datagram);
    if (fault != SL_DATAGRAM_FAULT_NONE) {
        sl_osc_fault counted = fault == SL_DATAGRAM_FAULT_WRAPPER ? SL_OSC_FAULT_TAGS : SL_OSC_FAULT_BUNDLE;
        refuse(udp, &slot->from, counted, SL_OSC_FAULT_COUNT + (unsigned)fault, sl_datagram_fault_text(fault));
        return false;
    }
    uint32_t checksum = sl_crc32c(0, packet, length);
    sl_peer_verdict verdict = sl_peers_judge(peers, &slot->from, datagram.first, datagram.count, checksum);
    if (verdict.is_duplicate) return false;
    sl_event draft = {.kind = SL_KIND_OSC,
                      .version = SL_PAYLOAD_VERSION,
                      .source = verdict.source,
                      .session = verdict.session,
                      .source_seq = verdict.source_seq,
                      .time_ns = time_ns,
                      .payload = packet,
                      .length = (uint32_t)length};
    bool is_named = !verdict.is_new || put_session(udp, &verdict, time_ns);
    if (!is_named || sl_ring_put(udp->options.ring, &draft) != SL_OK) {
        sl_peers_count_dropped(peers);
        return is_named && verdict.is_new;
    }
    if (datagram.has_snapshot) hand_snapshot(udp, &draft);
    return true;
}

/* Puts the event that names a source, or says that its sender began anew. */
static bool put_session(sl_udp *udp, const sl_peer_verdict *verdict, uint64_t time_ns)
{
    uint8_t payload[2 + 4 + SL_NAME_BYTES_MAX];
    sl_writer writer = {.bytes = payload, .capacity = sizeof payload};
    sl_session session = {.input = SL_INPUT_OSC, .name = verdict->name, .name_length = strlen(verdict->name)};
    sl_err err = sl_session_encode(&session, &writer);
    assert(err == SL_OK);
    sl_event draft = {.kind = SL_KIND_SESSION,
                      .version = SL_SESSION_VERSION,
                      .source = verdict->source,
                      .session = verdict->session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .time_ns = time_ns,
                      .payload = payload,
                      .length = (uint32_t)writer.length};
    if (sl_ring_put(udp->options.ring, &draft) != SL_OK) return false;
    sl_peers_name(udp->options.peers);
    return true;
}

/* Hands the parts of a snapshot in a datagram, each with its own number, to those who make a picture of them. */
static void hand_snapshot(sl_udp *udp, const sl_event *draft)
{
    sl_osc_walk walk = sl_osc_walk_begin(draft->payload, draft->length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) {
        sl_event part = *draft;
        sl_osc_message inner = sl_datagram_unwrap(&message, &part.source_seq);
        if (sl_datagram_is_snapshot(&inner)) sl_snapshot_take(udp->snapshot, &part, &inner);
    }
}

/* Counts a malformed datagram as `fault`, and tells of the first of its `kind`. */
static void refuse(sl_udp *udp, const struct sockaddr_in *from, sl_osc_fault fault, unsigned kind, const char *what)
{
    assert(kind < FAULT_COUNT);
    atomic_fetch_add_explicit(&udp->faults[fault], 1, memory_order_relaxed);
    sl_peers_count_malformed(udp->options.peers, from);
    if (udp->is_reported[kind] || udp->options.report == NULL) return;
    udp->is_reported[kind] = true;
    char address[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &from->sin_addr, address, sizeof address);
    char reason[REPORT_BYTES];
    snprintf(reason, sizeof reason, "%s:%u sent a datagram that is not taken: %s (more of this kind are only counted)",
             address, ntohs(from->sin_port), what);
    udp->options.report(udp->options.report_ctx, reason);
}
