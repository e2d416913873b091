/*
 * The ring of messages. A place is the number of bytes ever used up to it; each message takes
 *
 *     | length u32 | compact_length u32 | event u64 | is_last u32 | is_filler u32 | 0 u64 |
 *     | room, 16 bytes | the message | up to a multiple of 32 |
 *     | room, 16 bytes | its compact form | up to a multiple of 32 |       if it has one
 *
 * and one that would cross the ring's end is put at its beginning, after a record of filler.
 */
#include "tools/symlog/backlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 32, MARKS = 512 };

typedef struct record {
    uint32_t length; /* of the message; of a filler: all that follows this header */
    uint32_t compact_length;
    uint64_t event;
    uint32_t is_last;
    uint32_t is_filler;
    uint64_t unused;
} record;

/* Where some record stands, so that a search need not begin at the oldest. */
typedef struct mark {
    uint64_t place;
    uint64_t event;
} mark;

struct sl_backlog {
    uint8_t *bytes;
    size_t size;
    uint64_t begin; /* place of the oldest record */
    uint64_t end;   /* place after the newest */
    uint64_t floor;
    mark marks[MARKS]; /* the first record in each part of the ring */
};

_Static_assert(sizeof(record) == ALIGNMENT, "what is left before the ring's end always has room for a header");

sl_err sl_backlog_create(size_t size_bytes, uint64_t floor, sl_backlog **out)
{
    assert(size_bytes >= 4096);
    size_bytes -= size_bytes % MARKS;
    sl_backlog *backlog = calloc(1, sizeof *backlog);
    if (backlog == NULL) return SL_ERR_MEMORY;
    backlog->size = size_bytes;
    backlog->floor = floor;
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

/* Bytes that one form of a message takes, its room included. */
static size_t form_size(size_t length)
{
    return (SL_BACKLOG_ROOM + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Bytes that the record takes in the ring, its header included. */
static size_t size_of(const record *record)
{
    if (record->is_filler != 0) return sizeof *record + record->length;
    const size_t compact_size = record->compact_length > 0 ? form_size(record->compact_length) : 0;
    return sizeof *record + form_size(record->length) + compact_size;
}

/* Takes the next `size` bytes, which lie in one piece, from the oldest records. */
static record *take(sl_backlog *backlog, size_t size)
{
    while (backlog->end + size - backlog->begin > backlog->size) {
        const record *oldest = record_at(backlog, backlog->begin);
        if (oldest->is_filler == 0 && oldest->event > backlog->floor) backlog->floor = oldest->event;
        backlog->begin += size_of(oldest);
    }
    record *taken = record_at(backlog, backlog->end);
    backlog->end += size;
    return taken;
}

/* Notes a record that is the first of its part of the ring. */
static void note(sl_backlog *backlog, uint64_t place, uint64_t event)
{
    const uint64_t part_bytes = backlog->size / MARKS;
    mark *mark = &backlog->marks[place % backlog->size / part_bytes];
    if (mark->event != 0 && mark->place / part_bytes == place / part_bytes) return;
    *mark = (struct mark){place, event};
}

sl_err sl_backlog_append(sl_backlog *backlog, const sl_message_view *message)
{
    const size_t compact_length = message->compact != NULL ? message->compact_length : 0;
    if (message->length + compact_length > backlog->size / 4 || message->length > UINT32_MAX) {
        backlog->floor = message->event;
        return SL_ERR_FULL;
    }
    const record header = {
        .length = (uint32_t)message->length,
        .compact_length = (uint32_t)compact_length,
        .event = message->event,
        .is_last = message->is_last,
    };
    const size_t size = size_of(&header);
    const size_t up_to_end = backlog->size - backlog->end % backlog->size;
    if (size > up_to_end) {
        const record filler = {.length = (uint32_t)(up_to_end - sizeof filler), .is_filler = 1};
        *take(backlog, up_to_end) = filler;
    }
    const uint64_t place = backlog->end;
    record *taken = take(backlog, size);
    *taken = header;
    uint8_t *form = (uint8_t *)(taken + 1);
    memcpy(form + SL_BACKLOG_ROOM, message->bytes, message->length);
    if (compact_length > 0)
        memcpy(form + form_size(message->length) + SL_BACKLOG_ROOM, message->compact, compact_length);
    note(backlog, place, message->event);
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

uint64_t sl_backlog_floor(const sl_backlog *backlog)
{
    return backlog->floor;
}

uint64_t sl_backlog_find(const sl_backlog *backlog, uint64_t event)
{
    assert(event >= backlog->floor);
    uint64_t place = backlog->begin;
    for (size_t i = 0; i < MARKS; i++) {
        const mark *mark = &backlog->marks[i];
        if (mark->event != 0 && mark->event <= event && mark->place > place) place = mark->place;
    }
    while (place < backlog->end) {
        const record *record = record_at(backlog, place);
        if (record->is_filler == 0 && record->event > event) break;
        place += size_of(record);
    }
    return place;
}

bool sl_backlog_read(const sl_backlog *backlog, uint64_t place, bool is_compact, sl_backlog_message *out)
{
    if (place < backlog->begin || place == backlog->end) return false;
    record *found = record_at(backlog, place);
    if (found->is_filler != 0) {
        place += size_of(found);
        if (place == backlog->end) return false;
        found = record_at(backlog, place);
    }
    uint8_t *form = (uint8_t *)(found + 1);
    const bool is_other = is_compact && found->compact_length > 0;
    *out = (sl_backlog_message){
        .bytes = form + SL_BACKLOG_ROOM + (is_other ? form_size(found->length) : 0),
        .length = is_other ? found->compact_length : found->length,
        .seq = found->is_last != 0 ? found->event : 0,
        .next = place + size_of(found),
    };
    return true;
}
