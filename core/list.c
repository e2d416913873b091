/* Ordered children in blocks. */
#include "core/list.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CAPACITY = 2 };

/* Finds the block of `position` < list->count; *offset is the place in it. */
static sl_block *find_block(const sl_list *list, uint32_t position, uint32_t *offset)
{
    assert(position < list->count);
    uint32_t low = 0, high = list->block_count; /* firsts[low] <= position < firsts[high] */
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (list->firsts[middle] <= position)
            low = middle;
        else
            high = middle;
    }
    *offset = position - list->firsts[low];
    return list->blocks[low];
}

sl_node *sl_list_get(const sl_list *list, uint32_t position)
{
    if (position >= list->count) return NULL;
    uint32_t offset;
    return find_block(list, position, &offset)->places[offset];
}

static void mark_block(sl_block *block)
{
    if (block->is_dirty) return;
    block->is_dirty = true;
    block->next_dirty = block->list->first_dirty;
    block->list->first_dirty = block;
}

void sl_list_mark(const sl_node *node)
{
    sl_block *block = node->home;
    uint32_t place = 0;
    mark_block(block);
    if (block->is_reshaped) return; /* it asks every child */
    while (block->places[place] != node) place++;
    block->dirty |= UINT32_C(1) << place;
}

static void reshape(sl_block *block)
{
    mark_block(block);
    block->is_reshaped = true;
    block->list->is_reshaped = true;
}

/* Takes a block that goes out of the chain of dirty ones. */
static void unmark_block(sl_block *block)
{
    sl_block **link = &block->list->first_dirty;
    while (*link != NULL && *link != block) link = &(*link)->next_dirty;
    if (*link != NULL) *link = block->next_dirty;
}

static size_t index_size(uint32_t capacity)
{
    return capacity * (sizeof(sl_block *) + sizeof(uint32_t));
}

static sl_err grow_index(sl_list *list, sl_pool *pool)
{
    if (list->block_count < list->block_capacity) return SL_OK;
    uint32_t capacity = list->block_capacity == 0 ? FIRST_CAPACITY : list->block_capacity * 2;
    sl_block **blocks = sl_pool_take(pool, index_size(capacity));
    if (blocks == NULL) return SL_ERR_MEMORY;
    uint32_t *firsts = (uint32_t *)(void *)(blocks + capacity);
    for (uint32_t i = 0; i < list->block_count; i++) {
        blocks[i] = list->blocks[i];
        firsts[i] = list->firsts[i];
    }
    sl_pool_give(pool, list->blocks, index_size(list->block_capacity));
    list->blocks = blocks;
    list->firsts = firsts;
    list->block_capacity = capacity;
    return SL_OK;
}

/* Says anew which number each block from `from` on has, and where it begins. */
static void number_blocks(sl_list *list, uint32_t from)
{
    uint32_t first = from == 0 ? 0 : list->firsts[from - 1] + list->blocks[from - 1]->count;
    for (uint32_t i = from; i < list->block_count; i++) {
        list->blocks[i]->ordinal = i;
        list->firsts[i] = first;
        first += list->blocks[i]->count;
    }
}

/* The blocks behind `block` begin `by` further. */
static void move_firsts(sl_list *list, const sl_block *block, uint32_t by)
{
    for (uint32_t i = block->ordinal + 1; i < list->block_count; i++) list->firsts[i] += by;
}

/* A new, empty block at `ordinal`. */
static sl_err add_block(sl_list *list, sl_pool *pool, uint32_t ordinal, sl_block **out)
{
    sl_err err = grow_index(list, pool);
    if (err != SL_OK) return err;
    sl_block *block = sl_pool_take(pool, sizeof *block);
    if (block == NULL) return SL_ERR_MEMORY;
    *block = (sl_block){.list = list};
    size_t later = list->block_count - ordinal;
    memmove(&list->blocks[ordinal + 1], &list->blocks[ordinal], later * sizeof(sl_block *));
    list->blocks[ordinal] = block;
    list->block_count++;
    number_blocks(list, ordinal);
    reshape(block);
    *out = block;
    return SL_OK;
}

/* Moves the places of a full block from `offset` on into a new block behind it. Appending splits at the end, so that a
 * list that only grows has full blocks. */
static sl_err split(sl_block *block, sl_pool *pool, uint32_t offset)
{
    sl_block *behind;
    sl_err err = add_block(block->list, pool, block->ordinal + 1, &behind);
    if (err != SL_OK) return err;
    behind->count = (uint8_t)(block->count - offset);
    memcpy(behind->places, &block->places[offset], behind->count * sizeof(sl_node *));
    for (uint32_t i = 0; i < behind->count; i++)
        if (behind->places[i] != NULL) behind->places[i]->home = behind;
    block->count = (uint8_t)offset;
    reshape(block);
    number_blocks(block->list, block->ordinal);
    return SL_OK;
}

