/* What is known of the sound: the newest alone, what counts as news, and how it is told. */
#include "tests/unit/cmocka_small.h"

#include "tests/unit/counted_memory.h"
#include "tools/symlog/host.h"
#include "tools/symlog/sound_status.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void on_wake(void *ctx)
{
    _Atomic unsigned *wakes = ctx;
    (*wakes)++;
}

static sl_sound_status *make(_Atomic unsigned *wakes)
{
    sl_sound_status *store = NULL;
    *wakes = 0;
    assert_int_equal(sl_sound_status_create(&store, on_wake, wakes), SL_OK);
    return store;
}

static void test_sound_status_nobody_writes(void **state)
{
    (void)state;
    sl_audio_status status;
    sl_audio_meter meter;
    sl_audio_parameter parameters[SL_AUDIO_PARAMETERS_MAX];
    sl_sound_status_get(NULL, &status);
    assert_int_equal(status.phase, SL_AUDIO_DISABLED);
    assert_true(status.updated_at_ms > 0);
    assert_false(sl_sound_status_get_meter(NULL, &meter));
    assert_int_equal(sl_sound_status_get_processor(NULL, parameters), 0);
    assert_int_equal(sl_sound_status_take_news(NULL), 0);
    sl_sound_status_destroy(NULL);
}

static void test_sound_status_change_is_news_once(void **state)
{
    (void)state;
    _Atomic unsigned wakes;
    sl_sound_status *store = make(&wakes);
    sl_audio_status status = {.phase = SL_AUDIO_RUNNING_OUTPUT_ONLY, .sample_rate = 48000, .device = "x"};
    assert_int_equal(sl_sound_status_take_news(store), 0);
    sl_sound_status_set(store, &status);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_STATUS);
    assert_int_equal(sl_sound_status_take_news(store), 0);
    status.load = 0.5;
    sl_sound_status_set(store, &status);
    assert_int_equal(sl_sound_status_take_news(store), 0); /* the load alone is none … */
    sl_audio_status read;
    sl_sound_status_get(store, &read);
    assert_true(read.load > 0.4 && read.updated_at_ms > 0); /* … and is kept */
    status.counts.underruns++;
    sl_sound_status_set(store, &status);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_STATUS);
    snprintf(status.hint, sizeof status.hint, "plug it in");
    sl_sound_status_set(store, &status);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_STATUS);
    assert_int_equal(wakes, 3);
    sl_sound_status_destroy(store);
}

static void test_sound_status_meter_is_forgotten_when_nothing_runs(void **state)
{
    (void)state;
    _Atomic unsigned wakes;
    sl_sound_status *store = make(&wakes);
    sl_audio_meter meter = {.timestamp_us = 5, .track_count = SL_AUDIO_TRACKS_MAX + 1};
    sl_sound_status_set_meter(store, &meter);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_METER);
    assert_true(sl_sound_status_get_meter(store, &meter));
    assert_int_equal(meter.timestamp_us, 5);
    assert_int_equal(meter.track_count, SL_AUDIO_TRACKS_MAX);
    sl_sound_status_set(store, &(sl_audio_status){.phase = SL_AUDIO_DEGRADED});
    assert_true(sl_sound_status_get_meter(store, &meter));
    sl_sound_status_set(store, &(sl_audio_status){.phase = SL_AUDIO_FAILED});
    assert_false(sl_sound_status_get_meter(store, &meter));
    sl_sound_status_destroy(store);
}

static void test_sound_status_processor(void **state)
{
    (void)state;
    _Atomic unsigned wakes;
    sl_sound_status *store = make(&wakes);
    static sl_audio_parameter list[SL_AUDIO_PARAMETERS_MAX + 1];
    static sl_audio_parameter read[SL_AUDIO_PARAMETERS_MAX];
    for (size_t i = 0; i < SL_AUDIO_PARAMETERS_MAX + 1; i++) {
        list[i] = (sl_audio_parameter){.max = 1};
        snprintf(list[i].name, sizeof list[i].name, "p%zu", i);
    }
    sl_sound_status_set_processor(store, NULL, 0);
    assert_int_equal(sl_sound_status_take_news(store), 0);
    sl_sound_status_set_processor(store, list, 2);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_PARAMETERS);
    sl_sound_status_set_processor(store, list, 2);
    assert_int_equal(sl_sound_status_take_news(store), 0);
    list[1].max = 2;
    sl_sound_status_set_processor(store, list, 2);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_PARAMETERS);
    assert_int_equal(sl_sound_status_get_processor(store, read), 2);
    assert_string_equal(read[1].name, "p1");
    sl_sound_status_set_processor(store, list, SL_AUDIO_PARAMETERS_MAX + 1);
    assert_int_equal(sl_sound_status_get_processor(store, read), SL_AUDIO_PARAMETERS_MAX);
    sl_sound_status_set_processor(store, NULL, 0);
    assert_int_equal(sl_sound_status_get_processor(store, read), 0);
    sl_sound_status_destroy(store);
}

