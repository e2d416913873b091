/* The longest rising subsequence stays (patience sorting); the rest has moved. */
#include "core/moves.h"

#include <assert.h>
#include <string.h>

/* As many items as rise from the first on. */
static uint32_t count_rising(const uint32_t *former, uint32_t count)
{
    uint32_t rising = count > 0 ? 1 : 0;
    while (rising < count && former[rising] > former[rising - 1]) rising++;
    return rising;
}

/* ends[n]: the item with the lowest former place that ends a rising subsequence of n + 1. */
static uint32_t find_length(const uint32_t *former, const uint32_t *ends, uint32_t longest, uint32_t item)
{
    uint32_t low = 0, high = longest;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (former[ends[middle]] < former[item])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

sl_err sl_moves_find(const uint32_t *former, uint32_t count, sl_memory memory, bool *moved)
{
    memset(moved, 0, count * sizeof *moved);
    if (count_rising(former, count) == count) return SL_OK;
    const size_t size = 2 * (size_t)count * sizeof(uint32_t);
    uint32_t *ends = memory.resize(memory.ctx, NULL, 0, size);
    if (ends == NULL) return SL_ERR_MEMORY;
    uint32_t *before = ends + count; /* before[i]: the item that precedes i in its subsequence */
    uint32_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = find_length(former, ends, longest, i);
        before[i] = length > 0 ? ends[length - 1] : i;
        ends[length] = i;
        if (length == longest) longest++;
    }
    assert(longest > 0);
    for (uint32_t i = 0; i < count; i++) moved[i] = true;
    for (uint32_t item = ends[longest - 1], left = longest; left > 0; left--, item = before[item]) moved[item] = false;
    (void)memory.resize(memory.ctx, ends, size, 0);
    return SL_OK;
}
