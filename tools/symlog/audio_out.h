/*
 * The usual sound device as a place to write samples to, which waits until it has room: a device (audio_device.h) and a
 * ring before it. For replay, not for playing live. One thread.
 */
#ifndef SL_TOOLS_AUDIO_OUT_H
#define SL_TOOLS_AUDIO_OUT_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sl_audio_out sl_audio_out;

/* SL_ERR_NOT_FOUND: the machine has no device that plays; SL_ERR_IO: it cannot be opened at this rate; SL_ERR_MEMORY.
 * `errmsg` gets a sentence. */
sl_err sl_audio_out_open(sl_audio_out **out, uint32_t rate, char errmsg[256]);

/* Plays frames, left and right in turn. SL_ERR_IO: the device is gone, `errmsg` gets a sentence. */
sl_err sl_audio_out_write(sl_audio_out *out, const float *left_right, size_t frames, char errmsg[256]);

/* Waits until all was played, or the device is gone. */
void sl_audio_out_drain(sl_audio_out *out);

/* At once. NULL is passed over. */
void sl_audio_out_close(sl_audio_out *out);

#endif
