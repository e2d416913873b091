/* Damage: whatever stands in the file, a reader gives an event as it was appended, or says what is wrong with it. */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>

enum { RECORD_LENGTH_AT = 32, META_FORMAT_BYTES = 4 };

/* Flips a bit of `text` wherever it stands in the closed log's file (LMDB leaves old pages behind). */
static void flip_in_file(const char *dir, const char *text)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    const off_t end = lseek(fd, 0, SEEK_END);
    assert_true(end > 0);
    const size_t size = (size_t)end;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, size, 0), size);

    size_t found = 0;
    for (size_t i = 0; i + strlen(text) <= size; i++) {
        if (memcmp(bytes + i, text, strlen(text)) != 0) continue;
        const uint8_t flipped = bytes[i] ^ 0x10;
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
        found++;
    }
    assert_true(found > 0);
    free(bytes);
    assert_int_equal(close(fd), 0);
}

/* Replaces the record of event `seq` in the closed log; NULL deletes it. */
static void set_record(const char *dir, uint64_t seq, const void *bytes, size_t length)
{
    raw_txn raw = raw_begin(dir, "events");
    MDB_val key = {.mv_size = sizeof seq, .mv_data = &seq};
    MDB_val record = {.mv_size = length, .mv_data = (void *)bytes};
    if (bytes == NULL) {
        assert_int_equal(mdb_del(raw.txn, raw.dbi, &key, NULL), 0);
    } else {
        assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &record, 0), 0);
    }
    raw_commit(&raw);
}

static size_t get_record(const char *dir, uint64_t seq, uint8_t *bytes, size_t capacity)
{
    raw_txn raw = raw_begin(dir, "events");
    MDB_val key = {.mv_size = sizeof seq, .mv_data = &seq};
    MDB_val record;
    assert_int_equal(mdb_get(raw.txn, raw.dbi, &key, &record), 0);
    assert_true(record.mv_size <= capacity);
    memcpy(bytes, record.mv_data, record.mv_size);
    size_t length = record.mv_size;
    raw_commit(&raw);
    return length;
}

static void set_format(const char *dir, const uint8_t *bytes, size_t length)
{
    raw_txn raw = raw_begin(dir, "meta");
    MDB_val key = {.mv_size = strlen("format"), .mv_data = "format"};
    MDB_val value = {.mv_size = length, .mv_data = (void *)bytes};
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &value, 0), 0);
    raw_commit(&raw);
}

/* Events 1 and 3 can be read, 2 gives `wanted` as often as it is tried, until it is skipped. */
static void expect_damage_at_2(const char *dir, sl_err wanted)
{
    sl_log *log = open_for_reading(dir);
    sl_log_reader *reader = reader_from(log, 1);
    expect_text(reader, 1, "1");
    expect_error(reader, wanted);
    expect_error(reader, wanted);
    assert_int_equal(sl_log_reader_next_seq(reader), 2);
    assert_memory_equal(sl_log_reader_error(reader), "log: event 2: ", strlen("log: event 2: "));
    sl_log_reader_skip(reader);
    expect_text(reader, 3, "3");
    expect_error(reader, SL_ERR_END);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void append_1_2_3(const char *dir, const sl_event *second)
{
    sl_log *log = open_writer(dir);
    const sl_event drafts[] = {draft_of("1"), *second, draft_of("3")};
    assert_int_equal(sl_log_append(log, drafts, 3, NULL), SL_OK);
    sl_log_close(log);
}

static void test_store_log_damage_flipped_bit_in_payload(void **state)
{
    const sl_event second = draft_of("a payload to damage");
    append_1_2_3(*state, &second);
    flip_in_file(*state, "payload to damage");
    expect_damage_at_2(*state, SL_ERR_CORRUPT);
}

static void test_store_log_damage_flipped_bit_in_blob(void **state)
{
    uint8_t payload[BIG_PAYLOAD_BYTES] = {0};
    static const char text[] = "a payload to damage";
    memcpy(payload + 5000, text, sizeof text);
    const sl_event second = big_draft(payload);
    append_1_2_3(*state, &second);
    flip_in_file(*state, "payload to damage");
    expect_damage_at_2(*state, SL_ERR_CORRUPT);
}

static void test_store_log_damage_every_bit_of_a_record(void **state)
{
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    uint8_t bytes[64];
    const size_t length = get_record(*state, 2, bytes, sizeof bytes);
    assert_int_equal(length, SL_RECORD_HEADER_BYTES + 1);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 1;
        set_record(*state, 2, bytes, length);
        const bool is_of_length = i >= RECORD_LENGTH_AT && i < RECORD_LENGTH_AT + 4;
        expect_damage_at_2(*state, is_of_length ? SL_ERR_MALFORMED : SL_ERR_CORRUPT);
        bytes[i] ^= 1;
    }
}

static void test_store_log_damage_record_of_another_number(void **state)
{
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    uint8_t bytes[64];
    const size_t length = get_record(*state, 3, bytes, sizeof bytes);
    set_record(*state, 2, bytes, length);
    expect_damage_at_2(*state, SL_ERR_CORRUPT);
}

static void test_store_log_damage_record_of_a_wrong_length(void **state)
{
    static const size_t lengths[] = {0, 1, SL_RECORD_HEADER_BYTES - 1, SL_RECORD_HEADER_BYTES,
                                     SL_RECORD_HEADER_BYTES + 2};
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    uint8_t bytes[64] = {0};
    (void)get_record(*state, 2, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        set_record(*state, 2, bytes, lengths[i]);
        expect_damage_at_2(*state, SL_ERR_MALFORMED);
    }
}

