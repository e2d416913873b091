/*
 * Time for the player: CLOCK_MONOTONIC as frames that count on through the whole log, and a sleep until one of them. It
 * may be set by another clock, that of a sound device, and then goes as that one does.
 */
#ifndef SL_TOOLS_PLAYER_CLOCK_H
#define SL_TOOLS_PLAYER_CLOCK_H

#include "core/err.h"
#include "core/reduce.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What a clock said at one moment. */
typedef struct sl_clock_anchor {
    uint64_t frame;
    uint64_t ns;   /* CLOCK_MONOTONIC */
    uint32_t rate; /* frames in a second */
} sl_clock_anchor;

typedef struct sl_player_clock {
    pthread_mutex_t lock;
    sl_clock_anchor anchor; /* Under the lock. */
    int timer_fd;           /* Player's thread, and so is the rest. */
    int64_t wall_ns;        /* Unix time at 0 of CLOCK_MONOTONIC */
} sl_player_clock;

/* CLOCK_MONOTONIC. */
uint64_t sl_player_clock_ns(void);

/* The frame that an anchor leads to at `ns`, which may lie before it. */
uint64_t sl_clock_anchor_frame(const sl_clock_anchor *anchor, uint64_t ns);

/* `frame` is now. SL_ERR_IO. */
sl_err sl_player_clock_open(sl_player_clock *clock, uint64_t frame, uint32_t rate);
void sl_player_clock_close(sl_player_clock *clock);

/* Any thread, and so are the next two. */
uint64_t sl_player_clock_now(sl_player_clock *clock);
sl_clock_anchor sl_player_clock_anchor(sl_player_clock *clock);

/* Another clock says what it is. What is a little off is taken over bit by bit; more than 20 ms, or another rate, at
 * once. */
void sl_player_clock_set(sl_player_clock *clock, const sl_clock_anchor *anchor);

/* Unix time of a frame, in microseconds. Between two calls the wall clock may have been set: then it is reckoned by the
 * new one, else a frame always has the same time. */
int64_t sl_player_clock_wall_us(sl_player_clock *clock, uint64_t frame);

/* Waits until `frame` (SL_FRAME_NEVER: without end), or until `wake_fd`, an eventfd, is written. */
void sl_player_clock_wait(sl_player_clock *clock, uint64_t frame, int wake_fd);

/* The frame that a player begins with: that of the log's newest mark plus the wall-clock time since then; 0 in a log
 * without one. `state` is after the log's last event but the start event of this run. */
uint64_t sl_player_clock_begin(const sl_state *state);

/* The rate that the newest mark has; SL_SCHEDULE_RATE in a log without one. */
uint32_t sl_player_clock_rate(const sl_state *state);

#endif
