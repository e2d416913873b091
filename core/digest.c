/* XXH3-128, and the polynomial over the prime field 2^127 - 1 that digests sequences. */
#include "core/digest.h"

#include "core/digest_powers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

__extension__ typedef unsigned __int128 u128;

/* B: an arbitrary element of the field, fixed for ever (the first 127 bits after the point of pi). */
#define BASE ((u128)0x121fb54442d18469U << 64 | 0x898cc51701b839a2U)

#define PRIME ((((u128)1) << 127) - 1)

static u128 to_field(sl_digest digest);
static sl_digest from_field(u128 element);
static u128 add(u128 a, u128 b);
static u128 multiply(u128 a, u128 b);
static u128 power_of_base(uint64_t exponent);

sl_digest sl_digest_bytes(const void *bytes, size_t length)
{
    XXH128_hash_t hash = XXH3_128bits(bytes, length);
    return (sl_digest){.low = hash.low64, .high = hash.high64};
}

bool sl_digest_equal(sl_digest a, sl_digest b)
{
    return a.low == b.low && a.high == b.high;
}

void sl_digest_hex(sl_digest digest, char hex[SL_DIGEST_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16; i++) {
        hex[i] = digits[digest.high >> (60 - 4 * i) & 15];
        hex[16 + i] = digits[digest.low >> (60 - 4 * i) & 15];
    }
    hex[SL_DIGEST_HEX] = '\0';
}

sl_digest sl_digest_power(uint64_t count)
{
    if (count < SL_DIGEST_POWERS) return sl_digest_powers[count];
    return from_field(power_of_base(count));
}

sl_digest sl_digest_concat(sl_digest first, sl_digest power, sl_digest rest)
{
    return from_field(add(to_field(first), multiply(to_field(power), to_field(rest))));
}

sl_digest sl_digest_adjust(sl_digest sum, sl_digest power, sl_digest was, sl_digest now)
{
    u128 more = add(to_field(now), PRIME - to_field(was));
    return from_field(add(to_field(sum), multiply(to_field(power), more)));
}

sl_digest sl_digest_prepend(sl_digest head, sl_digest rest)
{
    return from_field(add(to_field(head), multiply(BASE, to_field(rest))));
}

/* 2^127 is 1 in this field: the top bit counts as 1. */
static u128 reduce_top(u128 value)
{
    u128 folded = (value & PRIME) + (value >> 127);
    return folded >= PRIME ? folded - PRIME : folded;
}

static u128 to_field(sl_digest digest)
{
    return reduce_top((u128)digest.high << 64 | digest.low);
}

static sl_digest from_field(u128 element)
{
    return (sl_digest){.low = (uint64_t)element, .high = (uint64_t)(element >> 64)};
}

static u128 add(u128 a, u128 b)
{
    return reduce_top(a + b); /* both below 2^127, so the sum fits */
}

/* The product has 254 bits; what stands above 2^127 is added to what stands below it. */
static u128 multiply(u128 a, u128 b)
{
    uint64_t a_low = (uint64_t)a;
    uint64_t a_high = (uint64_t)(a >> 64);
    uint64_t b_low = (uint64_t)b;
    uint64_t b_high = (uint64_t)(b >> 64);

    u128 low = (u128)a_low * b_low;
    u128 middle = (u128)a_low * b_high + (u128)a_high * b_low; /* highs are below 2^63: it fits */
    u128 high = (u128)a_high * b_high;

    u128 product_low = low + (middle << 64);
    u128 product_high = high + (middle >> 64) + (product_low < low ? 1 : 0);
    u128 above = product_high << 1 | product_low >> 127;
    return reduce_top((product_low & PRIME) + above);
}

static u128 power_of_base(uint64_t exponent)
{
    u128 power = 1;
    u128 square = BASE;
    for (uint64_t bits = exponent; bits != 0; bits >>= 1) {
        if (bits & 1) power = multiply(power, square);
        square = multiply(square, square);
    }
    return power;
}
