/*
 * How serve takes up a log: opens it for writing, applies every event in it to a new state (which checks them all), and
 * appends the `start` event from which times are counted anew.
 */
#ifndef SL_TOOLS_OPENING_H
#define SL_TOOLS_OPENING_H

#include "core/err.h"
#include "core/reduce.h"
#include "core/sink.h"
#include "store/log.h"
#include "tools/symlog/settle.h"

#include <signal.h>
#include <stdint.h>

typedef struct sl_opening_options {
    const char *dir;
    sl_durability durability;
    const char *options;                 /* the command line's, one line without secrets: for the start event */
    const volatile sig_atomic_t *signal; /* not 0: give up */
} sl_opening_options;

typedef struct sl_opening {
    sl_log *log;
    sl_state *state;   /* after every event but the start event */
    sl_settle settle;  /* runs that the last serve left open */
    uint64_t start_ns; /* sl_clock_boot_ns at which time_ns is 0 */
} sl_opening;

/* Opens, applies, appends. On failure `errmsg` gets a sentence that says what to do, and nothing stays open.
 * SL_ERR_BUSY: another serve has the log; SL_ERR_END: the signal came; what sl_log_open, sl_log_read and sl_log_append
 * return. */
sl_err sl_opening_open(sl_opening *opening, const sl_opening_options *options, char errmsg[256]);

/* Frees the state and closes the log. */
void sl_opening_close(sl_opening *opening);

/* A sink that appends at once, for when there is no committer. ctx is the log. */
sl_sink sl_opening_sink(sl_log *log);

#endif
