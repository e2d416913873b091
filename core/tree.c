/* The project as a tree. */
#include "core/tree.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/list.h"

#include <assert.h>
#include <string.h>

/* A stored text; values point at its bytes. */
typedef struct text_block {
    struct text_block *next_replaced;
    uint32_t length;
    char bytes[];
} text_block;

struct sl_tree {
    sl_memory memory;
    sl_pool pool;
    sl_ids ids;
    sl_node *project;
    sl_node *removed;     /* until sl_tree_bury */
    text_block *replaced; /* likewise */
};

/* Making and freeing nodes. */

static size_t node_size(sl_node_type type)
{
    size_t attribute_count, child_count;
    sl_schema_attributes(type, &attribute_count);
    sl_schema_children(type, &child_count);
    return sizeof(sl_node) + attribute_count * sizeof(sl_value) + child_count * sizeof(sl_list);
}

static sl_node *make_node(sl_tree *tree, sl_node_type type, sl_id id)
{
    assert(id.length >= 1 && id.length <= SL_ID_BYTES_MAX);
    size_t attribute_count, child_count;
    sl_schema_attributes(type, &attribute_count);
    const sl_node_type *children = sl_schema_children(type, &child_count);
    char *id_copy = sl_pool_take(&tree->pool, id.length);
    sl_node *node = sl_pool_take(&tree->pool, node_size(type));
    if (id_copy == NULL || node == NULL) {
        sl_pool_give(&tree->pool, id_copy, id.length);
        sl_pool_give(&tree->pool, node, node_size(type));
        return NULL;
    }
    memset(node, 0, node_size(type));
    memcpy(id_copy, id.bytes, id.length);
    node->id = id_copy;
    node->id_length = (uint8_t)id.length;
    node->type = (uint8_t)type;
    node->is_dirty = true;
    node->lists = (sl_list *)(void *)&node->values[attribute_count];
    for (size_t i = 0; i < child_count; i++) {
        node->lists[i].owner = node;
        node->lists[i].type = (uint8_t)children[i];
    }
    return node;
}

/* The block that holds a stored value's text; NULL if it is no text. */
static text_block *text_block_of(sl_value value)
{
    if (value.type != SL_VALUE_TEXT && value.type != SL_VALUE_JSON) return NULL;
    return (text_block *)(void *)(uintptr_t)(value.as.text - offsetof(text_block, bytes));
}

static void free_text(sl_tree *tree, text_block *block)
{
    if (block != NULL) sl_pool_give(&tree->pool, block, sizeof *block + block->length);
}

/* Frees a node and all below it. Depth is bounded by SL_PICTURE_DEPTH_MAX. */
static void free_node(sl_tree *tree, sl_node *node)
{
    size_t attribute_count, child_count;
    sl_schema_attributes((sl_node_type)node->type, &attribute_count);
    sl_schema_children((sl_node_type)node->type, &child_count);
    for (size_t i = 0; i < child_count; i++) {
        sl_list *list = &node->lists[i];
        for (uint32_t b = 0; b < list->block_count; b++)
            for (uint32_t p = 0; p < list->blocks[b]->count; p++)
                if (list->blocks[b]->places[p] != NULL) free_node(tree, list->blocks[b]->places[p]);
        sl_list_clear(list, &tree->pool);
    }
    for (size_t i = 0; i < attribute_count; i++) free_text(tree, text_block_of(node->values[i]));
    sl_pool_give(&tree->pool, (void *)(uintptr_t)node->id, node->id_length);
    sl_pool_give(&tree->pool, node, node_size((sl_node_type)node->type));
}

sl_err sl_tree_create(sl_memory memory, sl_tree **out)
{
    sl_tree *tree = memory.resize(memory.ctx, NULL, 0, sizeof *tree);
    if (tree == NULL) return SL_ERR_MEMORY;
    *tree = (sl_tree){.memory = memory, .ids.memory = memory};
    sl_pool_open(&tree->pool, memory);
    tree->project = make_node(tree, SL_NODE_PROJECT, (sl_id){"project", strlen("project")});
    if (tree->project == NULL || sl_ids_add(&tree->ids, tree->project) != SL_OK) {
        sl_tree_destroy(tree);
        return SL_ERR_MEMORY;
    }
    *out = tree;
    return SL_OK;
}

