/*
 * Tempo: ticks into frames while the clock runs, through ramps. Only + - * / on IEEE doubles in a fixed order, so that
 * the same log gives the same frame on every CPU. A curved ramp is 16 linear ones, of as many ticks each (rounded
 * down).
 */
#ifndef SL_CORE_TEMPO_H
#define SL_CORE_TEMPO_H

#include "core/score.h"

/* From tick `begin` on the tempo goes from bpm_from to bpm_to within `ramp` ticks, and stays. The tick `tick`, at or
 * behind `begin`, falls on frame `frame`. */
typedef struct sl_tempo {
    int64_t begin;
    uint32_t ramp;
    uint8_t curve; /* an sl_curve */
    uint32_t rate; /* frames in a second */
    double bpm_from;
    double bpm_to;
    int64_t tick;
    double frame;
} sl_tempo;

/* The tempo at a tick. */
double sl_tempo_bpm(const sl_tempo *tempo, int64_t tick);

/* Where a tick >= tempo->tick falls, in frames and parts of one. */
double sl_tempo_frame(const sl_tempo *tempo, int64_t tick);

/* The first whole frame at or after that. */
uint64_t sl_tempo_frame_at(const sl_tempo *tempo, int64_t tick);

/* The first tick >= tempo->tick whose whole frame is `frame` or later. */
int64_t sl_tempo_tick_at(const sl_tempo *tempo, uint64_t frame);

/* Begins another tempo at a tick >= tempo->tick: `ramp` ticks until bpm, 0: at once. */
void sl_tempo_change(sl_tempo *tempo, int64_t tick, double bpm, uint32_t ramp, uint8_t curve);

#endif
