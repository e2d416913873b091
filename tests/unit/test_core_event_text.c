/* Events in words: a line for people, and the JSON object of export. */
#include "core/message.h"
#include "core/payload.h"
#include "core/sound_events.h"

#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/score_builder.h"

#include <string.h>

enum { RESULT_BYTES = 4096, DATAGRAM_BYTES_MAX = 2048 };

typedef struct result {
    char bytes[RESULT_BYTES];
    size_t length;
} result;

typedef void say(sl_text *text, const sl_event *event, const sl_state *state);

static result said_by(say *run, const sl_event *event)
{
    counted_memory memory = {0};
    sl_text text;
    result said = {.length = 0};
    sl_text_open(&text, counted_memory_of(&memory));
    run(&text, event, NULL);
    assert_false(text.bad);
    assert_true(text.length < sizeof said.bytes);
    memcpy(said.bytes, text.bytes, text.length);
    said.length = text.length;
    sl_text_close(&text);
    assert_int_equal(memory.size_bytes, 0);
    return said;
}

static sl_event event_of(uint16_t kind, const void *payload, size_t length)
{
    bool is_second = kind == SL_KIND_SESSION || kind == SL_KIND_COUNTERS;
    assert_true(SL_SESSION_VERSION == 2 && SL_COUNTERS_VERSION == 2);
    return (sl_event){
        .seq = 12,
        .kind = kind,
        .version = is_second ? 2 : SL_PAYLOAD_VERSION,
        .source = 3,
        .session = 5,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = 3250999999,
        .payload = payload,
        .length = (uint32_t)length,
    };
}

static void assert_line(uint16_t kind, const void *payload, size_t length, const char *expected)
{
    sl_event event = event_of(kind, payload, length);
    assert_string_equal(said_by(sl_text_event, &event).bytes, expected);
}

/* Of a literal without its closing NUL. */
#define ASSERT_OSC(literal, expected) assert_line(SL_KIND_OSC, literal, sizeof(literal) - 1, expected)

static void test_event_text_wrapped_message(void **state)
{
    (void)state;
    ASSERT_OSC("/live/seq\0\0\0,ifsis\0\0\0\0\0\7\0\0\0\0/live/track/renamed\0\0\0\0\0Bass\0\0\0\0",
               "12 +3.250s osc source-3 #7 /live/track/renamed 0 \"Bass\"");
}

static void test_event_text_plain_message(void **state)
{
    (void)state;
    ASSERT_OSC("/live/track/mute\0\0\0\0,iT\0\0\0\0\1", "12 +3.250s osc source-3 /live/track/mute 1 true");
}

static void test_event_text_every_tag(void **state)
{
    (void)state;
    ASSERT_OSC("/a\0\0,ifsbhtdScrmTFNI\0\0\0\0"
               "\xff\xff\xff\xff"
               "\x3f\x40\0\0"
               "a\"b\0"
               "\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0"
               "\0\0\0\0\0\0\0\2"
               "\0\0\0\0\0\0\0\1"
               "\x40\x5e\0\0\0\0\0\0"
               "sym\0"
               "\0\0\0c"
               "\1\2\3\4"
               "\0\x90\x40\x7f",
               "12 +3.250s osc source-3 /a -1 0.75 \"a\\\"b\" <12 bytes> 2 time:0000000000000001 120.0 \"sym\" \"c\" "
               "rgba:01020304 midi:0090407f true false null impulse");
}

static void test_event_text_float_that_is_not_finite(void **state)
{
    (void)state;
    ASSERT_OSC("/a\0\0,fff\0\0\0\0\x7f\x80\0\0\xff\x80\0\0\x7f\xc0\0\0", "12 +3.250s osc source-3 /a inf -inf nan");
}

static void test_event_text_bundle(void **state)
{
    (void)state;
    ASSERT_OSC("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x08/a\0\0,\0\0\0\0\0\0\x08/b\0\0,T\0\0",
               "12 +3.250s osc source-3 /a | /b true");
}

