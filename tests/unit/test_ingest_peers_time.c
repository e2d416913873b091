/* Who sends, by the clock: hello and heartbeat, resend requests, giving up, moving, pausing. Time is driven. */
#include "ingest/arrivals.h"
#include "ingest/peers.h"

#include "tests/unit/cmocka_small.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 7, OTHER_BYTES = 8, PORT = 1000, SOURCE = 1, HELLO = 77, TOLD_MAX = 64 };

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

/* What the peers wanted to have done. */
typedef struct fixture {
    sl_peers *peers;
    uint64_t now_ns;
    int give_up_count;
    struct {
        uint32_t source;
        uint64_t session;
        uint64_t through;
    } gave_up[TOLD_MAX];
    int ask_count;
    uint16_t asked_port;
    sl_hole asked[SL_PEERS_ASK_HOLES];
    size_t asked_holes;
    int settle_count;
    uint64_t settled;
    bool is_full; /* no room for anything */
} fixture;

static bool give_up(void *ctx, uint32_t source, uint64_t session, uint64_t through)
{
    fixture *fixture = ctx;
    if (fixture->is_full) return false;
    fixture->gave_up[fixture->give_up_count].source = source;
    fixture->gave_up[fixture->give_up_count].session = session;
    fixture->gave_up[fixture->give_up_count].through = through;
    fixture->give_up_count++;
    return true;
}

static void ask(void *ctx, const struct sockaddr_in *to, const sl_hole *holes, size_t count)
{
    fixture *fixture = ctx;
    fixture->ask_count++;
    fixture->asked_port = ntohs(to->sin_port);
    fixture->asked_holes = count;
    memcpy(fixture->asked, holes, count * sizeof *holes);
}

static bool settle(void *ctx, uint32_t source, uint64_t session, uint64_t through)
{
    fixture *fixture = ctx;
    (void)source;
    (void)session;
    if (fixture->is_full) return false;
    fixture->settle_count++;
    fixture->settled = through;
    return true;
}

static int make_fixture(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    fixture->now_ns = 100 * SECOND;
    *state = fixture;
    return sl_peers_create(SOURCE, &fixture->peers) == SL_OK ? 0 : -1;
}

static int free_fixture(void **state)
{
    fixture *fixture = *state;
    sl_peers_destroy(fixture->peers);
    free(fixture);
    return 0;
}

static sl_peer_verdict take(fixture *fixture, uint16_t port, sl_datagram datagram, uint32_t checksum)
{
    struct sockaddr_in from = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sl_peer_verdict verdict = sl_peers_judge(fixture->peers, &from, &datagram, checksum, fixture->now_ns);
    if (verdict.is_new) sl_peers_name(fixture->peers);
    if (!verdict.is_dropped) sl_peers_take(fixture->peers, fixture->now_ns);
    return verdict;
}

static sl_peer_verdict number(fixture *fixture, uint64_t first)
{
    return take(fixture, PORT, (sl_datagram){.first = first, .count = 1}, BYTES);
}

static sl_peer_verdict hello(fixture *fixture, uint64_t session)
{
    return take(fixture, PORT, (sl_datagram){.control = SL_CONTROL_HELLO, .session = session}, BYTES);
}

static sl_peer_verdict heartbeat(fixture *fixture, uint64_t session, uint64_t next)
{
    return take(fixture, PORT, (sl_datagram){.control = SL_CONTROL_HEARTBEAT, .session = session, .next = next}, BYTES);
}

/* Lets time pass, and the peers do what is due then. */
static uint64_t tick(fixture *fixture, uint64_t after_ns)
{
    const sl_peers_output output = {.give_up = give_up, .ask = ask, .settle = settle, .ctx = fixture};
    fixture->now_ns += after_ns;
    return sl_peers_tick(fixture->peers, fixture->now_ns, &output);
}

static sl_source_counts counts_of(fixture *fixture, uint32_t source)
{
    sl_counters counters;
    (void)sl_peers_counters(fixture->peers, &counters);
    for (uint32_t i = 0; i < counters.count; i++)
        if (counters.sources[i].source == source) return counters.sources[i];
    return (sl_source_counts){0};
}

