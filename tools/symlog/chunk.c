/* Pieces of the past. */
#include "tools/symlog/chunk.h"

#include "tools/symlog/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FULL_BYTES = SL_CHUNK_BYTES / 4 * 3, FIRST_MESSAGES = 256 };

void sl_chunk_join(sl_chunk *chunk)
{
    atomic_fetch_add(&chunk->users, 1);
}

void sl_chunk_leave(sl_chunk *chunk)
{
    if (chunk != NULL && atomic_fetch_sub(&chunk->users, 1) == 1) free(chunk);
}

void sl_chunk_writer_open(sl_chunk_writer *writer)
{
    *writer = (sl_chunk_writer){0};
    sl_text_open(&writer->array, sl_host_memory());
}

void sl_chunk_writer_close(sl_chunk_writer *writer)
{
    sl_text_close(&writer->array);
    free(writer->messages);
}

void sl_chunk_writer_begin(sl_chunk_writer *writer, uint64_t after)
{
    sl_text_clear(&writer->array);
    writer->count = writer->whole_count = 0;
    writer->whole_bytes = 0;
    writer->after = writer->through = after;
    writer->rest_through = 0;
}

static bool has_room(sl_chunk_writer *writer)
{
    if (writer->count < writer->capacity) return true;
    const size_t capacity = writer->capacity == 0 ? FIRST_MESSAGES : writer->capacity * 2;
    sl_chunk_message *messages = realloc(writer->messages, capacity * sizeof *messages);
    if (messages == NULL) return false;
    writer->messages = messages;
    writer->capacity = capacity;
    return true;
}

void sl_chunk_writer_add(sl_chunk_writer *writer, const sl_message_view *message, bool is_compact)
{
    const bool is_other = is_compact && message->compact != NULL;
    const char *bytes = is_other ? message->compact : message->bytes;
    const size_t length = is_other ? message->compact_length : message->length;
    sl_text_string(&writer->array, writer->array.length == 0 ? "[" : ",");
    if (!has_room(writer) || length > UINT32_MAX || writer->array.length > UINT32_MAX - 2) {
        writer->bad = true;
        return;
    }
    writer->messages[writer->count++] = (sl_chunk_message){
        .offset = (uint32_t)writer->array.length,
        .length = (uint32_t)length,
        .seq = message->is_last ? message->event : 0,
    };
    sl_text_bytes(&writer->array, bytes, length);
}

/* Takes what is there as whole events up to `through`. */
static void settle(sl_chunk_writer *writer, uint64_t through)
{
    writer->through = through;
    writer->whole_bytes = writer->array.length;
    writer->whole_count = writer->count;
}

void sl_chunk_writer_end(sl_chunk_writer *writer, uint64_t event)
{
    assert(writer->rest_through == 0);
    /* The closing bracket needs room, too. */
    const bool fits = writer->array.length < SL_CHUNK_BYTES && writer->count <= SL_CHUNK_MESSAGES_MAX;
    if (fits || writer->whole_count == 0)
        settle(writer, event);
    else
        writer->rest_through = event;
}

bool sl_chunk_writer_is_full(const sl_chunk_writer *writer)
{
    return writer->whole_bytes >= FULL_BYTES || writer->whole_count >= SL_CHUNK_MESSAGES_MAX ||
           writer->rest_through != 0;
}

/* Moves the event that did not fit to the front. */
static void keep_rest(sl_chunk_writer *writer)
{
    const uint64_t through = writer->rest_through;
    const size_t first = writer->whole_count, shift = writer->whole_bytes;
    writer->after = writer->through;
    writer->count -= first;
    writer->array.length -= shift;
    memmove(writer->messages, writer->messages + first, writer->count * sizeof *writer->messages);
    memmove(writer->array.bytes, writer->array.bytes + shift, writer->array.length);
    writer->array.bytes[0] = '['; /* it was a comma */
    for (size_t i = 0; i < writer->count; i++) writer->messages[i].offset -= (uint32_t)shift;
    writer->rest_through = 0;
    settle(writer, through);
}

sl_err sl_chunk_writer_take(sl_chunk_writer *writer, sl_chunk **out)
{
    if (writer->bad || writer->array.bad) return SL_ERR_MEMORY;
    const size_t list_bytes = writer->whole_count * sizeof(sl_chunk_message);
    const size_t length = writer->whole_count > 0 ? writer->whole_bytes + 1 : 0;
    sl_chunk *chunk = malloc(sizeof *chunk + list_bytes + SL_BACKLOG_ROOM + length);
    if (chunk == NULL) return SL_ERR_MEMORY;
    sl_chunk_message *messages = (sl_chunk_message *)(void *)(chunk + 1);
    *chunk = (sl_chunk){
        .users = 1,
        .after = writer->after,
        .through = writer->through,
        .count = writer->whole_count,
        .length = length,
        .messages = messages,
        .array = (uint8_t *)(messages + writer->whole_count) + SL_BACKLOG_ROOM,
    };
    if (length > 0) {
        memcpy(messages, writer->messages, list_bytes);
        memcpy(chunk->array, writer->array.bytes, length - 1);
        chunk->array[length - 1] = ']';
    }
    if (writer->rest_through != 0)
        keep_rest(writer);
    else
        sl_chunk_writer_begin(writer, writer->through);
    *out = chunk;
    return SL_OK;
}
