/* Series, the report, and small things of the machine. */
#include "tests/bench/bench.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SPREAD_BYTES = 64, NEAR_NS = 200000, SPARE_NS = 100000 };

static double ratio_of(const bench_figure *figure);
static bool is_reached(const bench_figure *figure, double ratio);
static void print_for_people(const bench *bench, const bench_figure *figure, double ratio);
static void print_json(const bench *bench, const bench_figure *figure, double ratio);

void bench_add(bench_series *series, double value)
{
    assert(series->count < BENCH_ROUNDS);
    series->values[series->count++] = value;
}

static int compare_doubles(const void *a, const void *b)
{
    double left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

double bench_quantile(const double *values, size_t count, double q)
{
    assert(count > 0 && q >= 0 && q <= 1);
    double *sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL) bench_die("out of memory");
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    const double value = sorted[(size_t)(q * (double)(count - 1) + 0.5)];
    free(sorted);
    return value;
}

void bench_report(bench *bench, const bench_figure *figure)
{
    assert(figure->own->count >= 1 && (figure->peer == NULL || figure->peer->count == figure->own->count));
    const double ratio = ratio_of(figure);
    if (figure->limit_type != BENCH_LIMIT_NONE) (*(is_reached(figure, ratio) ? &bench->reached : &bench->missed))++;
    if (bench->is_json) {
        print_json(bench, figure, ratio);
    } else {
        print_for_people(bench, figure, ratio);
    }
    fflush(stdout);
}

/* The median of the rounds' ratios: what slows a round down slows both sides. 0 without a peer. */
static double ratio_of(const bench_figure *figure)
{
    if (figure->peer == NULL) return 0;
    bench_series ratios = {0};
    for (size_t i = 0; i < figure->own->count; i++) {
        bench_add(&ratios, figure->peer->values[i] > 0 ? figure->own->values[i] / figure->peer->values[i] : 0);
    }
    return bench_quantile(ratios.values, ratios.count, 0.5);
}

static bool is_reached(const bench_figure *figure, double ratio)
{
    switch (figure->limit_type) {
    case BENCH_LIMIT_RATIO_MIN: return ratio >= figure->limit;
    case BENCH_LIMIT_RATIO_MAX: return ratio <= figure->limit;
    case BENCH_LIMIT_VALUE_MIN: return bench_quantile(figure->own->values, figure->own->count, 0.5) >= figure->limit;
    case BENCH_LIMIT_VALUE_MAX: return bench_quantile(figure->own->values, figure->own->count, 1) <= figure->limit;
    case BENCH_LIMIT_MEDIAN_MAX: return bench_quantile(figure->own->values, figure->own->count, 0.5) <= figure->limit;
    case BENCH_LIMIT_NONE: break;
    }
    return true;
}

/* "1.23 M" */
static void format_value(char text[SPREAD_BYTES], double value)
{
    const struct {
        double scale;
        const char *letter;
    } units[] = {{1e6, " M"}, {1e3, " k"}, {1, ""}};
    size_t i = 0;
    while (i < 2 && value < units[i].scale) i++;
    const double shown = value / units[i].scale;
    snprintf(text, SPREAD_BYTES, "%.*f%s", shown >= 100 ? 0 : shown >= 10 ? 1 : 2, shown, units[i].letter);
}

static void print_series(const char *name, const bench_series *series, const char *unit)
{
    static const double quantiles[] = {0, 0.5, 1};
    printf("  %-66s", name);
    for (size_t i = 0; i < 3; i++) {
        char text[SPREAD_BYTES];
        format_value(text, bench_quantile(series->values, series->count, quantiles[i]));
        printf("%10s", text);
    }
    printf("  %s\n", unit);
}

