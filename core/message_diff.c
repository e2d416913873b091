/*
 * DIFF_UPDATE in the shapes that the subscribers of the seeds know: each change an entry, and the ids once more in
 * lists. One SHIFTED or PERMUTED change stands for many entries: they are written out here, from the tree as it is
 * now, so that the reducer need not. A compact diff says SHIFTED in one entry.
 */
#include "core/message_diff.h"

#include "core/event.h"
#include "core/message.h"

/* The changes are gone through four times: for the entries, then for each list of ids. */
typedef enum pass { PASS_ENTRIES, PASS_ADDED, PASS_REMOVED, PASS_MODIFIED } pass;

typedef struct diff_writer {
    sl_text *text;
    uint64_t seq_num;
    pass pass;
    bool is_first;
    bool is_compact;
} diff_writer;

static void separate(diff_writer *writer)
{
    if (!writer->is_first) sl_text_string(writer->text, ",");
    writer->is_first = false;
}

static void write_id(diff_writer *writer, const sl_node *node)
{
    sl_text_json(writer->text, node->id, node->id_length);
}

/* `{"type":…,"node_id":…,"node_type":…`; false if this pass wants only the id, which is then written. */
static bool begin_entry(diff_writer *writer, pass list, const char *type, const sl_node *node)
{
    if (writer->pass != PASS_ENTRIES && writer->pass != list) return false;
    separate(writer);
    if (writer->pass == list) {
        write_id(writer, node);
        return false;
    }
    sl_text_string(writer->text, "{\"type\":\"");
    sl_text_string(writer->text, type);
    sl_text_string(writer->text, "\",\"node_id\":");
    write_id(writer, node);
    sl_text_string(writer->text, ",\"node_type\":\"");
    sl_text_string(writer->text, sl_schema_type_name((sl_node_type)node->type));
    sl_text_string(writer->text, "\"");
    return true;
}

static void end_entry(diff_writer *writer)
{
    sl_text_string(writer->text, ",\"seq_num\":");
    if (writer->seq_num == SL_SOURCE_SEQ_NONE)
        sl_text_string(writer->text, "null");
    else
        sl_text_u64(writer->text, writer->seq_num);
    sl_text_string(writer->text, "}");
}

static void write_member(diff_writer *writer, const char *name, const sl_value *value)
{
    sl_text_string(writer->text, ",\"");
    sl_text_string(writer->text, name);
    sl_text_string(writer->text, "\":");
    sl_text_value(writer->text, value);
}

static void write_parent(diff_writer *writer, const sl_node *parent)
{
    sl_text_string(writer->text, ",\"parent_id\":");
    write_id(writer, parent);
}

static void write_added(diff_writer *writer, const sl_node *node)
{
    if (!begin_entry(writer, PASS_ADDED, "added", node)) return;
    write_parent(writer, sl_node_parent(node));
    sl_text_string(writer->text, ",\"path\":\"");
    sl_text_path(writer->text, node);
    sl_text_string(writer->text, "\",\"new_value\":");
    sl_text_attributes(writer->text, node);
    end_entry(writer);
}

static void write_removed(diff_writer *writer, const sl_change *change)
{
    const sl_node *node = change->node;
    if (!begin_entry(writer, PASS_REMOVED, "removed", node)) return;
    const sl_node *parent = change->parent != NULL ? change->parent : sl_node_parent(node);
    uint32_t position = change->parent != NULL ? change->position : sl_node_position(node);
    write_parent(writer, parent);
    sl_text_string(writer->text, ",\"path\":\"");
    sl_text_place(writer->text, parent, (sl_node_type)node->type, position);
    sl_text_string(writer->text, "\",\"value\":");
    sl_text_attributes(writer->text, node);
    end_entry(writer);
}

/* A parameter's value is told of its device. */
static void write_parameter(diff_writer *writer, const sl_change *change)
{
    if (!begin_entry(writer, PASS_MODIFIED, "state_changed", sl_node_parent(change->node))) return;
    sl_value index = sl_value_int(sl_node_position(change->node));
    sl_text_string(writer->text, ",\"path\":\"");
    sl_text_path(writer->text, change->node);
    sl_text_string(writer->text, "\",\"attribute\":\"value\"");
    write_member(writer, "value", &change->new_value);
    write_member(writer, "param_index", &index);
    write_member(writer, "old_value", &change->old_value);
    write_member(writer, "new_value", &change->new_value);
    end_entry(writer);
}

