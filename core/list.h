/*
 * The ordered children of one type below one node, in blocks of a few dozen places. Inside core/tree.c only.
 *
 * A place holds a node or is empty (NULL: a clip_slot that nobody reported). Each block knows the sequence digest of
 * its places: an insert makes one block anew, a child that changed is exchanged in the sums of its block and list.
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
    sl_block *next_dirty; /* in list->first_dirty, if is_dirty */
    uint32_t ordinal;     /* which block of its list */
    uint32_t dirty;       /* bit i: the digests of the child at place i are not in the block's yet */
    uint8_t count;        /* places in use, 1..SL_BLOCK_PLACES */
    bool is_dirty;
    bool is_reshaped; /* places came, went or moved: the block is to be digested anew */
    sl_digest content;
    sl_digest whole;
    sl_node *places[SL_BLOCK_PLACES];
};

struct sl_list {
    sl_node *owner;
    sl_block **blocks; /* in one piece of memory with: */
    uint32_t *firsts;  /* where each block's first place stands */
    sl_block *first_dirty;
    uint32_t block_count;
    uint32_t block_capacity;
    uint32_t count;   /* places, empty ones included */
    uint8_t type;     /* the children's sl_node_type */
    bool is_reshaped; /* some block is */
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

/* Says that the digests of a child that stands in a list are about to change. */
void sl_list_mark(const sl_node *node);

/* Brings content and whole up to date; `digest` does that for a child (and clears its is_dirty). Costs a step for each
 * child that changed, and where places came or went a block of them and a step for each block. */
void sl_list_digest(sl_list *list, void (*digest)(sl_node *child));

/* Frees all blocks (not the nodes). */
void sl_list_clear(sl_list *list, sl_pool *pool);

#endif
