/* The growing text: numbers, JSON strings, and what happens when memory runs out. */
#include "core/text.h"

#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_DOUBLES = 100000, RESULT_BYTES = 512 };

/* What one append wrote, as a C string. */
typedef struct result {
    char bytes[RESULT_BYTES];
} result;

static result taken(sl_text *text)
{
    result taken = {{0}};
    assert_false(text->bad);
    assert_true(text->length < sizeof taken.bytes);
    memcpy(taken.bytes, text->bytes, text->length);
    sl_text_close(text);
    return taken;
}

static sl_text fresh(void)
{
    static counted_memory memory;
    sl_text text;
    memory = (counted_memory){0};
    sl_text_open(&text, counted_memory_of(&memory));
    return text;
}

static result double_text(double value)
{
    sl_text text = fresh();
    sl_text_double(&text, value);
    return taken(&text);
}

static result json_text(const char *bytes, size_t length)
{
    sl_text text = fresh();
    sl_text_json(&text, bytes, length);
    return taken(&text);
}

/* A literal's JSON; the literal may hold NULs. */
#define JSON(literal) json_text(literal, sizeof(literal) - 1).bytes

static void test_text_u64(void **state)
{
    (void)state;
    sl_text text = fresh();
    sl_text_u64(&text, 0);
    sl_text_string(&text, " ");
    sl_text_u64(&text, UINT64_MAX);
    assert_string_equal(taken(&text).bytes, "0 18446744073709551615");
}

static void test_text_i64(void **state)
{
    (void)state;
    sl_text text = fresh();
    sl_text_i64(&text, INT64_MIN);
    sl_text_string(&text, " ");
    sl_text_i64(&text, INT64_MAX);
    assert_string_equal(taken(&text).bytes, "-9223372036854775808 9223372036854775807");
}

static void test_text_hex(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x7f, 0xa5, 0xff};
    sl_text text = fresh();
    sl_text_hex(&text, bytes, sizeof bytes);
    assert_string_equal(taken(&text).bytes, "007fa5ff");
}

static void test_text_double_spelling(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } spellings[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {120.0, "120.0"},
        {0.75, "0.75"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.0 / 3.0, "0.3333333333333333"},
        {(double)0.85F, "0.8500000238418579"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {1e-20, "1e-20"},
        {1e-300, "1e-300"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740994.0, "9007199254740994.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {1.2345e100, "1.2345e+100"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {2.225073858507201e-308, "2.225073858507201e-308"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        assert_string_equal(double_text(spellings[i].value).bytes, spellings[i].text);
    }
}

static void test_text_double_json_cannot_say_is_null(void **state)
{
    (void)state;
    assert_string_equal(double_text((double)INFINITY).bytes, "null");
    assert_string_equal(double_text((double)-INFINITY).bytes, "null");
    assert_string_equal(double_text((double)NAN).bytes, "null");
}

static bool reads_back(double value)
{
    double again = strtod(double_text(value).bytes, NULL);
    return again == value && signbit(again) == signbit(value);
}

static void test_text_double_power_of_two_reads_back(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++) assert_true(reads_back(ldexp(1.0, exponent)));
}

static void test_text_double_next_to_power_of_ten_reads_back(void **state)
{
    (void)state;
    double value = 1e-300;
    for (int exponent = -300; exponent <= 300; exponent++) {
        assert_true(reads_back(value) && reads_back(nextafter(value, 0)) &&
                    reads_back(nextafter(value, (double)INFINITY)));
        value *= 10;
    }
}

static void test_text_double_of_random_bits_reads_back(void **state)
{
    (void)state;
    uint64_t bits = 0x9e3779b97f4a7c15; /* the seed; then a xorshift */
    for (int i = 0; i < RANDOM_DOUBLES; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) assert_true(reads_back(value));
    }
}

static void test_text_double_of_random_float_reads_back(void **state)
{
    (void)state;
    uint64_t bits = 0x9e3779b97f4a7c15;
    for (int i = 0; i < RANDOM_DOUBLES; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        assert_true(reads_back((double)(float)((double)(bits >> 11) / 0x1p53)));
    }
}

static void test_text_json_plain(void **state)
{
    (void)state;
    assert_string_equal(JSON("1-MIDI"), "\"1-MIDI\"");
}

static void test_text_json_empty(void **state)
{
    (void)state;
    assert_string_equal(json_text(NULL, 0).bytes, "\"\"");
}

static void test_text_json_escapes(void **state)
{
    (void)state;
    assert_string_equal(JSON("\"\\\b\f\n\r\t/"), "\"\\\"\\\\\\b\\f\\n\\r\\t/\"");
}

static void test_text_json_control_characters(void **state)
{
    (void)state;
    assert_string_equal(JSON("a\0b\x1f\x7f"), "\"a\\u0000b\\u001f\\u007f\"");
    assert_string_equal(JSON("\xc2\x80\xc2\x9f"), "\"\\u0080\\u009f\""); /* C1 */
}

