/* Paths that a subscriber names: reading them, and what happens to them when nodes come, go and move. */
#include "core/message_paths.h"
#include "tests/unit/cmocka_small.h"

#include <string.h>

static sl_paths paths_of(const char *list)
{
    sl_paths paths;
    assert_true(sl_paths_parse(&paths, list, strlen(list)));
    return paths;
}

static sl_path path_of(const char *text)
{
    sl_path path;
    assert_true(sl_path_parse(&path, text, strlen(text)));
    return path;
}

static void test_paths_take_what_the_wire_format_writes(void **state)
{
    (void)state;
    assert_int_equal(paths_of("tracks[0],scenes").count, 2);
    assert_int_equal(paths_of("tracks[2].clip_slots[3].clip,tracks[1].mixer").count, 2);
    assert_int_equal(paths_of("tracks[0],project").count, 0);
}

static void test_paths_refuse_what_is_none(void **state)
{
    (void)state;
    static const char *const lists[] = {"",
                                        ",",
                                        "tracks[0],",
                                        "track[0]",
                                        "tracks[",
                                        "tracks[]",
                                        "tracks[x]",
                                        "tracks[-1]",
                                        "tracks.x",
                                        "tracks.devices",
                                        "mixer[0]",
                                        "mixers[0]",
                                        "clips",
                                        "tracks[0]scenes",
                                        "nothing[0]",
                                        "tracks[99999999999999999999]",
                                        "project.tracks[0]"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        sl_paths paths;
        if (sl_paths_parse(&paths, lists[i], strlen(lists[i]))) fail_msg("\"%s\" is taken", lists[i]);
    }
}

static void test_paths_are_bounded(void **state)
{
    (void)state;
    static const char scene[] = ",scenes", device[] = ".devices[0]", track[] = "tracks[0]";
    const size_t scene_length = sizeof scene - 1, device_length = sizeof device - 1, track_length = sizeof track - 1;
    char list[512], deep[512] = "tracks[0]";
    for (size_t i = 0; i <= SL_PATHS_MAX; i++) memcpy(list + i * scene_length, scene, scene_length);
    for (size_t i = 0; i <= SL_PATH_DEPTH_MAX + 1; i++)
        memcpy(deep + track_length + i * device_length, device, device_length);
    sl_paths paths;
    sl_path path;
    assert_true(sl_paths_parse(&paths, list + 1, SL_PATHS_MAX * scene_length - 1));
    assert_false(sl_paths_parse(&paths, list + 1, (SL_PATHS_MAX + 1) * scene_length - 1));
    assert_true(sl_paths_parse(&paths, deep, track_length + (SL_PATH_DEPTH_MAX - 1) * device_length));
    assert_false(sl_paths_parse(&paths, deep, track_length + SL_PATH_DEPTH_MAX * device_length));
    assert_true(sl_path_parse(&path, deep, track_length + (SL_PATH_DEPTH_MAX + 2) * device_length));
}

