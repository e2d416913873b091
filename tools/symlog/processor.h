/*
 * A user's processor, loaded: its shared object checked, its parameters set from one thread and ramped in another, its
 * sound watched for what is none. What a processor is, processors/symlog_processor.h says; processor_build.h makes the
 * shared object, processor_slot.h swaps processors while they sound. Knows nothing of devices, events or clients.
 *
 * Nothing here keeps a crash or an endless loop of the user's code from its process: have it in one of its own.
 */
#ifndef SL_TOOLS_PROCESSOR_H
#define SL_TOOLS_PROCESSOR_H

#include "core/err.h"
#include "tools/symlog/processors/symlog_processor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_PROCESSOR_MESSAGE_BYTES = 1024, /* of a sentence for a person, NUL included */
    SL_PROCESSOR_RAMP_MS = 5           /* from a parameter's value to the next, from sound to silence */
};

typedef struct sl_processor sl_processor;

/* A parameter as clients are told of it; self-contained. */
typedef struct sl_processor_parameter {
    char id[sizeof "processor." + SYMLOG_NAME_BYTES_MAX]; /* processor.NAME */
    char name[SYMLOG_NAME_BYTES_MAX + 1];
    char unit[SYMLOG_UNIT_BYTES_MAX + 1]; /* UTF-8; may be empty */
    float min;
    float max;
    float initial;
    float value; /* what it was set to last */
} sl_processor_parameter;

typedef enum sl_processor_fault {
    SL_PROCESSOR_WELL,
    SL_PROCESSOR_NAN,
    SL_PROCESSOR_INFINITE,
    SL_PROCESSOR_TOO_LOUD /* beyond 1,000 */
} sl_processor_fault;

/* The first sample that was none. */
typedef struct sl_processor_failure {
    sl_processor_fault fault;
    int channel;   /* 0: left, 1: right */
    int64_t frame; /* as the transport counts */
    float value;
} sl_processor_failure;

/* Loads the shared object at `path`, checks its description, and calls its init with `rate` (frames a second). `name`
 * stands in messages, and is the user's file. The object may be removed afterwards. The caller owns *out, until
 * sl_processor_close. SL_ERR_REFUSED: message says what is wrong with it, as "gain.c: …"; SL_ERR_MEMORY, likewise. Any
 * thread but the audio thread; runs the user's init. */
sl_err sl_processor_load(const char *path, const char *name, double rate, sl_processor **out,
                         char message[SL_PROCESSOR_MESSAGE_BYTES]);

/* Calls the user's destroy, and unloads it. It must not run any more. NULL is passed over. Not the audio thread. */
void sl_processor_close(sl_processor *processor);

/* How many parameters there are, and those from `first` on, as many as fit, into `out` (NULL with max 0). Any thread.
 */
size_t sl_processor_list(const sl_processor *processor, size_t first, sl_processor_parameter *out, size_t max);

/* The parameter of this id or name. SL_ERR_NOT_FOUND. Any thread. */
sl_err sl_processor_find(const sl_processor *processor, const char *id, size_t *index);

/* Has the parameter go to `value`, clamped to its range; the audio thread ramps it. SL_ERR_RANGE: there is no such
 * parameter, or the value is NaN. Any thread. */
sl_err sl_processor_set(sl_processor *processor, size_t index, float value);

/* Gives `processor`, which has not run yet, the values that parameters of the same names have in `former` (NULL: none),
 * clamped, so that saving a file leaves everything turned as it was. They count from its first frame on. */
void sl_processor_inherit(sl_processor *processor, const sl_processor *former);

/*
 * Makes `frames` (any number) of sound; in and out must not overlap. `transport` is that of the first frame; of more
 * than SYMLOG_FRAMES_MAX, later parts get theirs counted on with its tempo (but the bar).
 *
 * Real-time safe as far as the user's code is: no lock, no memory, no system call. Where the result holds NaN, an
 * infinity or more than 1,000, the processor has failed: instead of this part the last good frame fades to silence in
 * SL_PROCESSOR_RAMP_MS, and the user's code is not called again. The audio thread only.
 */
void sl_processor_run(sl_processor *processor, const float *const in[2], float *const out[2], size_t frames,
                      const symlog_transport *transport);

/* True, and *failure is filled, if it has failed. Any thread. */
bool sl_processor_has_failed(const sl_processor *processor, sl_processor_failure *failure);

/* A sentence about it: "gain.c gave NaN in the left channel, at frame 4800: …". */
void sl_processor_describe(const sl_processor_failure *failure, const char *name,
                           char message[SL_PROCESSOR_MESSAGE_BYTES]);

/* The transport `frames` further on: frame, and beat while it plays. The bar stays. */
symlog_transport sl_processor_later(const symlog_transport *transport, size_t frames, double rate);

/* SL_PROCESSOR_RAMP_MS in frames, at least one. */
uint32_t sl_processor_ramp_frames(const sl_processor *processor);

/* The rate that it was loaded for. */
double sl_processor_rate(const sl_processor *processor);

#endif
