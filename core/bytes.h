/*
 * Little-endian reading and writing with bounds: the only way in which core puts a number into bytes or takes one
 * out. A struct's memory is never written, so the bytes are the same on every CPU.
 *
 * A reader or writer that ran past its end stays `bad` and does nothing more: check it once, at the end.
 */
#ifndef SL_CORE_BYTES_H
#define SL_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sl_writer {
    uint8_t *bytes; /* the caller's; at least `capacity` long */
    size_t capacity;
    size_t length; /* written so far */
    bool bad;      /* something did not fit */
} sl_writer;

typedef struct sl_reader {
    const uint8_t *bytes; /* the caller's; `_view` results point into it */
    size_t length;
    size_t position; /* read so far */
    bool bad;        /* something was not there */
} sl_reader;

static inline void sl_put_le(uint8_t *to, uint64_t value, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(to, &value, size);
#else
    for (size_t i = 0; i < size; i++) to[i] = (uint8_t)(value >> (8 * i));
#endif
}

static inline uint64_t sl_get_le(const uint8_t *from, size_t size)
{
    uint64_t value = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&value, from, size);
#else
    for (size_t i = 0; i < size; i++) value |= (uint64_t)from[i] << (8 * i);
#endif
    return value;
}

static inline void sl_write_bytes(sl_writer *writer, const void *bytes, size_t length)
{
    if (writer->bad || length > writer->capacity - writer->length) {
        writer->bad = true;
        return;
    }
    if (length > 0) memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

/* Writes the low `size` (1 to 8) bytes of `value`, least significant first. */
static inline void sl_write_le(sl_writer *writer, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    sl_put_le(bytes, value, size);
    sl_write_bytes(writer, bytes, size);
}

/* Writes a u32 length, then the bytes. */
static inline void sl_write_text(sl_writer *writer, const char *text, size_t length)
{
    sl_write_le(writer, length, 4);
    sl_write_bytes(writer, text, length);
}

/* Returns `length` bytes inside the reader's own bytes, or NULL when they are not there. */
static inline const uint8_t *sl_read_view(sl_reader *reader, size_t length)
{
    if (reader->bad || length > reader->length - reader->position) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *view = reader->bytes + reader->position;
    reader->position += length;
    return view;
}

/* Reads a number of `size` (1 to 8) bytes; 0 when they are not there. */
static inline uint64_t sl_read_le(sl_reader *reader, size_t size)
{
    const uint8_t *view = sl_read_view(reader, size);
    return view != NULL ? sl_get_le(view, size) : 0;
}

/* Reads a u32 length and gives a view of that many bytes; "" of length 0 when they are not there. */
static inline const char *sl_read_text(sl_reader *reader, size_t *length)
{
    size_t wanted = (size_t)sl_read_le(reader, 4);
    const uint8_t *view = sl_read_view(reader, wanted);
    *length = view != NULL ? wanted : 0;
    return view != NULL ? (const char *)view : "";
}

#endif
