/*
 * The renderer: notes and settings in, samples out. A pure function of the calls made: the same calls at the same
 * frames give the same bits, on every CPU, in every build, however the frames are cut into calls of sl_renderer_render.
 *
 * Time is the renderer's own: `frame` counts what was rendered. Every call counts from the present frame on, exactly: a
 * note that starts between two renderings begins with the first sample of the second one. There is no look-ahead and no
 * delay, the limiter's included.
 *
 * Signal path. Notes (SL_RENDERER_VOICES at a time, on all tracks together) → their track: drive, filter, chorus,
 * delay, reverb → gain, pan, mute, solo → sum → master volume → limiter. What is slow (envelopes' ends, filter
 * settings, levels) is computed every SL_RENDERER_STEP frames, counted from frame 0, and goes between in straight
 * lines; a parameter that changes is there after 5 ms. Samples are float32 inside and outside; phases are 32-bit
 * integers; frequencies are doubles.
 *
 * Voices. A note takes a free voice. Where there is none, it takes the one that was released first; where none is
 * released, the quietest (by its envelope), of those the oldest. What is cut off dies away within 3 ms. A drum takes
 * the voice of the same drum on the same track if that still sounds (crash and ride ring on); the closed hat chokes the
 * open one. Drums play to their end whenever their note ends.
 *
 * Silence: what has died away is exact zero.
 *
 * Memory is taken at creation alone. One thread at a time; nothing locks or allocates.
 */
#ifndef SL_CORE_RENDERER_H
#define SL_CORE_RENDERER_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/instruments.h"
#include "core/memory.h"

enum {
    SL_RENDERER_VOICES = 32,
    SL_RENDERER_TRACKS = 32,
    SL_RENDERER_STEP = 32,  /* frames */
    SL_RENDERER_DELAYS = 8, /* tracks that have one at a time; one more stays dry */
    SL_RENDERER_REVERBS = 8,
    SL_RENDERER_RATE_MIN = 32000,
    SL_RENDERER_RATE_MAX = 192000,
    SL_RENDERER_VERSION = 2 /* what changes a sample, or the bytes of a state, raises it */
};

typedef struct sl_renderer sl_renderer;

/* Silent, at frame 0, 120 bpm. SL_ERR_RANGE: a rate outside the above (44100, 48000 and 96000 are tested);
 * SL_ERR_MEMORY. At 48 kHz 9 MB, of which less than 2 are touched as long as no track has a delay or reverb. */
sl_err sl_renderer_create(sl_memory memory, uint32_t rate, sl_renderer **out);
void sl_renderer_destroy(sl_renderer *renderer);

uint32_t sl_renderer_rate(const sl_renderer *renderer);
uint64_t sl_renderer_frame(const sl_renderer *renderer);

/* Renders `frames` frames into left_right, interleaved. */
void sl_renderer_render(sl_renderer *renderer, float *left_right, size_t frames);

/* The track so named, *out its number; a new one plays keys, at gain 1. With all taken, one that is silent, and has
 * been longest without a note, makes room. SL_ERR_FULL: all sound. */
sl_err sl_renderer_track(sl_renderer *renderer, const char *name, size_t length, uint32_t *out);

/* What plays a track. `params` as sl_params_read; what they do not say has the instrument's value. Notes of another
 * instrument than the one before end as they were. */
void sl_renderer_set_instrument(sl_renderer *renderer, uint32_t track, sl_instrument instrument, const char *params,
                                size_t params_length);

/* The map of the kit's pitches, until the instrument is set again; else param "map" says it. */
void sl_renderer_set_gm(sl_renderer *renderer, uint32_t track);

/* An effect of a track as it is named; views for the time of the call. */
typedef struct sl_renderer_effect {
    const char *name;
    size_t name_length;
    const char *params;
    size_t params_length;
} sl_renderer_effect;

/* All effects of the track: the others go. Names that are unknown are passed over; of two with one name the later
 * counts. */
void sl_renderer_set_effects(sl_renderer *renderer, uint32_t track, const sl_renderer_effect *effects, uint32_t count);

/* What the mixer says of a track. As soon as one is soloed, those that are not are silent. */
typedef struct sl_renderer_mix {
    float gain; /* 1: as it is; clamped to 0 … 4 */
    float pan;  /* -1 left … 1 right; the side that is turned away from gets quieter */
    bool is_muted;
    bool is_soloed;
} sl_renderer_mix;

void sl_renderer_set_mix(sl_renderer *renderer, uint32_t track, const sl_renderer_mix *mix);

/* For delays in beats. Clamped to 1 … 1000. */
void sl_renderer_set_tempo(sl_renderer *renderer, double bpm);

/* Sets a parameter (instruments.h's index), clamped: of an instrument or effect, for all tracks whose params do not say
 * another value. */
void sl_renderer_set_parameter(sl_renderer *renderer, uint32_t index, double value);
float sl_renderer_parameter(const sl_renderer *renderer, uint32_t index);

/* A note's name in start and end: sl_note_id's two numbers. */
typedef struct sl_renderer_note {
    uint64_t voice;
    uint64_t ordinal;
} sl_renderer_note;

/* velocity 1 to 127, pitch 0 to 127 (what is more is taken as that). */
void sl_renderer_start(sl_renderer *renderer, uint32_t track, sl_renderer_note note, uint8_t pitch, uint8_t velocity);

/* An unknown note (its voice was taken) is passed over. */
void sl_renderer_end(sl_renderer *renderer, sl_renderer_note note);

/* Lets everything go: within 10 ms notes end, and delays and reverbs fade out. What comes into these within 80 ms is
 * not heard from them: nothing echoes the end. */
void sl_renderer_panic(sl_renderer *renderer);

/* Peak and mean square of what was rendered since the last call with these arguments; no part of the state. A track's
 * after its gain, or the master's (track SL_RENDERER_TRACKS). */
typedef struct sl_renderer_meter {
    float peak_left;
    float peak_right;
    double square_left;  /* sum of squares */
    double square_right; /* likewise */
    uint64_t frames;
} sl_renderer_meter;

sl_renderer_meter sl_renderer_take_meter(sl_renderer *renderer, uint32_t track);

/* How many voices sound. */
uint32_t sl_renderer_voice_count(const sl_renderer *renderer);

/* True if everything rendered from here on is zero as long as nothing is called. */
bool sl_renderer_is_silent(const sl_renderer *renderer);

/* Bytes of the whole state: a renderer decoded from them goes on bit for bit. Decoding allocates a renderer:
 * SL_ERR_MALFORMED, SL_ERR_VERSION, SL_ERR_RANGE, SL_ERR_MEMORY; whatever bytes, what was decoded can be rendered. */
typedef void sl_renderer_put(void *ctx, const void *bytes, size_t length);
void sl_renderer_encode(const sl_renderer *renderer, sl_renderer_put *put, void *ctx);
sl_err sl_renderer_decode(sl_reader *reader, sl_memory memory, sl_renderer **out);

#endif
