/*
 * The OSC messages of Live: the table of paths (core/TREE.md), how their arguments are read, and what those do that
 * set one attribute or touch one node. Scene order is in scene_order.c.
 */
#include "core/state.h"

#include <assert.h>
#include <string.h>

enum { PARAMETER_POSITION_MAX = 4096, STATUS_STOPPED = 0, STATUS_PLAYING = 1, STATUS_TRIGGERED = 2 };

typedef sl_err (*apply_function)(sl_state *state, const sl_live *live);

/* `arguments`: i index or number, f float, b boolean, s text; what follows '?' may be left out. */
typedef struct sl_live_row {
    const char *path;
    size_t path_length;
    const char *arguments;
    apply_function apply;
    sl_attribute attribute; /* the one that is set, for the functions that set one */
    sl_change_type change;
} live_row;

/* Finding nodes. NULL where there is none. */

static sl_node *child_at(const sl_node *parent, sl_node_type type, int64_t position)
{
    if (parent == NULL || position < 0 || position >= SL_POSITION_MAX) return NULL;
    return sl_node_child(parent, type, (uint32_t)position);
}

static sl_node *find_track(const sl_state *state, const sl_live *live)
{
    return child_at(sl_tree_project(state->tree), SL_NODE_TRACK, live->arguments[0].integer);
}

static sl_node *find_device(const sl_state *state, const sl_live *live)
{
    return child_at(find_track(state, live), SL_NODE_DEVICE, live->arguments[1].integer);
}

static sl_node *find_scene(const sl_state *state, int64_t position)
{
    return child_at(sl_tree_project(state->tree), SL_NODE_SCENE, position);
}

static sl_node *find_slot(const sl_state *state, const sl_live *live)
{
    return child_at(find_track(state, live), SL_NODE_CLIP_SLOT, live->arguments[1].integer);
}

static sl_err no_such_index(sl_state *state)
{
    sl_state_refuse(state, SL_REFUSAL_INDEX);
    return SL_OK;
}

/* Adding nodes. */

/* Inserts a node, or puts a clip_slot at its place, with an id made from the present message. */
static sl_err add_node(sl_state *state, sl_node *parent, sl_node_type type, uint32_t position,
                       sl_node **out)
{
    char id[SL_ID_BYTES_MAX];
    size_t length = sl_state_make_id(state, type, id);
    if (type == SL_NODE_CLIP_SLOT)
        return sl_tree_place(state->tree, parent, type, position, id, length, out);
    return sl_tree_insert(state->tree, parent, type, position, id, length, out);
}

static sl_err note_added(sl_state *state, const sl_node *node)
{
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_ADDED, .node = node});
}

static sl_err set_text(sl_state *state, sl_node *node, sl_attribute attribute,
                       const sl_live_argument *text)
{
    if (!text->is_given) return SL_OK;
    return sl_tree_set(state->tree, node, attribute, sl_value_text(text->text, text->length), NULL,
                       NULL);
}

/* Takes a node out and notes it; its place closes up if `close`. */
static sl_err remove_node(sl_state *state, sl_node *node, bool close)
{
    sl_change change = {.type = SL_CHANGE_REMOVED,
                        .node = node,
                        .parent = sl_node_parent(node),
                        .position = sl_node_position(node)};
    sl_tree_remove(state->tree, node, close);
    return sl_state_change(state, change);
}

/* Tells that what stands from `position` on has moved `by`; nothing if nothing stands there. */
static sl_err note_shifted(sl_state *state, sl_node_type child, uint32_t position, int8_t by)
{
    const sl_node *project = sl_tree_project(state->tree);
    if (position >= sl_node_child_count(project, child)) return SL_OK;
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_SHIFTED,
                                              .node = project,
                                              .child = (uint8_t)child,
                                              .position = position,
                                              .by = by});
}

/* Setting one attribute. */

/* The message's last argument as a value of the row's attribute. */
static sl_value value_of(const sl_live *live)
{
    const sl_live_argument *argument = &live->arguments[live->argument_count - 1];
    switch (sl_schema_value_type(live->row->attribute)) {
    case SL_VALUE_BOOL: return sl_value_bool(argument->integer != 0);
    case SL_VALUE_INT: return sl_value_int(argument->integer);
    case SL_VALUE_FLOAT: return sl_value_float(argument->number);
    case SL_VALUE_TEXT: return sl_value_text(argument->text, argument->length);
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL:
    case SL_VALUE_JSON: break;
    }
    assert(false);
    return sl_value_null();
}