static void assert_gave_up(const fixture *fixture, int count, uint64_t session, uint64_t through)
{
    assert_int_equal(fixture->give_up_count, count);
    assert_int_equal(fixture->gave_up[count - 1].source, SOURCE);
    assert_int_equal(fixture->gave_up[count - 1].session, session);
    assert_int_equal(fixture->gave_up[count - 1].through, through);
}

/* Hello. */

static void test_peers_hello_opens_the_session_that_it_names(void **state)
{
    sl_peer_verdict verdict = hello(*state, HELLO);
    assert_true(verdict.is_new);
    assert_true(verdict.has_hello);
    assert_int_equal(verdict.session, HELLO);
    assert_true(verdict.source_seq == SL_SOURCE_SEQ_NONE);
    assert_string_equal(verdict.name, "127.0.0.1:1000"); /* the numbered source, not the address's */
    verdict = number(*state, 0);
    assert_int_equal(verdict.source, SOURCE);
    assert_int_equal(verdict.session, HELLO);
    assert_false(verdict.is_new);
}

static void test_peers_hello_again_tells_nothing_new(void **state)
{
    hello(*state, HELLO);
    number(*state, 0);
    assert_true(hello(*state, HELLO).is_dropped);
    assert_int_equal(counts_of(*state, SOURCE).heartbeats, 1);
    assert_int_equal(number(*state, 1).session, HELLO);
}

static void test_peers_hello_that_found_no_room_is_news_again(void **state)
{
    fixture *fixture = *state;
    const sl_datagram said = {.control = SL_CONTROL_HELLO, .session = HELLO};
    const struct sockaddr_in from = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sl_peer_verdict verdict = sl_peers_judge(fixture->peers, &from, &said, BYTES, fixture->now_ns);
    assert_true(verdict.is_new);
    sl_peers_name(fixture->peers); /* for that there was room */
    sl_peers_drop(fixture->peers);
    assert_false(hello(fixture, HELLO).is_dropped);
    assert_true(hello(fixture, HELLO).is_dropped);
}

/* A hole opened by a jump of nearly 2^31 behind others was given up again and again, and never closed. */
static void test_peers_jumps_of_2_31_are_given_up_once(void **state)
{
    fixture *fixture = *state;
    const uint64_t jump = UINT64_C(1) << 31;
    hello(fixture, HELLO);
    number(fixture, 0);
    number(fixture, 2);
    number(fixture, 4);
    assert_int_equal(number(fixture, jump + 4).session, HELLO); /* logged, and waited for no number before it */
    for (int i = 0; i < 4; i++) tick(fixture, SECOND);
    assert_gave_up(fixture, 1, HELLO, 3);
    number(fixture, 5);
    assert_int_equal(tick(fixture, SECOND), UINT64_MAX);
    assert_int_equal(fixture->give_up_count, 1);
}

static void test_peers_jump_of_2_31_of_a_mute_sender_is_a_new_session(void **state)
{
    fixture *fixture = *state;
    const uint64_t jump = UINT64_C(1) << 31;
    sl_peers_have_picture(fixture->peers);
    number(fixture, 0);
    number(fixture, 2);
    assert_int_equal(number(fixture, jump + 2).session, 2);
}

static void test_peers_other_hello_is_a_new_session(void **state)
{
    hello(*state, HELLO);
    number(*state, 0);
    sl_peer_verdict verdict = hello(*state, HELLO + 1);
    assert_true(verdict.is_new);
    assert_int_equal(verdict.source, SOURCE);
    assert_int_equal(verdict.session, HELLO + 1);
    assert_false(number(*state, 0).is_dropped);
}

static void test_peers_hello_of_the_former_session_comes_late(void **state)
{
    hello(*state, HELLO);
    hello(*state, HELLO + 1);
    assert_true(hello(*state, HELLO).is_dropped);
    assert_true(heartbeat(*state, HELLO, 9).is_dropped);
    assert_int_equal(number(*state, 0).session, HELLO + 1);
}

