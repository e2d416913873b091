/*
 * Where the player's notes go as MIDI: a line of their own, or a port of the groove box that is the same device, where
 * no note may stand inside a SysEx frame. Knows what sounds, to let it go.
 *
 * Started and stopped by the service thread; in between the player's, but for the counts.
 */
#ifndef SL_TOOLS_NOTES_OUT_H
#define SL_TOOLS_NOTES_OUT_H

#include "core/err.h"
#include "core/text.h"
#include "ingest/midi_port.h"
#include "tools/symlog/notes_line.h"
#include "tools/symlog/planner.h"

typedef struct sl_notes_out sl_notes_out;

typedef struct sl_notes_out_options {
    const char *target;   /* a path, if it has a '/', else the name of a named port; must outlive it */
    sl_midi_port *shared; /* the groove box's port on the same device; must outlive it. NULL: none is */
    void (*say)(void *ctx, const char *name, const char *what, const char *why); /* as sl_notes_line_options */
    void *say_ctx;
} sl_notes_out_options;

/* SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_notes_out_start(sl_notes_out **out, const sl_notes_out_options *options);

/* Sends what is due now: notes; where all falls silent, controller 123 (all notes off) on the channels used; at a panic
 * on every channel. */
void sl_notes_out_send(sl_notes_out *out, const sl_planned *planned, size_t count);

/* Ends every note that sounds. */
void sl_notes_out_let_go(sl_notes_out *out);

/* Lets what waits leave, for `patience_ms` at most. NULL is passed over. */
void sl_notes_out_stop(sl_notes_out *out, unsigned patience_ms);

/* Appends {"name","is_open","sent","dropped"}. */
void sl_notes_out_write(const sl_notes_out *out, sl_text *text);

#endif
