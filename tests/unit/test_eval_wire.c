/* What symlog and symlog-eval say to each other, whole and cut; and how buffers become one script. */
#include "tools/eval/eval_wire.h"
#include "tools/eval/script.h"

#include "tests/unit/cmocka_small.h"

#include <stdlib.h>

static sl_eval_buffer buffer_of(const char *name, const char *source)
{
    return (sl_eval_buffer){
        .name = name, .name_length = strlen(name), .source = source, .source_length = strlen(source)};
}

static sl_eval_fault fault_of(const char *buffer, const char *message, uint32_t line)
{
    return (sl_eval_fault){.buffer = buffer,
                           .buffer_length = strlen(buffer),
                           .message = message,
                           .message_length = strlen(message),
                           .line = line,
                           .column = 2};
}

static void test_eval_wire_request(void **state)
{
    (void)state;
    static sl_eval_request in, out;
    static uint8_t bytes[512];
    in = (sl_eval_request){.code_seq = 1ULL << 40, .quantize = SL_QUANTIZE_BEAT, .buffer_count = 2};
    in.buffers[0] = buffer_of("a", "let x = 1;");
    in.buffers[1] = buffer_of("", "");
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_eval_request_encode(&in, &writer), SL_OK);
    assert_int_equal(sl_eval_request_decode(bytes, writer.length, &out), SL_OK);
    assert_true(out.code_seq == in.code_seq && out.quantize == in.quantize && out.buffer_count == 2);
    assert_memory_equal(out.buffers[0].source, "let x = 1;", 10);
    for (size_t length = 0; length < writer.length; length++)
        assert_int_equal(sl_eval_request_decode(bytes, length, &out), SL_ERR_MALFORMED);
    bytes[4]++;
    assert_int_equal(sl_eval_request_decode(bytes, writer.length, &out), SL_ERR_VERSION);
}

static void test_eval_wire_request_bounds(void **state)
{
    (void)state;
    static sl_eval_request in;
    static uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_eval_request_encode(&in, &writer), SL_ERR_RANGE); /* no buffer */
    in.buffer_count = 1;
    in.buffers[0] = buffer_of("a", "");
    in.buffers[0].source_length = SL_EVAL_SOURCE_BYTES_MAX + 1;
    assert_int_equal(sl_eval_request_encode(&in, &writer), SL_ERR_RANGE);
    in.buffer_count = 5;
    for (size_t i = 0; i < 5; i++) in.buffers[i].source_length = SL_EVAL_SOURCE_BYTES_MAX;
    assert_int_equal(sl_eval_request_encode(&in, &writer), SL_ERR_RANGE);
    in = (sl_eval_request){.buffer_count = 1, .quantize = 7};
    assert_int_equal(sl_eval_request_encode(&in, &writer), SL_ERR_RANGE);
    in.quantize = 0;
    in.buffers[0] = buffer_of("a", "a text that is longer than there is room for in those 64 bytes");
    assert_int_equal(sl_eval_request_encode(&in, &writer), SL_ERR_FULL);
}

static void check_answer(const sl_eval_answer *in)
{
    static sl_eval_answer out;
    static uint8_t bytes[512];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_eval_answer_encode(in, &writer), SL_OK);
    assert_int_equal(sl_eval_answer_decode(bytes, writer.length, &out), SL_OK);
    assert_int_equal(out.type, in->type);
    assert_int_equal(out.skipped_count, 1);
    assert_int_equal(out.skipped[0].line, 3);
    assert_memory_equal(out.printed, "hi\n", 3);
    assert_int_equal(out.score_length, in->score_length);
    assert_int_equal(out.fault.line, in->fault.line);
    for (size_t length = 0; length < writer.length; length++)
        assert_int_equal(sl_eval_answer_decode(bytes, length, &out), SL_ERR_MALFORMED);
    assert_int_equal(sl_eval_answer_decode(bytes, writer.length + 1, &out), SL_ERR_MALFORMED);
    bytes[5] = 3;
    assert_int_equal(sl_eval_answer_decode(bytes, writer.length, &out), SL_ERR_MALFORMED);
}

