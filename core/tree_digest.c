/* The tree's digests: of a node's own bytes, and of a subtree from its children's. */
#include "core/bytes.h"
#include "core/list.h"
#include "core/tree.h"

#include <assert.h>

enum { SHORT_TEXT_BYTES = 64, NODE_BYTES_MAX = 2048, WHOLE_BYTES_MAX = 512, OWN_END = 0xff };

/* A long text counts by its digest, so that a node's bytes are bounded. */
static void write_value(sl_writer *writer, sl_value value)
{
    sl_write_le(writer, value.type, 1);
    switch ((sl_value_type)value.type) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: break;
    case SL_VALUE_BOOL: sl_write_le(writer, (uint64_t)value.as.integer, 1); break;
    case SL_VALUE_INT: sl_write_le(writer, (uint64_t)value.as.integer, 8); break;
    case SL_VALUE_FLOAT: {
        uint64_t bits;
        memcpy(&bits, &value.as.number, sizeof bits);
        sl_write_le(writer, bits, 8);
        break;
    }
    case SL_VALUE_TEXT:
    case SL_VALUE_JSON:
        sl_write_le(writer, value.length, 4);
        if (value.length <= SHORT_TEXT_BYTES) {
            sl_write_bytes(writer, value.as.text, value.length);
        } else {
            sl_digest digest = sl_digest_bytes(value.as.text, value.length);
            sl_write_le(writer, digest.low, 8);
            sl_write_le(writer, digest.high, 8);
        }
        break;
    }
}

static bool is_staleness(sl_attribute attribute)
{
    return attribute == SL_ATTRIBUTE_IS_STALE || attribute == SL_ATTRIBUTE_STALE_REASON;
}

/* Type and attributes, without staleness. */
static void write_own(sl_writer *writer, const sl_node *node)
{
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes((sl_node_type)node->type, &count);
    sl_write_le(writer, node->type, 1);
    for (size_t i = 0; i < count; i++) {
        if (node->values[i].type == SL_VALUE_ABSENT || is_staleness(attributes[i])) continue;
        sl_write_le(writer, attributes[i], 1);
        write_value(writer, node->values[i]);
    }
    sl_write_le(writer, OWN_END, 1);
}

static void write_staleness(sl_writer *writer, const sl_node *project)
{
    write_value(writer, sl_node_value(project, SL_ATTRIBUTE_IS_STALE));
    write_value(writer, sl_node_value(project, SL_ATTRIBUTE_STALE_REASON));
}

static sl_digest digest_writer(const sl_writer *writer)
{
    assert(!writer->bad);
    return sl_digest_bytes(writer->bytes, writer->length);
}

static void write_digest(sl_writer *writer, sl_digest digest)
{
    sl_write_le(writer, digest.low, 8);
    sl_write_le(writer, digest.high, 8);
}

/* content: own bytes and the lists' content. whole: content, id, staleness, and the lists' whole. */
static void digest_subtree(sl_node *node)
{
    uint8_t content_bytes[NODE_BYTES_MAX], whole_bytes[WHOLE_BYTES_MAX];
    sl_writer content = {.bytes = content_bytes, .capacity = sizeof content_bytes};
    sl_writer whole = {.bytes = whole_bytes, .capacity = sizeof whole_bytes};
    write_own(&content, node);
    sl_write_text(&whole, node->id, node->id_length);
    if (node->type == SL_NODE_PROJECT) write_staleness(&whole, node);
    size_t child_count;
    sl_schema_children((sl_node_type)node->type, &child_count);
    for (size_t i = 0; i < child_count; i++) {
        sl_list *list = &node->lists[i];
        sl_list_digest(list, digest_subtree);
        if (list->count == 0 && list->type >= SL_NODE_SESSION) continue; /* trees without one keep their digests */
        write_digest(&content, list->content);
        write_digest(&whole, list->whole);
    }
    node->content = digest_writer(&content);
    write_digest(&whole, node->content);
    node->whole = digest_writer(&whole);
    node->is_dirty = false;
}

void sl_tree_digest(sl_tree *tree)
{
    sl_node *project = sl_tree_project(tree);
    if (project->is_dirty) digest_subtree(project);
}

sl_digest sl_node_own_digest(const sl_node *node)
{
    uint8_t bytes[NODE_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    write_own(&writer, node);
    return digest_writer(&writer);
}
