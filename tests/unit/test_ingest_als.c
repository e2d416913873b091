/* A Live set to core's tree: what is read, what is refused and why; a save as events. (Whole sets: tests/e2e.) */
#include "core/payload.h"
#include "core/picture.h"
#include "ingest/als.h"
#include "ingest/project_file.h"
#include "ingest/project_save.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/ingest_pack.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SET(inside) "<Ableton MinorVersion=\"12.0\" Creator=\"Test\"><LiveSet>" inside "</LiveSet></Ableton>"
#define TRACKS(inside) SET("<Tracks>" inside "</Tracks>")
#define CHAIN(inside) "<DeviceChain>" inside "</DeviceChain>"
#define DEVICES(inside) TRACKS("<MidiTrack Id=\"1\">" CHAIN(CHAIN("<Devices>" inside "</Devices>")) "</MidiTrack>")

static const char small_set[] =
    DEVICES("<Eq8 Id=\"3\"><On><Manual Value=\"true\"/></On>"
            "<Freq><Manual Value=\"2500\"/><MidiControllerRange><Min Value=\"10\"/><Max Value=\"22000\"/>"
            "</MidiControllerRange><AutomationTarget Id=\"77\"/></Freq></Eq8>");

static sl_tree *read_xml(const char *xml)
{
    static counted_memory memory;
    char reason[SL_ALS_REASON_BYTES] = "";
    sl_tree *tree;
    sl_err err = sl_als_read((const uint8_t *)xml, strlen(xml), counted_memory_of(&memory), &tree, reason);
    if (err != SL_OK) fail_msg("%s", reason);
    return tree;
}

static const sl_node *at(const sl_tree *tree, const char *path)
{
    const sl_node *node = sl_tree_find_path(tree, path, strlen(path));
    if (node == NULL) fail_msg("nothing at %s", path);
    return node;
}

static void assert_text(const sl_node *node, sl_attribute attribute, const char *expected)
{
    sl_value value = sl_node_value(node, attribute);
    assert_int_equal(value.length, strlen(expected));
    assert_memory_equal(value.as.text, expected, value.length);
}

static void assert_number(const sl_node *node, sl_attribute attribute, double expected)
{
    sl_value value = sl_node_value(node, attribute);
    assert_int_equal(value.type, SL_VALUE_FLOAT);
    assert_true(value.as.number == expected);
}

static void assert_id(const sl_node *node, const char *id)
{
    assert_int_equal(node->id_length, strlen(id));
    assert_memory_equal(node->id, id, node->id_length);
}

static void test_als_gives_nodes_ids_of_lives_own(void **state)
{
    (void)state;
    sl_tree *tree = read_xml(small_set);
    assert_text(at(tree, "project"), SL_ATTRIBUTE_VERSION, "12.0");
    assert_id(at(tree, "tracks[0]"), "track-live-1");
    assert_id(at(tree, "tracks[0].devices[0]"), "device-live-1.3");
    const sl_node *parameter = at(tree, "tracks[0].devices[0].parameters[0]");
    assert_id(parameter, "parameter-live-1.3.77");
    assert_text(parameter, SL_ATTRIBUTE_NAME, "Freq");
    assert_number(parameter, SL_ATTRIBUTE_VALUE, 2500);
    assert_number(parameter, SL_ATTRIBUTE_MIN, 10);
    assert_number(parameter, SL_ATTRIBUTE_MAX, 22000);
    sl_tree_destroy(tree);
}

#define VALUE "<Manual Value=\"1\"/><AutomationTarget Id=\"7\"/>"

