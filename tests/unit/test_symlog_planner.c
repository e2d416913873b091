/* Tests of tools/symlog/planner: what is handed out, when, and what it says in the log. The clock and the log are the
 * test's own; a mark comes back when the test says so, also too late. What was handed out is compared with what the
 * log's events alone explain. */
#include "tests/unit/cmocka_small.h"

#include "tests/unit/score_builder.h"
#include "tools/symlog/host.h"
#include "tools/symlog/planner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 4096, SOUNDS_MAX = 1 << 16, BEAT = SL_TICKS_PER_BEAT };

#define RATE UINT64_C(48000)
#define LEAD ((uint64_t)SL_PLANNER_LEAD)

/* An event of the test's log. */
typedef struct entry {
    sl_event event;
    uint8_t bytes[512];
    uint64_t commit_at; /* a frame */
} entry;

typedef struct sound {
    uint64_t frame;
    sl_note_id id;
    uint8_t pitch;
    uint8_t channel;
    bool is_start;
} sound;

static sl_planner *planner;
static sl_text whole; /* the schedule that the planner began with */
static entry entries[EVENTS_MAX];
static size_t entry_count;
static size_t committed;
static uint64_t now;
static uint64_t next_step;
static uint64_t delay; /* frames from a mark's put to its commit */
static bool is_full;   /* the log takes nothing */
static sound sent[SOUNDS_MAX];
static size_t sent_count;
static sound wanted[SOUNDS_MAX];
static size_t wanted_count;
static sl_planned moments[1024]; /* handed out, but no note */
static size_t moment_count;
static sound foretold[SOUNDS_MAX];
static size_t foretold_count;

static void put_bytes(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

static uint64_t seq_of(size_t index)
{
    return 100 + index;
}

/* To be committed `after` frames from now. */
static entry *append(uint64_t after)
{
    assert_true(entry_count < EVENTS_MAX);
    entry *one = &entries[entry_count];
    memset(one, 0, sizeof *one);
    one->commit_at = now + after;
    if (entry_count > 0 && entries[entry_count - 1].commit_at > one->commit_at)
        one->commit_at = entries[entry_count - 1].commit_at;
    entry_count++;
    return one;
}

static void say(sl_transport transport)
{
    entry *one = append(0);
    one->event = transport_event(one->bytes, seq_of(entry_count - 1), transport);
}

static bool on_mark(void *ctx, const sl_applied *applied)
{
    (void)ctx;
    if (is_full) return false;
    entry *one = append(delay);
    one->event = applied_event(one->bytes, seq_of(entry_count - 1), *applied);
    return true;
}

static sound sound_of(const sl_planned *planned)
{
    return (sound){.frame = planned->frame,
                   .id = planned->id,
                   .pitch = planned->pitch,
                   .channel = planned->channel,
                   .is_start = planned->is_start};
}

static void on_due(void *ctx, const sl_planned *planned, size_t count)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++) {
        assert_true(planned[i].frame <= now);
        if (planned[i].type == SL_PLANNED_NOTE) {
            assert_true(sent_count < SOUNDS_MAX);
            assert_true(sent_count == 0 || sent[sent_count - 1].frame <= planned[i].frame);
            sent[sent_count++] = sound_of(&planned[i]);
        } else if (moment_count < sizeof moments / sizeof moments[0]) {
            moments[moment_count++] = planned[i];
        }
    }
}

static void on_foretell(void *ctx, uint64_t from, uint64_t to, const sl_planned *planned, size_t count)
{
    (void)ctx;
    assert_true(from < to);
    while (foretold_count > 0 && foretold[foretold_count - 1].frame >= from) foretold_count--;
    for (size_t i = 0; i < count; i++) {
        assert_true(planned[i].frame >= from && planned[i].frame < to);
        foretold[foretold_count++] = sound_of(&planned[i]);
    }
}

/* Steps when the planner wants it, or something is committed, until `frame`. */
static void run_to(uint64_t frame)
{
    for (;;) {
        const uint64_t commit = committed < entry_count ? entries[committed].commit_at : SL_FRAME_NEVER;
        uint64_t at = commit < next_step ? commit : next_step;
        if (at < now) at = now;
        if (at > frame) break;
        now = at;
        for (; committed < entry_count && entries[committed].commit_at <= now; committed++) {
            const sl_event *event = &entries[committed].event;
            sl_player_item *item = sl_player_item_create(SL_PLAYER_EVENT, event->seq, event->length);
            assert_non_null(item);
            item->event = *event;
            item->event.payload = item->bytes;
            memcpy(item->bytes, event->payload, event->length);
            sl_planner_put(planner, item);
        }
        assert_int_equal(sl_planner_step(planner, now, &next_step), SL_OK);
    }
    now = frame;
}

