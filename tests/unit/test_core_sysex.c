/* SysEx frames: taken apart, refused with the byte that is at fault, built. */
#include "core/sysex.h"

#include "tests/unit/cmocka_small.h"

#include <string.h>

#define FRAME(op, payload) "\xF0\x7D" op payload "\xF7"

static sl_sysex frame;

/* A literal's bytes without its closing NUL. */
#define READ(literal) sl_sysex_read((const uint8_t *)(literal), sizeof(literal) - 1, &frame)

static void assert_text(const char *bytes, size_t length, const char *expected)
{
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(bytes, expected, length);
}

static void test_sysex_hello_and_bye_have_an_origin(void **state)
{
    (void)state;
    assert_int_equal(READ(FRAME("\x40", "e1a2b3c")), SL_SYSEX_FAULT_NONE);
    assert_true(frame.is_ours);
    assert_int_equal(frame.op, SL_SYSEX_HELLO);
    assert_text(frame.origin, frame.origin_length, "e1a2b3c");
    assert_int_equal(READ(FRAME("\x43", "e")), SL_SYSEX_FAULT_NONE);
    assert_int_equal(frame.op, SL_SYSEX_BYE);
}

static void test_sysex_full_has_the_patch_as_its_tail(void **state)
{
    (void)state;
    assert_int_equal(READ(FRAME("\x41", "d;12;1;-1;3;t120;kick:4/2=X.x.;what")), SL_SYSEX_FAULT_NONE);
    assert_text(frame.origin, frame.origin_length, "d");
    assert_int_equal(frame.seq, 12);
    assert_true(frame.is_running);
    assert_int_equal(frame.set_list, -1);
    assert_int_equal(frame.item, 3);
    assert_text(frame.tail, frame.tail_length, "t120;kick:4/2=X.x.;what");
    assert_int_equal(READ(FRAME("\x41", "d;12;0;0;9999;")), SL_SYSEX_FAULT_NONE);
    assert_int_equal(frame.tail_length, 0);
    assert_false(frame.is_running);
}

static void test_sysex_delta_has_an_evt(void **state)
{
    (void)state;
    assert_int_equal(READ(FRAME("\x42", "e;7;beat=0/1/2")), SL_SYSEX_FAULT_NONE);
    assert_int_equal(frame.seq, 7);
    assert_text(frame.tail, frame.tail_length, "beat=0/1/2");
    assert_int_equal(READ(FRAME("\x42", "e;7;")), SL_SYSEX_FAULT_NONE); /* an evt that is none, but a field */
}

static void test_sysex_seq_of_many_digits(void **state)
{
    (void)state;
    assert_int_equal(READ(FRAME("\x42", "e;18446744073709551615;play")), SL_SYSEX_FAULT_NONE);
    assert_true(frame.seq == UINT64_MAX);
    assert_int_equal(READ(FRAME("\x42", "e;99999999999999999999999;play")), SL_SYSEX_FAULT_NONE);
    assert_true(frame.seq == UINT64_MAX);
}

static void test_sysex_others_are_good(void **state)
{
    (void)state;
    assert_int_equal(READ(FRAME("\x03", "K;0.0.23")), SL_SYSEX_FAULT_NONE);
    assert_text(frame.payload, frame.payload_length, "K;0.0.23");
    assert_int_equal(READ(FRAME("\x21", "\x01\x02\x7f")), SL_SYSEX_FAULT_NONE);
    assert_true(sl_sysex_is_firmware(frame.op) && !sl_sysex_is_live_sync(frame.op));
    assert_int_equal(READ(FRAME("\x44", "")), SL_SYSEX_FAULT_NONE);
    assert_int_equal(READ("\xF0\x7E\x7F\x06\x01\xF7"), SL_SYSEX_FAULT_NONE);
    assert_false(frame.is_ours);
    assert_int_equal(frame.op, 0);
}

