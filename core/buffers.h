/*
 * The texts of live code that the state keeps: edits that have no answer yet, and of each named buffer the text that
 * was accepted last. So whoever evaluates an edit knows what was defined before it, and after a restart what is still
 * to be answered. Part of the state's digest and bytes; a log without live code has none.
 *
 * A `code` event waits until a `score` or a `refused` (version 2) with its number comes. With a score that the schedule
 * took, the text becomes its buffer's; the unnamed buffer "" is none. The bounds below hold for each of the two lists:
 * what is longer than SL_BUFFER_BYTES_MAX is not kept at all, and the oldest go where there are too many.
 */
#ifndef SL_CORE_BUFFERS_H
#define SL_CORE_BUFFERS_H

#include "core/live_code.h"
#include "core/reduce.h"

enum {
    SL_BUFFERS_MAX = 64,           /* texts in a list … */
    SL_BUFFER_BYTES_MAX = 1 << 20, /* … of this length each … */
    SL_BUFFERS_BYTES_MAX = 4 << 20 /* … and this together */
};

/* A `code` event. Views, valid until the next sl_reduce. */
typedef struct sl_code_text {
    uint64_t seq;    /* of the event */
    uint32_t source; /* that sent it */
    sl_code code;
} sl_code_text;

/* The edits that have no answer yet, oldest first: index 0 …; false at the end. */
bool sl_state_pending_code(const sl_state *state, size_t index, sl_code_text *out);

/* The named buffers, in the order in which their present texts were accepted: evaluated one after the other they define
 * what a new text may use. Likewise. */
bool sl_state_buffer(const sl_state *state, size_t index, sl_code_text *out);

/* When the newest `applied` mark was logged, in ns since 1970: the wall clock of the last start event and the mark's
 * time since. 0: there is none. A new player begins at the mark's frame and the time that has passed since then. */
int64_t sl_state_mark_wall_ns(const sl_state *state);

#endif
