/* The tree: places, ids, digests, and what it does when memory runs out. */
#include "tests/unit/cmocka_small.h"

#include "core/picture.h"
#include "core/tree.h"
#include "tests/unit/counted_memory.h"

#include <stdlib.h>
#include <string.h>

static counted_memory memory;

static sl_tree *make_tree(void)
{
    sl_tree *tree;
    memory = (counted_memory){0};
    assert_int_equal(sl_tree_create(counted_memory_of(&memory), &tree), SL_OK);
    return tree;
}

static void free_tree(sl_tree *tree)
{
    sl_tree_destroy(tree);
    assert_int_equal(memory.size_bytes, 0);
}

static size_t write_id(char id[16], const char *stem, uint32_t number)
{
    size_t length = strlen(stem);
    for (size_t i = 0; i < length; i++) id[i] = stem[i];
    char digits[10];
    size_t count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0) id[length++] = digits[--count];
    return length;
}

static sl_node *add(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position, uint32_t number)
{
    char id[16];
    size_t length = write_id(id, "n", number);
    sl_node *node;
    if (type == SL_NODE_CLIP_SLOT)
        assert_int_equal(sl_tree_place(tree, parent, type, position, (sl_id){id, length}, &node), SL_OK);
    else
        assert_int_equal(sl_tree_insert(tree, parent, type, position, (sl_id){id, length}, &node), SL_OK);
    return node;
}

/* A small, good generator; tests print nothing of it because the seed is fixed. */
static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*seed >> 33) % limit);
}

static void test_tree_create_has_project(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    const sl_node *project = sl_tree_project(tree);
    assert_int_equal(project->type, SL_NODE_PROJECT);
    assert_null(sl_node_parent(project));
    assert_ptr_equal(sl_tree_find(tree, "project", 7), project);
    assert_int_equal(sl_tree_node_count(tree), 1);
    free_tree(tree);
}

static void test_tree_create_without_memory(void **state)
{
    (void)state;
    for (uint64_t fail_at = 1; fail_at <= 3; fail_at++) {
        sl_tree *tree;
        memory = (counted_memory){.fail_at = fail_at};
        assert_int_equal(sl_tree_create(counted_memory_of(&memory), &tree), SL_ERR_MEMORY);
        assert_int_equal(memory.size_bytes, 0);
    }
}

/* Inserts and removes at random, beside a plain array. */
static void test_tree_list_like_array(void **state)
{
    (void)state;
    enum { PLACES_MAX = 600, STEPS = 6000 };
    sl_tree *tree = make_tree();
    sl_node *project = sl_tree_project(tree);
    static sl_node *array[PLACES_MAX];
    uint32_t count = 0, number = 0;
    uint64_t seed = 1;
    for (int step = 0; step < STEPS; step++) {
        sl_tree_bury(tree);
        bool grows = count == 0 || (count < PLACES_MAX && random_below(&seed, 100) < 55);
        uint32_t position = random_below(&seed, count + (grows ? 1 : 0));
        if (grows) {
            memmove(&array[position + 1], &array[position], (count++ - position) * sizeof(sl_node *));
            array[position] = add(tree, project, SL_NODE_SCENE, position, number++);
        } else {
            sl_tree_remove(tree, array[position], true);
            memmove(&array[position], &array[position + 1], (--count - position) * sizeof(sl_node *));
        }
        assert_int_equal(sl_node_child_count(project, SL_NODE_SCENE), count);
        if (count == 0) continue;
        uint32_t probe = random_below(&seed, count);
        assert_ptr_equal(sl_node_child(project, SL_NODE_SCENE, probe), array[probe]);
        assert_int_equal(sl_node_position(array[probe]), probe);
        assert_ptr_equal(sl_node_parent(array[probe]), project);
    }
    free_tree(tree);
}

static void test_tree_removed_id_is_free(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *project = sl_tree_project(tree);
    sl_node *track = add(tree, project, SL_NODE_TRACK, 0, 1);
    add(tree, track, SL_NODE_DEVICE, 0, 2);
    sl_tree_remove(tree, track, true);
    assert_null(sl_tree_find(tree, "n1", 2));
    assert_null(sl_tree_find(tree, "n2", 2));
    assert_memory_equal(track->id, "n1", 2); /* readable until it is buried */
    sl_tree_bury(tree);
    add(tree, project, SL_NODE_TRACK, 0, 1);
    assert_int_equal(sl_tree_node_count(tree), 2);
    free_tree(tree);
}

