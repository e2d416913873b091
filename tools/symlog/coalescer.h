/*
 * ?throttle: many state_changed entries become one for each attribute of a node (and each parameter of a device): the
 * last, with the first one's old_value. They stand in the order of the last changes. Pure.
 */
#ifndef SL_TOOLS_COALESCER_H
#define SL_TOOLS_COALESCER_H

#include "core/err.h"
#include "core/text.h"
#include "tools/symlog/entries.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_COALESCER_ENTRIES_MAX = 4096,    /* added since it was cleared */
    SL_COALESCER_BYTES_MAX = 56 * 1024, /* of the message, so that it fits into a frame */
    SL_COALESCER_ENTRY_BYTES_MAX = 4096
};

typedef struct sl_coalescer sl_coalescer;

/* SL_ERR_MEMORY. */
sl_err sl_coalescer_create(sl_coalescer **out);
void sl_coalescer_destroy(sl_coalescer *coalescer);

void sl_coalescer_clear(sl_coalescer *coalescer);

/* Adds the entries of one event, all of them or none; what they point to must stay until sl_coalescer_write. False:
 * there is one that is no state_changed, or is too long, or there is no more room. */
bool sl_coalescer_add(sl_coalescer *coalescer, const sl_entry *entries, size_t count);

bool sl_coalescer_is_empty(const sl_coalescer *coalescer);

/* Appends the message. */
void sl_coalescer_write(sl_coalescer *coalescer, sl_text *text, uint64_t seq);

#endif