static void write_state(diff_writer *writer, const sl_change *change)
{
    if (change->node->type == SL_NODE_PARAMETER) {
        write_parameter(writer, change);
        return;
    }
    if (!begin_entry(writer, PASS_MODIFIED, "state_changed", change->node)) return;
    sl_text_string(writer->text, ",\"path\":\"");
    sl_text_path(writer->text, change->node);
    sl_text_string(writer->text, "\",\"attribute\":\"");
    sl_text_string(writer->text, sl_schema_attribute_name((sl_attribute)change->attribute));
    sl_text_string(writer->text, "\"");
    write_member(writer, "old_value", &change->old_value);
    write_member(writer, "new_value", &change->new_value);
    end_entry(writer);
}

/* `,"old_value":{"name":…}`, of `count` adjacent changes of one node. */
static void write_values(diff_writer *writer, const char *name, const sl_change *changes, size_t count, bool is_new)
{
    sl_text_string(writer->text, ",\"");
    sl_text_string(writer->text, name);
    sl_text_string(writer->text, "\":{");
    for (size_t i = 0; i < count; i++) {
        sl_text_string(writer->text, i == 0 ? "\"" : ",\"");
        sl_text_string(writer->text, sl_schema_attribute_name((sl_attribute)changes[i].attribute));
        sl_text_string(writer->text, "\":");
        sl_text_value(writer->text, is_new ? &changes[i].new_value : &changes[i].old_value);
    }
    sl_text_string(writer->text, "}");
}

static void write_modified(diff_writer *writer, const sl_change *changes, size_t count)
{
    const sl_node *node = changes[0].node;
    if (!begin_entry(writer, PASS_MODIFIED, "modified", node)) return;
    sl_text_string(writer->text, ",\"path\":\"");
    sl_text_path(writer->text, changes[0].place != NULL ? changes[0].place : node);
    sl_text_string(writer->text, "\"");
    write_values(writer, "old_value", changes, count, false);
    write_values(writer, "new_value", changes, count, true);
    end_entry(writer);
}

/* A node that stands at another place than before: the number that its position attribute was, and is. */
typedef struct moved {
    const sl_node *node;
    sl_attribute attribute;
    uint32_t was;
    uint32_t is;
} moved;

static void write_moved(diff_writer *writer, const moved *moved)
{
    const sl_node *node = moved->node, *parent = sl_node_parent(node);
    if (!begin_entry(writer, PASS_MODIFIED, "modified", node)) return;
    sl_text_string(writer->text, ",\"path\":\"");
    if (moved->attribute == SL_ATTRIBUTE_TRACK_INDEX) {
        sl_text_place(writer->text, sl_node_parent(parent), SL_NODE_TRACK, moved->was);
        sl_text_string(writer->text, ".clip_slots[");
        sl_text_u64(writer->text, sl_node_position(node));
        sl_text_string(writer->text, "]");
    } else {
        sl_text_place(writer->text, parent, (sl_node_type)node->type, moved->was);
    }
    sl_text_string(writer->text, "\"");
    sl_change change = {.attribute = (uint8_t)moved->attribute,
                        .old_value = sl_value_int(moved->was),
                        .new_value = sl_value_int(moved->is)};
    write_values(writer, "old_value", &change, 1, false);
    write_values(writer, "new_value", &change, 1, true);
    end_entry(writer);
}

/* One entry for all that moved. `from` is the first place that moved, as it was before: what an entry's path is. */
static void write_shifted_compact(diff_writer *writer, const sl_change *change)
{
    if (writer->pass != PASS_ENTRIES) return;
    separate(writer);
    sl_text_string(writer->text, "{\"type\":\"shifted\"");
    write_parent(writer, change->node);
    sl_text_string(writer->text, ",\"node_type\":\"");
    sl_text_string(writer->text, sl_schema_type_name((sl_node_type)change->child));
    sl_text_string(writer->text, "\",\"from\":");
    sl_text_i64(writer->text, (int64_t)change->position - change->by);
    sl_text_string(writer->text, ",\"by\":");
    sl_text_i64(writer->text, change->by);
    end_entry(writer);
}

/* Tracks from `position` on, then the slots of each. */
static void write_tracks_shifted(diff_writer *writer, const sl_change *change)
{
    uint32_t count = sl_node_child_count(change->node, SL_NODE_TRACK);
    for (uint32_t t = change->position; t < count; t++) {
        const sl_node *track = sl_node_child(change->node, SL_NODE_TRACK, t);
        write_moved(writer, &(moved){track, SL_ATTRIBUTE_INDEX, t - (uint32_t)change->by, t});
    }
    for (uint32_t t = change->position; t < count; t++) {
        const sl_node *track = sl_node_child(change->node, SL_NODE_TRACK, t);
        uint32_t slots = sl_node_child_count(track, SL_NODE_CLIP_SLOT);
        for (uint32_t s = 0; s < slots; s++) {
            const sl_node *slot = sl_node_child(track, SL_NODE_CLIP_SLOT, s);
            if (slot == NULL) continue;
            write_moved(writer, &(moved){slot, SL_ATTRIBUTE_TRACK_INDEX, t - (uint32_t)change->by, t});
        }
    }
}

