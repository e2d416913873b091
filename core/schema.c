/* The tables of the tree: node types, attributes, children. */
#include "core/schema.h"

#include <assert.h>
#include <string.h>

typedef struct attribute_row {
    const char *name;
    sl_value_type type;
} attribute_row;

static const attribute_row attributes[SL_ATTRIBUTE_COUNT] = {
    [SL_ATTRIBUTE_NAME] = {"name", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_INDEX] = {"index", SL_VALUE_INT},
    [SL_ATTRIBUTE_TRACK_INDEX] = {"track_index", SL_VALUE_INT},
    [SL_ATTRIBUTE_SCENE_INDEX] = {"scene_index", SL_VALUE_INT},
    [SL_ATTRIBUTE_VERSION] = {"version", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_CREATOR] = {"creator", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_TEMPO] = {"tempo", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_TIME_SIGNATURE] = {"time_signature", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_IS_PLAYING] = {"is_playing", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_POSITION] = {"position", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_IS_STALE] = {"is_stale", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_STALE_REASON] = {"stale_reason", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_COLOR] = {"color", SL_VALUE_INT},
    [SL_ATTRIBUTE_TYPE] = {"type", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_IS_MUTED] = {"is_muted", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_IS_SOLOED] = {"is_soloed", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_IS_ARMED] = {"is_armed", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_IS_FROZEN] = {"is_frozen", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_VOLUME] = {"volume", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_PAN] = {"pan", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_DEVICE_TYPE] = {"device_type", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_IS_ENABLED] = {"is_enabled", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_PLUGIN_INFO] = {"plugin_info", SL_VALUE_JSON},
    [SL_ATTRIBUTE_VALUE] = {"value", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_MIN] = {"min", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_MAX] = {"max", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_IS_AUTOMATED] = {"is_automated", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_HAS_CLIP] = {"has_clip", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_HAS_STOP_BUTTON] = {"has_stop_button", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_PLAYING_STATUS] = {"playing_status", SL_VALUE_INT},
    [SL_ATTRIBUTE_IS_TRIGGERED] = {"is_triggered", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_CLIP_TYPE] = {"clip_type", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_START_TIME] = {"start_time", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_END_TIME] = {"end_time", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_LOOP_START] = {"loop_start", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_LOOP_END] = {"loop_end", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_IS_LOOPED] = {"is_looped", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_VIEW] = {"view", SL_VALUE_JSON},
    [SL_ATTRIBUTE_NOTE_COUNT] = {"note_count", SL_VALUE_INT},
    [SL_ATTRIBUTE_SAMPLE_NAME] = {"sample_name", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_IS_WARPED] = {"is_warped", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_WARP_MODE] = {"warp_mode", SL_VALUE_INT},
    [SL_ATTRIBUTE_CROSSFADER] = {"crossfader", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_SENDS] = {"sends", SL_VALUE_JSON},
    [SL_ATTRIBUTE_IS_TEMPO_ENABLED] = {"is_tempo_enabled", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_TIME_SIGNATURE_ID] = {"time_signature_id", SL_VALUE_INT},
    [SL_ATTRIBUTE_IS_TIME_SIGNATURE_ENABLED] = {"is_time_signature_enabled", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_ANNOTATION] = {"annotation", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_PATH] = {"path", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_HASH] = {"hash", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_REF_TYPE] = {"ref_type", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_TARGET] = {"target", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_POINT_COUNT] = {"point_count", SL_VALUE_INT},
    [SL_ATTRIBUTE_BPM] = {"bpm", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_RUNNING] = {"running", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_SET_LIST] = {"set_list", SL_VALUE_INT},
    [SL_ATTRIBUTE_ITEM] = {"item", SL_VALUE_INT},
    [SL_ATTRIBUTE_PATCH] = {"patch", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_DEVICE_ID] = {"device_id", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_SOUND] = {"sound", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_GROUPS] = {"groups", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_SUB] = {"sub", SL_VALUE_INT},
    [SL_ATTRIBUTE_SWING] = {"swing", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_GAIN] = {"gain", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_POLY] = {"poly", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_ENABLED] = {"enabled", SL_VALUE_BOOL},
    [SL_ATTRIBUTE_LEVEL] = {"level", SL_VALUE_INT},
    [SL_ATTRIBUTE_BARS] = {"bars", SL_VALUE_INT},
    [SL_ATTRIBUTE_COUNT_IN] = {"count_in", SL_VALUE_INT},
    [SL_ATTRIBUTE_REPEAT] = {"repeat", SL_VALUE_INT},
    [SL_ATTRIBUTE_END] = {"end", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_TRAINER] = {"trainer", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_RAMP] = {"ramp", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_AUDIO_INPUT] = {"audio_input", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_AUDIO_OUTPUT] = {"audio_output", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_MIDI_INPUT] = {"midi_input", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_MIDI_OUTPUT] = {"midi_output", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_GROUP] = {"group", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_NOTES] = {"notes", SL_VALUE_JSON},
    [SL_ATTRIBUTE_POINTS] = {"points", SL_VALUE_JSON},
    [SL_ATTRIBUTE_TIME] = {"time", SL_VALUE_FLOAT},
    [SL_ATTRIBUTE_QUANTIZE] = {"quantize", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_CHANNEL] = {"channel", SL_VALUE_INT},
    [SL_ATTRIBUTE_INSTRUMENT] = {"instrument", SL_VALUE_TEXT},
    [SL_ATTRIBUTE_PARAMS] = {"params", SL_VALUE_JSON},
    [SL_ATTRIBUTE_EFFECTS] = {"effects", SL_VALUE_JSON},
    [SL_ATTRIBUTE_LENGTH] = {"length", SL_VALUE_FLOAT},
};