static sl_err set_attribute(sl_state *state, sl_node *node, const sl_live *live)
{
    if (node == NULL) return no_such_index(state);
    return sl_state_set(state, node, live->row->change, live->row->attribute, value_of(live));
}

static sl_err set_project(sl_state *state, const sl_live *live)
{
    return set_attribute(state, sl_tree_project(state->tree), live);
}

static sl_err set_track(sl_state *state, const sl_live *live)
{
    return set_attribute(state, find_track(state, live), live);
}

static sl_err set_device(sl_state *state, const sl_live *live)
{
    return set_attribute(state, find_device(state, live), live);
}

static sl_err set_scene(sl_state *state, const sl_live *live)
{
    return set_attribute(state, find_scene(state, live->arguments[0].integer), live);
}

static sl_err set_slot(sl_state *state, const sl_live *live)
{
    return set_attribute(state, find_slot(state, live), live);
}

static bool is_true(const sl_node *node, sl_attribute attribute)
{
    sl_value value = sl_node_value(node, attribute);
    return value.type == SL_VALUE_BOOL && value.as.integer != 0;
}

/* A clip that Live has but never described is added first, as a parameter is. */
static sl_err set_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = find_slot(state, live);
    if (slot == NULL) return no_such_index(state);
    sl_node *clip = sl_node_child(slot, SL_NODE_CLIP, 0);
    if (clip == NULL) {
        if (!is_true(slot, SL_ATTRIBUTE_HAS_CLIP)) return no_such_index(state);
        sl_err err = add_node(state, slot, SL_NODE_CLIP, 0, &clip);
        if (err == SL_OK) err = note_added(state, clip);
        if (err != SL_OK) return err;
        sl_state_tell_diff(state);
    }
    return set_attribute(state, clip, live);
}

/* Tracks. */

static sl_err add_track(sl_state *state, const sl_live *live)
{
    sl_node *project = sl_tree_project(state->tree);
    int64_t position = live->arguments[0].integer;
    if (position < 0 || position > sl_node_child_count(project, SL_NODE_TRACK) ||
        position >= SL_POSITION_MAX)
        return no_such_index(state);
    sl_node *track;
    sl_err err = add_node(state, project, SL_NODE_TRACK, (uint32_t)position, &track);
    if (err == SL_OK) err = set_text(state, track, SL_ATTRIBUTE_NAME, &live->arguments[1]);
    if (err == SL_OK) err = set_text(state, track, SL_ATTRIBUTE_TYPE, &live->arguments[2]);
    if (err == SL_OK) err = note_shifted(state, SL_NODE_TRACK, (uint32_t)position + 1, 1);
    return err == SL_OK ? note_added(state, track) : err;
}

static sl_err delete_track(sl_state *state, const sl_live *live)
{
    sl_node *track = find_track(state, live);
    if (track == NULL) return no_such_index(state);
    sl_err err = remove_node(state, track, true);
    if (err != SL_OK) return err;
    return note_shifted(state, SL_NODE_TRACK, (uint32_t)live->arguments[0].integer, -1);
}

/* Devices. */

static sl_err add_device(sl_state *state, const sl_live *live)
{
    sl_node *track = find_track(state, live);
    int64_t position = live->arguments[1].integer;
    if (track == NULL || position < 0 || position > sl_node_child_count(track, SL_NODE_DEVICE) ||
        position >= SL_POSITION_MAX)
        return no_such_index(state);
    sl_node *device;
    sl_err err = add_node(state, track, SL_NODE_DEVICE, (uint32_t)position, &device);
    if (err == SL_OK) err = set_text(state, device, SL_ATTRIBUTE_NAME, &live->arguments[2]);
    if (err == SL_OK) err = set_text(state, device, SL_ATTRIBUTE_DEVICE_TYPE, &live->arguments[3]);
    return err == SL_OK ? note_added(state, device) : err;
}

static sl_err delete_device(sl_state *state, const sl_live *live)
{
    sl_node *device = find_device(state, live);
    if (device == NULL) return no_such_index(state);
    return remove_node(state, device, true);
}