static void put_whole(void)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_WHOLE, 99, whole.length);
    assert_non_null(item);
    memcpy(item->bytes, whole.bytes, whole.length);
    sl_planner_put(planner, item);
}

/* Two sessions, so that there is something to undo: eighths and a long bass; quick notes and a pad. */
static int begin(void **state)
{
    (void)state;
    static score_builder builder;
    sl_schedule *schedule = NULL;
    const char *what = NULL;
    assert_int_equal(sl_schedule_create(sl_host_memory(), &schedule), SL_OK);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        score_begin(&builder, true, SL_QUANTIZE_BAR, 0);
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
    const sl_planner_owner owner = {.mark = on_mark, .due = on_due, .foretell = on_foretell};
    assert_int_equal(sl_planner_create(&planner, &owner), SL_OK);
    entry_count = committed = sent_count = wanted_count = moment_count = foretold_count = 0;
    is_full = false;
    delay = 100;
    now = next_step = 5000;
    put_whole();
    run_to(now + 2000);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sl_planner_destroy(planner);
    sl_text_close(&whole);
    return 0;
}

static sl_applied mark_at(size_t index)
{
    sl_applied applied = {0};
    assert_int_equal(sl_applied_decode(&entries[index].event, &applied), SL_OK);
    return applied;
}

static bool is_mark(size_t index)
{
    return entries[index].event.kind == SL_KIND_APPLIED;
}

static bool want(void *ctx, const sl_sound *one)
{
    (void)ctx;
    assert_true(wanted_count < SOUNDS_MAX);
    wanted[wanted_count++] = (sound){
        .frame = one->frame, .id = one->id, .pitch = one->pitch, .channel = one->channel, .is_start = one->is_start};
    return true;
}

/* The frame up to which what sounded before a mark counts: its own, unless others void it. */
static uint64_t end_of_mark(size_t index)
{
    uint64_t frame = mark_at(index).frame;
    for (size_t i = index + 1; i < entry_count; i++) {
        if (!is_mark(i)) continue;
        if (!mark_at(i).late) break;
        frame = mark_at(i).frame;
    }
    return frame;
}

/* What the log's events alone explain, up to now. */
static void explain(void)
{
    sl_schedule *schedule = NULL;
    sl_reader reader = {.bytes = (const uint8_t *)whole.bytes, .length = whole.length};
    uint64_t told_to = SL_FRAME_NEVER;
    assert_int_equal(sl_schedule_decode(&reader, sl_host_memory(), &schedule), SL_OK);
    wanted_count = 0;
    for (size_t i = 0; i < committed; i++) {
        const char *what = NULL;
        if (is_mark(i)) {
            const uint64_t frame = end_of_mark(i);
            if (told_to < frame) sl_schedule_notes(schedule, told_to, frame, want, NULL);
            if (told_to == SL_FRAME_NEVER || told_to < frame) told_to = frame;
        }
        const sl_err err = sl_schedule_take(schedule, &entries[i].event, &what);
        assert_true(err == SL_OK || err == SL_ERR_REFUSED);
    }
    if (told_to <= now) sl_schedule_notes(schedule, told_to, now + 1, want, NULL);
    sl_schedule_destroy(schedule);
}

static void check_sounds(const sound *some, size_t count)
{
    explain();
    for (size_t i = 0; i < count && i < wanted_count; i++) {
        if (some[i].frame == wanted[i].frame && some[i].id.voice == wanted[i].id.voice &&
            some[i].id.ordinal == wanted[i].id.ordinal && some[i].is_start == wanted[i].is_start &&
            some[i].pitch == wanted[i].pitch && some[i].channel == wanted[i].channel)
            continue;
        fail_msg("sound %zu: frame %llu pitch %u, but the log explains frame %llu pitch %u", i,
                 (unsigned long long)some[i].frame, some[i].pitch, (unsigned long long)wanted[i].frame,
                 wanted[i].pitch);
    }
    assert_int_equal(count, wanted_count);
}

static size_t count_marks(bool is_late)
{
    size_t count = 0;
    for (size_t i = 0; i < entry_count; i++) count += is_mark(i) && mark_at(i).late == is_late;
    return count;
}

static void test_planner_says_once_that_it_has_seen(void **state)
{
    (void)state;
    assert_int_equal(count_marks(false), 1);
    assert_int_equal(mark_at(0).through_seq, 99);
    assert_int_equal(mark_at(0).frame, 5000 + SL_PLANNER_LEAD);
    run_to(now + 100 * RATE);
    assert_int_equal(count_marks(false), 1);
    assert_true(next_step == SL_FRAME_NEVER);
}

