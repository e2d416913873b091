/* The peer of the log: LMDB used plainly, with the log's settings, for records of the same size. No checksums. */
#ifndef SL_TESTS_BENCH_BARE_LOG_H
#define SL_TESTS_BENCH_BARE_LOG_H

#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bare_log {
    MDB_env *env;
    MDB_dbi events;
    uint64_t last_seq;
} bare_log;

/* A new database in `dir`. */
void bare_log_open(bare_log *log, const char *dir);
void bare_log_close(bare_log *log);

/* Puts the same `record` `count` times, under the next numbers, in one transaction, and commits. */
void bare_log_append(bare_log *log, const void *record, size_t length, size_t count);

/* Walks over all records; returns a sum of bytes of each, so that each is touched. */
uint64_t bare_log_read_all(bare_log *log);

#endif
