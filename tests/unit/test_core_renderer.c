/* The renderer: the same bits always, voices, envelopes, effects, limiter, settings; and what its bytes bring back. */
#include "tests/unit/cmocka_small.h"

#include "core/digest.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/sound_digests.h"
#include "tests/unit/sound_scenes.h"

#include <stdbool.h>

enum { RATE = 48000, SECOND_FLOATS = 2 * RATE, STATE_MAX = 4 << 20 };

/* Debug builds for other CPUs run in an emulator: a hundredth as fast. */
#if defined SL_SMALL_TEST && !defined __OPTIMIZE__
enum { IS_SLOW = 1 };
#else
enum { IS_SLOW = 0 };
#endif

typedef struct stage {
    counted_memory memory;
    sl_renderer *renderer;
    uint32_t track;
} stage;

static float one[SOUND_SECONDS * SECOND_FLOATS];
static float other[SECOND_FLOATS];
static uint8_t state_bytes[STATE_MAX];

static void setup_at(stage *stage, uint32_t rate)
{
    *stage = (struct stage){0};
    assert_int_equal(sl_renderer_create(counted_memory_of(&stage->memory), rate, &stage->renderer), SL_OK);
    assert_int_equal(sl_renderer_track(stage->renderer, "a", 1, &stage->track), SL_OK);
}

static void setup(stage *stage, const char *scene)
{
    setup_at(stage, RATE);
    for (size_t i = 0; i < SOUND_SCENE_COUNT; i++)
        if (strcmp(sound_scenes[i].name, scene) == 0) sound_set(stage->renderer, stage->track, &sound_scenes[i]);
}

static void teardown(stage *stage)
{
    sl_renderer_destroy(stage->renderer);
    assert_int_equal(stage->memory.size_bytes, 0);
}

static const sound_scene *scene_of(const char *name)
{
    for (size_t i = 0; i < SOUND_SCENE_COUNT; i++)
        if (strcmp(sound_scenes[i].name, name) == 0) return &sound_scenes[i];
    return NULL;
}

static void start(stage *stage, uint64_t ordinal, uint8_t pitch)
{
    sl_renderer_start(stage->renderer, stage->track, (sl_renderer_note){1, ordinal}, pitch, 100);
}

static void end(stage *stage, uint64_t ordinal)
{
    sl_renderer_end(stage->renderer, (sl_renderer_note){1, ordinal});
}

static float render(stage *stage, size_t frames)
{
    float peak = 0;
    while (frames > 0) {
        const size_t some = frames < RATE ? frames : RATE;
        sl_renderer_render(stage->renderer, one, some);
        for (size_t i = 0; i < 2 * some; i++) {
            assert_true(one[i] >= -1 && one[i] <= 1); /* no NaN either */
            if (one[i] > peak) peak = one[i];
            if (-one[i] > peak) peak = -one[i];
        }
        frames -= some;
    }
    return peak;
}

static float step_max(const float *samples, size_t frames)
{
    float most = 0;
    for (size_t i = 2; i < 2 * frames; i++) {
        const float step = samples[i] - samples[i - 2];
        if (step > most) most = step;
        if (-step > most) most = -step;
    }
    return most;
}

/* Golden: XXH3 of each second's samples. UPDATE_FIXTURES=1 is no help on wasm32: tests/sound_digests.py writes them. */
static void test_renderer_scenes_have_their_digests(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SOUND_SCENE_COUNT; i++) {
        stage stage;
        setup(&stage, sound_scenes[i].name);
        for (uint32_t second = 0; second < (IS_SLOW ? 1 : SOUND_SECONDS); second++) {
            char hex[SL_DIGEST_HEX + 1];
            sound_render(stage.renderer, stage.track, &sound_scenes[i], one, RATE, 512);
            sl_digest_hex(sl_digest_bytes(one, SECOND_FLOATS * sizeof one[0]), hex);
            if (strcmp(hex, sound_digests[i][second]) != 0)
                print_error("%s, second %u: %s\n", sound_scenes[i].name, second, hex);
            assert_string_equal(hex, sound_digests[i][second]);
        }
        teardown(&stage);
    }
}

