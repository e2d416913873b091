/*
 * What the files of the renderer share: renderer.c (creation, tracks, settings), renderer_notes.c (which voice a note
 * takes, how it starts and ends), renderer_voices.c (envelopes, filters, what voices sound like), renderer_kit.c
 * (drums), renderer_strip.c (drive, filter, chorus), renderer_space.c (delay, reverb), renderer_mix.c (rendering,
 * mixing, limiter), renderer_codec.c (bytes).
 */
#ifndef SL_CORE_RENDERER_INTERNAL_H
#define SL_CORE_RENDERER_INTERNAL_H

#include "core/audio_math.h"
#include "core/renderer.h"
#include "core/wavetable.h"

enum {
    STEP = SL_RENDERER_STEP,
    VOICES = SL_RENDERER_VOICES,
    TRACKS = SL_RENDERER_TRACKS,
    LANES = 8, /* voices that are filtered side by side */
    WAVES = 4,
    PHASES = 8,
    CHORUS_FRAMES = 4096,
    LINES = 8,    /* of a reverb */
    DIFFUSERS = 4 /* likewise */
};

#define LINES_NONE UINT32_MAX
#define STEP_SHARE (1.0F / (float)STEP) /* what a frame is of a step */

/* A value on its way to another, in steps. */
typedef struct sl_ramp {
    float value; /* at the beginning of this step */
    float next;  /* at its end; both stay until then, whatever is said */
    float target;
    float step;
    uint32_t left;
} sl_ramp;

typedef enum sl_stage { STAGE_ATTACK = 0, STAGE_DECAY, STAGE_HOLD, STAGE_RELEASE, STAGE_DONE } sl_stage;

/* A note that sounds. Numbers by which it goes on; those of its filter and amplitude are lanes. */
typedef struct sl_sounding {
    uint32_t is_active;
    uint32_t is_released;
    uint32_t track;
    uint32_t patch; /* of the track's two */
    uint32_t instrument;
    uint32_t drum;
    uint32_t stage;
    uint32_t pitch;
    uint32_t age; /* steps */
    uint32_t noise;
    uint32_t line_at;   /* pluck: where the string is written next */
    uint32_t line_back; /* how far back it is read */
    uint64_t id_voice;
    uint64_t id_ordinal;
    uint64_t order; /* notes are counted as they start … */
    uint64_t released;
    uint32_t phases[PHASES];
    uint32_t steps[PHASES];
    uint32_t waves[WAVES]; /* version of each oscillator's wave */
    float wave_gains[WAVES];
    float envelopes[4]; /* of drums, of frequency modulation, by sample */
    float losses[4];    /* what they are multiplied with */
    float string[6];    /* pluck: loss, damping, tuning, three states */
    float level;        /* the envelope at the next step */
    float open;         /* the filter's envelope */
    float velocity;     /* 0 to 1 */
    float loudness;     /* that follows from it */
    float attack_rate;  /* per step */
    float decay_loss;
    float sweep_loss;
    float release_loss;
    float pan_left;
    float pan_right;
} sl_sounding;

/* Numbers of filter and amplitude, of all voices side by side. Two filters in a row, each three coefficients, what goes
 * out as a mixture of in, band and low; what is driven; the amplitude. */
typedef enum sl_lane_field {
    LANE_S1 = 0, /* states */
    LANE_S2,
    LANE_T1,
    LANE_T2,
    LANE_A1, /* first filter, now */
    LANE_A2,
    LANE_A3,
    LANE_B1, /* second */
    LANE_B2,
    LANE_B3,
    LANE_A1_STEP, /* what is added each frame */
    LANE_A2_STEP,
    LANE_A3_STEP,
    LANE_B1_STEP,
    LANE_B2_STEP,
    LANE_B3_STEP,
    LANE_A1_NEXT, /* at the next step */
    LANE_A2_NEXT,
    LANE_A3_NEXT,
    LANE_B1_NEXT,
    LANE_B2_NEXT,
    LANE_B3_NEXT,
    LANE_IN, /* first mixture */
    LANE_BAND,
    LANE_LOW,
    LANE_IN_2,
    LANE_BAND_2,
    LANE_LOW_2,
    LANE_PUSH, /* drive: gain before, after, share */
    LANE_PULL,
    LANE_DRIVEN,
    LANE_AMP,
    LANE_AMP_STEP,
    LANE_AMP_NEXT,
    LANE_LAST, /* the last sample */
    LANE_FIELDS
} sl_lane_field;

typedef struct sl_lanes {
    _Alignas(16) float field[LANE_FIELDS][VOICES];
} sl_lanes;

