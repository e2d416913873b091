#include "tools/symlog/tree_diff.h"

#include "core/message.h"
#include "core/moves.h"
#include "core/picture.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 2 };

typedef struct tree_diff {
    sl_printer *printer;
    const sl_tree *from, *to;
    sl_tree_diff_counts *counts;
    const sl_node *above[SL_PICTURE_DEPTH_MAX]; /* whose headings stand above the next line */
    size_t depth;
    size_t shown; /* of these headings, how many are printed */
    sl_text line;
    bool is_broken;
} tree_diff;

static void compare_nodes(tree_diff *diff, const sl_node *from, const sl_node *to);

/* Words. */

static const char *word_of(sl_node_type type)
{
    static const char *const words[SL_NODE_TYPE_COUNT] = {
        [SL_NODE_PROJECT] = "Project", [SL_NODE_TRACK] = "Track",
        [SL_NODE_DEVICE] = "Device",   [SL_NODE_PARAMETER] = "Parameter",
        [SL_NODE_CLIP_SLOT] = "Slot",  [SL_NODE_CLIP] = "Clip",
        [SL_NODE_MIXER] = "Mixer",     [SL_NODE_SCENE] = "Scene",
        [SL_NODE_FILE_REF] = "File",   [SL_NODE_AUTOMATION] = "Automation",
        [SL_NODE_CHAIN] = "Chain",     [SL_NODE_ARRANGEMENT_CLIP] = "Arrangement clip",
        [SL_NODE_LOCATOR] = "Locator", [SL_NODE_GROOVE] = "Groove",
        [SL_NODE_LANE] = "Lane",       [SL_NODE_STEP] = "Step",
    };
    return words[type] != NULL ? words[type] : sl_schema_type_name(type);
}

