/* The request to send numbers again, built by liblo. */
#ifndef SL_INGEST_RESEND_H
#define SL_INGEST_RESEND_H

#include "core/err.h"
#include "core/reduce.h"

#include <stddef.h>
#include <stdint.h>

enum { SL_RESEND_BYTES_EACH = 40, SL_RESEND_BYTES_BEGIN = 16 }; /* of a request: 16 and 40 for each hole */

/* Writes a bundle with a message "/symlog/resend ,hh from count" for each hole. SL_ERR_FULL: it does not fit;
 * SL_ERR_MEMORY. */
sl_err sl_resend_build(const sl_hole *holes, size_t count, uint8_t *packet, size_t capacity, size_t *length);

#endif
