/* The backlog and the outboxes that read it: order, overtaking, pieces, answers in between, resuming, throttles. */
#include "tools/symlog/outbox.h"

#include "tests/unit/cmocka_small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 4096 };

enum { FLOOR = 10 /* events that the backlog never had */ };

typedef struct fixture {
    sl_backlog *backlog;
    sl_framer *framer;
    sl_outbox_shared shared;
    sl_wishes wishes;
    sl_outbox outbox;
    uint64_t now_us;
} fixture;

static void give_whole(fixture *fixture, const char *text, uint64_t seq)
{
    sl_parcel *whole = sl_parcel_create(strlen(text), seq);
    assert_non_null(whole);
    memcpy(whole->bytes + SL_BACKLOG_ROOM, text, strlen(text));
    sl_outbox_give_whole(&fixture->outbox, whole);
    sl_parcel_leave(whole);
}

static int set_up(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(sl_backlog_create(RING_BYTES, FLOOR, &fixture->backlog), SL_OK);
    assert_int_equal(sl_framer_create(&fixture->framer), SL_OK);
    fixture->shared = (sl_outbox_shared){.backlog = fixture->backlog, .framer = fixture->framer};
    sl_outbox_open(&fixture->outbox, &fixture->shared, &fixture->wishes);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture *fixture = *state;
    sl_outbox_close(&fixture->outbox);
    sl_framer_destroy(fixture->framer);
    sl_backlog_destroy(fixture->backlog);
    free(fixture);
    return 0;
}

/* A message of `event`; the last of it unless told otherwise. */
static sl_err append_some(fixture *fixture, const char *text, size_t length, uint64_t event, bool is_last)
{
    const sl_message_view view = {.bytes = text, .length = length, .event = event, .is_last = is_last};
    return sl_backlog_append(fixture->backlog, &view);
}

static void append(fixture *fixture, const char *text, uint64_t event)
{
    assert_int_equal(append_some(fixture, text, strlen(text), event, true), SL_OK);
}

/* Takes the next piece, which must be `text`, and overwrites what lies before it as a frame's header would. */
static void expect(fixture *fixture, const char *text)
{
    sl_piece piece;
    assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->now_us, &piece), SL_OUTBOX_PIECE);
    assert_int_equal(piece.length, strlen(text));
    assert_memory_equal(piece.bytes, text, piece.length);
    memset(piece.bytes - SL_BACKLOG_ROOM, 0xff, SL_BACKLOG_ROOM);
    sl_outbox_sent(&fixture->outbox, &piece);
}

static void expect_turn(fixture *fixture, sl_outbox_turn turn)
{
    sl_piece piece;
    assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->now_us, &piece), turn);
}

static void test_outbox_begins_with_the_whole_then_follows(void **state)
{
    fixture *fixture = *state;
    append(fixture, "before", 1);
    expect_turn(fixture, SL_OUTBOX_WHOLE);
    give_whole(fixture, "whole", 1);
    assert_int_equal(append_some(fixture, "a", 1, 2, false), SL_OK);
    append(fixture, "b", 2);
    expect(fixture, "whole");
    expect(fixture, "a");
    assert_int_equal(fixture->outbox.seq, 1);
    expect(fixture, "b");
    assert_int_equal(fixture->outbox.seq, 2);
    expect_turn(fixture, SL_OUTBOX_NOTHING);
}

static void test_outbox_answers_after_what_was_there(void **state)
{
    fixture *fixture = *state;
    give_whole(fixture, "whole", 1);
    append(fixture, "a", 2);
    assert_int_equal(sl_outbox_answer(&fixture->outbox, "answer", 6), SL_OK);
    append(fixture, "b", 3);
    expect(fixture, "whole");
    expect(fixture, "a");
    expect(fixture, "answer");
    expect(fixture, "b");
}

