/* A stretch of a log's sound as people name it, by moments: which frames it is, and at which rate. */
#ifndef SL_TOOLS_STRETCH_H
#define SL_TOOLS_STRETCH_H

#include "core/err.h"
#include "store/log.h"
#include "tools/symlog/log_marks.h"

#include <stdint.h>

typedef struct sl_stretch {
    uint64_t from_frame;
    uint64_t to_frame; /* above from_frame; may lie beyond the log's end */
    uint32_t rate;     /* of all of it */
    uint64_t last;     /* the log's last event */
    sl_log_marks marks;
} sl_stretch;

/* Finds it: from the moment `from` (NULL: the first mark) to `to` (NULL: as far as time had gone at the last event).
 * SL_ERR_NOT_FOUND: nothing was played in this log; SL_ERR_RANGE: nothing lies there, or it has several rates (the
 * sentence says where to cut), or one that the renderer cannot do. Errors of sl_moment_place and sl_log_marks_read_all.
 * `errmsg` gets a sentence. The caller clears `out`, whatever is returned. */
sl_err sl_stretch_find(sl_stretch *out, const char *db, sl_log *log, const char *from, const char *to,
                       char errmsg[256]);
void sl_stretch_clear(sl_stretch *stretch);

#endif
