/* Which items of a list have moved: the fewest. */
#include "core/moves.h"

#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"

enum { ITEMS_MAX = 8 };

/* Which of the items moved, as bits from the first on. */
static unsigned find(const uint32_t *former, uint32_t count)
{
    counted_memory memory = {0};
    bool moved[ITEMS_MAX];
    unsigned bits = 0;
    assert_int_equal(sl_moves_find(former, count, counted_memory_of(&memory), moved), SL_OK);
    assert_int_equal(memory.size_bytes, 0);
    for (uint32_t i = 0; i < count; i++) bits |= (moved[i] ? 1U : 0U) << i;
    return bits;
}

static void test_moves_of_the_same_order_are_none(void **state)
{
    (void)state;
    assert_int_equal(find(NULL, 0), 0);
    assert_int_equal(find((const uint32_t[]){7}, 1), 0);
    assert_int_equal(find((const uint32_t[]){0, 2, 5, 9}, 4), 0);
}

static void test_moves_of_one_are_one_wherever_it_went(void **state)
{
    (void)state;
    assert_int_equal(find((const uint32_t[]){4, 0, 1, 2, 3}, 5), 1);
    assert_int_equal(find((const uint32_t[]){1, 2, 3, 4, 0}, 5), 1 << 4);
    assert_int_equal(find((const uint32_t[]){0, 3, 1, 2, 4}, 5), 1 << 1);
}

static unsigned count_bits(unsigned bits)
{
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1) count++;
    return count;
}

static void test_moves_of_a_reversed_list_leave_one(void **state)
{
    (void)state;
    assert_int_equal(count_bits(find((const uint32_t[]){5, 4, 3, 2, 1, 0}, 6)), 5);
}

/* The longest rising subsequence, by trying all. */
static unsigned longest(const uint32_t *former, uint32_t count)
{
    unsigned best = 0;
    for (unsigned chosen = 0; chosen < 1U << count; chosen++) {
        int64_t last = -1;
        bool is_rising = true;
        for (uint32_t i = 0; i < count; i++) {
            if ((chosen >> i & 1U) == 0) continue;
            is_rising = is_rising && (int64_t)former[i] > last;
            last = former[i];
        }
        if (is_rising && count_bits(chosen) > best) best = count_bits(chosen);
    }
    return best;
}

static void test_moves_are_the_fewest_of_every_order_of_six(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 6 * 5 * 4 * 3 * 2; number++) {
        uint32_t left[] = {0, 1, 2, 3, 4, 5}, former[6], rest = number;
        for (uint32_t i = 0; i < 6; i++) {
            uint32_t pick = rest % (6 - i);
            rest /= 6 - i;
            former[i] = left[pick];
            for (uint32_t j = pick; j + 1 < 6 - i; j++) left[j] = left[j + 1];
        }
        assert_int_equal(6 - count_bits(find(former, 6)), longest(former, 6));
    }
}

static void test_moves_without_memory_fail(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 1};
    bool moved[2];
    assert_int_equal(sl_moves_find((const uint32_t[]){1, 0}, 2, counted_memory_of(&memory), moved), SL_ERR_MEMORY);
    assert_int_equal(sl_moves_find((const uint32_t[]){0, 1}, 2, counted_memory_of(&memory), moved), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves_of_the_same_order_are_none),
        cmocka_unit_test(test_moves_of_one_are_one_wherever_it_went),
        cmocka_unit_test(test_moves_of_a_reversed_list_leave_one),
        cmocka_unit_test(test_moves_are_the_fewest_of_every_order_of_six),
        cmocka_unit_test(test_moves_without_memory_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
