/*
 * A sound device, by PortAudio; or, where there is none, a timer that asks for sound as a device would.
 *
 * Opened and closed by one thread; `pull` is called by the device's.
 */
#ifndef SL_TOOLS_AUDIO_DEVICE_H
#define SL_TOOLS_AUDIO_DEVICE_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SL_AUDIO_DEVICE_NAME_BYTES = 128, SL_AUDIO_BLOCK_MAX = 8192 };

/* What the device says of one block, as bits. */
enum { SL_AUDIO_INPUT_XRUN = 1, SL_AUDIO_OUTPUT_XRUN = 2 };

/* Fills `out`, left and right in turn; `in` likewise is what came in, NULL without an input. `latency_ns` from now
 * until the first of them is heard. Must not wait. */
typedef void sl_audio_pull(void *ctx, const float *in, float *out, size_t frames, uint64_t latency_ns, unsigned flags);

typedef struct sl_audio_options {
    const char *name; /* part of a device's name, or its number in the list; NULL: the usual one */
    uint32_t rate;    /* 0: 48000 where the device can do it, else its own */
    uint32_t block;   /* frames; 0: as the device likes */
    bool wants_input;
    sl_audio_pull *pull;
    void *ctx;
} sl_audio_options;

typedef struct sl_audio_device sl_audio_device;

/* Opens and starts. SL_ERR_NOT_FOUND: there is no device (so named); SL_ERR_IO: it cannot be opened. `errmsg` says what
 * can be done. An input that is wanted and not there is left out, and errmsg says so with SL_OK; else it is "". */
sl_err sl_audio_open(sl_audio_device **out, const sl_audio_options *options, char errmsg[256]);

/* Instead of a device: a timer. SL_ERR_IO, SL_ERR_MEMORY. */
sl_err sl_audio_open_timer(sl_audio_device **out, const sl_audio_options *options);

/* Stops and closes; NULL is passed over. */
void sl_audio_close(sl_audio_device *device);

const char *sl_audio_name(const sl_audio_device *device);
uint32_t sl_audio_rate(const sl_audio_device *device);
uint32_t sl_audio_block(const sl_audio_device *device); /* 0: it varies */
bool sl_audio_is_timer(const sl_audio_device *device);
bool sl_audio_has_input(const sl_audio_device *device);

/* False: the device is gone. */
bool sl_audio_is_alive(const sl_audio_device *device);

/* The share of a period that the callback takes, 0 to 1. */
double sl_audio_load(const sl_audio_device *device);

/* True if it would open, in a process that has none open: one that is there may be busy, or know another rate only.
 * `pull` is not called. */
bool sl_audio_can_open(const sl_audio_options *options);

/* Prints a line for each device. False: there is none. */
bool sl_audio_list(FILE *to);

#endif
