/* The payloads of sound: what is written is read again, and what is not of the format is refused. */
#include "tests/unit/cmocka_small.h"

#include "core/sound_events.h"

#include <math.h>
#include <string.h>

enum { BYTES_MAX = 1024 };

typedef sl_err read_function(const sl_event *event);

static sl_err read_parameter(const sl_event *event)
{
    sl_parameter_event parameter;
    return sl_parameter_event_decode(event, &parameter);
}

static sl_err read_player(const sl_event *event)
{
    sl_player_event player;
    return sl_player_event_decode(event, &player);
}

static sl_err read_heard(const sl_event *event)
{
    sl_heard heard;
    return sl_heard_decode(event, &heard);
}

static sl_err read_processor(const sl_event *event)
{
    sl_processor_event processor;
    return sl_processor_event_decode(event, &processor);
}

static sl_event event_of(const uint8_t *bytes, size_t length)
{
    return (sl_event){.version = 1, .payload = bytes, .length = (uint32_t)length};
}

/* Cut anywhere, made longer, or of another version it is no payload. */
static void expect_exact(read_function *read, const uint8_t *payload, size_t length)
{
    uint8_t bytes[BYTES_MAX + 1];
    assert_true(length <= BYTES_MAX);
    memcpy(bytes, payload, length);
    bytes[length] = 0;
    sl_event event = event_of(bytes, length);
    assert_int_equal(read(&event), SL_OK);
    event.version = 2;
    assert_int_equal(read(&event), SL_ERR_VERSION);
    event.version = 1;
    event.length = (uint32_t)length + 1;
    assert_int_equal(read(&event), SL_ERR_MALFORMED);
    for (event.length = 0; event.length < length; event.length++) assert_int_equal(read(&event), SL_ERR_MALFORMED);
}

static void test_sound_events_parameter(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_parameter_event said = {.value = -0.125, .id = "lead.cutoff", .id_length = 11};
    assert_int_equal(sl_parameter_event_encode(&said, &out), SL_OK);
    assert_int_equal(out.length, 8 + 4 + 11);
    const sl_event event = event_of(bytes, out.length);
    sl_parameter_event read;
    assert_int_equal(sl_parameter_event_decode(&event, &read), SL_OK);
    assert_memory_equal(&read.value, &said.value, sizeof said.value);
    assert_int_equal(read.id_length, 11);
    assert_memory_equal(read.id, "lead.cutoff", 11);
    expect_exact(read_parameter, bytes, out.length);
    out = (sl_writer){.bytes = bytes, .capacity = 22};
    assert_int_equal(sl_parameter_event_encode(&said, &out), SL_ERR_FULL);
}

