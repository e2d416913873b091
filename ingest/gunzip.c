/* Unpacking gzip with zlib. */
#include "ingest/gunzip.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { CAPACITY_FIRST = 64 << 10, GZIP_ONLY = MAX_WBITS + 16 /* windowBits as inflateInit2 wants it */ };

static sl_err unpack(z_stream *stream, size_t limit, char **out, size_t *length, const char **reason);
static sl_err make_room(z_stream *stream, size_t limit, char **out, size_t *capacity);
static sl_err refuse(sl_err err, const char **reason, const char *why);

sl_err sl_gunzip(const uint8_t *packed, size_t packed_length, size_t limit, char **out, size_t *length,
                 const char **reason)
{
    assert(packed_length <= UINT_MAX && limit <= UINT_MAX); /* zlib's counts are unsigned int. */
    *out = NULL;
    *length = 0;
    z_stream stream = {.next_in = (z_const Bytef *)packed, .avail_in = (uInt)packed_length};
    if (inflateInit2(&stream, GZIP_ONLY) != Z_OK) return refuse(SL_ERR_MEMORY, reason, "out of memory");
    sl_err err = unpack(&stream, limit, out, length, reason);
    inflateEnd(&stream);
    if (err == SL_OK) return SL_OK;
    free(*out);
    *out = NULL;
    return err;
}

static sl_err unpack(z_stream *stream, size_t limit, char **out, size_t *length, const char **reason)
{
    size_t capacity = 0;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        if (stream->avail_out == 0) {
            sl_err err = make_room(stream, limit, out, &capacity);
            if (err == SL_ERR_RANGE) return refuse(err, reason, "it unpacks to too many bytes");
            if (err != SL_OK) return refuse(err, reason, "out of memory");
        }
        status = inflate(stream, Z_NO_FLUSH);
        if (status == Z_MEM_ERROR) return refuse(SL_ERR_MEMORY, reason, "out of memory");
        if (status == Z_BUF_ERROR) return refuse(SL_ERR_MALFORMED, reason, "the gzip data is cut off");
        if (status != Z_OK && status != Z_STREAM_END)
            return refuse(SL_ERR_MALFORMED, reason, "the gzip data is damaged");
    }
    if (stream->avail_in > 0) return refuse(SL_ERR_MALFORMED, reason, "bytes after the gzip data");
    *length = capacity - stream->avail_out;
    /* One byte above the limit may have been made, to tell a full buffer from one that overflows. */
    return *length <= limit ? SL_OK : refuse(SL_ERR_RANGE, reason, "it unpacks to too many bytes");
}

/* Doubles the buffer, up to a byte above the limit. */
static sl_err make_room(z_stream *stream, size_t limit, char **out, size_t *capacity)
{
    if (*capacity > limit) return SL_ERR_RANGE;
    size_t wanted = *capacity == 0 ? CAPACITY_FIRST : *capacity * 2;
    if (wanted > limit + 1) wanted = limit + 1;
    char *grown = realloc(*out, wanted);
    if (grown == NULL) return SL_ERR_MEMORY;
    stream->next_out = (Bytef *)grown + *capacity;
    stream->avail_out = (uInt)(wanted - *capacity);
    *out = grown;
    *capacity = wanted;
    return SL_OK;
}

static sl_err refuse(sl_err err, const char **reason, const char *why)
{
    *reason = why;
    return err;
}