void sl_tree_destroy(sl_tree *tree)
{
    if (tree == NULL) return;
    sl_memory memory = tree->memory;
    sl_ids_close(&tree->ids);
    sl_pool_close(&tree->pool);
    memory.resize(memory.ctx, tree, sizeof *tree, 0);
}

/* Reading. */

sl_node *sl_tree_project(const sl_tree *tree)
{
    return tree->project;
}

size_t sl_tree_node_count(const sl_tree *tree)
{
    return tree->ids.count;
}

size_t sl_tree_size_bytes(const sl_tree *tree)
{
    return sizeof *tree + tree->pool.size_bytes + tree->ids.capacity * sizeof(sl_ids_entry);
}

sl_node *sl_node_parent(const sl_node *node)
{
    return node->home != NULL ? node->home->list->owner : NULL;
}

uint32_t sl_node_position(const sl_node *node)
{
    if (node->home == NULL) return 0;
    uint32_t offset = 0;
    while (node->home->places[offset] != node) offset++;
    return sl_list_block_position(node->home) + offset;
}

/* The list of children of `type`, NULL if they may not stand there. */
static sl_list *find_list(const sl_node *node, sl_node_type type)
{
    int slot = sl_schema_child_slot((sl_node_type)node->type, type);
    return slot >= 0 ? &node->lists[slot] : NULL;
}

uint32_t sl_node_child_count(const sl_node *node, sl_node_type type)
{
    const sl_list *list = find_list(node, type);
    return list != NULL ? list->count : 0;
}

sl_node *sl_node_child(const sl_node *node, sl_node_type type, uint32_t position)
{
    const sl_list *list = find_list(node, type);
    return list != NULL ? sl_list_get(list, position) : NULL;
}

sl_value sl_node_value(const sl_node *node, sl_attribute attribute)
{
    int slot = sl_schema_slot((sl_node_type)node->type, attribute);
    if (slot >= 0) return node->values[slot];
    const sl_node *parent = sl_node_parent(node);
    bool is_slot = node->type == SL_NODE_CLIP_SLOT;
    bool is_indexed = node->type == SL_NODE_TRACK || node->type == SL_NODE_SCENE;
    if (parent == NULL) return (sl_value){0};
    if (is_indexed && attribute == SL_ATTRIBUTE_INDEX) return sl_value_int(sl_node_position(node));
    if (is_slot && attribute == SL_ATTRIBUTE_SCENE_INDEX) return sl_value_int(sl_node_position(node));
    if (is_slot && attribute == SL_ATTRIBUTE_TRACK_INDEX) return sl_value_int(sl_node_position(parent));
    return (sl_value){0};
}

sl_node *sl_tree_find(const sl_tree *tree, const char *id, size_t id_length)
{
    return sl_ids_find(&tree->ids, id, id_length);
}

/* Reads "plural[position]", or the name of a child of which there is one, at *path and moves past it. */
static bool read_step(const char **path, const char *end, sl_node_type *type, uint32_t *position)
{
    const char *at = *path;
    while (at < end && *at != '[' && *at != '.') at++;
    size_t length = (size_t)(at - *path);
    *position = 0;
    if (at == end || *at == '.') {
        *type = sl_schema_type_by_name(*path, length);
        *path = at;
        return *type == SL_NODE_CLIP || *type == SL_NODE_MIXER;
    }
    *type = sl_schema_type_by_plural(*path, length);
    const char *digits = ++at;
    while (at < end && *at >= '0' && *at <= '9' && *position < SL_POSITION_MAX)
        *position = *position * 10 + (uint32_t)(*at++ - '0');
    if (*type == SL_NODE_TYPE_COUNT || at == digits || at == end || *at != ']') return false;
    *path = at + 1;
    return true;
}

