/* The groove box in the schedule: its lanes as notes, their phase through edits, its play, stop and tempo. */
#include "tests/unit/cmocka_small.h"

#include "core/lanes.h"
#include "core/reduce.h"
#include "core/schedule.h"
#include "core/state_codec.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/score_builder.h"

#include <string.h>

enum { BEAT = SL_TICKS_PER_BEAT, RATE = 48000, TOLD_MAX = 512, BEAT_FRAMES = RATE / 2 };

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    uint64_t frame;
    score_builder score;
    sl_sound told[TOLD_MAX];
    size_t told_count;
    int64_t held_count;
} bench;

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

static sl_err take(bench *bench, sl_event event)
{
    event.seq = sl_state_seq(bench->state) + 1;
    event.version = 1;
    event.source_seq = SL_SOURCE_SEQ_NONE;
    return sl_reduce(bench->state, &event, NULL);
}

static void apply(bench *bench)
{
    uint8_t bytes[32];
    sl_applied applied = {.through_seq = sl_state_seq(bench->state), .frame = bench->frame, .rate = RATE};
    assert_int_equal(take(bench, applied_event(bytes, 0, applied)), SL_OK);
}

/* An edit of the groove, counting at once. */
static void edit(bench *bench, const char *text)
{
    sl_event event = {
        .kind = SL_KIND_GROOVE_EDIT, .source = 4, .payload = (const uint8_t *)text, .length = (uint32_t)strlen(text)};
    assert_int_equal(take(bench, event), SL_OK);
    assert_int_equal(sl_state_source(bench->state, 4)->refused[SL_REFUSAL_PATCH], 0);
    apply(bench);
}

static void say(bench *bench, sl_transport transport)
{
    uint8_t bytes[512];
    assert_int_equal(take(bench, transport_event(bytes, 0, transport)), SL_OK);
    apply(bench);
}

/* A session of one track: a note of three quarters each four beats. */
static void evaluate(bench *bench, const char *name)
{
    score_begin(&bench->score, true, SL_QUANTIZE_BAR, 0);
    score_track(&bench->score, name, 0);
    score_note(&bench->score, 60, 3 * BEAT);
    score_rest(&bench->score, BEAT);
    score_end_track(&bench->score);
    assert_int_equal(take(bench, score_end(&bench->score, 0)), SL_OK);
    apply(bench);
}

static bool note(void *ctx, const sl_sound *sound)
{
    bench *bench = ctx;
    assert_true(bench->told_count < TOLD_MAX);
    bench->told[bench->told_count++] = *sound;
    bench->held_count += sound->is_start ? 1 : -1;
    return true;
}

/* Plays some beats at 120; what is told of them alone is kept. */
static void play_beats(bench *bench, uint64_t beats)
{
    bench->told_count = 0;
    uint64_t to = bench->frame + beats * BEAT_FRAMES;
    sl_schedule_notes(sl_state_schedule(bench->state), bench->frame, to, note, bench);
    bench->frame = to;
}

static size_t count_starts(const bench *bench, uint8_t pitch)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->told_count; i++)
        if (bench->told[i].is_start && bench->told[i].pitch == pitch) count++;
    return count;
}

/* Of the index-th start of a pitch: when, in ticks of the clock. */
static int64_t start_tick(const bench *bench, uint8_t pitch, size_t index)
{
    for (size_t i = 0; i < bench->told_count; i++)
        if (bench->told[i].is_start && bench->told[i].pitch == pitch && index-- == 0) return bench->told[i].tick;
    return -1;
}

static const sl_sound *first_of(const bench *bench, uint8_t pitch)
{
    for (size_t i = 0; i < bench->told_count; i++)
        if (bench->told[i].pitch == pitch) return &bench->told[i];
    fail();
    return NULL;
}

static void test_lanes_have_the_keys_of_their_sounds(void **state)
{
    (void)state;
    assert_int_equal(sl_lanes_pitch("kick"), 36);
    assert_int_equal(sl_lanes_pitch("hatClosed"), 42);
    assert_int_equal(sl_lanes_pitch("HATOPEN"), 46);
    assert_int_equal(sl_lanes_pitch("51"), 51);
    assert_int_equal(sl_lanes_pitch("128"), sl_lanes_pitch("beep"));
    assert_int_equal(sl_lanes_pitch("99999999999"), sl_lanes_pitch("beep"));
    assert_int_equal(sl_lanes_pitch("kicks"), sl_lanes_pitch("beep"));
    assert_int_equal(sl_lanes_pitch("36a"), sl_lanes_pitch("beep"));
    assert_int_equal(sl_lanes_pitch("beep"), 76);
}

