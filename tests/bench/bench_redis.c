/*
 * Durable appends of 128 bytes: symlog's log with durability power, in the batches that its committer makes of what
 * waits in its ring, beside Redis with `appendfsync always`, in turn, on the same file system.
 *
 * Both sides always have more to do: a thread keeps the ring full; a client keeps Redis' sockets full and waits for no
 * answer. Counted is what is durable: told after its commit; answered. Redis is given RPUSH, the fastest of its
 * commands that keep the order (XADD and APPEND are slower), one event a command. It reads at most 16 KiB of a
 * connection before it flushes, so one sender's pipeline gives small batches, and 50 give batches as big as the
 * committer's: both are shown.
 */
#include "tests/bench/bench.h"

#include "ingest/ring.h"
#include "store/log.h"
#include "tests/bench/redis.h"
#include "tools/symlog/committer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    PAYLOAD_BYTES = 128,
    RING_BYTES = 16 << 20, /* as in serve */
    PUT_AT_ONCE = 32,
    SENDERS_MANY = 50
};
static const uint64_t ROUND_NS = 1000000000;
static const uint64_t REST_NS = 50000; /* while the ring is full */

static double append_to_log(const bench *bench);
static double push_to_redis(const bench *bench, size_t connections);

void bench_redis(bench *bench)
{
    redis *redis = redis_open(bench);
    if (redis == NULL) {
        bench_note(bench, "redis: left out, since there is no redis-server here (Debian: redis-tools)");
        return;
    }
    redis_close(redis);
    bench_series own = {0}, one = {0}, many = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&one, push_to_redis(bench, 1));
        bench_add(&own, append_to_log(bench));
        bench_add(&many, push_to_redis(bench, SENDERS_MANY));
    }
    static const char name[] = "durable append, the committer's batches";
    bench_report(bench, &(bench_figure){name, "events/s", &own, "Redis appendfsync always, one pipeline", &one,
                                        BENCH_LIMIT_RATIO_MIN, 2});
    bench_report(bench, &(bench_figure){name, "events/s", &own, "Redis appendfsync always, 50 pipelines", &many,
                                        BENCH_LIMIT_RATIO_MIN, 2});
}

/* Committer's thread. */
static void on_committed(void *ctx, const sl_event *drafts, size_t count)
{
    _Atomic uint64_t *committed = ctx;
    (void)drafts;
    atomic_fetch_add(committed, count);
}

/* Puts drafts until the time is over, and wakes whoever reads the ring. */
static void fill(sl_ring *ring, int wake_fd, uint64_t end_ns)
{
    static const uint8_t payload[PAYLOAD_BYTES] = "/live/seq";
    sl_event draft = {.kind = SL_KIND_OSC, .version = 1, .source = 1, .payload = payload, .length = PAYLOAD_BYTES};
    const uint64_t one = 1;
    while (bench_now_ns() < end_ns) {
        sl_err err = SL_OK;
        for (int i = 0; i < PUT_AT_ONCE && err == SL_OK; i++) {
            err = sl_ring_put(ring, &draft);
            if (err == SL_OK) draft.source_seq++;
        }
        if (write(wake_fd, &one, sizeof one) < 0) bench_die("the eventfd is full");
        if (err != SL_OK) bench_wait_until(bench_now_ns() + REST_NS);
    }
}

static double append_to_log(const bench *bench)
{
    char dir[BENCH_DIR_BYTES], errmsg[SL_LOG_ERRMSG_BYTES];
    _Atomic uint64_t committed = 0;
    sl_log *log = NULL;
    sl_ring *ring = NULL;
    sl_committer *committer = NULL;
    bench_make_dir(bench, dir);
    const sl_log_options options = {.dir = dir, .is_writer = true, .durability = SL_DURABILITY_POWER};
    if (sl_log_open(&log, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sl_ring_create(RING_BYTES, &ring) != SL_OK) bench_die("out of memory");
    const sl_committer_options wiring = {
        .log = log, .ring = ring, .wake_fd = wake_fd, .tell = on_committed, .ctx = &committed};
    if (sl_committer_start(&committer, &wiring) != SL_OK) bench_die("cannot start the committer");
    const uint64_t began_ns = bench_now_ns();
    fill(ring, wake_fd, began_ns + ROUND_NS);
    const double rate = (double)atomic_load(&committed) * 1e9 / (double)(bench_now_ns() - began_ns);
    if (!sl_committer_stop(committer)) bench_die("%s", sl_log_error(log));
    sl_ring_destroy(ring);
    close(wake_fd);
    sl_log_close(log);
    bench_remove_dir(dir);
    return rate;
}

static double push_to_redis(const bench *bench, size_t connections)
{
    redis *redis = redis_open(bench);
    if (redis == NULL) bench_die("redis-server is gone");
    const double rate = redis_push(redis, connections, PAYLOAD_BYTES, ROUND_NS);
    redis_close(redis);
    return rate;
}
