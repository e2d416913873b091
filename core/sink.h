/* Where a source puts its drafts. Declared here so that ingest and store need not know each other. */
#ifndef SL_CORE_SINK_H
#define SL_CORE_SINK_H

#include "core/event.h"

typedef struct sl_sink {
    /* Takes a copy of `draft`, payload included; it will get its sequence number when it is committed. Any thread.
     * SL_ERR_FULL: the bounded queue has no room, the draft is not taken; SL_ERR_MEMORY. */
    sl_err (*put)(void *ctx, const sl_event *draft);
    void *ctx;
} sl_sink;

#endif
