/*
 * One evaluation of live code: starts symlog-eval (tools/eval), which stands beside the running program, gives it the
 * buffers, watches its time and memory, and believes nothing of what it answers before it is checked.
 *
 * Buffers in TypeScript pass through esbuild first, where it is installed.
 */
#ifndef SL_TOOLS_EVALUATION_H
#define SL_TOOLS_EVALUATION_H

#include "core/live_code.h"
#include "tools/symlog/child.h"

#include <stdatomic.h>

enum {
    SL_EVALUATION_TIME_MS_MAX = 2000,
    SL_EVALUATION_MEMORY_MB_MAX = 256, /* resident */
    SL_EVALUATION_BUFFERS_MAX = 64,
    SL_EVALUATION_SOURCE_BYTES_MAX = 1 << 20,  /* of a buffer */
    SL_EVALUATION_SOURCES_BYTES_MAX = 4 << 20, /* of all */
    SL_EVALUATION_MESSAGE_BYTES = 1024
};

typedef struct sl_evaluation_buffer {
    const char *name;
    size_t name_length; /* at most SL_SCORE_NAME_BYTES_MAX */
    const char *source;
    size_t source_length;
    uint8_t language; /* an sl_language */
} sl_evaluation_buffer;

typedef struct sl_evaluation_request {
    const sl_evaluation_buffer
        *buffers;                    /* in the order of evaluation; the last one is the new one, whose tracks count */
    size_t buffer_count;             /* 1 to SL_EVALUATION_BUFFERS_MAX */
    uint64_t code_seq;               /* goes into the score */
    uint8_t quantize;                /* likewise; SL_QUANTIZE_DEFAULT: as the code's LiveSession says, if it does */
    const atomic_bool *is_cancelled; /* set by any thread: it ends in 10 ms, or with a track's notes; NULL: never */
    sl_child *ready;                 /* a process of sl_evaluation_prepare, which is used up; NULL: one is started */
} sl_evaluation_request;

typedef struct sl_evaluation_result {
    uint8_t *score;      /* the payload of a score event, checked: it can be applied. NULL: there is none */
    size_t score_length; /* bytes */
    char message[SL_EVALUATION_MESSAGE_BYTES]; /* why there is none, for a person */
    uint32_t line;                             /* in the new buffer's own text, both from 1; 0: unknown */
    uint32_t column;
    char *printed; /* lines for a person: what the code printed, and which earlier buffers failed now and were left
                      out; NULL: none */
} sl_evaluation_result;

/* Evaluates, in 10 to 30 ms; at most 2 s each for the types of a buffer in TypeScript, for the code, and for its notes.
 * Fills the result, which the caller frees in any case with sl_evaluation_free. SL_ERR_REFUSED: the code is at fault
 * (message, line and column say how); SL_ERR_IO: the process cannot be started or did not do its work (message);
 * SL_ERR_MEMORY; SL_ERR_END: it was cancelled. Any thread, several at once. Starts at most one process at a time, and
 * has reaped it when it returns. */
sl_err sl_evaluate(const sl_evaluation_request *request, sl_evaluation_result *result);

/* Starts the process for an evaluation to come, which then takes a third of the time: the engine is up, the walls are
 * closed. Passes over one that waits already. Where it cannot be started the evaluation will say so. It ends with the
 * calling thread; sl_child_drop ends it earlier. */
void sl_evaluation_prepare(sl_child *ready);

void sl_evaluation_free(sl_evaluation_result *result);

#endif
