/* The waves' tables, made harmonic by harmonic from one table of the sine. */
#include "core/wavetable.h"

#include "core/audio_math.h"

#include <string.h>

/* How many harmonics the versions have. */
static const uint32_t harmonics[SL_WAVE_VERSIONS] = {1,  2,  3,  4,  5,  6,  7,   8,   10,  12,  14,  16,  20, 24,
                                                     28, 32, 40, 48, 64, 80, 112, 144, 192, 256, 320, 416, 512};

static void make_sine(sl_wave_turn *sine, double exact[SL_WAVE_VALUES]);
static void make_wave(sl_wave_turn *versions, sl_wave wave, const double sine[SL_WAVE_VALUES]);
static double strength(sl_wave wave, uint32_t harmonic);

void sl_wavetable_make(sl_wavetable *table)
{
    double sine[SL_WAVE_VALUES];
    make_sine(&table->sine, sine);
    make_wave(table->saw, SL_WAVE_SAW, sine);
    make_wave(table->square, SL_WAVE_SQUARE, sine);
    make_wave(table->triangle, SL_WAVE_TRIANGLE, sine);
}

static void make_sine(sl_wave_turn *sine, double exact[SL_WAVE_VALUES])
{
    const size_t quarter = SL_WAVE_VALUES / 4;
    for (size_t i = 0; i <= quarter; i++) {
        const double value = i == quarter ? 1 : sl_sin_quarter((double)i * (2 * SL_PI / (double)SL_WAVE_VALUES));
        exact[i] = value;
        exact[2 * quarter - i] = value;
        exact[2 * quarter + i] = -value;
        if (i > 0) exact[4 * quarter - i] = -value;
    }
    exact[0] = 0;
    exact[2 * quarter] = 0;
    for (uint32_t i = 0; i <= SL_WAVE_VALUES; i++) sine->values[i] = (float)exact[i % SL_WAVE_VALUES];
}

/* Each version is the one before it with more harmonics. */
static void make_wave(sl_wave_turn *versions, sl_wave wave, const double sine[SL_WAVE_VALUES])
{
    double sum[SL_WAVE_VALUES];
    memset(sum, 0, sizeof sum);
    uint32_t harmonic = 1;
    for (uint32_t version = 0; version < SL_WAVE_VERSIONS; version++) {
        for (; harmonic <= harmonics[version]; harmonic++) {
            const double factor = strength(wave, harmonic);
            if (factor < 0 || factor > 0)
                for (uint32_t i = 0; i < SL_WAVE_VALUES; i++) sum[i] += factor * sine[i * harmonic % SL_WAVE_VALUES];
        }
        for (uint32_t i = 0; i <= SL_WAVE_VALUES; i++) versions[version].values[i] = (float)sum[i % SL_WAVE_VALUES];
    }
}

static double strength(sl_wave wave, uint32_t harmonic)
{
    const double number = harmonic;
    if (wave == SL_WAVE_SAW) return 2 / SL_PI / number;
    if (harmonic % 2 == 0) return 0;
    if (wave == SL_WAVE_SQUARE) return 4 / SL_PI / number;
    return (harmonic % 4 == 1 ? 8 : -8) / (SL_PI * SL_PI) / (number * number);
}

uint32_t sl_wave_version(double hz, double rate)
{
    uint32_t version = SL_WAVE_VERSIONS - 1;
    while (version > 0 && (double)harmonics[version] * hz >= rate / 2) version--;
    return version;
}
