/* JSON to a picture: what is read, and every rule by which it is refused. */
#include "ingest/snapshot.h"

#include "core/picture.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_BYTES = 256 };

#define IN_PROJECT(children) "{\"node_type\":\"project\",\"attributes\":{},\"children\":[" children "]}"
#define WITH(type, attributes) IN_PROJECT("{\"node_type\":\"" type "\",\"attributes\":{" attributes "}}")

static sl_tree *build(const char *json)
{
    uint8_t *payload;
    size_t length;
    char reason[REASON_BYTES];
    static counted_memory memory;
    sl_tree *tree;
    sl_picture_error error;
    if (sl_snapshot_picture(json, strlen(json), &payload, &length, reason) != SL_OK) fail_msg("%s", reason);
    assert_int_equal(sl_tree_create(counted_memory_of(&memory), &tree), SL_OK);
    assert_int_equal(sl_picture_build(payload, length, "test", tree, &error), SL_OK);
    free(payload);
    return tree;
}

static void assert_refused(const char *json, sl_err err, const char *expected)
{
    uint8_t *payload;
    size_t length;
    char reason[REASON_BYTES] = "";
    assert_int_equal(sl_snapshot_picture(json, strlen(json), &payload, &length, reason), err);
    assert_string_equal(reason, expected);
    assert_null(payload);
}

static void assert_text(sl_value value, uint8_t type, const char *expected)
{
    assert_int_equal(value.type, type);
    assert_int_equal(value.length, strlen(expected));
    assert_memory_equal(value.as.text, expected, value.length);
}

static void test_snapshot_picture_reads_a_whole_tree(void **state)
{
    (void)state;
    sl_tree *tree =
        build("{\"node_type\":\"project\",\"id\":\"live\",\"hash\":\"00\",\"attributes\":{\"tempo\":120},\"children\":["
              "{\"node_type\":\"scene\",\"id\":\"s0\",\"attributes\":{\"name\":\"Intro\",\"index\":0}},"
              "{\"node_type\":\"scene\",\"attributes\":{\"name\":\"Outro\"}},"
              "{\"node_type\":\"track\",\"id\":\"t0\",\"attributes\":{\"name\":\"Bass\",\"color\":3.0,\"volume\":0.5,"
              "\"is_muted\":true,\"is_soloed\":null},\"children\":["
              "{\"node_type\":\"mixer\",\"attributes\":{\"sends\":[{\"index\":0, \"level\":0.5}]}},"
              "{\"node_type\":\"clip_slot\",\"attributes\":{\"scene_index\":1,\"has_clip\":true},\"children\":["
              "{\"node_type\":\"clip\",\"attributes\":{\"name\":\"Riff\"}}]}]}]}");
    const sl_node *project = sl_tree_project(tree);
    const sl_node *track = sl_node_child(project, SL_NODE_TRACK, 0);
    assert_int_equal(sl_tree_node_count(tree), 7);
    assert_memory_equal(project->id, "project", project->id_length);
    assert_int_equal(sl_node_value(project, SL_ATTRIBUTE_TEMPO).type, SL_VALUE_FLOAT);
    assert_true(sl_node_value(project, SL_ATTRIBUTE_TEMPO).as.number == 120.0);
    assert_int_equal(sl_node_child_count(project, SL_NODE_SCENE), 2);
    assert_ptr_equal(sl_tree_find(tree, "t0", 2), track);
    assert_text(sl_node_value(track, SL_ATTRIBUTE_NAME), SL_VALUE_TEXT, "Bass");
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_COLOR).type, SL_VALUE_INT);
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_COLOR).as.integer, 3);
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_IS_MUTED).as.integer, 1);
    assert_in_range(sl_node_value(track, SL_ATTRIBUTE_IS_SOLOED).type, SL_VALUE_ABSENT, SL_VALUE_NULL);
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_IS_ARMED).type, SL_VALUE_ABSENT);
    const sl_node *mixer = sl_node_child(track, SL_NODE_MIXER, 0);
    assert_text(sl_node_value(mixer, SL_ATTRIBUTE_SENDS), SL_VALUE_JSON, "[{\"index\":0,\"level\":0.5}]");
    assert_null(sl_node_child(track, SL_NODE_CLIP_SLOT, 0));
    const sl_node *slot = sl_node_child(track, SL_NODE_CLIP_SLOT, 1);
    const sl_node *clip = sl_node_child(slot, SL_NODE_CLIP, 0);
    assert_text(sl_node_value(clip, SL_ATTRIBUTE_NAME), SL_VALUE_TEXT, "Riff");
    sl_tree_destroy(tree);
}

