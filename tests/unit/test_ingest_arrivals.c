/* The numbers of one run as they arrive: seen, missing, asked for, given up. */
#include "ingest/arrivals.h"

#include "tests/unit/cmocka_small.h"

#include <stdlib.h>

enum { BYTES = 7, OTHER_BYTES = 8, ASKED_MAX = 64 };

#define MS UINT64_C(1000000)
#define BEGIN (1000 * MS)

static int make_arrivals(void **state)
{
    *state = calloc(1, sizeof(sl_arrivals));
    sl_arrivals_reset(*state);
    sl_arrivals_begin(*state, 0);
    return 0;
}

static int free_arrivals(void **state)
{
    free(*state);
    return 0;
}

static void take(sl_arrivals *arrivals, uint64_t first, uint64_t last, uint64_t now_ns)
{
    for (uint64_t number = first; number <= last; number++) sl_arrivals_take(arrivals, number, 1, BYTES, now_ns);
}

static void assert_hole(const sl_arrivals *arrivals, uint32_t at, uint64_t first, uint64_t count)
{
    assert_true(at < arrivals->open_count);
    assert_int_equal(arrivals->open[at].first, first);
    assert_int_equal(arrivals->open[at].count, count);
}

static void test_arrivals_in_order_leave_no_hole(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 0, 9, BEGIN);
    assert_int_equal(arrivals->open_count, 0);
    assert_int_equal(arrivals->next, 10);
    assert_true(sl_arrivals_due_ns(arrivals, SL_ARRIVALS_PATIENCE_NS, true) == UINT64_MAX);
}

static void test_arrivals_numbers_before_the_first_are_a_hole(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 3, 3, BEGIN);
    assert_int_equal(arrivals->open_count, 1);
    assert_hole(arrivals, 0, 0, 3);
}

static void test_arrivals_fill_a_hole_from_both_ends_and_the_middle(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 7, 7, BEGIN);
    take(arrivals, 0, 0, BEGIN);
    assert_hole(arrivals, 0, 1, 6);
    take(arrivals, 6, 6, BEGIN);
    assert_hole(arrivals, 0, 1, 5);
    take(arrivals, 3, 3, BEGIN);
    assert_hole(arrivals, 0, 1, 2);
    assert_hole(arrivals, 1, 4, 2);
    take(arrivals, 4, 5, BEGIN);
    take(arrivals, 1, 2, BEGIN);
    assert_int_equal(arrivals->open_count, 0);
    assert_int_equal(arrivals->next, 8);
}

static void test_arrivals_bundle_fills_and_goes_on(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 4, 4, BEGIN);
    sl_arrivals_take(arrivals, 2, 5, BYTES, BEGIN); /* 4 twice, which no sender does */
    assert_int_equal(arrivals->open_count, 1);
    assert_hole(arrivals, 0, 0, 2);
    assert_int_equal(arrivals->next, 7);
}

static void test_arrivals_any_order_ends_without_a_hole(void **state)
{
    sl_arrivals *arrivals = *state;
    for (uint64_t i = 0; i < 997; i++) sl_arrivals_take(arrivals, i * 463 % 997, 1, BYTES, BEGIN);
    assert_int_equal(arrivals->open_count, 0);
    assert_int_equal(arrivals->next, 997);
}

static void test_arrivals_know_what_they_saw(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 0, 4, BEGIN);
    assert_int_equal(sl_arrivals_compare(arrivals, 2, 1, BYTES), SL_ARRIVAL_SAME);
    assert_int_equal(sl_arrivals_compare(arrivals, 2, 3, BYTES), SL_ARRIVAL_SAME);
    assert_int_equal(sl_arrivals_compare(arrivals, 2, 1, OTHER_BYTES), SL_ARRIVAL_OTHER);
    assert_int_equal(sl_arrivals_compare(arrivals, 4, 2, BYTES), SL_ARRIVAL_NEW);
    assert_int_equal(sl_arrivals_compare(arrivals, 5, 1, BYTES), SL_ARRIVAL_NEW);
}

static void test_arrivals_late_ones_do_not_push_newer_out_of_the_window(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 5, 5, BEGIN);
    take(arrivals, SL_ARRIVALS_WINDOW + 6, SL_ARRIVALS_WINDOW + 6, BEGIN);
    take(arrivals, 6, 6, BEGIN);
    assert_int_equal(sl_arrivals_compare(arrivals, SL_ARRIVALS_WINDOW + 6, 1, BYTES), SL_ARRIVAL_SAME);
}

