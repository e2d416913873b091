/*
 * Time for the player: CLOCK_MONOTONIC as frames that count on through the whole log, and a sleep until one of them.
 */
#ifndef SL_TOOLS_PLAYER_CLOCK_H
#define SL_TOOLS_PLAYER_CLOCK_H

#include "core/err.h"
#include "core/reduce.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_player_clock {
    uint64_t begin_frame; /* Immutable, and so is the next: then it was … */
    uint64_t begin_ns;    /* … this, by CLOCK_MONOTONIC. */
    int timer_fd;         /* Player's thread, and so is the rest. */
    int64_t wall_ns;      /* Unix time at 0 of CLOCK_MONOTONIC */
} sl_player_clock;

/* `frame` is now. SL_ERR_IO. */
sl_err sl_player_clock_open(sl_player_clock *clock, uint64_t frame);
void sl_player_clock_close(sl_player_clock *clock);

/* Any thread. */
uint64_t sl_player_clock_now(const sl_player_clock *clock);

/* Unix time of a frame, in microseconds. Between two calls the wall clock may have been set: then it is reckoned by the
 * new one, else a frame always has the same time. */
int64_t sl_player_clock_wall_us(sl_player_clock *clock, uint64_t frame);

/* Waits until `frame` (SL_FRAME_NEVER: without end), or until `wake_fd`, an eventfd, is written. */
void sl_player_clock_wait(sl_player_clock *clock, uint64_t frame, int wake_fd);

/* The frame that a player begins with: that of the log's newest mark plus the wall-clock time since then; 0 in a log
 * without one. `state` is after the log's last event but the start event of this run. */
uint64_t sl_player_clock_begin(const sl_state *state);

#endif