static void test_sound_status_takes_nonsense(void **state)
{
    (void)state;
    _Atomic unsigned wakes;
    sl_sound_status *store = make(&wakes);
    sl_audio_status status;
    memset(&status, 'x', sizeof status);
    sl_sound_status_set(store, &status);
    sl_sound_status_get(store, &status);
    assert_int_equal(status.phase, SL_AUDIO_FAILED);
    assert_int_equal(strlen(status.code), SL_AUDIO_CODE_BYTES - 1);
    assert_int_equal(strlen(status.message), SL_AUDIO_TEXT_BYTES - 1);
    assert_int_equal(strlen(status.hint), SL_AUDIO_TEXT_BYTES - 1);
    assert_int_equal(strlen(status.device), SL_DEVICE_BYTES_MAX);
    sl_audio_meter meter;
    memset(&meter, 'x', sizeof meter);
    sl_sound_status_set_meter(store, &meter);
    assert_true(sl_sound_status_get_meter(store, &meter));
    assert_int_equal(strlen(meter.tracks[SL_AUDIO_TRACKS_MAX - 1].name), SL_AUDIO_TRACK_BYTES - 1);
    sl_sound_status_destroy(store);
}

static void test_sound_status_leaves_out_parameters_without_name_or_range(void **state)
{
    (void)state;
    static const sl_audio_parameter list[] = {
        {.name = "", .max = 1},
        {.name = "turned", .min = 1, .max = 0},
        {.name = "low", .min = (double)NAN, .max = 1},
        {.name = "high", .max = (double)INFINITY},
        {.name = "wide", .min = -1e308, .max = 1e308},
        {.name = "good", .min = 1, .max = 2, .initial = 1.5},
        {.name = "beyond", .min = 1, .max = 2, .initial = 3},
        {.name = "none", .min = 1, .max = 2, .initial = (double)NAN},
    };
    static const double initial[] = {1.5, 2, 1};
    _Atomic unsigned wakes;
    sl_sound_status *store = make(&wakes);
    static sl_audio_parameter read[SL_AUDIO_PARAMETERS_MAX];
    sl_sound_status_set_processor(store, list, sizeof list / sizeof list[0]);
    assert_int_equal(sl_sound_status_get_processor(store, read), 3);
    for (size_t i = 0; i < 3; i++) assert_true(read[i].initial >= initial[i] && read[i].initial <= initial[i]);
    sl_sound_status_destroy(store);
}

static void expect_text(sl_text *text, const char *expected)
{
    sl_text_bytes(text, "", 1);
    assert_false(text->bad);
    assert_string_equal(text->bytes, expected);
    sl_text_clear(text);
}

