/* The schedule: what sounds when, through splices, stops, pauses, tempo, undo; and what its bytes bring back. */
#include "tests/unit/cmocka_small.h"

#include "core/schedule.h"
#include "core/text.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/score_builder.h"

#include <string.h>

enum { BEAT = SL_TICKS_PER_BEAT, RATE = 48000, SECOND = RATE, HELD_MAX = 256, TOLD_MAX = 4096 };

/* A schedule, and a player that plays it window by window. */
typedef struct bench {
    counted_memory memory;
    sl_schedule *schedule;
    uint64_t seq;
    uint64_t frame; /* played up to here */
    score_builder score;
    sl_sound told[TOLD_MAX];
    size_t told_count;
    sl_note_id held[HELD_MAX]; /* started, and not ended */
    size_t held_count;
    int64_t tick_last;
} bench;

static void setup(bench *bench)
{
    memset(bench, 0, sizeof *bench);
    assert_int_equal(sl_schedule_create(counted_memory_of(&bench->memory), &bench->schedule), SL_OK);
}

static void teardown(bench *bench)
{
    sl_schedule_destroy(bench->schedule);
    assert_int_equal(bench->memory.size_bytes, 0);
}

static bool note(void *ctx, const sl_sound *sound)
{
    bench *bench = ctx;
    assert_true(sound->tick >= bench->tick_last);
    bench->tick_last = sound->tick;
    assert_true(sound->channel >= 1 && sound->channel <= 16);
    size_t at = 0;
    while (at < bench->held_count &&
           (bench->held[at].voice != sound->id.voice || bench->held[at].ordinal != sound->id.ordinal))
        at++;
    if (sound->is_start) {
        assert_int_equal(at, bench->held_count);
        assert_true(bench->held_count < HELD_MAX);
        bench->held[bench->held_count++] = sound->id;
    } else {
        assert_true(at < bench->held_count);
        bench->held[at] = bench->held[--bench->held_count];
    }
    if (bench->told_count < TOLD_MAX) bench->told[bench->told_count++] = *sound;
    return true;
}

static void play_to(bench *bench, uint64_t frame)
{
    sl_schedule_notes(bench->schedule, bench->frame, frame, note, bench);
    bench->frame = frame;
}

static sl_err take(bench *bench, sl_event event)
{
    const char *what;
    return sl_schedule_take(bench->schedule, &event, &what);
}

static void apply_as(bench *bench, sl_applied applied)
{
    uint8_t bytes[32];
    applied.rate = RATE;
    assert_int_equal(take(bench, applied_event(bytes, ++bench->seq, applied)), SL_OK);
}

static void apply(bench *bench)
{
    apply_as(bench, (sl_applied){.through_seq = bench->seq, .frame = bench->frame});
}

static sl_err say(bench *bench, sl_transport transport)
{
    uint8_t bytes[512];
    return take(bench, transport_event(bytes, ++bench->seq, transport));
}

static void say_now(bench *bench, sl_transport_action action)
{
    assert_int_equal(say(bench, (sl_transport){.action = (uint8_t)action}), SL_OK);
    apply(bench);
}

/* One track of quarter notes: `count` of them on `pitch`. */
static void put_track(bench *bench, const char *name, uint8_t pitch, unsigned count)
{
    score_track(&bench->score, name, 0);
    for (unsigned i = 0; i < count; i++) score_note(&bench->score, pitch, BEAT);
    score_end_track(&bench->score);
}

static void evaluate(bench *bench, const char *name, uint8_t pitch, uint8_t quantize)
{
    score_begin(&bench->score, false, quantize, 0);
    put_track(bench, name, pitch, 4);
    assert_int_equal(take(bench, score_end(&bench->score, ++bench->seq)), SL_OK);
    apply(bench);
}

static void forget_told(bench *bench)
{
    bench->told_count = 0;
}

static size_t count_told(const bench *bench, bool is_start, uint8_t pitch)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->told_count; i++)
        if (bench->told[i].is_start == is_start && bench->told[i].pitch == pitch) count++;
    return count;
}

