/*
 * What a log says was heard (`heard` events): each a stretch of frames and the digest of its samples. They are compared
 * as the sound passes by, in the order of frames.
 */
#ifndef SL_TOOLS_HEARD_CLAIMS_H
#define SL_TOOLS_HEARD_CLAIMS_H

#include "core/err.h"
#include "core/sound_events.h"
#include "store/log.h"
#include "tools/symlog/moment.h"
#include "tools/symlog/performance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sl_heard_verdict {
    SL_HEARD_UNKNOWN,  /* how it sounded cannot be known (sl_performance_block.is_exact), or it has no sound at all */
    SL_HEARD_PROVEN,   /* the digest is the same, whatever else */
    SL_HEARD_UNDERRUN, /* silence was heard in the place of some of it */
    SL_HEARD_VERSION,  /* another renderer made it */
    SL_HEARD_TWICE,    /* an earlier one says so of some of its frames */
    SL_HEARD_WRONG,
    SL_HEARD_VERDICT_COUNT
} sl_heard_verdict;

typedef struct sl_heard_claim {
    uint64_t seq;
    uint64_t time_ns;
    sl_heard heard;
    uint64_t silent_to; /* its frames before this one come before its run's first mark: nothing sounded */
    sl_heard_verdict verdict;
    sl_digest digest; /* of what was rendered; of one that is wrong */
} sl_heard_claim;

typedef struct sl_heard_claims {
    sl_heard_claim *items; /* by frame */
    size_t count;
    size_t capacity;
    uint64_t unreadable; /* events whose payload says nothing to this version */
    size_t at;           /* the one whose frames come next */
    float *samples;      /* of that one, so far */
    uint64_t have;       /* frames of it, from its first on */
    bool is_exact;       /* all of those */
} sl_heard_claims;

/* Reads those of a log's events in `range`, whose marks these are. Errors of sl_log_read, SL_ERR_MEMORY; `errmsg` gets a
 * sentence. The caller clears `out`, whatever is returned. */
sl_err sl_heard_claims_read(sl_log *log, sl_range range, const sl_log_marks *marks, sl_heard_claims *out,
                            char errmsg[256]);
void sl_heard_claims_clear(sl_heard_claims *claims);

/* Takes the next stretch of the sound, and judges those that end with it. Returns how many of its frames no claim is
 * about. */
uint64_t sl_heard_claims_hear(sl_heard_claims *claims, const sl_performance_block *block);

/* The frame behind the last that any claim is about, of those which begin before `to`; 0: there is none. */
uint64_t sl_heard_claims_end(const sl_heard_claims *claims, uint64_t to);

#endif
