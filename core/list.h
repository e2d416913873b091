/*
 * The ordered children of one type below one node, in blocks of a few dozen places. Inside core/tree.c only.
 *
 * A place holds a node or is empty (NULL: a clip_slot that nobody reported). Each block knows the sequence digest of
 * its places, so that an insert makes one block anew and the list's digest costs one step a block.
 */
#ifndef SL_CORE_LIST_H
#define SL_CORE_LIST_H

#include "core/digest.h"
#include "core/err.h"
#include "core/memory.h"
#include "core/tree.h"

enum { SL_BLOCK_PLACES = 32 };

struct sl_block {
    sl_list *list;
    uint32_t ordinal; /* which block of its list */
    uint8_t count;    /* places in use, 1..SL_BLOCK_PLACES */
    bool is_dirty;    /* content, whole and power are not up to date */
    sl_digest content;
    sl_digest whole;
    sl_digest power; /* by which what follows the block is moved: sl_digest_power(count) */
    sl_node *places[SL_BLOCK_PLACES];
};

struct sl_list {
    sl_node *owner;
    sl_block **blocks; /* in one piece of memory with: */
    uint32_t *firsts;  /* where each block's first place stands */
    uint32_t block_count;
    uint32_t block_capacity;
    uint32_t count; /* places, empty ones included */
    uint8_t type;   /* the children's sl_node_type */
    bool is_dirty;  /* some block is dirty, or places came or went */
    sl_digest content;
    sl_digest whole;
};

/* The node at `position`, NULL where empty or beyond the end. */
sl_node *sl_list_get(const sl_list *list, uint32_t position);

/* Where a block's first place stands. */
static inline uint32_t sl_list_block_position(const sl_block *block)
{
    return block->list->firsts[block->ordinal];
}

/* Inserts a place (node may be NULL) before `position` <= count. SL_ERR_MEMORY: nothing changed. */
sl_err sl_list_insert(sl_list *list, sl_pool *pool, uint32_t position, sl_node *node);

/* Removes the place at `position` < count. */
void sl_list_remove(sl_list *list, sl_pool *pool, uint32_t position);

/* Puts a node (or NULL) at `position` < count; what stood there is no longer at home. */
void sl_list_set(sl_list *list, uint32_t position, sl_node *node);

/* Says that the child at home in `block` has another digest now. */
void sl_list_mark(sl_block *block);

/* Brings content and whole up to date from the children's, whose digests must be current. */
void sl_list_digest(sl_list *list);

/* Frees all blocks (not the nodes). */
void sl_list_clear(sl_list *list, sl_pool *pool);

#endif