static int64_t first_tick(const bench *bench, bool is_start, uint8_t pitch)
{
    for (size_t i = 0; i < bench->told_count; i++)
        if (bench->told[i].is_start == is_start && bench->told[i].pitch == pitch) return bench->told[i].tick;
    return -1;
}

static void test_schedule_plays_and_loops(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    play_to(&bench, SECOND);
    assert_int_equal(bench.told_count, 0);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, INT64_C(5) * SECOND); /* 8 beats at 120 */
    assert_int_equal(count_told(&bench, true, 60), 8);
    assert_int_equal(count_told(&bench, false, 60), 7);
    assert_int_equal(bench.told[0].frame, SECOND);
    assert_int_equal(bench.told[14].frame, INT64_C(4) * SECOND + SECOND / 2);
    assert_int_equal(bench.told[14].tick, INT64_C(7) * BEAT);
    say_now(&bench, SL_TRANSPORT_STOP);
    play_to(&bench, INT64_C(6) * SECOND);
    assert_int_equal(bench.held_count, 0);
    teardown(&bench);
}

static void test_schedule_splices_at_the_bar_and_the_beat(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 10000);
    evaluate(&bench, "a", 62, SL_QUANTIZE_BAR);
    play_to(&bench, 100000);
    assert_int_equal(first_tick(&bench, true, 62), INT64_C(4) * BEAT);
    assert_int_equal(count_told(&bench, true, 60), 4);
    evaluate(&bench, "a", 64, SL_QUANTIZE_BEAT);
    play_to(&bench, 130000);
    assert_int_equal(first_tick(&bench, true, 64), INT64_C(5) * BEAT);
    int64_t now = sl_schedule_tick(bench.schedule, bench.frame);
    evaluate(&bench, "a", 65, SL_QUANTIZE_OFF);
    play_to(&bench, 200000);
    assert_int_equal(first_tick(&bench, true, 65), now);
    assert_int_equal(first_tick(&bench, false, 64), INT64_C(6) * BEAT < now ? INT64_C(6) * BEAT : now);
    say_now(&bench, SL_TRANSPORT_PANIC);
    play_to(&bench, 200001);
    assert_int_equal(bench.held_count, 0);
    assert_int_equal(sl_schedule_panics(bench.schedule), 1);
    teardown(&bench);
}

static void test_schedule_leaves_other_tracks_alone(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    evaluate(&bench, "b", 70, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 30000);
    uint64_t voice = bench.told[0].id.voice;
    score_begin(&bench.score, true, SL_QUANTIZE_OFF, 0);
    put_track(&bench, "a", 60, 4);
    put_track(&bench, "b", 71, 4);
    assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    apply(&bench);
    play_to(&bench, 300000);
    for (size_t i = 0; i < bench.told_count; i++)
        if (bench.told[i].pitch == 60) assert_int_equal(bench.told[i].id.voice, voice);
    assert_int_equal(count_told(&bench, true, 60), 13);
    assert_int_equal(count_told(&bench, true, 70), 2);
    teardown(&bench);
}

static void test_schedule_stops_one_track_and_undoes_it(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    evaluate(&bench, "b", 70, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 30000);
    sl_transport stop = {.action = SL_TRANSPORT_STOP, .quantize = SL_QUANTIZE_BEAT, .track = "b"};
    assert_int_equal(say(&bench, stop), SL_OK);
    apply(&bench);
    play_to(&bench, 100000);
    assert_int_equal(count_told(&bench, true, 70), 2);
    assert_int_equal(count_told(&bench, false, 70), 2);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_UNDO, .quantize = SL_QUANTIZE_BAR}), SL_OK);
    apply(&bench);
    forget_told(&bench);
    play_to(&bench, 250000);
    assert_int_equal(first_tick(&bench, true, 70), INT64_C(8) * BEAT);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_REDO, .quantize = SL_QUANTIZE_OFF}), SL_OK);
    apply(&bench);
    forget_told(&bench);
    play_to(&bench, 400000);
    assert_int_equal(count_told(&bench, true, 70), 0);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_REDO}), SL_ERR_REFUSED);
    stop.track = "c";
    assert_int_equal(say(&bench, stop), SL_ERR_REFUSED);
    teardown(&bench);
}

