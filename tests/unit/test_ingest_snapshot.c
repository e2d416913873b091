/* Snapshots: JSON to a picture, unpacking, and collecting parts. */
#include "ingest/snapshot.h"

#include "core/payload.h"
#include "core/picture.h"
#include "ingest/gunzip.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/ingest_packet.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SUNK_MAX = 16, WAIT_MS = 5000, REASON_BYTES = 256 };

#define IN_PROJECT(children) "{\"node_type\":\"project\",\"attributes\":{},\"children\":[" children "]}"
#define WITH(type, attributes) IN_PROJECT("{\"node_type\":\"" type "\",\"attributes\":{" attributes "}}")

/* The pure part. */

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

static void test_snapshot_reads_a_whole_tree(void **state)
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

static void test_snapshot_passes_over_unknown_attributes(void **state)
{
    (void)state;
    sl_tree *tree = build(WITH("track", "\"flavour\":[1],\"tempo\":\"of another type of node\",\"index\":\"x\""));
    assert_int_equal(sl_tree_node_count(tree), 2);
    sl_tree_destroy(tree);
}

static void test_snapshot_keeps_text_up_to_its_first_nul(void **state)
{
    (void)state;
    sl_tree *tree = build(WITH("track", "\"name\":\"Bass\\u0000Line\""));
    const sl_node *track = sl_node_child(sl_tree_project(tree), SL_NODE_TRACK, 0);
    assert_text(sl_node_value(track, SL_ATTRIBUTE_NAME), SL_VALUE_TEXT, "Bass");
    sl_tree_destroy(tree);
}

static void test_snapshot_grows_with_the_tree(void **state)
{
    (void)state;
    enum { TRACKS = 20000 };
    const char track[] = "{\"node_type\":\"track\",\"attributes\":{\"name\":\"a name of some length\"}},";
    char *json = malloc(TRACKS * sizeof track + 100);
    char *end = json + sprintf(json, "{\"node_type\":\"project\",\"children\":[");
    for (int i = 0; i < TRACKS; i++) end += sprintf(end, "%s", track);
    strcpy(end - 1, "]}");
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

static void test_snapshot_refuses_what_is_against_the_rules(void **state)
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

static void test_snapshot_refuses_slots_out_of_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof slot_refusals / sizeof slot_refusals[0]; i++)
        assert_refused(slot_refusals[i].json, SL_ERR_REFUSED, slot_refusals[i].reason);
}

static void test_snapshot_takes_an_id_of_95_bytes_and_no_more(void **state)
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

static void test_snapshot_refuses_deep_nesting(void **state)
{
    (void)state;
    char json[4096] = "{\"node_type\":\"project\",\"children\":[{\"node_type\":\"track\"";
    for (int i = 2; i <= SL_PICTURE_DEPTH_MAX; i++) strcat(json, ",\"children\":[{\"node_type\":\"device\"");
    for (int i = 2; i <= SL_PICTURE_DEPTH_MAX; i++) strcat(json, "}]");
    strcat(json, "}]}");
    assert_refused(json, SL_ERR_REFUSED, "node 32 (unknown): it is nested too deep");
}

static void test_snapshot_says_where_json_is_invalid(void **state)
{
    (void)state;
    assert_refused("{\"node_type\":\n nonsense}", SL_ERR_MALFORMED,
                   "invalid JSON at line 2, column 9: invalid token near 'nonsense'");
    assert_refused("", SL_ERR_MALFORMED, "invalid JSON at line 1, column 0: '[' or '{' expected near end of file");
}

static void test_snapshot_refuses_too_many_values(void **state)
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

static void test_snapshot_commas_in_text_are_no_values(void **state)
{
    (void)state;
    size_t length = (16u << 20) + 100;
    char *json = malloc(length + 100);
    char *text = json + sprintf(json, "{\"node_type\":\"project\",\"attributes\":{\"creator\":\"\\\"");
    memset(text, ',', length);
    strcpy(text + length - 100, "\"}}");
    sl_tree_destroy(build(json));
    free(json);
}

/* Unpacking. */

