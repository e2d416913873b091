/* Unpacks a gzip file, within a bound. Knows nothing of what is in it. */
#ifndef SL_INGEST_GUNZIP_H
#define SL_INGEST_GUNZIP_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

/* Unpacks the one gzip member that `packed` is, to the last byte. `*out` is malloc'ed, the caller frees it; NULL on
 * failure. SL_ERR_MALFORMED: no gzip, damaged, cut off, or with something behind it; SL_ERR_RANGE: it unpacks to more
 * than `limit` bytes, of which no more were made; SL_ERR_MEMORY. `reason` then says it in words; static. */
sl_err sl_gunzip(const uint8_t *packed, size_t packed_length, size_t limit, char **out, size_t *length,
                 const char **reason);

#endif
