/* The wiring. */
#include "tests/bench/pipeline.h"

#include "ingest/clock.h"
#include "ingest/peers.h"
#include "ingest/ring.h"
#include "ingest/udp.h"
#include "store/log.h"
#include "tools/symlog/committer.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { RING_BYTES = 16 << 20 }; /* as in serve */

struct pipeline {
    char dir[BENCH_DIR_BYTES];
    sl_log *log;
    sl_ring *ring;
    sl_peers *peers;
    sl_committer *committer;
    sl_udp *udp;
    int wake_fd;
    taker taken;
};

static void on_committed(void *ctx, const sl_event *drafts, size_t count);

pipeline *pipeline_open(const bench *bench)
{
    pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (pipeline == NULL) bench_die("out of memory");
    bench_make_dir(bench, pipeline->dir);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    const sl_log_options log = {.dir = pipeline->dir, .is_writer = true, .durability = SL_DURABILITY_POWER};
    if (sl_log_open(&pipeline->log, &log, errmsg) != SL_OK) bench_die("%s", errmsg);
    pipeline->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sl_ring_create(RING_BYTES, &pipeline->ring) != SL_OK || sl_peers_create(1, &pipeline->peers) != SL_OK)
        bench_die("out of memory");
    const sl_committer_options committer = {.log = pipeline->log,
                                            .ring = pipeline->ring,
                                            .wake_fd = pipeline->wake_fd,
                                            .tell = on_committed,
                                            .ctx = pipeline};
    if (sl_committer_start(&pipeline->committer, &committer) != SL_OK) bench_die("cannot start the committer");
    const sl_udp_options udp = {.address = "127.0.0.1",
                                .start_ns = sl_clock_boot_ns(),
                                .ring = pipeline->ring,
                                .wake_fd = pipeline->wake_fd,
                                .peers = pipeline->peers,
                                .sink = sl_committer_sink(pipeline->committer)};
    if (sl_udp_start(&pipeline->udp, &udp, errmsg) != SL_OK) bench_die("%s", errmsg);
    return pipeline;
}

void pipeline_close(pipeline *pipeline)
{
    sl_udp_stop(pipeline->udp);
    if (!sl_committer_stop(pipeline->committer)) bench_die("%s", sl_log_error(pipeline->log));
    sl_peers_destroy(pipeline->peers);
    sl_ring_destroy(pipeline->ring);
    close(pipeline->wake_fd);
    sl_log_close(pipeline->log);
    bench_remove_dir(pipeline->dir);
    free(pipeline);
}

uint16_t pipeline_port(const pipeline *pipeline)
{
    return sl_udp_port(pipeline->udp);
}

taker *pipeline_taken(pipeline *pipeline)
{
    return &pipeline->taken;
}

uint64_t pipeline_kernel_drops(const pipeline *pipeline)
{
    return sl_udp_kernel_drops(pipeline->udp);
}

/* Committer's thread. */
static void on_committed(void *ctx, const sl_event *drafts, size_t count)
{
    pipeline *pipeline = ctx;
    uint64_t datagrams = 0;
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        uint32_t of_source = 0;
        for (; end < count && drafts[end].source == drafts[begin].source; end++) {
            if (drafts[end].kind == SL_KIND_OSC) of_source++;
        }
        if (of_source > 0) sl_peers_count_committed(pipeline->peers, drafts[begin].source, of_source);
        datagrams += of_source;
    }
    taker_add(&pipeline->taken, datagrams);
}
