/*
 * A groove as a score: each lane of a patch is a track of its own length, so that lanes of different lengths run apart
 * (polymeter). What the groove box plays is so compiled, kept and told by the same engine as live code.
 *
 * A beat is a quarter note, a lane's step a beat / sub. With swing the first of two steps takes two thirds of both (of
 * sub 2, 4 and 6; others have no pairs in a beat). A lane with `~` has its steps spread evenly over the first lane's
 * bar, each beginning on the tick at or before its time. A note lasts one step. Lanes play on channel 10, and their
 * tracks are named after their sound; of several with one sound the second is "kick 2", and so on.
 *
 * Velocity: ghost 0.35, normal 0.7, accent 1; times the lane's gain (10^(dB/20)) and the patch's volume / 100; at most
 * 1. What rounds to 0 in ten thousandths is a rest, and a lane that is silenced is a rest of its length.
 */
#ifndef SL_CORE_LANES_H
#define SL_CORE_LANES_H

#include "core/patch.h"
#include "core/score.h"

enum { SL_LANES_CHANNEL = 10, SL_LANES_GHOST = 3500, SL_LANES_NORMAL = 7000, SL_LANES_ACCENT = SL_SCORE_ONE };

/* Room that a patch's score needs at most. */
size_t sl_lanes_size_bytes(const sl_patch *patch);

/* Writes a patch's lanes as a score's payload. SL_ERR_FULL: less room than that. */
sl_err sl_lanes_write(const sl_patch *patch, sl_writer *out);

/* Ticks after which `end=stop` ends: bars of the first lane, as often as `rep` says. 0: it never does. (`end=next`,
 * a count-in, trainers and ramps are the box's own.) */
int64_t sl_lanes_length(const sl_patch *patch);

/* The MIDI key of a sound: a GM number, or a name ("kick", "hatClosed"; upper and lower case are the same). Any other
 * is beep's, the high wood block. */
uint8_t sl_lanes_pitch(const char *sound);

#endif
