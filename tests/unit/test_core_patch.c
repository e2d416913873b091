/* The share language: vectors, every token, errors and where they are, lane edits, random patches there and back. */
#include "core/patch.h"

#include "tests/unit/cmocka_small.h"

#include <string.h>

enum { RANDOM_COUNT = 100000, RANDOM_SEED = 4 };

static sl_patch patch, again; /* too big for a stack on wasm32 */
static char text_bytes[SL_PATCH_TEXT_BYTES_MAX + 1], again_bytes[SL_PATCH_TEXT_BYTES_MAX + 1];

static void parse(const char *text)
{
    sl_patch_error error;
    if (sl_patch_parse(text, strlen(text), &patch, &error) == SL_OK) return;
    fail_msg("%s: byte %u: expected %s", text, (unsigned)error.position, error.expected);
}

static const char *write_patch(const sl_patch *from, char *bytes)
{
    sl_writer out = {.bytes = (uint8_t *)bytes, .capacity = SL_PATCH_TEXT_BYTES_MAX};
    assert_int_equal(sl_patch_write(from, &out), SL_OK);
    bytes[out.length] = '\0';
    return bytes;
}

static void assert_written(const char *text, const char *expected)
{
    parse(text);
    assert_string_equal(write_patch(&patch, text_bytes), expected);
    parse(expected);
    assert_string_equal(write_patch(&patch, text_bytes), expected);
}

static void assert_steps(const char *text, uint16_t lane, const char *levels)
{
    parse(text);
    assert_true(lane < patch.lane_count);
    assert_int_equal(patch.lanes[lane].step_count, strlen(levels));
    for (size_t i = 0; levels[i] != '\0'; i++) assert_int_equal(patch.lanes[lane].steps[i], levels[i] - '0');
}

static void assert_error(const char *text, size_t position)
{
    sl_patch_error error = {0};
    if (sl_patch_parse(text, strlen(text), &patch, &error) == SL_OK) fail_msg("%s is taken", text);
    if (error.position != position) fail_msg("%s: byte %u", text, (unsigned)error.position);
    assert_true(error.expected[0] != '\0');
}

static void append(sl_writer *out, const char *string)
{
    sl_write_bytes(out, string, strlen(string));
}

/* Vectors of the protocol. */

static void test_patch_vectors_have_their_steps(void **state)
{
    (void)state;
    assert_steps("t120;kick:4=Xxxx", 0, "2111");
    const char *second = "t120;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x.";
    assert_steps(second, 0, "2111");
    assert_steps(second, 1, "0101");
    assert_steps(second, 2, "20101010");
    const char *third = "t130;kick:2+2+3=x..x..x;hatClosed:2+2+3/2=X.x.X.x.X.x.x.";
    assert_steps(third, 0, "1001001");
    assert_steps(third, 1, "20102010201010");
    assert_int_equal(patch.bpm, 130);
}

static void test_patch_vectors_are_canonical(void **state)
{
    (void)state;
    static const char *const vectors[] = {
        "t120;kick:4=Xxxx",
        "t120;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x.",
        "t130;kick:2+2+3=x..x..x;hatClosed:2+2+3/2=X.x.X.x.X.x.x.",
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) assert_written(vectors[i], vectors[i]);
}

/* Tokens. */

static void test_patch_tokens_are_written_back(void **state)
{
    (void)state;
    static const char *const tokens[] = {"t5",       "t300",   "vol0",       "vol100",    "cd",
                                         "cd2",      "b9999",  "tr3/1",      "rep=3",     "end=stop",
                                         "end=next", "end=+2", "rmp80/+5/4", "rmp9/-5/4", "end=-1"};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        char text[64] = {0};
        sl_writer out = {.bytes = (uint8_t *)text, .capacity = sizeof text - 1};
        append(&out, tokens[i]);
        append(&out, ";beep:4=Xxxx");
        assert_written(text, text);
    }
}

static void test_patch_tokens_have_one_order(void **state)
{
    (void)state;
    assert_written("kick:4;end=1;rep=0;rmp80/5/4;tr1/2;b2;cd1;vol7;t99;v1",
                   "t99;vol7;cd1;b2;tr1/2;rmp80/+5/4;rep=0;end=+1;kick:4=Xxxx");
}

