/* The catch-up over a real log: chunks without a hole, those who come and go, who stops, what is damaged, too far. */
#include "tools/symlog/catchup.h"

#include "core/bytes.h"
#include "core/payload.h"
#include "tests/unit/osc_builder.h"
#include "tests/unit/store_fixture.h"
#include "tools/symlog/host.h"
#include "tools/symlog/teller.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

enum { EVENTS = 4000, SEEKERS = 12 };

/* A log, what it gives as one text without separators, and where each event's part of that ends. */
typedef struct fixture {
    char *dir;
    sl_log *log;
    sl_catchup *catchup;
    sl_text told;
    size_t ends[EVENTS + 1];
    uint64_t state_asked; /* what nearest_state was asked for; 0: never */
    bool has_state;       /* whether it gives one */
    sl_state *kept;       /* the one that it gives then; NULL: made anew */
    atomic_bool have_all_left;
} fixture;

static void on_ready(void *ctx)
{
    fixture *fixture = ctx;
    assert(!atomic_load(&fixture->have_all_left));
}

static bool nearest_state(void *ctx, uint64_t before_seq, sl_state **out)
{
    fixture *fixture = ctx;
    fixture->state_asked = before_seq;
    if (!fixture->has_state) return false;
    if (fixture->kept != NULL) {
        if (sl_state_seq(fixture->kept) >= before_seq) return false;
        *out = fixture->kept;
        fixture->kept = NULL;
        return true;
    }
    sl_log_reader *reader = NULL;
    assert_int_equal(sl_state_create(sl_host_memory(), out), SL_OK);
    assert_int_equal(sl_log_reader_open(fixture->log, 1, &reader), SL_OK);
    while (sl_state_seq(*out) + 10 < before_seq) {
        sl_event event;
        assert_int_equal(sl_log_read(reader, &event), SL_OK);
        assert_int_equal(sl_reduce(*out, &event, NULL), SL_OK);
    }
    sl_log_reader_close(reader);
    return true;
}

static void append_osc(fixture *fixture, uint64_t number, const char *path, const char *tags, ...)
{
    osc_builder packet = {.length = 0};
    va_list list;
    va_start(list, tags);
    osc_message(&packet, (int64_t)number, path, tags, list);
    va_end(list);
    const sl_event draft = {.kind = SL_KIND_OSC,
                            .version = 1,
                            .source = 1,
                            .session = 1,
                            .source_seq = number,
                            .payload = packet.bytes,
                            .length = (uint32_t)packet.length};
    assert_int_equal(sl_log_append(fixture->log, &draft, 1, NULL), SL_OK);
}

static void on_message(void *ctx, const sl_message_view *message)
{
    fixture *fixture = ctx;
    sl_text_bytes(&fixture->told, message->bytes, message->length);
}

static void tell_all(fixture *fixture)
{
    sl_teller teller;
    sl_state *state = NULL;
    sl_log_reader *reader = NULL;
    const sl_listener listener = {.ctx = fixture, .message = on_message};
    sl_teller_open(&teller, &listener);
    assert_int_equal(sl_state_create(sl_host_memory(), &state), SL_OK);
    assert_int_equal(sl_log_reader_open(fixture->log, 1, &reader), SL_OK);
    for (uint64_t seq = 1; seq <= EVENTS; seq++) {
        sl_event event;
        assert_int_equal(sl_log_read(reader, &event), SL_OK);
        assert_int_equal(sl_teller_apply(&teller, state, &event), SL_OK);
        fixture->ends[seq] = fixture->told.length;
    }
    sl_log_reader_close(reader);
    sl_state_destroy(state);
    sl_teller_close(&teller);
}

