/*
 * The mathematics of sound: own polynomials, so that every CPU and compiler gives the same bits. Only + - * / on IEEE
 * floats in a fixed order; nothing from libm. Errors are below what a float holds of the results used here, or stated.
 */
#ifndef SL_CORE_AUDIO_MATH_H
#define SL_CORE_AUDIO_MATH_H

#include <stdint.h>
#include <string.h>

#define SL_PI 3.14159265358979323846

/* What is left of a sound that has died away: smaller than this is nothing. Keeps denormals out. */
#define SL_TINY 1e-15F

static inline float sl_float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t sl_bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float sl_abs(float value)
{
    return value < 0 ? -value : value;
}

static inline float sl_without_tiny(float value)
{
    return value < SL_TINY && value > -SL_TINY ? 0 : value;
}

/* NaN gives low. */
static inline float sl_clamp(float value, float low, float high)
{
    if (!(value > low)) return low;
    return value < high ? value : high;
}

/* 2^x, |x| at most 120 (beyond: as there); relative error 2e-7. */
static inline float sl_exp2(float x)
{
    x = sl_clamp(x, -120, 120);
    const int32_t whole = (int32_t)(x < 0 ? x - 0.5F : x + 0.5F);
    const float t = x - (float)whole;
    float p = 1.54035304e-4F;
    p = p * t + 1.33335581e-3F;
    p = p * t + 9.61812911e-3F;
    p = p * t + 5.55041087e-2F;
    p = p * t + 2.40226507e-1F;
    p = p * t + 6.93147181e-1F;
    p = p * t + 1;
    return p * sl_float_of_bits((uint32_t)(whole + 127) << 23);
}

/* The binary logarithm of a normal float above 0; absolute error 5e-7. */
static inline float sl_log2(float x)
{
    uint32_t bits = sl_bits_of_float(x);
    int32_t exponent = (int32_t)(bits >> 23) - 127;
    float m = sl_float_of_bits((bits & 0x7fffff) | 0x3f800000); /* 1 <= m < 2 */
    if (m > 1.41421356F) {
        m = m * 0.5F;
        exponent++;
    }
    const float t = (m - 1) / (m + 1), square = t * t;
    float p = 1.0F / 9;
    p = p * square + 1.0F / 7;
    p = p * square + 1.0F / 5;
    p = p * square + 1.0F / 3;
    p = p * square + 1;
    return (float)exponent + 2.88539008F * (p * t);
}

static inline float sl_gain_of_db(float db)
{
    return sl_exp2(db * 0.166096405F);
}

/* sin(x), |x| at most pi / 2; error 1e-11. */
static inline double sl_sin_quarter(double x)
{
    const double square = x * x;
    double p = -1.0 / 1307674368000.0;
    p = p * square + 1.0 / 6227020800.0;
    p = p * square - 1.0 / 39916800.0;
    p = p * square + 1.0 / 362880.0;
    p = p * square - 1.0 / 5040.0;
    p = p * square + 1.0 / 120.0;
    p = p * square - 1.0 / 6.0;
    p = p * square + 1;
    return p * x;
}

/* tan(x), 0 <= x <= 1.45; relative error 2e-6. */
static inline float sl_tan(float x)
{
    const float square = x * x;
    float s = 2.75573192e-6F;
    s = s * square - 1.98412698e-4F;
    s = s * square + 8.33333333e-3F;
    s = s * square - 1.66666667e-1F;
    s = s * square + 1;
    float c = -2.75573192e-7F;
    c = c * square + 2.48015873e-5F;
    c = c * square - 1.38888889e-3F;
    c = c * square + 4.16666667e-2F;
    c = c * square - 0.5F;
    c = c * square + 1;
    return s * x / c;
}

/* A smooth saturation, like tanh: x for small x, 1 from 3 on. */
static inline float sl_saturate(float x)
{
    x = sl_clamp(x, -3, 3);
    const float square = x * x;
    return x * (27 + square) / (27 + 9 * square);
}

/* White noise, -1 to 1: the high bits of a linear congruence. */
static inline float sl_noise(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (float)((int32_t)(*state >> 8) - 8388608) * (1.0F / 8388608);
}

/* A wave's phase that stands for a whole turn in 32 bits: -1 to 1 and back. */
static inline float sl_triangle(uint32_t phase)
{
    const uint32_t folded = phase < 0x80000000U ? phase : ~phase;
    return (float)(folded >> 7) * (1.0F / 8388608) - 1;
}

#endif
