/* OSC packets made by hand, for the tests of ingest. */
#ifndef SL_TESTS_INGEST_PACKET_H
#define SL_TESTS_INGEST_PACKET_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct packet {
    uint8_t bytes[66000];
    size_t length;
} packet;

static inline void packet_u32(packet *packet, uint32_t value)
{
    assert(packet->length + 4 <= sizeof packet->bytes);
    for (int shift = 24; shift >= 0; shift -= 8) packet->bytes[packet->length++] = (uint8_t)(value >> shift);
}

static inline void packet_u64(packet *packet, uint64_t value)
{
    packet_u32(packet, (uint32_t)(value >> 32));
    packet_u32(packet, (uint32_t)value);
}

/* `length` bytes and zeros up to a multiple of 4. */
static inline void packet_bytes(packet *packet, const void *bytes, size_t length)
{
    size_t padded = (length + 3) / 4 * 4;
    assert(packet->length + padded <= sizeof packet->bytes);
    memset(packet->bytes + packet->length, 0, padded);
    if (length > 0) memcpy(packet->bytes + packet->length, bytes, length);
    packet->length += padded;
}

static inline void packet_text(packet *packet, const char *text)
{
    packet_bytes(packet, text, strlen(text) + 1);
}

/* The beginning of a message in the wrapper: number, a timestamp of 0, path. `tags` are those that follow. */
static inline void packet_wrap(packet *packet, int32_t number, const char *path, const char *tags)
{
    char all[64];
    (void)snprintf(all, sizeof all, ",ifs%s", tags);
    packet_text(packet, "/live/seq");
    packet_text(packet, all);
    packet_u32(packet, (uint32_t)number);
    packet_u32(packet, 0);
    packet_text(packet, path);
}

/* "/live/seq number 0.0 /live/test value". */
static inline packet packet_numbered(int32_t number, uint32_t value)
{
    packet packet;
    packet.length = 0;
    packet_wrap(&packet, number, "/live/test", "i");
    packet_u32(&packet, value);
    return packet;
}

/* "/live/test value". */
static inline packet packet_plain(uint32_t value)
{
    packet packet;
    packet.length = 0;
    packet_text(&packet, "/live/test");
    packet_text(&packet, ",i");
    packet_u32(&packet, value);
    return packet;
}

static inline packet packet_bundle(void)
{
    packet packet;
    packet.length = 0;
    packet_text(&packet, "#bundle");
    packet_u64(&packet, 1);
    return packet;
}

static inline void packet_add(packet *bundle, const packet *element)
{
    packet_u32(bundle, (uint32_t)element->length);
    packet_bytes(bundle, element->bytes, element->length);
}

/* A numbered part of a snapshot. */
static inline packet packet_part(int32_t number, uint32_t part, uint32_t parts, const void *bytes, size_t length)
{
    packet packet;
    packet.length = 0;
    packet_wrap(&packet, number, "/symlog/snapshot", "hiib");
    packet_u64(&packet, 77);
    packet_u32(&packet, part);
    packet_u32(&packet, parts);
    packet_u32(&packet, (uint32_t)length);
    packet_bytes(&packet, bytes, length);
    return packet;
}

#endif
