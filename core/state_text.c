/* A diff as a line, and a state as text, for people and for golden files. */
#include "core/message.h"

#include <string.h>

enum { CHANGES_SHOWN = 3 };

/* A diff as one line. */

static void write_change(sl_text *text, const sl_change *change)
{
    const sl_node *node = change->node;
    const char *type = sl_schema_type_name((sl_node_type)node->type);
    switch ((sl_change_type)change->type) {
    case SL_CHANGE_ADDED:
        sl_text_string(text, "+ ");
        sl_text_path(text, node);
        break;
    case SL_CHANGE_REMOVED:
        sl_text_string(text, "- ");
        sl_text_string(text, type);
        sl_text_string(text, " ");
        sl_text_bytes(text, node->id, node->id_length);
        break;
    case SL_CHANGE_SHIFTED:
        sl_text_string(text, sl_schema_plural((sl_node_type)change->child));
        sl_text_string(text, "[");
        sl_text_u64(text, change->position);
        sl_text_string(text, change->by > 0 ? "..] moved up" : "..] moved down");
        break;
    case SL_CHANGE_PERMUTED:
        sl_text_u64(text, change->count);
        sl_text_string(text, " scenes reordered");
        break;
    case SL_CHANGE_MODIFIED:
    case SL_CHANGE_STATE:
        sl_text_path(text, node);
        sl_text_string(text, ".");
        sl_text_string(text, sl_schema_attribute_name((sl_attribute)change->attribute));
        sl_text_string(text, " ");
        sl_text_value(text, &change->old_value);
        sl_text_string(text, " -> ");
        sl_text_value(text, &change->new_value);
        break;
    }
    sl_value name = sl_node_value(node, SL_ATTRIBUTE_NAME);
    bool is_named = change->type == SL_CHANGE_ADDED || change->type == SL_CHANGE_REMOVED;
    if (!is_named || name.type != SL_VALUE_TEXT) return;
    sl_text_string(text, " ");
    sl_text_value(text, &name);
}

void sl_text_diff(sl_text *text, const sl_diff *diff)
{
    for (size_t i = 0; i < diff->count && i < CHANGES_SHOWN; i++) {
        if (i > 0) sl_text_string(text, "; ");
        write_change(text, &diff->changes[i]);
    }
    if (diff->count <= CHANGES_SHOWN) return;
    sl_text_string(text, "; and ");
    sl_text_u64(text, diff->count - CHANGES_SHOWN);
    sl_text_string(text, " more");
}

/* A state. */

static void write_digest(sl_text *text, const char *name, sl_digest digest)
{
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(digest, hex);
    sl_text_string(text, name);
    sl_text_string(text, hex);
    sl_text_string(text, "\n");
}

static void write_source(sl_text *text, const sl_source *source)
{
    sl_text_string(text, "source ");
    sl_text_u64(text, source->number);
    sl_text_string(text, " ");
    sl_text_json(text, source->name, strlen(source->name));
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{" session ", source->session},
                  {" next ", source->next_source_seq},
                  {" unnumbered ", source->unnumbered_count},
                  {" gaps ", source->gaps},
                  {" missing ", source->gap_size_total}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        sl_text_string(text, counts[i].name);
        sl_text_u64(text, counts[i].value);
    }
    for (unsigned i = 1; i < SL_REFUSAL_COUNT; i++) {
        if (source->refused[i] == 0) continue;
        sl_text_string(text, " refused(");
        sl_text_string(text, sl_refusal_text((sl_refusal)i));
        sl_text_string(text, ") ");
        sl_text_u64(text, source->refused[i]);
    }
    sl_text_string(text, "\n");
}

/* A line for the node, then its children's. */
static void write_node(sl_text *text, const sl_node *node)
{
    size_t count;
    const sl_attribute *attributes = sl_schema_attributes((sl_node_type)node->type, &count);
    sl_text_path(text, node);
    sl_text_string(text, " ");
    sl_text_json(text, node->id, node->id_length);
    for (size_t i = 0; i < count; i++) {
        if (node->values[i].type == SL_VALUE_ABSENT) continue;
        sl_text_string(text, " ");
        sl_text_string(text, sl_schema_attribute_name(attributes[i]));
        sl_text_string(text, "=");
        sl_text_value(text, &node->values[i]);
    }
    sl_text_string(text, "\n");
    const sl_node_type *types = sl_schema_children((sl_node_type)node->type, &count);
    for (size_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < sl_node_child_count(node, types[i]); p++) {
            const sl_node *child = sl_node_child(node, types[i], p);
            if (child != NULL) write_node(text, child);
        }
}

void sl_text_state(sl_text *text, sl_state *state)
{
    sl_digest content, whole;
    sl_state_digests(state, &content, &whole);
    sl_text_string(text, "seq ");
    sl_text_u64(text, sl_state_seq(state));
    sl_text_string(text, "\n");
    write_digest(text, "content ", content);
    write_digest(text, "state ", whole);
    for (size_t i = 0; sl_state_source_at(state, i) != NULL; i++) write_source(text, sl_state_source_at(state, i));
    write_node(text, sl_tree_project(sl_state_tree_view(state)));
}