/* gzip of `length` bytes; malloc'ed. */
static uint8_t *pack(const void *bytes, size_t length, size_t *packed_length)
{
    size_t capacity = length + 1000;
    uint8_t *packed = malloc(capacity);
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)length};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = packed;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *packed_length = capacity - stream.avail_out;
    deflateEnd(&stream);
    return packed;
}

static sl_err unpack(const uint8_t *packed, size_t packed_length, size_t limit, size_t *length, const char **reason)
{
    char *out;
    sl_err err = sl_gunzip(packed, packed_length, limit, &out, length, reason);
    assert_true((err == SL_OK) == (out != NULL));
    free(out);
    return err;
}

static void test_gunzip_gives_back_what_was_packed(void **state)
{
    (void)state;
    size_t packed_length;
    size_t length;
    enum { BYTES = 1000000 };
    char *bytes = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++) bytes[i] = (char)(i * i >> 5);
    uint8_t *packed = pack(bytes, BYTES, &packed_length);
    char *out;
    const char *reason;
    assert_int_equal(sl_gunzip(packed, packed_length, BYTES, &out, &length, &reason), SL_OK);
    assert_int_equal(length, BYTES);
    assert_memory_equal(out, bytes, BYTES);
    free(out);
    free(packed);
    free(bytes);
}

static void test_gunzip_stops_at_its_limit(void **state)
{
    (void)state;
    size_t packed_length;
    size_t length;
    const char *reason;
    enum { BOMB_BYTES = 50000000, LIMIT = 1000000 };
    char *zeros = calloc(1, BOMB_BYTES);
    uint8_t *packed = pack(zeros, BOMB_BYTES, &packed_length);
    assert_int_equal(unpack(packed, packed_length, LIMIT, &length, &reason), SL_ERR_RANGE);
    assert_string_equal(reason, "it unpacks to too many bytes");
    free(packed);
    packed = pack(zeros, LIMIT, &packed_length);
    assert_int_equal(unpack(packed, packed_length, LIMIT, &length, &reason), SL_OK);
    assert_int_equal(unpack(packed, packed_length, LIMIT - 1, &length, &reason), SL_ERR_RANGE);
    free(packed);
    free(zeros);
}