static sl_err set_parameter(sl_state *state, const sl_live *live)
{
    sl_node *device = find_device(state, live);
    int64_t position = live->arguments[2].integer;
    if (device == NULL || position < 0 || position >= PARAMETER_POSITION_MAX)
        return no_such_index(state);
    uint32_t count = sl_node_child_count(device, SL_NODE_PARAMETER);
    for (; count <= position; count++) {
        sl_node *parameter;
        sl_err err = add_node(state, device, SL_NODE_PARAMETER, count, &parameter);
        if (err == SL_OK) err = note_added(state, parameter);
        if (err != SL_OK) return err;
    }
    sl_state_tell_diff(state);
    sl_node *parameter = sl_node_child(device, SL_NODE_PARAMETER, (uint32_t)position);
    return set_attribute(state, parameter, live);
}

/* Clip slots and clips. */

static sl_err set_status(sl_state *state, sl_node *slot, sl_change_type change, int64_t status)
{
    sl_err err = sl_state_set(state, slot, change, SL_ATTRIBUTE_PLAYING_STATUS, sl_value_int(status));
    if (err == SL_OK)
        err = sl_state_set(state, slot, change, SL_ATTRIBUTE_IS_PLAYING,
                           sl_value_bool(status == STATUS_PLAYING));
    if (err == SL_OK)
        err = sl_state_set(state, slot, change, SL_ATTRIBUTE_IS_TRIGGERED,
                           sl_value_bool(status == STATUS_TRIGGERED));
    return err;
}

static sl_err remove_clip(sl_state *state, const sl_node *slot)
{
    sl_node *clip = sl_node_child(slot, SL_NODE_CLIP, 0);
    return clip != NULL ? remove_node(state, clip, true) : SL_OK;
}

/* The node of a slot whose track and scene exist, made if there is none. NULL in *out: refused. */
static sl_err find_or_add_slot(sl_state *state, const sl_live *live, sl_node **out, bool *is_new)
{
    sl_node *track = find_track(state, live);
    *out = NULL;
    if (track == NULL || find_scene(state, live->arguments[1].integer) == NULL)
        return no_such_index(state);
    *out = find_slot(state, live);
    *is_new = *out == NULL;
    if (!*is_new) return SL_OK;
    return add_node(state, track, SL_NODE_CLIP_SLOT, (uint32_t)live->arguments[1].integer, out);
}

static sl_err create_slot(sl_state *state, const sl_live *live)
{
    sl_node *slot;
    bool is_new = false;
    sl_err err = find_or_add_slot(state, live, &slot, &is_new);
    if (err != SL_OK || slot == NULL) return err;
    bool has_clip = live->arguments[2].integer != 0;
    bool has_stop = live->arguments[3].integer != 0;
    const sl_output *output = state->output;
    if (is_new) state->output = NULL; /* its attributes are told with the node */
    if (!has_clip) err = remove_clip(state, slot);
    if (err == SL_OK)
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_CLIP,
                           sl_value_bool(has_clip));
    if (err == SL_OK)
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_STOP_BUTTON,
                           sl_value_bool(has_stop));
    if (err == SL_OK)
        err = set_status(state, slot, SL_CHANGE_MODIFIED, live->arguments[4].integer);
    state->output = output;
    return err == SL_OK && is_new ? note_added(state, slot) : err;
}

static sl_err set_playing_status(sl_state *state, const sl_live *live)
{
    sl_node *slot = find_slot(state, live);
    if (slot == NULL) return no_such_index(state);
    return set_status(state, slot, SL_CHANGE_STATE, live->arguments[2].integer);
}

static sl_err trigger_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = find_slot(state, live);
    if (slot == NULL) return no_such_index(state);
    return set_status(state, slot, SL_CHANGE_STATE, STATUS_TRIGGERED);
}

static sl_err stop_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = find_slot(state, live);
    if (slot == NULL) return no_such_index(state);
    return set_status(state, slot, SL_CHANGE_STATE, STATUS_STOPPED);
}

static sl_err add_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot;
    bool is_new = false;
    sl_err err = find_or_add_slot(state, live, &slot, &is_new);
    if (err != SL_OK || slot == NULL) return err;
    err = remove_clip(state, slot);
    if (err != SL_OK) return err;
    if (is_new) {
        err = sl_tree_set(state->tree, slot, SL_ATTRIBUTE_HAS_CLIP, sl_value_bool(true), NULL, NULL);
        if (err == SL_OK) err = note_added(state, slot);
    } else {
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_CLIP,
                           sl_value_bool(true));
    }
    if (err != SL_OK) return err;
    sl_node *clip;
    err = add_node(state, slot, SL_NODE_CLIP, 0, &clip);
    if (err == SL_OK) err = set_text(state, clip, SL_ATTRIBUTE_NAME, &live->arguments[2]);
    return err == SL_OK ? note_added(state, clip) : err;
}

