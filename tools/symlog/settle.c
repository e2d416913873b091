/* Runs of scene/reordered, and when they are over. */
#include "tools/symlog/settle.h"

static sl_settle_run *find_run(sl_settle *settle, uint32_t source);
static sl_settle_run *add_run(sl_settle *settle);
static void remove_run(sl_settle *settle, sl_settle_run *run);

void sl_settle_see(sl_settle *settle, const sl_source *source, uint64_t now_ns)
{
    sl_settle_run *run = settle->count > 0 ? find_run(settle, source->number) : NULL;
    if (!source->has_open_run) {
        if (run != NULL) remove_run(settle, run);
        return;
    }
    if (run == NULL) run = add_run(settle);
    *run = (sl_settle_run){.source = source->number, .session = source->session, .due_ns = now_ns + SL_SETTLE_DELAY_NS};
}

static sl_settle_run *find_run(sl_settle *settle, uint32_t source)
{
    for (size_t i = 0; i < settle->count; i++) {
        if (settle->runs[i].source == source) return &settle->runs[i];
    }
    return NULL;
}

/* With more sources than are kept, the run that is due first gives way: it has waited longest. */
static sl_settle_run *add_run(sl_settle *settle)
{
    if (settle->count < SL_SOURCES_MAX) return &settle->runs[settle->count++];
    sl_settle_run *oldest = &settle->runs[0];
    for (size_t i = 1; i < settle->count; i++) {
        if (settle->runs[i].due_ns < oldest->due_ns) oldest = &settle->runs[i];
    }
    return oldest;
}

static void remove_run(sl_settle *settle, sl_settle_run *run)
{
    *run = settle->runs[--settle->count];
}

void sl_settle_put(sl_settle *settle, uint64_t now_ns, uint64_t time_ns, sl_sink sink)
{
    for (size_t i = settle->count; i-- > 0;) {
        const sl_settle_run *run = &settle->runs[i];
        if (run->due_ns > now_ns) continue;
        const sl_event draft = {
            .kind = SL_KIND_ORDER_SETTLED,
            .version = SL_PAYLOAD_VERSION,
            .source = run->source,
            .session = run->session,
            .source_seq = SL_SOURCE_SEQ_NONE,
            .time_ns = time_ns,
        };
        if (sink.put(sink.ctx, &draft) == SL_OK) remove_run(settle, &settle->runs[i]);
    }
}

uint64_t sl_settle_due_ns(const sl_settle *settle)
{
    uint64_t due_ns = UINT64_MAX;
    for (size_t i = 0; i < settle->count; i++) {
        if (settle->runs[i].due_ns < due_ns) due_ns = settle->runs[i].due_ns;
    }
    return due_ns;
}
