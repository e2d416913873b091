/* Unpacking: whole, within its limit, and not from damage. */
#include "ingest/gunzip.h"

#include "tests/unit/ingest_pack.h"

#include <string.h>

static sl_err unpack(const uint8_t *packed, size_t packed_length, size_t limit, size_t *length, const char **reason)
{
    char *out;
    sl_err err = sl_gunzip(packed, packed_length, limit, &out, length, reason);
    assert_true((err == SL_OK) == (out != NULL));
    free(out);
    return err;
}

static void test_gunzip_gives_back_what_was_packed(void **state)
{
    (void)state;
    size_t packed_length;
    size_t length;
    enum { BYTES = 1000000 };
    char *bytes = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++) bytes[i] = (char)(i * i >> 5);
    uint8_t *packed = pack(bytes, BYTES, &packed_length);
    char *out;
    const char *reason;
    assert_int_equal(sl_gunzip(packed, packed_length, BYTES, &out, &length, &reason), SL_OK);
    assert_int_equal(length, BYTES);
    assert_memory_equal(out, bytes, BYTES);
    free(out);
    free(packed);
    free(bytes);
}

static void test_gunzip_stops_at_its_limit(void **state)
{
    (void)state;
    size_t packed_length;
    size_t length;
    const char *reason;
    enum { BOMB_BYTES = 50000000, LIMIT = 1000000 };
    char *zeros = calloc(1, BOMB_BYTES);
    uint8_t *packed = pack(zeros, BOMB_BYTES, &packed_length);
    assert_int_equal(unpack(packed, packed_length, LIMIT, &length, &reason), SL_ERR_RANGE);
    assert_string_equal(reason, "it unpacks to too many bytes");
    free(packed);
    packed = pack(zeros, LIMIT, &packed_length);
    assert_int_equal(unpack(packed, packed_length, LIMIT, &length, &reason), SL_OK);
    assert_int_equal(unpack(packed, packed_length, LIMIT - 1, &length, &reason), SL_ERR_RANGE);
    free(packed);
    free(zeros);
}

static void test_gunzip_refuses_damage(void **state)
{
    (void)state;
    size_t packed_length;
    size_t length;
    const char *reason;
    uint8_t *packed = pack("hello, hello", 12, &packed_length);
    assert_int_equal(unpack(packed, packed_length - 1, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_string_equal(reason, "the gzip data is cut off");
    assert_int_equal(unpack(packed, packed_length + 1, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_string_equal(reason, "bytes after the gzip data");
    packed[packed_length - 8] ^= 1; /* its checksum */
    assert_int_equal(unpack(packed, packed_length, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_string_equal(reason, "the gzip data is damaged");
    assert_int_equal(unpack((const uint8_t *)"plain", 5, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_int_equal(unpack(packed, 0, 100, &length, &reason), SL_ERR_MALFORMED);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gunzip_gives_back_what_was_packed),
        cmocka_unit_test(test_gunzip_stops_at_its_limit),
        cmocka_unit_test(test_gunzip_refuses_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
