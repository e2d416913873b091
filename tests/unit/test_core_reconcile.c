/* A save beside live events: what came after it wins, what it does not tell is kept, ids stay. */
#include "tests/unit/cmocka_small.h"

#include "core/message.h"
#include "core/payload.h"
#include "core/picture.h"
#include "core/state_codec.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/osc_builder.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)

enum { LIVE = 1, PROJECT = 2, TRACKS_MAX = 4 };

typedef struct bench {
    counted_memory memory;
    sl_state *state;
    sl_text told; /* what subscribers get */
    uint64_t now_ns;
    int64_t number; /* of the next live event */
    sl_err err;     /* of the first event that failed */
} bench;

static void tell(void *ctx, const sl_state *state, const sl_effect *effect)
{
    bench *bench = ctx;
    sl_message_effect(&bench->told, state, effect);
    sl_message_close(&bench->told, 0);
}

static void take(bench *bench, sl_event event)
{
    sl_output output = {.tell = tell, .ctx = bench};
    if (bench->err != SL_OK) return;
    event.seq = sl_state_seq(bench->state) + 1;
    event.time_ns = bench->now_ns;
    if (event.session == 0) event.session = 1;
    if (event.version == 0) event.version = SL_PAYLOAD_VERSION;
    if (event.kind != SL_KIND_OSC) event.source_seq = SL_SOURCE_SEQ_NONE;
    bench->err = sl_reduce(bench->state, &event, &output);
}

static void name_source(bench *bench, uint32_t source, sl_input input)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_session session = {.input = (uint8_t)input, .name = "name", .name_length = 4};
    assert_int_equal(sl_session_encode(&session, &writer), SL_OK);
    take(bench, (sl_event){.kind = SL_KIND_SESSION,
                           .version = SL_SESSION_VERSION,
                           .source = source,
                           .payload = bytes,
                           .length = (uint32_t)writer.length});
}

static void start(bench *bench)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_start begun = {.reducer_version = SL_REDUCER_VERSION, .program = "test", .program_length = 4, .options = ""};
    assert_int_equal(sl_start_encode(&begun, &writer), SL_OK);
    bench->now_ns = 0;
    take(bench, (sl_event){.kind = SL_KIND_START, .payload = bytes, .length = (uint32_t)writer.length});
}

static void open_bench(bench *bench)
{
    bench->now_ns = 10 * SECOND;
    sl_text_open(&bench->told, counted_memory_of(&bench->memory));
    bench->err = sl_state_create(counted_memory_of(&bench->memory), &bench->state);
    name_source(bench, LIVE, SL_INPUT_OSC);
}

static void close_bench(bench *bench)
{
    sl_state_destroy(bench->state);
    sl_text_close(&bench->told);
    assert_int_equal(bench->memory.size_bytes, 0);
}

static void setup(bench *bench)
{
    *bench = (struct bench){0};
    open_bench(bench);
    name_source(bench, PROJECT, SL_INPUT_PROJECT);
}

static void teardown(bench *bench)
{
    assert_int_equal(bench->err, SL_OK);
    close_bench(bench);
}

static void live(bench *bench, const char *path, const char *tags, ...)
{
    osc_builder packet = {0};
    va_list list;
    va_start(list, tags);
    osc_message(&packet, bench->number, path, tags, list);
    va_end(list);
    take(bench, (sl_event){.kind = SL_KIND_OSC,
                           .source = LIVE,
                           .source_seq = (uint64_t)bench->number++,
                           .payload = packet.bytes,
                           .length = (uint32_t)packet.length});
}

static void add_track(sl_picture_writer *picture, uint32_t number, const char *name)
{
    char id[] = "track-live-0";
    id[sizeof id - 2] = (char)('0' + number);
    sl_picture_node(picture, SL_NODE_TRACK, 1, 0, id, sizeof id - 1);
    sl_value value = sl_value_text(name, strlen(name));
    sl_picture_attribute(picture, SL_ATTRIBUTE_NAME, &value);
    sl_value muted = sl_value_bool(false);
    sl_picture_attribute(picture, SL_ATTRIBUTE_IS_MUTED, &muted);
}

/* A set with these tracks, "AB" (each of one letter, which is its name, with Live's id of its place in the alphabet),
 * written at `saved_ns`; as a snapshot if that is NULL. */
