/*
 * How serve takes up a log: opens it and its snapshots for writing, starts from the newest snapshot, applies (and so
 * checks) every event after it, and appends the `start` event from which times are counted anew. Snapshots that are
 * missing on the way are taken.
 */
#ifndef SL_TOOLS_OPENING_H
#define SL_TOOLS_OPENING_H

#include "core/err.h"
#include "core/reduce.h"
#include "core/sink.h"
#include "store/log.h"
#include "store/snapshots.h"
#include "tools/symlog/settle.h"
#include "tools/symlog/status.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct sl_opening_options {
    const char *dir;
    sl_durability durability;
    const char *options;                 /* the command line's, one line without secrets: for the start event */
    uint64_t snapshot_every;             /* events; SL_KEEPER_EVERY_EVENTS */
    const volatile sig_atomic_t *signal; /* not 0: give up */
    sl_status *status;                   /* is told what is wrong with the snapshots */
} sl_opening_options;

typedef struct sl_opening {
    sl_log *log;
    sl_snapshots *snapshots; /* NULL: they cannot be written, which has been said */
    sl_state *state;         /* after every event but the start event */
    sl_settle settle;        /* runs that the last serve left open */
    uint64_t start_ns;       /* sl_clock_boot_ns at which time_ns is 0 */
    bool is_pruning;         /* the last serve did not come to delete all that lies below the newest base */
} sl_opening;

/* Opens, applies, appends. On failure `errmsg` gets a sentence that says what to do, and nothing stays open.
 * SL_ERR_BUSY: another serve has the log; SL_ERR_END: the signal came; what sl_log_open, sl_log_read and sl_log_append
 * return. */
sl_err sl_opening_open(sl_opening *opening, const sl_opening_options *options, char errmsg[256]);

/* Frees the state and closes snapshots and log. */
void sl_opening_close(sl_opening *opening);

/* A sink that appends at once, for when there is no committer. ctx is the log. */
sl_sink sl_opening_sink(sl_log *log);

#endif
