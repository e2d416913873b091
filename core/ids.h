/* Which node has which id: an open hash table. Inside core/tree.c only; its order is never seen. */
#ifndef SL_CORE_IDS_H
#define SL_CORE_IDS_H

#include "core/err.h"
#include "core/memory.h"
#include "core/tree.h"

typedef struct sl_ids_entry {
    uint64_t hash;
    sl_node *node; /* NULL: free */
} sl_ids_entry;

typedef struct sl_ids {
    sl_memory memory;
    sl_ids_entry *entries;
    size_t capacity; /* 0 or a power of two */
    size_t count;
} sl_ids;

/* The node with this id, or NULL. */
sl_node *sl_ids_find(const sl_ids *ids, const char *id, size_t length);

/* Adds a node whose id is not there yet. SL_ERR_MEMORY: nothing changed. */
sl_err sl_ids_add(sl_ids *ids, sl_node *node);

/* Takes a node out that is there. */
void sl_ids_remove(sl_ids *ids, const sl_node *node);

void sl_ids_close(sl_ids *ids);

#endif
