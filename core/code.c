/* Live code's events, and the session's subtree. Only what an event changes is set: so only that is told. */
#include "core/code.h"

#include "core/json.h"
#include "core/text.h"

#include <string.h>

static const char session_id[] = "session";

static double beats(uint32_t ticks)
{
    return (double)ticks / (double)SL_TICKS_PER_BEAT;
}

static sl_err set(sl_state *state, sl_node *node, sl_attribute attribute, sl_value value)
{
    return sl_state_set(state, node, SL_CHANGE_MODIFIED, attribute, value);
}

static sl_err note_added(sl_state *state, const sl_node *node)
{
    return sl_state_change(state, (sl_change){.type = SL_CHANGE_ADDED, .node = node});
}

static sl_err remove_node(sl_state *state, sl_node *node)
{
    sl_change change = {
        .type = SL_CHANGE_REMOVED, .node = node, .parent = sl_node_parent(node), .position = sl_node_position(node)};
    sl_tree_remove(state->tree, node, true);
    return sl_state_change(state, change);
}

static sl_value quantize_value(sl_quantize quantize)
{
    const char *name = quantize == SL_QUANTIZE_OFF ? "off" : quantize == SL_QUANTIZE_BEAT ? "beat" : "bar";
    return sl_value_text(name, strlen(name));
}

/* The session begins with what the others told: the groove box, if it plays; else with Live's tempo. */
static sl_err begin_session(sl_state *state)
{
    bool is_playing = sl_state_awaits_mark(state);
    sl_err err = sl_schedule_create(state->memory, &state->schedule);
    if (err != SL_OK) return err;
    sl_node *project = sl_tree_project(state->tree);
    double bpm = sl_code_first_bpm(state);
    sl_schedule_begin(state->schedule, bpm);
    err = sl_code_begin_groove(state);
    if (err != SL_OK) return err;
    sl_node *same = sl_tree_find(state->tree, session_id, strlen(session_id));
    if (same != NULL) err = remove_node(state, same); /* of a picture made of symlog's own tree */
    sl_node *node;
    if (err == SL_OK)
        err = sl_tree_insert(state->tree, project, SL_NODE_SESSION, 0, (sl_id){session_id, strlen(session_id)}, &node);
    if (err != SL_OK) return err;
    state->session = node;
    err = sl_tree_set(state->tree, node, SL_ATTRIBUTE_TEMPO, sl_value_float(bpm), NULL, NULL);
    if (err == SL_OK)
        err = sl_tree_set(state->tree, node, SL_ATTRIBUTE_IS_PLAYING, sl_value_bool(is_playing), NULL, NULL);
    if (err == SL_OK)
        err = sl_tree_set(state->tree, node, SL_ATTRIBUTE_QUANTIZE, quantize_value(SL_QUANTIZE_BAR), NULL, NULL);
    return err == SL_OK ? note_added(state, node) : err;
}

/* What is no JSON is no value; "" neither. */
static sl_value json_value(const char *bytes, size_t length)
{
    if (length == 0 || !sl_json_check(bytes, length)) return sl_value_null();
    return (sl_value){.type = SL_VALUE_JSON, .length = (uint32_t)length, .as.text = bytes};
}

/* [{"name":…,"params":…},…] */
static sl_err set_effects(sl_state *state, sl_node *node, const sl_code_track *track)
{
    sl_text text;
    sl_text_open(&text, state->memory);
    sl_reader reader = {.bytes = track->effects, .length = track->effects_length};
    for (unsigned i = 0; i < track->effect_count; i++) {
        size_t name_length, params_length;
        const char *name = sl_read_text(&reader, &name_length), *params = sl_read_text(&reader, &params_length);
        bool is_json = params_length > 0 && sl_json_check(params, params_length);
        sl_text_string(&text, i == 0 ? "[{\"name\":" : ",{\"name\":");
        sl_text_json(&text, name, name_length);
        sl_text_string(&text, ",\"params\":");
        sl_text_bytes(&text, is_json ? params : "null", is_json ? params_length : strlen("null"));
        sl_text_string(&text, "}");
    }
    if (track->effect_count > 0) sl_text_string(&text, "]");
    sl_err err = text.bad ? SL_ERR_MEMORY : SL_OK;
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_EFFECTS, json_value(text.bytes, text.length));
    sl_text_close(&text);
    return err;
}

static sl_err set_clip(sl_state *state, sl_node *node, const sl_part_clip *clip)
{
    sl_value name = clip->name_length > 0 ? sl_value_text(clip->name, clip->name_length) : sl_value_null();
    sl_err err = set(state, node, SL_ATTRIBUTE_NAME, name);
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_START_TIME, sl_value_float(beats(clip->start)));
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_END_TIME, sl_value_float(beats(clip->start + clip->length)));
    return err == SL_OK ? set(state, node, SL_ATTRIBUTE_NOTE_COUNT, sl_value_int(clip->note_count)) : err;
}

