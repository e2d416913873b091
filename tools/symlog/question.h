/*
 * What is asked of the past of the log, and answered by the worker: plain data that goes from rpc.c to worker.c and
 * back.
 */
#ifndef SL_TOOLS_QUESTION_H
#define SL_TOOLS_QUESTION_H

#include "core/err.h"
#include "core/text.h"

#include <stdint.h>

typedef enum sl_question_type {
    SL_QUESTION_STATE_AT, /* the tree after event `through` */
    SL_QUESTION_HISTORY,  /* the messages that the events from `from` to `through` gave */
    SL_QUESTION_PRUNE,    /* let the log begin with event `from` */
    SL_QUESTION_SNAPSHOT  /* keep the state after event `through`; no answer */
} sl_question_type;

typedef struct sl_question {
    sl_question_type type;
    uint64_t from;
    uint64_t through;
    uint64_t ticket; /* comes back with the answer */
} sl_question;

typedef struct sl_answer {
    uint64_t ticket;
    sl_err err;       /* SL_OK: `result` */
    sl_text result;   /* JSON; whoever takes the answer closes it */
    char reason[256]; /* else why there is none: a sentence */
} sl_answer;

#endif
