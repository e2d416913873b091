/* What planner.c (taking, marks) and planner_plan.c (what is planned) share. */
#ifndef SL_TOOLS_PLANNER_INTERNAL_H
#define SL_TOOLS_PLANNER_INTERNAL_H

#include "tools/symlog/planner.h"

struct sl_planner {
    sl_planner_owner owner;
    sl_schedule *schedule; /* NULL: none yet */
    sl_player_item *first; /* what waits: nothing, unless a mark is late */
    sl_player_item **end;
    const sl_player_item *unseen; /* what came since the last step */
    uint64_t seen_seq;            /* the last of the others */
    uint64_t sent_to;             /* what is before this frame is fixed */
    uint64_t lead;                /* frames from now to a mark's */
    uint64_t put_frame;           /* when a mark was put last, if */
    uint64_t mark_frame;          /* that the newest mark tells of */
    uint64_t next;                /* in a step: when the next one is wanted */
    bool has_put;
    bool has_begun;    /* a mark since the schedule was loaded: it plays */
    bool is_open;      /* a mark is on its way into the log and back */
    bool is_following; /* another player puts the marks */
    uint32_t rate;     /* of those that it puts itself */
    bool is_late;      /* the newest mark came too late: it waits for another that voids it */
    bool has_panic;    /* panics began to count at planned_to */

    sl_planned *planned; /* in order of time; those before planned_at have been handed out */
    size_t planned_at;
    size_t planned_count;
    size_t planned_capacity;
    uint64_t planned_to;  /* up to this frame (without it) */
    uint64_t foretold_to; /* likewise what the owner was told of */
    uint64_t advanced;    /* the schedule is computed from here on */
    bool was_running;     /* the clock, at planned_to */
    double beat;          /* of beat_tick: while a window is planned */
    int64_t beat_tick;
    bool is_bad; /* memory ran out */
};

/* Plans from planned_to on to what `now` asks for. SL_ERR_MEMORY. */
sl_err sl_planner_plan(sl_planner *planner, uint64_t now);

/* Plans up to a frame, if that was not done before. SL_ERR_MEMORY. */
sl_err sl_planner_plan_to(sl_planner *planner, uint64_t to);

/* Drops what is planned at and after a frame, up to which all is planned. */
void sl_planner_cut(sl_planner *planner, uint64_t frame);

/* Hands out what is due. */
void sl_planner_hand_out(sl_planner *planner, uint64_t now);

/* The frame at which there is something to hand out, or to plan. */
uint64_t sl_planner_next(const sl_planner *planner);

#endif
