/*
 * The state that stands for what a prune deletes. It is the one thing that can never be made again, so no snapshot is
 * believed here: the log's own checkpoints must prove the state on its way, or it is made from the beginning.
 */
#ifndef SL_TOOLS_PRUNE_H
#define SL_TOOLS_PRUNE_H

#include "core/err.h"
#include "core/text.h"
#include "tools/symlog/nearest.h"

#include <stdint.h>

/* Appends to `payload` that of a base event with which the log may begin at event `before`. SL_ERR_RANGE: it begins
 * there or later already, or ends before `before` - 1; SL_ERR_REFUSED: a checkpoint says otherwise; SL_ERR_END:
 * cancelled; others as sl_nearest_reach. `errmsg` gets a sentence. Any thread. */
sl_err sl_prune_make_base(const sl_nearest *from, uint64_t before, const _Atomic bool *is_cancelled, sl_text *payload,
                          char errmsg[256]);

#endif