static void test_sound_events_parameter_values(void **state)
{
    (void)state;
    static const char id[SL_PARAMETER_ID_BYTES_MAX + 1] = "i";
    const struct {
        double value;
        size_t id_length;
        bool is_good;
    } cases[] = {
        {0, 1, true},
        {-1e300, SL_PARAMETER_ID_BYTES_MAX, true},
        {0, 0, false},
        {0, SL_PARAMETER_ID_BYTES_MAX + 1, false},
        {(double)NAN, 1, false},
        {(double)INFINITY, 1, false},
        {-(double)INFINITY, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[BYTES_MAX];
        sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
        const sl_parameter_event said = {.value = cases[i].value, .id = id, .id_length = cases[i].id_length};
        assert_int_equal(sl_parameter_event_encode(&said, &out), SL_OK);
        const sl_event event = event_of(bytes, out.length);
        assert_int_equal(read_parameter(&event), cases[i].is_good ? SL_OK : SL_ERR_MALFORMED);
    }
}

static void test_sound_events_player(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_player_event said = {
        .type = SL_PLAYER_SOUND, .rate = 44100, .block = 256, .device = "hw:1", .device_length = 4};
    assert_int_equal(sl_player_event_encode(&said, &out), SL_OK);
    const sl_event event = event_of(bytes, out.length);
    sl_player_event read;
    assert_int_equal(sl_player_event_decode(&event, &read), SL_OK);
    assert_int_equal(read.type, SL_PLAYER_SOUND);
    assert_int_equal(read.rate, 44100);
    assert_int_equal(read.block, 256);
    assert_int_equal(read.device_length, 4);
    assert_memory_equal(read.device, "hw:1", 4);
    expect_exact(read_player, bytes, out.length);
    out = (sl_writer){.bytes = bytes, .capacity = 16};
    assert_int_equal(sl_player_event_encode(&said, &out), SL_ERR_FULL);
}

static void test_sound_events_player_values(void **state)
{
    (void)state;
    static const char device[SL_DEVICE_BYTES_MAX + 1] = "d";
    const struct {
        sl_player_event event;
        bool is_good;
    } cases[] = {
        {{.type = SL_PLAYER_TIMER, .rate = 8000}, true},
        {{.type = SL_PLAYER_NO_DEVICE, .rate = 384000, .block = UINT32_MAX}, true},
        {{.type = SL_PLAYER_SOUND, .rate = 48000, .device_length = SL_DEVICE_BYTES_MAX}, true},
        {{.type = SL_PLAYER_SOUND, .rate = 48000, .device_length = SL_DEVICE_BYTES_MAX + 1}, false},
        {{.type = SL_PLAYER_TYPE_LAST + 1, .rate = 48000}, false},
        {{.type = SL_PLAYER_TIMER, .rate = 7999}, false},
        {{.type = SL_PLAYER_TIMER, .rate = 384001}, false},
        {{.type = SL_PLAYER_TIMER, .rate = 0}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[BYTES_MAX];
        sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
        sl_player_event said = cases[i].event;
        said.device = device;
        assert_int_equal(sl_player_event_encode(&said, &out), SL_OK);
        const sl_event event = event_of(bytes, out.length);
        assert_int_equal(read_player(&event), cases[i].is_good ? SL_OK : SL_ERR_MALFORMED);
    }
}

static void test_sound_events_player_names(void **state)
{
    (void)state;
    assert_string_equal(sl_player_type_name(SL_PLAYER_TIMER), "timer");
    assert_string_equal(sl_player_type_name(SL_PLAYER_SOUND), "sound");
    assert_string_equal(sl_player_type_name(SL_PLAYER_NO_DEVICE), "no device");
    assert_null(sl_player_type_name(SL_PLAYER_TYPE_LAST + 1));
    assert_null(sl_player_type_name(255));
}

static void test_sound_events_heard(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_heard said = {
        .frame = UINT64_C(1) << 40, .frames = 48000, .rate = 48000, .missed = 7, .version = 3, .digest = {5, 6}};
    assert_int_equal(sl_heard_encode(&said, &out), SL_OK);
    assert_int_equal(out.length, 40);
    const sl_event event = event_of(bytes, out.length);
    sl_heard read;
    assert_int_equal(sl_heard_decode(&event, &read), SL_OK);
    assert_int_equal(read.frame, said.frame);
    assert_int_equal(read.frames, 48000);
    assert_int_equal(read.rate, 48000);
    assert_int_equal(read.missed, 7);
    assert_int_equal(read.version, 3);
    assert_true(sl_digest_equal(read.digest, said.digest));
    expect_exact(read_heard, bytes, out.length);
    out = (sl_writer){.bytes = bytes, .capacity = 39};
    assert_int_equal(sl_heard_encode(&said, &out), SL_ERR_FULL);
}

static void test_sound_events_heard_values(void **state)
{
    (void)state;
    static const struct {
        sl_heard heard;
        bool is_good;
    } cases[] = {
        {{.frames = 1, .rate = 8000}, true},
        {{.frames = 96000, .rate = 48000, .missed = 96000}, true},
        {{.frames = 96001, .rate = 48000}, false},
        {{.frames = 0, .rate = 48000}, false},
        {{.frames = 10, .rate = 48000, .missed = 11}, false},
        {{.frames = 10, .rate = 1}, false},
        {{.frame = UINT64_MAX - 11, .frames = 10, .rate = 48000}, true},
        {{.frame = UINT64_MAX - 10, .frames = 10, .rate = 48000}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[BYTES_MAX];
        sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
        assert_int_equal(sl_heard_encode(&cases[i].heard, &out), SL_OK);
        const sl_event event = event_of(bytes, out.length);
        assert_int_equal(read_heard(&event), cases[i].is_good ? SL_OK : SL_ERR_MALFORMED);
    }
}

static void test_sound_events_processor(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_processor_event said = {.path = "gain.c", .path_length = 6, .source = "int x;", .source_length = 6};
    assert_int_equal(sl_processor_event_encode(&said, &out), SL_OK);
    const sl_event event = event_of(bytes, out.length);
    sl_processor_event read;
    assert_int_equal(sl_processor_event_decode(&event, &read), SL_OK);
    assert_int_equal(read.path_length, 6);
    assert_memory_equal(read.path, "gain.c", 6);
    assert_int_equal(read.source_length, 6);
    assert_memory_equal(read.source, "int x;", 6);
    expect_exact(read_processor, bytes, out.length);
    out = (sl_writer){.bytes = bytes, .capacity = 19};
    assert_int_equal(sl_processor_event_encode(&said, &out), SL_ERR_FULL);
}

static void test_sound_events_processor_of_too_much_source(void **state)
{
    (void)state;
    static uint8_t bytes[SL_PROCESSOR_BYTES_MAX + 64];
    static char source[SL_PROCESSOR_BYTES_MAX + 1];
    for (size_t more = 0; more <= 1; more++) {
        sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
        const sl_processor_event said = {
            .path = "p", .path_length = 1, .source = source, .source_length = SL_PROCESSOR_BYTES_MAX + more};
        assert_int_equal(sl_processor_event_encode(&said, &out), SL_OK);
        const sl_event event = event_of(bytes, out.length);
        assert_int_equal(read_processor(&event), more == 0 ? SL_OK : SL_ERR_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_events_parameter),
        cmocka_unit_test(test_sound_events_parameter_values),
        cmocka_unit_test(test_sound_events_player),
        cmocka_unit_test(test_sound_events_player_values),
        cmocka_unit_test(test_sound_events_player_names),
        cmocka_unit_test(test_sound_events_heard),
        cmocka_unit_test(test_sound_events_heard_values),
        cmocka_unit_test(test_sound_events_processor),
        cmocka_unit_test(test_sound_events_processor_of_too_much_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
