/* Chance that a seed repeats: splitmix64 (Steele, Lea, Flood 2014). */
#ifndef SL_TESTS_SIM_RNG_H
#define SL_TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_rng {
    uint64_t state;
} sim_rng;

static inline uint64_t sim_random(sim_rng *rng)
{
    uint64_t mixed = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/* low … high, both included. */
static inline uint64_t sim_between(sim_rng *rng, uint64_t low, uint64_t high)
{
    return low + sim_random(rng) % (high - low + 1);
}

/* True in `percent` of a hundred cases. */
static inline bool sim_chance(sim_rng *rng, double percent)
{
    return (double)(sim_random(rng) >> 11) < percent * 0x1p53 / 100;
}

#endif
