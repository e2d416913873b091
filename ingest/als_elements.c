/*
 * What the elements of a Live set mean: a table of places, each with the elements that matter there. Everything else is
 * passed over at the price of a counter. Where the versions of Live differ, both names stand in the table: SceneNames
 * (to 10) and Scenes, ColorIndex (to 10) and Color, MasterTrack and MxDPatchRef (to 11), MainTrack and MxPatchRef.
 */
#include "core/heap.h"
#include "ingest/als_actions.h"

#include <stdlib.h>

typedef struct als_row {
    const char *name; /* NULL: any */
    als_action *act;  /* NULL: with P_NONE, sets the attribute; else nothing */
    uint8_t place;
    uint8_t next; /* P_NONE: only its Value matters, or nothing below it does */
    uint8_t attribute;
} als_row;

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
#define DO(in, tag, to, als_what)                                                                                      \
    {                                                                                                                  \
        .place = (in), .name = (tag), .next = (to), .attribute = SL_ATTRIBUTE_COUNT, .act = (als_what)                 \
    }

/* Grouped by place, in the order of als_place. */
static const als_row rows[] = {
    DO(P_DOCUMENT, "Ableton", P_ABLETON, als_begin_ableton),
    DO(P_ABLETON, "LiveSet", P_SET, als_begin_set),
    GO(P_SET, "Tracks", P_TRACKS),
    DO(P_SET, "MasterTrack", P_TRACK, als_begin_track),
    DO(P_SET, "MainTrack", P_TRACK, als_begin_track),
    GO(P_SET, "Scenes", P_SCENES),
    GO(P_SET, "SceneNames", P_SCENES),
    GO(P_SET, "Locators", P_LOCATORS_OUTER),
    GO(P_LOCATORS_OUTER, "Locators", P_LOCATORS),
    DO(P_LOCATORS, NULL, P_LOCATOR, als_begin_locator),
    SET(P_LOCATOR, "Name", NAME),
    SET(P_LOCATOR, "Time", TIME),
    SET(P_LOCATOR, "Annotation", ANNOTATION),
    DO(P_SCENES, NULL, P_SCENE, als_begin_scene),
    SET(P_SCENE, "Name", NAME),
    SET(P_SCENE, "Annotation", ANNOTATION),
    DO(P_SCENE, "Color", P_NONE, als_set_color),
    DO(P_SCENE, "ColorIndex", P_NONE, als_set_color),
    SET(P_SCENE, "Tempo", TEMPO),
    SET(P_SCENE, "IsTempoEnabled", IS_TEMPO_ENABLED),
    SET(P_SCENE, "TimeSignatureId", TIME_SIGNATURE_ID),
    SET(P_SCENE, "IsTimeSignatureEnabled", IS_TIME_SIGNATURE_ENABLED),
    DO(P_TRACKS, NULL, P_TRACK, als_begin_track),
    DO(P_TRACK, "Name", P_NAME, als_begin_name),
    DO(P_TRACK, "Color", P_NONE, als_set_color),
    DO(P_TRACK, "ColorIndex", P_NONE, als_set_color),
    DO(P_TRACK, "TrackGroupId", P_NONE, als_set_group),
    SET(P_TRACK, "Freeze", IS_FROZEN),
    GO(P_TRACK, "AutomationEnvelopes", P_ENVELOPES_OUTER),
    GO(P_TRACK, "DeviceChain", P_TRACK_CHAIN),
    GO(P_TRACK, "MasterChain", P_TRACK_CHAIN),
    SET(P_NAME, "EffectiveName", NAME),
    FOR(P_TRACK_CHAIN, "AudioInputRouting", P_ROUTING, AUDIO_INPUT),
    FOR(P_TRACK_CHAIN, "AudioOutputRouting", P_ROUTING, AUDIO_OUTPUT),
    FOR(P_TRACK_CHAIN, "MidiInputRouting", P_ROUTING, MIDI_INPUT),
    FOR(P_TRACK_CHAIN, "MidiOutputRouting", P_ROUTING, MIDI_OUTPUT),
    DO(P_TRACK_CHAIN, "Mixer", P_MIXER, als_begin_mixer),
    GO(P_TRACK_CHAIN, "MainSequencer", P_SEQUENCER),
    GO(P_TRACK_CHAIN, "DeviceChain", P_CHAIN),
    DO(P_ROUTING, "Target", P_NONE, als_set_manual),
    FOR(P_MIXER, "Volume", P_VALUE, VOLUME),
    FOR(P_MIXER, "Pan", P_VALUE, PAN),
    FOR(P_MIXER, "Panorama", P_VALUE, PAN),
    GO(P_MIXER, "Speaker", P_SPEAKER),
    DO(P_MIXER, "SoloSink", P_NONE, als_set_solo),
    DO(P_MIXER, "CrossFadeState", P_CROSSFADE, als_set_crossfader),
    DO(P_MIXER, "Sends", P_SENDS, als_begin_sends),
    GO(P_MIXER, "Tempo", P_TEMPO),
    GO(P_MIXER, "TimeSignature", P_SIGNATURE),
    DO(P_VALUE, "Manual", P_NONE, als_set_manual),
    DO(P_VALUE, "AutomationTarget", P_NONE, als_note_target),
    DO(P_SPEAKER, "Manual", P_NONE, als_set_mute),
    DO(P_SPEAKER, "AutomationTarget", P_NONE, als_note_target),
    DO(P_CROSSFADE, "Manual", P_NONE, als_set_crossfader),
    DO(P_CROSSFADE, "AutomationTarget", P_NONE, als_note_target),
    DO(P_TEMPO, "Manual", P_NONE, als_set_tempo),
    DO(P_TEMPO, "AutomationTarget", P_NONE, als_note_target),
    DO(P_SIGNATURE, "Manual", P_NONE, als_set_signature),
    DO(P_SIGNATURE, "AutomationTarget", P_NONE, als_note_target),
    DO(P_SENDS, NULL, P_SEND_HOLDER, als_begin_send),
    GO(P_SEND_HOLDER, "Send", P_SEND),
    DO(P_SEND_HOLDER, "Active", P_NONE, als_set_send_active),
    DO(P_SEND, "Manual", P_NONE, als_set_send_level),
    DO(P_SEND, "AutomationTarget", P_NONE, als_note_target),
    GO(P_SEQUENCER, "ClipSlotList", P_SLOTS),
    GO(P_SEQUENCER, "ClipTimeable", P_TIMELINE),
    GO(P_SEQUENCER, "Sample", P_TIMELINE),
    GO(P_SEQUENCER, "Recorder", P_RECORDER),
    SET(P_RECORDER, "IsArmed", IS_ARMED),
    DO(P_SLOTS, NULL, P_SLOT, als_begin_slot),
    GO(P_SLOT, "ClipSlot", P_SLOT_INNER),
    SET(P_SLOT, "HasStop", HAS_STOP_BUTTON),
    GO(P_SLOT_INNER, "Value", P_SLOT_VALUE),
    DO(P_SLOT_VALUE, NULL, P_CLIP, als_begin_clip),
    GO(P_TIMELINE, "ArrangerAutomation", P_ARRANGER),
    GO(P_ARRANGER, "Events", P_ARRANGEMENT),
    DO(P_ARRANGEMENT, NULL, P_CLIP, als_begin_arrangement_clip),
    SET(P_CLIP, "Name", NAME),
    SET(P_CLIP, "CurrentStart", START_TIME),
    SET(P_CLIP, "CurrentEnd", END_TIME),
    DO(P_CLIP, "Color", P_NONE, als_set_color),
    DO(P_CLIP, "ColorIndex", P_NONE, als_set_color),
    SET(P_CLIP, "Disabled", IS_MUTED),
    SET(P_CLIP, "IsWarped", IS_WARPED),
    SET(P_CLIP, "WarpMode", WARP_MODE),
    GO(P_CLIP, "Loop", P_CLIP_LOOP),
    GO(P_CLIP, "SampleRef", P_SAMPLE),
    DO(P_CLIP, "Notes", P_NOTES, als_begin_notes),
    GO(P_CLIP, "Envelopes", P_ENVELOPES_OUTER),
    SET(P_CLIP_LOOP, "LoopStart", LOOP_START),
    SET(P_CLIP_LOOP, "LoopEnd", LOOP_END),
    SET(P_CLIP_LOOP, "LoopOn", IS_LOOPED),
    GO(P_NOTES, "KeyTracks", P_KEY_TRACKS),
    DO(P_KEY_TRACKS, NULL, P_KEY_TRACK, als_begin_key_track),
    GO(P_KEY_TRACK, "Notes", P_KEY_NOTES),
    DO(P_KEY_TRACK, "MidiKey", P_NONE, als_set_key),
    DO(P_KEY_NOTES, NULL, P_NONE, als_add_note),
    GO(P_ENVELOPES_OUTER, "Envelopes", P_ENVELOPES),
    DO(P_ENVELOPES, NULL, P_ENVELOPE, als_begin_envelope),
    GO(P_ENVELOPE, "EnvelopeTarget", P_ENVELOPE_TARGET),
    GO(P_ENVELOPE, "Automation", P_AUTOMATION),
    DO(P_ENVELOPE_TARGET, "PointeeId", P_NONE, als_set_pointee),
    GO(P_AUTOMATION, "Events", P_POINTS),
    DO(P_POINTS, NULL, P_NONE, als_add_point),
    GO(P_CHAIN, "Devices", P_DEVICES),
    DO(P_DEVICES, NULL, P_DEVICE, als_begin_device),
    DO(P_DEVICE, "UserName", P_NONE, als_set_user_name),
    FOR(P_DEVICE, "On", P_VALUE, IS_ENABLED),
    GO(P_DEVICE, "Branches", P_BRANCHES),
    GO(P_DEVICE, "ReturnBranches", P_BRANCHES),
    GO(P_DEVICE, "PluginDesc", P_PLUGIN),
    GO(P_DEVICE, "PatchSlot", P_PATCH),
    DO(P_DEVICE, "LastPresetRef", P_NONE, als_pass_over),
    DO(P_DEVICE, "SourceContext", P_NONE, als_pass_over),
    GO(P_DEVICE, "SampleRef", P_SAMPLE),
    DO(P_DEVICE, NULL, P_MEMBER, als_begin_member),
    DO(P_MEMBER, "Manual", P_NONE, als_set_member_value),
    GO(P_MEMBER, "MidiControllerRange", P_RANGE),
    DO(P_MEMBER, "AutomationTarget", P_NONE, als_end_parameter),
    DO(P_MEMBER, "ParameterName", P_NONE, als_set_member_name),
    DO(P_MEMBER, "Name", P_NONE, als_set_member_name),
    GO(P_MEMBER, "SampleRef", P_SAMPLE),
    DO(P_MEMBER, NULL, P_MEMBER, als_begin_member),
    DO(P_RANGE, "Min", P_NONE, als_set_member_min),
    DO(P_RANGE, "Max", P_NONE, als_set_member_max),
    DO(P_PLUGIN, NULL, P_PLUGIN_INFO, als_begin_plugin),
    DO(P_PLUGIN_INFO, "PlugName", P_NONE, als_set_plugin_name),
    DO(P_PLUGIN_INFO, "Name", P_NONE, als_set_plugin_name),
    GO(P_PATCH, "Value", P_PATCH),
    GO(P_PATCH, "MxPatchRef", P_PATCH),
    GO(P_PATCH, "MxDPatchRef", P_PATCH),
    GO(P_PATCH, "FileRef", P_PATCH),
    DO(P_PATCH, "Path", P_NONE, als_set_patch_name),
    DO(P_PATCH, "Name", P_NONE, als_set_patch_name),
    DO(P_BRANCHES, NULL, P_BRANCH, als_begin_branch),
    DO(P_BRANCH, "Name", P_NAME, als_begin_name),
    DO(P_BRANCH, "Color", P_NONE, als_set_color),
    DO(P_BRANCH, "ColorIndex", P_NONE, als_set_color),
    SET(P_BRANCH, "IsSoloed", IS_SOLOED),
    GO(P_BRANCH, "DeviceChain", P_BRANCH_CHAIN),
    DO(P_BRANCH, "MixerDevice", P_MIXER, als_begin_mixer),
    GO(P_BRANCH_CHAIN, NULL, P_CHAIN),
    DO(P_SAMPLE, "FileRef", P_FILE, als_begin_file),
    SET(P_FILE, "Name", NAME),
    SET(P_FILE, "Path", PATH),
    SET(P_FILE, "Type", REF_TYPE),
    SET(P_FILE, "OriginalCrc", HASH),
    GO(P_FILE, "RelativePath", P_FILE_FOLDERS),
    DO(P_FILE_FOLDERS, "RelativePathElement", P_NONE, als_add_folder),
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
        als_set_text(reader, node, (sl_attribute)row->attribute, als_value_of(words));
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
    case P_SENDS: als_end_list(reader, frame.node, SL_ATTRIBUTE_SENDS); break;
    case P_SEND_HOLDER: als_end_send(reader); break;
    case P_NOTES: als_end_notes(reader, frame.node); break;
    case P_ENVELOPE: als_end_envelope(reader, frame.node); break;
    case P_FILE: als_end_file(reader, frame.node); break;
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
