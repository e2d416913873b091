/* The backlog and the outboxes that read it: order, overtaking, pieces, answers in between. */
#include "tools/symlog/outbox.h"

#include "tests/unit/cmocka_small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 4096 };

typedef struct fixture {
    sl_backlog *backlog;
    sl_outbox outbox;
    uint8_t scratch[SL_BACKLOG_ROOM + SL_OUTBOX_PIECE_BYTES];
} fixture;

static void give_whole(fixture *fixture, const char *text, uint64_t seq)
{
    sl_whole *whole = sl_whole_create(strlen(text), seq);
    assert_non_null(whole);
    memcpy(whole->bytes + SL_BACKLOG_ROOM, text, strlen(text));
    sl_outbox_give_whole(&fixture->outbox, whole);
    sl_whole_leave(whole);
}

static int set_up(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(sl_backlog_create(RING_BYTES, &fixture->backlog), SL_OK);
    sl_outbox_open(&fixture->outbox, fixture->backlog);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture *fixture = *state;
    sl_outbox_close(&fixture->outbox);
    sl_backlog_destroy(fixture->backlog);
    free(fixture);
    return 0;
}

static void append(fixture *fixture, const char *text, uint64_t seq)
{
    assert_int_equal(sl_backlog_append(fixture->backlog, text, strlen(text), seq), SL_OK);
}

/* Takes the next piece, which must be `text`, and overwrites what lies before it as a frame's header would. */
static void expect(fixture *fixture, const char *text)
{
    sl_piece piece;
    assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->scratch, &piece), SL_OUTBOX_PIECE);
    assert_int_equal(piece.length, strlen(text));
    assert_memory_equal(piece.bytes, text, piece.length);
    memset(piece.bytes - SL_BACKLOG_ROOM, 0xff, SL_BACKLOG_ROOM);
    sl_outbox_sent(&fixture->outbox, &piece);
}

static void expect_turn(fixture *fixture, sl_outbox_turn turn)
{
    sl_piece piece;
    assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->scratch, &piece), turn);
}

static void test_outbox_begins_with_the_whole_then_follows(void **state)
{
    fixture *fixture = *state;
    append(fixture, "before", 1);
    expect_turn(fixture, SL_OUTBOX_WHOLE);
    give_whole(fixture, "whole", 1);
    append(fixture, "a", 0);
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
    sl_whole *whole = sl_whole_create(length, 1);
    assert_non_null(whole);
    for (size_t i = 0; i < length; i++) whole->bytes[SL_BACKLOG_ROOM + i] = (uint8_t)(i * 7);
    sl_outbox_give_whole(&fixture->outbox, whole);
    for (size_t at = 0; at < length;) {
        sl_piece piece;
        assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->scratch, &piece), SL_OUTBOX_PIECE);
        assert_int_equal(piece.is_first, at == 0);
        assert_int_equal(piece.is_last, at + piece.length == length);
        memset(piece.bytes - SL_BACKLOG_ROOM, 0xff, SL_BACKLOG_ROOM);
        for (size_t i = 0; i < piece.length; i++) assert_int_equal(piece.bytes[i], (uint8_t)((at + i) * 7));
        at += piece.length;
        sl_outbox_sent(&fixture->outbox, &piece);
    }
    expect_turn(fixture, SL_OUTBOX_NOTHING);
    sl_whole_leave(whole);
}

static void test_backlog_refuses_what_is_too_long(void **state)
{
    fixture *fixture = *state;
    static const char text[RING_BYTES / 4 + 1];
    append(fixture, "a", 1);
    const uint64_t end = sl_backlog_end(fixture->backlog);
    assert_int_equal(sl_backlog_append(fixture->backlog, text, sizeof text, 2), SL_ERR_FULL);
    assert_int_equal(sl_backlog_end(fixture->backlog), end);
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
        assert_int_equal(sl_backlog_append(fixture->backlog, text, length, i + 2), SL_OK);
        sl_piece piece;
        assert_int_equal(sl_outbox_next(&fixture->outbox, fixture->scratch, &piece), SL_OUTBOX_PIECE);
        assert_int_equal(piece.length, length);
        assert_memory_equal(piece.bytes, text, length);
        sl_outbox_sent(&fixture->outbox, &piece);
        assert_int_equal(fixture->outbox.seq, i + 2);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_outbox_begins_with_the_whole_then_follows),
        TEST(test_outbox_answers_after_what_was_there),
        TEST(test_outbox_is_crowded_by_many_answers),
        TEST(test_outbox_overtaken_is_told),
        TEST(test_outbox_restart_needs_nothing_of_what_is_gone),
        TEST(test_outbox_cuts_long_messages_without_touching_them),
        TEST(test_backlog_refuses_what_is_too_long),
        TEST(test_backlog_goes_around_with_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
