/*
 * A child process that is given some bytes, gives some back, and is watched: for time, resident memory, and whether
 * anybody still wants its answer. Knows nothing of code.
 */
#ifndef SL_TOOLS_CHILD_H
#define SL_TOOLS_CHILD_H

#include "core/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sl_child_job {
    const char *path;        /* the program; looked for in PATH if there is no '/' in it */
    const char *const *argv; /* ends with NULL */
    const uint8_t *in;       /* its standard input */
    size_t in_length;
    size_t out_max;                  /* bytes of its standard output; more is an error */
    uint64_t time_ms_max;            /* from when it is given the input to its end */
    uint64_t memory_mb_max;          /* resident; where the system does not tell, it is not watched */
    const atomic_bool *is_cancelled; /* or NULL */
} sl_child_job;

typedef enum sl_child_end {
    SL_CHILD_DONE,      /* it exited with status 0 */
    SL_CHILD_FAILED,    /* with another, or by a signal */
    SL_CHILD_TIME,      /* killed: it took too long */
    SL_CHILD_MEMORY,    /* killed: it used too much */
    SL_CHILD_OUTPUT,    /* killed: it said too much */
    SL_CHILD_CANCELLED, /* killed: nobody wants it */
    SL_CHILD_MISSING    /* there is no such program */
} sl_child_end;

typedef struct sl_child_result {
    sl_child_end end;
    int status;   /* as wait gives it; of DONE and FAILED */
    uint8_t *out; /* what it said, NUL-terminated; freed by the caller; NULL: nothing */
    size_t out_length;
    char error[256]; /* of SL_ERR_IO: what the system refused */
} sl_child_result;

/* A process that was started, and was not given anything yet. All zero: none. */
typedef struct sl_child {
    int pid; /* 0: there is none */
    int stream;
} sl_child;

/* Starts it, as sl_child_run; of the job, path and argv count. It lasts until sl_child_finish or sl_child_drop.
 * SL_ERR_IO: result->error says why; SL_ERR_NOT_FOUND: there is no such program. */
sl_err sl_child_start(sl_child *child, const sl_child_job *job, int with_errors, sl_child_result *result);

/* True if it still waits for its input; one that has ended is reaped, and is none from now on. */
bool sl_child_waits(sl_child *child);

/* Gives it the job's input, and goes on as sl_child_run; the child is none afterwards. */
sl_err sl_child_finish(sl_child *child, const sl_child_job *job, sl_child_result *result);

/* Ends it; none is passed over. */
void sl_child_drop(sl_child *child);

/* Runs it, in a process group of its own and with an empty environment; standard error goes to its
 * standard output if `with_errors`, else nowhere. Returns when it has ended and was reaped. SL_ERR_IO, SL_ERR_MEMORY:
 * it did not run. Any thread. */
sl_err sl_child_run(const sl_child_job *job, int with_errors, sl_child_result *result);

#endif
