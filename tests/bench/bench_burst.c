/* A burst of 10,000 datagrams back to back: does symlog take it whole, and how many does the kernel's buffer hold? */
#include "tests/bench/bench.h"

#include "tests/bench/bare_receiver.h"
#include "tests/bench/flood.h"
#include "tests/bench/pipeline.h"

enum { BURST = 10000, OVERFILL = 100000 };

static double send_to_pipeline(const bench *bench);
static double fill_buffer(void);

void bench_burst(bench *bench)
{
    bench_series taken = {0}, held = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&taken, send_to_pipeline(bench));
        bench_add(&held, fill_buffer());
    }
    bench_report(bench, &(bench_figure){.name = "of 10,000 datagrams back to back, durable",
                                        .unit = "datagrams",
                                        .own = &taken,
                                        .limit_type = BENCH_LIMIT_VALUE_MIN,
                                        .limit = BURST});
    bench_report(
        bench,
        &(bench_figure){.name = "held by the granted buffer while nobody receives", .unit = "datagrams", .own = &held});
    bench_note(bench, "granted: %d bytes, of which a datagram of %d bytes takes %d", bare_receiver_buffer_bytes(),
               FLOOD_DATAGRAM_BYTES,
               (int)(bare_receiver_buffer_bytes() / bench_quantile(held.values, held.count, 0.5)));
}

static double send_to_pipeline(const bench *bench)
{
    pipeline *pipeline = pipeline_open(bench);
    flood *flood = flood_open(pipeline_port(pipeline));
    flood_burst(flood, BURST);
    const uint64_t taken = taker_wait(pipeline_taken(pipeline), BURST);
    flood_close(flood);
    pipeline_close(pipeline);
    return (double)taken;
}

static double fill_buffer(void)
{
    bare_receiver receiver;
    bare_receiver_open(&receiver);
    flood *flood = flood_open(receiver.port);
    flood_burst(flood, OVERFILL);
    const uint64_t held = bare_receiver_empty(&receiver);
    flood_close(flood);
    bare_receiver_close(&receiver);
    return (double)held;
}
