/* A log's sound: what a walk written out by hand gives; from the middle, from saved states, and on from the end. */
#include "tools/symlog/performance.h"

#include "core/payload.h"
#include "core/schedule.h"
#include "core/sound_events.h"
#include "tests/unit/score_builder.h"
#include "tests/unit/store_fixture.h"
#include "tools/symlog/host.h"
#include "tools/symlog/sound_states.h"

enum { RATE = 48000, BEAT = SL_TICKS_PER_BEAT, FRAMES = 160000, ANEW = 100000, LATE = 130500 };

typedef struct fixture {
    void *dir; /* a path, see store_fixture.h */
    sl_log *log;
    sl_sound_states *states;
    uint64_t seq;
    float *wanted; /* by the hand-written walk */
    float *heard;  /* by what is tested, at the same places */
    uint64_t heard_from;
    uint64_t heard_to;
    uint64_t stop_at; /* 0: never */
    bool is_exact;
} fixture;

static void append(fixture *fixture, sl_event event)
{
    assert_int_equal(sl_log_append(fixture->log, &event, 1, &fixture->seq), SL_OK);
}

static void append_start(fixture *fixture)
{
    uint8_t bytes[128];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_start start = {.program = "", .options = ""};
    assert_int_equal(sl_start_encode(&start, &writer), SL_OK);
    append(fixture, (sl_event){.kind = SL_KIND_START,
                               .version = SL_PAYLOAD_VERSION,
                               .source_seq = SL_SOURCE_SEQ_NONE,
                               .payload = bytes,
                               .length = (uint32_t)writer.length});
}

static void append_parameter(fixture *fixture, const char *id, double value)
{
    uint8_t bytes[128];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_parameter_event parameter = {.value = value, .id = id, .id_length = strlen(id)};
    assert_int_equal(sl_parameter_event_encode(&parameter, &writer), SL_OK);
    append(fixture, (sl_event){.kind = SL_KIND_PARAMETER,
                               .version = 1,
                               .source_seq = SL_SOURCE_SEQ_NONE,
                               .payload = bytes,
                               .length = (uint32_t)writer.length});
}

static void append_mark(fixture *fixture, uint64_t frame, bool is_late)
{
    uint8_t bytes[32];
    const sl_applied mark = {.through_seq = fixture->seq, .frame = frame, .rate = RATE, .late = is_late};
    append(fixture, applied_event(bytes, 0, mark));
}

static void append_score(fixture *fixture, const char *instrument, const char *effect, uint8_t pitch)
{
    static score_builder score;
    const sl_score_track track = {
        .name = "a", .name_length = 1, .instrument = instrument, .instrument_length = strlen(instrument), .params = ""};
    score_begin(&score, true, SL_QUANTIZE_OFF, 200);
    sl_score_begin_track(&score.score, &track);
    sl_score_put_effect(&score.score, effect, strlen(effect), "{\"mix\":0.4}", 11);
    sl_score_begin_clip(&score.score, "", 0);
    for (uint8_t i = 0; i < 4; i++) score_note(&score, (uint8_t)(pitch + 3 * i), BEAT / 4);
    score_end_track(&score);
    append(fixture, score_end(&score, 0));
}

static void append_all(fixture *fixture)
{
    uint8_t bytes[512];
    append_start(fixture);
    append_score(fixture, "bass", "delay", 40);
    append(fixture, transport_event(bytes, 0, (sl_transport){.action = SL_TRANSPORT_PLAY}));
    append_mark(fixture, 0, false);
    append_parameter(fixture, "bass.cutoff", 900);
    append_parameter(fixture, "master.volume", 0.5);
    append_mark(fixture, 20000, false);
    append_score(fixture, "lead", "reverb", 64);
    append_mark(fixture, 40000, false);
    append_start(fixture);
    append_mark(fixture, ANEW, false);
    append_parameter(fixture, "master.volume", 0.1);
    append_mark(fixture, LATE - 500, false);
    append_parameter(fixture, "master.volume", 0.9);
    append_mark(fixture, LATE, true);
}

static void play_to(sl_playback *playback, const sl_state *state, fixture *fixture, uint64_t frame)
{
    const uint64_t from = sl_playback_frame(playback);
    if (frame > from)
        sl_playback_render(playback, sl_state_schedule(state), fixture->wanted + 2 * from, (size_t)(frame - from));
}

