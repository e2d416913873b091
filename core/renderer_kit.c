/*
 * The drum kit, synthesised. Each drum is a body (two sines whose pitch falls), noise and metal (six squares) through a
 * filter of its own, and a click.
 */
#include "core/renderer_internal.h"

#define OVER_BELOW 3e-5F
#define BURST_S 0.0105F

enum {
    BODY = 0, /* envelopes and losses */
    DROP = 1,
    NOISE = 2,
    CLICK = 3,
    METAL_FIRST = 2, /* phases, after the body's two */
    METAL_COUNT = 6
};

typedef enum pass { PASS_LOW, PASS_BAND, PASS_HIGH } pass;

typedef struct drum {
    float hz;   /* of the body, when it has fallen */
    float drop; /* how much higher it begins: times hz */
    float drop_s;
    float body; /* levels, and how long they take to fall by 60 dB */
    float body_s;
    float second; /* of the second sine, which is `ratio` higher */
    float ratio;
    float noise;
    float metal;
    float noise_s;
    float click;
    float click_s;
    float cutoff;
    float k; /* how broad: small is narrow */
    float pan;
    uint8_t pass;
    uint8_t bursts;
} drum;

static const drum drums[SL_DRUM_COUNT] = {
    [SL_DRUM_KICK] = {.hz = 49,
                      .drop = 4.5F,
                      .drop_s = 0.11F,
                      .body = 1.25F,
                      .body_s = 0.62F,
                      .noise = 0.25F,
                      .noise_s = 0.02F,
                      .click = 0.22F,
                      .click_s = 0.008F,
                      .pass = PASS_LOW,
                      .cutoff = 3800,
                      .k = 1},
    [SL_DRUM_SNARE] = {.hz = 182,
                       .drop = 0.55F,
                       .drop_s = 0.06F,
                       .body = 0.62F,
                       .body_s = 0.2F,
                       .second = 0.55F,
                       .ratio = 1.81F,
                       .noise = 0.85F,
                       .noise_s = 0.28F,
                       .click = 0.35F,
                       .click_s = 0.01F,
                       .pass = PASS_HIGH,
                       .cutoff = 1500,
                       .k = 0.9F},
    [SL_DRUM_CLOSED_HAT] = {.noise = 0.65F,
                            .metal = 1.05F,
                            .noise_s = 0.085F,
                            .click = 0.05F,
                            .click_s = 0.004F,
                            .pass = PASS_HIGH,
                            .cutoff = 7600,
                            .k = 0.8F,
                            .pan = 0.25F},
    [SL_DRUM_OPEN_HAT] = {.noise = 0.65F,
                          .metal = 1.05F,
                          .noise_s = 0.62F,
                          .click = 0.05F,
                          .click_s = 0.004F,
                          .pass = PASS_HIGH,
                          .cutoff = 7200,
                          .k = 0.8F,
                          .pan = 0.25F},
    [SL_DRUM_CLAP] =
        {.noise = 2.6F, .noise_s = 0.3F, .pass = PASS_BAND, .cutoff = 1250, .k = 0.75F, .bursts = 3, .pan = -0.1F},
    [SL_DRUM_TOM_1] = {.hz = 196,
                       .drop = 0.75F,
                       .drop_s = 0.16F,
                       .body = 0.95F,
                       .body_s = 0.5F,
                       .second = 0.22F,
                       .ratio = 1.59F,
                       .noise = 0.16F,
                       .noise_s = 0.09F,
                       .click = 0.12F,
                       .click_s = 0.006F,
                       .pass = PASS_LOW,
                       .cutoff = 3000,
                       .k = 1,
                       .pan = -0.35F},
    [SL_DRUM_TOM_2] = {.hz = 138,
                       .drop = 0.75F,
                       .drop_s = 0.19F,
                       .body = 1,
                       .body_s = 0.6F,
                       .second = 0.22F,
                       .ratio = 1.59F,
                       .noise = 0.16F,
                       .noise_s = 0.09F,
                       .click = 0.12F,
                       .click_s = 0.006F,
                       .pass = PASS_LOW,
                       .cutoff = 2600,
                       .k = 1},
    [SL_DRUM_TOM_3] = {.hz = 92,
                       .drop = 0.8F,
                       .drop_s = 0.22F,
                       .body = 1.1F,
                       .body_s = 0.75F,
                       .second = 0.2F,
                       .ratio = 1.59F,
                       .noise = 0.16F,
                       .noise_s = 0.1F,
                       .click = 0.12F,
                       .click_s = 0.006F,
                       .pass = PASS_LOW,
                       .cutoff = 2200,
                       .k = 1,
                       .pan = 0.35F},
    [SL_DRUM_RIM] = {.hz = 480,
                     .drop = 0.1F,
                     .drop_s = 0.01F,
                     .body = 0.6F,
                     .body_s = 0.06F,
                     .second = 1,
                     .ratio = 3.55F,
                     .noise = 0.7F,
                     .noise_s = 0.03F,
                     .click = 0.5F,
                     .click_s = 0.005F,
                     .pass = PASS_BAND,
                     .cutoff = 2600,
                     .k = 0.6F,
                     .pan = 0.2F},
    [SL_DRUM_RIDE] = {.hz = 3130,
                      .body = 0.1F,
                      .body_s = 1.2F,
                      .second = 0.6F,
                      .ratio = 1.49F,
                      .noise = 0.1F,
                      .metal = 0.42F,
                      .noise_s = 2.6F,
                      .click = 0.22F,
                      .click_s = 0.012F,
                      .pass = PASS_HIGH,
                      .cutoff = 5200,
                      .k = 0.9F,
                      .pan = -0.4F},
    [SL_DRUM_CRASH] = {.noise = 0.62F,
                       .metal = 0.5F,
                       .noise_s = 2.4F,
                       .click = 0.5F,
                       .click_s = 0.06F,
                       .pass = PASS_HIGH,
                       .cutoff = 3400,
                       .k = 0.9F,
                       .pan = 0.45F},
    [SL_DRUM_BEEP] = {.hz = 1000,
                      .body = 0.6F,
                      .body_s = 0.13F,
                      .second = 0.25F,
                      .ratio = 2,
                      .noise_s = 0.01F,
                      .pass = PASS_LOW,
                      .cutoff = 8000,
                      .k = 1},
};

