/* The reducer: what each path does, bundles, runs, holds, sources, memory that runs out. */
#include "tests/unit/cmocka_small.h"

#include "core/message.h"
#include "core/picture.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/osc_builder.h"

#include <string.h>

/* A state under test, and all that it told, a line an effect. */
typedef struct bench {
    counted_memory memory;
    sl_state *state;
    sl_text told;
    uint64_t next_number; /* the sender's */
    osc_builder packet;
} bench;

enum { SENDER = 3, SESSION = 5 };

static void note(void *ctx, const sl_state *state, const sl_effect *effect)
{
    bench *bench = ctx;
    (void)state;
    if (bench->told.length > 0) sl_text_string(&bench->told, "\n");
    if (effect->type == SL_EFFECT_DIFF) sl_text_diff(&bench->told, effect->diff);
    if (effect->type == SL_EFFECT_LIVE_EVENT) sl_text_string(&bench->told, effect->message->address);
    if (effect->type == SL_EFFECT_REFUSED) sl_text_string(&bench->told, sl_refusal_text(effect->refusal));
}

static void setup(bench *bench)
{
    *bench = (struct bench){0};
    assert_int_equal(sl_state_create(counted_memory_of(&bench->memory), &bench->state), SL_OK);
    sl_text_open(&bench->told, counted_memory_of(&bench->memory));
}

static void teardown(bench *bench)
{
    sl_state_destroy(bench->state);
    sl_text_close(&bench->told);
    assert_int_equal(bench->memory.size_bytes, 0);
}

static sl_err take(bench *bench, sl_event event)
{
    sl_output output = {.tell = note, .ctx = bench};
    event.seq = sl_state_seq(bench->state) + 1;
    event.version = 1;
    return sl_reduce(bench->state, &event, &output);
}

/* The packet built, as an event of the sender; `count` numbers. */
static sl_err take_packet(bench *bench, uint64_t count)
{
    sl_event event = {.kind = SL_KIND_OSC,
                      .source = SENDER,
                      .session = SESSION,
                      .source_seq = bench->next_number,
                      .payload = bench->packet.bytes,
                      .length = (uint32_t)bench->packet.length};
    bench->next_number += count;
    return take(bench, event);
}

/* Sends one wrapped message. */
static void send(bench *bench, const char *path, const char *tags, ...)
{
    va_list list;
    va_start(list, tags);
    bench->packet.length = 0;
    osc_message(&bench->packet, (int64_t)bench->next_number, path, tags, list);
    va_end(list);
    assert_int_equal(take_packet(bench, 1), SL_OK);
}

static void expect(bench *bench, const char *lines)
{
    sl_text_bytes(&bench->told, "", 1);
    assert_string_equal(bench->told.bytes, lines);
    sl_text_clear(&bench->told);
}

/* Two tracks, three scenes, a device, a slot with a clip at track 0, scene 1. */
static void setup_set(bench *bench)
{
    setup(bench);
    send(bench, "/live/track/added", "is", 0, "Drums");
    send(bench, "/live/track/added", "iss", 1, "Bass", "midi");
    send(bench, "/live/scene/added", "is", 0, "Intro");
    send(bench, "/live/scene/added", "is", 1, "Verse");
    send(bench, "/live/scene/added", "is", 2, "Drop");
    send(bench, "/live/device/added", "iis", 0, 0, "Reverb");
    send(bench, "/live/clip_slot/created", "iiTTi", 0, 1, 0);
    send(bench, "/live/clip/added", "iis", 0, 1, "Loop");
    sl_text_clear(&bench->told);
}

