/* The parts of a snapshot. */
#include "ingest/snapshot_parts.h"

#include "core/event.h"
#include "core/number.h"
#include "core/osc.h"
#include "ingest/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct sl_snapshot_place {
    size_t offset;
    uint32_t length;
    bool is_there;
} place;

const char *sl_snapshot_part_read(const char *tags, const uint8_t *arguments, sl_snapshot_part *out)
{
    bool fits = strlen(tags) >= 4 && strchr("hi", tags[0]) != NULL && strchr("hi", tags[1]) != NULL &&
                strchr("hi", tags[2]) != NULL && tags[3] == 'b';
    if (!fits) return "a part's arguments are not h session, i part, i parts, b bytes";
    sl_osc_cursor cursor = {.tags = tags, .bytes = arguments};
    sl_osc_argument read[4];
    for (size_t i = 0; i < 4; i++) (void)sl_osc_next(&cursor, &read[i]);
    *out = (sl_snapshot_part){.session = read[0].integer,
                              .number = read[1].integer,
                              .count = read[2].integer,
                              .bytes = read[3].bytes,
                              .length = read[3].length};
    if (out->count < 1 || out->count > SL_SNAPSHOT_PARTS_MAX) return "its count of parts is not 1 to 65536";
    if (out->number < 0 || out->number >= out->count) return "a part's number is not below the count of parts";
    return NULL;
}

uint64_t sl_snapshot_part_last(const sl_snapshot_part *part, uint64_t number)
{
    if (number == SL_SOURCE_SEQ_NONE) return number;
    return sl_number_after(number, (uint64_t)(part->count - 1 - part->number));
}

sl_err sl_snapshot_parts_begin(sl_snapshot_parts *parts, uint32_t count)
{
    assert(count > 0);
    *parts = (sl_snapshot_parts){.places = calloc(count, sizeof(place)), .count = count, .missing_count = count};
    return parts->places != NULL ? SL_OK : SL_ERR_MEMORY;
}

void sl_snapshot_parts_clear(sl_snapshot_parts *parts)
{
    free(parts->places);
    free(parts->bytes);
    *parts = (sl_snapshot_parts){0};
}

bool sl_snapshot_parts_have(const sl_snapshot_parts *parts, uint32_t number)
{
    return number < parts->count && parts->places[number].is_there;
}

sl_err sl_snapshot_parts_add(sl_snapshot_parts *parts, uint32_t number, const uint8_t *bytes, size_t length)
{
    assert(number < parts->count && !parts->places[number].is_there && length <= UINT32_MAX);
    size_t needed = parts->length + length;
    if (needed > parts->capacity) {
        uint8_t *grown = realloc(parts->bytes, needed * 2);
        if (grown == NULL) return SL_ERR_MEMORY;
        parts->bytes = grown;
        parts->capacity = needed * 2;
    }
    if (length > 0) memcpy(parts->bytes + parts->length, bytes, length);
    parts->places[number] = (place){.offset = parts->length, .length = (uint32_t)length, .is_there = true};
    parts->length = needed;
    parts->missing_count--;
    return SL_OK;
}

static bool is_in_order(const sl_snapshot_parts *parts)
{
    for (uint32_t i = 1; i < parts->count; i++)
        if (parts->places[i].offset < parts->places[i - 1].offset) return false;
    return true;
}

sl_err sl_snapshot_parts_join(sl_snapshot_parts *parts)
{
    assert(parts->missing_count == 0);
    if (parts->length == 0 || is_in_order(parts)) return SL_OK;
    uint8_t *joined = malloc(parts->length);
    if (joined == NULL) return SL_ERR_MEMORY;
    size_t offset = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        place *place = &parts->places[i];
        memcpy(joined + offset, parts->bytes + place->offset, place->length);
        place->offset = offset;
        offset += place->length;
    }
    free(parts->bytes);
    parts->bytes = joined;
    parts->capacity = parts->length;
    return SL_OK;
}

size_t sl_snapshot_parts_size_bytes(const sl_snapshot_parts *parts)
{
    return parts->capacity + parts->count * sizeof(place);
}
