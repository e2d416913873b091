/* From a request to its answer: which buffers are fine, what the last one makes, what goes wrong and where. */
#ifndef SL_TOOLS_EVAL_BUFFERS_H
#define SL_TOOLS_EVAL_BUFFERS_H

#include "tools/eval/engine.h"

/* One evaluation. Texts of the answer are views into it and into the request. */
typedef struct sl_buffers {
    const sl_eval_request *request;
    sl_engine *engine;
    size_t used[SL_EVAL_BUFFERS_MAX]; /* indexes of the buffers that are still in it, in order */
    char *texts[SL_EVAL_BUFFERS_MAX]; /* theirs, as scripts, NUL-terminated; never freed: the process ends */
    size_t count;
    sl_engine_fault faults[SL_EVAL_BUFFERS_MAX]; /* of each buffer of the request */
} sl_buffers;

/* Fills the answer. The engine is new. */
void sl_buffers_run(sl_buffers *buffers, sl_engine *engine, const sl_eval_request *request, sl_eval_answer *answer);

#endif
