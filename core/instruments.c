/* The tables of instruments, effects and parameters. */
#include "core/instruments.h"

#include <string.h>

/* By instrument and place, then the strip's, then the master's. A delay of 0 beats goes by its time. Filter modes: 0
 * low-pass, 1 band-pass, 2 high-pass, between them a mixture. */
static const sl_parameter parameters[SL_PARAMETER_COUNT] = {
    {"bass.level", "level", -60, 12, 0, "dB"},
    {"bass.attack", "attack", 0.0005F, 10, 0.003F, "s"},
    {"bass.decay", "decay", 0.005F, 20, 0.35F, "s"},
    {"bass.sustain", "sustain", 0, 1, 0.7F, ""},
    {"bass.release", "release", 0.005F, 20, 0.12F, "s"},
    {"bass.cutoff", "cutoff", 20, 20000, 260, "Hz"},
    {"bass.resonance", "resonance", 0, 1, 0.3F, ""},
    {"bass.envelope", "envelope", -6, 8, 2.6F, "octaves"},
    {"bass.sweep", "sweep", 0.005F, 20, 0.28F, "s"},
    {"bass.tracking", "tracking", 0, 1, 0.4F, ""},
    {"bass.detune", "detune", 0, 100, 6, "cents"},
    {"bass.sub", "sub", 0, 1, 0.6F, ""},
    {"bass.drive", "drive", 0, 1, 0.35F, ""},
    {"bass.width", "width", 0, 1, 0, ""},
    {"bass.vibrato", "vibrato", 0, 100, 0, "cents"},
    {"bass.velocity", "velocity", 0, 1, 0.7F, ""},
    {"lead.level", "level", -60, 12, 0, "dB"},
    {"lead.attack", "attack", 0.0005F, 10, 0.004F, "s"},
    {"lead.decay", "decay", 0.005F, 20, 0.4F, "s"},
    {"lead.sustain", "sustain", 0, 1, 0.75F, ""},
    {"lead.release", "release", 0.005F, 20, 0.22F, "s"},
    {"lead.cutoff", "cutoff", 20, 20000, 1900, "Hz"},
    {"lead.resonance", "resonance", 0, 1, 0.22F, ""},
    {"lead.envelope", "envelope", -6, 8, 1.6F, "octaves"},
    {"lead.sweep", "sweep", 0.005F, 20, 0.45F, "s"},
    {"lead.tracking", "tracking", 0, 1, 0.5F, ""},
    {"lead.detune", "detune", 0, 100, 13, "cents"},
    {"lead.sub", "sub", 0, 1, 0.3F, ""},
    {"lead.drive", "drive", 0, 1, 0.15F, ""},
    {"lead.width", "width", 0, 1, 0.45F, ""},
    {"lead.vibrato", "vibrato", 0, 100, 14, "cents"},
    {"lead.velocity", "velocity", 0, 1, 0.6F, ""},
    {"pad.level", "level", -60, 12, 0, "dB"},
    {"pad.attack", "attack", 0.0005F, 10, 0.35F, "s"},
    {"pad.decay", "decay", 0.005F, 20, 1.5F, "s"},
    {"pad.sustain", "sustain", 0, 1, 0.85F, ""},
    {"pad.release", "release", 0.005F, 20, 1.4F, "s"},
    {"pad.cutoff", "cutoff", 20, 20000, 1100, "Hz"},
    {"pad.resonance", "resonance", 0, 1, 0.12F, ""},
    {"pad.envelope", "envelope", -6, 8, 0.9F, "octaves"},
    {"pad.sweep", "sweep", 0.005F, 20, 2.5F, "s"},
    {"pad.tracking", "tracking", 0, 1, 0.35F, ""},
    {"pad.detune", "detune", 0, 100, 17, "cents"},
    {"pad.sub", "sub", 0, 1, 0.35F, ""},
    {"pad.drive", "drive", 0, 1, 0, ""},
    {"pad.width", "width", 0, 1, 0.85F, ""},
    {"pad.vibrato", "vibrato", 0, 100, 4, "cents"},
    {"pad.velocity", "velocity", 0, 1, 0.5F, ""},
    {"keys.level", "level", -60, 12, 0, "dB"},
    {"keys.attack", "attack", 0.0005F, 10, 0.0015F, "s"},
    {"keys.decay", "decay", 0.005F, 20, 3.2F, "s"},
    {"keys.sustain", "sustain", 0, 1, 0, ""},
    {"keys.release", "release", 0.005F, 20, 0.25F, "s"},
    {"keys.cutoff", "cutoff", 20, 20000, 5200, "Hz"},
    {"keys.resonance", "resonance", 0, 1, 0, ""},
    {"keys.envelope", "envelope", -6, 8, 0.8F, "octaves"},
    {"keys.sweep", "sweep", 0.005F, 20, 0.6F, "s"},
    {"keys.tracking", "tracking", 0, 1, 0.4F, ""},
    {"keys.tine", "tine", 0, 1, 0.4F, ""},
    {"keys.tone", "tone", 0, 2, 0.7F, ""},
    {"keys.drive", "drive", 0, 1, 0.12F, ""},
    {"keys.width", "width", 0, 1, 0.3F, ""},
    {"keys.vibrato", "vibrato", 0, 100, 0, "cents"},
    {"keys.velocity", "velocity", 0, 1, 0.8F, ""},
    {"pluck.level", "level", -60, 12, 0, "dB"},
    {"pluck.attack", "attack", 0.0005F, 10, 0.0005F, "s"},
    {"pluck.decay", "decay", 0.005F, 20, 4, "s"},
    {"pluck.sustain", "sustain", 0, 1, 1, ""},
    {"pluck.release", "release", 0.005F, 20, 0.22F, "s"},
    {"pluck.cutoff", "cutoff", 20, 20000, 3200, "Hz"},
    {"pluck.resonance", "resonance", 0, 1, 0.05F, ""},
    {"pluck.envelope", "envelope", -6, 8, 2, "octaves"},
    {"pluck.sweep", "sweep", 0.005F, 20, 0.3F, "s"},
    {"pluck.tracking", "tracking", 0, 1, 0.5F, ""},
    {"pluck.damping", "damping", 0, 1, 0.2F, ""},
    {"pluck.position", "position", 0, 0.5F, 0.16F, ""},
    {"pluck.drive", "drive", 0, 1, 0, ""},
    {"pluck.width", "width", 0, 1, 0.25F, ""},
    {"pluck.vibrato", "vibrato", 0, 100, 0, "cents"},
    {"pluck.velocity", "velocity", 0, 1, 0.8F, ""},
    {"kit.level", "level", -60, 12, 0, "dB"},
    {"kit.attack", "attack", 0.0005F, 10, 0.0005F, "s"},
    {"kit.decay", "decay", 0.1F, 8, 1, "x"},
    {"kit.punch", "punch", 0, 1, 0.5F, ""},
    {"kit.choke", "choke", 0.002F, 1, 0.03F, "s"},
    {"kit.cutoff", "cutoff", 20, 20000, 20000, "Hz"},
    {"kit.resonance", "resonance", 0, 1, 0, ""},
    {"kit.envelope", "envelope", -6, 8, 0, "octaves"},
    {"kit.sweep", "sweep", 0.005F, 20, 0.1F, "s"},
    {"kit.tracking", "tracking", 0, 1, 0, ""},
    {"kit.tune", "tune", -24, 24, 0, "semitones"},
    {"kit.snap", "snap", 0, 2, 1, ""},
    {"kit.drive", "drive", 0, 1, 0.25F, ""},
    {"kit.width", "width", 0, 1, 0.7F, ""},
    {"kit.map", "map", 0, 1, 0, ""},
    {"kit.velocity", "velocity", 0, 1, 0.8F, ""},
    {"drive.amount", "amount", 0, 1, 0.4F, ""},
    {"drive.level", "level", -24, 12, 0, "dB"},
    {"filter.mode", "mode", 0, 2, 0, ""},
    {"filter.cutoff", "cutoff", 20, 20000, 1200, "Hz"},
    {"filter.resonance", "resonance", 0, 1, 0.2F, ""},
    {"chorus.rate", "rate", 0.05F, 8, 0.6F, "Hz"},
    {"chorus.depth", "depth", 0, 1, 0.5F, ""},
    {"chorus.mix", "mix", 0, 1, 0.5F, ""},
    {"delay.beats", "beats", 0, 4, 0.75F, "beats"},
    {"delay.time", "time", 0.01F, 2, 0.3F, "s"},
    {"delay.feedback", "feedback", 0, 0.95F, 0.4F, ""},
    {"delay.tone", "tone", 200, 20000, 3500, "Hz"},
    {"delay.width", "width", 0, 1, 0.8F, ""},
    {"delay.mix", "mix", 0, 1, 0.3F, ""},
    {"reverb.decay", "decay", 0.1F, 20, 1.8F, "s"},
    {"reverb.damping", "damping", 200, 20000, 5000, "Hz"},
    {"reverb.mix", "mix", 0, 1, 0.25F, ""},
    {"master.volume", "volume", 0, 2, 1, ""},
};

