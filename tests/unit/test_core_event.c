/* Event names, the record codec with its checksum, and the payloads. */
#include "core/event.h"
#include "core/payload.h"

#include "tests/unit/cmocka_small.h"

#include <string.h>

static const uint8_t log_id[SL_LOG_ID_BYTES] = "0123456789abcde";
static const uint8_t osc_payload[8] = {'/', 'a', 0, 0, ',', 0, 0, 0};

static const sl_event example = {
    .seq = 12,
    .kind = SL_KIND_OSC,
    .version = 1,
    .source = 0x01020304,
    .session = 0x1112131415161718,
    .source_seq = 7,
    .time_ns = 3250000000,
    .payload = osc_payload,
    .length = sizeof osc_payload,
};

static uint32_t crc_bit_by_bit(const uint8_t *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void test_event_crc32c_golden(void **state)
{
    (void)state;
    assert_int_equal(sl_crc32c(0, "123456789", 9), 0xe3069283);
}

static void test_event_crc32c_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(sl_crc32c(0, NULL, 0), 0);
}

static void test_event_crc32c_of_every_length(void **state)
{
    (void)state;
    uint8_t bytes[600];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * i * 31 + 7 * i);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(sl_crc32c(0, bytes + i % 8, i - i % 8), crc_bit_by_bit(bytes + i % 8, i - i % 8));
    }
}

static void test_event_crc32c_continues(void **state)
{
    (void)state;
    for (size_t i = 0; i <= 9; i++) {
        assert_int_equal(sl_crc32c(sl_crc32c(0, "123456789", i), &"123456789"[i], 9 - i), 0xe3069283);
    }
}

static void test_event_kind_names_are_unique(void **state)
{
    (void)state;
    for (unsigned kind = SL_KIND_START; kind <= SL_KIND_LAST; kind++) {
        assert_int_equal(sl_kind_by_name(sl_kind_name((uint16_t)kind)), kind);
    }
}

static void test_event_kind_unknown_number(void **state)
{
    (void)state;
    assert_string_equal(sl_kind_name(0), "unknown");
    assert_string_equal(sl_kind_name(SL_KIND_LAST + 1), "unknown");
}

static void test_event_kind_unknown_name(void **state)
{
    (void)state;
    assert_int_equal(sl_kind_by_name("unknown"), 0);
}

static void test_event_record_has_known_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[SL_RECORD_HEADER_BYTES] = {
        0x04, 0x00, 0x01, 0x00, 0x04, 0x03, 0x02, 0x01, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13,
        0x12, 0x11, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x10, 0xb7, 0xc1,
        0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_record_encode(&example, log_id, header);
    assert_memory_equal(header, expected, 36);
}

static void test_event_record_crc_covers_id_seq_header_payload(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES];
    uint8_t covered[SL_LOG_ID_BYTES + 8 + 36 + sizeof osc_payload] = {0};
    sl_record_encode(&example, log_id, header);
    memcpy(covered, log_id, SL_LOG_ID_BYTES);
    covered[SL_LOG_ID_BYTES] = 12;
    memcpy(covered + SL_LOG_ID_BYTES + 8, header, 36);
    memcpy(covered + SL_LOG_ID_BYTES + 8 + 36, osc_payload, sizeof osc_payload);
    assert_int_equal(sl_get_le(header + 36, 4), crc_bit_by_bit(covered, sizeof covered));
}

static void test_event_record_reads_back(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES];
    uint8_t again[SL_RECORD_HEADER_BYTES];
    sl_event event = {.seq = example.seq, .payload = example.payload};
    sl_record_encode(&example, log_id, header);
    assert_int_equal(sl_record_decode(header, sizeof header, &event), SL_OK);
    sl_record_encode(&event, log_id, again);
    assert_memory_equal(again, header, sizeof header);
}

static void test_event_record_checks(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_record_encode(&example, log_id, header);
    assert_int_equal(sl_record_check(&example, log_id, header), SL_OK);
}

static void test_event_record_flipped_header_bit_is_corrupt(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_record_encode(&example, log_id, header);
    for (size_t bit = 0; bit < sizeof header * 8; bit++) {
        header[bit / 8] = (uint8_t)(header[bit / 8] ^ 1U << bit % 8);
        assert_int_equal(sl_record_check(&example, log_id, header), SL_ERR_CORRUPT);
        header[bit / 8] = (uint8_t)(header[bit / 8] ^ 1U << bit % 8);
    }
}