static void test_schedule_pause_lets_go_and_goes_on(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 36000); /* beat 1.5 */
    say_now(&bench, SL_TRANSPORT_PAUSE);
    play_to(&bench, 100000);
    assert_int_equal(bench.held_count, 0);
    assert_int_equal(bench.told[bench.told_count - 1].frame, 36000);
    say_now(&bench, SL_TRANSPORT_PLAY);
    forget_told(&bench);
    play_to(&bench, 150000);
    assert_int_equal(bench.told[0].frame, 112000);
    assert_int_equal(bench.told[0].tick, INT64_C(2) * BEAT);
    teardown(&bench);
}

static void test_schedule_quantized_stop_waits_and_is_taken_back(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 30000);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_STOP, .quantize = SL_QUANTIZE_BAR}), SL_OK);
    apply(&bench);
    play_to(&bench, 60000);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 120000);
    assert_int_equal(count_told(&bench, true, 60), 5);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_STOP, .quantize = SL_QUANTIZE_BAR}), SL_OK);
    apply(&bench);
    play_to(&bench, 400000);
    assert_int_equal(count_told(&bench, true, 60), 8);
    assert_int_equal(count_told(&bench, false, 60), 8);
    assert_int_equal(bench.told[15].frame, 192000);
    assert_false(sl_schedule_position(bench.schedule, bench.frame).is_playing);
    say_now(&bench, SL_TRANSPORT_PLAY);
    forget_told(&bench);
    play_to(&bench, 400001);
    assert_int_equal(count_told(&bench, true, 60), 1);
    assert_int_equal(sl_schedule_position(bench.schedule, bench.frame).bar, 0);
    teardown(&bench);
}

static void test_schedule_stop_and_play_at_one_frame(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 30000);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_STOP}), SL_OK);
    assert_int_equal(say(&bench, (sl_transport){.action = SL_TRANSPORT_PLAY}), SL_OK);
    apply(&bench);
    play_to(&bench, 40000);
    assert_int_equal(count_told(&bench, true, 60), 3);
    assert_int_equal(count_told(&bench, false, 60), 2);
    teardown(&bench);
}

static void test_schedule_late_mark_voids_the_one_before(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 30000);
    score_begin(&bench.score, false, SL_QUANTIZE_OFF, 0);
    put_track(&bench, "a", 65, 4);
    assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    uint64_t through = bench.seq;
    play_to(&bench, 40000);
    apply_as(&bench, (sl_applied){.through_seq = through, .frame = 35000}); /* too late: it was played already */
    apply_as(&bench, (sl_applied){.through_seq = through, .frame = 40000, .late = true});
    play_to(&bench, 50000);
    assert_int_equal(bench.held_count, 1);
    assert_int_equal(count_told(&bench, true, 65), 1);
    assert_int_equal(bench.told[bench.told_count - 1].frame, 40000);
    teardown(&bench);
}

static void test_schedule_tempo_and_ramp(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    score_begin(&bench.score, true, SL_QUANTIZE_BAR, 120);
    score_track(&bench.score, "a", 1);
    score_note(&bench.score, 60, 4U * BEAT);
    score_step(&bench.score, (sl_score_step){.op = SL_SCORE_TEMPO, .bpm = 90, .duration = 4U * BEAT});
    score_note(&bench.score, 62, 4U * BEAT);
    score_end_track(&bench.score);
    assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, INT64_C(10) * SECOND);
    assert_int_equal(bench.told[1].frame, INT64_C(2) * SECOND);
    /* 2 + 2.301456579614247 s: SymphonyScript's */
    assert_int_equal(bench.told[3].frame, 206470);
    say_now(&bench, SL_TRANSPORT_STOP);
    play_to(&bench, INT64_C(10) * SECOND + 1);
    assert_int_equal(bench.held_count, 0);
    teardown(&bench);
}