/* Attribute and child lists of a type. ATTRIBUTES(…) saves writing each list's name and length. */
typedef struct type_row {
    const char *name;
    const char *plural;
    const sl_attribute *attributes;
    size_t attribute_count;
    const sl_node_type *children;
    size_t child_count;
} type_row;

#define A(x) SL_ATTRIBUTE_##x
static const sl_attribute of_project[] = {A(VERSION),    A(CREATOR),  A(TEMPO),    A(TIME_SIGNATURE),
                                          A(IS_PLAYING), A(POSITION), A(IS_STALE), A(STALE_REASON)};
static const sl_attribute of_track[] = {A(NAME),         A(COLOR),      A(TYPE),        A(IS_MUTED), A(IS_SOLOED),
                                        A(IS_ARMED),     A(IS_FROZEN),  A(VOLUME),      A(PAN),      A(AUDIO_INPUT),
                                        A(AUDIO_OUTPUT), A(MIDI_INPUT), A(MIDI_OUTPUT), A(GROUP)};
static const sl_attribute of_device[] = {A(NAME), A(DEVICE_TYPE), A(IS_ENABLED), A(PLUGIN_INFO)};
static const sl_attribute of_parameter[] = {A(NAME), A(VALUE), A(MIN), A(MAX), A(IS_AUTOMATED)};
static const sl_attribute of_clip_slot[] = {A(HAS_CLIP),   A(HAS_STOP_BUTTON), A(PLAYING_STATUS),
                                            A(IS_PLAYING), A(IS_TRIGGERED),    A(COLOR)};
static const sl_attribute of_clip[] = {A(NAME),       A(CLIP_TYPE),   A(START_TIME), A(END_TIME),  A(LOOP_START),
                                       A(LOOP_END),   A(IS_LOOPED),   A(IS_MUTED),   A(COLOR),     A(VIEW),
                                       A(NOTE_COUNT), A(SAMPLE_NAME), A(IS_WARPED),  A(WARP_MODE), A(NOTES)};
static const sl_attribute of_mixer[] = {A(VOLUME), A(PAN), A(IS_MUTED), A(IS_SOLOED), A(CROSSFADER), A(SENDS)};
static const sl_attribute of_scene[] = {
    A(NAME),       A(TEMPO),       A(COLOR), A(IS_TEMPO_ENABLED), A(TIME_SIGNATURE_ID), A(IS_TIME_SIGNATURE_ENABLED),
    A(ANNOTATION), A(IS_TRIGGERED)};
