/* The groove box: frames, edits and set lists through the reducer; its nodes, its bytes, memory that runs out. */
#include "core/groove.h"

#include "core/message.h"
#include "core/message_diff.h"
#include "core/patch.h"
#include "core/picture.h"
#include "core/state_codec.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"

#include <string.h>

enum { EDITOR = 3, DEVICE = 4, SESSION = 5, PAYLOAD_BYTES_MAX = 4096 };

/* A state under test, and all that it told, a line an effect. */
typedef struct bench {
    counted_memory memory;
    sl_state *state;
    sl_text told;
    sl_groove_change change; /* of the last SL_EFFECT_GROOVE; evt in: */
    char evt[SL_SYSEX_EVT_BYTES_MAX];
    uint32_t groove_count; /* of them */
    const char *detail;    /* of the last refusal */
    size_t position;
    sl_text message; /* and what subscribers are told of it */
} bench;

static void note(void *ctx, const sl_state *state, const sl_effect *effect)
{
    bench *bench = ctx;
    if (effect->type == SL_EFFECT_GROOVE) {
        bench->change = *effect->groove;
        memset(bench->evt, 0, sizeof bench->evt);
        memcpy(bench->evt, effect->groove->evt, effect->groove->evt_length);
        bench->groove_count++;
        return;
    }
    if (bench->told.length > 0) sl_text_string(&bench->told, "\n");
    if (effect->type == SL_EFFECT_DIFF) sl_text_diff(&bench->told, effect->diff);
    if (effect->type != SL_EFFECT_REFUSED) return;
    sl_text_string(&bench->told, sl_refusal_text(effect->refusal));
    bench->detail = effect->detail;
    bench->position = effect->position;
    sl_text_clear(&bench->message);
    sl_message_effect(&bench->message, state, effect);
}

static void setup(bench *bench)
{
    memset(bench, 0, sizeof *bench);
    assert_int_equal(sl_state_create(counted_memory_of(&bench->memory), &bench->state), SL_OK);
    sl_text_open(&bench->told, counted_memory_of(&bench->memory));
    sl_text_open(&bench->message, counted_memory_of(&bench->memory));
}

static void teardown(bench *bench)
{
    sl_state_destroy(bench->state);
    sl_text_close(&bench->told);
    sl_text_close(&bench->message);
    assert_int_equal(bench->memory.size_bytes, 0);
}

static sl_err take(bench *bench, sl_event event)
{
    sl_output output = {.tell = note, .ctx = bench};
    event.seq = sl_state_seq(bench->state) + 1;
    event.version = 1;
    event.session = event.session != 0 ? event.session : SESSION;
    event.source_seq = SL_SOURCE_SEQ_NONE;
    return sl_reduce(bench->state, &event, &output);
}

static void append(sl_writer *out, const char *string)
{
    sl_write_bytes(out, string, strlen(string));
}

/* A frame with this op and payload from `source`. */
static sl_err take_frame(bench *bench, uint32_t source, sl_sysex_op op, const char *payload)
{
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&out, SL_SYSEX_BEGIN, 1);
    sl_write_le(&out, SL_SYSEX_MANUFACTURER, 1);
    sl_write_le(&out, op, 1);
    append(&out, payload);
    sl_write_le(&out, SL_SYSEX_END, 1);
    assert_false(out.bad);
    sl_event event = {.kind = SL_KIND_SYSEX, .source = source, .payload = bytes, .length = (uint32_t)out.length};
    return take(bench, event);
}

static void hear(bench *bench, uint32_t source, sl_sysex_op op, const char *payload)
{
    assert_int_equal(take_frame(bench, source, op, payload), SL_OK);
}

static void edit(bench *bench, const char *text)
{
    sl_event event = {.kind = SL_KIND_GROOVE_EDIT, .payload = (const uint8_t *)text, .length = (uint32_t)strlen(text)};
    assert_int_equal(take(bench, event), SL_OK);
}

static void assert_told(bench *bench, const char *expected)
{
    sl_text_bytes(&bench->told, "", 1);
    assert_false(bench->told.bad);
    assert_string_equal(bench->told.bytes, expected);
    sl_text_clear(&bench->told);
}

static const sl_groove *groove_of(const bench *bench)
{
    const sl_groove *groove = sl_state_groove(bench->state);
    assert_non_null(groove);
    return groove;
}

static void assert_patch(const bench *bench, const char *expected)
{
    const sl_groove *groove = groove_of(bench);
    if (strlen(expected) != groove->patch_length || memcmp(expected, groove->patch, groove->patch_length) != 0)
        fail_msg("%.*s", (int)groove->patch_length, groove->patch);
}

static void assert_selected(const bench *bench, int32_t set_list, int32_t item)
{
    assert_int_equal(groove_of(bench)->set_list, set_list);
    assert_int_equal(groove_of(bench)->item, item);
}

static const sl_node *find(const bench *bench, const char *path)
{
    return sl_tree_find_path(sl_state_tree_view(bench->state), path, strlen(path));
}

static uint32_t count_lanes(const bench *bench)
{
    return sl_node_child_count(find(bench, "grooves[0]"), SL_NODE_LANE);
}

static sl_digest digest_of(bench *bench)
{
    sl_digest whole;
    sl_state_digests(bench->state, NULL, &whole);
    return whole;
}

static sl_digest content_of(bench *bench)
{
    sl_state_digests(bench->state, NULL, NULL);
    return find(bench, "grooves[0]")->content;
}

/* FULL. */

