/* Times: each in its bucket, quantiles of what was added. */
#include "tools/symlog/audio_times.h"

#include "tests/unit/cmocka_small.h"

static void test_audio_times_none(void **state)
{
    (void)state;
    static const sl_audio_times times;
    assert_int_equal(sl_audio_times_quantile(&times, 500), 0);
}

/* Alone, a time is told as itself, up to an eighth too long. */
static void test_audio_times_are_known_to_an_eighth(void **state)
{
    (void)state;
    for (uint64_t ns = 0; ns <= UINT32_MAX; ns += 1 + ns / 11) {
        sl_audio_times times = {0};
        sl_audio_times_add(&times, ns);
        const uint64_t told = sl_audio_times_quantile(&times, 999);
        if (told < ns || told > ns + ns / 8) fail_msg("%llu ns", (unsigned long long)ns);
    }
}

static void test_audio_times_beyond_all_buckets(void **state)
{
    (void)state;
    sl_audio_times times = {0};
    sl_audio_times_add(&times, UINT64_MAX);
    sl_audio_times_add(&times, UINT64_C(1) << 32);
    assert_true(sl_audio_times_quantile(&times, 0) == UINT32_MAX);
}

static void test_audio_times_quantiles(void **state)
{
    (void)state;
    sl_audio_times times = {0};
    for (unsigned i = 0; i < 990; i++) sl_audio_times_add(&times, 3);
    for (unsigned i = 0; i < 9; i++) sl_audio_times_add(&times, 5);
    sl_audio_times_add(&times, 7);
    static const unsigned wanted[][2] = {{0, 3}, {500, 3}, {990, 3}, {991, 5}, {999, 5}, {1000, 7}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_int_equal(sl_audio_times_quantile(&times, wanted[i][0]), wanted[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audio_times_none),
        cmocka_unit_test(test_audio_times_are_known_to_an_eighth),
        cmocka_unit_test(test_audio_times_beyond_all_buckets),
        cmocka_unit_test(test_audio_times_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
