/*
 * A state's bytes. Behind the fixed numbers, each source is: u32 number · u8 input · u8 flags (1 has_hello, 2
 * is_paused, 4 has_number, 8 has_horizon, 16 is_waiting, 32 gives_up, 64 run is_bad, 128 has_said) · u64 session,
 * next_source_seq, unnumbered_count, gaps, gap_size_total, recovered, late, seq_last, horizon, given_up, part_count,
 * last_part, said_session · u64 refused by kind (u32 how many kinds first) · 10 x u64 counts · text name · u32 run
 * count, each u32 place and text name · u32 held count, each u64 numbers, u8 is_answered, u64 seq, a record's header
 * and the payload. Where a project file is a source (bit 16 of the count of sources), what is remembered for it
 * follows: u8 flags (1 has_forgotten, 2 is_save_open) · u64 forgotten_ns · 16 bytes last_save · u32 count, each u64
 * unnumbered_count, u64 seq, a record's header and the payload.
 */
#include "core/state_codec.h"

#include "core/code.h"
#include "core/groove_internal.h"
#include "core/parameters.h"
#include "core/picture.h"
#include "core/state.h"

#include <assert.h>
#include <string.h>

enum {
    FLAG_HELLO = 1,
    FLAG_PAUSED = 2,
    FLAG_NUMBER = 4,
    FLAG_HORIZON = 8,
    FLAG_WAITING = 16,
    FLAG_GIVES_UP = 32,
    FLAG_BAD_RUN = 64,
    FLAG_SAID = 128,
    FLAG_FORGOTTEN = 1,
    FLAG_SAVE_OPEN = 2,
    HAS_RECENTS = 1 << 16, /* in the count of sources */
    SOURCE_BYTES_MAX = 1024,
    REFUSAL_COUNT_MIN = SL_REFUSAL_LATE + 1,
    NUMBER_COUNT = 13, /* numbers of a source … */
    COUNT_COUNT = 10   /* … and what ingest counted of it */
};

static const uint8_t no_log[SL_LOG_ID_BYTES]; /* the log's id is in no digest, so held headers are written without it */

/* The numbers that a source is counted by, in the order of their bytes. */
static void list_counts(sl_source_counts *counts, uint64_t *list[COUNT_COUNT])
{
    uint64_t *const all[COUNT_COUNT] = {
        &counts->received, &counts->processed,  &counts->dropped, &counts->parse_errors, &counts->duplicates,
        &counts->resends,  &counts->heartbeats, &counts->ignored, &counts->queue_size,   &counts->queue_max};
    memcpy(list, all, sizeof all);
}

/* Likewise those of the source itself. */
static void list_numbers(sl_source_state *state, uint64_t *list[NUMBER_COUNT])
{
    sl_source *source = &state->source;
    uint64_t *const all[NUMBER_COUNT] = {&source->session,      &source->next_source_seq, &source->unnumbered_count,
                                         &source->gaps,         &source->gap_size_total,  &source->recovered,
                                         &source->late,         &state->seq_last,         &state->horizon,
                                         &state->hold.given_up, &state->hold.part_count,  &state->hold.last_part,
                                         &source->said_session};
    memcpy(list, all, sizeof all);
}

/* Writing. */

static uint8_t flags_of(const sl_source_state *state)
{
    return (uint8_t)((state->source.has_hello ? FLAG_HELLO : 0) | (state->source.is_paused ? FLAG_PAUSED : 0) |
                     (state->has_number ? FLAG_NUMBER : 0) | (state->has_horizon ? FLAG_HORIZON : 0) |
                     (state->hold.is_waiting ? FLAG_WAITING : 0) | (state->hold.gives_up ? FLAG_GIVES_UP : 0) |
                     (state->run.is_bad ? FLAG_BAD_RUN : 0) | (state->source.has_said ? FLAG_SAID : 0));
}

/* The refusals that the first states knew, and as many more as have happened: so their digests stay what they were. */
static uint32_t count_refusals(const sl_source *source)
{
    uint32_t count = SL_REFUSAL_COUNT;
    while (count > REFUSAL_COUNT_MIN && source->refused[count - 1] == 0) count--;
    return count;
}

static void encode_numbers(const sl_source_state *state, sl_writer *writer)
{
    sl_source_state copy = *state;
    uint64_t *numbers[NUMBER_COUNT], *counts[COUNT_COUNT];
    list_numbers(&copy, numbers);
    list_counts(&copy.source.counts, counts);
    sl_write_le(writer, copy.source.number, 4);
    sl_write_le(writer, copy.source.input, 1);
    sl_write_le(writer, flags_of(state), 1);
    for (size_t i = 0; i < NUMBER_COUNT; i++) sl_write_le(writer, *numbers[i], 8);
    uint32_t refusals = count_refusals(&copy.source);
    sl_write_le(writer, refusals, 4);
    for (size_t i = 0; i < refusals; i++) sl_write_le(writer, copy.source.refused[i], 8);
    for (size_t i = 0; i < COUNT_COUNT; i++) sl_write_le(writer, *counts[i], 8);
    sl_write_text(writer, copy.source.name, strlen(copy.source.name));
    sl_write_le(writer, copy.run.count, 4);
}