static void test_groove_full_is_shown(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    assert_null(sl_state_groove(bench.state));
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;1;2;3;t130;vol80;cd;b2;tr3/1;rmp80/5/4;rep=3;end=1;kick:2/2s=Xx@-3~!");
    assert_told(&bench, "+ grooves[0]; + grooves[0].lanes[0]; + grooves[0].lanes[0].steps[0]; and 3 more");
    sl_text text;
    sl_text_open(&text, counted_memory_of(&bench.memory));
    sl_state_digests(bench.state, NULL, NULL);
    sl_text_attributes(&text, find(&bench, "grooves[0]"));
    sl_text_attributes(&text, find(&bench, "grooves[0].lanes[0]"));
    sl_text_attributes(&text, find(&bench, "grooves[0].lanes[0].steps[2]"));
    sl_text_bytes(&text, "", 1);
    assert_string_equal(
        text.bytes,
        "{\"bpm\":130.0,\"volume\":80.0,\"running\":true,\"set_list\":2,\"item\":3,\"patch\":"
        "\"t130;vol80;cd;b2;tr3/1;rmp80/+5/4;rep=3;end=+1;kick:2/2s=X.x.@-3~!\",\"bars\":2,\"count_in\":0,\"repeat\":3,"
        "\"end\":\"+1\",\"trainer\":\"3/1\",\"ramp\":\"80/+5/4\"}"
        "{\"sound\":\"kick\",\"groups\":\"2\",\"sub\":2,\"swing\":true,\"gain\":-3.0,\"poly\":true,\"enabled\":false}"
        "{\"level\":1}");
    sl_text_close(&text);
    teardown(&bench);
}

static void test_groove_full_that_changes_nothing_tells_nothing(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;kick:4");
    sl_text_clear(&bench.told);
    sl_digest before = content_of(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;v1;t120;kick:4=Xxxx");
    assert_told(&bench, "");
    sl_digest after = content_of(&bench);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(bench.change.what, SL_GROOVE_FULL);
    assert_false(bench.change.is_changed);
    assert_int_equal(groove_of(&bench)->changed_seq, 1);
    teardown(&bench);
}

static void test_groove_full_without_tempo_keeps_it(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t99;vol7;kick:1");
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;b2;hat:1");
    assert_patch(&bench, "t99;vol7;b2;hat:1=X");
    teardown(&bench);
}

/* Lanes matched: what stays, comes and goes. */

static void test_groove_inserted_lane_is_one_added(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:1;b:1");
    const sl_node *a = find(&bench, "grooves[0].lanes[0]"), *b = find(&bench, "grooves[0].lanes[1]");
    sl_text_clear(&bench.told);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;t120;a:1;c:1;b:1");
    assert_told(&bench, "grooves[0].patch \"t120;a:1=X;b:1=X\" -> \"t120;a:1=X;c:1=X;b:1=X\"\n"
                        "+ grooves[0].lanes[1]; + grooves[0].lanes[1].steps[0]");
    assert_ptr_equal(find(&bench, "grooves[0].lanes[0]"), a);
    assert_ptr_equal(find(&bench, "grooves[0].lanes[2]"), b);
    teardown(&bench);
}

static void test_groove_removed_lane_is_one_removed(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:1;b:1;c:1");
    const sl_node *c = find(&bench, "grooves[0].lanes[2]");
    sl_text_clear(&bench.told);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;t120;a:1;c:1");
    assert_told(&bench, "grooves[0].patch \"t120;a:1=X;b:1=X;c:1=X\" -> \"t120;a:1=X;c:1=X\"\n"
                        "- lane lane-4-5-u0-3");
    assert_ptr_equal(find(&bench, "grooves[0].lanes[1]"), c);
    teardown(&bench);
}

static void test_groove_moved_lane_is_removed_and_added(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:1;b:1;c:1");
    const sl_node *b = find(&bench, "grooves[0].lanes[1]");
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;t120;b:1;c:1;a:1");
    assert_ptr_equal(find(&bench, "grooves[0].lanes[0]"), b);
    assert_int_equal(count_lanes(&bench), 3);
    teardown(&bench);
}

static void test_groove_changed_lane_stays(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:2;b:1");
    const sl_node *a = find(&bench, "grooves[0].lanes[0]");
    sl_text_clear(&bench.told);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;t120;a:2=xx@-3;b:1");
    assert_told(&bench, "grooves[0].patch \"t120;a:2=Xx;b:1=X\" -> \"t120;a:2=xx@-3;b:1=X\"; "
                        "grooves[0].lanes[0].gain 0.0 -> -3.0; grooves[0].lanes[0].steps[0].level 2 -> 1");
    assert_ptr_equal(find(&bench, "grooves[0].lanes[0]"), a);
    teardown(&bench);
}

static void test_groove_lane_of_the_same_sound_stays(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:2");
    const sl_node *a = find(&bench, "grooves[0].lanes[0]");
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;0;0;t120;b:2;a:2=xx");
    assert_ptr_equal(find(&bench, "grooves[0].lanes[1]"), a);
    teardown(&bench);
}

static void test_groove_steps_come_and_go(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:1/2=Xx");
    sl_text_clear(&bench.told);
    edit(&bench, "lane=0/sub/3");
    assert_told(&bench, "grooves[0].patch \"t120;a:1/2=Xx\" -> \"t120;a:1/3=X..\"; grooves[0].lanes[0].sub 2 -> 3; "
                        "grooves[0].lanes[0].steps[1].level 1 -> 0; and 1 more");
    assert_true(bench.change.wants_full);
    edit(&bench, "lane=0/sub/1");
    assert_told(&bench, "- step step-0-5-u0-0; - step step-4-5-u0-3; "
                        "grooves[0].patch \"t120;a:1/3=X..\" -> \"t120;a:1=X\"; and 1 more");
    assert_int_equal(sl_node_child_count(find(&bench, "grooves[0].lanes[0]"), SL_NODE_STEP), 1);
    teardown(&bench);
}

/* DELTA. */

static void test_groove_deltas_change_one_thing(void **state)
{
    (void)state;
    static const char *const steps[][3] = {
        {"play", "t120;kick:2=Xx", "grooves[0].running false -> true"},
        {"stop", "t120;kick:2=Xx", "grooves[0].running true -> false"},
        {"stop", "t120;kick:2=Xx", ""},
        {"sel=3/9", "t120;kick:2=Xx", "grooves[0].set_list -1 -> 3; grooves[0].item -1 -> 9"},
        {"bpm=99", "t99;kick:2=Xx",
         "grooves[0].bpm 120.0 -> 99.0; grooves[0].patch \"t120;kick:2=Xx\" -> \"t99;kick:2=Xx\""},
        {"vol=7", "t99;vol7;kick:2=Xx",
         "grooves[0].volume null -> 7.0; grooves[0].patch \"t99;kick:2=Xx\" -> \"t99;vol7;kick:2=Xx\""},
        {"beat=0/1/3", "t99;vol7;kick:2=Xg",
         "grooves[0].patch \"t99;vol7;kick:2=Xx\" -> \"t99;vol7;kick:2=Xg\"; grooves[0].lanes[0].steps[1].level 1 -> "
         "3"},
        {"lane=0/sound/hat", "t99;vol7;hat:2=Xg",
         "grooves[0].patch \"t99;vol7;kick:2=Xg\" -> \"t99;vol7;hat:2=Xg\"; grooves[0].lanes[0].sound \"kick\" -> "
         "\"hat\""},
    };
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;-1;-1;t120;kick:2");
    sl_text_clear(&bench.told);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char payload[64] = {0};
        sl_writer out = {.bytes = (uint8_t *)payload, .capacity = sizeof payload - 1};
        append(&out, "e;");
        sl_write_le(&out, '1' + i, 1);
        append(&out, ";");
        append(&out, steps[i][0]);
        hear(&bench, EDITOR, SL_SYSEX_DELTA, payload);
        assert_told(&bench, steps[i][2]);
        assert_patch(&bench, steps[i][1]);
        assert_int_equal(bench.change.what, SL_GROOVE_DELTA);
        assert_int_equal(bench.change.is_changed, steps[i][2][0] != '\0');
        assert_false(bench.change.wants_full);
    }
    assert_int_equal(groove_of(&bench)->changed_source, EDITOR);
    teardown(&bench);
}