static void test_schedule_signature_moves_the_bar(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    score_begin(&bench.score, true, SL_QUANTIZE_BAR, 0);
    score_track(&bench.score, "a", 1);
    score_step(&bench.score, (sl_score_step){.op = SL_SCORE_SIGNATURE, .numerator = 3, .denominator = 4});
    for (unsigned i = 0; i < 3; i++) score_note(&bench.score, 60, BEAT);
    score_end_track(&bench.score);
    assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    say_now(&bench, SL_TRANSPORT_PLAY);
    play_to(&bench, 30000);
    assert_int_equal(sl_schedule_next(bench.schedule, BEAT, SL_QUANTIZE_BAR), INT64_C(3) * BEAT);
    assert_int_equal(sl_schedule_next(bench.schedule, INT64_C(3) * BEAT + 1, SL_QUANTIZE_BAR), INT64_C(6) * BEAT);
    teardown(&bench);
}

static void append(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

/* Saves the schedule, loads it, and goes on with that one; its bytes are the same. */
static void reload(bench *bench)
{
    sl_text first, second;
    sl_text_open(&first, counted_memory_of(&bench->memory));
    sl_text_open(&second, counted_memory_of(&bench->memory));
    sl_schedule_encode(bench->schedule, append, &first);
    sl_reader reader = {.bytes = (const uint8_t *)first.bytes, .length = first.length};
    sl_schedule *loaded;
    assert_int_equal(sl_schedule_decode(&reader, counted_memory_of(&bench->memory), &loaded), SL_OK);
    assert_int_equal(reader.position, reader.length);
    sl_schedule_destroy(bench->schedule);
    bench->schedule = loaded;
    sl_schedule_encode(loaded, append, &second);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.bytes, second.bytes, first.length);
    sl_text_close(&first);
    sl_text_close(&second);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_track(bench *bench, uint64_t *seed, const char *name)
{
    score_track(&bench->score, name, 0);
    unsigned count = (unsigned)(random_next(seed) % 9);
    for (unsigned i = 0; i < count; i++) {
        uint32_t duration = (uint32_t)(BEAT / 6 * (1 + random_next(seed) % 9));
        sl_score_step step = {.op = SL_SCORE_NOTE,
                              .pitch = (uint8_t)(60 + random_next(seed) % 4),
                              .duration = duration,
                              .velocity = SL_SCORE_ONE,
                              .style = (uint8_t)(random_next(seed) % SL_ARTICULATION_COUNT)};
        if (random_next(seed) % 5 == 0) step = (sl_score_step){.op = SL_SCORE_REST, .duration = duration};
        if (random_next(seed) % 12 == 0) {
            step = (sl_score_step){.op = SL_SCORE_TEMPO, .bpm = (double)(60 + random_next(seed) % 200)};
            step.duration = random_next(seed) % 2 == 0 ? 0 : duration;
            step.curve = (uint8_t)(random_next(seed) % SL_CURVE_COUNT);
        }
        score_step(&bench->score, step);
    }
    score_end_track(&bench->score);
}

static void random_input(bench *bench, uint64_t *seed)
{
    static const char *const names[] = {"a", "b", "c"};
    static const uint8_t modes[] = {SL_QUANTIZE_OFF, SL_QUANTIZE_BEAT, SL_QUANTIZE_BAR, SL_QUANTIZE_DEFAULT};
    uint8_t mode = modes[random_next(seed) % 4];
    uint64_t chance = random_next(seed) % 20;
    if (chance < 10) {
        bool replaces = random_next(seed) % 3 == 0;
        score_begin(&bench->score, replaces, mode, chance < 2 ? (double)(60 + random_next(seed) % 120) : 0);
        unsigned first = (unsigned)(random_next(seed) % 3);
        for (unsigned i = 0; i <= random_next(seed) % 2; i++) random_track(bench, seed, names[(first + i) % 3]);
        assert_int_equal(take(bench, score_end(&bench->score, ++bench->seq)), SL_OK);
        return;
    }
    sl_transport transport = {.quantize = mode, .track = ""};
    static const uint8_t actions[] = {SL_TRANSPORT_PLAY, SL_TRANSPORT_PLAY,  SL_TRANSPORT_PLAY,   SL_TRANSPORT_PAUSE,
                                      SL_TRANSPORT_STOP, SL_TRANSPORT_STOP,  SL_TRANSPORT_TEMPO,  SL_TRANSPORT_UNDO,
                                      SL_TRANSPORT_REDO, SL_TRANSPORT_PANIC, SL_TRANSPORT_CHANNEL};
    transport.action = actions[random_next(seed) % 11];
    bool of_track = transport.action == SL_TRANSPORT_CHANNEL ||
                    (transport.action == SL_TRANSPORT_STOP && random_next(seed) % 2 == 0);
    if (of_track) transport.track = names[random_next(seed) % 3];
    if (transport.action == SL_TRANSPORT_TEMPO) transport.value = (double)(40 + random_next(seed) % 200);
    if (transport.action == SL_TRANSPORT_CHANNEL) transport.value = (double)(random_next(seed) % 17);
    sl_err err = say(bench, transport);
    assert_true(err == SL_OK || err == SL_ERR_REFUSED);
}

/* Random edits at random moments: no note without its end, none doubled, none left when all stops; memory stays flat;
 * a schedule that is loaded goes on as the saved one. */
static void random_session(uint64_t seed)
{
    static bench bench;
    setup(&bench);
    size_t early = 0;
    for (int i = 0; i < 600; i++) {
        unsigned inputs = (unsigned)(random_next(&seed) % 3);
        for (unsigned k = 0; k < inputs; k++) random_input(&bench, &seed);
        if (inputs > 0 || random_next(&seed) % 8 == 0) apply(&bench);
        if (random_next(&seed) % 10 == 0) reload(&bench);
        if (random_next(&seed) % 10 == 0) sl_schedule_advance(bench.schedule, bench.frame);
        play_to(&bench, bench.frame + random_next(&seed) % 60000);
        if (i == 200) early = bench.memory.size_bytes;
    }
    assert_true(bench.memory.size_bytes < 2 * early + 65536);
    say_now(&bench, SL_TRANSPORT_STOP);
    play_to(&bench, bench.frame + 1);
    assert_int_equal(bench.held_count, 0);
    teardown(&bench);
}

static void test_schedule_random_edits(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) random_session(seed * UINT64_C(0x9e3779b97f4a7c15));
}

