/* Keeps the time between recorded events when they are played again. */
#ifndef SL_TOOLS_PACE_H
#define SL_TOOLS_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_pace {
    double speed;         /* times as fast as recorded; 0: do not wait */
    bool is_anchored;     /* the two below are set */
    uint64_t recorded_ns; /* a recorded time … */
    uint64_t played_ns;   /* … and the moment of ours at which it is due, CLOCK_MONOTONIC */
} sl_pace;

/* `speed` as sl_option_speed gives it. */
sl_pace sl_pace_begin(double speed);

/* Forgets the time that has passed: the next event is due at once. For a recorded clock that begins anew. */
void sl_pace_restart(sl_pace *pace);

/* Nanoseconds until what was recorded at `time_ns` is due; 0: now, or late. A time before the first one is due now and
 * counts from now on. */
uint64_t sl_pace_left_ns(sl_pace *pace, uint64_t time_ns);

/* Waits until then. False: Ctrl-C or an end was asked for meanwhile. Until then these signals must be blocked
 * (sl_pace_hold_signals), so that whoever waits can clean up after himself. */
bool sl_pace_wait(sl_pace *pace, uint64_t time_ns);

/* Blocks SIGINT and SIGTERM for this thread; only sl_pace_sleep and sl_pace_wait notice them from here on. */
void sl_pace_hold_signals(void);

/* Sleeps `duration_ns` (0: only looks). False: SIGINT or SIGTERM came. */
bool sl_pace_sleep(uint64_t duration_ns);

#endif
