/* What voices begin as, before their filter: oscillators, frequency modulation, a plucked string. */
#include "core/note_frequency.h"
#include "core/renderer_internal.h"

#include <assert.h>

#define CENT 5.7778951e-4 /* a cent is so much more of a frequency */
#define VIBRATO_HZ 5.3
#define VIBRATO_WAIT_S 0.2F
#define VIBRATO_GROW_S 0.6F
#define TINE_HZ_MAX 9000.0

/* The oscillators of bass, lead and pad: wave, times the note's frequency, share of detune, gain (of which the sub's is
 * times the parameter). */
typedef struct oscillator {
    uint8_t wave;
    float times;
    float detune;
    float gain;
    bool is_sub;
} oscillator;

static const oscillator oscillators[3][WAVES] = {
    [SL_INSTRUMENT_BASS] = {{SL_WAVE_SAW, 1, 0, 0.6F, false},
                            {SL_WAVE_SAW, 1, 1, 0.45F, false},
                            {SL_WAVE_SQUARE, 0.5F, 0, 0.7F, true},
                            {SL_WAVE_SINE, 1, 0, 0, false}},
    [SL_INSTRUMENT_LEAD] = {{SL_WAVE_SAW, 1, 0, 0.5F, false},
                            {SL_WAVE_SAW, 1, 1, 0.4F, false},
                            {SL_WAVE_SAW, 1, -1, 0.4F, false},
                            {SL_WAVE_SQUARE, 0.5F, 0, 0.6F, true}},
    [SL_INSTRUMENT_PAD] = {{SL_WAVE_SAW, 1, 0, 0.4F, false},
                           {SL_WAVE_SAW, 1, 1, 0.38F, false},
                           {SL_WAVE_SAW, 1, -1, 0.38F, false},
                           {SL_WAVE_TRIANGLE, 0.5F, 0.4F, 0.9F, true}},
};

/* Frequency modulation of the keys: two pairs of modulator and carrier. */
enum { KEYS_BODY = 0, KEYS_BODY_FROM = 1, KEYS_TINE = 2, KEYS_TINE_FROM = 3, VIBRATO_PHASE = 7 };

static void begin_oscillators(sl_renderer *renderer, sl_sounding *voice, const sl_ramp *params);
static void begin_keys(sl_renderer *renderer, sl_sounding *voice, const sl_ramp *params);
static void tune(const sl_renderer *renderer, sl_sounding *voice, const sl_ramp *params);
static void play_waves(const sl_renderer *renderer, sl_sounding *voice, uint32_t frames, float source[STEP]);
static void play_keys(const sl_renderer *renderer, sl_sounding *voice, uint32_t frames, float source[STEP]);
static void play_string(const sl_renderer *renderer, uint32_t index, uint32_t frames, float source[STEP]);

void sl_voice_begin(sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    if (voice->instrument == SL_INSTRUMENT_PLUCK)
        sl_pluck_begin(renderer, index);
    else if (voice->instrument == SL_INSTRUMENT_KEYS)
        begin_keys(renderer, voice, params);
    else
        begin_oscillators(renderer, voice, params);
}

static void begin_oscillators(sl_renderer *renderer, sl_sounding *voice, const sl_ramp *params)
{
    const oscillator *own = oscillators[voice->instrument];
    const double hz = sl_note_frequency[voice->pitch];
    const float cents = params[SL_PARAM_DETUNE].target + params[SL_PARAM_VIBRATO].target;
    uint32_t chance = voice->noise;
    for (uint32_t i = 0; i < WAVES; i++) {
        const double highest = hz * (double)own[i].times * (1 + (double)cents * CENT);
        voice->waves[i] = sl_wave_version(highest, renderer->rate);
        voice->wave_gains[i] = own[i].gain;
        (void)sl_noise(&chance);
        /* A bass strikes the same way each time; the others drift. */
        voice->phases[i] = voice->instrument == SL_INSTRUMENT_BASS ? 0 : chance;
        voice->steps[i] = sl_phase_step(renderer, hz * (double)own[i].times);
    }
    voice->steps[VIBRATO_PHASE] = sl_phase_step(renderer, VIBRATO_HZ);
    tune(renderer, voice, params);
}

