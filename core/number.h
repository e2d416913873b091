/*
 * A sender's numbers. They are int32 as sent, mod 2^32, as long as they are below 2^32: after 2^32 - 1 comes 0. A
 * sender that counts in int64 goes on with 2^32.
 */
#ifndef SL_CORE_NUMBER_H
#define SL_CORE_NUMBER_H

#include <stdint.h>

/* How far `number` is above `other`, -2^31 to 2^31 - 1; negative: below. However the sender counts, the low 32 bits
 * tell it: numbers that are compared are never farther apart. */
static inline int64_t sl_number_distance(uint64_t number, uint64_t other)
{
    return (int32_t)(uint32_t)(number - other);
}

/* The number `count` after `number`. */
static inline uint64_t sl_number_after(uint64_t number, uint64_t count)
{
    return number <= UINT32_MAX ? (number + count) & UINT32_MAX : number + count;
}

/* The number `count` before `number`. */
static inline uint64_t sl_number_before(uint64_t number, uint64_t count)
{
    return number <= UINT32_MAX ? (number - count) & UINT32_MAX : number - count;
}

#endif