static void test_als_names_parameters_as_plug_ins_and_max_devices_show_them(void **state)
{
    (void)state;
    static const char *const sets[] = {
        DEVICES("<PluginDevice Id=\"1\"><ParameterList><PluginFloatParameter Id=\"0\"><ParameterName Value=\"Mix\"/>"
                "<ParameterValue>" VALUE "</ParameterValue></PluginFloatParameter></ParameterList></PluginDevice>"),
        DEVICES("<MxDeviceAudioEffect Id=\"1\"><ParameterList><ParameterList><MxDFloatParameter Id=\"0\">"
                "<Name Value=\"Mix\"/><ShortName Value=\"M\"/><Timeable>" VALUE
                "</Timeable></MxDFloatParameter></ParameterList></ParameterList></MxDeviceAudioEffect>"),
        DEVICES("<Reverb Id=\"1\"><Mix>" VALUE "</Mix></Reverb>"),
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        sl_tree *tree = read_xml(sets[i]);
        assert_text(at(tree, "tracks[0].devices[0].parameters[0]"), SL_ATTRIBUTE_NAME, "Mix");
        sl_tree_destroy(tree);
    }
}

#define PATCH(tag) "<PatchSlot><Value><" tag " Id=\"0\"><FileRef><Path Value=\"/a.b/LFO.amxd\"/></FileRef></" tag ">"

static void test_als_names_max_devices_of_every_version(void **state)
{
    (void)state;
    static const char *const sets[] = {
        DEVICES("<MxDeviceAudioEffect Id=\"1\">" PATCH("MxPatchRef") "</Value></PatchSlot></MxDeviceAudioEffect>"),
        DEVICES("<MxDeviceAudioEffect Id=\"1\">" PATCH("MxDPatchRef") "</Value></PatchSlot></MxDeviceAudioEffect>"),
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        sl_tree *tree = read_xml(sets[i]);
        assert_text(at(tree, "tracks[0].devices[0]"), SL_ATTRIBUTE_NAME, "LFO");
        sl_tree_destroy(tree);
    }
}

static void test_als_cuts_names_that_are_too_long(void **state)
{
    (void)state;
    char name[2001], xml[8192];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(xml, sizeof xml, DEVICES("<Eq8 Id=\"1\"><A><%s>" VALUE "</%s></A><B>" VALUE "</B></Eq8>"), name, name);
    sl_tree *tree = read_xml(xml);
    sl_value found = sl_node_value(at(tree, "tracks[0].devices[0].parameters[0]"), SL_ATTRIBUTE_NAME);
    assert_int_equal(found.length, 1023);
    assert_text(at(tree, "tracks[0].devices[0].parameters[1]"), SL_ATTRIBUTE_NAME, "B");
    sl_tree_destroy(tree);
}

static void test_als_reads_names_where_live_8_has_them(void **state)
{
    (void)state;
    sl_tree *tree =
        read_xml(SET("<Tracks><MidiTrack><Name Value=\"Bass\"/><ColorIndex Value=\"1\"/></MidiTrack></Tracks>"
                     "<SceneNames><Scene Value=\"Verse\"/></SceneNames>"));
    assert_text(at(tree, "tracks[0]"), SL_ATTRIBUTE_NAME, "Bass");
    assert_int_equal(sl_node_value(at(tree, "tracks[0]"), SL_ATTRIBUTE_COLOR).as.integer, 0xffa529);
    assert_text(at(tree, "scenes[0]"), SL_ATTRIBUTE_NAME, "Verse");
    sl_tree_destroy(tree);
}

static void test_als_reads_the_crossfader(void **state)
{
    (void)state;
    sl_tree *tree = read_xml(TRACKS("<AudioTrack Id=\"1\">" CHAIN(
        "<Mixer><CrossFadeState><Manual Value=\"2\"/></CrossFadeState></Mixer>") "</AudioTrack>"));
    assert_text(at(tree, "tracks[0].mixer"), SL_ATTRIBUTE_CROSSFADER, "B");
    sl_tree_destroy(tree);
}

static void test_als_reads_the_same_packed_and_in_pieces(void **state)
{
    (void)state;
    counted_memory memory = {0};
    char reason[SL_ALS_REASON_BYTES];
    size_t length;
    uint8_t *packed = pack(small_set, strlen(small_set), &length);
    sl_tree *plain = read_xml(small_set), *tree;
    assert_int_equal(sl_als_read(packed, length, counted_memory_of(&memory), &tree, reason), SL_OK);
    sl_tree_digest(plain);
    sl_tree_digest(tree);
    assert_true(sl_digest_equal(sl_tree_project(plain)->whole, sl_tree_project(tree)->whole));
    sl_tree_destroy(plain);
    sl_tree_destroy(tree);
    assert_int_equal(memory.size_bytes, 0);
    free(packed);
}

