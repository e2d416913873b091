/* The texts of live code that the state keeps. */
#include "core/buffers.h"

#include "core/code.h"

#include <assert.h>
#include <string.h>

static size_t size_of(const sl_code_text *text)
{
    return sizeof(sl_kept_code) + text->code.buffer_length + text->code.source_length;
}

/* Copies a text to the end of a list, which has room. */
static sl_err append_text(sl_state *state, sl_kept_codes *list, const sl_code_text *text)
{
    sl_kept_code *kept = state->memory.resize(state->memory.ctx, NULL, 0, size_of(text));
    if (kept == NULL) return SL_ERR_MEMORY;
    *kept = (sl_kept_code){.text = *text};
    memcpy(kept->bytes, text->code.buffer, text->code.buffer_length);
    memcpy(kept->bytes + text->code.buffer_length, text->code.source, text->code.source_length);
    kept->text.code.buffer = kept->bytes;
    kept->text.code.source = kept->bytes + text->code.buffer_length;
    sl_kept_code **end = &list->first;
    while (*end != NULL) end = &(*end)->next;
    *end = kept;
    list->count++;
    list->size_bytes += text->code.source_length;
    return SL_OK;
}

/* Takes a text out of its list; the caller has it now. */
static sl_kept_code *unlink_text(sl_kept_codes *list, sl_kept_code **at)
{
    sl_kept_code *kept = *at;
    assert(kept != NULL);
    *at = kept->next;
    list->count--;
    list->size_bytes -= kept->text.code.source_length;
    return kept;
}

static void drop_text(sl_state *state, sl_kept_codes *list, sl_kept_code **at)
{
    sl_kept_code *kept = unlink_text(list, at);
    state->memory.resize(state->memory.ctx, kept, size_of(&kept->text), 0);
}

/* Drops the oldest until another text has room. */
static void make_room(sl_state *state, sl_kept_codes *list, size_t length)
{
    assert(length <= SL_BUFFER_BYTES_MAX);
    while (list->count >= SL_BUFFERS_MAX || list->size_bytes + length > SL_BUFFERS_BYTES_MAX)
        drop_text(state, list, &list->first);
}

sl_err sl_buffers_take_code(sl_state *state, const sl_event *event)
{
    sl_code_text text = {.seq = event->seq, .source = event->source};
    if (sl_code_decode(event, &text.code) != SL_OK) {
        sl_state_refuse(state, SL_REFUSAL_MALFORMED);
        return SL_OK;
    }
    if (text.code.source_length > SL_BUFFER_BYTES_MAX) return SL_OK;
    make_room(state, &state->pending, text.code.source_length);
    return append_text(state, &state->pending, &text);
}

/* The text of an event that is pending; its link is NULL where there is none. */
static sl_kept_code **find_pending(sl_state *state, uint64_t seq)
{
    sl_kept_code **at = &state->pending.first;
    while (*at != NULL && (*at)->text.seq != seq) at = &(*at)->next;
    return at;
}

static bool is_same_buffer(const sl_code *a, const sl_code *b)
{
    return a->buffer_length == b->buffer_length && memcmp(a->buffer, b->buffer, a->buffer_length) == 0;
}

/* A text takes the place of its buffer's former one, as the newest. */
static void accept(sl_state *state, sl_kept_code *kept)
{
    sl_kept_codes *buffers = &state->buffers;
    sl_kept_code **at = &buffers->first;
    while (*at != NULL && !is_same_buffer(&(*at)->text.code, &kept->text.code)) at = &(*at)->next;
    if (*at != NULL) drop_text(state, buffers, at);
    make_room(state, buffers, kept->text.code.source_length);
    for (at = &buffers->first; *at != NULL;) at = &(*at)->next;
    kept->next = NULL;
    *at = kept;
    buffers->count++;
    buffers->size_bytes += kept->text.code.source_length;
}

void sl_buffers_answer(sl_state *state, uint64_t code_seq, bool is_accepted)
{
    sl_kept_code **at = find_pending(state, code_seq);
    if (*at == NULL) return;
    if (is_accepted && (*at)->text.code.buffer_length > 0)
        accept(state, unlink_text(&state->pending, at));
    else
        drop_text(state, &state->pending, at);
}