static void put_event(const sl_event *event, sl_writer *writer, sl_state_put put, void *ctx);

static void put_source(const sl_source_state *state, sl_state_put put, void *ctx)
{
    uint8_t bytes[SOURCE_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    encode_numbers(state, &writer);
    put(ctx, bytes, writer.length);
    for (uint32_t i = 0; i < state->run.count; i++) {
        const sl_run_entry *entry = &state->run.entries[i];
        writer.length = 0;
        sl_write_le(&writer, entry->place, 4);
        sl_write_le(&writer, entry->name_length, 4);
        put(ctx, bytes, writer.length);
        put(ctx, entry->name, entry->name_length);
    }
    writer.length = 0;
    sl_write_le(&writer, state->hold.count, 4);
    put(ctx, bytes, writer.length);
    for (const sl_held *held = state->hold.first; held != NULL; held = held->next) {
        writer.length = 0;
        sl_write_le(&writer, held->number_count, 8);
        sl_write_le(&writer, held->is_answered, 1);
        put_event(&held->event, &writer, put, ctx);
    }
    assert(!writer.bad);
}

/* An event that the state keeps: its number, a record's header, the payload. */
static void put_event(const sl_event *event, sl_writer *writer, sl_state_put put, void *ctx)
{
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_record_encode(event, no_log, header);
    sl_write_le(writer, event->seq, 8);
    sl_write_bytes(writer, header, sizeof header);
    put(ctx, writer->bytes, writer->length);
    put(ctx, event->payload, event->length);
}

static void put_recents(const sl_recents *recents, sl_state_put put, void *ctx)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, (recents->has_forgotten ? FLAG_FORGOTTEN : 0) | (recents->is_save_open ? FLAG_SAVE_OPEN : 0),
                1);
    sl_write_le(&writer, recents->forgotten_ns, 8);
    sl_write_le(&writer, recents->last_save.low, 8);
    sl_write_le(&writer, recents->last_save.high, 8);
    sl_write_le(&writer, recents->count, 4);
    put(ctx, bytes, writer.length);
    for (const sl_recent *recent = recents->first; recent != NULL; recent = recent->next) {
        writer.length = 0;
        sl_write_le(&writer, recent->unnumbered_count, 8);
        put_event(&recent->event, &writer, put, ctx);
    }
}

void sl_state_encode_rest(const sl_state *state, sl_state_put put, void *ctx)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    unsigned parts = (state->groove != NULL ? SL_STATE_CODEC_GROOVE : 0u) |
                     (state->schedule != NULL ? SL_STATE_CODEC_CODE : 0u) |
                     (sl_buffers_is_any(state) ? SL_STATE_CODEC_BUFFERS : 0u) |
                     (state->parameters != NULL && state->parameters->count > 0 ? SL_STATE_CODEC_PARAMETERS : 0u);
    sl_write_le(&writer, SL_STATE_CODEC_VERSION + parts, 4);
    sl_write_le(&writer, SL_REDUCER_VERSION, 4);
    sl_write_le(&writer, state->seq, 8);
    sl_write_le(&writer, (uint64_t)state->wall_ns, 8);
    sl_write_le(&writer, state->kernel_drops, 8);
    sl_write_le(&writer, state->refused_unnamed, 8);
    sl_write_le(&writer, state->source_next, 4);
    sl_write_le(&writer, state->source_count | (state->recents.is_kept ? HAS_RECENTS : 0), 4);
    assert(!writer.bad);
    put(ctx, bytes, writer.length);
    for (uint32_t i = 0; i < state->source_count; i++) put_source(state->sources[i], put, ctx);
    if (state->recents.is_kept) put_recents(&state->recents, put, ctx);
    if (state->groove != NULL) sl_groove_encode(state->groove, put, ctx);
    if (state->schedule != NULL) sl_schedule_encode(state->schedule, put, ctx);
    if (sl_buffers_is_any(state)) sl_buffers_encode(state, put, ctx);
    if ((parts & SL_STATE_CODEC_PARAMETERS) != 0) sl_parameters_encode(state, put, ctx);
}

