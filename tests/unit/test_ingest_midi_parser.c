/* Tests of ingest/midi_parser: frames out of a stream, whatever else it holds and however it is cut. */
#include "tests/unit/cmocka_small.h"

#include "ingest/midi_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_BYTES = 1024 };

static const uint8_t whole[] = {0xF0, 5, 0xF7};
static sl_midi_parser *parser;
static char told[TOLD_BYTES]; /* what was found, in order: frames as hex, faults by a letter */

static int set_up(void **state)
{
    (void)state;
    told[0] = '\0';
    return sl_midi_parser_create(&parser) == SL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sl_midi_parser_destroy(parser);
    return 0;
}

static void tell(const char *text)
{
    const size_t length = strlen(told);
    snprintf(told + length, sizeof told - length, "%s", text);
}

static void tell_frame(void)
{
    size_t length = 0;
    char hex[8];
    const uint8_t *frame = sl_midi_parser_frame(parser, &length);
    for (size_t i = 0; i < length; i++) {
        snprintf(hex, sizeof hex, "%02X", frame[i]);
        tell(hex);
    }
    tell(" ");
}

/* Feeds pieces of at most `piece` bytes. */
static void feed(const uint8_t *bytes, size_t length, size_t piece)
{
    for (size_t at = 0; at < length;) {
        const size_t want = length - at < piece ? length - at : piece;
        for (size_t done = 0; done < want;) {
            size_t taken = 0;
            switch (sl_midi_parser_take(parser, bytes + at + done, want - done, &taken)) {
            case SL_MIDI_NOTHING: break;
            case SL_MIDI_FRAME: tell_frame(); break;
            case SL_MIDI_ABORTED: tell("aborted "); break;
            case SL_MIDI_TOO_LONG: tell("long "); break;
            case SL_MIDI_STRAY: tell("stray "); break;
            }
            assert_true(taken > 0 && taken <= want - done);
            done += taken;
        }
        at += want;
    }
}

/* The same must be found whole, and byte by byte. */
static void check(const uint8_t *bytes, size_t length, const char *expected)
{
    feed(bytes, length, length);
    assert_string_equal(told, expected);
    (void)sl_midi_parser_reset(parser);
    told[0] = '\0';
    feed(bytes, length, 1);
    assert_string_equal(told, expected);
}

#define CHECK(expected, ...)                                                                                           \
    do {                                                                                                               \
        static const uint8_t bytes[] = {__VA_ARGS__};                                                                  \
        check(bytes, sizeof bytes, expected);                                                                          \
    } while (0)

static void test_midi_parser_frame(void **state)
{
    (void)state;
    CHECK("F07D40F7 ", 0xF0, 0x7D, 0x40, 0xF7);
}

static void test_midi_parser_empty_frame(void **state)
{
    (void)state;
    CHECK("F0F7 ", 0xF0, 0xF7);
}

static void test_midi_parser_frames_back_to_back(void **state)
{
    (void)state;
    CHECK("F001F7 F002F7 ", 0xF0, 1, 0xF7, 0xF0, 2, 0xF7);
}

static void test_midi_parser_real_time_inside(void **state)
{
    (void)state;
    CHECK("F07D41F7 ", 0xF8, 0xF0, 0xF8, 0x7D, 0xFE, 0xFF, 0x41, 0xFA, 0xF7, 0xFC);
}

static void test_midi_parser_channel_messages_between(void **state)
{
    (void)state;
    CHECK("F001F7 F002F7 ", 0x90, 60, 100, 0xF0, 1, 0xF7, 0xC0, 5, 0xF0, 2, 0xF7);
}

static void test_midi_parser_running_status(void **state)
{
    (void)state;
    CHECK("F001F7 ", 0x90, 60, 100, 60, 0, 61, 100, 61, 0, 0xF0, 1, 0xF7);
}

static void test_midi_parser_running_status_ends_with_a_frame(void **state)
{
    (void)state;
    CHECK("F001F7 stray ", 0x90, 60, 100, 0xF0, 1, 0xF7, 60, 0);
}

static void test_midi_parser_aborted_by_channel_message(void **state)
{
    (void)state;
    CHECK("aborted F002F7 ", 0xF0, 1, 2, 0x90, 60, 100, 0xF0, 2, 0xF7);
}

static void test_midi_parser_aborted_by_frame(void **state)
{
    (void)state;
    CHECK("aborted F002F7 ", 0xF0, 1, 0xF0, 2, 0xF7);
}

static void test_midi_parser_aborted_by_system_common(void **state)
{
    (void)state;
    CHECK("aborted stray F002F7 ", 0xF0, 1, 0xF6, 3, 0xF7, 0xF0, 2, 0xF7);
}