static void test_peers_hello_soon_after_the_first_number_belongs_to_it(void **state)
{
    fixture *fixture = *state;
    assert_false(number(fixture, 0).has_hello);
    fixture->now_ns += 30 * MS;
    sl_peer_verdict verdict = hello(fixture, HELLO);
    assert_true(verdict.is_new);
    assert_true(verdict.has_hello);
    assert_int_equal(verdict.session, 1);
    assert_true(number(fixture, 0).is_dropped); /* still known */
    assert_int_equal(number(fixture, 1).session, 1);
}

static void test_peers_hello_after_numbers_may_announce_a_new_run(void **state)
{
    fixture *fixture = *state;
    number(fixture, 0);
    hello(fixture, HELLO);
    sl_peer_verdict verdict = take(fixture, PORT, (sl_datagram){.first = 0, .count = 1}, OTHER_BYTES);
    assert_true(verdict.is_new);
    assert_true(verdict.has_hello);
    assert_int_equal(verdict.session, HELLO);
}

static void test_peers_hello_long_after_numbers_is_a_new_session(void **state)
{
    fixture *fixture = *state;
    number(fixture, 100);
    fixture->now_ns += 2 * SECOND;
    assert_int_equal(hello(fixture, HELLO).session, HELLO);
}

static void test_peers_sender_with_hello_goes_on_whatever_its_numbers(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    number(fixture, 500);
    sl_peer_verdict verdict = number(fixture, 100);
    assert_false(verdict.is_new);
    assert_int_equal(verdict.session, HELLO);
    verdict = take(fixture, PORT, (sl_datagram){.first = 0, .count = 1}, OTHER_BYTES);
    assert_false(verdict.is_dropped); /* logged, for whoever wants to know */
    assert_int_equal(verdict.session, HELLO);
    assert_true(number(fixture, 0).is_dropped); /* the first bytes are the ones that count */
}

/* Heartbeats. */

static void test_peers_heartbeat_without_news_is_counted(void **state)
{
    hello(*state, HELLO);
    number(*state, 0);
    assert_true(heartbeat(*state, HELLO, 1).is_dropped);
    sl_source_counts counts = counts_of(*state, SOURCE);
    assert_int_equal(counts.heartbeats, 1);
    assert_int_equal(counts.received, 3);
}

static void test_peers_heartbeat_alone_changes_no_counters(void **state)
{
    fixture *fixture = *state;
    sl_counters counters;
    hello(fixture, HELLO);
    (void)sl_peers_counters(fixture->peers, &counters);
    heartbeat(fixture, HELLO, 0);
    assert_false(sl_peers_counters(fixture->peers, &counters));
    assert_int_equal(counters.sources[0].heartbeats, 1);
}

static void test_peers_heartbeat_shows_loss_at_the_tail(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    assert_false(heartbeat(fixture, HELLO, 3).is_dropped);
    tick(fixture, 0);
    assert_int_equal(fixture->ask_count, 1);
    assert_int_equal(fixture->asked[0].first, 1);
    assert_int_equal(fixture->asked[0].count, 2);
    assert_true(heartbeat(fixture, HELLO, 3).is_dropped); /* known by now */
}

static void test_peers_heartbeat_shows_loss_of_everything(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    assert_false(heartbeat(fixture, HELLO, 2).is_dropped);
    tick(fixture, 0);
    assert_int_equal(fixture->asked[0].first, 0);
    assert_int_equal(fixture->asked[0].count, 2);
}

static void test_peers_heartbeat_in_the_middle_shows_no_loss(void **state)
{
    hello(*state, HELLO);
    assert_true(heartbeat(*state, HELLO, 5000).is_dropped);
    assert_false(number(*state, 5002).is_dropped);
    assert_true(tick(*state, 0) == UINT64_MAX);
}

static void test_peers_heartbeat_of_another_session_begins_it(void **state)
{
    hello(*state, HELLO);
    number(*state, 9);
    sl_peers_have_picture(((fixture *)*state)->peers);
    sl_peer_verdict verdict = heartbeat(*state, HELLO + 1, 3); /* its hello was lost */
    assert_true(verdict.is_new);
    assert_false(verdict.has_hello);
    assert_int_equal(verdict.session, HELLO + 1);
    assert_true(hello(*state, HELLO + 1).has_hello);
}

