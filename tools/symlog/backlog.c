/*
 * The ring of messages. A place is the number of bytes ever used up to it; each message takes
 *
 *     | length u32 | is_filler u32 | seq u64 | room, 16 bytes | the message | filler up to a multiple of 16 |
 *
 * and one that would cross the ring's end is put at its beginning, after a record of filler.
 */
#include "tools/symlog/backlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct record {
    uint32_t length; /* of the message; of a filler: all that follows this header */
    uint32_t is_filler;
    uint64_t seq;
} record;

struct sl_backlog {
    uint8_t *bytes;
    size_t size;
    uint64_t begin; /* place of the oldest record */
    uint64_t end;   /* place after the newest */
};

_Static_assert(sizeof(record) == 16, "records keep messages aligned to 16");

sl_err sl_backlog_create(size_t size_bytes, sl_backlog **out)
{
    assert(size_bytes >= 4096 && size_bytes % sizeof(record) == 0);
    sl_backlog *backlog = calloc(1, sizeof *backlog);
    if (backlog == NULL) return SL_ERR_MEMORY;
    backlog->size = size_bytes;
    backlog->bytes = malloc(size_bytes);
    if (backlog->bytes == NULL) {
        free(backlog);
        return SL_ERR_MEMORY;
    }
    *out = backlog;
    return SL_OK;
}

void sl_backlog_destroy(sl_backlog *backlog)
{
    if (backlog == NULL) return;
    free(backlog->bytes);
    free(backlog);
}

static record *record_at(const sl_backlog *backlog, uint64_t place)
{
    return (record *)(void *)(backlog->bytes + place % backlog->size);
}

/* Bytes that the record takes in the ring, its header included. */
static size_t size_of(const record *record)
{
    if (record->is_filler != 0) return sizeof *record + record->length;
    return sizeof *record + SL_BACKLOG_ROOM + ((size_t)record->length + 15) / 16 * 16;
}

/* Takes the next `size` bytes, which lie in one piece, from the oldest records. */
static record *take(sl_backlog *backlog, size_t size)
{
    while (backlog->end + size - backlog->begin > backlog->size) {
        backlog->begin += size_of(record_at(backlog, backlog->begin));
    }
    record *taken = record_at(backlog, backlog->end);
    backlog->end += size;
    return taken;
}

sl_err sl_backlog_append(sl_backlog *backlog, const char *bytes, size_t length, uint64_t seq)
{
    if (length > backlog->size / 4 || length > UINT32_MAX) return SL_ERR_FULL;
    const record header = {.length = (uint32_t)length, .seq = seq};
    const size_t size = size_of(&header);
    const size_t up_to_end = backlog->size - backlog->end % backlog->size;
    if (size > up_to_end) {
        const record filler = {.length = (uint32_t)(up_to_end - sizeof filler), .is_filler = 1};
        *take(backlog, up_to_end) = filler;
    }
    record *taken = take(backlog, size);
    *taken = header;
    memcpy((uint8_t *)(taken + 1) + SL_BACKLOG_ROOM, bytes, length);
    assert(backlog->end - backlog->begin <= backlog->size);
    return SL_OK;
}

uint64_t sl_backlog_begin(const sl_backlog *backlog)
{
    return backlog->begin;
}

uint64_t sl_backlog_end(const sl_backlog *backlog)
{
    return backlog->end;
}

bool sl_backlog_read(const sl_backlog *backlog, uint64_t place, sl_backlog_message *out)
{
    if (place < backlog->begin || place == backlog->end) return false;
    record *found = record_at(backlog, place);
    if (found->is_filler != 0) {
        place += size_of(found);
        if (place == backlog->end) return false;
        found = record_at(backlog, place);
    }
    *out = (sl_backlog_message){
        .bytes = (uint8_t *)(found + 1) + SL_BACKLOG_ROOM,
        .length = found->length,
        .seq = found->seq,
        .next = place + size_of(found),
    };
    return true;
}