/* The block and offset at which a place before `position` is to be inserted, with room in it. */
static sl_err make_room(sl_list *list, sl_pool *pool, uint32_t position, sl_block **out, uint32_t *offset)
{
    if (list->block_count == 0) {
        *offset = 0;
        return add_block(list, pool, 0, out);
    }
    if (position == list->count) {
        sl_block *last = list->blocks[list->block_count - 1];
        *offset = last->count;
        *out = last;
        if (last->count < SL_BLOCK_PLACES) return SL_OK;
        *offset = 0;
        return add_block(list, pool, list->block_count, out);
    }
    sl_block *block = find_block(list, position, offset);
    if (block->count == SL_BLOCK_PLACES) {
        sl_err err = split(block, pool, SL_BLOCK_PLACES / 2);
        if (err != SL_OK) return err;
        block = find_block(list, position, offset);
    }
    *out = block;
    return SL_OK;
}

sl_err sl_list_insert(sl_list *list, sl_pool *pool, uint32_t position, sl_node *node)
{
    assert(position <= list->count);
    sl_block *block;
    uint32_t offset;
    sl_err err = make_room(list, pool, position, &block, &offset);
    if (err != SL_OK) return err;
    size_t later = block->count - offset;
    memmove(&block->places[offset + 1], &block->places[offset], later * sizeof(sl_node *));
    block->places[offset] = node;
    block->count++;
    list->count++;
    move_firsts(list, block, 1);
    if (node != NULL) node->home = block;
    reshape(block);
    return SL_OK;
}

void sl_list_remove(sl_list *list, sl_pool *pool, uint32_t position)
{
    uint32_t offset;
    sl_block *block = find_block(list, position, &offset);
    if (block->places[offset] != NULL) block->places[offset]->home = NULL;
    block->count--;
    size_t later = block->count - offset;
    memmove(&block->places[offset], &block->places[offset + 1], later * sizeof(sl_node *));
    list->count--;
    move_firsts(list, block, UINT32_MAX); /* one back */
    reshape(block);
    if (block->count > 0) return;
    unmark_block(block);
    uint32_t ordinal = block->ordinal;
    list->block_count--;
    memmove(&list->blocks[ordinal], &list->blocks[ordinal + 1], (list->block_count - ordinal) * sizeof(sl_block *));
    number_blocks(list, ordinal);
    sl_pool_give(pool, block, sizeof *block);
}

void sl_list_set(sl_list *list, uint32_t position, sl_node *node)
{
    uint32_t offset;
    sl_block *block = find_block(list, position, &offset);
    block->places[offset] = node;
    if (node != NULL) node->home = block;
    reshape(block);
}

static void digest_reshaped(sl_block *block, void (*digest)(sl_node *child))
{
    sl_digest content = {0}, whole = {0}, empty = {0};
    for (uint32_t i = block->count; i-- > 0;) {
        sl_node *node = block->places[i];
        if (node != NULL && node->is_dirty) digest(node);
        content = sl_digest_prepend(node != NULL ? node->content : empty, content);
        whole = sl_digest_prepend(node != NULL ? node->whole : empty, whole);
    }
    block->content = content;
    block->whole = whole;
}

/* Exchanges what changed in the block's digests; in the list's too, unless those are made anew anyway. */
static void digest_changed(sl_block *block, void (*digest)(sl_node *child))
{
    sl_list *list = block->list;
    sl_digest content = block->content, whole = block->whole;
    for (uint32_t dirty = block->dirty; dirty != 0; dirty &= dirty - 1) {
        uint32_t place = (uint32_t)__builtin_ctz(dirty);
        sl_node *node = block->places[place];
        sl_digest was_content = node->content, was_whole = node->whole, power = sl_digest_power(place);
        digest(node);
        block->content = sl_digest_adjust(block->content, power, was_content, node->content);
        block->whole = sl_digest_adjust(block->whole, power, was_whole, node->whole);
    }
    if (list->is_reshaped) return;
    sl_digest power = sl_digest_power(sl_list_block_position(block));
    list->content = sl_digest_adjust(list->content, power, content, block->content);
    list->whole = sl_digest_adjust(list->whole, power, whole, block->whole);
}

/* The list's digests from all blocks'. */
static void join_blocks(sl_list *list)
{
    list->content = list->whole = (sl_digest){0};
    for (uint32_t i = list->block_count; i-- > 0;) {
        const sl_block *block = list->blocks[i];
        sl_digest power = sl_digest_power(block->count);
        list->content = sl_digest_concat(block->content, power, list->content);
        list->whole = sl_digest_concat(block->whole, power, list->whole);
    }
    list->is_reshaped = false;
}

void sl_list_digest(sl_list *list, void (*digest)(sl_node *child))
{
    while (list->first_dirty != NULL) {
        sl_block *block = list->first_dirty;
        list->first_dirty = block->next_dirty;
        if (block->is_reshaped)
            digest_reshaped(block, digest);
        else
            digest_changed(block, digest);
        block->dirty = 0;
        block->is_dirty = block->is_reshaped = false;
    }
    if (list->is_reshaped) join_blocks(list);
}

void sl_list_clear(sl_list *list, sl_pool *pool)
{
    for (uint32_t i = 0; i < list->block_count; i++) sl_pool_give(pool, list->blocks[i], sizeof(sl_block));
    sl_pool_give(pool, list->blocks, index_size(list->block_capacity));
    list->blocks = NULL;
    list->firsts = NULL;
    list->first_dirty = NULL;
    list->block_count = list->block_capacity = list->count = 0;
}
