/* The set of a Live file, its locators, scenes, tracks and mixers. */
#include "ingest/als_actions.h"

#include <stdio.h>

/* The set. */

void als_begin_ableton(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *version = als_word(words, "MinorVersion"), *creator = als_word(words, "Creator");
    if (version != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_VERSION, version);
    if (creator != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_CREATOR, creator);
}

void als_begin_set(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->has_set = true;
}

/* Presets and where they came from: other files' business. */
void als_pass_over(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)reader, (void)name, (void)words, (void)node;
}

void als_begin_locator(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_LOCATOR, als_id_of(words));
}

/* In Live 10 the scene's name is its own Value. */
void als_begin_scene(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *title = als_word(words, "Value");
    *node = als_add(reader, *node, SL_NODE_SCENE, als_id_of(words));
    if (*node != NULL && title != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_NAME, title);
}

void als_set_color(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    int32_t color = als_color(als_value_of(words));
    if (color >= 0) als_set(reader, *node, SL_ATTRIBUTE_COLOR, sl_value_int(color));
}

/* Tracks. */

void als_begin_track(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    static const char *const types[][2] = {{"AudioTrack", "audio"},   {"MidiTrack", "midi"},
                                           {"GroupTrack", "group"},   {"ReturnTrack", "return"},
                                           {"MasterTrack", "master"}, {"MainTrack", "master"}};
    const char *type = name;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i][0], name) == 0) type = types[i][1];
    bool is_master = strcmp(type, "master") == 0;
    *node = als_add(reader, *node, SL_NODE_TRACK, is_master ? "master" : als_id_of(words));
    if (*node != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_TYPE, type);
}

/* Live 8 has the name here; later ones have it inside. */
void als_begin_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *value = als_word(words, "Value");
    if (value != NULL) als_set_text(reader, *node, SL_ATTRIBUTE_NAME, value);
}

void als_set_group(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    uint64_t group;
    char id[40];
    if (!als_read_id(als_value_of(words), &group)) return; /* -1: none */
    snprintf(id, sizeof id, "track-live-%llu", (unsigned long long)group);
    als_set_text(reader, *node, SL_ATTRIBUTE_GROUP, id);
}

/* Mixers. */

void als_begin_mixer(als_reader *reader, const char *name, als_words words, sl_node **node)
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

void als_set_solo(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    set_mixer(reader, *node, SL_ATTRIBUTE_IS_SOLOED, sl_value_bool(als_bool(als_value_of(words))));
}

/* The speaker is on where the track is not muted. */
void als_set_mute(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    set_mixer(reader, *node, SL_ATTRIBUTE_IS_MUTED, sl_value_bool(!als_bool(als_value_of(words))));
}

/* The track's volume is on another scale than the file's, so it stays what live events said. */
void als_set_manual(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    sl_attribute attribute = (sl_attribute)reader->frames[reader->depth - 1].attribute;
    als_set_text(reader, *node, attribute, als_value_of(words));
    const sl_node *parent = sl_node_parent(*node);
    if (attribute == SL_ATTRIBUTE_PAN && parent != NULL && parent->type == SL_NODE_TRACK)
        als_set_text(reader, sl_node_parent(*node), attribute, als_value_of(words));
}

void als_note_target(als_reader *reader, const char *name, als_words words, sl_node **node)
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
    als_add_target(reader, als_id_of(words), NULL, label);
}

void als_set_crossfader(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    static const char *const sides[] = {"A", "none", "B"};
    double number;
    if (als_number(als_value_of(words), &number) && number >= 0 && number <= 2)
        als_set_text(reader, *node, SL_ATTRIBUTE_CROSSFADER, sides[(size_t)number]);
}

void als_set_tempo(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    als_set_text(reader, sl_tree_project(reader->tree), SL_ATTRIBUTE_TEMPO, als_value_of(words));
}

/* Live numbers them: numerator - 1, and 99 for each doubling of the denominator. */
void als_set_signature(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    double number;
    if (!als_number(als_value_of(words), &number) || number < 0 || number >= 99 * 5) return;
    unsigned id = (unsigned)number;
    char text[16];
    snprintf(text, sizeof text, "%u/%u", id % 99 + 1, 1u << (id / 99));
    als_set_text(reader, sl_tree_project(reader->tree), SL_ATTRIBUTE_TIME_SIGNATURE, text);
}

void als_begin_sends(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->send_count = 0;
    sl_text_clear(&reader->text);
    sl_text_string(&reader->text, "[");
}

void als_begin_send(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->send_level = 0;
    reader->send_is_active = true;
}

void als_set_send_level(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    double level;
    if (als_number(als_value_of(words), &level)) reader->send_level = level;
}

void als_set_send_active(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    reader->send_is_active = als_bool(als_value_of(words));
}

void als_end_send(als_reader *reader)
{
    sl_text *text = &reader->text;
    sl_text_string(text, reader->send_count > 0 ? ",{\"index\":" : "{\"index\":");
    sl_text_u64(text, reader->send_count++);
    sl_text_string(text, ",\"level\":");
    sl_text_double(text, reader->send_level);
    sl_text_string(text, reader->send_is_active ? ",\"is_active\":true}" : ",\"is_active\":false}");
}
