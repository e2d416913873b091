/* A receiver and a sender over real sockets on 127.0.0.1, and what came of it. */
#ifndef SL_TESTS_INGEST_UDP_FIXTURE_H
#define SL_TESTS_INGEST_UDP_FIXTURE_H

#include "ingest/udp.h"

#include "ingest/clock.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/ingest_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RING_BYTES = 16 << 20, WAIT_MS = 5000, REPORTS_MAX = 16 };

/* A receiver, a sender, and what came of it. */
typedef struct fixture {
    sl_udp *udp;
    sl_ring *ring;
    sl_peers *peers;
    int wake_fd;
    int sender; /* a socket that is connected to the receiver */
    uint16_t sender_port;
    uint64_t start_ns;
    char reports[REPORTS_MAX][256];
    _Atomic int report_count;
    _Atomic uint16_t sunk_kinds[4];
    _Atomic uint64_t sunk_seq;
    _Atomic int sunk_count;
} fixture;

static inline void report(void *ctx, const char *reason)
{
    fixture *fixture = ctx;
    snprintf(fixture->reports[fixture->report_count], sizeof fixture->reports[0], "%s", reason);
    fixture->report_count++;
}

static inline sl_err sink(void *ctx, const sl_event *draft)
{
    fixture *fixture = ctx;
    fixture->sunk_kinds[fixture->sunk_count % 4] = draft->kind;
    fixture->sunk_seq = draft->source_seq;
    fixture->sunk_count++;
    return SL_OK;
}

static inline int open_sender(uint16_t target, uint16_t *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    socklen_t length = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline fixture *start_with(size_t ring_bytes)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_int_equal(sl_ring_create(ring_bytes, &fixture->ring), SL_OK);
    assert_int_equal(sl_peers_create(1, &fixture->peers), SL_OK);
    fixture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fixture->start_ns = sl_clock_boot_ns();
    sl_udp_options options = {.address = "127.0.0.1",
                              .start_ns = fixture->start_ns,
                              .ring = fixture->ring,
                              .wake_fd = fixture->wake_fd,
                              .peers = fixture->peers,
                              .sink = {.put = sink, .ctx = fixture},
                              .report = report,
                              .report_ctx = fixture};
    char errmsg[256];
    if (sl_udp_start(&fixture->udp, &options, errmsg) != SL_OK) fail_msg("%s", errmsg);
    fixture->sender = open_sender(sl_udp_port(fixture->udp), &fixture->sender_port);
    return fixture;
}

static inline int start(void **state)
{
    *state = start_with(RING_BYTES);
    return 0;
}

static inline int stop(void **state)
{
    fixture *fixture = *state;
    sl_udp_stop(fixture->udp);
    sl_ring_destroy(fixture->ring);
    sl_peers_destroy(fixture->peers);
    close(fixture->wake_fd);
    close(fixture->sender);
    free(fixture);
    return 0;
}

static inline void send_bytes(fixture *fixture, const void *bytes, size_t length)
{
    assert_int_equal(send(fixture->sender, bytes, length, 0), length);
}

static inline void send_packet(fixture *fixture, packet packet)
{
    send_bytes(fixture, packet.bytes, packet.length);
}

/* The next draft; fails if none comes in time. */
static inline sl_event next_draft(fixture *fixture)
{
    sl_event draft;
    for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms++) {
        if (sl_ring_take(fixture->ring, &draft, 1) == 1) return draft;
        usleep(1000);
    }
    fail_msg("no draft came");
    return (sl_event){0};
}

/* The first datagram's draft, the session event before it skipped. */
static inline sl_event next_osc(fixture *fixture)
{
    sl_event draft = next_draft(fixture);
    return draft.kind == SL_KIND_SESSION ? next_draft(fixture) : draft;
}

/* Sends a good datagram and waits for it: then all before it have been dealt with. */
static inline void settle(fixture *fixture)
{
    send_packet(fixture, packet_plain(4711));
    sl_event draft = next_osc(fixture);
    assert_true(draft.source_seq == SL_SOURCE_SEQ_NONE);
}

#endif
