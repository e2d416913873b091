/* Builds the datagrams of a simulated sender. What is numbered is wrapped in /live/seq, whose timestamp, which nobody
 * reads, tells the run of the sender: so a check finds out where a logged datagram came from. */
#ifndef SL_TESTS_SIM_PACKET_H
#define SL_TESTS_SIM_PACKET_H

#include "tests/sim/sequences.h"

#include <stddef.h>
#include <stdint.h>

enum { SIM_PACKET_BYTES_MAX = 16384 };

typedef struct sim_packet_writer {
    uint8_t bytes[SIM_PACKET_BYTES_MAX];
    size_t length;
} sim_packet_writer;

/* One part of a snapshot. */
typedef struct sim_part {
    uint64_t session;
    uint32_t number;
    uint32_t count;
    const uint8_t *bytes;
    size_t length;
} sim_part;

/* Each begins a new packet. `number` is the first message's. */
void sim_packet_event(sim_packet_writer *out, const sim_event *event, uint32_t number, uint32_t run);
void sim_packet_part(sim_packet_writer *out, const sim_part *part, uint32_t number, uint32_t run);
void sim_packet_quiet(sim_packet_writer *out, uint32_t number, uint32_t run); /* a cursor: changes nothing */
void sim_packet_hello(sim_packet_writer *out, uint64_t session);
void sim_packet_heartbeat(sim_packet_writer *out, uint64_t session, uint32_t next);

#endif
