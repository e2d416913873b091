/*
 * CRC-32C: the CPU's instruction where the build may use it, else eight tables at a time. Both give the same value.
 * (Source: RFC 3720, appendix B.4; the polynomial is 0x1EDC6F41, bits reflected.)
 */
#include "core/bytes.h"
#include "core/event.h"

static uint32_t step_byte(uint32_t crc, uint8_t byte);
static uint32_t step_word(uint32_t crc, uint64_t word);

uint32_t sl_crc32c(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *next = bytes;
    size_t left = length;
    crc = ~crc;
    for (; left >= 8; left -= 8, next += 8) crc = step_word(crc, sl_get_le(next, 8));
    for (; left > 0; left--, next++) crc = step_byte(crc, *next);
    return ~crc;
}

#if defined(__SSE4_2__) && defined(__x86_64__)

#include <nmmintrin.h>

static uint32_t step_byte(uint32_t crc, uint8_t byte)
{
    return _mm_crc32_u8(crc, byte);
}

static uint32_t step_word(uint32_t crc, uint64_t word)
{
    return (uint32_t)_mm_crc32_u64(crc, word);
}

#elif defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

static uint32_t step_byte(uint32_t crc, uint8_t byte)
{
    return __crc32cb(crc, byte);
}

static uint32_t step_word(uint32_t crc, uint64_t word)
{
    return __crc32cd(crc, word);
}

#else

#include "core/crc32c_table.h"

static uint32_t step_byte(uint32_t crc, uint8_t byte)
{
    return sl_crc32c_table[(crc ^ byte) & 0xff][0] ^ crc >> 8;
}

static uint32_t step_word(uint32_t crc, uint64_t word)
{
    word ^= crc;
    uint32_t result = 0;
    for (unsigned i = 0; i < 8; i++) result ^= sl_crc32c_table[word >> (8 * i) & 0xff][7 - i];
    return result;
}

#endif