static void test_event_text_empty_bundle(void **state)
{
    (void)state;
    ASSERT_OSC("#bundle\0\0\0\0\0\0\0\0\1", "12 +3.250s osc source-3 an empty bundle");
}

static void test_event_text_malformed_message(void **state)
{
    (void)state;
    ASSERT_OSC("/a\0\0", "12 +3.250s osc source-3 malformed, 4 bytes");
}

static void test_event_text_strange_address_is_quoted(void **state)
{
    (void)state;
    ASSERT_OSC("/a\nb c\0\0,\0\0\0", "12 +3.250s osc source-3 \"/a\\nb c\"");
}

static void test_event_text_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char accent[2] = {'\xc3', '\xa9'}; /* the 200th byte is the first of one */
    static const char front[] = "12 +3.250s osc source-3 /a \"x";
    uint8_t datagram[8 + 404] = "/a\0\0,s\0\0x";
    char expected[600] = {0};
    for (size_t i = 0; i < 200; i++) memcpy(datagram + 9 + 2 * i, accent, sizeof accent);
    memcpy(expected, front, sizeof front);
    for (size_t i = 0; i < 99; i++) memcpy(expected + sizeof front - 1 + 2 * i, accent, sizeof accent);
    memcpy(expected + sizeof front - 1 + 198, "\"…", sizeof "\"…");
    assert_line(SL_KIND_OSC, datagram, sizeof datagram, expected);
}

static void test_event_text_many_arguments_are_cut(void **state)
{
    (void)state;
    static uint8_t datagram[DATAGRAM_BYTES_MAX] = "/a\0\0,";
    memset(datagram + 5, 'F', sizeof datagram - 6);
    sl_event event = event_of(SL_KIND_OSC, datagram, sizeof datagram);
    result said = said_by(sl_text_event, &event);
    assert_true(said.length < 1100);
    assert_string_equal(said.bytes + said.length - strlen(" false …"), " false …");
}

static void test_event_text_many_messages_are_cut(void **state)
{
    (void)state;
    static uint8_t datagram[16 + 12 * 500] = "#bundle";
    for (size_t i = 0; i < 500; i++) memcpy(datagram + 16 + 12 * i, "\0\0\0\x08/a\0\0,\0\0", 12);
    sl_event event = event_of(SL_KIND_OSC, datagram, sizeof datagram);
    result said = said_by(sl_text_event, &event);
    assert_true(said.length < 1100);
    assert_string_equal(said.bytes + said.length - strlen("/a | …"), "/a | …");
}

/* Payloads of symlog's own events. */

static void assert_encoded_line(uint16_t kind, const sl_writer *payload, const char *expected)
{
    assert_false(payload->bad);
    assert_line(kind, payload->bytes, payload->length, expected);
}

static void test_event_text_start(void **state)
{
    (void)state;
    uint8_t buffer[128];
    sl_writer out = {.bytes = buffer, .capacity = sizeof buffer};
    const sl_start start = {.wall_ns = 1700000000000000000,
                            .reducer_version = 1,
                            .program = "symlog 0.1.0",
                            .program_length = 12,
                            .options = "--demo",
                            .options_length = 6};
    assert_int_equal(sl_start_encode(&start, &out), SL_OK);
    assert_encoded_line(SL_KIND_START, &out,
                        "12 +3.250s start source-3 \"symlog 0.1.0\" reducer 1 wall_ns 1700000000000000000 options "
                        "\"--demo\"");
}

static void test_event_text_counters(void **state)
{
    (void)state;
    static uint8_t buffer[SL_COUNTERS_BYTES_MAX];
    sl_writer out = {.bytes = buffer, .capacity = sizeof buffer};
    const sl_counters counters = {
        .kernel_drops = 1,
        .refused_unnamed = 2,
        .count = 2,
        .sources = {{1, 10, 20, 30, 40, 50, 0, 0, 0, 0, 0}, {2, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0}}};
    assert_int_equal(sl_counters_encode(&counters, &out), SL_OK);
    assert_encoded_line(SL_KIND_COUNTERS, &out,
                        "12 +3.250s counters source-3 sources 2, received 11, processed 22, dropped 33, parse errors "
                        "44, duplicates 55, kernel drops 1, refused unnamed 2");
}