static int set_up(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(make_dir((void **)&fixture->dir), 0);
    fixture->log =
        open_with(&(sl_log_options){.dir = fixture->dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    for (uint64_t i = 0; i < EVENTS; i++) {
        if (i % 5 == 0)
            append_osc(fixture, i, "/live/track/added", "is", 0, "a track");
        else if (i % 97 == 1)
            append_osc(fixture, i, "/live/no/such/path", "");
        else
            append_osc(fixture, i, "/live/track/volume", "if", 0, (double)i);
    }
    sl_text_open(&fixture->told, sl_host_memory());
    tell_all(fixture);
    const sl_catchup_options options = {.log = fixture->log,
                                        .ready = on_ready,
                                        .ready_ctx = fixture,
                                        .nearest_state = nearest_state,
                                        .nearest_ctx = fixture};
    assert_int_equal(sl_catchup_start(&fixture->catchup, &options), SL_OK);
    sl_catchup_set_head(fixture->catchup, EVENTS);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture *fixture = *state;
    sl_catchup_stop(fixture->catchup);
    sl_log_close(fixture->log);
    sl_text_close(&fixture->told);
    const int failed = remove_dir((void **)&fixture->dir);
    free(fixture);
    return failed;
}

/* Takes chunks until `through`, checking each against what the log gives. */
static void follow(fixture *fixture, sl_seeker *seeker, uint64_t from, uint64_t through)
{
    while (from < through) {
        sl_chunk *chunk = NULL;
        const sl_seek seek = sl_seeker_take(seeker, &chunk);
        assert_int_not_equal(seek, SL_SEEK_FAILED);
        if (seek == SL_SEEK_WAIT) {
            usleep(1000);
            continue;
        }
        assert_int_equal(chunk->after, from);
        size_t at = fixture->ends[chunk->after];
        for (size_t i = 0; i < chunk->count; i++) {
            const sl_chunk_message *message = &chunk->messages[i];
            assert_memory_equal(chunk->array + message->offset, fixture->told.bytes + at, message->length);
            at += message->length;
        }
        assert_int_equal(at, fixture->ends[chunk->through]);
        if (chunk->count > 0) assert_true(chunk->array[0] == '[' && chunk->array[chunk->length - 1] == ']');
        from = chunk->through;
        sl_chunk_leave(chunk);
    }
}

static void test_catchup_gives_what_the_live_feed_gave(void **state)
{
    fixture *fixture = *state;
    static const uint64_t places[] = {0, 1, EVENTS / 2, EVENTS - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        sl_seeker *seeker = NULL;
        assert_int_equal(sl_catchup_seek(fixture->catchup, places[i], false, &seeker), SL_OK);
        follow(fixture, seeker, places[i], EVENTS);
        sl_seeker_leave(seeker);
    }
}

static void test_catchup_takes_along_whoever_it_comes_past(void **state)
{
    fixture *fixture = *state;
    sl_seeker *seekers[SEEKERS];
    for (uint64_t i = 0; i < SEEKERS; i++)
        assert_int_equal(sl_catchup_seek(fixture->catchup, i * 311 % EVENTS, false, &seekers[i]), SL_OK);
    for (uint64_t i = 0; i < SEEKERS; i++) follow(fixture, seekers[i], i * 311 % EVENTS, EVENTS);
    for (uint64_t i = 0; i < SEEKERS; i++) sl_seeker_leave(seekers[i]);
}

static void test_catchup_goes_on_without_one_that_takes_nothing(void **state)
{
    fixture *fixture = *state;
    sl_seeker *stopped = NULL, *seeker = NULL;
    assert_int_equal(sl_catchup_seek(fixture->catchup, 0, false, &stopped), SL_OK);
    assert_int_equal(sl_catchup_seek(fixture->catchup, 0, false, &seeker), SL_OK);
    follow(fixture, seeker, 0, EVENTS);
    follow(fixture, stopped, 0, EVENTS);
    sl_seeker_leave(seeker);
    sl_seeker_leave(stopped);
}

static void test_catchup_lets_one_leave_at_any_moment(void **state)
{
    fixture *fixture = *state;
    for (useconds_t i = 0; i < 30; i++) {
        sl_seeker *seeker = NULL;
        assert_int_equal(sl_catchup_seek(fixture->catchup, i, i % 2 == 0, &seeker), SL_OK);
        usleep(i * 1000);
        sl_seeker_leave(seeker);
    }
}

static void test_catchup_says_nothing_once_all_have_left(void **state)
{
    fixture *fixture = *state;
    for (useconds_t i = 0; i < 30; i++) {
        sl_seeker *seeker = NULL;
        atomic_store(&fixture->have_all_left, false);
        assert_int_equal(sl_catchup_seek(fixture->catchup, EVENTS - 1, false, &seeker), SL_OK);
        follow(fixture, seeker, EVENTS - 1, EVENTS);
        sl_seeker_leave(seeker); /* its run is just ending */
        atomic_store(&fixture->have_all_left, true);
    }
}

static void test_catchup_tells_nothing_beyond_the_head(void **state)
{
    fixture *fixture = *state;
    sl_seeker *seeker = NULL;
    sl_chunk *chunk = NULL;
    sl_catchup_set_head(fixture->catchup, 100);
    assert_int_equal(sl_catchup_seek(fixture->catchup, 50, false, &seeker), SL_OK);
    follow(fixture, seeker, 50, 100);
    assert_int_equal(sl_seeker_take(seeker, &chunk), SL_SEEK_WAIT);
    sl_catchup_set_head(fixture->catchup, 200);
    follow(fixture, seeker, 100, 200);
    sl_seeker_leave(seeker);
}

static void test_catchup_begins_with_the_nearest_state(void **state)
{
    fixture *fixture = *state;
    sl_seeker *seeker = NULL;
    fixture->has_state = true;
    assert_int_equal(sl_catchup_seek(fixture->catchup, 3000, false, &seeker), SL_OK);
    follow(fixture, seeker, 3000, EVENTS);
    assert_int_equal(fixture->state_asked, 3001);
    sl_seeker_leave(seeker);
}

static void test_catchup_refuses_what_is_too_far(void **state)
{
    fixture *fixture = *state;
    sl_seeker *seeker = NULL;
    sl_catchup_set_head(fixture->catchup, SL_CATCHUP_EVENTS_MAX + 10);
    assert_int_equal(sl_catchup_seek(fixture->catchup, 9, false, &seeker), SL_ERR_RANGE);
    assert_null(seeker);
}

static void test_catchup_says_what_it_cannot_read(void **state)
{
    fixture *fixture = *state;
    sl_seeker *seeker = NULL;
    sl_chunk *chunk = NULL;
    sl_catchup_set_head(fixture->catchup, EVENTS + 5); /* events that are not there */
    assert_int_equal(sl_catchup_seek(fixture->catchup, EVENTS - 1, false, &seeker), SL_OK);
    sl_seek seek = SL_SEEK_WAIT;
    while (seek == SL_SEEK_WAIT) {
        usleep(1000);
        seek = sl_seeker_take(seeker, &chunk);
    }
    assert_int_equal(seek, SL_SEEK_FAILED);
    sl_seeker_leave(seeker);
}

/* Deletes what lies before the event. */
static void prune(fixture *fixture, uint64_t before)
{
    uint8_t payload[8];
    sl_put_le(payload, before, sizeof payload);
    const sl_event base = {.kind = SL_KIND_BASE,
                           .version = SL_PAYLOAD_VERSION,
                           .source_seq = SL_SOURCE_SEQ_NONE,
                           .payload = payload,
                           .length = sizeof payload};
    assert_int_equal(sl_log_append(fixture->log, &base, 1, NULL), SL_OK);
    for (bool is_done = false; !is_done;) assert_int_equal(sl_log_delete_some(fixture->log, EVENTS, &is_done), SL_OK);
}

static void test_catchup_fails_only_whom_it_cannot_help(void **state)
{
    fixture *fixture = *state;
    sl_seeker *lost = NULL, *seeker = NULL;
    sl_chunk *chunk = NULL;
    fixture->has_state = true;
    assert_true(nearest_state(fixture, 3000, &fixture->kept));
    prune(fixture, 2000);
    assert_int_equal(sl_catchup_seek(fixture->catchup, 5, false, &lost), SL_OK);
    assert_int_equal(sl_catchup_seek(fixture->catchup, 3000, false, &seeker), SL_OK);
    sl_seek seek = SL_SEEK_WAIT;
    for (; seek == SL_SEEK_WAIT; usleep(1000)) seek = sl_seeker_take(lost, &chunk);
    assert_int_equal(seek, SL_SEEK_FAILED);
    assert_non_null(strstr(sl_seeker_why(lost), "pruned"));
    follow(fixture, seeker, 3000, EVENTS);
    sl_seeker_leave(lost);
    sl_seeker_leave(seeker);
}

static void test_chunk_keeps_what_does_not_fit_for_the_next(void **state)
{
    (void)state;
    sl_chunk_writer writer;
    static char text[40000];
    memset(text, 'x', sizeof text);
    sl_chunk_writer_open(&writer);
    sl_chunk_writer_begin(&writer, 10);
    for (uint64_t event = 11; event <= 12; event++) {
        const sl_message_view view = {.bytes = text, .length = sizeof text, .event = event, .is_last = true};
        assert_false(sl_chunk_writer_is_full(&writer));
        sl_chunk_writer_add(&writer, &view, false);
        sl_chunk_writer_end(&writer, event);
    }
    for (uint64_t event = 11; event <= 12; event++) {
        sl_chunk *chunk = NULL;
        assert_int_equal(sl_chunk_writer_take(&writer, &chunk), SL_OK);
        assert_int_equal(chunk->after, event - 1);
        assert_int_equal(chunk->through, event);
        assert_int_equal(chunk->count, 1);
        assert_int_equal(chunk->messages[0].seq, event);
        assert_int_equal(chunk->length, sizeof text + 2);
        assert_memory_equal(chunk->array + chunk->messages[0].offset, text, sizeof text);
        sl_chunk_leave(chunk);
    }
    sl_chunk_writer_close(&writer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_catchup_gives_what_the_live_feed_gave),
        TEST(test_catchup_takes_along_whoever_it_comes_past),
        TEST(test_catchup_goes_on_without_one_that_takes_nothing),
        TEST(test_catchup_lets_one_leave_at_any_moment),
        TEST(test_catchup_says_nothing_once_all_have_left),
        TEST(test_catchup_tells_nothing_beyond_the_head),
        TEST(test_catchup_begins_with_the_nearest_state),
        TEST(test_catchup_refuses_what_is_too_far),
        TEST(test_catchup_says_what_it_cannot_read),
        TEST(test_catchup_fails_only_whom_it_cannot_help),
        cmocka_unit_test(test_chunk_keeps_what_does_not_fit_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
