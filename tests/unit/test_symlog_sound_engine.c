/* Tests of tools/symlog/sound_engine: what it renders is what the log's events alone explain, however marks come back
 * and frames are cut. The log is the test's own: events are committed when the test says so, marks also too late. */
#include "tests/unit/cmocka_small.h"

#include "core/audio_math.h"
#include "core/text.h"
#include "tests/unit/score_builder.h"
#include "tools/symlog/host.h"
#include "tools/symlog/sound_engine.h"

#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, FRAMES = 3 * RATE, EVENTS_MAX = 1024, BEAT = SL_TICKS_PER_BEAT, BEGIN = 5000 };

typedef enum entry_type { IS_EVENT, IS_WISH } entry_type;

/* An event of the test's log; a mark has the mixer as it was just before it. */
typedef struct entry {
    entry_type type;
    sl_event event;
    uint8_t bytes[512];
    sl_mixer mixer;
    uint64_t commit_at; /* a frame */
} entry;

static sl_sound_engine *engine;
static sl_text whole;
static entry entries[EVENTS_MAX];
static size_t entry_count;
static size_t committed;
static uint64_t delay; /* frames from a mark's put to its commit */
static sl_mixer mixer; /* the log's */
static float heard[2 * FRAMES];
static float wanted[2 * FRAMES];
static size_t heard_count;
static uint64_t seed;

