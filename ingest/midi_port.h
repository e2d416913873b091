/*
 * A MIDI port: its connection, and the thread that looks after it. Every whole frame that comes becomes a draft of an
 * event; frames that are to go out wait in a bounded queue and leave one after the other, never cut into each other.
 * A connection that breaks is made again, as a new session of the same source: a `session` event stands before the
 * first frame of each.
 *
 * Going out: at most SL_MIDI_CHUNK_BYTES at once and SL_MIDI_BYTES_PER_S, because the devices' receive buffers are
 * small; and only as fast as the device takes them. A frame that finds no room in the queue, or no connection, is not
 * sent and counted; what waits when the connection breaks is dropped and counted likewise.
 *
 * Coming in: what finds no room in the sink waits, and the port reads no more until there is some; who sends too much
 * feels it, where the way has flow control (a pty, a FIFO), and nobody else. What is no whole frame is counted, and told
 * in the log as a `refused` event, at most ten a second.
 *
 * Threads: sl_midi_port_send, …_counts and …_is_open are any thread's; start, finish and stop belong to one. The sink
 * and `say` are called by the port's own thread.
 */
#ifndef SL_INGEST_MIDI_PORT_H
#define SL_INGEST_MIDI_PORT_H

#include "core/err.h"
#include "core/payload.h"
#include "core/sink.h"
#include "ingest/midi_way.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_MIDI_CHUNK_BYTES = 64,
    SL_MIDI_BYTES_PER_S = 32000, /* a chunk in 2 ms; ten times a MIDI cable, half of what USB passes in such chunks */
    SL_MIDI_QUEUE_BYTES = 256 << 10
};

typedef struct sl_midi_port sl_midi_port;

typedef struct sl_midi_port_options {
    const char *name;  /* as in the log, "midi:/dev/snd/midiC1D0"; at most SL_NAME_BYTES_MAX bytes */
    sl_midi_way way;   /* the port's from now on, whatever sl_midi_port_start returns */
    uint32_t source;   /* its number in the log */
    uint64_t session;  /* the last one that the log knows of; 0: none */
    uint64_t start_ns; /* sl_clock_boot_ns at serve's start: times are stamped relative to it */
    sl_sink sink;
    /* A line for people: `name` and what happened to it ("open", "closed", "waiting", "refused"), and why or "". */
    void (*say)(void *ctx, const char *name, const char *what, const char *why);
    void *say_ctx;
} sl_midi_port_options;

/* Totals since start. received = processed + refused + dropped. */
typedef struct sl_midi_counts {
    uint64_t received;  /* frames, and what is none */
    uint64_t processed; /* became drafts */
    uint64_t refused;   /* broken off, too long, or of no frame */
    uint64_t dropped;   /* found no room before the port was stopped */
    uint64_t sent;      /* frames */
    uint64_t unsent;    /* frames that found no room, or no connection */
    uint64_t queue_bytes;
    uint64_t queue_max; /* the most there ever were */
} sl_midi_counts;

/* Starts the thread, which opens the connection as soon as it can. SL_ERR_MEMORY, SL_ERR_IO (no more threads). */
sl_err sl_midi_port_start(sl_midi_port **out, const sl_midi_port_options *options);

/* No more is read. What waits to be sent has `patience_ms` to leave. Returns at once. NULL is passed over. */
void sl_midi_port_finish(sl_midi_port *port, unsigned patience_ms);

/* Waits until that is over, closes the connection and frees everything. `last` gets the last counts; may be NULL. */
void sl_midi_port_stop(sl_midi_port *port, sl_midi_counts *last);

/* Puts a copy of a frame into the queue. SL_ERR_END: there is no connection, or none that takes frames; SL_ERR_FULL;
 * SL_ERR_RANGE: longer than the way takes; SL_ERR_MEMORY. Not sent and counted, each. */
sl_err sl_midi_port_send(sl_midi_port *port, const uint8_t *frame, size_t length);

bool sl_midi_port_is_open(const sl_midi_port *port);
sl_midi_counts sl_midi_port_counts(const sl_midi_port *port);
uint32_t sl_midi_port_source(const sl_midi_port *port);
const char *sl_midi_port_name(const sl_midi_port *port);

#endif
