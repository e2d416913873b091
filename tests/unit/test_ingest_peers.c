/* Who sends: numbering, sessions, duplicates, restoring, giving way, counts. */
#include "ingest/arrivals.h"
#include "ingest/peers.h"

#include "tests/unit/cmocka_small.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 7, OTHER_BYTES = 8, FIRST_SOURCE = 5 };

#define NOW_NS UINT64_C(10000000000) /* time stands still here; see test_ingest_peers_time.c */

static int make_peers(void **state)
{
    return sl_peers_create(FIRST_SOURCE, (sl_peers **)state) == SL_OK ? 0 : -1;
}

static int destroy_peers(void **state)
{
    sl_peers_destroy(*state);
    return 0;
}

static struct sockaddr_in from(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static sl_peer_verdict judge_only(sl_peers *peers, uint16_t port, uint64_t first, uint32_t count, uint32_t checksum)
{
    struct sockaddr_in sender = from(port);
    sl_datagram datagram = {.first = first, .count = count};
    return sl_peers_judge(peers, &sender, &datagram, checksum, NOW_NS);
}

/* Judges a datagram, and appends it, after the session event if one is due. */
static sl_peer_verdict judge(sl_peers *peers, uint16_t port, uint64_t first, uint32_t count, uint32_t checksum)
{
    sl_peer_verdict verdict = judge_only(peers, port, first, count, checksum);
    if (verdict.is_new) sl_peers_name(peers);
    if (!verdict.is_dropped) sl_peers_take(peers, NOW_NS);
    return verdict;
}

static sl_err restore(sl_peers *peers, const sl_source *source)
{
    sl_peer_run run = {.next = source->next_source_seq};
    return sl_peers_restore(peers, source, &run, NOW_NS);
}

static sl_source_counts counts_of(sl_peers *peers, uint32_t source)
{
    sl_counters counters;
    (void)sl_peers_counters(peers, &counters);
    for (uint32_t i = 0; i < counters.count; i++)
        if (counters.sources[i].source == source) return counters.sources[i];
    return (sl_source_counts){0};
}

static void test_peers_numbered_peer_is_an_address_and_port(void **state)
{
    sl_peer_verdict one = judge(*state, 1000, 0, 1, BYTES);
    sl_peer_verdict other = judge(*state, 1001, 0, 1, BYTES);
    assert_int_equal(one.source, FIRST_SOURCE);
    assert_int_equal(one.session, 1);
    assert_int_equal(one.source_seq, 0);
    assert_true(one.is_new);
    assert_string_equal(one.name, "127.0.0.1:1000");
    assert_int_equal(other.source, FIRST_SOURCE + 1);
    assert_string_equal(other.name, "127.0.0.1:1001");
}

static void test_peers_unnumbered_messages_of_an_address_are_one_peer(void **state)
{
    sl_peer_verdict one = judge(*state, 1000, 0, 0, BYTES);
    sl_peer_verdict other = judge(*state, 1001, 0, 0, BYTES);
    assert_true(one.is_new);
    assert_string_equal(one.name, "127.0.0.1");
    assert_int_equal(one.session, 0);
    assert_true(one.source_seq == SL_SOURCE_SEQ_NONE);
    assert_int_equal(other.source, one.source);
    assert_false(other.is_new);
    assert_false(other.is_dropped); /* the same bytes, but who can tell */
}

static void test_peers_same_sender_with_and_without_numbers_is_two(void **state)
{
    sl_peer_verdict numbered = judge(*state, 1000, 0, 1, BYTES);
    sl_peer_verdict unnumbered = judge(*state, 1000, 0, 0, BYTES);
    assert_int_not_equal(numbered.source, unnumbered.source);
}

static void test_peers_is_new_until_named(void **state)
{
    assert_true(judge_only(*state, 1000, 0, 1, BYTES).is_new);
    sl_peers_drop(*state);
    assert_true(judge_only(*state, 1000, 1, 1, BYTES).is_new);
    sl_peers_name(*state);
    sl_peers_take(*state, NOW_NS);
    assert_false(judge_only(*state, 1000, 2, 1, BYTES).is_new);
}

static void test_peers_same_number_same_bytes_is_a_duplicate(void **state)
{
    judge(*state, 1000, 3, 1, BYTES);
    assert_true(judge(*state, 1000, 3, 1, BYTES).is_dropped);
    assert_int_equal(counts_of(*state, FIRST_SOURCE).duplicates, 1);
}

static void test_peers_duplicate_of_the_last_4096_is_known(void **state)
{
    for (uint32_t i = 0; i < SL_ARRIVALS_WINDOW; i++) judge(*state, 1000, i, 1, BYTES);
    assert_true(judge(*state, 1000, 0, 1, BYTES).is_dropped);
}

static void test_peers_number_beyond_the_window_begins_a_session(void **state)
{
    for (uint32_t i = 0; i <= SL_ARRIVALS_WINDOW; i++) judge(*state, 1000, i, 1, BYTES);
    assert_int_equal(judge(*state, 1000, 0, 1, BYTES).session, 2);
}

static void test_peers_same_number_other_bytes_begins_a_session(void **state)
{
    judge(*state, 1000, 0, 1, BYTES);
    sl_peer_verdict verdict = judge(*state, 1000, 0, 1, OTHER_BYTES);
    assert_false(verdict.is_dropped);
    assert_true(verdict.is_new);
    assert_int_equal(verdict.source, FIRST_SOURCE);
    assert_int_equal(verdict.session, 2);
    assert_int_equal(judge(*state, 1000, 1, 1, BYTES).session, 2);
}

static void test_peers_64_back_is_late(void **state)
{
    judge(*state, 1000, 100, 1, BYTES);
    sl_peer_verdict verdict = judge(*state, 1000, 36, 1, BYTES);
    assert_int_equal(verdict.session, 1);
    assert_false(verdict.is_new);
}

static void test_peers_65_back_begins_a_session(void **state)
{
    judge(*state, 1000, 100, 1, BYTES);
    sl_peer_verdict verdict = judge(*state, 1000, 35, 1, BYTES);
    assert_int_equal(verdict.session, 2);
    assert_true(verdict.is_new);
}

static void test_peers_late_number_does_not_lower_the_highest(void **state)
{
    judge(*state, 1000, 100, 1, BYTES);
    judge(*state, 1000, 36, 1, BYTES);
    assert_int_equal(judge(*state, 1000, 35, 1, BYTES).session, 2);
}

static void test_peers_numbers_go_on_beyond_2_32(void **state)
{
    judge(*state, 1000, UINT32_MAX, 1, BYTES);
    assert_int_equal(judge(*state, 1000, 0, 1, BYTES).session, 1);
    assert_int_equal(judge(*state, 1000, UINT32_MAX - 1, 1, BYTES).session, 1); /* late, across the end */
    assert_int_equal(judge(*state, 1000, UINT32_MAX - 64, 1, BYTES).session, 2);
}

static void test_peers_bundle_stands_for_all_its_numbers(void **state)
{
    judge(*state, 1000, 10, 5, BYTES);
    assert_int_equal(judge(*state, 1000, 15, 1, BYTES).session, 1);
    assert_true(judge(*state, 1000, 10, 5, BYTES).is_dropped);
    assert_int_equal(judge(*state, 1000, 14, 1, OTHER_BYTES).session, 2);
}

static void test_peers_bundle_over_the_end_of_numbers(void **state)
{
    judge(*state, 1000, UINT32_MAX, 2, BYTES);
    assert_int_equal(judge(*state, 1000, 0, 1, OTHER_BYTES).session, 2);
}

static void test_peers_dropped_datagram_is_taken_when_sent_again(void **state)
{
    judge(*state, 1000, 0, 1, BYTES);
    judge_only(*state, 1000, 1, 2, BYTES);
    sl_peers_drop(*state);
    assert_false(judge(*state, 1000, 1, 2, BYTES).is_dropped);
    sl_source_counts counts = counts_of(*state, FIRST_SOURCE);
    assert_int_equal(counts.received, 3);
    assert_int_equal(counts.dropped, 1);
    assert_int_equal(counts.queue_size, 2);
    assert_int_equal(counts.queue_max, 2);
}

static void test_peers_longest_silent_gives_way_to_the_65th(void **state)
{
    for (int i = 0; i < SL_SOURCES_MAX; i++) judge(*state, (uint16_t)(1000 + i), 0, 1, BYTES);
    judge(*state, 1000, 1, 1, BYTES); /* now 1001 is the longest silent */
    sl_peer_verdict verdict = judge(*state, 2000, 0, 1, BYTES);
    assert_int_equal(verdict.source, FIRST_SOURCE + SL_SOURCES_MAX);
    assert_false(judge(*state, 1000, 2, 1, BYTES).is_new);
    assert_int_equal(counts_of(*state, FIRST_SOURCE + 1).source, 0);
    verdict = judge(*state, 1001, 1, 1, BYTES);
    assert_int_equal(verdict.source, FIRST_SOURCE + SL_SOURCES_MAX + 1); /* its number is not reused */
    assert_int_equal(verdict.session, 1);
    assert_true(verdict.is_new);
}

static sl_source source_of(uint32_t number, const char *name)
{
    sl_source source = {.number = number, .input = SL_INPUT_OSC, .session = 3, .next_source_seq = 101};
    snprintf(source.name, sizeof source.name, "%s", name);
    source.counts = (sl_source_counts){.source = number, .received = 50, .processed = 40, .dropped = 10};
    return source;
}

static void test_peers_restored_peer_goes_on(void **state)
{
    sl_source source = source_of(2, "127.0.0.1:1000");
    assert_int_equal(restore(*state, &source), SL_OK);
    sl_peer_verdict verdict = judge(*state, 1000, 101, 1, BYTES);
    assert_int_equal(verdict.source, 2);
    assert_int_equal(verdict.session, 3);
    assert_false(verdict.is_new);
    sl_source_counts counts = counts_of(*state, 2);
    assert_int_equal(counts.received, 51);
    assert_int_equal(counts.processed, 40);
    assert_int_equal(counts.queue_size, 1);
    assert_int_equal(counts.dropped, 10);
}

static void test_peers_restored_peer_notices_a_new_run(void **state)
{
    sl_source source = source_of(2, "127.0.0.1:1000");
    assert_int_equal(restore(*state, &source), SL_OK);
    sl_peer_verdict verdict = judge(*state, 1000, 0, 1, BYTES);
    assert_int_equal(verdict.session, 4);
    assert_true(verdict.is_new);
}

static void test_peers_restores_an_unnumbered_peer(void **state)
{
    sl_source source = source_of(2, "127.0.0.1");
    source.session = 0;
    source.next_source_seq = 0;
    assert_int_equal(restore(*state, &source), SL_OK);
    assert_int_equal(judge(*state, 1000, 0, 0, BYTES).source, 2);
    assert_int_equal(judge(*state, 1000, 0, 1, BYTES).source, FIRST_SOURCE);
}

static void test_peers_restores_the_newest_number_of_a_name(void **state)
{
    sl_source older = source_of(2, "127.0.0.1:1000");
    sl_source newer = source_of(3, "127.0.0.1:1000");
    assert_int_equal(restore(*state, &older), SL_OK);
    assert_int_equal(restore(*state, &newer), SL_OK);
    assert_int_equal(judge(*state, 1000, 101, 1, BYTES).source, 3);
    assert_int_equal(counts_of(*state, 2).source, 0);
}

static void test_peers_restore_keeps_the_newest_64(void **state)
{
    for (int i = 0; i < SL_SOURCES_MAX + 1; i++) {
        char name[32];
        snprintf(name, sizeof name, "127.0.0.1:%d", 1000 + i);
        sl_source source = source_of((uint32_t)(100 + i), name);
        assert_int_equal(restore(*state, &source), SL_OK);
    }
    assert_true(judge(*state, 1000, 101, 1, BYTES).is_new);
    assert_int_equal(judge(*state, 1064, 101, 1, BYTES).source, 164);
}

static void test_peers_restore_passes_over_other_inputs(void **state)
{
    sl_source source = source_of(2, "command line");
    source.input = SL_INPUT_CLIENT;
    assert_int_equal(restore(*state, &source), SL_OK);
    assert_int_equal(counts_of(*state, 2).source, 0);
}

static void test_peers_restore_refuses_a_bad_name(void **state)
{
    const char *const names[] = {"", "localhost:9", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:+9"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sl_source source = source_of(2, names[i]);
        assert_int_equal(restore(*state, &source), SL_ERR_MALFORMED);
    }
}

static void test_peers_counts_malformed_where_it_belongs(void **state)
{
    struct sockaddr_in numbered = from(1000);
    struct sockaddr_in other = from(1001);
    sl_counters counters;
    sl_peers_count_malformed(*state, &other); /* nobody is known */
    judge(*state, 1000, 0, 1, BYTES);
    judge(*state, 1002, 0, 0, BYTES);
    sl_peers_count_malformed(*state, &numbered);
    sl_peers_count_malformed(*state, &other);
    (void)sl_peers_counters(*state, &counters);
    assert_int_equal(counters.refused_unnamed, 1);
    assert_int_equal(counts_of(*state, FIRST_SOURCE).parse_errors, 1);
    assert_int_equal(counts_of(*state, FIRST_SOURCE).received, 2);
    assert_int_equal(counts_of(*state, FIRST_SOURCE + 1).parse_errors, 1);
}

static void test_peers_restores_the_unnamed_count(void **state)
{
    struct sockaddr_in sender = from(1000);
    sl_counters counters;
    sl_peers_restore_unnamed(*state, 9);
    assert_false(sl_peers_counters(*state, &counters));
    sl_peers_count_malformed(*state, &sender);
    assert_true(sl_peers_counters(*state, &counters));
    assert_int_equal(counters.refused_unnamed, 10);
}

static void test_peers_queue_empties_as_drafts_are_committed(void **state)
{
    for (uint32_t i = 0; i < 5; i++) judge(*state, 1000, i, 1, BYTES);
    sl_peers_count_committed(*state, FIRST_SOURCE, 3);
    sl_source_counts counts = counts_of(*state, FIRST_SOURCE);
    assert_int_equal(counts.processed, 3);
    assert_int_equal(counts.queue_size, 2);
    assert_int_equal(counts.queue_max, 5);
}

static void test_peers_commit_of_an_unknown_source_is_passed_over(void **state)
{
    judge(*state, 1000, 0, 1, BYTES);
    sl_peers_count_committed(*state, 99, 1);
    sl_peers_count_committed(*state, SL_SOURCE_SELF, 1);
    assert_int_equal(counts_of(*state, FIRST_SOURCE).queue_size, 1);
}

static void test_peers_counters_tell_whether_anything_changed(void **state)
{
    sl_counters counters = {.kernel_drops = 4};
    assert_false(sl_peers_counters(*state, &counters));
    judge(*state, 1000, 0, 1, BYTES);
    assert_true(sl_peers_counters(*state, &counters));
    assert_false(sl_peers_counters(*state, &counters));
    sl_peers_count_committed(*state, FIRST_SOURCE, 1);
    assert_true(sl_peers_counters(*state, &counters));
    assert_int_equal(counters.kernel_drops, 4);
    assert_int_equal(counters.count, 1);
}

static void test_peers_restoring_changes_nothing_to_be_told(void **state)
{
    sl_source source = source_of(2, "127.0.0.1:1000");
    sl_counters counters;
    assert_int_equal(restore(*state, &source), SL_OK);
    assert_false(sl_peers_counters(*state, &counters));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_peers, destroy_peers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_peers_numbered_peer_is_an_address_and_port),
        TEST(test_peers_unnumbered_messages_of_an_address_are_one_peer),
        TEST(test_peers_same_sender_with_and_without_numbers_is_two),
        TEST(test_peers_is_new_until_named),
        TEST(test_peers_same_number_same_bytes_is_a_duplicate),
        TEST(test_peers_duplicate_of_the_last_4096_is_known),
        TEST(test_peers_number_beyond_the_window_begins_a_session),
        TEST(test_peers_same_number_other_bytes_begins_a_session),
        TEST(test_peers_64_back_is_late),
        TEST(test_peers_65_back_begins_a_session),
        TEST(test_peers_late_number_does_not_lower_the_highest),
        TEST(test_peers_numbers_go_on_beyond_2_32),
        TEST(test_peers_bundle_stands_for_all_its_numbers),
        TEST(test_peers_bundle_over_the_end_of_numbers),
        TEST(test_peers_dropped_datagram_is_taken_when_sent_again),
        TEST(test_peers_longest_silent_gives_way_to_the_65th),
        TEST(test_peers_restored_peer_goes_on),
        TEST(test_peers_restored_peer_notices_a_new_run),
        TEST(test_peers_restores_an_unnumbered_peer),
        TEST(test_peers_restores_the_newest_number_of_a_name),
        TEST(test_peers_restore_keeps_the_newest_64),
        TEST(test_peers_restore_passes_over_other_inputs),
        TEST(test_peers_restore_refuses_a_bad_name),
        TEST(test_peers_counts_malformed_where_it_belongs),
        TEST(test_peers_restores_the_unnamed_count),
        TEST(test_peers_queue_empties_as_drafts_are_committed),
        TEST(test_peers_commit_of_an_unknown_source_is_passed_over),
        TEST(test_peers_counters_tell_whether_anything_changed),
        TEST(test_peers_restoring_changes_nothing_to_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