/* Adds a node whose attributes are set without being told one by one: it is told as a whole. */
static sl_err add_node(sl_state *state, sl_node *parent, sl_node_type type, uint32_t position, sl_node **out)
{
    char id[SL_ID_BYTES_MAX];
    size_t length = sl_state_make_id(state, type, id);
    return sl_tree_insert(state->tree, parent, type, position, (sl_id){id, length}, out);
}

static sl_err match_clips(sl_state *state, sl_node *node, const sl_part *part)
{
    const sl_output *output = state->output;
    sl_err err = SL_OK;
    uint32_t count = sl_node_child_count(node, SL_NODE_CODE_CLIP);
    for (uint32_t i = count; i-- > part->clip_count && err == SL_OK;)
        err = remove_node(state, sl_node_child(node, SL_NODE_CODE_CLIP, i));
    for (uint32_t i = 0; i < part->clip_count && err == SL_OK; i++) {
        sl_node *clip = sl_node_child(node, SL_NODE_CODE_CLIP, i);
        if (clip != NULL) {
            err = set_clip(state, clip, &part->clips[i]);
            continue;
        }
        err = add_node(state, node, SL_NODE_CODE_CLIP, i, &clip);
        state->output = NULL;
        if (err == SL_OK) err = set_clip(state, clip, &part->clips[i]);
        state->output = output;
        if (err == SL_OK) err = note_added(state, clip);
    }
    return err;
}

static sl_err set_track(sl_state *state, sl_node *node, const sl_code_track *track, bool is_stopped)
{
    bool has_instrument = track->instrument_length > 0;
    sl_value instrument = has_instrument ? sl_value_text(track->instrument, track->instrument_length) : sl_value_null();
    sl_value channel = track->channel > 0 ? sl_value_int(track->channel) : sl_value_null();
    sl_err err = set(state, node, SL_ATTRIBUTE_NAME, sl_value_text(track->name, track->name_length));
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_CHANNEL, channel);
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_INSTRUMENT, instrument);
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_PARAMS, json_value(track->params, track->params_length));
    if (err == SL_OK) err = set_effects(state, node, track);
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_IS_PLAYING, sl_value_bool(!is_stopped));
    if (err == SL_OK) err = set(state, node, SL_ATTRIBUTE_NOTE_COUNT, sl_value_int(track->part->note_count));
    return err == SL_OK ? set(state, node, SL_ATTRIBUTE_LENGTH, sl_value_float(beats(track->part->length))) : err;
}

static bool is_named(const sl_node *node, const sl_code_track *track)
{
    sl_value name = sl_node_value(node, SL_ATTRIBUTE_NAME);
    return name.type == SL_VALUE_TEXT && name.length == track->name_length &&
           memcmp(name.as.text, track->name, track->name_length) == 0;
}

static sl_err add_track(sl_state *state, uint32_t position, const sl_code_track *track, bool is_stopped)
{
    const sl_output *output = state->output;
    sl_node *node;
    sl_err err = add_node(state, state->session, SL_NODE_CODE_TRACK, position, &node);
    state->output = NULL;
    if (err == SL_OK) err = set_track(state, node, track, is_stopped);
    state->output = output;
    if (err == SL_OK) err = note_added(state, node);
    return err == SL_OK ? match_clips(state, node, track->part) : err;
}

/* Tracks whose name is gone go first; then each place gets its track, unless it has it. */
static sl_err match_tracks(sl_state *state, const sl_session_diff *diff)
{
    sl_node *session = state->session;
    sl_err err = SL_OK;
    for (uint32_t i = sl_node_child_count(session, SL_NODE_CODE_TRACK); i-- > 0 && err == SL_OK;) {
        sl_node *node = sl_node_child(session, SL_NODE_CODE_TRACK, i);
        sl_value name = sl_node_value(node, SL_ATTRIBUTE_NAME);
        if (!sl_schedule_has_track(state->schedule, name.as.text, name.length, i)) err = remove_node(state, node);
    }
    uint32_t count = sl_schedule_track_count(state->schedule);
    for (uint32_t i = 0; i < count && err == SL_OK; i++) {
        const sl_code_track *track = sl_schedule_track(state->schedule, i);
        bool is_stopped = sl_schedule_track_is_stopped(state->schedule, i);
        sl_node *node = sl_node_child(session, SL_NODE_CODE_TRACK, i);
        if (node == NULL || !is_named(node, track)) {
            for (uint32_t j = i + 1; node != NULL && j < sl_node_child_count(session, SL_NODE_CODE_TRACK); j++) {
                sl_node *later = sl_node_child(session, SL_NODE_CODE_TRACK, j);
                if (!is_named(later, track)) continue;
                err = remove_node(state, later); /* it stands elsewhere now */
                break;
            }
            if (err == SL_OK) err = add_track(state, i, track, is_stopped);
        } else if (sl_session_diff_has(diff, track, is_stopped, i)) {
            err = set_track(state, node, track, is_stopped);
            if (err == SL_OK) err = match_clips(state, node, track->part);
        }
    }
    return err;
}