/* Holes. */

static void test_peers_hole_is_asked_for_every_20_ms_until_given_up(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    number(fixture, 3);
    uint64_t opened_ns = fixture->now_ns;
    assert_int_equal(tick(fixture, 0), opened_ns + 20 * MS);
    assert_int_equal(fixture->ask_count, 1);
    assert_int_equal(fixture->asked_port, PORT);
    while (fixture->now_ns < opened_ns + SECOND - 20 * MS) tick(fixture, 20 * MS);
    assert_int_equal(fixture->ask_count, 50);
    assert_int_equal(fixture->give_up_count, 0);
    assert_true(tick(fixture, 20 * MS) == UINT64_MAX);
    assert_gave_up(fixture, 1, HELLO, 2);
    assert_int_equal(counts_of(fixture, SOURCE).resends, 50);
}

static void test_peers_filled_hole_is_asked_for_no_longer(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 1);
    tick(fixture, 0);
    number(fixture, 0);
    assert_true(tick(fixture, 20 * MS) == UINT64_MAX);
    assert_int_equal(fixture->ask_count, 1);
    assert_int_equal(fixture->give_up_count, 0);
}

static void test_peers_all_due_holes_are_one_request(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    for (uint64_t i = 0; i < 5; i++) number(fixture, 2 * i + 1);
    tick(fixture, 0);
    assert_int_equal(fixture->ask_count, 1);
    assert_int_equal(fixture->asked_holes, 5);
}

static void test_peers_mute_sender_is_never_asked(void **state)
{
    fixture *fixture = *state;
    sl_peers_have_picture(fixture->peers);
    number(fixture, 0);
    number(fixture, 2);
    assert_int_equal(tick(fixture, 0), fixture->now_ns + 100 * MS);
    tick(fixture, 100 * MS - 1);
    assert_int_equal(fixture->give_up_count, 0);
    tick(fixture, 1);
    assert_gave_up(fixture, 1, 1, 1);
    assert_int_equal(fixture->ask_count, 0);
}

static void test_peers_give_up_waits_for_room(void **state)
{
    fixture *fixture = *state;
    number(fixture, 0);
    number(fixture, 2);
    fixture->is_full = true;
    uint64_t due_ns = tick(fixture, 100 * MS);
    assert_int_equal(due_ns, fixture->now_ns + 20 * MS);
    fixture->is_full = false;
    tick(fixture, 20 * MS);
    assert_gave_up(fixture, 1, 1, 1);
}

static void test_peers_numbers_begin_in_the_middle_without_a_picture(void **state)
{
    fixture *fixture = *state;
    number(fixture, 5);
    assert_true(tick(fixture, 0) == UINT64_MAX);
}

static void test_peers_numbers_begin_at_zero_with_a_picture(void **state)
{
    fixture *fixture = *state;
    sl_peers_have_picture(fixture->peers);
    number(fixture, 63);
    tick(fixture, 100 * MS);
    assert_gave_up(fixture, 1, 1, 62);
}

static void test_peers_numbers_from_64_on_begin_in_the_middle(void **state)
{
    fixture *fixture = *state;
    sl_peers_have_picture(fixture->peers);
    number(fixture, 64);
    assert_true(tick(fixture, 0) == UINT64_MAX);
}

static void test_peers_numbers_of_a_hello_begin_at_zero_up_to_4096(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 4095);
    tick(fixture, 0);
    assert_int_equal(fixture->ask_count, 1);
}

static void test_peers_numbers_of_a_hello_from_4096_on_begin_in_the_middle(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 4096);
    assert_true(tick(fixture, 0) == UINT64_MAX);
}

static void test_peers_new_session_forgets_the_old_holes(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 5);
    hello(fixture, HELLO + 1);
    number(fixture, 0);
    assert_true(tick(fixture, 2 * SECOND) == UINT64_MAX);
    assert_int_equal(fixture->give_up_count, 0); /* the session event closes them */
}

