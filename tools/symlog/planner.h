/*
 * The planner: the player without its clock, its thread and its ports. It has a schedule of its own, fed with what was
 * committed and reduced; plans 100 ms ahead what is to sound; hands out what is due; and says from which frame on it
 * counts what is new, by a mark (an `applied` event) that it has put into the log.
 *
 * What was handed out is fixed, what is planned is not: when a mark comes back from the log before the first frame that
 * it is about was reached, what was planned from that frame on is dropped and planned anew. If it comes later, it is
 * passed over and another one, which is `late`, voids it. So what is handed out follows from the log's events alone.
 *
 * One thread. It knows neither time nor ports; frames are the caller's clock.
 */
#ifndef SL_TOOLS_PLANNER_H
#define SL_TOOLS_PLANNER_H

#include "core/err.h"
#include "core/live_code.h"
#include "core/schedule.h"
#include "tools/symlog/player_item.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_PLANNER_BLOCK = 512,                       /* frames: at most one mark in so many */
    SL_PLANNER_LOOKAHEAD = SL_SCHEDULE_RATE / 10, /* frames that are planned ahead */
    SL_PLANNER_LEAD = 2 * SL_PLANNER_BLOCK,       /* from now to a mark's frame: 21 ms, if commits are quick */
    SL_PLANNER_LEAD_MAX = 2 * SL_SCHEDULE_RATE    /* where they are slow; doubled for each mark that is late */
};

typedef enum sl_planned_type {
    SL_PLANNED_NOTE,    /* starts or ends */
    SL_PLANNED_BEAT,    /* a beat or bar begins */
    SL_PLANNED_SILENCE, /* the clock stands still from here on: nothing sounds */
    SL_PLANNED_PANIC    /* every key of every channel is to be let go */
} sl_planned_type;

typedef struct sl_planned {
    uint64_t frame;
    sl_planned_type type;
    bool is_start; /* NOTE: it starts; BEAT: a bar begins */
    uint8_t pitch;
    uint8_t velocity;
    uint8_t channel; /* 1 to 16 */
    bool is_lane;    /* NOTE: of the groove box */
    uint64_t bar;    /* BEAT */
    double beat;     /* NOTE, BEAT: quarter notes since the transport was started */
    sl_note_id id;
    const char *track; /* NOTE: its name; only in `foretell` */
    size_t track_length;
} sl_planned;

typedef struct sl_planner_owner {
    void *ctx;
    /* Puts a mark on its way into the log; it comes back by sl_planner_put. False: no room now. */
    bool (*mark)(void *ctx, const sl_applied *applied);
    /* These are due, in order of time. */
    void (*due)(void *ctx, const sl_planned *planned, size_t count);
    /* This is what is planned in frames from <= f < to; what was foretold from `from` on does not count any more. NULL:
     * nobody wants to know. */
    void (*foretell)(void *ctx, uint64_t from, uint64_t to, const sl_planned *planned, size_t count);
} sl_planner_owner;

typedef struct sl_planner sl_planner;

/* SL_ERR_MEMORY. Plays nothing until it is given a whole schedule. */
sl_err sl_planner_create(sl_planner **out, const sl_planner_owner *owner);
void sl_planner_destroy(sl_planner *planner);

/* Another player puts the marks, and this one none; or it does so from now on, at this rate. While it follows, a mark
 * that comes too late counts at once, and what sounded is let go. */
void sl_planner_set_following(sl_planner *planner, bool is_following, uint32_t rate);

/* Gives it what came, in the order of the log; the item is the planner's from now on. Its marks come back this way too.
 * Nothing happens before the next step. */
void sl_planner_put(sl_planner *planner, sl_player_item *item);

/* Takes what came, hands out what is due at `now` (a frame, never less than before), plans, puts a mark if one is
 * needed. *next is the frame at which it wants to be called again, SL_FRAME_NEVER: when something comes.
 * SL_ERR_MEMORY, SL_ERR_MALFORMED (a whole schedule that is none): it has none any more, and wants a whole one. */
sl_err sl_planner_step(sl_planner *planner, uint64_t now, uint64_t *next);

#endif
