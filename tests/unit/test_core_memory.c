/* The pool: alignment, reuse, chunks given back, and what happens when memory runs out. */
#include "core/memory.h"

#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"

#include <stdbool.h>
#include <string.h>

enum { SIZE_TRIED_MAX = 5000, MIXED_SIZE_MAX = 50000, LARGE_BYTES = 100000 };

static void test_memory_block_is_aligned(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    for (size_t size = 0; size < SIZE_TRIED_MAX; size++) {
        assert_int_equal((uintptr_t)sl_pool_take(&pool, size) % 16, 0);
    }
    sl_pool_close(&pool);
}

static void test_memory_blocks_do_not_overlap(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    static uint8_t *blocks[SIZE_TRIED_MAX];
    sl_pool_open(&pool, counted_memory_of(&memory));
    for (size_t size = 1; size < SIZE_TRIED_MAX; size++) {
        blocks[size] = sl_pool_take(&pool, size);
        memset(blocks[size], (int)(size % 251), size);
    }
    bool is_intact = true;
    for (size_t size = 1; size < SIZE_TRIED_MAX; size++) {
        for (size_t i = 0; i < size; i++) is_intact = is_intact && blocks[size][i] == size % 251;
    }
    assert_true(is_intact);
    sl_pool_close(&pool);
}

static void test_memory_freed_block_is_reused(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    void *block = sl_pool_take(&pool, 100);
    sl_pool_give(&pool, block, 100);
    assert_ptr_equal(sl_pool_take(&pool, 112), block); /* of the same class */
    sl_pool_close(&pool);
}

static void test_memory_warm_pool_asks_for_nothing(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    void *blocks[64];
    uint64_t calls_warm = 0;
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < 64; i++) blocks[i] = sl_pool_take(&pool, i * 64);
        for (size_t i = 0; i < 64; i++) sl_pool_give(&pool, blocks[i], i * 64);
        if (round == 0) calls_warm = memory.call_count;
    }
    assert_int_equal(memory.call_count, calls_warm);
    sl_pool_close(&pool);
}

static void test_memory_rest_of_chunk_is_kept(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    do {
        (void)sl_pool_take(&pool, 4096);
    } while (pool.left >= 4096);
    assert_true(pool.left >= 3584);
    (void)sl_pool_take(&pool, 4096); /* begins a chunk; the rest of the first becomes free blocks */
    const char *fresh = pool.next;
    (void)sl_pool_take(&pool, 3584);
    assert_ptr_equal(pool.next, fresh);
    sl_pool_close(&pool);
}

static void test_memory_large_block_is_given_back(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    void *first = sl_pool_take(&pool, LARGE_BYTES);
    void *second = sl_pool_take(&pool, LARGE_BYTES);
    void *third = sl_pool_take(&pool, LARGE_BYTES);
    sl_pool_give(&pool, second, LARGE_BYTES);
    sl_pool_give(&pool, third, LARGE_BYTES);
    sl_pool_give(&pool, first, LARGE_BYTES);
    assert_int_equal(memory.size_bytes, 0);
    sl_pool_close(&pool);
}

static void test_memory_close_gives_all_back(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    for (size_t size = 0; size < MIXED_SIZE_MAX; size += 37) (void)sl_pool_take(&pool, size);
    sl_pool_close(&pool);
    assert_int_equal(memory.size_bytes, 0);
}

static void test_memory_size_counts_what_was_taken(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    for (size_t size = 0; size < MIXED_SIZE_MAX; size += 37) (void)sl_pool_take(&pool, size);
    assert_int_equal(pool.size_bytes, memory.size_bytes);
    sl_pool_close(&pool);
}

static void test_memory_failed_chunk_gives_null(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 1};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    assert_null(sl_pool_take(&pool, 1));
    sl_pool_close(&pool);
}

static void test_memory_failed_large_block_gives_null(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 1};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    assert_null(sl_pool_take(&pool, LARGE_BYTES));
    sl_pool_close(&pool);
}

static void test_memory_pool_works_on_after_failure(void **state)
{
    (void)state;
    counted_memory memory = {.fail_at = 2};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    void *block = sl_pool_take(&pool, 100);
    assert_null(sl_pool_take(&pool, LARGE_BYTES));
    sl_pool_give(&pool, block, 100);
    assert_ptr_equal(sl_pool_take(&pool, 100), block);
    sl_pool_close(&pool);
}

static void test_memory_impossible_size_gives_null(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    assert_null(sl_pool_take(&pool, SIZE_MAX));
    sl_pool_close(&pool);
}

static void test_memory_null_is_passed_over(void **state)
{
    (void)state;
    counted_memory memory = {0};
    sl_pool pool;
    sl_pool_open(&pool, counted_memory_of(&memory));
    sl_pool_give(&pool, NULL, 100);
    assert_null(pool.chunks);
    sl_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_block_is_aligned),
        cmocka_unit_test(test_memory_blocks_do_not_overlap),
        cmocka_unit_test(test_memory_freed_block_is_reused),
        cmocka_unit_test(test_memory_warm_pool_asks_for_nothing),
        cmocka_unit_test(test_memory_rest_of_chunk_is_kept),
        cmocka_unit_test(test_memory_large_block_is_given_back),
        cmocka_unit_test(test_memory_close_gives_all_back),
        cmocka_unit_test(test_memory_size_counts_what_was_taken),
        cmocka_unit_test(test_memory_failed_chunk_gives_null),
        cmocka_unit_test(test_memory_failed_large_block_gives_null),
        cmocka_unit_test(test_memory_pool_works_on_after_failure),
        cmocka_unit_test(test_memory_impossible_size_gives_null),
        cmocka_unit_test(test_memory_null_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
