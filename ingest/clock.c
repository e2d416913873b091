/* Clocks. */
#include "ingest/clock.h"

#include <assert.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0); /* Linux has both clocks since 2.6.39. */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t sl_clock_boot_ns(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t sl_clock_wall_ns(void)
{
    return (int64_t)read_clock(CLOCK_REALTIME);
}
