/* A player's schedule beside the state's: fed with the same inputs, it is the same byte for byte. */
#include "tests/unit/cmocka_small.h"

#include "core/reduce.h"
#include "core/schedule.h"
#include "core/text.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/osc_builder.h"
#include "tests/unit/score_builder.h"

#include <string.h>

enum { SENDER = 3, GROOVE = 4, SEEDS = 60, EVENTS = 150 };

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    sl_schedule *twin;
    uint64_t rng;
    uint64_t number; /* the sender's next */
    uint64_t frame;
    score_builder score;
    osc_builder packet;
    uint8_t bytes[512];
    sl_text mine, theirs;
    size_t follow_count;
    size_t follow_max;
} bench;

static uint64_t draw(bench *bench, uint64_t below)
{
    bench->rng = bench->rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (bench->rng >> 33) % below;
}

static void setup(bench *bench, uint64_t seed)
{
    memset(bench, 0, sizeof *bench);
    bench->rng = seed;
    assert_int_equal(sl_state_create(counted_memory_of(&bench->memory), &bench->state), SL_OK);
    sl_text_open(&bench->mine, counted_memory_of(&bench->memory));
    sl_text_open(&bench->theirs, counted_memory_of(&bench->memory));
}

static void teardown(bench *bench)
{
    sl_schedule_destroy(bench->twin);
    sl_state_destroy(bench->state);
    sl_text_close(&bench->mine);
    sl_text_close(&bench->theirs);
    assert_int_equal(bench->memory.size_bytes, 0);
}

static void put(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

/* What a player does after each event. */
static void follow(bench *bench, const sl_event *event)
{
    const sl_schedule *schedule = sl_state_schedule(bench->state);
    const sl_follow *follows;
    size_t count = sl_state_follows(bench->state, &follows);
    const char *what;
    if (schedule == NULL) return;
    sl_text_clear(&bench->mine);
    sl_schedule_encode(schedule, put, &bench->mine);
    if (bench->twin == NULL) {
        sl_reader reader = {.bytes = (const uint8_t *)bench->mine.bytes, .length = bench->mine.length};
        assert_int_equal(sl_schedule_decode(&reader, counted_memory_of(&bench->memory), &bench->twin), SL_OK);
    } else {
        sl_err err = sl_schedule_take(bench->twin, event, &what);
        assert_true(err == SL_OK || err == SL_ERR_REFUSED);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(sl_schedule_follow(bench->twin, event->seq, &follows[i]), SL_OK);
    }
    bench->follow_count += count;
    if (count > bench->follow_max) bench->follow_max = count;
    sl_text_clear(&bench->theirs);
    sl_schedule_encode(bench->twin, put, &bench->theirs);
    assert_int_equal(bench->mine.length, bench->theirs.length);
    assert_memory_equal(bench->mine.bytes, bench->theirs.bytes, bench->mine.length);
}

static void take(bench *bench, sl_event event)
{
    event.seq = sl_state_seq(bench->state) + 1;
    if (event.version == 0) event.version = 1;
    assert_int_equal(sl_reduce(bench->state, &event, NULL), SL_OK);
    follow(bench, &event);
}

static void take_packet(bench *bench, uint64_t number)
{
    take(bench, (sl_event){.kind = SL_KIND_OSC,
                           .source = SENDER,
                           .session = 7,
                           .source_seq = number,
                           .payload = bench->packet.bytes,
                           .length = (uint32_t)bench->packet.length});
}

static void add_message(bench *bench, int64_t number)
{
    if (draw(bench, 2) == 0)
        osc_bundle_add(&bench->packet, number, "/live/transport/tempo", "f", (double)draw(bench, 1200));
    else
        osc_bundle_add(&bench->packet, number, "/live/transport/play", draw(bench, 2) == 0 ? "T" : "F");
}

/* A bundle of some messages; with numbers, or without. */
static void send_bundle(bench *bench, int64_t number, unsigned count)
{
    osc_bundle_begin(&bench->packet);
    for (unsigned i = 0; i < count; i++) add_message(bench, number < 0 ? -1 : number + i);
    take_packet(bench, number < 0 ? SL_SOURCE_SEQ_NONE : (uint64_t)number);
}

/* The second of two comes first, and is held until the first does. */
static void send_out_of_order(bench *bench)
{
    unsigned first = 1 + (unsigned)draw(bench, 3), second = 1 + (unsigned)draw(bench, 3);
    int64_t number = (int64_t)bench->number;
    send_bundle(bench, number + first, second);
    if (draw(bench, 2) == 0) send_bundle(bench, -1, 1);
    send_bundle(bench, number, first);
    bench->number += first + second;
}

static void evaluate(bench *bench)
{
    score_begin(&bench->score, draw(bench, 3) == 0, (uint8_t)draw(bench, 3), draw(bench, 3) == 0 ? 90.5 : 0);
    for (uint64_t i = draw(bench, 3), name = 'a'; i-- > 0; name += 1 + draw(bench, 2)) {
        score_track(&bench->score, (char[]){(char)name, '\0'}, (uint8_t)draw(bench, 17));
        score_note(&bench->score, (uint8_t)draw(bench, 128), 1 + (uint32_t)draw(bench, 50000));
        score_end_track(&bench->score);
    }
    take(bench, score_end(&bench->score, 0));
}

static void say(bench *bench)
{
    static const char *const names[] = {"", "a", "b", "c"};
    sl_transport transport = {.action = (uint8_t)(1 + draw(bench, SL_TRANSPORT_ACTION_LAST)),
                              .quantize = (uint8_t)draw(bench, 3),
                              .value = (double)draw(bench, 300),
                              .track = names[draw(bench, 4)],
                              .name = names[draw(bench, 4)]};
    if (transport.action == SL_TRANSPORT_CHANNEL) transport.value = (double)draw(bench, 17);
    take(bench, transport_event(bench->bytes, 0, transport));
}

static void apply(bench *bench)
{
    bench->frame += draw(bench, 100000);
    sl_applied applied = {.through_seq = sl_state_seq(bench->state) - draw(bench, 4),
                          .frame = bench->frame,
                          .rate = draw(bench, 20) == 0 ? 44100 : 48000,
                          .late = draw(bench, 4) == 0};
    take(bench, applied_event(bench->bytes, 0, applied));
}

static void edit_groove(bench *bench)
{
    static const char *const edits[] = {
        "play",
        "stop",
        "bpm=97",
        "vol=50",
        "beat=0/1/3",
        "beat=1/0/0",
        "lane=0/sub/2",
        "lane=1/enabled/0",
        "lane=0/gain/-6",
        "patch=t133;kick:4=Xxxx;snare:3=.x.;b:2/2s~",
        "patch=kick:4;hatClosed:4/2;b2;end=stop",
        "beat=9/9/9",
    };
    const char *edit = edits[draw(bench, sizeof edits / sizeof edits[0])];
    take(bench, (sl_event){.kind = SL_KIND_GROOVE_EDIT,
                           .source = GROOVE,
                           .source_seq = SL_SOURCE_SEQ_NONE,
                           .payload = (const uint8_t *)edit,
                           .length = (uint32_t)strlen(edit)});
}

static void step(bench *bench)
{
    switch (draw(bench, 8)) {
    case 0: evaluate(bench); break;
    case 1: say(bench); break;
    case 2: send_bundle(bench, -1, 1 + (unsigned)draw(bench, 6)); break;
    case 3: send_out_of_order(bench); break;
    case 4:
    case 5: edit_groove(bench); break;
    default: apply(bench); break;
    }
}

static void test_follow_is_the_same_schedule(void **state)
{
    (void)state;
    static bench bench;
    size_t follow_count = 0, follow_max = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        setup(&bench, seed);
        for (unsigned i = 0; i < EVENTS; i++) step(&bench);
        follow_count += bench.follow_count;
        if (bench.follow_max > follow_max) follow_max = bench.follow_max;
        assert_int_equal(sl_schedule_applied_seq(bench.twin), sl_schedule_applied_seq(sl_state_schedule(bench.state)));
        teardown(&bench);
    }
    assert_true(follow_count > 1000);
    assert_true(follow_max >= 4); /* what was held, and what released it */
}

