/* The log as one process sees it: appending, reading, reopening. Damage and other processes have files of their own. */
#include "tests/unit/store_fixture.h"

#include <sys/stat.h>

static void test_store_log_keeps_every_field(void **state)
{
    sl_log *log = open_writer(*state);
    const uint8_t payload[] = {0, 255, 7};
    const sl_event draft = {.seq = 99,
                            .kind = 0xfedc,
                            .version = 0xba98,
                            .source = 0x76543210,
                            .session = 0x0123456789abcdef,
                            .source_seq = 0xfedcba9876543210,
                            .time_ns = 0x1122334455667788,
                            .payload = payload,
                            .length = sizeof payload};
    assert_int_equal(sl_log_append(log, &draft, 1, NULL), SL_OK);

    sl_log_reader *reader = reader_from(log, 1);
    sl_event event;
    assert_int_equal(sl_log_read(reader, &event), SL_OK);
    assert_int_equal(event.seq, 1);
    assert_int_equal(event.kind, draft.kind);
    assert_int_equal(event.version, draft.version);
    assert_int_equal(event.source, draft.source);
    assert_int_equal(event.session, draft.session);
    assert_int_equal(event.source_seq, draft.source_seq);
    assert_int_equal(event.time_ns, draft.time_ns);
    assert_int_equal(event.length, sizeof payload);
    assert_memory_equal(event.payload, payload, sizeof payload);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_goes_on_after_reopening(void **state)
{
    sl_log *log = open_writer(*state);
    assert_int_equal(last_of(log), 0);
    append_numbers(log, 1, 3);
    assert_int_equal(last_of(log), 3);
    sl_log_close(log);

    log = open_writer(*state);
    assert_int_equal(last_of(log), 3);
    append_numbers(log, 4, 5);
    sl_log_reader *reader = reader_from(log, 1);
    expect_numbers(reader, 1, 5);
    expect_error(reader, SL_ERR_END);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_numbers_a_batch(void **state)
{
    sl_log *log = open_writer(*state);
    const sl_event drafts[] = {draft_of("1"), draft_of("2"), draft_of("3")};
    uint64_t last = 0;
    assert_int_equal(sl_log_append(log, drafts, 3, &last), SL_OK);
    assert_int_equal(last, 3);
    sl_log_reader *reader = reader_from(log, 2);
    expect_numbers(reader, 2, 3);
    expect_error(reader, SL_ERR_END);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

/* Lengths on both sides of every border: empty, the last in place, the first blob, pages, and a whole project file. */
static void test_store_log_keeps_payloads_of_any_length(void **state)
{
    static const uint32_t lengths[] = {0, 1, 1999, 2000, 2001, 4096, 65536, 3000000};
    enum { COUNT = sizeof lengths / sizeof lengths[0] };
    uint8_t *bytes = malloc(lengths[COUNT - 1]);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < lengths[COUNT - 1]; i++) bytes[i] = (uint8_t)(i * 31 + i / 251);

    sl_event drafts[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        drafts[i] = draft_of("");
        drafts[i].payload = bytes;
        drafts[i].length = lengths[i];
    }
    sl_log *log = open_writer(*state);
    assert_int_equal(sl_log_append(log, drafts, COUNT, NULL), SL_OK);
    sl_log_reader *reader = reader_from(log, 1);
    for (size_t i = 0; i < COUNT; i++) {
        sl_event event;
        assert_int_equal(sl_log_read(reader, &event), SL_OK);
        assert_int_equal(event.length, lengths[i]);
        assert_memory_equal(event.payload, bytes, lengths[i]);
    }
    sl_log_reader_close(reader);
    sl_log_close(log);
    free(bytes);
}

static void test_store_log_keeps_the_same_blob_once(void **state)
{
    const uint8_t payload[BIG_PAYLOAD_BYTES] = {1, 2, 3};
    const sl_event drafts[] = {big_draft(payload), draft_of("between"), big_draft(payload)};
    sl_log *log = open_writer(*state);
    assert_int_equal(sl_log_append(log, drafts, 3, NULL), SL_OK);
    assert_int_equal(sl_log_append(log, drafts, 1, NULL), SL_OK);
    sl_log_reader *reader = reader_from(log, 3);
    sl_event event;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sl_log_read(reader, &event), SL_OK);
        assert_int_equal(event.length, sizeof payload);
        assert_memory_equal(event.payload, payload, sizeof payload);
    }
    sl_log_reader_close(reader);
    sl_log_close(log);

    raw_txn raw = raw_begin(*state, "blobs");
    MDB_stat stat;
    assert_int_equal(mdb_stat(raw.txn, raw.dbi, &stat), 0);
    assert_int_equal(stat.ms_entries, 1);
    MDB_val key;
    MDB_val blob;
    raw_first(&raw, &key, &blob);
    const uint8_t three_references[8] = {3};
    assert_int_equal(blob.mv_size, sizeof three_references + sizeof payload);
    assert_memory_equal(blob.mv_data, three_references, sizeof three_references);
    raw_commit(&raw);
}