static void test_event_text_session(void **state)
{
    (void)state;
    uint8_t buffer[64];
    sl_writer out = {.bytes = buffer, .capacity = sizeof buffer};
    const sl_session session = {.input = SL_INPUT_OSC, .name = "127.0.0.1:52011", .name_length = 15};
    assert_int_equal(sl_session_encode(&session, &out), SL_OK);
    assert_encoded_line(SL_KIND_SESSION, &out, "12 +3.250s session source-3 osc \"127.0.0.1:52011\" session 5");
}

static void test_event_text_refused(void **state)
{
    (void)state;
    uint8_t buffer[64];
    sl_writer out = {.bytes = buffer, .capacity = sizeof buffer};
    const sl_refused refused = {.kind = SL_KIND_PICTURE, .reason = "a duplicate id", .reason_length = 14};
    assert_int_equal(sl_refused_encode(&refused, &out), SL_OK);
    assert_encoded_line(SL_KIND_REFUSED, &out, "12 +3.250s refused source-3 picture: \"a duplicate id\"");
}

static void test_event_text_checkpoint(void **state)
{
    (void)state;
    uint8_t buffer[64];
    sl_writer out = {.bytes = buffer, .capacity = sizeof buffer};
    const sl_checkpoint checkpoint = {.through_seq = 11, .reducer_version = 1, .digest = {.low = 2, .high = 1}};
    assert_int_equal(sl_checkpoint_encode(&checkpoint, &out), SL_OK);
    assert_encoded_line(SL_KIND_CHECKPOINT, &out,
                        "12 +3.250s checkpoint source-3 through 11 reducer 1 digest 00000000000000010000000000000002");
}

static void test_event_text_picture(void **state)
{
    (void)state;
    assert_line(SL_KIND_PICTURE, "\2\0\0\0rest", 8, "12 +3.250s picture source-3 nodes 2, bytes 8");
}

static void test_event_text_mark(void **state)
{
    (void)state;
    assert_line(SL_KIND_MARK, "the drop", 8, "12 +3.250s mark source-3 \"the drop\"");
}

static void test_event_text_order_settled(void **state)
{
    (void)state;
    assert_line(SL_KIND_ORDER_SETTLED, NULL, 0, "12 +3.250s order_settled source-3");
}

#define ASSERT_SYSEX(literal, expected) assert_line(SL_KIND_SYSEX, literal, sizeof(literal) - 1, expected)

static void test_event_text_sysex(void **state)
{
    (void)state;
    ASSERT_SYSEX("\xF0\x7D\x40"
                 "e1\xF7",
                 "12 +3.250s sysex source-3 HELLO \"e1\"");
    ASSERT_SYSEX("\xF0\x7D\x41"
                 "e1;5;1;-1;2;t120;kick:4\xF7",
                 "12 +3.250s sysex source-3 FULL \"e1\" #5 running -1/2 \"t120;kick:4\"");
    ASSERT_SYSEX("\xF0\x7D\x42"
                 "e1;6;bpm=99\xF7",
                 "12 +3.250s sysex source-3 DELTA \"e1\" #6 \"bpm=99\"");
    ASSERT_SYSEX("\xF0\x7D\x43"
                 "e1\xF7",
                 "12 +3.250s sysex source-3 BYE \"e1\"");
    ASSERT_SYSEX("\xF0\x7D\x03K;0.0.23\xF7", "12 +3.250s sysex source-3 version 03 \"K;0.0.23\"");
    ASSERT_SYSEX("\xF0\x7D\x21\x01\xF7", "12 +3.250s sysex source-3 firmware 21 \"\\u0001\"");
}

