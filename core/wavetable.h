/*
 * Waves without aliases: one turn of each wave as the sum of its harmonics, in versions with ever more of them. A note
 * takes the version whose highest harmonic still lies below half the sample rate.
 *
 * A phase is 32 bits, a whole turn; its upper SL_WAVE_BITS choose a value, the rest goes on to the next in a straight
 * line. No version has more harmonics than a quarter of the values of a turn, so that what the lines bend lies 80 dB
 * below.
 */
#ifndef SL_CORE_WAVETABLE_H
#define SL_CORE_WAVETABLE_H

#include "core/four.h"

#include <stdint.h>

enum {
    SL_WAVE_BITS = 11,
    SL_WAVE_VALUES = 1 << SL_WAVE_BITS,
    SL_WAVE_VERSIONS = 27 /* of saw and square */
};

typedef enum sl_wave { SL_WAVE_SINE = 0, SL_WAVE_SAW = 1, SL_WAVE_SQUARE = 2, SL_WAVE_TRIANGLE = 3 } sl_wave;

/* One turn, and the first value once more. */
typedef struct sl_wave_turn {
    float values[SL_WAVE_VALUES + 1];
} sl_wave_turn;

/* Made once, then only read. The same for every rate. */
typedef struct sl_wavetable {
    sl_wave_turn sine;
    sl_wave_turn saw[SL_WAVE_VERSIONS];
    sl_wave_turn square[SL_WAVE_VERSIONS];
    sl_wave_turn triangle[SL_WAVE_VERSIONS];
} sl_wavetable;

void sl_wavetable_make(sl_wavetable *table);

/* Which version a wave of `hz` at most may take: all its harmonics lie below half of `rate`. */
uint32_t sl_wave_version(double hz, double rate);

static inline const sl_wave_turn *sl_wave_at(const sl_wavetable *table, sl_wave wave, uint32_t version)
{
    switch (wave) {
    case SL_WAVE_SAW: return &table->saw[version];
    case SL_WAVE_SQUARE: return &table->square[version];
    case SL_WAVE_TRIANGLE: return &table->triangle[version];
    case SL_WAVE_SINE: break;
    }
    return &table->sine;
}

static inline float sl_wave_value(const sl_wave_turn *turn, uint32_t phase)
{
    const float *at = turn->values + (phase >> (32 - SL_WAVE_BITS));
    const uint32_t rest = phase & ((1U << (32 - SL_WAVE_BITS)) - 1);
    return at[0] + (float)(int32_t)rest * (1.0F / (1U << (32 - SL_WAVE_BITS))) * (at[1] - at[0]);
}

/* A value and the one after it, which lie side by side. */
static inline uint64_t sl_wave_pair(const sl_wave_turn *turn, uint32_t phase)
{
    uint64_t pair;
    memcpy(&pair, turn->values + (phase >> (32 - SL_WAVE_BITS)), sizeof pair);
    return pair;
}

/* sl_wave_value of four phases. The places are found one by one: taken out of `phases` they come later. */
static inline sl_four sl_wave_four(const sl_wave_turn *turn, const uint32_t one[4], sl_four_phases phases)
{
    const sl_four_pairs early = {sl_wave_pair(turn, one[0]), sl_wave_pair(turn, one[1])};
    const sl_four_pairs late = {sl_wave_pair(turn, one[2]), sl_wave_pair(turn, one[3])};
    const sl_four here = __builtin_shufflevector((sl_four)early, (sl_four)late, 0, 2, 4, 6);
    const sl_four next = __builtin_shufflevector((sl_four)early, (sl_four)late, 1, 3, 5, 7);
    const sl_four_bits rest = (sl_four_bits)(phases & ((1U << (32 - SL_WAVE_BITS)) - 1));
    return here + sl_four_of(rest) * (1.0F / (1U << (32 - SL_WAVE_BITS))) * (next - here);
}

#endif
