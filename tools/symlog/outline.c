#include "tools/symlog/outline.h"

#include "core/message.h"
#include "tools/symlog/host.h"

enum { INDENT = 2 };

/* What only a machine wants to read. */
static bool is_long(sl_attribute attribute)
{
    return attribute == SL_ATTRIBUTE_NOTES || attribute == SL_ATTRIBUTE_POINTS || attribute == SL_ATTRIBUTE_NAME;
}

static bool is_at_rest(const sl_value *value)
{
    switch ((sl_value_type)value->type) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: return true;
    case SL_VALUE_BOOL: return value->as.integer == 0;
    case SL_VALUE_TEXT: return value->length == 0;
    case SL_VALUE_INT:
    case SL_VALUE_FLOAT:
    case SL_VALUE_JSON: return false;
    }
    return false;
}

static void write_node(sl_text *line, const sl_node *node, unsigned depth)
{
    for (unsigned i = 0; i < depth * INDENT; i++) sl_text_string(line, " ");
    sl_text_string(line, sl_schema_type_name((sl_node_type)node->type));
    sl_value name = sl_node_value(node, SL_ATTRIBUTE_NAME);
    if (name.type == SL_VALUE_TEXT) {
        sl_text_string(line, " ");
        sl_text_value(line, &name);
    }
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes((sl_node_type)node->type, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_long(attributes[i]) || is_at_rest(&node->values[i])) continue;
        sl_text_string(line, " ");
        sl_text_string(line, sl_schema_attribute_name(attributes[i]));
        sl_text_string(line, "=");
        sl_text_value(line, &node->values[i]);
    }
}

static bool is_shown(const sl_node *node, bool all)
{
    if (all) return true;
    sl_value has_clip = sl_node_value(node, SL_ATTRIBUTE_HAS_CLIP);
    if (node->type == SL_NODE_CLIP_SLOT) return has_clip.type == SL_VALUE_BOOL && has_clip.as.integer != 0;
    return node->type != SL_NODE_PARAMETER;
}

static bool print(sl_printer *printer, sl_text *line, const sl_node *node, unsigned depth, bool all)
{
    sl_text_clear(line);
    write_node(line, node, depth);
    if (!sl_print_line(printer, line)) return false;
    size_t count;
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &count);
    for (size_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < sl_node_child_count(node, types[i]); p++) {
            const sl_node *child = sl_node_child(node, types[i], p);
            if (child != NULL && is_shown(child, all) && !print(printer, line, child, depth + 1, all)) return false;
        }
    return true;
}

bool sl_outline_print(sl_printer *printer, const sl_node *node, bool all)
{
    sl_text line;
    sl_text_open(&line, sl_host_memory());
    bool is_read = print(printer, &line, node, 0, all);
    sl_text_close(&line);
    return is_read;
}
