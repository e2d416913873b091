/*
 * How a port reaches what it is connected to: a file (midi_file) or a port of the system's MIDI service that has a name
 * (midi_named). One thread, the port's, calls all of it.
 */
#ifndef SL_INGEST_MIDI_WAY_H
#define SL_INGEST_MIDI_WAY_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SL_MIDI_WHY_BYTES = 160, SL_MIDI_LABEL_BYTES = 96 };

typedef struct sl_midi_way {
    void *ctx;
    /* Connects. SL_ERR_NOT_FOUND: there is nothing so named (yet); SL_ERR_IO, SL_ERR_REFUSED, SL_ERR_MEMORY. `why` gets
     * a sentence about it. */
    sl_err (*open)(void *ctx, char why[SL_MIDI_WHY_BYTES]);
    void (*close)(void *ctx);
    /* The descriptor that becomes readable when bytes have come, and writable (for a file) when there is room; -1: none
     * can ever come. While open. */
    int (*fd)(const void *ctx);
    bool (*can_write)(const void *ctx);
    /* Bytes read; 0: none now; -1: the connection is gone. */
    ssize_t (*read)(void *ctx, uint8_t *bytes, size_t capacity);
    /* Bytes written; 0: no room now; -1: the connection is gone. */
    ssize_t (*write)(void *ctx, const uint8_t *bytes, size_t length);
    /* Looked at now and then while open: false if the connection is gone. NULL: reading tells. */
    bool (*is_there)(void *ctx);
    void (*destroy)(void *ctx);
    size_t frame_bytes_max; /* it takes frames whole, so long at the most; 0: it takes them in pieces */
    unsigned open_every_ms; /* how often it is tried to open it, while that fails */
} sl_midi_way;

/* A raw MIDI device, pty or FIFO; opened when the port is. A FIFO is only read, so that its writers may come and go.
 * SL_ERR_MEMORY. */
sl_err sl_midi_file_create(const char *path, sl_midi_way *out);

/* The same to write to alone; so a FIFO too, as long as somebody reads it. */
sl_err sl_midi_file_create_out(const char *path, sl_midi_way *out);

/* The first port of the system's MIDI services (ALSA's sequencer, JACK) whose name contains `name`, each direction on
 * its own; midi_named.h lists them. SL_ERR_MEMORY. */
sl_err sl_midi_named_create(const char *name, sl_midi_way *out);

#endif