static void test_event_record_of_other_seq_is_corrupt(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_event moved = example;
    sl_record_encode(&example, log_id, header);
    moved.seq++;
    assert_int_equal(sl_record_check(&moved, log_id, header), SL_ERR_CORRUPT);
}

static void test_event_record_of_other_log_is_corrupt(void **state)
{
    (void)state;
    static const uint8_t other_id[SL_LOG_ID_BYTES] = "0123456789abcdf";
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_record_encode(&example, log_id, header);
    assert_int_equal(sl_record_check(&example, other_id, header), SL_ERR_CORRUPT);
}

static void test_event_record_changed_payload_is_corrupt(void **state)
{
    (void)state;
    static const uint8_t other_payload[8] = {'/', 'b', 0, 0, ',', 0, 0, 0};
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_event changed = example;
    sl_record_encode(&example, log_id, header);
    changed.payload = other_payload;
    assert_int_equal(sl_record_check(&changed, log_id, header), SL_ERR_CORRUPT);
}

static void test_event_record_of_wrong_length_is_malformed(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES + 1] = {0};
    sl_event event;
    assert_int_equal(sl_record_decode(header, SL_RECORD_HEADER_BYTES - 1, &event), SL_ERR_MALFORMED);
    assert_int_equal(sl_record_decode(header, SL_RECORD_HEADER_BYTES + 1, &event), SL_ERR_MALFORMED);
}

static void test_event_record_with_long_payload_is_malformed(void **state)
{
    (void)state;
    uint8_t header[SL_RECORD_HEADER_BYTES] = {0};
    sl_event event;
    sl_put_le(header + 32, (uint64_t)SL_PAYLOAD_BYTES_MAX + 1, 4);
    assert_int_equal(sl_record_decode(header, sizeof header, &event), SL_ERR_MALFORMED);
}

/* Payloads. Each is encoded, decoded, and encoded again: the bytes must be the same. */

static const sl_start start_example = {
    .wall_ns = -5,
    .reducer_version = 1,
    .boot_id = {1, 2, 3},
    .program = "symlog 0.1.0",
    .program_length = 12,
    .options = "--demo",
    .options_length = 6,
};
static const sl_session session_example = {.input = SL_INPUT_OSC, .name = "127.0.0.1:52011", .name_length = 15};
static const sl_checkpoint checkpoint_example = {.through_seq = 9, .reducer_version = 1, .digest = {3, 4}};
static const sl_refused refused_example = {.kind = SL_KIND_PICTURE, .reason = "no", .reason_length = 2};
static const sl_counters counters_example = {
    .kernel_drops = 1,
    .refused_unnamed = 2,
    .count = 2,
    .sources = {{3, 4, 5, 6, 7, 8, 9, 10}, {11, 12, 13, 14, 15, 16, 17, 18}},
};

/* The five codecs as one shape: encodes the example, or what `from` decodes to. */
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

static const struct {
    codec *run;
    size_t length; /* of the example's bytes */
} codecs[] = {
    {start_codec, 8 + 4 + 16 + 4 + 12 + 4 + 6},
    {session_codec, 1 + 4 + 15},
    {counters_codec, 20 + 2 * 60},
    {checkpoint_codec, 8 + 4 + 16},
    {refused_codec, 2 + 4 + 2},
};

enum { CODEC_COUNT = sizeof codecs / sizeof codecs[0], BUFFER_BYTES = 512 };

static sl_event encoded_example(size_t which, uint8_t *buffer)
{
    sl_writer writer = {.bytes = buffer, .capacity = BUFFER_BYTES};
    assert_int_equal(codecs[which].run(NULL, &writer), SL_OK);
    return (sl_event){.version = SL_PAYLOAD_VERSION, .payload = buffer, .length = (uint32_t)writer.length};
}

static void test_event_payload_has_documented_length(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) assert_int_equal(encoded_example(i, buffer).length, codecs[i].length);
}

static void test_event_payload_reads_back(void **state)
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

