/*
 * Which instruments and effects there are, what parameters they have, and what names, pitches and params (JSON) mean.
 * Tables and readers only: nothing here sounds.
 *
 * Instruments: bass, lead, pad, keys, pluck, and kit (drums). A parameter's id is "instrument.name" or "effect.name".
 * Effects are a channel strip: each at most once on a track, always in the order drive, filter, chorus, delay, reverb.
 */
#ifndef SL_CORE_INSTRUMENTS_H
#define SL_CORE_INSTRUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sl_instrument {
    SL_INSTRUMENT_BASS = 0,
    SL_INSTRUMENT_LEAD = 1,
    SL_INSTRUMENT_PAD = 2,
    SL_INSTRUMENT_KEYS = 3,
    SL_INSTRUMENT_PLUCK = 4,
    SL_INSTRUMENT_KIT = 5,
    SL_INSTRUMENT_COUNT
} sl_instrument;

typedef enum sl_effect_kind {
    SL_EFFECT_DRIVE = 0,
    SL_EFFECT_FILTER = 1,
    SL_EFFECT_CHORUS = 2,
    SL_EFFECT_DELAY = 3,
    SL_EFFECT_REVERB = 4,
    SL_EFFECT_KIND_COUNT
} sl_effect_kind;

/* An instrument's parameters, by place. Where an instrument has no use for the first meaning, it has its own. */
enum {
    SL_PARAM_LEVEL = 0,
    SL_PARAM_ATTACK = 1,
    SL_PARAM_DECAY = 2,
    SL_PARAM_SUSTAIN = 3, /* kit: punch */
    SL_PARAM_RELEASE = 4, /* kit: choke */
    SL_PARAM_CUTOFF = 5,
    SL_PARAM_RESONANCE = 6,
    SL_PARAM_ENVELOPE = 7, /* octaves by which the filter opens at a note's start */
    SL_PARAM_SWEEP = 8,    /* how long it takes to close */
    SL_PARAM_TRACKING = 9,
    SL_PARAM_DETUNE = 10, /* keys: tine; pluck: damping; kit: tune */
    SL_PARAM_SUB = 11,    /* keys: tone; pluck: position; kit: snap */
    SL_PARAM_DRIVE = 12,
    SL_PARAM_WIDTH = 13,
    SL_PARAM_VIBRATO = 14, /* kit: map */
    SL_PARAM_VELOCITY = 15,
    SL_PARAM_COUNT = 16
};

/* Parameters of a track's effects, by place. */
enum {
    SL_STRIP_DRIVE_AMOUNT = 0,
    SL_STRIP_DRIVE_LEVEL = 1,
    SL_STRIP_FILTER_MODE = 2,
    SL_STRIP_FILTER_CUTOFF = 3,
    SL_STRIP_FILTER_RESONANCE = 4,
    SL_STRIP_CHORUS_RATE = 5,
    SL_STRIP_CHORUS_DEPTH = 6,
    SL_STRIP_CHORUS_MIX = 7,
    SL_STRIP_DELAY_BEATS = 8,
    SL_STRIP_DELAY_TIME = 9,
    SL_STRIP_DELAY_FEEDBACK = 10,
    SL_STRIP_DELAY_TONE = 11,
    SL_STRIP_DELAY_WIDTH = 12,
    SL_STRIP_DELAY_MIX = 13,
    SL_STRIP_REVERB_DECAY = 14,
    SL_STRIP_REVERB_DAMPING = 15,
    SL_STRIP_REVERB_MIX = 16,
    SL_STRIP_COUNT = 17
};

/* What the protocol's getAllParameters tells of a parameter. Static. */
typedef struct sl_parameter {
    const char *id;   /* "lead.cutoff" */
    const char *name; /* "cutoff" */
    float min;
    float max;
    float initial;
    const char *unit; /* "Hz", "s", "dB", …; "" for a plain number */
} sl_parameter;

/* All of them: instruments', effects', master.volume. */
enum { SL_PARAMETER_COUNT = SL_INSTRUMENT_COUNT * SL_PARAM_COUNT + SL_STRIP_COUNT + 1 };
const sl_parameter *sl_parameter_at(uint32_t index);

/* The index of an id, or SL_PARAMETER_COUNT. */
uint32_t sl_parameter_find(const char *id, size_t length);

/* Where they begin: an instrument's SL_PARAM_COUNT, the strip's SL_STRIP_COUNT, the master's volume. */
uint32_t sl_parameter_of_instrument(sl_instrument instrument);
enum {
    SL_PARAMETER_STRIP = SL_INSTRUMENT_COUNT * SL_PARAM_COUNT,
    SL_PARAMETER_MASTER_VOLUME = SL_PARAMETER_STRIP + SL_STRIP_COUNT
};

/* The value within the parameter's range; NaN gives the initial one. */
float sl_parameter_clamp(const sl_parameter *parameter, double value);

/* "bass". Static. */
const char *sl_instrument_name(sl_instrument instrument);
const char *sl_effect_kind_name(sl_effect_kind kind);

/* The instrument so named; "drums" and "gm" are kits. false: no instrument has this name, *out is keys. */
bool sl_instrument_by_name(const char *name, size_t length, sl_instrument *out);

/* The kit that reads pitches as General MIDI from the lowest on. */
bool sl_instrument_is_gm(const char *name, size_t length);

/* Whoever has no instrument named: kit on channel 10; else by a word in the track's name ("Bass 2", "drums",
 * "Strings"); else keys. */
sl_instrument sl_instrument_by_track(const char *name, size_t length, uint8_t channel);

bool sl_effect_kind_by_name(const char *name, size_t length, sl_effect_kind *out);

/* Which of the strip's parameters an effect has: *count from the returned place on. */
uint32_t sl_effect_kind_params(sl_effect_kind kind, uint32_t *count);

/* Reads params, any bytes: what is a JSON object's own pair "name": number (or true, false: 1, 0) of a parameter named
 * so sets values[i], clamped, and bit i of the result. The later of two counts; other pairs are passed over. What is no
 * JSON gives what could be read before it. */
uint32_t sl_params_read(const char *json, size_t length, const sl_parameter *parameters, uint32_t count, float *values);

/* The sounds of the kit. */
typedef enum sl_drum {
    SL_DRUM_KICK = 0,
    SL_DRUM_SNARE,
    SL_DRUM_CLOSED_HAT,
    SL_DRUM_OPEN_HAT,
    SL_DRUM_CLAP,
    SL_DRUM_TOM_1, /* the highest */
    SL_DRUM_TOM_2,
    SL_DRUM_TOM_3,
    SL_DRUM_RIM,
    SL_DRUM_RIDE,
    SL_DRUM_CRASH,
    SL_DRUM_BEEP,
    SL_DRUM_COUNT
} sl_drum;

/* The sound of a pitch: live code's drum map (kick C1 = 24 … ride D#2 = 39), what it has not as in General MIDI; or
 * General MIDI (kick 36 …), what lies below that as in live code's map. Unknown pitches beep. */
sl_drum sl_drum_of_pitch(uint8_t pitch, bool is_gm);

const char *sl_drum_name(sl_drum drum);

#endif