static void test_renderer_blocks_change_nothing(void **unused)
{
    (void)unused;
    static const size_t blocks[] = {1, 17, 64, 441, 4096};
    static const char *const names[] = {"reverb", "delay", "lead"};
    for (size_t n = 0; n < (IS_SLOW ? 1 : 3); n++) {
        stage stage;
        setup(&stage, names[n]);
        sound_render(stage.renderer, stage.track, scene_of(names[n]), one, RATE, 512);
        teardown(&stage);
        for (size_t i = IS_SLOW ? 4 : 0; i < sizeof blocks / sizeof blocks[0]; i++) {
            setup(&stage, names[n]);
            sound_render(stage.renderer, stage.track, scene_of(names[n]), other, RATE, blocks[i]);
            assert_memory_equal(one, other, sizeof other);
            teardown(&stage);
        }
    }
}

typedef struct put_state {
    size_t length;
} put_state;

static void put(void *ctx, const void *bytes, size_t length)
{
    put_state *put = ctx;
    assert_true(length <= STATE_MAX - put->length);
    memcpy(state_bytes + put->length, bytes, length);
    put->length += length;
}

static size_t save(const stage *stage)
{
    put_state state = {0};
    sl_renderer_encode(stage->renderer, put, &state);
    return state.length;
}

static void test_renderer_goes_on_from_its_bytes(void **unused)
{
    (void)unused;
    static const char *const names[] = {"kit", "pluck", "pad", "delay", "reverb", "filter", "chorus"};
    for (size_t i = IS_SLOW ? 4 : 0; i < (IS_SLOW ? 5 : sizeof names / sizeof names[0]); i++) {
        stage stage, loaded = {0};
        const sound_scene *scene = scene_of(names[i]);
        setup(&stage, names[i]);
        sound_render(stage.renderer, stage.track, scene, one, RATE / 2 + 77, 512);
        sl_reader reader = {.bytes = state_bytes, .length = save(&stage)};
        assert_int_equal(sl_renderer_decode(&reader, counted_memory_of(&loaded.memory), &loaded.renderer), SL_OK);
        assert_int_equal(reader.position, reader.length);
        assert_true(sl_renderer_frame(loaded.renderer) == RATE / 2 + 77);
        sound_render(stage.renderer, stage.track, scene, one, RATE, 512);
        sound_render(loaded.renderer, stage.track, scene, other, RATE, 100);
        assert_memory_equal(one, other, sizeof other);
        teardown(&stage);
        teardown(&loaded);
    }
}

/* Whatever stands there: an error, or a renderer that renders. */
static void test_renderer_decodes_damaged_bytes(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "delay");
    sound_render(stage.renderer, stage.track, scene_of("delay"), one, RATE / 4, 512);
    const size_t length = save(&stage);
    uint32_t chance = 1;
    for (unsigned i = 0; i < 60; i++) {
        struct stage loaded = {0};
        uint8_t kept[4];
        chance = chance * 1664525U + 1013904223U;
        const size_t at = i < 20 ? (size_t)4 * i : (chance >> 8) % (length < 20000 ? length - 4 : 20000);
        memcpy(kept, state_bytes + at, 4);
        memset(state_bytes + at, i % 3 == 0 ? 0xff : (int)(chance >> 24), 4);
        sl_reader reader = {.bytes = state_bytes, .length = i % 7 == 6 ? length / 2 : length};
        const sl_err err = sl_renderer_decode(&reader, counted_memory_of(&loaded.memory), &loaded.renderer);
        assert_true(err == SL_OK || loaded.renderer == NULL);
        if (err == SL_OK) sl_renderer_render(loaded.renderer, other, 300);
        teardown(&loaded);
        memcpy(state_bytes + at, kept, 4);
    }
    teardown(&stage);
}

static void test_renderer_refuses_rates_and_lack_of_memory(void **unused)
{
    (void)unused;
    counted_memory memory = {0};
    sl_renderer *renderer;
    assert_int_equal(sl_renderer_create(counted_memory_of(&memory), 8000, &renderer), SL_ERR_RANGE);
    assert_int_equal(sl_renderer_create(counted_memory_of(&memory), 400000, &renderer), SL_ERR_RANGE);
    for (uint64_t at = 1; at <= 2; at++) {
        memory = (counted_memory){.fail_at = at};
        assert_int_equal(sl_renderer_create(counted_memory_of(&memory), RATE, &renderer), SL_ERR_MEMORY);
        assert_null(renderer);
        assert_int_equal(memory.size_bytes, 0);
    }
}

