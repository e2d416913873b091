/* The receiver, over real sockets on 127.0.0.1. */
#include "tests/unit/ingest_udp_fixture.h"

enum { BURST = 10000 };

static void assert_refused(fixture *fixture, const void *bytes, size_t length, sl_osc_fault fault)
{
    uint64_t faults[SL_OSC_FAULT_COUNT];
    send_bytes(fixture, bytes, length);
    settle(fixture);
    sl_udp_faults(fixture->udp, faults);
    assert_int_equal(faults[fault], 1);
    assert_int_equal(fixture->report_count, 1);
}

static void test_udp_datagram_arrives_stamped(void **state)
{
    fixture *fixture = *state;
    packet packet = packet_numbered(7, 1);
    uint64_t before_ns = sl_clock_boot_ns() - fixture->start_ns;
    send_packet(fixture, packet);
    sl_event draft = next_osc(fixture);
    uint64_t after_ns = sl_clock_boot_ns() - fixture->start_ns;
    assert_int_equal(draft.kind, SL_KIND_OSC);
    assert_int_equal(draft.version, SL_PAYLOAD_VERSION);
    assert_int_equal(draft.source, 1);
    assert_int_equal(draft.session, 1);
    assert_int_equal(draft.source_seq, 7);
    assert_in_range(draft.time_ns, before_ns, after_ns);
    assert_int_equal(draft.length, packet.length);
    assert_memory_equal(draft.payload, packet.bytes, packet.length);
}

static void test_udp_session_comes_before_the_first_datagram(void **state)
{
    fixture *fixture = *state;
    char name[32];
    snprintf(name, sizeof name, "127.0.0.1:%u", fixture->sender_port);
    send_packet(fixture, packet_numbered(0, 1));
    sl_event draft = next_draft(fixture);
    sl_session session;
    assert_int_equal(draft.kind, SL_KIND_SESSION);
    assert_int_equal(draft.source, 1);
    assert_int_equal(draft.session, 1);
    assert_true(draft.source_seq == SL_SOURCE_SEQ_NONE);
    assert_int_equal(sl_session_decode(&draft, &session), SL_OK);
    assert_int_equal(session.input, SL_INPUT_OSC);
    assert_int_equal(session.name_length, strlen(name));
    assert_memory_equal(session.name, name, strlen(name));
    assert_int_equal(next_draft(fixture).kind, SL_KIND_OSC);
    send_packet(fixture, packet_numbered(1, 1));
    assert_int_equal(next_draft(fixture).kind, SL_KIND_OSC);
}

static void test_udp_new_run_begins_with_a_session(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_numbered(0, 1));
    next_osc(fixture);
    send_packet(fixture, packet_numbered(0, 2));
    sl_event draft = next_draft(fixture);
    assert_int_equal(draft.kind, SL_KIND_SESSION);
    assert_int_equal(draft.session, 2);
    assert_int_equal(next_draft(fixture).session, 2);
}

static void test_udp_duplicate_is_dropped(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_numbered(0, 1));
    send_packet(fixture, packet_numbered(0, 1));
    send_packet(fixture, packet_numbered(1, 1));
    assert_int_equal(next_osc(fixture).source_seq, 0);
    assert_int_equal(next_osc(fixture).source_seq, 1);
}

static void test_udp_negative_number_is_mod_2_32(void **state)
{
    fixture *fixture = *state;
    send_packet(fixture, packet_numbered(-1, 1));
    assert_int_equal(next_osc(fixture).source_seq, UINT32_MAX);
}

static void test_udp_takes_int64_numbers(void **state)
{
    fixture *fixture = *state;
    packet packet = {.length = 0};
    packet_text(&packet, "/live/seq");
    packet_text(&packet, ",hts");
    packet_u64(&packet, 5000000000u);
    packet_u64(&packet, 0);
    packet_text(&packet, "/live/test");
    send_packet(fixture, packet);
    assert_true(next_osc(fixture).source_seq == 5000000000u);
}

static void test_udp_wakes_the_committer(void **state)
{
    fixture *fixture = *state;
    struct pollfd wanted = {.fd = fixture->wake_fd, .events = POLLIN};
    send_packet(fixture, packet_plain(1));
    assert_int_equal(poll(&wanted, 1, WAIT_MS), 1);
}

