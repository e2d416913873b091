/* A device that is written to. */
#include "tools/symlog/audio_out.h"

#include "tools/symlog/audio_device.h"
#include "tools/symlog/audio_ring.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_NS = 100000000 /* so often it is looked whether the device is still there */ };

#define SECOND_NS UINT64_C(1000000000)

struct sl_audio_out {
    sl_audio_device *device;
    sem_t wake; /* posted when the ring has room */
    atomic_uint_fast64_t latency_ns;
    sl_audio_ring ring;
};

/* The device's thread. What comes too late is heard as a gap, and goes on. */
static void pull(void *ctx, const float *in, float *to, size_t frames, uint64_t latency_ns, unsigned flags)
{
    (void)in;
    (void)flags;
    sl_audio_out *out = ctx;
    const size_t count = sl_audio_ring_read(&out->ring, to, frames);
    memset(to + 2 * count, 0, 2 * (frames - count) * sizeof *to);
    atomic_store_explicit(&out->latency_ns, latency_ns, memory_order_relaxed);
    sem_post(&out->wake);
}

sl_err sl_audio_out_open(sl_audio_out **out, uint32_t rate, char errmsg[256])
{
    *out = NULL;
    sl_audio_out *made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(errmsg, 256, "%s", sl_err_text(SL_ERR_MEMORY));
        return SL_ERR_MEMORY;
    }
    sem_init(&made->wake, 0, 0);
    const sl_audio_options options = {.rate = rate, .pull = pull, .ctx = made};
    const sl_err err = sl_audio_open(&made->device, &options, errmsg);
    if (err == SL_OK) {
        *out = made;
        return SL_OK;
    }
    if (err == SL_ERR_NOT_FOUND)
        snprintf(errmsg, 256, "there is no sound device here; symlog render OUT.wav writes a file instead");
    if (err == SL_ERR_MEMORY) snprintf(errmsg, 256, "%s", sl_err_text(err));
    sl_audio_out_close(made);
    return err;
}

/* Until the device has taken something, or is gone. */
static sl_err wait_for_device(sl_audio_out *out)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const uint64_t ns = (uint64_t)until.tv_nsec + LOOK_NS;
    until.tv_sec += (time_t)(ns / SECOND_NS);
    until.tv_nsec = (long)(ns % SECOND_NS);
    (void)sem_clockwait(&out->wake, CLOCK_MONOTONIC, &until); /* whatever it was: the caller looks */
    return sl_audio_is_alive(out->device) ? SL_OK : SL_ERR_IO;
}

sl_err sl_audio_out_write(sl_audio_out *out, const float *left_right, size_t frames, char errmsg[256])
{
    while (frames > 0) {
        const size_t room = SL_AUDIO_RING_FRAMES - sl_audio_ring_count(&out->ring);
        const size_t some = frames < room ? frames : room;
        sl_audio_ring_write(&out->ring, left_right, some);
        left_right += 2 * some;
        frames -= some;
        if (frames == 0 || wait_for_device(out) == SL_OK) continue;
        snprintf(errmsg, 256, "the sound device plays no more");
        return SL_ERR_IO;
    }
    return SL_OK;
}

void sl_audio_out_drain(sl_audio_out *out)
{
    while (sl_audio_ring_count(&out->ring) > 0 && wait_for_device(out) == SL_OK) continue;
    /* The block taken last, and what lies between it and the ear. */
    const uint64_t ns = atomic_load_explicit(&out->latency_ns, memory_order_relaxed) + LOOK_NS;
    nanosleep(&(struct timespec){.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)}, NULL);
}

void sl_audio_out_close(sl_audio_out *out)
{
    if (out == NULL) return;
    sl_audio_close(out->device); /* its callback uses the others */
    sem_destroy(&out->wake);
    free(out);
}