static void test_renderer_takes_no_memory_while_it_renders(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "reverb");
    const uint64_t calls = stage.memory.call_count;
    sound_render(stage.renderer, stage.track, scene_of("reverb"), one, RATE, 512);
    sl_renderer_set_instrument(stage.renderer, stage.track, SL_INSTRUMENT_PLUCK, "", 0);
    start(&stage, 99, 60);
    (void)render(&stage, 1000);
    assert_true(stage.memory.call_count == calls);
    teardown(&stage);
}

static void test_renderer_begins_at_the_sample(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "lead");
    assert_true(render(&stage, 1001) <= 0);
    start(&stage, 0, 69);
    assert_true(render(&stage, 3) > 0);
    teardown(&stage);
}

static void test_renderer_tails_end_in_silence(void **unused)
{
    (void)unused;
    static const char *const names[] = {"bass", "lead", "keys", "pluck", "kit", "chorus", "delay"};
    for (size_t i = 0; i < (IS_SLOW ? 1 : sizeof names / sizeof names[0]); i++) {
        stage stage;
        setup(&stage, names[i]);
        start(&stage, 0, 48);
        assert_true(render(&stage, RATE / 4) > 0.01F);
        end(&stage, 0);
        unsigned seconds = 0;
        while (!sl_renderer_is_silent(stage.renderer) && seconds++ < 90) (void)render(&stage, RATE);
        assert_true(seconds < 90);
        assert_true(render(&stage, 100) <= 0);
        assert_int_equal(sl_renderer_voice_count(stage.renderer), 0);
        teardown(&stage);
    }
}

/* The voice that was released first is taken; without one, a held one. */
static void test_renderer_steals_the_first_released(void **unused)
{
    (void)unused;
    stage stage;
    if (IS_SLOW) return;
    setup(&stage, "pad");
    for (uint64_t i = 0; i < SL_RENDERER_VOICES; i++) start(&stage, i, (uint8_t)(40 + i));
    (void)render(&stage, RATE / 2);
    end(&stage, 7);
    end(&stage, 3);
    start(&stage, 100, 60); /* 7's voice */
    start(&stage, 101, 61); /* 3's */
    assert_int_equal(sl_renderer_voice_count(stage.renderer), SL_RENDERER_VOICES);
    (void)render(&stage, RATE / 2);
    start(&stage, 102, 62); /* somebody's who is held */
    assert_int_equal(sl_renderer_voice_count(stage.renderer), SL_RENDERER_VOICES);
    for (uint64_t i = 0; i < 103; i++) end(&stage, i);
    (void)render(&stage, (size_t)5 * RATE);
    assert_int_equal(sl_renderer_voice_count(stage.renderer), 0);
    teardown(&stage);
}

static void test_renderer_steals_without_a_step(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "lead");
    for (uint64_t i = 0; i < SL_RENDERER_VOICES; i++) start(&stage, i, (uint8_t)(36 + i));
    sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.gain = 0.1F});
    (void)render(&stage, RATE / 2);
    const float before = step_max(one, RATE / 2);
    for (uint64_t i = 0; i < 20; i++) {
        start(&stage, 100 + i, (uint8_t)(50 + i));
        sl_renderer_render(stage.renderer, one + 2 * i * 331, 331);
    }
    assert_true(step_max(one, (size_t)20 * 331) <= 1.5F * before);
    teardown(&stage);
}

static void test_renderer_closed_hat_chokes_open(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "kit");
    start(&stage, 0, 34);
    (void)render(&stage, RATE / 20);
    start(&stage, 1, 30);
    (void)render(&stage, RATE / 8);
    assert_true(render(&stage, RATE / 20) < 0.01F);
    teardown(&stage);
    setup(&stage, "kit"); /* alone it rings on */
    start(&stage, 0, 34);
    (void)render(&stage, RATE / 20 + RATE / 8);
    assert_true(render(&stage, RATE / 20) > 0.02F);
    teardown(&stage);
}