/* However the windows are cut, the same is told. */
static void test_schedule_windows_do_not_matter(void **state)
{
    (void)state;
    static bench whole, parts;
    bench *benches[] = {&whole, &parts};
    for (int b = 0; b < 2; b++) {
        bench *bench = benches[b];
        setup(bench);
        uint64_t seed = 77;
        score_begin(&bench->score, true, SL_QUANTIZE_BAR, 133);
        random_track(bench, &seed, "a");
        random_track(bench, &seed, "b");
        random_track(bench, &seed, "c");
        assert_int_equal(take(bench, score_end(&bench->score, ++bench->seq)), SL_OK);
        say_now(bench, SL_TRANSPORT_PLAY);
        while (bench->frame < 1000000) {
            uint64_t step = b == 0 ? 1000000 : 1 + random_next(&seed) % 5000;
            uint64_t to = bench->frame + step < 1000000 ? bench->frame + step : 1000000;
            play_to(bench, to);
        }
    }
    assert_int_equal(whole.told_count, parts.told_count);
    assert_true(whole.told_count > 20);
    for (size_t i = 0; i < whole.told_count; i++) {
        assert_int_equal(whole.told[i].frame, parts.told[i].frame);
        assert_int_equal(whole.told[i].tick, parts.told[i].tick);
        assert_int_equal(whole.told[i].id.ordinal, parts.told[i].id.ordinal);
    }
    teardown(&whole);
    teardown(&parts);
}

static void test_schedule_follows_live(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_BAR);
    assert_int_equal(
        sl_schedule_follow(bench.schedule, ++bench.seq, &(sl_follow){.type = SL_FOLLOW_TEMPO, .value = 60}), SL_OK);
    assert_int_equal(sl_schedule_follow(bench.schedule, bench.seq, &(sl_follow){.type = SL_FOLLOW_PLAY}), SL_OK);
    apply(&bench);
    play_to(&bench, INT64_C(2) * SECOND);
    assert_int_equal(count_told(&bench, true, 60), 2);
    teardown(&bench);
}

static void test_schedule_without_a_player_is_bounded(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    for (unsigned i = 0; i < 3000; i++) {
        score_begin(&bench.score, false, SL_QUANTIZE_BAR, 0);
        put_track(&bench, "a", (uint8_t)(i % 100), 2);
        assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    }
    assert_int_equal(sl_schedule_undo_count(bench.schedule), SL_SCHEDULE_HISTORY_MAX - 1);
    reload(&bench);
    teardown(&bench);
}