static void test_sysex_ops_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        [0x01] = "RTC",      [0x02] = "version?", [0x03] = "version", [0x10] = "programs", [0x20] = "firmware",
        [0x23] = "firmware", [0x24] = "op",       [0x40] = "HELLO",   [0x41] = "FULL",     [0x42] = "DELTA",
        [0x43] = "BYE",      [0x44] = "op",       [0x45] = "op",      [0x7E] = "NAK",      [0x7F] = "ACK"};
    for (unsigned op = 0; op < sizeof names / sizeof names[0]; op++)
        if (names[op] != NULL) assert_string_equal(sl_sysex_op_name((uint8_t)op), names[op]);
}

/* Bad frames. */

static void assert_fault(const char *bytes, size_t length, sl_sysex_fault fault, size_t position)
{
    sl_sysex_fault found = sl_sysex_read((const uint8_t *)bytes, length, &frame);
    if (found != fault) fail_msg("%s: %s", bytes + 2, sl_sysex_fault_text(found));
    if (frame.position != position) fail_msg("%s: byte %u", bytes + 2, (unsigned)frame.position);
}

#define ASSERT_FAULT(literal, fault, position) assert_fault(literal, sizeof(literal) - 1, fault, position)

static void test_sysex_no_frame(void **state)
{
    (void)state;
    ASSERT_FAULT("", SL_SYSEX_FAULT_FRAME, 0);
    ASSERT_FAULT("\xF0\xF7", SL_SYSEX_FAULT_FRAME, 0);
    ASSERT_FAULT("\xF0\x7D\xF7", SL_SYSEX_FAULT_FRAME, 2);
    ASSERT_FAULT("\xF0\x7D\x40", SL_SYSEX_FAULT_FRAME, 2);
    ASSERT_FAULT("\xF0\x7D\x40"
                 "e",
                 SL_SYSEX_FAULT_FRAME, 3);
    ASSERT_FAULT("\x90\x7D\x40\xF7", SL_SYSEX_FAULT_FRAME, 0);
    ASSERT_FAULT("\xF0\x7D\x40\xF7\xF7", SL_SYSEX_FAULT_FRAME, 3);
}

static void test_sysex_not_ascii(void **state)
{
    (void)state;
    ASSERT_FAULT(FRAME("\x40", "\xC3\xAF"), SL_SYSEX_FAULT_ASCII, 3);
    ASSERT_FAULT(FRAME("\x21", "a\x80"), SL_SYSEX_FAULT_ASCII, 4);
    ASSERT_FAULT(FRAME("\x41", "d;1;0;0;0;t120\xF0"), SL_SYSEX_FAULT_ASCII, 17);
}

static void test_sysex_wrong_number_of_fields(void **state)
{
    (void)state;
    ASSERT_FAULT(FRAME("\x40", "e;1"), SL_SYSEX_FAULT_FIELDS, 4);
    ASSERT_FAULT(FRAME("\x43", "e;"), SL_SYSEX_FAULT_FIELDS, 4);
    ASSERT_FAULT(FRAME("\x42", "e"), SL_SYSEX_FAULT_FIELDS, 4);
    ASSERT_FAULT(FRAME("\x42", "e;1"), SL_SYSEX_FAULT_FIELDS, 6);
    ASSERT_FAULT(FRAME("\x42", "e;1;play;stop"), SL_SYSEX_FAULT_FIELDS, 11);
    ASSERT_FAULT(FRAME("\x41", "e;1;0;0;0"), SL_SYSEX_FAULT_FIELDS, 12);
    ASSERT_FAULT(FRAME("\x41", "e"), SL_SYSEX_FAULT_FIELDS, 4);
}

static void test_sysex_wrong_values(void **state)
{
    (void)state;
    ASSERT_FAULT(FRAME("\x40", ""), SL_SYSEX_FAULT_VALUE, 3);
    ASSERT_FAULT(FRAME("\x40", "a b"), SL_SYSEX_FAULT_VALUE, 3);
    ASSERT_FAULT(FRAME("\x40", "a23456789012345678901234567890123"), SL_SYSEX_FAULT_VALUE, 3);
    ASSERT_FAULT(FRAME("\x42", "e;x;play"), SL_SYSEX_FAULT_VALUE, 5);
    ASSERT_FAULT(FRAME("\x42", "e;;play"), SL_SYSEX_FAULT_VALUE, 5);
    ASSERT_FAULT(FRAME("\x41", "e;1;2;0;0;t120"), SL_SYSEX_FAULT_VALUE, 7);
    ASSERT_FAULT(FRAME("\x41", "e;1;0;-2;0;t120"), SL_SYSEX_FAULT_VALUE, 9);
    ASSERT_FAULT(FRAME("\x41", "e;1;0;0;10000;t120"), SL_SYSEX_FAULT_VALUE, 11);
}