static void test_event_text_sysex_that_is_not_ours(void **state)
{
    (void)state;
    ASSERT_SYSEX("\xF0\x7E\x01\xF7", "12 +3.250s sysex source-3 f07e01f7 bytes 4");
    ASSERT_SYSEX("\xF0\x7D\x40\x80\xF7", "12 +3.250s sysex source-3 f07d4080f7 bytes 5: a byte above 7F at byte 3");
    uint8_t bytes[100] = {0};
    assert_line(
        SL_KIND_SYSEX, bytes, sizeof bytes,
        "12 +3.250s sysex source-3 0000000000000000000000000000000000000000000000000000000000000000… bytes 100: "
        "no frame from F0 to F7 at byte 0");
}

static void test_event_text_sysex_sent(void **state)
{
    (void)state;
    assert_line(SL_KIND_SYSEX_SENT, "\0\0\0\0\xF0\x7D\x40s\xF7", 9,
                "12 +3.250s sysex_sent source-3 to all HELLO \"s\"");
    assert_line(SL_KIND_SYSEX_SENT, "\7\0\0\0\xF0\x7D\x40s\xF7", 9,
                "12 +3.250s sysex_sent source-3 to source 7 HELLO \"s\"");
}

static void test_event_text_groove_edit(void **state)
{
    (void)state;
    assert_line(SL_KIND_GROOVE_EDIT, "bpm=120", 7, "12 +3.250s groove_edit source-3 \"bpm=120\"");
}

static void test_event_text_setlists(void **state)
{
    (void)state;
    uint8_t bytes[64];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    sl_setlists_encode_begin(2, &out);
    sl_setlists_encode_list("Styles", 6, 1, &out);
    sl_setlists_encode_item("Rock", 4, "kick:4", 6, &out);
    sl_setlists_encode_list("Song", 4, 0, &out);
    assert_line(SL_KIND_SETLISTS, bytes, out.length, "12 +3.250s setlists source-3 lists 2, \"Styles\" 1, \"Song\" 0");
}

static void test_event_text_code(void **state)
{
    (void)state;
    uint8_t bytes[128];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    sl_code code = {
        .quantize = SL_QUANTIZE_BEAT, .buffer = "lead", .buffer_length = 4, .source = "a\n", .source_length = 2};
    assert_int_equal(sl_code_encode(&code, &out), SL_OK);
    assert_line(SL_KIND_CODE, bytes, out.length, "12 +3.250s code source-3 \"lead\" quantize beat \"a\\n\"");
}

static void test_event_text_score(void **state)
{
    (void)state;
    static score_builder score;
    score_begin(&score, true, SL_QUANTIZE_OFF, 0);
    score_track(&score, "a", 0);
    score_end_track(&score);
    score_track(&score, "b", 3);
    score_end_track(&score);
    sl_event event = score_end(&score, 12);
    assert_line(SL_KIND_SCORE, event.payload, event.length,
                "12 +3.250s score source-3 \"\" of 0 quantize off replaces, tracks \"a\" \"b\"");
}

static void assert_transport(sl_transport transport, const char *expected)
{
    uint8_t bytes[512];
    sl_event event = transport_event(bytes, 12, transport);
    assert_line(SL_KIND_TRANSPORT, event.payload, event.length, expected);
}

static void test_event_text_transport(void **state)
{
    (void)state;
    assert_transport((sl_transport){.action = SL_TRANSPORT_PLAY}, "12 +3.250s transport source-3 play quantize off");
    assert_transport((sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 97.5},
                     "12 +3.250s transport source-3 tempo 97.5 quantize off");
    assert_transport((sl_transport){.action = SL_TRANSPORT_STOP, .track = "a", .quantize = SL_QUANTIZE_BAR},
                     "12 +3.250s transport source-3 stop \"a\" quantize bar");
    assert_transport((sl_transport){.action = SL_TRANSPORT_CHANNEL, .track = "a", .value = 5},
                     "12 +3.250s transport source-3 channel 5.0 \"a\" quantize off");
    assert_transport((sl_transport){.action = SL_TRANSPORT_INSTRUMENT, .track = "a", .name = "lead", .params = "{}"},
                     "12 +3.250s transport source-3 instrument \"a\" \"lead\" quantize off");
}

