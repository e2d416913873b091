/* The last value of each attribute. */
#include "tools/symlog/coalescer.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE = 2 * SL_COALESCER_ENTRIES_MAX };

struct sl_coalescer {
    sl_entry entries[SL_COALESCER_ENTRIES_MAX]; /* in order; one with an empty `whole` was followed by a later one */
    size_t count;
    size_t bytes;          /* of those that are left, in the message */
    uint16_t table[TABLE]; /* open addressing: 1 + the newest entry of its attribute; 0: empty */
};

static uint64_t hash_of(const sl_entry *entry);
static bool is_same_attribute(const sl_entry *a, const sl_entry *b);
static size_t bytes_of(const sl_entry *entry);

sl_err sl_coalescer_create(sl_coalescer **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? SL_OK : SL_ERR_MEMORY;
}

void sl_coalescer_destroy(sl_coalescer *coalescer)
{
    free(coalescer);
}

void sl_coalescer_clear(sl_coalescer *coalescer)
{
    if (coalescer->count > 0) memset(coalescer->table, 0, sizeof coalescer->table);
    coalescer->count = 0;
    coalescer->bytes = 0;
}

bool sl_coalescer_add(sl_coalescer *coalescer, const sl_entry *entries, size_t count)
{
    size_t bytes = coalescer->bytes;
    if (count > SL_COALESCER_ENTRIES_MAX - coalescer->count) return false;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].type != SL_ENTRY_STATE || entries[i].whole.length > SL_COALESCER_ENTRY_BYTES_MAX) return false;
        bytes += bytes_of(&entries[i]);
    }
    if (bytes > SL_COALESCER_BYTES_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        sl_entry *added = &coalescer->entries[coalescer->count];
        *added = entries[i];
        added->first_old_value = added->old_value;
        size_t at = hash_of(added) % TABLE;
        while (coalescer->table[at] != 0) {
            sl_entry *former = &coalescer->entries[coalescer->table[at] - 1];
            if (is_same_attribute(former, added)) {
                added->first_old_value = former->first_old_value;
                coalescer->bytes -= bytes_of(former);
                former->whole.length = 0;
                break;
            }
            at = (at + 1) % TABLE;
        }
        coalescer->table[at] = (uint16_t)++coalescer->count;
        coalescer->bytes += bytes_of(added);
    }
    return true;
}

bool sl_coalescer_is_empty(const sl_coalescer *coalescer)
{
    return coalescer->count == 0;
}

void sl_coalescer_write(sl_coalescer *coalescer, sl_text *text, uint64_t seq)
{
    size_t left = 0;
    for (size_t i = 0; i < coalescer->count; i++) {
        if (coalescer->entries[i].whole.length > 0) coalescer->entries[left++] = coalescer->entries[i];
    }
    sl_entries_write(text, coalescer->entries, left, seq);
}

static uint64_t hash_of(const sl_entry *entry)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    const sl_span parts[] = {entry->node_id, entry->attribute, entry->param_index};
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
        for (size_t i = 0; i < parts[part].length; i++)
            hash = (hash ^ (uint8_t)parts[part].bytes[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 32;
}

static bool is_same_span(sl_span a, sl_span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static bool is_same_attribute(const sl_entry *a, const sl_entry *b)
{
    return is_same_span(a->param_index, b->param_index) && is_same_span(a->attribute, b->attribute) &&
           is_same_span(a->node_id, b->node_id);
}

/* What an entry adds to the message at most: itself with another old value, its id in a list, commas. */
static size_t bytes_of(const sl_entry *entry)
{
    return entry->whole.length + entry->first_old_value.length + entry->node_id.length + 2;
}