static void test_store_log_refuses_a_payload_too_large(void **state)
{
    sl_log *log = open_writer(*state);
    sl_event drafts[] = {draft_of("1"), draft_of("2")};
    drafts[1].length = SL_PAYLOAD_BYTES_MAX + 1;
    assert_int_equal(sl_log_append(log, drafts, 2, NULL), SL_ERR_RANGE);
    assert_int_equal(last_of(log), 0);
    append_numbers(log, 1, 2);
    sl_log_close(log);
}

static void test_store_log_reader_follows_a_growing_log(void **state)
{
    sl_log *log = open_writer(*state);
    sl_log_reader *reader = reader_from(log, 1);
    expect_error(reader, SL_ERR_END);
    append_numbers(log, 1, 2);
    expect_text(reader, 1, "1");
    append_numbers(log, 3, 3); /* committed after the reader's view began */
    expect_numbers(reader, 2, 3);
    expect_error(reader, SL_ERR_END);
    expect_error(reader, SL_ERR_END);
    assert_int_equal(sl_log_reader_next_seq(reader), 4);
    append_numbers(log, 4, 4);
    expect_text(reader, 4, "4");
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_reader_waits_for_a_number_to_come(void **state)
{
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 2);
    sl_log_reader *reader = reader_from(log, 4);
    expect_error(reader, SL_ERR_END);
    append_numbers(log, 3, 3);
    expect_error(reader, SL_ERR_END);
    append_numbers(log, 4, 4);
    expect_text(reader, 4, "4");
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_reader_keeps_its_place_at_rest(void **state)
{
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 3);
    sl_log_reader *reader = reader_from(log, 1);
    sl_log_reader_rest(reader);
    expect_text(reader, 1, "1");
    sl_log_reader_rest(reader);
    sl_log_reader_rest(reader);
    expect_numbers(reader, 2, 3);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

/* A reader that has gone to the end, or rests, must not keep old pages from being used again. */
static void test_store_log_does_not_grow_behind_resting_readers(void **state)
{
    enum { ROUNDS = 300 };
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    append_numbers(log, 1, 2);
    sl_log_reader *at_end = reader_from(log, 3);
    sl_log_reader *resting = reader_from(log, 1);
    expect_error(at_end, SL_ERR_END);
    expect_text(resting, 1, "1");
    sl_log_reader_rest(resting);
    append_numbers(log, 3, ROUNDS);

    uint64_t size_bytes = 0;
    assert_int_equal(sl_log_size_bytes(log, &size_bytes), SL_OK);
    assert_in_range(size_bytes, 1, 200 * 1024); /* held back it would be 4 pages a commit: 4 MB */
    sl_log_reader_close(at_end);
    sl_log_reader_close(resting);
    sl_log_close(log);
}

/* Nor must a reader that is busy for long: it changes to a newer view now and then. */
static void test_store_log_does_not_grow_behind_a_busy_reader(void **state)
{
    enum { COUNT = 100000, READS_PER_APPEND = 100, GROWTH_BYTES_MAX = 3 << 20 };
    sl_event *drafts = calloc(COUNT, sizeof *drafts);
    assert_non_null(drafts);
    for (size_t i = 0; i < COUNT; i++) drafts[i] = draft_of("same");
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    assert_int_equal(sl_log_append(log, drafts, COUNT, NULL), SL_OK);
    uint64_t before_bytes = 0;
    assert_int_equal(sl_log_size_bytes(log, &before_bytes), SL_OK);

    sl_log_reader *reader = reader_from(log, 1);
    for (uint64_t seq = 1; seq <= COUNT; seq++) {
        expect_text(reader, seq, "same");
        if (seq % READS_PER_APPEND == 0) assert_int_equal(sl_log_append(log, drafts, 1, NULL), SL_OK);
    }
    uint64_t after_bytes = 0;
    assert_int_equal(sl_log_size_bytes(log, &after_bytes), SL_OK);
    assert_in_range(after_bytes, before_bytes, before_bytes + GROWTH_BYTES_MAX); /* held back it would be 24 MB */
    sl_log_reader_close(reader);
    sl_log_close(log);
    free(drafts);
}

static void test_store_log_says_when_readers_are_too_many(void **state)
{
    enum { READERS_MAX = 1024 };
    static sl_log_reader *readers[READERS_MAX + 1];
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 1);
    for (size_t i = 0; i <= READERS_MAX; i++) readers[i] = reader_from(log, 1);
    for (size_t i = 0; i < READERS_MAX; i++) expect_text(readers[i], 1, "1");
    expect_error(readers[READERS_MAX], SL_ERR_IO);
    assert_non_null(strstr(sl_log_reader_error(readers[READERS_MAX]), "MDB_READERS_FULL"));

    uint64_t seq = 0;
    assert_string_equal(sl_log_error(log), "log: nothing went wrong");
    assert_int_equal(sl_log_last(log, &seq), SL_ERR_IO);
    assert_non_null(strstr(sl_log_error(log), "log: last: mdb_txn_begin: MDB_READERS_FULL"));

    sl_log_reader_close(readers[0]);
    expect_text(readers[READERS_MAX], 1, "1");
    for (size_t i = 1; i <= READERS_MAX; i++) sl_log_reader_close(readers[i]);
    sl_log_close(log);
}

