/* Lines, and the status line below them. */
#include "tools/symlog/status.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DRAW_EVERY_NS = 250 * 1000 * 1000, COLUMNS_DEFAULT = 80 };
#define SECOND_NS UINT64_C(1000000000)

static void put(sl_status *status, const char *line, size_t length);
static size_t columns_of(int fd);
static void count_rate(sl_status *status, const sl_figures *figures);

void sl_status_open(sl_status *status, int fd)
{
    *status = (sl_status){.fd = fd, .is_terminal = isatty(fd) == 1};
    pthread_mutex_init(&status->lock, NULL);
}

void sl_status_close(sl_status *status)
{
    if (status->line[0] != '\0') put(status, "\r\033[K", strlen("\r\033[K"));
    pthread_mutex_destroy(&status->lock);
}

/* A pipe or terminal that has room for this much takes it at once. */
_Static_assert(2 * SL_STATUS_LINE_BYTES + 16 <= 4096, "PIPE_BUF: what poll calls writable takes it without waiting");

static void put(sl_status *status, const char *line, size_t length)
{
    struct pollfd ready = {.fd = status->fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || write(status->fd, line, length) < 0) status->lines_lost++;
}

void sl_status_say(sl_status *status, const char *format, ...)
{
    char said[SL_STATUS_LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&status->lock);
    char line[2 * SL_STATUS_LINE_BYTES + 16];
    const bool is_drawn = status->line[0] != '\0';
    const int length =
        snprintf(line, sizeof line, "%s%s\n%s", is_drawn ? "\r\033[K" : "", said, is_drawn ? status->line : "");
    if (length > 0) put(status, line, (size_t)length);
    pthread_mutex_unlock(&status->lock);
}

void sl_status_draw(sl_status *status, const sl_figures *figures)
{
    if (!status->is_terminal || figures->now_ns - status->drawn_ns < DRAW_EVERY_NS) return;
    status->drawn_ns = figures->now_ns;
    count_rate(status, figures);
    char line[SL_STATUS_LINE_BYTES];
    char troubles[160] = "";
    char stale[160] = "";
    char ports[160] = "";
    if (figures->gaps + figures->dropped > 0) {
        snprintf(troubles, sizeof troubles, " | %llu gaps, %llu dropped", (unsigned long long)figures->gaps,
                 (unsigned long long)figures->dropped);
    }
    if (figures->ports + figures->frames_in > 0) {
        snprintf(ports, sizeof ports, " | %zu port%s: %llu in, %llu out, %llu refused", figures->ports,
                 figures->ports == 1 ? "" : "s", (unsigned long long)figures->frames_in,
                 (unsigned long long)figures->frames_out, (unsigned long long)figures->frames_refused);
    }
    if (figures->stale_reason != NULL) snprintf(stale, sizeof stale, " | stale: %.100s", figures->stale_reason);
    snprintf(line, sizeof line, "%llu events, %llu/s | %zu source%s | %zu subscriber%s%s%s%s",
             (unsigned long long)figures->events, (unsigned long long)status->rate, figures->sources,
             figures->sources == 1 ? "" : "s", figures->subscribers, figures->subscribers == 1 ? "" : "s", ports,
             troubles, stale);
    const size_t columns = columns_of(status->fd);
    if (columns < sizeof line) line[columns] = '\0'; /* a longer one would scroll */

    pthread_mutex_lock(&status->lock);
    if (strcmp(line, status->line) != 0) {
        char drawn[SL_STATUS_LINE_BYTES + 16];
        memcpy(status->line, line, sizeof line);
        const int length = snprintf(drawn, sizeof drawn, "\r\033[K%s", line);
        if (length > 0) put(status, drawn, (size_t)length);
    }
    pthread_mutex_unlock(&status->lock);
}

static size_t columns_of(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return COLUMNS_DEFAULT - 1;
    return size.ws_col - 1u;
}

/* The rate of the last whole second. */
static void count_rate(sl_status *status, const sl_figures *figures)
{
    const uint64_t passed_ns = figures->now_ns - status->rate_ns;
    if (passed_ns < SECOND_NS) return;
    if (status->rate_ns != 0) {
        status->rate = (uint64_t)((double)(figures->events - status->rate_events) * 1e9 / (double)passed_ns + 0.5);
    }
    status->rate_ns = figures->now_ns;
    status->rate_events = figures->events;
}
