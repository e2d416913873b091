/*
 * A sound card of the bench's own: JACK's dummy server, paced like one; and who hears what symlog plays on it.
 *
 * The ear is a client of the server: it hears at JACK's port, and can feed symlog's input.
 */
#ifndef SL_TESTS_BENCH_SOUND_CARD_H
#define SL_TESTS_BENCH_SOUND_CARD_H

#include "tests/bench/peer_process.h"

#include <stdint.h>

enum { SOUND_CARD_RATE = 48000 };

/* Starts a server with a name that no other has, and waits for it: programs that are started from now on find it by
 * $JACK_DEFAULT_SERVER. False: there is no jackd. */
bool sound_card_open(peer_process *server, unsigned period);

/* Ends it. Its clients have ended before. */
void sound_card_close(peer_process *server);

typedef struct ear ear;

ear *ear_open(void);
void ear_close(ear *ear);

/* Connects it to symlog's ports, `count` in all (two outputs; with an input two more), as soon as they are there. */
void ear_connect(ear *ear, unsigned count);

/* Waits until nothing has been heard for some 10 ms. */
void ear_wait_for_silence(const ear *ear);

/* How often sound began after silence, ever. */
unsigned ear_onsets(const ear *ear);

/* Waits until it has begun more often than `onsets`; *heard_ns (may be NULL) is when its first frame came. False: it
 * did not within `ms_max`. */
bool ear_wait_for_sound(const ear *ear, unsigned onsets, unsigned ms_max, uint64_t *heard_ns);

/* Feeds a single frame, in silence, and waits for it; *frames: from that one to the first that came back. */
bool ear_send_impulse(ear *ear, unsigned ms_max, uint64_t *frames);

#endif
