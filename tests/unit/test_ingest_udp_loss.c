/* What the receiver does about lost datagrams, over real sockets: the sender leaves numbers out, and may send them when
 * it is asked. */
#include "core/osc.h"
#include "tests/unit/ingest_udp_fixture.h"

#include <string.h>

enum { HELLO = 77 };

#define MS UINT64_C(1000000)

static packet packet_hello(uint64_t session)
{
    packet packet = {.length = 0};
    packet_text(&packet, "/symlog/hello");
    packet_text(&packet, ",hssi");
    packet_u64(&packet, session);
    packet_text(&packet, "test");
    packet_text(&packet, "1");
    packet_u32(&packet, 1);
    return packet;
}

static packet packet_heartbeat(uint64_t session, uint64_t next)
{
    packet packet = {.length = 0};
    packet_text(&packet, "/symlog/heartbeat");
    packet_text(&packet, ",hh");
    packet_u64(&packet, session);
    packet_u64(&packet, next);
    return packet;
}

/* The next request that the sender gets, as its holes; fails if none comes in time. */
static size_t next_request(const fixture *fixture, sl_hole *holes, size_t max)
{
    uint8_t bytes[2048];
    struct pollfd wanted = {.fd = fixture->sender, .events = POLLIN};
    assert_int_equal(poll(&wanted, 1, WAIT_MS), 1);
    ssize_t length = recv(fixture->sender, bytes, sizeof bytes, 0);
    assert_true(length > 0 && sl_osc_check(bytes, (size_t)length, NULL));
    assert_true(sl_osc_is_bundle(bytes, (size_t)length));
    sl_osc_walk walk = sl_osc_walk_begin(bytes, (size_t)length);
    sl_osc_message message;
    size_t count = 0;
    while (sl_osc_walk_next(&walk, &message)) {
        assert_string_equal(message.address, "/symlog/resend");
        assert_string_equal(message.tags, "hh");
        sl_osc_cursor cursor = sl_osc_arguments(&message);
        sl_osc_argument from, number_count;
        assert_true(sl_osc_next(&cursor, &from) && sl_osc_next(&cursor, &number_count));
        assert_true(count < max);
        holes[count++] = (sl_hole){.first = (uint64_t)from.integer, .count = (uint64_t)number_count.integer};
    }
    return count;
}

/* The next draft of a kind; others are passed over. */
static sl_event next_of_kind(fixture *fixture, sl_kind kind)
{
    sl_event draft = next_draft(fixture);
    while (draft.kind != kind) draft = next_draft(fixture);
    return draft;
}

static uint64_t through_of(const sl_event *draft)
{
    sl_gave_up gave_up;
    assert_int_equal(sl_gave_up_decode(draft, &gave_up), SL_OK);
    return gave_up.through;
}

static void assert_not_asked(const fixture *fixture)
{
    uint8_t byte;
    assert_int_equal(recv(fixture->sender, &byte, 1, MSG_DONTWAIT), -1);
}

static void test_udp_hello_names_the_numbered_source(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_hello(HELLO));
    sl_event draft = next_draft(fixture);
    sl_session session;
    assert_int_equal(draft.kind, SL_KIND_SESSION);
    assert_int_equal(draft.version, SL_SESSION_VERSION);
    assert_int_equal(draft.session, HELLO);
    assert_int_equal(sl_session_decode(&draft, &session), SL_OK);
    assert_true(session.has_hello);
    draft = next_draft(fixture);
    assert_int_equal(draft.kind, SL_KIND_OSC); /* who the sender says it is */
    assert_int_equal(draft.session, HELLO);
    send_packet(fixture, packet_numbered(0, 1));
    draft = next_draft(fixture);
    assert_int_equal(draft.source, 1);
    assert_int_equal(draft.session, HELLO);
    assert_int_equal(draft.source_seq, 0);
}

