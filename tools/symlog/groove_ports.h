/*
 * The ports of the groove box in serve: those of the command line (MIDI devices, ptys, FIFOs, named ports), each with a
 * thread of its own, and a few places for subscribers that send binary WebSocket messages: a subscriber's port is open
 * from its first binary message (an empty one will do) until it leaves. Every port is a source of the log, and so is
 * every place that was ever taken, so that its number stays the same from run to run.
 *
 * The service thread's, but for what midi_port.h says of its own.
 */
#ifndef SL_TOOLS_GROOVE_PORTS_H
#define SL_TOOLS_GROOVE_PORTS_H

#include "core/reduce.h"
#include "core/sink.h"
#include "core/text.h"
#include "ingest/midi_intake.h"
#include "ingest/midi_port.h"
#include "tools/symlog/groove_driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_GROOVE_CABLES_MAX = 16,                          /* of the command line */
    SL_GROOVE_TARGET_BYTES_MAX = SL_NAME_BYTES_MAX - 5, /* "midi:" stands before it in the log */
    SL_GROOVE_PLACES = 8                                /* for subscribers: ws:1 to ws:8 */
};
_Static_assert(SL_GROOVE_CABLES_MAX + SL_GROOVE_PLACES <= SL_GROOVE_PORTS_MAX, "the driver has room for all");

typedef struct sl_groove_ports sl_groove_ports;

/* A port of the command line. */
typedef struct sl_groove_cable {
    const char *target; /* a path, or the name of a named port; at most SL_GROOVE_TARGET_BYTES_MAX */
    bool is_named;
} sl_groove_cable;

typedef struct sl_groove_ports_options {
    const sl_groove_cable *cables; /* copied */
    size_t cable_count;
    const sl_state *state; /* whose sources keep their numbers; read by sl_groove_ports_create only */
    uint64_t start_ns;
    /* Sends a binary message to a subscriber. False: it has too much waiting. Set before anybody subscribes. */
    bool (*send)(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length);
    void (*say)(void *ctx, const char *name, const char *what, const char *why); /* as a MIDI port's; any thread */
    uint32_t (*new_source)(void *ctx); /* a number for a place that has none yet */
    void *ctx;
} sl_groove_ports_options;

/* The ports together: for the status line. */
typedef struct sl_groove_figures {
    size_t ports; /* open */
    uint64_t frames_in;
    uint64_t frames_out;
    uint64_t refused; /* and dropped, and unsent */
} sl_groove_figures;

/* Gives every port of the command line its source, opens none yet. SL_ERR_MEMORY. */
sl_err sl_groove_ports_create(sl_groove_ports **out, const sl_groove_ports_options *options);

/* The lowest source number that neither the log nor one of them has: the next input's. */
uint32_t sl_groove_ports_source_next(const sl_groove_ports *ports);

/* Starts the threads; from now on drafts go to `sink`, which must stay until sl_groove_ports_stop. SL_ERR_MEMORY,
 * SL_ERR_IO: no more threads. */
sl_err sl_groove_ports_start(sl_groove_ports *ports, sl_sink sink);

/* Lets what waits leave, for `patience_ms` at most, and ends the threads. The sink is not used any more. */
void sl_groove_ports_stop(sl_groove_ports *ports, unsigned patience_ms);

/* Stops what still runs and frees everything; NULL is passed over. */
void sl_groove_ports_destroy(sl_groove_ports *ports);

/* The port of the command line so named, from start to stop; NULL: none is. */
sl_midi_port *sl_groove_ports_find(const sl_groove_ports *ports, const char *target, bool is_named);

/* For the driver. */
sl_groove_outlet sl_groove_ports_outlet(sl_groove_ports *ports);

/* Takes a part of a subscriber's binary messages, `taken` bytes of it. SL_ERR_FULL: the log's queue has no room; come
 * again with the rest (even if that is nothing). SL_ERR_BUSY: all places are taken. */
sl_err sl_groove_ports_receive(sl_groove_ports *ports, uint64_t subscriber, const uint8_t *bytes, size_t length,
                               size_t *taken);

/* The subscriber has left: its place is free. */
void sl_groove_ports_left(sl_groove_ports *ports, uint64_t subscriber);

/* Adds the counts of every port that was ever open to `counters`. True if any changed since the last call. */
bool sl_groove_ports_counters(sl_groove_ports *ports, sl_counters *counters);

sl_groove_figures sl_groove_ports_figures(const sl_groove_ports *ports);

/* Appends a JSON list of the ports of the command line and of the places in use: [{"name","source","is_open",
 * "received","processed","refused","dropped","sent","unsent","queue_bytes","queue_max"}, …]. */
void sl_groove_ports_write(const sl_groove_ports *ports, sl_text *text);

#endif