static void test_paths_place_what_is_at_below_above_and_beside(void **state)
{
    (void)state;
    static const struct {
        const char *paths, *path;
        sl_path_place place;
    } rows[] = {
        {"tracks[1]", "tracks[1]", SL_PATH_INSIDE},
        {"tracks[1]", "tracks[1].devices[0].parameters[2]", SL_PATH_INSIDE},
        {"tracks[1]", "tracks[10]", SL_PATH_OUTSIDE},
        {"tracks[1]", "project", SL_PATH_ABOVE},
        {"tracks", "tracks[7]", SL_PATH_INSIDE},
        {"scenes", "tracks[7]", SL_PATH_OUTSIDE},
        {"tracks[1].devices", "tracks[1]", SL_PATH_ABOVE},
        {"tracks[1].devices", "tracks[1].devices[3]", SL_PATH_INSIDE},
        {"tracks[1].devices", "tracks[1].mixer", SL_PATH_OUTSIDE},
        {"scenes,tracks[1]", "scenes[0]", SL_PATH_INSIDE},
        {"project", "tracks[3].mixer", SL_PATH_INSIDE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sl_paths paths = paths_of(rows[i].paths);
        const sl_path path = path_of(rows[i].path);
        if (sl_paths_place(&paths, &path) != rows[i].place) fail_msg("%s in %s", rows[i].path, rows[i].paths);
    }
}

static void test_paths_name_another_node_when_one_comes_before(void **state)
{
    (void)state;
    static const struct {
        const char *paths, *path;
        bool changes;
    } rows[] = {
        {"tracks[2]", "tracks[1]", true},
        {"tracks[2]", "tracks[2]", true},
        {"tracks[2]", "tracks[3]", false},
        {"tracks", "tracks[0]", false},
        {"tracks[2].devices[1]", "tracks[2].devices[0]", true},
        {"tracks[2].devices[1]", "tracks[1].devices[0]", false},
        {"tracks[2].devices", "tracks[2].devices[0]", false},
        {"tracks[2].devices", "tracks[0]", true},
        {"tracks[0].clip_slots[3]", "tracks[0].clip_slots[1]", false},
        {"tracks[0].clip_slots[3].clip", "tracks[0].clip_slots[3]", true},
        {"tracks[0].clip_slots[3].clip", "tracks[0].clip_slots[3].clip", false},
        {"scenes[1]", "tracks[0]", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sl_paths paths = paths_of(rows[i].paths);
        const sl_path path = path_of(rows[i].path);
        if (sl_paths_change_by(&paths, &path) != rows[i].changes) fail_msg("%s and %s", rows[i].path, rows[i].paths);
    }
}

static void test_paths_name_another_node_when_one_moves_in_or_out(void **state)
{
    (void)state;
    static const struct {
        const char *paths, *before, *after;
        bool changes;
    } rows[] = {
        {"tracks[2]", "tracks[1]", "tracks[2]", true},
        {"tracks[2]", "tracks[2]", "tracks[3]", true},
        {"tracks[2]", "tracks[4]", "tracks[5]", false},
        {"tracks", "tracks[4]", "tracks[5]", false},
        {"tracks[2].mixer", "tracks[2]", "tracks[1]", true},
        {"tracks[2]", "tracks[2].clip_slots[0]", "tracks[2].clip_slots[1]", false},
        {"tracks[2].clip_slots[1]", "tracks[2].clip_slots[0]", "tracks[2].clip_slots[1]", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sl_paths paths = paths_of(rows[i].paths);
        const sl_path before = path_of(rows[i].before), after = path_of(rows[i].after);
        if (sl_paths_change_by_move(&paths, &before, &after) != rows[i].changes) fail_msg("row %zu", i);
    }
}

static void test_paths_shift(void **state)
{
    (void)state;
    static const struct {
        const char *paths;
        sl_node_type type;
        uint32_t from;
        sl_path_place place;
    } rows[] = {
        {"tracks[2]", SL_NODE_TRACK, 2, SL_PATH_ABOVE},
        {"tracks[2]", SL_NODE_TRACK, 3, SL_PATH_OUTSIDE},
        {"tracks", SL_NODE_TRACK, 3, SL_PATH_INSIDE},
        {"scenes", SL_NODE_TRACK, 0, SL_PATH_OUTSIDE},
        {"scenes[4]", SL_NODE_SCENE, 4, SL_PATH_ABOVE},
        {"scenes[4]", SL_NODE_SCENE, 5, SL_PATH_OUTSIDE},
        {"tracks[0]", SL_NODE_SCENE, 1, SL_PATH_INSIDE},
        {"tracks", SL_NODE_SCENE, 1, SL_PATH_INSIDE},
        {"tracks[0].mixer", SL_NODE_SCENE, 1, SL_PATH_OUTSIDE},
        {"tracks[0].clip_slots", SL_NODE_SCENE, 1, SL_PATH_INSIDE},
        {"tracks[0].clip_slots[0]", SL_NODE_SCENE, 1, SL_PATH_OUTSIDE},
        {"tracks[0].clip_slots[1].clip", SL_NODE_SCENE, 1, SL_PATH_ABOVE},
        {"scenes,tracks[0].clip_slots[1]", SL_NODE_SCENE, 1, SL_PATH_ABOVE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sl_paths paths = paths_of(rows[i].paths);
        if (sl_paths_shift(&paths, rows[i].type, rows[i].from) != rows[i].place) fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_take_what_the_wire_format_writes),
        cmocka_unit_test(test_paths_refuse_what_is_none),
        cmocka_unit_test(test_paths_are_bounded),
        cmocka_unit_test(test_paths_place_what_is_at_below_above_and_beside),
        cmocka_unit_test(test_paths_name_another_node_when_one_comes_before),
        cmocka_unit_test(test_paths_name_another_node_when_one_moves_in_or_out),
        cmocka_unit_test(test_paths_shift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
