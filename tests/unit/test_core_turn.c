/* A sender's events in its own order: holes, what is held after them, what is given up, pictures under way. */
#include "tests/unit/cmocka_small.h"

#include "core/message.h"
#include "core/picture.h"
#include "core/state_codec.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/osc_builder.h"

#include <string.h>

/* A state with a picture of four scenes of the names a to d, so that every event that is applied can be seen. */
typedef struct bench {
    counted_memory memory;
    sl_state *state;
    sl_text told;
    bool has_hello;
    uint64_t session;
} bench;

enum { SENDER = 3 };

static void note(void *ctx, const sl_state *state, const sl_effect *effect)
{
    bench *bench = ctx;
    (void)state;
    if (bench->told.length > 0) sl_text_string(&bench->told, "|");
    if (effect->type == SL_EFFECT_DIFF) sl_text_diff(&bench->told, effect->diff);
    if (effect->type == SL_EFFECT_REFUSED) sl_text_string(&bench->told, sl_refusal_text(effect->refusal));
    if (effect->type != SL_EFFECT_GAP) return;
    sl_text_string(&bench->told, "gap ");
    sl_text_u64(&bench->told, effect->gap.first);
    sl_text_string(&bench->told, "+");
    sl_text_u64(&bench->told, effect->gap.count);
}

static void take(bench *bench, sl_event event)
{
    sl_output output = {.tell = note, .ctx = bench};
    event.seq = sl_state_seq(bench->state) + 1;
    event.source = SENDER;
    if (event.session == 0) event.session = bench->session;
    if (event.version == 0) event.version = 1;
    assert_int_equal(sl_reduce(bench->state, &event, &output), SL_OK);
}

static void take_session(bench *bench, uint64_t session, bool has_hello)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_session payload = {.input = SL_INPUT_OSC, .has_hello = has_hello, .name = "peer", .name_length = 4};
    assert_int_equal(sl_session_encode(&payload, &writer), SL_OK);
    bench->session = session;
    take(bench, (sl_event){.kind = SL_KIND_SESSION,
                           .version = SL_SESSION_VERSION,
                           .source_seq = SL_SOURCE_SEQ_NONE,
                           .payload = bytes,
                           .length = (uint32_t)writer.length});
}

/* A picture of one track, of the moment of the sender's number `last`. */
static void take_picture(bench *bench, uint64_t last)
{
    uint8_t bytes[128];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_picture_writer picture;
    sl_picture_begin(&picture, &writer);
    sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "", 0);
    sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "t", 1);
    sl_picture_end(&picture);
    take(bench,
         (sl_event){.kind = SL_KIND_PICTURE, .source_seq = last, .payload = bytes, .length = (uint32_t)writer.length});
}

static void setup(bench *bench, bool has_hello)
{
    *bench = (struct bench){.has_hello = has_hello};
    assert_int_equal(sl_state_create(counted_memory_of(&bench->memory), &bench->state), SL_OK);
    sl_text_open(&bench->told, counted_memory_of(&bench->memory));
    take_session(bench, 7, has_hello);
    take_picture(bench, SL_SOURCE_SEQ_NONE);
    sl_text_clear(&bench->told);
}

static void teardown(bench *bench)
{
    sl_state_destroy(bench->state);
    sl_text_close(&bench->told);
    assert_int_equal(bench->memory.size_bytes, 0);
}

/* Sends one wrapped message with a number. */
static void send(bench *bench, uint64_t number, const char *path, const char *tags, ...)
{
    osc_builder packet = {0};
    va_list list;
    va_start(list, tags);
    osc_message(&packet, (int64_t)number, path, tags, list);
    va_end(list);
    take(bench,
         (sl_event){
             .kind = SL_KIND_OSC, .source_seq = number, .payload = packet.bytes, .length = (uint32_t)packet.length});
}

/* Sends an event that tells its own number when it is applied. */
static void send_number(bench *bench, uint64_t number)
{
    send(bench, number, "/live/track/color", "ii", 0, (int)(uint32_t)number);
}

static void send_range(bench *bench, uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) send_number(bench, number);
}

