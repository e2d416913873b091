/*
 * A state near a moment: what a snapshot holds, or the log's beginning; so that reaching the moment costs the distance
 * between two snapshots, wherever it lies.
 */
#ifndef SL_TOOLS_NEAREST_H
#define SL_TOOLS_NEAREST_H

#include "core/err.h"
#include "core/reduce.h"
#include "store/log.h"
#include "store/snapshots.h"

#include <stdbool.h>

/* Where states come from. */
typedef struct sl_nearest {
    sl_log *log;
    sl_snapshots *snapshots; /* NULL: there are none */
    /* Told of a snapshot that is bad, and passed over; may be NULL. Called in the thread that asks. */
    void (*report)(void *ctx, uint64_t seq, const char *reason);
    void *ctx;
} sl_nearest;

/* Makes the state after event `seq` (>= 0), or the one nearest before it that can be had: that of the newest snapshot
 * whose digest proves it, else the log's beginning. The next event to be applied is sl_state_seq + 1; the caller
 * destroys the state. SL_ERR_RANGE: the log begins after `seq`; others as sl_beginning_state. `errmsg` gets a sentence.
 * Any thread. */
sl_err sl_nearest_state(const sl_nearest *from, uint64_t seq, sl_state **state, char errmsg[256]);

/* Makes the state after event `seq`: the nearest one, and the events between applied. SL_ERR_END: the log ends before
 * `seq`, or *is_cancelled (may be NULL) has become true. Others as above, and sl_log_read's. */
sl_err sl_nearest_reach(const sl_nearest *from, uint64_t seq, const _Atomic bool *is_cancelled, sl_state **state,
                        char errmsg[256]);

/* Reads the snapshot of event `seq` and proves it. SL_ERR_NOT_FOUND: there is none; SL_ERR_CORRUPT, _MALFORMED,
 * _VERSION: it is bad; SL_ERR_MEMORY. */
sl_err sl_nearest_load(sl_snapshots *snapshots, uint64_t seq, sl_state **state);

#endif
