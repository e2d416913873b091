/* Plain LMDB. */
#include "tests/bench/bare_log.h"

#include "tests/bench/bench.h"

#include <string.h>

static const size_t MAP_BYTES = (size_t)64 << 30;

static void check(int code)
{
    if (code != 0) bench_die("lmdb: %s", mdb_strerror(code));
}

void bare_log_open(bare_log *log, const char *dir)
{
    *log = (bare_log){.env = NULL};
    MDB_txn *txn = NULL;
    check(mdb_env_create(&log->env));
    check(mdb_env_set_maxdbs(log->env, 1));
    check(mdb_env_set_mapsize(log->env, MAP_BYTES));
    check(mdb_env_open(log->env, dir, MDB_NOTLS, 0600));
    check(mdb_txn_begin(log->env, NULL, 0, &txn));
    check(mdb_dbi_open(txn, "events", MDB_INTEGERKEY | MDB_CREATE, &log->events));
    check(mdb_txn_commit(txn));
}

void bare_log_close(bare_log *log)
{
    mdb_env_close(log->env);
}

void bare_log_append(bare_log *log, const void *record, size_t length, size_t count)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    check(mdb_txn_begin(log->env, NULL, 0, &txn));
    check(mdb_cursor_open(txn, log->events, &cursor));
    for (size_t i = 0; i < count; i++) {
        uint64_t seq = ++log->last_seq;
        MDB_val key = {sizeof seq, &seq};
        MDB_val value = {length, (void *)record};
        check(mdb_cursor_put(cursor, &key, &value, MDB_APPEND));
    }
    mdb_cursor_close(cursor);
    check(mdb_txn_commit(txn));
}

uint64_t bare_log_read_all(bare_log *log)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    check(mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn));
    check(mdb_cursor_open(txn, log->events, &cursor));
    uint64_t sum = 0;
    MDB_val key, value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        uint64_t first;
        memcpy(&first, value.mv_data, sizeof first);
        sum += first;
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return sum;
}