static void test_sound_status_as_json(void **state)
{
    (void)state;
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_audio_status_write(&(sl_audio_status){.phase = SL_AUDIO_INITIALIZING, .updated_at_ms = 12}, &text);
    expect_text(&text,
                "{\"phase\":\"initializing\",\"counts\":{\"xruns_input\":0,\"xruns_output\":0,\"underruns\":0,"
                "\"missed_frames\":0,\"late_marks\":0,\"callbacks\":0,\"flagged\":0},\"callback_us\":{\"p50\":0.0,"
                "\"p99\":0.0,\"p999\":0.0,\"max\":0.0},\"load\":0.0,\"updated_at_ms\":12}");
    const sl_audio_status failed = {
        .phase = SL_AUDIO_FAILED,
        .code = "gone",
        .message = "the \"device\" is gone",
        .hint = "plug it in",
        .sample_rate = 44100,
        .buffer_size = 64,
        .device = "hw:1",
        .counts = {1, 2, 3, 4, 5, 6, 7},
        .callback_us = {8.5, 9.5, 10.5, 11.5},
        .load = 0.5,
        .updated_at_ms = 12,
    };
    sl_audio_status_write(&failed, &text);
    expect_text(&text,
                "{\"phase\":\"failed\",\"diagnostic\":{\"code\":\"gone\",\"message\":\"the \\\"device\\\" is gone\","
                "\"hint\":\"plug it in\"},\"sample_rate\":44100,\"buffer_size\":64,\"device\":\"hw:1\","
                "\"counts\":{\"xruns_input\":1,\"xruns_output\":2,\"underruns\":3,\"missed_frames\":4,"
                "\"late_marks\":5,\"callbacks\":6,\"flagged\":7},\"callback_us\":{\"p50\":8.5,\"p99\":9.5,"
                "\"p999\":10.5,\"max\":11.5},\"load\":0.5,\"updated_at_ms\":12}");
    for (int phase = 0; phase < SL_AUDIO_PHASE_COUNT; phase++)
        assert_non_null(sl_audio_phase_name((sl_audio_phase)phase));
    sl_text_close(&text);
}

static void test_sound_status_meter_as_json(void **state)
{
    (void)state;
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_audio_meter meter = {.timestamp_us = 9, .master = {0.1f, NAN, -INFINITY, 1e-9f}};
    sl_audio_meter_write(&meter, &text);
    expect_text(&text, "{\"timestamp_us\":9,\"left_peak\":0.1,\"left_rms\":0.0,\"right_peak\":0.0,\"right_rms\":0.0}");
    meter.track_count = 2;
    snprintf(meter.tracks[0].name, sizeof meter.tracks[0].name, "a");
    snprintf(meter.tracks[1].name, sizeof meter.tracks[1].name, "b\xc3"); /* cut within a character */
    meter.tracks[1].levels.right_rms = 1;
    sl_audio_meter_write(&meter, &text);
    expect_text(&text, "{\"timestamp_us\":9,\"left_peak\":0.1,\"left_rms\":0.0,\"right_peak\":0.0,\"right_rms\":0.0,"
                       "\"tracks\":[{\"name\":\"a\",\"left_peak\":0.0,\"left_rms\":0.0,\"right_peak\":0.0,"
                       "\"right_rms\":0.0},{\"name\":\"b\xef\xbf\xbd\",\"left_peak\":0.0,\"left_rms\":0.0,"
                       "\"right_peak\":0.0,\"right_rms\":1.0}]}");
    sl_text_close(&text);
}

enum { WRITES = 20000 };

static void *write_meters(void *ctx)
{
    sl_sound_status *store = ctx;
    for (int i = 1; i <= WRITES; i++) {
        const sl_audio_meter meter = {.timestamp_us = i, .master = {.left_peak = (float)i, .right_rms = (float)i}};
        sl_sound_status_set_meter(store, &meter);
    }
    return NULL;
}

static void test_sound_status_is_never_seen_half_written(void **state)
{
    (void)state;
    _Atomic unsigned wakes;
    sl_sound_status *store = make(&wakes);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_meters, store), 0);
    sl_audio_meter meter = {0};
    int64_t last = 0;
    while (last < WRITES) {
        if (!sl_sound_status_get_meter(store, &meter)) continue;
        assert_true(meter.timestamp_us >= last);
        last = meter.timestamp_us;
        assert_int_equal((int64_t)meter.master.left_peak, last);
        assert_int_equal((int64_t)meter.master.right_rms, last);
    }
    pthread_join(thread, NULL);
    assert_int_equal(wakes, WRITES);
    assert_int_equal(sl_sound_status_take_news(store), SL_AUDIO_NEWS_METER);
    sl_sound_status_destroy(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_status_nobody_writes),
        cmocka_unit_test(test_sound_status_change_is_news_once),
        cmocka_unit_test(test_sound_status_meter_is_forgotten_when_nothing_runs),
        cmocka_unit_test(test_sound_status_processor),
        cmocka_unit_test(test_sound_status_takes_nonsense),
        cmocka_unit_test(test_sound_status_leaves_out_parameters_without_name_or_range),
        cmocka_unit_test(test_sound_status_as_json),
        cmocka_unit_test(test_sound_status_meter_as_json),
        cmocka_unit_test(test_sound_status_is_never_seen_half_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
