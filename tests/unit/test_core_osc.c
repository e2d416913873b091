/* The OSC reader: what it accepts, why it refuses, and what it reads. */
#include "core/osc.h"

#include "tests/unit/cmocka_small.h"

#include <stdlib.h>
#include <string.h>

typedef struct packet {
    const char *bytes;
    size_t length;
} packet;

/* A literal without its closing NUL. */
#define PACKET(literal) ((packet){literal, sizeof(literal) - 1})

#define WRAPPED "/live/seq\0\0\0,ifsiT\0\0\0\0\0\x07\x40\x20\0\0/live/track/mute\0\0\0\0\0\0\0\x03"

static const uint8_t *bytes_of(packet given)
{
    return (const uint8_t *)given.bytes;
}

/* Checked in a block of exactly its length, so that a sanitizer sees every step beyond it. */
static sl_osc_error check(packet given)
{
    sl_osc_error error;
    uint8_t *copy = given.length > 0 ? malloc(given.length) : NULL;
    assert_true(copy != NULL || given.length == 0);
    if (given.length > 0) memcpy(copy, given.bytes, given.length);
    bool is_good = sl_osc_check(copy, given.length, &error);
    free(copy);
    assert_int_equal(is_good, error.fault == SL_OSC_FAULT_NONE);
    return error;
}

static void assert_fault(packet given, sl_osc_fault fault, size_t position)
{
    sl_osc_error error = check(given);
    assert_int_equal(error.fault, fault);
    assert_int_equal(error.position, position);
}

static void assert_good(packet given)
{
    assert_int_equal(check(given).fault, SL_OSC_FAULT_NONE);
}

static void test_osc_accepts_message_without_arguments(void **state)
{
    (void)state;
    assert_good(PACKET("/a\0\0,\0\0\0"));
}

static void test_osc_accepts_every_tag(void **state)
{
    (void)state;
    assert_good(PACKET("/a\0\0,ifsbhtdScrmTFNI\0\0\0\0"
                       "\0\0\0\1"
                       "\0\0\0\0"
                       "text\0\0\0\0"
                       "\0\0\0\1x\0\0\0"
                       "\0\0\0\0\0\0\0\1"
                       "\0\0\0\0\0\0\0\1"
                       "\0\0\0\0\0\0\0\0"
                       "\0\0\0\0"
                       "\0\0\0c"
                       "\0\0\0\0"
                       "\0\0\0\0"));
}

static void test_osc_accepts_address_of_every_length(void **state)
{
    (void)state;
    for (size_t length = 1; length < 40; length++) {
        char bytes[64] = {0};
        size_t tags = (length / 4 + 1) * 4;
        memset(bytes, '/', length);
        bytes[tags] = ',';
        assert_good((packet){bytes, tags + 4});
    }
}

static void test_osc_accepts_bundle(void **state)
{
    (void)state;
    assert_good(PACKET("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x08/a\0\0,\0\0\0"));
}

static void test_osc_accepts_empty_bundle(void **state)
{
    (void)state;
    assert_good(PACKET("#bundle\0\0\0\0\0\0\0\0\1"));
}

static void test_osc_accepts_without_error_wanted(void **state)
{
    (void)state;
    packet given = PACKET("/a\0\0,\0\0\0");
    assert_true(sl_osc_check(bytes_of(given), given.length, NULL));
}

static void test_osc_refuses_nothing(void **state)
{
    (void)state;
    assert_fault(PACKET(""), SL_OSC_FAULT_EMPTY, 0);
}

static void test_osc_refuses_odd_length(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,\0\0"), SL_OSC_FAULT_LENGTH, 7);
}

static void test_osc_refuses_too_long(void **state)
{
    (void)state;
    static char bytes[65508] = "/a\0\0,";
    assert_fault((packet){bytes, sizeof bytes}, SL_OSC_FAULT_LENGTH, sizeof bytes);
}

