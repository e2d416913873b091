/* A log that is pruned: where it begins, what is deleted, what stays, and what readers see of it. */
#include "core/bytes.h"
#include "core/payload.h"
#include "tests/unit/store_fixture.h"

enum { STATE_BYTES = 3000, MANY = 2000, SOME = 300 };

/* Thousands of appends, and no power cut to survive. */
static sl_log *open_quick(const char *dir)
{
    return open_with(&(sl_log_options){.dir = dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
}

/* Appends a base event with which the log may begin at `before`. */
static uint64_t append_base(sl_log *log, uint64_t before)
{
    uint8_t bytes[8 + STATE_BYTES] = {0};
    sl_put_le(bytes, before, 8);
    bytes[8] = 1;
    sl_event draft = draft_of("");
    draft.kind = SL_KIND_BASE;
    draft.payload = bytes;
    draft.length = sizeof bytes;
    uint64_t seq = 0;
    assert_int_equal(sl_log_append(log, &draft, 1, &seq), SL_OK);
    return seq;
}

static void append_big(sl_log *log, uint8_t fill)
{
    uint8_t payload[BIG_PAYLOAD_BYTES];
    memset(payload, fill, sizeof payload);
    const sl_event draft = big_draft(payload);
    assert_int_equal(sl_log_append(log, &draft, 1, NULL), SL_OK);
}

static void expect_beginning(sl_log *log, uint64_t first, uint64_t base, uint64_t oldest)
{
    sl_log_beginning beginning;
    assert_int_equal(sl_log_begins(log, &beginning), SL_OK);
    assert_int_equal(beginning.first_seq, first);
    assert_int_equal(beginning.base_seq, base);
    assert_int_equal(beginning.oldest_seq, oldest);
}

static void delete_all(sl_log *log)
{
    for (bool is_done = false; !is_done;) assert_int_equal(sl_log_delete_some(log, SOME, &is_done), SL_OK);
}

/* Entries in the closed log's database. */
static size_t count_entries(const char *dir, const char *database)
{
    MDB_stat stat;
    raw_txn raw = raw_begin(dir, database);
    assert_int_equal(mdb_stat(raw.txn, raw.dbi, &stat), 0);
    raw_commit(&raw);
    return stat.ms_entries;
}

static void test_delete_new_log_begins_with_1(void **state)
{
    sl_log *log = open_quick(*state);
    expect_beginning(log, 1, 0, 0);
    append_numbers(log, 1, 3);
    expect_beginning(log, 1, 0, 1);
    bool is_done = false;
    assert_int_equal(sl_log_delete_some(log, SOME, &is_done), SL_OK);
    assert_true(is_done);
    expect_beginning(log, 1, 0, 1);
    sl_log_close(log);
}

static void test_delete_base_says_where_the_log_begins(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 5);
    assert_int_equal(append_base(log, 4), 6);
    expect_beginning(log, 4, 6, 1);
    delete_all(log);
    expect_beginning(log, 4, 6, 4);
    sl_log_close(log);
    log = open_for_reading(*state);
    expect_beginning(log, 4, 6, 4);
    sl_log_reader *reader = reader_from(log, 4);
    expect_numbers(reader, 4, 5);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_delete_newest_base_counts(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 5);
    (void)append_base(log, 3);
    assert_int_equal(append_base(log, 7), 7); /* the state before itself */
    expect_beginning(log, 7, 7, 1);
    delete_all(log);
    expect_beginning(log, 7, 7, 7);
    assert_int_equal(last_of(log), 7);
    sl_log_close(log);
}

static void test_delete_base_that_cannot_be_is_a_mere_event(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 5);
    (void)append_base(log, 4);
    (void)append_base(log, 3); /* the log has begun with 4 */
    (void)append_base(log, 20);
    sl_event malformed = draft_of("short");
    malformed.kind = SL_KIND_BASE;
    assert_int_equal(sl_log_append(log, &malformed, 1, NULL), SL_OK);
    expect_beginning(log, 4, 6, 1);
    sl_log_close(log);
}

static void test_delete_goes_along_with_appends(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, MANY);
    const uint64_t base = append_base(log, MANY);
    sl_log_delete_along(log);
    expect_beginning(log, MANY, base, 1);
    append_numbers(log, base + 1, base + 1);
    expect_beginning(log, MANY, base, 1 + SL_LOG_DELETE_MAX);
    append_numbers(log, base + 2, base + MANY / SL_LOG_DELETE_MAX + 1);
    expect_beginning(log, MANY, base, MANY);
    sl_log_close(log);
}

static void test_delete_goes_on_after_a_crash(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, MANY);
    const uint64_t base = append_base(log, MANY);
    bool is_done = true;
    assert_int_equal(sl_log_delete_some(log, SOME, &is_done), SL_OK);
    assert_false(is_done);
    sl_log_close(log);
    log = open_quick(*state);
    expect_beginning(log, MANY, base, SOME + 1);
    delete_all(log);
    expect_beginning(log, MANY, base, MANY);
    append_numbers(log, base + 1, base + 2);
    sl_log_close(log);
}

static void test_delete_reader_is_told_of_what_was_pruned(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 10);
    sl_log_reader *reader = reader_from(log, 1);
    expect_numbers(reader, 1, 3);
    (void)append_base(log, 8);
    delete_all(log);
    sl_log_reader_rest(reader);
    expect_error(reader, SL_ERR_RANGE);
    assert_non_null(strstr(sl_log_reader_error(reader), "begins with event 8"));
    sl_log_reader_close(reader);
    sl_log_close(log);
}