static void test_groove_delta_before_a_full_begins_with_a_beep(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;beat=0/1/3");
    assert_patch(&bench, "t120;beep:4=Xgxx");
    assert_true(groove_of(&bench)->is_known);
    teardown(&bench);
}

static void test_groove_tempo_and_volume_are_clamped(void **state)
{
    (void)state;
    static const char *const clamped[][2] = {{"bpm=4", "bpm=5"},
                                             {"bpm=301", "bpm=300"},
                                             {"bpm=-7", "bpm=5"},
                                             {"bpm=0099", "bpm=99"},
                                             {"vol=101", "vol=100"},
                                             {"vol=-1", "vol=0"},
                                             {"bpm=99999999999999999999", "bpm=300"}};
    bench bench;
    setup(&bench);
    for (size_t i = 0; i < sizeof clamped / sizeof clamped[0]; i++) {
        edit(&bench, clamped[i][0]);
        assert_string_equal(bench.evt, clamped[i][1]);
    }
    assert_patch(&bench, "t300;vol0;beep:4=Xxxx");
    teardown(&bench);
}

/* Refusals. */

static void assert_refused(bench *bench, sl_sysex_op op, const char *payload, sl_refusal refusal, size_t position)
{
    sl_digest before = content_of(bench);
    const uint64_t count = sl_state_source(bench->state, EDITOR)->refused[refusal];
    const uint32_t grooves = bench->groove_count;
    hear(bench, EDITOR, op, payload);
    sl_digest after = content_of(bench);
    assert_told(bench, sl_refusal_text(refusal));
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(sl_state_source(bench->state, EDITOR)->refused[refusal], count + 1);
    assert_int_equal(bench->groove_count, grooves);
    if (bench->position != position) fail_msg("%s: byte %u", payload, (unsigned)bench->position);
}

static void test_groove_bad_frames_change_nothing(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_FULL, "e;1;0;0;0;t120;kick:4");
    sl_text_clear(&bench.told);
    assert_refused(&bench, SL_SYSEX_FULL, "e;1;0;0;0;t120;kick:4/5", SL_REFUSAL_PATCH, 25);
    assert_string_equal(bench.detail, "a subdivision (1, 2, 3, 4 or 6)");
    assert_refused(&bench, SL_SYSEX_FULL, "e;1;0;0;0;", SL_REFUSAL_PATCH, 13);
    assert_refused(&bench, SL_SYSEX_FULL, "e;1;0;0;0", SL_REFUSAL_FIELDS, 12);
    assert_refused(&bench, SL_SYSEX_FULL, "e;1;2;0;0;t120", SL_REFUSAL_VALUE, 7);
    assert_refused(&bench, SL_SYSEX_HELLO, "\x80", SL_REFUSAL_ASCII, 3);
    assert_refused(&bench, SL_SYSEX_HELLO, "a\xF7", SL_REFUSAL_FRAME, 4);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;tempo=120", SL_REFUSAL_EVT, 7);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;", SL_REFUSAL_EVT, 7);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;PLAY", SL_REFUSAL_EVT, 7);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;play=1", SL_REFUSAL_EVT, 7);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;patch=t120", SL_REFUSAL_EVT, 7);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;bpm=", SL_REFUSAL_VALUE, 11);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;bpm=12x", SL_REFUSAL_VALUE, 13);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;bpm=1/2", SL_REFUSAL_FIELDS, 11);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;sel=1", SL_REFUSAL_FIELDS, 11);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;beat=0/0/4", SL_REFUSAL_VALUE, 16);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;beat=0/0/0/0", SL_REFUSAL_FIELDS, 12);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;lane=0/sub/5", SL_REFUSAL_VALUE, 18);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;lane=0/colour/1", SL_REFUSAL_VALUE, 14);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;lane=0/sub", SL_REFUSAL_FIELDS, 12);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;play;stop", SL_REFUSAL_FIELDS, 11);
    teardown(&bench);
}

static void test_groove_refusal_says_what_was_expected(void **state)
{
    (void)state;
    static const char expected[] = "{\"type\":\"ERROR\",\"payload\":{\"error\":\"not a patch\",\"details\":"
                                   "\"sysex from nobody, byte 25: expected a subdivision (1, 2, 3, 4 or 6)\"}";
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_FULL, "e;1;0;0;0;t120;kick:4/5");
    assert_int_equal(bench.message.length, strlen(expected));
    assert_memory_equal(bench.message.bytes, expected, strlen(expected));
    teardown(&bench);
}

