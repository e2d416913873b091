/*
 * What a checked datagram stands for: the numbers that its sender put on it, what the sender says of itself, and
 * whether parts of a snapshot are in it. Read with core's reader, so that ingest and the reducer cannot disagree.
 *
 * Numbers are int32 as sent, a negative one standing for itself mod 2^32, or int64 (OSC tag h), kept as they are.
 */
#ifndef SL_INGEST_DATAGRAM_H
#define SL_INGEST_DATAGRAM_H

#include "core/osc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a sender says of itself, each alone in its datagram and without a number. */
typedef enum sl_control {
    SL_CONTROL_NONE = 0,
    SL_CONTROL_HELLO,    /* /symlog/hello: session */
    SL_CONTROL_HEARTBEAT /* /symlog/heartbeat: session, next */
} sl_control;

typedef struct sl_datagram {
    uint64_t first;    /* number of its first message; the others follow one by one */
    uint32_t count;    /* of numbers; 0: its messages bear none */
    bool has_snapshot; /* a message of it is a part of a snapshot */
    sl_control control;
    uint64_t session; /* of the sender's run, as control tells */
    uint64_t next;    /* the number that it will use next */
} sl_datagram;

/* What sl_osc_check does not look at, and is malformed all the same. */
typedef enum sl_datagram_fault {
    SL_DATAGRAM_FAULT_NONE = 0,
    SL_DATAGRAM_FAULT_WRAPPER, /* a "/live/seq" that is no wrapper */
    SL_DATAGRAM_FAULT_MIXED,   /* wrapped and unwrapped messages in one bundle */
    SL_DATAGRAM_FAULT_NUMBERS, /* numbers in one bundle that do not follow each other */
    SL_DATAGRAM_FAULT_COUNT
} sl_datagram_fault;

/* In plain words; static. */
const char *sl_datagram_fault_text(sl_datagram_fault fault);

/* Reads a packet that sl_osc_check accepted. */
sl_datagram_fault sl_datagram_read(const uint8_t *packet, size_t length, sl_datagram *out);

/* Takes the wrapper off a message of a packet that sl_datagram_read accepted. `number` is SL_SOURCE_SEQ_NONE, and the
 * message returned `message` itself, where there is none. */
sl_osc_message sl_datagram_unwrap(const sl_osc_message *message, uint64_t *number);

bool sl_datagram_is_snapshot(const sl_osc_message *message);

#endif