static const struct {
    const char *xml;
    sl_err err;
    const char *reason;
} bad[] = {
    {"", SL_ERR_MALFORMED, "the file is empty"},
    {"junk", SL_ERR_MALFORMED, "neither gzip nor XML"},
    {"\x1f\x8b", SL_ERR_MALFORMED, "the gzip is cut off after 0 bytes of XML"},
    {"<Ableton>", SL_ERR_MALFORMED, "no valid XML at line 1, column 9: no element found"},
    {"<a></b>", SL_ERR_MALFORMED, "no valid XML at line 1, column 5: mismatched tag"},
    {"<Ableton/>", SL_ERR_REFUSED, "XML, but no Live set: no Ableton/LiveSet in it"},
    {"<LiveSet/>", SL_ERR_REFUSED, "XML, but no Live set: no Ableton/LiveSet in it"},
    {"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", SL_ERR_REFUSED, "a document type definition, which no Live set has"},
};

static void test_als_refuses_and_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        counted_memory memory = {0};
        char reason[SL_ALS_REASON_BYTES];
        sl_tree *tree;
        sl_err err =
            sl_als_read((const uint8_t *)bad[i].xml, strlen(bad[i].xml), counted_memory_of(&memory), &tree, reason);
        assert_int_equal(err, bad[i].err);
        assert_string_equal(reason, bad[i].reason);
        assert_null(tree);
        assert_int_equal(memory.size_bytes, 0);
    }
}

static void test_als_refuses_what_is_nested_too_deep(void **state)
{
    (void)state;
    enum { DEPTH = SL_ALS_DEPTH_MAX + 1 };
    static char xml[8 * DEPTH];
    char *end = xml + sprintf(xml, "<Ableton><LiveSet>");
    for (int i = 0; i < DEPTH; i++) end += sprintf(end, "<a>");
    counted_memory memory = {0};
    char reason[SL_ALS_REASON_BYTES];
    sl_tree *tree;
    assert_int_equal(sl_als_read((const uint8_t *)xml, (size_t)(end - xml), counted_memory_of(&memory), &tree, reason),
                     SL_ERR_REFUSED);
    assert_string_equal(reason, "elements nested more than 1024 deep");
}

static void test_als_with_failing_memory(void **state)
{
    (void)state;
    sl_err err = SL_ERR_MEMORY;
    for (uint64_t fail_at = 1; err == SL_ERR_MEMORY && fail_at < 1000; fail_at++) {
        counted_memory memory = {.fail_at = fail_at};
        char reason[SL_ALS_REASON_BYTES];
        sl_tree *tree;
        err = sl_als_read((const uint8_t *)small_set, sizeof small_set - 1, counted_memory_of(&memory), &tree, reason);
        if (err == SL_OK) sl_tree_destroy(tree);
        if (err != SL_OK) assert_string_equal(reason, "out of memory");
        assert_int_equal(memory.size_bytes, 0);
    }
    assert_int_equal(err, SL_OK);
}

static sl_project_save save_of(const char *xml)
{
    return (sl_project_save){.source = 3,
                             .session = 4,
                             .time_ns = 50,
                             .saved_ns = 40,
                             .mtime_ns = -1,
                             .path = "/sets/Song.als",
                             .bytes = (const uint8_t *)xml,
                             .length = strlen(xml)};
}

