/* The bar of long work. */
#include "tools/symlog/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { BAR_COLUMNS = 30, INTERVAL_NS = 100 * 1000 * 1000, LOOK_EVERY = 256 };

static void draw(const sl_progress *progress, uint64_t done);
static uint64_t now_ns(void);

sl_progress sl_progress_begin(const char *verb, uint64_t total, bool is_wanted)
{
    return (sl_progress){
        .verb = verb, .total = total, .is_on = is_wanted && isatty(STDERR_FILENO) == 1, .shown_ns = now_ns()};
}

void sl_progress_show(sl_progress *progress, uint64_t done)
{
    if (!progress->is_on || done % LOOK_EVERY != 0) return;
    uint64_t now = now_ns();
    if (now - progress->shown_ns < INTERVAL_NS) return;
    progress->shown_ns = now;
    sl_progress_draw(progress, done);
}

void sl_progress_draw(sl_progress *progress, uint64_t done)
{
    if (!progress->is_on) return;
    progress->is_shown = true;
    draw(progress, done);
}

static void draw(const sl_progress *progress, uint64_t done)
{
    if (progress->total == 0) {
        fprintf(stderr, "\r\033[K%s %llu", progress->verb, (unsigned long long)done);
    } else {
        uint64_t part = done < progress->total ? done : progress->total;
        int filled = (int)(part * BAR_COLUMNS / progress->total);
        char bar[BAR_COLUMNS + 1] = {0};
        for (int i = 0; i < BAR_COLUMNS; i++) bar[i] = i < filled ? '#' : '.';
        fprintf(stderr, "\r\033[K%s [%s] %llu of %llu", progress->verb, bar, (unsigned long long)part,
                (unsigned long long)progress->total);
    }
    fflush(stderr);
}

void sl_progress_end(sl_progress *progress)
{
    if (progress->is_shown) fputs("\r\033[K", stderr);
    progress->is_shown = false;
    progress->is_on = false;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