static void test_event_payload_that_does_not_fit_is_full(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_writer writer = {.bytes = buffer, .capacity = codecs[i].length - 1};
        assert_int_equal(codecs[i].run(NULL, &writer), SL_ERR_FULL);
    }
}

static void test_event_payload_cut_short_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        while (event.length-- > 0) {
            sl_writer unused = {0};
            assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_MALFORMED);
        }
    }
}

static void test_event_payload_with_more_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES] = {0};
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        sl_writer unused = {0};
        event.length++;
        assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_MALFORMED);
    }
}

static void test_event_payload_of_other_version(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sl_event event = encoded_example(i, buffer);
        sl_writer unused = {0};
        event.version = SL_PAYLOAD_VERSION + 1;
        assert_int_equal(codecs[i].run(&event, &unused), SL_ERR_VERSION);
    }
}

static void test_event_session_of_unknown_input_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES];
    sl_event event = encoded_example(1, buffer);
    sl_session session;
    buffer[0] = SL_INPUT_CLIENT + 1;
    assert_int_equal(sl_session_decode(&event, &session), SL_ERR_MALFORMED);
}

static void test_event_session_with_long_name_is_malformed(void **state)
{
    (void)state;
    uint8_t buffer[BUFFER_BYTES] = {SL_INPUT_OSC, SL_NAME_BYTES_MAX + 1};
    sl_event event = {.version = 1, .payload = buffer, .length = 1 + 4 + SL_NAME_BYTES_MAX + 1};
    sl_session session;
    assert_int_equal(sl_session_decode(&event, &session), SL_ERR_MALFORMED);
}

static void test_event_counters_of_too_many_is_malformed(void **state)
{
    (void)state;
    static uint8_t buffer[SL_COUNTERS_BYTES_MAX + 60];
    sl_event event = {.version = 1, .payload = buffer, .length = sizeof buffer};
    static sl_counters counters;
    buffer[16] = SL_SOURCES_MAX + 2;
    assert_int_equal(sl_counters_decode(&event, &counters), SL_ERR_MALFORMED);
}

static void test_event_counters_of_most_fit(void **state)
{
    (void)state;
    static uint8_t buffer[SL_COUNTERS_BYTES_MAX];
    static const sl_counters counters = {.count = SL_SOURCES_MAX + 1};
    sl_writer writer = {.bytes = buffer, .capacity = sizeof buffer};
    assert_int_equal(sl_counters_encode(&counters, &writer), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_crc32c_golden),
        cmocka_unit_test(test_event_crc32c_of_nothing),
        cmocka_unit_test(test_event_crc32c_of_every_length),
        cmocka_unit_test(test_event_crc32c_continues),
        cmocka_unit_test(test_event_kind_names_are_unique),
        cmocka_unit_test(test_event_kind_unknown_number),
        cmocka_unit_test(test_event_kind_unknown_name),
        cmocka_unit_test(test_event_record_has_known_bytes),
        cmocka_unit_test(test_event_record_crc_covers_id_seq_header_payload),
        cmocka_unit_test(test_event_record_reads_back),
        cmocka_unit_test(test_event_record_checks),
        cmocka_unit_test(test_event_record_flipped_header_bit_is_corrupt),
        cmocka_unit_test(test_event_record_of_other_seq_is_corrupt),
        cmocka_unit_test(test_event_record_of_other_log_is_corrupt),
        cmocka_unit_test(test_event_record_changed_payload_is_corrupt),
        cmocka_unit_test(test_event_record_of_wrong_length_is_malformed),
        cmocka_unit_test(test_event_record_with_long_payload_is_malformed),
        cmocka_unit_test(test_event_payload_has_documented_length),
        cmocka_unit_test(test_event_payload_reads_back),
        cmocka_unit_test(test_event_payload_that_does_not_fit_is_full),
        cmocka_unit_test(test_event_payload_cut_short_is_malformed),
        cmocka_unit_test(test_event_payload_with_more_is_malformed),
        cmocka_unit_test(test_event_payload_of_other_version),
        cmocka_unit_test(test_event_session_of_unknown_input_is_malformed),
        cmocka_unit_test(test_event_session_with_long_name_is_malformed),
        cmocka_unit_test(test_event_counters_of_too_many_is_malformed),
        cmocka_unit_test(test_event_counters_of_most_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