static void test_planner_plays_what_the_log_explains(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + 3 * RATE);
    assert_true(sent_count > 40);
    check_sounds(sent, sent_count);
    assert_int_equal(moments[0].type, SL_PLANNED_BEAT);
    assert_true(moments[0].is_start);
    assert_int_equal(moment_count, 6);
}

static void test_planner_a_pause_falls_silent_after_the_ends(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    say((sl_transport){.action = SL_TRANSPORT_PAUSE});
    run_to(now + RATE);
    check_sounds(sent, sent_count);
    const sl_planned *last = &moments[moment_count - 1];
    assert_int_equal(last->type, SL_PLANNED_SILENCE);
    assert_true(last->frame >= sent[sent_count - 1].frame && last->frame <= sent[sent_count - 1].frame + 1);
    assert_true(next_step == SL_FRAME_NEVER);
}

static void test_planner_a_stop_at_the_bar_falls_silent_there(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    say((sl_transport){.action = SL_TRANSPORT_STOP, .quantize = SL_QUANTIZE_BAR});
    run_to(now + 3 * RATE);
    check_sounds(sent, sent_count);
    const sl_planned *last = &moments[moment_count - 1];
    assert_int_equal(last->type, SL_PLANNED_SILENCE);
    assert_true(last->frame <= sent[sent_count - 1].frame + 1);
    assert_true(next_step == SL_FRAME_NEVER);
}

static void test_planner_panic_comes_between_ends_and_starts(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    say((sl_transport){.action = SL_TRANSPORT_PANIC});
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    check_sounds(sent, sent_count);
    size_t panics = 0;
    for (size_t i = 0; i < moment_count; i++) panics += moments[i].type == SL_PLANNED_PANIC;
    assert_int_equal(panics, 1);
}

static void test_planner_a_late_mark_is_voided(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    delay = 3 * LEAD;
    say((sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 300});
    run_to(now + RATE);
    assert_in_range(count_marks(true), 1, 2); /* the lead doubles until it is long enough */
    delay = 100;
    run_to(now + RATE);
    check_sounds(sent, sent_count);
}

/* Both tell of one frame: the first says pause, and falls silent there, the second comes before that was planned. */
static void test_planner_two_marks_of_one_frame(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    delay = 6 * LEAD;
    say((sl_transport){.action = SL_TRANSPORT_UNDO});
    run_to(now + RATE / 2);
    delay = 10; /* while the lead is long */
    say((sl_transport){.action = SL_TRANSPORT_PAUSE});
    run_to(now + SL_PLANNER_BLOCK + 10);
    say((sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 90});
    run_to(now + RATE);
    check_sounds(sent, sent_count);
    assert_int_equal(moments[moment_count - 1].type, SL_PLANNED_SILENCE);
}

static void test_planner_one_mark_a_block_and_one_open(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    const uint64_t from = now;
    while (now < from + RATE) {
        say((sl_transport){.action = SL_TRANSPORT_TEMPO, .value = 100 + (double)(now % 100)});
        run_to(now + 50);
        size_t open_marks = 0;
        for (size_t i = committed; i < entry_count; i++) open_marks += is_mark(i);
        assert_true(open_marks <= 1);
    }
    assert_true(count_marks(false) + count_marks(true) <= RATE / SL_PLANNER_BLOCK + 3);
    run_to(now + RATE);
    check_sounds(sent, sent_count);
}

static void test_planner_a_full_log_is_tried_again(void **state)
{
    (void)state;
    is_full = true;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    assert_int_equal(sent_count, 0);
    is_full = false;
    run_to(now + RATE);
    assert_true(sent_count > 0);
    check_sounds(sent, sent_count);
}

static void test_planner_a_whole_schedule_begins_anew(void **state)
{
    (void)state;
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    put_whole(); /* as it was before play */
    next_step = now;
    const size_t before = sent_count;
    run_to(now + RATE);
    assert_int_equal(sent_count, before);
    assert_int_equal(moments[moment_count - 1].type, SL_PLANNED_PANIC);
}

static void test_planner_refuses_a_schedule_that_is_none(void **state)
{
    (void)state;
    sl_player_item *item = sl_player_item_create(SL_PLAYER_WHOLE, 1000, 3);
    assert_non_null(item);
    sl_planner_put(planner, item);
    uint64_t next = 0;
    assert_int_equal(sl_planner_step(planner, now, &next), SL_ERR_MALFORMED);
    assert_true(next == SL_FRAME_NEVER);
    put_whole();
    assert_int_equal(sl_planner_step(planner, now, &next), SL_OK);
}

