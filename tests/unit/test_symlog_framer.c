/* Frames: reading our messages back, the filter of ?paths, coalescing, and what goes into one frame. */
#include "tools/symlog/framer.h"

#include "tests/unit/cmocka_small.h"
#include "tools/symlog/coalescer.h"
#include "tools/symlog/sieve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 4 << 20 };

#define DIFF(changes, added, removed, modified)                                                                        \
    "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[" changes "],\"added\":[" added                     \
    "],\"removed\":[" removed "],\"modified\":[" modified "],\"unchanged\":[]}}"
#define ENTRY(type, id, path, more)                                                                                    \
    "{\"type\":\"" type "\",\"node_id\":\"" id "\",\"node_type\":\"track\",\"path\":\"" path "\"," more                \
    ",\"seq_num\":1}"
#define STATE(id, path, attribute, old, new)                                                                           \
    ENTRY("state_changed", id, path, "\"attribute\":\"" attribute "\",\"old_value\":" old ",\"new_value\":" new)
#define SHIFTED                                                                                                        \
    "{\"type\":\"shifted\",\"parent_id\":\"project\",\"node_type\":\"track\",\"from\":1,\"by\":1,\"seq_num\":1}"

/* What one subscriber reads. */
typedef struct fixture {
    sl_backlog *backlog;
    sl_framer *framer;
    sl_wishes wishes;
    sl_framing framing;
    sl_stream stream;
} fixture;

static int set_up(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(sl_backlog_create(RING_BYTES, 0, &fixture->backlog), SL_OK);
    assert_int_equal(sl_framer_create(&fixture->framer), SL_OK);
    fixture->framing.wishes = &fixture->wishes;
    fixture->stream.backlog = fixture->backlog;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture *fixture = *state;
    sl_framer_destroy(fixture->framer);
    sl_backlog_destroy(fixture->backlog);
    free(fixture);
    return 0;
}

/* Appends `message`, which lacks its end, as one of `event`. */
static void append(fixture *fixture, const char *message, uint64_t event, bool is_last)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "%s}", message);
    if (is_last) length = snprintf(text, sizeof text, "%s,\"seq\":%llu}", message, (unsigned long long)event);
    assert_true(length > 0 && (size_t)length < sizeof text);
    const sl_message_view view = {.bytes = text, .length = (size_t)length, .event = event, .is_last = is_last};
    assert_int_equal(sl_backlog_append(fixture->backlog, &view), SL_OK);
    fixture->stream.end = sl_backlog_end(fixture->backlog);
}

static sl_framed next(fixture *fixture, sl_frame *frame)
{
    return sl_framer_next(fixture->framer, &fixture->framing, &fixture->stream, frame);
}

static void expect(fixture *fixture, const char *text)
{
    sl_frame frame;
    assert_int_equal(next(fixture, &frame), SL_FRAMED_FRAME);
    if (frame.length != strlen(text) || memcmp(frame.bytes, text, frame.length) != 0)
        fail_msg("\n%.*s\ninstead of\n%s", (int)frame.length, (const char *)frame.bytes, text);
}

static void expect_result(fixture *fixture, sl_framed result)
{
    sl_frame frame;
    assert_int_equal(next(fixture, &frame), result);
}

static void wish_paths(fixture *fixture, const char *list)
{
    assert_true(sl_paths_parse(&fixture->wishes.paths, list, strlen(list)));
}

static void test_entries_are_read_whatever_stands_in_their_values(void **state)
{
    (void)state;
    static const char message[] =
        DIFF(ENTRY("modified", "a\\\"},", "tracks[0]",
                   "\"old_value\":{\"view\":{\"x\":[1,\"]}\"]}},\"new_value\":{}") "," STATE("b", "tracks[1]", "name",
                                                                                             "\"\\\\\"", "null"),
             "", "", "");
    sl_entries entries;
    sl_entry entry;
    assert_true(sl_entries_begin(&entries, message, sizeof message - 1));
    assert_true(sl_entries_next(&entries, &entry));
    assert_int_equal(entry.type, SL_ENTRY_MODIFIED);
    assert_true(sl_span_is(entry.node_id, "\"a\\\"},\""));
    assert_true(sl_span_is(sl_entries_member(entry.old_value, "view"), "{\"x\":[1,\"]}\"]}"));
    assert_int_equal(sl_entries_member(entry.new_value, "view").length, 0);
    assert_true(sl_entries_next(&entries, &entry));
    assert_int_equal(entry.type, SL_ENTRY_STATE);
    assert_true(sl_span_is(entry.old_value, "\"\\\\\""));
    assert_true(sl_span_is(entry.new_value, "null"));
    assert_false(sl_entries_next(&entries, &entry));
    assert_false(sl_entries_begin(&entries, "{\"type\":\"ERROR\"}", 16));
}

