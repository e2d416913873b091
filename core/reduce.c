/* The reducer: applies events to the state, one after the other. */
#include "core/reduce.h"

#include "core/picture.h"
#include "core/state.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CHANGES = 64 };

/* Making and reading a state. */

static sl_err set_stale(sl_state *state, sl_value is_stale, sl_value reason)
{
    sl_node *project = sl_tree_project(state->tree);
    sl_err err = sl_tree_set(state->tree, project, SL_ATTRIBUTE_IS_STALE, is_stale, NULL, NULL);
    if (err != SL_OK) return err;
    return sl_tree_set(state->tree, project, SL_ATTRIBUTE_STALE_REASON, reason, NULL, NULL);
}

sl_err sl_state_create(sl_memory memory, sl_state **out)
{
    static const char reason[] = "no picture yet";
    sl_state *state = memory.resize(memory.ctx, NULL, 0, sizeof *state);
    if (state == NULL) return SL_ERR_MEMORY;
    memset(state, 0, sizeof *state);
    state->memory = memory;
    state->source_next = 1;
    sl_pool_open(&state->pool, memory);
    sl_live_open(state);
    sl_err err = sl_tree_create(memory, &state->tree);
    if (err == SL_OK)
        err = set_stale(state, sl_value_bool(true), sl_value_text(reason, strlen(reason)));
    if (err != SL_OK) {
        sl_state_destroy(state);
        return err;
    }
    *out = state;
    return SL_OK;
}

void sl_state_destroy(sl_state *state)
{
    if (state == NULL) return;
    sl_memory memory = state->memory;
    sl_tree_destroy(state->tree);
    sl_tree_destroy(state->former);
    sl_pool_close(&state->pool);
    memory.resize(memory.ctx, state, sizeof *state, 0);
}

uint64_t sl_state_seq(const sl_state *state)
{
    return state->seq;
}

sl_tree *sl_state_tree(sl_state *state)
{
    return state->tree;
}

const sl_tree *sl_state_tree_view(const sl_state *state)
{
    return state->tree;
}

uint32_t sl_state_source_next(const sl_state *state)
{
    return state->source_next;
}

uint64_t sl_state_kernel_drops(const sl_state *state)
{
    return state->kernel_drops;
}

uint64_t sl_state_refused_unnamed(const sl_state *state)
{
    return state->refused_unnamed;
}

int64_t sl_state_wall_ns(const sl_state *state)
{
    return state->wall_ns;
}

size_t sl_state_size_bytes(const sl_state *state)
{
    return sizeof *state + state->pool.size_bytes + sl_tree_size_bytes(state->tree);
}

const sl_source *sl_state_source_at(const sl_state *state, size_t index)
{
    return index < state->source_count ? &state->sources[index]->source : NULL;
}

const sl_source *sl_state_source(const sl_state *state, uint32_t number)
{
    for (uint32_t i = 0; i < state->source_count; i++)
        if (state->sources[i]->source.number == number) return &state->sources[i]->source;
    return NULL;
}

const char *sl_refusal_text(sl_refusal refusal)
{
    switch (refusal) {
    case SL_REFUSAL_NONE: return "none";
    case SL_REFUSAL_PATH: return "unknown path";
    case SL_REFUSAL_TYPES: return "wrong types";
    case SL_REFUSAL_FINITE: return "not a finite number";
    case SL_REFUSAL_INDEX: return "no such index";
    case SL_REFUSAL_BUNDLE: return "bundle refused";
    case SL_REFUSAL_MALFORMED: return "malformed payload";
    case SL_REFUSAL_COUNT: break;
    }
    return "unknown";
}

/* Sources. */

/* The longest silent source gives way to a new one. Its number is not used again. */
static void drop_silent_source(sl_state *state)
{
    uint32_t silent = 0;
    for (uint32_t i = 1; i < state->source_count; i++)
        if (state->sources[i]->seq_last < state->sources[silent]->seq_last) silent = i;
    sl_source_state *gone = state->sources[silent];
    sl_run_clear(state, &gone->run);
    sl_hold_clear(state, &gone->hold);
    sl_pool_give(&state->pool, gone, sizeof *gone);
    state->source_count--;
    memmove(&state->sources[silent], &state->sources[silent + 1],
            (state->source_count - silent) * sizeof(sl_source_state *));
}

