/* The ring: order, views, wrap-around, full, and two threads at once. */
#include "ingest/ring.h"

#include "tests/unit/cmocka_small.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 1 << 20, LAPS_DRAFTS = 20000, THREAD_DRAFTS = 300000, PAYLOAD_MAX = 3000 };

static int make_ring(void **state)
{
    return sl_ring_create(RING_BYTES, (sl_ring **)state) == SL_OK ? 0 : -1;
}

static int destroy_ring(void **state)
{
    sl_ring_destroy(*state);
    return 0;
}

/* A draft whose length and bytes follow from its number. */
static sl_event draft_of(uint64_t number, uint8_t payload[PAYLOAD_MAX])
{
    size_t length = (size_t)(number * 2654435761u % PAYLOAD_MAX);
    for (size_t i = 0; i < length; i++) payload[i] = (uint8_t)(number + i);
    return (sl_event){.kind = SL_KIND_OSC, .source_seq = number, .payload = payload, .length = (uint32_t)length};
}

static bool is_draft(const sl_event *draft, uint64_t number)
{
    static uint8_t payload[PAYLOAD_MAX];
    sl_event expected = draft_of(number, payload);
    return draft->source_seq == number && draft->length == expected.length &&
           memcmp(draft->payload, payload, draft->length) == 0;
}

static void test_ring_keeps_every_field(void **state)
{
    sl_event draft = {.seq = 1,
                      .kind = SL_KIND_OSC,
                      .version = 2,
                      .source = 3,
                      .session = 4,
                      .source_seq = 5,
                      .time_ns = 6,
                      .payload = (const uint8_t *)"seven",
                      .length = 5};
    assert_int_equal(sl_ring_put(*state, &draft), SL_OK);
    sl_event taken[2];
    assert_int_equal(sl_ring_take(*state, taken, 2), 1);
    assert_int_equal(taken[0].kind, SL_KIND_OSC);
    assert_int_equal(taken[0].version, 2);
    assert_int_equal(taken[0].source, 3);
    assert_int_equal(taken[0].session, 4);
    assert_int_equal(taken[0].source_seq, 5);
    assert_int_equal(taken[0].time_ns, 6);
    assert_int_equal(taken[0].length, 5);
    assert_memory_equal(taken[0].payload, "seven", 5);
    assert_ptr_not_equal(taken[0].payload, draft.payload);
}

static void test_ring_empty_gives_nothing(void **state)
{
    sl_event draft;
    assert_int_equal(sl_ring_take(*state, &draft, 1), 0);
    assert_int_equal(sl_ring_count(*state), 0);
}

static void test_ring_takes_a_draft_without_payload(void **state)
{
    sl_event draft = {.kind = SL_KIND_ORDER_SETTLED};
    assert_int_equal(sl_ring_put(*state, &draft), SL_OK);
    assert_int_equal(sl_ring_take(*state, &draft, 1), 1);
    assert_int_equal(draft.length, 0);
}

static void test_ring_goes_round_many_times(void **state)
{
    uint8_t payload[PAYLOAD_MAX];
    uint64_t put = 0;
    uint64_t seen = 0;
    bool is_intact = true;
    while (seen < LAPS_DRAFTS) {
        while (put < LAPS_DRAFTS) {
            sl_event draft = draft_of(put, payload);
            if (sl_ring_put(*state, &draft) != SL_OK) break;
            put++;
        }
        sl_event drafts[7];
        size_t count = sl_ring_take(*state, drafts, 7);
        for (size_t i = 0; i < count; i++) is_intact = is_intact && is_draft(&drafts[i], seen++);
        sl_ring_release(*state);
    }
    assert_true(is_intact);
}

static void test_ring_full_refuses_until_released(void **state)
{
    static uint8_t payload[65507];
    sl_event draft = {.kind = SL_KIND_OSC, .payload = payload, .length = sizeof payload};
    size_t count = 0;
    while (sl_ring_put(*state, &draft) == SL_OK) count++;
    assert_int_equal(count, RING_BYTES / (sizeof payload + sizeof draft + 8));
    sl_event taken;
    assert_int_equal(sl_ring_take(*state, &taken, 1), 1);
    assert_int_equal(sl_ring_put(*state, &draft), SL_ERR_FULL); /* taken, but still a view */
    sl_ring_release(*state);
    assert_int_equal(sl_ring_put(*state, &draft), SL_OK);
}

static void test_ring_refuses_what_never_fits(void **state)
{
    uint8_t *payload = calloc(1, RING_BYTES);
    sl_event draft = {.kind = SL_KIND_OSC, .payload = payload, .length = RING_BYTES};
    assert_int_equal(sl_ring_put(*state, &draft), SL_ERR_FULL);
    free(payload);
}

static void test_ring_counts_what_is_not_released(void **state)
{
    sl_event draft = {.kind = SL_KIND_OSC};
    for (int i = 0; i < 3; i++) assert_int_equal(sl_ring_put(*state, &draft), SL_OK);
    assert_int_equal(sl_ring_count(*state), 3);
    sl_event taken[2];
    assert_int_equal(sl_ring_take(*state, taken, 2), 2);
    assert_int_equal(sl_ring_count(*state), 3);
    sl_ring_release(*state);
    assert_int_equal(sl_ring_count(*state), 1);
}

static void *put_all(void *ctx)
{
    uint8_t payload[PAYLOAD_MAX];
    for (uint64_t number = 0; number < THREAD_DRAFTS;) {
        sl_event draft = draft_of(number, payload);
        if (sl_ring_put(ctx, &draft) == SL_OK) {
            number++;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static void test_ring_two_threads_lose_nothing(void **state)
{
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, put_all, *state), 0);
    uint64_t seen = 0;
    bool is_intact = true;
    while (seen < THREAD_DRAFTS) {
        sl_event drafts[64];
        size_t count = sl_ring_take(*state, drafts, 64);
        for (size_t i = 0; i < count; i++) is_intact = is_intact && is_draft(&drafts[i], seen++);
        sl_ring_release(*state);
        if (count == 0) sched_yield();
    }
    pthread_join(writer, NULL);
    assert_true(is_intact);
    assert_int_equal(sl_ring_count(*state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ring_keeps_every_field, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_empty_gives_nothing, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_takes_a_draft_without_payload, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_goes_round_many_times, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_full_refuses_until_released, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_refuses_what_never_fits, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_counts_what_is_not_released, make_ring, destroy_ring),
        cmocka_unit_test_setup_teardown(test_ring_two_threads_lose_nothing, make_ring, destroy_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
