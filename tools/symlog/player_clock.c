/* The player's clock. */
#include "tools/symlog/player_clock.h"

#include "core/buffers.h"
#include "core/schedule.h"
#include "ingest/clock.h"
#include "tools/symlog/planner.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define WALL_STEP_NS INT64_C(5000000) /* what a clock that is merely slewed does not do between two looks */

enum { OFF_SHARE = 50, SLEW_SHARE = 4 };

uint64_t sl_player_clock_ns(void)
{
    struct timespec now;
    const int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(failed == 0);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* How many frames there are in a time. */
static uint64_t frames_of(uint64_t ns, uint32_t rate)
{
    return ns / SECOND_NS * rate + ns % SECOND_NS * rate / SECOND_NS;
}

uint64_t sl_clock_anchor_frame(const sl_clock_anchor *anchor, uint64_t ns)
{
    if (ns >= anchor->ns) return anchor->frame + frames_of(ns - anchor->ns, anchor->rate);
    const uint64_t before = frames_of(anchor->ns - ns, anchor->rate);
    return anchor->frame > before ? anchor->frame - before : 0;
}

sl_err sl_player_clock_open(sl_player_clock *clock, uint64_t frame, uint32_t rate)
{
    *clock = (sl_player_clock){.anchor = {.frame = frame, .ns = sl_player_clock_ns(), .rate = rate}};
    pthread_mutex_init(&clock->lock, NULL);
    clock->wall_ns = sl_clock_wall_ns() - (int64_t)clock->anchor.ns;
    clock->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return clock->timer_fd >= 0 ? SL_OK : SL_ERR_IO;
}

void sl_player_clock_close(sl_player_clock *clock)
{
    if (clock->timer_fd >= 0) close(clock->timer_fd);
    clock->timer_fd = -1;
}

sl_clock_anchor sl_player_clock_anchor(sl_player_clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    const sl_clock_anchor anchor = clock->anchor;
    pthread_mutex_unlock(&clock->lock);
    return anchor;
}

uint64_t sl_player_clock_now(sl_player_clock *clock)
{
    const sl_clock_anchor anchor = sl_player_clock_anchor(clock);
    return sl_clock_anchor_frame(&anchor, sl_player_clock_ns());
}

void sl_player_clock_set(sl_player_clock *clock, const sl_clock_anchor *anchor)
{
    pthread_mutex_lock(&clock->lock);
    const int64_t off = (int64_t)anchor->frame - (int64_t)sl_clock_anchor_frame(&clock->anchor, anchor->ns);
    const bool is_near = clock->anchor.rate == anchor->rate && llabs(off) <= (int64_t)anchor->rate / OFF_SHARE;
    clock->anchor = *anchor;
    if (is_near) clock->anchor.frame = (uint64_t)((int64_t)anchor->frame - off + off / SLEW_SHARE);
    pthread_mutex_unlock(&clock->lock);
}

/* The first nanosecond of a frame; at the earliest the anchor's. */
static uint64_t ns_of(sl_player_clock *clock, uint64_t frame)
{
    const sl_clock_anchor anchor = sl_player_clock_anchor(clock);
    const uint64_t gone = frame > anchor.frame ? frame - anchor.frame : 0;
    const uint64_t rest = gone % anchor.rate;
    return anchor.ns + gone / anchor.rate * SECOND_NS + (rest * SECOND_NS + anchor.rate - 1) / anchor.rate;
}

int64_t sl_player_clock_wall_us(sl_player_clock *clock, uint64_t frame)
{
    const int64_t wall_ns = sl_clock_wall_ns() - (int64_t)sl_player_clock_ns();
    if (llabs(wall_ns - clock->wall_ns) > WALL_STEP_NS) clock->wall_ns = wall_ns;
    return ((int64_t)ns_of(clock, frame) + clock->wall_ns) / 1000;
}

void sl_player_clock_wait(sl_player_clock *clock, uint64_t frame, int wake_fd)
{
    const uint64_t ns = frame != SL_FRAME_NEVER ? ns_of(clock, frame) : 0; /* 0: the timer is off */
    const struct itimerspec due = {.it_value = {.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)}};
    const int failed = timerfd_settime(clock->timer_fd, TFD_TIMER_ABSTIME, &due, NULL);
    assert(failed == 0);
    struct pollfd wanted[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = clock->timer_fd, .events = POLLIN}};
    if (poll(wanted, 2, -1) < 0) return; /* a signal; look again */
    uint64_t count = 0;
    if (wanted[0].revents != 0 && read(wake_fd, &count, sizeof count) < 0) assert(errno == EAGAIN);
}

uint64_t sl_player_clock_begin(const sl_state *state)
{
    const sl_schedule *schedule = sl_state_schedule(state);
    sl_applied mark;
    if (schedule == NULL || !sl_schedule_mark(schedule, &mark)) return 0;
    const int64_t gone_ns = sl_clock_wall_ns() - sl_state_mark_wall_ns(state);
    if (gone_ns <= 0) return mark.frame; /* the clock was set back */
    const uint64_t gone = frames_of((uint64_t)gone_ns, mark.rate);
    /* It was put so long before its frame, where commits are quick. */
    const uint64_t put_frame = mark.frame > SL_PLANNER_LEAD ? mark.frame - SL_PLANNER_LEAD : 0;
    return put_frame + gone > mark.frame ? put_frame + gone : mark.frame;
}

uint32_t sl_player_clock_rate(const sl_state *state)
{
    const sl_schedule *schedule = sl_state_schedule(state);
    sl_applied mark;
    return schedule != NULL && sl_schedule_mark(schedule, &mark) ? mark.rate : SL_SCHEDULE_RATE;
}
