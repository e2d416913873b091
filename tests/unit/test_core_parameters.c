/* Parameters in the state: their order, their ranges, their bound, and that they are saved. */
#include "tests/unit/cmocka_small.h"

#include "core/instruments.h"
#include "core/parameters.h"
#include "core/state_codec.h"
#include "tests/unit/counted_memory.h"

#include <stdio.h>
#include <string.h>

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    size_t refused; /* of all events */
} bench;

static void on_effect(void *ctx, const sl_state *state, const sl_effect *effect)
{
    (void)state;
    bench *bench = ctx;
    if (effect->type == SL_EFFECT_REFUSED) bench->refused++;
}

static void setup(bench *bench)
{
    memset(bench, 0, sizeof *bench);
    assert_int_equal(sl_state_create(counted_memory_of(&bench->memory), &bench->state), SL_OK);
}

static void teardown(bench *bench)
{
    sl_state_destroy(bench->state);
    assert_int_equal(bench->memory.size_bytes, 0);
}

static sl_err take_payload(bench *bench, const uint8_t *payload, size_t length)
{
    const sl_output output = {.tell = on_effect, .ctx = bench};
    const sl_event event = {.seq = sl_state_seq(bench->state) + 1,
                            .kind = SL_KIND_PARAMETER,
                            .version = 1,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = payload,
                            .length = (uint32_t)length};
    return sl_reduce(bench->state, &event, &output);
}