static sl_err set_signature(sl_state *state)
{
    uint8_t numerator, denominator;
    if (!sl_schedule_session_signature(state->schedule, &numerator, &denominator)) return SL_OK;
    char text[8];
    size_t length = 0;
    if (numerator >= 10) text[length++] = (char)('0' + numerator / 10);
    text[length++] = (char)('0' + numerator % 10);
    text[length++] = '/';
    if (denominator >= 10) text[length++] = (char)('0' + denominator / 10);
    text[length++] = (char)('0' + denominator % 10);
    return set(state, state->session, SL_ATTRIBUTE_TIME_SIGNATURE, sl_value_text(text, length));
}

/* Brings the session's node up to what the schedule says it is, where an event changed it. */
static sl_err match_session(sl_state *state, const sl_session_diff *diff)
{
    double bpm = sl_schedule_session_bpm(state->schedule);
    sl_err err = SL_OK;
    if (bpm > 0 && sl_session_diff_bpm(diff, bpm))
        err = set(state, state->session, SL_ATTRIBUTE_TEMPO, sl_value_float(bpm));
    if (err == SL_OK) err = set_signature(state);
    return err == SL_OK ? match_tracks(state, diff) : err;
}

static sl_err take_transport(sl_state *state, const sl_event *event)
{
    sl_transport transport;
    if (sl_transport_decode(event, &transport) != SL_OK) return SL_OK; /* counted already */
    sl_node *session = state->session;
    sl_value is_playing = sl_value_bool(transport.action == SL_TRANSPORT_PLAY);
    switch ((sl_transport_action)transport.action) {
    case SL_TRANSPORT_STOP:
        if (transport.track_length > 0) return SL_OK;
        return sl_state_set(state, session, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_PLAYING, is_playing);
    case SL_TRANSPORT_PLAY:
    case SL_TRANSPORT_PAUSE:
    case SL_TRANSPORT_PANIC: return sl_state_set(state, session, SL_CHANGE_STATE, SL_ATTRIBUTE_IS_PLAYING, is_playing);
    case SL_TRANSPORT_TEMPO:
        return sl_state_set(state, session, SL_CHANGE_STATE, SL_ATTRIBUTE_TEMPO, sl_value_float(transport.value));
    case SL_TRANSPORT_QUANTIZE:
        return set(state, session, SL_ATTRIBUTE_QUANTIZE, quantize_value((sl_quantize)transport.quantize));
    case SL_TRANSPORT_UNDO:
    case SL_TRANSPORT_REDO:
    case SL_TRANSPORT_CHANNEL:
    case SL_TRANSPORT_INSTRUMENT:
    case SL_TRANSPORT_EFFECT: break;
    }
    return SL_OK;
}

sl_err sl_code_take(sl_state *state, const sl_event *event)
{
    sl_err err = state->schedule == NULL ? begin_session(state) : SL_OK;
    if (err != SL_OK) return err;
    sl_session_diff diff = sl_session_diff_begin(state->schedule);
    const char *what;
    err = sl_schedule_take(state->schedule, event, &what);
    bool is_taken = err == SL_OK;
    if (err == SL_ERR_REFUSED) {
        sl_state_refuse(state, event->kind == SL_KIND_TRANSPORT ? SL_REFUSAL_INDEX : SL_REFUSAL_MALFORMED);
        err = SL_OK;
    } else if (err == SL_OK && event->kind == SL_KIND_TRANSPORT) {
        err = take_transport(state, event);
    } else if (err == SL_OK && event->kind == SL_KIND_APPLIED) {
        state->mark_wall_ns = state->wall_ns + (int64_t)event->time_ns;
    }
    bool is_answer = event->kind == SL_KIND_SCORE && event->version == SL_SCORE_VERSION && event->length >= 8;
    if (is_answer) sl_buffers_answer(state, sl_get_le(event->payload, 8), is_taken);
    if (err == SL_OK && sl_session_diff_is_any(&diff, state->schedule)) err = match_session(state, &diff);
    sl_session_diff_end(state->schedule, &diff);
    return err;
}

