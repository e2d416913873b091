/*
 * How long something took, time and again: counts in buckets, eight to each doubling, so a time is known to an eighth.
 * One thread adds, without waiting; any thread asks meanwhile.
 */
#ifndef SL_TOOLS_AUDIO_TIMES_H
#define SL_TOOLS_AUDIO_TIMES_H

#include <stdatomic.h>
#include <stdint.h>

enum { SL_AUDIO_TIMES_BUCKETS = 240 /* up to four seconds; what is longer is in the last */ };

/* Zero to begin with. */
typedef struct sl_audio_times {
    atomic_uint_fast32_t counts[SL_AUDIO_TIMES_BUCKETS];
} sl_audio_times;

void sl_audio_times_add(sl_audio_times *times, uint64_t ns);

/* The time in nanoseconds that so many of 1,000 did not exceed, rounded up to its bucket's end; 0: there is none yet.
 */
uint64_t sl_audio_times_quantile(const sl_audio_times *times, unsigned of_1000);

#endif
