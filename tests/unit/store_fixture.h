/* What the tests of store share: a log in a scratch directory, drafts made of text, and LMDB behind the log's back. */
#ifndef SL_TESTS_STORE_FIXTURE_H
#define SL_TESTS_STORE_FIXTURE_H

#include "store/log.h"
#include "tests/unit/cmocka_small.h"

#include <ftw.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BIG_PAYLOAD_BYTES = 10000 }; /* becomes a blob */

/* Setup: *state is the path of a new directory. */
static inline int make_dir(void **state)
{
    const char *parent = getenv("TMPDIR");
    char path[512];
    (void)snprintf(path, sizeof path, "%s/symlog-store-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL) return -1;
    *state = strdup(path);
    return *state == NULL ? -1 : 0;
}

static inline int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int remove_dir(void **state)
{
    int failed = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return failed;
}

static inline sl_log *open_with(const sl_log_options *options)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    sl_log *log = NULL;
    sl_err err = sl_log_open(&log, options, errmsg);
    if (err != SL_OK) fail_msg("%s: %s", sl_err_text(err), errmsg);
    return log;
}

static inline sl_log *open_writer(const char *dir)
{
    return open_with(&(sl_log_options){.dir = dir, .is_writer = true});
}

static inline sl_log *open_for_reading(const char *dir)
{
    return open_with(&(sl_log_options){.dir = dir});
}

/* Opens what cannot be opened; errmsg must say something. */
static inline sl_err open_error(const char *dir, bool is_writer, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    sl_log *log = NULL;
    sl_err err = sl_log_open(&log, &(sl_log_options){.dir = dir, .is_writer = is_writer}, errmsg);
    if (err != SL_OK) assert_memory_equal(errmsg, "log: ", 5);
    assert_null(log);
    return err;
}

static inline sl_event draft_of(const char *text)
{
    return (sl_event){.kind = SL_KIND_MARK,
                      .version = 1,
                      .source = 3,
                      .session = 4,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .time_ns = 5,
                      .payload = (const uint8_t *)text,
                      .length = (uint32_t)strlen(text)};
}

static inline sl_event big_draft(const uint8_t payload[BIG_PAYLOAD_BYTES])
{
    sl_event draft = draft_of("");
    draft.payload = payload;
    draft.length = BIG_PAYLOAD_BYTES;
    return draft;
}

/* Appends events "1", "2", ... up to `through`, one at a time, to a log that holds those before `from`. */
static inline void append_numbers(sl_log *log, uint64_t from, uint64_t through)
{
    for (uint64_t i = from; i <= through; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)i);
        sl_event draft = draft_of(text);
        uint64_t seq = 0;
        assert_int_equal(sl_log_append(log, &draft, 1, &seq), SL_OK);
        assert_int_equal(seq, i);
    }
}

static inline sl_log_reader *reader_from(sl_log *log, uint64_t from)
{
    sl_log_reader *reader = NULL;
    assert_int_equal(sl_log_reader_open(log, from, &reader), SL_OK);
    return reader;
}

static inline void expect_text(sl_log_reader *reader, uint64_t seq, const char *text)
{
    sl_event event;
    assert_int_equal(sl_log_reader_next_seq(reader), seq);
    assert_int_equal(sl_log_read(reader, &event), SL_OK);
    assert_int_equal(event.seq, seq);
    assert_int_equal(event.length, strlen(text));
    assert_memory_equal(event.payload, text, event.length);
}

static inline void expect_numbers(sl_log_reader *reader, uint64_t from, uint64_t through)
{
    for (uint64_t i = from; i <= through; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)i);
        expect_text(reader, i, text);
    }
}

static inline void expect_error(sl_log_reader *reader, sl_err wanted)
{
    sl_event event;
    assert_int_equal(sl_log_read(reader, &event), wanted);
}

static inline uint64_t last_of(sl_log *log)
{
    uint64_t seq = UINT64_MAX;
    assert_int_equal(sl_log_last(log, &seq), SL_OK);
    return seq;
}

/* A write transaction on a database of a closed log, past all that the log promises. */
typedef struct raw_txn {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
} raw_txn;

static inline raw_txn raw_begin(const char *dir, const char *database)
{
    raw_txn raw = {NULL, NULL, 0};
    assert_int_equal(mdb_env_create(&raw.env), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw.env, 4), 0);
    assert_int_equal(mdb_env_open(raw.env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw.env, NULL, 0, &raw.txn), 0);
    assert_int_equal(mdb_dbi_open(raw.txn, database, MDB_CREATE, &raw.dbi), 0);
    return raw;
}

static inline void raw_commit(raw_txn *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

/* The only entry of a database with one. */
static inline void raw_first(const raw_txn *raw, MDB_val *key, MDB_val *value)
{
    MDB_cursor *cursor = NULL;
    assert_int_equal(mdb_cursor_open(raw->txn, raw->dbi, &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, key, value, MDB_FIRST), 0);
    mdb_cursor_close(cursor);
}

#endif