/* Detune, sub and vibrato as they are now. */
static void tune(const sl_renderer *renderer, sl_sounding *voice, const sl_ramp *params)
{
    const oscillator *own = oscillators[voice->instrument];
    const float seconds = (float)voice->age * (float)STEP / (float)renderer->rate;
    const float grown = sl_clamp((seconds - VIBRATO_WAIT_S) * (1 / VIBRATO_GROW_S), 0, 1);
    const float wave = sl_wave_value(&renderer->waves.sine, voice->phases[VIBRATO_PHASE]);
    const float vibrato = params[SL_PARAM_VIBRATO].value * grown * wave;
    const double hz = sl_note_frequency[voice->pitch];
    const float detune = params[SL_PARAM_DETUNE].value, sub = params[SL_PARAM_SUB].value;
    double heights[WAVES];
    for (uint32_t i = 0; i < WAVES; i++) {
        const float cents = vibrato + own[i].detune * detune;
        heights[i] = hz * (double)own[i].times * (1 + (double)cents * CENT);
    }
    for (uint32_t i = 0; i < WAVES; i++) voice->steps[i] = sl_phase_step(renderer, heights[i]);
    for (uint32_t i = 0; i < WAVES; i++)
        if (own[i].is_sub) voice->wave_gains[i] = own[i].gain * sub;
    voice->phases[VIBRATO_PHASE] += voice->steps[VIBRATO_PHASE] * STEP;
}

static void begin_keys(sl_renderer *renderer, sl_sounding *voice, const sl_ramp *params)
{
    const double hz = sl_note_frequency[voice->pitch];
    const float height = ((float)(int32_t)voice->pitch - 60) * (1.0F / 12), shorter = sl_exp2(-0.5F * height);
    voice->steps[KEYS_BODY] = sl_phase_step(renderer, hz);
    voice->steps[KEYS_BODY_FROM] = sl_phase_step(renderer, hz);
    voice->steps[KEYS_TINE] = sl_phase_step(renderer, hz * 1.0014);
    voice->steps[KEYS_TINE_FROM] = sl_phase_step(renderer, hz * 14);
    const float velocity = voice->velocity * voice->velocity;
    const float bright = params[SL_PARAM_SUB].target * (0.12F + 0.25F * velocity);
    const float tine = hz * 14 < TINE_HZ_MAX ? 0.11F : hz * 14 < 2 * TINE_HZ_MAX ? 0.04F : 0;
    voice->envelopes[0] = bright * sl_clamp(1.2F - 0.2F * height, 0.15F, 1.6F); /* turns */
    voice->envelopes[1] = bright * 0.3F * sl_clamp(1.2F - 0.2F * height, 0.15F, 1.6F);
    voice->envelopes[2] = tine * params[SL_PARAM_DETUNE].target * velocity;
    voice->losses[0] = sl_fall_of(renderer, 1.1F * shorter);
    voice->losses[1] = sl_fall_of(renderer, 8);
    voice->losses[2] = sl_fall_of(renderer, 0.5F * shorter);
}

void sl_voice_source(sl_renderer *renderer, uint32_t index, uint32_t frames, float source[STEP], float dry[STEP])
{
    sl_sounding *voice = &renderer->voices[index];
    const sl_track *track = &renderer->tracks[voice->track];
    const sl_patch *patch = &track->patches[voice->patch];
    const bool is_step = renderer->frame % STEP == 0 && voice->age > 0;
    switch ((sl_instrument)voice->instrument) {
    case SL_INSTRUMENT_BASS:
    case SL_INSTRUMENT_LEAD:
    case SL_INSTRUMENT_PAD:
        if (is_step && (track->moving > 0 || patch->params[SL_PARAM_VIBRATO].value > 0))
            tune(renderer, voice, patch->params);
        play_waves(renderer, voice, frames, source);
        return;
    case SL_INSTRUMENT_KEYS:
        for (uint32_t i = 0; i < 3 && is_step; i++) voice->envelopes[i] = sl_without_tiny(voice->envelopes[i]);
        play_keys(renderer, voice, frames, source);
        return;
    case SL_INSTRUMENT_PLUCK: play_string(renderer, index, frames, source); return;
    case SL_INSTRUMENT_KIT: sl_drum_source(renderer, index, frames, source, dry); return;
    case SL_INSTRUMENT_COUNT: break;
    }
    assert(false);
}

