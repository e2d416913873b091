/*
 * The shortest decimal that reads back as the same double, the closest one where several are as short, spelled as
 * Python's repr spells it. Integer arithmetic only, so that every CPU writes the same.
 *
 * The digits come one by one out of the exact fraction numerator/denominator, until what is left cannot be told from
 * nothing (or from one more of the last digit) by a reader who rounds to the nearest double. (Source: Steele and
 * White, "How to print floating-point numbers accurately", 1990.) Between 2^-69 and 2^53 the fraction fits 128 bits,
 * and dividing is a shift; beyond, the same is done with big integers.
 */
#include "core/text.h"

#include <assert.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

enum {
    DIGITS_MAX = 17,
    FRACTION_BITS = 52,
    EXPONENT_BIAS = 1075,      /* of the fraction read as an integer */
    EXPONENT_SHORT_MIN = -121, /* where 128 bits are enough */
    CHUNK = 100000000,         /* so many digits at once */
    CHUNK_DIGITS = 8,
    CHUNK_SHIFT_MAX = 100, /* 27 bits more are enough, too */
    LIMBS = 37,            /* 32 bits each: 10^324 quarters of a unit times 2^53 */
    FIXED_POINT_MIN = -3,  /* 0.0001 is the smallest number without an exponent */
    FIXED_POINT_MAX = 16,  /* and 9999999999999998.0 the largest */
};

/* value = significand * 2^exponent */
typedef struct binary {
    uint64_t significand;
    int exponent;
    bool is_lower_closer; /* a power of two: the next double below is half as far as the one above */
} binary;

/* value = 0.d0d1d2… * 10^point */
typedef struct decimal {
    char digits[DIGITS_MAX + 4];
    int count;
    int point;
} decimal;

typedef struct big {
    uint32_t limbs[LIMBS]; /* least significant first */
    unsigned count;        /* in use; the highest is not zero */
} big;

/* The exact fraction, and how far below and above it a reader still takes a decimal for this double. */
typedef struct fraction {
    big numerator;
    big denominator;
    big below;
    big above;
} fraction;

static decimal short_digits(binary value);
static decimal long_digits(binary value);
static void write_fixed(sl_text *text, const decimal *number);
static void write_exponent(sl_text *text, const decimal *number);
static void write_zeros(sl_text *text, int count);

void sl_text_double(sl_text *text, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    unsigned biased = (unsigned)(bits >> FRACTION_BITS) & 0x7ff;
    uint64_t fraction_bits = bits & ((1ULL << FRACTION_BITS) - 1);
    if (biased == 0x7ff) {
        sl_text_string(text, "null");
        return;
    }
    if (bits >> 63 != 0) sl_text_string(text, "-");
    if (biased == 0 && fraction_bits == 0) {
        sl_text_string(text, "0.0");
        return;
    }
    binary number = {
        .significand = biased != 0 ? fraction_bits | 1ULL << FRACTION_BITS : fraction_bits,
        .exponent = (biased != 0 ? (int)biased : 1) - EXPONENT_BIAS,
        .is_lower_closer = fraction_bits == 0 && biased > 1,
    };
    bool is_short = number.exponent <= 0 && number.exponent >= EXPONENT_SHORT_MIN;
    decimal shortest = is_short ? short_digits(number) : long_digits(number);
    if (shortest.point >= FIXED_POINT_MIN && shortest.point <= FIXED_POINT_MAX) {
        write_fixed(text, &shortest);
    } else {
        write_exponent(text, &shortest);
    }
}

/* Rounds the last digit: up if only that reads back, or if it is closer (a tie goes to the even digit). `half` is
 * the rest compared with a half: -1, 0, 1. */
static void round_last(decimal *number, bool is_low, bool is_high, int half)
{
    char *last = &number->digits[number->count - 1];
    bool is_odd = (*last - '0') % 2 != 0;
    bool is_closer = half > 0 || (half == 0 && is_odd);
    if (is_high && (!is_low || is_closer)) ++*last;
    assert(*last <= '9');
}

