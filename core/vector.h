/*
 * Four floats at once, or eight: the same bits as one after the other, on every CPU, as each of them goes through the
 * same operations in the same order. Nothing here adds across them.
 *
 * Eight are handed over by their address: how they would be passed differs from CPU to CPU.
 */
#ifndef SL_CORE_VECTOR_H
#define SL_CORE_VECTOR_H

#include "core/audio_math.h"

#include <stdint.h>
#include <string.h>

typedef float sl_four __attribute__((vector_size(16)));
typedef int32_t sl_four_bits __attribute__((vector_size(16)));
typedef uint64_t sl_four_pairs __attribute__((vector_size(16))); /* two times two floats */
typedef float sl_eight __attribute__((vector_size(32)));
typedef int32_t sl_eight_bits __attribute__((vector_size(32)));
typedef uint32_t sl_eight_phases __attribute__((vector_size(32)));

static inline sl_four sl_four_load(const float *from)
{
    sl_four value;
    memcpy(&value, from, sizeof value);
    return value;
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

static inline void sl_eight_load(sl_eight *out, const float *from)
{
    memcpy(out, from, sizeof *out);
}

static inline void sl_eight_store(float *to, const sl_eight *from)
{
    memcpy(to, from, sizeof *from);
}

/* sl_without_tiny. */
static inline void sl_eight_cut_tiny(sl_eight *x)
{
    const sl_eight_bits bits = (sl_eight_bits)*x, tiny = (sl_eight_bits)((sl_eight){0} + SL_TINY);
    *x = (sl_eight)(bits & ((bits & INT32_MAX) >= tiny));
}

/* Rows become columns. */
static inline void sl_eight_turn_over(sl_eight rows[8])
{
    sl_eight half[8];
    for (uint32_t i = 0; i < 8; i += 2) {
        half[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        half[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (uint32_t i = 0; i < 8; i += 1 + (i & 1) * 2) {
        rows[i] = __builtin_shufflevector(half[i], half[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        rows[i + 2] = __builtin_shufflevector(half[i], half[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (uint32_t i = 0; i < 4; i++) {
        half[i] = __builtin_shufflevector(rows[i], rows[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        half[i + 4] = __builtin_shufflevector(rows[i], rows[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (uint32_t i = 0; i < 8; i++) rows[i] = half[i];
}

#endif