static void take_gave_up(bench *bench, uint64_t through)
{
    uint8_t bytes[8];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_gave_up_encode(&(sl_gave_up){.through = through}, &writer), SL_OK);
    take(bench,
         (sl_event){
             .kind = SL_KIND_GAVE_UP, .source_seq = SL_SOURCE_SEQ_NONE, .payload = bytes, .length = sizeof bytes});
}

static void expect(bench *bench, const char *told)
{
    sl_text_bytes(&bench->told, "", 1);
    assert_string_equal(bench->told.bytes, told);
    sl_text_clear(&bench->told);
}

static int64_t color(const bench *bench)
{
    const sl_node *track = sl_tree_find_path(sl_state_tree_view(bench->state), "tracks[0]", 9);
    return sl_node_value(track, SL_ATTRIBUTE_COLOR).as.integer;
}

static bool is_stale(const bench *bench)
{
    const sl_node *project = sl_tree_project(sl_state_tree_view(bench->state));
    return sl_node_value(project, SL_ATTRIBUTE_IS_STALE).as.integer != 0;
}

static const sl_source *source(const bench *bench)
{
    return sl_state_source(bench->state, SENDER);
}

static void test_turn_filled_in_order(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 3);
    send_number(&bench, 2);
    assert_int_equal(color(&bench), 0);
    sl_text_clear(&bench.told);
    send_number(&bench, 1);
    expect(&bench, "tracks[0].color 0 -> 1|tracks[0].color 1 -> 2|tracks[0].color 2 -> 3");
    assert_false(is_stale(&bench));
    assert_int_equal(source(&bench)->recovered, 2);
    assert_int_equal(source(&bench)->held_count, 0);
    teardown(&bench);
}

static void test_turn_are_told_to_ingest(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_range(&bench, 0, 4);
    send_range(&bench, 7, 8);
    send_number(&bench, 12);
    osc_builder packet = {0};
    packet.length = 0;
    sl_hole holes[2];
    assert_int_equal(sl_state_holes(bench.state, SENDER, holes, 2), 2);
    assert_int_equal(sl_state_source_end(bench.state, SENDER), 13);
    assert_int_equal(holes[0].first, 5);
    assert_int_equal(holes[0].count, 2);
    assert_int_equal(holes[1].first, 9);
    assert_int_equal(holes[1].count, 3);
    send(&bench, SL_SOURCE_SEQ_NONE, "/symlog/heartbeat", "hh", (int64_t)7, (int64_t)15);
    assert_int_equal(sl_state_holes(bench.state, SENDER, holes, 2), 3);
    assert_int_equal(sl_state_source_end(bench.state, SENDER), 15);
    teardown(&bench);
}

static void test_turn_given_up_make_stale(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_range(&bench, 5, 6);
    sl_text_clear(&bench.told);
    take_gave_up(&bench, 4);
    expect(&bench, "gap 1+4|project.is_stale false -> true; project.stale_reason null -> \"events lost\"|"
                   "tracks[0].color 0 -> 5|tracks[0].color 5 -> 6");
    assert_int_equal(source(&bench)->gaps, 1);
    assert_int_equal(source(&bench)->gap_size_total, 4);
    send_number(&bench, 2); /* late: recorded, not applied */
    assert_int_equal(color(&bench), 6);
    assert_int_equal(source(&bench)->late, 1);
    teardown(&bench);
}

static void test_turn_given_up_one_of_two(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 2);
    send_number(&bench, 4);
    take_gave_up(&bench, 1);
    assert_int_equal(color(&bench), 2);
    assert_int_equal(source(&bench)->held_count, 1);
    send_number(&bench, 3);
    assert_int_equal(color(&bench), 4);
    teardown(&bench);
}

static void test_turn_at_the_tail_given_up(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    sl_text_clear(&bench.told);
    take_gave_up(&bench, 3); /* a heartbeat had told of 1 to 3 */
    expect(&bench, "gap 1+3|project.is_stale false -> true; project.stale_reason null -> \"events lost\"");
    assert_int_equal(source(&bench)->next_source_seq, 4);
    teardown(&bench);
}

