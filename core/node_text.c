/* Nodes as text: paths, values, attributes, subtrees. */
#include "core/message.h"
#include "core/message_diff.h"

static bool is_single(sl_node_type type)
{
    return type == SL_NODE_MIXER || type == SL_NODE_CLIP;
}

void sl_text_place(sl_text *text, const sl_node *parent, sl_node_type type, uint32_t position)
{
    if (parent->type != SL_NODE_PROJECT) {
        sl_text_path(text, parent);
        sl_text_string(text, ".");
    }
    if (is_single(type)) {
        sl_text_string(text, sl_schema_type_name(type));
        return;
    }
    sl_text_string(text, sl_schema_plural(type));
    sl_text_string(text, "[");
    sl_text_u64(text, position);
    sl_text_string(text, "]");
}

void sl_text_path(sl_text *text, const sl_node *node)
{
    const sl_node *parent = sl_node_parent(node);
    if (parent == NULL)
        sl_text_string(text, sl_schema_type_name((sl_node_type)node->type));
    else
        sl_text_place(text, parent, (sl_node_type)node->type, sl_node_position(node));
}

void sl_text_value(sl_text *text, const sl_value *value)
{
    switch ((sl_value_type)value->type) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: sl_text_string(text, "null"); break;
    case SL_VALUE_BOOL: sl_text_string(text, value->as.integer != 0 ? "true" : "false"); break;
    case SL_VALUE_INT: sl_text_i64(text, value->as.integer); break;
    case SL_VALUE_FLOAT: sl_text_double(text, value->as.number); break;
    case SL_VALUE_TEXT: sl_text_json(text, value->as.text, value->length); break;
    case SL_VALUE_JSON: sl_text_bytes(text, value->as.text, value->length); break;
    }
}

static void write_attribute(sl_text *text, bool *is_first, sl_attribute attribute, sl_value value)
{
    if (value.type == SL_VALUE_ABSENT) return;
    sl_text_string(text, *is_first ? "\"" : ",\"");
    sl_text_string(text, sl_schema_attribute_name(attribute));
    sl_text_string(text, "\":");
    sl_text_value(text, &value);
    *is_first = false;
}

/* Positions stand behind the name. */
void sl_text_attributes(sl_text *text, const sl_node *node)
{
    static const sl_attribute positions[] = {SL_ATTRIBUTE_INDEX, SL_ATTRIBUTE_TRACK_INDEX, SL_ATTRIBUTE_SCENE_INDEX};
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes((sl_node_type)node->type, &count);
    bool is_first = true;
    size_t next = attributes[0] == SL_ATTRIBUTE_NAME ? 1 : 0;
    sl_text_string(text, "{");
    if (next == 1) write_attribute(text, &is_first, SL_ATTRIBUTE_NAME, node->values[0]);
    for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++)
        write_attribute(text, &is_first, positions[i], sl_node_value(node, positions[i]));
    for (size_t i = next; i < count; i++) write_attribute(text, &is_first, attributes[i], node->values[i]);
    sl_text_string(text, "}");
}

static void write_children(sl_text *text, const sl_tree *tree, const sl_node *node, int depth)
{
    size_t type_count;
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &type_count);
    bool is_first = true;
    for (size_t i = 0; i < type_count; i++) {
        uint32_t count = sl_node_child_count(node, types[i]);
        for (uint32_t p = 0; p < count; p++) {
            const sl_node *child = sl_node_child(node, types[i], p);
            if (child == NULL) continue;
            sl_text_string(text, is_first ? ",\"children\":[" : ",");
            sl_text_node(text, tree, child, depth);
            is_first = false;
        }
    }
    if (!is_first) sl_text_string(text, "]");
}

void sl_text_node_head(sl_text *text, const sl_node *node)
{
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(node->content, hex);
    sl_text_string(text, "{\"node_type\":\"");
    sl_text_string(text, sl_schema_type_name((sl_node_type)node->type));
    sl_text_string(text, "\",\"id\":");
    sl_text_json(text, node->id, node->id_length);
    sl_text_string(text, ",\"hash\":\"");
    sl_text_string(text, hex);
    sl_text_string(text, "\",\"attributes\":");
}

void sl_text_node(sl_text *text, const sl_tree *tree, const sl_node *node, int depth)
{
    sl_text_node_head(text, node);
    sl_text_attributes(text, node);
    if (depth != 0) write_children(text, tree, node, depth - 1);
    sl_text_string(text, "}");
}
