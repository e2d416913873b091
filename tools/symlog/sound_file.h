/*
 * A sound file that is being written: 32-bit float WAV, or what the ending of its name says. It gets its name when it
 * is whole; until then it has another, beside it. The same samples give the same bytes.
 *
 *   .wav    32-bit float; beyond 4 GB as RF64
 *   .flac   24 bits
 *   .f32    samples alone: left and right in turn, little-endian; so does standard output, "-"
 */
#ifndef SL_TOOLS_SOUND_FILE_H
#define SL_TOOLS_SOUND_FILE_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sl_sound_file sl_sound_file;

/* Begins one of about `frames` frames. SL_ERR_MALFORMED: another ending; SL_ERR_IO: it cannot be written, or its name
 * is a folder's; SL_ERR_MEMORY. `errmsg` gets a sentence. */
sl_err sl_sound_file_create(sl_sound_file **out, const char *path, uint32_t rate, uint64_t frames, char errmsg[256]);

/* Appends frames, interleaved. SL_ERR_END: it is a pipe that nobody reads any more; SL_ERR_IO with a sentence in
 * `errmsg`. */
sl_err sl_sound_file_write(sl_sound_file *file, const float *left_right, size_t frames, char errmsg[256]);

/* Closes it and gives it its name. SL_ERR_IO: it could not be, and is gone. */
sl_err sl_sound_file_finish(sl_sound_file *file, char errmsg[256]);

/* Throws it away. NULL is passed over. */
void sl_sound_file_discard(sl_sound_file *file);

#endif