static void test_udp_hole_is_filled_by_a_resend(void **state)
{
    fixture *fixture = *state;
    sl_hole holes[4];
    send_packet(fixture, packet_hello(HELLO));
    send_packet(fixture, packet_numbered(0, 0));
    send_packet(fixture, packet_numbered(3, 3));
    assert_int_equal(next_request(fixture, holes, 4), 1);
    assert_int_equal(holes[0].first, 1);
    assert_int_equal(holes[0].count, 2);
    for (uint64_t i = 0; i < holes[0].count; i++) {
        int32_t number = (int32_t)(holes[0].first + i);
        send_packet(fixture, packet_numbered(number, (uint32_t)number));
    }
    send_packet(fixture, packet_numbered(4, 4));
    for (int i = 0; i < 2; i++) (void)next_draft(fixture); /* session, hello */
    static const uint64_t expected[] = {0, 3, 1, 2, 4};    /* as they arrived */
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(next_draft(fixture).source_seq, expected[i]);
    assert_int_equal(sl_ring_count(fixture->ring), 7); /* nothing was given up */
}

static void test_udp_sender_that_does_not_answer_is_asked_for_a_second(void **state)
{
    fixture *fixture = *state;
    sl_hole holes[4];
    send_packet(fixture, packet_hello(HELLO));
    send_packet(fixture, packet_numbered(0, 0));
    send_packet(fixture, packet_numbered(2, 2));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(next_request(fixture, holes, 4), 1);
        assert_int_equal(holes[0].first, 1);
    }
    uint64_t opened_ns = 0;
    sl_event draft = next_draft(fixture);
    for (; draft.kind != SL_KIND_GAVE_UP; draft = next_draft(fixture))
        if (draft.source_seq == 2) opened_ns = draft.time_ns;
    assert_int_equal(through_of(&draft), 1);
    assert_int_equal(draft.source, 1);
    assert_int_equal(draft.session, HELLO);
    assert_true(draft.source_seq == SL_SOURCE_SEQ_NONE);
    assert_true(draft.time_ns - opened_ns >= 1000 * MS);
}

static void test_udp_sender_without_hello_is_never_asked(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_numbered(100, 0));
    send_packet(fixture, packet_numbered(102, 2));
    (void)next_osc(fixture);
    uint64_t opened_ns = next_draft(fixture).time_ns;
    sl_event draft = next_of_kind(fixture, SL_KIND_GAVE_UP);
    assert_int_equal(through_of(&draft), 101);
    assert_int_equal(draft.session, 1);
    assert_true(draft.time_ns - opened_ns >= 100 * MS);
    assert_not_asked(fixture);
}

static void test_udp_all_holes_are_one_bundle(void **state)
{
    fixture *fixture = *state;
    sl_hole holes[40];
    send_packet(fixture, packet_hello(HELLO));
    for (int32_t i = 0; i < 20; i++) send_packet(fixture, packet_numbered(2 * i, 0));
    size_t most = 0;
    for (int tries = 0; tries < 40 && most < 19; tries++) {
        size_t count = next_request(fixture, holes, 40);
        if (count > most) most = count;
    }
    assert_int_equal(most, 19);
}

static void test_udp_heartbeat_shows_loss_at_the_tail(void **state)
{
    fixture *fixture = *state;
    sl_hole holes[4];
    send_packet(fixture, packet_hello(HELLO));
    send_packet(fixture, packet_numbered(0, 0));
    send_packet(fixture, packet_heartbeat(HELLO, 1)); /* tells nothing new */
    send_packet(fixture, packet_heartbeat(HELLO, 3));
    assert_int_equal(next_request(fixture, holes, 4), 1);
    assert_int_equal(holes[0].first, 1);
    assert_int_equal(holes[0].count, 2);
    for (int i = 0; i < 3; i++) (void)next_draft(fixture); /* session, hello, 0 */
    sl_event draft = next_draft(fixture);
    packet logged = packet_heartbeat(HELLO, 3);
    assert_int_equal(draft.kind, SL_KIND_OSC);
    assert_int_equal(draft.session, HELLO);
    assert_true(draft.source_seq == SL_SOURCE_SEQ_NONE);
    assert_int_equal(draft.length, logged.length);
    assert_memory_equal(draft.payload, logged.bytes, logged.length);
}

