/* The committer: order between the ring and the queue, the queue's bound, stopping, and a log that fails. */
#include "tools/symlog/committer.h"

#include "core/bytes.h"
#include "core/payload.h"
#include "tests/unit/store_fixture.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct fixture {
    void *dir; /* a path, see store_fixture.h */
    sl_log *log;
    sl_ring *ring;
    sl_committer *committer;
    int wake_fd;
    _Atomic size_t told;    /* drafts */
    _Atomic bool is_failed; /* told so */
} fixture;

static void tell(void *ctx, const sl_event *drafts, size_t count)
{
    fixture *fixture = ctx;
    if (drafts == NULL) atomic_store(&fixture->is_failed, true);
    atomic_fetch_add(&fixture->told, count);
}

static fixture *set_up(size_t map_size_bytes)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(make_dir(&fixture->dir), 0);
    const sl_log_options options = {
        .dir = fixture->dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS, .map_size_bytes = map_size_bytes};
    fixture->log = open_with(&options);
    assert_int_equal(sl_ring_create(8 << 20, &fixture->ring), SL_OK);
    fixture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(fixture->wake_fd >= 0);
    return fixture;
}

static void start(fixture *fixture)
{
    const sl_committer_options options = {
        .log = fixture->log, .ring = fixture->ring, .wake_fd = fixture->wake_fd, .tell = tell, .ctx = fixture};
    assert_int_equal(sl_committer_start(&fixture->committer, &options), SL_OK);
}

static void tear_down(fixture *fixture)
{
    sl_log_close(fixture->log);
    sl_ring_destroy(fixture->ring);
    close(fixture->wake_fd);
    assert_int_equal(remove_dir(&fixture->dir), 0);
    free(fixture);
}

static sl_event mark_of(const char *text)
{
    return (sl_event){.kind = SL_KIND_MARK,
                      .version = 1,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = (const uint8_t *)text,
                      .length = (uint32_t)strlen(text)};
}

static void put_into_ring(fixture *fixture, const char *text)
{
    const sl_event draft = mark_of(text);
    assert_int_equal(sl_ring_put(fixture->ring, &draft), SL_OK);
}

static sl_err put_into_queue(fixture *fixture, const char *text)
{
    const sl_sink sink = sl_committer_sink(fixture->committer);
    const sl_event draft = mark_of(text);
    return sink.put(sink.ctx, &draft);
}

static void expect_event(sl_log_reader *reader, const char *text)
{
    sl_event event;
    assert_int_equal(sl_log_read(reader, &event), SL_OK);
    assert_int_equal(event.length, strlen(text));
    assert_memory_equal(event.payload, text, event.length);
}

static void test_committer_queue_follows_what_was_in_the_ring(void **state)
{
    (void)state;
    fixture *fixture = set_up(0);
    enum { COUNT = 3 * SL_COMMITTER_BATCH_EVENTS };
    for (int i = 0; i < COUNT; i++) put_into_ring(fixture, "part");
    start(fixture);
    assert_int_equal(put_into_queue(fixture, "picture"), SL_OK);
    assert_true(sl_committer_stop(fixture->committer));
    assert_int_equal(fixture->told, COUNT + 1);

    sl_log_reader *reader = NULL;
    assert_int_equal(sl_log_reader_open(fixture->log, 1, &reader), SL_OK);
    for (int i = 0; i < COUNT; i++) expect_event(reader, "part");
    expect_event(reader, "picture");
    sl_log_reader_close(reader);
    tear_down(fixture);
}

static void test_committer_queue_is_bounded(void **state)
{
    (void)state;
    fixture *fixture = set_up(0);
    start(fixture);
    size_t taken = 0;
    sl_err err = SL_OK;
    for (size_t i = 0; i < 200000 && err == SL_OK; i++) {
        err = put_into_queue(fixture, "x");
        if (err == SL_OK) taken++;
    }
    assert_true(err == SL_OK || err == SL_ERR_FULL);
    assert_true(sl_committer_stop(fixture->committer));
    uint64_t last = 0;
    assert_int_equal(sl_log_last(fixture->log, &last), SL_OK);
    assert_int_equal(last, taken);
    tear_down(fixture);
}

static void test_committer_first_failure_is_final(void **state)
{
    (void)state;
    fixture *fixture = set_up(1 << 20); /* soon full */
    start(fixture);
    static char text[1500];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 2000 && !sl_committer_failed(fixture->committer); i++) {
        sl_err err = put_into_queue(fixture, text);
        assert_true(err == SL_OK || err == SL_ERR_FULL);
        (void)poll(NULL, 0, 1);
    }
    assert_true(sl_committer_failed(fixture->committer));
    const uint64_t head = sl_committer_head(fixture->committer);
    assert_false(sl_committer_stop(fixture->committer));
    assert_true(fixture->is_failed);
    assert_true(strlen(sl_log_error(fixture->log)) > 0);
    uint64_t last = 0;
    assert_int_equal(sl_log_last(fixture->log, &last), SL_OK);
    assert_int_equal(last, head);
    tear_down(fixture);
}

/* While there is something to commit, and afterwards, when there is not. */
static void test_committer_deletes_what_a_base_stands_for(void **state)
{
    (void)state;
    enum { BEFORE = 4 * SL_LOG_DELETE_MAX };
    fixture *fixture = set_up(0);
    for (int i = 0; i < BEFORE; i++) put_into_ring(fixture, "old");
    start(fixture);
    uint8_t payload[8];
    sl_put_le(payload, BEFORE, sizeof payload);
    const sl_event base = {.kind = SL_KIND_BASE,
                           .version = SL_PAYLOAD_VERSION,
                           .source_seq = SL_SOURCE_SEQ_NONE,
                           .payload = payload,
                           .length = sizeof payload};
    const sl_sink sink = sl_committer_sink(fixture->committer);
    assert_int_equal(sink.put(sink.ctx, &base), SL_OK);
    while (sl_committer_head(fixture->committer) <= BEFORE) (void)poll(NULL, 0, 1);
    sl_committer_delete(fixture->committer);
    assert_int_equal(put_into_queue(fixture, "new"), SL_OK);
    sl_log_beginning beginning = {0};
    while (beginning.oldest_seq != BEFORE) {
        assert_int_equal(sl_log_begins(fixture->log, &beginning), SL_OK);
        (void)poll(NULL, 0, 1);
    }
    assert_true(sl_committer_stop(fixture->committer));
    uint64_t last = 0;
    assert_int_equal(sl_log_last(fixture->log, &last), SL_OK);
    assert_int_equal(last, BEFORE + 2);
    tear_down(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_committer_queue_follows_what_was_in_the_ring),
        cmocka_unit_test(test_committer_queue_is_bounded),
        cmocka_unit_test(test_committer_first_failure_is_final),
        cmocka_unit_test(test_committer_deletes_what_a_base_stands_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
