/*
 * Four floats at once, or eight: the same bits as one after the other, on every CPU, as each of them goes through the
 * same operations in the same order. Nothing here adds across them.
 *
 * Eight are handed over by their address: how they would be passed differs from CPU to CPU.
 */
#ifndef SL_CORE_VECTOR_H
#define SL_CORE_VECTOR_H

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

#endif