static void test_lanes_begin_with_the_first_mark(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    const char *text = "patch=t120;kick:4=Xxg.;snare:3=.x.";
    sl_event event = {
        .kind = SL_KIND_GROOVE_EDIT, .source = 4, .payload = (const uint8_t *)text, .length = (uint32_t)strlen(text)};
    assert_int_equal(take(&bench, event), SL_OK);
    assert_false(sl_state_awaits_mark(bench.state));
    event.payload = (const uint8_t *)"play";
    event.length = 4;
    assert_int_equal(take(&bench, event), SL_OK);
    assert_null(sl_state_schedule(bench.state));
    assert_true(sl_state_awaits_mark(bench.state));
    apply(&bench);
    assert_false(sl_state_awaits_mark(bench.state));
    play_beats(&bench, 12);
    assert_int_equal(count_starts(&bench, 36), 9);
    assert_int_equal(count_starts(&bench, 38), 4); /* every three beats: polymeter */
    assert_int_equal(start_tick(&bench, 38, 1), 4 * BEAT);
    const uint8_t wanted[] = {127, 89, 44};
    for (size_t i = 0, at = 0; i < bench.told_count && at < 3; i++)
        if (bench.told[i].is_start && bench.told[i].pitch == 36) assert_int_equal(bench.told[i].velocity, wanted[at++]);
    assert_true(first_of(&bench, 36)->is_lane);
    assert_int_equal(first_of(&bench, 36)->channel, 10);
    edit(&bench, "stop");
    play_beats(&bench, 1);
    assert_int_equal(bench.held_count, 0);
    assert_false(sl_schedule_position(sl_state_schedule(bench.state), bench.frame).is_playing);
    teardown(&bench);
}

static void test_lanes_swing_poly_gain(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    apply(&bench);
    edit(&bench, "patch=t120;vol50;kick:4=X...;hat:1/2s=xx;clap:3=xxx~;ride:1=x@-6;crash:1=x!;tom:1=x@-99");
    edit(&bench, "play");
    play_beats(&bench, 4);
    assert_int_equal(first_of(&bench, 36)->velocity, 64); /* 0.5 */
    assert_int_equal(first_of(&bench, 51)->velocity, 22); /* 0.7 x 0.5 x 0.501 */
    assert_int_equal(start_tick(&bench, 42, 1), BEAT * 2 / 3);
    assert_int_equal(start_tick(&bench, 42, 2), BEAT);
    assert_int_equal(count_starts(&bench, 39), 3); /* three in a bar of four */
    assert_int_equal(start_tick(&bench, 39, 1), 4 * BEAT / 3);
    assert_int_equal(count_starts(&bench, 49), 0);
    assert_int_equal(count_starts(&bench, 45), 0);
    teardown(&bench);
}

static void test_lanes_keep_their_phase_through_edits(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    apply(&bench);
    edit(&bench, "patch=t120;kick:4=X...;snare:4=..x.");
    edit(&bench, "play");
    play_beats(&bench, 1);
    uint64_t kick = first_of(&bench, 36)->id.voice;
    bench.frame += BEAT_FRAMES / 2;
    edit(&bench, "beat=1/3/1"); /* in the middle of the second beat */
    play_beats(&bench, 4);
    assert_int_equal(start_tick(&bench, 38, 0), 2 * BEAT);
    assert_int_equal(start_tick(&bench, 38, 1), 3 * BEAT);
    assert_int_equal(start_tick(&bench, 36, 0), 4 * BEAT);
    assert_int_equal(first_of(&bench, 36)->id.voice, kick); /* not touched */
    edit(&bench, "patch=t120;kick:4=X...;hat:4=x...;snare:4=..xx");
    play_beats(&bench, 4);
    assert_int_equal(start_tick(&bench, 42, 0), 8 * BEAT); /* a new lane is in phase with the others */
    assert_int_equal(first_of(&bench, 36)->id.voice, kick);
    teardown(&bench);
}

static void test_lanes_join_what_plays_at_the_bar(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "kick"); /* a track of the same name as a lane */
    say(&bench, (sl_transport){.action = SL_TRANSPORT_PLAY});
    play_beats(&bench, 1);
    uint64_t code = first_of(&bench, 60)->id.voice;
    edit(&bench, "patch=t90;kick:4=Xxxx");
    edit(&bench, "bpm=120");
    edit(&bench, "play");
    edit(&bench, "beat=0/1/0"); /* before they have begun */
    play_beats(&bench, 7);
    assert_int_equal(start_tick(&bench, 36, 0), 4 * BEAT);
    assert_int_equal(count_starts(&bench, 36), 3);
    assert_int_equal(first_of(&bench, 60)->id.voice, code);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_UNDO});
    play_beats(&bench, 8);
    assert_int_equal(count_starts(&bench, 60), 0);
    assert_int_equal(count_starts(&bench, 36), 6); /* undo is the code's */
    assert_int_equal(sl_schedule_track_count(sl_state_schedule(bench.state)), 0);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_STOP});
    play_beats(&bench, 1);
    assert_int_equal(bench.held_count, 0);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_PLAY});
    play_beats(&bench, 4);
    assert_int_equal(count_starts(&bench, 36), 3); /* the groove was not stopped: it plays with the rest */
    teardown(&bench);
}

