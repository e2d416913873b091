/* The growing text. Doubles are written in core/text_double.c. */
#include "core/text.h"

#include <string.h>

enum { CAPACITY_MIN = 256, DECIMAL_BYTES_MAX = 20 };

static const char hex_digits[] = "0123456789abcdef";

static char *extend(sl_text *text, size_t length);
static void escape(sl_text *text, unsigned char code);

void sl_text_open(sl_text *text, sl_memory memory)
{
    *text = (sl_text){.memory = memory};
}

void sl_text_close(sl_text *text)
{
    if (text->bytes != NULL) (void)text->memory.resize(text->memory.ctx, text->bytes, text->capacity, 0);
    *text = (sl_text){.memory = text->memory};
}

void sl_text_clear(sl_text *text)
{
    text->length = 0;
    text->bad = false;
}

void sl_text_bytes(sl_text *text, const char *bytes, size_t length)
{
    if (length == 0) return;
    char *to = extend(text, length);
    if (to != NULL) memcpy(to, bytes, length);
}

void sl_text_u64(sl_text *text, uint64_t value)
{
    char digits[DECIMAL_BYTES_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    sl_text_bytes(text, digits + at, sizeof digits - at);
}

void sl_text_i64(sl_text *text, int64_t value)
{
    if (value < 0) sl_text_string(text, "-");
    sl_text_u64(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void sl_text_json(sl_text *text, const char *bytes, size_t length)
{
    const unsigned char *next = (const unsigned char *)bytes;
    const unsigned char *plain = next; /* where what needs no escaping began */
    size_t left = length;
    sl_text_string(text, "\"");
    while (left > 0) {
        bool is_valid = true;
        size_t part = *next < 0x80 ? 1 : sl_text_utf8_part((const char *)next, left, &is_valid);
        bool is_control = *next < 0x20 || *next == 0x7f || (is_valid && *next == 0xc2 && next[1] < 0xa0);
        bool is_plain = is_valid && !is_control && *next != '"' && *next != '\\';
        if (!is_plain) {
            sl_text_bytes(text, (const char *)plain, (size_t)(next - plain));
            if (is_valid) escape(text, part == 1 ? *next : next[1]);
            if (!is_valid) sl_text_string(text, "\xef\xbf\xbd");
            plain = next + part;
        }
        next += part;
        left -= part;
    }
    if (length > 0) sl_text_bytes(text, (const char *)plain, (size_t)(next - plain));
    sl_text_string(text, "\"");
}

void sl_text_hex(sl_text *text, const uint8_t *bytes, size_t length)
{
    if (length == 0) return;
    if (length > SIZE_MAX / 2) {
        text->bad = true;
        return;
    }
    char *to = extend(text, length * 2);
    if (to == NULL) return;
    for (size_t i = 0; i < length; i++) {
        to[2 * i] = hex_digits[bytes[i] >> 4];
        to[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
}

/* Room for `length` more bytes at the end, already counted; NULL when memory has run out. */
static char *extend(sl_text *text, size_t length)
{
    if (text->bad) return NULL;
    if (length > text->capacity - text->length) {
        size_t capacity = text->capacity > SIZE_MAX / 2 ? SIZE_MAX : text->capacity * 2;
        size_t needed = length <= SIZE_MAX - text->length ? text->length + length : SIZE_MAX;
        if (capacity < CAPACITY_MIN) capacity = CAPACITY_MIN;
        if (capacity < needed) capacity = needed;
        char *bytes = text->memory.resize(text->memory.ctx, text->bytes, text->capacity, capacity);
        if (bytes == NULL) {
            text->bad = true;
            return NULL;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    char *end = text->bytes + text->length;
    text->length += length;
    return end;
}

static void escape(sl_text *text, unsigned char code)
{
    switch (code) {
    case '"': sl_text_string(text, "\\\""); return;
    case '\\': sl_text_string(text, "\\\\"); return;
    case '\b': sl_text_string(text, "\\b"); return;
    case '\f': sl_text_string(text, "\\f"); return;
    case '\n': sl_text_string(text, "\\n"); return;
    case '\r': sl_text_string(text, "\\r"); return;
    case '\t': sl_text_string(text, "\\t"); return;
    default: break;
    }
    const char escaped[] = {'\\', 'u', '0', '0', hex_digits[code >> 4], hex_digits[code & 15]};
    sl_text_bytes(text, escaped, sizeof escaped);
}

size_t sl_text_utf8_part(const char *text, size_t length, bool *is_valid)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char lead = bytes[0];
    *is_valid = false;
    if (lead < 0xc2 || lead > 0xf4) return 1;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    unsigned char low =
        0x80; /* the second byte is bounded closer: nothing overlong, no surrogate, no more than U+10FFFF */
    unsigned char high = 0xbf;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    for (size_t i = 1; i < size; i++) {
        if (i == length || bytes[i] < low || bytes[i] > high) return i;
        low = 0x80;
        high = 0xbf;
    }
    *is_valid = true;
    return size;
}