static void test_osc_refuses_address_without_slash(void **state)
{
    (void)state;
    assert_fault(PACKET("a\0\0\0,\0\0\0"), SL_OSC_FAULT_ADDRESS, 0);
}

static void test_osc_refuses_address_without_end(void **state)
{
    (void)state;
    assert_fault(PACKET("/abcdefghijk"), SL_OSC_FAULT_ADDRESS, 0);
}

static void test_osc_refuses_address_with_bad_padding(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0x,\0\0\0"), SL_OSC_FAULT_ADDRESS, 0);
}

static void test_osc_refuses_missing_tags(void **state)
{
    (void)state;
    assert_fault(PACKET("/abc\0\0\0\0"), SL_OSC_FAULT_TAGS, 8);
}

static void test_osc_refuses_tags_without_comma(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0i\0\0\0\0\0\0\1"), SL_OSC_FAULT_TAGS, 4);
}

static void test_osc_refuses_tags_without_end(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,TTT"), SL_OSC_FAULT_TAGS, 4);
}

static void test_osc_refuses_tags_with_bad_padding(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,T\0T"), SL_OSC_FAULT_TAGS, 4);
}

static void test_osc_refuses_unknown_tag(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,Tx\0"), SL_OSC_FAULT_TAG, 6);
}

static void test_osc_refuses_array_tags(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,[T]\0\0\0\0"), SL_OSC_FAULT_TAG, 5);
}

static void test_osc_refuses_argument_that_is_not_there(void **state)
{
    (void)state;
    static const char tags[] = "ifsbhtdScrm";
    for (size_t i = 0; i < sizeof tags - 1; i++) {
        char bytes[] = "/a\0\0,?\0";
        bytes[5] = tags[i];
        assert_fault((packet){bytes, 8}, SL_OSC_FAULT_ARGUMENT, 8);
    }
}

static void test_osc_refuses_half_of_eight_bytes(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,h\0\0\0\0\0\0"), SL_OSC_FAULT_ARGUMENT, 8);
}

static void test_osc_refuses_text_without_end(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,s\0\0text"), SL_OSC_FAULT_ARGUMENT, 8);
}

static void test_osc_refuses_text_with_bad_padding(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,s\0\0t\0e\0"), SL_OSC_FAULT_ARGUMENT, 8);
}

static void test_osc_refuses_blob_of_negative_length(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,b\0\0\xff\xff\xff\xff"), SL_OSC_FAULT_ARGUMENT, 8);
}

static void test_osc_refuses_blob_that_does_not_fit(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,b\0\0\0\0\0\5xxxx"), SL_OSC_FAULT_ARGUMENT, 8);
}

static void test_osc_refuses_blob_with_bad_padding(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,b\0\0\0\0\0\3xxxx"), SL_OSC_FAULT_ARGUMENT, 8);
}

static void test_osc_refuses_trailing_bytes(void **state)
{
    (void)state;
    assert_fault(PACKET("/a\0\0,T\0\0\0\0\0\0"), SL_OSC_FAULT_TRAILING, 8);
}

static void test_osc_refuses_misspelled_bundle(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundel\0\0\0\0\0\0\0\0\1"), SL_OSC_FAULT_BUNDLE, 0);
}

static void test_osc_refuses_bundle_without_timetag(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0"), SL_OSC_FAULT_BUNDLE, 0);
}

static void test_osc_refuses_element_that_does_not_fit(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x0c/a\0\0,\0\0\0"), SL_OSC_FAULT_BUNDLE, 16);
}

static void test_osc_refuses_element_of_odd_length(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x07/a\0\0,\0\0\0"), SL_OSC_FAULT_BUNDLE, 16);
}

static void test_osc_refuses_element_of_negative_length(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0\0\0\0\1\xff\xff\xff\xfc/a\0\0,\0\0\0"), SL_OSC_FAULT_BUNDLE, 16);
}

static void test_osc_refuses_empty_element(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\0"), SL_OSC_FAULT_ELEMENT, 16);
}