/* The source of an event, made if it is new (an event of a source that nothing named is taken all the same). */
static sl_err find_sender(sl_state *state, const sl_event *event)
{
    uint32_t at = 0;
    while (at < state->source_count && state->sources[at]->source.number < event->source) at++;
    if (at == state->source_count || state->sources[at]->source.number != event->source) {
        if (state->source_count == SL_SOURCES_MAX) {
            drop_silent_source(state);
            return find_sender(state, event);
        }
        sl_source_state *made = sl_pool_take(&state->pool, sizeof *made);
        if (made == NULL) return SL_ERR_MEMORY;
        memset(made, 0, sizeof *made);
        made->source.number = event->source;
        made->source.session = event->session;
        made->source.counts.source = event->source;
        memmove(&state->sources[at + 1], &state->sources[at],
                (state->source_count - at) * sizeof(sl_source_state *));
        state->sources[at] = made;
        state->source_count++;
        if (event->source >= state->source_next && event->source < UINT32_MAX)
            state->source_next = event->source + 1;
    }
    state->sender = state->sources[at];
    state->sender->seq_last = event->seq;
    return SL_OK;
}

/* How far `number` is above `next`: mod 2^32 while both are 32-bit numbers, as a sender's counter wraps. */
static int64_t distance(uint64_t number, uint64_t next)
{
    if (number <= UINT32_MAX && next <= UINT32_MAX) return (int32_t)(uint32_t)(number - next);
    return (int64_t)(number - next);
}

static uint64_t number_after(uint64_t number, uint64_t count)
{
    return number <= UINT32_MAX ? (number + count) & UINT32_MAX : number + count;
}

/* Counts holes in the sender's numbers. `count` numbers begin with event->source_seq. */
static void count_numbers(sl_source_state *sender, const sl_event *event, uint64_t count)
{
    sl_source *source = &sender->source;
    if (event->source_seq == SL_SOURCE_SEQ_NONE) {
        source->unnumbered_count++;
        return;
    }
    int64_t ahead = sender->has_number ? distance(event->source_seq, source->next_source_seq) : 0;
    if (ahead > 0) {
        source->gaps++;
        source->gap_size_total += (uint64_t)ahead;
    }
    if (ahead < 0) return;
    sender->has_number = true;
    source->next_source_seq = number_after(event->source_seq, count);
}

/* Telling. */

sl_err sl_state_change(sl_state *state, sl_change change)
{
    if (state->output == NULL) return SL_OK;
    sl_diff *diff = &state->diff;
    if (diff->count == diff->capacity) {
        size_t capacity = diff->capacity == 0 ? FIRST_CHANGES : diff->capacity * 2;
        sl_change *changes = sl_pool_take(&state->pool, capacity * sizeof *changes);
        if (changes == NULL) return SL_ERR_MEMORY;
        if (diff->count > 0) memcpy(changes, state->changes, diff->count * sizeof *changes);
        sl_pool_give(&state->pool, state->changes, diff->capacity * sizeof *changes);
        state->changes = changes;
        diff->changes = changes;
        diff->capacity = capacity;
    }
    state->changes[diff->count++] = change;
    return SL_OK;
}

static void tell(sl_state *state, sl_effect effect)
{
    if (state->output == NULL) return;
    effect.event = state->event;
    effect.seq_num = state->seq_num;
    effect.timestamp = state->timestamp;
    effect.message = state->message;
    state->output->tell(state->output->ctx, state, &effect);
}

void sl_state_tell_diff(sl_state *state)
{
    if (state->diff.count == 0) return;
    tell(state, (sl_effect){.type = SL_EFFECT_DIFF, .diff = &state->diff});
    state->diff.count = 0;
}

void sl_state_tell_live_event(sl_state *state)
{
    tell(state, (sl_effect){.type = SL_EFFECT_LIVE_EVENT});
}

void sl_state_refuse(sl_state *state, sl_refusal refusal)
{
    state->sender->source.refused[refusal]++;
    tell(state, (sl_effect){.type = SL_EFFECT_REFUSED, .refusal = refusal});
}

sl_err sl_state_set(sl_state *state, sl_node *node, sl_change_type type, sl_attribute attribute,
                    sl_value value)
{
    sl_change change = {.type = (uint8_t)type, .node = node, .attribute = (uint8_t)attribute};
    bool is_changed;
    sl_err err =
        sl_tree_set(state->tree, node, attribute, value, &change.old_value, &is_changed);
    if (err != SL_OK || !is_changed) return err;
    change.new_value = sl_node_value(node, attribute);
    return sl_state_change(state, change);
}

/* Ids. */

static void write_decimal(sl_writer *writer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    sl_write_bytes(writer, digits + at, sizeof digits - at);
}

/* "SOURCE-SESSION-NUMBER" of the present message. */
static void write_origin(const sl_state *state, sl_writer *writer)
{
    write_decimal(writer, state->event->source);
    sl_write_bytes(writer, "-", 1);
    write_decimal(writer, state->event->session);
    sl_write_bytes(writer, "-", 1);
    bool is_numbered = state->seq_num != SL_SOURCE_SEQ_NONE;
    if (!is_numbered) sl_write_bytes(writer, "u", 1);
    write_decimal(writer, is_numbered ? state->seq_num : state->sender->source.unnumbered_count);
}

