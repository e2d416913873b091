/* Paths in relation to paths, and the part of a tree that some name. */
#include "core/message_paths.h"

#include "core/message.h"
#include "core/message_diff.h"

#include <string.h>

/* An only child (mixer, clip) has no index. */
static bool is_single(sl_node_type type)
{
    return type == SL_NODE_MIXER || type == SL_NODE_CLIP;
}

/* "tracks[12]" */
static bool parse_segment(sl_path_segment *out, const char *bytes, size_t length)
{
    const char *bracket = memchr(bytes, '[', length);
    size_t name_length = bracket != NULL ? (size_t)(bracket - bytes) : length;
    sl_node_type type = sl_schema_type_by_plural(bytes, name_length);
    if (type == SL_NODE_TYPE_COUNT) type = sl_schema_type_by_name(bytes, name_length);
    if (type == SL_NODE_TYPE_COUNT || type == SL_NODE_PROJECT) return false;
    bool is_name = strlen(sl_schema_type_name(type)) == name_length;
    *out = (sl_path_segment){.type = (uint8_t)type, .has_index = bracket != NULL};
    if (is_single(type)) return bracket == NULL && is_name;
    if (bracket == NULL) return !is_name;
    if (is_name || length < name_length + 3 || bytes[length - 1] != ']') return false;
    for (size_t i = name_length + 1; i < length - 1; i++) {
        if (bytes[i] < '0' || bytes[i] > '9' || out->index >= SL_POSITION_MAX) return false;
        out->index = out->index * 10 + (uint32_t)(bytes[i] - '0');
    }
    return true;
}

bool sl_path_parse(sl_path *out, const char *bytes, size_t length)
{
    static const char project[] = "project";
    out->count = 0;
    if (length == sizeof project - 1 && memcmp(bytes, project, length) == 0) return true;
    while (out->count <= SL_PATH_DEPTH_MAX) {
        const char *dot = memchr(bytes, '.', length);
        size_t segment_length = dot != NULL ? (size_t)(dot - bytes) : length;
        sl_path_segment *segment = &out->segments[out->count++];
        if (!parse_segment(segment, bytes, segment_length)) return false;
        if (dot == NULL) return true;
        if (!segment->has_index && !is_single((sl_node_type)segment->type)) return false;
        bytes = dot + 1;
        length -= segment_length + 1;
    }
    return true;
}

bool sl_paths_parse(sl_paths *out, const char *bytes, size_t length)
{
    bool is_everything = false;
    out->count = 0;
    while (true) {
        if (out->count == SL_PATHS_MAX) return false;
        const char *comma = memchr(bytes, ',', length);
        size_t path_length = comma != NULL ? (size_t)(comma - bytes) : length;
        sl_path *path = &out->paths[out->count++];
        if (!sl_path_parse(path, bytes, path_length) || path->count > SL_PATH_DEPTH_MAX) return false;
        if (path->count == 0) is_everything = true;
        if (comma == NULL) break;
        bytes = comma + 1;
        length -= path_length + 1;
    }
    if (is_everything) out->count = 0;
    return true;
}

/* At or below it. */
static bool is_within(const sl_path *path, const sl_path *of)
{
    if (path->count < of->count) return false;
    for (size_t i = 0; i < of->count; i++) {
        const sl_path_segment *a = &path->segments[i], *b = &of->segments[i];
        if (a->type != b->type) return false;
        if (b->has_index && (!a->has_index || a->index != b->index)) return false;
    }
    return true;
}

sl_path_place sl_paths_place(const sl_paths *paths, const sl_path *path)
{
    bool is_above = false;
    for (size_t i = 0; i < paths->count; i++) {
        if (is_within(path, &paths->paths[i])) return SL_PATH_INSIDE;
        if (is_within(&paths->paths[i], path)) is_above = true;
    }
    return is_above ? SL_PATH_ABOVE : paths->count == 0 ? SL_PATH_INSIDE : SL_PATH_OUTSIDE;
}

/* True if `path` leads through the same list as `sibling`, at a place that is not before it. */
static bool is_through_list(const sl_path *path, const sl_path *sibling)
{
    if (sibling->count == 0 || path->count < sibling->count) return false;
    sl_path list = *sibling;
    list.count--;
    if (!is_within(path, &list)) return false;
    const sl_path_segment *at = &path->segments[list.count], *from = &sibling->segments[list.count];
    return at->type == from->type && at->has_index && at->index >= from->index;
}

