/*
 * The log: appending payloads of 128 bytes at batches of 1, 32 and 1,024, beside plain LMDB and beside write +
 * fdatasync of the same bytes; and reading all with checks of numbers and checksums, beside a plain LMDB walk.
 */
#include "tests/bench/bench.h"

#include "store/log.h"
#include "tests/bench/bare_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PAYLOAD_BYTES = 128,
    RECORD_BYTES = SL_RECORD_HEADER_BYTES + PAYLOAD_BYTES,
    BATCH_MAX = 1024,
    READ_EVENTS = 512 << 10
};
static const uint64_t ROUND_NS = 300000000;

static void compare_appends(bench *bench, size_t batch);
static double append_to_log(const bench *bench, size_t batch);
static double append_to_lmdb(const bench *bench, size_t batch);
static double append_to_file(const bench *bench, size_t batch);
static void compare_reads(bench *bench);
static double read_log(const bench *bench);
static double read_lmdb(const bench *bench);

void bench_store(bench *bench)
{
    static const size_t batches[] = {1, 32, BATCH_MAX};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) compare_appends(bench, batches[i]);
    compare_reads(bench);
}

static void compare_appends(bench *bench, size_t batch)
{
    bench_series own = {0}, lmdb = {0}, file = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&own, append_to_log(bench, batch));
        bench_add(&lmdb, append_to_lmdb(bench, batch));
        bench_add(&file, append_to_file(bench, batch));
    }
    char name[64];
    snprintf(name, sizeof name, "append, batch %zu", batch);
    bench_report(bench, &(bench_figure){name, "events/s", &own, "plain LMDB", &lmdb, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){name, "events/s", &own, "write + fdatasync", &file, BENCH_LIMIT_NONE, 0});
}

/* Events a second. */
static double rate_since(uint64_t began_ns, uint64_t count)
{
    return (double)count * 1e9 / (double)(bench_now_ns() - began_ns);
}

static sl_log *open_log(const char *dir)
{
    sl_log *log = NULL;
    char errmsg[SL_LOG_ERRMSG_BYTES];
    const sl_log_options options = {.dir = dir, .is_writer = true, .durability = SL_DURABILITY_POWER};
    if (sl_log_open(&log, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    return log;
}

static void append(sl_log *log, size_t count)
{
    static const uint8_t payload[PAYLOAD_BYTES] = "/live/seq";
    static sl_event drafts[BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        drafts[i] = (sl_event){.kind = SL_KIND_OSC,
                               .version = 1,
                               .source = 1,
                               .source_seq = i,
                               .payload = payload,
                               .length = PAYLOAD_BYTES};
    }
    if (sl_log_append(log, drafts, count, NULL) != SL_OK) bench_die("%s", sl_log_error(log));
}

static double append_to_log(const bench *bench, size_t batch)
{
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    sl_log *log = open_log(dir);
    uint64_t count = 0;
    const uint64_t began_ns = bench_now_ns();
    for (; bench_now_ns() - began_ns < ROUND_NS; count += batch) append(log, batch);
    const double rate = rate_since(began_ns, count);
    sl_log_close(log);
    bench_remove_dir(dir);
    return rate;
}

static double append_to_lmdb(const bench *bench, size_t batch)
{
    static const uint8_t record[RECORD_BYTES] = "/live/seq";
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    bare_log log;
    bare_log_open(&log, dir);
    const uint64_t began_ns = bench_now_ns();
    while (bench_now_ns() - began_ns < ROUND_NS) bare_log_append(&log, record, sizeof record, batch);
    const double rate = rate_since(began_ns, log.last_seq);
    bare_log_close(&log);
    bench_remove_dir(dir);
    return rate;
}

static double append_to_file(const bench *bench, size_t batch)
{
    static const uint8_t records[BATCH_MAX][RECORD_BYTES] = {"/live/seq"};
    char dir[BENCH_DIR_BYTES], path[BENCH_DIR_BYTES + 8];
    bench_make_dir(bench, dir);
    snprintf(path, sizeof path, "%s/file", dir);
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) bench_die("%s: %s", path, strerror(errno));
    uint64_t count = 0;
    const uint64_t began_ns = bench_now_ns();
    for (; bench_now_ns() - began_ns < ROUND_NS; count += batch) {
        if (write(fd, records, batch * RECORD_BYTES) < 0 || fdatasync(fd) != 0)
            bench_die("%s: %s", path, strerror(errno));
    }
    const double rate = rate_since(began_ns, count);
    close(fd);
    bench_remove_dir(dir);
    return rate;
}

static void compare_reads(bench *bench)
{
    bench_series own = {0}, peer = {0};
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        bench_add(&own, read_log(bench));
        bench_add(&peer, read_lmdb(bench));
    }
    bench_report(bench, &(bench_figure){"read and check", "events/s", &own, "plain LMDB walk, nothing checked", &peer,
                                        BENCH_LIMIT_NONE, 0});
}

static double read_log(const bench *bench)
{
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    sl_log *log = open_log(dir);
    sl_log_reader *reader = NULL;
    for (size_t i = 0; i < READ_EVENTS / BATCH_MAX; i++) append(log, BATCH_MAX);
    if (sl_log_reader_open(log, 1, &reader) != SL_OK) bench_die("%s", sl_log_error(log));
    sl_event event;
    uint64_t count = 0;
    const uint64_t began_ns = bench_now_ns();
    while (sl_log_read(reader, &event) == SL_OK) count++;
    const double rate = rate_since(began_ns, count);
    if (count != READ_EVENTS) bench_die("%s", sl_log_reader_error(reader));
    sl_log_reader_close(reader);
    sl_log_close(log);
    bench_remove_dir(dir);
    return rate;
}

static double read_lmdb(const bench *bench)
{
    static const uint8_t record[RECORD_BYTES] = {0};
    char dir[BENCH_DIR_BYTES];
    bench_make_dir(bench, dir);
    bare_log log;
    bare_log_open(&log, dir);
    for (size_t i = 0; i < READ_EVENTS / BATCH_MAX; i++) bare_log_append(&log, record, sizeof record, BATCH_MAX);
    const uint64_t began_ns = bench_now_ns();
    const uint64_t sum = bare_log_read_all(&log);
    const double rate = rate_since(began_ns, READ_EVENTS);
    if (sum != 0) bench_die("LMDB gave other bytes back");
    bare_log_close(&log);
    bench_remove_dir(dir);
    return rate;
}