static void test_snapshot_picture_passes_over_unknown_attributes(void **state)
{
    (void)state;
    sl_tree *tree = build(WITH("track", "\"flavour\":[1],\"tempo\":\"of another type of node\",\"index\":\"x\""));
    assert_int_equal(sl_tree_node_count(tree), 2);
    sl_tree_destroy(tree);
}

static void test_snapshot_picture_keeps_text_up_to_its_first_nul(void **state)
{
    (void)state;
    sl_tree *tree = build(WITH("track", "\"name\":\"Bass\\u0000Line\""));
    const sl_node *track = sl_node_child(sl_tree_project(tree), SL_NODE_TRACK, 0);
    assert_text(sl_node_value(track, SL_ATTRIBUTE_NAME), SL_VALUE_TEXT, "Bass");
    sl_tree_destroy(tree);
}

static void test_snapshot_picture_grows_with_the_tree(void **state)
{
    (void)state;
    enum { TRACKS = 20000 };
    const char track[] = "{\"node_type\":\"track\",\"attributes\":{\"name\":\"a name of some length\"}},";
    char *json = malloc(TRACKS * sizeof track + 100);
    char *end = json + sprintf(json, "{\"node_type\":\"project\",\"children\":[");
    for (int i = 0; i < TRACKS; i++) end += sprintf(end, "%s", track);
    memcpy(end - 1, "]}", 3);
    sl_tree *tree = build(json);
    assert_int_equal(sl_tree_node_count(tree), TRACKS + 1);
    sl_tree_destroy(tree);
    free(json);
}

typedef struct refusal {
    const char *json;
    const char *reason;
} refusal;

static const refusal refusals[] = {
    {"[]", "node 0 (unknown): it is not an object"},
    {"{}", "node 0 (unknown): node_type is missing or not a text"},
    {"{\"node_type\":\"track\"}", "node 0 (track): the first node must be the project"},
    {IN_PROJECT("{\"node_type\":\"riff\"}"), "node 1 (unknown): riff is no node_type"},
    {IN_PROJECT("{\"node_type\":7}"), "node 1 (unknown): node_type is missing or not a text"},
    {IN_PROJECT("7"), "node 1 (unknown): it is not an object"},
    {IN_PROJECT("{\"node_type\":\"track\",\"attributes\":[]}"), "node 1 (track): attributes is not an object"},
    {IN_PROJECT("{\"node_type\":\"track\",\"children\":{}}"), "node 1 (track): children is not a list"},
    {IN_PROJECT("{\"node_type\":\"track\",\"id\":\"\"}"), "node 1 (track): id is not a text of 1 to 95 bytes"},
    {IN_PROJECT("{\"node_type\":\"track\",\"id\":7}"), "node 1 (track): id is not a text of 1 to 95 bytes"},
    {IN_PROJECT("{\"node_type\":\"track\",\"id\":\"a\"},{\"node_type\":\"track\",\"id\":\"a\"}"),
     "node 2: a duplicate id"},
    {IN_PROJECT("{\"node_type\":\"track\",\"id\":\"project\"}"), "node 1: a duplicate id"},
    {IN_PROJECT("{\"node_type\":\"clip\"}"), "node 1: a child where it may not stand"},
    {IN_PROJECT("{\"node_type\":\"project\"}"), "node 1: a child where it may not stand"},
    {WITH("track", "\"name\":7"), "node 1 (track): name has a value of the wrong type"},
    {WITH("track", "\"color\":1.5"), "node 1 (track): color has a value of the wrong type"},
    {WITH("track", "\"color\":1e300"), "node 1 (track): color has a value of the wrong type"},
    {WITH("track", "\"color\":true"), "node 1 (track): color has a value of the wrong type"},
    {WITH("track", "\"volume\":\"loud\""), "node 1 (track): volume has a value of the wrong type"},
    {WITH("track", "\"volume\":false"), "node 1 (track): volume has a value of the wrong type"},
    {WITH("track", "\"is_muted\":1"), "node 1 (track): is_muted has a value of the wrong type"},
};

static void test_snapshot_picture_refuses_what_is_against_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        assert_refused(refusals[i].json, SL_ERR_REFUSED, refusals[i].reason);
}

#define SLOT(attributes) "{\"node_type\":\"clip_slot\",\"attributes\":{" attributes "}}"
#define SLOTS(slots) IN_PROJECT("{\"node_type\":\"scene\"},{\"node_type\":\"track\",\"children\":[" slots "]}")

