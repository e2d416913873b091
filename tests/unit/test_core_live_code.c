/* The payloads of live code: what is written is read again, and what is not of the format is refused. */
#include "tests/unit/cmocka_small.h"

#include "core/live_code.h"
#include "tests/unit/score_builder.h"

#include <math.h>
#include <string.h>

enum { BYTES_MAX = 512, BEAT = SL_TICKS_PER_BEAT };

typedef sl_err read_function(const sl_event *event);

static sl_err read_code(const sl_event *event)
{
    sl_code code;
    return sl_code_decode(event, &code);
}

static sl_err read_transport(const sl_event *event)
{
    sl_transport transport;
    return sl_transport_decode(event, &transport);
}

static sl_err read_applied(const sl_event *event)
{
    sl_applied applied;
    return sl_applied_decode(event, &applied);
}

static sl_err read_score(const sl_event *event)
{
    sl_score_error error;
    return sl_score_check(event, &error);
}

/* Cut anywhere, made longer, or of another version it is no payload. */
static void expect_exact(read_function *read, const uint8_t *payload, size_t length)
{
    uint8_t bytes[BYTES_MAX + 1];
    assert_true(length <= BYTES_MAX);
    memcpy(bytes, payload, length);
    bytes[length] = 0;
    sl_event event = {.version = 1, .payload = bytes, .length = (uint32_t)length};
    assert_int_equal(read(&event), SL_OK);
    event.version = 2;
    assert_int_equal(read(&event), SL_ERR_VERSION);
    event.version = 1;
    event.length = (uint32_t)length + 1;
    assert_int_equal(read(&event), SL_ERR_MALFORMED);
    for (event.length = 0; event.length < length; event.length++) assert_int_equal(read(&event), SL_ERR_MALFORMED);
}

static void test_live_code_code(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    sl_code code = {.quantize = SL_QUANTIZE_DEFAULT,
                    .language = SL_LANGUAGE_TYPESCRIPT,
                    .buffer = "lead",
                    .buffer_length = 4,
                    .source = "x()",
                    .source_length = 3},
            read;
    assert_int_equal(sl_code_encode(&code, &out), SL_OK);
    sl_event event = {.version = 1, .payload = bytes, .length = (uint32_t)out.length};
    assert_int_equal(sl_code_decode(&event, &read), SL_OK);
    assert_int_equal(read.quantize, code.quantize);
    assert_int_equal(read.language, code.language);
    assert_int_equal(read.buffer_length, 4);
    assert_memory_equal(read.buffer, "lead", 4);
    assert_memory_equal(read.source, "x()", 3);
    expect_exact(read_code, bytes, out.length);
    bytes[0] = 3; /* no quantize */
    assert_int_equal(sl_code_decode(&event, &read), SL_ERR_MALFORMED);
    bytes[0] = 0;
    bytes[1] = 2; /* no language */
    assert_int_equal(sl_code_decode(&event, &read), SL_ERR_MALFORMED);
    out = (sl_writer){.bytes = bytes, .capacity = 5};
    assert_int_equal(sl_code_encode(&code, &out), SL_ERR_FULL);
}

static void test_live_code_transport(void **state)
{
    (void)state;
    uint8_t bytes[512];
    sl_transport read;
    sl_transport said = {.action = SL_TRANSPORT_EFFECT,
                         .quantize = SL_QUANTIZE_BAR,
                         .value = 0.25,
                         .track = "a",
                         .name = "echo",
                         .params = "{}"};
    sl_event event = transport_event(bytes, 1, said);
    assert_int_equal(sl_transport_decode(&event, &read), SL_OK);
    assert_int_equal(read.action, said.action);
    assert_int_equal(read.quantize, said.quantize);
    assert_memory_equal(&read.value, &said.value, sizeof said.value);
    assert_int_equal(read.name_length, 4);
    assert_memory_equal(read.name, "echo", 4);
    assert_memory_equal(read.params, "{}", 2);
    expect_exact(read_transport, bytes, event.length);
}

