/* Moments of a log: how they are read, and which event they stand for. */
#include "core/payload.h"
#include "tests/unit/store_fixture.h"
#include "tools/symlog/moment.h"

#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define FRIDAY_S INT64_C(1700000000) /* 2023-11-14T22:13:20Z */

/* What a text is read as: SEQ the number, WALL and SINCE nanoseconds. */
typedef struct reading {
    const char *text;
    sl_moment_type type;
    int64_t value;
} reading;

static void expect_readings(const reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_moment moment;
        assert_int_equal(sl_moment_parse(readings[i].text, &moment), SL_OK);
        if (moment.type != readings[i].type) fail_msg("\"%s\" is read as type %d", readings[i].text, (int)moment.type);
        int64_t value = moment.type == SL_MOMENT_SEQ ? (int64_t)moment.seq : moment.ns;
        if (value != readings[i].value) fail_msg("\"%s\" is read as %lld", readings[i].text, (long long)value);
    }
}

static void test_moment_reads_numbers(void **state)
{
    (void)state;
    const reading readings[] = {{"0", SL_MOMENT_SEQ, 0}, {"57", SL_MOMENT_SEQ, 57}, {"007", SL_MOMENT_SEQ, 7}};
    expect_readings(readings, sizeof readings / sizeof readings[0]);
}

static void test_moment_reads_seconds_since_the_start(void **state)
{
    (void)state;
    const reading readings[] = {
        {"+0", SL_MOMENT_SINCE, 0},
        {"+90", SL_MOMENT_SINCE, 90000000000},
        {"+1.5", SL_MOMENT_SINCE, 1500000000},
        {"+0.0000000019", SL_MOMENT_SINCE, 1},
    };
    expect_readings(readings, sizeof readings / sizeof readings[0]);
}

static void test_moment_reads_zoned_times(void **state)
{
    (void)state;
    const int64_t ns = FRIDAY_S * (int64_t)NS_PER_S;
    const reading readings[] = {
        {"2023-11-14T22:13:20Z", SL_MOMENT_WALL, ns},
        {"2023-11-14t22:13:20z", SL_MOMENT_WALL, ns},
        {"2023-11-14 22:13:20Z", SL_MOMENT_WALL, ns},
        {"2023-11-14T22:13:20.25Z", SL_MOMENT_WALL, ns + 250000000},
        {"2023-11-14T23:13:20+01:00", SL_MOMENT_WALL, ns},
        {"2023-11-14T23:13:20+01", SL_MOMENT_WALL, ns},
        {"2023-11-14T16:43:20-0530", SL_MOMENT_WALL, ns},
        {"2023-11-14T22:13Z", SL_MOMENT_WALL, ns - 20 * (int64_t)NS_PER_S},
        {"2024-02-29T00:00Z", SL_MOMENT_WALL, INT64_C(1709164800) * (int64_t)NS_PER_S},
    };
    expect_readings(readings, sizeof readings / sizeof readings[0]);
}

static void test_moment_reads_local_times(void **state)
{
    (void)state;
    setenv("TZ", "XYZ-2", 1); // Two hours east of Greenwich.
    tzset();
    const reading readings[] = {
        {"2023-11-15T00:13:20", SL_MOMENT_WALL, FRIDAY_S * (int64_t)NS_PER_S},
        {"2023-11-15", SL_MOMENT_WALL, (FRIDAY_S - 800) * (int64_t)NS_PER_S},
    };
    expect_readings(readings, sizeof readings / sizeof readings[0]);
    unsetenv("TZ");
    tzset();
}

static void test_moment_takes_anything_else_for_a_mark(void **state)
{
    (void)state;
    const char *const texts[] = {
        "chorus",     "+",          "+1x",           "+.5",         "-3",       "12a",
        "2023-02-29", "2023-13-01", "2023-11-14T24", "2023-11-14x", "2023-1-1", "2023-11-14T22:13:20+1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sl_moment moment;
        assert_int_equal(sl_moment_parse(texts[i], &moment), SL_OK);
        if (moment.type != SL_MOMENT_MARK) fail_msg("\"%s\" is read as type %d", texts[i], (int)moment.type);
        assert_string_equal(moment.mark, texts[i]);
    }
}

static void test_moment_takes_what_follows_mark_for_a_mark(void **state)
{
    (void)state;
    sl_moment moment;
    assert_int_equal(sl_moment_parse("mark:57", &moment), SL_OK);
    assert_int_equal(moment.type, SL_MOMENT_MARK);
    assert_string_equal(moment.mark, "57");
}

static void test_moment_refuses_nothing(void **state)
{
    (void)state;
    sl_moment moment;
    assert_int_equal(sl_moment_parse("", &moment), SL_ERR_MALFORMED);
    assert_int_equal(sl_moment_parse("mark:", &moment), SL_ERR_MALFORMED);
}

static void test_moment_refuses_too_much(void **state)
{
    (void)state;
    sl_moment moment;
    assert_int_equal(sl_moment_parse("18446744073709551616", &moment), SL_ERR_RANGE);
    assert_int_equal(sl_moment_parse("+99999999999999999999", &moment), SL_ERR_RANGE);
}