static void test_sysex_too_long(void **state)
{
    (void)state;
    static uint8_t bytes[SL_SYSEX_FRAME_BYTES_MAX + 1];
    memset(bytes, 'a', sizeof bytes);
    bytes[0] = SL_SYSEX_BEGIN;
    bytes[1] = SL_SYSEX_MANUFACTURER;
    bytes[2] = SL_SYSEX_FIRMWARE_FIRST;
    bytes[SL_SYSEX_FRAME_BYTES_MAX - 1] = SL_SYSEX_END;
    assert_int_equal(sl_sysex_read(bytes, SL_SYSEX_FRAME_BYTES_MAX, &frame), SL_SYSEX_FAULT_NONE);
    bytes[SL_SYSEX_FRAME_BYTES_MAX - 1] = 'a';
    bytes[SL_SYSEX_FRAME_BYTES_MAX] = SL_SYSEX_END;
    assert_int_equal(sl_sysex_read(bytes, SL_SYSEX_FRAME_BYTES_MAX + 1, &frame), SL_SYSEX_FAULT_FRAME);
}

/* Building. */

static const sl_sysex_stamp stamp = {.origin = "s12", .origin_length = 3, .seq = 40};
static const sl_sysex_full full = {
    .is_running = true, .set_list = -1, .item = 12, .patch = "t120;kick:4", .patch_length = 11};

typedef sl_err build(sl_writer *out);

static sl_err build_hello(sl_writer *out)
{
    return sl_sysex_write_hello(stamp, out);
}

static sl_err build_bye(sl_writer *out)
{
    return sl_sysex_write_bye(stamp, out);
}

static sl_err build_delta(sl_writer *out)
{
    return sl_sysex_write_delta(stamp, "bpm=120", 7, out);
}

static sl_err build_full(sl_writer *out)
{
    return sl_sysex_write_full(stamp, &full, out);
}

static void assert_built(build *run, const char *expected, size_t length)
{
    uint8_t bytes[64];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(run(&out), SL_OK);
    assert_int_equal(out.length, length);
    assert_memory_equal(bytes, expected, length);
    for (size_t capacity = 0; capacity < length; capacity++) {
        out = (sl_writer){.bytes = bytes, .capacity = capacity};
        assert_int_equal(run(&out), SL_ERR_FULL);
    }
}

#define ASSERT_BUILT(run, literal) assert_built(run, literal, sizeof(literal) - 1)

static void test_sysex_frames_are_built(void **state)
{
    (void)state;
    ASSERT_BUILT(build_hello, FRAME("\x40", "s12"));
    ASSERT_BUILT(build_bye, FRAME("\x43", "s12"));
    ASSERT_BUILT(build_delta, "\xF0\x7D\x42"
                              "s12;40;bpm=120\xF7");
    ASSERT_BUILT(build_full, FRAME("\x41", "s12;40;1;-1;12;t120;kick:4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sysex_hello_and_bye_have_an_origin),
        cmocka_unit_test(test_sysex_full_has_the_patch_as_its_tail),
        cmocka_unit_test(test_sysex_delta_has_an_evt),
        cmocka_unit_test(test_sysex_seq_of_many_digits),
        cmocka_unit_test(test_sysex_others_are_good),
        cmocka_unit_test(test_sysex_ops_have_names),
        cmocka_unit_test(test_sysex_no_frame),
        cmocka_unit_test(test_sysex_not_ascii),
        cmocka_unit_test(test_sysex_wrong_number_of_fields),
        cmocka_unit_test(test_sysex_wrong_values),
        cmocka_unit_test(test_sysex_too_long),
        cmocka_unit_test(test_sysex_frames_are_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
