/*
 * The catch-up: one thread that reads the log from further back than the backlog reaches, reduces it with a state of
 * its own and gives each seeker (a subscriber that resumes) the messages again, byte for byte, in chunks.
 *
 * Seekers that are close to each other share one run through the log: it begins with the one that is furthest back, and
 * takes along whoever it comes past. Each has room for SL_SEEKER_CHUNKS chunks. A run waits for a seeker without room;
 * but once it has waited for it SEEKER_PATIENCE_MS in all while others had nothing to read, it goes on without it, and
 * that one is given another run when it reads again.
 *
 * It knows nothing of sockets.
 */
#ifndef SL_TOOLS_CATCHUP_H
#define SL_TOOLS_CATCHUP_H

#include "core/err.h"
#include "core/reduce.h"
#include "store/log.h"
#include "tools/symlog/chunk.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SL_CATCHUP_EVENTS_MAX = 1000000, /* from further back nobody is served: the whole project is quicker */
    SL_SEEKER_CHUNKS = 3,            /* besides the one that it has taken */
    SL_SEEKER_WHY_BYTES = 256
};

typedef struct sl_catchup sl_catchup;
typedef struct sl_seeker sl_seeker;

typedef struct sl_catchup_options {
    sl_log *log;
    /* Catch-up's thread: a seeker that had nothing has something. It must not call back; never once all have left. */
    void (*ready)(void *ctx);
    void *ready_ctx;
    /* Catch-up's thread: a state to begin from, the latest one that is at hand of those before event `before_seq`; the
     * catch-up destroys it. False, or NULL here: there is none, and a run begins with the first event. */
    bool (*nearest_state)(void *ctx, uint64_t before_seq, sl_state **out);
    void *nearest_ctx;
} sl_catchup_options;

/* Starts the thread. The options are copied. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_catchup_start(sl_catchup **out, const sl_catchup_options *options);

/* Ends the thread and frees everything; all seekers must have left. NULL is passed over. */
void sl_catchup_stop(sl_catchup *catchup);

/* Events up to this one may be told. */
void sl_catchup_set_head(sl_catchup *catchup, uint64_t seq);

/* Asks for the messages of the events after `from` (<= head). The caller leaves it. SL_ERR_RANGE: they are more than
 * SL_CATCHUP_EVENTS_MAX; SL_ERR_MEMORY. This and the following: one thread, the service's. */
sl_err sl_catchup_seek(sl_catchup *catchup, uint64_t from, bool is_compact, sl_seeker **out);

typedef enum sl_seek {
    SL_SEEK_CHUNK, /* here is the next chunk, the caller's to leave; there may be no message in it */
    SL_SEEK_WAIT,  /* there will be more: options.ready tells */
    SL_SEEK_FAILED /* there will not: see sl_seeker_why */
} sl_seek;

/* What comes next. Chunks follow each other without a hole; with each the seeker may leave and go on elsewhere. */
sl_seek sl_seeker_take(sl_seeker *seeker, sl_chunk **out);

/* Why it failed: a sentence, valid until it leaves. */
const char *sl_seeker_why(const sl_seeker *seeker);

/* NULL is passed over. */
void sl_seeker_leave(sl_seeker *seeker);

#endif