static const char *const instrument_names[SL_INSTRUMENT_COUNT] = {"bass", "lead", "pad", "keys", "pluck", "kit"};
static const char *const effect_names[SL_EFFECT_KIND_COUNT] = {"drive", "filter", "chorus", "delay", "reverb"};

static const struct {
    uint8_t first;
    uint8_t count;
} effect_params[SL_EFFECT_KIND_COUNT] = {
    {SL_STRIP_DRIVE_AMOUNT, 2}, {SL_STRIP_FILTER_MODE, 3},  {SL_STRIP_CHORUS_RATE, 3},
    {SL_STRIP_DELAY_BEATS, 6},  {SL_STRIP_REVERB_DECAY, 3},
};

/* Other names of instruments; and what words in a track's name stand for, the first that is found. */
static const struct {
    const char *word;
    uint8_t instrument;
} words[] = {
    {"drum", SL_INSTRUMENT_KIT},   {"kit", SL_INSTRUMENT_KIT},     {"beat", SL_INSTRUMENT_KIT},
    {"perc", SL_INSTRUMENT_KIT},   {"kick", SL_INSTRUMENT_KIT},    {"snare", SL_INSTRUMENT_KIT},
    {"hat", SL_INSTRUMENT_KIT},    {"clap", SL_INSTRUMENT_KIT},    {"bass", SL_INSTRUMENT_BASS},
    {"lead", SL_INSTRUMENT_LEAD},  {"melody", SL_INSTRUMENT_LEAD}, {"solo", SL_INSTRUMENT_LEAD},
    {"pad", SL_INSTRUMENT_PAD},    {"string", SL_INSTRUMENT_PAD},  {"choir", SL_INSTRUMENT_PAD},
    {"wind", SL_INSTRUMENT_PAD},   {"pluck", SL_INSTRUMENT_PLUCK}, {"guitar", SL_INSTRUMENT_PLUCK},
    {"harp", SL_INSTRUMENT_PLUCK}, {"arp", SL_INSTRUMENT_PLUCK},   {"key", SL_INSTRUMENT_KEYS},
    {"piano", SL_INSTRUMENT_KEYS}, {"chord", SL_INSTRUMENT_KEYS},  {"rhodes", SL_INSTRUMENT_KEYS},
};

