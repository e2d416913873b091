/* Which snapshots go when there are too many. */
#include "store/log_internal.h"
#include "store/snapshots_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    uint32_t reducer_version;
    uint64_t seq;
    size_t length; /* of its value, bytes */
} entry;

typedef struct list {
    entry *entries; /* sorted by version and number */
    size_t count;
    size_t capacity;
    size_t bytes;
} list;

static int read_list(const sl_snapshots *snapshots, MDB_txn *txn, list *list);
static int add(list *list, const MDB_val *key, const MDB_val *value);
static size_t choose(const list *list, uint32_t reducer_version);

int sl_snapshots_thin(const sl_snapshots *snapshots, MDB_txn *txn, uint32_t reducer_version)
{
    list list = {0};
    int code = read_list(snapshots, txn, &list);
    while (code == 0 && list.count > 1 && (list.count > snapshots->count_max || list.bytes > snapshots->bytes_max)) {
        const size_t victim = choose(&list, reducer_version);
        const entry *one = &list.entries[victim];
        uint8_t key_bytes[SL_SNAPSHOTS_KEY_BYTES];
        sl_snapshots_key(one->reducer_version, one->seq, key_bytes);
        MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        code = mdb_del(txn, snapshots->states, &key, NULL);
        list.bytes -= one->length;
        list.count--;
        memmove(list.entries + victim, list.entries + victim + 1, (list.count - victim) * sizeof(entry));
    }
    free(list.entries);
    return code;
}

static int read_list(const sl_snapshots *snapshots, MDB_txn *txn, list *list)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, snapshots->states, &cursor);
    if (code != 0) return code;
    MDB_val key;
    MDB_val value;
    for (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); code == 0;) {
        code = add(list, &key, &value);
        if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int add(list *list, const MDB_val *key, const MDB_val *value)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
        entry *grown = realloc(list->entries, capacity * sizeof *grown);
        if (grown == NULL) return ENOMEM;
        list->entries = grown;
        list->capacity = capacity;
    }
    entry *one = &list->entries[list->count++];
    one->length = value->mv_size;
    list->bytes += value->mv_size;
    return sl_snapshots_key_read(key, &one->reducer_version, &one->seq) ? 0 : MDB_CORRUPTED;
}

/* Another version's, or the one whose neighbours are nearest: the square of their distance by how far back it lies. */
static size_t choose(const list *list, uint32_t reducer_version)
{
    size_t begin = 0;
    while (begin < list->count && list->entries[begin].reducer_version < reducer_version) begin++;
    size_t end = begin;
    while (end < list->count && list->entries[end].reducer_version == reducer_version) end++;
    if (begin > 0) return 0;
    if (end < list->count) return list->count - 1;

    const uint64_t newest = list->entries[end - 1].seq;
    size_t best = 0;
    double least = 0;
    for (size_t i = 0; i + 1 < end; i++) {
        const uint64_t before = i > 0 ? list->entries[i - 1].seq : 0;
        const double distance = (double)(list->entries[i + 1].seq - before);
        const double weight = distance * distance / (double)(newest - list->entries[i].seq);
        if (i > 0 && weight >= least) continue;
        best = i;
        least = weight;
    }
    return best;
}