size_t sl_state_make_id(sl_state *state, sl_node_type type, char id[SL_ID_BYTES_MAX])
{
    sl_writer writer = {.bytes = (uint8_t *)id, .capacity = SL_ID_BYTES_MAX};
    const char *name = sl_schema_type_name(type);
    sl_write_bytes(&writer, name, strlen(name));
    sl_write_bytes(&writer, "-", 1);
    write_origin(state, &writer);
    sl_write_bytes(&writer, "-", 1);
    size_t stem = writer.length;
    do {
        writer.length = stem;
        write_decimal(&writer, state->ordinal++);
        assert(!writer.bad);
    } while (sl_tree_find(state->tree, id, writer.length) != NULL);
    return writer.length;
}

/* OSC events. */

/* One message: ends a run of scene/reordered unless it goes on with it, then reads and applies. */
static sl_err apply_message(sl_state *state, const sl_osc_message *message)
{
    sl_live live;
    state->message = message;
    sl_refusal refusal = sl_live_read(state, message, &live);
    sl_run_effect effect = sl_live_run_effect(&live);
    if (effect != SL_RUN_GOES_ON) {
        sl_err err = sl_run_end(state, effect == SL_RUN_DROPPED);
        if (err != SL_OK) return err;
    }
    if (refusal != SL_REFUSAL_NONE) {
        sl_state_refuse(state, refusal);
        return SL_OK;
    }
    sl_err err = sl_live_apply(state, &live);
    sl_state_tell_diff(state);
    return err;
}

/* Goes through a packet's messages, wrappers taken off. With `is_dry` they are only read; the first refusal is told in
 * *refusal. */
static sl_err each_message(sl_state *state, const sl_event *event, bool is_dry, sl_refusal *refusal,
                           uint64_t *count)
{
    sl_osc_walk walk = sl_osc_walk_begin(event->payload, event->length);
    sl_osc_message message, inner;
    sl_err err = SL_OK;
    for (*count = 0; err == SL_OK && sl_osc_walk_next(&walk, &message); ++*count) {
        int64_t number;
        bool is_bad = false;
        state->timestamp = 0;
        bool is_wrapped = sl_osc_unwrap(&message, &inner, &number, &state->timestamp, &is_bad);
        const sl_osc_message *plain = is_wrapped ? &inner : &message;
        state->seq_num = event->source_seq;
        if (event->source_seq != SL_SOURCE_SEQ_NONE) state->seq_num = number_after(event->source_seq, *count);
        sl_live live;
        if (!is_dry) err = apply_message(state, plain);
        else if (*refusal == SL_REFUSAL_NONE) *refusal = sl_live_read(state, plain, &live);
    }
    return err;
}

sl_err sl_state_apply_osc(sl_state *state, const sl_event *event)
{
    const sl_event *outer = state->event;
    state->event = event;
    state->ordinal = 0;
    state->seq_num = event->source_seq;
    state->message = NULL;
    sl_refusal refusal = SL_REFUSAL_NONE;
    sl_err err = SL_OK;
    uint64_t count = 1;
    if (!sl_osc_check(event->payload, event->length, NULL)) refusal = SL_REFUSAL_MALFORMED;
    else if (sl_osc_is_bundle(event->payload, event->length))
        err = each_message(state, event, true, &refusal, &count);
    if (err == SL_OK && refusal == SL_REFUSAL_NONE) {
        err = each_message(state, event, false, &refusal, &count);
    } else if (err == SL_OK) {
        err = sl_run_end(state, false);
        sl_state_refuse(state, refusal == SL_REFUSAL_MALFORMED ? refusal : SL_REFUSAL_BUNDLE);
    }
    count_numbers(state->sender, event, count);
    state->event = outer;
    return err;
}

static sl_err take_osc(sl_state *state, const sl_event *event)
{
    if (!state->sender->hold.is_open) return sl_state_apply_osc(state, event);
    bool is_full;
    sl_err err = sl_hold_add(state, event, &is_full);
    if (err != SL_OK || !is_full) return err;
    err = sl_hold_release(state, state->sender);
    return err == SL_OK ? take_osc(state, event) : err;
}

/* Other events. */

static sl_err take_start(sl_state *state, const sl_event *event)
{
    sl_start start;
    if (sl_start_decode(event, &start) == SL_OK) state->wall_ns = start.wall_ns;
    else sl_state_refuse(state, SL_REFUSAL_MALFORMED);
    sl_err err = SL_OK;
    for (uint32_t i = 0; i < state->source_count && err == SL_OK; i++)
        err = sl_hold_release(state, state->sources[i]); /* no picture will come any more */
    return err;
}