/* Each path: what is sent, and what is told. */
static void test_reduce_each_path(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/live/track/renamed", "is", 1, "Sub");
    expect(&bench, "tracks[1].name \"Bass\" -> \"Sub\"");
    send(&bench, "/live/track/mute", "iT", 0);
    expect(&bench, "tracks[0].is_muted null -> true");
    send(&bench, "/live/track/arm", "ii", 0, 1);
    expect(&bench, "tracks[0].is_armed null -> true");
    send(&bench, "/live/track/solo", "iF", 0);
    expect(&bench, "tracks[0].is_soloed null -> false");
    send(&bench, "/live/track/volume", "if", 0, 0.75);
    expect(&bench, "tracks[0].volume null -> 0.75");
    send(&bench, "/live/track/pan", "id", 0, -0.5);
    expect(&bench, "tracks[0].pan null -> -0.5");
    send(&bench, "/live/track/color", "ii", 0, 255);
    expect(&bench, "tracks[0].color null -> 255");
    send(&bench, "/live/device/param", "iiif", 0, 0, 1, 0.5);
    expect(&bench, "+ tracks[0].devices[0].parameters[0]; + tracks[0].devices[0].parameters[1]\n"
                   "tracks[0].devices[0].parameters[1].value null -> 0.5");
    send(&bench, "/live/device/enabled", "iiF", 0, 0);
    expect(&bench, "tracks[0].devices[0].is_enabled null -> false");
    send(&bench, "/live/clip_slot/has_stop", "iiF", 0, 1);
    expect(&bench, "tracks[0].clip_slots[1].has_stop_button true -> false");
    send(&bench, "/live/clip_slot/playing_status", "iii", 0, 1, 1);
    expect(&bench, "tracks[0].clip_slots[1].playing_status 0 -> 1; tracks[0].clip_slots[1].is_playing false -> true");
    send(&bench, "/live/clip_slot/color", "iii", 0, 1, 7);
    expect(&bench, "tracks[0].clip_slots[1].color null -> 7");
    send(&bench, "/live/clip/name", "iis", 0, 1, "Fill");
    expect(&bench, "tracks[0].clip_slots[1].clip.name \"Loop\" -> \"Fill\"");
    send(&bench, "/live/clip/muted", "iiT", 0, 1);
    expect(&bench, "tracks[0].clip_slots[1].clip.is_muted null -> true");
    send(&bench, "/live/clip/looping", "iii", 0, 1, 1);
    expect(&bench, "tracks[0].clip_slots[1].clip.is_looped null -> true");
    send(&bench, "/live/clip/color", "iii", 0, 1, 9);
    expect(&bench, "tracks[0].clip_slots[1].clip.color null -> 9");
    send(&bench, "/live/transport/play", "T");
    expect(&bench, "project.is_playing null -> true");
    send(&bench, "/live/transport/tempo", "f", 128.0);
    expect(&bench, "project.tempo null -> 128.0");
    send(&bench, "/live/transport/position", "f", 4.0);
    expect(&bench, "project.position null -> 4.0");
    send(&bench, "/live/scene/color", "ii", 2, 3);
    expect(&bench, "scenes[2].color null -> 3");
    send(&bench, "/live/cursor/scene", "i", 2);
    expect(&bench, "/live/cursor/scene");
    send(&bench, "/live/batch/start", "i", 2);
    expect(&bench, "");
    teardown(&bench);
}

static void test_reduce_scene_added_moves_slots(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/live/scene/added", "is", 1, "Bridge");
    expect(&bench, "scenes[2..] moved up; + scenes[1] \"Bridge\"");
    const sl_node *project = sl_tree_project(sl_state_tree(bench.state));
    const sl_node *drums = sl_node_child(project, SL_NODE_TRACK, 0);
    assert_null(sl_node_child(drums, SL_NODE_CLIP_SLOT, 1));
    assert_non_null(sl_node_child(drums, SL_NODE_CLIP_SLOT, 2));
    send(&bench, "/live/scene/removed", "i", 2);
    expect(&bench, "- scene scene-3-5-3-0 \"Verse\"; - clip_slot clip_slot-3-5-6-0; scenes[2..] moved down");
    assert_null(sl_node_child(drums, SL_NODE_CLIP_SLOT, 2));
    teardown(&bench);
}

static void test_reduce_scene_triggered_moves_the_mark(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/live/scene/triggered", "i", 0);
    expect(&bench, "scenes[0].is_triggered null -> true");
    send(&bench, "/live/scene/triggered", "i", 2);
    expect(&bench, "scenes[0].is_triggered true -> false; scenes[2].is_triggered null -> true");
    send(&bench, "/live/scene/triggered", "i", 2);
    expect(&bench, "scenes[2].is_triggered true -> true");
    send(&bench, "/live/scene/removed", "i", 2);
    sl_text_clear(&bench.told);
    send(&bench, "/live/scene/triggered", "i", 0);
    expect(&bench, "scenes[0].is_triggered false -> true");
    teardown(&bench);
}