static void test_outbox_is_crowded_by_many_answers(void **state)
{
    fixture *fixture = *state;
    for (int i = 0; i <= SL_OUTBOX_ANSWERS_MAX; i++) {
        assert_false(sl_outbox_is_crowded(&fixture->outbox));
        assert_int_equal(sl_outbox_answer(&fixture->outbox, "x", 1), SL_OK);
    }
    assert_true(sl_outbox_is_crowded(&fixture->outbox));
}

static void test_outbox_leaves_out_meters_first_and_some_texts_last(void **state)
{
    fixture *fixture = *state;
    size_t count = 0;
    while (sl_outbox_notify_lightly(&fixture->outbox, "m", 1) == SL_OK) count++;
    assert_int_equal(count, SL_OUTBOX_LIGHT_MAX);
    while (sl_outbox_notify(&fixture->outbox, "n", 1) == SL_OK) count++;
    assert_int_equal(count, SL_OUTBOX_ANSWERS_MAX);
    while (sl_outbox_notify_surely(&fixture->outbox, "p", 1) == SL_OK) count++;
    assert_int_equal(count, SL_OUTBOX_FRAMES_MAX);
    assert_int_equal(sl_outbox_notify(&fixture->outbox, "n", 1), SL_ERR_FULL);
    assert_int_equal(sl_outbox_notify_lightly(&fixture->outbox, "m", 1), SL_ERR_FULL);
}

static void test_outbox_texts_that_are_left_out_last_have_a_bound_in_bytes(void **state)
{
    fixture *fixture = *state;
    static const char text[SL_OUTBOX_ANSWERS_BYTES_MAX / 2];
    assert_int_equal(sl_outbox_notify_surely(&fixture->outbox, text, sizeof text), SL_OK);
    assert_int_equal(sl_outbox_notify_surely(&fixture->outbox, text, sizeof text), SL_OK);
    assert_int_equal(sl_outbox_notify_surely(&fixture->outbox, text, 1), SL_ERR_FULL);
}

static void test_outbox_overtaken_is_told(void **state)
{
    fixture *fixture = *state;
    give_whole(fixture, "whole", 1);
    expect(fixture, "whole");
    append(fixture, "a", 2);
    expect(fixture, "a");
    for (uint64_t i = 0; i < RING_BYTES / 32; i++) append(fixture, "more", 3 + i);
    assert_true(sl_outbox_is_overtaken(&fixture->outbox));
    expect_turn(fixture, SL_OUTBOX_OVERTAKEN);
    assert_int_equal(fixture->outbox.seq, 2);
}

static void test_outbox_restart_needs_nothing_of_what_is_gone(void **state)
{
    fixture *fixture = *state;
    give_whole(fixture, "whole", 1);
    expect(fixture, "whole");
    for (uint64_t i = 0; i < RING_BYTES / 32; i++) append(fixture, "more", 2 + i);
    sl_outbox_restart(&fixture->outbox);
    expect_turn(fixture, SL_OUTBOX_WHOLE);
    give_whole(fixture, "new", 900);
    expect(fixture, "new");
    expect_turn(fixture, SL_OUTBOX_NOTHING);
    assert_int_equal(fixture->outbox.seq, 900);
}

static void test_outbox_cuts_long_messages_without_touching_them(void **state)
{
    fixture *fixture = *state;
    const size_t length = 2 * SL_OUTBOX_PIECE_BYTES + 5;
    sl_parcel *whole = sl_parcel_create(length, 1);
    assert_non_null(whole);
    for (size_t i = 0; i < length; i++) whole->bytes[SL_BACKLOG_ROOM + i] = (uint8_t)(i * 7);
    sl_outbox_give_whole(&fixture->outbox, whole);
    for (size_t at = 0; at < length;) {
        sl_piece piece;
        assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->now_us, &piece), SL_OUTBOX_PIECE);
        assert_int_equal(piece.is_first, at == 0);
        assert_int_equal(piece.is_last, at + piece.length == length);
        memset(piece.bytes - SL_BACKLOG_ROOM, 0xff, SL_BACKLOG_ROOM);
        for (size_t i = 0; i < piece.length; i++) assert_int_equal(piece.bytes[i], (uint8_t)((at + i) * 7));
        at += piece.length;
        sl_outbox_sent(&fixture->outbox, &piece);
    }
    expect_turn(fixture, SL_OUTBOX_NOTHING);
    sl_parcel_leave(whole);
}