static void test_peers_that_give_way_give_up_their_holes(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 5);
    for (unsigned i = 1; i <= SL_SOURCES_MAX; i++)
        take(fixture, (uint16_t)(PORT + i), (sl_datagram){.first = 0, .count = 1}, BYTES);
    tick(fixture, 0);
    assert_gave_up(fixture, 1, HELLO, 5);
}

static void test_peers_two_senders_at_one_address_do_not_disturb(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    take(fixture, PORT + 1, (sl_datagram){.control = SL_CONTROL_HELLO, .session = HELLO}, BYTES);
    number(fixture, 0);
    sl_peer_verdict verdict = take(fixture, PORT + 1, (sl_datagram){.first = 1, .count = 1}, OTHER_BYTES);
    assert_int_equal(verdict.source, SOURCE + 1);
    tick(fixture, 0);
    assert_int_equal(fixture->ask_count, 1);
    assert_int_equal(fixture->asked_port, PORT + 1);
    assert_false(number(fixture, 1).is_new);
}

/* Moving. */

static void test_peers_silent_session_goes_on_from_another_port(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    fixture->now_ns += SECOND;
    sl_peer_verdict verdict = take(fixture, PORT + 1, (sl_datagram){.first = 1, .count = 1}, BYTES);
    assert_int_equal(verdict.source, SOURCE);
    assert_int_equal(verdict.session, HELLO);
    assert_true(verdict.is_new);
    assert_true(verdict.has_hello);
    assert_string_equal(verdict.name, "127.0.0.1:1001");
    take(fixture, PORT + 1, (sl_datagram){.first = 3, .count = 1}, BYTES);
    tick(fixture, 0);
    assert_int_equal(fixture->asked_port, PORT + 1);
}

static void test_peers_heartbeat_from_another_port_moves_its_session(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    fixture->now_ns += SECOND;
    sl_datagram other = {.control = SL_CONTROL_HEARTBEAT, .session = HELLO + 1, .next = 1};
    assert_int_equal(take(fixture, PORT + 1, other, BYTES).source, SOURCE + 1);
    sl_datagram same = {.control = SL_CONTROL_HEARTBEAT, .session = HELLO, .next = 1};
    assert_int_equal(take(fixture, PORT + 2, same, BYTES).source, SOURCE);
}

static void test_peers_session_that_was_not_silent_has_not_moved(void **state)
{
    fixture *fixture = *state;
    number(fixture, 0);
    fixture->now_ns += SECOND - 1;
    assert_int_equal(take(fixture, PORT + 1, (sl_datagram){.first = 1, .count = 1}, BYTES).source, SOURCE + 1);
}

static void test_peers_number_that_is_not_the_next_is_another_sender(void **state)
{
    fixture *fixture = *state;
    number(fixture, 0);
    fixture->now_ns += SECOND;
    assert_int_equal(take(fixture, PORT + 1, (sl_datagram){.first = 2, .count = 1}, BYTES).source, SOURCE + 1);
}

/* Pausing. */

static void test_peers_paused_source_is_ignored(void **state)
{
    fixture *fixture = *state;
    number(fixture, 0);
    assert_true(sl_peers_pause(fixture->peers, SOURCE, true));
    assert_true(number(fixture, 1).is_dropped);
    assert_true(hello(fixture, HELLO).is_dropped);
    sl_source_counts counts = counts_of(fixture, SOURCE);
    assert_int_equal(counts.ignored, 2);
    assert_int_equal(counts.received, 3);
    assert_false(sl_peers_pause(fixture->peers, 99, true));
    assert_false(sl_peers_pause(fixture->peers, SL_SOURCE_SELF, true));
}

static void test_peers_numbers_missed_in_a_pause_are_given_up(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    sl_peers_pause(fixture->peers, SOURCE, true);
    number(fixture, 1);
    sl_peers_pause(fixture->peers, SOURCE, false);
    number(fixture, 3);
    assert_true(tick(fixture, 0) == UINT64_MAX);
    assert_gave_up(fixture, 1, HELLO, 2);
    assert_int_equal(fixture->ask_count, 0);
    number(fixture, 5);
    tick(fixture, 0);
    assert_int_equal(fixture->ask_count, 1);
}

