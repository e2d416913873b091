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

#include "core/vector.h"

#include <stdint.h>

enum {
    SL_WAVE_BITS = 11,
    SL_WAVE_VALUES = 1 << SL_WAVE_BITS,
    SL_WAVE_VERSIONS = 27 /* of saw and square */
};

#define SL_WAVE_REST ((1U << (32 - SL_WAVE_BITS)) - 1)     /* of a phase, that lies between two values */
#define SL_WAVE_SHARE (1.0F / (1U << (32 - SL_WAVE_BITS))) /* what one of it is of the way */

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
    return at[0] + (float)(int32_t)(phase & SL_WAVE_REST) * SL_WAVE_SHARE * (at[1] - at[0]);
}

/* A value and the one after it, which lie side by side. */
static inline uint64_t sl_wave_pair(const sl_wave_turn *turn, uint32_t phase)
{
    uint64_t pair;
    memcpy(&pair, turn->values + (phase >> (32 - SL_WAVE_BITS)), sizeof pair);
    return pair;
}

/* sl_wave_value of eight phases, which come in both forms: their places are looked for one by one, as a CPU does that
 * sooner than taking them out of a vector; a half's last two are exchanged, which some compilers make more of. */
static inline void sl_wave_eight(const sl_wave_turn *turn, const uint32_t at[8], const sl_eight_phases *phases,
                                 sl_eight *out)
{
    const sl_four_pairs a = {sl_wave_pair(turn, at[0]), sl_wave_pair(turn, at[1])};
    const sl_four_pairs b = {sl_wave_pair(turn, at[3]), sl_wave_pair(turn, at[2])};
    const sl_four_pairs c = {sl_wave_pair(turn, at[4]), sl_wave_pair(turn, at[5])};
    const sl_four_pairs d = {sl_wave_pair(turn, at[7]), sl_wave_pair(turn, at[6])};
    const sl_eight first = __builtin_shufflevector((sl_four)a, (sl_four)c, 0, 1, 2, 3, 4, 5, 6, 7);
    const sl_eight last = __builtin_shufflevector((sl_four)b, (sl_four)d, 0, 1, 2, 3, 4, 5, 6, 7);
    const sl_eight here = __builtin_shufflevector(first, last, 0, 2, 10, 8, 4, 6, 14, 12);
    const sl_eight next = __builtin_shufflevector(first, last, 1, 3, 11, 9, 5, 7, 15, 13);
    const sl_eight rest = __builtin_convertvector((sl_eight_bits)(*phases & SL_WAVE_REST), sl_eight);
    *out = here + rest * SL_WAVE_SHARE * (next - here);
}

#endif