static void test_osc_refuses_bad_message_in_bundle(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x08/a\0\0,x\0\0"), SL_OSC_FAULT_TAG, 25);
}

static void test_osc_refuses_inner_bundle_longer_than_outer(void **state)
{
    (void)state;
    assert_fault(PACKET("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x18#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x08/a\0\0,\0\0\0"),
                 SL_OSC_FAULT_BUNDLE, 36);
}

/* `depth` bundles in each other; returns the length. */
static size_t nest(uint8_t *bytes, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        uint8_t *bundle = bytes + i * 20;
        memset(bundle, 0, 20);
        memcpy(bundle, "#bundle", 8);
        size_t left = (depth - i - 1) * 20;
        bundle[15] = 1;
        bundle[18] = (uint8_t)((left - 4) >> 8);
        bundle[19] = (uint8_t)(left - 4);
    }
    return depth * 20 - 4; /* the innermost has no element */
}

static void test_osc_accepts_deepest_nesting(void **state)
{
    (void)state;
    uint8_t bytes[20 * 20];
    assert_good((packet){(char *)bytes, nest(bytes, SL_OSC_DEPTH_MAX)});
}

static void test_osc_refuses_deeper_nesting(void **state)
{
    (void)state;
    uint8_t bytes[20 * 20];
    assert_fault((packet){(char *)bytes, nest(bytes, SL_OSC_DEPTH_MAX + 1)}, SL_OSC_FAULT_DEPTH,
                 (size_t)20 * SL_OSC_DEPTH_MAX);
}

static void test_osc_fault_texts_are_there(void **state)
{
    (void)state;
    for (int fault = 0; fault <= SL_OSC_FAULT_COUNT; fault++) {
        assert_true(strlen(sl_osc_fault_text((sl_osc_fault)fault)) > 0);
    }
}

static void test_osc_reads_message(void **state)
{
    (void)state;
    packet given = PACKET("/abc\0\0\0\0,iT\0\0\0\0\5");
    sl_osc_message message = sl_osc_message_read(bytes_of(given), given.length);
    assert_string_equal(message.address, "/abc");
    assert_int_equal(message.address_length, 4);
    assert_string_equal(message.tags, "iT");
    assert_int_equal(message.tag_count, 2);
    assert_ptr_equal(message.arguments, given.bytes + 12);
    assert_int_equal(message.arguments_length, 4);
}

/* The only argument of "/a" with this tag. */
static sl_osc_argument read_one(char tag, packet payload)
{
    static uint8_t bytes[64];
    memcpy(bytes, "/a\0\0,?\0", 8);
    bytes[5] = (uint8_t)tag;
    memcpy(bytes + 8, payload.bytes, payload.length);
    assert_true(sl_osc_check(bytes, 8 + payload.length, NULL));
    sl_osc_message message = sl_osc_message_read(bytes, 8 + payload.length);
    sl_osc_cursor cursor = sl_osc_arguments(&message);
    sl_osc_argument argument;
    sl_osc_argument none;
    assert_true(sl_osc_next(&cursor, &argument));
    assert_int_equal(argument.tag, tag);
    assert_false(sl_osc_next(&cursor, &none));
    return argument;
}

static void test_osc_reads_int(void **state)
{
    (void)state;
    assert_int_equal(read_one('i', PACKET("\xff\xff\xff\xfe")).integer, -2);
}

static void test_osc_reads_long(void **state)
{
    (void)state;
    assert_int_equal(read_one('h', PACKET("\x80\0\0\0\0\0\0\1")).integer, INT64_MIN + 1);
}

static void test_osc_reads_timetag(void **state)
{
    (void)state;
    assert_int_equal(read_one('t', PACKET("\0\0\0\1\0\0\0\2")).integer, 0x100000002);
}

static void test_osc_reads_words(void **state)
{
    (void)state;
    assert_int_equal(read_one('c', PACKET("\0\0\0A")).integer, 'A');
    assert_int_equal(read_one('r', PACKET("\1\2\3\4")).integer, 0x01020304);
    assert_int_equal(read_one('m', PACKET("\1\2\3\4")).integer, 0x01020304);
}

