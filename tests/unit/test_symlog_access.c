/* Who may subscribe. */
#include "tools/symlog/access.h"

#include "tests/unit/cmocka_small.h"

typedef struct row {
    sl_visitor visitor;
    sl_verdict verdict;
} row;

static void expect_all(const sl_access *access, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const sl_verdict verdict = sl_access_judge(access, &rows[i].visitor);
        if (verdict == rows[i].verdict) continue;
        fail_msg("row %zu: %d instead of %d", i, (int)verdict, (int)rows[i].verdict);
    }
}

static void test_access_origins(void **state)
{
    (void)state;
    const sl_access access = {.origins = {"https://page.example"}, .origin_count = 1};
    const row rows[] = {
        {{.host = "127.0.0.1:8765"}, SL_VERDICT_WELCOME}, /* a program */
        {{.origin = "http://127.0.0.1:5173", .host = "127.0.0.1:8765"}, SL_VERDICT_WELCOME},
        {{.origin = "http://localhost", .host = "LOCALHOST:8765"}, SL_VERDICT_WELCOME},
        {{.origin = "http://[::1]:80", .host = "[::1]:8765"}, SL_VERDICT_WELCOME},
        {{.origin = "HTTPS://page.example", .host = "127.0.0.1:8765"}, SL_VERDICT_WELCOME},
        {{.origin = "https://page.example.evil", .host = "127.0.0.1:8765"}, SL_VERDICT_ORIGIN},
        {{.origin = "http://localhost", .host = "127.0.0.1:8765"}, SL_VERDICT_ORIGIN},
        {{.origin = "http://rebound.example", .host = "rebound.example:8765"}, SL_VERDICT_ORIGIN},
        {{.origin = "http://127.0.0.1.evil", .host = "127.0.0.1"}, SL_VERDICT_ORIGIN},
        {{.origin = "null", .host = "127.0.0.1"}, SL_VERDICT_ORIGIN},
        {{.origin = "", .host = "127.0.0.1"}, SL_VERDICT_ORIGIN},
        {{.origin = "http://", .host = ""}, SL_VERDICT_ORIGIN},
        {{.origin = "http://[::1", .host = "[::1"}, SL_VERDICT_ORIGIN},
        {{.origin = "http://[]", .host = "[]"}, SL_VERDICT_ORIGIN},
        {{.origin = "http://127.0.0.1"}, SL_VERDICT_ORIGIN}, /* no Host */
    };
    expect_all(&access, rows, sizeof rows / sizeof rows[0]);
}

static void test_access_token(void **state)
{
    (void)state;
    const sl_access access = {.token = "sesame"};
    const row rows[] = {
        {{.host = "studio:8765", .token = "sesame"}, SL_VERDICT_WELCOME},
        {{.host = "studio:8765", .token = "sesam"}, SL_VERDICT_TOKEN},
        {{.host = "studio:8765", .token = ""}, SL_VERDICT_TOKEN},
        {{.host = "studio:8765"}, SL_VERDICT_TOKEN},
        {{.origin = "http://studio", .host = "studio:8765", .token = "sesame"}, SL_VERDICT_WELCOME},
        {{.origin = "http://evil", .host = "studio:8765", .token = "sesame"}, SL_VERDICT_ORIGIN},
    };
    expect_all(&access, rows, sizeof rows / sizeof rows[0]);
}

static void test_access_loopback(void **state)
{
    (void)state;
    assert_true(sl_access_is_loopback("127.0.0.1"));
    assert_true(sl_access_is_loopback("127.9.9.9"));
    assert_false(sl_access_is_loopback("0.0.0.0"));
    assert_false(sl_access_is_loopback("192.168.1.2"));
    assert_false(sl_access_is_loopback("localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access_origins),
        cmocka_unit_test(test_access_token),
        cmocka_unit_test(test_access_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