static void test_lanes_end_after_their_bars(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a");
    edit(&bench, "patch=t120;b2;rep=2;end=stop;kick:2=xx");
    edit(&bench, "play");
    play_beats(&bench, 20);
    assert_int_equal(count_starts(&bench, 36), 8);
    assert_true(count_starts(&bench, 60) >= 4); /* the code goes on */
    edit(&bench, "beat=0/0/2");
    play_beats(&bench, 4);
    assert_int_equal(count_starts(&bench, 36), 0);
    edit(&bench, "stop");
    play_beats(&bench, 1);
    edit(&bench, "play");
    play_beats(&bench, 12);
    assert_int_equal(count_starts(&bench, 36), 8);
    teardown(&bench);
}

static double bpm_now(const bench *bench)
{
    return sl_schedule_position(sl_state_schedule(bench->state), bench->frame).bpm;
}

/* A person's last word leads the tempo, whoever said it. */
static void test_lanes_share_the_tempo(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    edit(&bench, "bpm=97");
    assert_true(bpm_now(&bench) > 96.9 && bpm_now(&bench) < 97.1);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 60});
    assert_true(bpm_now(&bench) < 60.1);
    edit(&bench, "bpm=97"); /* said again: a word, though the box's tempo is the same */
    assert_true(bpm_now(&bench) > 96.9);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 60});
    edit(&bench, "vol=30");
    assert_true(bpm_now(&bench) < 60.1);
    edit(&bench, "play"); /* from a stop: with the tempo that the box shows */
    assert_true(bpm_now(&bench) > 96.9);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 60});
    edit(&bench, "play");
    assert_true(bpm_now(&bench) < 60.1);
    teardown(&bench);
}

static sl_digest digest(bench *bench)
{
    sl_digest whole;
    sl_state_digests(bench->state, NULL, &whole);
    return whole;
}

static void reload(bench *bench)
{
    sl_text saved;
    sl_state *loaded;
    sl_text_open(&saved, counted_memory_of(&bench->memory));
    assert_int_equal(sl_state_save(bench->state, &saved), SL_OK);
    const uint8_t *bytes = (const uint8_t *)saved.bytes;
    assert_int_equal(sl_state_load(bytes, saved.length, counted_memory_of(&bench->memory), &loaded), SL_OK);
    sl_digest before = digest(bench);
    sl_state_destroy(bench->state);
    bench->state = loaded;
    assert_true(sl_digest_equal(before, digest(bench)));
    for (size_t cut = 0; cut < saved.length; cut += 3)
        assert_int_not_equal(sl_state_load(bytes, cut, counted_memory_of(&bench->memory), &loaded), SL_OK);
    sl_text_close(&saved);
}

static void test_lanes_in_snapshots(void **state)
{
    (void)state;
    static bench bench, other;
    setup(&bench);
    setup(&other);
    for (unsigned i = 0; i < 2; i++) {
        struct bench *each = i == 0 ? &bench : &other;
        evaluate(each, "a");
        edit(each, "patch=t120;kick:4=X...;snare:3=..x");
        edit(each, "play");
        play_beats(each, 2);
        edit(each, "beat=1/0/1");
        if (i == 0) reload(each);
        edit(each, "beat=1/1/1");
        play_beats(each, 9);
        if (i == 0) reload(each);
    }
    sl_digest a = digest(&bench), b = digest(&other);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(bench.told_count, other.told_count);
    for (size_t i = 0; i < bench.told_count; i++) {
        assert_int_equal(bench.told[i].tick, other.told[i].tick);
        assert_int_equal(bench.told[i].id.voice, other.told[i].id.voice);
    }
    teardown(&bench);
    teardown(&other);
}

static void test_lanes_without_memory(void **state)
{
    (void)state;
    static bench bench;
    static const char *const edits[] = {"patch=t120;kick:4=X...;snare:3=..x", "play", "beat=0/1/1", "stop"};
    for (uint64_t fail_at = 1;; fail_at++) {
        setup(&bench);
        bench.memory.fail_at = bench.memory.call_count + fail_at;
        uint8_t bytes[32];
        sl_err err = SL_OK;
        for (unsigned i = 0; i < 8 && err == SL_OK; i++) {
            sl_event mark = applied_event(bytes, 0, (sl_applied){.through_seq = 99, .rate = RATE});
            sl_event event = {.kind = SL_KIND_GROOVE_EDIT,
                              .source = 4,
                              .payload = (const uint8_t *)edits[i / 2],
                              .length = (uint32_t)strlen(edits[i / 2])};
            err = take(&bench, i % 2 == 0 ? event : mark);
        }
        bool is_over = err == SL_OK && bench.memory.call_count < bench.memory.fail_at;
        teardown(&bench);
        if (is_over) break;
        assert_true(err == SL_OK || err == SL_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_have_the_keys_of_their_sounds),
        cmocka_unit_test(test_lanes_begin_with_the_first_mark),
        cmocka_unit_test(test_lanes_swing_poly_gain),
        cmocka_unit_test(test_lanes_keep_their_phase_through_edits),
        cmocka_unit_test(test_lanes_join_what_plays_at_the_bar),
        cmocka_unit_test(test_lanes_end_after_their_bars),
        cmocka_unit_test(test_lanes_share_the_tempo),
        cmocka_unit_test(test_lanes_in_snapshots),
        cmocka_unit_test(test_lanes_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