static void test_arrivals_wrap_with_a_hole_over_the_end(void **state)
{
    sl_arrivals *arrivals = *state;
    sl_arrivals_reset(arrivals);
    sl_arrivals_begin(arrivals, UINT32_MAX - 1);
    sl_arrivals_take(arrivals, UINT32_MAX - 1, 1, BYTES, BEGIN);
    sl_arrivals_take(arrivals, 2, 1, BYTES, BEGIN);
    assert_hole(arrivals, 0, UINT32_MAX, 3);
    assert_true(sl_arrivals_is_open(arrivals, 0));
    sl_arrivals_take(arrivals, 0, 1, BYTES, BEGIN);
    assert_hole(arrivals, 0, UINT32_MAX, 1);
    assert_hole(arrivals, 1, 1, 1);
    assert_int_equal(arrivals->next, 3);
}

static void test_arrivals_int64_numbers_go_on_beyond_2_32(void **state)
{
    sl_arrivals *arrivals = *state;
    sl_arrivals_reset(arrivals);
    sl_arrivals_begin(arrivals, UINT32_MAX);
    sl_arrivals_take(arrivals, UINT32_MAX, 1, BYTES, BEGIN);
    sl_arrivals_take(arrivals, (uint64_t)UINT32_MAX + 3, 1, BYTES, BEGIN);
    assert_int_equal(arrivals->open_count, 1);
    assert_true(arrivals->open[0].count == 2);
}

static void test_arrivals_heartbeat_shows_the_tail(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 0, 3, BEGIN);
    sl_arrivals_hear(arrivals, 4, BEGIN);
    assert_int_equal(arrivals->open_count, 0);
    sl_arrivals_hear(arrivals, 6, BEGIN);
    assert_hole(arrivals, 0, 4, 2);
    sl_arrivals_hear(arrivals, 5, BEGIN);
    assert_int_equal(arrivals->next, 6);
}

static void test_arrivals_are_overdue_after_the_patience(void **state)
{
    sl_arrivals *arrivals = *state;
    uint64_t through = 99;
    take(arrivals, 2, 2, BEGIN);
    take(arrivals, 5, 5, BEGIN + MS);
    assert_false(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN + 100 * MS - 1, &through));
    assert_true(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN + 100 * MS, &through));
    assert_int_equal(through, 1);
    assert_true(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN + 101 * MS, &through));
    assert_int_equal(through, 4);
}

static void test_arrivals_rest_of_a_hole_is_as_old_as_it_was(void **state)
{
    sl_arrivals *arrivals = *state;
    uint64_t through;
    take(arrivals, 3, 3, BEGIN);
    take(arrivals, 1, 1, BEGIN + 99 * MS);
    assert_true(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN + 100 * MS, &through));
    assert_int_equal(through, 2);
}

static void test_arrivals_closed_holes_are_gone(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 2, 2, BEGIN);
    take(arrivals, 7, 7, BEGIN);
    sl_arrivals_close(arrivals, 4);
    assert_int_equal(arrivals->open_count, 1);
    assert_hole(arrivals, 0, 5, 2);
    assert_false(sl_arrivals_is_open(arrivals, 1));
    sl_arrivals_close(arrivals, 6);
    assert_int_equal(arrivals->open_count, 0);
}

static void test_arrivals_below_the_window_are_overdue_at_once(void **state)
{
    sl_arrivals *arrivals = *state;
    uint64_t through;
    take(arrivals, 0, 0, BEGIN);
    take(arrivals, 2, SL_ARRIVALS_WINDOW, BEGIN);
    assert_false(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN, &through));
    take(arrivals, SL_ARRIVALS_WINDOW + 1, SL_ARRIVALS_WINDOW + 1, BEGIN);
    assert_true(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN, &through));
    assert_int_equal(through, 1);
    assert_int_equal(sl_arrivals_due_ns(arrivals, 100 * MS, true), 0);
}

static void test_arrivals_hole_longer_than_the_window_is_cut(void **state)
{
    sl_arrivals *arrivals = *state;
    uint64_t through;
    take(arrivals, 1000000, 1000000, BEGIN);
    assert_true(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN, &through));
    assert_int_equal(through, 1000000 - SL_ARRIVALS_WINDOW);
    sl_arrivals_close(arrivals, through);
    assert_hole(arrivals, 0, through + 1, SL_ARRIVALS_WINDOW - 1);
    assert_false(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN, &through));
}

