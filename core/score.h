/*
 * A score: what the sandbox makes of an edit of live code, as the payload of a `score` event. Compact, versioned, and
 * all that the reducer reads of the code.
 *
 * Who does what. The builder (JavaScript) knows names: it turns "C#4" into a pitch, "8n." into ticks, "kick" into its
 * pitch; chords into a stack of notes, arpeggios and scales into notes, octave and key into pitches; refuses what has
 * no meaning. Core knows time: it expands loops, stacks, transpositions and euclids, applies swing, quantize, dynamics
 * and articulations, joins ties, and finds where each note begins and ends (core/part.h).
 *
 * Layout, version 1. Fixed numbers are little-endian; `v` is an unsigned LEB128 of at most 5 bytes (value < 2^32);
 * a text is u32 length and UTF-8 bytes.
 *
 *   score  u64 code_seq · u8 quantize · u8 flags (1 replaces, 2 has tempo, 4 has signature) · text buffer
 *          · [f64 bpm] · [u8 numerator · u8 denominator] · u16 track_count · track_count x (u32 length · track)
 *   track  text name · u8 channel (0: symlog chooses; 1 to 16) · text instrument · text params (JSON or "")
 *          · u8 effect_count · effect_count x (text name · text params) · u16 clip_count · clip_count x clip
 *   clip   text name · u32 length · operations
 *
 * A track's clips are played one after the other; then the track begins again. Names of tracks differ.
 *
 * An operation is u8 opcode and its operands. Time stands at 0 when a clip begins; what has a duration moves it on.
 *
 *    0 end                                                     of the innermost loop, stack or transpose
 *    1 note        u8 pitch · v duration · u16 velocity · u8 style
 *    2 rest        v duration
 *    3 loop        v count … end                               what is inside, `count` times; `loop 1` groups
 *    4 stack       … end                                       each operation inside begins at the same time; the next
 *                                                              one after the stack when its longest has ended
 *    5 transpose   i8 semitones … end                          adds up where nested
 *    6 tempo       f64 bpm · v ramp (ticks, 0: at once) · u8 curve
 *    7 signature   u8 numerator · u8 denominator               a bar begins here
 *    8 dynamics    u16 from · u16 to · v duration              factor on velocities; before it `from`, after it `to`
 *    9 swing       u16 amount                                  from here on in this clip; 0 ends it
 *   10 quantize    v grid (ticks, 0: none) · u16 strength      likewise
 *   11 euclid      v hits · v steps · v rotation · v repeat · u8 pitch · u16 velocity · v step (ticks)
 *
 * dynamics from 65535: from the level that there is. Amounts (velocity, swing, strength, dynamics) are in ten
 * thousandths. style: articulation (bits 0 to 3), tie (bits 4 and 5). A pitch is a MIDI note number (C4 = 60); what a
 * transpose takes beyond 0 to 127 is left out.
 */
#ifndef SL_CORE_SCORE_H
#define SL_CORE_SCORE_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/event.h"

enum {
    SL_SCORE_VERSION = 1,
    SL_TICKS_PER_BEAT =
        20160,            /* a quarter note: 2^6 * 3^2 * 5 * 7, so that 64th notes and 3, 5, 7 in a beat are whole */
    SL_SCORE_ONE = 10000, /* an amount of 1 */
    SL_SCORE_AS_IT_IS = 65535, /* dynamics: from the present level */
    SL_SCORE_TRACKS_MAX = 1024,
    SL_SCORE_CLIPS_MAX = 1024, /* of a track */
    SL_SCORE_EFFECTS_MAX = 64, /* of a track */
    SL_SCORE_DEPTH_MAX = 32,   /* operations inside operations */
    SL_SCORE_NAME_BYTES_MAX = 255,
    SL_SCORE_PARAMS_BYTES_MAX = 65536,
    SL_SCORE_BYTES_MAX = 16 << 20
};

typedef enum sl_score_op {
    SL_SCORE_END = 0,
    SL_SCORE_NOTE = 1,
    SL_SCORE_REST = 2,
    SL_SCORE_LOOP = 3,
    SL_SCORE_STACK = 4,
    SL_SCORE_TRANSPOSE = 5,
    SL_SCORE_TEMPO = 6,
    SL_SCORE_SIGNATURE = 7,
    SL_SCORE_DYNAMICS = 8,
    SL_SCORE_SWING = 9,
    SL_SCORE_QUANTIZE = 10,
    SL_SCORE_EUCLID = 11,
    SL_SCORE_OP_COUNT
} sl_score_op;

typedef enum sl_articulation {
    SL_ARTICULATION_NONE = 0,
    SL_ARTICULATION_STACCATO = 1, /* half as long */
    SL_ARTICULATION_LEGATO = 2,   /* 1.05 times as long */
    SL_ARTICULATION_ACCENT = 3,   /* 1.2 times the velocity */
    SL_ARTICULATION_TENUTO = 4,   /* as written */
    SL_ARTICULATION_MARCATO = 5,  /* 1.3 times the velocity, 0.8 times as long */
    SL_ARTICULATION_COUNT
} sl_articulation;

typedef enum sl_tie { SL_TIE_NONE = 0, SL_TIE_START = 1, SL_TIE_END = 2, SL_TIE_CONTINUE = 3 } sl_tie;

