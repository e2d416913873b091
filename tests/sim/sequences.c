/* Reads the file of sequences. */
#include "tests/sim/sequences.h"

#include "core/bytes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void read_sequence(const uint8_t **at, sim_sequence *out);
static void read_stream(const uint8_t **at, sim_stream *out);

static uint32_t take(const uint8_t **at, size_t size)
{
    uint64_t value = sl_get_le(*at, size);
    *at += size;
    return (uint32_t)value;
}

static void *allocate(size_t count, size_t size)
{
    void *made = calloc(count, size);
    if (made == NULL) abort();
    return made;
}

void sim_sequences_read(const char *path, sim_sequences *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "sim: cannot read %s; python3 tests/sim/make_sequences.py %s writes it\n", path, path);
        exit(2);
    }
    long length = ftell(file);
    rewind(file);
    out->bytes = allocate((size_t)length + 1, 1);
    size_t got = fread(out->bytes, 1, (size_t)length, file);
    fclose(file);
    const uint8_t *at = out->bytes;
    out->count = take(&at, 4);
    out->all = allocate(out->count, sizeof *out->all);
    for (uint32_t i = 0; i < out->count; i++) read_sequence(&at, &out->all[i]);
    assert(got == (size_t)length && at == out->bytes + length);
}

static void read_sequence(const uint8_t **at, sim_sequence *out)
{
    out->stream_count = take(at, 4);
    out->milestone_count = take(at, 4);
    assert(out->stream_count <= SIM_SENDERS_MAX);
    out->milestones = allocate(out->milestone_count, sizeof *out->milestones);
    for (uint32_t i = 0; i < out->milestone_count; i++) {
        sim_milestone *milestone = &out->milestones[i];
        milestone->packed_length = take(at, 4);
        milestone->packed = *at;
        *at += milestone->packed_length;
        for (uint32_t s = 0; s < out->stream_count; s++) milestone->at[s] = take(at, 4);
    }
    for (uint32_t s = 0; s < out->stream_count; s++) read_stream(at, &out->streams[s]);
}

static void read_stream(const uint8_t **at, sim_stream *out)
{
    out->count = take(at, 4);
    out->events = allocate(out->count, sizeof *out->events);
    for (uint32_t i = 0; i < out->count; i++) {
        out->events[i].message_count = (uint16_t)take(at, 2);
        out->events[i].messages = *at;
        for (uint16_t m = 0; m < out->events[i].message_count; m++) (void)sim_message_read(at);
    }
}

sim_message sim_message_read(const uint8_t **at)
{
    sim_message message;
    message.path_length = take(at, 2);
    message.path = (const char *)*at;
    *at += message.path_length;
    message.tags_length = take(at, 2);
    message.tags = (const char *)*at;
    *at += message.tags_length;
    message.arguments_length = take(at, 4);
    message.arguments = *at;
    *at += message.arguments_length;
    return message;
}

void sim_sequences_free(sim_sequences *sequences)
{
    for (uint32_t i = 0; i < sequences->count; i++) {
        for (uint32_t s = 0; s < sequences->all[i].stream_count; s++) free(sequences->all[i].streams[s].events);
        free(sequences->all[i].milestones);
    }
    free(sequences->all);
    free(sequences->bytes);
}