static void print_for_people(const bench *bench, const bench_figure *figure, double ratio)
{
    char name[160];
    snprintf(name, sizeof name, "%s: %s", bench->name, figure->name);
    print_series(name, figure->own, figure->unit);
    if (figure->peer != NULL) {
        snprintf(name, sizeof name, "    beside %s", figure->peer_name);
        print_series(name, figure->peer, figure->unit);
        printf("      ratio %.3g", ratio);
    }
    if (figure->peer == NULL && figure->limit_type != BENCH_LIMIT_NONE) printf("     ");
    char limit[SPREAD_BYTES];
    format_value(limit, figure->limit);
    if (figure->limit_type != BENCH_LIMIT_NONE) {
        const bool is_max = figure->limit_type != BENCH_LIMIT_RATIO_MIN && figure->limit_type != BENCH_LIMIT_VALUE_MIN;
        const char *sign = is_max ? "<=" : ">=";
        printf("   limit %s %s   %s", sign, limit, is_reached(figure, ratio) ? "reached" : "MISSED");
    }
    if (figure->peer != NULL || figure->limit_type != BENCH_LIMIT_NONE) printf("\n");
}

static void print_json_series(const char *key, const bench_series *series)
{
    printf(",\"%s\":{\"min\":%.6g,\"median\":%.6g,\"max\":%.6g}", key, bench_quantile(series->values, series->count, 0),
           bench_quantile(series->values, series->count, 0.5), bench_quantile(series->values, series->count, 1));
}

static void print_json(const bench *bench, const bench_figure *figure, double ratio)
{
    static const char *const limits[] = {NULL, "ratio_min", "ratio_max", "value_min", "value_max", "median_max"};
    printf("{\"bench\":\"%s\",\"figure\":\"%s\",\"unit\":\"%s\",\"rounds\":%zu", bench->name, figure->name,
           figure->unit, figure->own->count);
    print_json_series("own", figure->own);
    if (figure->peer != NULL) {
        printf(",\"peer_name\":\"%s\"", figure->peer_name);
        print_json_series("peer", figure->peer);
        printf(",\"ratio\":%.4g", ratio);
    }
    if (figure->limit_type != BENCH_LIMIT_NONE) {
        printf(",\"limit\":{\"type\":\"%s\",\"value\":%g},\"is_reached\":%s", limits[figure->limit_type], figure->limit,
               is_reached(figure, ratio) ? "true" : "false");
    }
    printf("}\n");
}

void bench_note(const bench *bench, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char text[512];
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (bench->is_json) {
        printf("{\"bench\":\"%s\",\"note\":\"%s\"}\n", bench->name, text);
    } else {
        printf("      %s\n", text);
    }
    fflush(stdout);
}

void bench_die(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    exit(1);
}

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void bench_wait_until(uint64_t time_ns)
{
    for (uint64_t now_ns = bench_now_ns(); now_ns < time_ns; now_ns = bench_now_ns()) {
        const uint64_t left_ns = time_ns - now_ns;
        if (left_ns < NEAR_NS) continue;
        const uint64_t nap_ns = left_ns - SPARE_NS;
        const struct timespec nap = {(time_t)(nap_ns / UINT64_C(1000000000)), (long)(nap_ns % UINT64_C(1000000000))};
        nanosleep(&nap, NULL);
    }
}

/* xorshift64* (Vigna, 2016) */
uint32_t bench_random(uint64_t *seed, uint32_t below)
{
    assert(*seed != 0 && below > 0);
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((((*seed * UINT64_C(2685821657736338717)) >> 32) * below) >> 32);
}

void bench_make_dir(const bench *bench, char dir[BENCH_DIR_BYTES])
{
    const int length = snprintf(dir, BENCH_DIR_BYTES, "%s/XXXXXX", bench->dir);
    if (length < 0 || length >= BENCH_DIR_BYTES || mkdtemp(dir) == NULL)
        bench_die("cannot make a folder in %s: %s; name another with --dir", bench->dir, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    (void)remove(path);
    return 0;
}

void bench_remove_dir(const char *dir)
{
    (void)nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