static void test_patch_later_tokens_win(void **state)
{
    (void)state;
    assert_written("t99;t100;cd3;cd;b3;b0;end=-2;end=next;x:1", "t100;cd;end=next;x:1=X");
}

static void test_patch_unknown_tokens_stay_where_they_are(void **state)
{
    (void)state;
    assert_written("what;t100;kick:1;q=7/x;volume;hat:1;last", "t100;what;kick:1=X;q=7/x;volume;hat:1=X;last");
    assert_int_equal(patch.other_count, 4);
}

static void test_patch_without_lanes_is_a_beep(void **state)
{
    (void)state;
    assert_written("t90;b2;end=stop", "t90;b2;end=stop;beep:4=Xxxx");
    sl_patch_begin(&patch);
    assert_string_equal(write_patch(&patch, text_bytes), "beep:4=Xxxx");
}

static void test_patch_spaces_around_tokens_are_none(void **state)
{
    (void)state;
    assert_written(" t90 ; kick:1 ;a b", "t90;kick:1=X;a b");
}

static void test_patch_without_tempo_has_none(void **state)
{
    (void)state;
    parse("kick:4");
    assert_false(patch.has_bpm || patch.has_volume || patch.has_count_in || patch.has_repeat);
}

/* Lanes. */

static void test_patch_lane_has_every_part(void **state)
{
    (void)state;
    assert_written("hat_2.a-#:2+03/2s=xXg.-.xxxx@-3~!", "hat_2.a-#:2+3/2s=xXg...xxxx@-3~!");
    const sl_lane *lane = &patch.lanes[0];
    assert_string_equal(lane->sound, "hat_2.a-#");
    assert_true(lane->has_swing && lane->is_poly && !lane->is_enabled);
    assert_int_equal(lane->sub, 2);
    assert_int_equal(lane->gain, -3);
    assert_int_equal(lane->group_count, 2);
    assert_written("36:1/1@3", "36:1=X@+3");
    assert_written("36:1/1s@0", "36:1/1s=X");
}

static void test_patch_lane_without_pattern(void **state)
{
    (void)state;
    assert_steps("kick:2+3/2", 0, "2111211111");
    assert_steps("kick:1", 0, "2");
}

static void test_patch_lane_with_a_sign_a_beat(void **state)
{
    (void)state;
    assert_steps("kick:3/4=Xgx", 0, "200030001000");
    assert_steps("kick:3=Xgx", 0, "231");
}

static void test_patch_lane_with_a_short_pattern(void **state)
{
    (void)state;
    assert_steps("kick:4=xX", 0, "1200");
    assert_steps("kick:4/2=xXxXx", 0, "12121000");
}

static void test_patch_lane_euclid(void **state)
{
    (void)state;
    assert_steps("kick:8(3,8)", 0, "10010010");
    assert_steps("kick:4/4(4,16)", 0, "1000100010001000");
    assert_steps("kick:8(5,8)", 0, "10101101");
    assert_steps("kick:8(3,8,1)", 0, "00100101");
    assert_steps("kick:8(3,8,-1)", 0, "01001001");
    assert_steps("kick:8(3,8,384)", 0, "10010010");
    assert_steps("kick:8(0,3)", 0, "00000000");
    assert_steps("kick:8(2,3)", 0, "10100000");
    assert_steps("kick:3/2(2,3)", 0, "100010");
}