static void test_store_log_damage_length_above_the_maximum(void **state)
{
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    uint8_t bytes[64];
    const size_t length = get_record(*state, 2, bytes, sizeof bytes);
    memset(bytes + RECORD_LENGTH_AT, 0xff, 4);
    set_record(*state, 2, bytes, length);
    expect_damage_at_2(*state, SL_ERR_MALFORMED);
}

static void test_store_log_damage_blob_missing(void **state)
{
    const uint8_t payload[BIG_PAYLOAD_BYTES] = {7};
    const sl_event second = big_draft(payload);
    append_1_2_3(*state, &second);
    raw_txn raw = raw_begin(*state, "blobs");
    assert_int_equal(mdb_drop(raw.txn, raw.dbi, 0), 0);
    raw_commit(&raw);
    expect_damage_at_2(*state, SL_ERR_CORRUPT);
}

/* Puts `length` bytes, all zero, in place of the only blob. */
static void zero_blob(const char *dir, size_t length)
{
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    raw_txn raw = raw_begin(dir, "blobs");
    MDB_val key;
    MDB_val blob;
    raw_first(&raw, &key, &blob);
    uint8_t digest[16];
    assert_int_equal(key.mv_size, sizeof digest);
    memcpy(digest, key.mv_data, sizeof digest);
    key.mv_data = digest;
    blob = (MDB_val){.mv_size = length, .mv_data = bytes};
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &blob, 0), 0);
    raw_commit(&raw);
    free(bytes);
}

static void test_store_log_damage_blob_of_a_wrong_length(void **state)
{
    static const size_t lengths[] = {1, 8 + BIG_PAYLOAD_BYTES - 1, 8 + BIG_PAYLOAD_BYTES + 1};
    const uint8_t payload[BIG_PAYLOAD_BYTES] = {7};
    const sl_event second = big_draft(payload);
    append_1_2_3(*state, &second);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        zero_blob(*state, lengths[i]);
        expect_damage_at_2(*state, SL_ERR_CORRUPT);
    }
}

static void test_store_log_damage_append_finds_other_bytes_under_its_digest(void **state)
{
    const uint8_t payload[BIG_PAYLOAD_BYTES] = {7};
    const sl_event draft = big_draft(payload);
    append_1_2_3(*state, &draft);
    zero_blob(*state, 8 + BIG_PAYLOAD_BYTES);
    sl_log *log = open_writer(*state);
    assert_int_equal(sl_log_append(log, &draft, 1, NULL), SL_ERR_IO);
    assert_non_null(strstr(sl_log_error(log), "log: append: blobs: other bytes"));
    const sl_event small = draft_of("4");
    assert_int_equal(sl_log_append(log, &small, 1, NULL), SL_ERR_IO);
    assert_int_equal(last_of(log), 3);
    sl_log_close(log);
}

static void test_store_log_damage_gap(void **state)
{
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    set_record(*state, 2, NULL, 0);
    expect_damage_at_2(*state, SL_ERR_GAP);
}

static void test_store_log_damage_gap_at_the_start(void **state)
{
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    set_record(*state, 1, NULL, 0);
    set_record(*state, 2, NULL, 0);
    sl_log *log = open_for_reading(*state);
    sl_log_reader *reader = reader_from(log, 1);
    for (int i = 0; i < 2; i++) {
        expect_error(reader, SL_ERR_GAP);
        sl_log_reader_skip(reader);
    }
    expect_text(reader, 3, "3");
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_damage_version_unknown(void **state)
{
    static const uint8_t formats[][META_FORMAT_BYTES] = {{3}, {0}, {1, 0, 0, 1}};
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        set_format(*state, formats[i], META_FORMAT_BYTES);
        assert_int_equal(open_error(*state, false, errmsg), SL_ERR_VERSION);
        assert_int_equal(open_error(*state, true, errmsg), SL_ERR_VERSION);
        assert_non_null(strstr(errmsg, "update symlog"));
    }
}

static void test_store_log_damage_meta_malformed(void **state)
{
    const sl_event second = draft_of("2");
    append_1_2_3(*state, &second);
    set_format(*state, (const uint8_t *)"\1", 1);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    assert_int_equal(open_error(*state, false, errmsg), SL_ERR_MALFORMED);
}

static void test_store_log_damage_another_programs_database(void **state)
{
    raw_txn raw = raw_begin(*state, "theirs");
    raw_commit(&raw);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    assert_int_equal(open_error(*state, false, errmsg), SL_ERR_MALFORMED);
    assert_int_equal(open_error(*state, true, errmsg), SL_ERR_MALFORMED);
    assert_non_null(strstr(errmsg, "no log of symlog"));
}

static void test_store_log_damage_not_a_database(void **state)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/data.mdb", (const char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 10000; i++) (void)fputs("not a database ", file);
    assert_int_equal(fclose(file), 0);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    assert_int_equal(open_error(*state, false, errmsg), SL_ERR_MALFORMED);
    assert_int_equal(open_error(*state, true, errmsg), SL_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_log_damage_flipped_bit_in_payload, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_flipped_bit_in_blob, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_every_bit_of_a_record, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_record_of_another_number, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_record_of_a_wrong_length, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_length_above_the_maximum, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_blob_missing, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_blob_of_a_wrong_length, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_append_finds_other_bytes_under_its_digest, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_gap, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_gap_at_the_start, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_version_unknown, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_meta_malformed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_another_programs_database, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_damage_not_a_database, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
