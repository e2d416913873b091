/*
 * Where applying a log's events begins: with an empty state before event 1, or, in a log that was pruned, with the
 * state that its newest base holds.
 */
#ifndef SL_TOOLS_BEGINNING_H
#define SL_TOOLS_BEGINNING_H

#include "core/err.h"
#include "core/reduce.h"
#include "store/log.h"

/* Makes that state; the first event to be applied is sl_state_seq + 1. The caller destroys it. A base made by another
 * reducer is of no use: the log then begins with event 1 as long as that is stored, and else SL_ERR_VERSION says which
 * version is needed. SL_ERR_CORRUPT, SL_ERR_MALFORMED, SL_ERR_GAP: the base is damaged; SL_ERR_MEMORY and sl_log_read's
 * others. `errmsg` gets a sentence that says what to do. Any thread. */
sl_err sl_beginning_state(sl_log *log, sl_state **state, char errmsg[256]);

#endif
