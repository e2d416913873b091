/*
 * What the elements of a Live set mean: a table of places, each with the elements that matter there. Everything else is
 * passed over at the price of a counter. Where the versions of Live differ, both names stand in the table: SceneNames
 * (to 10) and Scenes, ColorIndex (to 10) and Color, MasterTrack and MxDPatchRef (to 11), MainTrack and MxPatchRef.
 */
#include "core/heap.h"
#include "ingest/als_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum als_place {
    P_DOCUMENT,
    P_ABLETON,
    P_SET,
    P_LOCATORS_OUTER,
    P_LOCATORS,
    P_LOCATOR,
    P_SCENES,
    P_SCENE,
    P_TRACKS,
    P_TRACK,
    P_NAME,
    P_TRACK_CHAIN, /* the DeviceChain of a track: routing, mixer, sequencer, devices */
    P_ROUTING,
    P_MIXER,
    P_VALUE, /* something with a Manual: frame.attribute */
    P_SPEAKER,
    P_CROSSFADE,
    P_TEMPO,
    P_SIGNATURE,
    P_SENDS,
    P_SEND_HOLDER,
    P_SEND,
    P_SEQUENCER,
    P_RECORDER,
    P_SLOTS,
    P_SLOT,
    P_SLOT_INNER,
    P_SLOT_VALUE,
    P_TIMELINE,
    P_ARRANGER,
    P_ARRANGEMENT,
    P_CLIP,
    P_CLIP_LOOP,
    P_NOTES,
    P_KEY_TRACKS,
    P_KEY_TRACK,
    P_KEY_NOTES,
    P_ENVELOPES_OUTER,
    P_ENVELOPES,
    P_ENVELOPE,
    P_ENVELOPE_TARGET,
    P_AUTOMATION,
    P_POINTS,
    P_CHAIN, /* a DeviceChain with a list of devices */
    P_DEVICES,
    P_DEVICE,
    P_MEMBER, /* anything inside a device: a parameter, if it has a Manual and an AutomationTarget */
    P_RANGE,
    P_PLUGIN,
    P_PLUGIN_INFO,
    P_PATCH, /* where a Max device says which one it is */
    P_BRANCHES,
    P_BRANCH,
    P_BRANCH_CHAIN,
    P_SAMPLE,
    P_FILE,
    P_FILE_FOLDERS,
    P_COUNT,
    P_NONE = P_COUNT /* the element itself says all */
} als_place;

/* The attributes of an element. */
typedef const char *const *als_words;

/* What an element does, besides leading to its place; *node is the frame's, and may be changed. */
typedef void (*als_action)(als_reader *reader, const char *name, als_words words, sl_node **node);

typedef struct als_row {
    const char *name; /* NULL: any */
    als_action act;   /* NULL: with P_NONE, sets the attribute; else nothing */
    uint8_t place;
    uint8_t next; /* P_NONE: only its Value matters, or nothing below it does */
    uint8_t attribute;
} als_row;

static const char *word(als_words words, const char *name)
{
    for (size_t i = 0; words[i] != NULL; i += 2)
        if (strcmp(words[i], name) == 0) return words[i + 1];
    return NULL;
}

static const char *value_of(als_words words)
{
    const char *value = word(words, "Value");
    return value != NULL ? value : "";
}

static const char *id_of(als_words words)
{
    const char *id = word(words, "Id");
    return id != NULL ? id : "";
}

static bool read_id(const char *text, uint64_t *id)
{
    char *end;
    *id = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-';
}

static void add_target(als_reader *reader, const char *id, sl_node *parameter, const char *label)
{
    uint64_t number;
    if (!read_id(id, &number)) return;
    als_target *target = als_push(reader, &reader->targets, sizeof *target);
    if (target != NULL) *target = (als_target){.id = number, .parameter = parameter, .label = label};
}

/* The set. */

static void begin_ableton(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *version = word(words, "MinorVersion"), *creator = word(words, "Creator");
    if (version != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_VERSION, version);
    if (creator != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_CREATOR, creator);
}

static void begin_set(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->has_set = true;
}

/* Presets and where they came from: other files' business. */
static void pass_over(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)reader, (void)name, (void)words, (void)node;
}

static void begin_locator(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_LOCATOR, id_of(words));
}

/* In Live 10 the scene's name is its own Value. */
static void begin_scene(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *title = word(words, "Value");
    *node = als_add(reader, *node, SL_NODE_SCENE, id_of(words));
    if (*node != NULL && title != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_NAME, title);
}

static void set_color(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    int32_t color = als_color(value_of(words));
    if (color >= 0) als_set(reader, *node, SL_ATTRIBUTE_COLOR, sl_value_int(color));
}

/* Tracks. */

static void begin_track(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    static const char *const types[][2] = {{"AudioTrack", "audio"},   {"MidiTrack", "midi"},
                                           {"GroupTrack", "group"},   {"ReturnTrack", "return"},
                                           {"MasterTrack", "master"}, {"MainTrack", "master"}};
    const char *type = name;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i][0], name) == 0) type = types[i][1];
    bool is_master = strcmp(type, "master") == 0;
    *node = als_add(reader, *node, SL_NODE_TRACK, is_master ? "master" : id_of(words));
    if (*node != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_TYPE, type);
}

