/*
 * UDP to durable: the highest rate at which every datagram is taken, found by the same search for symlog (receiver,
 * ring, committer, log on disk), for the whole serve process, and for a bare recvmmsg loop that throws packets away.
 *
 * A trial sends for a second. Its rate counts until the last datagram is taken, durable in symlog's case, so that a
 * rate which only fills buffers does not count. Where the senders are the slowest, both sides show the senders' rate.
 */
#include "tests/bench/bench.h"

#include "tests/bench/bare_receiver.h"
#include "tests/bench/flood.h"
#include "tests/bench/pipeline.h"
#include "tests/bench/serving.h"

enum { SEARCH_STEPS = 5, TRIES = 2 };
static const uint64_t TRIAL_NS = 1000000000;

/* Something that takes a flood. */
typedef struct target {
    flood *flood;
    taker *taken;
    uint64_t lost; /* in all trials */
} target;

/* Where symlog lost what it lost. */
typedef struct losses {
    uint64_t by_kernel;
    uint64_t by_ring;
} losses;

static double search(target *target);
static double try_rate(target *target, double rate, double *sent_rate);
static double try_once(target *target, double rate, double *sent_rate);
static double search_bare(void);
static double search_pipeline(const bench *bench, losses *losses);
static double search_serve(const bench *bench);

void bench_udp(bench *bench)
{
    bench_series own = {0}, peer = {0}, whole = {0};
    losses losses = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&peer, search_bare());
        bench_add(&own, search_pipeline(bench, &losses));
        if (bench->program != NULL) bench_add(&whole, search_serve(bench));
    }
    static const char peer_name[] = "recvmmsg loop that throws away";
    bench_report(bench, &(bench_figure){"taken whole and durable", "datagrams/s", &own, peer_name, &peer,
                                        BENCH_LIMIT_RATIO_MIN, 0.9});
    bench_note(bench, "what symlog lost above that rate: %llu to the kernel's buffer, %llu to a full ring",
               (unsigned long long)losses.by_kernel, (unsigned long long)losses.by_ring);
    if (bench->program == NULL) return;
    bench_report(bench, &(bench_figure){"the same, by the serve process, which also applies them", "datagrams/s",
                                        &whole, peer_name, &peer, BENCH_LIMIT_NONE, 0});
}

static double search_bare(void)
{
    bare_receiver receiver;
    bare_receiver_open(&receiver);
    bare_receiver_start(&receiver);
    target target = {.flood = flood_open(receiver.port), .taken = &receiver.taken};
    const double rate = search(&target);
    flood_close(target.flood);
    bare_receiver_close(&receiver);
    return rate;
}

static double search_pipeline(const bench *bench, losses *losses)
{
    pipeline *pipeline = pipeline_open(bench);
    target target = {.flood = flood_open(pipeline_port(pipeline)), .taken = pipeline_taken(pipeline)};
    const double rate = search(&target);
    const uint64_t by_kernel = pipeline_kernel_drops(pipeline);
    losses->by_kernel += by_kernel;
    losses->by_ring += target.lost - by_kernel;
    flood_close(target.flood);
    pipeline_close(pipeline);
    return rate;
}

static double search_serve(const bench *bench)
{
    serving *serving = serving_open(bench);
    serving_watch(serving);
    target target = {.flood = flood_open(serving_osc_port(serving)), .taken = serving_taken(serving)};
    const double rate = search(&target);
    flood_close(target.flood);
    serving_close(serving);
    return rate;
}

/* As fast as it goes; if that loses something, halves the interval between what was and what was not whole. */
static double search(target *target)
{
    double high = 0;
    const double flat_out = try_rate(target, 0, &high);
    if (flat_out > 0) return flat_out;
    double low = 0, best = 0;
    for (int i = 0; i < SEARCH_STEPS; i++) {
        const double middle = (low + high) / 2;
        const double rate = try_rate(target, middle, NULL);
        if (rate > 0) {
            low = middle;
            best = rate;
        } else {
            high = middle;
        }
    }
    return best;
}

/* The rate at which all was taken; 0 if something was lost in each try: what else the machine does may spoil one. */
static double try_rate(target *target, double rate, double *sent_rate)
{
    double taken_rate = 0;
    for (int i = 0; i < TRIES && taken_rate <= 0; i++) taken_rate = try_once(target, rate, sent_rate);
    return taken_rate;
}

static double try_once(target *target, double rate, double *sent_rate)
{
    const uint64_t before = atomic_load(&target->taken->count);
    const flood_result result = flood_run(target->flood, rate, TRIAL_NS);
    const uint64_t taken = taker_wait(target->taken, before + result.sent) - before;
    if (sent_rate != NULL) *sent_rate = (double)result.sent * 1e9 / (double)(result.ended_ns - result.began_ns);
    target->lost += result.sent - taken;
    const uint64_t last_ns = atomic_load(&target->taken->last_ns);
    return taken == result.sent ? (double)taken * 1e9 / (double)(last_ns - result.began_ns) : 0;
}
