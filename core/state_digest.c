/* The digest of a whole state: the tree, and all that decides what the next event will do. */
#include "core/state.h"

#include "core/bytes.h"

#include <assert.h>
#include <string.h>

/* What one source adds, in bytes that are digested piece by piece: runs and holds can be long. */
typedef struct chain {
    sl_digest digest;
} chain;

/* Digests `bytes` behind what came before. */
static void chain_add(chain *chain, const void *bytes, size_t length)
{
    sl_digest both[2] = {chain->digest, sl_digest_bytes(bytes, length)};
    uint8_t encoded[2 * SL_DIGEST_BYTES];
    for (size_t i = 0; i < 2; i++) {
        sl_put_le(&encoded[i * SL_DIGEST_BYTES], both[i].low, 8);
        sl_put_le(&encoded[i * SL_DIGEST_BYTES + 8], both[i].high, 8);
    }
    chain->digest = sl_digest_bytes(encoded, sizeof encoded);
}

static void add_run(chain *chain, const sl_run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        uint8_t place[4];
        sl_put_le(place, run->entries[i].place, sizeof place);
        chain_add(chain, place, sizeof place);
        chain_add(chain, run->entries[i].name, run->entries[i].name_length);
    }
}

static void add_hold(chain *chain, const sl_hold *hold)
{
    static const uint8_t no_log[SL_LOG_ID_BYTES]; /* the log's id is in no digest */
    if (hold->is_open) {
        uint8_t waits_for[12];
        sl_put_le(waits_for, hold->last_part, 8);
        sl_put_le(waits_for + 8, hold->part_count, 4);
        chain_add(chain, waits_for, sizeof waits_for);
    }
    for (const sl_held *held = hold->first; held != NULL; held = held->next) {
        uint8_t header[SL_RECORD_HEADER_BYTES];
        sl_record_encode(&held->event, no_log, header);
        chain_add(chain, header, sizeof header);
        chain_add(chain, held->payload, held->event.length);
    }
}

static void add_source(chain *chain, const sl_source_state *state)
{
    uint8_t bytes[1024];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_source *source = &state->source;
    const sl_source_counts *counts = &source->counts;
    const uint64_t numbers[] = {
        source->number,           source->input,     source->session,        source->next_source_seq,
        source->unnumbered_count, source->gaps,      source->gap_size_total, counts->received,
        counts->processed,        counts->dropped,   counts->parse_errors,   counts->duplicates,
        counts->queue_size,       counts->queue_max, state->seq_last,        state->has_number,
        state->run.count,         state->run.is_bad, state->hold.is_open,    state->hold.count};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sl_write_le(&writer, numbers[i], 8);
    for (size_t i = 0; i < SL_REFUSAL_COUNT; i++) sl_write_le(&writer, source->refused[i], 8);
    sl_write_text(&writer, source->name, strlen(source->name));
    assert(!writer.bad);
    chain_add(chain, bytes, writer.length);
    add_run(chain, &state->run);
    add_hold(chain, &state->hold);
}

void sl_state_digests(sl_state *state, sl_digest *content, sl_digest *whole)
{
    sl_tree_digest(state->tree);
    const sl_node *project = sl_tree_project(state->tree);
    if (content != NULL) *content = project->content;
    if (whole == NULL) return;
    chain chain = {.digest = project->whole};
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const uint64_t numbers[] = {
        SL_REDUCER_VERSION,     state->seq,         (uint64_t)state->wall_ns, state->kernel_drops,
        state->refused_unnamed, state->source_next, state->source_count};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sl_write_le(&writer, numbers[i], 8);
    assert(!writer.bad);
    chain_add(&chain, bytes, writer.length);
    for (uint32_t i = 0; i < state->source_count; i++) add_source(&chain, state->sources[i]);
    *whole = chain.digest;
}