/* Several inputs of one event count together. */
static void test_follow_counts_all_of_a_bundle(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench, 1);
    evaluate(&bench);
    osc_bundle_begin(&bench.packet);
    osc_bundle_add(&bench.packet, -1, "/live/transport/tempo", "f", 77.0);
    osc_bundle_add(&bench.packet, -1, "/live/transport/play", "T");
    take_packet(&bench, SL_SOURCE_SEQ_NONE);
    sl_applied applied = {.through_seq = sl_state_seq(bench.state), .frame = 10, .rate = 48000};
    take(&bench, applied_event(bench.bytes, 0, applied));
    sl_position position = sl_schedule_position(bench.twin, 10);
    assert_true(position.is_playing);
    assert_true(position.bpm > 76.9 && position.bpm < 77.1);
    teardown(&bench);
}

/* More inputs in one event than may wait. */
static void test_follow_of_an_endless_bundle(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench, 1);
    evaluate(&bench);
    for (uint64_t i = 0; i < UINT64_C(3) * SL_SCHEDULE_INPUTS_MAX; i++) {
        sl_follow each = {.type = i % 2 == 0 ? SL_FOLLOW_PLAY : SL_FOLLOW_STOP};
        assert_int_equal(sl_schedule_follow(bench.twin, 2, &each), SL_OK);
    }
    assert_int_equal(sl_schedule_taken_seq(bench.twin), 2);
    assert_int_equal(sl_schedule_applied_seq(bench.twin), 2);
    teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follow_is_the_same_schedule),
        cmocka_unit_test(test_follow_counts_all_of_a_bundle),
        cmocka_unit_test(test_follow_of_an_endless_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
