/* Snapshots: found by number and version, proven by digest, bounded, and never a danger to the process. */
#include "store/snapshots.h"

#include "core/text.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { VERSION = 7, STATE_BYTES = 5000, PAGE_BYTES = 4096 };

static const uint8_t LOG_ID[SL_LOG_ID_BYTES] = {1, 2, 3};
static const uint8_t OTHER_LOG_ID[SL_LOG_ID_BYTES] = {3, 2, 1};

static sl_snapshots *open_bounded(const char *dir, size_t count_max, size_t bytes_max)
{
    char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES] = "";
    sl_snapshots *snapshots = NULL;
    const sl_snapshots_options options = {
        .dir = dir, .log_id = LOG_ID, .is_writer = true, .count_max = count_max, .bytes_max = bytes_max};
    sl_err err = sl_snapshots_open(&snapshots, &options, NULL, errmsg);
    if (err != SL_OK) fail_msg("%s: %s", sl_err_text(err), errmsg);
    return snapshots;
}

static sl_snapshots *open_to_write(const char *dir)
{
    return open_bounded(dir, 0, 0);
}

/* What opening for reading gives; *out is closed by the caller. */
static sl_err open_to_read(const char *dir, const uint8_t *log_id, sl_snapshots **out)
{
    char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES] = "";
    const sl_snapshots_options options = {.dir = dir, .log_id = log_id};
    sl_err err = sl_snapshots_open(out, &options, NULL, errmsg);
    if (err != SL_OK) assert_true(strlen(errmsg) > 0);
    return err;
}

/* The bytes of the snapshot after event `seq`: always the same for a number. */
static void make_bytes(uint64_t seq, uint8_t bytes[STATE_BYTES])
{
    for (size_t i = 0; i < STATE_BYTES; i++) bytes[i] = (uint8_t)(seq * 31 + i * 7);
}

static void put_version(sl_snapshots *snapshots, uint32_t version, uint64_t seq)
{
    uint8_t bytes[STATE_BYTES];
    make_bytes(seq, bytes);
    const sl_snapshot snapshot = {.seq = seq, .reducer_version = version, .digest = {.low = seq, .high = ~seq}};
    assert_int_equal(sl_snapshots_put(snapshots, &snapshot, bytes, sizeof bytes), SL_OK);
}

static void put(sl_snapshots *snapshots, uint64_t seq)
{
    put_version(snapshots, VERSION, seq);
}

static void expect_nearest(sl_snapshots *snapshots, uint64_t seq, uint64_t wanted)
{
    uint64_t found = 0;
    assert_int_equal(sl_snapshots_nearest(snapshots, VERSION, seq, &found), SL_OK);
    assert_int_equal(found, wanted);
}

static void expect_none(sl_snapshots *snapshots, uint64_t seq)
{
    uint64_t found = 0;
    assert_int_equal(sl_snapshots_nearest(snapshots, VERSION, seq, &found), SL_ERR_NOT_FOUND);
}

static sl_err read_one(sl_snapshots *snapshots, uint64_t seq)
{
    counted_memory memory = {0};
    uint8_t wanted[STATE_BYTES];
    sl_text bytes;
    sl_text_open(&bytes, counted_memory_of(&memory));
    sl_snapshot snapshot = {.seq = seq, .reducer_version = VERSION};
    sl_err err = sl_snapshots_read(snapshots, &snapshot, &bytes);
    if (err == SL_OK) {
        make_bytes(seq, wanted);
        assert_int_equal(bytes.length, sizeof wanted);
        assert_memory_equal(bytes.bytes, wanted, sizeof wanted);
        assert_int_equal(snapshot.digest.low, seq);
        assert_int_equal(snapshot.digest.high, ~seq);
    }
    sl_text_close(&bytes);
    return err;
}

static size_t count_all(sl_snapshots *snapshots, uint64_t *largest_distance)
{
    size_t count = 0;
    uint64_t seq = UINT64_MAX, later = 0;
    *largest_distance = 0;
    for (; sl_snapshots_nearest(snapshots, VERSION, seq, &seq) == SL_OK; seq--) {
        if (later > 0 && later - seq > *largest_distance) *largest_distance = later - seq;
        later = seq;
        count++;
    }
    if (later > *largest_distance) *largest_distance = later; /* from the log's beginning */
    return count;
}