/* The squares of the metal, in Hz: no two in a simple ratio. */
static const float metal_hz[METAL_COUNT] = {317.3F, 449.7F, 562.1F, 811.9F, 1151.3F, 1399.3F};

bool sl_drum_ends(sl_drum drum, sl_drum other)
{
    if (drum == SL_DRUM_CLOSED_HAT && other == SL_DRUM_OPEN_HAT) return true;
    return drum == other && drum != SL_DRUM_CRASH && drum != SL_DRUM_RIDE;
}

bool sl_drum_is_over(const sl_sounding *voice)
{
    const float *levels = voice->envelopes;
    return levels[BODY] < OVER_BELOW && levels[NOISE] < OVER_BELOW && levels[CLICK] < OVER_BELOW;
}

void sl_drum_mixture(const sl_sounding *voice, float *hz, float *k, float mixture[3])
{
    const drum *drum = &drums[voice->drum];
    *k = drum->k;
    *hz = drum->cutoff * sl_exp2(0.8F * (voice->velocity - 0.8F));
    mixture[0] = drum->pass == PASS_HIGH ? 1 : 0;
    mixture[1] = drum->pass == PASS_HIGH ? -drum->k : drum->pass == PASS_BAND ? drum->k : 0;
    mixture[2] = drum->pass == PASS_HIGH ? -1.0F : drum->pass == PASS_LOW ? 1.0F : 0.0F;
}

void sl_drum_begin(sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    const drum *drum = &drums[voice->drum];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    const float pitch = sl_exp2(params[SL_PARAM_DETUNE].target * (1.0F / 12));
    const float longer = params[SL_PARAM_DECAY].target, snap = params[SL_PARAM_SUB].target;
    voice->level = 1;
    voice->stage = STAGE_HOLD;
    voice->steps[0] = sl_phase_step(renderer, (double)(drum->hz * pitch));
    voice->steps[1] = sl_phase_step(renderer, (double)(drum->hz * pitch * drum->ratio));
    for (uint32_t i = 0; i < METAL_COUNT; i++) {
        voice->steps[METAL_FIRST + i] = sl_phase_step(renderer, (double)(metal_hz[i] * pitch));
        voice->phases[METAL_FIRST + i] = voice->noise * (2 * i + 1);
    }
    voice->envelopes[BODY] = drum->body;
    voice->envelopes[DROP] = drum->drop * (0.5F + params[SL_PARAM_SUSTAIN].target);
    voice->envelopes[NOISE] = drum->noise > 0 || drum->metal > 0 ? snap * (0.5F + 0.5F * voice->velocity) : 0;
    voice->envelopes[CLICK] = drum->click * snap * voice->velocity;
    voice->losses[BODY] = drum->body > 0 ? sl_fall_of(renderer, drum->body_s * longer) : 0;
    voice->losses[DROP] = drum->drop > 0 ? sl_fall_of(renderer, drum->drop_s) : 0;
    voice->losses[NOISE] = sl_fall_of(renderer, drum->noise_s * longer);
    voice->losses[CLICK] = drum->click > 0 ? sl_fall_of(renderer, drum->click_s) : 0;
    voice->wave_gains[0] = snap;
    const float pan = drum->pan * params[SL_PARAM_WIDTH].target;
    voice->pan_left = pan > 0 ? 1 - pan : 1;
    voice->pan_right = pan < 0 ? 1 + pan : 1;
}

