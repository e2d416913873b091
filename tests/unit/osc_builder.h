/* Builds OSC datagrams for tests of core, which has no writer of its own. */
#ifndef SL_TESTS_OSC_BUILDER_H
#define SL_TESTS_OSC_BUILDER_H

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct osc_builder {
    uint8_t bytes[4096];
    size_t length;
} osc_builder;

static inline void osc_put(osc_builder *builder, const void *bytes, size_t length)
{
    assert(builder->length + length + 4 <= sizeof builder->bytes);
    memcpy(builder->bytes + builder->length, bytes, length);
    builder->length += length;
    while (builder->length % 4 != 0) builder->bytes[builder->length++] = 0;
}

static inline void osc_put_text(osc_builder *builder, const char *text)
{
    osc_put(builder, text, strlen(text) + 1);
}

static inline void osc_put_be(osc_builder *builder, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    osc_put(builder, bytes, size);
}

/* i takes int, h int64_t, f and d double, s const char *; b (an empty one), T and F nothing. */
static inline void osc_put_arguments(osc_builder *builder, const char *tags, va_list list)
{
    for (const char *tag = tags; *tag != '\0'; tag++) {
        uint64_t bits = 0;
        uint32_t word = 0;
        double number = 0;
        float single = 0;
        switch (*tag) {
        case 'i': osc_put_be(builder, (uint32_t)va_arg(list, int), 4); break;
        case 'h': osc_put_be(builder, (uint64_t)va_arg(list, int64_t), 8); break;
        case 'f':
            single = (float)va_arg(list, double);
            memcpy(&word, &single, sizeof word);
            osc_put_be(builder, word, 4);
            break;
        case 'd':
            number = va_arg(list, double);
            memcpy(&bits, &number, sizeof bits);
            osc_put_be(builder, bits, 8);
            break;
        case 'b': osc_put_be(builder, 0, 4); break;
        case 's': osc_put_text(builder, va_arg(list, const char *)); break;
        case 'T':
        case 'F': break;
        default: assert(*tag == 0); /* a tag that the builder does not know */
        }
    }
}

/* One message. With number >= 0 it is wrapped in /live/seq. */
static inline void osc_message(osc_builder *builder, int64_t number, const char *path, const char *tags, va_list list)
{
    char all_tags[64] = ",ifs";
    if (number >= 0) {
        osc_put_text(builder, "/live/seq");
        strcat(all_tags, tags);
        osc_put_text(builder, all_tags);
        osc_put_be(builder, (uint64_t)number, 4);
        osc_put_be(builder, 0, 4);
        osc_put_text(builder, path);
    } else {
        osc_put_text(builder, path);
        all_tags[1] = '\0';
        strcat(all_tags, tags);
        osc_put_text(builder, all_tags);
    }
    osc_put_arguments(builder, tags, list);
}

static inline void osc_bundle_begin(osc_builder *builder)
{
    builder->length = 0;
    osc_put_text(builder, "#bundle");
    osc_put_be(builder, 1, 8);
}

/* Adds a message to a bundle. */
static inline void osc_bundle_add(osc_builder *builder, int64_t number, const char *path, const char *tags, ...)
{
    size_t begin = builder->length;
    osc_put_be(builder, 0, 4);
    va_list list;
    va_start(list, tags);
    osc_message(builder, number, path, tags, list);
    va_end(list);
    size_t end = builder->length, size = end - begin - 4;
    builder->length = begin;
    osc_put_be(builder, size, 4);
    builder->length = end;
}

#endif
