/*
 * What serve knows of the sound that it makes: how it goes, how loud it is, and what parameters a processor has. Of
 * each only the newest, so it never grows; who is slow to look misses what lay between.
 *
 * One thread writes (the link to the sound process; nobody: then the phase stays `disabled`), the service thread reads.
 * What is written comes from another process: texts without an end are cut, an unknown phase is `failed`, a parameter
 * without a name or a range is left out.
 *
 * All functions are any thread's, but for create and destroy. Readers take NULL for a store nobody writes to.
 */
#ifndef SL_TOOLS_SOUND_STATUS_H
#define SL_TOOLS_SOUND_STATUS_H

#include "core/err.h"
#include "core/sound_events.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_AUDIO_CODE_BYTES = 64, /* of these texts, NUL included */
    SL_AUDIO_TEXT_BYTES = 256,
    SL_AUDIO_TRACK_BYTES = 64,
    SL_AUDIO_CLIENT_BYTES = 64,
    SL_AUDIO_NAME_BYTES = 64,
    SL_AUDIO_UNIT_BYTES = 16,
    SL_AUDIO_TRACKS_MAX = 32,    /* SL_RENDERER_TRACKS */
    SL_AUDIO_PARAMETERS_MAX = 64 /* of a processor */
};

typedef enum sl_audio_phase {
    SL_AUDIO_DISABLED = 0,
    SL_AUDIO_INITIALIZING = 1,
    SL_AUDIO_RUNNING_FULL_DUPLEX = 2,
    SL_AUDIO_RUNNING_INPUT_ONLY = 3,
    SL_AUDIO_RUNNING_OUTPUT_ONLY = 4,
    SL_AUDIO_DEGRADED = 5,
    SL_AUDIO_FAILED = 6,
    SL_AUDIO_PHASE_COUNT
} sl_audio_phase;

/* Since the sound process began. */
typedef struct sl_audio_counts {
    uint64_t xruns_input; /* as the device tells */
    uint64_t xruns_output;
    uint64_t underruns; /* our own: the callback found too few frames */
    uint64_t missed_frames;
    uint64_t late_marks;
    uint64_t callbacks; /* blocks that the device asked for, and … */
    uint64_t flagged;   /* … those of them with which it told of an xrun */
} sl_audio_counts;

/* How long the device's callback took, in microseconds. */
typedef struct sl_audio_callback {
    double p50;
    double p99;
    double p999;
    double max;
} sl_audio_callback;

typedef struct sl_audio_status {
    sl_audio_phase phase;
    char code[SL_AUDIO_CODE_BYTES]; /* of the diagnostic: "device_missing"; "": there is none */
    char message[SL_AUDIO_TEXT_BYTES];
    char hint[SL_AUDIO_TEXT_BYTES];
    uint32_t sample_rate;                 /* frames in a second; 0: not known */
    uint32_t buffer_size;                 /* frames; 0: not known */
    char device[SL_DEVICE_BYTES_MAX + 1]; /* "": none */
    sl_audio_counts counts;
    sl_audio_callback callback_us;
    double load;           /* part of the time that there is: 1 is all of it */
    int64_t updated_at_ms; /* Unix time; sl_sound_status_set writes it */
} sl_audio_status;

/* Linear; 1 is full scale. */
typedef struct sl_audio_levels {
    float left_peak;
    float left_rms;
    float right_peak;
    float right_rms;
} sl_audio_levels;

typedef struct sl_audio_meter {
    int64_t timestamp_us; /* Unix time at which its last frame is heard */
    sl_audio_levels master;
    uint32_t track_count;
    struct {
        char name[SL_AUDIO_TRACK_BYTES]; /* cut, if it is longer */
        sl_audio_levels levels;
    } tracks[SL_AUDIO_TRACKS_MAX];
} sl_audio_meter;

/* A processor's parameter; its id is "processor." and its name. */
typedef struct sl_audio_parameter {
    char name[SL_AUDIO_NAME_BYTES];
    char unit[SL_AUDIO_UNIT_BYTES]; /* "": a plain number */
    double min;
    double max;
    double initial;
} sl_audio_parameter;

/* What has been written since it was last taken; bits. */
enum { SL_AUDIO_NEWS_STATUS = 1, SL_AUDIO_NEWS_METER = 2, SL_AUDIO_NEWS_PARAMETERS = 4 };

typedef struct sl_sound_status sl_sound_status;

/* `wake` is called by the thread that writes, whenever there is news. SL_ERR_MEMORY. */
sl_err sl_sound_status_create(sl_sound_status **out, void (*wake)(void *ctx), void *ctx);

/* NULL is passed over. */
void sl_sound_status_destroy(sl_sound_status *store);

/* How it goes now. No news if it differs in `load`, callbacks and their times alone; then updated_at_ms moves on, too.
 * A phase in which nothing runs forgets the meter. */
void sl_sound_status_set(sl_sound_status *store, const sl_audio_status *status);

void sl_sound_status_set_meter(sl_sound_status *store, const sl_audio_meter *meter);

/* The parameters of the processor that runs now, at most SL_AUDIO_PARAMETERS_MAX of them; count 0: none runs. No news
 * if they are what they were. */
void sl_sound_status_set_processor(sl_sound_status *store, const sl_audio_parameter *parameters, size_t count);

void sl_sound_status_get(sl_sound_status *store, sl_audio_status *out);

/* False: nothing has been measured. */
bool sl_sound_status_get_meter(sl_sound_status *store, sl_audio_meter *out);

/* How many there are, copied into `out`. */
size_t sl_sound_status_get_processor(sl_sound_status *store, sl_audio_parameter out[SL_AUDIO_PARAMETERS_MAX]);

/* The bits of what is new; from then on it is not. */
unsigned sl_sound_status_take_news(sl_sound_status *store);

/* "runningOutputOnly". */
const char *sl_audio_phase_name(sl_audio_phase phase);

/* Append JSON: the status as getAudioStatus tells it; a meter's members as meterUpdate has them. */
void sl_audio_status_write(const sl_audio_status *status, sl_text *text);
void sl_audio_meter_write(const sl_audio_meter *meter, sl_text *text);

#endif