static void test_gunzip_refuses_damage(void **state)
{
    (void)state;
    size_t packed_length;
    size_t length;
    const char *reason;
    uint8_t *packed = pack("hello, hello", 12, &packed_length);
    assert_int_equal(unpack(packed, packed_length - 1, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_string_equal(reason, "the gzip data is cut off");
    assert_int_equal(unpack(packed, packed_length + 1, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_string_equal(reason, "bytes after the gzip data");
    packed[packed_length - 8] ^= 1; /* its checksum */
    assert_int_equal(unpack(packed, packed_length, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_string_equal(reason, "the gzip data is damaged");
    assert_int_equal(unpack((const uint8_t *)"plain", 5, 100, &length, &reason), SL_ERR_MALFORMED);
    assert_int_equal(unpack(packed, 0, 100, &length, &reason), SL_ERR_MALFORMED);
    free(packed);
}

/* Collecting. */

typedef struct sunk {
    sl_event header;
    char reason[REASON_BYTES];
} sunk;

typedef struct fixture {
    sl_snapshot *snapshot;
    sunk sunk[SUNK_MAX]; /* read only after `count` or sl_snapshot_stop has told of it */
    _Atomic int count;
    _Atomic int full_count; /* so often the sink refuses */
    uint8_t *packed;
    size_t packed_length;
} fixture;

static sl_err sink(void *ctx, const sl_event *draft)
{
    fixture *fixture = ctx;
    if (fixture->full_count > 0) {
        fixture->full_count--;
        return SL_ERR_FULL;
    }
    sunk *sunk = &fixture->sunk[fixture->count];
    sunk->header = *draft;
    sl_refused refused;
    if (draft->kind == SL_KIND_REFUSED && sl_refused_decode(draft, &refused) == SL_OK)
        snprintf(sunk->reason, sizeof sunk->reason, "%.*s", (int)refused.reason_length, refused.reason);
    fixture->count++;
    return SL_OK;
}

static int start(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    const char json[] = WITH("track", "\"name\":\"Bass\"");
    fixture->packed = pack(json, strlen(json), &fixture->packed_length);
    *state = fixture;
    return sl_snapshot_start(&fixture->snapshot, (sl_sink){.put = sink, .ctx = fixture}, 0) == SL_OK ? 0 : -1;
}

static int stop(void **state)
{
    fixture *fixture = *state;
    sl_snapshot_stop(fixture->snapshot);
    free(fixture->packed);
    free(fixture);
    return 0;
}

/* Ends the work; then everything has been sunk. */
static void end(fixture *fixture)
{
    sl_snapshot_stop(fixture->snapshot);
    fixture->snapshot = NULL;
}

static void take_packet(fixture *fixture, uint32_t source, uint64_t number, const packet *packet)
{
    sl_event draft = {.kind = SL_KIND_OSC, .source = source, .session = 2, .source_seq = number};
    sl_osc_message message = sl_osc_message_read(packet->bytes, packet->length);
    sl_osc_message inner;
    int64_t sent;
    double timestamp;
    bool is_bad;
    assert_true(sl_osc_unwrap(&message, &inner, &sent, &timestamp, &is_bad));
    sl_snapshot_take(fixture->snapshot, &draft, &inner);
}

static void take_bytes(fixture *fixture, uint64_t number, uint32_t part, uint32_t parts, const void *bytes,
                       size_t length)
{
    packet packet = packet_part((int32_t)number, part, parts, bytes, length);
    take_packet(fixture, 1, number, &packet);
}

/* Part `part` of `parts` of the fixture's snapshot. */
static void take_part(fixture *fixture, uint64_t number, uint32_t part, uint32_t parts)
{
    size_t from = fixture->packed_length * part / parts;
    size_t to = fixture->packed_length * (part + 1) / parts;
    if (part >= parts) from = to = 0;
    take_bytes(fixture, number, part, parts, fixture->packed + from, to - from);
}

static void assert_picture(const fixture *fixture, int at, uint64_t number)
{
    const sl_event *header = &fixture->sunk[at].header;
    if (header->kind == SL_KIND_REFUSED) fail_msg("%s", fixture->sunk[at].reason);
    assert_int_equal(header->kind, SL_KIND_PICTURE);
    assert_int_equal(header->version, SL_PICTURE_VERSION);
    assert_int_equal(header->session, 2);
    assert_int_equal(header->source_seq, number);
}

static void assert_only_refusal(fixture *fixture, uint64_t number, const char *reason)
{
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(fixture->sunk[0].header.kind, SL_KIND_REFUSED);
    assert_int_equal(fixture->sunk[0].header.source, 1);
    assert_int_equal(fixture->sunk[0].header.source_seq, number);
    assert_string_equal(fixture->sunk[0].reason, reason);
}

static void test_snapshot_parts_in_order_give_a_picture(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 0; i < 5; i++) take_part(fixture, 10 + i, i, 5);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 14);
    assert_int_equal(fixture->sunk[0].header.source, 1);
    assert_true(fixture->sunk[0].header.time_ns > 0);
}

static void test_snapshot_of_one_part(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 1);
    end(fixture);
    assert_picture(fixture, 0, 0);
}

static void test_snapshot_numbers_go_on_beyond_2_32(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, UINT32_MAX, 0, 2);
    take_part(fixture, 0, 1, 2);
    end(fixture);
    assert_picture(fixture, 0, 0);
}

static void test_snapshot_without_numbers(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, SL_SOURCE_SEQ_NONE, 0, 2);
    take_part(fixture, SL_SOURCE_SEQ_NONE, 1, 2);
    end(fixture);
    assert_picture(fixture, 0, SL_SOURCE_SEQ_NONE);
}

static void test_snapshot_one_after_the_other(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 0; i < 4; i++) take_part(fixture, i, i % 2, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 1);
    assert_picture(fixture, 1, 3);
}

static void test_snapshot_two_sources_at_once(void **state)
{
    fixture *fixture = *state;
    for (uint32_t part = 0; part < 2; part++)
        for (uint32_t source = 1; source <= 2; source++) {
            size_t half = fixture->packed_length / 2;
            size_t length = part == 0 ? half : fixture->packed_length - half;
            packet packet = packet_part((int32_t)part, part, 2, fixture->packed + half * part, length);
            take_packet(fixture, source, part, &packet);
        }
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 1);
    assert_picture(fixture, 1, 1);
}