/* Refusals: each with its reason, and nothing changed. */
static void test_reduce_refuses(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    sl_digest before, after;
    sl_state_digests(bench.state, &before, NULL);
    send(&bench, "/live/track/unheard_of", "i", 0);
    expect(&bench, "unknown path");
    send(&bench, "/live/track/renamed", "ii", 0, 1);
    expect(&bench, "wrong types");
    send(&bench, "/live/track/renamed", "i", 0);
    expect(&bench, "wrong types");
    send(&bench, "/live/track/mute", "ii", 0, 2);
    expect(&bench, "wrong types");
    send(&bench, "/live/track/volume", "id", 0, (double)1e300 * 1e300);
    expect(&bench, "not a finite number");
    send(&bench, "/live/track/renamed", "is", 2, "x");
    expect(&bench, "no such index");
    send(&bench, "/live/track/renamed", "is", -1, "x");
    expect(&bench, "no such index");
    send(&bench, "/live/track/added", "is", 3, "x");
    expect(&bench, "no such index");
    send(&bench, "/live/device/param", "iiif", 0, 0, 4096, 1.0);
    expect(&bench, "no such index");
    send(&bench, "/live/clip/name", "iis", 0, 2, "x");
    expect(&bench, "no such index");
    send(&bench, "/live/clip_slot/created", "iiTTi", 0, 3, 0);
    expect(&bench, "no such index");
    sl_state_digests(bench.state, &after, NULL);
    assert_true(sl_digest_equal(before, after));
    assert_int_equal(sl_state_source(bench.state, SENDER)->refused[SL_REFUSAL_INDEX], 6);
    teardown(&bench);
}

static void test_reduce_bundle_is_atomic(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    osc_bundle_begin(&bench.packet);
    osc_bundle_add(&bench.packet, (int64_t)bench.next_number, "/live/track/renamed", "is", 0, "Kit");
    osc_bundle_add(&bench.packet, (int64_t)bench.next_number + 1, "/live/nothing", "");
    assert_int_equal(take_packet(&bench, 2), SL_OK);
    expect(&bench, "bundle refused");
    osc_bundle_begin(&bench.packet);
    osc_bundle_add(&bench.packet, (int64_t)bench.next_number, "/live/track/renamed", "is", 0, "Kit");
    osc_bundle_add(&bench.packet, (int64_t)bench.next_number + 1, "/live/track/renamed", "is", 1, "Sub");
    assert_int_equal(take_packet(&bench, 2), SL_OK);
    expect(&bench, "tracks[0].name \"Drums\" -> \"Kit\"\ntracks[1].name \"Bass\" -> \"Sub\"");
    assert_int_equal(sl_state_source(bench.state, SENDER)->next_source_seq, bench.next_number);
    assert_int_equal(sl_state_source(bench.state, SENDER)->gaps, 0);
    teardown(&bench);
}

static void test_reduce_counts_holes(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    bench.next_number = 10; /* the first number, whatever it is, is no hole */
    send(&bench, "/live/transport/play", "T");
    bench.next_number = 15;
    send(&bench, "/live/transport/play", "F");
    bench.next_number = 12; /* late */
    send(&bench, "/live/transport/play", "T");
    assert_int_equal(sl_state_source(bench.state, SENDER)->gaps, 1);
    assert_int_equal(sl_state_source(bench.state, SENDER)->gap_size_total, 4);
    assert_int_equal(sl_state_source(bench.state, SENDER)->next_source_seq, 16);
    teardown(&bench);
}

static void test_reduce_numbers_wrap(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    bench.next_number = UINT32_MAX;
    send(&bench, "/live/transport/play", "T");
    bench.next_number = 0;
    send(&bench, "/live/transport/play", "F");
    assert_int_equal(sl_state_source(bench.state, SENDER)->gaps, 0);
    assert_int_equal(sl_state_source(bench.state, SENDER)->next_source_seq, 1);
    teardown(&bench);
}

static void test_reduce_run_is_a_permutation(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/live/scene/reordered", "is", 0, "Drop");
    send(&bench, "/live/scene/reordered", "is", 1, "Verse");
    send(&bench, "/live/scene/reordered", "is", 2, "Intro");
    expect(&bench, "");
    send(&bench, "/live/cursor/scene", "i", 0);
    expect(&bench, "2 scenes reordered\n/live/cursor/scene");
    teardown(&bench);
}

static void test_reduce_run_tells_of_a_push(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/live/scene/reordered", "is", 2, "Verse");
    send(&bench, "/live/scene/reordered", "is", 3, "Drop");
    send(&bench, "/live/scene/added", "is", 1, "Bridge");
    expect(&bench, "scenes[2..] moved up; + scenes[1] \"Bridge\"");
    teardown(&bench);
}

static void test_reduce_run_that_fits_nothing(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/live/scene/reordered", "is", 0, "Coda");
    assert_int_equal(take(&bench, (sl_event){.kind = SL_KIND_ORDER_SETTLED, .source = SENDER, .session = SESSION}),
                     SL_OK);
    expect(&bench, "project.stale_reason \"no picture yet\" -> \"scene order unknown\"");
    teardown(&bench);
}