static void test_renderer_mix_follows(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "pad");
    uint32_t second;
    assert_int_equal(sl_renderer_track(stage.renderer, "b", 1, &second), SL_OK);
    start(&stage, 0, 60);
    (void)render(&stage, RATE);
    sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.gain = 1, .pan = 1});
    (void)render(&stage, RATE / 50);
    (void)sl_renderer_take_meter(stage.renderer, stage.track);
    (void)render(&stage, RATE / 10);
    sl_renderer_meter meter = sl_renderer_take_meter(stage.renderer, stage.track);
    assert_true(meter.peak_left <= 0 && meter.peak_right > 0.01F && meter.frames == RATE / 10);
    sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.gain = 1, .is_muted = true});
    (void)render(&stage, RATE / 50);
    assert_true(render(&stage, 100) <= 0);
    sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.gain = 1});
    (void)render(&stage, RATE / 50);
    assert_true(render(&stage, RATE / 10) > 0.01F);
    sl_renderer_set_mix(stage.renderer, second, &(sl_renderer_mix){.gain = 1, .is_soloed = true});
    (void)render(&stage, RATE / 50);
    assert_true(render(&stage, 100) <= 0);
    teardown(&stage);
}

/* Mute, parameters and effects come and go without a step that is larger than the sound's own. */
static void test_renderer_settings_make_no_step(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "pad");
    start(&stage, 0, 48);
    (void)render(&stage, RATE);
    const float own = step_max(one, RATE);
    const sl_renderer_effect effects[] = {{"delay", 5, "{\"mix\":1}", 9}, {"drive", 5, "{\"level\":-6}", 12}};
    for (unsigned i = 0; i < 8; i++) {
        switch (i) {
        case 0: sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.is_muted = true}); break;
        case 1: sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.gain = 1}); break;
        case 2: sl_renderer_set_effects(stage.renderer, stage.track, effects, 2); break;
        case 3: sl_renderer_set_tempo(stage.renderer, 97); break;
        case 4: sl_renderer_set_effects(stage.renderer, stage.track, NULL, 0); break;
        case 5: sl_renderer_set_instrument(stage.renderer, stage.track, SL_INSTRUMENT_LEAD, "", 0); break;
        case 6: sl_renderer_set_parameter(stage.renderer, SL_PARAMETER_MASTER_VOLUME, 0.3); break;
        default: sl_renderer_set_parameter(stage.renderer, SL_PARAMETER_MASTER_VOLUME, 1); break;
        }
        sl_renderer_render(stage.renderer, one + (size_t)2 * i * 2500, 2500);
    }
    assert_true(step_max(one, 20000) <= 2.5F * own);
    teardown(&stage);
}

static void test_renderer_limits(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "bass");
    sl_renderer_set_mix(stage.renderer, stage.track, &(sl_renderer_mix){.gain = 4});
    for (uint64_t i = 0; i < 24; i++) start(&stage, i, 40);
    const float peak = render(&stage, RATE / 2);
    assert_true(peak > 0.9F && peak < 0.981F);
    teardown(&stage);
}

/* Delay and reverb do not break off, and nothing of them comes after. */
static void test_renderer_panic_fades_to_silence(void **unused)
{
    (void)unused;
    static const char *const names[] = {"delay", "reverb"};
    for (size_t i = 0; i < 2; i++) {
        stage stage;
        setup(&stage, names[i]);
        start(&stage, 0, 60);
        (void)render(&stage, RATE / 2);
        end(&stage, 0);
        (void)render(&stage, RATE / 4 + 5);
        const float own = step_max(one, RATE / 4);
        const float before = one[2 * (RATE / 4) + 8];
        sl_renderer_panic(stage.renderer);
        assert_true(render(&stage, RATE / 10) > 1e-4F);
        assert_true(step_max(one, RATE / 10) <= 1.5F * own);
        assert_true(one[0] - before <= 1.5F * own && before - one[0] <= 1.5F * own);
        assert_true(render(&stage, RATE) <= 0);
        teardown(&stage);
    }
}