static void test_live_code_transport_values(void **state)
{
    (void)state;
    static const struct {
        double value;
        uint8_t action;
        uint8_t quantize;
        bool is_good;
    } cases[] = {
        {0, 0, 0, false},
        {0, SL_TRANSPORT_ACTION_LAST + 1, 0, false},
        {0.99, SL_TRANSPORT_TEMPO, 0, false},
        {1, SL_TRANSPORT_TEMPO, 0, true},
        {1000, SL_TRANSPORT_TEMPO, 0, true},
        {1000.5, SL_TRANSPORT_TEMPO, 0, false},
        {(double)NAN, SL_TRANSPORT_TEMPO, 0, false},
        {16, SL_TRANSPORT_CHANNEL, 0, true},
        {17, SL_TRANSPORT_CHANNEL, 0, false},
        {2.5, SL_TRANSPORT_CHANNEL, 0, false},
        {-1, SL_TRANSPORT_CHANNEL, 0, false},
        {0, SL_TRANSPORT_QUANTIZE, SL_QUANTIZE_BEAT, true},
        {0, SL_TRANSPORT_QUANTIZE, SL_QUANTIZE_DEFAULT, false},
        {0, SL_TRANSPORT_STOP, 7, false},
        {(double)INFINITY, SL_TRANSPORT_PLAY, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[512];
        sl_transport said = {.action = cases[i].action, .quantize = cases[i].quantize, .value = cases[i].value};
        sl_event event = transport_event(bytes, 1, said);
        assert_int_equal(read_transport(&event), cases[i].is_good ? SL_OK : SL_ERR_MALFORMED);
    }
    for (unsigned action = 1; action <= SL_TRANSPORT_ACTION_LAST; action++)
        assert_non_null(sl_transport_action_name((uint8_t)action));
    assert_null(sl_transport_action_name(0));
    assert_null(sl_transport_action_name(SL_TRANSPORT_ACTION_LAST + 1));
}

static void test_live_code_applied(void **state)
{
    (void)state;
    uint8_t bytes[32];
    sl_applied read, said = {.through_seq = 9, .frame = UINT64_C(1) << 40, .rate = 44100, .late = true};
    sl_event event = applied_event(bytes, 1, said);
    assert_int_equal(sl_applied_decode(&event, &read), SL_OK);
    assert_int_equal(read.through_seq, 9);
    assert_int_equal(read.frame, said.frame);
    assert_int_equal(read.rate, 44100);
    assert_true(read.late);
    expect_exact(read_applied, bytes, event.length);
    static const uint32_t rates[] = {0, 7999, 384001};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        event = applied_event(bytes, 1, (sl_applied){.rate = rates[i]});
        assert_int_equal(read_applied(&event), SL_ERR_MALFORMED);
    }
    event = applied_event(bytes, 1, (sl_applied){.rate = 48000, .frame = INT64_MAX});
    assert_int_equal(read_applied(&event), SL_ERR_MALFORMED);
    event = applied_event(bytes, 1, (sl_applied){.rate = 48000});
    bytes[event.length - 1] = 2; /* a flag that there is not */
    assert_int_equal(read_applied(&event), SL_ERR_MALFORMED);
}

static void test_live_code_score(void **state)
{
    (void)state;
    static score_builder builder;
    sl_score_head head = {.code_seq = 5,
                          .quantize = SL_QUANTIZE_BAR,
                          .replaces = true,
                          .has_tempo = true,
                          .has_signature = true,
                          .numerator = 7,
                          .denominator = 8,
                          .bpm = 90,
                          .buffer = "b",
                          .buffer_length = 1},
                  read;
    builder.writer = (sl_writer){.bytes = builder.bytes, .capacity = sizeof builder.bytes};
    sl_score_begin(&builder.score, &builder.writer, &head);
    score_track(&builder, "a", 4);
    score_step(&builder, (sl_score_step){.op = SL_SCORE_LOOP, .count = 3});
    score_note(&builder, 60, BEAT);
    score_step(&builder, (sl_score_step){.op = SL_SCORE_END});
    score_end_track(&builder);
    sl_event event = score_end(&builder, 1);
    sl_reader reader = {.bytes = event.payload, .length = event.length};
    const char *what;
    assert_int_equal(sl_score_read_head(&reader, &read, &what), SL_OK);
    assert_int_equal(read.code_seq, 5);
    assert_true(read.replaces && read.has_tempo && read.has_signature);
    assert_int_equal(read.numerator, 7);
    assert_int_equal(read.denominator, 8);
    assert_memory_equal(read.buffer, "b", 1);
    assert_int_equal(read.track_count, 1);
    sl_score_track track;
    assert_int_equal(sl_score_read_track(&reader, &track, &what), SL_OK);
    assert_int_equal(track.channel, 4);
    assert_int_equal(reader.position, reader.length);
    expect_exact(read_score, event.payload, event.length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_code_code),
        cmocka_unit_test(test_live_code_transport),
        cmocka_unit_test(test_live_code_transport_values),
        cmocka_unit_test(test_live_code_applied),
        cmocka_unit_test(test_live_code_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
