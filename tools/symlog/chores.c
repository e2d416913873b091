/* What is appended by the clock. */
#include "tools/symlog/chores.h"

#include "core/payload.h"
#include "ingest/clock.h"

#include <assert.h>

#define SECOND_NS UINT64_C(1000000000)
#define TICK_NS (SECOND_NS / 4)
#define READER_CHECK_NS (30 * SECOND_NS)

static void put(sl_chores *chores, uint16_t kind, uint16_t version, const sl_writer *payload);
static void put_counters(sl_chores *chores);
static void put_checkpoint(sl_chores *chores);

void sl_chores_see(sl_chores *chores, const sl_event *event)
{
    chores->event_ns = sl_clock_boot_ns();
    const sl_source *source = sl_state_source(chores->state, event->source);
    if (source != NULL) sl_settle_see(&chores->settle, source, chores->event_ns);
    if (event->source != SL_SOURCE_SELF || event->kind == SL_KIND_MARK || event->kind == SL_KIND_GROOVE_EDIT)
        chores->has_news = true;
    if (event->seq - chores->checkpoint_seq >= chores->checkpoint_every) put_checkpoint(chores);
}

uint64_t sl_chores_tick(sl_chores *chores)
{
    const uint64_t now_ns = sl_clock_boot_ns();
    sl_settle_put(&chores->settle, now_ns, now_ns - chores->start_ns, chores->sink);
    if (now_ns - chores->counters_ns >= SECOND_NS) {
        chores->counters_ns = now_ns;
        put_counters(chores);
    } else if (chores->has_news && now_ns - chores->event_ns >= SECOND_NS) {
        put_checkpoint(chores);
    }
    if (now_ns - chores->reader_check_ns >= READER_CHECK_NS) {
        chores->reader_check_ns = now_ns;
        /* It frees what died; a failure costs room in the file and is tried again. */
        if (sl_log_reader_check(chores->log, NULL) != SL_OK) chores->reader_check_ns = now_ns - READER_CHECK_NS / 2;
    }
    const uint64_t due_ns = sl_settle_due_ns(&chores->settle);
    if (due_ns <= now_ns) return TICK_NS / 10;
    return due_ns - now_ns < TICK_NS ? due_ns - now_ns : TICK_NS;
}

void sl_chores_finish(sl_chores *chores)
{
    if (chores->has_news) put_checkpoint(chores);
    put_counters(chores);
}

static void put(sl_chores *chores, uint16_t kind, uint16_t version, const sl_writer *payload)
{
    assert(!payload->bad);
    const sl_event draft = {
        .kind = kind,
        .version = version,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = sl_clock_boot_ns() - chores->start_ns,
        .payload = payload->bytes,
        .length = (uint32_t)payload->length,
    };
    /* A full queue loses nothing here: the next counters tell all, and a checkpoint is only a proof. */
    if (chores->sink.put(chores->sink.ctx, &draft) != SL_OK) return;
}

static void put_counters(sl_chores *chores)
{
    sl_counters counters = {0};
    bool is_changed = sl_peers_counters(chores->peers, &counters);
    if (sl_groove_ports_counters(chores->groove_ports, &counters)) is_changed = true;
    counters.kernel_drops = chores->kernel_drops + (chores->udp != NULL ? sl_udp_kernel_drops(chores->udp) : 0);
    if (counters.kernel_drops != sl_state_kernel_drops(chores->state)) is_changed = true;
    if (!is_changed) return;
    uint8_t bytes[SL_COUNTERS_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    if (sl_counters_encode(&counters, &writer) == SL_OK) put(chores, SL_KIND_COUNTERS, SL_COUNTERS_VERSION, &writer);
}

static void put_checkpoint(sl_chores *chores)
{
    sl_checkpoint checkpoint = {.through_seq = sl_state_seq(chores->state), .reducer_version = SL_REDUCER_VERSION};
    sl_state_digests(chores->state, NULL, &checkpoint.digest);
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    if (sl_checkpoint_encode(&checkpoint, &writer) == SL_OK)
        put(chores, SL_KIND_CHECKPOINT, SL_PAYLOAD_VERSION, &writer);
    chores->checkpoint_seq = checkpoint.through_seq;
    chores->has_news = false;
}