static void test_snapshot_fifth_source_at_once_displaces_one(void **state)
{
    fixture *fixture = *state;
    packet packet = packet_part(0, 0, 2, "a", 1);
    for (uint32_t source = 1; source <= 5; source++) take_packet(fixture, source, 0, &packet);
    end(fixture);
    assert_int_equal(fixture->sunk[0].header.source, 1);
    assert_string_equal(fixture->sunk[0].reason, "snapshot: too many sources send snapshots at the same time");
    assert_int_equal(fixture->count, 5); /* the other four were not complete */
}

static void test_snapshot_missing_part_is_refused_once(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 5);
    for (uint32_t i = 2; i < 5; i++) take_part(fixture, i, i, 5);
    assert_only_refusal(fixture, 2, "snapshot: a part is missing");
}

static void test_snapshot_missing_first_part(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 1; i < 5; i++) take_part(fixture, i, i, 5);
    assert_only_refusal(fixture, 1, "snapshot: its first part is missing");
}

static void test_snapshot_after_a_refused_one(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 1, 1, 2);
    take_part(fixture, 2, 0, 2);
    take_part(fixture, 3, 1, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 1, 3);
}

static void test_snapshot_beginning_anew_refuses_the_first(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 1, 0, 2);
    take_part(fixture, 2, 1, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_string_equal(fixture->sunk[0].reason, "snapshot: another began before its last part came");
    assert_int_equal(fixture->sunk[0].header.source_seq, 0);
    assert_picture(fixture, 1, 2);
}

static void test_snapshot_foreign_part_count(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 1, 1, 3);
    assert_only_refusal(fixture, 1, "snapshot: a part with another count of parts");
}

static void test_snapshot_foreign_session(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    packet packet = {.length = 0};
    packet_wrap(&packet, 1, "/symlog/snapshot", "hiib");
    packet_u64(&packet, 78);
    packet_u32(&packet, 1);
    packet_u32(&packet, 2);
    packet_u32(&packet, 0);
    take_packet(fixture, 1, 1, &packet);
    assert_only_refusal(fixture, 1, "snapshot: a part of another session");
}

static void test_snapshot_something_between_the_parts(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 2, 1, 2);
    assert_only_refusal(fixture, 2, "snapshot: its parts are not consecutive");
}

static void test_snapshot_impossible_part_count(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, SL_SNAPSHOT_PARTS_MAX + 1);
    assert_only_refusal(fixture, 0, "snapshot: its count of parts is not 1 to 65536");
}

static void test_snapshot_part_beyond_the_count(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 2, 2);
    assert_only_refusal(fixture, 0, "snapshot: a part's number is not below the count of parts");
}

static void test_snapshot_wrong_arguments(void **state)
{
    fixture *fixture = *state;
    packet packet = {.length = 0};
    packet_wrap(&packet, 0, "/symlog/snapshot", "hii");
    packet_u64(&packet, 77);
    packet_u32(&packet, 0);
    packet_u32(&packet, 1);
    take_packet(fixture, 1, 0, &packet);
    assert_only_refusal(fixture, 0, "snapshot: a part's arguments are not h session, i part, i parts, b bytes");
}

static void test_snapshot_bad_gzip(void **state)
{
    fixture *fixture = *state;
    take_bytes(fixture, 0, 0, 1, "plain", 5);
    assert_only_refusal(fixture, 0, "snapshot: the gzip data is damaged");
}

static void test_snapshot_bad_json(void **state)
{
    fixture *fixture = *state;
    size_t length;
    uint8_t *packed = pack("[", 1, &length);
    take_bytes(fixture, 0, 0, 1, packed, length);
    free(packed);
    assert_only_refusal(fixture, 0, "snapshot: invalid JSON at line 1, column 1: ']' expected near end of file");
}

static void test_snapshot_refused_by_a_rule(void **state)
{
    fixture *fixture = *state;
    size_t length;
    uint8_t *packed = pack("{}", 2, &length);
    take_bytes(fixture, 0, 0, 1, packed, length);
    free(packed);
    assert_only_refusal(fixture, 0, "snapshot: node 0 (unknown): node_type is missing or not a text");
}

