/* The mixer, read from the state. */
#include "core/mixer.h"

#include "core/audio_math.h"
#include "core/parameters.h"
#include "core/schedule.h"
#include "core/tree.h"

#include <string.h>

#define VOLUME_UNITY 0.85

void sl_mixer_begin(sl_mixer *out)
{
    out->count = 0;
    out->has_solo = false;
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++) out->parameters[i] = sl_parameter_at(i)->initial;
}

float sl_mixer_gain_of_volume(double volume)
{
    if (!(volume > 0)) return 0;
    const double db = volume >= 0.4 ? (volume < 1 ? volume - VOLUME_UNITY : 0.15) * 40 : -18 - (0.4 - volume) * 130;
    const float gain = sl_gain_of_db((float)db);
    return volume < 0.02 ? gain * (float)(volume / 0.02) : gain;
}

static double number_of(const sl_node *node, sl_attribute attribute, double otherwise)
{
    const sl_value value = sl_node_value(node, attribute);
    if (value.type == SL_VALUE_FLOAT) return value.as.number;
    return value.type == SL_VALUE_INT ? (double)value.as.integer : otherwise;
}

static bool is_true(const sl_node *node, sl_attribute attribute)
{
    const sl_value value = sl_node_value(node, attribute);
    return value.type == SL_VALUE_BOOL && value.as.integer != 0;
}

/* False: it is as a track is made. */
static bool read_mix(const sl_node *track, sl_renderer_mix *mix)
{
    const double volume = number_of(track, SL_ATTRIBUTE_VOLUME, VOLUME_UNITY);
    const double pan = number_of(track, SL_ATTRIBUTE_PAN, 0);
    *mix = (sl_renderer_mix){
        .gain = sl_mixer_gain_of_volume(volume),
        .pan = sl_clamp((float)pan, -1, 1),
        .is_muted = is_true(track, SL_ATTRIBUTE_IS_MUTED),
        .is_soloed = is_true(track, SL_ATTRIBUTE_IS_SOLOED),
    };
    return volume < VOLUME_UNITY || volume > VOLUME_UNITY || mix->pan < 0 || mix->pan > 0 || mix->is_muted ||
           mix->is_soloed;
}

/* The project's track `index` is not the first of that name. */
static bool is_again(const sl_node *project, uint32_t index, sl_value name)
{
    for (uint32_t i = 0; i < index; i++) {
        const sl_value other = sl_node_value(sl_node_child(project, SL_NODE_TRACK, i), SL_ATTRIBUTE_NAME);
        if (other.type == SL_VALUE_TEXT && other.length == name.length &&
            memcmp(other.as.text, name.as.text, name.length) == 0)
            return true;
    }
    return false;
}

static void read_track(const sl_state *state, const sl_node *project, uint32_t index, sl_mixer *out)
{
    sl_renderer_mix mix;
    const sl_node *track = sl_node_child(project, SL_NODE_TRACK, index);
    const sl_value name = sl_node_value(track, SL_ATTRIBUTE_NAME);
    if (name.type != SL_VALUE_TEXT || !read_mix(track, &mix)) return;
    if (out->count == SL_MIXER_TRACKS_MAX || is_again(project, index, name)) return;
    const sl_digest digest = sl_digest_bytes(name.as.text, name.length);
    const sl_schedule *schedule = sl_state_schedule(state);
    mix.is_soloed = mix.is_soloed && schedule != NULL && sl_schedule_has_track(schedule, name.as.text, name.length, 0);
    out->has_solo = out->has_solo || mix.is_soloed;
    out->tracks[out->count++] = (sl_mixer_track){.name = digest, .mix = mix};
}

void sl_mixer_read(const sl_state *state, sl_mixer *out)
{
    sl_mixer_begin(out);
    const sl_node *project = sl_tree_project(sl_state_tree_view(state));
    const uint32_t count = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t i = 0; i < count; i++) read_track(state, project, i, out);
    const sl_parameter_value *value;
    for (size_t i = 0; (value = sl_state_parameter_at(state, i)) != NULL; i++)
        if (value->index < SL_PARAMETER_COUNT) out->parameters[value->index] = (float)value->value;
}

static bool is_same_mix(const sl_renderer_mix *a, const sl_renderer_mix *b)
{
    return sl_bits_of_float(a->gain) == sl_bits_of_float(b->gain) &&
           sl_bits_of_float(a->pan) == sl_bits_of_float(b->pan) && a->is_muted == b->is_muted &&
           a->is_soloed == b->is_soloed;
}

bool sl_mixer_equal(const sl_mixer *a, const sl_mixer *b)
{
    if (a->count != b->count || a->has_solo != b->has_solo) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!sl_digest_equal(a->tracks[i].name, b->tracks[i].name) ||
            !is_same_mix(&a->tracks[i].mix, &b->tracks[i].mix))
            return false;
    }
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++) {
        if (sl_bits_of_float(a->parameters[i]) != sl_bits_of_float(b->parameters[i])) return false;
    }
    return true;
}

sl_renderer_mix sl_mixer_find(const sl_mixer *mixer, sl_digest name)
{
    sl_renderer_mix mix = {.gain = 1};
    for (uint32_t i = 0; i < mixer->count; i++) {
        if (!sl_digest_equal(mixer->tracks[i].name, name)) continue;
        mix = mixer->tracks[i].mix;
        break;
    }
    mix.is_muted = mix.is_muted || (mixer->has_solo && !mix.is_soloed);
    mix.is_soloed = false; /* it is in is_muted */
    return mix;
}
