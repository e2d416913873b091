/*
 * What the files of the schedule share: schedule.c (taking events), schedule_apply.c (what a mark makes count),
 * schedule_lanes.c (the groove box's), schedule_clock.c (the clock through tempo, bars and halts), schedule_notes.c
 * (what sounds in a window), schedule_session.c (sessions and their tracks), schedule_codec.c and schedule_load.c
 * (bytes), schedule_read.c (answers).
 */
#ifndef SL_CORE_SCHEDULE_INTERNAL_H
#define SL_CORE_SCHEDULE_INTERNAL_H

#include "core/schedule.h"
#include "core/tempo.h"

#include <stdbool.h>

/* A track in a session: shared as long as its bytes are the same. */
typedef struct sl_session_entry {
    sl_code_track *track;
    bool is_stopped;
} sl_session_entry;

/* What the code says at one moment. Never changes once it is made. */
typedef struct sl_session_view {
    uint32_t holders;
    uint32_t place; /* schedule_codec.c's */
    uint32_t count;
    double bpm;        /* as a score said it; 0: none did */
    uint8_t numerator; /* likewise; 0: none */
    uint8_t denominator;
    sl_session_entry entries[];
} sl_session_view;

/* Something that is to happen at a tick. */
typedef enum sl_plan_type { SL_PLAN_HALT = 0, SL_PLAN_TEMPO = 1, SL_PLAN_SIGNATURE = 2 } sl_plan_type;

typedef struct sl_plan {
    int64_t tick;
    uint8_t type; /* an sl_plan_type */
    uint8_t numerator;
    uint8_t denominator;
    double bpm;
} sl_plan;

/* A version of a track, from when it is spliced in. It plays what of its part, begun at `origin` and repeated, begins
 * at from <= tick < end. */
typedef struct sl_voice {
    uint64_t number;
    sl_code_track *track;
    int64_t origin;
    int64_t from;
    int64_t end;
    uint8_t channel;
    bool is_lane; /* of the groove box */
    int64_t seen; /* schedule_notes.c's: it tells nothing from this tick on … */
    int64_t next; /* … until this one; before `seen`: not known */
} sl_voice;

enum { SL_PLANS_MAX = 64, SL_INPUT_LANES = 64 /* beside the sl_transport_actions */ };

/* The clock: what stood at a tick, and how it goes on from there. */
typedef struct sl_clock {
    bool is_running;
    bool is_stopped; /* not running: play begins anew; else it goes on */
    bool has_halted; /* not running, and it was once: at halt_frame */
    uint64_t halt_frame;
    int64_t tick;       /* not running: where it stands. Running: cues before this tick are in it */
    int64_t cut;        /* what began before this was let go there */
    int64_t cut_before; /* the cut before that */
    sl_tempo tempo;
    int64_t bar_origin;  /* a bar begins here */
    int64_t start;       /* beats count from here */
    uint64_t bar_number; /* of that bar */
    uint8_t numerator;
    uint8_t denominator;
} sl_clock;

/* All that sounds, as of a mark. */
typedef struct sl_view {
    uint64_t applied_seq;
    bool has_mark;
    sl_applied mark;
    sl_clock clock;
    uint64_t panics;
    uint64_t voice_next;
    sl_session_view *session; /* the last that counts, be it only from a tick to come */
    sl_session_view *lanes;   /* what the groove box has; NULL: nothing yet … */
    bool lanes_run;           /* … and whether it plays */
    int64_t lanes_length;     /* ticks after which its lanes end; 0: never */
    int64_t lanes_origin;     /* where they began, if they run: all of them, so that an edit keeps their phase */
    sl_voice *voices;         /* by number */
    uint32_t voice_count;
    uint32_t voice_capacity;
    sl_plan plans[SL_PLANS_MAX]; /* by tick, then as they were made */
    uint32_t plan_count;
} sl_view;

/* An input that waits for a mark. */
typedef struct sl_input_entry {
    uint64_t seq;
    uint8_t action;           /* an sl_transport_action or SL_INPUT_LANES; 0: the session changes */
    uint8_t quantize;         /* not SL_QUANTIZE_DEFAULT; of lanes: whether they run */
    double value;             /* of lanes: their length in ticks */
    sl_session_view *session; /* that of a change, the lanes, or NULL */
} sl_input_entry;

struct sl_schedule {
    sl_memory memory;
    uint64_t taken_seq;
    uint8_t quantize;          /* the default */
    sl_session_view **history; /* the present one at history_at; behind it those that redo brings back */
    uint32_t history_count;
    uint32_t history_at;
    sl_view now;
    sl_view before; /* the newest mark */
    bool has_before;
    sl_session_view *lanes; /* the last taken; NULL: none yet */
    sl_input_entry *inputs; /* by seq; those that `before` has are gone */
    uint32_t input_count;
};

