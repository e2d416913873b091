/* Notes: which voice one takes, how it starts and ends. */
#include "core/renderer_internal.h"

#include <assert.h>

#define PANIC_S 0.01F
#define RETRIGGER_S 0.03F

/* So that all are about as loud, and a chord stays below the limiter's knee (tests/loudness.py measures). */
static const float instrument_gains[SL_INSTRUMENT_COUNT] = {
    [SL_INSTRUMENT_BASS] = 0.56F, [SL_INSTRUMENT_LEAD] = 0.38F,  [SL_INSTRUMENT_PAD] = 0.21F,
    [SL_INSTRUMENT_KEYS] = 0.26F, [SL_INSTRUMENT_PLUCK] = 0.75F, [SL_INSTRUMENT_KIT] = 0.56F,
};

static uint32_t choose(const sl_renderer *renderer);
static void choke(sl_renderer *renderer, const sl_sounding *voice);
static void begin(sl_renderer *renderer, uint32_t index);
static void count_released(sl_renderer *renderer, sl_sounding *voice);

void sl_renderer_start(sl_renderer *renderer, uint32_t track_index, sl_renderer_note note, uint8_t pitch,
                       uint8_t velocity)
{
    assert(track_index < TRACKS);
    sl_track *track = &renderer->tracks[track_index];
    const sl_patch *patch = &track->patches[track->patch];
    sl_sounding voice = {.is_active = 1,
                         .track = track_index,
                         .patch = track->patch,
                         .instrument = patch->instrument,
                         .pitch = pitch > 127 ? 127 : pitch,
                         .id_voice = note.voice,
                         .id_ordinal = note.ordinal,
                         .order = ++renderer->order,
                         .pan_left = 1,
                         .pan_right = 1};
    const float strength = (float)(velocity > 127 ? 127 : velocity) * (1.0F / 127);
    const float amount = patch->params[SL_PARAM_VELOCITY].target;
    voice.velocity = 1 - amount + amount * strength;
    voice.loudness = 1 - amount + amount * (0.3F * strength + 0.7F * strength * strength);
    voice.loudness = voice.loudness * instrument_gains[voice.instrument];
    voice.noise = (uint32_t)voice.order * 2654435761U + voice.pitch;
    if (voice.instrument == SL_INSTRUMENT_KIT) {
        voice.drum = sl_drum_of_pitch((uint8_t)voice.pitch, patch->params[SL_PARAM_VIBRATO].target >= 0.5F);
        choke(renderer, &voice);
    }
    const uint32_t index = choose(renderer);
    if (renderer->voices[index].is_active != 0) sl_sounding_cut(renderer, index);
    renderer->voices[index] = voice;
    track->used = voice.order;
    track->is_awake = 1;
    begin(renderer, index);
}

/* A free voice; else the one released first; else the quietest, of those the oldest. */
static uint32_t choose(const sl_renderer *renderer)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < VOICES; i++) {
        const sl_sounding *voice = &renderer->voices[i], *other = &renderer->voices[best];
        if (voice->is_active == 0) return i;
        if (voice->is_released != other->is_released) {
            if (voice->is_released != 0) best = i;
        } else if (voice->is_released != 0) {
            if (voice->released < other->released) best = i;
        } else if (voice->level < other->level || (voice->level <= other->level && voice->order < other->order)) {
            best = i;
        }
    }
    return best;
}

static void choke(sl_renderer *renderer, const sl_sounding *voice)
{
    for (uint32_t i = 0; i < VOICES; i++) {
        const sl_sounding *other = &renderer->voices[i];
        if (other->is_active == 0 || other->instrument != SL_INSTRUMENT_KIT || other->track != voice->track) continue;
        if (!sl_drum_ends((sl_drum)voice->drum, (sl_drum)other->drum) || other->stage >= STAGE_RELEASE) continue;
        const sl_patch *patch = &renderer->tracks[other->track].patches[other->patch];
        const bool is_same = voice->drum == other->drum;
        sl_sounding_release(renderer, i, is_same ? RETRIGGER_S : patch->params[SL_PARAM_RELEASE].target);
    }
}