static void test_groove_index_that_does_not_exist_changes_nothing(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_FULL, "e;1;0;0;0;t120;kick:4");
    sl_text_clear(&bench.told);
    static const char *const evts[] = {
        "e;2;beat=1/0/1",     "e;2;beat=0/4/1", "e;2;beat=-1/0/1", "e;2;beat=0/-1/1",
        "e;2;lane=1/swing/1", "e;2;sel=-2/0",   "e;2;sel=0/10000", "e;2;beat=99999999999999999999/0/1"};
    for (size_t i = 0; i < sizeof evts / sizeof evts[0]; i++)
        assert_refused(&bench, SL_SYSEX_DELTA, evts[i], SL_REFUSAL_INDEX, 7);
    teardown(&bench);
}

static void test_groove_nonsense_is_refused(void **state)
{
    (void)state;
    enum { NONSENSE_BYTES = 60000 };
    static uint8_t bytes[NONSENSE_BYTES];
    bench bench;
    setup(&bench);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7919 >> 3 & 0x7F);
    bytes[0] = SL_SYSEX_BEGIN;
    bytes[1] = SL_SYSEX_MANUFACTURER;
    bytes[2] = SL_SYSEX_FULL;
    bytes[sizeof bytes - 1] = SL_SYSEX_END;
    sl_event event = {.kind = SL_KIND_SYSEX, .source = EDITOR, .payload = bytes, .length = sizeof bytes};
    assert_int_equal(take(&bench, event), SL_OK);
    event.length = 0;
    assert_int_equal(take(&bench, event), SL_OK);
    assert_null(find(&bench, "grooves[0]"));
    assert_int_equal(bench.groove_count, 0);
    assert_int_equal(sl_state_source(bench.state, EDITOR)->refused[SL_REFUSAL_FRAME], 1);
    teardown(&bench);
}

/* Who is on the line. */

static bool is_armed(const bench *bench, uint32_t source)
{
    const sl_groove_peer *peer = sl_groove_peer_of(bench->state, source);
    return peer != NULL && peer->is_armed;
}

static void test_groove_peers_come_and_go(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_HELLO, "e");
    assert_int_equal(bench.change.what, SL_GROOVE_HELLO);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120");
    assert_true(is_armed(&bench, EDITOR) && is_armed(&bench, DEVICE));
    hear(&bench, EDITOR, SL_SYSEX_BYE, "e");
    assert_int_equal(bench.change.what, SL_GROOVE_BYE);
    assert_true(!is_armed(&bench, EDITOR) && is_armed(&bench, DEVICE));
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;play");
    assert_true(is_armed(&bench, EDITOR));
    hear(&bench, EDITOR, SL_SYSEX_BYE, "e");
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;2;nonsense");
    assert_false(is_armed(&bench, EDITOR));
    teardown(&bench);
}

static void name_source(bench *bench, uint32_t source, uint64_t session)
{
    uint8_t bytes[64];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_session value = {.input = SL_INPUT_SYSEX, .name = "midi:/dev/x", .name_length = 11};
    assert_int_equal(sl_session_encode(&value, &out), SL_OK);
    sl_output output = {.tell = note, .ctx = bench};
    sl_event event = {.seq = sl_state_seq(bench->state) + 1,
                      .kind = SL_KIND_SESSION,
                      .version = SL_SESSION_VERSION,
                      .source = source,
                      .session = session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bytes,
                      .length = (uint32_t)out.length};
    assert_int_equal(sl_reduce(bench->state, &event, &output), SL_OK);
}

static void test_groove_session_begins_a_connection_anew(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    name_source(&bench, EDITOR, SESSION);
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;bpm=99");
    name_source(&bench, EDITOR, SESSION);
    assert_true(is_armed(&bench, EDITOR));
    name_source(&bench, EDITOR, SESSION + 1);
    assert_false(is_armed(&bench, EDITOR));
    assert_string_equal(sl_state_source(bench.state, EDITOR)->name, "midi:/dev/x");
    teardown(&bench);
}

static void take_start(bench *bench, int64_t wall_ns)
{
    uint8_t bytes[64];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_start start = {.wall_ns = wall_ns, .program = "", .options = ""};
    assert_int_equal(sl_start_encode(&start, &out), SL_OK);
    sl_event event = {.kind = SL_KIND_START, .payload = bytes, .length = (uint32_t)out.length};
    assert_int_equal(take(bench, event), SL_OK);
}

static void test_groove_start_disarms_all(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_HELLO, "e");
    take_start(&bench, 1);
    assert_false(is_armed(&bench, EDITOR));
    assert_int_equal(groove_of(&bench)->peer_count, 0);
    teardown(&bench);
}

static void test_groove_peers_are_forgotten_with_their_sources(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    for (uint32_t source = 1; source <= 3 * SL_SOURCES_MAX; source++) hear(&bench, source, SL_SYSEX_HELLO, "e");
    assert_true(groove_of(&bench)->peer_count <= SL_SOURCES_MAX);
    assert_null(sl_groove_peer_of(bench.state, 1));
    assert_true(is_armed(&bench, 3 * SL_SOURCES_MAX));
    teardown(&bench);
}

/* Echoes and duplicates. */

static void test_groove_own_origin_is_dropped(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    take_start(&bench, 77);
    char payload[32] = {0};
    sl_groove_origin(bench.state, payload);
    assert_int_equal(payload[0], 's');
    assert_int_equal(strlen(payload), SL_GROOVE_ORIGIN_BYTES);
    sl_writer out = {.bytes = (uint8_t *)payload, .capacity = sizeof payload - 1, .length = SL_GROOVE_ORIGIN_BYTES};
    append(&out, ";1;bpm=99");
    hear(&bench, EDITOR, SL_SYSEX_DELTA, payload);
    assert_int_equal(bench.change.what, SL_GROOVE_ECHO);
    assert_false(is_armed(&bench, EDITOR) || groove_of(&bench)->is_known);
    char other[SL_GROOVE_ORIGIN_BYTES];
    take_start(&bench, 78);
    sl_groove_origin(bench.state, other);
    assert_memory_not_equal(other, payload, sizeof other);
    teardown(&bench);
}

static void test_groove_duplicates_are_dropped(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;bpm=99");
    hear(&bench, DEVICE, SL_SYSEX_DELTA, "d;1;bpm=100");
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;bpm=99");
    assert_int_equal(bench.change.what, SL_GROOVE_DUPLICATE);
    assert_patch(&bench, "t100;beep:4=Xxxx");
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;2;bpm=99");
    assert_patch(&bench, "t99;beep:4=Xxxx");
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "f;2;bpm=98"); /* another origin */
    assert_patch(&bench, "t98;beep:4=Xxxx");
    hear(&bench, EDITOR, SL_SYSEX_HELLO, "f"); /* which begins anew */
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "f;2;bpm=97");
    assert_patch(&bench, "t97;beep:4=Xxxx");
    teardown(&bench);
}

