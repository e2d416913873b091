/* The parts of a snapshot: reading one, and keeping them in whatever order they come. Pure. */
#ifndef SL_INGEST_SNAPSHOT_PARTS_H
#define SL_INGEST_SNAPSHOT_PARTS_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part, as its message tells. */
typedef struct sl_snapshot_part {
    int64_t session; /* the sender's */
    int64_t number;  /* from 0 */
    int64_t count;
    const uint8_t *bytes; /* borrowed from the message */
    size_t length;
} sl_snapshot_part;

/* Reads a message's type tags (without the comma) and arguments. Returns why it is no part, static; NULL if it is. */
const char *sl_snapshot_part_read(const char *tags, const uint8_t *arguments, sl_snapshot_part *out);

/* The number of the snapshot's last message, of which `part` has `number`; SL_SOURCE_SEQ_NONE if that is none. */
uint64_t sl_snapshot_part_last(const sl_snapshot_part *part, uint64_t number);

/* All zero: no parts, no memory. */
typedef struct sl_snapshot_parts {
    struct sl_snapshot_place *places; /* one for each part: where it lies in `bytes` */
    uint32_t count;
    uint32_t missing_count;
    uint8_t *bytes; /* in order of arrival */
    size_t length;
    size_t capacity;
} sl_snapshot_parts;

/* Makes room to know `count` parts (at least 1). SL_ERR_MEMORY. */
sl_err sl_snapshot_parts_begin(sl_snapshot_parts *parts, uint32_t count);

/* Frees everything. */
void sl_snapshot_parts_clear(sl_snapshot_parts *parts);

bool sl_snapshot_parts_have(const sl_snapshot_parts *parts, uint32_t number);

/* Copies the part `number` (below the count, not there yet; asserted). SL_ERR_MEMORY. */
sl_err sl_snapshot_parts_add(sl_snapshot_parts *parts, uint32_t number, const uint8_t *bytes, size_t length);

/* All parts are there: puts their bytes into order, in place. SL_ERR_MEMORY. */
sl_err sl_snapshot_parts_join(sl_snapshot_parts *parts);

/* Bytes of memory that it holds. */
size_t sl_snapshot_parts_size_bytes(const sl_snapshot_parts *parts);

#endif
