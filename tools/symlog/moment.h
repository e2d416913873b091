/*
 * Moments of a log as people name them: a sequence number, a time, a mark; and the sequence number that they stand for.
 *
 *   57                          the event of that number
 *   2025-11-08T21:30:05         ISO 8601: a date, or a date and a time to the minute, second or fraction; local, unless
 *                               a zone follows (Z, +02:00). Reckoned by each start event's wall clock + time_ns; where
 *                               two runs cover the same time (the clock was set back) the later one is meant
 *   +90, +1.5                   seconds after the log's first start; where that was pruned, after the start of the
 *                               run in which the log begins
 *   chorus, mark:57             the last mark with exactly this text
 */
#ifndef SL_TOOLS_MOMENT_H
#define SL_TOOLS_MOMENT_H

#include "core/err.h"
#include "store/log.h"

#include <stdint.h>

typedef enum sl_moment_type {
    SL_MOMENT_SEQ,
    SL_MOMENT_WALL,  /* Unix time */
    SL_MOMENT_SINCE, /* since the first start */
    SL_MOMENT_MARK
} sl_moment_type;

typedef struct sl_moment {
    sl_moment_type type;
    uint64_t seq;     /* SEQ */
    int64_t ns;       /* WALL, SINCE */
    const char *mark; /* MARK: a view into the text that was read */
} sl_moment;

/* Events of a log, both ends included; none when from > through. */
typedef struct sl_range {
    uint64_t from;    /* >= 1 */
    uint64_t through; /* UINT64_MAX: to the end, also as it grows */
} sl_range;

/* Which side of a moment is asked for. */
typedef enum sl_moment_edge {
    SL_MOMENT_FROM,   /* the first event not before it; one above the last if all are */
    SL_MOMENT_THROUGH /* the last event not after it; 0 if all are after it */
} sl_moment_edge;

/* Reads a moment. SL_ERR_MALFORMED: empty text, or an empty mark; SL_ERR_RANGE: a number too big for a moment. What is
 * neither a number nor a time is a mark. Local time is the machine's (TZ). */
sl_err sl_moment_parse(const char *text, sl_moment *out);

/* The event that a moment stands for. A sequence number is taken as it is (0 is before the first), anything else needs
 * a pass over the log. SL_ERR_NOT_FOUND: no such mark; other errors are the log's. `errmsg` gets a sentence. */
sl_err sl_moment_find(sl_log *log, const sl_moment *moment, sl_moment_edge edge, uint64_t *seq, char errmsg[256]);

/* Where in the log's time the moment that `text` names lies, also between two events: *seq is the last event not after
 * it (the first, if all are), *time_ns what that event's run had reached by then. Errors as sl_moment_range,
 * SL_ERR_RANGE: the log has no such event. `errmsg` gets a sentence. */
sl_err sl_moment_place(sl_log *log, const char *text, uint64_t *seq, uint64_t *time_ns, char errmsg[256]);

/* The events from `from` to `to`, texts of moments; NULL: from the first, to the end. What was pruned is left out.
 * Errors of both functions above, always with a sentence in `errmsg`. */
sl_err sl_moment_range(sl_log *log, const char *from, const char *to, sl_range *out, char errmsg[256]);

/* SL_ERR_RANGE, with a sentence in `errmsg`: no event of the log lies in the range. (Of what was pruned it says
 * nothing, and an empty log lacks every event.) Errors of the log. */
sl_err sl_moment_check(sl_log *log, const sl_range *range, char errmsg[256]);

#endif