static void test_tree_find_path(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *track = add(tree, sl_tree_project(tree), SL_NODE_TRACK, 0, 1);
    sl_node *slot = add(tree, track, SL_NODE_CLIP_SLOT, 3, 2);
    sl_node *clip = add(tree, slot, SL_NODE_CLIP, 0, 3);
    static const char path[] = "tracks[0].clip_slots[3].clip", wrong[] = "tracks[0].clip_slots[3]clip";
    assert_ptr_equal(sl_tree_find_path(tree, path, strlen(path)), clip);
    assert_ptr_equal(sl_tree_find_path(tree, "project", 7), sl_tree_project(tree));
    assert_null(sl_tree_find_path(tree, wrong, strlen(wrong)));
    assert_null(sl_tree_find_path(tree, "tracks[1]", 9));
    assert_null(sl_tree_find_path(tree, "tracks[0", 8));
    assert_null(sl_tree_find_path(tree, "tracks[0].", 10));
    assert_null(sl_tree_find_path(tree, "", 0));
    free_tree(tree);
}

static void test_tree_empty_places_move(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *track = add(tree, sl_tree_project(tree), SL_NODE_TRACK, 0, 1);
    sl_node *slot = add(tree, track, SL_NODE_CLIP_SLOT, 5, 2);
    assert_int_equal(sl_tree_open_place(tree, track, SL_NODE_CLIP_SLOT, 2), SL_OK);
    assert_int_equal(sl_node_value(slot, SL_ATTRIBUTE_SCENE_INDEX).as.integer, 6);
    sl_tree_close_place(tree, track, SL_NODE_CLIP_SLOT, 0);
    sl_tree_close_place(tree, track, SL_NODE_CLIP_SLOT, 40); /* beyond the end */
    assert_int_equal(sl_node_value(slot, SL_ATTRIBUTE_SCENE_INDEX).as.integer, 5);
    assert_int_equal(sl_node_value(slot, SL_ATTRIBUTE_TRACK_INDEX).as.integer, 0);
    free_tree(tree);
}

static void test_tree_permute_moves_beyond_the_end(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *track = add(tree, sl_tree_project(tree), SL_NODE_TRACK, 0, 1);
    sl_node *slot = add(tree, track, SL_NODE_CLIP_SLOT, 0, 2);
    static const uint32_t at[] = {0, 9}, from[] = {9, 0};
    assert_int_equal(sl_tree_permute(tree, track, SL_NODE_CLIP_SLOT, at, from, 2), SL_OK);
    assert_int_equal(sl_node_position(slot), 9);
    assert_null(sl_node_child(track, SL_NODE_CLIP_SLOT, 0));
    free_tree(tree);
}

/* Each move of one place of a list beside the same as a permutation. */
static void test_tree_move_like_permute(void **state)
{
    (void)state;
    enum { PLACES = 70 };
    uint64_t seed = 3;
    for (int round = 0; round < 200; round++) {
        sl_tree *one = make_tree(), *other;
        counted_memory other_memory = {0};
        assert_int_equal(sl_tree_create(counted_memory_of(&other_memory), &other), SL_OK);
        sl_node *a = add(one, sl_tree_project(one), SL_NODE_TRACK, 0, 0);
        sl_node *b = add(other, sl_tree_project(other), SL_NODE_TRACK, 0, 0);
        uint32_t limit = 1 + random_below(&seed, PLACES);
        for (uint32_t i = 0; i < limit; i++) {
            if (random_below(&seed, 3) == 0) continue;
            add(one, a, SL_NODE_CLIP_SLOT, i, i + 1);
            add(other, b, SL_NODE_CLIP_SLOT, i, i + 1);
        }
        uint32_t from = random_below(&seed, PLACES + 5), to = random_below(&seed, PLACES + 5);
        uint32_t low = from < to ? from : to, count = (from < to ? to - from : from - to) + 1;
        uint32_t at[PLACES + 5], source[PLACES + 5];
        for (uint32_t i = 0; i < count; i++) {
            at[i] = low + i;
            source[i] = at[i] == to ? from : from < to ? at[i] + 1 : at[i] - 1;
        }
        assert_int_equal(sl_tree_move(one, a, SL_NODE_CLIP_SLOT, from, to), SL_OK);
        assert_int_equal(sl_tree_permute(other, b, SL_NODE_CLIP_SLOT, at, source, count), SL_OK);
        sl_tree_digest(one);
        sl_tree_digest(other);
        assert_true(sl_digest_equal(sl_tree_project(one)->whole, sl_tree_project(other)->whole));
        sl_tree_destroy(other);
        free_tree(one);
    }
}

