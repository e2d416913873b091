/*
 * Four floats at once: the same bits as one after the other, on every CPU, as each of them goes through the same
 * operations in the same order. Nothing here adds across the four.
 */
#ifndef SL_CORE_FOUR_H
#define SL_CORE_FOUR_H

#include <stdint.h>
#include <string.h>

typedef float sl_four __attribute__((vector_size(16)));
typedef int32_t sl_four_bits __attribute__((vector_size(16)));
typedef uint32_t sl_four_phases __attribute__((vector_size(16)));
typedef uint64_t sl_four_pairs __attribute__((vector_size(16))); /* two times two floats */

static inline sl_four sl_four_load(const float *from)
{
    sl_four value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void sl_four_store(float *to, sl_four value)
{
    memcpy(to, &value, sizeof value);
}

/* Whole numbers as floats. */
static inline sl_four sl_four_of(sl_four_bits numbers)
{
    return __builtin_convertvector(numbers, sl_four);
}

static inline sl_four sl_four_abs(sl_four value)
{
    return (sl_four)((sl_four_bits)value & INT32_MAX);
}

/* Each time a where a > b, else b. */
static inline sl_four sl_four_larger(sl_four a, sl_four b)
{
    const sl_four_bits is_larger = a > b;
    return (sl_four)(((sl_four_bits)a & is_larger) | ((sl_four_bits)b & ~is_larger));
}

#endif
