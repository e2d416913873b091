/* Builds datagrams. */
#include "tests/sim/packet.h"

#include <assert.h>
#include <string.h>

static void put(sim_packet_writer *out, const void *bytes, size_t length)
{
    assert(out->length + length + 4 <= sizeof out->bytes);
    if (length > 0) memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
    while (out->length % 4 != 0) out->bytes[out->length++] = 0;
}

static void put_be(sim_packet_writer *out, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    put(out, bytes, size);
}

static void put_text(sim_packet_writer *out, const char *text, size_t length)
{
    char ended[256];
    assert(length < sizeof ended);
    memcpy(ended, text, length);
    ended[length] = '\0';
    put(out, ended, length + 1);
}

static void put_float(sim_packet_writer *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_be(out, bits, 4);
}

static void put_wrapped(sim_packet_writer *out, const sim_message *message, uint32_t number, uint32_t run)
{
    char tags[256] = ",ifs";
    assert(message->tags_length < sizeof tags - 5);
    memcpy(tags + 4, message->tags, message->tags_length);
    put_text(out, "/live/seq", 9);
    put_text(out, tags, 4 + message->tags_length);
    put_be(out, number, 4);
    put_float(out, (float)run);
    put_text(out, message->path, message->path_length);
    put(out, message->arguments, message->arguments_length);
}

void sim_packet_event(sim_packet_writer *out, const sim_event *event, uint32_t number, uint32_t run)
{
    assert(event->message_count > 0);
    const uint8_t *at = event->messages;
    out->length = 0;
    if (event->message_count == 1) {
        sim_message message = sim_message_read(&at);
        put_wrapped(out, &message, number, run);
        return;
    }
    put_text(out, "#bundle", 7);
    put_be(out, 1, 8);
    for (uint32_t i = 0; i < event->message_count; i++) {
        size_t begin = out->length;
        sim_message message = sim_message_read(&at);
        put_be(out, 0, 4);
        put_wrapped(out, &message, number + i, run);
        size_t end = out->length;
        out->length = begin;
        put_be(out, end - begin - 4, 4);
        out->length = end;
    }
}

void sim_packet_part(sim_packet_writer *out, const sim_part *part, uint32_t number, uint32_t run)
{
    static sim_packet_writer arguments; /* too big for the stack */
    arguments.length = 0;
    put_be(&arguments, part->session, 8);
    put_be(&arguments, part->number, 4);
    put_be(&arguments, part->count, 4);
    put_be(&arguments, part->length, 4);
    put(&arguments, part->bytes, part->length);
    sim_message message = {.path = "/symlog/snapshot",
                           .path_length = 16,
                           .tags = "hiib",
                           .tags_length = 4,
                           .arguments = arguments.bytes,
                           .arguments_length = arguments.length};
    out->length = 0;
    put_wrapped(out, &message, number, run);
}

void sim_packet_quiet(sim_packet_writer *out, uint32_t number, uint32_t run)
{
    static const uint8_t zero[4] = {0};
    sim_message message = {.path = "/live/cursor/scene",
                           .path_length = 18,
                           .tags = "i",
                           .tags_length = 1,
                           .arguments = zero,
                           .arguments_length = sizeof zero};
    out->length = 0;
    put_wrapped(out, &message, number, run);
}

void sim_packet_hello(sim_packet_writer *out, uint64_t session)
{
    out->length = 0;
    put_text(out, "/symlog/hello", 13);
    put_text(out, ",hssi", 5);
    put_be(out, session, 8);
    put_text(out, "sim", 3);
    put_text(out, "1", 1);
    put_be(out, 1, 4);
}

void sim_packet_heartbeat(sim_packet_writer *out, uint64_t session, uint32_t next)
{
    out->length = 0;
    put_text(out, "/symlog/heartbeat", 17);
    put_text(out, ",hh", 3);
    put_be(out, session, 8);
    put_be(out, next, 8);
}
