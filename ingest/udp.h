/*
 * The receiver: a UDP socket and the thread that empties it. What becomes of a datagram is ingest/intake.h's. It sends
 * nothing but requests to send again what is missing, and those only to senders that said hello. It never waits for
 * anybody, and allocates nothing while nothing is missing.
 */
#ifndef SL_INGEST_UDP_H
#define SL_INGEST_UDP_H

#include "core/err.h"
#include "core/osc.h"
#include "core/reduce.h"
#include "core/sink.h"
#include "ingest/peers.h"
#include "ingest/ring.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_udp sl_udp;

/* Told once per kind of fault and receiver, on the receiver thread: `reason` is a sentence without a newline. */
typedef void (*sl_udp_report)(void *ctx, const char *reason);

typedef struct sl_udp_options {
    const char *address;      /* dotted IPv4; read by sl_udp_start only */
    uint16_t port;            /* 0: the system picks one */
    int receive_buffer_bytes; /* asked for; 0: 4 MiB */
    uint64_t start_ns;        /* sl_clock_boot_ns at serve's start: times are stamped relative to it */
    sl_ring *ring;            /* drafts go here */
    int wake_fd;              /* an eventfd, written when drafts were put; -1: none */
    sl_peers *peers;          /* the receiver's from now on */
    sl_sink sink;             /* for pictures made of snapshots, and counters */
    sl_udp_report report;
    void *report_ctx;
} sl_udp_options;

/* Opens the socket and starts the thread. `errmsg` (256 bytes) gets a sentence on failure. SL_ERR_IO, SL_ERR_MEMORY. */
sl_err sl_udp_start(sl_udp **out, const sl_udp_options *options, char errmsg[256]);

/* Stops the thread, with what had arrived put into the ring, and closes the socket. */
void sl_udp_stop(sl_udp *udp);

uint16_t sl_udp_port(const sl_udp *udp);

/* The receive buffer that the kernel granted, in bytes as SO_RCVBUF tells it (the kernel's own overhead included). */
int sl_udp_buffer_bytes(const sl_udp *udp);

/* Datagrams that the kernel threw away since start (SO_RXQ_OVFL). Any thread. */
uint64_t sl_udp_kernel_drops(const sl_udp *udp);

/* Malformed datagrams since start, by sl_osc_fault; `counts` has SL_OSC_FAULT_COUNT places. Any thread. */
void sl_udp_faults(const sl_udp *udp, uint64_t counts[SL_OSC_FAULT_COUNT]);

#endif
