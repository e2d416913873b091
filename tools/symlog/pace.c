/* Keeps the time between recorded events. */
#include "tools/symlog/pace.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define NS_PER_S 1000000000u

static uint64_t now_ns(void);
static sigset_t end_signals(void);

sl_pace sl_pace_begin(double speed)
{
    return (sl_pace){.speed = speed};
}

void sl_pace_restart(sl_pace *pace)
{
    pace->is_anchored = false;
}

uint64_t sl_pace_left_ns(sl_pace *pace, uint64_t time_ns)
{
    if (!(pace->speed > 0)) return 0;
    uint64_t now = now_ns();
    if (!pace->is_anchored || time_ns < pace->recorded_ns) {
        pace->is_anchored = true;
        pace->recorded_ns = time_ns;
        pace->played_ns = now;
    }
    double after_ns = (double)(time_ns - pace->recorded_ns) / pace->speed;
    if (after_ns > 1e18) after_ns = 1e18; // Thirty years: keeps the sum below in range.
    uint64_t due = pace->played_ns + (uint64_t)after_ns;
    return due > now ? due - now : 0;
}

bool sl_pace_wait(sl_pace *pace, uint64_t time_ns)
{
    for (;;) {
        uint64_t left_ns = sl_pace_left_ns(pace, time_ns);
        if (left_ns == 0) return true;
        if (!sl_pace_sleep(left_ns)) return false;
    }
}

void sl_pace_hold_signals(void)
{
    sigset_t signals = end_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

bool sl_pace_sleep(uint64_t duration_ns)
{
    sigset_t signals = end_signals();
    struct timespec duration = {.tv_sec = (time_t)(duration_ns / NS_PER_S), .tv_nsec = (long)(duration_ns % NS_PER_S)};
    int caught = sigtimedwait(&signals, NULL, &duration);
    return caught == -1 && (errno == EAGAIN || errno == EINTR);
}

static sigset_t end_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}
