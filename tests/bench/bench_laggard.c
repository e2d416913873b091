/*
 * A subscriber that stops reading: how long events take to 8 others while there is one, beside the same without, in
 * turn, in one serve; and how much memory the program holds more. The windows without come before and after, so that
 * what two windows without differ by is shown as well.
 *
 * The laggard reads its FULL_AST and nothing more. Its kernel buffer is small, so that it is behind at once.
 */
#include "tests/bench/bench.h"

#include "tests/bench/serving.h"
#include "tests/bench/timing.h"
#include "tests/bench/websocket.h"

enum { SUBSCRIBERS = 8, RATE = 10000, LAGGARD_BUFFER_BYTES = 4096 };
static const uint64_t WINDOW_NS = 3000000000;
static const uint64_t WARM_UP_NS = 12000000000; /* fills the 32 MiB of messages that everybody shares */

void bench_laggard(bench *bench)
{
    if (bench->program == NULL) return;
    serving *serving = serving_open(bench);
    timing *timing = timing_open(serving, SUBSCRIBERS);
    (void)timing_run(timing, RATE, WARM_UP_NS);
    bench_series with = {0}, without = {0}, again = {0}, more = {0}, more_without = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        const uint64_t before_bytes = serving_memory_bytes(serving);
        bench_add(&without, timing_run(timing, RATE, WINDOW_NS).p99_ms);
        const uint64_t middle_bytes = serving_memory_bytes(serving);
        size_t length = 0;
        websocket *laggard = websocket_open_path(serving_ws_port(serving), "/", LAGGARD_BUFFER_BYTES);
        (void)websocket_read(laggard, &length);
        bench_add(&with, timing_run(timing, RATE, WINDOW_NS).p99_ms);
        const uint64_t after_bytes = serving_memory_bytes(serving);
        websocket_close(laggard);
        bench_add(&again, timing_run(timing, RATE, WINDOW_NS).p99_ms);
        bench_add(&more_without, ((double)middle_bytes - (double)before_bytes) / 1e6);
        bench_add(&more, ((double)after_bytes - (double)middle_bytes) / 1e6);
    }
    const uint64_t sent = timing_sent(timing) + SERVING_TRACKS;
    bench_series lost = {0};
    bench_add(&lost, (double)(sent - serving_count_datagrams(serving, 0, NULL)));
    timing_close(timing);
    serving_close(serving);
    static const char name[] = "event to message, p99 of 8 others";
    bench_report(bench, &(bench_figure){name, "ms", &with, "no laggard", &without, BENCH_LIMIT_RATIO_MAX, 1.25});
    bench_report(bench, &(bench_figure){"the same, no laggard, once more", "ms", &again, "no laggard", &without,
                                        BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){.name = "memory more with it",
                                        .unit = "MB",
                                        .own = &more,
                                        .peer_name = "in a window without",
                                        .peer = &more_without,
                                        .limit_type = BENCH_LIMIT_VALUE_MAX,
                                        .limit = 0.5});
    bench_report(bench, &(bench_figure){.name = "datagrams lost", .unit = "", .own = &lost});
    bench_note(bench, "%d events/s", RATE);
}