static void test_peers_pause_gives_up_what_was_missing_before_it(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    number(fixture, 2);
    sl_peers_pause(fixture->peers, SOURCE, true);
    sl_peers_pause(fixture->peers, SOURCE, false);
    number(fixture, 3);
    assert_true(tick(fixture, 0) == UINT64_MAX);
    assert_gave_up(fixture, 1, HELLO, 1);
    assert_int_equal(fixture->ask_count, 0);
}

static void test_peers_pause_without_a_datagram_misses_nothing(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    sl_peers_pause(fixture->peers, SOURCE, true);
    sl_peers_pause(fixture->peers, SOURCE, false);
    assert_true(number(fixture, 0).is_dropped); /* as before it */
    number(fixture, 1);
    assert_true(tick(fixture, 0) == UINT64_MAX);
    assert_int_equal(fixture->give_up_count, 0);
}

static void test_peers_late_numbers_do_not_end_a_pause(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    number(fixture, 9);
    sl_peers_pause(fixture->peers, SOURCE, true);
    sl_peers_pause(fixture->peers, SOURCE, false);
    assert_int_equal(number(fixture, 5).session, HELLO);
    tick(fixture, 0);
    assert_gave_up(fixture, 1, HELLO, 8);
    number(fixture, 20);
    tick(fixture, 0);
    assert_gave_up(fixture, 2, HELLO, 19);
    assert_int_equal(fixture->ask_count, 0);
}

static void test_peers_a_run_that_began_in_a_pause_is_a_new_one(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 5000);
    sl_peers_pause(fixture->peers, SOURCE, true);
    hello(fixture, 12345);
    sl_peers_pause(fixture->peers, SOURCE, false);
    assert_true(number(fixture, 3).is_new);
    tick(fixture, 0);
    assert_gave_up(fixture, 1, 12345, 2);
}

/* Restarts. */

static void restore(fixture *fixture, const char *name, bool has_hello, bool is_paused, sl_peer_run run)
{
    sl_source source = {
        .number = SOURCE, .input = SL_INPUT_OSC, .session = HELLO, .has_hello = has_hello, .is_paused = is_paused};
    source.has_said = has_hello;
    source.said_session = HELLO;
    (void)snprintf(source.name, sizeof source.name, "%s", name);
    source.counts = (sl_source_counts){.source = SOURCE};
    assert_int_equal(sl_peers_restore(fixture->peers, &source, &run, fixture->now_ns), SL_OK);
}

static void test_peers_restored_holes_are_asked_for(void **state)
{
    fixture *fixture = *state;
    const sl_hole hole = {.first = 95, .count = 2};
    restore(fixture, "127.0.0.1:1000", true, false, (sl_peer_run){.next = 100, .holes = &hole, .hole_count = 1});
    tick(fixture, 0);
    assert_int_equal(fixture->ask_count, 1);
    assert_int_equal(fixture->asked_port, PORT);
    assert_int_equal(fixture->asked[0].first, 95);
    assert_true(number(fixture, 97).is_dropped); /* seen before */
    assert_false(number(fixture, 95).is_dropped);
    tick(fixture, SECOND);
    assert_gave_up(fixture, 1, HELLO, 96);
}

static void test_peers_restored_hello_is_known(void **state)
{
    fixture *fixture = *state;
    restore(fixture, "127.0.0.1:1000", true, false, (sl_peer_run){.next = 100});
    assert_true(hello(fixture, HELLO).is_dropped);
    assert_int_equal(number(fixture, 100).session, HELLO);
    assert_int_equal(hello(fixture, HELLO + 1).session, HELLO + 1);
}

static void test_peers_restored_pause_goes_on(void **state)
{
    fixture *fixture = *state;
    restore(fixture, "127.0.0.1:1000", true, true, (sl_peer_run){.next = 0});
    assert_true(number(fixture, 100).is_dropped);
    sl_peers_pause(fixture->peers, SOURCE, false);
    assert_false(number(fixture, 101).is_dropped);
}

/* Wishes. */

