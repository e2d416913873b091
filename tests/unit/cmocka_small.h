/*
 * cmocka; or, where there is none (core on aarch64 and wasm32, SL_SMALL_TEST), the part of it that our tests use.
 *
 * Include this instead of <cmocka.h>. wasm32-wasi has no setjmp, so in the small form a failed assertion ends the
 * program, and tests/tally.py counts that test and those after it as failed. The output lines are cmocka's.
 */
#ifndef SL_TESTS_CMOCKA_SMALL_H
#define SL_TESTS_CMOCKA_SMALL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SL_SMALL_TEST

#include <setjmp.h>

#include <cmocka.h> /* after the four above, which it needs and does not include */

#else

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;    /* NULL: none */
    CMFixtureFunction teardown_func; /* NULL: none */
};

/* It would take the braces for blocks. */
/* clang-format off */
#define cmocka_unit_test(f) {#f, f, NULL, NULL}
#define cmocka_unit_test_setup_teardown(f, setup, teardown) {#f, f, setup, teardown}
/* clang-format on */
#define cmocka_run_group_tests(tests, setup, teardown)                                                                 \
    small_run_group(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#define print_message(...) ((void)fprintf(stderr, __VA_ARGS__))
#define print_error(...) ((void)fprintf(stderr, __VA_ARGS__))

#define fail() small_check(false, "fail()", __FILE__, __LINE__)
#define fail_msg(...) (print_error(__VA_ARGS__), small_check(false, "\nfail_msg()", __FILE__, __LINE__))

#define assert_true(c) small_check(!!(c), #c, __FILE__, __LINE__)
#define assert_false(c) small_check(!(c), "!(" #c ")", __FILE__, __LINE__)
#define assert_non_null(p) small_check((p) != NULL, #p " != NULL", __FILE__, __LINE__)
#define assert_null(p) small_check((p) == NULL, #p " == NULL", __FILE__, __LINE__)
#define assert_ptr_equal(a, b) small_check((const void *)(a) == (const void *)(b), #a " == " #b, __FILE__, __LINE__)
#define assert_int_equal(a, b) small_check_int((uint64_t)(a), (uint64_t)(b), true, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                                     \
    small_check_int((uint64_t)(a), (uint64_t)(b), false, #a " != " #b, __FILE__, __LINE__)
#define assert_in_range(v, low, high)                                                                                  \
    small_check((uint64_t)(v) >= (uint64_t)(low) && (uint64_t)(v) <= (uint64_t)(high), #v " in [" #low ", " #high "]", \
                __FILE__, __LINE__)
#define assert_string_equal(a, b) small_check_string(a, b, #a " == " #b, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) small_check(strcmp(a, b) != 0, #a " != " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n) small_check(memcmp(a, b, n) == 0, #a " == " #b, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n) small_check(memcmp(a, b, n) != 0, #a " != " #b, __FILE__, __LINE__)

static inline void small_check(bool holds, const char *what, const char *file, int line)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n%s:%d: error: Failure!\n", what, file, line);
    exit(1);
}

static inline void small_check_int(uint64_t a, uint64_t b, bool equal, const char *what, const char *file, int line)
{
    if ((a == b) == equal) return;
    (void)fprintf(stderr, "%#llx and %#llx: ", (unsigned long long)a, (unsigned long long)b);
    small_check(false, what, file, line);
}

static inline void small_check_string(const char *a, const char *b, const char *what, const char *file, int line)
{
    if (strcmp(a, b) == 0) return;
    (void)fprintf(stderr, "\"%s\" and \"%s\": ", a, b);
    small_check(false, what, file, line);
}

static inline int small_run_group(const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                                  CMFixtureFunction teardown)
{
    void *group_state = NULL;
    (void)fprintf(stderr, "[==========] Running %zu test(s).\n", count);
    if (setup != NULL) small_check(setup(&group_state) == 0, "group setup", __FILE__, __LINE__);
    for (size_t i = 0; i < count; i++) {
        void *state = group_state;
        (void)fprintf(stderr, "[ RUN      ] %s\n", tests[i].name);
        if (tests[i].setup_func != NULL) small_check(tests[i].setup_func(&state) == 0, "setup", __FILE__, __LINE__);
        tests[i].test_func(&state);
        if (tests[i].teardown_func != NULL) {
            small_check(tests[i].teardown_func(&state) == 0, "teardown", __FILE__, __LINE__);
        }
        (void)fprintf(stderr, "[       OK ] %s\n", tests[i].name);
    }
    if (teardown != NULL) small_check(teardown(&group_state) == 0, "group teardown", __FILE__, __LINE__);
    (void)fprintf(stderr, "[==========] %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", count, count);
    return 0;
}

#endif
#endif
