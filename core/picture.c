/* A whole tree as bytes, and back. */
#include "core/picture.h"

#include "core/json.h"

#include <assert.h>
#include <string.h>

/* Writing. */

void sl_picture_begin(sl_picture_writer *picture, sl_writer *out)
{
    *picture = (sl_picture_writer){.out = out, .count_position = out->length};
    sl_write_le(out, 0, 4);
}

/* Writes the open node's attribute count into its place. */
static void close_node(sl_picture_writer *picture)
{
    if (picture->node_count > 0 && !picture->out->bad)
        picture->out->bytes[picture->attributes_position] = picture->attribute_count;
}

void sl_picture_node(sl_picture_writer *picture, sl_node_type type, uint8_t depth, uint32_t position, const char *id,
                     size_t id_length)
{
    close_node(picture);
    sl_write_le(picture->out, type, 1);
    sl_write_le(picture->out, depth, 1);
    sl_write_le(picture->out, position, 4);
    sl_write_text(picture->out, id, id_length);
    picture->attributes_position = picture->out->length;
    picture->attribute_count = 0;
    sl_write_le(picture->out, 0, 1);
    picture->node_count++;
}

void sl_picture_attribute(sl_picture_writer *picture, sl_attribute attribute, const sl_value *value)
{
    sl_writer *out = picture->out;
    sl_write_le(out, attribute, 1);
    sl_write_le(out, value->type, 1);
    uint64_t bits;
    switch ((sl_value_type)value->type) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: break;
    case SL_VALUE_BOOL: sl_write_le(out, (uint64_t)value->as.integer, 1); break;
    case SL_VALUE_INT: sl_write_le(out, (uint64_t)value->as.integer, 8); break;
    case SL_VALUE_FLOAT:
        memcpy(&bits, &value->as.number, sizeof bits);
        sl_write_le(out, bits, 8);
        break;
    case SL_VALUE_TEXT:
    case SL_VALUE_JSON: sl_write_text(out, value->as.text, value->length); break;
    }
    picture->attribute_count++;
}

void sl_picture_end(sl_picture_writer *picture)
{
    close_node(picture);
    if (!picture->out->bad) sl_put_le(picture->out->bytes + picture->count_position, picture->node_count, 4);
}

static void write_subtree(sl_picture_writer *picture, const sl_node *node, uint8_t depth)
{
    sl_node_type type = (sl_node_type)node->type;
    uint32_t position = type == SL_NODE_CLIP_SLOT ? sl_node_position(node) : 0;
    sl_picture_node(picture, type, depth, position, node->id, node->id_length);
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes(type, &count);
    for (size_t i = 0; i < count; i++)
        if (node->values[i].type != SL_VALUE_ABSENT) sl_picture_attribute(picture, attributes[i], &node->values[i]);
    const sl_node_type *children = sl_schema_children(type, &count);
    for (size_t i = 0; i < count; i++) {
        uint32_t places = sl_node_child_count(node, children[i]);
        for (uint32_t p = 0; p < places; p++) {
            const sl_node *child = sl_node_child(node, children[i], p);
            if (child != NULL) write_subtree(picture, child, (uint8_t)(depth + 1));
        }
    }
}

sl_err sl_picture_write(const sl_tree *tree, sl_writer *out)
{
    sl_picture_writer picture;
    sl_picture_begin(&picture, out);
    write_subtree(&picture, sl_tree_project(tree), 0);
    sl_picture_end(&picture);
    return out->bad ? SL_ERR_FULL : SL_OK;
}

/* Reading. */

typedef struct build {
    sl_reader reader;
    sl_tree *tree;
    const char *id_prefix;
    sl_picture_error *error;
    sl_node *open[SL_PICTURE_DEPTH_MAX]; /* the last node at each depth */
    uint32_t open_count;
    uint32_t node; /* being read */
    uint32_t node_count;
    uint64_t place_count; /* of clip_slots, empty ones too */
    uint32_t ordinal_next;
} build;