static void test_turn_at_the_beginning_given_up(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    assert_int_equal(sl_state_source_end(bench.state, SENDER), 0);
    send(&bench, SL_SOURCE_SEQ_NONE, "/symlog/heartbeat", "hh", (int64_t)7, (int64_t)2);
    sl_hole hole;
    assert_int_equal(sl_state_holes(bench.state, SENDER, &hole, 1), 1);
    assert_int_equal(hole.first, 0);
    assert_int_equal(hole.count, 2);
    take_gave_up(&bench, 1);
    send_number(&bench, 2); /* waits for nothing */
    assert_int_equal(color(&bench), 2);
    assert_int_equal(source(&bench)->gap_size_total, 2);
    teardown(&bench);
}

/* Ingest let the session begin for a heartbeat; the reducer, which had no reason to, follows what it gives up. */
static void test_turn_before_any_number_given_up(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, false);
    take_session(&bench, 8, false);
    take_gave_up(&bench, 99);
    take_session(&bench, 8, true); /* without the gave_up, its numbers would begin at 0 */
    send_number(&bench, 100);
    assert_int_equal(color(&bench), 100);
    assert_int_equal(source(&bench)->next_source_seq, 101);
    assert_int_equal(source(&bench)->gap_size_total, 0);
    teardown(&bench);
}

static void test_turn_overflow_gives_up_the_first(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_range(&bench, 2, 4097);
    assert_int_equal(color(&bench), 0);
    assert_int_equal(source(&bench)->held_count, 4096);
    send_number(&bench, 4098);
    assert_int_equal(color(&bench), 4098);
    assert_int_equal(source(&bench)->gap_size_total, 1);
    teardown(&bench);
}

static void test_turn_begin_at_zero_or_in_the_middle(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 2);
    assert_int_equal(source(&bench)->held_count, 1);
    send_range(&bench, 0, 1);
    assert_int_equal(color(&bench), 2);
    take_session(&bench, 8, true);
    send_number(&bench, 5000); /* joined in the middle of a run */
    assert_int_equal(color(&bench), 5000);
    assert_false(is_stale(&bench));
    teardown(&bench);
}

static void test_turn_wrap(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, UINT32_MAX - 1);
    send_number(&bench, 0);
    send_number(&bench, UINT32_MAX);
    assert_int_equal(color(&bench), 0);
    assert_int_equal(source(&bench)->next_source_seq, 1);
    assert_int_equal(source(&bench)->recovered, 1);
    teardown(&bench);
}

static void test_turn_new_session_closes_the_old(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 2);
    take_session(&bench, 8, true);
    assert_int_equal(source(&bench)->gap_size_total, 1);
    assert_int_equal(color(&bench), 2);
    send_number(&bench, 0);
    assert_int_equal(color(&bench), 0);
    teardown(&bench);
}

static void test_turn_same_session_goes_on(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, false);
    send_number(&bench, 0);
    take_session(&bench, 7, true); /* it said hello, or moved */
    send_number(&bench, 1);
    assert_int_equal(color(&bench), 1);
    assert_true(source(&bench)->has_hello);
    teardown(&bench);
}

static void test_turn_wait_for_the_picture(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send(&bench, 1, "/symlog/snapshot", "hiib", (int64_t)7, 0, 1);
    send_number(&bench, 2);
    assert_int_equal(color(&bench), 0);
    take_picture(&bench, 1);
    assert_int_equal(color(&bench), 2);
    teardown(&bench);
}

static void test_turn_picture_stands_for_what_is_missing_before_it(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send(&bench, 3, "/symlog/snapshot", "hiib", (int64_t)7, 0, 1); /* 1 and 2 are missing */
    send_number(&bench, 4);
    take_picture(&bench, 3);
    assert_int_equal(color(&bench), 4);
    assert_false(is_stale(&bench));
    assert_int_equal(source(&bench)->gap_size_total, 0);
    teardown(&bench);
}

static void test_turn_picture_that_is_late_is_refused(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_range(&bench, 0, 5);
    sl_text_clear(&bench.told);
    take_picture(&bench, 3);
    expect(&bench, "picture came too late");
    assert_int_equal(color(&bench), 5);
    teardown(&bench);
}

