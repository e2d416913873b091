/* The mixer as a state has it: faders, mute, solo, by the tracks' names; and the parameters. */
#include "tests/unit/cmocka_small.h"

#include "core/mixer.h"
#include "core/parameters.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/osc_builder.h"
#include "tests/unit/score_builder.h"

#include <string.h>

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    uint64_t next_number;
    osc_builder packet;
    score_builder score;
    sl_mixer mixer;
} bench;

static void take(bench *bench, sl_event event)
{
    event.seq = sl_state_seq(bench->state) + 1;
    assert_int_equal(sl_reduce(bench->state, &event, NULL), SL_OK);
}

static void send(bench *bench, const char *path, const char *tags, ...)
{
    va_list list;
    va_start(list, tags);
    bench->packet.length = 0;
    osc_message(&bench->packet, (int64_t)bench->next_number, path, tags, list);
    va_end(list);
    take(bench, (sl_event){.kind = SL_KIND_OSC,
                           .version = 1,
                           .source = 3,
                           .session = 5,
                           .source_seq = bench->next_number++,
                           .payload = bench->packet.bytes,
                           .length = (uint32_t)bench->packet.length});
}

/* Live has bass, pad, bass and drums. */
static void setup(bench *bench)
{
    static const char *const names[] = {"bass", "pad", "bass", "drums"};
    memset(bench, 0, sizeof *bench);
    assert_int_equal(sl_state_create(counted_memory_of(&bench->memory), &bench->state), SL_OK);
    for (int i = 0; i < 4; i++) send(bench, "/live/track/added", "is", i, names[i]);
}

static void teardown(bench *bench)
{
    sl_state_destroy(bench->state);
    assert_int_equal(bench->memory.size_bytes, 0);
}

/* The session has a track of that name, and no other. */
static void play(bench *bench, const char *name)
{
    score_begin(&bench->score, true, SL_QUANTIZE_OFF, 120);
    score_track(&bench->score, name, 0);
    score_note(&bench->score, 60, SL_TICKS_PER_BEAT);
    score_end_track(&bench->score);
    take(bench, score_end(&bench->score, 0));
}

static sl_renderer_mix find(bench *bench, const char *name)
{
    sl_mixer_read(bench->state, &bench->mixer);
    return sl_mixer_find(&bench->mixer, sl_digest_bytes(name, strlen(name)));
}

static void expect_near(float value, double expected)
{
    assert_true((double)value > expected - 1e-4 && (double)value < expected + 1e-4);
}

static void test_mixer_gain_of_volume(void **state)
{
    (void)state;
    static const struct {
        double volume;
        double gain;
    } cases[] = {{0.85, 1},    {1, 1.99526},    {0.4, 0.125893}, {0, 0},           {-1, 0},
                 {7, 1.99526}, {0.6, 0.316228}, {0.0001, 0},     {0.725, 0.562341}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_near(sl_mixer_gain_of_volume(cases[i].volume), cases[i].gain);
    float last = 0;
    for (int i = 1; i <= 1000; i++) {
        const float gain = sl_mixer_gain_of_volume(i / 1000.0);
        assert_true(gain > last); /* the fader only ever makes it louder */
        last = gain;
    }
}

static void test_mixer_of_a_new_log(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    static sl_mixer begun;
    sl_mixer_begin(&begun);
    sl_mixer_read(bench.state, &bench.mixer);
    assert_true(sl_mixer_equal(&begun, &bench.mixer));
    assert_int_equal(bench.mixer.count, 0);
    const sl_renderer_mix mix = find(&bench, "bass");
    expect_near(mix.gain, 1);
    expect_near(mix.pan, 0);
    assert_false(mix.is_muted || mix.is_soloed);
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++)
        expect_near(bench.mixer.parameters[i] - sl_parameter_at(i)->initial, 0);
    teardown(&bench);
}

static void test_mixer_volume_pan_mute(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    send(&bench, "/live/track/volume", "if", 1, 0.6);
    send(&bench, "/live/track/pan", "if", 1, -0.5);
    send(&bench, "/live/track/mute", "iT", 3);
    const sl_renderer_mix pad = find(&bench, "pad");
    expect_near(pad.gain, 0.316228);
    expect_near(pad.pan, -0.5);
    assert_false(pad.is_muted);
    assert_true(find(&bench, "drums").is_muted);
    assert_false(find(&bench, "bass").is_muted);
    assert_false(find(&bench, "unknown").is_muted);
    send(&bench, "/live/track/mute", "iF", 3);
    assert_false(find(&bench, "drums").is_muted);
    teardown(&bench);
}