static void test_snapshot_bomb_is_refused(void **state)
{
    fixture *fixture = *state;
    size_t length;
    size_t bomb_bytes = (size_t)SL_SNAPSHOT_JSON_BYTES_MAX + 1;
    char *zeros = calloc(1, bomb_bytes);
    uint8_t *packed = pack(zeros, bomb_bytes, &length);
    enum { PART_BYTES = 60000 };
    uint32_t parts = (uint32_t)((length + PART_BYTES - 1) / PART_BYTES);
    for (uint32_t i = 0; i < parts; i++) {
        size_t part_length = i + 1 < parts ? PART_BYTES : length - (size_t)i * PART_BYTES;
        take_bytes(fixture, i, i, parts, packed + (size_t)i * PART_BYTES, part_length);
    }
    free(packed);
    free(zeros);
    assert_only_refusal(fixture, parts - 1, "snapshot: it unpacks to too many bytes");
}

static void test_snapshot_incomplete_at_the_end_is_refused(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    assert_only_refusal(fixture, 0, "snapshot: symlog stopped before its last part came");
}

static void test_snapshot_waits_while_the_sink_is_full(void **state)
{
    fixture *fixture = *state;
    fixture->full_count = 3;
    take_part(fixture, 0, 0, 1);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 0);
}

static void test_snapshot_parts_too_fast_end_in_one_refusal(void **state)
{
    fixture *fixture = *state;
    static uint8_t bytes[60000];
    fixture->full_count = 20; /* holds the worker for a while */
    take_part(fixture, 0, 0, 1);
    for (uint32_t i = 0; i < 1000; i++) take_bytes(fixture, 1 + i, i, 1001, bytes, sizeof bytes);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 0);
    assert_string_equal(fixture->sunk[1].reason, "snapshot: its parts came faster than they could be taken");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot_reads_a_whole_tree),
        cmocka_unit_test(test_snapshot_passes_over_unknown_attributes),
        cmocka_unit_test(test_snapshot_keeps_text_up_to_its_first_nul),
        cmocka_unit_test(test_snapshot_grows_with_the_tree),
        cmocka_unit_test(test_snapshot_refuses_what_is_against_the_rules),
        cmocka_unit_test(test_snapshot_refuses_slots_out_of_place),
        cmocka_unit_test(test_snapshot_takes_an_id_of_95_bytes_and_no_more),
        cmocka_unit_test(test_snapshot_refuses_deep_nesting),
        cmocka_unit_test(test_snapshot_says_where_json_is_invalid),
        cmocka_unit_test(test_snapshot_refuses_too_many_values),
        cmocka_unit_test(test_snapshot_commas_in_text_are_no_values),
        cmocka_unit_test(test_gunzip_gives_back_what_was_packed),
        cmocka_unit_test(test_gunzip_stops_at_its_limit),
        cmocka_unit_test(test_gunzip_refuses_damage),
        TEST(test_snapshot_parts_in_order_give_a_picture),
        TEST(test_snapshot_of_one_part),
        TEST(test_snapshot_numbers_go_on_beyond_2_32),
        TEST(test_snapshot_without_numbers),
        TEST(test_snapshot_one_after_the_other),
        TEST(test_snapshot_two_sources_at_once),
        TEST(test_snapshot_fifth_source_at_once_displaces_one),
        TEST(test_snapshot_missing_part_is_refused_once),
        TEST(test_snapshot_missing_first_part),
        TEST(test_snapshot_after_a_refused_one),
        TEST(test_snapshot_beginning_anew_refuses_the_first),
        TEST(test_snapshot_foreign_part_count),
        TEST(test_snapshot_foreign_session),
        TEST(test_snapshot_something_between_the_parts),
        TEST(test_snapshot_impossible_part_count),
        TEST(test_snapshot_part_beyond_the_count),
        TEST(test_snapshot_wrong_arguments),
        TEST(test_snapshot_bad_gzip),
        TEST(test_snapshot_bad_json),
        TEST(test_snapshot_refused_by_a_rule),
        TEST(test_snapshot_bomb_is_refused),
        TEST(test_snapshot_incomplete_at_the_end_is_refused),
        TEST(test_snapshot_waits_while_the_sink_is_full),
        TEST(test_snapshot_parts_too_fast_end_in_one_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
