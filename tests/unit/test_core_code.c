/* Live code in the state: the session's subtree, what is told of it, digests, snapshots, pictures. */
#include "tests/unit/cmocka_small.h"

#include "core/message.h"
#include "core/picture.h"
#include "core/schedule.h"
#include "core/state_codec.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/osc_builder.h"
#include "tests/unit/score_builder.h"

#include <string.h>

enum { BEAT = SL_TICKS_PER_BEAT };

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    sl_text told;
    score_builder score;
    osc_builder packet;
} bench;

static void note(void *ctx, const sl_state *state, const sl_effect *effect)
{
    bench *bench = ctx;
    (void)state;
    if (effect->type == SL_EFFECT_DIFF) sl_text_diff(&bench->told, effect->diff);
    if (effect->type == SL_EFFECT_REFUSED) sl_text_string(&bench->told, sl_refusal_text(effect->refusal));
}

static void setup(bench *bench)
{
    memset(bench, 0, sizeof *bench);
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
    sl_text_clear(&bench->told);
    return sl_reduce(bench->state, &event, &output);
}

static void say(bench *bench, sl_transport transport)
{
    uint8_t bytes[512];
    assert_int_equal(take(bench, transport_event(bytes, 1, transport)), SL_OK);
}

static void put_track(bench *bench, const char *name, uint8_t pitch)
{
    score_track(&bench->score, name, 0);
    score_note(&bench->score, pitch, BEAT);
    score_note(&bench->score, pitch, BEAT);
    score_end_track(&bench->score);
}

static sl_err evaluate(bench *bench, const char *names, bool replaces, double bpm)
{
    score_begin(&bench->score, replaces, SL_QUANTIZE_BAR, bpm);
    for (; *names != '\0'; names++) put_track(bench, (char[]){*names, '\0'}, 60);
    return take(bench, score_end(&bench->score, 1));
}

static sl_digest digest(bench *bench)
{
    sl_digest whole;
    sl_state_digests(bench->state, NULL, &whole);
    return whole;
}

static bool was_told(const bench *bench, const char *part)
{
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= bench->told.length; i++)
        if (memcmp(bench->told.bytes + i, part, length) == 0) return true;
    return false;
}

static sl_node *session_of(const bench *bench)
{
    return sl_node_child(sl_tree_project(sl_state_tree_view(bench->state)), SL_NODE_SESSION, 0);
}

static void expect_tracks(const bench *bench, const char *names)
{
    const sl_node *session = session_of(bench);
    assert_int_equal(sl_node_child_count(session, SL_NODE_CODE_TRACK), strlen(names));
    for (uint32_t i = 0; names[i] != '\0'; i++) {
        sl_value name = sl_node_value(sl_node_child(session, SL_NODE_CODE_TRACK, i), SL_ATTRIBUTE_NAME);
        assert_int_equal(name.length, 1);
        assert_int_equal(name.as.text[0], names[i]);
    }
}

static void test_code_without_a_session(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_null(session_of(&bench));
    assert_null(sl_state_schedule(bench.state));
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_code code = {.buffer = "x", .buffer_length = 1, .source = "1+1", .source_length = 3};
    assert_int_equal(sl_code_encode(&code, &writer), SL_OK);
    sl_event event = {.kind = SL_KIND_CODE, .version = 1, .payload = bytes, .length = (uint32_t)writer.length};
    assert_int_equal(take(&bench, event), SL_OK);
    assert_null(sl_state_schedule(bench.state));
    teardown(&bench);
}

static void test_code_session_in_the_tree(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_int_equal(evaluate(&bench, "ab", true, 90), SL_OK);
    expect_tracks(&bench, "ab");
    sl_value tempo = sl_node_value(session_of(&bench), SL_ATTRIBUTE_TEMPO);
    assert_true(tempo.as.number > 89.9 && tempo.as.number < 90.1);
    assert_true(was_told(&bench, "code_tracks[0] \"a\""));
    assert_int_equal(evaluate(&bench, "ab", true, 90), SL_OK);
    assert_int_equal(bench.told.length, 0); /* nothing changed */
    assert_int_equal(evaluate(&bench, "c", false, 0), SL_OK);
    expect_tracks(&bench, "abc");
    assert_false(was_told(&bench, "\"a\""));
    assert_int_equal(evaluate(&bench, "cb", true, 0), SL_OK);
    expect_tracks(&bench, "cb");
    say(&bench, (sl_transport){.action = SL_TRANSPORT_UNDO});
    expect_tracks(&bench, "abc");
    say(&bench, (sl_transport){.action = SL_TRANSPORT_STOP, .track = "b"});
    assert_true(was_told(&bench, "is_playing"));
    say(&bench, (sl_transport){.action = SL_TRANSPORT_STOP, .track = "nobody"});
    assert_true(was_told(&bench, "no such index"));
    teardown(&bench);
}

static void test_code_who_plays_a_track(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_int_equal(evaluate(&bench, "a", true, 0), SL_OK);
    const sl_node *track = sl_node_child(session_of(&bench), SL_NODE_CODE_TRACK, 0);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_CHANNEL, .track = "a", .value = 7});
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_CHANNEL).as.integer, 7);
    say(&bench,
        (sl_transport){.action = SL_TRANSPORT_INSTRUMENT, .track = "a", .name = "lead", .params = "{\"cutoff\":0.5}"});
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_PARAMS).type, SL_VALUE_JSON);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_EFFECT, .track = "a", .name = "echo", .params = "not json"});
    sl_value effects = sl_node_value(track, SL_ATTRIBUTE_EFFECTS);
    static const char wanted[] = "[{\"name\":\"echo\",\"params\":null}]";
    assert_int_equal(effects.length, strlen(wanted));
    assert_memory_equal(effects.as.text, wanted, effects.length);
    teardown(&bench);
}