/* Adds CHUNK_DIGITS digits; zeros before the first other one only move the point. */
static void add_chunk(decimal *number, uint32_t chunk)
{
    char digits[CHUNK_DIGITS];
    int zeros = 0;
    for (int i = CHUNK_DIGITS - 1; i >= 0; i--, chunk /= 10) digits[i] = (char)('0' + chunk % 10);
    while (number->count == 0 && zeros < CHUNK_DIGITS && digits[zeros] == '0') zeros++;
    number->point -= zeros;
    memcpy(number->digits + number->count, digits + zeros, (size_t)(CHUNK_DIGITS - zeros));
    number->count += CHUNK_DIGITS - zeros;
}

/* For -121 <= exponent <= 0. Everything is counted in quarters of the last bit, so that the margins are whole.
 *
 * Digits come by eights while a reader could not be content with fewer: what remains after a digit is within a margin
 * only if it still is after all later ones, so one look after the eighth is enough.
 */
static decimal short_digits(binary value)
{
    decimal number = {.count = 0, .point = 0};
    unsigned shift = (unsigned)(2 - value.exponent);
    u128 one = (u128)1 << shift;
    u128 rest = (u128)value.significand * 4;
    bool is_even = value.significand % 2 == 0;

    uint64_t whole = (uint64_t)(rest >> shift);
    rest &= one - 1;
    for (uint64_t left = whole; left != 0; left /= 10) number.point++;
    for (int i = number.point - 1; i >= 0; i--, whole /= 10) number.digits[i] = (char)('0' + whole % 10);
    number.count = number.point;
    if (rest == 0) {
        while (number.digits[number.count - 1] == '0') number.count--;
        return number;
    }
    u128 above = 2;
    u128 below = value.is_lower_closer ? 1 : 2;
    while (shift <= CHUNK_SHIFT_MAX) {
        u128 next = rest * CHUNK;
        u128 next_rest = next & (one - 1);
        if (next_rest <= below * CHUNK || next_rest + above * CHUNK >= one) break;
        add_chunk(&number, (uint32_t)(next >> shift));
        rest = next_rest;
        above *= CHUNK;
        below *= CHUNK;
    }
    for (;;) {
        rest *= 10;
        above *= 10;
        below *= 10;
        char digit = (char)(rest >> shift);
        rest &= one - 1;
        bool is_low = is_even ? rest <= below : rest < below;
        bool is_high = is_even ? rest + above >= one : rest + above > one;
        if (digit == 0 && number.count == 0 && !is_high) {
            number.point--;
            continue;
        }
        number.digits[number.count++] = (char)('0' + digit);
        if (is_low || is_high) {
            u128 twice = rest * 2;
            round_last(&number, is_low, is_high, twice < one ? -1 : twice > one);
            return number;
        }
        assert(number.count < DIGITS_MAX + 4);
    }
}

static big big_of(uint64_t value)
{
    big result = {.limbs = {(uint32_t)value, (uint32_t)(value >> 32)}};
    result.count = value >> 32 != 0 ? 2 : value != 0;
    return result;
}

static void big_multiply(big *number, uint32_t factor)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < number->count; i++) {
        carry += (uint64_t)number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry == 0) return;
    assert(number->count < LIMBS);
    number->limbs[number->count++] = (uint32_t)carry;
}

static void big_shift_left(big *number, unsigned bits)
{
    unsigned limbs = bits / 32;
    if (number->count == 0) return;
    assert(number->count + limbs <= LIMBS);
    memmove(number->limbs + limbs, number->limbs, number->count * sizeof number->limbs[0]);
    memset(number->limbs, 0, limbs * sizeof number->limbs[0]);
    number->count += limbs;
    big_multiply(number, 1U << bits % 32);
}

static void big_multiply_by_power_of_ten(big *number, unsigned exponent)
{
    for (; exponent >= 9; exponent -= 9) big_multiply(number, 1000000000);
    for (; exponent > 0; exponent--) big_multiply(number, 10);
}

/* -1, 0 or 1 */
static int big_compare(const big *a, const big *b)
{
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (unsigned i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

static void big_add(big *to, const big *other)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < to->count || i < other->count || carry != 0; i++) {
        assert(i < LIMBS);
        carry += (uint64_t)to->limbs[i] + other->limbs[i]; /* limbs above count are zero */
        to->limbs[i] = (uint32_t)carry;
        carry >>= 32;
        if (i >= to->count) to->count = i + 1;
    }
}

