/* The payloads of symlog's own events. Each is encoded, decoded, and encoded again: the bytes must be the same. */
#include "core/payload.h"

#include "tests/unit/cmocka_small.h"

#include <string.h>

static const sl_start start_example = {
    .wall_ns = -5,
    .reducer_version = 1,
    .boot_id = {1, 2, 3},
    .program = "symlog 0.1.0",
    .program_length = 12,
    .options = "--demo",
    .options_length = 6,
};
static const sl_session session_example = {
    .input = SL_INPUT_OSC, .has_hello = true, .name = "127.0.0.1:52011", .name_length = 15};
static const sl_checkpoint checkpoint_example = {.through_seq = 9, .reducer_version = 1, .digest = {3, 4}};
static const sl_refused refused_example = {
    .kind = SL_KIND_CODE, .reason = "no", .reason_length = 2, .code_seq = 7, .line = 3, .column = 9};
static const sl_counters counters_example = {
    .kernel_drops = 1,
    .refused_unnamed = 2,
    .count = 2,
    .sources = {{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, {14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}},
};
static const sl_gave_up gave_up_example = {.through = 0x0102030405};
static const sl_base base_example = {.before_seq = 7, .state = (const uint8_t *)"state", .state_length = 5};
static const sl_paused paused_example = {.is_paused = true};
static const sl_sysex_sent sent_example = {.to = 3, .frame = (const uint8_t *)"\xF0\x7D\xF7", .frame_length = 3};

static const sl_save save_example = {
    .mtime_ns = -7, .path = "/Song.als", .path_length = 9, .bytes = (const uint8_t *)"<set/>", .length = 6};

/* The codecs as one shape: encodes the example, or what `from` decodes to. */
typedef sl_err codec(const sl_event *from, sl_writer *out);

static sl_err start_codec(const sl_event *from, sl_writer *out)
{
    sl_start value = start_example;
    sl_err err = from != NULL ? sl_start_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_start_encode(&value, out) : err;
}

static sl_err session_codec(const sl_event *from, sl_writer *out)
{
    sl_session value = session_example;
    sl_err err = from != NULL ? sl_session_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_session_encode(&value, out) : err;
}

static sl_err counters_codec(const sl_event *from, sl_writer *out)
{
    sl_counters value = counters_example;
    sl_err err = from != NULL ? sl_counters_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_counters_encode(&value, out) : err;
}

static sl_err checkpoint_codec(const sl_event *from, sl_writer *out)
{
    sl_checkpoint value = checkpoint_example;
    sl_err err = from != NULL ? sl_checkpoint_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_checkpoint_encode(&value, out) : err;
}

static sl_err refused_codec(const sl_event *from, sl_writer *out)
{
    sl_refused value = refused_example;
    sl_err err = from != NULL ? sl_refused_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_refused_encode(&value, out) : err;
}

static sl_err gave_up_codec(const sl_event *from, sl_writer *out)
{
    sl_gave_up value = gave_up_example;
    sl_err err = from != NULL ? sl_gave_up_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_gave_up_encode(&value, out) : err;
}

static sl_err base_codec(const sl_event *from, sl_writer *out)
{
    sl_base value = base_example;
    sl_err err = from != NULL ? sl_base_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_base_encode(&value, out) : err;
}

static sl_err paused_codec(const sl_event *from, sl_writer *out)
{
    sl_paused value = paused_example;
    sl_err err = from != NULL ? sl_paused_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_paused_encode(&value, out) : err;
}

static sl_err sent_codec(const sl_event *from, sl_writer *out)
{
    sl_sysex_sent value = sent_example;
    sl_err err = from != NULL ? sl_sysex_sent_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_sysex_sent_encode(&value, out) : err;
}

static sl_err save_codec(const sl_event *from, sl_writer *out)
{
    sl_save value = save_example;
    sl_err err = from != NULL ? sl_save_decode(from, &value) : SL_OK;
    return err == SL_OK ? sl_save_encode(&value, out) : err;
}

/* Walks through what it reads, and writes that. */
static sl_err setlists_codec(const sl_event *from, sl_writer *out)
{
    sl_setlists lists;
    if (from != NULL) {
        sl_err err = sl_setlists_decode(from, &lists);
        if (err != SL_OK) return err;
    }
    sl_setlists_encode_begin(from != NULL ? lists.list_count : 2, out);
    for (uint32_t list = 0; list < 2; list++) {
        const char *title = "Styles", *name = "Rock", *patch = "kick:4";
        size_t title_length = 6, name_length = 4, patch_length = 6;
        uint32_t item_count = list;
        if (from != NULL) sl_setlists_next_list(&lists, &title, &title_length, &item_count);
        sl_setlists_encode_list(title, title_length, item_count, out);
        for (uint32_t item = 0; item < item_count; item++) {
            if (from != NULL) sl_setlists_next_item(&lists, &name, &name_length, &patch, &patch_length);
            sl_setlists_encode_item(name, name_length, patch, patch_length, out);
        }
    }
    return out->bad ? SL_ERR_FULL : SL_OK;
}

static const struct {
    codec *run;
    uint16_t version; /* the newest */
    size_t length;    /* of the example's bytes */
    size_t rest;      /* of them, bytes at the end that may be any number */
} codecs[] = {
    {start_codec, SL_PAYLOAD_VERSION, 8 + 4 + 16 + 4 + 12 + 4 + 6, 0},
    {session_codec, SL_SESSION_VERSION, 1 + 1 + 4 + 15, 0},
    {counters_codec, SL_COUNTERS_VERSION, 20 + 2 * 84, 0},
    {checkpoint_codec, SL_PAYLOAD_VERSION, 8 + 4 + 16, 0},
    {refused_codec, SL_REFUSED_VERSION, 2 + 4 + 2 + 16, 0},
    {gave_up_codec, SL_PAYLOAD_VERSION, 8, 0},
    {base_codec, SL_PAYLOAD_VERSION, 8 + 5, 5},
    {paused_codec, SL_PAYLOAD_VERSION, 1, 0},
    {sent_codec, SL_PAYLOAD_VERSION, 4 + 3, 3},
    {save_codec, SL_PAYLOAD_VERSION, 8 + 4 + 9 + 6, 6},
    {setlists_codec, SL_PAYLOAD_VERSION, 4 + 2 * (4 + 6 + 4) + 4 + 4 + 4 + 6, 0},
};

enum { CODEC_COUNT = sizeof codecs / sizeof codecs[0], BUFFER_BYTES = 512 };

static sl_event encoded_example(size_t which, uint8_t *buffer)
{
    sl_writer writer = {.bytes = buffer, .capacity = BUFFER_BYTES};
    assert_int_equal(codecs[which].run(NULL, &writer), SL_OK);
    return (sl_event){.version = codecs[which].version, .payload = buffer, .length = (uint32_t)writer.length};
}

static void test_payload_has_documented_length(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) assert_int_equal(encoded_example(i, buffer).length, codecs[i].length);
}

