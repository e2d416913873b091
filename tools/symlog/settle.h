/*
 * Says in the log when a run of scene/reordered has ended by time: 100 ms after the last event that left it open, an
 * order_settled event of its source, so that the reducer, which has no clock, may apply the run. The clock's value is
 * given to it. One thread.
 */
#ifndef SL_TOOLS_SETTLE_H
#define SL_TOOLS_SETTLE_H

#include "core/reduce.h"
#include "core/sink.h"

#include <stddef.h>
#include <stdint.h>

#define SL_SETTLE_DELAY_NS UINT64_C(100000000)

/* A source whose run is open. */
typedef struct sl_settle_run {
    uint32_t source;
    uint64_t session;
    uint64_t due_ns;
} sl_settle_run;

/* Zero to begin with. */
typedef struct sl_settle {
    sl_settle_run runs[SL_SOURCES_MAX];
    size_t count;
} sl_settle;

/* Looks at a source after an event of it was applied. */
void sl_settle_see(sl_settle *settle, const sl_source *source, uint64_t now_ns);

/* Puts an order_settled event for every run that is due at `now_ns`, stamped `time_ns`; one that the sink refuses stays
 * for the next call. */
void sl_settle_put(sl_settle *settle, uint64_t now_ns, uint64_t time_ns, sl_sink sink);

/* When the next run is due; UINT64_MAX if none is open. */
uint64_t sl_settle_due_ns(const sl_settle *settle);

#endif