/* Other frames. */

static void test_groove_version_names_the_device(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_VERSION, "X;0.0.23");
    assert_string_equal(groove_of(&bench)->device_id, "X");
    assert_int_equal(groove_of(&bench)->device_seq, 1);
    assert_int_equal(groove_of(&bench)->device_source, DEVICE);
    assert_false(groove_of(&bench)->is_known);
    assert_int_equal(bench.change.what, SL_GROOVE_OTHER);
    assert_int_equal(bench.change.op, SL_SYSEX_VERSION);
    assert_told(&bench, "+ grooves[0]; + grooves[0].lanes[0]; + grooves[0].lanes[0].steps[0]; and 3 more");
    hear(&bench, DEVICE, SL_SYSEX_VERSION, "0.0.22");
    assert_told(&bench, "grooves[0].device_id \"X\" -> \"K\"");
    teardown(&bench);
}

static void test_groove_other_frames_are_only_told_of(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, EDITOR, SL_SYSEX_FIRMWARE_FIRST, "\x01\x02");
    assert_int_equal(bench.change.what, SL_GROOVE_OTHER);
    assert_int_equal(bench.change.op, SL_SYSEX_FIRMWARE_FIRST);
    sl_event event = {.kind = SL_KIND_SYSEX, .source = 3, .payload = (const uint8_t *)"\xF0\x7E\x01\xF7", .length = 4};
    assert_int_equal(take(&bench, event), SL_OK);
    assert_int_equal(bench.change.op, 0);
    assert_null(sl_state_groove(bench.state));
    assert_told(&bench, "");
    teardown(&bench);
}

/* Edits of clients. */

static void test_groove_edit_says_how_to_tell_it(void **state)
{
    (void)state;
    static const struct {
        const char *edit;
        const char *evt;
        bool is_changed;
        bool wants_full;
    } steps[] = {
        {"play", "play", true, false},        {"play", "play", false, false},
        {"bpm=500", "bpm=300", true, false},  {"vol=50", "vol=50", true, false},
        {"sel=1/02", "sel=1/2", true, false}, {"beat=0/00/3", "beat=0/0/3", true, false},
        {"lane=0/poly/1", "", true, true},    {"lane=0/poly/1", "", false, false},
        {"patch=kick:4", "", true, true},     {"patch=kick:4=Xxxx", "", false, false},
    };
    bench bench;
    setup(&bench);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        edit(&bench, steps[i].edit);
        assert_int_equal(bench.groove_count, i + 1);
        assert_int_equal(bench.change.what, SL_GROOVE_EDIT);
        assert_string_equal(bench.evt, steps[i].evt);
        assert_int_equal(bench.change.is_changed, steps[i].is_changed);
        assert_int_equal(bench.change.wants_full, steps[i].wants_full);
    }
    assert_patch(&bench, "t300;vol50;kick:4=Xxxx");
    teardown(&bench);
}

static void test_groove_edit_refused_says_where(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    edit(&bench, "patch=t120;kick:4/5");
    assert_told(&bench, "not a patch");
    assert_int_equal(bench.position, 18);
    edit(&bench, "");
    assert_told(&bench, "unknown evt");
    teardown(&bench);
}

static void assert_check(const bench *bench, const char *text, sl_refusal refusal, size_t position)
{
    counted_memory memory = {0};
    const char *detail = NULL;
    size_t found = 0;
    assert_int_equal(
        sl_groove_check_edit(bench->state, counted_memory_of(&memory), text, strlen(text), &detail, &found), refusal);
    assert_int_equal(found, position);
    assert_int_equal(memory.size_bytes, 0);
    assert_true(refusal == SL_REFUSAL_NONE || detail != NULL);
}

static void test_groove_edit_can_be_checked_before(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    assert_check(&bench, "beat=0/3/1", SL_REFUSAL_NONE, 0);
    assert_check(&bench, "beat=0/4/1", SL_REFUSAL_INDEX, 0);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;kick:8");
    sl_digest before = digest_of(&bench);
    assert_check(&bench, "beat=0/4/1", SL_REFUSAL_NONE, 0);
    assert_check(&bench, "patch=t120;;", SL_REFUSAL_PATCH, 11);
    sl_digest after = digest_of(&bench);
    assert_memory_equal(&before, &after, sizeof before);
    teardown(&bench);
}

/* Set lists. */

static sl_err put_lists(bench *bench, bool is_more)
{
    uint8_t bytes[512];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    sl_setlists_encode_begin(is_more ? 3 : 2, &out);
    sl_setlists_encode_list("Styles", 6, 2, &out);
    sl_setlists_encode_item("Rock", 4, "kick:4=x.x.", 11, &out);
    sl_setlists_encode_item("Bad", 3, "kick:", 5, &out);
    sl_setlists_encode_list("Song", 4, 1, &out);
    sl_setlists_encode_item("A", 1, "t70;b2;hat:1", 12, &out);
    if (is_more) sl_setlists_encode_list("More", 4, 0, &out);
    assert_false(out.bad);
    sl_event event = {.kind = SL_KIND_SETLISTS, .payload = bytes, .length = (uint32_t)out.length};
    return take(bench, event);
}

static void setup_lists(bench *bench)
{
    setup(bench);
    assert_int_equal(put_lists(bench, false), SL_OK);
}

static void assert_title(const bench *bench, const char *expected)
{
    assert_int_equal(groove_of(bench)->title_length, strlen(expected));
    assert_memory_equal(groove_of(bench)->title, expected, strlen(expected));
}

static void test_groove_selection_loads_the_item(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    assert_null(find(&bench, "grooves[0]"));
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;sel=1/0");
    assert_patch(&bench, "t70;b2;hat:1=X");
    assert_title(&bench, "A");
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;2;sel=0/0");
    assert_patch(&bench, "t70;kick:4=x.x."); /* its tempo is nobody's but the groove's */
    assert_selected(&bench, 0, 0);
    assert_title(&bench, "Rock");
    teardown(&bench);
}

