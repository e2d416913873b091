/*
 * What the device's callback does: it copies what was rendered out of the ring, counts what is missing, mixes in what a
 * processor makes of the input, and measures what goes out. It waits for nothing, allocates nothing, frees nothing.
 *
 * A frame that is not there in time is heard as silence, and is dropped when it comes: what comes later is in step.
 *
 * Three threads: the device's (sl_audio_output_pull, an sl_audio_pull), the one that renders (ring, begin), and one
 * that asks how it goes (the rest).
 */
#ifndef SL_TOOLS_AUDIO_OUTPUT_H
#define SL_TOOLS_AUDIO_OUTPUT_H

#include "tools/symlog/audio_device.h"
#include "tools/symlog/audio_ring.h"
#include "tools/symlog/audio_times.h"
#include "tools/symlog/player_clock.h"
#include "tools/symlog/processors/symlog_processor.h"

#include <semaphore.h>

enum { SL_METER_RATE = 60, SL_METER_SLOTS = 16, SL_TRANSPORT_SLOTS = 16 };

/* Of what went out in a 60th of a second; linear. */
typedef struct sl_meter_frame {
    uint64_t ns; /* CLOCK_MONOTONIC, when its last frame went out */
    float peak_left;
    float rms_left;
    float peak_right;
    float rms_right;
} sl_meter_frame;

/* Where the music is at a frame of the log. */
typedef struct sl_transport_view {
    uint64_t frame;
    bool is_playing;
    double bpm;
    double beat;
    double bar;   /* with its fraction */
    double beats; /* quarter notes in a bar */
} sl_transport_view;

/* Adds to `out` what it makes of `in` (NULL: no input). The device's thread. `frame` is the log's, of the first. */
typedef void sl_audio_process(void *ctx, const float *in, float *out, size_t frames, uint64_t frame);

typedef struct sl_output_counts {
    uint64_t callbacks;
    uint64_t flagged;     /* in which the device told of an xrun */
    uint64_t input_xruns; /* that it told of */
    uint64_t output_xruns;
    uint64_t underruns;     /* callbacks for which the ring had too little */
    uint64_t missed_frames; /* in all of them */
    uint64_t slow_ns;       /* the longest callback */
} sl_output_counts;

typedef struct sl_audio_output {
    sl_audio_ring ring;
    sem_t *wake;                       /* posted when the ring has room; immutable */
    atomic_uint rate;                  /* 0: not known yet */
    void *process_ctx;                 /* immutable once there is … */
    sl_audio_process *_Atomic process; /* … this; NULL: none */
    atomic_bool is_running;
    atomic_uint_fast64_t played;      /* the log's frame that goes out next */
    atomic_uint_fast64_t heard_frame; /* two halves of an anchor, with … */
    atomic_uint_fast64_t heard_ns;
    atomic_uint anchor_turn; /* … this: odd while they are written */
    atomic_uint_fast64_t callbacks;
    atomic_uint_fast64_t flagged;
    atomic_uint_fast64_t input_xruns;
    atomic_uint_fast64_t output_xruns;
    atomic_uint_fast64_t underruns;
    atomic_uint_fast64_t missed_frames;
    atomic_uint_fast64_t slow_ns;
    sl_audio_times times;       /* that callbacks took */
    atomic_uint transport_turn; /* which of the next is the newest */
    sl_transport_view transports[SL_TRANSPORT_SLOTS];
    atomic_uint block;         /* the most frames that were asked for at once */
    atomic_uint meter_written; /* meters, ever */
    atomic_uint meter_read;    /* likewise, and taken */
    sl_meter_frame meters[SL_METER_SLOTS];
    atomic_size_t debt;    /* frames that are to be dropped when they come; written by the device's thread */
    uint32_t meter_frames; /* The device's thread, and so is the rest. */
    double square_left;
    double square_right;
    float peak_left;
    float peak_right;
} sl_audio_output;

/* All zero before. */
void sl_audio_output_open(sl_audio_output *output, sem_t *wake);

/* For the device. `ctx` is the output. */
void sl_audio_output_pull(void *ctx, const float *in, float *out, size_t frames, uint64_t latency_ns, unsigned flags);

/* What the thread that renders says of the transport, now and then; and what follows from it for another frame nearby,
 * as a processor is told. The device's thread asks. */
void sl_audio_output_set_transport(sl_audio_output *output, const sl_transport_view *view);
symlog_transport sl_audio_output_transport(const sl_audio_output *output, uint64_t frame);

/* From now on the ring is played; its first frame is the log's `frame`. Before, there is silence. */
void sl_audio_output_begin(sl_audio_output *output, uint64_t frame);

/* The log's frame that goes out next. */
uint64_t sl_audio_output_played(const sl_audio_output *output);

/* When which frame is heard, by the device's clock. False: it has not begun. */
bool sl_audio_output_anchor(const sl_audio_output *output, sl_clock_anchor *out);

/* Frames that the ring wants beside those that will be played: they were missed, and will be dropped. */
size_t sl_audio_output_debt(const sl_audio_output *output);

/* The most frames that the device has asked for at once. */
uint32_t sl_audio_output_block(const sl_audio_output *output);

sl_output_counts sl_audio_output_counts(const sl_audio_output *output);

/* The nanoseconds that so many of 1,000 callbacks did not exceed; 0: there was none. */
uint64_t sl_audio_output_taken_ns(const sl_audio_output *output, unsigned of_1000);

/* The next meter that was not taken yet; where many wait, the newest. False: there is none. */
bool sl_audio_output_take_meter(sl_audio_output *output, sl_meter_frame *out);

#endif