/* How an instrument plays on a track. */
typedef struct sl_patch {
    uint32_t instrument;
    uint32_t given; /* bits: params that the track says itself */
    sl_ramp params[SL_PARAM_COUNT];
    float cutoff; /* scratch, as the next: in Hz, at the beginning of the step; 0: nothing is known */
    float octave; /* of it */
    float level;  /* in dB, at the end of the step */
    float gain;   /* of it */
} sl_patch;

typedef struct sl_strip_filter {
    float now[3];
    float next[3];
    float mix[3]; /* in, band, low */
    float states[4];
} sl_strip_filter;

typedef struct sl_track {
    uint64_t name_low; /* its digest */
    uint64_t name_high;
    uint64_t used; /* the last note's order */
    uint32_t is_taken;
    uint32_t is_muted;
    uint32_t is_soloed;
    uint32_t patch;       /* which of the two counts for new notes */
    uint32_t strip_given; /* bits: effects' params that the track says itself */
    uint32_t effects;     /* bits: those it has */
    uint32_t delay;       /* which of the delays, or LINES_NONE */
    uint32_t reverb;      /* likewise */
    uint32_t quiet;       /* frames since anything was heard */
    uint32_t is_awake;    /* it must be computed */
    uint32_t chorus_at;   /* where its line is written next */
    uint32_t chorus_phase;
    uint32_t has_chorus; /* its line holds something */
    uint32_t moving;     /* steps in which some value may be on its way */
    float gain;
    float pan;
    float rest_left; /* of voices that were cut off */
    float rest_right;
    sl_ramp left; /* gains */
    sl_ramp right;
    sl_ramp width; /* the instrument's chorus */
    sl_ramp strip[SL_STRIP_COUNT];
    sl_ramp on[SL_EFFECT_KIND_COUNT];
    sl_patch patches[2];
    sl_strip_filter filter;
} sl_track;

typedef struct sl_delay {
    float *lines[2]; /* renderer->delay_frames each */
    uint32_t is_taken;
    uint32_t is_clear;
    uint32_t at;
    uint32_t back;      /* frames */
    uint32_t back_next; /* while it fades over to another time */
    uint32_t fade;      /* frames until it is there */
    uint32_t leaving;   /* after a panic: frames until it is cleared, and one more; 0: it stays */
    float states[2];
} sl_delay;

typedef struct sl_reverb {
    float *memory; /* all its lines, one after the other: renderer->reverb_frames */
    uint32_t is_taken;
    uint32_t is_clear;
    uint32_t at[LINES + DIFFUSERS];
    uint32_t phase;
    uint32_t leaving; /* as a delay's */
    float damped[LINES];
} sl_reverb;

/* One step's sound of a track. */
typedef struct sl_bus {
    _Alignas(16) float left[STEP];
    _Alignas(16) float right[STEP];
} sl_bus;

struct sl_renderer {
    sl_memory memory;
    size_t size_bytes; /* of the block that all of this is in */
    uint32_t rate;
    uint32_t delay_frames;
    uint32_t reverb_frames;
    uint32_t string_frames;
    uint32_t reverb_lengths[LINES + DIFFUSERS];
    uint32_t reverb_starts[LINES + DIFFUSERS];
    uint32_t ramp_steps; /* of 5 ms */
    uint32_t quiet_frames;
    uint32_t leave_frames; /* in which a panic is over */
    uint32_t fade_frames;  /* the first of them: what is in delays and reverbs fades out */
    float rest_loss;       /* per frame */
    float limiter_loss;
    double turns; /* a phase's step for 1 Hz */

    uint64_t frame;
    uint64_t order;
    double bpm;
    float peak; /* the limiter's */
    sl_ramp volume;
    float defaults[SL_PARAMETER_COUNT];
    sl_sounding voices[VOICES];
    sl_lanes lanes;
    sl_track tracks[TRACKS];
    sl_delay delays[SL_RENDERER_DELAYS];
    sl_reverb reverbs[SL_RENDERER_REVERBS];

    sl_renderer_meter meters[TRACKS + 1];
    sl_bus buses[TRACKS]; /* scratch, as the next two */
    sl_bus sum;
    _Alignas(16) float source[LANES][STEP]; /* of a group: into the filter, and out of it */
    _Alignas(16) float dry[LANES][STEP];    /* past the filter; only drums' */
    float *strings;                         /* VOICES x string_frames */
    float *chorus;                          /* TRACKS x CHORUS_FRAMES */
    sl_wavetable waves;
};

