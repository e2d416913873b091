/* Salvage: what stands on a page is found without LMDB, and nothing that was never appended is. */
#include "store/salvage.h"

#include "tests/unit/store_fixture.h"

#include <fcntl.h>

enum { PAGE_BYTES = 4096, EVENTS = 500 };

/* A log with events "1" to "500", of which 250 has a big payload. */
static void make_log(const char *dir, uint8_t id[SL_LOG_ID_BYTES])
{
    sl_log *log = open_writer(dir);
    memcpy(id, sl_log_id(log), SL_LOG_ID_BYTES);
    append_numbers(log, 1, EVENTS / 2 - 1);
    uint8_t payload[BIG_PAYLOAD_BYTES];
    memset(payload, 7, sizeof payload);
    const sl_event big = big_draft(payload);
    assert_int_equal(sl_log_append(log, &big, 1, NULL), SL_OK);
    append_numbers(log, EVENTS / 2 + 1, EVENTS);
    sl_log_close(log);
}

static int open_data(const char *dir)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static sl_salvage *look_for(const char *dir, const uint8_t *id, sl_log_range range)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    sl_salvage *salvage = NULL;
    assert_int_equal(sl_salvage_open(&salvage, dir, errmsg), SL_OK);
    assert_int_equal(sl_salvage_look(salvage, id, &range, 1), SL_OK);
    return salvage;
}

static void expect_event(sl_salvage *salvage, uint64_t seq)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seq);
    sl_event event;
    assert_int_equal(sl_salvage_read(salvage, seq, &event), SL_OK);
    assert_int_equal(event.seq, seq);
    if (seq == EVENTS / 2) {
        assert_int_equal(event.length, BIG_PAYLOAD_BYTES);
        assert_int_equal(event.payload[BIG_PAYLOAD_BYTES - 1], 7);
    } else {
        assert_int_equal(event.length, strlen(text));
        assert_memory_equal(event.payload, text, event.length);
    }
}

static void test_store_salvage_without_metas_and_branches(void **state)
{
    uint8_t id[SL_LOG_ID_BYTES];
    uint8_t found_id[SL_LOG_ID_BYTES];
    make_log(*state, id);
    static const uint8_t zeros[2 * PAGE_BYTES];
    int fd = open_data(*state);
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    assert_int_equal(close(fd), 0);

    sl_salvage *salvage = look_for(*state, id, (sl_log_range){1, UINT64_MAX});
    assert_int_equal(sl_salvage_id(salvage, found_id), SL_OK);
    assert_memory_equal(found_id, id, sizeof id);
    assert_int_equal(sl_salvage_last(salvage), EVENTS);
    for (uint64_t seq = 1; seq <= EVENTS; seq++) expect_event(salvage, seq);
    sl_salvage_close(salvage);
}

static void test_store_salvage_finds_only_what_is_wanted(void **state)
{
    uint8_t id[SL_LOG_ID_BYTES];
    make_log(*state, id);
    sl_salvage *salvage = look_for(*state, id, (sl_log_range){100, 101});
    sl_event event;
    assert_int_equal(sl_salvage_read(salvage, 99, &event), SL_ERR_NOT_FOUND);
    expect_event(salvage, 100);
    expect_event(salvage, 101);
    assert_int_equal(sl_salvage_read(salvage, 102, &event), SL_ERR_NOT_FOUND);
    assert_int_equal(sl_salvage_last(salvage), 101);
    sl_salvage_close(salvage);
}

static void test_store_salvage_believes_no_other_log(void **state)
{
    uint8_t id[SL_LOG_ID_BYTES];
    make_log(*state, id);
    id[0] ^= 1;
    sl_salvage *salvage = look_for(*state, id, (sl_log_range){1, UINT64_MAX});
    sl_event event;
    for (uint64_t seq = 1; seq <= EVENTS; seq++) {
        assert_int_equal(sl_salvage_read(salvage, seq, &event), SL_ERR_NOT_FOUND);
    }
    sl_salvage_close(salvage);
}

/* Bytes of the file changed at random: each event is found as it was, or not at all. */
static void test_store_salvage_survives_noise(void **state)
{
    uint8_t id[SL_LOG_ID_BYTES];
    make_log(*state, id);
    int fd = open_data(*state);
    const off_t size = lseek(fd, 0, SEEK_END);
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const uint8_t byte = (uint8_t)(seed >> 56);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)((seed >> 8) % (uint64_t)size)), 1);
        if (i % 500 != 0) continue;
        sl_salvage *salvage = look_for(*state, id, (sl_log_range){1, UINT64_MAX});
        for (uint64_t seq = 1; seq <= EVENTS; seq++) {
            sl_event event;
            if (sl_salvage_read(salvage, seq, &event) == SL_OK) expect_event(salvage, seq);
        }
        sl_salvage_close(salvage);
    }
    assert_int_equal(close(fd), 0);
}

static void test_store_salvage_does_not_choose_between_two(void **state)
{
    uint8_t id[SL_LOG_ID_BYTES];
    make_log(*state, id);
    static const uint8_t payload[] = {'o', 't', 'h', 'e', 'r'};
    uint8_t record[SL_RECORD_HEADER_BYTES + sizeof payload];
    sl_event other = draft_of("");
    other.payload = payload;
    other.length = sizeof payload;
    other.seq = 7;
    sl_record_encode(&other, id, record);
    memcpy(record + SL_RECORD_HEADER_BYTES, payload, sizeof payload);
    raw_txn raw = raw_begin(*state, "theirs"); /* any leaf page will do, as one of a commit that was cut short */
    uint64_t seq = other.seq;
    MDB_val key = {.mv_size = sizeof seq, .mv_data = &seq};
    MDB_val value = {.mv_size = sizeof record, .mv_data = record};
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &value, 0), 0);
    raw_commit(&raw);

    sl_salvage *salvage = look_for(*state, id, (sl_log_range){1, UINT64_MAX});
    sl_event event;
    assert_int_equal(sl_salvage_read(salvage, 7, &event), SL_ERR_NOT_FOUND);
    expect_event(salvage, 8);
    sl_salvage_close(salvage);
}

static void test_store_salvage_of_nothing(void **state)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    sl_salvage *salvage = NULL;
    assert_int_equal(sl_salvage_open(&salvage, *state, errmsg), SL_ERR_NOT_FOUND);
    assert_null(salvage);
    char path[600];
    (void)snprintf(path, sizeof path, "%s/data.mdb", (const char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 3000; i++) (void)fputs("\2 no pages ", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(sl_salvage_open(&salvage, *state, errmsg), SL_OK);
    uint8_t id[SL_LOG_ID_BYTES];
    assert_int_equal(sl_salvage_id(salvage, id), SL_ERR_NOT_FOUND);
    sl_salvage_close(salvage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_salvage_without_metas_and_branches, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_salvage_finds_only_what_is_wanted, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_salvage_believes_no_other_log, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_salvage_survives_noise, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_salvage_does_not_choose_between_two, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_salvage_of_nothing, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
