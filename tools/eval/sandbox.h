/*
 * The walls around somebody's code: limits of the process, and on Linux a filter of system calls that leaves memory,
 * threads of this process, and the streams that are open already. Knows no JavaScript.
 *
 * Elsewhere than on Linux only the limits stand.
 */
#ifndef SL_TOOLS_EVAL_SANDBOX_H
#define SL_TOOLS_EVAL_SANDBOX_H

#include <stdbool.h>

enum {
    SL_SANDBOX_CPU_SECONDS = 2,
    SL_SANDBOX_ADDRESS_GIB = 12 /* the engine reserves gigabytes and uses few; below 6 it does not start */
};

/* At the process's beginning: dies with its parent, gains no privileges, closes all but the standard streams, limits
 * CPU, address space, files (none is written; no core), open files. False: the system refused. */
bool sl_sandbox_limit(void);

/* Then, for good and for all threads: every system call but the few that the engine needs fails with EPERM: no file is
 * opened, no socket, process or clock-bound timer made, no other process signalled. True elsewhere than on Linux. */
bool sl_sandbox_enter(void);

#endif
