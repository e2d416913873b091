/* What a subscriber asks for in its address: ?from=SEQ&log=ID&batch=1&throttle=MS&paths=…&compact=1. Pure. */
#ifndef SL_TOOLS_WISHES_H
#define SL_TOOLS_WISHES_H

#include "core/message_paths.h"
#include "store/log.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_WISHES_THROTTLE_MS_MAX = 60000, SL_WISHES_VALUE_BYTES = 4096 /* of one value, NUL included */ };

typedef struct sl_wishes {
    bool has_from;
    uint64_t from;                  /* the messages after this event */
    char log_id[SL_LOG_ID_HEX + 1]; /* of this log; "" if it named none */
    bool is_batch;                  /* what waits in one frame, a JSON array */
    bool is_compact;                /* `shifted` for what moved */
    uint32_t throttle_ms;           /* coalesced, one delivery in so many; 0: at once */
    sl_paths paths;                 /* only what is at or below them; none: everything */
} sl_wishes;

/* What stands behind "NAME=" in the address, NULL where there is no such name. Valid until the next call. */
typedef const char *(*sl_wishes_find)(void *ctx, const char *name);

/* NULL, or the sentence that says which value is wrong and what would be right. Static. */
const char *sl_wishes_read(sl_wishes *out, sl_wishes_find find, void *ctx);

#endif
