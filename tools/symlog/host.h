/* What the machine gives: memory, the database's place, the program's version. */
#ifndef SL_TOOLS_HOST_H
#define SL_TOOLS_HOST_H

#include "core/err.h"
#include "core/memory.h"
#include "core/reduce.h"
#include "store/log.h"
#include "store/snapshots.h"

#define SL_PROGRAM_VERSION "symlog 0.1.0"

enum { SL_HOST_DIR_BYTES = 4096 /* a folder's path, NUL included */ };

/* malloc, realloc, free. Any thread. */
sl_memory sl_host_memory(void);

/* The database folder: `option` (--db) if not NULL, else $SYMLOG_DB, else $XDG_DATA_HOME/symlog/default, else
 * ~/.local/share/symlog/default. Returns false, with a sentence in errmsg, where none of them can be told. */
bool sl_host_db_dir(const char *option, char *dir, size_t dir_size, char errmsg[256]);

/* The path of `name` in the folder of the running program. False: it cannot be told, or is too long. */
bool sl_host_beside(const char *name, char *path, size_t size);

/* Parses "[ADDR:]PORT" (an IPv4 address; `address` keeps its content when there is none). False: not of that form. */
bool sl_host_endpoint(const char *text, char *address, size_t address_size, uint16_t *port);

/* Opens the log in the folder that `option` names (as sl_host_db_dir) for reading. On failure prints nothing, fills
 * errmsg with what happened and what to do. The caller closes it. */
sl_err sl_host_open_log(const char *option, sl_log **log, char errmsg[256]);

/* The sentence for an sl_log_read that failed with `err` (not SL_ERR_END). */
void sl_host_read_error(const sl_log_reader *reader, sl_err err, char errmsg[256]);

/* The snapshots beside a log that sl_host_open_log opened, for reading; NULL where there are none, or none that can be
 * read, which is then said on standard error. The caller closes them. */
sl_snapshots *sl_host_open_snapshots(const char *option, const sl_log *log);

/* Makes the state after event `seq` of a log that sl_host_open_log opened, or the nearest one before it: from the
 * snapshots beside the log, where there are some (a bad one is told of on standard error), else from its beginning. For
 * commands, which only read. Errors as sl_nearest_state. The caller destroys the state. */
sl_err sl_host_nearest(const char *option, sl_log *log, uint64_t seq, sl_state **state, char errmsg[256]);

/* Opens the log that `option` names for reading and makes the state after its last event. For commands. On failure
 * prints nothing, fills errmsg. The caller destroys both. */
sl_err sl_host_replay(const char *option, sl_log **log, sl_state **state, char errmsg[256]);

#endif
