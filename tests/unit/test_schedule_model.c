/* Random sequences of inputs and marks, and the notes that the model finds in them (tests/make_schedules.py): core
 * tells the same. */
#include "core/schedule.h"

#include "core/heap.h"
#include "tests/unit/cmocka_small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char path[] = "fixtures/schedules.txt";

enum { LINE_BYTES_MAX = 1 << 16, NOTES_MIN = 3000 };

typedef struct bench {
    sl_schedule *schedule;
    uint64_t frame;
    const char *wanted; /* the rest of the line */
    size_t line;
    size_t note_count;
    uint8_t bytes[LINE_BYTES_MAX];
} bench;

static size_t read_hex(const char *text, uint8_t *bytes)
{
    size_t length = 0;
    for (; text[2 * length] > ' '; length++) {
        char digits[3] = {text[2 * length], text[2 * length + 1], '\0'};
        bytes[length] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return length;
}

static double read_double(const char *text)
{
    uint8_t bytes[8];
    double value;
    assert_int_equal(read_hex(text, bytes), sizeof bytes);
    uint64_t bits = sl_get_le(bytes, sizeof bytes);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool compare(void *ctx, const sl_sound *sound)
{
    bench *bench = ctx;
    char told[128];
    int length = snprintf(told, sizeof told, " %llu/%lld/%c/%u/%u/%.*s%s", (unsigned long long)sound->frame,
                          (long long)sound->tick, sound->is_start ? '+' : '-', (unsigned)sound->pitch,
                          (unsigned)sound->velocity, (int)sound->track_length, sound->track, sound->is_lane ? "~" : "");
    if (strncmp(bench->wanted, told, (size_t)length) != 0)
        fail_msg("%s:%zu: told%s, wanted%.60s", path, bench->line, told, bench->wanted);
    bench->wanted += length;
    bench->note_count++;
    return true;
}

static void take_event(bench *bench, char *text)
{
    const char *kind = strtok(text, " "), *seq = strtok(NULL, " "), *payload = strtok(NULL, " \n");
    size_t length = read_hex(payload, bench->bytes);
    sl_event event = {
        .seq = strtoull(seq, NULL, 10), .version = 1, .payload = bench->bytes, .length = (uint32_t)length};
    event.kind = strcmp(kind, "score") == 0       ? SL_KIND_SCORE
                 : strcmp(kind, "transport") == 0 ? SL_KIND_TRANSPORT
                                                  : SL_KIND_APPLIED;
    const char *what;
    sl_err err = sl_schedule_take(bench->schedule, &event, &what);
    assert_true(err == SL_OK || (err == SL_ERR_REFUSED && event.kind == SL_KIND_TRANSPORT));
}

static void take_follow(bench *bench, char *text)
{
    uint64_t seq = strtoull(strtok(text, " "), NULL, 10);
    sl_follow follow = {.type = (uint8_t)strtoul(strtok(NULL, " "), NULL, 10)};
    follow.value = read_double(strtok(NULL, " \n"));
    assert_int_equal(sl_schedule_follow(bench->schedule, seq, &follow), SL_OK);
}

static void take_lanes(bench *bench, char *text)
{
    uint64_t seq = strtoull(strtok(text, " "), NULL, 10);
    sl_follow follow = {.type = SL_FOLLOW_LANES, .is_running = *strtok(NULL, " ") == '1', .bytes = bench->bytes};
    follow.length_ticks = strtoll(strtok(NULL, " "), NULL, 10);
    follow.bytes_length = read_hex(strtok(NULL, " \n"), bench->bytes);
    assert_int_equal(sl_schedule_follow(bench->schedule, seq, &follow), SL_OK);
}

static void play(bench *bench, char *text)
{
    char *rest;
    uint64_t to = strtoull(text, &rest, 10);
    bench->wanted = rest;
    sl_schedule_notes(bench->schedule, bench->frame, to, compare, bench);
    if (*bench->wanted != '\n') fail_msg("%s:%zu: not told:%.60s", path, bench->line, bench->wanted);
    bench->frame = to;
}

static void begin(bench *bench, char *text)
{
    sl_schedule_destroy(bench->schedule);
    assert_int_equal(sl_schedule_create(sl_heap_memory(), &bench->schedule), SL_OK);
    sl_schedule_begin(bench->schedule, read_double(text));
    bench->frame = 0;
}

static void test_schedule_model_tells_the_same_notes(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        void (*take)(bench *bench, char *text);
    } words[] = {
        {"new ", begin}, {"event ", take_event}, {"follow ", take_follow}, {"lanes ", take_lanes}, {"play ", play}};
    static char line[LINE_BYTES_MAX];
    static bench bench;
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("%s: tests run in the project's folder", path);
    while (fgets(line, sizeof line, file) != NULL) {
        bench.line++;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strncmp(line, words[i].word, strlen(words[i].word)) == 0)
                words[i].take(&bench, line + strlen(words[i].word));
    }
    (void)fclose(file);
    sl_schedule_destroy(bench.schedule);
    assert_true(bench.note_count >= NOTES_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_schedule_model_tells_the_same_notes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