static void test_groove_selection_of_nothing_is_refused(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;1;sel=1/0");
    sl_text_clear(&bench.told);
    static const char *const evts[] = {"e;2;sel=0/2", "e;2;sel=2/0", "e;2;sel=9/0", "e;2;sel=-1/-1"};
    for (size_t i = 0; i < sizeof evts / sizeof evts[0]; i++)
        assert_refused(&bench, SL_SYSEX_DELTA, evts[i], SL_REFUSAL_INDEX, 7);
    assert_refused(&bench, SL_SYSEX_DELTA, "e;2;sel=0/1", SL_REFUSAL_PATCH, 12);
    teardown(&bench);
}

static void test_groove_edit_of_a_built_in_item_goes_into_a_copy(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    edit(&bench, "sel=0/0");
    edit(&bench, "bpm=99");
    assert_selected(&bench, 0, 0); /* tempo, volume and transport are no edits of the item */
    edit(&bench, "beat=0/0/1");
    assert_selected(&bench, 0, 0); /* changed nothing */
    edit(&bench, "beat=0/1/3");
    assert_true(bench.change.wants_full);
    assert_selected(&bench, 2, 0);
    assert_title(&bench, "Rock");
    edit(&bench, "beat=0/3/3");
    assert_false(bench.change.wants_full);
    assert_selected(&bench, 2, 0); /* it is a copy already */
    edit(&bench, "sel=0/0");
    assert_patch(&bench, "t99;kick:4=x.x.");
    edit(&bench, "sel=2/0");
    assert_patch(&bench, "t99;kick:4=xgxg");
    const char *title;
    size_t length;
    uint32_t count;
    assert_int_equal(sl_groove_list_at(bench.state, 2, &title, &length, &count), SL_OK);
    assert_memory_equal(title, "My edits", 8);
    assert_int_equal(count, 1);
    teardown(&bench);
}

static void test_groove_delta_of_a_peer_copies_too(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    hear(&bench, DEVICE, SL_SYSEX_DELTA, "d;1;sel=0/0");
    hear(&bench, DEVICE, SL_SYSEX_DELTA, "d;2;lane=0/poly/1");
    assert_selected(&bench, 2, 0);
    assert_true(bench.change.wants_full);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;3;0;2;0;t120;kick:4=x.x.~"); /* it did the same */
    assert_false(bench.change.is_changed);
    teardown(&bench);
}

static void test_groove_full_is_taken_at_its_word(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;kick:4");
    assert_selected(&bench, 0, 0);
    assert_int_equal(groove_of(&bench)->edit_count, 0);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;2;0;2;0;t120;kick:3"); /* the next free item of "My edits" */
    assert_int_equal(groove_of(&bench)->edit_count, 1);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;3;0;2;0;t120;kick:2");
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;4;0;2;5;t120;kick:1");
    assert_int_equal(groove_of(&bench)->edit_count, 1);
    sl_groove_item item;
    assert_int_equal(sl_groove_item_at(bench.state, 2, 0, &item), SL_OK);
    assert_memory_equal(item.patch, "t120;kick:2=Xx", item.patch_length);
    assert_int_equal(sl_groove_item_at(bench.state, 2, 1, &item), SL_ERR_NOT_FOUND);
    assert_int_equal(sl_groove_item_at(bench.state, 1, 0, &item), SL_OK);
    assert_memory_equal(item.name, "A", item.name_length);
    teardown(&bench);
}

static void test_groove_my_edits_stand_behind_the_lists(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    edit(&bench, "sel=0/0");
    edit(&bench, "lane=0/poly/1");
    assert_selected(&bench, 2, 0);
    sl_text_clear(&bench.told);
    assert_int_equal(put_lists(&bench, true), SL_OK);
    assert_selected(&bench, 3, 0);
    assert_told(&bench, "grooves[0].set_list 2 -> 3");
    assert_true(bench.change.wants_full);
    assert_title(&bench, "Rock");
    teardown(&bench);
}

static void test_groove_my_edits_have_bounds(void **state)
{
    (void)state;
    bench bench;
    setup_lists(&bench);
    for (int i = 0; i < 1030; i++) {
        edit(&bench, "sel=0/0");
        edit(&bench, "lane=0/poly/1");
    }
    assert_int_equal(groove_of(&bench)->edit_count, 1024);
    assert_selected(&bench, -1, -1);
    assert_patch(&bench, "t120;kick:4=x.x.~");
    teardown(&bench);
}

static void test_groove_setlists_malformed(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    sl_event event = {.kind = SL_KIND_SETLISTS, .payload = (const uint8_t *)"\x01\0\0\0", .length = 4};
    assert_int_equal(take(&bench, event), SL_OK);
    assert_told(&bench, "malformed payload");
    assert_null(sl_state_groove(bench.state));
    teardown(&bench);
}

/* What symlog says. */

static void assert_frame(const sl_writer *out, const char *origin, const char *head, const char *tail)
{
    uint8_t expected[128];
    sl_writer wanted = {.bytes = expected, .capacity = sizeof expected};
    append(&wanted, head);
    append(&wanted, origin);
    append(&wanted, tail);
    assert_int_equal(out->length, wanted.length);
    assert_memory_equal(out->bytes, expected, out->length);
}

static void test_groove_frames_say_the_groove(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    uint8_t bytes[128];
    char origin[SL_GROOVE_ORIGIN_BYTES + 1] = {0};
    sl_groove_origin(bench.state, origin);
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_groove_write_full(bench.state, 1, &out), SL_OK);
    assert_frame(&out, origin, "\xF0\x7D\x41", ";1;0;-1;-1;t120;beep:4=Xxxx\xF7");
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;1;0;3;t99;kick:1");
    out.length = 0;
    assert_int_equal(sl_groove_write_full(bench.state, 2, &out), SL_OK);
    assert_frame(&out, origin, "\xF0\x7D\x41", ";2;1;0;3;t99;kick:1=X\xF7");
    out.length = 0;
    assert_int_equal(sl_groove_write_delta(bench.state, 3, "play", 4, &out), SL_OK);
    assert_frame(&out, origin, "\xF0\x7D\x42", ";3;play\xF7");
    out.length = 0;
    assert_int_equal(sl_groove_write_hello(bench.state, &out), SL_OK);
    assert_frame(&out, origin, "\xF0\x7D\x40", "\xF7");
    out.length = 0;
    assert_int_equal(sl_groove_write_bye(bench.state, &out), SL_OK);
    assert_frame(&out, origin, "\xF0\x7D\x43", "\xF7");
    out.capacity = out.length;
    assert_int_equal(sl_groove_write_bye(bench.state, &out), SL_ERR_FULL);
    teardown(&bench);
}