static void test_eval_wire_answer(void **state)
{
    (void)state;
    static sl_eval_answer in;
    in = (sl_eval_answer){.type = SL_EVAL_SCORE, .printed = "hi\n", .printed_length = 3, .skipped_count = 1};
    in.skipped[0] = fault_of("old", "no longer", 3);
    in.score = (const uint8_t *)"abc";
    in.score_length = 3;
    check_answer(&in);
    in.type = SL_EVAL_FAULT;
    in.score_length = 0;
    in.fault = fault_of("new", "why", 9);
    check_answer(&in);
}

static void test_eval_wire_answer_bounds(void **state)
{
    (void)state;
    static sl_eval_answer in;
    static uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    in = (sl_eval_answer){.type = SL_EVAL_SCORE, .printed = "", .score_length = SL_SCORE_BYTES_MAX + 1};
    assert_int_equal(sl_eval_answer_encode(&in, &writer), SL_ERR_RANGE);
    in.score_length = 0;
    in.printed_length = SL_EVAL_PRINTED_BYTES_MAX + 1;
    assert_int_equal(sl_eval_answer_encode(&in, &writer), SL_ERR_RANGE);
    in.printed_length = 0;
    in.skipped_count = SL_EVAL_BUFFERS_MAX + 1;
    assert_int_equal(sl_eval_answer_encode(&in, &writer), SL_ERR_RANGE);
    in = (sl_eval_answer){.type = SL_EVAL_FAULT, .printed = ""};
    in.fault = fault_of("", "", 0);
    in.fault.message_length = SL_EVAL_MESSAGE_BYTES_MAX + 1;
    assert_int_equal(sl_eval_answer_encode(&in, &writer), SL_ERR_RANGE);
    in.type = 0;
    assert_int_equal(sl_eval_answer_encode(&in, &writer), SL_ERR_RANGE);
}

static void test_eval_script_places_lines(void **state)
{
    (void)state;
    char first[] = "a;\nb;", second[] = "c;", third[] = "\n\nd;";
    char *texts[] = {first, second, third};
    sl_script script;
    assert_true(sl_script_open(&script, texts, 3));
    const char *wanted = "(function(){\na;\nb;\n;return function(){\nc;\n;return function(){\n\n\nd;\n}\n}\n})";
    assert_string_equal(script.text, wanted);
    static const struct {
        uint32_t line, place, own;
    } lines[] = {{2, 0, 1}, {3, 0, 2}, {5, 1, 1}, {7, 2, 1}, {9, 2, 3}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        uint32_t line = lines[i].line;
        assert_int_equal(sl_script_place(&script, &line), lines[i].place);
        assert_int_equal(line, lines[i].own);
    }
    sl_script_close(&script);
}

static void test_eval_script_places_parts(void **state)
{
    (void)state;
    uint32_t line = 1, column = 3;
    assert_true(sl_script_place_part("x\nlive.eval(`one\ntwo`)", "one\ntwo", &line, &column));
    assert_true(line == 2 && column == 14);
    line = 2;
    column = 1;
    assert_true(sl_script_place_part("x\nlive.eval(`one\ntwo`)", "one\ntwo", &line, &column));
    assert_true(line == 3 && column == 1);
    assert_false(sl_script_place_part("a a", "a", &line, &column));
    assert_false(sl_script_place_part("a", "b", &line, &column));
    assert_false(sl_script_place_part("a", "", &line, &column));
}

static void test_eval_script_seed(void **state)
{
    (void)state;
    sl_eval_buffer one = buffer_of("ab", "c"), other = buffer_of("a", "bc");
    assert_int_not_equal(sl_script_seed(&one), sl_script_seed(&other));
    assert_int_equal(sl_script_seed(&one), sl_script_seed(&one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_wire_request),        cmocka_unit_test(test_eval_wire_request_bounds),
        cmocka_unit_test(test_eval_wire_answer),         cmocka_unit_test(test_eval_wire_answer_bounds),
        cmocka_unit_test(test_eval_script_places_lines), cmocka_unit_test(test_eval_script_places_parts),
        cmocka_unit_test(test_eval_script_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