static void test_osc_reads_float(void **state)
{
    (void)state;
    assert_true(read_one('f', PACKET("\xbf\x40\0\0")).number == -0.75);
}

static void test_osc_reads_double(void **state)
{
    (void)state;
    assert_true(read_one('d', PACKET("\x3f\xe8\0\0\0\0\0\0")).number == 0.75);
}

static void test_osc_reads_text(void **state)
{
    (void)state;
    sl_osc_argument argument = read_one('s', PACKET("Bass\0\0\0\0"));
    assert_int_equal(argument.length, 4);
    assert_memory_equal(argument.bytes, "Bass", 5);
}

static void test_osc_reads_blob(void **state)
{
    (void)state;
    sl_osc_argument argument = read_one('b', PACKET("\0\0\0\5\0\1\2\3\4\0\0\0"));
    assert_int_equal(argument.length, 5);
    assert_memory_equal(argument.bytes, "\0\1\2\3\4", 5);
}

static void test_osc_reads_empty_blob(void **state)
{
    (void)state;
    assert_int_equal(read_one('b', PACKET("\0\0\0\0")).length, 0);
}

static void test_osc_reads_tags_without_bytes(void **state)
{
    (void)state;
    assert_int_equal(read_one('T', PACKET("")).integer, 1);
    assert_int_equal(read_one('F', PACKET("")).integer, 0);
    assert_int_equal(read_one('N', PACKET("")).integer, 0);
    assert_int_equal(read_one('I', PACKET("")).integer, 0);
}

static void test_osc_walks_plain_message_once(void **state)
{
    (void)state;
    packet given = PACKET("/a\0\0,\0\0\0");
    sl_osc_walk walk = sl_osc_walk_begin(bytes_of(given), given.length);
    sl_osc_message message;
    assert_true(sl_osc_walk_next(&walk, &message));
    assert_false(sl_osc_walk_next(&walk, &message));
}

static void test_osc_walks_nested_bundles_in_order(void **state)
{
    (void)state;
    packet given = PACKET("#bundle\0\0\0\0\0\0\0\0\1"
                          "\0\0\0\x08/a\0\0,\0\0\0"
                          "\0\0\0\x1c#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x08/b\0\0,\0\0\0"
                          "\0\0\0\x10#bundle\0\0\0\0\0\0\0\0\1"
                          "\0\0\0\x08/c\0\0,\0\0\0"
                          "\0\0\0\x10#bundle\0\0\0\0\0\0\0\0\1");
    assert_good(given);
    sl_osc_walk walk = sl_osc_walk_begin(bytes_of(given), given.length);
    sl_osc_message message;
    char seen[8] = {0};
    for (size_t i = 0; i < 7 && sl_osc_walk_next(&walk, &message); i++) seen[i] = message.address[1];
    assert_string_equal(seen, "abc");
}

static void test_osc_timetag_of_bundle(void **state)
{
    (void)state;
    packet given = PACKET("#bundle\0\1\2\3\4\5\6\7\x08");
    assert_int_equal(sl_osc_timetag(bytes_of(given), given.length), 0x0102030405060708);
}

static void test_osc_timetag_of_message_is_immediately(void **state)
{
    (void)state;
    packet given = PACKET("/a\0\0,\0\0\0");
    assert_int_equal(sl_osc_timetag(bytes_of(given), given.length), 1);
}

typedef struct unwrapped {
    bool is_wrapper;
    bool is_bad;
    sl_osc_message inner;
    int64_t number;
    double timestamp;
} unwrapped;

static unwrapped unwrap(packet given)
{
    unwrapped result = {0};
    assert_good(given);
    sl_osc_message message = sl_osc_message_read(bytes_of(given), given.length);
    result.is_wrapper = sl_osc_unwrap(&message, &result.inner, &result.number, &result.timestamp, &result.is_bad);
    return result;
}

