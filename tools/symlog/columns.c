/* How much room text takes on a terminal. The tables are Unicode's, in the large: a rare character may be counted wrong
 * by one column, which moves a row and harms nothing. */
#include "tools/symlog/columns.h"

#include <assert.h>
#include <stdint.h>

typedef struct range {
    uint32_t first;
    uint32_t last;
} range;

static const range combining[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},   {0x064B, 0x065F},   {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},   {0x2060, 0x2064},   {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF},
};
static const range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x2614, 0x2615},   {0x26A1, 0x26A1},
    {0x2705, 0x2705},   {0x2728, 0x2728},   {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2B50, 0x2B50},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
    {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF}, {0x1B000, 0x1B2FF}, {0x1F18E, 0x1F19A}, {0x1F200, 0x1F320},
    {0x1F32D, 0x1F3FA}, {0x1F400, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F90C, 0x1FAFF},
    {0x20000, 0x3FFFD},
};
static const range right_to_left[] = {
    {0x0590, 0x08FF}, {0xFB1D, 0xFDFF}, {0xFE70, 0xFEFE}, {0x10800, 0x10FFF}, {0x1E800, 0x1EFFF},
};
static const range unseen[] = {
    {0x00, 0x1F}, {0x7F, 0x9F}, {0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
};

static size_t decode(const uint8_t *bytes, size_t length, uint32_t *code);
static bool is_in(const range *ranges, size_t count, uint32_t code);

sl_glyph sl_glyph_at(const char *bytes, size_t length)
{
    assert(length > 0);
    uint32_t code = 0;
    const size_t size = decode((const uint8_t *)bytes, length, &code);
    sl_glyph glyph = {.size = size > 0 ? size : 1, .columns = 1};
    glyph.is_shown = size > 0 && !is_in(unseen, sizeof unseen / sizeof unseen[0], code);
    if (!glyph.is_shown) return glyph;
    if (is_in(combining, sizeof combining / sizeof combining[0], code)) glyph.columns = 0;
    if (is_in(wide, sizeof wide / sizeof wide[0], code)) glyph.columns = 2;
    glyph.is_right_to_left = is_in(right_to_left, sizeof right_to_left / sizeof right_to_left[0], code);
    return glyph;
}

size_t sl_columns_fit(const char *bytes, size_t length, size_t columns, size_t *used)
{
    size_t at = 0;
    *used = 0;
    while (at < length) {
        const sl_glyph glyph = sl_glyph_at(bytes + at, length - at);
        if (*used + glyph.columns > columns) break;
        *used += glyph.columns;
        at += glyph.size;
    }
    return at;
}

/* The length of a character of UTF-8; 0: there is none. */
static size_t decode(const uint8_t *bytes, size_t length, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t first = bytes[0];
    const size_t size = first < 0x80   ? 1
                        : first < 0xC0 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF8 ? 4
                                       : 0;
    if (size == 0 || size > length) return 0;
    *code = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
        *code = *code << 6 | (bytes[i] & 0x3Fu);
    }
    const bool is_surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < smallest[size] || *code > 0x10FFFF || is_surrogate ? 0 : size;
}

static bool is_in(const range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    }
    return false;
}
