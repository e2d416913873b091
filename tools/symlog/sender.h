/*
 * A sender as symlog likes it: it says hello, numbers what it sends from 0, keeps the last SL_SENDER_KEPT datagrams to
 * send them again when it is asked (/symlog/resend), and tells the next number by a heartbeat while it is idle, so that
 * loss of its last words is seen, too. The protocol is in the wire format, section 1.
 */
#ifndef SL_TOOLS_SENDER_H
#define SL_TOOLS_SENDER_H

#include "core/err.h"
#include "ingest/osc_send.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_SENDER_KEPT = 4096 };

#define SL_SENDER_HEARTBEAT_NS UINT64_C(250000000)

typedef struct sl_sender sl_sender;

typedef struct sl_sender_options {
    const char *target; /* HOST:PORT */
    uint64_t session;   /* of this run */
    bool is_silent;     /* no hello, no heartbeat, no answer: what is sent goes out as it is */
} sl_sender_options;

/* Opens a socket, and says hello: some times, for one may be lost, and a little ahead of the first number, for that
 * must not overtake all of them. SL_ERR_NOT_FOUND, SL_ERR_IO, SL_ERR_MEMORY: `errmsg` (256 bytes) says what. */
sl_err sl_sender_open(sl_sender **out, const sl_sender_options *options, char errmsg[256]);
void sl_sender_close(sl_sender *sender);

/* Sends a message in words; with `is_wrapped` under the next number. Errors as sl_osc_build and sl_osc_sender_packet.
 */
sl_err sl_sender_message(sl_sender *sender, const sl_osc_words *words, bool is_wrapped);

/* Sends a packet as it is. */
sl_err sl_sender_packet(sl_sender *sender, const uint8_t *packet, size_t length);

/* Answers requests for `duration_ns` (0: those that are there), with heartbeats while nothing else is sent. False:
 * Ctrl-C, if signals are held (sl_pace_hold_signals). */
bool sl_sender_wait(sl_sender *sender, uint64_t duration_ns);

/* Says hello and tells the next number now. */
void sl_sender_heartbeat(sl_sender *sender);

/* Datagrams that were sent again. */
uint64_t sl_sender_resent(const sl_sender *sender);

#endif
