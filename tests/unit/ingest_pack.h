/* Packing, for the tests of what unpacks. */
#ifndef SL_TESTS_INGEST_PACK_H
#define SL_TESTS_INGEST_PACK_H

#include "tests/unit/cmocka_small.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

/* gzip of `length` bytes; malloc'ed. */
static inline uint8_t *pack(const void *bytes, size_t length, size_t *packed_length)
{
    size_t capacity = length + 1000;
    uint8_t *packed = malloc(capacity);
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)length};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = packed;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *packed_length = capacity - stream.avail_out;
    deflateEnd(&stream);
    return packed;
}

#endif
