/*
 * A processor of symlog: one C file that makes sound out of sound while a set plays. Save it, and symlog compiles and
 * swaps it in without a gap: `symlog serve --with-audio my.c`. All of one:
 *
 *     #include "symlog_processor.h"
 *
 *     enum { LEVEL };
 *     static const symlog_parameter parameters[] = {
 *         [LEVEL] = {.name = "level", .unit = "", .min = 0, .max = 1, .initial = 0.5f},
 *     };
 *
 *     static void process(void *state, const float *const in[2], float *const out[2], int frames,
 *                         const float *const *values, const symlog_transport *transport)
 *     {
 *         for (int i = 0; i < frames; i++) {
 *             out[0][i] = in[0][i] * values[LEVEL][i];
 *             out[1][i] = in[1][i] * values[LEVEL][i];
 *         }
 *     }
 *
 *     const symlog_processor_description symlog_processor = {
 *         .abi = SYMLOG_PROCESSOR_ABI, .process = process, .parameters = parameters, .parameter_count = 1,
 *     };
 *
 * Sound: a frame is one sample for the left ear and one for the right, -1 to 1 each, as many a second as `rate` says.
 * The two channels are two arrays (in[0] and out[0] left, in[1] and out[1] right), not mixed into one: what is done to
 * a channel is a plain loop then, which compilers make quick.
 *
 * process runs in the audio thread, where being late is heard: it must not wait, so no malloc or free, no files, no
 * printf, no locks. What it needs is made in init. A result that is NaN, infinite or beyond 1,000 mutes the processor
 * until the file is saved again; one that crashes, or does not return, is left out, and said.
 *
 * C only; plain libc and libm. M_PI is there with <math.h>.
 */
#ifndef SYMLOG_PROCESSOR_H
#define SYMLOG_PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>

/* What this header describes; raised when it changes. */
#define SYMLOG_PROCESSOR_ABI 1

enum {
    SYMLOG_FRAMES_MAX = 512,    /* process is never given more at once; a buffer of so many is always enough */
    SYMLOG_PARAMETERS_MAX = 32, /* of one processor */
    SYMLOG_NAME_BYTES_MAX = 32, /* of a parameter's name: letters, digits, '_' and '-' */
    SYMLOG_UNIT_BYTES_MAX = 16  /* of its unit */
};

/* Where the music is at the first of the frames that process is given. */
typedef struct symlog_transport {
    bool is_playing; /* false: stopped or paused; beat and bar stand still */
    double bpm;      /* beats a minute */
    double beat;     /* since the beginning, from 0, with its fraction */
    double bar;      /* likewise */
    int64_t frame;   /* counts on at `rate` whether the music plays or not */
} symlog_transport;

/* What people can turn while it sounds. Its value never leaves min to max, and never jumps: when it is set it goes to
 * the new value in a straight line, in 5 ms. */
typedef struct symlog_parameter {
    const char *name; /* its own among those of the processor; known outside as processor.NAME */
    const char *unit; /* what people read behind the number: "dB", "Hz", "%"; "" or left out: none */
    float min;
    float max;     /* greater than min */
    float initial; /* its default; min to max */
} symlog_parameter;

/* All of a processor. Each file defines one, named symlog_processor. */
typedef struct symlog_processor_description {
    uint32_t abi; /* SYMLOG_PROCESSOR_ABI */

    /* Makes what process remembers from block to block, for sound of `rate` frames a second. It may take its time.
     * NULL: that failed. Left out: process is given NULL as its state. */
    void *(*init)(double rate);

    /* Frees what init made. Left out: nothing is freed. */
    void (*destroy)(void *state);

    /* Makes out[0] and out[1], `frames` samples each (1 to SYMLOG_FRAMES_MAX), of in[0] and in[1], which are other
     * arrays. values[PARAMETER][i] is that parameter's value at frame i. All are valid until it returns. */
    void (*process)(void *state, const float *const in[2], float *const out[2], int frames, const float *const *values,
                    const symlog_transport *transport);

    const symlog_parameter *parameters; /* left out: there are none */
    uint32_t parameter_count;
} symlog_processor_description;

__attribute__((visibility("default"))) extern const symlog_processor_description symlog_processor;

#endif