static void show(bench *bench, const char *tracks, const uint64_t *saved_ns)
{
    uint8_t bytes[1024];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_picture_writer picture;
    if (saved_ns != NULL) sl_write_le(&writer, *saved_ns, 8);
    sl_picture_begin(&picture, &writer);
    sl_picture_node(&picture, SL_NODE_PROJECT, 0, 0, "project", 7);
    for (const char *at = tracks; *at != '\0'; at++)
        add_track(&picture, (uint32_t)(*at - 'A'), (const char[]){*at, '\0'});
    sl_picture_end(&picture);
    take(bench, (sl_event){.kind = SL_KIND_PICTURE,
                           .version = saved_ns != NULL ? SL_PICTURE_SAVE_VERSION : SL_PICTURE_VERSION,
                           .source = saved_ns != NULL ? PROJECT : LIVE,
                           .payload = bytes,
                           .length = (uint32_t)writer.length});
}

static void save(bench *bench, const char *tracks, uint64_t saved_ns)
{
    show(bench, tracks, &saved_ns);
}

static const sl_node *track(const bench *bench, uint32_t position)
{
    return sl_node_child(sl_tree_project(sl_state_tree_view(bench->state)), SL_NODE_TRACK, position);
}

static void assert_tracks(const bench *bench, const char *names)
{
    const sl_node *project = sl_tree_project(sl_state_tree_view(bench->state));
    assert_int_equal(sl_node_child_count(project, SL_NODE_TRACK), strlen(names));
    for (uint32_t i = 0; names[i] != '\0'; i++) {
        sl_value name = sl_node_value(track(bench, i), SL_ATTRIBUTE_NAME);
        assert_int_equal(name.length, 1);
        assert_int_equal(name.as.text[0], names[i]);
    }
}

static void assert_id(const sl_node *node, const char *id)
{
    assert_int_equal(node->id_length, strlen(id));
    assert_memory_equal(node->id, id, node->id_length);
}

static bool is_true(const sl_node *node, sl_attribute attribute)
{
    sl_value value = sl_node_value(node, attribute);
    return value.type == SL_VALUE_BOOL && value.as.integer != 0;
}

static void assert_stale(const bench *bench, const char *reason)
{
    const sl_node *project = sl_tree_project(sl_state_tree_view(bench->state));
    sl_value why = sl_node_value(project, SL_ATTRIBUTE_STALE_REASON);
    assert_int_equal(is_true(project, SL_ATTRIBUTE_IS_STALE), reason != NULL);
    if (reason == NULL) return;
    assert_int_equal(why.length, strlen(reason));
    assert_memory_equal(why.as.text, reason, why.length);
}

#define FORGOTTEN "live events since the save are forgotten"

static void test_reconcile_lets_the_later_win(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "AB", 0);
    bench.now_ns = 20 * SECOND;
    live(&bench, "/live/track/mute", "iT", 0);
    bench.now_ns = 30 * SECOND;
    live(&bench, "/live/track/mute", "iT", 1);
    bench.now_ns = 40 * SECOND;
    save(&bench, "AB", 20 * SECOND);
    assert_false(is_true(track(&bench, 0), SL_ATTRIBUTE_IS_MUTED));
    assert_true(is_true(track(&bench, 1), SL_ATTRIBUTE_IS_MUTED));
    assert_stale(&bench, NULL);
    teardown(&bench);
}

static void test_reconcile_applies_what_came_went_and_moved(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "AB", 0);
    live(&bench, "/live/track/added", "is", 1, "X");
    live(&bench, "/live/track/deleted", "i", 0);
    assert_tracks(&bench, "XB");
    sl_digest before, after;
    sl_state_digests(bench.state, &before, NULL);
    sl_text_clear(&bench.told);
    save(&bench, "AB", SECOND);
    sl_state_digests(bench.state, &after, NULL);
    assert_tracks(&bench, "XB");
    assert_true(sl_digest_equal(before, after));
    assert_int_equal(bench.told.length, 0); /* nothing changed, so nothing is told */
    teardown(&bench);
}

static void test_reconcile_applies_events_to_what_the_save_added(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "A", 0);
    live(&bench, "/live/track/mute", "iT", 1); /* no such track yet */
    save(&bench, "AB", SECOND);
    assert_true(is_true(track(&bench, 1), SL_ATTRIBUTE_IS_MUTED));
    assert_int_equal(sl_state_source(bench.state, LIVE)->refused[SL_REFUSAL_INDEX], 1);
    teardown(&bench);
}

static void test_reconcile_keeps_what_no_save_holds(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "A", 0);
    live(&bench, "/live/track/volume", "if", 0, 0.5);
    live(&bench, "/live/transport/play", "T");
    bench.now_ns += SECOND;
    save(&bench, "A", bench.now_ns);
    assert_true(sl_node_value(track(&bench, 0), SL_ATTRIBUTE_VOLUME).as.number == 0.5);
    assert_true(is_true(sl_tree_project(sl_state_tree_view(bench.state)), SL_ATTRIBUTE_IS_PLAYING));
    teardown(&bench);
}