/* A state amid the fading goes on, whatever the blocks. */
static void test_renderer_panic_goes_on_from_its_bytes(void **unused)
{
    (void)unused;
    stage stage, loaded = {0};
    setup(&stage, "reverb");
    start(&stage, 0, 26);
    (void)render(&stage, RATE / 8);
    sl_renderer_panic(stage.renderer);
    (void)render(&stage, 77);
    sl_reader reader = {.bytes = state_bytes, .length = save(&stage)};
    assert_int_equal(sl_renderer_decode(&reader, counted_memory_of(&loaded.memory), &loaded.renderer), SL_OK);
    sl_renderer_render(stage.renderer, one, RATE / 20);
    for (size_t at = 0; at < RATE / 20; at += 100) sl_renderer_render(loaded.renderer, other + 2 * at, 100);
    assert_memory_equal(one, other, (size_t)2 * (RATE / 20) * sizeof one[0]);
    teardown(&stage);
    teardown(&loaded);
}

static void test_renderer_params_of_any_bytes(void **unused)
{
    (void)unused;
    static const char *const params[] = {
        "{\"cutoff\":1e999,\"resonance\":-1e999,\"attack\":1e-400,\"drive\":99,\"level\":1e9}",
        "{\"cutoff\":-5,\"release\":0,\"decay\":0,\"sweep\":0.0,\"detune\":1e308,\"vibrato\":1e30}",
        "{\"cutoff\":\"loud\",\"x\":[1,{\"cutoff\":3}],\"sustain\":null,\"sub\":true}",
        "{\"cutoff\":",
        "{{{{[[[[",
        "\"",
        "{\"a\\\"b\":1,\"cutoff\" : 00012.50e+1 , \"level\":-0.0}",
        "null",
        "{\"cutoff\":12345678901234567890123456789012345678901234567890}"};
    static const char *const scenes[] = {"bass", "lead", "pad", "keys", "pluck", "kit"};
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
        for (uint32_t instrument = 0; instrument < SL_INSTRUMENT_COUNT; instrument++) {
            stage stage;
            setup(&stage, scenes[instrument]);
            const sl_renderer_effect effects[] = {
                {"drive", 5, params[i], strlen(params[i])},  {"filter", 6, params[i], strlen(params[i])},
                {"delay", 5, params[i], strlen(params[i])},  {"reverb", 6, params[i], strlen(params[i])},
                {"chorus", 6, params[i], strlen(params[i])}, {"unknown", 7, "", 0}};
            sl_renderer_set_instrument(stage.renderer, stage.track, (sl_instrument)instrument, params[i],
                                       strlen(params[i]));
            sl_renderer_set_effects(stage.renderer, stage.track, effects, 6);
            start(&stage, 0, 0);
            start(&stage, 1, 127);
            start(&stage, 2, 24);
            (void)render(&stage, 2000);
            teardown(&stage);
        }
}

static void test_renderer_params_are_read(void **unused)
{
    (void)unused;
    float values[SL_PARAM_COUNT] = {0};
    const sl_parameter *bass = sl_parameter_at(sl_parameter_of_instrument(SL_INSTRUMENT_BASS));
    const char *json = " { \"cutoff\" : 1.25e3, \"x\":{\"cutoff\":1}, \"level\":-6, \"drive\":true,\"sub\":2}";
    const uint32_t given = sl_params_read(json, strlen(json), bass, SL_PARAM_COUNT, values);
    assert_int_equal(given, 1U << SL_PARAM_CUTOFF | 1U << SL_PARAM_LEVEL | 1U << SL_PARAM_DRIVE | 1U << SL_PARAM_SUB);
    assert_true(values[SL_PARAM_CUTOFF] >= 1250 && values[SL_PARAM_CUTOFF] <= 1250);
    assert_true(values[SL_PARAM_LEVEL] >= -6 && values[SL_PARAM_LEVEL] <= -6);
    assert_true(values[SL_PARAM_DRIVE] >= 1 && values[SL_PARAM_SUB] >= 1 && values[SL_PARAM_SUB] <= 1);
}

static void test_renderer_parameters_are_found(void **unused)
{
    (void)unused;
    for (uint32_t i = 0; i < SL_PARAMETER_COUNT; i++) {
        const sl_parameter *parameter = sl_parameter_at(i);
        assert_int_equal(sl_parameter_find(parameter->id, strlen(parameter->id)), i);
        assert_string_equal(strchr(parameter->id, '.') + 1, parameter->name);
        assert_true(parameter->min < parameter->max);
        assert_true(parameter->initial >= parameter->min && parameter->initial <= parameter->max);
    }
    assert_int_equal(sl_parameter_find("lead.nothing", 12), SL_PARAMETER_COUNT);
    assert_string_equal(sl_parameter_at(SL_PARAMETER_MASTER_VOLUME)->id, "master.volume");
    assert_string_equal(sl_parameter_at(SL_PARAMETER_STRIP + SL_STRIP_REVERB_MIX)->id, "reverb.mix");
}

