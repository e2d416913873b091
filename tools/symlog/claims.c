/* Collecting checkpoints. */
#include "tools/symlog/claims.h"

#include <stdlib.h>

static int compare(const void *a, const void *b);

sl_err sl_claims_see(sl_claims *claims, const sl_event *event)
{
    sl_claim claim = {.seq = event->seq};
    if (event->kind != SL_KIND_CHECKPOINT) return SL_OK;
    if (sl_checkpoint_decode(event, &claim.checkpoint) != SL_OK) {
        claims->unreadable++; /* it proves nothing, and is no damage: its checksum fits */
        return SL_OK;
    }
    if (claims->count == claims->capacity) {
        const size_t capacity = claims->capacity > 0 ? 2 * claims->capacity : 64;
        void *grown = realloc(claims->items, capacity * sizeof claim);
        if (grown == NULL) return SL_ERR_MEMORY;
        claims->items = grown;
        claims->capacity = capacity;
    }
    claims->items[claims->count++] = claim;
    return SL_OK;
}

void sl_claims_sort(sl_claims *claims)
{
    if (claims->count > 0) qsort(claims->items, claims->count, sizeof(sl_claim), compare);
}

static int compare(const void *a, const void *b)
{
    const sl_claim *left = a;
    const sl_claim *right = b;
    const uint64_t left_seq = left->checkpoint.through_seq;
    const uint64_t right_seq = right->checkpoint.through_seq;
    return (left_seq > right_seq) - (left_seq < right_seq);
}

void sl_claims_clear(sl_claims *claims)
{
    free(claims->items);
    *claims = (sl_claims){0};
}
