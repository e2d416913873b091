/* Tests of tools/symlog/player_queue: order and bounds; and of tools/symlog/announcer: what is said, and what is left
 * out. */
#include "tests/unit/cmocka_small.h"

#include "tools/symlog/announcer.h"
#include "tools/symlog/player_queue.h"

#include <stdlib.h>
#include <string.h>

static sl_err put(sl_player_queue *queue, uint64_t seq, size_t length)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_EVENT, seq, length);
    assert_non_null(item);
    return sl_player_queue_put(queue, item);
}

static size_t count(sl_player_queue *queue, uint64_t first)
{
    size_t taken = 0;
    for (sl_player_item *item = sl_player_queue_take(queue); item != NULL; taken++) {
        sl_player_item *next = item->next;
        assert_int_equal(item->seq, first + taken);
        free(item);
        item = next;
    }
    return taken;
}

static void test_player_queue_keeps_the_order(void **state)
{
    (void)state;
    sl_player_queue queue;
    sl_player_queue_open(&queue);
    for (uint64_t seq = 7; seq < 10; seq++) assert_int_equal(put(&queue, seq, 16), SL_OK);
    assert_int_equal(count(&queue, 7), 3);
    assert_null(sl_player_queue_take(&queue));
    assert_int_equal(put(&queue, 10, 0), SL_OK);
    sl_player_queue_close(&queue);
}

static void test_player_queue_is_bounded(void **state)
{
    (void)state;
    sl_player_queue queue;
    sl_player_queue_open(&queue);
    for (uint64_t seq = 0; seq < SL_PLAYER_QUEUE_ITEMS_MAX; seq++) assert_int_equal(put(&queue, seq, 1), SL_OK);
    assert_int_equal(put(&queue, SL_PLAYER_QUEUE_ITEMS_MAX, 1), SL_ERR_FULL);
    assert_int_equal(count(&queue, 0), SL_PLAYER_QUEUE_ITEMS_MAX);
    sl_player_queue_close(&queue);
}

static void test_player_queue_is_half_full_by_number_or_bytes(void **state)
{
    (void)state;
    sl_player_queue queue;
    sl_player_queue_open(&queue);
    for (uint64_t seq = 1; seq < SL_PLAYER_QUEUE_ITEMS_MAX / 2; seq++) assert_int_equal(put(&queue, seq, 1), SL_OK);
    assert_false(sl_player_queue_is_half_full(&queue));
    assert_int_equal(put(&queue, SL_PLAYER_QUEUE_ITEMS_MAX / 2, 1), SL_OK);
    assert_true(sl_player_queue_is_half_full(&queue));
    assert_int_equal(count(&queue, 1), SL_PLAYER_QUEUE_ITEMS_MAX / 2);
    assert_false(sl_player_queue_is_half_full(&queue));
    assert_int_equal(put(&queue, 1, (size_t)SL_PLAYER_QUEUE_BYTES_MAX / 2), SL_OK);
    assert_true(sl_player_queue_is_half_full(&queue));
    sl_player_queue_close(&queue);
}

static void test_player_queue_takes_one_that_is_long_if_it_is_alone(void **state)
{
    (void)state;
    sl_player_queue queue;
    sl_player_queue_open(&queue);
    assert_int_equal(put(&queue, 1, (size_t)SL_PLAYER_QUEUE_BYTES_MAX + 1), SL_OK);
    assert_int_equal(put(&queue, 2, 1), SL_ERR_FULL);
    assert_int_equal(count(&queue, 1), 1);
    sl_player_queue_close(&queue);
}

static unsigned woken;

static void on_wake(void *ctx)
{
    (void)ctx;
    woken++;
}

static sl_announcer *open_announcer(void)
{
    sl_announcer *announcer = NULL;
    woken = 0;
    assert_int_equal(sl_announcer_create(&announcer, on_wake, NULL), SL_OK);
    return announcer;
}

static void expect(sl_announcer *announcer, const char *text)
{
    sl_announcement *one = sl_announcer_take(announcer);
    assert_non_null(one);
    assert_null(one->next);
    assert_int_equal(one->length, strlen(text));
    assert_memory_equal(one->bytes, text, one->length);
    free(one);
}