static void test_patch_errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t position;
    } bad[] = {
        {"", 0},
        {";", 0},
        {"t120;", 5},
        {"t120;;kick:4", 5},
        {"t120; ;kick:4", 6},
        {"t4;kick:4", 1},
        {"t301", 1},
        {"t99999999999", 1},
        {"t", 1},
        {"t12x", 3},
        {"t-5", 1},
        {"vol101", 3},
        {"vol", 3},
        {"b", 1},
        {"b10000", 1},
        {"cdx;cd2x", 7},
        {"tr2", 3},
        {"tr2/", 4},
        {"tr2/1/", 5},
        {"rmp80/+5", 8},
        {"rmp80/x/4", 6},
        {"rep=", 4},
        {"end=", 4},
        {"end=stopp", 4},
        {"end=+", 5},
        {"v2", 1},
        {"t\x01", 1},
        {"t120\x7f", 4},
        {"t120;k\xc3\xaf:4", 6},
        {"kick:", 5},
        {"kick:0", 5},
        {"kick:4+", 7},
        {"kick:65", 5},
        {"kick:64+1", 8},
        {"kick:4/5", 7},
        {"kick:4/0", 7},
        {"kick:4/", 7},
        {"kick:4/12", 7},
        {"kick:4=", 7},
        {"kick:4=y", 7},
        {"kick:4=Xy", 8},
        {"kick:4=Xxxxx", 11},
        {"kick:4@", 7},
        {"kick:4@100", 7},
        {"kick:4!~", 7},
        {"kick:4 =X", 6},
        {":4", 0},
        {"ki ck:4", 2},
        {"kick:4(5,4)", 7},
        {"kick:4(3", 8},
        {"kick:4(3,", 9},
        {"kick:4(3,5)", 9},
        {"kick:4(3,4", 10},
        {"kick:4(3,0)", 9},
        {"kick:4(-1,4)", 7},
        {"a23456789012345678901234567890123:4", 31},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_error(bad[i].text, bad[i].position);
}

static void test_patch_bounds(void **state)
{
    (void)state;
    sl_writer out = {.bytes = (uint8_t *)text_bytes, .capacity = SL_PATCH_TEXT_BYTES_MAX};
    for (int i = 0; i < SL_PATCH_LANES_MAX; i++) sl_write_bytes(&out, "x:64/6;", 7);
    assert_int_equal(sl_patch_parse(text_bytes, out.length - 1, &patch, NULL), SL_OK);
    assert_int_equal(patch.lanes[63].step_count, SL_PATCH_STEPS_MAX);
    (void)write_patch(&patch, again_bytes);
    sl_patch_error error;
    sl_write_bytes(&out, "x:1", 3);
    assert_int_equal(sl_patch_parse(text_bytes, out.length, &patch, &error), SL_ERR_MALFORMED);
    assert_int_equal(error.position, out.length - 3);
    out.length = 0;
    for (int i = 0; i < SL_PATCH_OTHERS_MAX; i++) sl_write_bytes(&out, "what;", 5);
    assert_int_equal(sl_patch_parse(text_bytes, out.length - 1, &patch, NULL), SL_OK);
    sl_write_bytes(&out, "more", 4);
    assert_int_equal(sl_patch_parse(text_bytes, out.length, &patch, &error), SL_ERR_MALFORMED);
    memset(text_bytes, 'z', SL_PATCH_OTHERS_BYTES_MAX + 1);
    assert_int_equal(sl_patch_parse(text_bytes, SL_PATCH_OTHERS_BYTES_MAX, &patch, NULL), SL_OK);
    assert_int_equal(sl_patch_parse(text_bytes, SL_PATCH_OTHERS_BYTES_MAX + 1, &patch, &error), SL_ERR_MALFORMED);
    assert_int_equal(error.position, 0);
}

static void test_patch_write_without_room(void **state)
{
    (void)state;
    parse("t120;kick:4");
    const size_t needed = strlen(write_patch(&patch, text_bytes)) + 1; /* and a ';' that is taken back */
    for (size_t capacity = 0; capacity <= needed; capacity++) {
        sl_writer out = {.bytes = (uint8_t *)again_bytes, .capacity = capacity};
        assert_int_equal(sl_patch_write(&patch, &out), capacity < needed ? SL_ERR_FULL : SL_OK);
    }
}

/* Editing lanes. */

static sl_err set(sl_lane *lane, const char *field, const char *value)
{
    const char *expected = NULL;
    sl_err err = sl_lane_set(lane, field, strlen(field), value, strlen(value), &expected);
    assert_non_null(expected);
    return err;
}

static void assert_set(const char *before, const char *field, const char *value, const char *after)
{
    parse(before);
    assert_int_equal(set(&patch.lanes[0], field, value), SL_OK);
    assert_string_equal(write_patch(&patch, text_bytes), after);
}