static void test_renderer_instruments_are_chosen(void **unused)
{
    (void)unused;
    sl_instrument instrument;
    assert_true(sl_instrument_by_name("drums", 5, &instrument) && instrument == SL_INSTRUMENT_KIT);
    assert_false(sl_instrument_by_name("theremin", 8, &instrument));
    assert_int_equal(instrument, SL_INSTRUMENT_KEYS);
    assert_int_equal(sl_instrument_by_track("My Bass 2", 9, 0), SL_INSTRUMENT_BASS);
    assert_int_equal(sl_instrument_by_track("x", 1, 10), SL_INSTRUMENT_KIT);
    assert_int_equal(sl_instrument_by_track("x", 1, 3), SL_INSTRUMENT_KEYS);
    assert_int_equal(sl_drum_of_pitch(24, false), SL_DRUM_KICK);
    assert_int_equal(sl_drum_of_pitch(36, false), SL_DRUM_TOM_1);
    assert_int_equal(sl_drum_of_pitch(36, true), SL_DRUM_KICK);
    assert_int_equal(sl_drum_of_pitch(38, false), SL_DRUM_SNARE);
    assert_int_equal(sl_drum_of_pitch(120, false), SL_DRUM_BEEP);
}

/* Every rate plays, at the same pitch and about as loud. */
static void test_renderer_other_rates(void **unused)
{
    (void)unused;
    static const uint32_t rates[] = {32000, 44100, 96000, 192000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        stage stage;
        setup_at(&stage, rates[i]);
        sound_set(stage.renderer, stage.track, scene_of("reverb"));
        sound_render(stage.renderer, stage.track, scene_of("reverb"), one, rates[i] / 2, 512);
        sound_set(stage.renderer, stage.track, scene_of("delay"));
        start(&stage, 99, 0);
        start(&stage, 100, 127);
        assert_true(render(&stage, rates[i] / 4) > 0.05F);
        teardown(&stage);
    }
}

static void test_renderer_tracks_make_room(void **unused)
{
    (void)unused;
    stage stage;
    setup(&stage, "pad");
    start(&stage, 0, 60);
    (void)render(&stage, 1000);
    for (unsigned i = 0; i < 40; i++) {
        const char name[2] = {'t', (char)('A' + i)};
        uint32_t track;
        assert_int_equal(sl_renderer_track(stage.renderer, name, 2, &track), SL_OK);
        assert_true(track != stage.track); /* it sounds */
    }
    teardown(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renderer_scenes_have_their_digests),
        cmocka_unit_test(test_renderer_blocks_change_nothing),
        cmocka_unit_test(test_renderer_goes_on_from_its_bytes),
        cmocka_unit_test(test_renderer_decodes_damaged_bytes),
        cmocka_unit_test(test_renderer_refuses_rates_and_lack_of_memory),
        cmocka_unit_test(test_renderer_takes_no_memory_while_it_renders),
        cmocka_unit_test(test_renderer_begins_at_the_sample),
        cmocka_unit_test(test_renderer_tails_end_in_silence),
        cmocka_unit_test(test_renderer_steals_the_first_released),
        cmocka_unit_test(test_renderer_steals_without_a_step),
        cmocka_unit_test(test_renderer_closed_hat_chokes_open),
        cmocka_unit_test(test_renderer_mix_follows),
        cmocka_unit_test(test_renderer_settings_make_no_step),
        cmocka_unit_test(test_renderer_limits),
        cmocka_unit_test(test_renderer_panic_fades_to_silence),
        cmocka_unit_test(test_renderer_panic_goes_on_from_its_bytes),
        cmocka_unit_test(test_renderer_params_of_any_bytes),
        cmocka_unit_test(test_renderer_params_are_read),
        cmocka_unit_test(test_renderer_parameters_are_found),
        cmocka_unit_test(test_renderer_instruments_are_chosen),
        cmocka_unit_test(test_renderer_other_rates),
        cmocka_unit_test(test_renderer_tracks_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