static void test_osc_unwraps_number(void **state)
{
    (void)state;
    assert_int_equal(unwrap(PACKET(WRAPPED)).number, 7);
}

static void test_osc_unwraps_timestamp(void **state)
{
    (void)state;
    assert_true(unwrap(PACKET(WRAPPED)).timestamp == 2.5);
}

static void test_osc_unwraps_message(void **state)
{
    (void)state;
    sl_osc_message inner = unwrap(PACKET(WRAPPED)).inner;
    assert_string_equal(inner.address, "/live/track/mute");
    assert_int_equal(inner.address_length, 16);
    assert_string_equal(inner.tags, "iT");
    assert_int_equal(inner.tag_count, 2);
    assert_int_equal(inner.arguments_length, 4);
}

static void test_osc_unwraps_arguments(void **state)
{
    (void)state;
    sl_osc_message inner = unwrap(PACKET(WRAPPED)).inner;
    sl_osc_cursor cursor = sl_osc_arguments(&inner);
    sl_osc_argument argument;
    assert_true(sl_osc_next(&cursor, &argument));
    assert_int_equal(argument.integer, 3);
}

static void test_osc_unwraps_long_number(void **state)
{
    (void)state;
    unwrapped result = unwrap(PACKET("/live/seq\0\0\0,hfs\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0/a\0\0"));
    assert_int_equal(result.number, 0x100000000);
}

static void test_osc_unwraps_double_timestamp(void **state)
{
    (void)state;
    unwrapped result = unwrap(PACKET("/live/seq\0\0\0,ids\0\0\0\0\0\0\0\7\x3f\xe8\0\0\0\0\0\0/a\0\0"));
    assert_true(result.timestamp == 0.75);
}

static void test_osc_unwraps_long_timestamp(void **state)
{
    (void)state;
    unwrapped result = unwrap(PACKET("/live/seq\0\0\0,ihs\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\x09/a\0\0"));
    assert_true(result.timestamp == 9);
}

static void test_osc_unwraps_timetag_timestamp(void **state)
{
    (void)state;
    unwrapped result = unwrap(PACKET("/live/seq\0\0\0,its\0\0\0\0\0\0\0\7\x83\xaa\x7e\x81\x80\0\0\0/a\0\0"));
    assert_true(result.timestamp == 1.5); /* 2,208,988,801.5 s after 1900 */
}

static void test_osc_other_address_is_no_wrapper(void **state)
{
    (void)state;
    unwrapped result = unwrap(PACKET("/live/seqs\0\0,ifs\0\0\0\0\0\0\0\7\0\0\0\0/a\0\0"));
    assert_true(!result.is_wrapper && !result.is_bad);
}

static void test_osc_wrapper_without_path_is_bad(void **state)
{
    (void)state;
    unwrapped result = unwrap(PACKET("/live/seq\0\0\0,if\0\0\0\0\7\0\0\0\0"));
    assert_true(!result.is_wrapper && result.is_bad);
}