static sl_err try_set(bench *bench, const char *id, double value)
{
    uint8_t bytes[16 + SL_PARAMETER_ID_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_parameter_event event = {.value = value, .id = id, .id_length = strlen(id)};
    assert_int_equal(sl_parameter_event_encode(&event, &writer), SL_OK);
    return take_payload(bench, bytes, writer.length);
}

static void set(bench *bench, const char *id, double value)
{
    assert_int_equal(try_set(bench, id, value), SL_OK);
}

static const sl_parameter_value *get(const sl_state *state, const char *id)
{
    return sl_state_parameter(state, id, strlen(id));
}

static void expect_set(const sl_state *state, const char *id, double value)
{
    const sl_parameter_value *found = get(state, id);
    assert_non_null(found);
    assert_true(found->value >= value && found->value <= value);
    assert_string_equal(found->id, id);
}

static sl_digest digest_of(sl_state *state)
{
    sl_digest whole;
    sl_state_digests(state, NULL, &whole);
    return whole;
}

static void test_parameters_none_at_first(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_null(sl_state_parameter_at(bench.state, 0));
    assert_null(get(bench.state, "lead.cutoff"));
    teardown(&bench);
}

static void test_parameters_stand_in_order_of_their_ids(void **state)
{
    (void)state;
    static const char *const given[] = {"b", "aa", "processor.gain", "a", "lead.cutoff", "ab", "\xc3\xa9"};
    static const char *const sorted[] = {"a", "aa", "ab", "b", "lead.cutoff", "processor.gain", "\xc3\xa9"};
    enum { COUNT = sizeof given / sizeof given[0] };
    static bench bench;
    setup(&bench);
    for (size_t i = 0; i < COUNT; i++) set(&bench, given[i], 100 + (double)i);
    for (size_t i = 0; i < COUNT; i++) assert_string_equal(sl_state_parameter_at(bench.state, i)->id, sorted[i]);
    assert_null(sl_state_parameter_at(bench.state, COUNT));
    for (size_t i = 0; i < COUNT; i++) expect_set(bench.state, given[i], 100 + (double)i);
    assert_null(get(bench.state, "lead"));
    assert_null(get(bench.state, "lead.cutoff2"));
    assert_null(get(bench.state, ""));
    teardown(&bench);
}

static void test_parameters_have_the_last_value(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    set(&bench, "x", 1);
    set(&bench, "x", -2.5);
    expect_set(bench.state, "x", -2.5);
    assert_null(sl_state_parameter_at(bench.state, 1));
    teardown(&bench);
}

static void test_parameters_of_the_renderer_are_clamped(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    const sl_parameter *cutoff = sl_parameter_at(sl_parameter_find("lead.cutoff", 11));
    set(&bench, "lead.cutoff", 1e300);
    expect_set(bench.state, "lead.cutoff", (double)cutoff->max);
    set(&bench, "lead.cutoff", -1);
    expect_set(bench.state, "lead.cutoff", (double)cutoff->min);
    assert_int_equal(get(bench.state, "lead.cutoff")->index, sl_parameter_find("lead.cutoff", 11));
    set(&bench, "lead.unknown", 1e300);
    expect_set(bench.state, "lead.unknown", 1e300);
    assert_int_equal(get(bench.state, "lead.unknown")->index, SL_PARAMETER_COUNT);
    assert_int_equal(bench.refused, 0);
    teardown(&bench);
}

static void test_parameters_beyond_the_bound_are_refused(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    char id[16];
    for (unsigned i = 0; i < SL_PARAMETERS_MAX; i++) {
        snprintf(id, sizeof id, "p%03u", SL_PARAMETERS_MAX - 1 - i);
        set(&bench, id, i);
    }
    assert_int_equal(bench.refused, 0);
    set(&bench, "one.more", 1);
    assert_int_equal(bench.refused, 1);
    assert_null(get(bench.state, "one.more"));
    set(&bench, "p000", 7); /* those that are there still change */
    expect_set(bench.state, "p000", 7);
    assert_int_equal(bench.refused, 1);
    assert_non_null(sl_state_parameter_at(bench.state, SL_PARAMETERS_MAX - 1));
    assert_null(sl_state_parameter_at(bench.state, SL_PARAMETERS_MAX));
    teardown(&bench);
}

static void test_parameters_malformed_change_nothing(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    set(&bench, "x", 1);
    uint8_t bytes[32];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_parameter_event event = {.value = 2, .id = "x", .id_length = 1};
    assert_int_equal(sl_parameter_event_encode(&event, &writer), SL_OK);
    for (size_t length = 0; length < writer.length; length++)
        assert_int_equal(take_payload(&bench, bytes, length), SL_OK);
    assert_int_equal(bench.refused, writer.length);
    expect_set(bench.state, "x", 1);
    teardown(&bench);
}

static void test_parameters_memory_runs_out(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    bench.memory.fail_at = bench.memory.call_count + 1;
    const sl_err err = try_set(&bench, "x", 1);
    assert_true(err == SL_OK || err == SL_ERR_MEMORY); /* the pool may have had the room */
    bench.memory.fail_at = 0;
    teardown(&bench);
}

/* Saves and loads; the caller destroys what it gives. */
static sl_state *load_saved(bench *bench, sl_text *text)
{
    sl_state *loaded = NULL;
    sl_text_open(text, counted_memory_of(&bench->memory));
    assert_int_equal(sl_state_save(bench->state, text), SL_OK);
    assert_int_equal(
        sl_state_load((const uint8_t *)text->bytes, text->length, counted_memory_of(&bench->memory), &loaded), SL_OK);
    return loaded;
}

static void test_parameters_are_saved(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    set(&bench, "master.volume", 0.25);
    set(&bench, "processor.gain", -7);
    sl_text text;
    sl_state *loaded = load_saved(&bench, &text);
    assert_true(sl_digest_equal(digest_of(loaded), digest_of(bench.state)));
    expect_set(loaded, "master.volume", 0.25);
    expect_set(loaded, "processor.gain", -7);
    assert_int_equal(get(loaded, "master.volume")->index, SL_PARAMETER_MASTER_VOLUME);
    assert_null(sl_state_parameter_at(loaded, 2));
    sl_state_destroy(loaded);
    sl_text_close(&text);
    teardown(&bench);
}

static void test_parameters_saved_and_cut_are_refused(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    set(&bench, "a", 1);
    set(&bench, "b", 2);
    sl_text text;
    sl_state *loaded = load_saved(&bench, &text);
    sl_state_destroy(loaded);
    for (size_t length = 0; length < text.length; length++)
        assert_int_not_equal(
            sl_state_load((const uint8_t *)text.bytes, length, counted_memory_of(&bench.memory), &loaded), SL_OK);
    sl_text_close(&text);
    teardown(&bench);
}

/* What has no parameters is saved, and has digests, as before there were any: a state that only took the others of the
 * events of sound is one that took marks. */
static void test_parameters_leave_other_logs_as_they_were(void **state)
{
    (void)state;
    static const uint16_t kinds[] = {SL_KIND_PLAYER, SL_KIND_HEARD, SL_KIND_PROCESSOR};
    static bench sound;
    static bench marks;
    setup(&sound);
    setup(&marks);
    for (uint64_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        sl_event event = {.seq = i + 1, .kind = kinds[i], .version = 1, .source_seq = SL_SOURCE_SEQ_NONE};
        event.payload = (const uint8_t *)"x";
        event.length = 1;
        assert_int_equal(sl_reduce(sound.state, &event, NULL), SL_OK);
        event.kind = SL_KIND_MARK;
        assert_int_equal(sl_reduce(marks.state, &event, NULL), SL_OK);
    }
    assert_true(sl_digest_equal(digest_of(sound.state), digest_of(marks.state)));
    const sl_digest before = digest_of(sound.state);
    set(&sound, "x", 1);
    set(&marks, "x", 2);
    assert_false(sl_digest_equal(digest_of(sound.state), before));
    assert_false(sl_digest_equal(digest_of(sound.state), digest_of(marks.state)));
    teardown(&sound);
    teardown(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_none_at_first),
        cmocka_unit_test(test_parameters_stand_in_order_of_their_ids),
        cmocka_unit_test(test_parameters_have_the_last_value),
        cmocka_unit_test(test_parameters_of_the_renderer_are_clamped),
        cmocka_unit_test(test_parameters_beyond_the_bound_are_refused),
        cmocka_unit_test(test_parameters_malformed_change_nothing),
        cmocka_unit_test(test_parameters_memory_runs_out),
        cmocka_unit_test(test_parameters_are_saved),
        cmocka_unit_test(test_parameters_saved_and_cut_are_refused),
        cmocka_unit_test(test_parameters_leave_other_logs_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
