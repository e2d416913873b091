/* The sender of what is timed, and the thread that reads for the subscribers. */
#include "tests/bench/timing.h"

#include "tests/bench/bench.h"
#include "tests/bench/flood.h"
#include "tests/bench/udp_client.h"
#include "tests/bench/websocket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMED_MAX = 1 << 20, POLL_MS = 20 };
static const uint64_t LAST_WAIT_NS = 30000000000; /* for the last timed event */
static const char sign[] = "\"attribute\":\"volume\"";
static const char number_sign[] = "\"seq_num\":";

struct timing {
    flood *flood;
    int fd; /* of the timed events */
    websocket *sockets[TIMING_SUBSCRIBERS_MAX];
    size_t subscribers;
    uint64_t flooded;
    uint64_t next;  /* number of the next timed event */
    uint64_t first; /* of this run */
    uint64_t end_ns;
    pthread_t reader;
    _Atomic bool is_stopping;
    _Atomic uint64_t seen[TIMING_SUBSCRIBERS_MAX]; /* timed events, in all */
    _Atomic uint64_t coalesced;                    /* timed events that a later one stood for, of all subscribers */
    _Atomic uint64_t sent_ns[TIMED_MAX];
    double *waited_ms[TIMING_SUBSCRIBERS_MAX]; /* each TIMED_MAX */
};

static void *send_timed(void *ctx);
static void *read_all(void *ctx);
static void see(timing *timing, size_t subscriber, const char *message, size_t length);
static void wait_for_last(const timing *timing);

timing *timing_open(const serving *serving, size_t subscribers)
{
    timing *timing = calloc(1, sizeof *timing);
    if (timing == NULL || subscribers > TIMING_SUBSCRIBERS_MAX) bench_die("out of memory");
    timing->flood = flood_open(serving_osc_port(serving));
    timing->fd = udp_client_open(serving_osc_port(serving));
    timing->subscribers = subscribers;
    for (size_t i = 0; i < subscribers; i++) {
        timing->sockets[i] = websocket_open(serving_ws_port(serving));
        timing->waited_ms[i] = malloc(TIMED_MAX * sizeof(double));
        if (timing->waited_ms[i] == NULL) bench_die("out of memory");
    }
    if (pthread_create(&timing->reader, NULL, read_all, timing) != 0) bench_die("cannot start a thread");
    return timing;
}

void timing_close(timing *timing)
{
    atomic_store(&timing->is_stopping, true);
    pthread_join(timing->reader, NULL);
    for (size_t i = 0; i < timing->subscribers; i++) {
        websocket_close(timing->sockets[i]);
        free(timing->waited_ms[i]);
    }
    close(timing->fd);
    flood_close(timing->flood);
    free(timing);
}

uint64_t timing_sent(const timing *timing)
{
    return timing->flooded + timing->next;
}

uint64_t timing_coalesced(const timing *timing)
{
    return atomic_load(&timing->coalesced);
}

timing_result timing_run(timing *timing, double rate, uint64_t duration_ns)
{
    pthread_t sender;
    timing->first = timing->next;
    timing->end_ns = bench_now_ns() + duration_ns;
    if (pthread_create(&sender, NULL, send_timed, timing) != 0) bench_die("cannot start a thread");
    timing->flooded += flood_run(timing->flood, rate - (double)TIMING_RATE, duration_ns).sent;
    pthread_join(sender, NULL);
    wait_for_last(timing);
    const size_t count = timing->next - timing->first;
    double *all = malloc(timing->subscribers * count * sizeof *all);
    if (all == NULL) bench_die("out of memory");
    for (size_t i = 0; i < timing->subscribers; i++) {
        memcpy(all + i * count, timing->waited_ms[i] + timing->first, count * sizeof *all);
    }
    const timing_result result = {bench_quantile(all, timing->subscribers * count, 0.5),
                                  bench_quantile(all, timing->subscribers * count, 0.99)};
    free(all);
    return result;
}

static void *send_timed(void *ctx)
{
    timing *timing = ctx;
    for (uint64_t at_ns = bench_now_ns(); at_ns < timing->end_ns; at_ns += UINT64_C(1000000000) / TIMING_RATE) {
        bench_wait_until(at_ns);
        const uint64_t number = timing->next++;
        if (number == TIMED_MAX) bench_die("too many timed events");
        atomic_store(&timing->sent_ns[number], bench_now_ns());
        udp_client_send(timing->fd, (int64_t)number, "/live/track/volume", "if", 1,
                        (double)(number % 1000 + 1) / 1001.0); /* always another one */
    }
    return NULL;
}

static void wait_for_last(const timing *timing)
{
    const uint64_t began_ns = bench_now_ns();
    for (size_t i = 0; i < timing->subscribers; i++) {
        while (atomic_load(&timing->seen[i]) < timing->next) {
            if (bench_now_ns() - began_ns > LAST_WAIT_NS)
                bench_die("a subscriber has %llu of %llu timed events",
                          (unsigned long long)atomic_load(&timing->seen[i]), (unsigned long long)timing->next);
            bench_wait_until(bench_now_ns() + 300000);
        }
    }
}

static void *read_all(void *ctx)
{
    timing *timing = ctx;
    struct pollfd wanted[TIMING_SUBSCRIBERS_MAX];
    for (size_t i = 0; i < timing->subscribers; i++) {
        wanted[i] = (struct pollfd){.fd = timing->sockets[i]->fd, .events = POLLIN};
    }
    while (!atomic_load(&timing->is_stopping)) {
        if (poll(wanted, timing->subscribers, POLL_MS) < 0) bench_die("poll: %s", strerror(errno));
        for (size_t i = 0; i < timing->subscribers; i++) {
            if (wanted[i].revents == 0) continue;
            const char *message = NULL;
            size_t length = 0;
            websocket_receive(timing->sockets[i]);
            while ((message = websocket_next(timing->sockets[i], &length)) != NULL) see(timing, i, message, length);
        }
    }
    return NULL;
}

/* Notes how long it took, if it tells of a timed event. */
static void see(timing *timing, size_t subscriber, const char *message, size_t length)
{
    const char *at = memmem(message, length, sign, sizeof sign - 1);
    if (at == NULL) return;
    const uint64_t now_ns = bench_now_ns();
    at = memmem(at, length - (size_t)(at - message), number_sign, sizeof number_sign - 1);
    const uint64_t number = at != NULL ? strtoull(at + sizeof number_sign - 1, NULL, 10) : TIMED_MAX;
    uint64_t seen = atomic_load(&timing->seen[subscriber]);
    if (number < seen || number >= TIMED_MAX) bench_die("timed event %llu is missing", (unsigned long long)seen);
    atomic_fetch_add(&timing->coalesced, number - seen); /* the subscriber lagged, and the last value stands for all */
    for (; seen <= number; seen++) {
        timing->waited_ms[subscriber][seen] = (double)(now_ns - atomic_load(&timing->sent_ns[seen])) / 1e6;
    }
    atomic_store(&timing->seen[subscriber], seen);
}
