/*
 * A log's sound, computed from the log alone: its events are reduced in order, and before a mark with frame F is, the
 * sound up to F is rendered with the schedule as it was. With the mark, the mixer and the parameters count as the state
 * had them just before it. The renderer begins from silence with the first mark behind a `start`, and where the rate
 * changes; a rate that it cannot do has no sound. Behind the last mark the sound goes on as far as wanted.
 *
 * Where it need not begin with the log it begins with the last such mark, or with a saved state behind it
 * (sound_states.h): what is heard is the same, bit for bit.
 */
#ifndef SL_TOOLS_PERFORMANCE_H
#define SL_TOOLS_PERFORMANCE_H

#include "core/err.h"
#include "core/playback.h"
#include "core/reduce.h"
#include "store/log.h"
#include "tools/symlog/log_marks.h"
#include "tools/symlog/sound_states.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_PERFORMANCE_BLOCK_FRAMES = 4096 };

/* A stretch of the sound. */
typedef struct sl_performance_block {
    uint64_t frame;          /* the log's, of the first */
    uint64_t frames;         /* at most SL_PERFORMANCE_BLOCK_FRAMES where there are samples */
    const float *left_right; /* interleaved, valid during the call; NULL: not rendered, since nobody wanted it */
    uint32_t rate;
    bool is_exact;   /* false: how it sounded cannot be known, since the log begins in the middle, or lost events */
    bool is_playing; /* the clock ran at its first frame */
} sl_performance_block;

/* Takes the next stretch. Frames come in order, and without a gap but where the rate cannot be rendered. Returns false
 * to stop. */
typedef bool sl_performance_hear(void *ctx, const sl_performance_block *block);

/* Before the renderer begins anew: up to which of the frames `from` to `to`, which are all that is left of what sounded
 * before, they are wanted; `from`: none. The others are told as one block without samples. */
typedef uint64_t sl_performance_want(void *ctx, uint64_t from, uint64_t to);

typedef struct sl_performance {
    const char *db; /* as the command line names it; NULL: as usual */
    sl_log *log;
    uint64_t through;          /* the last event taken; not beyond the log's end */
    const sl_log_marks *marks; /* of all the log's events up to that one; NULL: what is needed is read here */
    sl_sound_states *states;   /* NULL: none are used */
    sl_performance_hear *hear; /* NULL: nobody hears anything, only how it ends is asked for */
    sl_performance_want *want; /* NULL: all is wanted */
    void *ctx;                 /* of both */
    uint64_t from_frame;       /* the first that is heard */
    uint64_t to_frame;         /* heard up to this one; 0: nothing behind the newest mark */
    bool *is_exact;            /* set to whether what is rendered from the end on is exact; NULL: nobody asks */
} sl_performance;

/* Performs it. *state is that after event `through` (or where `hear` has stopped, or to_frame was reached before), and
 * *playback stands at the newest mark's frame (or at to_frame; or where a state was saved behind them), with all that
 * counts from there on set; NULL: there is no mark since the last start, or its rate cannot be rendered: it begins with
 * the next mark that is a beginning. The caller destroys both; either may be NULL where it is not wanted. SL_ERR_END:
 * `hear` has stopped it. Errors of sl_host_nearest, sl_log_read and SL_ERR_MEMORY, with a sentence in `errmsg`, and
 * nothing given. */
sl_err sl_performance_run(const sl_performance *performance, sl_state **state, sl_playback **playback,
                          char errmsg[256]);

#endif