static void test_patch_lane_fields_are_set(void **state)
{
    (void)state;
    assert_set("kick:4", "sound", "36", "36:4=Xxxx");
    assert_set("kick:4", "swing", "1", "kick:4/1s=Xxxx");
    assert_set("kick:4", "gain", "-12", "kick:4=Xxxx@-12");
    assert_set("kick:4", "poly", "1", "kick:4=Xxxx~");
    assert_set("kick:4", "enabled", "0", "kick:4=Xxxx!");
    assert_set("kick:4!", "enabled", "1", "kick:4=Xxxx");
}

static void test_patch_lane_sub_keeps_what_has_its_moment(void **state)
{
    (void)state;
    assert_set("kick:2=gX", "sub", "2", "kick:2/2=g.X.");
    assert_set("kick:2/4=Xxg.x.gX", "sub", "2", "kick:2/2=Xgxg");
    assert_set("kick:2/2=XxgX", "sub", "3", "kick:2/3=X..g..");
    assert_set("kick:2/3=Xxgxxx", "sub", "6", "kick:2/6=X.x.g.x.x.x.");
    assert_set("kick:2/4=Xxg.x.gX", "sub", "4", "kick:2/4=Xxg.x.gX");
}

static void test_patch_lane_groups_keep_their_beats(void **state)
{
    (void)state;
    assert_set("kick:3=gXg", "groups", "2+1", "kick:2+1=gXg");
    assert_set("kick:3/2=gXgXgX", "groups", "2", "kick:2/2=gXgX");
    assert_set("kick:3/2=gggggg", "groups", "2+2", "kick:2+2/2=ggggggxx");
    assert_set("kick:1=g", "groups", "1+2", "kick:1+2=gXx");
}

static void test_patch_lane_bad_values_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{"sound", ""},    {"sound", "a b"}, {"sound", "kick:"}, {"groups", ""},
                                         {"groups", "2+"}, {"groups", "0"},  {"groups", "65"},   {"sub", "5"},
                                         {"sub", "2s"},    {"swing", "2"},   {"swing", ""},      {"gain", "x"},
                                         {"gain", "100"},  {"poly", "yes"},  {"enabled", "-1"}};
    parse("kick:4/2=XxgX");
    const sl_lane before = patch.lanes[0];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(set(&patch.lanes[0], bad[i][0], bad[i][1]), SL_ERR_MALFORMED);
        assert_true(sl_lane_equal(&before, &patch.lanes[0]));
    }
    assert_int_equal(set(&patch.lanes[0], "colour", "1"), SL_ERR_NOT_FOUND);
}

/* Random patches. */

static uint64_t random_state;

static uint32_t draw(uint32_t count)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return count > 0 ? (uint32_t)(random_state >> 33) % count : 0;
}

static void append_number(sl_writer *out, const char *before, uint32_t number)
{
    char digits[10];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    append(out, before);
    sl_write_bytes(out, digits + at, sizeof digits - at);
}

static void append_random_lane(sl_writer *out)
{
    static const char *const sounds[] = {"kick", "snare", "hatClosed", "36", "x_1", "beep"};
    static const char *const subs[] = {"", "/1", "/2", "/3", "/4", "/6"};
    static const uint32_t sub_of[] = {1, 1, 2, 3, 4, 6};
    append(out, sounds[draw(6)]);
    uint32_t beats = 0, groups = 1 + draw(4), sub = draw(6);
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t group = 1 + draw(5);
        append_number(out, i == 0 ? ":" : "+", group);
        beats += group;
    }
    append(out, subs[sub]);
    if (sub > 0 && draw(3) == 0) append(out, "s");
    uint32_t steps = beats * sub_of[sub], kind = draw(4);
    if (kind == 1) {
        uint32_t count = 1 + draw(steps);
        append_number(out, "(", draw(count + 1));
        append_number(out, ",", count);
        if (draw(2) == 0) append_number(out, draw(2) == 0 ? ",-" : ",", draw(20));
        append(out, ")");
    } else if (kind > 1) {
        uint32_t count = kind == 2 ? steps : 1 + draw(steps);
        append(out, "=");
        for (uint32_t i = 0; i < count; i++) sl_write_bytes(out, &"Xxg.-"[draw(5)], 1);
    }
    if (draw(3) == 0) append_number(out, draw(2) == 0 ? "@-" : "@+", draw(100));
    if (draw(4) == 0) append(out, "~");
    if (draw(4) == 0) append(out, "!");
}

