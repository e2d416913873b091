/* Columns of a terminal: what a character takes, what fits, what is not shown. */
#include "tests/unit/cmocka_small.h"
#include "tools/symlog/columns.h"

#include <string.h>

static void expect_fit(const char *text, size_t columns, size_t bytes, size_t used)
{
    size_t found;
    assert_int_equal(sl_columns_fit(text, strlen(text), columns, &found), bytes);
    assert_int_equal(found, used);
}

static void test_columns_of_plain_and_accented_letters(void **state)
{
    (void)state;
    expect_fit("Bass", 4, 4, 4);
    expect_fit("Bass", 3, 3, 3);
    expect_fit("Na\xC3\xAFve", 3, 4, 3);
    expect_fit("", 3, 0, 0);
}

static void test_columns_of_wide_characters(void **state)
{
    (void)state;
    expect_fit("\xE6\xBC\xA2\xE5\xAD\x97", 4, 6, 4); /* two ideographs */
    expect_fit("\xE6\xBC\xA2\xE5\xAD\x97", 3, 3, 2); /* the second one would stand across the edge */
    expect_fit("\xF0\x9F\x8E\xB9 keys", 4, 6, 4);    /* a keyboard */
    expect_fit("e\xCC\x81"
               "e\xCC\x81",
               1, 3, 1); /* accents that combine */
}

static void test_columns_show_nothing_that_turns_a_line(void **state)
{
    (void)state;
    /* As bytes: in a literal they would turn this line, too. */
    static const unsigned char hidden[][4] = {
        {0xE2, 0x80, 0xAE}, {0xE2, 0x81, 0xA7}, {0x1B}, {0xC2, 0x9B}, {0xFF}, {0xC3}, {0xED, 0xA0, 0x80},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        const sl_glyph glyph = sl_glyph_at((const char *)hidden[i], strlen((const char *)hidden[i]));
        assert_false(glyph.is_shown);
        assert_int_equal(glyph.columns, 1);
    }
    const sl_glyph alef = sl_glyph_at("\xD7\x90", 2);
    assert_true(alef.is_shown && alef.is_right_to_left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_of_plain_and_accented_letters),
        cmocka_unit_test(test_columns_of_wide_characters),
        cmocka_unit_test(test_columns_show_nothing_that_turns_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