/* The session as the code has it. */
static inline sl_session_view *sl_schedule_present(const sl_schedule *schedule)
{
    return schedule->history[schedule->history_at];
}

/* schedule_session.c */

sl_err sl_session_make(sl_memory memory, uint32_t count, sl_session_view **out);
sl_session_view *sl_session_hold(sl_session_view *session);
void sl_session_drop(sl_session_view *session, sl_memory memory);
sl_code_track *sl_code_track_hold(sl_code_track *track);
void sl_code_track_drop(sl_code_track *track, sl_memory memory);

/* The track of a score's bytes, with one holder: `like` itself where it is the same, with its part where the music is.
 * Errors as sl_part_compile. */
sl_err sl_code_track_make(sl_memory memory, const sl_score_track *score, sl_code_track *like, sl_code_track **out,
                          sl_score_error *error);

/* The same music, played by another: one of channel, instrument, effect, as `change` says. With one holder.
 * SL_ERR_FULL: too many effects. */
sl_err sl_code_track_change(sl_memory memory, const sl_code_track *track, const sl_transport *change,
                            sl_code_track **out);

/* The entry so named, or -1; `hint` is tried first. */
int64_t sl_session_find(const sl_session_view *session, const char *name, size_t length, uint32_t hint);

/* The session after a score, with one holder. */
sl_err sl_session_after_score(sl_memory memory, const sl_session_view *present, const sl_event *event,
                              sl_session_view **out, sl_score_error *error);

/* schedule_clock.c */

/* Two doubles that are the same to the last bit. */
bool sl_is_same(double a, double b);

/* Runs the clock to `tick`, through plans and voices' cues before it; it stops short where it halts. */
void sl_clock_run(sl_clock *clock, const sl_view *view, int64_t tick);

/* Likewise to a frame: afterwards the clock's next whole frame is at or after it. Returns the first tick there. */
int64_t sl_clock_run_to_frame(sl_clock *clock, const sl_view *view, uint64_t frame);

/* Takes the next thing that happens before a tick; returns when that is, or SL_TICK_NEVER. Afterwards the clock stands
 * behind it, or has halted there. */
int64_t sl_clock_step(sl_clock *clock, const sl_view *view, int64_t before);

/* The first beat or bar (off: the tick itself) at or after a tick not before the clock's. */
int64_t sl_clock_next(const sl_clock *clock, const sl_view *view, int64_t tick, uint8_t quantize);

void sl_clock_halt(sl_clock *clock, int64_t tick, uint64_t frame, bool is_stop);
void sl_clock_set_signature(sl_clock *clock, int64_t tick, uint8_t numerator, uint8_t denominator);
int64_t sl_clock_bar_ticks(const sl_clock *clock);
int64_t sl_clock_beat_ticks(const sl_clock *clock);

/* schedule_apply.c */

/* Makes `input` count in `view` from a frame on. */
sl_err sl_view_apply(sl_view *view, sl_memory memory, const sl_input_entry *input, uint64_t frame);

/* Brings the view to a frame: cues are past, what ended is gone. */
void sl_view_advance(sl_view *view, sl_memory memory, uint64_t frame);

/* schedule_codec.c, schedule_load.c: what some bytes mean. */
enum { SL_SCHEDULE_HAS_BEFORE = 1, SL_SCHEDULE_HAS_LANES = 2, SL_SCHEDULE_LANE_BIT = 0x80 /* of a voice's channel */ };
#define SL_SCHEDULE_NONE UINT32_MAX /* no session */

/* schedule_lanes.c */

/* The lanes are other ones, begin or end: an input that counts from a tick on. */
sl_err sl_view_apply_lanes(sl_view *view, sl_memory memory, const sl_input_entry *input, int64_t tick);

/* All lanes begin at a tick, if they run. */
sl_err sl_view_begin_lanes(sl_view *view, sl_memory memory, int64_t tick);

/* A track's place among the voices: what plays it ends at `tick`, what was to play it from then on goes. Returns the
 * channel that it had, or 0. */
uint8_t sl_view_end_voices(sl_view *view, sl_memory memory, const sl_code_track *track, bool is_lane, int64_t tick);
sl_err sl_view_add_voice(sl_view *view, sl_memory memory, sl_voice voice);

/* From a frame on a second has another number of frames. */
void sl_view_set_rate(sl_view *view, uint64_t frame, uint32_t rate);
sl_err sl_view_copy(const sl_view *view, sl_memory memory, sl_view *out);
void sl_view_clear(sl_view *view, sl_memory memory);

#endif