static void test_payload_reads_back(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    uint8_t again[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        sl_writer writer = {.bytes = again, .capacity = sizeof again};
        assert_int_equal(codecs[i].run(&event, &writer), SL_OK);
        assert_memory_equal(again, buffer, event.length);
    }
}

static void test_payload_that_does_not_fit_is_full(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_writer writer = {.bytes = buffer, .capacity = codecs[i].length - 1};
        assert_int_equal(codecs[i].run(NULL, &writer), SL_ERR_FULL);
    }
}

static void test_payload_cut_short_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        event.length -= (uint32_t)codecs[i].rest;
        while (event.length-- > 0) {
            sl_writer unused = {0};
            assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_MALFORMED);
        }
    }
}

static void test_payload_with_more_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES] = {0};
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        sl_writer unused = {0};
        if (codecs[i].rest > 0) continue;
        event.length++;
        assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_MALFORMED);
    }
}

static void test_payload_of_other_version(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        sl_writer unused = {0};
        event.version++;
        assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_VERSION);
        event.version = 0;
        assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_VERSION);
    }
}

static void test_payload_session_of_unknown_input_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    sl_event event = encoded_example(1, buffer);
    sl_session session;
    buffer[0] = SL_INPUT_LAST + 1;
    assert_int_equal(sl_session_decode(&event, &session), SL_ERR_MALFORMED);
}

static void test_payload_session_with_long_name_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES] = {SL_INPUT_OSC, false, SL_NAME_BYTES_MAX + 1};
    sl_event event = {.version = SL_SESSION_VERSION, .payload = buffer, .length = 1 + 1 + 4 + SL_NAME_BYTES_MAX + 1};
    sl_session session;
    assert_int_equal(sl_session_decode(&event, &session), SL_ERR_MALFORMED);
}

static void test_payload_counters_of_too_many_is_malformed(void **state)
{
    (void)state;
    static uint8_t buffer[SL_COUNTERS_BYTES_MAX + 84];
    sl_event event = {.version = SL_COUNTERS_VERSION, .payload = buffer, .length = sizeof buffer};
    static sl_counters counters;
    buffer[16] = SL_SOURCES_MAX + 2;
    assert_int_equal(sl_counters_decode(&event, &counters), SL_ERR_MALFORMED);
}

