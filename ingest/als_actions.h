/*
 * What elements of a Live set do: the places and actions that the table of als_elements.c names. And the few ways in
 * which actions read an element's attributes.
 */
#ifndef SL_INGEST_ALS_ACTIONS_H
#define SL_INGEST_ALS_ACTIONS_H

#include "ingest/als_internal.h"

#include <string.h>

/* What may stand in an element. */
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
typedef void als_action(als_reader *reader, const char *name, als_words words, sl_node **node);

/* An attribute of the element; NULL: it has none so named. */
static inline const char *als_word(als_words words, const char *name)
{
    for (size_t i = 0; words[i] != NULL; i += 2)
        if (strcmp(words[i], name) == 0) return words[i + 1];
    return NULL;
}

/* "" where there is none; and so the next. */
static inline const char *als_value_of(als_words words)
{
    const char *value = als_word(words, "Value");
    return value != NULL ? value : "";
}

static inline const char *als_id_of(als_words words)
{
    const char *id = als_word(words, "Id");
    return id != NULL ? id : "";
}

/* False: no number. */
bool als_read_id(const char *text, uint64_t *id);

/* Automation can point at `parameter` (NULL: at what `label`, static, says) by this id. */
void als_add_target(als_reader *reader, const char *id, sl_node *parameter, const char *label);

/* The list that was written becomes the attribute. */
void als_end_list(als_reader *reader, sl_node *node, sl_attribute attribute);

/* als_tracks.c: the set, locators, scenes, tracks, mixers. */
als_action als_begin_ableton;
als_action als_begin_set;
als_action als_pass_over;
als_action als_begin_locator;
als_action als_begin_scene;
als_action als_set_color;
als_action als_begin_track;
als_action als_begin_name;
als_action als_set_group;
als_action als_begin_mixer;
als_action als_set_solo;
als_action als_set_mute;
als_action als_set_manual;
als_action als_note_target;
als_action als_set_crossfader;
als_action als_set_tempo;
als_action als_set_signature;
als_action als_begin_sends;
als_action als_begin_send;
als_action als_set_send_level;
als_action als_set_send_active;
void als_end_send(als_reader *reader);

/* als_clips.c: slots, clips, notes, automation. */
als_action als_begin_slot;
als_action als_begin_clip;
als_action als_begin_arrangement_clip;
als_action als_begin_notes;
als_action als_begin_key_track;
als_action als_add_note;
als_action als_set_key;
void als_end_notes(als_reader *reader, sl_node *clip);
als_action als_begin_envelope;
als_action als_set_pointee;
als_action als_add_point;
void als_end_envelope(als_reader *reader, sl_node *automation);

/* als_devices.c: devices, their parameters, chains, files. */
als_action als_begin_device;
als_action als_set_user_name;
als_action als_set_plugin_name;
als_action als_begin_plugin;
als_action als_set_patch_name;
als_action als_begin_member;
als_action als_set_member_name;
als_action als_set_member_value;
als_action als_set_member_min;
als_action als_set_member_max;
als_action als_end_parameter;
als_action als_begin_branch;
als_action als_begin_file;
als_action als_add_folder;
void als_end_file(als_reader *reader, sl_node *file);

#endif