/* Appends a start event of a run whose clock showed `wall_s` at its time 0. */
static void append_start(sl_log *log, int64_t wall_s)
{
    uint8_t bytes[128];
    sl_writer payload = {.bytes = bytes, .capacity = sizeof bytes};
    sl_start start = {.wall_ns = wall_s * (int64_t)NS_PER_S, .program = "", .options = ""};
    assert_int_equal(sl_start_encode(&start, &payload), SL_OK);
    sl_event draft = {.kind = SL_KIND_START, .version = SL_PAYLOAD_VERSION, .source_seq = SL_SOURCE_SEQ_NONE};
    draft.payload = bytes;
    draft.length = (uint32_t)payload.length;
    assert_int_equal(sl_log_append(log, &draft, 1, NULL), SL_OK);
}

static void append_mark(sl_log *log, const char *text, uint64_t time_s)
{
    sl_event draft = {.kind = SL_KIND_MARK, .version = SL_PAYLOAD_VERSION, .source_seq = SL_SOURCE_SEQ_NONE};
    draft.time_ns = time_s * NS_PER_S;
    draft.payload = (const uint8_t *)text;
    draft.length = (uint32_t)strlen(text);
    assert_int_equal(sl_log_append(log, &draft, 1, NULL), SL_OK);
}

/* Two runs; the clock was set back by 50 s between them.
 *   1 start at 0 s · 2 "a" 10 s · 3 "b" 60 s · 4 "a" 100 s · 5 start at 50 s · 6 "b" 60 s · 7 "c" 200 s */
static sl_log *open_two_runs(const char *dir)
{
    sl_log *log = open_writer(dir);
    append_start(log, FRIDAY_S);
    append_mark(log, "a", 10);
    append_mark(log, "b", 60);
    append_mark(log, "a", 100);
    append_start(log, FRIDAY_S + 50);
    append_mark(log, "b", 10);
    append_mark(log, "c", 150);
    return log;
}

static void expect_range(sl_log *log, const char *from, const char *to, uint64_t first, uint64_t last)
{
    char errmsg[256];
    sl_range range;
    assert_int_equal(sl_moment_range(log, from, to, &range, errmsg), SL_OK);
    assert_int_equal(range.from, first);
    assert_int_equal(range.through, last);
}

static void test_moment_without_ends_is_everything(void **state)
{
    sl_log *log = open_two_runs(*state);
    expect_range(log, NULL, NULL, 1, UINT64_MAX);
    sl_log_close(log);
}

static void test_moment_finds_numbers_as_they_are(void **state)
{
    sl_log *log = open_two_runs(*state);
    expect_range(log, "3", "99", 3, 99);
    expect_range(log, "0", "0", 1, 0);
    sl_log_close(log);
}

static void test_moment_finds_the_last_mark_so_named(void **state)
{
    sl_log *log = open_two_runs(*state);
    expect_range(log, "a", "b", 4, 6);
    expect_range(log, "c", "mark:c", 7, 7);
    sl_log_close(log);
}

static void test_moment_tells_of_a_missing_mark(void **state)
{
    sl_log *log = open_two_runs(*state);
    char errmsg[256];
    sl_range range;
    assert_int_equal(sl_moment_range(log, "d", NULL, &range, errmsg), SL_ERR_NOT_FOUND);
    assert_non_null(strstr(errmsg, "\"d\""));
    sl_log_close(log);
}

static void test_moment_includes_what_is_exactly_then(void **state)
{
    sl_log *log = open_two_runs(*state);
    expect_range(log, "+10", "+10", 2, 2);
    expect_range(log, "+10.000000001", "+9.999999999", 3, 1);
    expect_range(log, "2023-11-14T22:13:30Z", "2023-11-14T22:13:30Z", 2, 2);
    sl_log_close(log);
}

static void test_moment_means_the_later_of_overlapping_runs(void **state)
{
    sl_log *log = open_two_runs(*state);
    expect_range(log, "+60", "+60", 6, 6);
    expect_range(log, "+100", "+100", 7, 6);
    expect_range(log, "+40", "+49", 3, 2);
    sl_log_close(log);
}

static void test_moment_finds_the_ends_of_time(void **state)
{
    sl_log *log = open_two_runs(*state);
    expect_range(log, "1970-01-01T00:00Z", "1970-01-01T00:00Z", 1, 0);
    expect_range(log, "2200-01-01T00:00Z", "2200-01-01T00:00Z", 8, 7);
    expect_range(log, "+2000000000", "+2000000000", 8, 7);
    sl_log_close(log);
}

static void test_moment_counts_from_zero_without_a_start(void **state)
{
    sl_log *log = open_writer(*state);
    append_mark(log, "a", 1);
    append_mark(log, "b", 2);
    expect_range(log, "+1.5", "+2", 2, 2);
    sl_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moment_reads_numbers),
        cmocka_unit_test(test_moment_reads_seconds_since_the_start),
        cmocka_unit_test(test_moment_reads_zoned_times),
        cmocka_unit_test(test_moment_reads_local_times),
        cmocka_unit_test(test_moment_takes_anything_else_for_a_mark),
        cmocka_unit_test(test_moment_takes_what_follows_mark_for_a_mark),
        cmocka_unit_test(test_moment_refuses_nothing),
        cmocka_unit_test(test_moment_refuses_too_much),
        cmocka_unit_test_setup_teardown(test_moment_without_ends_is_everything, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_finds_numbers_as_they_are, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_finds_the_last_mark_so_named, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_tells_of_a_missing_mark, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_includes_what_is_exactly_then, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_means_the_later_of_overlapping_runs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_finds_the_ends_of_time, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_moment_counts_from_zero_without_a_start, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
