/*
 * The query worker: a thread that answers what is asked of the past of the log (stateAt, history), makes the base of a
 * prune, and takes the snapshots; so that none of it delays the feed. It reads the log and the snapshots like any other
 * reader, and keeps no state between questions.
 *
 * Questions are answered one after the other. At most SL_WORKER_QUESTIONS_MAX wait, answers that nobody has taken yet
 * included; the next is refused.
 */
#ifndef SL_TOOLS_WORKER_H
#define SL_TOOLS_WORKER_H

#include "core/err.h"
#include "core/sink.h"
#include "store/log.h"
#include "store/snapshots.h"
#include "tools/symlog/question.h"
#include "tools/symlog/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_WORKER_QUESTIONS_MAX = 32 };

typedef struct sl_worker sl_worker;

typedef struct sl_worker_options {
    sl_log *log;
    sl_snapshots *snapshots; /* NULL: none are read or taken. Nobody else writes them until sl_worker_stop */
    sl_status *status;
    sl_sink sink;              /* takes the base of a prune */
    uint64_t start_ns;         /* sl_clock_boot_ns at which time_ns is 0 */
    void (*wake)(void *ctx);   /* Worker's thread: there is an answer to be taken. */
    void (*pruned)(void *ctx); /* Worker's thread: a base is committed, what lies below it may be deleted. */
    void *ctx;
} sl_worker_options;

/* Starts the thread. The options are copied; what they point to must stay until sl_worker_stop. SL_ERR_MEMORY,
 * SL_ERR_IO. */
sl_err sl_worker_start(sl_worker **out, const sl_worker_options *options);

/* Breaks off what is being done and forgets what waits. NULL is passed over. */
void sl_worker_stop(sl_worker *worker);

/* Puts a question. SL_ERR_FULL: too many wait; SL_ERR_MEMORY. Any thread. */
sl_err sl_worker_ask(sl_worker *worker, const sl_question *question);

/* Takes an answer, oldest first; false: there is none. The caller closes answer->result. Any thread. */
bool sl_worker_take(sl_worker *worker, sl_answer *answer);

#endif
