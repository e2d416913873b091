/*
 * What serve says while it runs: a line for each occurrence, and on a terminal one status line below them that is drawn
 * again and again. Nothing here ever waits: lines that a stopped terminal or a full pipe cannot take are left out, and
 * counted.
 *
 * Lines read "what key=value key=value"; sl_status_say may be called by any thread, the rest by the service thread.
 */
#ifndef SL_TOOLS_STATUS_H
#define SL_TOOLS_STATUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_STATUS_LINE_BYTES = 1024 };

typedef struct sl_figures {
    uint64_t now_ns; /* any clock that only goes forward */
    uint64_t events; /* in the log */
    size_t sources;
    size_t subscribers;
    uint64_t gaps;
    uint64_t dropped;         /* by the kernel, or because the ring was full */
    size_t ports;             /* of the groove box, open */
    uint64_t frames_in;       /* of them, since the start, as the next two */
    uint64_t frames_out;
    uint64_t frames_refused;  /* or not sent */
    const char *stale_reason; /* NULL: the project is up to date */
} sl_figures;

typedef struct sl_status {
    int fd;           /* Immutable. */
    bool is_terminal; /* Immutable. */
    pthread_mutex_t lock;
    char line[SL_STATUS_LINE_BYTES]; /* the status line; under the lock, as is the next */
    uint64_t lines_lost;
    uint64_t drawn_ns; /* Service thread, and so are the next three. */
    uint64_t rate_ns;
    uint64_t rate_events;
    uint64_t rate; /* events a second */
} sl_status;

/* `fd` is where it writes: standard output. */
void sl_status_open(sl_status *status, int fd);

/* Wipes the status line. */
void sl_status_close(sl_status *status);

/* Writes one line, cut at SL_STATUS_LINE_BYTES. Any thread. */
void sl_status_say(sl_status *status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Draws the status line, at most four times a second, and only on a terminal. */
void sl_status_draw(sl_status *status, const sl_figures *figures);

#endif