/* Each mark's frame and what comes with it, written out. */
static void make_wanted(fixture *fixture)
{
    static sl_mixer mixer;
    sl_state *state = NULL;
    sl_playback *playback = NULL;
    sl_event event;
    sl_log_reader *reader = NULL;
    assert_int_equal(sl_log_reader_open(fixture->log, 1, &reader), SL_OK);
    assert_int_equal(sl_state_create(sl_host_memory(), &state), SL_OK);
    const uint64_t frames[] = {0, 20000, 40000, ANEW, LATE, LATE};
    const bool is_new[] = {true, false, false, true, false, false},
               is_void[] = {false, false, false, false, true, false};
    for (size_t i = 0; sl_log_read(reader, &event) == SL_OK;) {
        if (event.kind == SL_KIND_APPLIED) {
            if (playback != NULL) play_to(playback, state, fixture, frames[i]);
            if (is_new[i]) {
                sl_playback_destroy(playback);
                assert_int_equal(sl_playback_create(sl_host_memory(), RATE, frames[i], &playback), SL_OK);
            }
            sl_mixer_read(state, &mixer);
            if (!is_void[i]) sl_playback_set_mixer(playback, &mixer);
            i++;
        }
        assert_int_equal(sl_reduce(state, &event, NULL), SL_OK);
    }
    play_to(playback, state, fixture, FRAMES);
    sl_playback_destroy(playback);
    sl_state_destroy(state);
    sl_log_reader_close(reader);
}

