/*
 * The OSC messages of Live: the table of paths (core/TREE.md), how their arguments are read, and those that
 * set one attribute. live_track.c, live_clip.c and live_scene.c have the others.
 */
#include "core/live.h"

#include "core/code.h"

#include <assert.h>
#include <string.h>

typedef sl_err (*apply_function)(sl_state *state, const sl_live *live);

/* `arguments`: i index or number, f float, b boolean, s text, B blob; what follows '?' may be left out. */
typedef struct sl_live_row {
    const char *path;
    size_t path_length;
    const char *arguments;
    apply_function apply;
    sl_attribute attribute; /* the one that is set, for the functions that set one */
    sl_change_type change;
} live_row;

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

sl_err sl_live_set_attribute(sl_state *state, sl_node *node, const sl_live *live)
{
    if (node == NULL) return sl_live_no_such_index(state);
    return sl_state_set(state, node, live->row->change, live->row->attribute, value_of(live));
}

/* What is new is a person's last word, and live code follows it. */
static sl_err set_project(sl_state *state, const sl_live *live)
{
    sl_node *project = sl_tree_project(state->tree);
    sl_value value = value_of(live), old = sl_node_value(project, live->row->attribute);
    bool is_same = sl_value_equal(&value, &old);
    sl_err err = sl_live_set_attribute(state, project, live);
    return err != SL_OK || is_same ? err : sl_code_follow(state, live->row->attribute, value);
}

static sl_err set_track(sl_state *state, const sl_live *live)
{
    return sl_live_set_attribute(state, sl_live_find_track(state, live), live);
}

static sl_err set_device(sl_state *state, const sl_live *live)
{
    return sl_live_set_attribute(state, sl_live_find_device(state, live), live);
}

static sl_err set_scene(sl_state *state, const sl_live *live)
{
    return sl_live_set_attribute(state, sl_live_find_scene(state, live->arguments[0].integer), live);
}

static sl_err set_slot(sl_state *state, const sl_live *live)
{
    return sl_live_set_attribute(state, sl_live_find_slot(state, live), live);
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
    sl_state_tell_message(state, SL_EFFECT_LIVE_EVENT);
    return SL_OK;
}

/* For the feed alone. */
static sl_err begin_group(sl_state *state, const sl_live *live)
{
    (void)live;
    sl_state_tell_message(state, SL_EFFECT_GROUP_BEGIN);
    return SL_OK;
}

static sl_err end_group(sl_state *state, const sl_live *live)
{
    (void)live;
    sl_state_tell_message(state, SL_EFFECT_GROUP_END);
    return SL_OK;
}

/* A part of a snapshot: after the last one, the sender's events wait for the picture. */
static sl_err take_part(sl_state *state, const sl_live *live)
{
    const int64_t count = live->arguments[2].integer;
    if (count < 1 || count > UINT32_MAX || live->arguments[1].integer != count - 1) return SL_OK;
    if (state->is_answered) return SL_OK;
    sl_hold *hold = &state->sender->hold;
    hold->is_waiting = true;
    hold->part_count = (uint64_t)count;
    hold->last_part = state->seq_num;
    return SL_OK;
}

static sl_err hear_session(sl_state *state, const sl_live *live)
{
    sl_source *source = &state->sender->source;
    source->has_said = true;
    source->said_session = (uint64_t)live->arguments[0].integer;
    return SL_OK;
}