static void test_text_json_keeps_utf8(void **state)
{
    (void)state;
    assert_string_equal(JSON("é€😀"), "\"é€😀\"");
}

static void test_text_json_keeps_bounds_of_utf8(void **state)
{
    (void)state;
    assert_string_equal(JSON("\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
                        "\"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
}

static void test_text_json_replaces_lone_continuation(void **state)
{
    (void)state;
    assert_string_equal(JSON("a\x80z"), "\"a\xef\xbf\xbdz\"");
}

static void test_text_json_replaces_cut_sequence_once(void **state)
{
    (void)state;
    assert_string_equal(JSON("\xf0\x9f\x98"), "\"\xef\xbf\xbd\"");
}

static void test_text_json_replaces_maximal_parts(void **state)
{
    (void)state;
    /* The Unicode standard's own example, table 3-8: 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64. */
    assert_string_equal(JSON("a\xf1\x80\x80\xe1\x80\xc2"
                             "b\x80"
                             "c\x80\xbf"
                             "d"),
                        "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                        "b\xef\xbf\xbd"
                        "c\xef\xbf\xbd\xef\xbf\xbd"
                        "d\"");
}

static void test_text_json_replaces_overlong_and_surrogates(void **state)
{
    (void)state;
    assert_string_equal(JSON("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_string_equal(JSON("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_string_equal(JSON("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_text_grows(void **state)
{
    (void)state;
    sl_text text = fresh();
    for (int i = 0; i < 10000; i++) sl_text_string(&text, "0123456789");
    assert_int_equal(text.length, 100000);
    assert_memory_equal(text.bytes + 99990, "0123456789", 10);
    sl_text_close(&text);
}

static void test_text_clear_keeps_memory(void **state)
{
    (void)state;
    sl_text text = fresh();
    sl_text_string(&text, "once");
    size_t capacity = text.capacity;
    sl_text_clear(&text);
    assert_int_equal(text.length, 0);
    assert_int_equal(text.capacity, capacity);
    sl_text_close(&text);
}

static void test_text_close_gives_memory_back(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_text text;
    sl_text_open(&text, counted_memory_of(&memory));
    sl_text_string(&text, "something");
    sl_text_close(&text);
    assert_int_equal(memory.size_bytes, 0);
}

static void test_text_without_memory_is_bad(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 1};
    sl_text text;
    sl_text_open(&text, counted_memory_of(&memory));
    sl_text_string(&text, "something");
    assert_true(text.bad);
    sl_text_close(&text);
}

static void test_text_bad_stays_as_it_was(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 2};
    sl_text text;
    char more[1000] = {0};
    sl_text_open(&text, counted_memory_of(&memory));
    sl_text_string(&text, "kept");
    sl_text_bytes(&text, more, sizeof more);
    sl_text_string(&text, "lost");
    assert_int_equal(text.length, 4);
    sl_text_close(&text);
}

static void test_text_clear_makes_good(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 1};
    sl_text text;
    sl_text_open(&text, counted_memory_of(&memory));
    sl_text_string(&text, "lost");
    memory.fail_at = 0;
    sl_text_clear(&text);
    sl_text_string(&text, "kept");
    assert_string_equal(taken(&text).bytes, "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_u64),
        cmocka_unit_test(test_text_i64),
        cmocka_unit_test(test_text_hex),
        cmocka_unit_test(test_text_double_spelling),
        cmocka_unit_test(test_text_double_json_cannot_say_is_null),
        cmocka_unit_test(test_text_double_power_of_two_reads_back),
        cmocka_unit_test(test_text_double_next_to_power_of_ten_reads_back),
        cmocka_unit_test(test_text_double_of_random_bits_reads_back),
        cmocka_unit_test(test_text_double_of_random_float_reads_back),
        cmocka_unit_test(test_text_json_plain),
        cmocka_unit_test(test_text_json_empty),
        cmocka_unit_test(test_text_json_escapes),
        cmocka_unit_test(test_text_json_control_characters),
        cmocka_unit_test(test_text_json_keeps_utf8),
        cmocka_unit_test(test_text_json_keeps_bounds_of_utf8),
        cmocka_unit_test(test_text_json_replaces_lone_continuation),
        cmocka_unit_test(test_text_json_replaces_cut_sequence_once),
        cmocka_unit_test(test_text_json_replaces_maximal_parts),
        cmocka_unit_test(test_text_json_replaces_overlong_and_surrogates),
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_text_clear_keeps_memory),
        cmocka_unit_test(test_text_close_gives_memory_back),
        cmocka_unit_test(test_text_without_memory_is_bad),
        cmocka_unit_test(test_text_bad_stays_as_it_was),
        cmocka_unit_test(test_text_clear_makes_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