static void test_backlog_refuses_what_is_too_long(void **state)
{
    fixture *fixture = *state;
    static const char text[RING_BYTES / 4 + 1];
    append(fixture, "a", 11);
    const uint64_t end = sl_backlog_end(fixture->backlog);
    assert_int_equal(append_some(fixture, text, sizeof text, 12, true), SL_ERR_FULL);
    assert_int_equal(sl_backlog_end(fixture->backlog), end);
    assert_int_equal(sl_backlog_floor(fixture->backlog), 12);
}

/* Messages of all lengths, around the ring's end many times; a reader that keeps up gets each. */
static void test_backlog_goes_around_with_every_length(void **state)
{
    fixture *fixture = *state;
    give_whole(fixture, "whole", 1);
    expect(fixture, "whole");
    char text[RING_BYTES / 4];
    for (uint64_t i = 0; i < 5000; i++) {
        const size_t length = i * 37 % sizeof text;
        memset(text, (int)('a' + i % 26), length);
        assert_int_equal(append_some(fixture, text, length, i + 2, true), SL_OK);
        sl_piece piece;
        assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->now_us, &piece), SL_OUTBOX_PIECE);
        assert_int_equal(piece.length, length);
        assert_memory_equal(piece.bytes, text, length);
        sl_outbox_sent(&fixture->outbox, &piece);
        assert_int_equal(fixture->outbox.seq, i + 2);
    }
}

/* Around the ring many times, each event still there is found, and it is the first one after the one before. */
static void test_backlog_finds_every_event_that_it_holds(void **state)
{
    fixture *fixture = *state;
    for (uint64_t event = 11; event < 900; event++) {
        for (uint64_t i = 0; i < 1 + event % 3; i++)
            assert_int_equal(append_some(fixture, "message", 7, event, i == event % 3), SL_OK);
        for (uint64_t after = sl_backlog_floor(fixture->backlog); after <= event; after++) {
            sl_backlog_message message;
            const uint64_t place = sl_backlog_find(fixture->backlog, after);
            const bool is_there = sl_backlog_read(fixture->backlog, place, false, &message);
            assert_int_equal(is_there, after < event);
            for (uint64_t i = 0; is_there && i < (after + 1) % 3; i++) {
                assert_int_equal(message.seq, 0);
                assert_true(sl_backlog_read(fixture->backlog, message.next, false, &message));
            }
            if (is_there) assert_int_equal(message.seq, after + 1);
        }
    }
}

static void test_backlog_gives_the_compact_form_to_who_wants_it(void **state)
{
    fixture *fixture = *state;
    const sl_message_view view = {
        .bytes = "plain", .length = 5, .compact = "c", .compact_length = 1, .event = 11, .is_last = true};
    assert_int_equal(sl_backlog_append(fixture->backlog, &view), SL_OK);
    append(fixture, "same", 12);
    sl_backlog_message message;
    assert_true(sl_backlog_read(fixture->backlog, 0, true, &message));
    assert_memory_equal(message.bytes, "c", message.length);
    assert_true(sl_backlog_read(fixture->backlog, message.next, true, &message));
    assert_memory_equal(message.bytes, "same", message.length);
    assert_true(sl_backlog_read(fixture->backlog, 0, false, &message));
    assert_memory_equal(message.bytes, "plain", message.length);
}

static void test_outbox_resumes_after_the_event_that_it_names(void **state)
{
    fixture *fixture = *state;
    append(fixture, "a", 11);
    assert_int_equal(append_some(fixture, "b", 1, 12, false), SL_OK);
    append(fixture, "c", 12);
    sl_outbox_resume(&fixture->outbox, 11);
    expect(fixture, "b");
    assert_int_equal(fixture->outbox.seq, 11);
    expect(fixture, "c");
    append(fixture, "d", 14);
    expect(fixture, "d");
    expect_turn(fixture, SL_OUTBOX_NOTHING);
}

