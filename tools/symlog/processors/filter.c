/*
 * Takes away what is higher than the cutoff, and lifts what lies at it: a state variable filter, in the form of Andrew
 * Simper, "Solving the continuous SVF equations using trapezoidal integration and equivalent currents" (2013), which
 * stays well-behaved while its cutoff is turned.
 *
 * An example of a processor with state.
 */
#include "symlog_processor.h"

#include <math.h>
#include <stdlib.h>

enum { CUTOFF, RESONANCE };

static const symlog_parameter parameters[] = {
    [CUTOFF] = {.name = "cutoff", .unit = "Hz", .min = 20, .max = 18000, .initial = 1000},
    [RESONANCE] = {.name = "resonance", .unit = "%", .min = 0, .max = 100, .initial = 20},
};

/* What one channel remembers of the frames before: two integrators. */
typedef struct channel {
    float first;
    float second;
} channel;

typedef struct filter {
    float rate;
    float cutoff; /* for which g was computed */
    float g;
    channel channels[2];
} filter;

static void *init(double rate)
{
    filter *filter = calloc(1, sizeof *filter); /* all zero: silence before the first frame */
    if (filter != NULL) filter->rate = (float)rate;
    return filter;
}

/* A tangent takes time, so it is computed only when the cutoff has moved. */
static float prewarp(filter *filter, float cutoff)
{
    if (cutoff != filter->cutoff) {
        filter->cutoff = cutoff;
        filter->g = tanf((float)M_PI * fminf(cutoff / filter->rate, 0.49f));
    }
    return filter->g;
}

static float step(channel *channel, float in, float g, float damping)
{
    const float a1 = 1 / (1 + g * (g + damping)), a2 = g * a1, a3 = g * a2;
    const float v3 = in - channel->second;
    const float v1 = a1 * channel->first + a2 * v3;
    const float v2 = channel->second + a2 * channel->first + a3 * v3;
    channel->first = 2 * v1 - channel->first;
    channel->second = 2 * v2 - channel->second;
    return v2;
}

static void process(void *state, const float *const in[2], float *const out[2], int frames, const float *const *values,
                    const symlog_transport *transport)
{
    (void)transport;
    filter *filter = state;
    for (int i = 0; i < frames; i++) {
        const float g = prewarp(filter, values[CUTOFF][i]);
        const float damping = 2 - 1.9f * values[RESONANCE][i] / 100; /* 0 would whistle for ever */
        for (int side = 0; side < 2; side++) out[side][i] = step(&filter->channels[side], in[side][i], g, damping);
    }
}

const symlog_processor_description symlog_processor = {
    .abi = SYMLOG_PROCESSOR_ABI,
    .init = init,
    .destroy = free,
    .process = process,
    .parameters = parameters,
    .parameter_count = 2,
};
