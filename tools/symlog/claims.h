/*
 * The checkpoints of a stretch of the log, in the order of the events that they tell of: each tells of a state that
 * lies before it, so they are collected first and compared as the events are applied.
 */
#ifndef SL_TOOLS_CLAIMS_H
#define SL_TOOLS_CLAIMS_H

#include "core/err.h"
#include "core/payload.h"

#include <stddef.h>
#include <stdint.h>

/* A checkpoint as it stands in the log. */
typedef struct sl_claim {
    uint64_t seq; /* of the checkpoint */
    sl_checkpoint checkpoint;
} sl_claim;

/* All zero to begin with. */
typedef struct sl_claims {
    sl_claim *items;
    size_t count;
    size_t capacity;
    uint64_t unreadable; /* checkpoint events whose payload says nothing to this version */
} sl_claims;

/* Takes the event if it is a checkpoint. SL_ERR_MEMORY. */
sl_err sl_claims_see(sl_claims *claims, const sl_event *event);

/* By the event that each tells of. */
void sl_claims_sort(sl_claims *claims);

void sl_claims_clear(sl_claims *claims);

#endif
