/* Senders of a flood: wrapped OSC messages of 120 bytes over UDP, numbered on and on, at a pace or as fast as it goes.
 */
#ifndef SL_TESTS_BENCH_FLOOD_H
#define SL_TESTS_BENCH_FLOOD_H

#include <stdint.h>

enum { FLOOD_SENDERS = 2, FLOOD_DATAGRAM_BYTES = 120 };

typedef struct flood flood;

/* What was sent, and when. */
typedef struct flood_result {
    uint64_t sent;
    uint64_t began_ns; /* bench_now_ns */
    uint64_t ended_ns;
} flood_result;

/* FLOOD_SENDERS sockets that send to 127.0.0.1:`port`. */
flood *flood_open(uint16_t port);
void flood_close(flood *flood);

/* Sends from as many threads for `duration_ns`, at `rate` datagrams a second in all (0: as fast as it goes). */
flood_result flood_run(flood *flood, double rate, uint64_t duration_ns);

/* Sends `count` datagrams back to back from one socket. */
flood_result flood_burst(flood *flood, uint64_t count);

#endif