static void test_udp_moved_sender_is_asked_where_it_is(void **state)
{
    fixture *fixture = *state;
    sl_hole holes[4];
    send_packet(fixture, packet_hello(HELLO));
    send_packet(fixture, packet_numbered(0, 0));
    for (int i = 0; i < 3; i++) (void)next_draft(fixture);
    usleep(SL_PEERS_SILENT_NS / 1000 + 50000);
    close(fixture->sender);
    fixture->sender = open_sender(sl_udp_port(fixture->udp), &fixture->sender_port);
    send_packet(fixture, packet_numbered(1, 1));
    sl_event draft = next_draft(fixture);
    sl_session session;
    char name[32];
    snprintf(name, sizeof name, "127.0.0.1:%u", fixture->sender_port);
    assert_int_equal(draft.kind, SL_KIND_SESSION);
    assert_int_equal(draft.source, 1);
    assert_int_equal(draft.session, HELLO);
    assert_int_equal(sl_session_decode(&draft, &session), SL_OK);
    assert_memory_equal(session.name, name, strlen(name));
    assert_int_equal(next_draft(fixture).source_seq, 1);
    send_packet(fixture, packet_numbered(3, 3));
    assert_int_equal(next_request(fixture, holes, 4), 1);
}

static void test_udp_paused_source_is_not_logged(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_numbered(100, 0));
    (void)next_osc(fixture);
    assert_true(sl_peers_pause(fixture->peers, 1, true));
    send_packet(fixture, packet_numbered(101, 1));
    settle(fixture);
    assert_true(sl_peers_pause(fixture->peers, 1, false));
    send_packet(fixture, packet_numbered(102, 2));
    assert_int_equal(next_draft(fixture).source_seq, 102);
}

static void test_udp_snapshot_waits_for_its_lost_part(void **state)
{
    fixture *fixture = *state;
    sl_hole holes[4];
    packet part = packet_part(1, 1, 3, "gzip", 4);
    send_packet(fixture, packet_hello(HELLO));
    send_packet(fixture, packet_part(0, 0, 3, "no", 2));
    send_packet(fixture, packet_part(2, 2, 3, "!", 1));
    assert_int_equal(next_request(fixture, holes, 4), 1);
    assert_int_equal(fixture->sunk_count, 0);
    send_packet(fixture, part);
    for (int waited_ms = 0; waited_ms < WAIT_MS && fixture->sunk_count == 0; waited_ms++) usleep(1000);
    assert_int_equal(fixture->sunk_kinds[0], SL_KIND_REFUSED); /* it is no gzip */
    assert_int_equal(fixture->sunk_seq, 2);
}

static void test_udp_snapshot_whose_part_is_given_up_is_refused(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_part(100, 0, 3, "no", 2));
    send_packet(fixture, packet_part(102, 2, 3, "!", 1));
    for (int waited_ms = 0; waited_ms < WAIT_MS && fixture->sunk_count == 0; waited_ms++) usleep(1000);
    assert_int_equal(fixture->sunk_count, 1);
    assert_int_equal(fixture->sunk_kinds[0], SL_KIND_REFUSED);
    assert_int_equal(fixture->sunk_seq, 102);
    sl_event draft = next_of_kind(fixture, SL_KIND_GAVE_UP); /* it was in the ring before */
    assert_int_equal(through_of(&draft), 101);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_udp_hello_names_the_numbered_source),
        TEST(test_udp_hole_is_filled_by_a_resend),
        TEST(test_udp_sender_that_does_not_answer_is_asked_for_a_second),
        TEST(test_udp_sender_without_hello_is_never_asked),
        TEST(test_udp_all_holes_are_one_bundle),
        TEST(test_udp_heartbeat_shows_loss_at_the_tail),
        TEST(test_udp_moved_sender_is_asked_where_it_is),
        TEST(test_udp_paused_source_is_not_logged),
        TEST(test_udp_snapshot_waits_for_its_lost_part),
        TEST(test_udp_snapshot_whose_part_is_given_up_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
