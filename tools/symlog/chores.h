/*
 * What serve appends by the clock: counters once a second when they changed, checkpoints, order_settled; and LMDB's
 * reader check. A checkpoint is due every so many events, and at a quiet moment after something that was not symlog's
 * own. The service thread's.
 */
#ifndef SL_TOOLS_CHORES_H
#define SL_TOOLS_CHORES_H

#include "core/reduce.h"
#include "core/sink.h"
#include "ingest/peers.h"
#include "ingest/udp.h"
#include "store/log.h"
#include "tools/symlog/groove_ports.h"
#include "tools/symlog/settle.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_CHORES_CHECKPOINT_EVERY = 4096 };

/* All zero to begin with, but for the first five. */
typedef struct sl_chores {
    sl_log *log;
    sl_state *state;
    uint64_t start_ns;         /* sl_clock_boot_ns at serve's start */
    uint64_t checkpoint_every; /* events */
    uint64_t kernel_drops;     /* besides those that `udp` counts: before this start */
    sl_sink sink;              /* the next four are set before the first tick */
    sl_peers *peers;
    const sl_udp *udp; /* NULL: stopped */
    sl_groove_ports *groove_ports;
    sl_settle settle;
    bool has_news;           /* something that was not symlog's own came since the last checkpoint */
    uint64_t checkpoint_seq; /* the last one was of the state after this event */
    uint64_t event_ns;       /* when the last event was seen; by sl_clock_boot_ns, as all times here */
    uint64_t counters_ns;
    uint64_t reader_check_ns;
} sl_chores;

/* Looks at an event that the state has just taken; appends a checkpoint if one is due by number. */
void sl_chores_see(sl_chores *chores, const sl_event *event);

/* Does what is due by the clock. Returns when it wants to be called again, in nanoseconds. */
uint64_t sl_chores_tick(sl_chores *chores);

/* At the end: a checkpoint if there was news, and the last counters. The state must have taken the whole log. */
void sl_chores_finish(sl_chores *chores);

#endif
