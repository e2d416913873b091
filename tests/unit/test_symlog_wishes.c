/* What a subscriber asks for in its address. */
#include "tools/symlog/wishes.h"

#include "tests/unit/cmocka_small.h"

#include <string.h>

#define LOG "0123456789abcdef0123456789abcdef"

/* `ctx` is an address: "name=value&name=value". */
static const char *find(void *ctx, const char *name)
{
    static char value[256];
    const size_t name_length = strlen(name);
    for (const char *at = ctx; at != NULL; at = strchr(at, '&')) {
        if (*at == '&') at++;
        if (strncmp(at, name, name_length) != 0 || at[name_length] != '=') continue;
        const size_t length = strcspn(at + name_length + 1, "&");
        memcpy(value, at + name_length + 1, length);
        value[length] = '\0';
        return value;
    }
    return NULL;
}

static sl_wishes read(char *address)
{
    sl_wishes wishes;
    const char *fault = sl_wishes_read(&wishes, find, address);
    if (fault != NULL) fail_msg("%s: %s", address, fault);
    return wishes;
}

static void test_wishes_none(void **state)
{
    (void)state;
    const sl_wishes wishes = read("token=secret");
    assert_false(wishes.has_from || wishes.is_batch || wishes.is_compact);
    assert_int_equal(wishes.throttle_ms, 0);
    assert_int_equal(wishes.paths.count, 0);
    assert_string_equal(wishes.log_id, "");
}

static void test_wishes_all_together(void **state)
{
    (void)state;
    const sl_wishes wishes = read("from=40&log=" LOG "&batch=1&throttle=250&compact=1&paths=tracks[0],scenes");
    assert_true(wishes.has_from && wishes.is_batch && wishes.is_compact);
    assert_int_equal(wishes.from, 40);
    assert_string_equal(wishes.log_id, LOG);
    assert_int_equal(wishes.throttle_ms, 250);
    assert_int_equal(wishes.paths.count, 2);
}

static void test_wishes_that_make_no_sense(void **state)
{
    (void)state;
    static char addresses[][32] = {"from=",      "from=-1",   "from=18446744073709551616",
                                   "from=x",     "log=",      "log=123",
                                   "batch=yes",  "compact=2", "batch=",
                                   "throttle=x", "throttle=", "throttle=60001",
                                   "paths=",     "paths=x",   "paths=tracks[0"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        sl_wishes wishes;
        if (sl_wishes_read(&wishes, find, addresses[i]) == NULL) fail_msg("%s is taken", addresses[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wishes_none),
        cmocka_unit_test(test_wishes_all_together),
        cmocka_unit_test(test_wishes_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
