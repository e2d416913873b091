/* A radix sort, byte by byte from the lowest; bytes that all keys share are passed over. */
#include "core/sort.h"

#include <stdbool.h>
#include <string.h>

enum { FEW = 48 };

static void insert_each(uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

static bool is_sorted(const uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (keys[i - 1] > keys[i]) return false;
    return true;
}

void sl_sort_keys(uint64_t *keys, uint64_t *scratch, size_t count)
{
    if (is_sorted(keys, count)) return;
    if (count <= FEW) {
        insert_each(keys, count);
        return;
    }
    uint64_t *from = keys, *to = scratch;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t places[256] = {0};
        for (size_t i = 0; i < count; i++) places[from[i] >> shift & 0xff]++;
        if (places[from[0] >> shift & 0xff] == count) continue;
        size_t sum = 0;
        for (unsigned value = 0; value < 256; value++) {
            size_t here = places[value];
            places[value] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) to[places[from[i] >> shift & 0xff]++] = from[i];
        uint64_t *other = from;
        from = to;
        to = other;
    }
    if (from != keys) memcpy(keys, from, count * sizeof *keys);
}