/* `from` must not be less than `other`. */
static void big_subtract(big *from, const big *other)
{
    uint64_t borrow = 0;
    for (unsigned i = 0; i < from->count; i++) {
        uint64_t difference = (uint64_t)from->limbs[i] - other->limbs[i] - borrow;
        from->limbs[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    while (from->count > 0 && from->limbs[from->count - 1] == 0) from->count--;
}

/* numerator + other compared with the denominator */
static int compare_sum(const fraction *value, const big *other)
{
    big sum = value->numerator;
    big_add(&sum, other);
    return big_compare(&sum, &value->denominator);
}

static void multiply_by_ten(fraction *value)
{
    big_multiply(&value->numerator, 10);
    big_multiply(&value->below, 10);
    big_multiply(&value->above, 10);
}

/* Scales the fraction to 0.1 <= fraction + above <= 1 and returns the power of ten taken out. */
static int scale(fraction *value, binary number)
{
    unsigned up = number.exponent > 0 ? (unsigned)number.exponent : 0;
    unsigned down = number.exponent < 0 ? (unsigned)-number.exponent : 0;
    value->numerator = big_of(number.significand * 4);
    value->denominator = big_of(4);
    value->below = big_of(number.is_lower_closer ? 1 : 2);
    value->above = big_of(2);
    big_shift_left(&value->numerator, up);
    big_shift_left(&value->below, up);
    big_shift_left(&value->above, up);
    big_shift_left(&value->denominator, down);

    /* The value has `bits` binary digits before its point, so about bits * log10(2) decimal ones: one too few at worst.
     */
    int bits = 64 - __builtin_clzll(number.significand) + number.exponent;
    int point = (bits - 1) * 1233 / 4096 - (bits < 1 ? 1 : 0);
    if (point > 0) big_multiply_by_power_of_ten(&value->denominator, (unsigned)point);
    if (point < 0) {
        big_multiply_by_power_of_ten(&value->numerator, (unsigned)-point);
        big_multiply_by_power_of_ten(&value->below, (unsigned)-point);
        big_multiply_by_power_of_ten(&value->above, (unsigned)-point);
    }
    bool is_even = number.significand % 2 == 0;
    while (compare_sum(value, &value->above) >= (is_even ? 0 : 1)) {
        big_multiply(&value->denominator, 10);
        point++;
    }
    return point;
}

static decimal long_digits(binary value)
{
    decimal number = {.count = 0, .point = 0};
    bool is_even = value.significand % 2 == 0;
    fraction left;
    number.point = scale(&left, value);
    for (;;) {
        multiply_by_ten(&left);
        char digit = '0';
        while (big_compare(&left.numerator, &left.denominator) >= 0) {
            big_subtract(&left.numerator, &left.denominator);
            digit++;
        }
        number.digits[number.count++] = digit;
        bool is_low = big_compare(&left.numerator, &left.below) < (is_even ? 1 : 0);
        bool is_high = compare_sum(&left, &left.above) >= (is_even ? 0 : 1);
        if (is_low || is_high) {
            big rest = left.numerator;
            round_last(&number, is_low, is_high, compare_sum(&left, &rest));
            return number;
        }
        assert(number.count < DIGITS_MAX + 4);
    }
}

static void write_fixed(sl_text *text, const decimal *number)
{
    int before = number->point < number->count ? number->point : number->count;
    if (number->point <= 0) {
        sl_text_string(text, "0.");
        write_zeros(text, -number->point);
        before = 0;
    } else {
        sl_text_bytes(text, number->digits, (size_t)before);
        write_zeros(text, number->point - before);
        sl_text_string(text, ".");
    }
    if (before == number->count) {
        sl_text_string(text, "0");
    } else {
        sl_text_bytes(text, number->digits + before, (size_t)(number->count - before));
    }
}

/* d.ddde+XX, the exponent with at least two digits. */
static void write_exponent(sl_text *text, const decimal *number)
{
    int exponent = number->point - 1;
    sl_text_bytes(text, number->digits, 1);
    if (number->count > 1) {
        sl_text_string(text, ".");
        sl_text_bytes(text, number->digits + 1, (size_t)number->count - 1);
    }
    sl_text_string(text, exponent < 0 ? "e-" : "e+");
    uint64_t magnitude = (uint64_t)(exponent < 0 ? -exponent : exponent);
    if (magnitude < 10) sl_text_string(text, "0");
    sl_text_u64(text, magnitude);
}

static void write_zeros(sl_text *text, int count)
{
    for (int i = 0; i < count; i++) sl_text_string(text, "0");
}
