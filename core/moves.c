/*
 * The longest rising subsequence stays (patience sorting); the rest has moved. It is found from the last item on, so
 * that of two that changed places the first stays.
 */
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

/* begins[n]: the item with the highest former place that begins a rising subsequence of n + 1. */
static uint32_t find_length(const uint32_t *former, const uint32_t *begins, uint32_t longest, uint32_t item)
{
    uint32_t low = 0, high = longest;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (former[begins[middle]] > former[item])
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
    uint32_t *begins = memory.resize(memory.ctx, NULL, 0, size);
    if (begins == NULL) return SL_ERR_MEMORY;
    uint32_t *after = begins + count; /* after[i]: the item that follows i in its subsequence */
    uint32_t longest = 0;
    for (uint32_t i = count; i-- > 0;) {
        uint32_t length = find_length(former, begins, longest, i);
        after[i] = length > 0 ? begins[length - 1] : i;
        begins[length] = i;
        if (length == longest) longest++;
    }
    assert(longest > 0);
    for (uint32_t i = 0; i < count; i++) moved[i] = true;
    for (uint32_t item = begins[longest - 1], left = longest; left > 0; left--, item = after[item]) moved[item] = false;
    (void)memory.resize(memory.ctx, begins, size, 0);
    return SL_OK;
}
