/*
 * The line on which notes leave: a connection to a device, FIFO, pty or named port, opened when it is there and again
 * each second when it is gone. Bytes are written at once where there is room for them; else they wait in a bounded
 * queue, for a moment: a line that stays blocked loses what waits, and when it goes on every channel is let go first.
 * Likewise when it was opened. Nobody ever waits for it.
 *
 * sl_notes_line_send is one thread's, the player's; sl_notes_line_counts any thread's.
 */
#ifndef SL_TOOLS_NOTES_LINE_H
#define SL_TOOLS_NOTES_LINE_H

#include "core/err.h"
#include "ingest/midi_way.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_NOTES_MESSAGE_BYTES = 3, /* of each: note on, note off, controller */
    SL_NOTES_QUEUE_BYTES = 4096 * SL_NOTES_MESSAGE_BYTES,
    SL_NOTES_BLOCKED_MS = 250
};

typedef struct sl_notes_line sl_notes_line;

typedef struct sl_notes_line_options {
    const char *name; /* for lines to people; must outlive it */
    sl_midi_way way;  /* the line's from now on, whatever sl_notes_line_start returns */
    /* What happened to it ("open", "waiting", "closed", "blocked"), and why or "". The line's thread. */
    void (*say)(void *ctx, const char *name, const char *what, const char *why);
    void *say_ctx;
} sl_notes_line_options;

typedef struct sl_notes_counts {
    bool is_open;
    uint64_t sent;    /* messages */
    uint64_t dropped; /* likewise: there was no connection, or no room */
} sl_notes_counts;

/* SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_notes_line_start(sl_notes_line **out, const sl_notes_line_options *options);

/* `length` bytes of whole messages of SL_NOTES_MESSAGE_BYTES. */
void sl_notes_line_send(sl_notes_line *line, const uint8_t *bytes, size_t length);

/* Lets what waits leave, for `patience_ms` at most, and frees everything. NULL is passed over. */
void sl_notes_line_stop(sl_notes_line *line, unsigned patience_ms);

sl_notes_counts sl_notes_line_counts(sl_notes_line *line);

/* Lets every channel go (controller 123): writes SL_NOTES_LET_GO_BYTES. */
enum { SL_NOTES_LET_GO_BYTES = 16 * SL_NOTES_MESSAGE_BYTES };
void sl_notes_let_go_all(uint8_t bytes[SL_NOTES_LET_GO_BYTES]);

#endif