static sl_err refuse(build *build, const char *what)
{
    *build->error = (sl_picture_error){.what = what, .node = build->node};
    return SL_ERR_REFUSED;
}

static sl_value read_value(sl_reader *reader)
{
    sl_value value = {.type = (uint8_t)sl_read_le(reader, 1)};
    uint64_t bits;
    size_t length;
    switch ((sl_value_type)value.type) {
    case SL_VALUE_NULL: break;
    case SL_VALUE_BOOL: value.as.integer = sl_read_le(reader, 1) != 0; break;
    case SL_VALUE_INT: value.as.integer = (int64_t)sl_read_le(reader, 8); break;
    case SL_VALUE_FLOAT:
        bits = sl_read_le(reader, 8);
        memcpy(&value.as.number, &bits, sizeof bits);
        break;
    case SL_VALUE_TEXT:
    case SL_VALUE_JSON:
        value.as.text = sl_read_text(reader, &length);
        value.length = (uint32_t)length;
        break;
    case SL_VALUE_ABSENT:
    default: reader->bad = true;
    }
    return value;
}

static bool is_finite(double number)
{
    return number - number == 0.0;
}

static sl_err read_attributes(build *build, sl_node *node)
{
    size_t count = (size_t)sl_read_le(&build->reader, 1);
    if (build->reader.bad) return refuse(build, "the picture ends too early");
    for (size_t i = 0; i < count; i++) {
        unsigned attribute = (unsigned)sl_read_le(&build->reader, 1);
        sl_value value = read_value(&build->reader);
        if (build->reader.bad) return refuse(build, "the picture ends too early");
        if (attribute >= SL_ATTRIBUTE_COUNT || sl_schema_slot((sl_node_type)node->type, (sl_attribute)attribute) < 0)
            return refuse(build, "an attribute that its node type does not have");
        if (value.type != SL_VALUE_NULL && value.type != sl_schema_value_type((sl_attribute)attribute))
            return refuse(build, "a value of the wrong type");
        if (value.type == SL_VALUE_FLOAT && !is_finite(value.as.number))
            return refuse(build, "a number that is not finite");
        if (value.type == SL_VALUE_JSON && !sl_json_check(value.as.text, value.length))
            return refuse(build, "a value that is no JSON");
        sl_err err = sl_tree_set(build->tree, node, (sl_attribute)attribute, value, NULL, NULL);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

/* "type-prefix-ordinal", the next one that is free. */
static size_t make_id(build *build, sl_node_type type, char id[SL_ID_BYTES_MAX])
{
    do {
        sl_writer writer = {.bytes = (uint8_t *)id, .capacity = SL_ID_BYTES_MAX};
        const char *parts[] = {sl_schema_type_name(type), "-", build->id_prefix, "-"};
        for (size_t i = 0; i < 4; i++) sl_write_bytes(&writer, parts[i], strlen(parts[i]));
        char digits[10];
        size_t digit_count = 0;
        uint32_t ordinal = build->ordinal_next++;
        do digits[digit_count++] = (char)('0' + ordinal % 10);
        while ((ordinal /= 10) > 0);
        while (digit_count > 0) sl_write_bytes(&writer, &digits[--digit_count], 1);
        assert(!writer.bad);
        if (sl_tree_find(build->tree, id, writer.length) == NULL) return writer.length;
    } while (true);
}

/* Adds a node below `parent`; a clip_slot at its position, any other at the end. */
static sl_err add_node(build *build, sl_node *parent, sl_node_type type, uint32_t position, sl_id id, sl_node **out)
{
    char made[SL_ID_BYTES_MAX];
    if (id.length == 0) id = (sl_id){made, make_id(build, type, made)};
    if (id.length > SL_ID_BYTES_MAX) return refuse(build, "an id of more than 95 bytes");
    if (sl_tree_find(build->tree, id.bytes, id.length) != NULL) return refuse(build, "a duplicate id");
    if (sl_schema_child_slot((sl_node_type)parent->type, type) < 0)
        return refuse(build, "a child where it may not stand");
    bool is_single = type == SL_NODE_CLIP || type == SL_NODE_MIXER;
    if (is_single && sl_node_child_count(parent, type) > 0)
        return refuse(build, "a second clip or mixer below one parent");
    if (type != SL_NODE_CLIP_SLOT)
        return sl_tree_insert(build->tree, parent, type, sl_node_child_count(parent, type), id, out);
    /* Its scene may come later, but not more scenes than nodes. Else a few bytes could ask for gigabytes of places. */
    if (position >= build->node_count || position >= SL_POSITION_MAX)
        return refuse(build, "a clip_slot whose scene does not exist");
    uint32_t places = sl_node_child_count(parent, type);
    if (position >= places) build->place_count += position - places + 1;
    if (build->place_count > SL_PICTURE_NODES_MAX) return refuse(build, "too many empty places between clip_slots");
    if (sl_node_child(parent, type, position) != NULL) return refuse(build, "two clip_slots of one scene");
    return sl_tree_place(build->tree, parent, type, position, id, out);
}

static sl_err read_node(build *build)
{
    unsigned type = (unsigned)sl_read_le(&build->reader, 1);
    uint32_t depth = (uint32_t)sl_read_le(&build->reader, 1);
    uint32_t position = (uint32_t)sl_read_le(&build->reader, 4);
    size_t id_length;
    const char *id = sl_read_text(&build->reader, &id_length);
    if (build->reader.bad) return refuse(build, "the picture ends too early");
    if (type >= SL_NODE_TYPE_COUNT) return refuse(build, "an unknown node type");
    if (depth >= SL_PICTURE_DEPTH_MAX) return refuse(build, "nested too deep");
    if (depth > build->open_count || (depth == 0) != (build->node == 0) || (depth == 0) != (type == SL_NODE_PROJECT))
        return refuse(build, "a child where it may not stand");
    sl_node *node = sl_tree_project(build->tree);
    if (depth > 0) {
        sl_err err =
            add_node(build, build->open[depth - 1], (sl_node_type)type, position, (sl_id){id, id_length}, &node);
        if (err != SL_OK) return err;
    }
    build->open[depth] = node;
    build->open_count = depth + 1;
    return read_attributes(build, node);
}

/* No clip_slot may stand beyond the last scene: that can be told only at the end. */
static sl_err check_slots(build *build)
{
    const sl_node *project = sl_tree_project(build->tree);
    uint32_t scenes = sl_node_child_count(project, SL_NODE_SCENE);
    uint32_t tracks = sl_node_child_count(project, SL_NODE_TRACK);
    for (uint32_t t = 0; t < tracks; t++) {
        const sl_node *track = sl_node_child(project, SL_NODE_TRACK, t);
        if (sl_node_child_count(track, SL_NODE_CLIP_SLOT) > scenes)
            return refuse(build, "a clip_slot whose scene does not exist");
    }
    return SL_OK;
}

sl_err sl_picture_build(const uint8_t *bytes, size_t length, const char *id_prefix, sl_tree *tree,
                        sl_picture_error *error)
{
    assert(sl_tree_node_count(tree) == 1);
    build build = {.reader = {.bytes = bytes, .length = length}, .tree = tree, .id_prefix = id_prefix, .error = error};
    build.node_count = (uint32_t)sl_read_le(&build.reader, 4);
    if (build.node_count == 0 || build.node_count > SL_PICTURE_NODES_MAX || build.node_count > length)
        return refuse(&build, "no nodes, or too many");
    for (; build.node < build.node_count; build.node++) {
        sl_err err = read_node(&build);
        if (err != SL_OK) return err;
    }
    if (build.reader.position != length) return refuse(&build, "bytes after the last node");
    return check_slots(&build);
}

sl_err sl_picture_check(const uint8_t *bytes, size_t length, sl_memory memory, sl_picture_error *error)
{
    sl_tree *tree;
    sl_err err = sl_tree_create(memory, &tree);
    if (err != SL_OK) return err;
    err = sl_picture_build(bytes, length, "check", tree, error);
    sl_tree_destroy(tree);
    return err;
}
