/*
 * The marks of a log: from which frame on a player counted what, as it stands once late marks have voided those before
 * them; and where the sound began anew. Read in one pass, before what is computed from them.
 */
#ifndef SL_TOOLS_LOG_MARKS_H
#define SL_TOOLS_LOG_MARKS_H

#include "core/err.h"
#include "store/log.h"
#include "tools/symlog/moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An `applied` event. */
typedef struct sl_log_mark {
    uint64_t seq;
    uint64_t frame; /* up to which what sounded before it counts: its own, or that of the last of those that came
                       instead of it because it was late; never below the mark's before */
    uint64_t time_ns;
    uint32_t rate;
    bool is_late;
    bool is_beginning; /* the renderer begins from silence with it: the first behind a start, or another rate */
} sl_log_mark;

typedef struct sl_log_marks {
    sl_log_mark *items; /* by seq */
    size_t count;
    size_t capacity;
    uint64_t *starts; /* the start events' numbers */
    size_t start_count;
    size_t start_capacity;
    uint64_t end_frame;  /* as far as time had gone, or sound was heard, by the last event; 0: there is no mark */
    uint64_t first_lost; /* the first event that a repair could not save; 0: none */
} sl_log_marks;

/* Reads the marks of the events of `range`, or up to the log's end. `rate`: what the last mark before
 * those said; 0: there was none, or it counts no more: the first mark is a beginning. Errors of sl_log_read,
 * SL_ERR_MEMORY; `errmsg` gets a sentence. The caller clears `out`, whatever is returned. */
sl_err sl_log_marks_read(sl_log *log, sl_range range, uint32_t rate, sl_log_marks *out, char errmsg[256]);
void sl_log_marks_clear(sl_log_marks *marks);

/* Those of all the log's events up to `through`; a log that was pruned knows by its base whether it begins in the
 * middle of a sound. Errors of sl_host_nearest, too. */
sl_err sl_log_marks_read_all(const char *db, sl_log *log, uint64_t through, sl_log_marks *out, char errmsg[256]);

/* The last mark at or below event `seq`, or at or below a frame: its index + 1; 0: there is none. */
size_t sl_log_marks_at(const sl_log_marks *marks, uint64_t seq);
size_t sl_log_marks_at_frame(const sl_log_marks *marks, uint64_t frame);

/* The frame that was reached at `time_ns` in the run of event `seq`, which is the last one by then. Where that run had
 * no mark yet: the next mark's. */
uint64_t sl_log_marks_frame(const sl_log_marks *marks, uint64_t seq, uint64_t time_ns);

/* The number of the last `start` event at or below `seq`, and not below `first`; 0: there is none. Reads backwards, so
 * that it costs how far back that lies. Errors as above. */
sl_err sl_log_marks_last_start(sl_log *log, uint64_t first, uint64_t seq, uint64_t *start, char errmsg[256]);

#endif