/* A view goes on seeing what it saw. */
static void test_delete_reader_with_a_view_is_not_disturbed(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 10);
    sl_log_reader *reader = reader_from(log, 1);
    expect_numbers(reader, 1, 3);
    (void)append_base(log, 8);
    delete_all(log);
    expect_numbers(reader, 4, 10);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_delete_hole_above_the_beginning_is_a_gap(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 10);
    (void)append_base(log, 5);
    delete_all(log);
    sl_log_close(log);
    raw_txn raw = raw_begin(*state, "events");
    uint64_t seq = 7;
    MDB_val key = {.mv_size = sizeof seq, .mv_data = &seq};
    assert_int_equal(mdb_del(raw.txn, raw.dbi, &key, NULL), 0);
    raw_commit(&raw);
    log = open_for_reading(*state);
    sl_log_reader *reader = reader_from(log, 5);
    expect_numbers(reader, 5, 6);
    expect_error(reader, SL_ERR_GAP);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_delete_blob_goes_with_its_last_record(void **state)
{
    sl_log *log = open_quick(*state);
    append_big(log, 'a'); /* 1 */
    append_big(log, 'b'); /* 2 */
    append_big(log, 'a'); /* 3 */
    append_big(log, 'a'); /* 4 */
    append_big(log, 'c'); /* 5 */
    (void)append_base(log, 4);
    delete_all(log);
    sl_log_close(log);
    assert_int_equal(count_entries(*state, "events"), 3);
    assert_int_equal(count_entries(*state, "blobs"), 3); /* a, c, and the base's own */

    log = open_quick(*state);
    sl_event event;
    sl_log_reader *reader = reader_from(log, 4);
    for (const char *fill = "ac"; *fill != '\0'; fill++) {
        assert_int_equal(sl_log_read(reader, &event), SL_OK);
        assert_int_equal(event.length, BIG_PAYLOAD_BYTES);
        assert_int_equal(event.payload[BIG_PAYLOAD_BYTES - 1], *fill);
    }
    sl_log_reader_close(reader);
    append_numbers(log, 7, 8);
    (void)append_base(log, 8);
    delete_all(log);
    sl_log_close(log);
    assert_int_equal(count_entries(*state, "blobs"), 1);
}

static void test_delete_room_is_used_again(void **state)
{
    uint64_t before = 0, after = 0;
    sl_log *log = open_quick(*state);
    for (int i = 0; i < SOME; i++) append_big(log, (uint8_t)i);
    uint64_t base = append_base(log, SOME);
    delete_all(log);
    assert_int_equal(sl_log_size_bytes(log, &before), SL_OK);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < SOME / 2; i++) append_big(log, (uint8_t)i);
        base = append_base(log, last_of(log));
        delete_all(log);
    }
    assert_int_equal(sl_log_size_bytes(log, &after), SL_OK);
    assert_true(after < before + before / 4);
    assert_int_equal(last_of(log), base);
    sl_log_close(log);
}

/* What an import of a pruned log does. */
static void test_delete_log_made_to_begin_late(void **state)
{
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .new_first_seq = 100});
    append_numbers(log, 100, 104);
    (void)append_base(log, 50); /* of an earlier prune: what it tells of is not here */
    expect_beginning(log, 1, 0, 100);
    sl_log_reader *reader = reader_from(log, 1);
    expect_error(reader, SL_ERR_GAP);
    sl_log_reader_close(reader);
    const uint64_t base = append_base(log, 100);
    expect_beginning(log, 100, base, 100);
    reader = reader_from(log, 100);
    expect_numbers(reader, 100, 104);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_delete_first_base_raises_the_format(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 3);
    for (unsigned format = 1; format <= 2; format++) {
        sl_log_close(log);
        raw_txn raw = raw_begin(*state, "meta");
        MDB_val key = {.mv_size = strlen("format"), .mv_data = "format"};
        MDB_val value;
        assert_int_equal(mdb_get(raw.txn, raw.dbi, &key, &value), 0);
        assert_int_equal(sl_get_le(value.mv_data, 4), format);
        raw_commit(&raw);
        log = open_quick(*state);
        (void)append_base(log, 2);
    }
    sl_log_close(log);
}

static void test_delete_meta_that_cannot_be(void **state)
{
    sl_log *log = open_quick(*state);
    append_numbers(log, 1, 3);
    (void)append_base(log, 2);
    sl_log_close(log);
    uint8_t bytes[16];
    sl_put_le(bytes, 4, 8);
    sl_put_le(bytes + 8, 9, 8); /* begins after its base */
    raw_txn raw = raw_begin(*state, "meta");
    MDB_val key = {.mv_size = strlen("base"), .mv_data = "base"};
    MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &value, 0), 0);
    raw_commit(&raw);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    assert_int_equal(open_error(*state, true, errmsg), SL_ERR_MALFORMED);
    sl_log_beginning beginning;
    log = open_for_reading(*state); /* a reader may want to look at it all the same */
    assert_int_equal(sl_log_begins(log, &beginning), SL_ERR_MALFORMED);
    sl_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_delete_new_log_begins_with_1, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_base_says_where_the_log_begins, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_newest_base_counts, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_base_that_cannot_be_is_a_mere_event, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_goes_along_with_appends, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_goes_on_after_a_crash, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_reader_is_told_of_what_was_pruned, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_reader_with_a_view_is_not_disturbed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_hole_above_the_beginning_is_a_gap, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_blob_goes_with_its_last_record, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_room_is_used_again, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_log_made_to_begin_late, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_first_base_raises_the_format, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_delete_meta_that_cannot_be, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