static void reload(bench *bench)
{
    sl_text text;
    sl_text_open(&text, counted_memory_of(&bench->memory));
    sl_digest before = digest(bench);
    assert_int_equal(sl_state_save(bench->state, &text), SL_OK);
    sl_state *loaded;
    sl_memory memory = counted_memory_of(&bench->memory);
    assert_int_equal(sl_state_load((const uint8_t *)text.bytes, text.length, memory, &loaded), SL_OK);
    sl_state_destroy(bench->state);
    bench->state = loaded;
    assert_true(sl_digest_equal(before, digest(bench)));
    for (size_t cut = 0; cut < text.length; cut += 7) {
        uint8_t *bytes = memory.resize(memory.ctx, NULL, 0, cut + 1);
        memcpy(bytes, text.bytes, cut);
        assert_int_not_equal(sl_state_load(bytes, cut, memory, &loaded), SL_OK);
        memory.resize(memory.ctx, bytes, cut + 1, 0);
    }
    sl_text_close(&text);
}

static void test_code_in_snapshots(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    uint8_t bytes[32];
    assert_int_equal(evaluate(&bench, "ab", true, 100), SL_OK);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_PLAY});
    assert_int_equal(take(&bench, applied_event(bytes, 1, (sl_applied){.through_seq = 2, .frame = 99, .rate = 44100})),
                     SL_OK);
    assert_int_equal(evaluate(&bench, "b", true, 0), SL_OK);
    reload(&bench);
    say(&bench, (sl_transport){.action = SL_TRANSPORT_UNDO});
    expect_tracks(&bench, "ab");
    reload(&bench);
    teardown(&bench);
}

/* A picture of Live's set replaces the tree, but not what the code says. */
static void test_code_outlives_a_picture(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_int_equal(evaluate(&bench, "ab", true, 100), SL_OK);
    uint8_t bytes[256];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_picture_writer picture;
    sl_picture_begin(&picture, &writer);
    sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "project", 7);
    sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "session", 7);
    sl_picture_end(&picture);
    sl_event event = {.kind = SL_KIND_PICTURE,
                      .version = SL_PICTURE_VERSION,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bytes,
                      .length = (uint32_t)writer.length};
    assert_int_equal(take(&bench, event), SL_OK);
    expect_tracks(&bench, "ab");
    assert_false(was_told(&bench, "code_track"));
    assert_int_equal(evaluate(&bench, "b", true, 0), SL_OK);
    expect_tracks(&bench, "b");
    reload(&bench);
    teardown(&bench);
}

static void send(bench *bench, const char *where, const char *tags, ...)
{
    va_list list;
    va_start(list, tags);
    bench->packet.length = 0;
    osc_message(&bench->packet, -1, where, tags, list);
    va_end(list);
    sl_event event = {.kind = SL_KIND_OSC,
                      .version = 1,
                      .source = 3,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bench->packet.bytes,
                      .length = (uint32_t)bench->packet.length};
    assert_int_equal(take(bench, event), SL_OK);
}

static void test_code_follows_live(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    send(&bench, "/live/transport/tempo", "f", 100.0);
    assert_int_equal(evaluate(&bench, "a", true, 0), SL_OK);
    const sl_follow *follows;
    assert_int_equal(sl_state_follows(bench.state, &follows), 0);
    send(&bench, "/live/transport/tempo", "f", 133.0);
    assert_int_equal(sl_state_follows(bench.state, &follows), 1);
    assert_int_equal(follows[0].type, SL_FOLLOW_TEMPO);
    send(&bench, "/live/transport/play", "T");
    assert_int_equal(sl_state_follows(bench.state, &follows), 1);
    assert_int_equal(follows[0].type, SL_FOLLOW_PLAY);
    send(&bench, "/live/transport/play", "T");
    assert_int_equal(sl_state_follows(bench.state, &follows), 0);
    teardown(&bench);
}

static void test_code_malformed_is_counted(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_int_equal(evaluate(&bench, "a", true, 0), SL_OK);
    for (unsigned kind = SL_KIND_SCORE; kind <= SL_KIND_APPLIED; kind++) {
        sl_event event = {.kind = (uint16_t)kind, .version = 1, .payload = (const uint8_t *)"abc", .length = 3};
        assert_int_equal(take(&bench, event), SL_OK);
        assert_true(bench.told.length > 0);
    }
    expect_tracks(&bench, "a");
    teardown(&bench);
}

/* Wherever memory runs out, the state says so and can be destroyed. */
static void test_code_without_memory(void **state)
{
    (void)state;
    static bench bench;
    for (uint64_t fail_at = 1;; fail_at++) {
        setup(&bench);
        sl_text_close(&bench.told);
        bench.memory.fail_at = bench.memory.call_count + fail_at;
        uint8_t bytes[32];
        sl_err err = evaluate(&bench, "ab", true, 90);
        if (err == SL_OK) err = evaluate(&bench, "bc", false, 0);
        if (err == SL_OK) err = take(&bench, applied_event(bytes, 1, (sl_applied){.through_seq = 2, .rate = 48000}));
        teardown(&bench);
        if (err == SL_OK && bench.memory.call_count < bench.memory.fail_at) break;
        assert_true(err == SL_OK || err == SL_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_without_a_session),    cmocka_unit_test(test_code_session_in_the_tree),
        cmocka_unit_test(test_code_who_plays_a_track),    cmocka_unit_test(test_code_in_snapshots),
        cmocka_unit_test(test_code_outlives_a_picture),   cmocka_unit_test(test_code_follows_live),
        cmocka_unit_test(test_code_malformed_is_counted), cmocka_unit_test(test_code_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
