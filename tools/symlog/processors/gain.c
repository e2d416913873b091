/* Makes the sound louder or softer: the smallest processor that is of use. It has no state, so no init and destroy. */
#include "symlog_processor.h"

#include <math.h>

enum { GAIN };

static const symlog_parameter parameters[] = {
    [GAIN] = {.name = "gain", .unit = "dB", .min = -60, .max = 12, .initial = 0},
};

static void process(void *state, const float *const in[2], float *const out[2], int frames, const float *const *values,
                    const symlog_transport *transport)
{
    (void)state; /* not used here, which compilers want to be told */
    (void)transport;
    for (int i = 0; i < frames; i++) {
        const float factor = powf(10, values[GAIN][i] / 20); /* 6 dB are twice as much, -6 dB half */
        out[0][i] = in[0][i] * factor;
        out[1][i] = in[1][i] * factor;
    }
}

const symlog_processor_description symlog_processor = {
    .abi = SYMLOG_PROCESSOR_ABI,
    .process = process,
    .parameters = parameters,
    .parameter_count = 1,
};