sl_err sl_code_give(sl_state *state, sl_follow follow)
{
    /* The event's own number, also where it released others that were held: inputs come in the log's order. */
    sl_err err = sl_schedule_follow(state->schedule, state->seq, &follow);
    if (err != SL_OK) return err;
    if (state->follow_count == state->follow_capacity) {
        uint32_t capacity = state->follow_capacity == 0 ? 16 : state->follow_capacity * 2;
        size_t old_size = state->follow_capacity * sizeof *state->follows;
        sl_follow *follows =
            state->memory.resize(state->memory.ctx, state->follows, old_size, capacity * sizeof *follows);
        if (follows == NULL) return SL_ERR_MEMORY;
        state->follows = follows;
        state->follow_capacity = capacity;
    }
    state->follows[state->follow_count++] = follow;
    return SL_OK;
}

sl_err sl_code_follow(sl_state *state, sl_attribute attribute, sl_value value)
{
    if (state->schedule == NULL || state->is_again) return SL_OK;
    sl_follow follow = {.type = value.as.integer != 0 ? SL_FOLLOW_PLAY : SL_FOLLOW_STOP};
    if (attribute == SL_ATTRIBUTE_TEMPO)
        follow = (sl_follow){.type = SL_FOLLOW_TEMPO, .value = value.as.number};
    else if (attribute != SL_ATTRIBUTE_IS_PLAYING)
        return SL_OK;
    if (follow.type == SL_FOLLOW_TEMPO && !(follow.value >= 1 && follow.value <= 1000)) return SL_OK;
    sl_err err = sl_code_give(state, follow);
    return err == SL_OK ? sl_state_set(state, state->session, SL_CHANGE_STATE, attribute, value) : err;
}

/* Copies a node of the former tree, which is buried with the next event, and all below it. */
static sl_err copy_node(sl_state *state, const sl_node *from, sl_node *parent, uint32_t position, sl_node **out)
{
    sl_node_type type = (sl_node_type)from->type;
    sl_err err = sl_tree_insert(state->tree, parent, type, position, (sl_id){from->id, from->id_length}, out);
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes(type, &count);
    for (size_t i = 0; i < count && err == SL_OK; i++)
        if (from->values[i].type != SL_VALUE_ABSENT)
            err = sl_tree_set(state->tree, *out, attributes[i], from->values[i], NULL, NULL);
    return err;
}

/* Takes the id out of the way of one that a picture chose. */
static void make_way(sl_state *state, const sl_node *node)
{
    sl_node *same = sl_tree_find(state->tree, node->id, node->id_length);
    if (same != NULL && sl_node_parent(same) != NULL) sl_tree_remove(state->tree, same, true);
}

sl_err sl_code_carry(sl_state *state)
{
    const sl_node *former = state->session;
    if (former == NULL) return SL_OK;
    sl_node *project = sl_tree_project(state->tree), *session, *track, *clip;
    while (sl_node_child_count(project, SL_NODE_SESSION) > 0)
        sl_tree_remove(state->tree, sl_node_child(project, SL_NODE_SESSION, 0), true);
    make_way(state, former);
    sl_err err = copy_node(state, former, project, 0, &session);
    for (uint32_t i = 0; i < sl_node_child_count(former, SL_NODE_CODE_TRACK) && err == SL_OK; i++) {
        const sl_node *from = sl_node_child(former, SL_NODE_CODE_TRACK, i);
        make_way(state, from);
        err = copy_node(state, from, session, i, &track);
        for (uint32_t j = 0; j < sl_node_child_count(from, SL_NODE_CODE_CLIP) && err == SL_OK; j++) {
            make_way(state, sl_node_child(from, SL_NODE_CODE_CLIP, j));
            err = copy_node(state, sl_node_child(from, SL_NODE_CODE_CLIP, j), track, j, &clip);
        }
    }
    if (err == SL_OK) state->session = session;
    return err;
}

sl_err sl_code_load(sl_state *state, sl_reader *reader)
{
    return sl_schedule_decode(reader, state->memory, &state->schedule);
}

sl_err sl_code_find_session(sl_state *state)
{
    if (state->schedule == NULL) return SL_OK;
    state->session = sl_node_child(sl_tree_project(state->tree), SL_NODE_SESSION, 0);
    if (state->session == NULL) return SL_ERR_MALFORMED;
    uint32_t count = sl_node_child_count(state->session, SL_NODE_CODE_TRACK);
    if (count != sl_schedule_track_count(state->schedule)) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++)
        if (!is_named(sl_node_child(state->session, SL_NODE_CODE_TRACK, i), sl_schedule_track(state->schedule, i)))
            return SL_ERR_MALFORMED;
    return SL_OK;
}