static void append_random_token(sl_writer *out)
{
    static const char *const others[] = {"zz1", "what=7", "volume", "b-flat"};
    switch (draw(12)) {
    case 0: append_number(out, "t", 5 + draw(296)); break;
    case 1: append_number(out, "vol", draw(101)); break;
    case 2: append_number(out, "cd", draw(4)); break;
    case 3: append(out, "cd"); break;
    case 4: append_number(out, "b", draw(100)); break;
    case 5:
        append_number(out, "tr", draw(9));
        append_number(out, "/", draw(9));
        break;
    case 6:
        append_number(out, "rmp", draw(300));
        append_number(out, draw(2) == 0 ? "/-" : "/+", draw(20));
        append_number(out, "/", draw(9));
        break;
    case 7: append_number(out, "rep=", draw(9)); break;
    case 8: append_number(out, draw(2) == 0 ? "end=-" : "end=+", draw(9)); break;
    case 9: append(out, draw(2) == 0 ? "end=stop" : "end=next"); break;
    case 10: append(out, others[draw(3)]); break;
    default: append_random_lane(out);
    }
}

static void test_patch_random_ones_survive_their_text(void **state)
{
    (void)state;
    random_state = RANDOM_SEED;
    for (int i = 0; i < RANDOM_COUNT; i++) {
        sl_writer out = {.bytes = (uint8_t *)text_bytes, .capacity = SL_PATCH_TEXT_BYTES_MAX};
        uint32_t tokens = 1 + draw(5), lanes = draw(4);
        for (uint32_t t = 0; t < tokens; t++) {
            if (t > 0) append(&out, ";");
            append_random_token(&out);
        }
        for (uint32_t l = 0; l < lanes; l++) {
            append(&out, ";");
            append_random_lane(&out);
        }
        text_bytes[out.length] = '\0';
        parse(text_bytes);
        again = patch;
        (void)write_patch(&patch, text_bytes);
        parse(text_bytes);
        assert_int_equal(again.lane_count, patch.lane_count);
        for (uint16_t l = 0; l < patch.lane_count; l++)
            if (!sl_lane_equal(&again.lanes[l], &patch.lanes[l])) fail_msg("patch %d: %s", i, text_bytes);
        assert_string_equal(write_patch(&patch, again_bytes), text_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patch_vectors_have_their_steps),
        cmocka_unit_test(test_patch_vectors_are_canonical),
        cmocka_unit_test(test_patch_tokens_are_written_back),
        cmocka_unit_test(test_patch_tokens_have_one_order),
        cmocka_unit_test(test_patch_later_tokens_win),
        cmocka_unit_test(test_patch_unknown_tokens_stay_where_they_are),
        cmocka_unit_test(test_patch_without_lanes_is_a_beep),
        cmocka_unit_test(test_patch_spaces_around_tokens_are_none),
        cmocka_unit_test(test_patch_without_tempo_has_none),
        cmocka_unit_test(test_patch_lane_has_every_part),
        cmocka_unit_test(test_patch_lane_without_pattern),
        cmocka_unit_test(test_patch_lane_with_a_sign_a_beat),
        cmocka_unit_test(test_patch_lane_with_a_short_pattern),
        cmocka_unit_test(test_patch_lane_euclid),
        cmocka_unit_test(test_patch_errors_say_where),
        cmocka_unit_test(test_patch_bounds),
        cmocka_unit_test(test_patch_write_without_room),
        cmocka_unit_test(test_patch_lane_fields_are_set),
        cmocka_unit_test(test_patch_lane_sub_keeps_what_has_its_moment),
        cmocka_unit_test(test_patch_lane_groups_keep_their_beats),
        cmocka_unit_test(test_patch_lane_bad_values_change_nothing),
        cmocka_unit_test(test_patch_random_ones_survive_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
