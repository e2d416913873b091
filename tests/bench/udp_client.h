/* Sends one OSC message at a time to a port of 127.0.0.1. */
#ifndef SL_TESTS_BENCH_UDP_CLIENT_H
#define SL_TESTS_BENCH_UDP_CLIENT_H

#include <stdint.h>

/* A connected socket; the caller closes it. */
int udp_client_open(uint16_t port);

/* Builds and sends a message as tests/unit/osc_builder.h does: wrapped with `number`, bare where that is negative. */
void udp_client_send(int fd, int64_t number, const char *path, const char *tags, ...);

#endif
