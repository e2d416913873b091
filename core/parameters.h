/*
 * The parameters of the sound as the log has them: id and value, those alone that an event has set. For the renderer's
 * own ids see core/instruments.h; others (a processor's) are kept as they are.
 */
#ifndef SL_CORE_PARAMETERS_H
#define SL_CORE_PARAMETERS_H

#include "core/reduce.h"
#include "core/sound_events.h"

enum { SL_PARAMETERS_MAX = 512 }; /* more are counted as refused */

typedef struct sl_parameter_value {
    double value;
    uint32_t index; /* the renderer's, or SL_PARAMETER_COUNT: not one of its own */
    uint8_t id_length;
    char id[SL_PARAMETER_ID_BYTES_MAX + 1];
} sl_parameter_value;

/* By id, in order of its bytes; index 0 …; NULL at the end. Valid until the next sl_reduce. */
const sl_parameter_value *sl_state_parameter_at(const sl_state *state, size_t index);

/* The one so named; NULL: no event has set it. */
const sl_parameter_value *sl_state_parameter(const sl_state *state, const char *id, size_t length);

/* For core's own files. */

struct sl_parameters {
    uint32_t count;
    sl_parameter_value values[SL_PARAMETERS_MAX];
};

/* Takes a parameter event. A value outside the range of one of the renderer's own is clamped. */
sl_err sl_parameters_take(sl_state *state, const sl_event *event);

/* Bytes: u32 count · count x (f64 value · text id). */
void sl_parameters_encode(const sl_state *state, void (*put)(void *ctx, const void *bytes, size_t length), void *ctx);
sl_err sl_parameters_decode(sl_state *state, sl_reader *reader);

#endif