static sl_err delete_clip(sl_state *state, const sl_live *live)
{
    sl_node *slot = find_slot(state, live);
    if (slot == NULL) return no_such_index(state);
    sl_err err = remove_clip(state, slot);
    if (err == SL_OK)
        err = sl_state_set(state, slot, SL_CHANGE_MODIFIED, SL_ATTRIBUTE_HAS_CLIP,
                           sl_value_bool(false));
    sl_value status = sl_node_value(slot, SL_ATTRIBUTE_PLAYING_STATUS);
    if (err != SL_OK || status.type == SL_VALUE_ABSENT || status.as.integer == 0) return err;
    return set_status(state, slot, SL_CHANGE_MODIFIED, STATUS_STOPPED);
}

/* Scenes. */

static sl_err add_scene(sl_state *state, const sl_live *live)
{
    sl_node *project = sl_tree_project(state->tree);
    int64_t position = live->arguments[0].integer;
    if (position < 0 || position > sl_node_child_count(project, SL_NODE_SCENE) ||
        position >= SL_POSITION_MAX)
        return no_such_index(state);
    uint32_t place = (uint32_t)position;
    sl_node *scene;
    sl_err err = add_node(state, project, SL_NODE_SCENE, place, &scene);
    if (err == SL_OK) err = set_text(state, scene, SL_ATTRIBUTE_NAME, &live->arguments[1]);
    uint32_t track_count = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t t = 0; t < track_count && err == SL_OK; t++) {
        sl_node *track = sl_node_child(project, SL_NODE_TRACK, t);
        err = sl_tree_open_place(state->tree, track, SL_NODE_CLIP_SLOT, place);
    }
    if (err == SL_OK) err = note_shifted(state, SL_NODE_SCENE, place + 1, 1);
    return err == SL_OK ? note_added(state, scene) : err;
}

static sl_err remove_scene(sl_state *state, const sl_live *live)
{
    sl_node *scene = find_scene(state, live->arguments[0].integer);
    if (scene == NULL) return no_such_index(state);
    uint32_t place = (uint32_t)live->arguments[0].integer;
    if (state->launched == scene) state->launched = NULL;
    sl_err err = remove_node(state, scene, true);
    const sl_node *project = sl_tree_project(state->tree);
    uint32_t track_count = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t t = 0; t < track_count && err == SL_OK; t++) {
        sl_node *track = sl_node_child(project, SL_NODE_TRACK, t);
        sl_node *slot = sl_node_child(track, SL_NODE_CLIP_SLOT, place);
        if (slot != NULL) err = remove_node(state, slot, true);
        else sl_tree_close_place(state->tree, track, SL_NODE_CLIP_SLOT, place);
    }
    return err == SL_OK ? note_shifted(state, SL_NODE_SCENE, place, -1) : err;
}

/* Launched last: the mark goes from one scene to another. A second launch is told again. */
static sl_err trigger_scene(sl_state *state, const sl_live *live)
{
    sl_node *scene = find_scene(state, live->arguments[0].integer);
    if (scene == NULL) return no_such_index(state);
    if (is_true(scene, SL_ATTRIBUTE_IS_TRIGGERED))
        return sl_state_change(state, (sl_change){.type = SL_CHANGE_STATE,
                                                  .node = scene,
                                                  .attribute = SL_ATTRIBUTE_IS_TRIGGERED,
                                                  .old_value = sl_value_bool(true),
                                                  .new_value = sl_value_bool(true)});
    sl_err err = SL_OK;
    if (state->launched != NULL)
        err = sl_state_set(state, state->launched, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_TRIGGERED,
                           sl_value_bool(false));
    if (err != SL_OK) return err;
    state->launched = scene;
    return sl_state_set(state, scene, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_TRIGGERED,
                        sl_value_bool(true));
}

static sl_err reorder_scene(sl_state *state, const sl_live *live)
{
    const sl_live_argument *name = &live->arguments[1];
    return sl_run_add(state, live->arguments[0].integer, name->text, name->length);
}

/* Told on as it is: the cursor is no part of the tree. */
static sl_err tell_live_event(sl_state *state, const sl_live *live)
{
    (void)live;
    sl_state_tell_live_event(state);
    return SL_OK;
}

/* A part of a snapshot: after the last one, the sender's events wait for the picture. */
static sl_err take_part(sl_state *state, const sl_live *live)
{
    if (live->arguments[1].integer == live->arguments[2].integer - 1)
        state->sender->hold.is_open = true;
    return SL_OK;
}