/* The clap's hands do not meet at once. */
static float burst(const sl_renderer *renderer, sl_sounding *voice, const drum *drum, float *noise)
{
    const uint32_t every = (uint32_t)(BURST_S * (float)renderer->rate);
    if (voice->line_at == UINT32_MAX) return voice->losses[NOISE];
    voice->line_at++;
    const uint32_t number = voice->line_at / every;
    if (number >= drum->bursts) {
        voice->line_at = UINT32_MAX;
        return voice->losses[NOISE];
    }
    if (voice->line_at % every == 0) *noise = voice->wave_gains[0];
    return sl_fall_of(renderer, number + 1 < drum->bursts ? 0.022F : 0.12F);
}

/* Six squares: of how many the upper half is heard. */
static void play_metal(sl_sounding *voice, uint32_t frames, float out[STEP])
{
    uint32_t high[STEP] = {0};
    for (uint32_t i = METAL_FIRST; i < METAL_FIRST + METAL_COUNT; i++) {
        const uint32_t phase = voice->phases[i], step = voice->steps[i];
        for (uint32_t j = 0; j < STEP; j++) high[j] += (phase + step * j) >> 31;
        voice->phases[i] = phase + step * frames;
    }
    for (uint32_t j = 0; j < STEP; j++)
        out[j] = ((float)(int32_t)high[j] - 0.5F * (float)METAL_COUNT) * (2 / (float)METAL_COUNT);
}

/* The four envelopes, frame by frame. */
static void play_envelopes(const sl_renderer *renderer, sl_sounding *voice, uint32_t frames, float out[4][STEP])
{
    const drum *drum = &drums[voice->drum];
    float levels[4], losses[4];
    memcpy(losses, voice->losses, sizeof losses);
    memcpy(levels, voice->envelopes, sizeof levels);
    for (uint32_t i = 0; i < frames; i++) {
        for (uint32_t j = 0; j < 4; j++) out[j][i] = levels[j];
        if (drum->bursts > 0) losses[NOISE] = burst(renderer, voice, drum, &levels[NOISE]);
        for (uint32_t j = 0; j < 4; j++) levels[j] = sl_without_tiny(levels[j] * losses[j]);
    }
    memcpy(voice->envelopes, levels, sizeof levels);
}

/* A sine whose pitch falls with the envelope `drop`; NULL: nobody hears it. */
static void play_body(const sl_wave_turn *sine, sl_sounding *voice, uint32_t number, const float drop[STEP],
                      uint32_t frames, float *out)
{
    const uint32_t step = voice->steps[number];
    const float share = (float)(int32_t)(step >> 4);
    uint32_t phases[STEP] = {0}, phase = voice->phases[number];
    for (uint32_t i = 0; i < frames; i++) {
        const float more = sl_clamp(drop[i], 0, 16) * share;
        phases[i] = step + ((uint32_t)(int32_t)sl_clamp(more, 0, 2e9F) << 4);
    }
    for (uint32_t i = 0; i < frames; i++) {
        const uint32_t next = phase + phases[i];
        phases[i] = phase;
        phase = next;
    }
    voice->phases[number] = phase;
    if (out == NULL) return;
    for (uint32_t i = 0; i < frames; i++) out[i] = sl_wave_value(sine, phases[i]);
}

void sl_drum_source(sl_renderer *renderer, uint32_t index, uint32_t frames, float source[STEP], float dry[STEP])
{
    sl_sounding *voice = &renderer->voices[index];
    const drum *drum = &drums[voice->drum];
    const sl_wave_turn *sine = &renderer->waves.sine;
    const bool has_body = voice->envelopes[BODY] > 0;
    float levels[4][STEP], noise[STEP], metal[STEP], body[STEP] = {0}, second[STEP] = {0};
    uint32_t chance = voice->noise;
    for (uint32_t i = 0; i < frames; i++) noise[i] = sl_noise(&chance);
    voice->noise = chance;
    play_envelopes(renderer, voice, frames, levels);
    play_body(sine, voice, 0, levels[DROP], frames, has_body ? body : NULL);
    play_body(sine, voice, 1, levels[DROP], frames, has_body && drum->second > 0 ? second : NULL);
    for (uint32_t i = 0; i < frames && has_body && drum->second > 0; i++) body[i] += drum->second * second[i];
    for (uint32_t i = 0; i < frames; i++) dry[i] = levels[BODY][i] * body[i] + levels[CLICK][i] * noise[i];
    for (uint32_t i = 0; i < frames; i++) source[i] = drum->noise * noise[i];
    if (drum->metal > 0) {
        play_metal(voice, frames, metal);
        for (uint32_t i = 0; i < frames; i++) source[i] += drum->metal * metal[i];
    }
    for (uint32_t i = 0; i < frames; i++) source[i] = levels[NOISE][i] * source[i];
}