/* A picture of one track "New", as an event of the sender, made of a snapshot with this last number. */
static sl_err take_picture(bench *bench, uint64_t number)
{
    uint8_t bytes[256];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_picture_writer picture;
    sl_value name = sl_value_text("New", 3);
    sl_picture_begin(&picture, &writer);
    sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "", 0);
    sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "live-7", 6);
    sl_picture_attribute(&picture, SL_ATTRIBUTE_NAME, &name);
    sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "", 0);
    sl_picture_end(&picture);
    return take(bench, (sl_event){.kind = SL_KIND_PICTURE,
                                  .source = SENDER,
                                  .session = SESSION,
                                  .source_seq = number,
                                  .payload = bytes,
                                  .length = (uint32_t)writer.length});
}

static void test_reduce_picture_replaces_and_ends_staleness(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    send(&bench, "/live/track/added", "is", 0, "Old");
    sl_text_clear(&bench.told);
    assert_int_equal(take_picture(&bench, 40), SL_OK);
    expect(&bench, "- track track-3-5-0-0 \"Old\"; project.is_stale true -> false; "
                   "project.stale_reason \"no picture yet\" -> null; and 2 more");
    const sl_tree *tree = sl_state_tree_view(bench.state);
    assert_non_null(sl_tree_find(tree, "live-7", 6));
    assert_non_null(sl_tree_find(tree, "track-3-5-40-0", 14));
    teardown(&bench);
}

static void test_reduce_holds_until_the_picture(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    send(&bench, "/symlog/snapshot", "hiib", (int64_t)SESSION, 0, 1);
    send(&bench, "/live/track/renamed", "is", 0, "After");
    expect(&bench, "");
    assert_int_equal(take_picture(&bench, 0), SL_OK);
    sl_text_clear(&bench.told);
    const sl_node *track = sl_tree_find_path(sl_state_tree_view(bench.state), "tracks[0]", 9);
    assert_memory_equal(sl_node_value(track, SL_ATTRIBUTE_NAME).as.text, "After", 5);
    teardown(&bench);
}

static sl_err take_refusal(bench *bench, uint64_t session, uint64_t number)
{
    return take(bench, (sl_event){.kind = SL_KIND_REFUSED, .source = SENDER, .session = session, .source_seq = number});
}

/* One snapshot was refused, and another has come before that is known. */
static void test_reduce_holds_on_when_an_older_snapshot_is_answered(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    const uint64_t first = sl_state_source(bench.state, SENDER)->next_source_seq;
    for (int part = 0; part < 2; part++) send(&bench, "/symlog/snapshot", "hiib", (int64_t)SESSION, part, 2);
    send(&bench, "/live/track/renamed", "is", 0, "After");
    assert_int_equal(take_refusal(&bench, SESSION, first - 1), SL_OK);
    assert_int_equal(take_refusal(&bench, SESSION - 1, first + 1), SL_OK);
    expect(&bench, "");
    assert_int_equal(take_refusal(&bench, SESSION, first), SL_OK);
    const sl_node *track = sl_tree_find_path(sl_state_tree_view(bench.state), "tracks[0]", 9);
    assert_memory_equal(sl_node_value(track, SL_ATTRIBUTE_NAME).as.text, "After", 5);
    teardown(&bench);
}

/* What waits may end with another snapshot's last part, whose answer the new session would never hear. */
static void test_reduce_holds_nothing_into_another_session(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    for (int i = 0; i < 2; i++) send(&bench, "/symlog/snapshot", "hii", (int64_t)SESSION, 0, 1);
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_session session = {.input = SL_INPUT_OSC, .name = "same", .name_length = 4};
    assert_int_equal(sl_session_encode(&session, &writer), SL_OK);
    assert_int_equal(take(&bench, (sl_event){.kind = SL_KIND_SESSION,
                                             .version = SL_PAYLOAD_VERSION,
                                             .source = SENDER,
                                             .session = SESSION,
                                             .payload = bytes,
                                             .length = (uint32_t)writer.length}),
                     SL_OK);
    send(&bench, "/live/track/renamed", "is", 0, "After");
    const sl_node *track = sl_tree_find_path(sl_state_tree_view(bench.state), "tracks[0]", 9);
    assert_memory_equal(sl_node_value(track, SL_ATTRIBUTE_NAME).as.text, "After", 5);
    teardown(&bench);
}