static void test_osc_wrapper_with_wrong_tags_is_bad(void **state)
{
    (void)state;
    static const char *const tags[] = {"ffs", "sfs", "iis", "iss", "iff", "ifi", "TTT"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        sl_osc_message message = {
            .address = "/live/seq", .address_length = 9, .tags = tags[i], .tag_count = 3, .arguments = NULL};
        unwrapped result = {0};
        assert_false(sl_osc_unwrap(&message, &result.inner, &result.number, &result.timestamp, &result.is_bad));
        assert_true(result.is_bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_osc_accepts_message_without_arguments),
        cmocka_unit_test(test_osc_accepts_every_tag),
        cmocka_unit_test(test_osc_accepts_address_of_every_length),
        cmocka_unit_test(test_osc_accepts_bundle),
        cmocka_unit_test(test_osc_accepts_empty_bundle),
        cmocka_unit_test(test_osc_accepts_without_error_wanted),
        cmocka_unit_test(test_osc_refuses_nothing),
        cmocka_unit_test(test_osc_refuses_odd_length),
        cmocka_unit_test(test_osc_refuses_too_long),
        cmocka_unit_test(test_osc_refuses_address_without_slash),
        cmocka_unit_test(test_osc_refuses_address_without_end),
        cmocka_unit_test(test_osc_refuses_address_with_bad_padding),
        cmocka_unit_test(test_osc_refuses_missing_tags),
        cmocka_unit_test(test_osc_refuses_tags_without_comma),
        cmocka_unit_test(test_osc_refuses_tags_without_end),
        cmocka_unit_test(test_osc_refuses_tags_with_bad_padding),
        cmocka_unit_test(test_osc_refuses_unknown_tag),
        cmocka_unit_test(test_osc_refuses_array_tags),
        cmocka_unit_test(test_osc_refuses_argument_that_is_not_there),
        cmocka_unit_test(test_osc_refuses_half_of_eight_bytes),
        cmocka_unit_test(test_osc_refuses_text_without_end),
        cmocka_unit_test(test_osc_refuses_text_with_bad_padding),
        cmocka_unit_test(test_osc_refuses_blob_of_negative_length),
        cmocka_unit_test(test_osc_refuses_blob_that_does_not_fit),
        cmocka_unit_test(test_osc_refuses_blob_with_bad_padding),
        cmocka_unit_test(test_osc_refuses_trailing_bytes),
        cmocka_unit_test(test_osc_refuses_misspelled_bundle),
        cmocka_unit_test(test_osc_refuses_bundle_without_timetag),
        cmocka_unit_test(test_osc_refuses_element_that_does_not_fit),
        cmocka_unit_test(test_osc_refuses_element_of_odd_length),
        cmocka_unit_test(test_osc_refuses_element_of_negative_length),
        cmocka_unit_test(test_osc_refuses_empty_element),
        cmocka_unit_test(test_osc_refuses_bad_message_in_bundle),
        cmocka_unit_test(test_osc_refuses_inner_bundle_longer_than_outer),
        cmocka_unit_test(test_osc_accepts_deepest_nesting),
        cmocka_unit_test(test_osc_refuses_deeper_nesting),
        cmocka_unit_test(test_osc_fault_texts_are_there),
        cmocka_unit_test(test_osc_reads_message),
        cmocka_unit_test(test_osc_reads_int),
        cmocka_unit_test(test_osc_reads_long),
        cmocka_unit_test(test_osc_reads_timetag),
        cmocka_unit_test(test_osc_reads_words),
        cmocka_unit_test(test_osc_reads_float),
        cmocka_unit_test(test_osc_reads_double),
        cmocka_unit_test(test_osc_reads_text),
        cmocka_unit_test(test_osc_reads_blob),
        cmocka_unit_test(test_osc_reads_empty_blob),
        cmocka_unit_test(test_osc_reads_tags_without_bytes),
        cmocka_unit_test(test_osc_walks_plain_message_once),
        cmocka_unit_test(test_osc_walks_nested_bundles_in_order),
        cmocka_unit_test(test_osc_timetag_of_bundle),
        cmocka_unit_test(test_osc_timetag_of_message_is_immediately),
        cmocka_unit_test(test_osc_unwraps_number),
        cmocka_unit_test(test_osc_unwraps_timestamp),
        cmocka_unit_test(test_osc_unwraps_message),
        cmocka_unit_test(test_osc_unwraps_arguments),
        cmocka_unit_test(test_osc_unwraps_long_number),
        cmocka_unit_test(test_osc_unwraps_double_timestamp),
        cmocka_unit_test(test_osc_unwraps_long_timestamp),
        cmocka_unit_test(test_osc_unwraps_timetag_timestamp),
        cmocka_unit_test(test_osc_other_address_is_no_wrapper),
        cmocka_unit_test(test_osc_wrapper_without_path_is_bad),
        cmocka_unit_test(test_osc_wrapper_with_wrong_tags_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