static void test_outbox_resumes_from_the_floor(void **state)
{
    fixture *fixture = *state;
    append(fixture, "a", 11);
    sl_outbox_resume(&fixture->outbox, FLOOR);
    expect(fixture, "a");
}

static void test_outbox_that_nobody_can_help_is_told_and_gets_the_whole(void **state)
{
    fixture *fixture = *state;
    append(fixture, "a", 11);
    sl_outbox_resume(&fixture->outbox, FLOOR - 1); /* there is no catch-up here */
    expect(fixture, "{\"type\":\"ERROR\",\"payload\":{\"error\":\"resume refused\",\"details\":"
                    "\"it is too far back, while at most 1000000 events are told again\"}}");
    expect_turn(fixture, SL_OUTBOX_WHOLE);
    give_whole(fixture, "whole", 11);
    expect(fixture, "whole");
}

static void test_outbox_batch_is_one_array_of_what_waits(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.is_batch = true;
    give_whole(fixture, "whole", 10);
    append(fixture, "a", 11);
    append(fixture, "b", 12);
    expect(fixture, "whole");
    expect(fixture, "[a,b]");
    assert_int_equal(fixture->outbox.seq, 12);
    append(fixture, "c", 13);
    expect(fixture, "[c]");
}

#define VOLUME(old, new)                                                                                               \
    "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[{\"type\":\"state_changed\",\"node_id\":\"t\","     \
    "\"node_type\":\"track\",\"path\":\"tracks[0]\",\"attribute\":\"volume\",\"old_value\":" old                       \
    ",\"new_value\":" new ",\"seq_num\":1}],\"added\":[],\"removed\":[],\"modified\":[\"t\"],\"unchanged\":[]}}"

static void test_outbox_throttle_sends_at_once_and_then_waits(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.throttle_ms = 10;
    fixture->now_us = 1000000;
    give_whole(fixture, "whole", 10);
    expect(fixture, "whole");
    append(fixture, VOLUME("0", "1") ",\"seq\":11}", 11);
    expect(fixture, VOLUME("0", "1") ",\"seq\":11}");
    append(fixture, VOLUME("1", "2") ",\"seq\":12}", 12);
    append(fixture, VOLUME("2", "3") ",\"seq\":13}", 13);
    expect_turn(fixture, SL_OUTBOX_NOTHING);
    assert_int_equal(fixture->outbox.due_us, 1010000);
    fixture->now_us = 1010000;
    expect(fixture, VOLUME("1", "3") ",\"seq\":13}");
    expect_turn(fixture, SL_OUTBOX_NOTHING);
    assert_int_equal(fixture->outbox.due_us, 0);
}

/* A ring big enough to lag in. */
static void widen(fixture *fixture)
{
    sl_outbox_close(&fixture->outbox);
    sl_backlog_destroy(fixture->backlog);
    assert_int_equal(sl_backlog_create((size_t)2 * SL_OUTBOX_LAG_BYTES, FLOOR, &fixture->backlog), SL_OK);
    fixture->shared.backlog = fixture->backlog;
    sl_outbox_open(&fixture->outbox, &fixture->shared, &fixture->wishes);
}

/* Appends events until there are more than `bytes`; returns the last one's number. */
static uint64_t append_many(fixture *fixture, uint64_t event, uint64_t bytes)
{
    const uint64_t begin = sl_backlog_end(fixture->backlog);
    while (sl_backlog_end(fixture->backlog) - begin <= bytes) append(fixture, VOLUME("0", "1") ",\"seq\":11}", ++event);
    return event;
}