/* Another player's mark, of all that is in the log. */
static void mark_by_another(uint64_t frame)
{
    entry *one = append(0);
    const sl_applied applied = {.through_seq = seq_of(entry_count - 2), .frame = frame, .rate = RATE};
    one->event = applied_event(one->bytes, seq_of(entry_count - 1), applied);
}

static void test_planner_follows_and_leads_again(void **state)
{
    (void)state;
    const size_t before = entry_count;
    sl_planner_set_following(planner, true, RATE);
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    run_to(now + RATE);
    assert_int_equal(entry_count, before + 1); /* no mark of its own */
    assert_int_equal(sent_count, 0);
    mark_by_another(now + LEAD);
    run_to(now + 2 * RATE);
    assert_true(sent_count > 20);
    check_sounds(sent, sent_count);
    sl_planner_set_following(planner, false, RATE);
    next_step = now;
    run_to(now + RATE);
    assert_true(is_mark(entry_count - 1)); /* it says from where on it plays */
    assert_false(mark_at(entry_count - 1).late);
    check_sounds(sent, sent_count);
}

static void test_planner_follows_a_mark_that_comes_late(void **state)
{
    (void)state;
    sl_planner_set_following(planner, true, RATE);
    say((sl_transport){.action = SL_TRANSPORT_PLAY});
    mark_by_another(now + LEAD);
    run_to(now + RATE);
    say((sl_transport){.action = SL_TRANSPORT_STOP, .quantize = SL_QUANTIZE_OFF});
    mark_by_another(now - RATE / 2);
    run_to(now + RATE);
    bool has_panic = false;
    for (size_t i = 0; i < moment_count; i++) has_panic = has_panic || moments[i].type == SL_PLANNED_PANIC;
    assert_true(has_panic); /* what was begun is let go */
    const size_t after = sent_count;
    run_to(now + RATE);
    assert_int_equal(sent_count, after);
    assert_int_equal(count_marks(true), 0);
}

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void say_anything(void)
{
    static const uint8_t actions[] = {
        SL_TRANSPORT_PLAY,  SL_TRANSPORT_PLAY,    SL_TRANSPORT_PAUSE, SL_TRANSPORT_STOP,
        SL_TRANSPORT_PANIC, SL_TRANSPORT_UNDO,    SL_TRANSPORT_TEMPO, SL_TRANSPORT_REDO,
        SL_TRANSPORT_UNDO,  SL_TRANSPORT_CHANNEL, SL_TRANSPORT_STOP,  SL_TRANSPORT_PLAY,
    };
    sl_transport transport = {.action = actions[draw(sizeof actions)], .quantize = (uint8_t)draw(3)};
    if (transport.action == SL_TRANSPORT_TEMPO) transport.value = 60 + (double)draw(400);
    if (transport.action == SL_TRANSPORT_CHANNEL) transport.value = (double)draw(17);
    const bool has_track = transport.action == SL_TRANSPORT_CHANNEL || draw(2) == 0;
    if (has_track && transport.action != SL_TRANSPORT_TEMPO) transport.track = draw(2) == 0 ? "lead" : "bass";
    say(transport);
}

/* Random words at random moments, commits that are quick, slow and very slow: always what the log explains, and what
 * was foretold last was that, too. */
static void test_planner_random_words_and_delays(void **state)
{
    for (uint64_t number = 1; number <= 60; number++) {
        end(state);
        begin(state);
        seed = number * 0x9E3779B97F4A7C15u;
        say((sl_transport){.action = SL_TRANSPORT_PLAY});
        for (int i = 0; i < 60; i++) {
            static const uint64_t delays[] = {10, 100, 900, 1100, 3000, 12000};
            delay = delays[draw(6)];
            say_anything();
            run_to(now + draw(9000));
        }
        delay = 10;
        run_to(now + RATE);
        check_sounds(sent, sent_count);
        while (foretold_count > 0 && foretold[foretold_count - 1].frame > now) foretold_count--;
        check_sounds(foretold, foretold_count);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_planner_says_once_that_it_has_seen),
        TEST(test_planner_plays_what_the_log_explains),
        TEST(test_planner_a_pause_falls_silent_after_the_ends),
        TEST(test_planner_a_stop_at_the_bar_falls_silent_there),
        TEST(test_planner_panic_comes_between_ends_and_starts),
        TEST(test_planner_a_late_mark_is_voided),
        TEST(test_planner_two_marks_of_one_frame),
        TEST(test_planner_one_mark_a_block_and_one_open),
        TEST(test_planner_a_full_log_is_tried_again),
        TEST(test_planner_a_whole_schedule_begins_anew),
        TEST(test_planner_refuses_a_schedule_that_is_none),
        TEST(test_planner_follows_and_leads_again),
        TEST(test_planner_follows_a_mark_that_comes_late),
        TEST(test_planner_random_words_and_delays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