static void test_groove_own_numbers_are_kept(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    for (uint64_t seq = 9; seq > 7; seq--) {
        uint8_t bytes[128], payload[160];
        sl_writer frame = {.bytes = bytes, .capacity = sizeof bytes};
        assert_int_equal(sl_groove_write_full(bench.state, seq, &frame), SL_OK);
        sl_writer out = {.bytes = payload, .capacity = sizeof payload};
        sl_sysex_sent sent = {.to = DEVICE, .frame = bytes, .frame_length = frame.length};
        assert_int_equal(sl_sysex_sent_encode(&sent, &out), SL_OK);
        sl_event event = {.kind = SL_KIND_SYSEX_SENT, .payload = payload, .length = (uint32_t)out.length};
        assert_int_equal(take(&bench, event), SL_OK);
    }
    assert_int_equal(groove_of(&bench)->own_seq, 9);
    assert_false(groove_of(&bench)->is_known);
    assert_null(find(&bench, "grooves[0]"));
    teardown(&bench);
}

/* The whole state. */

/* All that a groove can have. */
static sl_err play_all(bench *bench)
{
    static const char *const edits[] = {"sel=0/0", "beat=0/1/3", "lane=0/sub/4", "lane=0/sub/1", "patch=zz;a:1;b:2/2"};
    sl_err err = put_lists(bench, false);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0] && err == SL_OK; i++) {
        sl_event event = {
            .kind = SL_KIND_GROOVE_EDIT, .payload = (const uint8_t *)edits[i], .length = (uint32_t)strlen(edits[i])};
        err = take(bench, event);
    }
    if (err == SL_OK) err = take_frame(bench, DEVICE, SL_SYSEX_VERSION, "K;1");
    if (err == SL_OK) err = take_frame(bench, EDITOR, SL_SYSEX_DELTA, "e;7;play");
    if (err == SL_OK) err = take_frame(bench, DEVICE, SL_SYSEX_FULL, "d;3;1;2;0;t90;vol7;b:2/2;c:1;a:1=g");
    if (err == SL_OK) err = take_frame(bench, EDITOR, SL_SYSEX_DELTA, "e;8;lane=9/sub/1");
    return err;
}

static sl_state *reload(bench *bench)
{
    sl_text saved;
    sl_state *loaded;
    sl_text_open(&saved, counted_memory_of(&bench->memory));
    assert_int_equal(sl_state_save(bench->state, &saved), SL_OK);
    assert_int_equal(
        sl_state_load((const uint8_t *)saved.bytes, saved.length, counted_memory_of(&bench->memory), &loaded), SL_OK);
    for (size_t length = 0; length < saved.length; length++) {
        sl_state *none;
        if (sl_state_load((const uint8_t *)saved.bytes, length, counted_memory_of(&bench->memory), &none) == SL_OK)
            fail_msg("loaded of %u bytes", (unsigned)length);
    }
    sl_text_close(&saved);
    return loaded;
}

static void test_groove_is_saved_and_goes_on(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    assert_int_equal(play_all(&bench), SL_OK);
    sl_digest before = digest_of(&bench);
    sl_state *first = bench.state, *loaded = reload(&bench);
    bench.state = loaded;
    sl_digest after = digest_of(&bench);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(groove_of(&bench)->edit_count, 1);
    assert_title(&bench, "Rock");
    for (int i = 0; i < 2; i++) {
        bench.state = i == 0 ? first : loaded;
        edit(&bench, "sel=0/0");
        hear(&bench, EDITOR, SL_SYSEX_DELTA, "e;7;stop"); /* a duplicate still */
        edit(&bench, "beat=0/1/3");
        hear(&bench, EDITOR, SL_SYSEX_FULL, "e;8;1;2;0;t90;vol7;b:2/2;q:1;a:1=g");
    }
    after = digest_of(&bench);
    sl_state_destroy(loaded);
    bench.state = first;
    before = digest_of(&bench);
    assert_memory_equal(&before, &after, sizeof before);
    teardown(&bench);
}

static void test_groove_is_in_no_state_that_has_none(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    name_source(&bench, EDITOR, SESSION);
    sl_text saved;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    assert_int_equal(sl_get_le((const uint8_t *)saved.bytes, 4), SL_STATE_CODEC_VERSION);
    sl_text_clear(&saved);
    hear(&bench, EDITOR, SL_SYSEX_HELLO, "e");
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    assert_int_equal(sl_get_le((const uint8_t *)saved.bytes, 4), SL_STATE_CODEC_VERSION + SL_STATE_CODEC_GROOVE);
    sl_text_close(&saved);
    teardown(&bench);
}

static void test_groove_is_in_the_state_digest(void **state)
{
    (void)state;
    bench one, other;
    setup(&one);
    setup(&other);
    hear(&one, EDITOR, SL_SYSEX_HELLO, "e");
    hear(&other, EDITOR, SL_SYSEX_HELLO, "f");
    sl_digest a = digest_of(&one), b = digest_of(&other);
    assert_memory_not_equal(&a, &b, sizeof a);
    teardown(&one);
    teardown(&other);
}

/* Golden: on every CPU, and until SL_REDUCER_VERSION is raised. */
static void test_groove_digest_is_what_it_was(void **state)
{
    (void)state;
    bench bench;
    char hex[SL_DIGEST_HEX + 1];
    setup(&bench);
    assert_int_equal(play_all(&bench), SL_OK);
    sl_digest_hex(digest_of(&bench), hex);
    assert_string_equal(hex, "17f3f4ff26ed275d4a710fd192e2bacf");
    teardown(&bench);
}

