/*
 * Has edits of live code evaluated, one after the other, in a thread of its own: a sandboxed process each
 * (evaluation.h). What comes of it is appended: a `score` event, or a `refused` one that says why not.
 *
 * From the first edit on, the process for the next one waits ready: one process an edit, started before it is needed.
 *
 * It keeps no queue: edits that wait stand in the state, until their answer does.
 *
 * All functions are the service thread's.
 */
#ifndef SL_TOOLS_EVALUATOR_H
#define SL_TOOLS_EVALUATOR_H

#include "core/err.h"
#include "core/live_code.h"
#include "core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sl_evaluator sl_evaluator;

/* Starts the thread. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_evaluator_start(sl_evaluator **out, sl_sink sink, uint64_t start_ns);

/* Breaks off what is being evaluated: it stays without an answer, and is evaluated at the next start. NULL is passed
 * over. */
void sl_evaluator_stop(sl_evaluator *evaluator);

/* True while it can be given an edit: it put the answer to the last one into the sink. */
bool sl_evaluator_is_idle(const sl_evaluator *evaluator);

/* True if the last edit's answer could not be put: memory ran out, or the queue stayed full for ten seconds. It may be
 * given again. */
bool sl_evaluator_has_failed(const sl_evaluator *evaluator);

/* Evaluates the edit that is event `code_seq`, in the scope of the `earlier` ones. All are copied. The evaluator must
 * be idle. SL_ERR_MEMORY. */
sl_err sl_evaluator_give(sl_evaluator *evaluator, uint64_t code_seq, const sl_code *code, const sl_code *earlier,
                         size_t earlier_count);

/* What the edit of event `code_seq` printed, and which earlier buffers failed with it: lines for a person, the caller's
 * to free. NULL: nothing, or others were evaluated since. */
char *sl_evaluator_take_printed(sl_evaluator *evaluator, uint64_t code_seq);

#endif