static void test_turn_paused_source_is_stale(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\1", .length = 1});
    assert_true(is_stale(&bench));
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\0", .length = 1});
    send_number(&bench, 100);
    assert_int_equal(color(&bench), 0);
    take_gave_up(&bench, 99);
    assert_int_equal(color(&bench), 100);
    assert_int_equal(source(&bench)->gap_size_total, 99);
    teardown(&bench);
}

static void test_turn_what_comes_from_before_a_pause_is_late(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 5);
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\1", .length = 1});
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\0", .length = 1});
    assert_int_equal(sl_state_source_end(bench.state, SENDER), 6);
    send_number(&bench, 3);
    assert_int_equal(color(&bench), 5);
    assert_int_equal(source(&bench)->late, 1);
    send_number(&bench, 8);
    take_gave_up(&bench, 7);
    assert_int_equal(color(&bench), 8);
    assert_int_equal(source(&bench)->gap_size_total, 4 + 2);
    teardown(&bench);
}

static void test_turn_a_picture_in_a_pause_of_an_earlier_moment_is_late(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 1);
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\1", .length = 1});
    sl_text_clear(&bench.told);
    take_picture(&bench, 0);
    expect(&bench, "picture came too late");
    assert_int_equal(color(&bench), 1);
    assert_true(is_stale(&bench));
    assert_int_equal(source(&bench)->next_source_seq, 2);
    teardown(&bench);
}

static void test_turn_a_heartbeat_after_a_pause_tells_what_it_missed(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, false);
    send_number(&bench, 100);
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\1", .length = 1});
    take(&bench, (sl_event){.kind = SL_KIND_PAUSED, .payload = (const uint8_t *)"\0", .length = 1});
    send(&bench, SL_SOURCE_SEQ_NONE, "/symlog/heartbeat", "hh", (int64_t)7, (int64_t)104);
    take_gave_up(&bench, 103);
    assert_int_equal(source(&bench)->gap_size_total, 3);
    teardown(&bench);
}

/* Whatever the order of arrival, what is applied in the end is the same. */
static void test_turn_any_order_gives_the_same_tree(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    uint64_t seed = 5;
    for (int round = 0; round < 20; round++) {
        bench bench;
        setup(&bench, true);
        uint64_t numbers[COUNT];
        for (uint64_t i = 0; i < COUNT; i++) numbers[i] = i;
        for (size_t i = COUNT - 1; i > 0; i--) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t other = (size_t)(seed >> 33) % (i + 1);
            uint64_t kept = numbers[i];
            numbers[i] = numbers[other];
            numbers[other] = kept;
        }
        if (numbers[0] >= 64) numbers[0] = 0; /* else it would be the middle of a run; 0 comes twice then */
        for (size_t i = 0; i < COUNT; i++) send_number(&bench, numbers[i]);
        for (uint64_t i = 0; i < COUNT; i++) send_number(&bench, i); /* and what is missing now */
        assert_int_equal(color(&bench), COUNT - 1);
        assert_int_equal(source(&bench)->next_source_seq, COUNT);
        assert_int_equal(source(&bench)->gaps, 0);
        teardown(&bench);
    }
}

static void save_and_load(bench *bench)
{
    sl_text saved;
    sl_state *loaded;
    sl_digest before[2], after[2];
    sl_text_open(&saved, counted_memory_of(&bench->memory));
    assert_int_equal(sl_state_save(bench->state, &saved), SL_OK);
    assert_int_equal(
        sl_state_load((const uint8_t *)saved.bytes, saved.length, counted_memory_of(&bench->memory), &loaded), SL_OK);
    sl_state_digests(bench->state, &before[0], &before[1]);
    sl_state_digests(loaded, &after[0], &after[1]);
    assert_true(sl_digest_equal(before[0], after[0]));
    assert_true(sl_digest_equal(before[1], after[1]));
    sl_text_close(&saved);
    sl_state_destroy(bench->state);
    bench->state = loaded;
}