static const sl_attribute of_file_ref[] = {A(NAME), A(PATH), A(HASH), A(REF_TYPE)};
static const sl_attribute of_automation[] = {A(TARGET), A(POINT_COUNT), A(POINTS)};
static const sl_attribute of_groove[] = {A(BPM),   A(VOLUME),    A(RUNNING), A(SET_LIST), A(ITEM),
                                         A(PATCH), A(DEVICE_ID), A(BARS),    A(COUNT_IN), A(REPEAT),
                                         A(END),   A(TRAINER),   A(RAMP)};
static const sl_attribute of_lane[] = {A(SOUND), A(GROUPS), A(SUB), A(SWING), A(GAIN), A(POLY), A(ENABLED)};
static const sl_attribute of_step[] = {A(LEVEL)};
static const sl_attribute of_chain[] = {A(NAME), A(COLOR), A(IS_MUTED), A(IS_SOLOED)};
static const sl_attribute of_locator[] = {A(NAME), A(TIME), A(ANNOTATION)};
static const sl_attribute of_session[] = {A(TEMPO), A(TIME_SIGNATURE), A(IS_PLAYING), A(QUANTIZE)};
static const sl_attribute of_code_track[] = {A(NAME),       A(CHANNEL),    A(INSTRUMENT), A(PARAMS), A(EFFECTS),
                                             A(IS_PLAYING), A(NOTE_COUNT), A(LENGTH),     A(HASH)};
static const sl_attribute of_code_clip[] = {A(NAME), A(START_TIME), A(END_TIME), A(NOTE_COUNT)};
#undef A

#define N(x) SL_NODE_##x
static const sl_node_type in_project[] = {N(TRACK), N(SCENE), N(FILE_REF), N(GROOVE), N(LOCATOR), N(SESSION)};
static const sl_node_type in_track[] = {N(DEVICE),   N(CLIP_SLOT),  N(MIXER),
                                        N(FILE_REF), N(AUTOMATION), N(ARRANGEMENT_CLIP)};
static const sl_node_type in_device[] = {N(DEVICE), N(PARAMETER), N(FILE_REF), N(AUTOMATION), N(CHAIN)};
static const sl_node_type in_clip_slot[] = {N(CLIP)};
static const sl_node_type in_clip[] = {N(FILE_REF), N(AUTOMATION)};
static const sl_node_type in_chain[] = {N(DEVICE), N(MIXER)};
static const sl_node_type in_groove[] = {N(LANE)};
static const sl_node_type in_lane[] = {N(STEP)};
static const sl_node_type in_session[] = {N(CODE_TRACK)};
static const sl_node_type in_code_track[] = {N(CODE_CLIP)};
#undef N

#define COUNTED(list) (list), sizeof(list) / sizeof((list)[0])
static const type_row types[SL_NODE_TYPE_COUNT] = {
    [SL_NODE_PROJECT] = {"project", "project", COUNTED(of_project), COUNTED(in_project)},
    [SL_NODE_TRACK] = {"track", "tracks", COUNTED(of_track), COUNTED(in_track)},
    [SL_NODE_DEVICE] = {"device", "devices", COUNTED(of_device), COUNTED(in_device)},
    [SL_NODE_PARAMETER] = {"parameter", "parameters", COUNTED(of_parameter), NULL, 0},
    [SL_NODE_CLIP_SLOT] = {"clip_slot", "clip_slots", COUNTED(of_clip_slot), COUNTED(in_clip_slot)},
    [SL_NODE_CLIP] = {"clip", "clips", COUNTED(of_clip), COUNTED(in_clip)},
    [SL_NODE_MIXER] = {"mixer", "mixers", COUNTED(of_mixer), NULL, 0},
    [SL_NODE_SCENE] = {"scene", "scenes", COUNTED(of_scene), NULL, 0},
    [SL_NODE_FILE_REF] = {"file_ref", "file_refs", COUNTED(of_file_ref), NULL, 0},
    [SL_NODE_AUTOMATION] = {"automation", "automations", COUNTED(of_automation), NULL, 0},
    [SL_NODE_GROOVE] = {"groove", "grooves", COUNTED(of_groove), COUNTED(in_groove)},
    [SL_NODE_LANE] = {"lane", "lanes", COUNTED(of_lane), COUNTED(in_lane)},
    [SL_NODE_STEP] = {"step", "steps", COUNTED(of_step), NULL, 0},
    [SL_NODE_CHAIN] = {"chain", "chains", COUNTED(of_chain), COUNTED(in_chain)},
    [SL_NODE_ARRANGEMENT_CLIP] = {"arrangement_clip", "arrangement_clips", COUNTED(of_clip), COUNTED(in_clip)},
    [SL_NODE_LOCATOR] = {"locator", "locators", COUNTED(of_locator), NULL, 0},
    [SL_NODE_SESSION] = {"session", "sessions", COUNTED(of_session), COUNTED(in_session)},
    [SL_NODE_CODE_TRACK] = {"code_track", "code_tracks", COUNTED(of_code_track), COUNTED(in_code_track)},
    [SL_NODE_CODE_CLIP] = {"code_clip", "code_clips", COUNTED(of_code_clip), NULL, 0},
};
#undef COUNTED

