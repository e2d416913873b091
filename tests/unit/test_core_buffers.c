/* The texts of live code that the state keeps: which wait for an answer, which were accepted, their bounds. */
#include "tests/unit/cmocka_small.h"

#include "core/buffers.h"
#include "core/state_codec.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/score_builder.h"

#include <string.h>

enum { EVENT_BYTES_MAX = SL_BUFFER_BYTES_MAX + 1024 };

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    score_builder score;
} bench;

static uint8_t event_bytes[EVENT_BYTES_MAX];
static char long_source[SL_BUFFER_BYTES_MAX + 1];

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
    event.source_seq = SL_SOURCE_SEQ_NONE;
    return sl_reduce(bench->state, &event, NULL);
}

static sl_err edit_long(bench *bench, const char *buffer, const char *source, size_t length)
{
    sl_writer writer = {.bytes = event_bytes, .capacity = sizeof event_bytes};
    sl_code code = {.quantize = SL_QUANTIZE_BEAT,
                    .language = SL_LANGUAGE_TYPESCRIPT,
                    .buffer = buffer,
                    .buffer_length = strlen(buffer),
                    .source = source,
                    .source_length = length};
    assert_int_equal(sl_code_encode(&code, &writer), SL_OK);
    return take(bench, (sl_event){.kind = SL_KIND_CODE,
                                  .version = 1,
                                  .source = 3,
                                  .payload = event_bytes,
                                  .length = (uint32_t)writer.length});
}

/* The number of the edit's event. */
static uint64_t edit(bench *bench, const char *buffer, const char *source)
{
    assert_int_equal(edit_long(bench, buffer, source, strlen(source)), SL_OK);
    return sl_state_seq(bench->state);
}

static void answer(bench *bench, uint64_t code_seq, bool is_good)
{
    score_begin(&bench->score, false, SL_QUANTIZE_BAR, 0);
    score_track(&bench->score, "a", 0);
    if (is_good) score_note(&bench->score, 60, 100);
    if (!is_good) score_step(&bench->score, (sl_score_step){.op = SL_SCORE_END});
    score_end_track(&bench->score);
    sl_event event = score_end(&bench->score, 0);
    sl_put_le(bench->score.bytes, code_seq, 8);
    assert_int_equal(take(bench, event), SL_OK);
}

static void refuse(bench *bench, uint64_t code_seq)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_refused refused = {.kind = SL_KIND_CODE, .reason = "no", .reason_length = 2, .code_seq = code_seq};
    assert_int_equal(sl_refused_encode(&refused, &writer), SL_OK);
    assert_int_equal(take(bench, (sl_event){.kind = SL_KIND_REFUSED,
                                            .version = SL_REFUSED_VERSION,
                                            .payload = bytes,
                                            .length = (uint32_t)writer.length}),
                     SL_OK);
}

static size_t count_texts(const bench *bench, bool (*text_at)(const sl_state *, size_t, sl_code_text *))
{
    sl_code_text text;
    size_t count = 0;
    while (text_at(bench->state, count, &text)) count++;
    return count;
}

static void expect_buffer(const bench *bench, size_t index, const char *buffer, const char *source)
{
    sl_code_text text;
    assert_true(sl_state_buffer(bench->state, index, &text));
    assert_int_equal(text.code.buffer_length, strlen(buffer));
    assert_memory_equal(text.code.buffer, buffer, strlen(buffer));
    assert_int_equal(text.code.source_length, strlen(source));
    assert_memory_equal(text.code.source, source, strlen(source));
}

static void test_buffers_wait_for_their_answer(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    uint64_t first = edit(&bench, "a", "one"), second = edit(&bench, "", "two"), third = edit(&bench, "b", "three");
    sl_code_text text;
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 3);
    assert_true(sl_state_pending_code(bench.state, 2, &text));
    assert_int_equal(text.seq, third);
    assert_int_equal(text.source, 3);
    assert_int_equal(text.code.quantize, SL_QUANTIZE_BEAT);
    assert_int_equal(text.code.language, SL_LANGUAGE_TYPESCRIPT);
    answer(&bench, second, true); /* the unnamed one is no buffer */
    refuse(&bench, third);
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 1);
    assert_int_equal(count_texts(&bench, sl_state_buffer), 0);
    answer(&bench, first, true);
    answer(&bench, first, true); /* nothing waits for it any more */
    refuse(&bench, 999);
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 0);
    expect_buffer(&bench, 0, "a", "one");
    teardown(&bench);
}

static void test_buffers_have_the_text_accepted_last(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    answer(&bench, edit(&bench, "a", "one"), true);
    answer(&bench, edit(&bench, "b", "two"), true);
    answer(&bench, edit(&bench, "a", "three"), true);
    refuse(&bench, edit(&bench, "b", "four"));
    answer(&bench, edit(&bench, "b", "five"), false); /* a score that core does not take */
    assert_int_equal(count_texts(&bench, sl_state_buffer), 2);
    expect_buffer(&bench, 0, "b", "two");
    expect_buffer(&bench, 1, "a", "three");
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 0);
    teardown(&bench);
}

