/*
 * The messages that a stretch of the log gave, as subscribers had them (the same teller tells them): for the worker.
 */
#ifndef SL_TOOLS_HISTORY_H
#define SL_TOOLS_HISTORY_H

#include "core/err.h"
#include "tools/symlog/nearest.h"
#include "tools/symlog/question.h"

#include <stdint.h>

enum { SL_HISTORY_EVENTS_MAX = 10000, SL_HISTORY_BYTES_MAX = 8 << 20 /* whichever is reached first */ };

/* Writes {"from","to","messages":[…]} into answer->result: the messages of the events `from` … `through`, or of as many
 * as fit: "to" is the last event that is told of, so that asking goes on from "to" + 1.
 * SL_ERR_RANGE: the log does not have `from`; SL_ERR_END: cancelled; others as sl_nearest_reach. Then answer->reason is
 * set. */
sl_err sl_history_write(const sl_nearest *from_nearest, uint64_t from, uint64_t through,
                        const _Atomic bool *is_cancelled, sl_answer *answer);

#endif
