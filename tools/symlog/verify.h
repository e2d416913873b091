/* The checks of `symlog verify`, in a process that may not survive them. */
#ifndef SL_TOOLS_VERIFY_H
#define SL_TOOLS_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

/* How far the checks have come; in memory shared with the parent, which reads it when the child has ended. */
typedef struct sl_verify_trace {
    volatile uint64_t reading_seq; /* the event that is being read; 0: the log is being opened */
    volatile uint64_t first_bad;   /* damaged before that one; 0: none */
    volatile bool is_applying;     /* it was read well, and is being applied */
    volatile bool is_listing;      /* all that is done; LMDB's free pages are being looked at */
    volatile bool is_done;         /* the verdict was printed */
} sl_verify_trace;

/* Checks the log in the folder that `db` names and prints the verdict. Returns the exit status. */
int sl_verify_run(const char *db, sl_verify_trace *trace);

/* Says of a log that LMDB cannot open, because of `how`, which event is the first that stands nowhere in its file.
 * Returns the exit status. */
int sl_verify_pages(const char *db, const char *how);

/* Says of a log that every event can be read, but none be recorded, because of `how`. Returns the exit status. */
int sl_verify_free_pages(const char *how);

#endif