void sl_buffers_close(sl_state *state)
{
    while (state->pending.first != NULL) drop_text(state, &state->pending, &state->pending.first);
    while (state->buffers.first != NULL) drop_text(state, &state->buffers, &state->buffers.first);
}

bool sl_buffers_is_any(const sl_state *state)
{
    return state->pending.count > 0 || state->buffers.count > 0 || state->mark_wall_ns != 0;
}

size_t sl_buffers_size_bytes(const sl_state *state)
{
    return state->pending.size_bytes + state->buffers.size_bytes +
           (state->pending.count + state->buffers.count) * sizeof(sl_kept_code);
}

/* Bytes. */

static void encode_list(const sl_kept_codes *list, sl_state_put put, void *ctx)
{
    uint8_t bytes[32];
    sl_put_le(bytes, list->count, 4);
    put(ctx, bytes, 4);
    for (const sl_kept_code *kept = list->first; kept != NULL; kept = kept->next) {
        const sl_code_text *text = &kept->text;
        sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
        sl_write_le(&writer, text->seq, 8);
        sl_write_le(&writer, text->source, 4);
        sl_write_le(&writer, text->code.quantize, 1);
        sl_write_le(&writer, text->code.language, 1);
        sl_write_le(&writer, text->code.buffer_length, 4);
        sl_write_le(&writer, text->code.source_length, 4);
        put(ctx, bytes, writer.length);
        put(ctx, kept->bytes, text->code.buffer_length + text->code.source_length);
    }
}

void sl_buffers_encode(const sl_state *state, sl_state_put put, void *ctx)
{
    uint8_t wall[8];
    sl_put_le(wall, (uint64_t)state->mark_wall_ns, sizeof wall);
    put(ctx, wall, sizeof wall);
    encode_list(&state->pending, put, ctx);
    encode_list(&state->buffers, put, ctx);
}

static sl_err decode_list(sl_state *state, sl_reader *reader, sl_kept_codes *list)
{
    uint32_t count = (uint32_t)sl_read_le(reader, 4);
    if (reader->bad || count > SL_BUFFERS_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        sl_code_text text = {.seq = sl_read_le(reader, 8), .source = (uint32_t)sl_read_le(reader, 4)};
        text.code.quantize = (uint8_t)sl_read_le(reader, 1);
        text.code.language = (uint8_t)sl_read_le(reader, 1);
        text.code.buffer_length = sl_read_le(reader, 4);
        text.code.source_length = sl_read_le(reader, 4);
        text.code.buffer = (const char *)sl_read_view(reader, text.code.buffer_length);
        text.code.source = (const char *)sl_read_view(reader, text.code.source_length);
        bool is_valid = !reader->bad && text.code.buffer_length <= SL_SCORE_NAME_BYTES_MAX &&
                        text.code.source_length <= SL_BUFFER_BYTES_MAX &&
                        list->size_bytes + text.code.source_length <= SL_BUFFERS_BYTES_MAX;
        if (!is_valid) return SL_ERR_MALFORMED;
        sl_err err = append_text(state, list, &text);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

sl_err sl_buffers_decode(sl_state *state, sl_reader *reader)
{
    state->mark_wall_ns = (int64_t)sl_read_le(reader, 8);
    sl_err err = decode_list(state, reader, &state->pending);
    return err == SL_OK ? decode_list(state, reader, &state->buffers) : err;
}

/* Answers. */

static bool text_at(const sl_kept_codes *list, size_t index, sl_code_text *out)
{
    const sl_kept_code *kept = list->first;
    for (; kept != NULL && index > 0; index--) kept = kept->next;
    if (kept != NULL) *out = kept->text;
    return kept != NULL;
}

bool sl_state_pending_code(const sl_state *state, size_t index, sl_code_text *out)
{
    return text_at(&state->pending, index, out);
}

bool sl_state_buffer(const sl_state *state, size_t index, sl_code_text *out)
{
    return text_at(&state->buffers, index, out);
}

int64_t sl_state_mark_wall_ns(const sl_state *state)
{
    return state->mark_wall_ns;
}