static void test_peers_watch_is_told_once_nothing_is_missing(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    sl_peers_watch(fixture->peers, 3);
    tick(fixture, 0);
    number(fixture, 3);
    tick(fixture, MS);
    assert_int_equal(fixture->settle_count, 0);
    number(fixture, 1);
    number(fixture, 2);
    fixture->is_full = true;
    tick(fixture, MS);
    assert_int_equal(fixture->settle_count, 0);
    fixture->is_full = false;
    tick(fixture, 20 * MS);
    assert_int_equal(fixture->settle_count, 1);
    assert_int_equal(fixture->settled, 3);
    tick(fixture, 20 * MS);
    assert_int_equal(fixture->settle_count, 1);
}

static void test_peers_watch_is_told_when_numbers_are_given_up(void **state)
{
    fixture *fixture = *state;
    hello(fixture, HELLO);
    number(fixture, 0);
    sl_peers_watch(fixture->peers, 2);
    number(fixture, 2);
    tick(fixture, SECOND);
    assert_int_equal(fixture->give_up_count, 1);
    assert_int_equal(fixture->settle_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_peers_hello_opens_the_session_that_it_names),
        TEST(test_peers_hello_again_tells_nothing_new),
        TEST(test_peers_hello_that_found_no_room_is_news_again),
        TEST(test_peers_jumps_of_2_31_are_given_up_once),
        TEST(test_peers_jump_of_2_31_of_a_mute_sender_is_a_new_session),
        TEST(test_peers_other_hello_is_a_new_session),
        TEST(test_peers_hello_of_the_former_session_comes_late),
        TEST(test_peers_hello_soon_after_the_first_number_belongs_to_it),
        TEST(test_peers_hello_after_numbers_may_announce_a_new_run),
        TEST(test_peers_hello_long_after_numbers_is_a_new_session),
        TEST(test_peers_sender_with_hello_goes_on_whatever_its_numbers),
        TEST(test_peers_heartbeat_without_news_is_counted),
        TEST(test_peers_heartbeat_alone_changes_no_counters),
        TEST(test_peers_heartbeat_shows_loss_at_the_tail),
        TEST(test_peers_heartbeat_shows_loss_of_everything),
        TEST(test_peers_heartbeat_in_the_middle_shows_no_loss),
        TEST(test_peers_heartbeat_of_another_session_begins_it),
        TEST(test_peers_hole_is_asked_for_every_20_ms_until_given_up),
        TEST(test_peers_filled_hole_is_asked_for_no_longer),
        TEST(test_peers_all_due_holes_are_one_request),
        TEST(test_peers_mute_sender_is_never_asked),
        TEST(test_peers_give_up_waits_for_room),
        TEST(test_peers_numbers_begin_in_the_middle_without_a_picture),
        TEST(test_peers_numbers_begin_at_zero_with_a_picture),
        TEST(test_peers_numbers_from_64_on_begin_in_the_middle),
        TEST(test_peers_numbers_of_a_hello_begin_at_zero_up_to_4096),
        TEST(test_peers_numbers_of_a_hello_from_4096_on_begin_in_the_middle),
        TEST(test_peers_new_session_forgets_the_old_holes),
        TEST(test_peers_that_give_way_give_up_their_holes),
        TEST(test_peers_two_senders_at_one_address_do_not_disturb),
        TEST(test_peers_silent_session_goes_on_from_another_port),
        TEST(test_peers_heartbeat_from_another_port_moves_its_session),
        TEST(test_peers_session_that_was_not_silent_has_not_moved),
        TEST(test_peers_number_that_is_not_the_next_is_another_sender),
        TEST(test_peers_paused_source_is_ignored),
        TEST(test_peers_numbers_missed_in_a_pause_are_given_up),
        TEST(test_peers_pause_gives_up_what_was_missing_before_it),
        TEST(test_peers_pause_without_a_datagram_misses_nothing),
        TEST(test_peers_late_numbers_do_not_end_a_pause),
        TEST(test_peers_a_run_that_began_in_a_pause_is_a_new_one),
        TEST(test_peers_restored_holes_are_asked_for),
        TEST(test_peers_restored_hello_is_known),
        TEST(test_peers_restored_pause_goes_on),
        TEST(test_peers_watch_is_told_once_nothing_is_missing),
        TEST(test_peers_watch_is_told_when_numbers_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
