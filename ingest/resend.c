/* Asking a sender. */
#include "ingest/resend.h"

#include <lo/lo.h>

/* Adds one message to the bundle, which owns it from then on. */
static sl_err add(lo_bundle bundle, const sl_hole *hole)
{
    lo_message message = lo_message_new();
    if (message == NULL) return SL_ERR_MEMORY;
    int failed = lo_message_add_int64(message, (int64_t)hole->first);
    failed |= lo_message_add_int64(message, (int64_t)hole->count);
    if (failed == 0) failed = lo_bundle_add_message(bundle, "/symlog/resend", message);
    if (failed == 0) return SL_OK;
    lo_message_free(message);
    return SL_ERR_MEMORY;
}

sl_err sl_resend_build(const sl_hole *holes, size_t count, uint8_t *packet, size_t capacity, size_t *length)
{
    lo_bundle bundle = lo_bundle_new(LO_TT_IMMEDIATE);
    if (bundle == NULL) return SL_ERR_MEMORY;
    sl_err err = SL_OK;
    for (size_t i = 0; i < count && err == SL_OK; i++) err = add(bundle, &holes[i]);
    *length = lo_bundle_length(bundle);
    if (err == SL_OK && *length > capacity) err = SL_ERR_FULL;
    if (err == SL_OK && lo_bundle_serialise(bundle, packet, NULL) == NULL) err = SL_ERR_MEMORY;
    lo_bundle_free_recursive(bundle);
    return err;
}