/* Live 8 has the name here; later ones have it inside. */
static void begin_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *value = word(words, "Value");
    if (value != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_NAME, value);
}

static void set_group(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    uint64_t group;
    char id[40];
    if (!read_id(value_of(words), &group)) return; /* -1: none */
    snprintf(id, sizeof id, "track-live-%llu", (unsigned long long)group);
    als_set_text(reader, *node, SL_ATTRIBUTE_GROUP, id);
}

/* Mixers. */

static void begin_mixer(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words;
    *node = sl_node_child_count(*node, SL_NODE_MIXER) == 0 ? als_add(reader, *node, SL_NODE_MIXER, "") : NULL;
}

/* What the track has, too, is told there as well, as live events tell it. */
static void set_mixer(als_reader *reader, sl_node *mixer, sl_attribute attribute, sl_value value)
{
    als_set(reader, mixer, attribute, value);
    als_set(reader, sl_node_parent(mixer), attribute, value);
}

static void set_solo(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    set_mixer(reader, *node, SL_ATTRIBUTE_IS_SOLOED, sl_value_bool(als_bool(value_of(words))));
}

/* The speaker is on where the track is not muted. */
static void set_mute(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    set_mixer(reader, *node, SL_ATTRIBUTE_IS_MUTED, sl_value_bool(!als_bool(value_of(words))));
}

/* The track's volume is on another scale than the file's, so it stays what live events said. */
static void set_manual(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    sl_attribute attribute = (sl_attribute)reader->frames[reader->depth - 1].attribute;
    als_set_text(reader, *node, attribute, value_of(words));
    const sl_node *parent = sl_node_parent(*node);
    if (attribute == SL_ATTRIBUTE_PAN && parent != NULL && parent->type == SL_NODE_TRACK)
        als_set_text(reader, sl_node_parent(*node), attribute, value_of(words));
}

static void note_target(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    static const char *const labels[P_COUNT] = {
        [P_SPEAKER] = "Mute", [P_TEMPO] = "Tempo",          [P_SIGNATURE] = "Time Signature",
        [P_SEND] = "Send",    [P_CROSSFADE] = "Crossfader",
    };
    const als_frame *frame = &reader->frames[reader->depth - 1];
    const char *label = labels[frame->place];
    if (frame->place == P_VALUE)
        label = frame->attribute == SL_ATTRIBUTE_PAN      ? "Pan"
                : frame->attribute == SL_ATTRIBUTE_VOLUME ? "Volume"
                                                          : "On";
    add_target(reader, id_of(words), NULL, label);
}

static void set_crossfader(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    static const char *const sides[] = {"A", "none", "B"};
    double number;
    if (als_number(value_of(words), &number) && number >= 0 && number <= 2)
        als_set_text(reader, *node, SL_ATTRIBUTE_CROSSFADER, sides[(size_t)number]);
}

static void set_tempo(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    als_set_text(reader, sl_tree_project(reader->tree), SL_ATTRIBUTE_TEMPO, value_of(words));
}

/* Live numbers them: numerator - 1, and 99 for each doubling of the denominator. */
static void set_signature(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    double number;
    if (!als_number(value_of(words), &number) || number < 0 || number >= 99 * 5) return;
    unsigned id = (unsigned)number;
    char text[16];
    snprintf(text, sizeof text, "%u/%u", id % 99 + 1, 1u << (id / 99));
    als_set_text(reader, sl_tree_project(reader->tree), SL_ATTRIBUTE_TIME_SIGNATURE, text);
}

static void begin_sends(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->send_count = 0;
    sl_text_clear(&reader->text);
    sl_text_string(&reader->text, "[");
}

static void begin_send(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->send_level = 0;
    reader->send_is_active = true;
}

static void set_send_level(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    double level;
    if (als_number(value_of(words), &level)) reader->send_level = level;
}

static void set_send_active(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    reader->send_is_active = als_bool(value_of(words));
}

static void end_send(als_reader *reader)
{
    sl_text *text = &reader->text;
    sl_text_string(text, reader->send_count > 0 ? ",{\"index\":" : "{\"index\":");
    sl_text_u64(text, reader->send_count++);
    sl_text_string(text, ",\"level\":");
    sl_text_double(text, reader->send_level);
    sl_text_string(text, reader->send_is_active ? ",\"is_active\":true}" : ",\"is_active\":false}");
}

/* The list that was written becomes the attribute. */
static void end_list(als_reader *reader, sl_node *node, sl_attribute attribute)
{
    sl_text *text = &reader->text;
    sl_text_string(text, "]");
    if (text->bad) (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
    sl_value value = sl_value_text(text->bytes, text->length);
    value.type = SL_VALUE_JSON;
    als_set(reader, node, attribute, value);
}

/* Slots and clips. */

static void begin_slot(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_CLIP_SLOT, id_of(words));
    if (*node != NULL) als_set(reader, *node, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(false));
}

