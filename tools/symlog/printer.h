/*
 * Where a command's output goes: standard output or a file, line by line. Whoever stops reading (`symlog replay |
 * head`) ends the command quietly; a disk that is full ends it with a message.
 */
#ifndef SL_TOOLS_PRINTER_H
#define SL_TOOLS_PRINTER_H

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct sl_printer {
    FILE *file;
    size_t columns; /* of the terminal that this is; 0: it is none */
    int error;      /* errno of the first write that failed; 0: none did */
    bool is_new;    /* the file was not there before */
} sl_printer;

/* Standard output. */
sl_printer sl_printer_stdout(void);

/* A new file at `path` (one that is there is never overwritten), or standard output for "-". False: it cannot be
 * opened, errno says why. */
bool sl_printer_open(sl_printer *printer, const char *path);

/* True if people read along: long work then shows no progress, which would be mixed into it. */
bool sl_printer_is_terminal(const sl_printer *printer);

/* Each writes all of it and returns false when writing has failed, now or earlier: time to stop. */
bool sl_print_bytes(sl_printer *printer, const void *bytes, size_t length);
bool sl_print_line(sl_printer *printer, const sl_text *line);        /* and a newline */
bool sl_print_screen_line(sl_printer *printer, const sl_text *line); /* on a terminal cut to its width, dots for what
                                                                        would move its cursor or turn the line */

/* Sends on what was written so far. Also false when the reader of a pipe has left, though nothing is to be written. */
bool sl_printer_flush(sl_printer *printer);

/* Flushes, closes what was opened, and returns the exit status of the command `name`: `status`, unless writing failed
 * for another reason than that the reader has left, which is then said. */
int sl_printer_close(sl_printer *printer, const char *name, int status);

#endif
