/* What SymphonyScript gave for its own programs (fixtures/symphonyscript.json): the same notes, to a tick. */
#include "core/part.h"

#include "core/heap.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/score_builder.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static const char path[] = "fixtures/symphonyscript.json";

static json_t *programs(void)
{
    static json_t *root;
    json_error_t error;
    if (root == NULL) root = json_load_file(path, 0, &error);
    if (root == NULL) {
        (void)fprintf(stderr, "%s: %s (tests run in the project's folder)\n", path, error.text);
        exit(1);
    }
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* "C#4" -> 61 */
static uint8_t pitch_of(const char *name)
{
    static const int naturals[] = {9, 11, 0, 2, 4, 5, 7}; /* A to G */
    assert_in_range(name[0], 'A', 'G');
    int pitch = naturals[(unsigned)(name[0] - 'A') % 7];
    const char *rest = name + 1;
    if (*rest == '#') pitch++;
    if (*rest == 'b') pitch--;
    if (*rest == '#' || *rest == 'b') rest++;
    return (uint8_t)(pitch + 12 * ((int)strtol(rest, NULL, 10) + 1));
}

/* "8n", "4n.", "8t", or beats */
static uint32_t ticks_of(const json_t *duration)
{
    if (json_is_number(duration)) return (uint32_t)lround(json_number_value(duration) * (double)SL_TICKS_PER_BEAT);
    const char *text = json_string_value(duration);
    char *rest;
    uint32_t ticks = SL_TICKS_PER_BEAT * 4 / (uint32_t)strtoul(text, &rest, 10);
    if (*rest == 't') return ticks * 2 / 3;
    return rest[1] == '.' ? ticks * 3 / 2 : ticks;
}

static uint16_t amount_of(double amount)
{
    return (uint16_t)lround(amount * (double)SL_SCORE_ONE);
}

static uint8_t style_of(const json_t *operation)
{
    const char *tie = text_of(operation, "tie");
    unsigned style = strcmp(text_of(operation, "articulation"), "staccato") == 0 ? SL_ARTICULATION_STACCATO : 0;
    if (strcmp(tie, "start") == 0) style |= SL_TIE_START << 4;
    if (strcmp(tie, "end") == 0) style |= SL_TIE_END << 4;
    return (uint8_t)style;
}

static void put_operations(score_builder *builder, const json_t *operations);

static void put_operation(score_builder *builder, const json_t *operation)
{
    const char *kind = text_of(operation, "kind");
    sl_score_step step = {.op = SL_SCORE_END};
    const json_t *duration = json_object_get(operation, "duration");
    if (strcmp(kind, "note") == 0)
        step = (sl_score_step){.op = SL_SCORE_NOTE,
                               .pitch = pitch_of(text_of(operation, "note")),
                               .duration = ticks_of(duration),
                               .velocity = amount_of(number_of(operation, "velocity")),
                               .style = style_of(operation)};
    else if (strcmp(kind, "rest") == 0)
        step = (sl_score_step){.op = SL_SCORE_REST, .duration = ticks_of(duration)};
    else if (strcmp(kind, "loop") == 0)
        step = (sl_score_step){.op = SL_SCORE_LOOP, .count = (uint32_t)number_of(operation, "count")};
    else if (strcmp(kind, "stack") == 0)
        step = (sl_score_step){.op = SL_SCORE_STACK};
    else if (strcmp(kind, "transpose") == 0)
        step = (sl_score_step){.op = SL_SCORE_TRANSPOSE, .semitones = (int8_t)number_of(operation, "semitones")};
    else if (strcmp(kind, "dynamics") == 0)
        step = (sl_score_step){.op = SL_SCORE_DYNAMICS,
                               .from = amount_of(number_of(operation, "from")),
                               .to = amount_of(number_of(operation, "to")),
                               .duration = ticks_of(duration)};
    else if (strcmp(kind, "tempo") == 0)
        step = (sl_score_step){.op = SL_SCORE_TEMPO,
                               .bpm = number_of(operation, "bpm"),
                               .duration =
                                   ticks_of(json_object_get(json_object_get(operation, "transition"), "duration"))};
    else
        fail_msg("an operation that the test does not know: %s", kind);
    score_step(builder, step);
    const json_t *one = json_object_get(operation, "operation"), *many = json_object_get(operation, "operations");
    if (one != NULL) put_operation(builder, one);
    if (many != NULL) put_operations(builder, many);
    if (one != NULL || many != NULL) score_step(builder, (sl_score_step){.op = SL_SCORE_END});
}

static void put_operations(score_builder *builder, const json_t *operations)
{
    size_t i;
    json_t *operation;
    json_array_foreach(operations, i, operation) put_operation(builder, operation);
}

static sl_part *compile(const json_t *clip)
{
    static score_builder builder;
    score_begin(&builder, true, SL_QUANTIZE_BAR, 0);
    score_track(&builder, "a", 1);
    double swing = number_of(clip, "swing");
    if (swing > 0) score_step(&builder, (sl_score_step){.op = SL_SCORE_SWING, .amount = amount_of(swing)});
    put_operations(&builder, json_object_get(clip, "operations"));
    score_end_track(&builder);
    sl_event event = score_end(&builder, 1);
    sl_score_error error;
    assert_int_equal(sl_score_check(&event, &error), SL_OK);
    sl_reader reader = {.bytes = event.payload, .length = event.length};
    sl_score_head head;
    sl_score_track track;
    const char *what;
    assert_int_equal(sl_score_read_head(&reader, &head, &what), SL_OK);
    assert_int_equal(sl_score_read_track(&reader, &track, &what), SL_OK);
    sl_part *part;
    assert_int_equal(sl_part_compile(&track, sl_heap_memory(), &part, &error), SL_OK);
    return part;
}

/* Seconds of `tempo`'s second half fall on a ramp: from beat 4 at 120 to beat 8 at 90 they took this long. */
static double beats_of(const char *name, double seconds)
{
    const double ramp = 2.301456579614247;
    if (strcmp(name, "tempo") != 0 || seconds <= 2) return seconds * 2;
    assert_true(fabs(seconds - 2 - ramp) < 1e-9);
    return 8;
}

static void compare(const char *name, const json_t *program)
{
    sl_part *part = compile(json_object_get(program, "clip"));
    assert_int_equal(part->length, lround(number_of(program, "beats") * (double)SL_TICKS_PER_BEAT));
    size_t i, note = 0;
    json_t *event;
    json_array_foreach(json_object_get(program, "events"), i, event)
    {
        if (strcmp(text_of(event, "kind"), "note") != 0) continue;
        const json_t *payload = json_object_get(event, "payload");
        double start = number_of(event, "startSeconds");
        double end = beats_of(name, start + number_of(event, "durationSeconds"));
        assert_true(note < part->note_count);
        const sl_note *made = &part->notes[note++];
        start = beats_of(name, start);
        assert_int_equal(made->start, lround(start * (double)SL_TICKS_PER_BEAT));
        assert_int_equal(made->length, lround((end - start) * (double)SL_TICKS_PER_BEAT));
        assert_int_equal(made->pitch, pitch_of(text_of(payload, "pitch")));
        assert_int_equal(made->velocity, json_integer_value(json_object_get(payload, "velocity")));
    }
    assert_int_equal(note, part->note_count);
    sl_part_drop(part);
}

static void test_score_oracle_programs(void **state)
{
    (void)state;
    const char *name;
    json_t *program;
    size_t count = 0;
    json_object_foreach(programs(), name, program)
    {
        if (strcmp(name, "euclid") == 0) continue;
        compare(name, program);
        count++;
    }
    assert_int_equal(count, 12);
}

static void test_score_oracle_euclid(void **state)
{
    (void)state;
    const char *name;
    json_t *wanted;
    size_t count = 0;
    json_object_foreach(json_object_get(programs(), "euclid"), name, wanted)
    {
        char *rest;
        uint32_t hits = (uint32_t)strtoul(name, &rest, 10), steps = (uint32_t)strtoul(rest + 1, NULL, 10);
        uint8_t pattern[SL_EUCLID_STEPS_MAX];
        sl_part_euclid(hits, steps, 0, pattern);
        for (uint32_t i = 0; i < steps; i++) {
            if ((pattern[i] != 0) != (json_string_value(wanted)[i] == 'x')) fail_msg("euclid %s", name);
        }
        count++;
    }
    assert_int_equal(count, 152);
}

/* The program `euc` has its rotation expanded; core's own euclid gives the same. */
static void test_score_oracle_euclid_rotates(void **state)
{
    (void)state;
    static const char wanted[] = "..x..x..x..x..x.";
    uint8_t pattern[SL_EUCLID_STEPS_MAX];
    sl_part_euclid(5, 16, 2, pattern);
    json_t *operations = json_object_get(json_object_get(json_object_get(programs(), "euc"), "clip"), "operations");
    for (size_t i = 0; i < 16; i++) {
        bool is_note = strcmp(text_of(json_array_get(operations, i), "kind"), "note") == 0;
        assert_int_equal(is_note, wanted[i] == 'x');
        assert_int_equal(is_note, pattern[i] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score_oracle_programs),
        cmocka_unit_test(test_score_oracle_euclid),
        cmocka_unit_test(test_score_oracle_euclid_rotates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