/* Eight values of a wave, from frame i of a step on. */
static inline void read_wave(const sl_wave_turn *turn, uint32_t phase, uint32_t step, uint32_t i, sl_eight *value)
{
    const sl_eight_phases phases = (sl_eight_phases){0, 1, 2, 3, 4, 5, 6, 7} * step + (phase + step * i);
    uint32_t at[8];
    for (uint32_t j = 0; j < 8; j++) at[j] = phase + step * (i + j);
    sl_wave_eight(turn, at, &phases, value);
}

/* Adds a whole step of a wave; who wants less of it takes less. */
static void add_wave(const sl_wave_turn *restrict turn, uint32_t phase, uint32_t step, float gain,
                     float source[restrict STEP])
{
    for (uint32_t i = 0; i < STEP; i += 8) {
        sl_eight value, sum;
        read_wave(turn, phase, step, i, &value);
        sl_eight_load(&sum, source + i);
        sum += gain * value;
        sl_eight_store(source + i, &sum);
    }
}

static void play_waves(const sl_renderer *renderer, sl_sounding *voice, uint32_t frames, float source[STEP])
{
    const oscillator *own = oscillators[voice->instrument];
    memset(source, 0, STEP * sizeof source[0]);
    for (uint32_t wave = 0; wave < WAVES; wave++) {
        const float gain = voice->wave_gains[wave];
        const uint32_t step = voice->steps[wave], phase = voice->phases[wave];
        voice->phases[wave] = phase + step * frames;
        if (!(gain > 0)) continue;
        add_wave(sl_wave_at(&renderer->waves, (sl_wave)own[wave].wave, voice->waves[wave]), phase, step, gain, source);
    }
}

/* Turns, at most 1.9, as a phase. */
static inline uint32_t phase_of(float turns)
{
    return (uint32_t)(int32_t)(sl_clamp(turns, -1.9F, 1.9F) * 1073741824.0F) << 2;
}

/* A whole step of modulator and carrier: bend[i] turns. */
static void add_pair(const sl_wave_turn *restrict sine, const uint32_t phases[2], const uint32_t steps[2],
                     const float bend[restrict STEP], float gain, float source[restrict STEP])
{
    float swing[STEP];
    uint32_t bent[STEP];
    for (uint32_t i = 0; i < STEP; i += 8) {
        sl_eight value;
        read_wave(sine, phases[1], steps[1], i, &value);
        sl_eight_store(swing + i, &value);
    }
    for (uint32_t i = 0; i < STEP; i++) bent[i] = phase_of(bend[i] * swing[i]) + steps[0] * i + phases[0];
    for (uint32_t i = 0; i < STEP; i += 8) {
        sl_eight_phases eight;
        sl_eight value, sum;
        memcpy(&eight, bent + i, sizeof eight);
        sl_wave_eight(sine, bent + i, &eight, &value);
        sl_eight_load(&sum, source + i);
        sum += gain * value;
        sl_eight_store(source + i, &sum);
    }
}

static void play_keys(const sl_renderer *renderer, sl_sounding *voice, uint32_t frames, float source[STEP])
{
    const sl_wave_turn *sine = &renderer->waves.sine;
    float bend[2][STEP] = {{0}}, levels[3], losses[3];
    memcpy(levels, voice->envelopes, sizeof levels);
    memcpy(losses, voice->losses, sizeof losses);
    for (uint32_t i = 0; i < frames; i++) {
        bend[0][i] = levels[0] + levels[1];
        bend[1][i] = levels[2];
        for (uint32_t j = 0; j < 3; j++) levels[j] = levels[j] * losses[j];
    }
    memcpy(voice->envelopes, levels, sizeof levels);
    memset(source, 0, STEP * sizeof source[0]);
    add_pair(sine, voice->phases + KEYS_BODY, voice->steps + KEYS_BODY, bend[0], 0.75F, source);
    add_pair(sine, voice->phases + KEYS_TINE, voice->steps + KEYS_TINE, bend[1], 0.45F, source);
    for (uint32_t j = 0; j < 4; j++) voice->phases[j] += voice->steps[j] * frames;
}

