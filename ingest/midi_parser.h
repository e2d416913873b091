/*
 * A stream of MIDI bytes, taken apart: the SysEx frames in it, F0 … F7, whole. All else (channel messages, with running
 * status or without; system common ones) is passed over. Real-time bytes (F8 … FF) may stand anywhere, in a frame too,
 * and are no part of it. (Source: MIDI 1.0 Detailed Specification, "System Exclusive" and appendix 2.)
 *
 * Faults are told and change nothing: a frame that another status byte breaks off, one longer than 64 KiB (passed over
 * to its end), and a run of data bytes or F7 that belongs to nothing.
 *
 * Pure: no clock, no file. One thread.
 */
#ifndef SL_INGEST_MIDI_PARSER_H
#define SL_INGEST_MIDI_PARSER_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_MIDI_FRAME_BYTES_MAX = 64 << 10 }; /* F0 and F7 included */

typedef struct sl_midi_parser sl_midi_parser;

/* What was found in the stream. */
typedef enum sl_midi_finding {
    SL_MIDI_NOTHING, /* all bytes were taken, and nothing was completed */
    SL_MIDI_FRAME,   /* a whole frame: sl_midi_parser_frame */
    SL_MIDI_ABORTED, /* a frame was broken off */
    SL_MIDI_TOO_LONG,
    SL_MIDI_STRAY, /* bytes that belong to nothing; told once, until something whole comes */
} sl_midi_finding;

/* SL_ERR_MEMORY. */
sl_err sl_midi_parser_create(sl_midi_parser **out);
void sl_midi_parser_destroy(sl_midi_parser *parser);

/* As if nothing had come yet: the connection is a new one. True if a frame had begun, which is lost now. */
bool sl_midi_parser_reset(sl_midi_parser *parser);

/* Takes bytes up to the first finding; `taken` gets their number. Call again with the rest, until it says NOTHING. */
sl_midi_finding sl_midi_parser_take(sl_midi_parser *parser, const uint8_t *bytes, size_t length, size_t *taken);

/* The frame found last; valid until the next call of sl_midi_parser_take, sl_midi_parser_reset or …_destroy. */
const uint8_t *sl_midi_parser_frame(const sl_midi_parser *parser, size_t *length);

/* In words, for people and for the log ("a frame was broken off"); static. Not for NOTHING and FRAME. */
const char *sl_midi_finding_text(sl_midi_finding finding);

#endif
