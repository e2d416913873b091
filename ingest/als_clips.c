/* Slots, clips, notes and automation of a Live file. */
#include "ingest/als_actions.h"

#include <stdio.h>
#include <stdlib.h>

/* Slots and clips. */

void als_begin_slot(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_CLIP_SLOT, als_id_of(words));
    if (*node != NULL) als_set(reader, *node, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(false));
}

static void describe_clip(als_reader *reader, const char *name, sl_node *clip)
{
    const char *type = strcmp(name, "AudioClip") == 0 ? "audio" : strcmp(name, "MidiClip") == 0 ? "midi" : name;
    als_set_text(reader, clip, SL_ATTRIBUTE_CLIP_TYPE, type);
    reader->notes.count = 0;
}

void als_begin_clip(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    als_set(reader, *node, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(true));
    bool is_first = sl_node_child_count(*node, SL_NODE_CLIP) == 0;
    *node = is_first ? als_add(reader, *node, SL_NODE_CLIP, als_id_of(words)) : NULL;
    if (*node != NULL) describe_clip(reader, name, *node);
}

void als_begin_arrangement_clip(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    *node = als_add(reader, *node, SL_NODE_ARRANGEMENT_CLIP, als_id_of(words));
    if (*node != NULL) describe_clip(reader, name, *node);
}

void als_begin_notes(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->notes.count = 0;
}

void als_begin_key_track(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words, (void)node;
    reader->key_first = reader->notes.count;
}

void als_add_note(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    const char *time = als_word(words, "Time"), *duration = als_word(words, "Duration"),
               *velocity = als_word(words, "Velocity");
    const char *is_enabled = als_word(words, "IsEnabled");
    als_note *note = als_push(reader, &reader->notes, sizeof *note);
    if (note == NULL) return;
    note->is_enabled = is_enabled == NULL || als_bool(is_enabled);
    if (time == NULL || !als_number(time, &note->start)) note->start = 0;
    if (duration == NULL || !als_number(duration, &note->duration)) note->duration = 0;
    if (velocity == NULL || !als_number(velocity, &note->velocity)) note->velocity = 0;
}

/* Stands behind the notes whose key it is. */
void als_set_key(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    double key;
    if (!als_number(als_value_of(words), &key) || key < 0 || key > 127) return;
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

void als_end_notes(als_reader *reader, sl_node *clip)
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
    als_end_list(reader, clip, SL_ATTRIBUTE_NOTES);
    als_set(reader, clip, SL_ATTRIBUTE_NOTE_COUNT, sl_value_int((int64_t)reader->notes.count));
}

/* Automation. */

void als_begin_envelope(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_AUTOMATION, als_id_of(words));
    reader->point_count = 0;
    sl_text_clear(&reader->text);
    sl_text_string(&reader->text, "[");
}

void als_set_pointee(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    uint64_t target;
    if (!als_read_id(als_value_of(words), &target)) return;
    als_envelope *envelope = als_push(reader, &reader->envelopes, sizeof *envelope);
    if (envelope != NULL) *envelope = (als_envelope){.target = target, .automation = *node};
}

/* The one before all time (-63072000) says what holds until the first point. */
void als_add_point(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    static const double before_all = -63072000;
    const char *time_text = als_word(words, "Time");
    const char *value_text = als_value_of(words);
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

void als_end_envelope(als_reader *reader, sl_node *automation)
{
    als_end_list(reader, automation, SL_ATTRIBUTE_POINTS);
    als_set(reader, automation, SL_ATTRIBUTE_POINT_COUNT, sl_value_int(reader->point_count));
}