static int set_up(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    char errmsg[256];
    assert_non_null(fixture);
    assert_int_equal(make_dir(&fixture->dir), 0);
    fixture->log =
        open_with(&(sl_log_options){.dir = fixture->dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    fixture->wanted = calloc((size_t)2 * FRAMES, sizeof(float));
    fixture->heard = calloc((size_t)2 * FRAMES, sizeof(float));
    assert_non_null(fixture->wanted);
    assert_non_null(fixture->heard);
    append_all(fixture);
    make_wanted(fixture);
    assert_int_equal(sl_sound_states_open(&fixture->states, fixture->dir, fixture->log, true, errmsg), SL_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture *fixture = *state;
    sl_sound_states_close(fixture->states);
    sl_log_close(fixture->log);
    const int failed = remove_dir(&fixture->dir);
    free(fixture->wanted);
    free(fixture->heard);
    free(fixture);
    return failed;
}

static bool hear(void *ctx, const sl_performance_block *block)
{
    fixture *fixture = ctx;
    assert_non_null(block->left_right);
    assert_true(block->frame + block->frames <= FRAMES && block->frames <= SL_PERFORMANCE_BLOCK_FRAMES);
    assert_true(fixture->heard_to == 0 || block->frame == fixture->heard_to);
    assert_int_equal(block->rate, RATE);
    assert_true(block->is_exact && block->is_playing);
    if (fixture->heard_to == 0) fixture->heard_from = block->frame;
    fixture->heard_to = block->frame + block->frames;
    memcpy(fixture->heard + 2 * block->frame, block->left_right, (size_t)block->frames * 2 * sizeof(float));
    return fixture->stop_at == 0 || fixture->heard_to < fixture->stop_at;
}

static sl_err perform(fixture *fixture, uint64_t from, uint64_t to, sl_state **state, sl_playback **playback)
{
    char errmsg[256];
    fixture->heard_to = 0;
    const sl_performance performance = {
        .db = fixture->dir,
        .log = fixture->log,
        .through = fixture->seq,
        .states = fixture->states,
        .hear = to > 0 ? hear : NULL,
        .ctx = fixture,
        .from_frame = from,
        .to_frame = to,
        .is_exact = &fixture->is_exact,
    };
    return sl_performance_run(&performance, state, playback, errmsg);
}

static bool is_as_wanted(fixture *fixture, uint64_t from, uint64_t to)
{
    assert_int_equal(perform(fixture, from, to, NULL, NULL), SL_OK);
    assert_true(fixture->heard_from == from && fixture->heard_to == to);
    return memcmp(fixture->heard + 2 * from, fixture->wanted + 2 * from, (size_t)(to - from) * 2 * sizeof(float)) == 0;
}

static void test_performance_is_the_rule(void **state)
{
    assert_true(is_as_wanted(*state, 0, FRAMES));
}

static void test_performance_from_the_middle(void **state)
{
    static const uint64_t froms[] = {1, 19999, 20000, 39000, 70001, ANEW - 1, ANEW, LATE - 100, LATE + 1};
    for (size_t i = 0; i < sizeof froms / sizeof froms[0]; i++) assert_true(is_as_wanted(*state, froms[i], FRAMES));
}

/* Saves what stands at a frame behind the mark at 40000; `changed`: something else in its place. */
static void save_at(fixture *fixture, uint64_t frame, bool is_changed)
{
    sl_state *state = NULL;
    sl_playback *playback = NULL;
    assert_int_equal(perform(fixture, 0, frame, &state, &playback), SL_OK);
    assert_true(sl_playback_frame(playback) == frame);
    if (is_changed) {
        sl_playback_destroy(playback);
        assert_int_equal(sl_playback_create(sl_host_memory(), RATE, frame, &playback), SL_OK);
    }
    assert_int_equal(sl_sound_states_save(fixture->states, sl_state_seq(state), playback), SL_OK);
    sl_playback_destroy(playback);
    sl_state_destroy(state);
}

static void test_performance_from_a_saved_state(void **state)
{
    fixture *fixture = *state;
    save_at(fixture, 60000, false);
    assert_true(is_as_wanted(fixture, 70000, FRAMES));
    assert_true(is_as_wanted(fixture, 50000, FRAMES));
    save_at(fixture, 65000, true);
    assert_false(is_as_wanted(fixture, 70000, 80000)); /* so it is used */
    assert_true(is_as_wanted(fixture, 64999, 80000));
    assert_true(is_as_wanted(fixture, ANEW + 1, FRAMES));
}

static void test_performance_passes_over_what_marks_deny(void **state)
{
    fixture *fixture = *state;
    sl_playback *playback = NULL;
    assert_int_equal(sl_playback_create(sl_host_memory(), RATE, 30000, &playback), SL_OK);
    assert_int_equal(sl_sound_states_save(fixture->states, 9, playback), SL_OK);
    sl_playback_destroy(playback);
    assert_true(is_as_wanted(fixture, 70000, 80000));
}

static void test_performance_goes_on_from_the_end(void **state)
{
    fixture *fixture = *state;
    sl_state *end = NULL;
    sl_playback *playback = NULL;
    assert_int_equal(perform(fixture, 0, 0, &end, &playback), SL_OK);
    assert_true(sl_state_seq(end) == fixture->seq && sl_playback_frame(playback) == LATE && fixture->is_exact);
    sl_playback_render(playback, sl_state_schedule(end), fixture->heard, FRAMES - LATE);
    assert_memory_equal(fixture->heard, fixture->wanted + (size_t)2 * LATE, (FRAMES - LATE) * 2 * sizeof(float));
    sl_playback_destroy(playback);
    sl_state_destroy(end);
}

static void test_performance_behind_a_start_nothing_goes_on(void **state)
{
    fixture *fixture = *state;
    sl_state *end = NULL;
    sl_playback *playback = NULL;
    append_start(fixture);
    assert_int_equal(perform(fixture, 0, 0, &end, &playback), SL_OK);
    assert_true(sl_state_seq(end) == fixture->seq && playback == NULL);
    sl_state_destroy(end);
}

static void test_performance_stops_when_nobody_hears(void **state)
{
    fixture *fixture = *state;
    fixture->stop_at = 50000;
    assert_int_equal(perform(fixture, 0, FRAMES, NULL, NULL), SL_ERR_END);
    assert_true(fixture->heard_to >= 50000 && fixture->heard_to < 50000 + SL_PERFORMANCE_BLOCK_FRAMES);
}

static void test_sound_states_forget_what_the_log_lost(void **state)
{
    fixture *fixture = *state;
    sl_playback *playback = NULL;
    char errmsg[256];
    uint64_t found = 0;
    save_at(fixture, 60000, false);
    assert_int_equal(sl_playback_create(sl_host_memory(), RATE, 70000, &playback), SL_OK);
    assert_int_equal(sl_sound_states_save(fixture->states, fixture->seq + 1, playback), SL_OK);
    sl_playback_destroy(playback);
    assert_int_equal(sl_sound_states_nearest(fixture->states, UINT64_MAX, &found, &playback), SL_OK);
    assert_true(found == fixture->seq + 1 && sl_playback_frame(playback) == 70000);
    sl_playback_destroy(playback);
    sl_sound_states_close(fixture->states);
    assert_int_equal(sl_sound_states_open(&fixture->states, fixture->dir, fixture->log, true, errmsg), SL_OK);
    assert_int_equal(sl_sound_states_nearest(fixture->states, UINT64_MAX, &found, &playback), SL_OK);
    assert_true(found == 10 && sl_playback_frame(playback) == 60000);
    sl_playback_destroy(playback);
    assert_int_equal(sl_sound_states_nearest(fixture->states, 9, &found, &playback), SL_ERR_NOT_FOUND);
}

static void test_sound_states_of_a_log_that_has_none(void **state)
{
    fixture *fixture = *state;
    sl_sound_states *none = NULL;
    char errmsg[256];
    char dir[600];
    snprintf(dir, sizeof dir, "%s/none", (const char *)fixture->dir);
    assert_int_equal(sl_sound_states_open(&none, dir, fixture->log, false, errmsg), SL_ERR_NOT_FOUND);
    assert_null(sl_sound_states_find(dir, fixture->log));
    assert_int_equal(access(dir, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_performance_is_the_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_performance_from_the_middle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_performance_from_a_saved_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_performance_passes_over_what_marks_deny, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_performance_goes_on_from_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_performance_behind_a_start_nothing_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_performance_stops_when_nobody_hears, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sound_states_forget_what_the_log_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sound_states_of_a_log_that_has_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
