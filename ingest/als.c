/* The stream: bytes of a file, unpacked piece by piece, given to expat. What the elements mean is als_elements.c's. */
#include "ingest/als.h"
#include "ingest/als_internal.h"

#include <assert.h>
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE_BYTES = 64 << 10, WINDOW_BITS = 15 + 16 /* gzip alone */ };

static sl_err read_gzip(als_reader *reader, const uint8_t *bytes, size_t length);
static sl_err read_xml(als_reader *reader, const uint8_t *bytes, size_t length);
static sl_err feed(als_reader *reader, const char *piece, size_t length, bool is_last);

static bool is_gzip(const uint8_t *bytes, size_t length)
{
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* XML in UTF-8 or UTF-16, with or without a byte order mark. */
static bool is_xml(const uint8_t *bytes, size_t length)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (length >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0) return true;
    if (length >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff))) return true;
    size_t at = 0;
    while (at < length && (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')) at++;
    return at < length && bytes[at] == '<';
}

sl_err als_fail(als_reader *reader, sl_err err, const char *format, ...)
{
    if (reader->err != SL_OK) return reader->err;
    va_list list;
    va_start(list, format);
    vsnprintf(reader->reason, SL_ALS_REASON_BYTES, format, list);
    va_end(list);
    reader->err = err;
    if (reader->parser != NULL) (void)XML_StopParser(reader->parser, XML_FALSE);
    return err;
}

static void XMLCALL begin_element(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    als_begin_element(ctx, name, (const char *const *)attributes);
}

static void XMLCALL end_element(void *ctx, const XML_Char *name)
{
    (void)name;
    als_end_element(ctx);
}

/* Live writes none; a bomb is made of entities, and they need a document type. */
static void XMLCALL refuse_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                                   const XML_Char *public_id, int has_internal)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal;
    (void)als_fail(ctx, SL_ERR_REFUSED, "a document type definition, which no Live set has");
}

static sl_err read_all(als_reader *reader, const uint8_t *bytes, size_t length)
{
    if (length == 0) return als_fail(reader, SL_ERR_MALFORMED, "the file is empty");
    if (length > SL_ALS_FILE_BYTES_MAX)
        return als_fail(reader, SL_ERR_RANGE, "the file has more than %d MiB", SL_ALS_FILE_BYTES_MAX >> 20);
    if (is_gzip(bytes, length)) return read_gzip(reader, bytes, length);
    if (is_xml(bytes, length)) return read_xml(reader, bytes, length);
    return als_fail(reader, SL_ERR_MALFORMED, "neither gzip nor XML");
}

sl_err sl_als_read(const uint8_t *bytes, size_t length, sl_memory memory, sl_tree **tree,
                   char reason[SL_ALS_REASON_BYTES])
{
    *tree = NULL;
    als_reader reader = {.reason = reason, .memory = memory};
    sl_err err = als_open(&reader);
    reader.parser = err == SL_OK ? XML_ParserCreate(NULL) : NULL;
    if (reader.parser == NULL) {
        als_close(&reader);
        snprintf(reason, SL_ALS_REASON_BYTES, "out of memory");
        return SL_ERR_MEMORY;
    }
    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, begin_element, end_element);
    XML_SetStartDoctypeDeclHandler(reader.parser, refuse_doctype);
    err = read_all(&reader, bytes, length);
    if (err == SL_OK) err = als_finish(&reader);
    if (err == SL_OK) {
        *tree = reader.tree;
        reader.tree = NULL;
    }
    XML_ParserFree(reader.parser);
    als_close(&reader);
    return err;
}

/* The end of the gzip member must be the end of the file: what is cut off is not whole. */
static sl_err read_gzip(als_reader *reader, const uint8_t *bytes, size_t length)
{
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)length};
    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK) return als_fail(reader, SL_ERR_MEMORY, "out of memory");
    sl_err err = SL_OK;
    int status = Z_OK;
    while (err == SL_OK && status == Z_OK) {
        void *piece = XML_GetBuffer(reader->parser, PIECE_BYTES);
        if (piece == NULL) {
            err = als_fail(reader, SL_ERR_MEMORY, "out of memory");
            break;
        }
        stream.next_out = piece;
        stream.avail_out = PIECE_BYTES;
        status = inflate(&stream, Z_NO_FLUSH);
        bool is_progress = status == Z_OK || status == Z_STREAM_END;
        if (is_progress) err = feed(reader, NULL, PIECE_BYTES - stream.avail_out, status == Z_STREAM_END);
    }
    if (err == SL_OK && status == Z_BUF_ERROR)
        err = als_fail(reader, SL_ERR_MALFORMED, "the gzip is cut off after %zu bytes of XML", reader->xml_bytes);
    else if (err == SL_OK && status != Z_STREAM_END)
        err = als_fail(reader, SL_ERR_MALFORMED, "the gzip is damaged: %s", stream.msg != NULL ? stream.msg : "?");
    else if (err == SL_OK && stream.avail_in > 0)
        err = als_fail(reader, SL_ERR_MALFORMED, "%u bytes behind the end of the gzip", stream.avail_in);
    (void)inflateEnd(&stream);
    return err;
}

static sl_err read_xml(als_reader *reader, const uint8_t *bytes, size_t length)
{
    sl_err err = SL_OK;
    for (size_t at = 0; err == SL_OK && at < length; at += PIECE_BYTES) {
        size_t rest = length - at;
        bool is_last = rest <= PIECE_BYTES;
        err = feed(reader, (const char *)bytes + at, is_last ? rest : PIECE_BYTES, is_last);
    }
    return err;
}

/* Expat keeps a tag that has begun until its end has come. Without an index it has not looked at the new bytes: it
 * waits for more of the tag. */
static bool is_tag_too_long(als_reader *reader)
{
    const XML_Index index = XML_GetCurrentByteIndex(reader->parser);
    if (index >= 0) reader->token_first = (size_t)index;
    return reader->xml_bytes - reader->token_first > SL_ALS_TAG_BYTES_MAX;
}

/* `piece` NULL: it stands in the parser's own buffer. */
static sl_err feed(als_reader *reader, const char *piece, size_t length, bool is_last)
{
    reader->xml_bytes += length;
    if (reader->xml_bytes > SL_ALS_XML_BYTES_MAX)
        return als_fail(reader, SL_ERR_RANGE, "more than %d MiB of XML", SL_ALS_XML_BYTES_MAX >> 20);
    enum XML_Status status = piece != NULL ? XML_Parse(reader->parser, piece, (int)length, is_last)
                                           : XML_ParseBuffer(reader->parser, (int)length, is_last);
    if (status == XML_STATUS_OK && reader->err == SL_OK && is_tag_too_long(reader))
        return als_fail(reader, SL_ERR_RANGE, "a tag of more than %d MiB", SL_ALS_TAG_BYTES_MAX >> 20);
    if (status == XML_STATUS_OK || reader->err != SL_OK) return reader->err;
    enum XML_Error error = XML_GetErrorCode(reader->parser);
    if (error == XML_ERROR_NO_MEMORY) return als_fail(reader, SL_ERR_MEMORY, "out of memory");
    return als_fail(reader, SL_ERR_MALFORMED, "no valid XML at line %lu, column %lu: %s",
                    XML_GetCurrentLineNumber(reader->parser), XML_GetCurrentColumnNumber(reader->parser),
                    XML_ErrorString(error));
}