static void test_udp_malformed_is_counted_and_reported_once(void **state)
{
    fixture *fixture = *state;
    char expected[256];
    uint64_t faults[SL_OSC_FAULT_COUNT];
    for (int i = 0; i < 3; i++) send_bytes(fixture, "abc", 3);
    settle(fixture);
    sl_udp_faults(fixture->udp, faults);
    assert_int_equal(faults[SL_OSC_FAULT_LENGTH], 3);
    assert_int_equal(fixture->report_count, 1);
    snprintf(expected, sizeof expected,
             "127.0.0.1:%u sent a datagram that is not taken: %s (more of this kind are only counted)",
             fixture->sender_port, sl_osc_fault_text(SL_OSC_FAULT_LENGTH));
    assert_string_equal(fixture->reports[0], expected);
}

static void test_udp_each_kind_of_fault_is_reported(void **state)
{
    fixture *fixture = *state;
    send_bytes(fixture, "abc", 3);
    send_bytes(fixture, "", 0);
    send_bytes(fixture, "abcd", 4);
    settle(fixture);
    assert_int_equal(fixture->report_count, 3);
}

static void test_udp_malformed_counts_for_its_sender(void **state)
{
    fixture *fixture = *state;
    sl_counters counters;
    send_bytes(fixture, "abcd", 4);
    settle(fixture);
    send_bytes(fixture, "abcd", 4);
    settle(fixture);
    (void)sl_peers_counters(fixture->peers, &counters);
    assert_int_equal(counters.refused_unnamed, 1);
    assert_int_equal(counters.sources[0].parse_errors, 1);
}

static void test_udp_bad_wrapper_is_malformed(void **state)
{
    packet packet = {.length = 0};
    packet_text(&packet, "/live/seq");
    packet_text(&packet, ",i");
    packet_u32(&packet, 1);
    assert_refused(*state, packet.bytes, packet.length, SL_OSC_FAULT_TAGS);
}

static void test_udp_mixed_bundle_is_malformed(void **state)
{
    packet bundle = packet_bundle();
    packet numbered = packet_numbered(0, 1);
    packet plain = packet_plain(1);
    packet_add(&bundle, &numbered);
    packet_add(&bundle, &plain);
    assert_refused(*state, bundle.bytes, bundle.length, SL_OSC_FAULT_BUNDLE);
}

static void test_udp_mixed_bundle_the_other_way_is_malformed(void **state)
{
    packet bundle = packet_bundle();
    packet numbered = packet_numbered(0, 1);
    packet plain = packet_plain(1);
    packet_add(&bundle, &plain);
    packet_add(&bundle, &numbered);
    assert_refused(*state, bundle.bytes, bundle.length, SL_OSC_FAULT_BUNDLE);
}

static void test_udp_bundle_with_a_hole_is_malformed(void **state)
{
    packet bundle = packet_bundle();
    packet one = packet_numbered(0, 1);
    packet other = packet_numbered(2, 1);
    packet_add(&bundle, &one);
    packet_add(&bundle, &other);
    assert_refused(*state, bundle.bytes, bundle.length, SL_OSC_FAULT_BUNDLE);
}

static void test_udp_bundle_is_one_draft_for_all_its_numbers(void **state)
{
    fixture *fixture = *state;
    packet bundle = packet_bundle();
    for (int32_t i = -1; i < 2; i++) { /* over the end of the numbers */
        packet element = packet_numbered(i, 1);
        packet_add(&bundle, &element);
    }
    send_packet(fixture, bundle);
    sl_event draft = next_osc(fixture);
    assert_int_equal(draft.source_seq, UINT32_MAX);
    assert_int_equal(draft.length, bundle.length);
    send_packet(fixture, packet_numbered(1, 2)); /* seen, with other bytes */
    assert_int_equal(next_draft(fixture).kind, SL_KIND_SESSION);
}

static void test_udp_unnumbered_bundle_is_unnumbered(void **state)
{
    fixture *fixture = *state;
    packet bundle = packet_bundle();
    packet plain = packet_plain(1);
    packet_add(&bundle, &plain);
    packet_add(&bundle, &plain);
    send_packet(fixture, bundle);
    sl_event draft = next_osc(fixture);
    assert_true(draft.source_seq == SL_SOURCE_SEQ_NONE);
    assert_int_equal(draft.session, 0);
}

static void test_udp_longest_message_arrives_whole(void **state)
{
    fixture *fixture = *state;
    static uint8_t blob[65507];
    packet packet = {.length = 0};
    packet_text(&packet, "/a");
    packet_text(&packet, ",b");
    packet_u32(&packet, 65504 - 12);
    packet_bytes(&packet, blob, 65504 - 12);
    assert_int_equal(packet.length, 65504); /* the most that is a multiple of 4 */
    send_packet(fixture, packet);
    sl_event draft = next_osc(fixture);
    assert_int_equal(draft.length, packet.length);
    assert_memory_equal(draft.payload, packet.bytes, packet.length);
}

