/* Streams of events drawn at random, always the same ones, for a set as set_picture_make makes it. */
#ifndef SL_TESTS_BENCH_SET_MIX_H
#define SL_TESTS_BENCH_SET_MIX_H

#include "tests/bench/set.h"

/* How many events of each kind a stream holds. */
typedef struct set_mix_counts {
    size_t attributes;
    size_t slots_and_clips;
    size_t devices;
    size_t scenes;
} set_mix_counts;

/* `count` changes of an attribute: a third each track/volume, device/param and clip_slot/color, of random nodes. */
void set_mix_attributes(set_stream *stream, set_shape shape, size_t count);

/* `count` events: 90 % attributes as above; 6 % clip_slot/created, clip/added and clip/removed; 3 % device/added and
 * device/deleted; 1 % scenes: added, removed, and moved by up to 8 places, a move being a run of scene/reordered. */
set_mix_counts set_mix_all(set_stream *stream, set_shape shape, size_t count);

#endif