static void append(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

/* The picture is written into memory that doubles until it fits. */
static sl_err save_tree(const sl_state *state, sl_text *out)
{
    const sl_memory *memory = &out->memory;
    sl_err err = SL_ERR_FULL;
    for (size_t size = 1 << 16; err == SL_ERR_FULL; size *= 2) {
        uint8_t *bytes = memory->resize(memory->ctx, NULL, 0, size);
        if (bytes == NULL) return SL_ERR_MEMORY;
        sl_writer writer = {.bytes = bytes, .capacity = size};
        err = sl_picture_write(state->tree, &writer);
        if (err == SL_OK) {
            uint8_t length[4];
            sl_put_le(length, writer.length, sizeof length);
            sl_text_bytes(out, (const char *)length, sizeof length);
            sl_text_bytes(out, (const char *)bytes, writer.length);
        }
        memory->resize(memory->ctx, bytes, size, 0);
    }
    return out->bad ? SL_ERR_MEMORY : err;
}

sl_err sl_state_save(const sl_state *state, sl_text *out)
{
    sl_state_encode_rest(state, append, out);
    return save_tree(state, out);
}

/* Reading. */

static sl_err load_run(sl_state *state, sl_reader *reader, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t length;
        uint32_t place = (uint32_t)sl_read_le(reader, 4);
        const char *name = sl_read_text(reader, &length);
        if (reader->bad || place >= SL_POSITION_MAX || i >= SL_RUN_COUNT_MAX) return SL_ERR_MALFORMED;
        sl_err err = sl_run_add(state, place, name, length);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static sl_err load_event(sl_reader *reader, sl_event *event)
{
    uint64_t seq = sl_read_le(reader, 8);
    const uint8_t *header = sl_read_view(reader, SL_RECORD_HEADER_BYTES);
    if (header == NULL || sl_record_decode(header, SL_RECORD_HEADER_BYTES, event) != SL_OK) return SL_ERR_MALFORMED;
    event->seq = seq;
    event->payload = sl_read_view(reader, event->length);
    return event->payload != NULL ? SL_OK : SL_ERR_MALFORMED;
}

static sl_err load_hold(sl_state *state, sl_reader *reader)
{
    uint32_t count = (uint32_t)sl_read_le(reader, 4);
    if (count > SL_HOLD_COUNT_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number_count = sl_read_le(reader, 8);
        bool is_answered = sl_read_le(reader, 1) != 0;
        sl_event event;
        sl_err err = load_event(reader, &event);
        if (err == SL_OK) err = sl_hold_append(state, &event, number_count, is_answered);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static sl_err load_recents(sl_state *state, sl_reader *reader)
{
    sl_recents *recents = &state->recents;
    recents->is_kept = true;
    const uint64_t flags = sl_read_le(reader, 1);
    recents->has_forgotten = (flags & FLAG_FORGOTTEN) != 0;
    recents->is_save_open = (flags & FLAG_SAVE_OPEN) != 0;
    recents->forgotten_ns = sl_read_le(reader, 8);
    recents->last_save.low = sl_read_le(reader, 8);
    recents->last_save.high = sl_read_le(reader, 8);
    uint32_t count = (uint32_t)sl_read_le(reader, 4);
    if (reader->bad || count > SL_RECENT_COUNT_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t unnumbered_count = sl_read_le(reader, 8);
        sl_event event;
        sl_err err = load_event(reader, &event);
        if (err == SL_OK) err = sl_recents_append(state, &event, unnumbered_count);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static sl_err load_source(sl_state *state, sl_reader *reader)
{
    sl_event first = {.source = (uint32_t)sl_read_le(reader, 4)};
    bool is_in_order =
        state->source_count == 0 || first.source > state->sources[state->source_count - 1]->source.number;
    if (reader->bad || !is_in_order) return SL_ERR_MALFORMED;
    sl_err err = sl_state_find_sender(state, &first);
    if (err != SL_OK) return err;
    sl_source_state *made = state->sender;
    made->source.input = (uint8_t)sl_read_le(reader, 1);
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    uint64_t *numbers[NUMBER_COUNT], *counts[COUNT_COUNT];
    list_numbers(made, numbers);
    list_counts(&made->source.counts, counts);
    for (size_t i = 0; i < NUMBER_COUNT; i++) *numbers[i] = sl_read_le(reader, 8);
    uint32_t refusals = (uint32_t)sl_read_le(reader, 4);
    if (refusals < REFUSAL_COUNT_MIN || refusals > SL_REFUSAL_COUNT) return SL_ERR_MALFORMED;
    for (size_t i = 0; i < refusals; i++) made->source.refused[i] = sl_read_le(reader, 8);
    for (size_t i = 0; i < COUNT_COUNT; i++) *counts[i] = sl_read_le(reader, 8);
    size_t length;
    const char *name = sl_read_text(reader, &length);
    uint32_t run_count = (uint32_t)sl_read_le(reader, 4);
    if (reader->bad || length > SL_NAME_BYTES_MAX) return SL_ERR_MALFORMED;
    memcpy(made->source.name, name, length);
    err = load_run(state, reader, run_count);
    if (err == SL_OK) err = load_hold(state, reader);
    made->source.has_hello = (flags & FLAG_HELLO) != 0;
    made->source.has_said = (flags & FLAG_SAID) != 0;
    made->source.is_paused = (flags & FLAG_PAUSED) != 0;
    made->has_number = (flags & FLAG_NUMBER) != 0;
    made->has_horizon = (flags & FLAG_HORIZON) != 0;
    made->hold.is_waiting = (flags & FLAG_WAITING) != 0;
    made->hold.gives_up = (flags & FLAG_GIVES_UP) != 0;
    made->run.is_bad = (flags & FLAG_BAD_RUN) != 0;
    made->source.has_open_run = made->run.is_bad || made->run.count > 0;
    return err;
}

/* The tree of the saved picture. Its ids are kept, so that the prefix of made ones is never used. */
static sl_err load_tree(sl_state *state, sl_reader *reader)
{
    size_t length;
    const char *bytes = sl_read_text(reader, &length);
    if (reader->bad || reader->position != reader->length) return SL_ERR_MALFORMED;
    sl_tree *tree;
    sl_picture_error error;
    sl_err err = sl_tree_create(state->memory, &tree);
    if (err != SL_OK) return err;
    err = sl_picture_build((const uint8_t *)bytes, length, "0", tree, &error);
    if (err != SL_OK) {
        sl_tree_destroy(tree);
        return err == SL_ERR_MEMORY ? err : SL_ERR_MALFORMED;
    }
    sl_tree_destroy(state->tree);
    state->tree = tree;
    state->launched = sl_state_find_launched(tree);
    state->has_more_launched = true;
    return SL_OK;
}

static sl_err find_groove(sl_state *state, sl_id id)
{
    state->groove->node = sl_tree_find(state->tree, id.bytes, id.length);
    return state->groove->node != NULL && sl_groove_fits(state->groove) ? SL_OK : SL_ERR_MALFORMED;
}

static sl_err load(sl_state *state, sl_reader *reader)
{
    uint64_t version = sl_read_le(reader, 4);
    if (version < SL_STATE_CODEC_VERSION || version > SL_STATE_CODEC_VERSION + SL_STATE_CODEC_PARTS)
        return SL_ERR_VERSION;
    const uint64_t parts = version - SL_STATE_CODEC_VERSION;
    if (sl_read_le(reader, 4) != SL_REDUCER_VERSION) return SL_ERR_VERSION;
    state->seq = sl_read_le(reader, 8);
    state->wall_ns = (int64_t)sl_read_le(reader, 8);
    state->kernel_drops = sl_read_le(reader, 8);
    state->refused_unnamed = sl_read_le(reader, 8);
    uint32_t source_next = (uint32_t)sl_read_le(reader, 4);
    uint32_t source_count = (uint32_t)sl_read_le(reader, 4);
    bool has_recents = (source_count & HAS_RECENTS) != 0;
    source_count &= ~(uint32_t)HAS_RECENTS;
    if (reader->bad || source_count > SL_SOURCES_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < source_count; i++) {
        sl_err err = load_source(state, reader);
        if (err != SL_OK) return err;
    }
    state->source_next = source_next;
    sl_id groove = {.length = 0};
    sl_err err = has_recents ? load_recents(state, reader) : SL_OK;
    if (err == SL_OK && (parts & SL_STATE_CODEC_GROOVE) != 0) err = sl_groove_decode(state, reader, &groove);
    if (err == SL_OK && (parts & SL_STATE_CODEC_CODE) != 0) err = sl_code_load(state, reader);
    if (err == SL_OK && (parts & SL_STATE_CODEC_BUFFERS) != 0) err = sl_buffers_decode(state, reader);
    if (err == SL_OK && (parts & SL_STATE_CODEC_PARAMETERS) != 0) err = sl_parameters_decode(state, reader);
    if (err == SL_OK) err = load_tree(state, reader);
    if (err == SL_OK && groove.length > 0) err = find_groove(state, groove);
    return err == SL_OK ? sl_code_find_session(state) : err;
}

sl_err sl_state_load(const uint8_t *bytes, size_t length, sl_memory memory, sl_state **out)
{
    sl_state *state;
    sl_err err = sl_state_create(memory, &state);
    if (err != SL_OK) return err;
    sl_reader reader = {.bytes = bytes, .length = length};
    err = load(state, &reader);
    if (err != SL_OK) {
        sl_state_destroy(state);
        return err;
    }
    *out = state;
    return SL_OK;
}
