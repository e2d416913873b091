/* States near a moment: from snapshots that prove themselves, from the beginning of a log, pruned or not. */
#include "tools/symlog/nearest.h"

#include "core/bytes.h"
#include "core/payload.h"
#include "core/state_codec.h"
#include "tests/unit/store_fixture.h"
#include "tools/symlog/beginning.h"
#include "tools/symlog/host.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/prune.h"

enum { EVENTS = 100, VERSION_AT = 12 /* of the reducer's version in a base's payload */ };

typedef struct fixture {
    void *dir; /* a path, see store_fixture.h */
    sl_log *log;
    sl_snapshots *snapshots;
    sl_nearest from;
    sl_digest digests[EVENTS + 1]; /* of the state after each event */
    uint64_t reported;             /* the snapshot that was told of last */
    unsigned report_count;
} fixture;

static void on_bad(void *ctx, uint64_t seq, const char *reason)
{
    fixture *fixture = ctx;
    fixture->reported = seq;
    fixture->report_count++;
    assert_true(strlen(reason) > 0);
}

/* Event `seq`: each names another source, so that every state differs. */
static void append_session(sl_log *log, uint64_t seq)
{
    char name[32];
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const int length = snprintf(name, sizeof name, "127.0.0.1:%d", (int)seq);
    const sl_session session = {.input = SL_INPUT_OSC, .name = name, .name_length = (size_t)length};
    assert_int_equal(sl_session_encode(&session, &writer), SL_OK);
    const sl_event draft = {.kind = SL_KIND_SESSION,
                            .version = SL_SESSION_VERSION,
                            .source = (uint32_t)(seq % 8 + 1),
                            .session = seq,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = bytes,
                            .length = (uint32_t)writer.length};
    assert_int_equal(sl_log_append(log, &draft, 1, NULL), SL_OK);
}

static void note_digests(fixture *fixture)
{
    sl_state *state = NULL;
    sl_log_reader *reader = reader_from(fixture->log, 1);
    assert_int_equal(sl_state_create(sl_host_memory(), &state), SL_OK);
    for (uint64_t seq = 0; seq <= EVENTS; seq++) {
        sl_event event;
        sl_state_digests(state, NULL, &fixture->digests[seq]);
        if (seq == EVENTS) break;
        assert_int_equal(sl_log_read(reader, &event), SL_OK);
        assert_int_equal(sl_reduce(state, &event, NULL), SL_OK);
    }
    sl_log_reader_close(reader);
    sl_state_destroy(state);
}

