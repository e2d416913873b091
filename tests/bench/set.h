/* Sets of Live to reduce over: their pictures, and streams of OSC events for them that the reducer refuses none of. */
#ifndef SL_TESTS_BENCH_SET_H
#define SL_TESTS_BENCH_SET_H

#include "core/event.h"
#include "core/memory.h"
#include "core/reduce.h"

#include <stddef.h>
#include <stdint.h>

enum { SET_DEVICES = 2, SET_PARAMETERS = 8, SET_PACKET_BYTES_MAX = 112 };

typedef struct set_shape {
    uint32_t tracks;
    uint32_t scenes;
} set_shape;

/* A set: each track has a clip_slot at every scene, every second one with a clip, and SET_DEVICES devices of
 * SET_PARAMETERS parameters. */
typedef struct set_picture {
    uint8_t *bytes;
    size_t length;
} set_picture;

set_picture set_picture_make(set_shape shape);
void set_picture_free(set_picture *picture);

/* A state with that picture taken. The caller destroys it. */
sl_state *set_state_create(const set_picture *picture);

/* malloc, realloc, free. */
sl_memory set_memory(void);

/* Events to come after a picture, in order; numbers in the log from 2, the sender's from 0. */
typedef struct set_stream {
    sl_event *events;
    size_t count;
    size_t capacity;
    uint64_t next_number; /* the sender's */
    uint8_t *bytes;       /* of the payloads */
    size_t length;
} set_stream;

/* Room for `capacity` events. */
void set_stream_open(set_stream *stream, size_t capacity);
void set_stream_close(set_stream *stream);

/* Adds an event: a wrapped message with arguments as tests/unit/osc_builder.h takes them. */
void set_stream_add(set_stream *stream, const char *path, const char *tags, ...);

/* Adds the event that ends a run of scene/reordered. */
void set_stream_add_settled(set_stream *stream);

/* Applies the events from `begin` to before `end`; every `digest_every` (0: never) the digests are brought up to date.
 * `output` may be NULL. */
void set_reduce(sl_state *state, const set_stream *stream, size_t begin, size_t end, size_t digest_every,
                const sl_output *output);

/* Ends the program if the reducer has refused one of them. */
void set_check_nothing_refused(const sl_state *state);

#endif
