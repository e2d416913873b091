/*
 * The way of a datagram: checked (core/osc.h), read (ingest/datagram.h), judged (ingest/peers.h), put into the ring,
 * and, if parts of a snapshot are in it, handed to those who make a picture of them. Also of what time brings: numbers
 * given up take the same ring, so that the log has both in the order in which they were decided; requests to send again
 * leave by a callback.
 *
 * It knows neither socket nor clock, so that a simulator can drive it. One thread, but for sl_intake_faults.
 */
#ifndef SL_INGEST_INTAKE_H
#define SL_INGEST_INTAKE_H

#include "core/osc.h"
#include "ingest/datagram.h"
#include "ingest/peers.h"
#include "ingest/ring.h"
#include "ingest/snapshot.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_INTAKE_FAULTS = (int)SL_OSC_FAULT_COUNT + (int)SL_DATAGRAM_FAULT_COUNT }; /* kinds that are reported */

/* All zero to begin with, but for the first eight. */
typedef struct sl_intake {
    uint64_t start_ns; /* drafts are stamped relative to it */
    sl_ring *ring;     /* drafts go here */
    sl_peers *peers;
    sl_snapshot *snapshot; /* NULL: no pictures are made */
    /* Told once per kind of fault: `reason` is a sentence without a newline. NULL: nobody is told. */
    void (*report)(void *ctx, const char *reason);
    void *report_ctx;
    /* Sends a packet; that it is lost on the way, or never leaves, is no error. */
    void (*send)(void *ctx, const struct sockaddr_in *to, const uint8_t *packet, size_t length);
    void *send_ctx;
    bool is_anything_put; /* since the caller reset it */
    bool is_reported[SL_INTAKE_FAULTS];
    _Atomic uint64_t faults[SL_OSC_FAULT_COUNT];
} sl_intake;

/* Takes one datagram that arrived at `now_ns`. */
void sl_intake_take(sl_intake *intake, const struct sockaddr_in *from, const uint8_t *packet, size_t length,
                    uint64_t now_ns);

/* Does what is due; returns when it wants to be called again, UINT64_MAX: not before another datagram came. */
uint64_t sl_intake_tick(sl_intake *intake, uint64_t now_ns);

/* Malformed datagrams so far, by sl_osc_fault. Any thread. */
void sl_intake_faults(const sl_intake *intake, uint64_t counts[SL_OSC_FAULT_COUNT]);

#endif