/* The string (K. Karplus, A. Strong: Digital Synthesis of Plucked String and Drum Timbres, 1983): a line as long as a
 * turn, filled with noise, that loses a little of itself, the high parts first, each time round. */
enum { STRING_LOSS = 0, STRING_DAMPING = 1, STRING_TUNING = 2, STRING_BEFORE = 3, STRING_IN = 4, STRING_OUT = 5 };

void sl_pluck_begin(sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    const float height = ((float)(int32_t)voice->pitch - 60) * (1.0F / 12);
    double period = (double)renderer->rate / sl_note_frequency[voice->pitch];
    while (period > (double)renderer->string_frames - 8) period *= 0.5; /* an octave up */
    const float damping = 0.08F + 0.42F * params[SL_PARAM_DETUNE].target * params[SL_PARAM_DETUNE].target;
    const float seconds = params[SL_PARAM_DECAY].target * sl_exp2(-0.5F * height);
    const double whole = period - (double)damping - 0.2;
    voice->line_back = (uint32_t)whole;
    voice->line_at = 0;
    const float rest = (float)(period - (double)damping - (double)voice->line_back);
    voice->string[STRING_TUNING] = (1 - rest) / (1 + rest);
    voice->string[STRING_DAMPING] = damping;
    voice->string[STRING_LOSS] =
        sl_exp2(-9.96578428F * (float)period / (sl_clamp(seconds, 0.02F, 60) * (float)renderer->rate));
    voice->decay_loss = 0; /* the string decays by itself */

    float *line = renderer->strings + (size_t)index * renderer->string_frames;
    memset(line, 0, renderer->string_frames * sizeof *line);
    const uint32_t length = voice->line_back;
    const float soft = 0.15F + 0.75F * voice->velocity;
    uint32_t chance = voice->noise;
    float value = 0, largest = 0;
    float *burst = line + renderer->string_frames - length; /* what comes before line_at */
    for (uint32_t i = 0; i < length; i++) {
        value += soft * (sl_noise(&chance) - value);
        burst[i] = value;
    }
    /* Where it is plucked, it cannot swing with a node. */
    const uint32_t comb = (uint32_t)(params[SL_PARAM_SUB].target * (float)length);
    for (uint32_t i = length; i-- > comb && comb > 0;) burst[i] -= 0.8F * burst[i - comb];
    float mean = 0;
    for (uint32_t i = 0; i < length; i++) mean += burst[i];
    mean = mean / (float)length;
    for (uint32_t i = 0; i < length; i++) {
        burst[i] -= mean;
        if (sl_abs(burst[i]) > largest) largest = sl_abs(burst[i]);
    }
    for (uint32_t i = 0; i < length && largest > 0; i++) burst[i] = burst[i] / largest;
}

static void play_string(const sl_renderer *renderer, uint32_t index, uint32_t frames, float source[STEP])
{
    sl_sounding *voice = (sl_sounding *)&renderer->voices[index];
    float *line = renderer->strings + (size_t)index * renderer->string_frames;
    const uint32_t mask = renderer->string_frames - 1, back = voice->line_back;
    const float loss = voice->string[STRING_LOSS], damping = voice->string[STRING_DAMPING];
    const float tuning = voice->string[STRING_TUNING];
    float before = voice->string[STRING_BEFORE], in = voice->string[STRING_IN], out = voice->string[STRING_OUT];
    uint32_t at = voice->line_at;
    for (uint32_t i = 0; i < frames; i++) {
        const float value = line[(at - back) & mask];
        const float damped = value + damping * (before - value);
        out = sl_without_tiny(tuning * (damped - out) + in);
        in = damped;
        before = value;
        line[at] = sl_without_tiny(loss * out);
        at = (at + 1) & mask;
        source[i] = value;
    }
    voice->line_at = at;
    voice->string[STRING_BEFORE] = before;
    voice->string[STRING_IN] = in;
    voice->string[STRING_OUT] = out;
}
