/*
 * From the bytes of one connection to drafts of events: the way that a port's thread and a subscriber's binary messages
 * share. A connection begins with a `session` event; each whole frame becomes a `sysex` event; what is none is counted,
 * and told in a `refused` event with the reason, at most ten a second.
 *
 * The time is an argument. One thread at a time; the counts may be read by any.
 */
#ifndef SL_INGEST_MIDI_INTAKE_H
#define SL_INGEST_MIDI_INTAKE_H

#include "core/err.h"
#include "core/payload.h"
#include "core/sink.h"
#include "ingest/midi_parser.h"

#include <stddef.h>
#include <stdint.h>

#define SL_MIDI_REFUSED_EVERY_NS UINT64_C(100000000)

/* The first five are set by the owner, the rest is zero to begin with. */
typedef struct sl_midi_intake {
    sl_sink sink;
    uint64_t start_ns; /* sl_clock_boot_ns at which time_ns is 0 */
    uint32_t source;
    uint64_t session; /* the last one that the log knows of; then the present one */
    char name[SL_NAME_BYTES_MAX + 1];
    sl_midi_parser *parser;   /* made by sl_midi_intake_open */
    sl_midi_finding waiting;  /* found, and the sink had no room for it yet */
    uint64_t refused_next_ns; /* before that, no refusal is told in the log */
    _Atomic uint64_t received;
    _Atomic uint64_t processed;
    _Atomic uint64_t refused;
    _Atomic uint64_t dropped;
} sl_midi_intake;

/* SL_ERR_MEMORY. */
sl_err sl_midi_intake_open(sl_midi_intake *intake);
void sl_midi_intake_close(sl_midi_intake *intake);

/* A new connection: puts the event of the next session. SL_ERR_FULL, SL_ERR_MEMORY: not begun, call again later. */
sl_err sl_midi_intake_begin(sl_midi_intake *intake, uint64_t now_ns);

/* Takes bytes, `taken` of them. SL_ERR_FULL: the sink has no room; call again later with the rest, even if that is
 * nothing. */
sl_err sl_midi_intake_take(sl_midi_intake *intake, const uint8_t *bytes, size_t length, uint64_t now_ns, size_t *taken);

/* The connection has ended: a frame that had begun is refused; one that waited for room is dropped. */
void sl_midi_intake_end(sl_midi_intake *intake, uint64_t now_ns);

#endif
