/* What can be said of a Live file only at the end, and what was kept for it. */
#include "ingest/als_actions.h"

#include <stdlib.h>

bool als_read_id(const char *text, uint64_t *id)
{
    char *end;
    *id = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-';
}

void als_add_target(als_reader *reader, const char *id, sl_node *parameter, const char *label)
{
    uint64_t number;
    if (!als_read_id(id, &number)) return;
    als_target *target = als_push(reader, &reader->targets, sizeof *target);
    if (target != NULL) *target = (als_target){.id = number, .parameter = parameter, .label = label};
}

void als_end_list(als_reader *reader, sl_node *node, sl_attribute attribute)
{
    sl_text *text = &reader->text;
    sl_text_string(text, "]");
    if (text->bad) (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
    sl_value value = sl_value_text(text->bytes, text->length);
    value.type = SL_VALUE_JSON;
    als_set(reader, node, attribute, value);
}

static int compare_targets(const void *left, const void *right)
{
    const als_target *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static void name_target(als_reader *reader, sl_node *automation, const als_target *target)
{
    if (target->parameter == NULL) {
        als_set_text(reader, automation, SL_ATTRIBUTE_TARGET, target->label);
        return;
    }
    sl_node *parameter = target->parameter;
    als_set(reader, parameter, SL_ATTRIBUTE_IS_AUTOMATED, sl_value_bool(true));
    sl_value device = sl_node_value(sl_node_parent(parameter), SL_ATTRIBUTE_NAME);
    sl_value name = sl_node_value(parameter, SL_ATTRIBUTE_NAME);
    sl_text *text = &reader->text;
    sl_text_clear(text);
    sl_text_bytes(text, device.as.text, device.length);
    sl_text_string(text, "/");
    sl_text_bytes(text, name.as.text, name.length);
    if (text->bad) (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
    als_set(reader, automation, SL_ATTRIBUTE_TARGET, sl_value_text(text->bytes, text->length));
}

/* Automation tells whom it moves by Live's id, before or after that one is known. */
static void resolve_envelopes(als_reader *reader)
{
    als_target *targets = reader->targets.items;
    const als_envelope *envelopes = reader->envelopes.items;
    if (reader->targets.count == 0 || reader->envelopes.count == 0) return;
    qsort(targets, reader->targets.count, sizeof *targets, compare_targets);
    for (size_t i = 0; i < reader->envelopes.count; i++) {
        als_target wanted = {.id = envelopes[i].target};
        const als_target *found = bsearch(&wanted, targets, reader->targets.count, sizeof *targets, compare_targets);
        if (found != NULL) name_target(reader, envelopes[i].automation, found);
    }
}

/* Slots without a scene get one: nothing is dropped. */
static void complete_scenes(als_reader *reader)
{
    sl_node *project = sl_tree_project(reader->tree);
    uint32_t slots_max = 0;
    for (uint32_t t = 0; t < sl_node_child_count(project, SL_NODE_TRACK); t++) {
        uint32_t slots = sl_node_child_count(sl_node_child(project, SL_NODE_TRACK, t), SL_NODE_CLIP_SLOT);
        if (slots > slots_max) slots_max = slots;
    }
    while (reader->err == SL_OK && sl_node_child_count(project, SL_NODE_SCENE) < slots_max)
        (void)als_add(reader, project, SL_NODE_SCENE, "made");
}

sl_err als_finish(als_reader *reader)
{
    if (reader->err == SL_OK && !reader->has_set)
        (void)als_fail(reader, SL_ERR_REFUSED, "XML, but no Live set: no Ableton/LiveSet in it");
    if (reader->err == SL_OK) resolve_envelopes(reader);
    if (reader->err == SL_OK) complete_scenes(reader);
    return reader->err;
}
