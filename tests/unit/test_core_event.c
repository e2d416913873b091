/* Event names, and the record codec with its checksum. */
#include "core/event.h"

#include "core/bytes.h"
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
        if (strcmp(sl_kind_name((uint16_t)kind), "unknown") == 0) continue; /* a number of no kind yet */
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