static const refusal slot_refusals[] = {
    {SLOTS(SLOT("")), "node 3 (clip_slot): scene_index is not a whole number"},
    {SLOTS(SLOT("\"scene_index\":null")), "node 3 (clip_slot): scene_index is not a whole number"},
    {SLOTS(SLOT("\"scene_index\":0.5")), "node 3 (clip_slot): scene_index is not a whole number"},
    {SLOTS(SLOT("\"scene_index\":-1")), "node 3 (clip_slot): scene_index is that of no scene"},
    {SLOTS(SLOT("\"scene_index\":99999999")), "node 3 (clip_slot): scene_index is that of no scene"},
    {SLOTS(SLOT("\"scene_index\":1")), "node 4: a clip_slot whose scene does not exist"},
    {SLOTS(SLOT("\"scene_index\":0") "," SLOT("\"scene_index\":0")), "node 4: two clip_slots of one scene"},
};

static void test_snapshot_picture_refuses_slots_out_of_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof slot_refusals / sizeof slot_refusals[0]; i++)
        assert_refused(slot_refusals[i].json, SL_ERR_REFUSED, slot_refusals[i].reason);
}

static void test_snapshot_picture_takes_an_id_of_95_bytes_and_no_more(void **state)
{
    (void)state;
    char json[256];
    char id[97];
    memset(id, 'x', 96);
    id[95] = '\0';
    snprintf(json, sizeof json, IN_PROJECT("{\"node_type\":\"track\",\"id\":\"%s\"}"), id);
    sl_tree *tree = build(json);
    assert_non_null(sl_tree_find(tree, id, 95));
    sl_tree_destroy(tree);
    id[95] = 'x';
    id[96] = '\0';
    snprintf(json, sizeof json, IN_PROJECT("{\"node_type\":\"track\",\"id\":\"%s\"}"), id);
    assert_refused(json, SL_ERR_REFUSED, "node 1 (track): id is not a text of 1 to 95 bytes");
}

static void test_snapshot_picture_refuses_deep_nesting(void **state)
{
    (void)state;
    char json[4096];
    int length = snprintf(json, sizeof json, "{\"node_type\":\"project\",\"children\":[{\"node_type\":\"track\"");
    for (int i = 2; i <= SL_PICTURE_DEPTH_MAX; i++)
        length += sprintf(json + length, ",\"children\":[{\"node_type\":\"device\"");
    for (int i = 2; i <= SL_PICTURE_DEPTH_MAX; i++) length += sprintf(json + length, "}]");
    sprintf(json + length, "}]}");
    assert_refused(json, SL_ERR_REFUSED, "node 32 (unknown): it is nested too deep");
}

static void test_snapshot_picture_says_where_json_is_invalid(void **state)
{
    (void)state;
    assert_refused("{\"node_type\":\n nonsense}", SL_ERR_MALFORMED,
                   "invalid JSON at line 2, column 9: invalid token near 'nonsense'");
    assert_refused("", SL_ERR_MALFORMED, "invalid JSON at line 1, column 0: '[' or '{' expected near end of file");
}

static void test_snapshot_picture_refuses_too_many_values(void **state)
{
    (void)state;
    size_t length = (16u << 20) + 3;
    char *json = malloc(length + 1);
    memset(json, ',', length);
    json[0] = '[';
    json[length] = '\0';
    assert_refused(json, SL_ERR_REFUSED, "the JSON is too big");
    free(json);
}

static void test_snapshot_picture_commas_in_text_are_no_values(void **state)
{
    (void)state;
    size_t length = (16u << 20) + 100;
    char *json = malloc(length + 100);
    char *text = json + sprintf(json, "{\"node_type\":\"project\",\"attributes\":{\"creator\":\"\\\"");
    memset(text, ',', length);
    memcpy(text + length - 100, "\"}}", 4);
    sl_tree_destroy(build(json));
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot_picture_reads_a_whole_tree),
        cmocka_unit_test(test_snapshot_picture_passes_over_unknown_attributes),
        cmocka_unit_test(test_snapshot_picture_keeps_text_up_to_its_first_nul),
        cmocka_unit_test(test_snapshot_picture_grows_with_the_tree),
        cmocka_unit_test(test_snapshot_picture_refuses_what_is_against_the_rules),
        cmocka_unit_test(test_snapshot_picture_refuses_slots_out_of_place),
        cmocka_unit_test(test_snapshot_picture_takes_an_id_of_95_bytes_and_no_more),
        cmocka_unit_test(test_snapshot_picture_refuses_deep_nesting),
        cmocka_unit_test(test_snapshot_picture_says_where_json_is_invalid),
        cmocka_unit_test(test_snapshot_picture_refuses_too_many_values),
        cmocka_unit_test(test_snapshot_picture_commas_in_text_are_no_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