/* Scenes, or one track's slots, from `position` on. */
static void write_line_shifted(diff_writer *writer, const sl_change *change, const sl_node *parent, sl_node_type type,
                               sl_attribute attribute)
{
    uint32_t count = sl_node_child_count(parent, type);
    for (uint32_t p = change->position; p < count; p++) {
        const sl_node *node = sl_node_child(parent, type, p);
        if (node == NULL) continue;
        write_moved(writer, &(moved){node, attribute, p - (uint32_t)change->by, p});
    }
}

static void write_line_permuted(diff_writer *writer, const sl_change *change, const sl_node *parent, sl_node_type type,
                                sl_attribute attribute)
{
    for (uint32_t i = 0; i < change->count; i++) {
        const sl_node *node = sl_node_child(parent, type, change->at[i]);
        if (node == NULL) continue;
        write_moved(writer, &(moved){node, attribute, change->from[i], change->at[i]});
    }
}

typedef void (*line_function)(diff_writer *writer, const sl_change *change, const sl_node *parent, sl_node_type type,
                              sl_attribute attribute);

/* The scenes, then the slots of each track. */
static void write_scenes(diff_writer *writer, const sl_change *change, line_function write_line)
{
    write_line(writer, change, change->node, SL_NODE_SCENE, SL_ATTRIBUTE_INDEX);
    uint32_t track_count = sl_node_child_count(change->node, SL_NODE_TRACK);
    for (uint32_t t = 0; t < track_count; t++)
        write_line(writer, change, sl_node_child(change->node, SL_NODE_TRACK, t), SL_NODE_CLIP_SLOT,
                   SL_ATTRIBUTE_SCENE_INDEX);
}

/* How many changes from `first` on make one entry. */
static size_t entry_length(const sl_diff *diff, size_t first)
{
    size_t next = first + 1;
    if (diff->changes[first].type != SL_CHANGE_MODIFIED) return 1;
    while (next < diff->count && diff->changes[next].type == SL_CHANGE_MODIFIED &&
           diff->changes[next].node == diff->changes[first].node)
        next++;
    return next - first;
}

static void write_changes(diff_writer *writer, const sl_diff *diff)
{
    writer->is_first = true;
    for (size_t i = 0; i < diff->count;) {
        const sl_change *change = &diff->changes[i];
        size_t length = entry_length(diff, i);
        switch ((sl_change_type)change->type) {
        case SL_CHANGE_REMOVED: write_removed(writer, change); break;
        case SL_CHANGE_MODIFIED: write_modified(writer, change, length); break;
        case SL_CHANGE_STATE: write_state(writer, change); break;
        case SL_CHANGE_SHIFTED:
            if (writer->is_compact)
                write_shifted_compact(writer, change);
            else if (change->child == SL_NODE_TRACK)
                write_tracks_shifted(writer, change);
            else
                write_scenes(writer, change, write_line_shifted);
            break;
        case SL_CHANGE_PERMUTED: write_scenes(writer, change, write_line_permuted); break;
        case SL_CHANGE_ADDED: write_added(writer, change->node); break;
        }
        i += length;
    }
}

bool sl_message_diff_has_compact(const sl_diff *diff)
{
    for (size_t i = 0; i < diff->count; i++)
        if (diff->changes[i].type == SL_CHANGE_SHIFTED) return true;
    return false;
}

void sl_message_diff(sl_text *text, const sl_diff *diff, uint64_t seq_num, bool is_compact)
{
    static const char *const before[] = {
        [PASS_ENTRIES] = "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[",
        [PASS_ADDED] = "],\"added\":[",
        [PASS_REMOVED] = "],\"removed\":[",
        [PASS_MODIFIED] = "],\"modified\":[",
    };
    diff_writer writer = {.text = text, .seq_num = seq_num, .is_compact = is_compact};
    for (unsigned i = 0; i < sizeof before / sizeof before[0]; i++) {
        writer.pass = (pass)i;
        sl_text_string(text, before[i]);
        write_changes(&writer, diff);
    }
    sl_text_string(text, "],\"unchanged\":[]}}");
}