static void test_arrivals_every_other_number_missing_is_bounded(void **state)
{
    sl_arrivals *arrivals = *state;
    for (uint64_t number = 1; number < UINT64_C(3) * SL_ARRIVALS_WINDOW; number += 2)
        sl_arrivals_take(arrivals, number, 1, BYTES, BEGIN);
    assert_int_equal(arrivals->open_count, SL_ARRIVALS_MAX);
    for (uint32_t i = 1; i < arrivals->open_count; i++) assert_int_equal(arrivals->open[i].count, 1);
    sl_arrivals_take(arrivals, 0, 1, BYTES, BEGIN); /* no room to split the first one: it is asked for in vain */
    sl_arrivals_take(arrivals, 500, 1, BYTES, BEGIN);
    uint64_t through;
    assert_true(sl_arrivals_overdue(arrivals, 100 * MS, BEGIN, &through));
    sl_arrivals_close(arrivals, through);
    assert_int_equal(arrivals->open_count, SL_ARRIVALS_MAX);
    assert_hole(arrivals, 0, UINT64_C(2) * SL_ARRIVALS_WINDOW, 1);
}

static void test_arrivals_are_asked_for_at_once_and_every_20_ms(void **state)
{
    sl_arrivals *arrivals = *state;
    sl_hole asked[ASKED_MAX];
    take(arrivals, 2, 2, BEGIN);
    assert_int_equal(sl_arrivals_ask(arrivals, BEGIN, asked, ASKED_MAX), 1);
    assert_int_equal(asked[0].first, 0);
    assert_int_equal(asked[0].count, 2);
    assert_int_equal(sl_arrivals_ask(arrivals, BEGIN + 20 * MS - 1, asked, ASKED_MAX), 0);
    take(arrivals, 4, 4, BEGIN + 5 * MS);
    assert_int_equal(sl_arrivals_ask(arrivals, BEGIN + 5 * MS, asked, ASKED_MAX), 1); /* only the new one */
    assert_int_equal(asked[0].first, 3);
    assert_int_equal(sl_arrivals_due_ns(arrivals, SL_ARRIVALS_PATIENCE_NS, true), BEGIN + 20 * MS);
    assert_int_equal(sl_arrivals_ask(arrivals, BEGIN + 25 * MS, asked, ASKED_MAX), 2);
}

static void test_arrivals_ask_for_a_bounded_number_a_round(void **state)
{
    sl_arrivals *arrivals = *state;
    sl_hole asked[ASKED_MAX];
    take(arrivals, 1000, 1000, BEGIN);
    take(arrivals, 1002, 1002, BEGIN);
    assert_int_equal(sl_arrivals_ask(arrivals, BEGIN, asked, ASKED_MAX), 1);
    assert_int_equal(asked[0].first, 0);
    assert_int_equal(asked[0].count, SL_ARRIVALS_ASK_NUMBERS);
    assert_int_equal(sl_arrivals_due_ns(arrivals, SL_ARRIVALS_PATIENCE_NS, true), BEGIN + 20 * MS);
    take(arrivals, 0, 199, BEGIN);
    assert_int_equal(sl_arrivals_ask(arrivals, BEGIN + 20 * MS, asked, ASKED_MAX), 1);
    assert_int_equal(asked[0].first, 200); /* where what came has left off */
}

static void test_arrivals_mute_sender_is_due_when_given_up(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 2, 2, BEGIN);
    assert_int_equal(sl_arrivals_due_ns(arrivals, 100 * MS, false), BEGIN + 100 * MS);
    sl_arrivals_expire(arrivals);
    assert_int_equal(sl_arrivals_due_ns(arrivals, 100 * MS, false), 0);
}

static void test_arrivals_are_settled_when_nothing_is_missing_below(void **state)
{
    sl_arrivals *arrivals = *state;
    take(arrivals, 0, 1, BEGIN);
    assert_true(sl_arrivals_are_settled(arrivals, 1));
    assert_false(sl_arrivals_are_settled(arrivals, 2));
    take(arrivals, 3, 4, BEGIN);
    assert_true(sl_arrivals_are_settled(arrivals, 1));
    assert_false(sl_arrivals_are_settled(arrivals, 4));
    sl_arrivals_close(arrivals, 2);
    assert_true(sl_arrivals_are_settled(arrivals, 4));
}