static sl_err do_nothing(sl_state *state, const sl_live *live)
{
    (void)state;
    (void)live;
    return SL_OK;
}

#define PATH(text) (text), sizeof(text) - 1
#define SET(what, attribute) set_##what, SL_ATTRIBUTE_##attribute
static const live_row rows[] = {
    {PATH("/live/track/renamed"), "is", SET(track, NAME), SL_CHANGE_MODIFIED},
    {PATH("/live/track/mute"), "ib", SET(track, IS_MUTED), SL_CHANGE_STATE},
    {PATH("/live/track/arm"), "ib", SET(track, IS_ARMED), SL_CHANGE_STATE},
    {PATH("/live/track/solo"), "ib", SET(track, IS_SOLOED), SL_CHANGE_STATE},
    {PATH("/live/track/volume"), "if", SET(track, VOLUME), SL_CHANGE_STATE},
    {PATH("/live/track/pan"), "if", SET(track, PAN), SL_CHANGE_STATE},
    {PATH("/live/track/color"), "ii", SET(track, COLOR), SL_CHANGE_STATE},
    {PATH("/live/track/added"), "is?s", add_track, 0, 0},
    {PATH("/live/track/deleted"), "i", delete_track, 0, 0},
    {PATH("/live/device/added"), "iis?s", add_device, 0, 0},
    {PATH("/live/device/deleted"), "ii", delete_device, 0, 0},
    {PATH("/live/device/param"), "iiif", SET(parameter, VALUE), SL_CHANGE_STATE},
    {PATH("/live/device/enabled"), "iib", SET(device, IS_ENABLED), SL_CHANGE_STATE},
    {PATH("/live/clip_slot/created"), "iibbi", create_slot, 0, 0},
    {PATH("/live/clip_slot/has_stop"), "iib", SET(slot, HAS_STOP_BUTTON), SL_CHANGE_STATE},
    {PATH("/live/clip_slot/playing_status"), "iii", set_playing_status, 0, 0},
    {PATH("/live/clip_slot/color"), "iii", SET(slot, COLOR), SL_CHANGE_STATE},
    {PATH("/live/clip/added"), "iis", add_clip, 0, 0},
    {PATH("/live/clip/removed"), "ii", delete_clip, 0, 0},
    {PATH("/live/clip/name"), "iis", SET(clip, NAME), SL_CHANGE_MODIFIED},
    {PATH("/live/clip/color"), "iii", SET(clip, COLOR), SL_CHANGE_STATE},
    {PATH("/live/clip/muted"), "iib", SET(clip, IS_MUTED), SL_CHANGE_STATE},
    {PATH("/live/clip/looping"), "iib", SET(clip, IS_LOOPED), SL_CHANGE_STATE},
    {PATH("/live/clip/triggered"), "ii", trigger_clip, 0, 0},
    {PATH("/live/clip/stopped"), "ii", stop_clip, 0, 0},
    {PATH("/live/clip/deleted"), "ii", delete_clip, 0, 0},
    {PATH("/live/scene/added"), "is", add_scene, 0, 0},
    {PATH("/live/scene/removed"), "i", remove_scene, 0, 0},
    {PATH("/live/scene/renamed"), "is", SET(scene, NAME), SL_CHANGE_MODIFIED},
    {PATH("/live/scene/reordered"), "is", reorder_scene, 0, 0},
    {PATH("/live/scene/color"), "ii", SET(scene, COLOR), SL_CHANGE_STATE},
    {PATH("/live/scene/triggered"), "i", trigger_scene, 0, 0},
    {PATH("/live/transport/play"), "b", SET(project, IS_PLAYING), SL_CHANGE_STATE},
    {PATH("/live/transport/tempo"), "f", SET(project, TEMPO), SL_CHANGE_STATE},
    {PATH("/live/transport/position"), "f", SET(project, POSITION), SL_CHANGE_STATE},
    {PATH("/live/cursor/track"), "i?is", tell_live_event, 0, 0},
    {PATH("/live/cursor/scene"), "i", tell_live_event, 0, 0},
    {PATH("/live/cursor/clip_slot"), "iiiii", tell_live_event, 0, 0},
    {PATH("/live/batch/start"), "i", do_nothing, 0, 0},
    {PATH("/live/batch/end"), "i", do_nothing, 0, 0},
    {PATH("/symlog/hello"), "issi", do_nothing, 0, 0},
    {PATH("/symlog/heartbeat"), "ii", do_nothing, 0, 0},
    {PATH("/symlog/resend"), "ii", do_nothing, 0, 0},
    {PATH("/symlog/snapshot"), "iii", take_part, 0, 0},
};
#undef PATH
#undef SET