static void test_event_text_applied(void **state)
{
    (void)state;
    uint8_t bytes[32];
    sl_event event =
        applied_event(bytes, 12, (sl_applied){.through_seq = 7, .frame = 4800, .rate = 48000, .late = true});
    assert_line(SL_KIND_APPLIED, event.payload, event.length,
                "12 +3.250s applied source-3 through 7 frame 4800 rate 48000 late");
}

static void test_event_text_parameter(void **state)
{
    (void)state;
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_parameter_event event = {.value = 880.5, .id = "lead.cutoff", .id_length = 11};
    assert_int_equal(sl_parameter_event_encode(&event, &writer), SL_OK);
    assert_line(SL_KIND_PARAMETER, bytes, writer.length, "12 +3.250s parameter source-3 \"lead.cutoff\" 880.5");
}

static void test_event_text_player(void **state)
{
    (void)state;
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_player_event sound = {
        .type = SL_PLAYER_SOUND, .rate = 44100, .block = 256, .device = "hw:1", .device_length = 4};
    assert_int_equal(sl_player_event_encode(&sound, &writer), SL_OK);
    assert_line(SL_KIND_PLAYER, bytes, writer.length, "12 +3.250s player source-3 sound rate 44100 block 256 \"hw:1\"");
    writer.length = 0;
    assert_int_equal(sl_player_event_encode(&(sl_player_event){.rate = 48000, .device = ""}, &writer), SL_OK);
    assert_line(SL_KIND_PLAYER, bytes, writer.length, "12 +3.250s player source-3 timer rate 48000");
}

static void test_event_text_heard(void **state)
{
    (void)state;
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_heard heard = {.frame = 96000, .frames = 48000, .rate = 48000, .version = 1, .digest = {0xab, 0xcd}};
    assert_int_equal(sl_heard_encode(&heard, &writer), SL_OK);
    assert_line(SL_KIND_HEARD, bytes, writer.length,
                "12 +3.250s heard source-3 frame 96000 frames 48000 rate 48000 renderer 1 digest "
                "00000000000000cd00000000000000ab");
    heard.missed = 64;
    writer.length = 0;
    assert_int_equal(sl_heard_encode(&heard, &writer), SL_OK);
    assert_line(SL_KIND_HEARD, bytes, writer.length,
                "12 +3.250s heard source-3 frame 96000 frames 48000 rate 48000 missed 64 renderer 1 digest "
                "00000000000000cd00000000000000ab");
}

static void test_event_text_processor(void **state)
{
    (void)state;
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_processor_event event = {.path = "gain.c", .path_length = 6, .source = "int x;", .source_length = 6};
    assert_int_equal(sl_processor_event_encode(&event, &writer), SL_OK);
    assert_line(SL_KIND_PROCESSOR, bytes, writer.length, "12 +3.250s processor source-3 \"gain.c\" bytes 6");
}

static void test_event_text_unknown_kind(void **state)
{
    (void)state;
    assert_line(77, "abc", 3, "12 +3.250s unknown source-3 kind 77, 3 bytes");
}

static void test_event_text_malformed_payload(void **state)
{
    (void)state;
    for (unsigned kind = SL_KIND_START; kind <= SL_KIND_LAST; kind++) {
        if (kind == SL_KIND_MARK || kind == SL_KIND_SYSEX || kind == SL_KIND_GROOVE_EDIT) continue;
        sl_event event = event_of((uint16_t)kind, "abc", 3);
        result said = said_by(sl_text_event, &event);
        assert_string_equal(said.bytes + said.length - strlen(" malformed, 3 bytes"), " malformed, 3 bytes");
    }
}

