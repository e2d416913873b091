/* Which events of a replay are shown: by source, by kind, and by the node of the tree that they changed. */
#ifndef SL_TOOLS_FILTER_H
#define SL_TOOLS_FILTER_H

#include "core/reduce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sl_filter {
    const char *source; /* its number, its name, or the address that its name begins with; NULL: any */
    uint16_t kind;      /* 0: any */
    const char *node;   /* path: the node there, and all below it; NULL: any */
} sl_filter;

/* Reads a kind's name or number. False: there is no such kind. */
bool sl_filter_kind(const char *text, uint16_t *kind);

/* True if source and kind fit. `state` names the sources: the one after the event, since a session names its own. */
bool sl_filter_takes(const sl_filter *filter, const sl_state *state, const sl_event *event);

/* True if `state` knows a source that the filter fits, or there is no such filter. */
bool sl_filter_has_source(const sl_filter *filter, const sl_state *state);

/* The node that the filter is about, as it stands now; NULL without such a filter or such a node. Asked before an
 * event: what it names may be removed by it. */
const sl_node *sl_filter_node(const sl_filter *filter, const sl_state *state);

/* True if the diff touches the filter's node or anything below it; `before` is what sl_filter_node gave before the
 * event, `state` the one after the message. True for everything without a filter by node. */
bool sl_filter_takes_diff(const sl_filter *filter, const sl_state *state, const sl_node *before, const sl_diff *diff);

#endif
