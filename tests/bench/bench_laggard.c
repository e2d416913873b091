/*
 * A subscriber that stops reading: how long events take to 8 others while there is one, beside the same without, in
 * turn, in one serve; and how much memory the program holds more. A round is three times three windows of 1.5 s
 * (without, with, without), of which the median counts, so that what windows without differ by is shown as well.
 *
 * The laggard reads its FULL_AST and nothing more. Its kernel buffer is small, so that it is behind at once.
 * Memory is what the program itself has (RssAnon), not what the kernel holds for its sockets; what one laggard gave
 * back the next may take, so the maximum is what counts.
 */
#include "tests/bench/bench.h"

#include "tests/bench/serving.h"
#include "tests/bench/timing.h"
#include "tests/bench/websocket.h"

enum { SUBSCRIBERS = 8, RATE = 20000, LAGGARD_BUFFER_BYTES = 4096, WINDOWS = 3 };
static const uint64_t WINDOW_NS = 1500000000;  /* more than the 8 MiB behind which one is given less */
static const uint64_t WARM_UP_NS = 6000000000; /* fills the 32 MiB of messages that everybody shares */

/* p99 in a round's windows of each sort, and how much memory grew in them. */
typedef struct round {
    double with[WINDOWS];
    double without[WINDOWS];
    double again[WINDOWS];
    double more[WINDOWS];
    double more_without[WINDOWS];
} round;

static double measure(const serving *serving, timing *timing, double *more);
static void measure_with_laggard(const serving *serving, timing *timing, double *p99, double *more);

void bench_laggard(bench *bench)
{
    if (bench->program == NULL) return;
    serving *serving = serving_open(bench);
    timing *timing = timing_open(serving, SUBSCRIBERS);
    (void)timing_run(timing, RATE, WARM_UP_NS);
    bench_series with = {0}, without = {0}, again = {0}, more = {0}, more_without = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        round round;
        double ignored = 0;
        for (size_t w = 0; w < WINDOWS; w++) {
            round.without[w] = measure(serving, timing, &round.more_without[w]);
            measure_with_laggard(serving, timing, &round.with[w], &round.more[w]);
            round.again[w] = measure(serving, timing, &ignored);
        }
        bench_add(&without, bench_quantile(round.without, WINDOWS, 0.5));
        bench_add(&with, bench_quantile(round.with, WINDOWS, 0.5));
        bench_add(&again, bench_quantile(round.again, WINDOWS, 0.5));
        bench_add(&more_without, bench_quantile(round.more_without, WINDOWS, 1));
        bench_add(&more, bench_quantile(round.more, WINDOWS, 1));
    }
    const uint64_t sent = timing_sent(timing) + SERVING_TRACKS;
    bench_series lost = {0};
    bench_add(&lost, (double)(sent - serving_count_datagrams(serving, 0, NULL)));
    const unsigned long long coalesced = timing_coalesced(timing);
    timing_close(timing);
    serving_close(serving);
    static const char name[] = "event to message, p99 of 8 others";
    bench_report(bench, &(bench_figure){name, "ms", &with, "no laggard", &without, BENCH_LIMIT_RATIO_MAX, 1.25});
    bench_report(bench, &(bench_figure){"the same, no laggard, once more", "ms", &again, "no laggard", &without,
                                        BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){.name = "memory grown in a window, at most",
                                        .unit = "MB",
                                        .own = &more,
                                        .peer_name = "no laggard",
                                        .peer = &more_without,
                                        .limit_type = BENCH_LIMIT_VALUE_MAX,
                                        .limit = 0.5});
    bench_report(bench, &(bench_figure){.name = "datagrams lost", .unit = "", .own = &lost});
    bench_note(bench, "%d events/s; %llu timed events coalesced", RATE, coalesced);
}

static double measure(const serving *serving, timing *timing, double *more)
{
    const uint64_t before_bytes = serving_memory_bytes(serving);
    const double p99_ms = timing_run(timing, RATE, WINDOW_NS).p99_ms;
    *more = ((double)serving_memory_bytes(serving) - (double)before_bytes) / 1e6;
    return p99_ms;
}

/* Memory counts from before it came. */
static void measure_with_laggard(const serving *serving, timing *timing, double *p99, double *more)
{
    size_t length = 0;
    const uint64_t before_bytes = serving_memory_bytes(serving);
    websocket *laggard = websocket_open_path(serving_ws_port(serving), "/", LAGGARD_BUFFER_BYTES);
    (void)websocket_read(laggard, &length);
    *p99 = measure(serving, timing, more);
    *more = ((double)serving_memory_bytes(serving) - (double)before_bytes) / 1e6;
    websocket_close(laggard);
}