/* "is_time_signature_enabled" -> "Time signature enabled". */
static void write_attribute(sl_text *line, sl_attribute attribute)
{
    const char *name = sl_schema_attribute_name(attribute);
    if (strncmp(name, "is_", 3) == 0) name += 3;
    for (size_t i = 0; name[i] != '\0'; i++) {
        char c = name[i];
        if (c == '_') c = ' ';
        if (i == 0 && c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        sl_text_bytes(line, &c, 1);
    }
}

static void write_value(sl_text *line, sl_attribute attribute, const sl_value *value)
{
    if (value->type == SL_VALUE_ABSENT) {
        sl_text_string(line, "none");
    } else if (attribute == SL_ATTRIBUTE_COLOR && value->type == SL_VALUE_INT) {
        uint8_t rgb[] = {(uint8_t)(value->as.integer >> 16), (uint8_t)(value->as.integer >> 8),
                         (uint8_t)value->as.integer};
        sl_text_string(line, "#");
        sl_text_hex(line, rgb, sizeof rgb);
    } else if (value->type == SL_VALUE_BOOL) {
        sl_text_string(line, value->as.integer != 0 ? "on" : "off");
    } else {
        sl_text_value(line, value);
    }
}

/* A text as it is quoted elsewhere, without the quotes: a plug-in may put anything into a parameter's name. */
static void write_bare(sl_text *line, const sl_value *text)
{
    const size_t begin = line->length;
    sl_text_value(line, text);
    if (line->bad) return;
    assert(line->length >= begin + 2);
    memmove(line->bytes + begin, line->bytes + begin + 1, line->length - begin - 2);
    line->length -= 2;
}

/* A slot is known by its scene, an automation by what it moves, anything else by its name. */
static void write_label(sl_text *line, const sl_node *node)
{
    sl_node_type type = (sl_node_type)node->type;
    sl_text_string(line, word_of(type));
    sl_value name = sl_node_value(node, type == SL_NODE_AUTOMATION ? SL_ATTRIBUTE_TARGET : SL_ATTRIBUTE_NAME);
    if (name.type == SL_VALUE_TEXT && name.length > 0) {
        sl_text_string(line, " ");
        sl_text_value(line, &name);
    } else if (type != SL_NODE_PROJECT && type != SL_NODE_MIXER && type != SL_NODE_CLIP && type != SL_NODE_GROOVE) {
        sl_text_string(line, " ");
        sl_text_u64(line, (uint64_t)sl_node_position(node) + 1);
    }
}

/* Lines. */

static void begin_line(tree_diff *diff, size_t depth)
{
    sl_text_clear(&diff->line);
    for (size_t i = 0; i < depth * INDENT; i++) sl_text_string(&diff->line, " ");
}

static void end_line(tree_diff *diff)
{
    if (diff->line.bad || !sl_print_line(diff->printer, &diff->line)) diff->is_broken = true;
}

/* Headings come only where something stands below them. The project has none. */
static void show_headings(tree_diff *diff)
{
    for (; diff->shown < diff->depth; diff->shown++) {
        begin_line(diff, diff->shown);
        write_label(&diff->line, diff->above[diff->shown]);
        end_line(diff);
    }
}

static void leave_heading(tree_diff *diff)
{
    diff->depth--;
    if (diff->shown > diff->depth) diff->shown = diff->depth;
}

/* Begins a line below the headings; false if nothing is to be printed. */
static bool begin_entry(tree_diff *diff)
{
    if (diff->printer == NULL || diff->is_broken) return false;
    show_headings(diff);
    begin_line(diff, diff->depth);
    return true;
}

/* A slot comes and goes with its scene, which says it: what counts is the clip in it. */
static void note_node(tree_diff *diff, const char *sign, size_t *count, const sl_node *node)
{
    const bool is_slot = node->type == SL_NODE_CLIP_SLOT;
    const sl_node *clip = is_slot ? sl_node_child(node, SL_NODE_CLIP, 0) : NULL;
    if (is_slot && clip == NULL) return;
    ++*count;
    if (is_slot) diff->above[diff->depth++] = node;
    if (begin_entry(diff)) {
        sl_text_string(&diff->line, sign);
        write_label(&diff->line, is_slot ? clip : node);
        end_line(diff);
    }
    if (is_slot) leave_heading(diff);
}

static void note_move(tree_diff *diff, const sl_node *from, const sl_node *to)
{
    diff->counts->moved++;
    if (!begin_entry(diff)) return;
    write_label(&diff->line, to);
    sl_text_string(&diff->line, ": moved from place ");
    sl_text_u64(&diff->line, (uint64_t)sl_node_position(from) + 1);
    sl_text_string(&diff->line, " to ");
    sl_text_u64(&diff->line, (uint64_t)sl_node_position(to) + 1);
    end_line(diff);
}

/* Lists of notes and points. */

static json_t *load_list(const sl_value *value)
{
    json_t *list = value->type == SL_VALUE_JSON ? json_loadb(value->as.text, value->length, 0, NULL) : NULL;
    return list != NULL ? list : json_array();
}

static int compare_texts(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

/* The items as sorted texts, so that lists can be compared as sets. NULL: no memory. */
static char **sorted_items(const json_t *list, size_t count)
{
    char **items = calloc(count + 1, sizeof *items);
    if (items == NULL) return NULL;
    for (size_t i = 0; i < count; i++) {
        items[i] = json_dumps(json_array_get(list, i), JSON_COMPACT | JSON_ENCODE_ANY);
        if (items[i] == NULL) items[i] = strdup("");
        if (items[i] == NULL) {
            while (i > 0) free(items[--i]);
            free(items);
            return NULL;
        }
    }
    qsort(items, count, sizeof *items, compare_texts);
    return items;
}

static void free_items(char **items, size_t count)
{
    for (size_t i = 0; items != NULL && i < count; i++) free(items[i]);
    free(items);
}

static void count_items(const sl_value *from, const sl_value *to, size_t *added, size_t *removed)
{
    json_t *was = load_list(from), *is = load_list(to);
    size_t was_count = json_array_size(was), is_count = json_array_size(is), a = 0, b = 0;
    char **old = sorted_items(was, was_count), **new = sorted_items(is, is_count);
    *added = *removed = 0;
    while (old != NULL && new != NULL && (a < was_count || b < is_count)) {
        int order = a == was_count ? 1 : b == is_count ? -1 : strcmp(old[a], new[b]);
        *removed += order < 0;
        *added += order > 0;
        a += order <= 0;
        b += order >= 0;
    }
    free_items(old, was_count);
    free_items(new, is_count);
    json_decref(was);
    json_decref(is);
}

static void note_list(tree_diff *diff, sl_attribute attribute, const sl_value *from, const sl_value *to)
{
    size_t added, removed;
    count_items(from, to, &added, &removed);
    if (!begin_entry(diff)) return;
    sl_text *line = &diff->line;
    write_attribute(line, attribute);
    sl_text_string(line, ": ");
    sl_text_u64(line, added);
    sl_text_string(line, " added, ");
    sl_text_u64(line, removed);
    sl_text_string(line, " removed");
    end_line(diff);
}

/* Attributes. */

/* Said by another line: how many there are, by what was added; whether there is one, by the clip or the automation;
 * what a track's mixer has of the track, by the track. */
static bool is_said_elsewhere(const sl_node *node, sl_attribute attribute)
{
    if (node->type == SL_NODE_MIXER) {
        const bool is_of_track = sl_node_parent(node)->type == SL_NODE_TRACK;
        if (attribute == SL_ATTRIBUTE_IS_MUTED) return true;
        return is_of_track && (attribute == SL_ATTRIBUTE_IS_SOLOED || attribute == SL_ATTRIBUTE_PAN);
    }
    return attribute == SL_ATTRIBUTE_NOTE_COUNT || attribute == SL_ATTRIBUTE_POINT_COUNT ||
           attribute == SL_ATTRIBUTE_HAS_CLIP || attribute == SL_ATTRIBUTE_IS_AUTOMATED ||
           attribute == SL_ATTRIBUTE_IS_STALE || attribute == SL_ATTRIBUTE_STALE_REASON;
}

static void note_value(tree_diff *diff, const sl_node *node, sl_attribute attribute, const sl_value *from,
                       const sl_value *to)
{
    diff->counts->changed++;
    if (attribute == SL_ATTRIBUTE_NOTES || attribute == SL_ATTRIBUTE_POINTS) {
        note_list(diff, attribute, from, to);
        return;
    }
    /* A parameter is its value: it needs no heading of its own. */
    bool is_parameter = node->type == SL_NODE_PARAMETER && attribute == SL_ATTRIBUTE_VALUE;
    if (is_parameter) diff->depth--;
    if (begin_entry(diff)) {
        sl_value name = sl_node_value(node, SL_ATTRIBUTE_NAME);
        if (is_parameter && name.type == SL_VALUE_TEXT)
            write_bare(&diff->line, &name);
        else
            write_attribute(&diff->line, attribute);
        sl_text_string(&diff->line, ": ");
        write_value(&diff->line, attribute, from);
        sl_text_string(&diff->line, " -> ");
        write_value(&diff->line, attribute, to);
        end_line(diff);
    }
    if (is_parameter) diff->depth++;
}

static void compare_values(tree_diff *diff, const sl_node *from, const sl_node *to)
{
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes((sl_node_type)to->type, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_said_elsewhere(to, attributes[i]) || sl_value_equal(&from->values[i], &to->values[i])) continue;
        note_value(diff, to, attributes[i], &from->values[i], &to->values[i]);
    }
}

/* Children. */

static const sl_node *find_twin(const sl_tree *other, const sl_node *other_parent, const sl_node *node)
{
    const sl_node *twin = sl_tree_find(other, node->id, node->id_length);
    return twin != NULL && twin->type == node->type && sl_node_parent(twin) == other_parent ? twin : NULL;
}

static void note_removed(tree_diff *diff, const sl_node *from, const sl_node *to, sl_node_type type)
{
    for (uint32_t p = 0; p < sl_node_child_count(from, type); p++) {
        const sl_node *child = sl_node_child(from, type, p);
        if (child == NULL || find_twin(diff->to, to, child) != NULL) continue;
        note_node(diff, "- ", &diff->counts->removed, child);
    }
}

/* Which of the children that stay have moved, by their present place; the others were only pushed along. Slots move
 * with their scenes, which says it. NULL: none, or no memory. */
static bool *find_moved(tree_diff *diff, const sl_node *from, const sl_node *to, sl_node_type type)
{
    const uint32_t count = sl_node_child_count(to, type);
    if (count < 2 || type == SL_NODE_CLIP_SLOT) return NULL;
    uint32_t *former = calloc(count, sizeof *former), *places = calloc(count, sizeof *places), staying = 0;
    bool *moved = calloc(count, sizeof *moved), *is_moved = calloc(count, sizeof *is_moved);
    bool has_memory = former != NULL && places != NULL && moved != NULL && is_moved != NULL;
    for (uint32_t p = 0; p < count && has_memory; p++) {
        const sl_node *child = sl_node_child(to, type, p);
        const sl_node *twin = child != NULL ? find_twin(diff->from, from, child) : NULL;
        if (twin == NULL) continue;
        places[staying] = p;
        former[staying++] = sl_node_position(twin);
    }
    if (!has_memory || sl_moves_find(former, staying, sl_host_memory(), is_moved) != SL_OK) diff->is_broken = true;
    for (uint32_t i = 0; i < staying && !diff->is_broken; i++) moved[places[i]] = is_moved[i];
    free(former);
    free(places);
    free(is_moved);
    return moved;
}

static void compare_children(tree_diff *diff, const sl_node *from, const sl_node *to, sl_node_type type)
{
    note_removed(diff, from, to, type);
    bool *moved = find_moved(diff, from, to, type);
    for (uint32_t p = 0; p < sl_node_child_count(to, type) && !diff->is_broken; p++) {
        const sl_node *child = sl_node_child(to, type, p);
        const sl_node *twin = child != NULL ? find_twin(diff->from, from, child) : NULL;
        if (child == NULL) continue;
        if (twin == NULL) {
            note_node(diff, "+ ", &diff->counts->added, child);
            continue;
        }
        if (moved != NULL && moved[p]) note_move(diff, twin, child);
        compare_nodes(diff, twin, child);
    }
    free(moved);
}

static void compare_nodes(tree_diff *diff, const sl_node *from, const sl_node *to)
{
    if (sl_digest_equal(from->whole, to->whole)) return;
    bool has_heading = to->type != SL_NODE_PROJECT;
    if (has_heading) diff->above[diff->depth++] = to;
    compare_values(diff, from, to);
    size_t count;
    const sl_node_type *types = sl_schema_children((sl_node_type)to->type, &count);
    for (size_t i = 0; i < count; i++) compare_children(diff, from, to, types[i]);
    if (has_heading) leave_heading(diff);
}

bool sl_tree_diff_print(sl_printer *printer, const sl_tree *from, const sl_tree *to, sl_tree_diff_counts *counts)
{
    *counts = (sl_tree_diff_counts){0};
    tree_diff diff = {.printer = printer, .from = from, .to = to, .counts = counts};
    sl_text_open(&diff.line, sl_host_memory());
    compare_nodes(&diff, sl_tree_project(from), sl_tree_project(to));
    sl_text_close(&diff.line);
    return !diff.is_broken;
}