static void test_tree_set_tells_old_and_changed(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *track = add(tree, sl_tree_project(tree), SL_NODE_TRACK, 0, 1);
    sl_value old;
    bool changed;
    assert_int_equal(sl_tree_set(tree, track, SL_ATTRIBUTE_NAME, sl_value_text("Bass", 4), &old, &changed), SL_OK);
    assert_true(changed);
    assert_int_equal(old.type, SL_VALUE_ABSENT);
    assert_int_equal(sl_tree_set(tree, track, SL_ATTRIBUTE_NAME, sl_value_text("Bass", 4), &old, &changed), SL_OK);
    assert_false(changed);
    assert_int_equal(sl_tree_set(tree, track, SL_ATTRIBUTE_NAME, sl_value_null(), &old, &changed), SL_OK);
    assert_true(changed);
    assert_memory_equal(old.as.text, "Bass", 4);
    assert_int_equal(sl_node_value(track, SL_ATTRIBUTE_NAME).type, SL_VALUE_ABSENT);
    free_tree(tree);
}

static sl_digest content_of(sl_tree *tree)
{
    sl_tree_digest(tree);
    return sl_tree_project(tree)->content;
}

static void test_tree_digest_knows_order(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *project = sl_tree_project(tree);
    sl_node *first = add(tree, project, SL_NODE_SCENE, 0, 1);
    sl_node *second = add(tree, project, SL_NODE_SCENE, 1, 2);
    assert_int_equal(sl_tree_set(tree, first, SL_ATTRIBUTE_NAME, sl_value_text("a", 1), NULL, NULL), SL_OK);
    assert_int_equal(sl_tree_set(tree, second, SL_ATTRIBUTE_NAME, sl_value_text("b", 1), NULL, NULL), SL_OK);
    sl_digest before = content_of(tree);
    static const uint32_t at[] = {0, 1}, from[] = {1, 0};
    assert_int_equal(sl_tree_permute(tree, project, SL_NODE_SCENE, at, from, 2), SL_OK);
    assert_false(sl_digest_equal(content_of(tree), before));
    assert_int_equal(sl_tree_permute(tree, project, SL_NODE_SCENE, at, from, 2), SL_OK);
    assert_true(sl_digest_equal(content_of(tree), before));
    free_tree(tree);
}

static void test_tree_content_digest_knows_no_ids_and_no_staleness(void **state)
{
    (void)state;
    sl_tree *one = make_tree();
    counted_memory other_memory = {0};
    sl_tree *other;
    assert_int_equal(sl_tree_create(counted_memory_of(&other_memory), &other), SL_OK);
    add(one, sl_tree_project(one), SL_NODE_TRACK, 0, 1);
    add(other, sl_tree_project(other), SL_NODE_TRACK, 0, 2);
    assert_int_equal(sl_tree_set(other, sl_tree_project(other), SL_ATTRIBUTE_IS_STALE, sl_value_bool(true), NULL, NULL),
                     SL_OK);
    assert_true(sl_digest_equal(content_of(one), content_of(other)));
    assert_false(sl_digest_equal(sl_tree_project(one)->whole, sl_tree_project(other)->whole));
    sl_tree_destroy(other);
    free_tree(one);
}

enum { PICTURE_BYTES = 1 << 20 };

/* The digests of a tree built anew from the other's picture. */
static void rebuild_digests(const sl_tree *tree, sl_digest *content, sl_digest *whole)
{
    uint8_t *bytes = malloc(PICTURE_BYTES);
    assert_non_null(bytes);
    sl_writer writer = {.bytes = bytes, .capacity = PICTURE_BYTES};
    assert_int_equal(sl_picture_write(tree, &writer), SL_OK);
    counted_memory other_memory = {0};
    sl_tree *other;
    sl_picture_error error;
    assert_int_equal(sl_tree_create(counted_memory_of(&other_memory), &other), SL_OK);
    assert_int_equal(sl_picture_build(bytes, writer.length, "x", other, &error), SL_OK);
    *content = content_of(other);
    *whole = sl_tree_project(other)->whole;
    sl_tree_destroy(other);
    free(bytes);
}