/* The first step of a voice, which may be a part of one. */
static void begin(sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    const uint32_t offset = (uint32_t)(renderer->frame % STEP);
    for (uint32_t i = 0; i < LANE_FIELDS; i++) renderer->lanes.field[i][index] = 0;
    /* High notes decay sooner; an octave takes a third off. */
    const float height = ((float)(int32_t)voice->pitch - 60) * (1.0F / 12);
    const bool is_struck = voice->instrument == SL_INSTRUMENT_KEYS || voice->instrument == SL_INSTRUMENT_PLUCK;
    const float shorter = is_struck ? sl_exp2(-0.6F * height) : 1;
    const float attack_frames = params[SL_PARAM_ATTACK].target * (float)renderer->rate;
    voice->attack_rate = attack_frames > (float)STEP ? (float)STEP / attack_frames : 1;
    voice->decay_loss = sl_loss_of(renderer, 6.64F, params[SL_PARAM_DECAY].target * shorter);
    voice->sweep_loss = sl_loss_of(renderer, 4, params[SL_PARAM_SWEEP].target * shorter);
    if (voice->instrument == SL_INSTRUMENT_KIT)
        sl_drum_begin(renderer, index);
    else
        sl_voice_begin(renderer, index);
    sl_voice_filter(renderer, index);
    sl_voice_amp(renderer, index, STEP); /* from nothing, but for drums: they are there at once */
    renderer->lanes.field[LANE_AMP][index] = renderer->lanes.field[LANE_AMP_NEXT][index];
    renderer->lanes.field[LANE_AMP_STEP][index] = 0;
    if (offset == 0) return; /* the step that begins now does the rest */
    sl_voice_envelope(voice, params[SL_PARAM_SUSTAIN].value, (float)(int32_t)(STEP - offset) * STEP_SHARE);
    sl_voice_amp(renderer, index, STEP - offset);
}

void sl_renderer_end(sl_renderer *renderer, sl_renderer_note note)
{
    for (uint32_t i = 0; i < VOICES; i++) {
        sl_sounding *voice = &renderer->voices[i];
        if (voice->is_active == 0 || voice->is_released != 0) continue;
        if (voice->id_voice != note.voice || voice->id_ordinal != note.ordinal) continue;
        const sl_patch *patch = &renderer->tracks[voice->track].patches[voice->patch];
        if (voice->instrument == SL_INSTRUMENT_KIT)
            count_released(renderer, voice); /* and plays to its end */
        else
            sl_sounding_release(renderer, i, patch->params[SL_PARAM_RELEASE].target);
    }
}

static void count_released(sl_renderer *renderer, sl_sounding *voice)
{
    if (voice->is_released == 0) voice->released = ++renderer->order;
    voice->is_released = 1;
}

/* From now on it falls by 60 dB in `release_s`. */
void sl_sounding_release(sl_renderer *renderer, uint32_t index, float release_s)
{
    sl_sounding *voice = &renderer->voices[index];
    count_released(renderer, voice);
    const uint32_t offset = (uint32_t)(renderer->frame % STEP);
    voice->release_loss = sl_loss_of(renderer, 9.97F, release_s);
    voice->stage = STAGE_RELEASE;
    if (offset == 0) return;
    float *amp = &renderer->lanes.field[LANE_AMP][index];
    const sl_ramp *params = renderer->tracks[voice->track].patches[voice->patch].params;
    const float full = voice->loudness * sl_gain_of_db(params[SL_PARAM_LEVEL].value);
    voice->level = sl_clamp(*amp / full, 0, 1);
    sl_voice_envelope(voice, 0, (float)(int32_t)(STEP - offset) * STEP_SHARE);
    sl_voice_amp(renderer, index, STEP - offset);
}

/* Ends a voice at once; what its last sample was dies away on its track. */
void sl_sounding_cut(sl_renderer *renderer, uint32_t index)
{
    sl_sounding *voice = &renderer->voices[index];
    sl_track *track = &renderer->tracks[voice->track];
    const float last = renderer->lanes.field[LANE_LAST][index];
    track->rest_left += last * voice->pan_left;
    track->rest_right += last * voice->pan_right;
    voice->is_active = 0;
}

void sl_renderer_panic(sl_renderer *renderer)
{
    for (uint32_t i = 0; i < VOICES; i++)
        if (renderer->voices[i].is_active != 0) sl_sounding_release(renderer, i, PANIC_S);
    for (uint32_t i = 0; i < TRACKS; i++) sl_space_leave(renderer, &renderer->tracks[i]);
}

uint32_t sl_renderer_voice_count(const sl_renderer *renderer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < VOICES; i++) count += renderer->voices[i].is_active;
    return count;
}