/* Takes all that there is; returns how many pieces. */
static size_t take_all(fixture *fixture)
{
    size_t count = 0;
    sl_piece piece;
    for (; sl_outbox_next(&fixture->outbox, fixture->now_us, &piece) == SL_OUTBOX_PIECE; count++)
        sl_outbox_sent(&fixture->outbox, &piece);
    return count;
}

static void test_outbox_that_lags_gets_the_changes_coalesced(void **state)
{
    fixture *fixture = *state;
    widen(fixture);
    give_whole(fixture, "whole", FLOOR);
    expect(fixture, "whole");
    const uint64_t last = append_many(fixture, FLOOR, SL_OUTBOX_LAG_BYTES);
    assert_true(take_all(fixture) < 16);
    assert_int_equal(fixture->outbox.seq, last);
    assert_false(fixture->outbox.framing.is_lagging);
}

/* It would be overtaken, though it reads all that it is sent. */
static void test_outbox_throttle_does_not_wait_until_it_lags(void **state)
{
    fixture *fixture = *state;
    widen(fixture);
    fixture->wishes.throttle_ms = SL_WISHES_THROTTLE_MS_MAX;
    fixture->now_us = 1000000;
    give_whole(fixture, "whole", FLOOR);
    append(fixture, VOLUME("0", "1") ",\"seq\":11}", FLOOR + 1);
    assert_int_equal(take_all(fixture), 2);
    uint64_t last = append_many(fixture, FLOOR + 1, SL_OUTBOX_LAG_BYTES / 2);
    assert_int_equal(take_all(fixture), 0);
    last = append_many(fixture, last, SL_OUTBOX_LAG_BYTES / 2);
    assert_true(take_all(fixture) > 0);
    assert_int_equal(fixture->outbox.seq, last);
}

/* What a closed hole releases can be thousands of messages of one event. */
static void test_outbox_goes_on_behind_much_that_the_filter_drops(void **state)
{
    fixture *fixture = *state;
    widen(fixture);
    assert_true(sl_paths_parse(&fixture->wishes.paths, "scenes", strlen("scenes")));
    give_whole(fixture, "whole", FLOOR);
    expect(fixture, "whole");
    static const char text[] = VOLUME("0", "1") "}";
    for (size_t bytes = 0; bytes < (size_t)3 * SL_FRAMER_INPUT_BYTES; bytes += sizeof text - 1)
        assert_int_equal(append_some(fixture, text, sizeof text - 1, FLOOR + 1, false), SL_OK);
    append(fixture, VOLUME("0", "1") ",\"seq\":11}", FLOOR + 1);
    expect(fixture, "{\"type\":\"SEQ\",\"seq\":11}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_outbox_begins_with_the_whole_then_follows),
        TEST(test_outbox_answers_after_what_was_there),
        TEST(test_outbox_is_crowded_by_many_answers),
        TEST(test_outbox_leaves_out_meters_first_and_some_texts_last),
        TEST(test_outbox_texts_that_are_left_out_last_have_a_bound_in_bytes),
        TEST(test_outbox_overtaken_is_told),
        TEST(test_outbox_restart_needs_nothing_of_what_is_gone),
        TEST(test_outbox_cuts_long_messages_without_touching_them),
        TEST(test_backlog_refuses_what_is_too_long),
        TEST(test_backlog_goes_around_with_every_length),
        TEST(test_backlog_finds_every_event_that_it_holds),
        TEST(test_backlog_gives_the_compact_form_to_who_wants_it),
        TEST(test_outbox_resumes_after_the_event_that_it_names),
        TEST(test_outbox_resumes_from_the_floor),
        TEST(test_outbox_that_nobody_can_help_is_told_and_gets_the_whole),
        TEST(test_outbox_batch_is_one_array_of_what_waits),
        TEST(test_outbox_throttle_sends_at_once_and_then_waits),
        TEST(test_outbox_that_lags_gets_the_changes_coalesced),
        TEST(test_outbox_throttle_does_not_wait_until_it_lags),
        TEST(test_outbox_goes_on_behind_much_that_the_filter_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