static void test_project_save_is_the_file_and_its_picture(void **state)
{
    (void)state;
    sl_project_save save = save_of(small_set);
    sl_project_events events;
    assert_int_equal(sl_project_events_make(&save, &events), SL_OK);
    assert_int_equal(events.verdict, SL_OK);
    assert_int_equal(events.node_count, 4);
    sl_save found;
    assert_int_equal(sl_save_decode(&events.save, &found), SL_OK);
    assert_int_equal(found.mtime_ns, -1);
    assert_int_equal(found.length, strlen(small_set));
    assert_memory_equal(found.bytes, small_set, found.length);
    assert_int_equal(events.answer.kind, SL_KIND_PICTURE);
    assert_int_equal(events.answer.version, SL_PICTURE_SAVE_VERSION);
    assert_int_equal(events.answer.payload[0], 40);
    assert_int_equal(events.answer.source, 3);
    sl_project_events_close(&events);
}

static void test_project_save_that_is_bad_is_the_file_and_why(void **state)
{
    (void)state;
    sl_project_save save = save_of("junk");
    sl_project_events events;
    assert_int_equal(sl_project_events_make(&save, &events), SL_OK);
    assert_int_equal(events.verdict, SL_ERR_MALFORMED);
    assert_int_equal(events.save.kind, SL_KIND_SAVE);
    sl_refused refused;
    assert_int_equal(sl_refused_decode(&events.answer, &refused), SL_OK);
    assert_int_equal(refused.kind, SL_KIND_SAVE);
    static const char expected[] = "Song.als: neither gzip nor XML";
    assert_int_equal(refused.reason_length, sizeof expected - 1);
    assert_memory_equal(refused.reason, expected, sizeof expected - 1);
    sl_project_events_close(&events);
}

static void test_project_save_of_what_cannot_be_read_has_no_bytes(void **state)
{
    (void)state;
    sl_project_save save = save_of("");
    sl_project_events events;
    assert_int_equal(sl_project_events_refuse(&save, "Permission denied", &events), SL_OK);
    assert_int_equal(events.verdict, SL_ERR_IO);
    sl_save found;
    assert_int_equal(sl_save_decode(&events.save, &found), SL_OK);
    assert_int_equal(found.length, 0);
    sl_refused refused;
    assert_int_equal(sl_refused_decode(&events.answer, &refused), SL_OK);
    static const char expected[] = "Song.als: Permission denied";
    assert_int_equal(refused.reason_length, sizeof expected - 1);
    assert_memory_equal(refused.reason, expected, sizeof expected - 1);
    sl_project_events_close(&events);
}

static void test_project_file_that_cannot_be_read_says_why(void **state)
{
    (void)state;
    sl_project_file file;
    char errmsg[256];
    assert_int_equal(sl_project_file_read("/no/such.als", &file, errmsg), SL_ERR_IO);
    assert_string_equal(errmsg, "No such file or directory");
    assert_int_equal(sl_project_file_read("/", &file, errmsg), SL_ERR_IO);
    assert_string_equal(errmsg, "not a file");
    char path[] = "/tmp/symlog-als-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)SL_ALS_FILE_BYTES_MAX + 1), 0);
    assert_int_equal(sl_project_file_read(path, &file, errmsg), SL_ERR_RANGE);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(sl_project_file_read(path, &file, errmsg), SL_OK);
    assert_int_equal(file.length, 0);
    sl_project_file_free(&file);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_als_gives_nodes_ids_of_lives_own),
        cmocka_unit_test(test_als_names_parameters_as_plug_ins_and_max_devices_show_them),
        cmocka_unit_test(test_als_names_max_devices_of_every_version),
        cmocka_unit_test(test_als_cuts_names_that_are_too_long),
        cmocka_unit_test(test_als_reads_names_where_live_8_has_them),
        cmocka_unit_test(test_als_reads_the_crossfader),
        cmocka_unit_test(test_als_reads_the_same_packed_and_in_pieces),
        cmocka_unit_test(test_als_refuses_and_says_why),
        cmocka_unit_test(test_als_refuses_what_is_nested_too_deep),
        cmocka_unit_test(test_als_with_failing_memory),
        cmocka_unit_test(test_project_save_is_the_file_and_its_picture),
        cmocka_unit_test(test_project_save_that_is_bad_is_the_file_and_why),
        cmocka_unit_test(test_project_save_of_what_cannot_be_read_has_no_bytes),
        cmocka_unit_test(test_project_file_that_cannot_be_read_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