/* Live code's drum map, from C1 on, and General MIDI's from 35 on; SL_DRUM_COUNT: none. */
enum { MAP_FIRST = 24, MAP_COUNT = 16, GM_FIRST = 35, GM_COUNT = 25, NONE = SL_DRUM_COUNT };
static const uint8_t map[MAP_COUNT] = {
    SL_DRUM_KICK,  SL_DRUM_RIM, SL_DRUM_SNARE, SL_DRUM_CLAP,     NONE, NONE,          SL_DRUM_CLOSED_HAT,
    SL_DRUM_TOM_3, NONE,        SL_DRUM_TOM_2, SL_DRUM_OPEN_HAT, NONE, SL_DRUM_TOM_1, SL_DRUM_CRASH,
    NONE,          SL_DRUM_RIDE};
static const uint8_t general_midi[GM_COUNT] = {SL_DRUM_KICK,  SL_DRUM_KICK,
                                               SL_DRUM_RIM,   SL_DRUM_SNARE,
                                               SL_DRUM_CLAP,  SL_DRUM_SNARE,
                                               SL_DRUM_TOM_3, SL_DRUM_CLOSED_HAT,
                                               SL_DRUM_TOM_3, SL_DRUM_CLOSED_HAT,
                                               SL_DRUM_TOM_3, SL_DRUM_OPEN_HAT,
                                               SL_DRUM_TOM_2, SL_DRUM_TOM_2,
                                               SL_DRUM_CRASH, SL_DRUM_TOM_1,
                                               SL_DRUM_RIDE,  SL_DRUM_CRASH,
                                               SL_DRUM_RIDE,  NONE,
                                               SL_DRUM_CRASH, NONE,
                                               SL_DRUM_CRASH, NONE,
                                               SL_DRUM_RIDE};
