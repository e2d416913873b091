/* Digests: values fixed for ever (from the xxHash library and from exact arithmetic in Python), and the rules of sums.
 */
#include "core/digest.h"

#include "tests/unit/cmocka_small.h"

#include <string.h>

static sl_digest digest_of(const char *text)
{
    return sl_digest_bytes(text, strlen(text));
}

static void assert_hex(sl_digest digest, const char *expected)
{
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(digest, hex);
    assert_string_equal(hex, expected);
}

static void test_digest_of_nothing(void **state)
{
    (void)state;
    assert_hex(digest_of(""), "99aa06d3014798d86001c324468d497f");
}

static void test_digest_of_short_text(void **state)
{
    (void)state;
    assert_hex(digest_of("123456789"), "33119477ede5dcd5e9716427681d5860");
}

static void test_digest_of_sentence(void **state)
{
    (void)state;
    assert_hex(digest_of("The quick brown fox jumps over the lazy dog"), "ddd650205ca3e7fa24a1cc2e3a8a7651");
}

static void test_digest_of_thousand_bytes(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i % 251);
    assert_hex(sl_digest_bytes(bytes, sizeof bytes), "18bf41bc8229e27733ef703fb2b20ed1");
}

static void test_digest_equal_compares_both_halves(void **state)
{
    (void)state;
    sl_digest digest = {.low = 1, .high = 2};
    assert_true(sl_digest_equal(digest, (sl_digest){.low = 1, .high = 2}));
    assert_false(sl_digest_equal(digest, (sl_digest){.low = 0, .high = 2}));
    assert_false(sl_digest_equal(digest, (sl_digest){.low = 1, .high = 0}));
}

/* "a", "symlog", "123456789" from the back. */
static sl_digest three_digests(void)
{
    sl_digest rest = sl_digest_prepend(digest_of("123456789"), (sl_digest){0});
    return sl_digest_prepend(digest_of("a"), sl_digest_prepend(digest_of("symlog"), rest));
}

static void test_digest_sequence_has_known_value(void **state)
{
    (void)state;
    assert_hex(three_digests(), "1e9513806daac7872549ee48dfc9ce29");
}

static void test_digest_concat_equals_prepends(void **state)
{
    (void)state;
    sl_digest front = sl_digest_prepend(digest_of("a"), sl_digest_prepend(digest_of("symlog"), (sl_digest){0}));
    sl_digest back = sl_digest_prepend(digest_of("123456789"), (sl_digest){0});
    assert_true(sl_digest_equal(sl_digest_concat(front, sl_digest_power(2), back), three_digests()));
}

static void test_digest_concat_takes_any_count(void **state)
{
    (void)state;
    sl_digest joined = sl_digest_concat(digest_of("a"), sl_digest_power(UINT64_MAX), digest_of("symlog"));
    assert_hex(joined, "5a10e134075e6babff31977311d6f33a");
}

static void test_digest_concat_is_associative(void **state)
{
    (void)state;
    sl_digest a = digest_of("a");
    sl_digest b = digest_of("b");
    sl_digest c = digest_of("c");
    sl_digest left = sl_digest_concat(sl_digest_concat(a, sl_digest_power(1000), b), sl_digest_power(1007), c);
    sl_digest right = sl_digest_concat(a, sl_digest_power(1000), sl_digest_concat(b, sl_digest_power(7), c));
    assert_true(sl_digest_equal(left, right));
}

static void test_digest_order_matters(void **state)
{
    (void)state;
    sl_digest ab = sl_digest_concat(digest_of("a"), sl_digest_power(1), digest_of("b"));
    sl_digest ba = sl_digest_concat(digest_of("b"), sl_digest_power(1), digest_of("a"));
    assert_false(sl_digest_equal(ab, ba));
}

static void test_digest_empty_place_moves_the_rest(void **state)
{
    (void)state;
    sl_digest one = sl_digest_prepend(digest_of("a"), (sl_digest){0});
    assert_false(sl_digest_equal(sl_digest_prepend((sl_digest){0}, one), one));
}

static void test_digest_is_reduced_before_use(void **state)
{
    (void)state;
    const sl_digest all_ones = {.low = UINT64_MAX, .high = UINT64_MAX}; /* 2^128 - 1 is 1 modulo 2^127 - 1 */
    assert_hex(sl_digest_concat(all_ones, sl_digest_power(0), (sl_digest){0}), "00000000000000000000000000000001");
}

static void test_digest_prime_counts_as_zero(void **state)
{
    (void)state;
    const sl_digest prime = {.low = UINT64_MAX, .high = UINT64_MAX >> 1};
    assert_hex(sl_digest_prepend(prime, prime), "00000000000000000000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_of_nothing),
        cmocka_unit_test(test_digest_of_short_text),
        cmocka_unit_test(test_digest_of_sentence),
        cmocka_unit_test(test_digest_of_thousand_bytes),
        cmocka_unit_test(test_digest_equal_compares_both_halves),
        cmocka_unit_test(test_digest_sequence_has_known_value),
        cmocka_unit_test(test_digest_concat_equals_prepends),
        cmocka_unit_test(test_digest_concat_takes_any_count),
        cmocka_unit_test(test_digest_concat_is_associative),
        cmocka_unit_test(test_digest_order_matters),
        cmocka_unit_test(test_digest_empty_place_moves_the_rest),
        cmocka_unit_test(test_digest_is_reduced_before_use),
        cmocka_unit_test(test_digest_prime_counts_as_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