static void test_groove_outlives_a_picture(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    hear(&bench, DEVICE, SL_SYSEX_FULL, "d;1;0;0;0;t120;a:1;b:2");
    sl_text saved;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    for (int i = 0; i < 2; i++) {
        sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
        sl_picture_writer picture;
        sl_picture_begin(&picture, &out);
        sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "", 0);
        sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "step-4-5-u0-1", 13); /* an id of the groove's */
        sl_picture_node(&picture, SL_NODE_GROOVE, 1, 0, i == 0 ? "other" : "groove-4-5-u0-0", i == 0 ? 5 : 15);
        sl_picture_end(&picture);
        assert_false(out.bad);
        sl_digest before = content_of(&bench);
        sl_event event = {.kind = SL_KIND_PICTURE, .payload = bytes, .length = (uint32_t)out.length};
        assert_int_equal(take(&bench, event), SL_OK);
        sl_digest after = content_of(&bench);
        assert_memory_equal(&before, &after, sizeof before);
        const sl_node *project = sl_tree_project(sl_state_tree_view(bench.state));
        assert_int_equal(sl_node_child_count(project, SL_NODE_GROOVE), i == 0 ? 2 : 1);
    }
    hear(&bench, DEVICE, SL_SYSEX_DELTA, "d;2;beat=1/1/3");
    assert_patch(&bench, "t120;a:1=X;b:2=Xg");
    assert_int_equal(sl_node_value(find(&bench, "grooves[0].lanes[1].steps[1]"), SL_ATTRIBUTE_LEVEL).as.integer, 3);
    sl_text_close(&saved);
    teardown(&bench);
}

static void test_groove_mirrors_agree(void **state)
{
    (void)state;
    bench one, other;
    setup(&one);
    setup(&other);
    take_start(&one, 1);
    take_start(&other, 2);
    assert_int_equal(play_all(&one), SL_OK);
    static uint8_t bytes[SL_SYSEX_FRAME_BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_groove_write_full(one.state, 1, &out), SL_OK);
    sl_event event = {.kind = SL_KIND_SYSEX, .source = DEVICE, .payload = bytes, .length = (uint32_t)out.length};
    hear(&other, DEVICE, SL_SYSEX_VERSION, "K;1");
    assert_int_equal(take(&other, event), SL_OK);
    sl_digest a = content_of(&one), b = content_of(&other);
    assert_memory_equal(&a, &b, sizeof a);
    teardown(&one);
    teardown(&other);
}

static void test_groove_memory_may_run_out_anywhere(void **state)
{
    (void)state;
    sl_err err = SL_ERR_MEMORY;
    for (uint64_t fail_at = 1; err != SL_OK; fail_at++) {
        bench bench = {.memory = {.fail_at = fail_at}};
        sl_text_open(&bench.told, counted_memory_of(&bench.memory));
        sl_text_open(&bench.message, counted_memory_of(&bench.memory));
        err = sl_state_create(counted_memory_of(&bench.memory), &bench.state);
        if (err == SL_OK) err = play_all(&bench);
        assert_true(err == SL_OK || err == SL_ERR_MEMORY);
        teardown(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groove_full_is_shown),
        cmocka_unit_test(test_groove_full_that_changes_nothing_tells_nothing),
        cmocka_unit_test(test_groove_full_without_tempo_keeps_it),
        cmocka_unit_test(test_groove_inserted_lane_is_one_added),
        cmocka_unit_test(test_groove_removed_lane_is_one_removed),
        cmocka_unit_test(test_groove_moved_lane_is_removed_and_added),
        cmocka_unit_test(test_groove_changed_lane_stays),
        cmocka_unit_test(test_groove_lane_of_the_same_sound_stays),
        cmocka_unit_test(test_groove_steps_come_and_go),
        cmocka_unit_test(test_groove_deltas_change_one_thing),
        cmocka_unit_test(test_groove_delta_before_a_full_begins_with_a_beep),
        cmocka_unit_test(test_groove_tempo_and_volume_are_clamped),
        cmocka_unit_test(test_groove_bad_frames_change_nothing),
        cmocka_unit_test(test_groove_refusal_says_what_was_expected),
        cmocka_unit_test(test_groove_index_that_does_not_exist_changes_nothing),
        cmocka_unit_test(test_groove_nonsense_is_refused),
        cmocka_unit_test(test_groove_peers_come_and_go),
        cmocka_unit_test(test_groove_session_begins_a_connection_anew),
        cmocka_unit_test(test_groove_start_disarms_all),
        cmocka_unit_test(test_groove_peers_are_forgotten_with_their_sources),
        cmocka_unit_test(test_groove_own_origin_is_dropped),
        cmocka_unit_test(test_groove_duplicates_are_dropped),
        cmocka_unit_test(test_groove_version_names_the_device),
        cmocka_unit_test(test_groove_other_frames_are_only_told_of),
        cmocka_unit_test(test_groove_edit_says_how_to_tell_it),
        cmocka_unit_test(test_groove_edit_refused_says_where),
        cmocka_unit_test(test_groove_edit_can_be_checked_before),
        cmocka_unit_test(test_groove_selection_loads_the_item),
        cmocka_unit_test(test_groove_selection_of_nothing_is_refused),
        cmocka_unit_test(test_groove_edit_of_a_built_in_item_goes_into_a_copy),
        cmocka_unit_test(test_groove_delta_of_a_peer_copies_too),
        cmocka_unit_test(test_groove_full_is_taken_at_its_word),
        cmocka_unit_test(test_groove_my_edits_stand_behind_the_lists),
        cmocka_unit_test(test_groove_my_edits_have_bounds),
        cmocka_unit_test(test_groove_setlists_malformed),
        cmocka_unit_test(test_groove_frames_say_the_groove),
        cmocka_unit_test(test_groove_own_numbers_are_kept),
        cmocka_unit_test(test_groove_is_saved_and_goes_on),
        cmocka_unit_test(test_groove_is_in_no_state_that_has_none),
        cmocka_unit_test(test_groove_is_in_the_state_digest),
        cmocka_unit_test(test_groove_digest_is_what_it_was),
        cmocka_unit_test(test_groove_outlives_a_picture),
        cmocka_unit_test(test_groove_mirrors_agree),
        cmocka_unit_test(test_groove_memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