/* renderer.c */

/* There at once. */
void sl_ramp_set(sl_ramp *ramp, float value);
/* A track's value is on its way. */
void sl_ramp_to(const sl_renderer *renderer, sl_track *track, sl_ramp *ramp, float target);

/* One step on. */
static inline void sl_ramp_step(sl_ramp *ramp)
{
    ramp->value = ramp->next;
    if (ramp->left == 0) return;
    ramp->left--;
    ramp->next = ramp->left == 0 ? ramp->target : ramp->next + ramp->step;
}

/* Its value `frame` frames into the step. */
static inline float sl_ramp_at(const sl_ramp *ramp, uint32_t frame)
{
    return ramp->value + (ramp->next - ramp->value) * ((float)(int32_t)frame * STEP_SHARE);
}

/* renderer_notes.c */

void sl_sounding_cut(sl_renderer *renderer, uint32_t index);
void sl_sounding_release(sl_renderer *renderer, uint32_t index, float release_s);

/* renderer_voices.c */

/* What of a value is lost in a step when it falls by `octaves` (halvings) in so many seconds. */
float sl_loss_of(const sl_renderer *renderer, float octaves, float seconds);

/* What a value is multiplied with each frame to fall by 60 dB in so many seconds. */
float sl_fall_of(const sl_renderer *renderer, float seconds);

/* A phase's step; 0 for what lies above half the rate. */
static inline uint32_t sl_phase_step(const sl_renderer *renderer, double hz)
{
    const double step = hz * renderer->turns;
    return step > 0 && step < 2147483648.0 ? (uint32_t)(int32_t)step : 0;
}

/* Sets a new voice's filter and drive. */
void sl_voice_filter(sl_renderer *renderer, uint32_t index);

/* Moves its amplitude to what the envelope will be, in `frames`. */
void sl_voice_amp(sl_renderer *renderer, uint32_t index, uint32_t frames);
void sl_voice_envelope(sl_sounding *voice, float sustain, float share);

/* What happens every step; and the sound of all voices, `frames` of it, added to the tracks' buses. */
void sl_voices_step(sl_renderer *renderer);
void sl_voices_render(sl_renderer *renderer, uint32_t frames);

/* A new note: its oscillators, or string. */
void sl_voice_begin(sl_renderer *renderer, uint32_t index);

/* renderer_sources.c: what goes into a voice's filter, `frames` values. */
void sl_voice_source(sl_renderer *renderer, uint32_t index, uint32_t frames, float source[STEP], float dry[STEP]);
void sl_pluck_begin(sl_renderer *renderer, uint32_t index);

/* renderer_kit.c */

void sl_drum_begin(sl_renderer *renderer, uint32_t index);
void sl_drum_source(sl_renderer *renderer, uint32_t index, uint32_t frames, float source[STEP], float dry[STEP]);
/* True if it chokes another that sounds on its track; or ends it, being the same. */
bool sl_drum_ends(sl_drum drum, sl_drum other);
bool sl_drum_is_over(const sl_sounding *voice);
void sl_drum_mixture(const sl_sounding *voice, float *hz, float *k, float mixture[3]);

/* renderer_strip.c */

/* The effects of a track on its bus, from frame `offset` of the step on. */
void sl_strip_step(sl_renderer *renderer, sl_track *track);
void sl_strip_clear(sl_renderer *renderer, sl_track *track);
void sl_strip_render(sl_renderer *renderer, uint32_t track, uint32_t offset, uint32_t frames);

/* renderer_space.c */

void sl_space_take(sl_renderer *renderer, sl_track *track);
/* Gives back what the track has no use for any more; or all. */
void sl_space_give(sl_renderer *renderer, sl_track *track, bool is_all);
/* Empties all lines of the track; or lets them fade out before. */
void sl_space_clear(sl_renderer *renderer, sl_track *track);
void sl_space_leave(sl_renderer *renderer, const sl_track *track);
/* Empties those that have faded out. */
void sl_space_step(sl_renderer *renderer, const sl_track *track);
void sl_space_clear_delay(const sl_renderer *renderer, sl_delay *delay);
void sl_space_clear_reverb(const sl_renderer *renderer, sl_reverb *reverb);
void sl_space_layout(sl_renderer *renderer);
void sl_delay_step(sl_renderer *renderer, const sl_track *track);
void sl_delay_render(sl_renderer *renderer, const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames);
void sl_reverb_render(sl_renderer *renderer, const sl_track *track, sl_bus *bus, uint32_t offset, uint32_t frames);

#endif