static sl_err hear_heartbeat(sl_state *state, const sl_live *live)
{
    (void)hear_session(state, live);
    sl_turn_hear(state, (uint64_t)live->arguments[1].integer);
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
    {PATH("/live/track/added"), "is?s", sl_live_add_track, 0, 0},
    {PATH("/live/track/deleted"), "i", sl_live_delete_track, 0, 0},
    {PATH("/live/device/added"), "iis?s", sl_live_add_device, 0, 0},
    {PATH("/live/device/deleted"), "ii", sl_live_delete_device, 0, 0},
    {PATH("/live/device/param"), "iiif", sl_live_set_parameter, SL_ATTRIBUTE_VALUE, SL_CHANGE_STATE},
    {PATH("/live/device/enabled"), "iib", SET(device, IS_ENABLED), SL_CHANGE_STATE},
    {PATH("/live/clip_slot/created"), "iibbi", sl_live_create_slot, 0, 0},
    {PATH("/live/clip_slot/has_stop"), "iib", SET(slot, HAS_STOP_BUTTON), SL_CHANGE_STATE},
    {PATH("/live/clip_slot/playing_status"), "iii", sl_live_set_playing_status, 0, 0},
    {PATH("/live/clip_slot/color"), "iii", SET(slot, COLOR), SL_CHANGE_STATE},
    {PATH("/live/clip/added"), "iis", sl_live_add_clip, 0, 0},
    {PATH("/live/clip/removed"), "ii", sl_live_delete_clip, 0, 0},
    {PATH("/live/clip/name"), "iis", sl_live_set_clip, SL_ATTRIBUTE_NAME, SL_CHANGE_MODIFIED},
    {PATH("/live/clip/color"), "iii", sl_live_set_clip, SL_ATTRIBUTE_COLOR, SL_CHANGE_STATE},
    {PATH("/live/clip/muted"), "iib", sl_live_set_clip, SL_ATTRIBUTE_IS_MUTED, SL_CHANGE_STATE},
    {PATH("/live/clip/looping"), "iib", sl_live_set_clip, SL_ATTRIBUTE_IS_LOOPED, SL_CHANGE_STATE},
    {PATH("/live/clip/triggered"), "ii", sl_live_trigger_clip, 0, 0},
    {PATH("/live/clip/stopped"), "ii", sl_live_stop_clip, 0, 0},
    {PATH("/live/clip/deleted"), "ii", sl_live_delete_clip, 0, 0},
    {PATH("/live/scene/added"), "is", sl_live_add_scene, 0, 0},
    {PATH("/live/scene/removed"), "i", sl_live_remove_scene, 0, 0},
    {PATH("/live/scene/renamed"), "is", SET(scene, NAME), SL_CHANGE_MODIFIED},
    {PATH("/live/scene/reordered"), "is", reorder_scene, 0, 0},
    {PATH("/live/scene/color"), "ii", SET(scene, COLOR), SL_CHANGE_STATE},
    {PATH("/live/scene/triggered"), "i", sl_live_trigger_scene, 0, 0},
    {PATH("/live/transport/play"), "b", SET(project, IS_PLAYING), SL_CHANGE_STATE},
    {PATH("/live/transport/tempo"), "f", SET(project, TEMPO), SL_CHANGE_STATE},
    {PATH("/live/transport/position"), "f", SET(project, POSITION), SL_CHANGE_STATE},
    {PATH("/live/cursor/track"), "i?is", tell_live_event, 0, 0},
    {PATH("/live/cursor/scene"), "i", tell_live_event, 0, 0},
    {PATH("/live/cursor/clip_slot"), "iiiii", tell_live_event, 0, 0},
    {PATH("/live/batch/start"), "i", begin_group, 0, 0},
    {PATH("/live/batch/end"), "i", end_group, 0, 0},
    {PATH("/symlog/hello"), "issi", hear_session, 0, 0},
    {PATH("/symlog/heartbeat"), "ii", hear_heartbeat, 0, 0},
    {PATH("/symlog/resend"), "ii", do_nothing, 0, 0},
    {PATH("/symlog/snapshot"), "iiiB", take_part, 0, 0},
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
    static_assert(sizeof state->paths == PATH_MASK + 1 && ROW_COUNT < PATH_MASK / 2, "room to probe");
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
        return is_integer && (given->integer & ~INT64_C(1)) == 0 ? SL_REFUSAL_NONE : SL_REFUSAL_TYPES;
    case 'f':
        if (is_integer)
            out->number = (double)given->integer;
        else if (tag != 'f' && tag != 'd')
            return SL_REFUSAL_TYPES;
        return out->number - out->number == 0.0 ? SL_REFUSAL_NONE : SL_REFUSAL_FINITE;
    case 's':
        out->text = (const char *)given->bytes;
        out->length = given->length;
        return tag == 's' || tag == 'S' ? SL_REFUSAL_NONE : SL_REFUSAL_TYPES;
    case 'B': return tag == 'b' ? SL_REFUSAL_NONE : SL_REFUSAL_TYPES;
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
sl_run_effect sl_live_run_effect(const sl_osc_message *message, const sl_live *live)
{
    static const char of_peers[] = "/symlog/";
    if (strncmp(message->address, of_peers, sizeof of_peers - 1) == 0) return SL_RUN_GOES_ON;
    if (live->row == NULL) return SL_RUN_ENDS;
    if (live->row->apply == sl_live_add_scene) return SL_RUN_DROPPED;
    return live->row->apply == reorder_scene ? SL_RUN_GOES_ON : SL_RUN_ENDS;
}

sl_err sl_live_apply(sl_state *state, const sl_live *live)
{
    return live->row->apply(state, live);
}
