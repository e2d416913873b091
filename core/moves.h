/* Which items of a list have moved: as few as possible. Knows nothing of nodes. */
#ifndef SL_CORE_MOVES_H
#define SL_CORE_MOVES_H

#include "core/err.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stdint.h>

/* `former[i]`, no two alike: where the item that now stands at i stood before. Sets moved[i] for the fewest items
 * that, taken out, leave the others in their former order. SL_ERR_MEMORY. Takes time in proportion to n log n, and no
 * memory where the order is as it was. */
sl_err sl_moves_find(const uint32_t *former, uint32_t count, sl_memory memory, bool *moved);

#endif