static void test_payload_setlists_have_bounds(void **state)
{
    (void)state;
    static uint8_t buffer[SL_SETLISTS_BYTES_MAX + 8];
    sl_setlists lists;
    sl_writer writer = {.bytes = buffer, .capacity = sizeof buffer};
    sl_setlists_encode_begin(SL_SETLISTS_LISTS_MAX + 1, &writer);
    for (int i = 0; i <= SL_SETLISTS_LISTS_MAX; i++) sl_setlists_encode_list("", 0, 0, &writer);
    sl_event event = {.version = SL_PAYLOAD_VERSION, .payload = buffer, .length = (uint32_t)writer.length};
    assert_int_equal(sl_setlists_decode(&event, &lists), SL_ERR_MALFORMED);
    writer.length = 0;
    sl_setlists_encode_begin(1, &writer);
    sl_setlists_encode_list("", 0, SL_SETLISTS_ITEMS_MAX + 1, &writer);
    for (int i = 0; i <= SL_SETLISTS_ITEMS_MAX; i++) sl_setlists_encode_item("", 0, "", 0, &writer);
    event.length = (uint32_t)writer.length;
    assert_int_equal(sl_setlists_decode(&event, &lists), SL_ERR_MALFORMED);
    sl_put_le(buffer, 1, 4);
    sl_put_le(buffer + 4, SL_SETLISTS_BYTES_MAX + 1 - 12, 4);
    event.length = SL_SETLISTS_BYTES_MAX + 1;
    memset(buffer + 8, 0, sizeof buffer - 8);
    assert_int_equal(sl_setlists_decode(&event, &lists), SL_ERR_MALFORMED);
}

static void test_payload_counters_of_most_fit(void **state)
{
    (void)state;
    static uint8_t buffer[SL_COUNTERS_BYTES_MAX];
    static const sl_counters counters = {.count = SL_SOURCES_MAX + 1};
    sl_writer writer = {.bytes = buffer, .capacity = sizeof buffer};
    assert_int_equal(sl_counters_encode(&counters, &writer), SL_OK);
}

static void test_payload_boolean_of_two_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    sl_event event = encoded_example(1, buffer);
    sl_session session;
    buffer[1] = 2;
    assert_int_equal(sl_session_decode(&event, &session), SL_ERR_MALFORMED);
    sl_paused paused;
    event = (sl_event){.version = SL_PAYLOAD_VERSION, .payload = (const uint8_t[]){2}, .length = 1};
    assert_int_equal(sl_paused_decode(&event, &paused), SL_ERR_MALFORMED);
}

static void test_payload_session_of_version_1_has_no_hello(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {SL_INPUT_OSC, 2, 0, 0, 0, 'm', 'e'};
    sl_event event = {.version = 1, .payload = bytes, .length = sizeof bytes};
    sl_session session;
    assert_int_equal(sl_session_decode(&event, &session), SL_OK);
    assert_int_equal(session.input, SL_INPUT_OSC);
    assert_false(session.has_hello);
    assert_int_equal(session.name_length, 2);
    assert_memory_equal(session.name, "me", 2);
}

static void test_payload_refused_of_version_1_has_no_place(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {SL_KIND_PICTURE, 0, 1, 0, 0, 0, 'x'};
    sl_event event = {.version = 1, .payload = bytes, .length = sizeof bytes};
    sl_refused refused;
    assert_int_equal(sl_refused_decode(&event, &refused), SL_OK);
    assert_int_equal(refused.code_seq, 0);
    assert_int_equal(refused.line, 0);
}

static void test_payload_counters_of_version_1_have_seven_numbers(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {4, 5, 6, 7, 8, 9, 10};
    uint8_t buffer[BUFFER_BYTES];
    sl_writer writer = {.bytes = buffer, .capacity = sizeof buffer};
    sl_write_le(&writer, 1, 8);
    sl_write_le(&writer, 2, 8);
    sl_write_le(&writer, 1, 4);
    sl_write_le(&writer, 3, 4);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sl_write_le(&writer, numbers[i], 8);
    sl_event event = {.version = 1, .payload = buffer, .length = (uint32_t)writer.length};
    static sl_counters counters;
    assert_int_equal(sl_counters_decode(&event, &counters), SL_OK);
    assert_int_equal(counters.count, 1);
    const sl_source_counts expected = {3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 10};
    assert_memory_equal(&counters.sources[0], &expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload_has_documented_length),
        cmocka_unit_test(test_payload_reads_back),
        cmocka_unit_test(test_payload_that_does_not_fit_is_full),
        cmocka_unit_test(test_payload_cut_short_is_malformed),
        cmocka_unit_test(test_payload_with_more_is_malformed),
        cmocka_unit_test(test_payload_of_other_version),
        cmocka_unit_test(test_payload_session_of_unknown_input_is_malformed),
        cmocka_unit_test(test_payload_session_with_long_name_is_malformed),
        cmocka_unit_test(test_payload_counters_of_too_many_is_malformed),
        cmocka_unit_test(test_payload_setlists_have_bounds),
        cmocka_unit_test(test_payload_counters_of_most_fit),
        cmocka_unit_test(test_payload_boolean_of_two_is_malformed),
        cmocka_unit_test(test_payload_session_of_version_1_has_no_hello),
        cmocka_unit_test(test_payload_refused_of_version_1_has_no_place),
        cmocka_unit_test(test_payload_counters_of_version_1_have_seven_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