/* However the jumps are chosen, what is waited for keeps its order: else it could never be given up. */
static void test_arrivals_jumps_end_before_2_31(void **state)
{
    sl_arrivals *arrivals = *state;
    const uint64_t far = UINT64_C(1) << 31;
    take(arrivals, 0, 0, BEGIN);
    assert_false(sl_arrivals_is_too_far(arrivals, far));
    assert_true(sl_arrivals_is_too_far(arrivals, far + 1));
    take(arrivals, 2, 2, BEGIN);
    assert_false(sl_arrivals_is_too_far(arrivals, far));
    assert_true(sl_arrivals_is_too_far(arrivals, far + 1)); /* of 1, not of 3 */
    assert_false(sl_arrivals_is_too_far(arrivals, 2));      /* what fills a hole never is */
    take(arrivals, far - 1, far - 1, BEGIN);
    uint64_t through;
    for (int i = 0; i < 3 && sl_arrivals_overdue(arrivals, MS, BEGIN + MS, &through); i++)
        sl_arrivals_close(arrivals, through);
    assert_int_equal(arrivals->open_count, 0);
}

/* The place of a number that lies below the window is that of one that was seen. */
static void test_arrivals_restored_hole_below_the_window(void **state)
{
    sl_arrivals *arrivals = *state;
    const sl_hole hole = {10, 5};
    sl_arrivals_reset(arrivals);
    sl_arrivals_restore(arrivals, SL_ARRIVALS_WINDOW + 100, &hole, 1, BEGIN);
    assert_int_equal(sl_arrivals_compare(arrivals, SL_ARRIVALS_WINDOW + 10, 5, BYTES), SL_ARRIVAL_RESTORED);
}

static void test_arrivals_restored_are_seen_but_for_the_holes(void **state)
{
    sl_arrivals *arrivals = *state;
    const sl_hole holes[] = {{95, 2}, {98, 1}};
    sl_arrivals_reset(arrivals);
    sl_arrivals_restore(arrivals, 100, holes, 2, BEGIN);
    assert_int_equal(arrivals->next, 100);
    assert_int_equal(arrivals->open_count, 2);
    assert_hole(arrivals, 0, 95, 2);
    assert_hole(arrivals, 1, 98, 1);
    assert_int_equal(sl_arrivals_compare(arrivals, 94, 1, BYTES), SL_ARRIVAL_RESTORED);
    assert_int_equal(sl_arrivals_compare(arrivals, 95, 1, BYTES), SL_ARRIVAL_NEW);
    assert_int_equal(sl_arrivals_compare(arrivals, 97, 1, BYTES), SL_ARRIVAL_RESTORED);
    assert_int_equal(sl_arrivals_compare(arrivals, 100, 1, BYTES), SL_ARRIVAL_NEW);
    sl_arrivals_take(arrivals, 96, 1, BYTES, BEGIN);
    assert_hole(arrivals, 0, 95, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arrivals, free_arrivals)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arrivals_in_order_leave_no_hole),
        TEST(test_arrivals_numbers_before_the_first_are_a_hole),
        TEST(test_arrivals_fill_a_hole_from_both_ends_and_the_middle),
        TEST(test_arrivals_bundle_fills_and_goes_on),
        TEST(test_arrivals_any_order_ends_without_a_hole),
        TEST(test_arrivals_know_what_they_saw),
        TEST(test_arrivals_late_ones_do_not_push_newer_out_of_the_window),
        TEST(test_arrivals_wrap_with_a_hole_over_the_end),
        TEST(test_arrivals_int64_numbers_go_on_beyond_2_32),
        TEST(test_arrivals_heartbeat_shows_the_tail),
        TEST(test_arrivals_are_overdue_after_the_patience),
        TEST(test_arrivals_rest_of_a_hole_is_as_old_as_it_was),
        TEST(test_arrivals_closed_holes_are_gone),
        TEST(test_arrivals_below_the_window_are_overdue_at_once),
        TEST(test_arrivals_hole_longer_than_the_window_is_cut),
        TEST(test_arrivals_every_other_number_missing_is_bounded),
        TEST(test_arrivals_are_asked_for_at_once_and_every_20_ms),
        TEST(test_arrivals_ask_for_a_bounded_number_a_round),
        TEST(test_arrivals_mute_sender_is_due_when_given_up),
        TEST(test_arrivals_are_settled_when_nothing_is_missing_below),
        TEST(test_arrivals_jumps_end_before_2_31),
        TEST(test_arrivals_restored_hole_below_the_window),
        TEST(test_arrivals_restored_are_seen_but_for_the_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