static void describe_clip(als_reader *reader, const char *name, sl_node *clip)
{
    const char *type = strcmp(name, "AudioClip") == 0 ? "audio" : strcmp(name, "MidiClip") == 0 ? "midi" : name;
    als_set_text(reader, clip, SL_ATTRIBUTE_CLIP_TYPE, type);
    reader->notes.count = 0;
}

static void begin_clip(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    als_set(reader, *node, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(true));
    bool is_first = sl_node_child_count(*node, SL_NODE_CLIP) == 0;
    *node = is_first ? als_add(reader, *node, SL_NODE_CLIP, id_of(words)) : NULL;
    if (*node != NULL) describe_clip(reader, name, *node);
}

static void begin_arrangement_clip(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    *node = als_add(reader, *node, SL_NODE_ARRANGEMENT_CLIP, id_of(words));
    if (*node != NULL) describe_clip(reader, name, *node);
}

static void begin_notes(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->notes.count = 0;
}

static void begin_key_track(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->key_first = reader->notes.count;
}

static void add_note(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    const char *time = word(words, "Time"), *duration = word(words, "Duration"), *velocity = word(words, "Velocity");
    const char *is_enabled = word(words, "IsEnabled");
    als_note *note = als_push(reader, &reader->notes, sizeof *note);
    if (note == NULL) return;
    note->is_enabled = is_enabled == NULL || als_bool(is_enabled);
    if (time == NULL || !als_number(time, &note->start)) note->start = 0;
    if (duration == NULL || !als_number(duration, &note->duration)) note->duration = 0;
    if (velocity == NULL || !als_number(velocity, &note->velocity)) note->velocity = 0;
}

/* Stands behind the notes whose key it is. */
static void set_key(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    double key;
    if (!als_number(value_of(words), &key) || key < 0 || key > 127) return;
    als_note *notes = reader->notes.items;
    for (size_t i = reader->key_first; i < reader->notes.count; i++) notes[i].key = (int32_t)key;
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_notes(const void *left, const void *right)
{
    const als_note *a = left, *b = right;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    int order = compare_numbers(a->start, b->start);
    if (order == 0) order = compare_numbers(a->duration, b->duration);
    if (order == 0) order = compare_numbers(a->velocity, b->velocity);
    return order != 0 ? order : (int)a->is_enabled - (int)b->is_enabled;
}

static void end_notes(als_reader *reader, sl_node *clip)
{
    als_note *notes = reader->notes.items;
    sl_text *text = &reader->text;
    if (reader->notes.count > 0) qsort(notes, reader->notes.count, sizeof *notes, compare_notes);
    sl_text_clear(text);
    sl_text_string(text, "[");
    for (size_t i = 0; i < reader->notes.count; i++) {
        sl_text_string(text, i > 0 ? ",[" : "[");
        sl_text_i64(text, notes[i].key);
        sl_text_string(text, ",");
        sl_text_double(text, notes[i].start);
        sl_text_string(text, ",");
        sl_text_double(text, notes[i].duration);
        sl_text_string(text, ",");
        sl_text_double(text, notes[i].velocity);
        sl_text_string(text, notes[i].is_enabled ? ",true]" : ",false]");
    }
    end_list(reader, clip, SL_ATTRIBUTE_NOTES);
    als_set(reader, clip, SL_ATTRIBUTE_NOTE_COUNT, sl_value_int((int64_t)reader->notes.count));
}

/* Automation. */

static void begin_envelope(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_AUTOMATION, id_of(words));
    reader->point_count = 0;
    sl_text_clear(&reader->text);
    sl_text_string(&reader->text, "[");
}

static void set_pointee(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    uint64_t target;
    if (!read_id(value_of(words), &target)) return;
    als_envelope *envelope = als_push(reader, &reader->envelopes, sizeof *envelope);
    if (envelope != NULL) *envelope = (als_envelope){.target = target, .automation = *node};
}

/* The one before all time (-63072000) says what holds until the first point. */
static void add_point(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    static const double before_all = -63072000;
    const char *time_text = word(words, "Time");
    const char *value_text = value_of(words);
    double time, value;
    if (time_text == NULL || !als_number(time_text, &time) || time <= before_all) return;
    if (!als_number(value_text, &value)) value = als_bool(value_text);
    sl_text *text = &reader->text;
    sl_text_string(text, reader->point_count++ > 0 ? ",[" : "[");
    sl_text_double(text, time);
    sl_text_string(text, ",");
    sl_text_double(text, value);
    sl_text_string(text, "]");
}

static void end_envelope(als_reader *reader, sl_node *automation)
{
    end_list(reader, automation, SL_ATTRIBUTE_POINTS);
    als_set(reader, automation, SL_ATTRIBUTE_POINT_COUNT, sl_value_int(reader->point_count));
}

/* Devices. */

/* Whatever it is called, it is a device: its element's name says of what type. */
static void begin_device(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    *node = als_add(reader, *node, SL_NODE_DEVICE, id_of(words));
    if (*node == NULL) return;
    als_set_text(reader, *node, SL_ATTRIBUTE_NAME, name);
    als_set_text(reader, *node, SL_ATTRIBUTE_DEVICE_TYPE, name);
    reader->path_length = 0;
}