/* linear: in beats. The others are cut into linear pieces: x*x, 1-(1-x)*(1-x), and both halves. */
typedef enum sl_curve {
    SL_CURVE_LINEAR = 0,
    SL_CURVE_EASE_IN = 1,
    SL_CURVE_EASE_OUT = 2,
    SL_CURVE_EASE_IN_OUT = 3,
    SL_CURVE_COUNT
} sl_curve;

/* When what a person says takes effect. */
typedef enum sl_quantize {
    SL_QUANTIZE_OFF = 0, /* at once */
    SL_QUANTIZE_BEAT = 1,
    SL_QUANTIZE_BAR = 2,
    SL_QUANTIZE_DEFAULT = 255 /* as the session has it: bar, unless somebody set another */
} sl_quantize;

/* Why a score was not taken, for a person. */
typedef struct sl_score_error {
    const char *what; /* static: "an unknown operation" */
    size_t position;  /* the byte of the payload */
} sl_score_error;

/* One operation with its operands; only those that its opcode has are set. */
typedef struct sl_score_step {
    uint8_t op; /* an sl_score_op */
    uint8_t pitch;
    uint8_t style; /* sl_articulation | sl_tie << 4 */
    uint8_t curve;
    int8_t semitones;
    uint8_t numerator;
    uint8_t denominator;
    uint16_t velocity;
    uint16_t from; /* dynamics */
    uint16_t to;
    uint16_t amount;   /* swing; strength of quantize */
    uint32_t duration; /* ticks: note, rest, tempo's ramp, dynamics, quantize's grid, euclid's step */
    uint32_t count;    /* loop; euclid's repeat */
    uint32_t hits;
    uint32_t steps;
    uint32_t rotation;
    double bpm;
} sl_score_step;

/* What stands before the tracks. Texts are views into the payload. */
typedef struct sl_score_head {
    uint64_t code_seq; /* the `code` event that it answers; 0: none */
    uint8_t quantize;  /* an sl_quantize */
    bool replaces;     /* the whole session: tracks that are not here go. Else only those here are put in */
    bool has_tempo;    /* Session.tempo(n) */
    bool has_signature;
    uint8_t numerator;   /* 1 to 64 */
    uint8_t denominator; /* 1, 2, 4, 8, 16, 32 */
    uint16_t track_count;
    const char *buffer; /* which buffer was evaluated */
    size_t buffer_length;
    double bpm; /* 1 to 1000, as every tempo */
} sl_score_head;

/* A track's fixed part; then its clips are walked. Views into the payload. */
typedef struct sl_score_track {
    const uint8_t *bytes; /* the whole track: the same bytes are the same track */
    size_t length;
    size_t music_position; /* where clip_count stands: from there on it is music, before it who plays it */
    const char *name;      /* 1 to SL_SCORE_NAME_BYTES_MAX bytes */
    size_t name_length;
    uint8_t channel;
    const char *instrument; /* "": none named */
    size_t instrument_length;
    const char *params;
    size_t params_length;
    uint8_t effect_count;
    uint16_t clip_count;
} sl_score_track;

typedef struct sl_score_clip {
    const char *name;
    size_t name_length;
    const uint8_t *operations;
    size_t length;
} sl_score_clip;

/* Reading. Walk: sl_score_read_head, then sl_score_read_track as often as it said; of each, sl_score_read_clip; of
 * each, sl_score_read_step until SL_ERR_END. All check bounds and ranges: SL_ERR_MALFORMED with *what set (static). */
sl_err sl_score_read_head(sl_reader *reader, sl_score_head *out, const char **what);
sl_err sl_score_read_track(sl_reader *reader, sl_score_track *out, const char **what);

/* A reader of a track's clips. */
sl_reader sl_score_clips(const sl_score_track *track);
sl_err sl_score_read_clip(sl_reader *reader, sl_score_clip *out, const char **what);

/* A reader of a clip's operations. Does not look at nesting. */
sl_reader sl_score_steps(const sl_score_clip *clip);
sl_err sl_score_read_step(sl_reader *reader, sl_score_step *out, const char **what);

/* Checks a whole payload, nesting and equal names included, without expanding anything. SL_ERR_MALFORMED or
 * SL_ERR_VERSION, with `error` set. (That it is not too much music only sl_part_compile finds.) */
sl_err sl_score_check(const sl_event *event, sl_score_error *error);

/* Writing, in the order of the layout; lengths and counts are written back by the end calls. A writer that ran full
 * stays bad. */
typedef struct sl_score_writer {
    sl_writer *out;
    size_t track_count_position, track_position, effect_count_position, clip_count_position, clip_position;
    uint16_t track_count, clip_count;
    uint8_t effect_count;
} sl_score_writer;

/* head->track_count is not looked at. */
void sl_score_begin(sl_score_writer *score, sl_writer *out, const sl_score_head *head);
/* Of `track` the name, channel, instrument and params are read. */
void sl_score_begin_track(sl_score_writer *score, const sl_score_track *track);
/* Effects come before the clips. */
void sl_score_put_effect(sl_score_writer *score, const char *name, size_t name_length, const char *params,
                         size_t params_length);
void sl_score_begin_clip(sl_score_writer *score, const char *name, size_t length);
void sl_score_put_step(sl_score_writer *score, const sl_score_step *step);
void sl_score_end_clip(sl_score_writer *score);
void sl_score_end_track(sl_score_writer *score);
void sl_score_end(sl_score_writer *score);

#endif