bool sl_paths_change_by(const sl_paths *paths, const sl_path *path)
{
    if (sl_paths_place(paths, path) == SL_PATH_ABOVE) return true;
    /* Slots stand at their scenes' places, whatever stands before them. */
    if (path->count > 0 && path->segments[path->count - 1].type == SL_NODE_CLIP_SLOT) return false;
    for (size_t i = 0; i < paths->count; i++)
        if (is_through_list(&paths->paths[i], path)) return true;
    return false;
}

bool sl_paths_change_by_move(const sl_paths *paths, const sl_path *before, const sl_path *after)
{
    for (size_t i = 0; i < paths->count; i++) {
        const sl_path *path = &paths->paths[i];
        bool was_inside = is_within(before, path), is_inside = is_within(after, path);
        if (was_inside != is_inside) return true;
        if (!was_inside && (is_within(path, before) || is_within(path, after))) return true;
    }
    return false;
}

/* What a shift from `at` on does to one path. */
static sl_path_place shift_one(const sl_path *path, const sl_path *at)
{
    sl_path list = *at;
    list.segments[list.count - 1].has_index = false;
    if (is_through_list(path, at)) return SL_PATH_ABOVE;
    return is_within(&list, path) ? SL_PATH_INSIDE : SL_PATH_OUTSIDE;
}

sl_path_place sl_paths_shift(const sl_paths *paths, sl_node_type type, uint32_t from)
{
    sl_path_place worst = paths->count == 0 ? SL_PATH_INSIDE : SL_PATH_OUTSIDE;
    for (size_t i = 0; i < paths->count; i++) {
        const sl_path *path = &paths->paths[i];
        sl_path moved = {.count = 1, .segments = {{.type = (uint8_t)type, .has_index = true, .index = from}}};
        sl_path_place place = shift_one(path, &moved);
        if (type == SL_NODE_SCENE && path->count > 0 && path->segments[0].type == SL_NODE_TRACK) {
            moved = (sl_path){.count = 2, .segments = {path->segments[0]}};
            moved.segments[1] = (sl_path_segment){.type = SL_NODE_CLIP_SLOT, .has_index = true, .index = from};
            place = shift_one(path, &moved);
        }
        if (place == SL_PATH_ABOVE) return place;
        if (place == SL_PATH_INSIDE) worst = place;
    }
    return worst;
}

static void write_frame(sl_text *text, const sl_tree *tree, const sl_node *node, const sl_paths *paths,
                        const sl_path *path);

/* One child as far as it is wanted. */
static void write_child(sl_text *text, const sl_tree *tree, const sl_node *child, const sl_paths *paths, sl_path *path,
                        bool *is_first)
{
    sl_path_place place = sl_paths_place(paths, path);
    if (place == SL_PATH_OUTSIDE) return;
    if (!*is_first) sl_text_string(text, ",");
    *is_first = false;
    if (place == SL_PATH_INSIDE)
        sl_text_node(text, tree, child, -1);
    else
        write_frame(text, tree, child, paths, path);
}

/* A node above what is wanted: its attributes would not be kept up to date, so they are not told. */
static void write_frame(sl_text *text, const sl_tree *tree, const sl_node *node, const sl_paths *paths,
                        const sl_path *path)
{
    sl_text_node_head(text, node);
    sl_text_string(text, "{},\"children\":[");
    size_t type_count;
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &type_count);
    bool is_first = true;
    for (size_t i = 0; i < type_count; i++) {
        uint32_t count = sl_node_child_count(node, types[i]);
        for (uint32_t p = 0; p < count; p++) {
            const sl_node *child = sl_node_child(node, types[i], p);
            if (child == NULL) continue;
            sl_path below = *path;
            below.segments[below.count++] =
                (sl_path_segment){.type = (uint8_t)types[i], .has_index = !is_single(types[i]), .index = p};
            write_child(text, tree, child, paths, &below, &is_first);
        }
    }
    sl_text_string(text, "]}");
}

void sl_text_node_at(sl_text *text, const sl_tree *tree, const sl_node *project, const sl_paths *paths)
{
    static const sl_path root = {.count = 0};
    if (paths == NULL || paths->count == 0)
        sl_text_node(text, tree, project, -1);
    else
        write_frame(text, tree, project, paths, &root);
}