static void test_mixer_of_two_tracks_of_one_name_is_the_first(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    send(&bench, "/live/track/volume", "if", 0, 0.6);
    send(&bench, "/live/track/volume", "if", 2, 0.4);
    expect_near(find(&bench, "bass").gain, 0.316228);
    send(&bench, "/live/track/volume", "if", 0, 0.85); /* as it was made; it still is the first */
    expect_near(find(&bench, "bass").gain, 1);
    send(&bench, "/live/track/mute", "iT", 2);
    assert_false(find(&bench, "bass").is_muted);
    send(&bench, "/live/track/deleted", "i", 0);
    assert_true(find(&bench, "bass").is_muted);
    teardown(&bench);
}

static void test_mixer_solo_silences_the_others(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    play(&bench, "pad");
    send(&bench, "/live/track/solo", "iT", 1);
    assert_false(find(&bench, "pad").is_muted);
    assert_true(bench.mixer.has_solo);
    assert_true(find(&bench, "bass").is_muted);
    assert_true(find(&bench, "unknown").is_muted);
    assert_false(find(&bench, "pad").is_soloed); /* it is in the others' is_muted */
    send(&bench, "/live/track/solo", "iF", 1);
    assert_false(find(&bench, "bass").is_muted);
    teardown(&bench);
}

static void test_mixer_solo_of_a_track_that_the_session_has_not(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    send(&bench, "/live/track/solo", "iT", 1);
    assert_false(find(&bench, "bass").is_muted); /* there is no session */
    play(&bench, "bass");
    assert_false(find(&bench, "bass").is_muted);
    assert_false(bench.mixer.has_solo);
    play(&bench, "pad"); /* now there is such a track */
    assert_true(find(&bench, "bass").is_muted);
    assert_false(find(&bench, "pad").is_muted);
    teardown(&bench);
}

static void test_mixer_solo_of_one_that_is_muted(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    play(&bench, "pad");
    send(&bench, "/live/track/solo", "iT", 1);
    send(&bench, "/live/track/mute", "iT", 1);
    assert_true(find(&bench, "pad").is_muted);
    assert_true(find(&bench, "drums").is_muted);
    teardown(&bench);
}

static void test_mixer_has_the_parameters(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    static sl_mixer before;
    sl_mixer_read(bench.state, &before);
    static const char *const ids[] = {"master.volume", "processor.gain"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[64];
        sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
        const sl_parameter_event event = {.value = 0.25, .id = ids[i], .id_length = strlen(ids[i])};
        assert_int_equal(sl_parameter_event_encode(&event, &writer), SL_OK);
        take(&bench, (sl_event){.kind = SL_KIND_PARAMETER,
                                .version = 1,
                                .source_seq = SL_SOURCE_SEQ_NONE,
                                .payload = bytes,
                                .length = (uint32_t)writer.length});
    }
    sl_mixer_read(bench.state, &bench.mixer);
    expect_near(bench.mixer.parameters[SL_PARAMETER_MASTER_VOLUME], 0.25);
    assert_false(sl_mixer_equal(&before, &bench.mixer));
    before.parameters[SL_PARAMETER_MASTER_VOLUME] = 0.25f; /* the processor's is none of the renderer's */
    assert_true(sl_mixer_equal(&before, &bench.mixer));
    teardown(&bench);
}

static void test_mixer_equal_looks_at_all(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    send(&bench, "/live/track/volume", "if", 1, 0.6);
    sl_mixer_read(bench.state, &bench.mixer);
    static sl_mixer other;
    sl_mixer_read(bench.state, &other);
    assert_true(sl_mixer_equal(&bench.mixer, &other));
    other.tracks[0].mix.pan = 0.5f;
    assert_false(sl_mixer_equal(&bench.mixer, &other));
    sl_mixer_read(bench.state, &other);
    other.tracks[0].name.low++;
    assert_false(sl_mixer_equal(&bench.mixer, &other));
    sl_mixer_read(bench.state, &other);
    other.tracks[0].mix.is_muted = true;
    assert_false(sl_mixer_equal(&bench.mixer, &other));
    sl_mixer_begin(&other);
    assert_false(sl_mixer_equal(&bench.mixer, &other));
    teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixer_gain_of_volume),
        cmocka_unit_test(test_mixer_of_a_new_log),
        cmocka_unit_test(test_mixer_volume_pan_mute),
        cmocka_unit_test(test_mixer_of_two_tracks_of_one_name_is_the_first),
        cmocka_unit_test(test_mixer_solo_silences_the_others),
        cmocka_unit_test(test_mixer_solo_of_a_track_that_the_session_has_not),
        cmocka_unit_test(test_mixer_solo_of_one_that_is_muted),
        cmocka_unit_test(test_mixer_has_the_parameters),
        cmocka_unit_test(test_mixer_equal_looks_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