static void test_reconcile_keeps_ids_that_live_events_gave(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    live(&bench, "/live/track/added", "is", 0, "B");
    live(&bench, "/live/track/added", "is", 1, "A");
    bench.now_ns += SECOND;
    save(&bench, "ABC", bench.now_ns); /* A and B changed places since; C is new */
    assert_tracks(&bench, "ABC");
    assert_id(track(&bench, 0), "track-1-1-1-0");
    assert_id(track(&bench, 1), "track-1-1-0-0");
    assert_id(track(&bench, 2), "track-live-2");
    bench.now_ns += SECOND;
    save(&bench, "AB", bench.now_ns);
    assert_id(track(&bench, 0), "track-1-1-1-0");
    teardown(&bench);
}

static void test_reconcile_does_not_mistake_one_node_for_another(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    live(&bench, "/live/track/added", "is", 0, "X");
    bench.now_ns += SECOND;
    save(&bench, "A", bench.now_ns);
    assert_id(track(&bench, 0), "track-live-0");
    teardown(&bench);
}

static void test_reconcile_forgets_after_a_minute(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "A", 0);
    live(&bench, "/live/track/mute", "iT", 0);
    bench.now_ns += 61 * SECOND;
    live(&bench, "/live/track/solo", "iT", 0);
    save(&bench, "A", SECOND);
    assert_true(is_true(track(&bench, 0), SL_ATTRIBUTE_IS_SOLOED));
    assert_stale(&bench, FORGOTTEN);
    save(&bench, "A", 10 * SECOND); /* nothing that came after it is forgotten */
    assert_stale(&bench, NULL);
    teardown(&bench);
}

static void test_reconcile_remembers_so_many(void **state)
{
    (void)state;
    bench bench;
    enum { REMEMBERED = 4096 };
    setup(&bench);
    save(&bench, "A", 0);
    for (int i = 0; i < REMEMBERED; i++) live(&bench, "/live/track/color", "ii", 0, i);
    save(&bench, "A", SECOND);
    assert_stale(&bench, NULL);
    assert_int_equal(sl_node_value(track(&bench, 0), SL_ATTRIBUTE_COLOR).as.integer, REMEMBERED - 1);
    live(&bench, "/live/track/color", "ii", 0, REMEMBERED);
    save(&bench, "A", SECOND);
    assert_stale(&bench, FORGOTTEN);
    teardown(&bench);
}

static void test_reconcile_of_a_new_run_begins_anew(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "A", 0);
    live(&bench, "/live/track/mute", "iT", 0);
    start(&bench);
    name_source(&bench, PROJECT, SL_INPUT_PROJECT);
    bench.now_ns = SECOND;
    save(&bench, "A", 0);
    assert_false(is_true(track(&bench, 0), SL_ATTRIBUTE_IS_MUTED));
    assert_stale(&bench, NULL);
    teardown(&bench);
}

static void test_reconcile_without_a_project_remembers_nothing(void **state)
{
    (void)state;
    bench bench = {0};
    open_bench(&bench);
    live(&bench, "/live/track/added", "is", 0, "X");
    save(&bench, "A", 0);
    assert_tracks(&bench, "A");
    teardown(&bench);
}

static void test_reconcile_of_a_save_older_than_a_snapshot_is_stale(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "A", 0);
    bench.now_ns = 20 * SECOND;
    show(&bench, "AB", NULL);
    bench.now_ns = 21 * SECOND;
    save(&bench, "A", 15 * SECOND);
    assert_stale(&bench, FORGOTTEN);
    save(&bench, "AB", 20 * SECOND);
    assert_stale(&bench, NULL);
    teardown(&bench);
}

static void test_reconcile_goes_on_after_saving_and_loading(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "AB", 0);
    live(&bench, "/live/track/added", "is", 0, "X");
    live(&bench, "/live/track/mute", "iT", 1);
    sl_text saved;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    sl_state *loaded;
    assert_int_equal(
        sl_state_load((const uint8_t *)saved.bytes, saved.length, counted_memory_of(&bench.memory), &loaded), SL_OK);
    sl_text_close(&saved);
    struct bench other = {.state = loaded, .now_ns = bench.now_ns, .number = bench.number};
    sl_text_open(&other.told, counted_memory_of(&bench.memory));
    save(&bench, "ABC", SECOND);
    save(&other, "ABC", SECOND);
    assert_tracks(&other, "XABC");
    sl_digest one, two;
    sl_state_digests(bench.state, NULL, &one);
    sl_state_digests(other.state, NULL, &two);
    assert_true(sl_digest_equal(one, two));
    sl_state_destroy(loaded);
    sl_text_close(&other.told);
    teardown(&bench);
}