static void test_udp_longest_datagram_is_looked_at_whole(void **state)
{
    static uint8_t bytes[65507];
    bytes[0] = '/';
    assert_refused(*state, bytes, sizeof bytes, SL_OSC_FAULT_LENGTH);
}

static void test_udp_never_answers(void **state)
{
    fixture *fixture = *state;
    const char unmatched[] = "/live/test/\0,\0\0"; /* liblo would answer a path that ends so */
    send_bytes(fixture, "abc", 3);
    send_bytes(fixture, unmatched, sizeof unmatched);
    send_packet(fixture, packet_numbered(0, 1));
    send_packet(fixture, packet_numbered(0, 1));
    settle(fixture);
    uint8_t answer;
    assert_int_equal(recv(fixture->sender, &answer, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* The counts of the only peer, once it has sent `received` datagrams. */
static sl_source_counts wait_for_counts(fixture *fixture, uint64_t received)
{
    sl_counters counters = {0};
    for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms++) {
        (void)sl_peers_counters(fixture->peers, &counters);
        if (counters.count > 0 && counters.sources[0].received >= received) break;
        usleep(1000);
    }
    return counters.sources[0];
}

static void test_udp_full_ring_drops_and_counts(void **state)
{
    (void)state;
    fixture *fixture = start_with(1 << 20);
    static uint8_t blob[60000];
    for (int32_t i = 0; i < 40; i++) {
        packet packet = {.length = 0};
        packet_wrap(&packet, i, "/live/test", "b");
        packet_u32(&packet, sizeof blob);
        packet_bytes(&packet, blob, sizeof blob);
        send_packet(fixture, packet);
        if (i % 4 == 3) (void)wait_for_counts(fixture, (uint64_t)i + 1); /* a small kernel buffer will do */
    }
    sl_source_counts counts = wait_for_counts(fixture, 40);
    assert_int_equal(counts.received, 40);
    assert_int_equal(counts.queue_size, 17); /* of 60 KB fit 1 MiB */
    assert_int_equal(counts.dropped, 23);
    void *started = fixture;
    stop(&started);
}

static void test_udp_full_ring_leaves_the_session_due(void **state)
{
    (void)state;
    fixture *fixture = start_with(1 << 20);
    sl_event filler = {.kind = SL_KIND_MARK, .length = 0};
    while (sl_ring_put(fixture->ring, &filler) == SL_OK) {
    } /* the receiver sleeps: nobody else writes */
    send_packet(fixture, packet_numbered(0, 1));
    assert_int_equal(wait_for_counts(fixture, 1).dropped, 1);
    sl_event draft;
    while (sl_ring_take(fixture->ring, &draft, 1) == 1) {
    }
    sl_ring_release(fixture->ring);
    send_packet(fixture, packet_numbered(0, 1)); /* again: taken, since it was dropped */
    assert_int_equal(next_draft(fixture).kind, SL_KIND_SESSION);
    assert_int_equal(next_draft(fixture).source_seq, 0);
    void *started = fixture;
    stop(&started);
}

static void test_udp_stop_drains_what_had_arrived(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 0; i < 500; i++) send_packet(fixture, packet_plain(i));
    sl_udp_stop(fixture->udp);
    fixture->udp = NULL;
    assert_int_equal(sl_ring_count(fixture->ring), 1 + 500);
}

static void test_udp_burst_arrives_whole(void **state)
{
    fixture *fixture = *state;
    enum { KERNEL_BYTES = 768 }; /* what the kernel counts for a small datagram, with its own overhead */
    if (sl_udp_buffer_bytes(fixture->udp) / KERNEL_BYTES < BURST) skip();
    for (int32_t i = 0; i < BURST; i++) send_packet(fixture, packet_numbered(i, 1));
    bool is_in_order = true;
    for (uint64_t i = 0; i < BURST; i++) is_in_order = next_osc(fixture).source_seq == i && is_in_order;
    assert_true(is_in_order);
    assert_int_equal(sl_udp_kernel_drops(fixture->udp), 0);
}

static void test_udp_kernel_drops_are_counted(void **state)
{
    (void)state;
    sl_peers *peers;
    sl_ring *ring;
    sl_udp *udp;
    char errmsg[256];
    uint16_t port;
    assert_int_equal(sl_peers_create(1, &peers), SL_OK);
    assert_int_equal(sl_ring_create(RING_BYTES, &ring), SL_OK);
    sl_udp_options options = {
        .address = "127.0.0.1", .receive_buffer_bytes = 1, .ring = ring, .wake_fd = -1, .peers = peers};
    assert_int_equal(sl_udp_start(&udp, &options, errmsg), SL_OK);
    assert_in_range(sl_udp_buffer_bytes(udp), 1, 65536); /* the least that the kernel grants */
    int sender = open_sender(sl_udp_port(udp), &port);
    uint64_t sent = 0;
    while (sl_udp_kernel_drops(udp) == 0 && sent < 1000000) {
        packet packet = packet_plain((uint32_t)sent++);
        assert_true(send(sender, packet.bytes, packet.length, 0) > 0);
        if (sent % 100000 == 0) {
            usleep(1000);
            sl_event drafts[64];
            while (sl_ring_take(ring, drafts, 64) > 0) sl_ring_release(ring);
        }
    }
    assert_true(sl_udp_kernel_drops(udp) > 0);
    close(sender);
    sl_udp_stop(udp);
    sl_ring_destroy(ring);
    sl_peers_destroy(peers);
}

static void test_udp_snapshot_is_logged_and_handed_on(void **state)
{
    fixture *fixture = *state;
    packet bundle = packet_bundle();
    packet first = packet_part(10, 0, 2, "no", 2);
    packet second = packet_part(11, 1, 2, "gzip", 4);
    packet_add(&bundle, &first);
    packet_add(&bundle, &second);
    send_packet(fixture, bundle);
    assert_int_equal(next_osc(fixture).length, bundle.length);
    for (int waited_ms = 0; waited_ms < WAIT_MS && fixture->sunk_count == 0; waited_ms++) usleep(1000);
    assert_int_equal(fixture->sunk_count, 1);
    assert_int_equal(fixture->sunk_kinds[0], SL_KIND_REFUSED);
    assert_int_equal(fixture->sunk_seq, 11);
}

static void assert_start_fails(const char *address, uint16_t port, const char *expected)
{
    sl_udp *udp = NULL;
    char errmsg[256] = "";
    sl_udp_options options = {.address = address, .port = port};
    assert_int_equal(sl_udp_start(&udp, &options, errmsg), SL_ERR_IO);
    assert_string_equal(errmsg, expected);
}

static void test_udp_port_in_use_is_said(void **state)
{
    fixture *fixture = *state;
    char expected[128];
    uint16_t port = sl_udp_port(fixture->udp);
    snprintf(expected, sizeof expected, "udp: cannot listen on 127.0.0.1:%u: bind: Address already in use", port);
    assert_start_fails("127.0.0.1", port, expected);
}

static void test_udp_bad_address_is_said(void **state)
{
    (void)state;
    assert_start_fails("localhost", 0, "udp: \"localhost\" is not an IPv4 address; write one like 127.0.0.1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_udp_datagram_arrives_stamped),
        TEST(test_udp_session_comes_before_the_first_datagram),
        TEST(test_udp_new_run_begins_with_a_session),
        TEST(test_udp_duplicate_is_dropped),
        TEST(test_udp_negative_number_is_mod_2_32),
        TEST(test_udp_takes_int64_numbers),
        TEST(test_udp_wakes_the_committer),
        TEST(test_udp_malformed_is_counted_and_reported_once),
        TEST(test_udp_each_kind_of_fault_is_reported),
        TEST(test_udp_malformed_counts_for_its_sender),
        TEST(test_udp_bad_wrapper_is_malformed),
        TEST(test_udp_mixed_bundle_is_malformed),
        TEST(test_udp_mixed_bundle_the_other_way_is_malformed),
        TEST(test_udp_bundle_with_a_hole_is_malformed),
        TEST(test_udp_bundle_is_one_draft_for_all_its_numbers),
        TEST(test_udp_unnumbered_bundle_is_unnumbered),
        TEST(test_udp_longest_message_arrives_whole),
        TEST(test_udp_longest_datagram_is_looked_at_whole),
        TEST(test_udp_never_answers),
        cmocka_unit_test(test_udp_full_ring_drops_and_counts),
        cmocka_unit_test(test_udp_full_ring_leaves_the_session_due),
        TEST(test_udp_stop_drains_what_had_arrived),
        TEST(test_udp_burst_arrives_whole),
        cmocka_unit_test(test_udp_kernel_drops_are_counted),
        TEST(test_udp_snapshot_is_logged_and_handed_on),
        TEST(test_udp_port_in_use_is_said),
        TEST(test_udp_bad_address_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