static void test_framer_batch_fills_frames_up_to_64_kib(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.is_batch = true;
    char text[1001] = "";
    memset(text, 'x', sizeof text - 1);
    for (uint64_t event = 1; event <= 200; event++) append(fixture, text, event, true);
    size_t frames = 0, commas = 0;
    sl_frame frame;
    while (next(fixture, &frame) == SL_FRAMED_FRAME) {
        assert_true(frame.length <= SL_FRAMER_FRAME_BYTES);
        assert_true(frame.bytes[0] == '[' && frame.bytes[frame.length - 1] == ']');
        for (size_t i = 0; i < frame.length; i++) commas += frame.bytes[i] == '}';
        frames++;
    }
    assert_int_equal(commas, 200);
    assert_int_equal(frames, 4);
    assert_int_equal(frame.seq, 0);
}

static void test_framer_paths_filter_entries_and_lists(void **state)
{
    fixture *fixture = *state;
    wish_paths(fixture, "tracks[1]");
    append(fixture,
           DIFF(STATE("a", "tracks[0]", "pan", "1", "2") "," STATE("b", "tracks[1]", "pan", "3", "4"), "", "",
                "\"a\",\"b\""),
           1, true);
    append(fixture, "{\"type\":\"ERROR\",\"payload\":{}", 2, true);
    append(fixture, "{\"type\":\"live_event\",\"payload\":{}", 3, true);
    expect(fixture, DIFF(STATE("b", "tracks[1]", "pan", "3", "4"), "", "", "\"b\"") ",\"seq\":1}");
    expect(fixture, "{\"type\":\"ERROR\",\"payload\":{},\"seq\":2}");
    expect(fixture, "{\"type\":\"SEQ\",\"seq\":3}");
    expect_result(fixture, SL_FRAMED_NOTHING);
}

static void test_framer_tells_the_number_of_an_event_whose_last_message_is_dropped(void **state)
{
    fixture *fixture = *state;
    wish_paths(fixture, "tracks[1]");
    append(fixture, DIFF(STATE("b", "tracks[1]", "pan", "3", "4"), "", "", "\"b\""), 7, false);
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "3", "4"), "", "", "\"a\""), 7, true);
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "4", "5"), "", "", "\"a\""), 8, true);
    expect(fixture, DIFF(STATE("b", "tracks[1]", "pan", "3", "4"), "", "", "\"b\"") "}");
    expect(fixture, "{\"type\":\"SEQ\",\"seq\":8}");
    expect_result(fixture, SL_FRAMED_NOTHING);
}

static void test_framer_begins_anew_when_a_path_names_another_node(void **state)
{
    fixture *fixture = *state;
    wish_paths(fixture, "tracks[1]");
    append(fixture, DIFF(ENTRY("added", "n", "tracks[0]", "\"new_value\":{}"), "\"n\"", "", ""), 1, true);
    expect_result(fixture, SL_FRAMED_ANEW);
    append(fixture,
           DIFF(ENTRY("modified", "n", "tracks[2]", "\"old_value\":{\"index\":2},\"new_value\":{\"index\":1}"), "", "",
                "\"n\""),
           2, true);
    expect_result(fixture, SL_FRAMED_ANEW);
    append(fixture, DIFF(SHIFTED, "", "", ""), 3, true);
    expect_result(fixture, SL_FRAMED_ANEW);
}

static void test_framer_sends_what_went_before_it_begins_anew(void **state)
{
    fixture *fixture = *state;
    wish_paths(fixture, "tracks[1]");
    fixture->wishes.is_batch = true;
    append(fixture, DIFF(STATE("b", "tracks[1]", "pan", "3", "4"), "", "", "\"b\""), 1, true);
    append(fixture, DIFF(SHIFTED, "", "", ""), 2, true);
    expect(fixture, "[" DIFF(STATE("b", "tracks[1]", "pan", "3", "4"), "", "", "\"b\"") ",\"seq\":1}]");
    expect_result(fixture, SL_FRAMED_ANEW);
}

