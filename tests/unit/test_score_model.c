/* Random scores and the notes that the model finds in them (tests/make_scores.py): core finds the same. */
#include "core/part.h"

#include "core/heap.h"
#include "tests/unit/cmocka_small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char path[] = "fixtures/scores.txt";

enum { LINE_BYTES_MAX = 1 << 20, SCORES_MIN = 200 };

static size_t read_hex(const char *text, uint8_t *bytes)
{
    size_t length = 0;
    for (; text[2 * length] != ' ' && text[2 * length] != '\0'; length++) {
        char digits[3] = {text[2 * length], text[2 * length + 1], '\0'};
        bytes[length] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return length;
}

static sl_part *compile(const uint8_t *bytes, size_t length)
{
    sl_event event = {.kind = SL_KIND_SCORE, .version = 1, .payload = bytes, .length = (uint32_t)length};
    sl_score_error error;
    assert_int_equal(sl_score_check(&event, &error), SL_OK);
    sl_reader reader = {.bytes = bytes, .length = length};
    sl_score_head head;
    sl_score_track track;
    const char *what;
    assert_int_equal(sl_score_read_head(&reader, &head, &what), SL_OK);
    assert_int_equal(sl_score_read_track(&reader, &track, &what), SL_OK);
    sl_part *part;
    assert_int_equal(sl_part_compile(&track, sl_heap_memory(), &part, &error), SL_OK);
    return part;
}

static void compare(const char *line)
{
    static uint8_t bytes[LINE_BYTES_MAX];
    size_t length = read_hex(line, bytes);
    sl_part *part = compile(bytes, length);
    char *rest;
    assert_int_equal(part->length, strtoul(line + 2 * length, &rest, 10));
    for (uint32_t i = 0; i < part->note_count; i++) {
        const sl_note *note = &part->notes[i];
        assert_int_equal(note->start, strtoul(rest + 1, &rest, 10));
        assert_int_equal(note->pitch, strtoul(rest + 1, &rest, 10));
        assert_int_equal(note->length, strtoul(rest + 1, &rest, 10));
        assert_int_equal(note->velocity, strtoul(rest + 1, &rest, 10));
        assert_true(note->sounds <= note->length && note->sounds <= part->length);
    }
    assert_true(*rest == '\n' || *rest == '\0');
    sl_part_drop(part);
}

static void test_score_model_gives_the_same_notes(void **state)
{
    (void)state;
    static char line[LINE_BYTES_MAX];
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("%s: tests run in the project's folder", path);
    size_t count = 0;
    for (; fgets(line, sizeof line, file) != NULL; count++) compare(line);
    (void)fclose(file);
    assert_true(count >= SCORES_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_score_model_gives_the_same_notes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