static void put_bytes(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

static entry *append(entry_type type, uint64_t after)
{
    assert_true(entry_count < EVENTS_MAX);
    entry *one = &entries[entry_count];
    memset(one, 0, sizeof *one);
    one->type = type;
    one->commit_at = sl_sound_engine_frame(engine) + after;
    if (entry_count > 0 && entries[entry_count - 1].commit_at > one->commit_at)
        one->commit_at = entries[entry_count - 1].commit_at;
    one->event.seq = 100 + entry_count++;
    return one;
}

static void say(sl_transport transport)
{
    entry *one = append(IS_EVENT, 0);
    one->event = transport_event(one->bytes, one->event.seq, transport);
}

static bool on_mark(void *ctx, const sl_applied *applied)
{
    (void)ctx;
    entry *one = append(IS_EVENT, delay);
    one->event = applied_event(one->bytes, one->event.seq, *applied);
    one->mixer = mixer;
    return true;
}

/* Another fader, or another parameter. */
static void turn(float gain)
{
    mixer.count = 1;
    mixer.tracks[0] = (sl_mixer_track){.name = sl_playback_name("lead", 4, false), .mix = {.gain = gain}};
    mixer.parameters[SL_PARAMETER_MASTER_VOLUME] = gain / 2;
    append(IS_WISH, 0);
}

static void put_item(sl_player_item_type type, uint64_t seq, const void *bytes, size_t length, const sl_event *event)
{
    sl_player_item *item = sl_player_item_create(type, seq, length);
    assert_non_null(item);
    if (event != NULL) item->event = *event;
    item->event.payload = item->bytes;
    if (length > 0) memcpy(item->bytes, bytes, length);
    sl_sound_engine_put(engine, item);
}

static void commit(void)
{
    for (; committed < entry_count && entries[committed].commit_at <= sl_sound_engine_frame(engine); committed++) {
        const entry *one = &entries[committed];
        if (one->type == IS_WISH) {
            put_item(SL_PLAYER_WISH, one->event.seq, NULL, 0, NULL);
            continue;
        }
        if (one->event.kind == SL_KIND_APPLIED)
            put_item(SL_PLAYER_MIXER, one->event.seq, &one->mixer, sizeof one->mixer, NULL);
        put_item(SL_PLAYER_EVENT, one->event.seq, one->bytes, one->event.length, &one->event);
    }
}

static void render(size_t frames, size_t block)
{
    while (frames > 0) {
        const size_t some = frames < block ? frames : block;
        commit();
        assert_int_equal(sl_sound_engine_step(engine), SL_OK);
        assert_true(heard_count + some <= FRAMES);
        assert_int_equal(sl_sound_engine_render(engine, heard + 2 * heard_count, some), SL_OK);
        heard_count += some;
        frames -= some;
    }
}

/* The same numbers everywhere. */
static uint32_t any(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

static int begin(void **state)
{
    (void)state;
    static score_builder builder;
    sl_schedule *schedule = NULL;
    const char *what = NULL;
    assert_int_equal(sl_schedule_create(sl_host_memory(), &schedule), SL_OK);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        score_begin(&builder, true, SL_QUANTIZE_BEAT, 0);
        score_track(&builder, "lead", 0);
        for (uint8_t i = 0; i < 8; i++) score_note(&builder, (uint8_t)(60 + i), seq == 1 ? BEAT / 2 : BEAT / 8);
        score_end_track(&builder);
        score_track(&builder, seq == 1 ? "bass" : "pad", 0);
        score_note(&builder, 36, 3 * BEAT);
        score_end_track(&builder);
        const sl_event event = score_end(&builder, seq);
        assert_int_equal(sl_schedule_take(schedule, &event, &what), SL_OK);
    }
    sl_text_open(&whole, sl_host_memory());
    sl_schedule_encode(schedule, put_bytes, &whole);
    sl_schedule_destroy(schedule);
    const sl_sound_owner owner = {.mark = on_mark};
    assert_int_equal(sl_sound_engine_create(&engine, &owner, RATE, NULL, BEGIN), SL_OK);
    sl_mixer_begin(&mixer);
    entry_count = committed = heard_count = 0;
    delay = 100;
    put_item(SL_PLAYER_WHOLE, 99, whole.bytes, whole.length, NULL);
    sl_sound_engine_begin(engine);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sl_sound_engine_destroy(engine);
    sl_text_close(&whole);
    return 0;
}

static bool read_mark(size_t index, sl_applied *mark)
{
    return entries[index].type == IS_EVENT && sl_applied_decode(&entries[index].event, mark) == SL_OK;
}

/* The frame at which a mark counts: its own, or that of the last of those that void it. */
static uint64_t find_frame(size_t index, bool *is_void)
{
    sl_applied mark = {0}, next;
    (void)read_mark(index, &mark);
    *is_void = false;
    for (size_t i = index + 1; i < committed; i++) {
        if (!read_mark(i, &next)) continue;
        if (!next.late) break;
        *is_void = true;
        mark = next;
    }
    return mark.frame;
}

/* Of several marks at one frame the last one's mixer counts. */
static void explain_to(sl_playback *playback, const sl_schedule *schedule, const sl_mixer *counts, uint64_t frame)
{
    if (playback == NULL || frame <= sl_playback_frame(playback)) return;
    sl_playback_set_mixer(playback, counts);
    const uint64_t from = sl_playback_frame(playback);
    sl_playback_render(playback, schedule, wanted + 2 * (from - BEGIN), (size_t)(frame - from));
}

/* What the log's events alone explain. */
static void explain(void)
{
    sl_schedule *schedule = NULL;
    sl_playback *playback = NULL;
    const sl_mixer *counts = &mixer; /* there is no playback before a mark sets it */
    sl_reader reader = {.bytes = (const uint8_t *)whole.bytes, .length = whole.length};
    assert_int_equal(sl_schedule_decode(&reader, sl_host_memory(), &schedule), SL_OK);
    memset(wanted, 0, sizeof wanted);
    for (size_t i = 0; i < committed; i++) {
        const char *what = NULL;
        sl_applied mark;
        bool is_void = false;
        if (entries[i].type == IS_WISH) continue;
        const bool is_mark = read_mark(i, &mark);
        const uint64_t frame = is_mark ? find_frame(i, &is_void) : 0;
        if (is_mark && frame >= BEGIN + heard_count) break;
        if (is_mark) explain_to(playback, schedule, counts, frame);
        (void)sl_schedule_take(schedule, &entries[i].event, &what);
        if (!is_mark || is_void) continue;
        if (playback == NULL) assert_int_equal(sl_playback_create(sl_host_memory(), RATE, frame, &playback), SL_OK);
        counts = &entries[i].mixer;
    }
    explain_to(playback, schedule, counts, BEGIN + heard_count);
    sl_playback_destroy(playback);
    sl_schedule_destroy(schedule);
}

static void assert_explained(void)
{
    explain();
    for (size_t i = 0; i < 2 * heard_count; i++) {
        if (sl_bits_of_float(heard[i]) == sl_bits_of_float(wanted[i])) continue;
        fail_msg("frame %zu of %zu: %g heard, %g explained", BEGIN + i / 2, BEGIN + heard_count, (double)heard[i],
                 (double)wanted[i]);
    }
}

static bool is_any(size_t from, size_t to)
{
    for (size_t i = 2 * from; i < 2 * to; i++)
        if (heard[i] > 0 || heard[i] < 0) return true;
    return false;
}

static void test_engine_plays_from_its_mark_on(void **unused)
{
    (void)unused;
    render(1000, 256);
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    render(20000, 256);
    assert_false(is_any(0, 1000 + SL_SOUND_LEAD - 256));
    assert_true(is_any(1000 + SL_SOUND_LEAD, heard_count));
    assert_explained();
    assert_int_equal(sl_sound_engine_late(engine), 0);
    assert_true(sl_sound_engine_is_running(engine));
}

static void test_engine_mixer_counts_with_the_next_mark(void **unused)
{
    (void)unused;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    render(9600, 64);
    const uint64_t marks = sl_sound_engine_marks(engine);
    turn(0.25F);
    render(9600, 64);
    assert_int_equal(sl_sound_engine_marks(engine), marks + 1);
    assert_explained();
    turn(0);
    render(9600, 64);
    assert_false(is_any(heard_count - 1000, heard_count));
    assert_explained();
}

static void test_engine_late_mark_is_voided(void **unused)
{
    (void)unused;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    render(4800, 128);
    delay = UINT64_C(3) * SL_SOUND_LEAD;
    say((sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 200});
    render((size_t)2 * SL_SOUND_LEAD, 128);
    turn(0.5F);
    render(24000, 128);
    assert_true(sl_sound_engine_late(engine) > 0);
    assert_explained();
    const uint64_t late = sl_sound_engine_late(engine);
    delay = 100;
    for (int i = 0; i < 10; i++) {
        say((sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 100 + i});
        render(4800, 128);
    }
    assert_int_equal(sl_sound_engine_late(engine), late);
    assert_explained();
}

/* A state goes on as it would have, whoever goes on with it. */
static void test_engine_state_goes_on(void **unused)
{
    (void)unused;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    render(24000, 256);
    uint64_t seq = 0;
    assert_true(sl_sound_engine_is_whole(engine, &seq));
    assert_int_equal(seq, entries[committed - 1].event.seq);
    sl_text bytes;
    sl_text_open(&bytes, sl_host_memory());
    sl_playback_encode(sl_sound_engine_playback(engine), put_bytes, &bytes);
    sl_reader reader = {.bytes = (const uint8_t *)bytes.bytes, .length = bytes.length};
    sl_playback *playback = NULL;
    assert_int_equal(sl_playback_decode(&reader, sl_host_memory(), &playback), SL_OK);
    assert_int_equal(sl_playback_frame(playback), sl_sound_engine_frame(engine));
    turn(0.7F);
    commit();
    assert_int_equal(sl_sound_engine_step(engine), SL_OK);
    render(600, 256);
    assert_false(sl_sound_engine_is_whole(engine, &seq)); /* a mark is ahead */
    sl_text_close(&bytes);
    sl_playback_destroy(playback);
}

/* A whole schedule while it plays, of which a mark is ahead: the music goes on. */
static void test_engine_schedule_is_renewed(void **unused)
{
    (void)unused;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    render(9600, 100);
    sl_schedule *schedule = NULL;
    sl_reader reader = {.bytes = (const uint8_t *)whole.bytes, .length = whole.length};
    assert_int_equal(sl_schedule_decode(&reader, sl_host_memory(), &schedule), SL_OK);
    uint8_t bytes[64];
    const char *what = NULL;
    const sl_applied mark = {.through_seq = 300, .frame = sl_sound_engine_frame(engine) + SL_SOUND_LEAD, .rate = RATE};
    for (size_t i = 0; i < committed; i++) (void)sl_schedule_take(schedule, &entries[i].event, &what);
    const sl_event event = applied_event(bytes, 300, mark);
    assert_int_equal(sl_schedule_take(schedule, &event, &what), SL_OK);
    sl_text renewed;
    sl_text_open(&renewed, sl_host_memory());
    sl_schedule_encode(schedule, put_bytes, &renewed);
    put_item(SL_PLAYER_WHOLE, 300, renewed.bytes, renewed.length, NULL);
    render(24000, 100);
    assert_true(is_any(heard_count - 9600, heard_count));
    sl_text_close(&renewed);
    sl_schedule_destroy(schedule);
}

/* The first live code of a log comes while the engine runs: nothing, then a schedule. */
static void test_engine_schedule_appears(void **unused)
{
    (void)unused;
    sl_sound_engine_destroy(engine);
    const sl_sound_owner owner = {.mark = on_mark};
    assert_int_equal(sl_sound_engine_create(&engine, &owner, RATE, NULL, BEGIN), SL_OK);
    sl_sound_engine_begin(engine);
    render(1000, 100);
    put_item(SL_PLAYER_WHOLE, 99, whole.bytes, whole.length, NULL);
    render(1000, 100);
    assert_int_equal(entry_count, 1); /* its inputs want a mark */
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    render(9600, 100);
    assert_true(is_any(3000, heard_count));
    assert_explained();
}

static void test_engine_random(void **unused)
{
    (void)unused;
    for (unsigned round = 1; round <= 12; round++) {
        seed = round;
        if (round > 1) assert_int_equal(end(NULL) + begin(NULL), 0);
        say((sl_transport){.action = SL_TRANSPORT_PLAY});
        while (heard_count + 2400 + RATE / 2 <= FRAMES) {
            static const uint8_t actions[] = {SL_TRANSPORT_TEMPO, SL_TRANSPORT_UNDO,  SL_TRANSPORT_REDO,
                                              SL_TRANSPORT_PAUSE, SL_TRANSPORT_PLAY,  SL_TRANSPORT_STOP,
                                              SL_TRANSPORT_PLAY,  SL_TRANSPORT_PANIC, SL_TRANSPORT_PLAY};
            delay = any(8) == 0 ? any(4000) : any(300);
            if (any(3) == 0) turn((float)any(4) / 2);
            if (any(2) == 0)
                say((sl_transport){
                    .action = actions[any(sizeof actions)], .quantize = (uint8_t)any(3), .value = 60 + any(200)});
            render(any(2400), 1 + any(700));
        }
        delay = 100; /* until the last mark that is late is voided */
        render(RATE / 2, 256);
        assert_explained();
    }
}

static void test_engine_refuses_nonsense(void **unused)
{
    (void)unused;
    put_item(SL_PLAYER_WHOLE, 200, "xyz", 3, NULL);
    assert_int_equal(sl_sound_engine_step(engine), SL_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_engine_plays_from_its_mark_on, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_mixer_counts_with_the_next_mark, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_late_mark_is_voided, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_state_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_schedule_appears, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_schedule_is_renewed, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_random, begin, end),
        cmocka_unit_test_setup_teardown(test_engine_refuses_nonsense, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
