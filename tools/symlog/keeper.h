/*
 * When a snapshot is due, and taking one: every so many events, or bytes of their payloads, whichever is first. So the
 * way from a snapshot to any moment after it is bounded.
 */
#ifndef SL_TOOLS_KEEPER_H
#define SL_TOOLS_KEEPER_H

#include "core/err.h"
#include "core/event.h"
#include "core/reduce.h"
#include "store/snapshots.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_KEEPER_EVERY_EVENTS = 100000, SL_KEEPER_EVERY_BYTES = 64 << 20 };

/* What has come since the last snapshot. */
typedef struct sl_keeper {
    uint64_t every_events;
    uint64_t events;
    uint64_t bytes; /* of payloads */
} sl_keeper;

/* Counts an event; true when a snapshot of the state after it is due: then it counts anew. */
bool sl_keeper_see(sl_keeper *keeper, const sl_event *event);

/* Puts a snapshot of the state among `snapshots`. SL_ERR_MEMORY, and sl_snapshots_put's errors. */
sl_err sl_keeper_take(sl_snapshots *snapshots, sl_state *state);

#endif