sl_node *sl_tree_find_path(const sl_tree *tree, const char *path, size_t path_length)
{
    static const char project[] = "project";
    if (path_length == strlen(project) && memcmp(path, project, path_length) == 0) return tree->project;
    const char *end = path + path_length;
    sl_node *node = tree->project;
    for (bool is_first = true; node != NULL && (is_first || path < end); is_first = false) {
        sl_node_type type;
        uint32_t position;
        if (!is_first && *path++ != '.') return NULL;
        if (!read_step(&path, end, &type, &position)) return NULL;
        node = sl_node_child(node, type, position);
    }
    return node;
}

/* Changing. */

/* Marks the node and its ancestors; stops where that has been done. */
static void mark(sl_node *node)
{
    while (node != NULL && !node->is_dirty) {
        node->is_dirty = true;
        if (node->home != NULL) sl_list_mark(node);
        node = sl_node_parent(node);
    }
}

sl_err sl_tree_insert(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position, sl_id id, sl_node **out)
{
    sl_list *list = find_list(parent, type);
    assert(list != NULL && position <= list->count);
    sl_node *node = make_node(tree, type, id);
    if (node == NULL) return SL_ERR_MEMORY;
    sl_err err = sl_ids_add(&tree->ids, node);
    if (err != SL_OK) return err;
    err = sl_list_insert(list, &tree->pool, position, node);
    if (err != SL_OK) return err;
    mark(parent);
    *out = node;
    return SL_OK;
}

