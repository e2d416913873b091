/* What is JSON, and what is not. */
#include "core/json.h"

#include "core/picture.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"

#include <string.h>

static void expect_all(bool wanted, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sl_json_check(texts[i], strlen(texts[i])) != wanted) fail_msg("%s", texts[i]);
    }
}

static void test_json_whole_values(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",       "[]",      "null",    "true", "false",          "0",           "-0",
        "12",       "-1.5e+9", "1E-2",    "\"\"", "\"é\\u00e9\"",   "\"\\\"\\n\"", "[1,[],{\"a\":{\"b\":[2]}}]",
        "\"/\\/\"", "[[[]]]",  "[\"]\"]", "0.0",  "{\"\":0,\"\":0}"};
    expect_all(true, texts, sizeof texts / sizeof texts[0]);
}

static void test_json_what_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      " 1",       "1 ",          "[1, 2]",          "[1,]",     "{,}", "{\"a\"}", "{1:2}", "[}", "{]",
        "[",     "]",        "\"",          "\"\\x\"",         "01",       "1.",  ".5",      "-",     "1e", "tru",
        "nul",   "\"\t\"",   "\"\\u12",     "\"\xff\"",        "\"\xc3\"", "1}",  "{}{}",    "NaN",   "+1", "'a'",
        "[1 2]", "{\"a\":}", "\"\\u00g0\"", "\"\xed\xa0\x80\""};
    expect_all(false, texts, sizeof texts / sizeof texts[0]);
}

static void test_json_nesting_is_bounded(void **state)
{
    (void)state;
    static char text[2 * SL_JSON_DEPTH_MAX + 2];
    memset(text, '[', SL_JSON_DEPTH_MAX);
    memset(text + SL_JSON_DEPTH_MAX, ']', SL_JSON_DEPTH_MAX);
    assert_true(sl_json_check(text, 2 * (size_t)SL_JSON_DEPTH_MAX));
    memset(text, '[', SL_JSON_DEPTH_MAX + 1);
    memset(text + SL_JSON_DEPTH_MAX + 1, ']', SL_JSON_DEPTH_MAX + 1);
    assert_false(sl_json_check(text, sizeof text));
}

static void test_json_nul_is_no_end(void **state)
{
    (void)state;
    assert_false(sl_json_check("1\0", 2));
    assert_false(sl_json_check("\"\0\"", 3));
}

static sl_err check_plugin_info(const char *json, sl_picture_error *error)
{
    uint8_t bytes[256];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_picture_writer picture;
    const sl_value value = {.type = SL_VALUE_JSON, .length = (uint32_t)strlen(json), .as.text = json};
    sl_picture_begin(&picture, &writer);
    sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "", 0);
    sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "", 0);
    sl_picture_node(&picture, SL_NODE_DEVICE, 2, 0, "", 0);
    sl_picture_attribute(&picture, SL_ATTRIBUTE_PLUGIN_INFO, &value);
    sl_picture_end(&picture);
    assert_false(writer.bad);
    counted_memory memory = {0};
    return sl_picture_check(bytes, writer.length, counted_memory_of(&memory), error);
}

static void test_json_in_a_picture_is_looked_at(void **state)
{
    (void)state;
    sl_picture_error error;
    assert_int_equal(check_plugin_info("{\"vendor\":\"x\"}", &error), SL_OK);
    assert_int_equal(check_plugin_info("{vendor", &error), SL_ERR_REFUSED);
    assert_string_equal(error.what, "a value that is no JSON");
    assert_int_equal(error.node, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_whole_values),
        cmocka_unit_test(test_json_what_is_none),
        cmocka_unit_test(test_json_nesting_is_bounded),
        cmocka_unit_test(test_json_nul_is_no_end),
        cmocka_unit_test(test_json_in_a_picture_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
