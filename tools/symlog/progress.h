/* The bar of long work, on standard error, and only where that is a terminal. */
#ifndef SL_TOOLS_PROGRESS_H
#define SL_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_progress {
    const char *verb; /* "checking" */
    uint64_t total;   /* 0: not known, then only the count is shown */
    uint64_t shown_ns;
    bool is_on;
    bool is_shown; /* there is something on the screen to be wiped */
} sl_progress;

/* `verb` is kept. `is_wanted` false: shows nothing, ever. */
sl_progress sl_progress_begin(const char *verb, uint64_t total, bool is_wanted);

/* Tells that `done` of the total is done; draws at most ten times a second. Cheap enough for every event. */
void sl_progress_show(sl_progress *progress, uint64_t done);

/* The same for who looks seldom by himself: draws at once. */
void sl_progress_draw(sl_progress *progress, uint64_t done);

/* Wipes the bar, so that what follows stands on a clean line. */
void sl_progress_end(sl_progress *progress);

#endif