static void data_path(const char *dir, char path[600])
{
    (void)snprintf(path, 600, "%s/snapshots/data.mdb", dir);
}

/* Where a snapshot's bytes stand in the file is not known, so every place where they do is spoilt. */
static void flip_bytes(const char *dir, uint64_t seq)
{
    char path[600];
    uint8_t wanted[STATE_BYTES];
    struct stat file = {0};
    data_path(dir, path);
    make_bytes(seq, wanted);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &file) == 0);
    const size_t size = (size_t)file.st_size;
    assert_true(size >= STATE_BYTES);
    uint8_t *bytes = malloc(size | 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, size, 0), size);
    size_t found = 0;
    for (size_t i = 0; i + STATE_BYTES <= size; i++) {
        if (memcmp(bytes + i, wanted, STATE_BYTES) != 0) continue;
        const uint8_t flipped = bytes[i + 100] ^ 1;
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i + 100), 1);
        found++;
    }
    assert_true(found > 0);
    free(bytes);
    assert_int_equal(close(fd), 0);
}

static void test_snapshots_nearest_is_the_newest_at_or_before(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    expect_none(snapshots, UINT64_MAX);
    put(snapshots, 10);
    put(snapshots, 300);
    put(snapshots, 20);
    expect_none(snapshots, 9);
    expect_nearest(snapshots, 10, 10);
    expect_nearest(snapshots, 19, 10);
    expect_nearest(snapshots, 299, 20);
    expect_nearest(snapshots, UINT64_MAX, 300);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_read_gives_what_was_put(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    put(snapshots, 10);
    put(snapshots, 20);
    assert_int_equal(read_one(snapshots, 10), SL_OK);
    assert_int_equal(read_one(snapshots, 20), SL_OK);
    assert_int_equal(read_one(snapshots, 15), SL_ERR_NOT_FOUND);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_put_replaces(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    const sl_snapshot snapshot = {.seq = 10, .reducer_version = VERSION};
    assert_int_equal(sl_snapshots_put(snapshots, &snapshot, "short", 5), SL_OK);
    put(snapshots, 10);
    assert_int_equal(read_one(snapshots, 10), SL_OK);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_of_other_versions_are_not_seen(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    put_version(snapshots, VERSION - 1, 10);
    put_version(snapshots, VERSION + 1, 20);
    expect_none(snapshots, UINT64_MAX);
    assert_int_equal(read_one(snapshots, 10), SL_ERR_NOT_FOUND);
    put(snapshots, 15);
    expect_nearest(snapshots, UINT64_MAX, 15);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_survive_closing(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    put(snapshots, 10);
    sl_snapshots_close(snapshots);
    assert_int_equal(open_to_read(*state, LOG_ID, &snapshots), SL_OK);
    assert_int_equal(read_one(snapshots, 10), SL_OK);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_reading_where_there_are_none(void **state)
{
    sl_snapshots *snapshots = NULL;
    assert_int_equal(open_to_read(*state, LOG_ID, &snapshots), SL_ERR_NOT_FOUND);
    assert_null(snapshots);
}

static void test_snapshots_of_another_log_are_corrupt(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    put(snapshots, 10);
    sl_snapshots_close(snapshots);
    assert_int_equal(open_to_read(*state, OTHER_LOG_ID, &snapshots), SL_OK);
    assert_int_equal(read_one(snapshots, 10), SL_ERR_CORRUPT);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_flipped_bit_is_corrupt(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    put(snapshots, 10);
    put(snapshots, 20);
    sl_snapshots_close(snapshots);
    flip_bytes(*state, 20);
    assert_int_equal(open_to_read(*state, LOG_ID, &snapshots), SL_OK);
    assert_int_equal(read_one(snapshots, 20), SL_ERR_CORRUPT);
    assert_int_equal(read_one(snapshots, 10), SL_OK);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_condemned_are_begun_anew(void **state)
{
    uint64_t distance = 0;
    sl_snapshots *snapshots = open_to_write(*state);
    put(snapshots, 10);
    sl_snapshots_condemn(snapshots);
    const sl_snapshot snapshot = {.seq = 20, .reducer_version = VERSION};
    assert_int_equal(sl_snapshots_put(snapshots, &snapshot, "more", 4), SL_ERR_CORRUPT);
    assert_int_equal(sl_snapshots_keep(snapshots, VERSION, 0, 5), SL_ERR_CORRUPT);
    assert_int_equal(read_one(snapshots, 10), SL_OK);
    sl_snapshots_close(snapshots);
    for (size_t i = 0; i < 2; i++) { /* the second time it is as good as any */
        snapshots = open_to_write(*state);
        assert_int_equal(count_all(snapshots, &distance), i);
        put(snapshots, 30);
        sl_snapshots_close(snapshots);
    }
}

static void test_snapshots_keep_takes_those_outside(void **state)
{
    uint64_t distance = 0;
    sl_snapshots *snapshots = open_to_write(*state);
    put(snapshots, 0);
    for (uint64_t seq = 10; seq <= 100; seq += 10) put(snapshots, seq);
    assert_int_equal(sl_snapshots_keep(snapshots, VERSION, 30, 80), SL_OK);
    expect_none(snapshots, 29);
    expect_nearest(snapshots, 30, 30);
    expect_nearest(snapshots, UINT64_MAX, 80);
    assert_int_equal(count_all(snapshots, &distance), 6);
    sl_snapshots_close(snapshots);
}

/* Never four times an even distance anywhere, and the newest are all there. */
static void test_snapshots_thinned_out_by_count(void **state)
{
    enum { COUNT_MAX = 32, PUT_COUNT = 500 };
    sl_snapshots *snapshots = open_bounded(*state, COUNT_MAX, 0);
    for (uint64_t seq = 1; seq <= PUT_COUNT; seq++) {
        uint64_t distance = 0;
        put(snapshots, seq);
        const size_t count = count_all(snapshots, &distance);
        assert_int_equal(count, seq < COUNT_MAX ? seq : COUNT_MAX);
        if (seq < COUNT_MAX) continue;
        if (distance > 4 * seq / COUNT_MAX) fail_msg("%d of %d lie %d apart", (int)count, (int)seq, (int)distance);
        expect_nearest(snapshots, UINT64_MAX, seq);
        expect_nearest(snapshots, seq - 1, seq - 1);
    }
    sl_snapshots_close(snapshots);
}

static void test_snapshots_thinned_out_by_bytes(void **state)
{
    enum { FIT = 5 };
    uint64_t distance = 0;
    sl_snapshots *snapshots = open_bounded(*state, 0, (size_t)FIT * (STATE_BYTES + 100));
    for (uint64_t seq = 1; seq <= 40; seq++) put(snapshots, seq);
    assert_int_equal(count_all(snapshots, &distance), FIT);
    expect_nearest(snapshots, UINT64_MAX, 40);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_of_other_versions_make_room_first(void **state)
{
    uint64_t distance = 0;
    sl_snapshots *snapshots = open_bounded(*state, 4, 0);
    put_version(snapshots, VERSION - 1, 1);
    put_version(snapshots, VERSION + 1, 2);
    for (uint64_t seq = 3; seq <= 6; seq++) put(snapshots, seq);
    assert_int_equal(count_all(snapshots, &distance), 4);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_too_big_is_full(void **state)
{
    uint8_t bytes[STATE_BYTES] = {0};
    sl_snapshots *snapshots = open_bounded(*state, 0, STATE_BYTES - 1);
    const sl_snapshot snapshot = {.seq = 1, .reducer_version = VERSION};
    assert_int_equal(sl_snapshots_put(snapshots, &snapshot, bytes, sizeof bytes), SL_ERR_FULL);
    assert_true(strlen(sl_snapshots_error(snapshots)) > 0);
    expect_none(snapshots, UINT64_MAX);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_second_writer_is_busy(void **state)
{
    sl_snapshots *snapshots = open_to_write(*state);
    sl_snapshots *second = NULL;
    char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES];
    const sl_snapshots_options options = {.dir = *state, .log_id = LOG_ID, .is_writer = true};
    assert_int_equal(sl_snapshots_open(&second, &options, NULL, errmsg), SL_ERR_BUSY);
    sl_snapshots_close(snapshots);
}

/* LMDB would end the process: a reader is told, a writer begins anew. */
static void expect_begun_anew(const char *dir)
{
    char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES];
    bool was_damaged = false;
    sl_snapshots *snapshots = NULL;
    assert_int_equal(open_to_read(dir, LOG_ID, &snapshots), SL_ERR_CORRUPT);
    const sl_snapshots_options options = {.dir = dir, .log_id = LOG_ID, .is_writer = true};
    assert_int_equal(sl_snapshots_open(&snapshots, &options, &was_damaged, errmsg), SL_OK);
    assert_true(was_damaged);
    expect_none(snapshots, UINT64_MAX);
    put(snapshots, 10);
    assert_int_equal(read_one(snapshots, 10), SL_OK);
    sl_snapshots_close(snapshots);
}

static void put_many_and_close(const char *dir)
{
    sl_snapshots *snapshots = open_to_write(dir);
    for (uint64_t seq = 1; seq <= 50; seq++) put(snapshots, seq);
    sl_snapshots_close(snapshots);
}

static void test_snapshots_truncated_file(void **state)
{
    char path[600];
    put_many_and_close(*state);
    data_path(*state, path);
    assert_int_equal(truncate(path, 10 * (off_t)PAGE_BYTES), 0);
    expect_begun_anew(*state);
}

static void test_snapshots_no_database(void **state)
{
    char path[600];
    put_many_and_close(*state);
    data_path(*state, path);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (int i = 0; i < 4000; i++) (void)fputs("nonsense", file);
    assert_int_equal(fclose(file), 0);
    expect_begun_anew(*state);
}

/* Every page in turn is filled with zeros, or with ones: what cannot be walked is told of, the rest proves itself. */
static void test_snapshots_spoilt_pages(void **state)
{
    char path[600];
    struct stat file = {0};
    put_many_and_close(*state);
    data_path(*state, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &file) == 0);
    size_t damaged = 0, bad = 0;
    for (off_t at = 2 * (off_t)PAGE_BYTES; at < file.st_size; at += PAGE_BYTES) {
        uint8_t kept[PAGE_BYTES], spoilt[PAGE_BYTES];
        memset(spoilt, at % (2 * (off_t)PAGE_BYTES) == 0 ? 0 : 0xff, sizeof spoilt);
        assert_int_equal(pread(fd, kept, sizeof kept, at), sizeof kept);
        assert_int_equal(pwrite(fd, spoilt, sizeof spoilt, at), sizeof spoilt);
        sl_snapshots *snapshots = NULL;
        sl_err err = open_to_read(*state, LOG_ID, &snapshots);
        if (err != SL_OK) assert_int_equal(err, SL_ERR_CORRUPT);
        damaged += err != SL_OK;
        for (uint64_t seq = 1; seq <= 50 && err == SL_OK; seq++) bad += read_one(snapshots, seq) == SL_ERR_CORRUPT;
        sl_snapshots_close(snapshots);
        assert_int_equal(pwrite(fd, kept, sizeof kept, at), sizeof kept);
    }
    assert_int_equal(close(fd), 0);
    assert_true(damaged > 0 && bad > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_snapshots_nearest_is_the_newest_at_or_before, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_read_gives_what_was_put, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_put_replaces, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_of_other_versions_are_not_seen, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_survive_closing, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_reading_where_there_are_none, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_of_another_log_are_corrupt, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_flipped_bit_is_corrupt, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_condemned_are_begun_anew, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_keep_takes_those_outside, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_thinned_out_by_count, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_thinned_out_by_bytes, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_of_other_versions_make_room_first, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_too_big_is_full, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_second_writer_is_busy, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_truncated_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_no_database, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_snapshots_spoilt_pages, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
