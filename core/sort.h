/* Sorting of 64-bit numbers, for what core compiles: the same order on every CPU, in time that grows with their count.
 */
#ifndef SL_CORE_SORT_H
#define SL_CORE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Sorts `count` keys, smallest first. `scratch` holds as many. */
void sl_sort_keys(uint64_t *keys, uint64_t *scratch, size_t count);

#endif
