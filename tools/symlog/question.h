/*
 * What cannot be answered at once: plain data that goes from rpc.c to who knows (the worker, for the past of the log;
 * live_edits.c, for an edit of live code) and back.
 */
#ifndef SL_TOOLS_QUESTION_H
#define SL_TOOLS_QUESTION_H

#include "core/err.h"
#include "core/live_code.h"
#include "core/text.h"

#include <stdint.h>

typedef enum sl_question_type {
    SL_QUESTION_STATE_AT, /* the tree after event `through` */
    SL_QUESTION_HISTORY,  /* the messages that the events from `from` to `through` gave */
    SL_QUESTION_PRUNE,    /* let the log begin with event `from` */
    SL_QUESTION_SNAPSHOT, /* keep the state after event `through`; no answer */
    SL_QUESTION_EVAL      /* evaluate `code` */
} sl_question_type;

typedef struct sl_question {
    sl_question_type type;
    uint64_t from;
    uint64_t through;
    uint64_t ticket; /* comes back with the answer */
    sl_code code;    /* its texts are valid while the question is put */
} sl_question;

typedef struct sl_answer {
    uint64_t ticket;
    sl_err err;       /* SL_OK: `result` */
    sl_text result;   /* JSON; whoever takes the answer closes it */
    char reason[256]; /* else why there is none: a sentence */
} sl_answer;

#endif