/* The user's own name for it; "" says that there is none. */
static void set_user_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    if (value_of(words)[0] != '\0') als_set_text(reader, *node, SL_ATTRIBUTE_NAME, value_of(words));
}

/* The plug-in's name, unless the user gave it one, which stands before it in the file. */
static void set_plugin_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    sl_value type = sl_node_value(*node, SL_ATTRIBUTE_DEVICE_TYPE);
    sl_value present = sl_node_value(*node, SL_ATTRIBUTE_NAME);
    if (!sl_value_equal(&type, &present)) return;
    set_user_name(reader, name, words, node);
}

static void begin_plugin(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)words;
    static const char *const formats[][2] = {{"VstPluginInfo", "{\"format\":\"VST\"}"},
                                             {"Vst3PluginInfo", "{\"format\":\"VST3\"}"},
                                             {"AuPluginInfo", "{\"format\":\"AU\"}"}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i][0], name) != 0) continue;
        sl_value value = sl_value_text(formats[i][1], strlen(formats[i][1]));
        value.type = SL_VALUE_JSON;
        als_set(reader, *node, SL_ATTRIBUTE_PLUGIN_INFO, value);
    }
}

/* A file of a Max device: "/…/Name.amxd". */
static void set_patch_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *path = value_of(words), *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path, *dot = strrchr(file, '.');
    size_t length = dot != NULL ? (size_t)(dot - file) : strlen(file);
    sl_value type = sl_node_value(*node, SL_ATTRIBUTE_DEVICE_TYPE);
    sl_value present = sl_node_value(*node, SL_ATTRIBUTE_NAME);
    if (length > 0 && sl_value_equal(&type, &present))
        als_set(reader, *node, SL_ATTRIBUTE_NAME, sl_value_text(file, length));
}

/* One part more: "Bands.0", the id where there is one. What does not fit is left out. */
static void extend_path(als_reader *reader, const char *part, const char *id)
{
    size_t room = sizeof reader->path - reader->path_length;
    int written = snprintf(reader->path + reader->path_length, room, "%s%s%s%s", reader->path_length > 0 ? "/" : "",
                           part, id != NULL ? "." : "", id != NULL ? id : "");
    assert(written >= 0);
    reader->path_length += (uint32_t)((size_t)written < room ? (size_t)written : room - 1);
}

static void begin_member(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)node;
    extend_path(reader, name, word(words, "Id"));
    reader->parameter = (als_parameter){0};
}

/* A plug-in's and a Max device's parameters say their names. */
static void set_member_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    if (value_of(words)[0] == '\0') return;
    reader->path_length = reader->frames[reader->depth - 1].name_length;
    extend_path(reader, value_of(words), NULL);
}

static void set_member_value(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    const char *value = value_of(words);
    reader->parameter = (als_parameter){.has_value = true};
    if (!als_number(value, &reader->parameter.value)) reader->parameter.value = als_bool(value);
}

static void set_member_min(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    reader->parameter.has_min = als_number(value_of(words), &reader->parameter.min);
}

static void set_member_max(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    reader->parameter.has_max = als_number(value_of(words), &reader->parameter.max);
}

/* What is around the name of a plug-in's or a Max device's parameter says nothing. */
static sl_value parameter_name(const als_reader *reader)
{
    static const char list[] = "ParameterList/";
    static const char *const tails[] = {"/ParameterValue", "/Timeable"};
    const size_t list_length = sizeof list - 1;
    size_t begin = 0, end = reader->path_length;
    while (end - begin > list_length && memcmp(reader->path + begin, list, list_length) == 0) begin += list_length;
    for (size_t i = 0; begin > 0 && i < sizeof tails / sizeof tails[0]; i++) {
        size_t length = strlen(tails[i]);
        if (end - begin > length && memcmp(reader->path + end - length, tails[i], length) == 0) end -= length;
    }
    return sl_value_text(reader->path + begin, end - begin);
}

/* A parameter is what has a value that automation can reach; this is the last that is told of it. */
static void end_parameter(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    als_parameter found = reader->parameter;
    reader->parameter = (als_parameter){0};
    uint64_t target;
    if (!found.has_value || (*node)->type != SL_NODE_DEVICE || !read_id(id_of(words), &target)) return;
    sl_node *parameter = als_add(reader, *node, SL_NODE_PARAMETER, id_of(words));
    if (parameter == NULL) return;
    als_set(reader, parameter, SL_ATTRIBUTE_NAME, parameter_name(reader));
    als_set(reader, parameter, SL_ATTRIBUTE_VALUE, sl_value_float(found.value));
    if (found.has_min) als_set(reader, parameter, SL_ATTRIBUTE_MIN, sl_value_float(found.min));
    if (found.has_max) als_set(reader, parameter, SL_ATTRIBUTE_MAX, sl_value_float(found.max));
    als_set(reader, parameter, SL_ATTRIBUTE_IS_AUTOMATED, sl_value_bool(false));
    add_target(reader, id_of(words), parameter, NULL);
}

static void begin_branch(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_CHAIN, id_of(words));
}

/* Files. */

