/*
 * A ring of stereo frames between the thread that renders and the callback that plays: one writes, one reads, neither
 * waits for the other. Small enough to be read whole here.
 */
#ifndef SL_TOOLS_AUDIO_RING_H
#define SL_TOOLS_AUDIO_RING_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum { SL_AUDIO_RING_FRAMES = 1 << 15 /* a power of two */ };

typedef struct sl_audio_ring {
    atomic_size_t written; /* frames, ever; the writer's */
    char apart[64];        /* a cache line: neither thread waits for the other's number */
    atomic_size_t read;    /* likewise the reader's */
    float samples[2 * SL_AUDIO_RING_FRAMES];
} sl_audio_ring;

/* How many frames there are to be read. Either thread; what the other does meanwhile only helps. */
static inline size_t sl_audio_ring_count(sl_audio_ring *ring)
{
    const size_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return atomic_load_explicit(&ring->written, memory_order_acquire) - read;
}

/* Writes frames for which there is room. */
static inline void sl_audio_ring_write(sl_audio_ring *ring, const float *left_right, size_t frames)
{
    assert(frames <= SL_AUDIO_RING_FRAMES - sl_audio_ring_count(ring));
    const size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    const size_t at = written % SL_AUDIO_RING_FRAMES, straight = SL_AUDIO_RING_FRAMES - at;
    const size_t first = frames < straight ? frames : straight;
    memcpy(ring->samples + 2 * at, left_right, 2 * first * sizeof *left_right);
    memcpy(ring->samples, left_right + 2 * first, 2 * (frames - first) * sizeof *left_right);
    atomic_store_explicit(&ring->written, written + frames, memory_order_release);
}

/* Reads up to `frames`; into NULL: they are dropped. Returns how many there were. */
static inline size_t sl_audio_ring_read(sl_audio_ring *ring, float *left_right, size_t frames)
{
    const size_t count = sl_audio_ring_count(ring);
    if (frames > count) frames = count;
    const size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    const size_t at = read % SL_AUDIO_RING_FRAMES, straight = SL_AUDIO_RING_FRAMES - at;
    const size_t first = frames < straight ? frames : straight;
    if (left_right != NULL) {
        memcpy(left_right, ring->samples + 2 * at, 2 * first * sizeof *left_right);
        memcpy(left_right + 2 * first, ring->samples, 2 * (frames - first) * sizeof *left_right);
    }
    atomic_store_explicit(&ring->read, read + frames, memory_order_release);
    return frames;
}

#endif