static void test_midi_parser_stray_told_once(void **state)
{
    (void)state;
    CHECK("stray F001F7 stray ", 1, 2, 3, 0xF7, 0xF0, 1, 0xF7, 0xF7, 0xF7);
}

static void test_midi_parser_longest_frame(void **state)
{
    (void)state;
    const size_t length = SL_MIDI_FRAME_BYTES_MAX;
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    bytes[0] = 0xF0;
    bytes[length - 1] = 0xF7;
    size_t taken = 0;
    size_t found = 0;
    assert_int_equal(sl_midi_parser_take(parser, bytes, length, &taken), SL_MIDI_FRAME);
    assert_memory_equal(sl_midi_parser_frame(parser, &found), bytes, length);
    assert_int_equal(found, length);
    free(bytes);
}

static void test_midi_parser_too_long_then_whole(void **state)
{
    (void)state;
    const size_t length = SL_MIDI_FRAME_BYTES_MAX + 100;
    uint8_t *bytes = calloc(1, length + 3);
    assert_non_null(bytes);
    bytes[0] = 0xF0;
    bytes[length - 1] = 0xF7;
    memcpy(bytes + length, whole, sizeof whole);
    check(bytes, length + 3, "long F005F7 ");
    free(bytes);
}

static void test_midi_parser_too_long_broken_off(void **state)
{
    (void)state;
    const size_t length = SL_MIDI_FRAME_BYTES_MAX + 100;
    uint8_t *bytes = calloc(1, length + 3);
    assert_non_null(bytes);
    bytes[0] = 0xF0;
    memcpy(bytes + length, whole, sizeof whole);
    check(bytes, length + 3, "long F005F7 ");
    free(bytes);
}

static void test_midi_parser_reset_tells_of_a_lost_frame(void **state)
{
    (void)state;
    static const uint8_t begun[] = {0xF0, 1, 2};
    feed(begun, sizeof begun, sizeof begun);
    assert_true(sl_midi_parser_reset(parser));
    assert_false(sl_midi_parser_reset(parser));
    CHECK("stray ", 3, 0xF7);
}

static void test_midi_parser_texts(void **state)
{
    (void)state;
    assert_string_equal(sl_midi_finding_text(SL_MIDI_ABORTED), "a frame was broken off before its F7");
    assert_string_equal(sl_midi_finding_text(SL_MIDI_TOO_LONG), "a frame was longer than 64 KiB");
    assert_string_equal(sl_midi_finding_text(SL_MIDI_STRAY), "bytes that belong to no message");
    assert_string_equal(sl_midi_finding_text(SL_MIDI_NOTHING), "");
}

/* Frames among noise that may stand between them, cut anywhere. */
static void test_midi_parser_random_cuts(void **state)
{
    (void)state;
    uint32_t seed = 20261121;
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[512];
        char expected[TOLD_BYTES] = "";
        size_t length = 0;
        while (length < 200) {
            seed = seed * 1664525 + 1013904223;
            const unsigned count = seed >> 28;
            bytes[length++] = 0x90; /* a note, by running status */
            for (unsigned i = 0; i < count; i++) bytes[length++] = (uint8_t)(seed >> (i + 3)) & 0x7F;
            bytes[length++] = 0xF0;
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "F0");
            for (unsigned i = 0; i < count; i++) {
                bytes[length] = (uint8_t)(seed >> (i + 5)) & 0x7F;
                snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%02X", bytes[length++]);
                if (i % 3 == 0) bytes[length++] = 0xF8;
            }
            bytes[length++] = 0xF7;
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "F7 ");
        }
        told[0] = '\0';
        (void)sl_midi_parser_reset(parser);
        feed(bytes, length, 1 + (seed >> 8) % 40);
        assert_string_equal(told, expected);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_midi_parser_frame),
        TEST(test_midi_parser_empty_frame),
        TEST(test_midi_parser_frames_back_to_back),
        TEST(test_midi_parser_real_time_inside),
        TEST(test_midi_parser_channel_messages_between),
        TEST(test_midi_parser_running_status),
        TEST(test_midi_parser_running_status_ends_with_a_frame),
        TEST(test_midi_parser_aborted_by_channel_message),
        TEST(test_midi_parser_aborted_by_frame),
        TEST(test_midi_parser_aborted_by_system_common),
        TEST(test_midi_parser_stray_told_once),
        TEST(test_midi_parser_longest_frame),
        TEST(test_midi_parser_too_long_then_whole),
        TEST(test_midi_parser_too_long_broken_off),
        TEST(test_midi_parser_reset_tells_of_a_lost_frame),
        TEST(test_midi_parser_texts),
        TEST(test_midi_parser_random_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