static void refuse_save(bench *bench)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_refused refused = {.kind = SL_KIND_SAVE, .reason = "A.als: \"no\"", .reason_length = 11};
    assert_int_equal(sl_refused_encode(&refused, &writer), SL_OK);
    take(bench,
         (sl_event){.kind = SL_KIND_REFUSED, .source = PROJECT, .payload = bytes, .length = (uint32_t)writer.length});
}

static void put_file(bench *bench, const char *bytes)
{
    uint8_t payload[64];
    sl_writer writer = {.bytes = payload, .capacity = sizeof payload};
    const sl_save save = {.path = "A.als", .path_length = 5, .bytes = (const uint8_t *)bytes, .length = strlen(bytes)};
    assert_int_equal(sl_save_encode(&save, &writer), SL_OK);
    take(bench,
         (sl_event){.kind = SL_KIND_SAVE, .source = PROJECT, .payload = payload, .length = (uint32_t)writer.length});
}

static void assert_last_save(const sl_state *state, const char *bytes)
{
    const sl_digest expected = bytes != NULL ? sl_digest_bytes(bytes, strlen(bytes)) : (sl_digest){0};
    assert_true(sl_digest_equal(sl_state_last_save(state), expected));
}

/* Killed between the two events, serve reads the file once more. */
static void test_reconcile_knows_a_save_only_with_what_was_made_of_it(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    assert_last_save(bench.state, NULL);
    put_file(&bench, "one");
    assert_last_save(bench.state, NULL);
    sl_text saved;
    sl_text_open(&saved, counted_memory_of(&bench.memory));
    assert_int_equal(sl_state_save(bench.state, &saved), SL_OK);
    sl_state *loaded;
    assert_int_equal(
        sl_state_load((const uint8_t *)saved.bytes, saved.length, counted_memory_of(&bench.memory), &loaded), SL_OK);
    sl_text_close(&saved);
    assert_last_save(loaded, NULL);
    sl_state_destroy(loaded);
    save(&bench, "AB", 0);
    assert_last_save(bench.state, "one");
    put_file(&bench, "two");
    refuse_save(&bench);
    assert_last_save(bench.state, "two");
    teardown(&bench);
}

static void test_reconcile_of_a_refused_save_changes_nothing_and_says_so(void **state)
{
    (void)state;
    bench bench;
    setup(&bench);
    save(&bench, "AB", 0);
    sl_text_clear(&bench.told);
    refuse_save(&bench);
    static const char expected[] = "{\"type\":\"ERROR\",\"payload\":{\"error\":\"project file refused\","
                                   "\"details\":\"A.als: \\\"no\\\"\"}}";
    assert_int_equal(bench.told.length, sizeof expected - 1);
    assert_memory_equal(bench.told.bytes, expected, sizeof expected - 1);
    assert_tracks(&bench, "AB");
    teardown(&bench);
}

/* Wherever memory runs out, it is said, and all is given back. */
static void test_reconcile_with_failing_memory(void **state)
{
    (void)state;
    sl_err err = SL_ERR_MEMORY;
    for (uint64_t fail_at = 1; err == SL_ERR_MEMORY && fail_at < 1000; fail_at++) {
        bench bench = {.memory = {.fail_at = fail_at}};
        open_bench(&bench);
        name_source(&bench, PROJECT, SL_INPUT_PROJECT);
        live(&bench, "/live/track/added", "is", 0, "B");
        save(&bench, "AB", 0);
        live(&bench, "/live/track/mute", "iT", 0);
        save(&bench, "CAB", SECOND);
        err = bench.err;
        close_bench(&bench);
    }
    assert_int_equal(err, SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reconcile_lets_the_later_win),
        cmocka_unit_test(test_reconcile_applies_what_came_went_and_moved),
        cmocka_unit_test(test_reconcile_applies_events_to_what_the_save_added),
        cmocka_unit_test(test_reconcile_keeps_what_no_save_holds),
        cmocka_unit_test(test_reconcile_keeps_ids_that_live_events_gave),
        cmocka_unit_test(test_reconcile_does_not_mistake_one_node_for_another),
        cmocka_unit_test(test_reconcile_forgets_after_a_minute),
        cmocka_unit_test(test_reconcile_remembers_so_many),
        cmocka_unit_test(test_reconcile_of_a_new_run_begins_anew),
        cmocka_unit_test(test_reconcile_without_a_project_remembers_nothing),
        cmocka_unit_test(test_reconcile_of_a_save_older_than_a_snapshot_is_stale),
        cmocka_unit_test(test_reconcile_goes_on_after_saving_and_loading),
        cmocka_unit_test(test_reconcile_knows_a_save_only_with_what_was_made_of_it),
        cmocka_unit_test(test_reconcile_of_a_refused_save_changes_nothing_and_says_so),
        cmocka_unit_test(test_reconcile_with_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