/* Makes the list at least `count` places long. */
static sl_err extend(sl_tree *tree, sl_list *list, uint32_t count)
{
    while (list->count < count) {
        sl_err err = sl_list_insert(list, &tree->pool, list->count, NULL);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

sl_err sl_tree_place(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position, sl_id id, sl_node **out)
{
    sl_list *list = find_list(parent, type);
    assert(list != NULL && position < SL_POSITION_MAX && sl_list_get(list, position) == NULL);
    sl_err err = extend(tree, list, position);
    if (err != SL_OK) return err;
    if (position == list->count) return sl_tree_insert(tree, parent, type, position, id, out);
    sl_node *node = make_node(tree, type, id);
    if (node == NULL) return SL_ERR_MEMORY;
    err = sl_ids_add(&tree->ids, node);
    if (err != SL_OK) return err;
    sl_list_set(list, position, node);
    mark(parent);
    *out = node;
    return SL_OK;
}

sl_err sl_tree_rename(sl_tree *tree, sl_node *node, sl_id id)
{
    assert(id.length >= 1 && id.length <= SL_ID_BYTES_MAX);
    char *copy = sl_pool_take(&tree->pool, id.length);
    if (copy == NULL) return SL_ERR_MEMORY;
    memcpy(copy, id.bytes, id.length);
    sl_ids_remove(&tree->ids, node);
    sl_pool_give(&tree->pool, (void *)(uintptr_t)node->id, node->id_length);
    node->id = copy;
    node->id_length = (uint8_t)id.length;
    mark(node);
    return sl_ids_add(&tree->ids, node);
}

/* Makes the ids of a node and of all below it free. */
static void forget_ids(sl_tree *tree, const sl_node *node)
{
    sl_ids_remove(&tree->ids, node);
    size_t child_count;
    sl_schema_children((sl_node_type)node->type, &child_count);
    for (size_t i = 0; i < child_count; i++)
        for (uint32_t b = 0; b < node->lists[i].block_count; b++) {
            const sl_block *block = node->lists[i].blocks[b];
            for (uint32_t p = 0; p < block->count; p++)
                if (block->places[p] != NULL) forget_ids(tree, block->places[p]);
        }
}

void sl_tree_remove(sl_tree *tree, sl_node *node, bool close)
{
    assert(node->home != NULL);
    sl_list *list = node->home->list;
    uint32_t position = sl_node_position(node);
    forget_ids(tree, node);
    if (close)
        sl_list_remove(list, &tree->pool, position);
    else
        sl_list_set(list, position, NULL);
    node->home = NULL;
    node->next_removed = tree->removed;
    tree->removed = node;
    mark(list->owner);
}

sl_err sl_tree_open_place(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position)
{
    sl_list *list = find_list(parent, type);
    if (position >= list->count) return SL_OK;
    sl_err err = sl_list_insert(list, &tree->pool, position, NULL);
    mark(parent);
    return err;
}

void sl_tree_close_place(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position)
{
    sl_list *list = find_list(parent, type);
    if (position >= list->count) return;
    assert(sl_list_get(list, position) == NULL);
    sl_list_remove(list, &tree->pool, position);
    mark(parent);
}

sl_err sl_tree_permute(sl_tree *tree, sl_node *parent, sl_node_type type, const uint32_t *at, const uint32_t *from,
                       size_t count)
{
    sl_list *list = find_list(parent, type);
    sl_node **moving = sl_pool_take(&tree->pool, count * sizeof(sl_node *) + 1);
    if (moving == NULL) return SL_ERR_MEMORY;
    sl_err err = SL_OK;
    for (size_t i = 0; i < count; i++) moving[i] = sl_list_get(list, from[i]);
    for (size_t i = 0; i < count && err == SL_OK; i++) {
        if (at[i] >= list->count && moving[i] == NULL) continue;
        err = extend(tree, list, at[i] + 1);
        if (err == SL_OK) sl_list_set(list, at[i], moving[i]);
    }
    sl_pool_give(&tree->pool, moving, count * sizeof(sl_node *) + 1);
    mark(parent);
    return err;
}

sl_err sl_tree_move(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t from, uint32_t to)
{
    sl_list *list = find_list(parent, type);
    sl_node *moving = sl_list_get(list, from);
    if (from < list->count) sl_list_remove(list, &tree->pool, from);
    sl_err err = moving != NULL ? extend(tree, list, to) : SL_OK;
    if (err == SL_OK && to <= list->count) err = sl_list_insert(list, &tree->pool, to, moving);
    mark(parent);
    return err;
}

static sl_err copy_text(sl_tree *tree, sl_value *value)
{
    if (value->type != SL_VALUE_TEXT && value->type != SL_VALUE_JSON) return SL_OK;
    text_block *block = sl_pool_take(&tree->pool, sizeof *block + value->length);
    if (block == NULL) return SL_ERR_MEMORY;
    block->length = value->length;
    if (value->length > 0) memcpy(block->bytes, value->as.text, value->length);
    value->as.text = block->bytes;
    return SL_OK;
}

sl_err sl_tree_set(sl_tree *tree, sl_node *node, sl_attribute attribute, sl_value value, sl_value *old, bool *changed)
{
    int slot = sl_schema_slot((sl_node_type)node->type, attribute);
    assert(slot >= 0);
    if (value.type == SL_VALUE_NULL) value.type = SL_VALUE_ABSENT;
    sl_value before = node->values[slot];
    bool is_same = sl_value_equal(&before, &value);
    if (old != NULL) *old = before;
    if (changed != NULL) *changed = !is_same;
    if (is_same) return SL_OK;
    sl_err err = copy_text(tree, &value);
    if (err != SL_OK) return err;
    text_block *block = text_block_of(before);
    if (block != NULL) {
        block->next_replaced = tree->replaced;
        tree->replaced = block;
    }
    node->values[slot] = value;
    mark(node);
    return SL_OK;
}

void sl_tree_bury(sl_tree *tree)
{
    while (tree->removed != NULL) {
        sl_node *node = tree->removed;
        tree->removed = node->next_removed;
        free_node(tree, node);
    }
    while (tree->replaced != NULL) {
        text_block *block = tree->replaced;
        tree->replaced = block->next_replaced;
        free_text(tree, block);
    }
}