enum { ROW_COUNT = sizeof rows / sizeof rows[0], PATH_MASK = 255 };

/* Reading messages. */

static size_t hash_path(const char *path, size_t length)
{
    return (size_t)sl_digest_bytes(path, length).low & PATH_MASK;
}

void sl_live_open(sl_state *state)
{
    assert(sizeof state->paths == PATH_MASK + 1 && ROW_COUNT < PATH_MASK / 2);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        size_t at = hash_path(rows[i].path, rows[i].path_length);
        while (state->paths[at] != 0) at = (at + 1) & PATH_MASK;
        state->paths[at] = (uint8_t)(i + 1);
    }
}

static const live_row *find_row(const sl_state *state, const sl_osc_message *message)
{
    size_t at = hash_path(message->address, message->address_length);
    for (; state->paths[at] != 0; at = (at + 1) & PATH_MASK) {
        const live_row *row = &rows[state->paths[at] - 1];
        if (row->path_length == message->address_length &&
            memcmp(row->path, message->address, message->address_length) == 0)
            return row;
    }
    return NULL;
}

/* Takes an argument as the table wants it. */
static sl_refusal read_argument(char wanted, const sl_osc_argument *given, sl_live_argument *out)
{
    char tag = given->tag;
    bool is_integer = tag == 'i' || tag == 'h';
    *out = (sl_live_argument){.is_given = true, .integer = given->integer, .number = given->number};
    switch (wanted) {
    case 'i': return is_integer ? SL_REFUSAL_NONE : SL_REFUSAL_TYPES;
    case 'b':
        if (tag == 'T' || tag == 'F') return SL_REFUSAL_NONE;
        return is_integer && (given->integer & ~INT64_C(1)) == 0 ? SL_REFUSAL_NONE
                                                                  : SL_REFUSAL_TYPES;
    case 'f':
        if (is_integer) out->number = (double)given->integer;
        else if (tag != 'f' && tag != 'd') return SL_REFUSAL_TYPES;
        return out->number - out->number == 0.0 ? SL_REFUSAL_NONE : SL_REFUSAL_FINITE;
    case 's':
        out->text = (const char *)given->bytes;
        out->length = given->length;
        return tag == 's' || tag == 'S' ? SL_REFUSAL_NONE : SL_REFUSAL_TYPES;
    default: assert(false); return SL_REFUSAL_TYPES;
    }
}

sl_refusal sl_live_read(const sl_state *state, const sl_osc_message *message, sl_live *out)
{
    out->row = find_row(state, message);
    if (out->row == NULL) return SL_REFUSAL_PATH;
    sl_osc_cursor cursor = sl_osc_arguments(message);
    sl_refusal finite = SL_REFUSAL_NONE;
    bool is_optional = false, is_over = false;
    size_t count = 0;
    for (const char *wanted = out->row->arguments; *wanted != '\0'; wanted++) {
        if (*wanted == '?') {
            is_optional = true;
            continue;
        }
        assert(count < SL_LIVE_ARGUMENTS_MAX);
        sl_live_argument *argument = &out->arguments[count++];
        sl_osc_argument given;
        is_over = is_over || !sl_osc_next(&cursor, &given);
        if (is_over && !is_optional) return SL_REFUSAL_TYPES;
        *argument = (sl_live_argument){0};
        if (is_over) continue;
        sl_refusal refusal = read_argument(*wanted, &given, argument);
        if (refusal == SL_REFUSAL_TYPES) return refusal;
        if (refusal != SL_REFUSAL_NONE) finite = refusal;
    }
    out->argument_count = count;
    return finite;
}

/* What symlog's peers say about the connection is no part of what the set does. */
sl_run_effect sl_live_run_effect(const sl_live *live)
{
    if (live->row == NULL) return SL_RUN_ENDS;
    if (live->row->apply == add_scene) return SL_RUN_DROPPED;
    bool goes_on = live->row->apply == reorder_scene || strncmp(live->row->path, "/symlog/", 8) == 0;
    return goes_on ? SL_RUN_GOES_ON : SL_RUN_ENDS;
}

sl_err sl_live_apply(sl_state *state, const sl_live *live)
{
    return live->row->apply(state, live);
}