static void test_store_log_has_a_random_id_that_stays(void **state)
{
    char other_dir[600];
    (void)snprintf(other_dir, sizeof other_dir, "%s/other", (const char *)*state);
    sl_log *log = open_writer(*state);
    uint8_t id[SL_LOG_ID_BYTES];
    memcpy(id, sl_log_id(log), sizeof id);
    char hex[SL_LOG_ID_HEX + 1] = "";
    for (size_t i = 0; i < sizeof id; i++) (void)snprintf(hex + 2 * i, 3, "%02x", id[i]);
    assert_string_equal(sl_log_id_hex(log), hex);
    sl_log_close(log);

    log = open_writer(*state);
    assert_memory_equal(sl_log_id(log), id, sizeof id);
    sl_log_close(log);
    log = open_writer(other_dir);
    assert_memory_not_equal(sl_log_id(log), id, sizeof id);
    sl_log_close(log);
}

static void test_store_log_takes_the_id_of_an_import(void **state)
{
    const uint8_t id[SL_LOG_ID_BYTES] = {0x0f, 0xed, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xa0};
    const uint8_t other_id[SL_LOG_ID_BYTES] = {1};
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .new_id = id});
    assert_memory_equal(sl_log_id(log), id, sizeof id);
    assert_string_equal(sl_log_id_hex(log), "0fed0102030405060708090a0b0c0da0");
    sl_log_close(log);

    log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .new_id = other_id});
    assert_memory_equal(sl_log_id(log), id, sizeof id); /* the log is there: its id stays */
    sl_log_close(log);
}

static void test_store_log_with_process_durability_reads_back(void **state)
{
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    append_numbers(log, 1, 100);
    sl_log_close(log);
    log = open_for_reading(*state);
    sl_log_reader *reader = reader_from(log, 1);
    expect_numbers(reader, 1, 100);
    expect_error(reader, SL_ERR_END);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_makes_private_directories(void **state)
{
    char dir[600];
    (void)snprintf(dir, sizeof dir, "%s/a/b//c/", (const char *)*state);
    sl_log_close(open_writer(dir));
    static const char *const made[] = {"a", "a/b", "a/b/c"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        char path[600];
        struct stat stat_of;
        (void)snprintf(path, sizeof path, "%s/%s", (const char *)*state, made[i]);
        assert_int_equal(stat(path, &stat_of), 0);
        assert_int_equal(stat_of.st_mode & 0777, 0700);
    }
}

static void test_store_log_not_found(void **state)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    char dir[600];
    assert_int_equal(open_error(*state, false, errmsg), SL_ERR_NOT_FOUND); /* an empty folder */
    assert_non_null(strstr(errmsg, *state));
    (void)snprintf(dir, sizeof dir, "%s/none", (const char *)*state);
    assert_int_equal(open_error(dir, false, errmsg), SL_ERR_NOT_FOUND);
    assert_int_equal(access(dir, F_OK), -1); /* reading makes nothing */
}

