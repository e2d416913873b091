/* The table of ids: linear probing, at most two thirds full, no tombstones. */
#include "core/ids.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

static uint64_t hash_id(const char *id, size_t length)
{
    return sl_digest_bytes(id, length).low;
}

static bool is_it(const sl_ids_entry *entry, uint64_t hash, const char *id, size_t length)
{
    return entry->hash == hash && entry->node->id_length == length && memcmp(entry->node->id, id, length) == 0;
}

/* The entry of this id, or the free one where it would go. */
static size_t find_entry(const sl_ids *ids, uint64_t hash, const char *id, size_t length)
{
    size_t mask = ids->capacity - 1;
    size_t at = hash & mask;
    while (ids->entries[at].node != NULL && !is_it(&ids->entries[at], hash, id, length)) at = (at + 1) & mask;
    return at;
}

sl_node *sl_ids_find(const sl_ids *ids, const char *id, size_t length)
{
    if (ids->count == 0) return NULL;
    return ids->entries[find_entry(ids, hash_id(id, length), id, length)].node;
}

static sl_err grow(sl_ids *ids)
{
    size_t capacity = ids->capacity == 0 ? FIRST_CAPACITY : ids->capacity * 2;
    sl_ids wider = {.memory = ids->memory, .capacity = capacity, .count = ids->count};
    wider.entries = ids->memory.resize(ids->memory.ctx, NULL, 0, capacity * sizeof(sl_ids_entry));
    if (wider.entries == NULL) return SL_ERR_MEMORY;
    memset(wider.entries, 0, capacity * sizeof(sl_ids_entry));
    for (size_t i = 0; i < ids->capacity; i++) {
        const sl_ids_entry *entry = &ids->entries[i];
        if (entry->node == NULL) continue;
        size_t at = entry->hash & (capacity - 1);
        while (wider.entries[at].node != NULL) at = (at + 1) & (capacity - 1);
        wider.entries[at] = *entry;
    }
    sl_ids_close(ids);
    *ids = wider;
    return SL_OK;
}

sl_err sl_ids_add(sl_ids *ids, sl_node *node)
{
    if ((ids->count + 1) * 3 > ids->capacity * 2) {
        sl_err err = grow(ids);
        if (err != SL_OK) return err;
    }
    uint64_t hash = hash_id(node->id, node->id_length);
    size_t at = find_entry(ids, hash, node->id, node->id_length);
    assert(ids->entries[at].node == NULL);
    ids->entries[at] = (sl_ids_entry){.hash = hash, .node = node};
    ids->count++;
    return SL_OK;
}

/* Moves later entries of the run back over the hole, so that every one is found from its own hash on. */
void sl_ids_remove(sl_ids *ids, const sl_node *node)
{
    size_t mask = ids->capacity - 1;
    size_t hole = find_entry(ids, hash_id(node->id, node->id_length), node->id, node->id_length);
    assert(ids->entries[hole].node == node);
    for (size_t at = (hole + 1) & mask; ids->entries[at].node != NULL; at = (at + 1) & mask) {
        size_t wanted = ids->entries[at].hash & mask;
        if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
        ids->entries[hole] = ids->entries[at];
        hole = at;
    }
    ids->entries[hole] = (sl_ids_entry){0};
    ids->count--;
}

void sl_ids_close(sl_ids *ids)
{
    if (ids->entries != NULL)
        ids->memory.resize(ids->memory.ctx, ids->entries, ids->capacity * sizeof(sl_ids_entry), 0);
    ids->entries = NULL;
    ids->capacity = ids->count = 0;
}