static void test_schedule_refuses_malformed(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    for (unsigned kind = SL_KIND_SCORE; kind <= SL_KIND_APPLIED; kind++) {
        sl_event event = {
            .seq = 1, .kind = (uint16_t)kind, .version = 1, .payload = (const uint8_t *)"abc", .length = 3};
        assert_int_equal(take(&bench, event), SL_ERR_REFUSED);
        event.version = 9;
        assert_int_equal(take(&bench, event), SL_ERR_REFUSED);
    }
    score_begin(&bench.score, false, SL_QUANTIZE_BAR, 0);
    put_track(&bench, "a", 60, 1);
    put_track(&bench, "a", 61, 1);
    assert_int_equal(take(&bench, score_end(&bench.score, 1)), SL_ERR_REFUSED);
    assert_int_equal(sl_schedule_track_count(bench.schedule), 0);
    teardown(&bench);
}

/* Whatever byte of it is another one: it is no schedule, or one that can be asked. */
static void test_schedule_loads_damaged_bytes_or_refuses_them(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    evaluate(&bench, "a", 60, SL_QUANTIZE_OFF);
    say_now(&bench, SL_TRANSPORT_PLAY);
    score_begin(&bench.score, false, SL_QUANTIZE_BAR, 90); /* a tempo that waits for the bar … */
    put_track(&bench, "b", 61, 2);
    assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    apply(&bench);
    score_begin(&bench.score, false, SL_QUANTIZE_BAR, 80); /* … and a score that waits for a mark */
    put_track(&bench, "c", 62, 2);
    assert_int_equal(take(&bench, score_end(&bench.score, ++bench.seq)), SL_OK);
    sl_text bytes;
    sl_text_open(&bytes, counted_memory_of(&bench.memory));
    sl_schedule_encode(bench.schedule, append, &bytes);
    sl_applied mark;
    assert_true(sl_schedule_mark(bench.schedule, &mark));
    for (size_t i = 0; i < bytes.length; i++) {
        static const char masks[] = {(char)0xFF, 1, (char)0x80};
        for (size_t j = 0; j < sizeof masks; j++) {
            const char kept = bytes.bytes[i];
            bytes.bytes[i] = (char)(kept ^ masks[j]);
            sl_reader reader = {.bytes = (const uint8_t *)bytes.bytes, .length = bytes.length};
            sl_schedule *loaded;
            if (sl_schedule_decode(&reader, counted_memory_of(&bench.memory), &loaded) == SL_OK) {
                (void)sl_schedule_position(loaded, mark.frame + SECOND);
                (void)sl_schedule_next(loaded, BEAT, SL_QUANTIZE_BAR);
                sl_schedule_destroy(loaded);
            }
            bytes.bytes[i] = kept;
        }
    }
    sl_text_close(&bytes);
    teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_plays_and_loops),
        cmocka_unit_test(test_schedule_splices_at_the_bar_and_the_beat),
        cmocka_unit_test(test_schedule_leaves_other_tracks_alone),
        cmocka_unit_test(test_schedule_stops_one_track_and_undoes_it),
        cmocka_unit_test(test_schedule_pause_lets_go_and_goes_on),
        cmocka_unit_test(test_schedule_quantized_stop_waits_and_is_taken_back),
        cmocka_unit_test(test_schedule_stop_and_play_at_one_frame),
        cmocka_unit_test(test_schedule_late_mark_voids_the_one_before),
        cmocka_unit_test(test_schedule_tempo_and_ramp),
        cmocka_unit_test(test_schedule_signature_moves_the_bar),
        cmocka_unit_test(test_schedule_random_edits),
        cmocka_unit_test(test_schedule_windows_do_not_matter),
        cmocka_unit_test(test_schedule_follows_live),
        cmocka_unit_test(test_schedule_without_a_player_is_bounded),
        cmocka_unit_test(test_schedule_refuses_malformed),
        cmocka_unit_test(test_schedule_loads_damaged_bytes_or_refuses_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