/* The hold was full before the picture came: it would undo what has been applied since. */
static void test_reduce_picture_that_is_late_is_refused(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    uint64_t last = bench.next_number;
    send(&bench, "/symlog/snapshot", "hiib", (int64_t)SESSION, 0, 1);
    for (int i = 0; i <= 4096; i++) send(&bench, "/live/track/color", "ii", 0, i);
    sl_text_clear(&bench.told);
    assert_int_equal(take_picture(&bench, last), SL_OK);
    expect(&bench, "picture came too late");
    const sl_node *track = sl_tree_find_path(sl_state_tree_view(bench.state), "tracks[0]", 9);
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_COLOR).as.integer, 4096);
    teardown(&bench);
}

static void test_reduce_hold_overflows(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    send(&bench, "/symlog/snapshot", "hiib", (int64_t)SESSION, 0, 1);
    for (int i = 0; i < 4096; i++) send(&bench, "/live/track/color", "ii", 0, i);
    expect(&bench, "");
    send(&bench, "/live/track/color", "ii", 0, 4096);
    assert_true(bench.told.length > 0);
    const sl_node *track = sl_tree_find_path(sl_state_tree_view(bench.state), "tracks[0]", 9);
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_COLOR).as.integer, 4096);
    teardown(&bench);
}

static void test_reduce_source_that_is_silent_longest_gives_way(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    for (uint32_t i = 1; i <= SL_SOURCES_MAX + 1; i++)
        assert_int_equal(take(&bench, (sl_event){.kind = SL_KIND_MARK, .source = i}), SL_OK);
    assert_null(sl_state_source(bench.state, 1));
    assert_non_null(sl_state_source(bench.state, 2));
    assert_int_equal(sl_state_source_next(bench.state), SL_SOURCES_MAX + 2);
    teardown(&bench);
}

/* Any bytes in any kind of event are taken. */
static void test_reduce_takes_nonsense(void **state)
{
    (void)state;
    bench bench;
    setup_set(&bench);
    uint64_t seed = 9;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        for (size_t b = 0; b < sizeof bytes; b++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[b] = (uint8_t)(seed >> 56);
        }
        sl_event event = {.kind = (uint16_t)(1 + bytes[0] % 12),
                          .source = bytes[1] % 4,
                          .payload = bytes + 2,
                          .length = bytes[2] % 62u};
        assert_int_equal(take(&bench, event), SL_OK);
        sl_text_clear(&bench.told);
    }
    teardown(&bench);
}

static void test_reduce_without_memory(void **state)
{
    (void)state;
    sl_err err = SL_ERR_MEMORY;
    for (uint64_t fail_at = 1; err == SL_ERR_MEMORY && fail_at < 1000; fail_at++) {
        counted_memory memory = {.fail_at = fail_at};
        sl_state *made;
        err = sl_state_create(counted_memory_of(&memory), &made);
        if (err != SL_OK) continue;
        osc_builder packet = {0};
        osc_bundle_begin(&packet);
        for (int i = 0; i < 50; i++) osc_bundle_add(&packet, -1, "/live/track/added", "is", i, "a name");
        sl_event event = {.kind = SL_KIND_OSC,
                          .source_seq = SL_SOURCE_SEQ_NONE,
                          .payload = packet.bytes,
                          .length = (uint32_t)packet.length};
        for (event.seq = 1; err == SL_OK && event.seq < 20; event.seq++) err = sl_reduce(made, &event, NULL);
        sl_state_destroy(made);
        assert_int_equal(memory.size_bytes, 0);
    }
    assert_int_equal(err, SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reduce_each_path),
        cmocka_unit_test(test_reduce_scene_added_moves_slots),
        cmocka_unit_test(test_reduce_scene_triggered_moves_the_mark),
        cmocka_unit_test(test_reduce_refuses),
        cmocka_unit_test(test_reduce_bundle_is_atomic),
        cmocka_unit_test(test_reduce_counts_holes),
        cmocka_unit_test(test_reduce_numbers_wrap),
        cmocka_unit_test(test_reduce_run_is_a_permutation),
        cmocka_unit_test(test_reduce_run_tells_of_a_push),
        cmocka_unit_test(test_reduce_run_that_fits_nothing),
        cmocka_unit_test(test_reduce_picture_replaces_and_ends_staleness),
        cmocka_unit_test(test_reduce_holds_until_the_picture),
        cmocka_unit_test(test_reduce_holds_on_when_an_older_snapshot_is_answered),
        cmocka_unit_test(test_reduce_holds_nothing_into_another_session),
        cmocka_unit_test(test_reduce_picture_that_is_late_is_refused),
        cmocka_unit_test(test_reduce_hold_overflows),
        cmocka_unit_test(test_reduce_source_that_is_silent_longest_gives_way),
        cmocka_unit_test(test_reduce_takes_nonsense),
        cmocka_unit_test(test_reduce_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