/* As a writer leaves it that dies between making the file and its first commit. */
static void test_store_log_without_its_first_commit_is_not_found_then_made(void **state)
{
    MDB_env *env = NULL;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, *state, 0, 0600), 0);
    mdb_env_close(env);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    assert_int_equal(open_error(*state, false, errmsg), SL_ERR_NOT_FOUND);
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 1);
    sl_log_close(log);
}

static void test_store_log_says_why_it_cannot_open(void **state)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    char file[600];
    char below[620];
    (void)snprintf(file, sizeof file, "%s/file", (const char *)*state);
    FILE *made = fopen(file, "w");
    assert_non_null(made);
    assert_int_equal(fclose(made), 0);
    (void)snprintf(below, sizeof below, "%s/log", file);
    assert_int_equal(open_error(below, true, errmsg), SL_ERR_IO);
    assert_non_null(strstr(errmsg, "Not a directory"));
    assert_int_equal(open_error(below, false, errmsg), SL_ERR_IO);
    assert_non_null(strstr(errmsg, "Not a directory"));
}

static void test_store_log_full_is_final_and_reopens_larger(void **state)
{
    enum { MAP_BYTES = 256 * 1024, BATCH = 7 };
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .map_size_bytes = MAP_BYTES});
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    sl_event drafts[BATCH];
    for (size_t i = 0; i < BATCH; i++) drafts[i] = draft_of(text);

    uint64_t committed = 0;
    sl_err err = SL_OK;
    for (int i = 0; i < 1000 && err == SL_OK; i++) err = sl_log_append(log, drafts, BATCH, &committed);
    assert_int_equal(err, SL_ERR_FULL);
    assert_non_null(strstr(sl_log_error(log), "log: append: "));
    assert_non_null(strstr(sl_log_error(log), "MDB_MAP_FULL"));
    sl_event small = draft_of("1");
    assert_int_equal(sl_log_append(log, &small, 1, NULL), SL_ERR_IO);
    assert_non_null(strstr(sl_log_error(log), "MDB_MAP_FULL"));
    assert_int_equal(last_of(log), committed);
    sl_log_close(log);

    log = open_writer(*state);
    assert_int_equal(last_of(log), committed);
    append_numbers(log, committed + 1, committed + 3);
    sl_log_reader *reader = reader_from(log, 1);
    for (uint64_t seq = 1; seq <= committed; seq++) expect_text(reader, seq, text);
    expect_numbers(reader, committed + 1, committed + 3);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

static void test_store_log_counts_its_events(void **state)
{
    sl_log *log = open_writer(*state);
    uint64_t count = UINT64_MAX;
    assert_int_equal(sl_log_count(log, &count), SL_OK);
    assert_int_equal(count, 0);
    append_numbers(log, 1, 7);
    assert_int_equal(sl_log_count(log, &count), SL_OK);
    assert_int_equal(count, 7);
    sl_log_close(log);
}

static void test_store_log_makes_its_file_whole_or_not_at_all(void **state)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/new", (const char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/new/data.mdb", (const char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0); /* what a power cut may leave */
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 1);
    sl_log_close(log);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_store_log_close_passes_over_null(void **state)
{
    (void)state;
    sl_log_close(NULL);
    sl_log_reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_log_keeps_every_field, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_goes_on_after_reopening, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_numbers_a_batch, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_keeps_payloads_of_any_length, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_keeps_the_same_blob_once, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_refuses_a_payload_too_large, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_reader_follows_a_growing_log, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_reader_waits_for_a_number_to_come, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_reader_keeps_its_place_at_rest, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_does_not_grow_behind_resting_readers, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_does_not_grow_behind_a_busy_reader, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_says_when_readers_are_too_many, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_has_a_random_id_that_stays, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_takes_the_id_of_an_import, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_with_process_durability_reads_back, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_makes_private_directories, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_not_found, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_without_its_first_commit_is_not_found_then_made, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_says_why_it_cannot_open, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_full_is_final_and_reopens_larger, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_counts_its_events, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_makes_its_file_whole_or_not_at_all, make_dir, remove_dir),
        cmocka_unit_test(test_store_log_close_passes_over_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