static void begin_file(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words;
    char local[16];
    snprintf(local, sizeof local, "%u", sl_node_child_count(*node, SL_NODE_FILE_REF));
    *node = als_add(reader, *node, SL_NODE_FILE_REF, local);
    sl_text_clear(&reader->file_path);
}

/* Live 10 and before have a path as its folders, one by one. */
static void add_folder(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    const char *folder = word(words, "Dir");
    sl_text_string(&reader->file_path, folder != NULL && folder[0] != '\0' ? folder : "..");
    sl_text_string(&reader->file_path, "/");
}

static void set_file_path(als_reader *reader, sl_node *file)
{
    sl_value name = sl_node_value(file, SL_ATTRIBUTE_NAME), path = sl_node_value(file, SL_ATTRIBUTE_PATH);
    if (path.type == SL_VALUE_ABSENT && name.type == SL_VALUE_TEXT && reader->file_path.length > 0) {
        sl_text_bytes(&reader->file_path, name.as.text, name.length);
        if (reader->file_path.bad) (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
        als_set(reader, file, SL_ATTRIBUTE_PATH, sl_value_text(reader->file_path.bytes, reader->file_path.length));
    } else if (name.type == SL_VALUE_ABSENT && path.type == SL_VALUE_TEXT) {
        size_t begin = path.length;
        while (begin > 0 && path.as.text[begin - 1] != '/') begin--;
        als_set(reader, file, SL_ATTRIBUTE_NAME, sl_value_text(path.as.text + begin, path.length - begin));
    }
}

static void end_file(als_reader *reader, sl_node *file)
{
    set_file_path(reader, file);
    sl_value name = sl_node_value(file, SL_ATTRIBUTE_NAME);
    if (name.type == SL_VALUE_TEXT) als_set(reader, sl_node_parent(file), SL_ATTRIBUTE_SAMPLE_NAME, name);
}

/* An element that only tells an attribute, leads on, leads on to what tells one, or does something. */
#define SET(in, tag, which)                                                                                            \
    {                                                                                                                  \
        .place = (in), .name = (tag), .next = P_NONE, .attribute = SL_ATTRIBUTE_##which                                \
    }
#define GO(in, tag, to)                                                                                                \
    {                                                                                                                  \
        .place = (in), .name = (tag), .next = (to), .attribute = SL_ATTRIBUTE_COUNT                                    \
    }
#define FOR(in, tag, to, which)                                                                                        \
    {                                                                                                                  \
        .place = (in), .name = (tag), .next = (to), .attribute = SL_ATTRIBUTE_##which                                  \
    }
#define DO(in, tag, to, what)                                                                                          \
    {                                                                                                                  \
        .place = (in), .name = (tag), .next = (to), .attribute = SL_ATTRIBUTE_COUNT, .act = (what)                     \
    }

/* Grouped by place, in the order of als_place. */
static const als_row rows[] = {
    DO(P_DOCUMENT, "Ableton", P_ABLETON, begin_ableton),
    DO(P_ABLETON, "LiveSet", P_SET, begin_set),
    GO(P_SET, "Tracks", P_TRACKS),
    DO(P_SET, "MasterTrack", P_TRACK, begin_track),
    DO(P_SET, "MainTrack", P_TRACK, begin_track),
    GO(P_SET, "Scenes", P_SCENES),
    GO(P_SET, "SceneNames", P_SCENES),
    GO(P_SET, "Locators", P_LOCATORS_OUTER),
    GO(P_LOCATORS_OUTER, "Locators", P_LOCATORS),
    DO(P_LOCATORS, NULL, P_LOCATOR, begin_locator),
    SET(P_LOCATOR, "Name", NAME),
    SET(P_LOCATOR, "Time", TIME),
    SET(P_LOCATOR, "Annotation", ANNOTATION),
    DO(P_SCENES, NULL, P_SCENE, begin_scene),
    SET(P_SCENE, "Name", NAME),
    SET(P_SCENE, "Annotation", ANNOTATION),
    DO(P_SCENE, "Color", P_NONE, set_color),
    DO(P_SCENE, "ColorIndex", P_NONE, set_color),
    SET(P_SCENE, "Tempo", TEMPO),
    SET(P_SCENE, "IsTempoEnabled", IS_TEMPO_ENABLED),
    SET(P_SCENE, "TimeSignatureId", TIME_SIGNATURE_ID),
    SET(P_SCENE, "IsTimeSignatureEnabled", IS_TIME_SIGNATURE_ENABLED),
    DO(P_TRACKS, NULL, P_TRACK, begin_track),
    DO(P_TRACK, "Name", P_NAME, begin_name),
    DO(P_TRACK, "Color", P_NONE, set_color),
    DO(P_TRACK, "ColorIndex", P_NONE, set_color),
    DO(P_TRACK, "TrackGroupId", P_NONE, set_group),
    SET(P_TRACK, "Freeze", IS_FROZEN),
    GO(P_TRACK, "AutomationEnvelopes", P_ENVELOPES_OUTER),
    GO(P_TRACK, "DeviceChain", P_TRACK_CHAIN),
    GO(P_TRACK, "MasterChain", P_TRACK_CHAIN),
    SET(P_NAME, "EffectiveName", NAME),
    FOR(P_TRACK_CHAIN, "AudioInputRouting", P_ROUTING, AUDIO_INPUT),
    FOR(P_TRACK_CHAIN, "AudioOutputRouting", P_ROUTING, AUDIO_OUTPUT),
    FOR(P_TRACK_CHAIN, "MidiInputRouting", P_ROUTING, MIDI_INPUT),
    FOR(P_TRACK_CHAIN, "MidiOutputRouting", P_ROUTING, MIDI_OUTPUT),
    DO(P_TRACK_CHAIN, "Mixer", P_MIXER, begin_mixer),
    GO(P_TRACK_CHAIN, "MainSequencer", P_SEQUENCER),
    GO(P_TRACK_CHAIN, "DeviceChain", P_CHAIN),
    DO(P_ROUTING, "Target", P_NONE, set_manual),
    FOR(P_MIXER, "Volume", P_VALUE, VOLUME),
    FOR(P_MIXER, "Pan", P_VALUE, PAN),
    FOR(P_MIXER, "Panorama", P_VALUE, PAN),
    GO(P_MIXER, "Speaker", P_SPEAKER),
    DO(P_MIXER, "SoloSink", P_NONE, set_solo),
    DO(P_MIXER, "CrossFadeState", P_CROSSFADE, set_crossfader),
    DO(P_MIXER, "Sends", P_SENDS, begin_sends),
    GO(P_MIXER, "Tempo", P_TEMPO),
    GO(P_MIXER, "TimeSignature", P_SIGNATURE),
    DO(P_VALUE, "Manual", P_NONE, set_manual),
    DO(P_VALUE, "AutomationTarget", P_NONE, note_target),
    DO(P_SPEAKER, "Manual", P_NONE, set_mute),
    DO(P_SPEAKER, "AutomationTarget", P_NONE, note_target),
    DO(P_CROSSFADE, "Manual", P_NONE, set_crossfader),
    DO(P_CROSSFADE, "AutomationTarget", P_NONE, note_target),
    DO(P_TEMPO, "Manual", P_NONE, set_tempo),
    DO(P_TEMPO, "AutomationTarget", P_NONE, note_target),
    DO(P_SIGNATURE, "Manual", P_NONE, set_signature),
    DO(P_SIGNATURE, "AutomationTarget", P_NONE, note_target),
    DO(P_SENDS, NULL, P_SEND_HOLDER, begin_send),
    GO(P_SEND_HOLDER, "Send", P_SEND),
    DO(P_SEND_HOLDER, "Active", P_NONE, set_send_active),
    DO(P_SEND, "Manual", P_NONE, set_send_level),
    DO(P_SEND, "AutomationTarget", P_NONE, note_target),
    GO(P_SEQUENCER, "ClipSlotList", P_SLOTS),
    GO(P_SEQUENCER, "ClipTimeable", P_TIMELINE),
    GO(P_SEQUENCER, "Sample", P_TIMELINE),
    GO(P_SEQUENCER, "Recorder", P_RECORDER),
    SET(P_RECORDER, "IsArmed", IS_ARMED),
    DO(P_SLOTS, NULL, P_SLOT, begin_slot),
    GO(P_SLOT, "ClipSlot", P_SLOT_INNER),
    SET(P_SLOT, "HasStop", HAS_STOP_BUTTON),
    GO(P_SLOT_INNER, "Value", P_SLOT_VALUE),
    DO(P_SLOT_VALUE, NULL, P_CLIP, begin_clip),
    GO(P_TIMELINE, "ArrangerAutomation", P_ARRANGER),
    GO(P_ARRANGER, "Events", P_ARRANGEMENT),
    DO(P_ARRANGEMENT, NULL, P_CLIP, begin_arrangement_clip),
    SET(P_CLIP, "Name", NAME),
    SET(P_CLIP, "CurrentStart", START_TIME),
    SET(P_CLIP, "CurrentEnd", END_TIME),
    DO(P_CLIP, "Color", P_NONE, set_color),
    DO(P_CLIP, "ColorIndex", P_NONE, set_color),
    SET(P_CLIP, "Disabled", IS_MUTED),
    SET(P_CLIP, "IsWarped", IS_WARPED),
    SET(P_CLIP, "WarpMode", WARP_MODE),
    GO(P_CLIP, "Loop", P_CLIP_LOOP),
    GO(P_CLIP, "SampleRef", P_SAMPLE),
    DO(P_CLIP, "Notes", P_NOTES, begin_notes),
    GO(P_CLIP, "Envelopes", P_ENVELOPES_OUTER),
    SET(P_CLIP_LOOP, "LoopStart", LOOP_START),
    SET(P_CLIP_LOOP, "LoopEnd", LOOP_END),
    SET(P_CLIP_LOOP, "LoopOn", IS_LOOPED),
    GO(P_NOTES, "KeyTracks", P_KEY_TRACKS),
    DO(P_KEY_TRACKS, NULL, P_KEY_TRACK, begin_key_track),
    GO(P_KEY_TRACK, "Notes", P_KEY_NOTES),
    DO(P_KEY_TRACK, "MidiKey", P_NONE, set_key),
    DO(P_KEY_NOTES, NULL, P_NONE, add_note),
    GO(P_ENVELOPES_OUTER, "Envelopes", P_ENVELOPES),
    DO(P_ENVELOPES, NULL, P_ENVELOPE, begin_envelope),
    GO(P_ENVELOPE, "EnvelopeTarget", P_ENVELOPE_TARGET),
    GO(P_ENVELOPE, "Automation", P_AUTOMATION),
    DO(P_ENVELOPE_TARGET, "PointeeId", P_NONE, set_pointee),
    GO(P_AUTOMATION, "Events", P_POINTS),
    DO(P_POINTS, NULL, P_NONE, add_point),
    GO(P_CHAIN, "Devices", P_DEVICES),
    DO(P_DEVICES, NULL, P_DEVICE, begin_device),
    DO(P_DEVICE, "UserName", P_NONE, set_user_name),
    FOR(P_DEVICE, "On", P_VALUE, IS_ENABLED),
    GO(P_DEVICE, "Branches", P_BRANCHES),
    GO(P_DEVICE, "ReturnBranches", P_BRANCHES),
    GO(P_DEVICE, "PluginDesc", P_PLUGIN),
    GO(P_DEVICE, "PatchSlot", P_PATCH),
    DO(P_DEVICE, "LastPresetRef", P_NONE, pass_over),
    DO(P_DEVICE, "SourceContext", P_NONE, pass_over),
    GO(P_DEVICE, "SampleRef", P_SAMPLE),
    DO(P_DEVICE, NULL, P_MEMBER, begin_member),
    DO(P_MEMBER, "Manual", P_NONE, set_member_value),
    GO(P_MEMBER, "MidiControllerRange", P_RANGE),
    DO(P_MEMBER, "AutomationTarget", P_NONE, end_parameter),
    DO(P_MEMBER, "ParameterName", P_NONE, set_member_name),
    DO(P_MEMBER, "Name", P_NONE, set_member_name),
    GO(P_MEMBER, "SampleRef", P_SAMPLE),
    DO(P_MEMBER, NULL, P_MEMBER, begin_member),
    DO(P_RANGE, "Min", P_NONE, set_member_min),
    DO(P_RANGE, "Max", P_NONE, set_member_max),
    DO(P_PLUGIN, NULL, P_PLUGIN_INFO, begin_plugin),
    DO(P_PLUGIN_INFO, "PlugName", P_NONE, set_plugin_name),
    DO(P_PLUGIN_INFO, "Name", P_NONE, set_plugin_name),
    GO(P_PATCH, "Value", P_PATCH),
    GO(P_PATCH, "MxPatchRef", P_PATCH),
    GO(P_PATCH, "MxDPatchRef", P_PATCH),
    GO(P_PATCH, "FileRef", P_PATCH),
    DO(P_PATCH, "Path", P_NONE, set_patch_name),
    DO(P_PATCH, "Name", P_NONE, set_patch_name),
    DO(P_BRANCHES, NULL, P_BRANCH, begin_branch),
    DO(P_BRANCH, "Name", P_NAME, begin_name),
    DO(P_BRANCH, "Color", P_NONE, set_color),
    DO(P_BRANCH, "ColorIndex", P_NONE, set_color),
    SET(P_BRANCH, "IsSoloed", IS_SOLOED),
    GO(P_BRANCH, "DeviceChain", P_BRANCH_CHAIN),
    DO(P_BRANCH, "MixerDevice", P_MIXER, begin_mixer),
    GO(P_BRANCH_CHAIN, NULL, P_CHAIN),
    DO(P_SAMPLE, "FileRef", P_FILE, begin_file),
    SET(P_FILE, "Name", NAME),
    SET(P_FILE, "Path", PATH),
    SET(P_FILE, "Type", REF_TYPE),
    SET(P_FILE, "OriginalCrc", HASH),
    GO(P_FILE, "RelativePath", P_FILE_FOLDERS),
    DO(P_FILE_FOLDERS, "RelativePathElement", P_NONE, add_folder),
};
#undef SET
#undef GO
#undef FOR
#undef DO

static uint16_t row_first[P_COUNT + 1]; /* see find_row */

/* The rows of a place, found once: the table is grouped by place. */
__attribute__((constructor)) static void index_rows(void)
{
    size_t row = 0;
    for (unsigned place = 0; place <= P_COUNT; place++) {
        while (row < sizeof rows / sizeof rows[0] && rows[row].place < place) row++;
        row_first[place] = (uint16_t)row;
    }
}

static const als_row *find_row(uint8_t place, const char *name)
{
    for (size_t i = row_first[place]; i < row_first[place + 1]; i++)
        if (rows[i].name == NULL || (rows[i].name[0] == name[0] && strcmp(rows[i].name, name) == 0)) return &rows[i];
    return NULL;
}

static void push(als_reader *reader, als_frame frame)
{
    if (reader->depth == SL_ALS_DEPTH_MAX)
        (void)als_fail(reader, SL_ERR_REFUSED, "elements nested more than %d deep", SL_ALS_DEPTH_MAX);
    else
        reader->frames[reader->depth++] = frame;
}

void als_begin_element(als_reader *reader, const char *name, als_words words)
{
    if (reader->err != SL_OK) return;
    const als_frame *above = &reader->frames[reader->depth - 1];
    const als_row *row = reader->skipped == 0 ? find_row(above->place, name) : NULL;
    sl_node *node = above->node;
    uint32_t name_length = reader->path_length;
    if (row != NULL && row->act != NULL) row->act(reader, name, words, &node);
    if (row != NULL && row->act == NULL && row->next == P_NONE)
        als_set_text(reader, node, (sl_attribute)row->attribute, value_of(words));
    if (row == NULL || row->next == P_NONE || node == NULL) {
        if (++reader->skipped > SL_ALS_DEPTH_MAX)
            (void)als_fail(reader, SL_ERR_REFUSED, "elements nested more than %d deep", SL_ALS_DEPTH_MAX);
        return;
    }
    push(reader,
         (als_frame){.place = row->next, .attribute = row->attribute, .name_length = name_length, .node = node});
}

void als_end_element(als_reader *reader)
{
    if (reader->err != SL_OK) return;
    if (reader->skipped > 0) {
        reader->skipped--;
        return;
    }
    als_frame frame = reader->frames[--reader->depth];
    reader->path_length = frame.name_length;
    switch (frame.place) {
    case P_SENDS: end_list(reader, frame.node, SL_ATTRIBUTE_SENDS); break;
    case P_SEND_HOLDER: end_send(reader); break;
    case P_NOTES: end_notes(reader, frame.node); break;
    case P_ENVELOPE: end_envelope(reader, frame.node); break;
    case P_FILE: end_file(reader, frame.node); break;
    default: break;
    }
}

sl_err als_open(als_reader *reader)
{
    sl_text_open(&reader->text, sl_heap_memory());
    sl_text_open(&reader->file_path, sl_heap_memory());
    sl_err err = sl_tree_create(reader->memory, &reader->tree);
    if (err != SL_OK) return err;
    push(reader, (als_frame){.place = P_DOCUMENT, .node = sl_tree_project(reader->tree)});
    return SL_OK;
}

void als_close(als_reader *reader)
{
    sl_text_close(&reader->text);
    sl_text_close(&reader->file_path);
    free(reader->notes.items);
    free(reader->targets.items);
    free(reader->envelopes.items);
    sl_tree_destroy(reader->tree);
}

/* The end. */

static int compare_targets(const void *left, const void *right)
{
    const als_target *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static void name_target(als_reader *reader, sl_node *automation, const als_target *target)
{
    if (target->parameter == NULL) {
        als_set_text(reader, automation, SL_ATTRIBUTE_TARGET, target->label);
        return;
    }
    sl_node *parameter = target->parameter;
    als_set(reader, parameter, SL_ATTRIBUTE_IS_AUTOMATED, sl_value_bool(true));
    sl_value device = sl_node_value(sl_node_parent(parameter), SL_ATTRIBUTE_NAME);
    sl_value name = sl_node_value(parameter, SL_ATTRIBUTE_NAME);
    sl_text *text = &reader->text;
    sl_text_clear(text);
    sl_text_bytes(text, device.as.text, device.length);
    sl_text_string(text, "/");
    sl_text_bytes(text, name.as.text, name.length);
    if (text->bad) (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
    als_set(reader, automation, SL_ATTRIBUTE_TARGET, sl_value_text(text->bytes, text->length));
}

/* Automation tells whom it moves by Live's id, before or after that one is known. */
static void resolve_envelopes(als_reader *reader)
{
    als_target *targets = reader->targets.items;
    const als_envelope *envelopes = reader->envelopes.items;
    if (reader->targets.count == 0 || reader->envelopes.count == 0) return;
    qsort(targets, reader->targets.count, sizeof *targets, compare_targets);
    for (size_t i = 0; i < reader->envelopes.count; i++) {
        als_target wanted = {.id = envelopes[i].target};
        const als_target *found = bsearch(&wanted, targets, reader->targets.count, sizeof *targets, compare_targets);
        if (found != NULL) name_target(reader, envelopes[i].automation, found);
    }
}

/* Slots without a scene get one: nothing is dropped. */
static void complete_scenes(als_reader *reader)
{
    sl_node *project = sl_tree_project(reader->tree);
    uint32_t slots_max = 0;
    for (uint32_t t = 0; t < sl_node_child_count(project, SL_NODE_TRACK); t++) {
        uint32_t slots = sl_node_child_count(sl_node_child(project, SL_NODE_TRACK, t), SL_NODE_CLIP_SLOT);
        if (slots > slots_max) slots_max = slots;
    }
    while (reader->err == SL_OK && sl_node_child_count(project, SL_NODE_SCENE) < slots_max)
        (void)als_add(reader, project, SL_NODE_SCENE, "made");
}

sl_err als_finish(als_reader *reader)
{
    if (reader->err == SL_OK && !reader->has_set)
        (void)als_fail(reader, SL_ERR_REFUSED, "XML, but no Live set: no Ableton/LiveSet in it");
    if (reader->err == SL_OK) resolve_envelopes(reader);
    if (reader->err == SL_OK) complete_scenes(reader);
    return reader->err;
}