static void test_event_text_own_source(void **state)
{
    (void)state;
    sl_event event = event_of(SL_KIND_MARK, "x", 1);
    event.source = SL_SOURCE_SELF;
    assert_string_equal(said_by(sl_text_event, &event).bytes, "12 +3.250s mark symlog \"x\"");
}

static void test_event_text_json(void **state)
{
    (void)state;
    sl_event event = event_of(SL_KIND_MARK, "a\"b", 3);
    event.source_seq = 7;
    assert_string_equal(said_by(sl_text_event_json, &event).bytes,
                        "{\"seq\":12,\"time_ns\":3250999999,\"kind\":8,\"version\":1,\"source\":3,\"session\":5,"
                        "\"source_seq\":7,\"payload\":\"612262\",\"text\":\"\\\"a\\\\\\\"b\\\"\"}");
}

static void test_event_text_json_without_number(void **state)
{
    (void)state;
    sl_event event = event_of(SL_KIND_ORDER_SETTLED, NULL, 0);
    assert_string_equal(said_by(sl_text_event_json, &event).bytes,
                        "{\"seq\":12,\"time_ns\":3250999999,\"kind\":9,\"version\":1,\"source\":3,\"session\":5,"
                        "\"source_seq\":null,\"payload\":\"\",\"text\":\"\"}");
}

static void test_event_text_without_memory_is_bad(void **state)
{
    (void)state;
    sl_event event = event_of(SL_KIND_MARK, "x", 1);
    for (uint64_t fail_at = 1; fail_at <= 2; fail_at++) { /* the text's own memory, then that of the words */
        counted_memory memory = {.fail_at = fail_at};
        sl_text text;
        sl_text_open(&text, counted_memory_of(&memory));
        sl_text_event_json(&text, &event, NULL);
        assert_true(text.bad);
        sl_text_close(&text);
        assert_int_equal(memory.size_bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_text_wrapped_message),
        cmocka_unit_test(test_event_text_plain_message),
        cmocka_unit_test(test_event_text_every_tag),
        cmocka_unit_test(test_event_text_float_that_is_not_finite),
        cmocka_unit_test(test_event_text_bundle),
        cmocka_unit_test(test_event_text_empty_bundle),
        cmocka_unit_test(test_event_text_malformed_message),
        cmocka_unit_test(test_event_text_strange_address_is_quoted),
        cmocka_unit_test(test_event_text_long_text_is_cut_between_characters),
        cmocka_unit_test(test_event_text_many_arguments_are_cut),
        cmocka_unit_test(test_event_text_many_messages_are_cut),
        cmocka_unit_test(test_event_text_start),
        cmocka_unit_test(test_event_text_counters),
        cmocka_unit_test(test_event_text_session),
        cmocka_unit_test(test_event_text_refused),
        cmocka_unit_test(test_event_text_checkpoint),
        cmocka_unit_test(test_event_text_picture),
        cmocka_unit_test(test_event_text_mark),
        cmocka_unit_test(test_event_text_order_settled),
        cmocka_unit_test(test_event_text_sysex),
        cmocka_unit_test(test_event_text_sysex_that_is_not_ours),
        cmocka_unit_test(test_event_text_sysex_sent),
        cmocka_unit_test(test_event_text_groove_edit),
        cmocka_unit_test(test_event_text_setlists),
        cmocka_unit_test(test_event_text_code),
        cmocka_unit_test(test_event_text_score),
        cmocka_unit_test(test_event_text_transport),
        cmocka_unit_test(test_event_text_applied),
        cmocka_unit_test(test_event_text_parameter),
        cmocka_unit_test(test_event_text_player),
        cmocka_unit_test(test_event_text_heard),
        cmocka_unit_test(test_event_text_processor),
        cmocka_unit_test(test_event_text_unknown_kind),
        cmocka_unit_test(test_event_text_malformed_payload),
        cmocka_unit_test(test_event_text_own_source),
        cmocka_unit_test(test_event_text_json),
        cmocka_unit_test(test_event_text_json_without_number),
        cmocka_unit_test(test_event_text_without_memory_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