static void test_state_codec_round_trip_in_every_situation(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    save_and_load(&bench);
    send_number(&bench, 0);
    send_range(&bench, 3, 5); /* held */
    send(&bench, SL_SOURCE_SEQ_NONE, "/symlog/heartbeat", "hh", (int64_t)7, (int64_t)9);
    save_and_load(&bench);
    send(&bench, 1, "/live/scene/added", "is", 0, "a");
    send(&bench, 2, "/live/scene/triggered", "i", 0);
    assert_int_equal(color(&bench), 5);
    send(&bench, 6, "/live/scene/reordered", "is", 0, "b");
    save_and_load(&bench); /* with an open run */
    assert_true(source(&bench)->has_open_run);
    send(&bench, 7, "/symlog/snapshot", "hiib", (int64_t)7, 0, 1);
    send_number(&bench, 8);
    save_and_load(&bench); /* waiting for a picture */
    take_gave_up(&bench, 8);
    save_and_load(&bench);
    take_picture(&bench, 7);
    save_and_load(&bench);
    assert_int_equal(color(&bench), 8);
    teardown(&bench);
}

static void test_state_codec_refuses_every_cut(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 2);
    sl_text saved;
    sl_state *loaded;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    for (size_t length = 0; length < saved.length; length++)
        assert_true(sl_state_load((const uint8_t *)saved.bytes, length, counted_memory_of(&bench.memory), &loaded) !=
                    SL_OK);
    sl_text_close(&saved);
    teardown(&bench);
}

/* Bytes that no symlog has written: in an import anything may stand. */
static void test_state_codec_hold_in_disorder_ends(void **state)
{
    (void)state;
    bench bench;
    setup(&bench, true);
    send_number(&bench, 0);
    send_number(&bench, 2);
    send_number(&bench, 4);
    sl_text saved;
    sl_state *loaded;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    static const uint8_t second[] = {7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}; /* its session, its number */
    size_t changed = 0;
    for (size_t at = 0; at + sizeof second <= saved.length; at++) {
        if (memcmp(saved.bytes + at, second, sizeof second) != 0) continue;
        saved.bytes[at + 8] = 6; /* behind the 4 that follows it */
        changed++;
    }
    assert_int_equal(changed, 1);
    assert_int_equal(
        sl_state_load((const uint8_t *)saved.bytes, saved.length, counted_memory_of(&bench.memory), &loaded), SL_OK);
    sl_text_close(&saved);
    sl_state_destroy(bench.state);
    bench.state = loaded;
    take_session(&bench, 8, true);
    assert_int_equal(source(&bench)->held_count, 0);
    teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turn_filled_in_order),
        cmocka_unit_test(test_turn_are_told_to_ingest),
        cmocka_unit_test(test_turn_given_up_make_stale),
        cmocka_unit_test(test_turn_given_up_one_of_two),
        cmocka_unit_test(test_turn_at_the_tail_given_up),
        cmocka_unit_test(test_turn_at_the_beginning_given_up),
        cmocka_unit_test(test_turn_before_any_number_given_up),
        cmocka_unit_test(test_turn_overflow_gives_up_the_first),
        cmocka_unit_test(test_turn_begin_at_zero_or_in_the_middle),
        cmocka_unit_test(test_turn_wrap),
        cmocka_unit_test(test_turn_new_session_closes_the_old),
        cmocka_unit_test(test_turn_same_session_goes_on),
        cmocka_unit_test(test_turn_wait_for_the_picture),
        cmocka_unit_test(test_turn_picture_stands_for_what_is_missing_before_it),
        cmocka_unit_test(test_turn_picture_that_is_late_is_refused),
        cmocka_unit_test(test_turn_paused_source_is_stale),
        cmocka_unit_test(test_turn_what_comes_from_before_a_pause_is_late),
        cmocka_unit_test(test_turn_a_picture_in_a_pause_of_an_earlier_moment_is_late),
        cmocka_unit_test(test_turn_a_heartbeat_after_a_pause_tells_what_it_missed),
        cmocka_unit_test(test_turn_any_order_gives_the_same_tree),
        cmocka_unit_test(test_state_codec_round_trip_in_every_situation),
        cmocka_unit_test(test_state_codec_refuses_every_cut),
        cmocka_unit_test(test_state_codec_hold_in_disorder_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