static void test_buffers_are_bounded(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    for (unsigned i = 0; i < 100; i++)
        answer(&bench, edit(&bench, (char[]){(char)('A' + i / 10), (char)('0' + i % 10), '\0'}, "x"), true);
    assert_int_equal(count_texts(&bench, sl_state_buffer), SL_BUFFERS_MAX);
    expect_buffer(&bench, 0, "D6", "x");
    memset(long_source, 'y', sizeof long_source);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(edit_long(&bench, (char[]){(char)('a' + i), '\0'}, long_source, SL_BUFFER_BYTES_MAX), SL_OK);
        if (i > 0) answer(&bench, sl_state_seq(bench.state), true);
    }
    assert_int_equal(count_texts(&bench, sl_state_buffer), 4);
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 1);
    assert_int_equal(edit_long(&bench, "z", long_source, SL_BUFFER_BYTES_MAX + 1), SL_OK); /* not kept */
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 1);
    for (unsigned i = 0; i < 100; i++) (void)edit(&bench, "p", "x");
    assert_int_equal(count_texts(&bench, sl_state_pending_code), SL_BUFFERS_MAX);
    teardown(&bench);
}

static sl_digest digest(bench *bench)
{
    sl_digest whole;
    sl_state_digests(bench->state, NULL, &whole);
    return whole;
}

static void test_buffers_in_snapshots(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    (void)edit(&bench, "a", "pending");
    answer(&bench, edit(&bench, "b", "kept"), true);
    sl_text saved;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    sl_state *loaded;
    const uint8_t *bytes = (const uint8_t *)saved.bytes;
    assert_int_equal(sl_state_load(bytes, saved.length, counted_memory_of(&bench.memory), &loaded), SL_OK);
    sl_digest before = digest(&bench);
    sl_state_destroy(bench.state);
    bench.state = loaded;
    assert_true(sl_digest_equal(before, digest(&bench)));
    expect_buffer(&bench, 0, "b", "kept");
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 1);
    for (size_t cut = 0; cut < saved.length; cut++)
        assert_int_not_equal(sl_state_load(bytes, cut, counted_memory_of(&bench.memory), &loaded), SL_OK);
    sl_text_close(&saved);
    teardown(&bench);
}

static void test_buffers_leave_nothing_where_none_is_kept(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    refuse(&bench, edit(&bench, "a", "x"));
    sl_text saved;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    assert_int_equal(sl_get_le((const uint8_t *)saved.bytes, 4), SL_STATE_CODEC_VERSION);
    sl_text_close(&saved);
    teardown(&bench);
}

static void test_buffers_malformed_code_is_counted(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    assert_int_equal(
        take(&bench, (sl_event){.kind = SL_KIND_CODE, .version = 1, .payload = (const uint8_t *)"abc", .length = 3}),
        SL_OK);
    assert_int_equal(sl_state_source(bench.state, 0)->refused[SL_REFUSAL_MALFORMED], 1);
    assert_int_equal(count_texts(&bench, sl_state_pending_code), 0);
    teardown(&bench);
}

static void test_buffers_wall_clock_of_the_mark(void **state)
{
    (void)state;
    static bench bench;
    setup(&bench);
    uint8_t bytes[128];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_start start = {.wall_ns = INT64_C(1700000000000000000), .program = "", .options = ""};
    assert_int_equal(sl_start_encode(&start, &writer), SL_OK);
    assert_int_equal(take(&bench, (sl_event){.kind = SL_KIND_START,
                                             .version = SL_PAYLOAD_VERSION,
                                             .payload = bytes,
                                             .length = (uint32_t)writer.length}),
                     SL_OK);
    assert_int_equal(sl_state_mark_wall_ns(bench.state), 0);
    uint8_t mark[32];
    sl_event event = applied_event(mark, 0, (sl_applied){.rate = 48000});
    event.time_ns = 5;
    assert_int_equal(take(&bench, event), SL_OK);
    assert_int_equal(sl_state_mark_wall_ns(bench.state), INT64_C(1700000000000000005));
    event.length = 3;
    event.time_ns = 9;
    assert_int_equal(take(&bench, event), SL_OK); /* no mark */
    assert_int_equal(sl_state_mark_wall_ns(bench.state), INT64_C(1700000000000000005));
    teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffers_wait_for_their_answer),
        cmocka_unit_test(test_buffers_have_the_text_accepted_last),
        cmocka_unit_test(test_buffers_are_bounded),
        cmocka_unit_test(test_buffers_in_snapshots),
        cmocka_unit_test(test_buffers_leave_nothing_where_none_is_kept),
        cmocka_unit_test(test_buffers_malformed_code_is_counted),
        cmocka_unit_test(test_buffers_wall_clock_of_the_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