static const char *const drum_names[SL_DRUM_COUNT] = {"kick", "snare", "hat", "openhat", "clap",  "tom1",
                                                      "tom2", "tom3",  "rim", "ride",    "crash", "beep"};

const sl_parameter *sl_parameter_at(uint32_t index)
{
    return &parameters[index];
}

static bool is_name(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

uint32_t sl_parameter_find(const char *id, size_t length)
{
    uint32_t index = 0;
    while (index < SL_PARAMETER_COUNT && !is_name(parameters[index].id, id, length)) index++;
    return index;
}

uint32_t sl_parameter_of_instrument(sl_instrument instrument)
{
    return (uint32_t)instrument * SL_PARAM_COUNT;
}

float sl_parameter_clamp(const sl_parameter *parameter, double value)
{
    if (value >= (double)parameter->max) return parameter->max;
    if (value <= (double)parameter->min) return parameter->min;
    return value > (double)parameter->min ? (float)value : parameter->initial; /* the latter: NaN */
}

const char *sl_instrument_name(sl_instrument instrument)
{
    return instrument_names[instrument];
}

const char *sl_effect_kind_name(sl_effect_kind kind)
{
    return effect_names[kind];
}

bool sl_instrument_by_name(const char *name, size_t length, sl_instrument *out)
{
    *out = SL_INSTRUMENT_KEYS;
    for (uint32_t i = 0; i < SL_INSTRUMENT_COUNT; i++) {
        if (!is_name(instrument_names[i], name, length)) continue;
        *out = (sl_instrument)i;
        return true;
    }
    if (!is_name("drums", name, length) && !sl_instrument_is_gm(name, length)) return false;
    *out = SL_INSTRUMENT_KIT;
    return true;
}

bool sl_instrument_is_gm(const char *name, size_t length)
{
    return is_name("gm", name, length);
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool has_word(const char *text, size_t length, const char *word)
{
    const size_t wanted = strlen(word);
    for (size_t at = 0; at + wanted <= length; at++) {
        size_t same = 0;
        while (same < wanted && lower(text[at + same]) == word[same]) same++;
        if (same == wanted) return true;
    }
    return false;
}

sl_instrument sl_instrument_by_track(const char *name, size_t length, uint8_t channel)
{
    if (channel == 10) return SL_INSTRUMENT_KIT;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (has_word(name, length, words[i].word)) return (sl_instrument)words[i].instrument;
    return SL_INSTRUMENT_KEYS;
}

bool sl_effect_kind_by_name(const char *name, size_t length, sl_effect_kind *out)
{
    for (uint32_t i = 0; i < SL_EFFECT_KIND_COUNT; i++) {
        if (!is_name(effect_names[i], name, length)) continue;
        *out = (sl_effect_kind)i;
        return true;
    }
    return false;
}

uint32_t sl_effect_kind_params(sl_effect_kind kind, uint32_t *count)
{
    *count = effect_params[kind].count;
    return effect_params[kind].first;
}

sl_drum sl_drum_of_pitch(uint8_t pitch, bool is_gm)
{
    uint8_t drum = NONE;
    if (!is_gm && pitch >= MAP_FIRST && pitch < MAP_FIRST + MAP_COUNT) drum = map[pitch - MAP_FIRST];
    if (drum == NONE && pitch >= GM_FIRST && pitch < GM_FIRST + GM_COUNT) drum = general_midi[pitch - GM_FIRST];
    if (drum == NONE && pitch >= MAP_FIRST && pitch < GM_FIRST) drum = map[pitch - MAP_FIRST];
    return drum == NONE ? SL_DRUM_BEEP : (sl_drum)drum;
}

const char *sl_drum_name(sl_drum drum)
{
    return drum_names[drum];
}
