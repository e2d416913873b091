/*
 * Work on the past while the present goes on: 50,000 events a second, and how long they take to a subscriber, while
 * serve deletes the first 4 million events of its log and answers one `stateAt` after the other; beside another serve
 * with the same log and the same load, of which nothing is asked. The two take turns: the one that does not is stopped
 * (SIGSTOP). At the end both logs are read: whatever was sent must be in them.
 */
#include "tests/bench/bench.h"

#include "tests/bench/serving.h"
#include "tests/bench/set_log.h"
#include "tests/bench/timing.h"
#include "tests/bench/websocket.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS = 5000000, PRUNED = 4000000, RATE = 50000, TEXT_BYTES = 256 };
static const uint64_t WINDOW_NS = 4000000000;
static const uint64_t WARM_UP_NS = 500000000;
static const set_shape SHAPE = {.tracks = 8, .scenes = 100};

/* A serve, and what is sent to it. */
typedef struct side {
    serving *serving;
    timing *timing;
    bench_series p50;
    bench_series p99;
} side;

/* Who asks for states of the past, one after the other. */
typedef struct asker {
    websocket *socket;
    pthread_t thread;
    uint64_t seed;
    uint64_t answers; /* of all windows */
    _Atomic bool is_stopping;
} asker;

static void side_open(side *side, const bench *bench);
static void side_close(side *side);
static uint64_t side_lost(const side *side);
static void measure(side *side);
static void ask(asker *asker, const char *method, const char *name, uint64_t seq);
static void *ask_on(void *ctx);

void bench_prune(bench *bench)
{
    if (bench->program == NULL) return;
    side quiet = {.serving = NULL}, busy = {.serving = NULL};
    side_open(&quiet, bench);
    serving_pause(quiet.serving);
    side_open(&busy, bench);
    serving_pause(busy.serving);
    asker asker = {.seed = 1};
    uint64_t oldest_seq = 0;
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        serving_resume(quiet.serving);
        measure(&quiet);
        serving_pause(quiet.serving);

        serving_resume(busy.serving);
        if (i == 0) asker.socket = websocket_open_path(serving_ws_port(busy.serving), "/?paths=tracks[7]", 0);
        if (i == 0) ask(&asker, "prune", "before", PRUNED + 1);
        atomic_store(&asker.is_stopping, false);
        if (pthread_create(&asker.thread, NULL, ask_on, &asker) != 0) bench_die("cannot start a thread");
        measure(&busy);
        atomic_store(&asker.is_stopping, true);
        pthread_join(asker.thread, NULL);
        (void)serving_count_datagrams(busy.serving, EVENTS, &oldest_seq);
        serving_pause(busy.serving);
    }
    serving_resume(quiet.serving);
    serving_resume(busy.serving);
    bench_series lost = {0};
    bench_add(&lost, (double)(side_lost(&quiet) + side_lost(&busy)));
    websocket_close(asker.socket);
    const unsigned long long coalesced = timing_coalesced(quiet.timing) + timing_coalesced(busy.timing);
    side_close(&quiet);
    side_close(&busy);
    bench_report(bench, &(bench_figure){"event to message, p50", "ms", &busy.p50, "nothing asked", &quiet.p50,
                                        BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"event to message, p99", "ms", &busy.p99, "nothing asked", &quiet.p99,
                                        BENCH_LIMIT_RATIO_MAX, 2});
    bench_report(
        bench,
        &(bench_figure){
            .name = "datagrams lost", .unit = "", .own = &lost, .limit_type = BENCH_LIMIT_VALUE_MAX, .limit = 0});
    bench_note(bench,
               "%d events/s; of %d events %llu were deleted when the last window ended; %llu states told; %llu timed "
               "events coalesced",
               RATE, PRUNED, (unsigned long long)(oldest_seq - 1), (unsigned long long)asker.answers, coalesced);
}

static void side_open(side *side, const bench *bench)
{
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    (void)set_log_make(dir, SHAPE, EVENTS, 0);
    side->serving = serving_open_log(bench, dir);
    side->timing = timing_open(side->serving, 1);
}

static void side_close(side *side)
{
    timing_close(side->timing);
    serving_close(side->serving);
}

static uint64_t side_lost(const side *side)
{
    return timing_sent(side->timing) - serving_count_datagrams(side->serving, EVENTS + 1, NULL);
}

static void measure(side *side)
{
    (void)timing_run(side->timing, RATE, WARM_UP_NS);
    const timing_result result = timing_run(side->timing, RATE, WINDOW_NS);
    bench_add(&side->p50, result.p50_ms);
    bench_add(&side->p99, result.p99_ms);
}

/* Asks, and waits for the answer. */
static void ask(asker *asker, const char *method, const char *name, uint64_t seq)
{
    static const char sign[] = "\"jsonrpc\"";
    static const char error[] = "\"error\":{\"code\"";
    char text[TEXT_BYTES];
    const int length =
        snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"%s\":%llu}}", method,
                 name, (unsigned long long)seq);
    websocket_send(asker->socket, text, (size_t)length);
    const char *answer = NULL;
    size_t answer_length = 0;
    do answer = websocket_read(asker->socket, &answer_length);
    while (memmem(answer, answer_length < TEXT_BYTES ? answer_length : TEXT_BYTES, sign, sizeof sign - 1) == NULL);
    if (memmem(answer, answer_length, error, sizeof error - 1) != NULL)
        bench_die("%s was refused: %.*s", method, (int)answer_length, answer);
}

static void *ask_on(void *ctx)
{
    asker *asker = ctx;
    while (!atomic_load(&asker->is_stopping)) {
        ask(asker, "stateAt", "seq", PRUNED + 1 + bench_random(&asker->seed, EVENTS - PRUNED));
        asker->answers++;
    }
    return NULL;
}