static void test_announcer_says_beats_and_notes(void **state)
{
    (void)state;
    sl_announcer *announcer = open_announcer();
    const sl_planned beat = {.frame = 480, .type = SL_PLANNED_BEAT, .bar = 2, .beat = 9};
    const sl_planned panic = {.type = SL_PLANNED_PANIC};
    const sl_planned silence = {.type = SL_PLANNED_SILENCE};
    sl_planned note = {.type = SL_PLANNED_NOTE, .is_start = true, .pitch = 60, .velocity = 100, .channel = 3};
    note.id = (sl_note_id){.voice = 4, .ordinal = 5};
    note.track = "a\"b";
    note.track_length = 3;
    sl_announcer_say_moment(announcer, &beat, 1000);
    expect(announcer, "{\"jsonrpc\":\"2.0\",\"method\":\"beat\",\"params\":{\"beat\":9.0,\"bar\":2,\"frame\":480,"
                      "\"time_us\":1000}}");
    sl_announcer_say_moment(announcer, &panic, 7);
    expect(announcer, "{\"jsonrpc\":\"2.0\",\"method\":\"panic\",\"params\":{\"time_us\":7}}");
    sl_announcer_say_moment(announcer, &silence, 7);
    assert_null(sl_announcer_take(announcer));
    sl_announcer_begin_notes(announcer, 10, 20);
    sl_announcer_add_note(announcer, &note, 11);
    sl_announcer_end_notes(announcer);
    expect(
        announcer,
        "{\"jsonrpc\":\"2.0\",\"method\":\"notes\",\"params\":{\"from_us\":10,\"to_us\":20,\"notes\":[{\"id\":\"4.5\","
        "\"on\":true,\"track\":\"a\\\"b\",\"channel\":3,\"pitch\":60,\"velocity\":100,\"beat\":0.0,\"time_us\":11}]}}");
    assert_int_equal(woken, 3);
    sl_announcer_destroy(announcer);
}

static void test_announcer_divides_a_long_batch(void **state)
{
    (void)state;
    sl_announcer *announcer = open_announcer();
    const sl_planned note = {.type = SL_PLANNED_NOTE, .track = "", .channel = 1};
    sl_announcer_begin_notes(announcer, 10, 20);
    for (int i = 0; i < 1000; i++) sl_announcer_add_note(announcer, &note, 11);
    sl_announcer_end_notes(announcer);
    size_t parts = 0;
    for (sl_announcement *each = sl_announcer_take(announcer); each != NULL; parts++) {
        sl_announcement *next = each->next;
        const bool goes_on = memmem(each->bytes, each->length, "goes_on", strlen("goes_on")) != NULL;
        assert_int_equal(goes_on, parts > 0);
        assert_true(each->length < SL_ANNOUNCER_NOTES_BYTES + 1024);
        free(each);
        each = next;
    }
    assert_true(parts > 3);
    sl_announcer_destroy(announcer);
}

static void test_announcer_leaves_out_what_finds_no_room(void **state)
{
    (void)state;
    sl_announcer *announcer = open_announcer();
    const sl_planned panic = {.type = SL_PLANNED_PANIC};
    for (int i = 0; i < SL_ANNOUNCER_COUNT_MAX + 3; i++) sl_announcer_say_moment(announcer, &panic, i);
    assert_int_equal(sl_announcer_dropped(announcer), 3);
    assert_int_equal(woken, SL_ANNOUNCER_COUNT_MAX);
    sl_announcer_destroy(announcer); /* with all that waits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_player_queue_keeps_the_order),
        cmocka_unit_test(test_player_queue_is_bounded),
        cmocka_unit_test(test_player_queue_is_half_full_by_number_or_bytes),
        cmocka_unit_test(test_player_queue_takes_one_that_is_long_if_it_is_alone),
        cmocka_unit_test(test_announcer_says_beats_and_notes),
        cmocka_unit_test(test_announcer_divides_a_long_batch),
        cmocka_unit_test(test_announcer_leaves_out_what_finds_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