/* One random change of a tree with tracks, scenes and slots that stay in step. */
static void change_randomly(sl_tree *tree, uint64_t *seed, uint32_t *number)
{
    sl_node *project = sl_tree_project(tree);
    uint32_t tracks = sl_node_child_count(project, SL_NODE_TRACK);
    uint32_t scenes = sl_node_child_count(project, SL_NODE_SCENE);
    uint32_t track_position = random_below(seed, tracks), scene_position = random_below(seed, scenes);
    sl_node *track = sl_node_child(project, SL_NODE_TRACK, track_position);
    sl_node *slot = sl_node_child(track, SL_NODE_CLIP_SLOT, scene_position);
    switch (random_below(seed, 4)) {
    case 0:
        if (slot == NULL)
            add(tree, track, SL_NODE_CLIP_SLOT, scene_position, (*number)++);
        else
            sl_tree_remove(tree, slot, false);
        break;
    case 1:
        if (slot == NULL) return;
        assert_int_equal(sl_tree_set(tree, slot, SL_ATTRIBUTE_COLOR, sl_value_int((*number)++), NULL, NULL), SL_OK);
        break;
    case 2:
        add(tree, project, SL_NODE_SCENE, scene_position, (*number)++);
        for (uint32_t t = 0; t < tracks; t++)
            assert_int_equal(
                sl_tree_open_place(tree, sl_node_child(project, SL_NODE_TRACK, t), SL_NODE_CLIP_SLOT, scene_position),
                SL_OK);
        break;
    default:
        assert_int_equal(sl_tree_set(tree, track, SL_ATTRIBUTE_VOLUME, sl_value_float((*number)++ / 7.0), NULL, NULL),
                         SL_OK);
    }
}

/* What is brought up to date bit by bit is what a tree built at once has. */
static void test_tree_digest_is_never_stale(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    uint64_t seed = 2;
    uint32_t number = 0;
    for (uint32_t i = 0; i < 5; i++) add(tree, sl_tree_project(tree), SL_NODE_TRACK, i, number++);
    for (uint32_t i = 0; i < 40; i++) add(tree, sl_tree_project(tree), SL_NODE_SCENE, i, number++);
    for (int step = 0; step < 400; step++) {
        sl_tree_bury(tree);
        change_randomly(tree, &seed, &number);
        if (step % 3 == 0) continue;
        sl_digest content, whole;
        rebuild_digests(tree, &content, &whole);
        assert_true(sl_digest_equal(content_of(tree), content));
        assert_true(sl_digest_equal(sl_tree_project(tree)->whole, whole));
    }
    free_tree(tree);
}

static void test_picture_refuses_every_cut(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    sl_node *track = add(tree, sl_tree_project(tree), SL_NODE_TRACK, 0, 1);
    assert_int_equal(sl_tree_set(tree, track, SL_ATTRIBUTE_NAME, sl_value_text("Bass", 4), NULL, NULL), SL_OK);
    uint8_t bytes[256];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_picture_write(tree, &writer), SL_OK);
    sl_picture_error error;
    counted_memory other = {0};
    for (size_t length = 0; length < writer.length; length++)
        assert_int_equal(sl_picture_check(bytes, length, counted_memory_of(&other), &error), SL_ERR_REFUSED);
    assert_int_equal(sl_picture_check(bytes, writer.length, counted_memory_of(&other), &error), SL_OK);
    assert_int_equal(other.size_bytes, 0);
    free_tree(tree);
}

static void test_picture_refuses_a_slot_beyond_all_nodes(void **state)
{
    (void)state;
    uint8_t bytes[256];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_picture_writer picture;
    sl_picture_begin(&picture, &writer);
    sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "", 0);
    sl_picture_node(&picture, SL_NODE_TRACK, 1, 0, "", 0);
    sl_picture_node(&picture, SL_NODE_CLIP_SLOT, 2, SL_POSITION_MAX - 1, "", 0);
    sl_picture_end(&picture);
    assert_false(writer.bad);
    sl_picture_error error;
    counted_memory counted = {0};
    assert_int_equal(sl_picture_check(bytes, writer.length, counted_memory_of(&counted), &error), SL_ERR_REFUSED);
    assert_string_equal(error.what, "a clip_slot whose scene does not exist");
    assert_true(counted.call_count < 1000);
}

static void test_picture_write_full(void **state)
{
    (void)state;
    sl_tree *tree = make_tree();
    uint8_t bytes[4];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    assert_int_equal(sl_picture_write(tree, &writer), SL_ERR_FULL);
    free_tree(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_create_has_project),
        cmocka_unit_test(test_tree_create_without_memory),
        cmocka_unit_test(test_tree_list_like_array),
        cmocka_unit_test(test_tree_removed_id_is_free),
        cmocka_unit_test(test_tree_find_path),
        cmocka_unit_test(test_tree_empty_places_move),
        cmocka_unit_test(test_tree_permute_moves_beyond_the_end),
        cmocka_unit_test(test_tree_move_like_permute),
        cmocka_unit_test(test_tree_set_tells_old_and_changed),
        cmocka_unit_test(test_tree_digest_knows_order),
        cmocka_unit_test(test_tree_content_digest_knows_no_ids_and_no_staleness),
        cmocka_unit_test(test_tree_digest_is_never_stale),
        cmocka_unit_test(test_picture_refuses_every_cut),
        cmocka_unit_test(test_picture_refuses_a_slot_beyond_all_nodes),
        cmocka_unit_test(test_picture_write_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