/* A new run of the sender begins: what the old one left open is settled first. */
static sl_err take_session(sl_state *state, const sl_event *event)
{
    sl_session session;
    if (sl_session_decode(event, &session) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    sl_source_state *sender = state->sender;
    sl_err err = sl_hold_release(state, sender);
    if (err == SL_OK) err = sl_run_end(state, false);
    sl_source *source = &sender->source;
    source->input = session.input;
    source->session = event->session;
    source->next_source_seq = 0;
    sender->has_number = false;
    size_t length = session.name_length < SL_NAME_BYTES_MAX ? session.name_length : SL_NAME_BYTES_MAX;
    memset(source->name, 0, sizeof source->name);
    memcpy(source->name, session.name, length);
    return err;
}

static sl_err take_counters(sl_state *state, const sl_event *event)
{
    sl_counters counters;
    if (sl_counters_decode(event, &counters) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    state->kernel_drops = counters.kernel_drops;
    state->refused_unnamed = counters.refused_unnamed;
    for (uint32_t i = 0; i < counters.count; i++)
        for (uint32_t s = 0; s < state->source_count; s++)
            if (state->sources[s]->source.number == counters.sources[i].source)
                state->sources[s]->source.counts = counters.sources[i];
    return SL_OK;
}

/* The scene that was launched last in a tree that a picture brought. */
static sl_node *find_launched(const sl_tree *tree)
{
    const sl_node *project = sl_tree_project(tree);
    for (uint32_t i = 0; i < sl_node_child_count(project, SL_NODE_SCENE); i++) {
        sl_node *scene = sl_node_child(project, SL_NODE_SCENE, i);
        sl_value value = sl_node_value(scene, SL_ATTRIBUTE_IS_TRIGGERED);
        if (value.type == SL_VALUE_BOOL && value.as.integer != 0) return scene;
    }
    return NULL;
}

static sl_err replace_tree(sl_state *state, sl_tree *tree)
{
    state->former = state->tree;
    state->tree = tree;
    state->launched = find_launched(tree);
    sl_err err = set_stale(state, sl_value_bool(false), sl_value_null());
    if (err == SL_OK && state->output != NULL) err = sl_compare(state, state->former, tree);
    sl_state_tell_diff(state);
    return err;
}

static sl_err take_picture(sl_state *state, const sl_event *event)
{
    sl_source_state *sender = state->sender;
    sl_err err = sl_run_end(state, false);
    if (err != SL_OK) return err;
    char prefix[SL_ID_BYTES_MAX] = {0};
    sl_writer writer = {.bytes = (uint8_t *)prefix, .capacity = sizeof prefix - 1};
    write_origin(state, &writer);
    sl_tree *tree;
    sl_picture_error error;
    err = sl_tree_create(state->memory, &tree);
    if (err != SL_OK) return err;
    err = sl_picture_build(event->payload, event->length, prefix, tree, &error);
    if (err == SL_OK && event->version == SL_PICTURE_VERSION) {
        err = replace_tree(state, tree);
    } else {
        sl_tree_destroy(tree);
        if (err == SL_ERR_MEMORY) return err;
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        err = SL_OK;
    }
    return err == SL_OK ? sl_hold_release(state, sender) : err;
}

static sl_err take(sl_state *state, const sl_event *event)
{
    switch (event->kind) {
    case SL_KIND_START: return take_start(state, event);
    case SL_KIND_COUNTERS: return take_counters(state, event);
    case SL_KIND_SESSION: return take_session(state, event);
    case SL_KIND_OSC: return take_osc(state, event);
    case SL_KIND_PICTURE: return take_picture(state, event);
    case SL_KIND_REFUSED: return sl_hold_release(state, state->sender);
    case SL_KIND_ORDER_SETTLED: return sl_run_end(state, false);
    default: return SL_OK; /* marks, checkpoints, and what later versions append: nothing to do */
    }
}

sl_err sl_reduce(sl_state *state, const sl_event *event, const sl_output *output)
{
    assert(event->seq == state->seq + 1);
    sl_tree_bury(state->tree);
    sl_tree_destroy(state->former);
    state->former = NULL;
    state->seq = event->seq;
    state->output = output;
    state->event = event;
    state->seq_num = event->source_seq;
    state->timestamp = 0;
    state->message = NULL;
    state->ordinal = 0;
    state->diff.count = 0;
    sl_err err = find_sender(state, event);
    if (err == SL_OK) err = take(state, event);
    sl_state_tell_diff(state);
    state->output = NULL;
    return err;
}