static uint64_t float_bits(const sl_value *value)
{
    uint64_t bits;
    memcpy(&bits, &value->as.number, sizeof bits);
    return bits;
}

bool sl_value_equal(const sl_value *a, const sl_value *b)
{
    if (a->type != b->type) return false;
    switch ((sl_value_type)a->type) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: return true;
    case SL_VALUE_BOOL:
    case SL_VALUE_INT: return a->as.integer == b->as.integer;
    case SL_VALUE_FLOAT: return float_bits(a) == float_bits(b);
    case SL_VALUE_TEXT:
    case SL_VALUE_JSON:
        return a->length == b->length && (a->length == 0 || memcmp(a->as.text, b->as.text, a->length) == 0);
    }
    return false;
}

static bool is_named(const char *name, const char *bytes, size_t length)
{
    return strlen(name) == length && memcmp(name, bytes, length) == 0;
}

const char *sl_schema_type_name(sl_node_type type)
{
    assert(type < SL_NODE_TYPE_COUNT);
    return types[type].name;
}

const char *sl_schema_plural(sl_node_type type)
{
    assert(type < SL_NODE_TYPE_COUNT);
    return types[type].plural;
}

sl_node_type sl_schema_type_by_name(const char *name, size_t length)
{
    unsigned type = 0;
    while (type < SL_NODE_TYPE_COUNT && !is_named(types[type].name, name, length)) type++;
    return (sl_node_type)type;
}

sl_node_type sl_schema_type_by_plural(const char *plural, size_t length)
{
    unsigned type = 0;
    while (type < SL_NODE_TYPE_COUNT && !is_named(types[type].plural, plural, length)) type++;
    return (sl_node_type)type;
}

sl_attribute sl_schema_attribute_by_name(const char *name, size_t length)
{
    unsigned attribute = 0;
    while (attribute < SL_ATTRIBUTE_COUNT && !is_named(attributes[attribute].name, name, length)) attribute++;
    return (sl_attribute)attribute;
}

const char *sl_schema_attribute_name(sl_attribute attribute)
{
    assert(attribute < SL_ATTRIBUTE_COUNT);
    return attributes[attribute].name;
}

const sl_attribute *sl_schema_attributes(sl_node_type type, size_t *count)
{
    assert(type < SL_NODE_TYPE_COUNT);
    *count = types[type].attribute_count;
    return types[type].attributes;
}

int sl_schema_slot(sl_node_type type, sl_attribute attribute)
{
    assert(type < SL_NODE_TYPE_COUNT);
    const type_row *row = &types[type];
    for (size_t i = 0; i < row->attribute_count; i++)
        if (row->attributes[i] == attribute) return (int)i;
    return -1;
}

sl_value_type sl_schema_value_type(sl_attribute attribute)
{
    assert(attribute < SL_ATTRIBUTE_COUNT);
    return attributes[attribute].type;
}

const sl_node_type *sl_schema_children(sl_node_type type, size_t *count)
{
    assert(type < SL_NODE_TYPE_COUNT);
    *count = types[type].child_count;
    return types[type].children;
}

int sl_schema_child_slot(sl_node_type type, sl_node_type child)
{
    assert(type < SL_NODE_TYPE_COUNT);
    const type_row *row = &types[type];
    for (size_t i = 0; i < row->child_count; i++)
        if (row->children[i] == child) return (int)i;
    return -1;
}
