/*
 * A growing text, and JSON written into it. Made for messages: append only, one buffer reused from message to message.
 *
 * A failed allocation leaves the text `bad`; later appends do nothing. Check once, at the end.
 */
#ifndef SL_CORE_TEXT_H
#define SL_CORE_TEXT_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sl_text {
    sl_memory memory;
    char *bytes; /* not NUL-terminated */
    size_t length;
    size_t capacity;
    bool bad; /* memory ran out */
} sl_text;

void sl_text_open(sl_text *text, sl_memory memory);
void sl_text_close(sl_text *text);

/* Empties it and keeps its memory. */
void sl_text_clear(sl_text *text);

void sl_text_bytes(sl_text *text, const char *bytes, size_t length);

/* Here, so that the lengths of literals are known when it is compiled. */
static inline void sl_text_string(sl_text *text, const char *string)
{
    sl_text_bytes(text, string, strlen(string));
}

void sl_text_u64(sl_text *text, uint64_t value);
void sl_text_i64(sl_text *text, int64_t value);

/* The shortest decimal that reads back as the same double, always with a '.' or an exponent ("120.0"), as Python
 * writes it; "null" for what JSON cannot say (infinities, NaN). No locale. */
void sl_text_double(sl_text *text, double value);

/* `length` bytes as a JSON string, quotes included. Control characters (C1 too: a terminal may obey them) are escaped;
 * each maximal invalid UTF-8 part becomes U+FFFD. */
void sl_text_json(sl_text *text, const char *bytes, size_t length);

/* Bytes of the code point that begins with text[0] >= 0x80, or of the maximal part of one that is not valid; `length`
 * >= 1. (Source: the Unicode standard, table 3-7 and "U+FFFD substitution of maximal subparts".) */
size_t sl_text_utf8_part(const char *text, size_t length, bool *is_valid);

/* `length` bytes as lower-case hex. */
void sl_text_hex(sl_text *text, const uint8_t *bytes, size_t length);

#endif