static void test_framer_throttle_keeps_the_last_value_in_the_order_of_the_last_changes(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.throttle_ms = 1;
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "1", "2"), "", "", "\"a\""), 1, true);
    append(fixture, DIFF(STATE("a", "tracks[0]", "volume", "5", "6"), "", "", "\"a\""), 2, true);
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "2", "3"), "", "", "\"a\""), 3, true);
    expect(fixture, DIFF(STATE("a", "tracks[0]", "volume", "5", "6") "," STATE("a", "tracks[0]", "pan", "1", "3"), "",
                         "", "\"a\",\"a\"") ",\"seq\":3}");
    expect_result(fixture, SL_FRAMED_NOTHING);
}

static void test_framer_throttle_leaves_structural_events_and_their_order_alone(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.throttle_ms = 1;
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "1", "2"), "", "", "\"a\""), 1, true);
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "2", "3"), "", "", "\"a\""), 2, false);
    append(fixture, DIFF(ENTRY("added", "n", "tracks[1]", "\"new_value\":{}"), "\"n\"", "", ""), 2, true);
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "3", "4"), "", "", "\"a\""), 3, true);
    append(fixture, DIFF(STATE("a", "tracks[0]", "pan", "4", "5"), "", "", "\"a\""), 4, true);
    expect(fixture, DIFF(STATE("a", "tracks[0]", "pan", "1", "2"), "", "", "\"a\"") ",\"seq\":1}");
    expect(fixture, DIFF(STATE("a", "tracks[0]", "pan", "2", "3"), "", "", "\"a\"") "}");
    expect(fixture, DIFF(ENTRY("added", "n", "tracks[1]", "\"new_value\":{}"), "\"n\"", "", "") ",\"seq\":2}");
    expect(fixture, DIFF(STATE("a", "tracks[0]", "pan", "3", "5"), "", "", "\"a\"") ",\"seq\":4}");
}

static void test_framer_throttle_tells_parameters_of_a_device_apart(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.throttle_ms = 1;
#define PARAMETER(index, old, new)                                                                                     \
    ENTRY("state_changed", "d", "tracks[0].devices[0].parameters[" index "]",                                          \
          "\"attribute\":\"value\",\"value\":" new ",\"param_index\":" index ",\"old_value\":" old                     \
                                                   ",\"new_value\":" new)
    append(fixture, DIFF(PARAMETER("0", "1", "2"), "", "", "\"d\""), 1, true);
    append(fixture, DIFF(PARAMETER("1", "1", "2"), "", "", "\"d\""), 2, true);
    append(fixture, DIFF(PARAMETER("1", "2", "3"), "", "", "\"d\""), 3, true);
    expect(fixture, DIFF(PARAMETER("0", "1", "2") "," PARAMETER("1", "1", "3"), "", "", "\"d\",\"d\"") ",\"seq\":3}");
#undef PARAMETER
}

/* Events of many nodes: never more in a message than fits into a frame, and every last value once. */
static void test_framer_throttle_is_bounded(void **state)
{
    fixture *fixture = *state;
    fixture->wishes.throttle_ms = 1;
    for (uint64_t event = 1; event <= 6000; event++) {
        char text[512];
        snprintf(text, sizeof text, DIFF(STATE("n%llu", "tracks[0]", "pan", "1", "2"), "", "", "\"n%llu\""),
                 (unsigned long long)event % 3000, (unsigned long long)event % 3000);
        append(fixture, text, event, true);
    }
    sl_frame frame;
    size_t frames = 0;
    uint64_t seq = 0;
    for (; next(fixture, &frame) == SL_FRAMED_FRAME; frames++) {
        assert_true(frame.length <= SL_FRAMER_FRAME_BYTES);
        assert_true(frame.seq > seq);
        seq = frame.seq;
    }
    assert_int_equal(seq, 6000);
    assert_true(frames > 2 && frames < 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_entries_are_read_whatever_stands_in_their_values),
        TEST(test_framer_batch_fills_frames_up_to_64_kib),
        TEST(test_framer_paths_filter_entries_and_lists),
        TEST(test_framer_tells_the_number_of_an_event_whose_last_message_is_dropped),
        TEST(test_framer_begins_anew_when_a_path_names_another_node),
        TEST(test_framer_sends_what_went_before_it_begins_anew),
        TEST(test_framer_throttle_keeps_the_last_value_in_the_order_of_the_last_changes),
        TEST(test_framer_throttle_leaves_structural_events_and_their_order_alone),
        TEST(test_framer_throttle_tells_parameters_of_a_device_apart),
        TEST(test_framer_throttle_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