static int set_up(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    char errmsg[256];
    assert_non_null(fixture);
    assert_int_equal(make_dir(&fixture->dir), 0);
    fixture->log =
        open_with(&(sl_log_options){.dir = fixture->dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    for (uint64_t seq = 1; seq <= EVENTS; seq++) append_session(fixture->log, seq);
    const sl_snapshots_options options = {.dir = fixture->dir, .log_id = sl_log_id(fixture->log), .is_writer = true};
    assert_int_equal(sl_snapshots_open(&fixture->snapshots, &options, NULL, errmsg), SL_OK);
    fixture->from =
        (sl_nearest){.log = fixture->log, .snapshots = fixture->snapshots, .report = on_bad, .ctx = fixture};
    note_digests(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture *fixture = *state;
    sl_snapshots_close(fixture->snapshots);
    sl_log_close(fixture->log);
    int failed = remove_dir(&fixture->dir);
    free(fixture);
    return failed;
}

static void expect_state(const fixture *fixture, sl_state *state, uint64_t seq)
{
    sl_digest digest;
    assert_int_equal(sl_state_seq(state), seq);
    sl_state_digests(state, NULL, &digest);
    assert_true(sl_digest_equal(digest, fixture->digests[seq]));
    sl_state_destroy(state);
}

static void expect_nearest(const fixture *fixture, uint64_t seq, uint64_t wanted)
{
    char errmsg[256];
    sl_state *state = NULL;
    assert_int_equal(sl_nearest_state(&fixture->from, seq, &state, errmsg), SL_OK);
    expect_state(fixture, state, wanted);
}

static void expect_reach(const fixture *fixture, uint64_t seq)
{
    char errmsg[256];
    sl_state *state = NULL;
    assert_int_equal(sl_nearest_reach(&fixture->from, seq, NULL, &state, errmsg), SL_OK);
    expect_state(fixture, state, seq);
}

/* What the beginning of a state gives; a sentence with `hint` where it fails. */
static sl_err begin(const fixture *fixture, uint64_t wanted, const char *hint)
{
    char errmsg[256];
    sl_state *state = NULL;
    sl_err err = sl_beginning_state(fixture->log, &state, errmsg);
    if (err == SL_OK) expect_state(fixture, state, wanted);
    if (err != SL_OK) assert_non_null(strstr(errmsg, hint));
    return err;
}

static void take_snapshot(const fixture *fixture, uint64_t seq)
{
    char errmsg[256];
    sl_state *state = NULL;
    assert_int_equal(sl_nearest_reach(&fixture->from, seq, NULL, &state, errmsg), SL_OK);
    assert_int_equal(sl_keeper_take(fixture->snapshots, state), SL_OK);
    sl_state_destroy(state);
}

/* Appends a base, whose payload it gives to `change` first (NULL: as it is). */
static void append_base(const fixture *fixture, uint64_t before, void (*change)(sl_text *payload))
{
    char errmsg[256];
    sl_text payload;
    sl_text_open(&payload, sl_host_memory());
    assert_int_equal(sl_prune_make_base(&fixture->from, before, NULL, &payload, errmsg), SL_OK);
    if (change != NULL) change(&payload);
    const sl_event draft = {.kind = SL_KIND_BASE,
                            .version = SL_PAYLOAD_VERSION,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = (const uint8_t *)payload.bytes,
                            .length = (uint32_t)payload.length};
    assert_int_equal(sl_log_append(fixture->log, &draft, 1, NULL), SL_OK);
    sl_text_close(&payload);
}

static void raise_version(sl_text *payload)
{
    sl_put_le((uint8_t *)payload->bytes + VERSION_AT, SL_REDUCER_VERSION + 1, 4);
}

static void cut_short(sl_text *payload)
{
    payload->length -= 10;
}

static void delete_some(const fixture *fixture, size_t max)
{
    bool is_done = false;
    assert_int_equal(sl_log_delete_some(fixture->log, max, &is_done), SL_OK);
}

static void test_nearest_without_snapshots_is_the_beginning(void **state)
{
    fixture *fixture = *state;
    expect_nearest(fixture, EVENTS, 0);
    fixture->from.snapshots = NULL;
    expect_nearest(fixture, 0, 0);
    expect_reach(fixture, 50);
}

static void test_nearest_is_the_newest_snapshot_at_or_before(void **state)
{
    fixture *fixture = *state;
    take_snapshot(fixture, 20);
    take_snapshot(fixture, 60);
    expect_nearest(fixture, 19, 0);
    expect_nearest(fixture, 20, 20);
    expect_nearest(fixture, 59, 20);
    expect_nearest(fixture, EVENTS, 60);
    for (uint64_t seq = 0; seq <= EVENTS; seq++) expect_reach(fixture, seq);
    assert_int_equal(fixture->report_count, 0);
}

static void test_nearest_passes_over_a_state_that_is_not_what_it_says(void **state)
{
    fixture *fixture = *state;
    sl_text bytes;
    char errmsg[256];
    sl_state *other = NULL;
    take_snapshot(fixture, 20);
    sl_text_open(&bytes, sl_host_memory());
    assert_int_equal(sl_nearest_reach(&fixture->from, 50, NULL, &other, errmsg), SL_OK);
    assert_int_equal(sl_state_save(other, &bytes), SL_OK);
    const sl_snapshot wrong_digest = {.seq = 50, .reducer_version = SL_REDUCER_VERSION, .digest = {.low = 1}};
    assert_int_equal(sl_snapshots_put(fixture->snapshots, &wrong_digest, bytes.bytes, bytes.length), SL_OK);
    expect_nearest(fixture, EVENTS, 20);
    assert_int_equal(fixture->reported, 50);

    sl_snapshot wrong_seq = {.seq = 70, .reducer_version = SL_REDUCER_VERSION};
    sl_state_digests(other, NULL, &wrong_seq.digest);
    assert_int_equal(sl_snapshots_put(fixture->snapshots, &wrong_seq, bytes.bytes, bytes.length), SL_OK);
    expect_nearest(fixture, 80, 20);
    assert_int_equal(fixture->report_count, 3);
    sl_state_destroy(other);
    sl_text_close(&bytes);
}

static void test_nearest_passes_over_malformed_bytes(void **state)
{
    fixture *fixture = *state;
    const sl_snapshot snapshot = {.seq = 50, .reducer_version = SL_REDUCER_VERSION};
    assert_int_equal(sl_snapshots_put(fixture->snapshots, &snapshot, "no state", 8), SL_OK);
    expect_nearest(fixture, EVENTS, 0);
    assert_int_equal(fixture->reported, 50);
    expect_reach(fixture, EVENTS);
}

static void test_nearest_reach_beyond_the_end(void **state)
{
    fixture *fixture = *state;
    char errmsg[256];
    sl_state *reached = NULL;
    assert_int_equal(sl_nearest_reach(&fixture->from, EVENTS + 1, NULL, &reached, errmsg), SL_ERR_END);
    assert_null(reached);
}

static void test_nearest_cancelled(void **state)
{
    fixture *fixture = *state;
    char errmsg[256];
    _Atomic bool is_cancelled = true;
    sl_state *reached = NULL;
    assert_int_equal(sl_nearest_reach(&fixture->from, EVENTS, &is_cancelled, &reached, errmsg), SL_ERR_END);
    assert_null(reached);
}

static void test_nearest_in_a_pruned_log(void **state)
{
    fixture *fixture = *state;
    char errmsg[256];
    sl_state *found = NULL;
    take_snapshot(fixture, 20);
    take_snapshot(fixture, 60);
    append_base(fixture, 41, NULL);
    for (int round = 0; round < 2; round++) { /* as soon as the base is there, and when all is deleted */
        assert_int_equal(begin(fixture, 40, ""), SL_OK);
        assert_int_equal(sl_nearest_state(&fixture->from, 39, &found, errmsg), SL_ERR_RANGE);
        assert_non_null(strstr(errmsg, "before event 41 was pruned"));
        expect_nearest(fixture, 40, 40);
        expect_nearest(fixture, 59, 40);
        for (uint64_t seq = 40; seq <= EVENTS; seq++) expect_reach(fixture, seq);
        delete_some(fixture, EVENTS);
    }
}

static void test_nearest_base_of_another_version(void **state)
{
    fixture *fixture = *state;
    append_base(fixture, 41, raise_version);
    assert_int_equal(begin(fixture, 0, ""), SL_OK); /* the old events are still there */
    expect_reach(fixture, 50);
    delete_some(fixture, 1);
    assert_int_equal(begin(fixture, 0, "another version of symlog"), SL_ERR_VERSION);
}

static void test_nearest_base_that_cannot_be_loaded(void **state)
{
    fixture *fixture = *state;
    append_base(fixture, 41, cut_short);
    assert_int_equal(begin(fixture, 0, "cannot be loaded"), SL_ERR_MALFORMED);
}

static sl_err make_base(const fixture *fixture, uint64_t before, const char *hint)
{
    char errmsg[256] = "";
    sl_text payload;
    sl_text_open(&payload, sl_host_memory());
    sl_err err = sl_prune_make_base(&fixture->from, before, NULL, &payload, errmsg);
    assert_non_null(strstr(errmsg, hint));
    sl_text_close(&payload);
    return err;
}

static void append_checkpoint(const fixture *fixture, uint64_t through, uint64_t digest_of, uint32_t version)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_checkpoint checkpoint = {
        .through_seq = through, .reducer_version = version, .digest = fixture->digests[digest_of]};
    assert_int_equal(sl_checkpoint_encode(&checkpoint, &writer), SL_OK);
    const sl_event draft = {.kind = SL_KIND_CHECKPOINT,
                            .version = SL_PAYLOAD_VERSION,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = bytes,
                            .length = (uint32_t)writer.length};
    assert_int_equal(sl_log_append(fixture->log, &draft, 1, NULL), SL_OK);
}

static void test_prune_base_out_of_range(void **state)
{
    const fixture *fixture = *state;
    assert_int_equal(make_base(fixture, 1, "begins with event 1"), SL_ERR_RANGE);
    assert_int_equal(make_base(fixture, EVENTS + 2, "ends with event 100"), SL_ERR_RANGE);
    assert_int_equal(make_base(fixture, EVENTS + 1, ""), SL_OK);
    append_base(fixture, 41, NULL);
    assert_int_equal(make_base(fixture, 41, "begins with event 41"), SL_ERR_RANGE);
    assert_int_equal(make_base(fixture, 42, ""), SL_OK);
}

static void test_prune_base_proven_by_checkpoints(void **state)
{
    const fixture *fixture = *state;
    append_checkpoint(fixture, 30, 30, SL_REDUCER_VERSION);
    append_checkpoint(fixture, 35, 1, SL_REDUCER_VERSION + 1); /* not comparable */
    append_checkpoint(fixture, 60, 1, SL_REDUCER_VERSION);     /* of what stays */
    assert_int_equal(make_base(fixture, 41, ""), SL_OK);
}

static void test_prune_base_that_a_checkpoint_denies(void **state)
{
    const fixture *fixture = *state;
    append_checkpoint(fixture, 40, 39, SL_REDUCER_VERSION);
    assert_int_equal(make_base(fixture, 40, ""), SL_OK);
    assert_int_equal(make_base(fixture, 41, "symlog verify"), SL_ERR_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nearest_without_snapshots_is_the_beginning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_is_the_newest_snapshot_at_or_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_passes_over_a_state_that_is_not_what_it_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_passes_over_malformed_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_reach_beyond_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_in_a_pruned_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_base_of_another_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nearest_base_that_cannot_be_loaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prune_base_out_of_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prune_base_proven_by_checkpoints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prune_base_that_a_checkpoint_denies, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
