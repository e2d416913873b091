/* Runs of scene/reordered, and when they are over. */
#include "tools/symlog/settle.h"

#include "core/osc.h"

#include <stdbool.h>
#include <string.h>

/* What a datagram does to a run of its source. */
typedef enum run_effect { RUN_PASSED, RUN_GOES_ON, RUN_ENDS } run_effect;

static sl_settle_run *find_run(sl_settle *settle, const sl_event *event);
static run_effect effect_of(const sl_event *event, uint64_t *count);
static sl_settle_run *add_run(sl_settle *settle);
static void remove_run(sl_settle *settle, sl_settle_run *run);

void sl_settle_see(sl_settle *settle, const sl_event *event, uint64_t now_ns)
{
    sl_settle_run *run = settle->count > 0 ? find_run(settle, event) : NULL;
    if (event->kind == SL_KIND_ORDER_SETTLED && run != NULL) remove_run(settle, run);
    if (event->kind != SL_KIND_OSC) return;
    uint64_t messages = 0;
    const run_effect effect = effect_of(event, &messages);
    if (effect == RUN_GOES_ON) {
        if (run == NULL) run = add_run(settle);
        const bool is_numbered = event->source_seq != SL_SOURCE_SEQ_NONE;
        *run = (sl_settle_run){
            .source = event->source,
            .session = event->session,
            .next_source_seq = is_numbered ? event->source_seq + messages : SL_SOURCE_SEQ_NONE,
            .due_ns = now_ns + SL_SETTLE_DELAY_NS,
        };
    } else if (run != NULL && event->source_seq == run->next_source_seq) {
        if (effect == RUN_ENDS)
            remove_run(settle, run);
        else if (run->next_source_seq != SL_SOURCE_SEQ_NONE)
            run->next_source_seq += messages;
    }
}

static sl_settle_run *find_run(sl_settle *settle, const sl_event *event)
{
    for (size_t i = 0; i < settle->count; i++) {
        sl_settle_run *run = &settle->runs[i];
        if (run->source == event->source && run->session == event->session) return run;
    }
    return NULL;
}

/* The last message decides that is not symlog's own: those pass a run by (core/TREE.md). *count of all. */
static run_effect effect_of(const sl_event *event, uint64_t *count)
{
    static const char reordered[] = "/live/scene/reordered";
    static const char own[] = "/symlog/";
    if (!sl_osc_check(event->payload, event->length, NULL)) return RUN_ENDS;
    run_effect effect = RUN_PASSED;
    sl_osc_walk walk = sl_osc_walk_begin(event->payload, event->length);
    sl_osc_message message;
    for (; sl_osc_walk_next(&walk, &message); ++*count) {
        sl_osc_message inner;
        int64_t number = 0;
        double timestamp = 0;
        bool is_bad = false;
        if (sl_osc_unwrap(&message, &inner, &number, &timestamp, &is_bad)) message = inner;
        if (strncmp(message.address, own, sizeof own - 1) == 0) continue;
        effect = strcmp(message.address, reordered) == 0 ? RUN_GOES_ON : RUN_ENDS;
    }
    return effect;
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
