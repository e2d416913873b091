/* Collecting the parts of a snapshot: each ends in one event, a picture or a refused. */
#include "ingest/snapshot.h"

#include "core/payload.h"
#include "core/picture.h"
#include "tests/unit/cmocka_small.h"
#include "tests/unit/ingest_pack.h"
#include "tests/unit/ingest_packet.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUNK_MAX = 70, REASON_BYTES = 256 };

typedef struct sunk {
    sl_event header;
    char reason[REASON_BYTES];
} sunk;

typedef struct fixture {
    sl_snapshot *snapshot;
    sunk sunk[SUNK_MAX]; /* read only after `count` or sl_snapshot_stop has told of it */
    _Atomic int count;
    _Atomic int full_count; /* so often the sink refuses */
    uint8_t *packed;
    size_t packed_length;
} fixture;

static sl_err sink(void *ctx, const sl_event *draft)
{
    fixture *fixture = ctx;
    if (fixture->full_count > 0) {
        fixture->full_count--;
        return SL_ERR_FULL;
    }
    sunk *sunk = &fixture->sunk[fixture->count];
    sunk->header = *draft;
    sl_refused refused;
    if (draft->kind == SL_KIND_REFUSED && sl_refused_decode(draft, &refused) == SL_OK)
        snprintf(sunk->reason, sizeof sunk->reason, "%.*s", (int)refused.reason_length, refused.reason);
    fixture->count++;
    return SL_OK;
}

static int start(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    const char json[] = "{\"node_type\":\"project\",\"attributes\":{\"tempo\":120}}";
    fixture->packed = pack(json, strlen(json), &fixture->packed_length);
    *state = fixture;
    return sl_snapshot_start(&fixture->snapshot, (sl_sink){.put = sink, .ctx = fixture}, 0) == SL_OK ? 0 : -1;
}

static int stop(void **state)
{
    fixture *fixture = *state;
    sl_snapshot_stop(fixture->snapshot);
    free(fixture->packed);
    free(fixture);
    return 0;
}

/* Ends the work; then everything has been sunk. */
static void end(fixture *fixture)
{
    sl_snapshot_stop(fixture->snapshot);
    fixture->snapshot = NULL;
}

static void take_packet(fixture *fixture, uint32_t source, uint64_t number, const packet *packet)
{
    sl_event draft = {.kind = SL_KIND_OSC, .source = source, .session = 2, .source_seq = number};
    sl_osc_message message = sl_osc_message_read(packet->bytes, packet->length);
    sl_osc_message inner;
    int64_t sent;
    double timestamp;
    bool is_bad;
    assert_true(sl_osc_unwrap(&message, &inner, &sent, &timestamp, &is_bad));
    sl_snapshot_take(fixture->snapshot, &draft, &inner);
}

static void take_bytes(fixture *fixture, uint64_t number, uint32_t part, uint32_t parts, const void *bytes,
                       size_t length)
{
    packet packet = packet_part((int32_t)number, part, parts, bytes, length);
    take_packet(fixture, 1, number, &packet);
}

/* Part `part` of `parts` of the fixture's snapshot. */
static void take_part(fixture *fixture, uint64_t number, uint32_t part, uint32_t parts)
{
    size_t from = fixture->packed_length * part / parts;
    size_t to = fixture->packed_length * (part + 1) / parts;
    if (part >= parts) from = to = 0;
    take_bytes(fixture, number, part, parts, fixture->packed + from, to - from);
}

/* No number of the snapshot that ends with `last` is missing any more. */
static void settle(fixture *fixture, uint64_t last)
{
    assert_true(sl_snapshot_settle(fixture->snapshot, 1, 2, last));
}

static void assert_picture(const fixture *fixture, int at, uint64_t number)
{
    const sl_event *header = &fixture->sunk[at].header;
    if (header->kind == SL_KIND_REFUSED) fail_msg("%s", fixture->sunk[at].reason);
    assert_int_equal(header->kind, SL_KIND_PICTURE);
    assert_int_equal(header->version, SL_PICTURE_VERSION);
    assert_int_equal(header->session, 2);
    assert_int_equal(header->source_seq, number);
}

static void assert_only_refusal(fixture *fixture, uint64_t number, const char *reason)
{
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(fixture->sunk[0].header.kind, SL_KIND_REFUSED);
    assert_int_equal(fixture->sunk[0].header.source, 1);
    assert_int_equal(fixture->sunk[0].header.source_seq, number);
    assert_string_equal(fixture->sunk[0].reason, reason);
}

static void test_snapshot_parts_in_order_give_a_picture(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 0; i < 5; i++) take_part(fixture, 10 + i, i, 5);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 14);
    assert_int_equal(fixture->sunk[0].header.source, 1);
    assert_true(fixture->sunk[0].header.time_ns > 0);
}

static void test_snapshot_of_one_part(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 1);
    end(fixture);
    assert_picture(fixture, 0, 0);
}

static void test_snapshot_numbers_go_on_beyond_2_32(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, UINT32_MAX, 0, 2);
    take_part(fixture, 0, 1, 2);
    end(fixture);
    assert_picture(fixture, 0, 0);
}

static void test_snapshot_without_numbers(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, SL_SOURCE_SEQ_NONE, 0, 2);
    take_part(fixture, SL_SOURCE_SEQ_NONE, 1, 2);
    end(fixture);
    assert_picture(fixture, 0, SL_SOURCE_SEQ_NONE);
}

static void test_snapshot_one_after_the_other(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 0; i < 4; i++) take_part(fixture, i, i % 2, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 1);
    assert_picture(fixture, 1, 3);
}

static void test_snapshot_two_sources_at_once(void **state)
{
    fixture *fixture = *state;
    for (uint32_t part = 0; part < 2; part++)
        for (uint32_t source = 1; source <= 2; source++) {
            size_t half = fixture->packed_length / 2;
            size_t length = part == 0 ? half : fixture->packed_length - half;
            packet packet = packet_part((int32_t)part, part, 2, fixture->packed + half * part, length);
            take_packet(fixture, source, part, &packet);
        }
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 1);
    assert_picture(fixture, 1, 1);
}

static void test_snapshot_65th_source_displaces_one(void **state)
{
    fixture *fixture = *state;
    packet packet = packet_part(0, 0, 2, "a", 1);
    for (uint32_t source = 1; source <= 65; source++) take_packet(fixture, source, 0, &packet);
    end(fixture);
    assert_int_equal(fixture->sunk[0].header.source, 1);
    assert_string_equal(fixture->sunk[0].reason, "snapshot: too many sources send snapshots at the same time");
    assert_int_equal(fixture->count, 65); /* the others were not complete */
}

static void test_snapshot_parts_in_any_order_give_a_picture(void **state)
{
    fixture *fixture = *state;
    for (uint32_t i = 0; i < 7; i++) take_part(fixture, 10 + i * 3 % 7, i * 3 % 7, 7);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 16); /* the last part's number, though another came last */
}

static void test_snapshot_part_sent_again_is_passed_over(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 1, 1, 2);
    take_part(fixture, 0, 0, 2);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 1);
}

static void test_snapshot_missing_part_is_waited_for(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 5);
    for (uint32_t i = 2; i < 5; i++) take_part(fixture, i, i, 5);
    take_part(fixture, 1, 1, 5);
    settle(fixture, 4);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 4);
}

static void test_snapshot_given_up_part_is_refused_once(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 5);
    for (uint32_t i = 2; i < 5; i++) take_part(fixture, i, i, 5);
    settle(fixture, 4);
    take_part(fixture, 1, 1, 5);
    assert_only_refusal(fixture, 4, "snapshot: a part is missing");
}

static void test_snapshot_of_which_nothing_got_through_is_refused(void **state)
{
    fixture *fixture = *state;
    settle(fixture, 4);
    assert_only_refusal(fixture, 4, "snapshot: its parts came faster than they could be taken");
}

static void test_snapshot_without_numbers_cannot_wait(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, SL_SOURCE_SEQ_NONE, 0, 3);
    take_part(fixture, SL_SOURCE_SEQ_NONE, 2, 3);
    assert_only_refusal(fixture, SL_SOURCE_SEQ_NONE, "snapshot: a part is missing");
}

static void test_snapshot_without_numbers_begins_with_part_0(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, SL_SOURCE_SEQ_NONE, 0, 2);
    take_part(fixture, SL_SOURCE_SEQ_NONE, 0, 2);
    take_part(fixture, SL_SOURCE_SEQ_NONE, 1, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_string_equal(fixture->sunk[0].reason, "snapshot: another began before its last part came");
    assert_picture(fixture, 1, SL_SOURCE_SEQ_NONE);
}

static void test_snapshot_newer_one_refuses_the_first(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 2, 0, 2);
    take_part(fixture, 3, 1, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 3);
    assert_string_equal(fixture->sunk[1].reason, "snapshot: another began before its last part came");
    assert_int_equal(fixture->sunk[1].header.source_seq, 1);
}

static void test_snapshot_last_part_of_an_older_one_is_answered(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 2, 0, 2);
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 1, 1, 2); /* the reducer waits from here on */
    take_part(fixture, 3, 1, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 3);
    assert_int_equal(fixture->sunk[1].header.kind, SL_KIND_REFUSED);
    assert_int_equal(fixture->sunk[1].header.source_seq, 1);
    assert_string_equal(fixture->sunk[1].reason, "snapshot: a newer one began before its last part came");
}

static void test_snapshot_foreign_part_count(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 1, 1, 3);
    take_part(fixture, 1, 0, 2); /* the same last number, of another count */
    settle(fixture, 2);
    assert_only_refusal(fixture, 2, "snapshot: a part with another count of parts");
}

static void test_snapshot_foreign_session(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    packet packet = {.length = 0};
    packet_wrap(&packet, 1, "/symlog/snapshot", "hiib");
    packet_u64(&packet, 78);
    packet_u32(&packet, 1);
    packet_u32(&packet, 2);
    packet_u32(&packet, 0);
    take_packet(fixture, 1, 1, &packet);
    settle(fixture, 1);
    assert_only_refusal(fixture, 1, "snapshot: a part of another session");
}

static void test_snapshot_something_between_the_parts(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    take_part(fixture, 2, 1, 2);
    settle(fixture, 2);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->sunk[0].header.source_seq, 1);
    assert_int_equal(fixture->sunk[1].header.source_seq, 2);
    assert_string_equal(fixture->sunk[1].reason, "snapshot: a part is missing");
}

/* Everything that waits is done; nothing runs beside the test. */
static void work(fixture *fixture)
{
    while (sl_snapshot_work(fixture->snapshot)) {
    }
}

static void without_thread(fixture *fixture)
{
    end(fixture);
    assert_int_equal(sl_snapshot_open(&fixture->snapshot, (sl_sink){.put = sink, .ctx = fixture}, 0), SL_OK);
}

static void test_snapshot_refusal_waits_for_what_is_missing_before_it(void **state)
{
    fixture *fixture = *state;
    without_thread(fixture);
    take_bytes(fixture, 5, 0, 1, "plain", 5);
    work(fixture);
    assert_int_equal(fixture->count, 0); /* the reducer may hold that part */
    settle(fixture, 5);
    work(fixture);
    assert_int_equal(fixture->count, 1);
    assert_string_equal(fixture->sunk[0].reason, "snapshot: the gzip data is damaged");
    sl_snapshot_close(fixture->snapshot);
    fixture->snapshot = NULL;
}

static void test_snapshot_settled_later_one_lets_the_earlier_be_refused(void **state)
{
    fixture *fixture = *state;
    without_thread(fixture);
    take_bytes(fixture, 5, 0, 1, "plain", 5);
    take_bytes(fixture, 6, 0, 1, "plain", 5);
    take_bytes(fixture, 7, 3, 2, "impossible", 10);
    work(fixture);
    assert_int_equal(fixture->count, 0);
    settle(fixture, 7);
    work(fixture);
    assert_int_equal(fixture->count, 3);
    for (uint64_t i = 0; i < 3; i++) assert_int_equal(fixture->sunk[i].header.source_seq, 5 + i);
    sl_snapshot_close(fixture->snapshot);
    fixture->snapshot = NULL;
}

static void test_snapshot_refusals_of_a_session_that_is_over_are_told(void **state)
{
    fixture *fixture = *state;
    without_thread(fixture);
    take_bytes(fixture, 5, 0, 1, "plain", 5);
    work(fixture);
    assert_true(sl_snapshot_settle(fixture->snapshot, 1, 3, 0));
    work(fixture);
    assert_int_equal(fixture->sunk[0].header.source_seq, 5);
    sl_snapshot_close(fixture->snapshot);
    fixture->snapshot = NULL;
}

static void test_snapshot_impossible_part_count(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, SL_SNAPSHOT_PARTS_MAX + 1);
    assert_only_refusal(fixture, 0, "snapshot: its count of parts is not 1 to 65536");
}

static void test_snapshot_part_beyond_the_count(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 2, 2);
    assert_only_refusal(fixture, 0, "snapshot: a part's number is not below the count of parts");
}

static void test_snapshot_wrong_arguments(void **state)
{
    fixture *fixture = *state;
    packet packet = {.length = 0};
    packet_wrap(&packet, 0, "/symlog/snapshot", "hii");
    packet_u64(&packet, 77);
    packet_u32(&packet, 0);
    packet_u32(&packet, 1);
    take_packet(fixture, 1, 0, &packet);
    assert_only_refusal(fixture, 0, "snapshot: a part's arguments are not h session, i part, i parts, b bytes");
}

static void test_snapshot_bad_gzip(void **state)
{
    fixture *fixture = *state;
    take_bytes(fixture, 0, 0, 1, "plain", 5);
    assert_only_refusal(fixture, 0, "snapshot: the gzip data is damaged");
}

static void test_snapshot_bad_json(void **state)
{
    fixture *fixture = *state;
    size_t length;
    uint8_t *packed = pack("[", 1, &length);
    take_bytes(fixture, 0, 0, 1, packed, length);
    free(packed);
    assert_only_refusal(fixture, 0, "snapshot: invalid JSON at line 1, column 1: ']' expected near end of file");
}

static void test_snapshot_refused_by_a_rule(void **state)
{
    fixture *fixture = *state;
    size_t length;
    uint8_t *packed = pack("{}", 2, &length);
    take_bytes(fixture, 0, 0, 1, packed, length);
    free(packed);
    assert_only_refusal(fixture, 0, "snapshot: node 0 (unknown): node_type is missing or not a text");
}

static void test_snapshot_bomb_is_refused(void **state)
{
    fixture *fixture = *state;
    size_t length;
    size_t bomb_bytes = (size_t)SL_SNAPSHOT_JSON_BYTES_MAX + 1;
    char *zeros = calloc(1, bomb_bytes);
    uint8_t *packed = pack(zeros, bomb_bytes, &length);
    enum { PART_BYTES = 60000 };
    uint32_t parts = (uint32_t)((length + PART_BYTES - 1) / PART_BYTES);
    for (uint32_t i = 0; i < parts; i++) {
        size_t part_length = i + 1 < parts ? PART_BYTES : length - (size_t)i * PART_BYTES;
        take_bytes(fixture, i, i, parts, packed + (size_t)i * PART_BYTES, part_length);
    }
    free(packed);
    free(zeros);
    assert_only_refusal(fixture, parts - 1, "snapshot: it unpacks to too many bytes");
}

static void test_snapshot_incomplete_at_the_end_is_refused(void **state)
{
    fixture *fixture = *state;
    take_part(fixture, 0, 0, 2);
    assert_only_refusal(fixture, 1, "snapshot: symlog stopped before its last part came");
}

static void test_snapshot_waits_while_the_sink_is_full(void **state)
{
    fixture *fixture = *state;
    fixture->full_count = 3;
    take_part(fixture, 0, 0, 1);
    end(fixture);
    assert_int_equal(fixture->count, 1);
    assert_picture(fixture, 0, 0);
}

static void test_snapshot_parts_too_fast_end_in_one_refusal(void **state)
{
    fixture *fixture = *state;
    static uint8_t bytes[60000];
    fixture->full_count = 20; /* holds the worker for a while */
    take_part(fixture, 0, 0, 1);
    for (uint32_t i = 0; i < 1000; i++) take_bytes(fixture, 1 + i, i, 1001, bytes, sizeof bytes);
    end(fixture);
    assert_int_equal(fixture->count, 2);
    assert_picture(fixture, 0, 0);
    assert_string_equal(fixture->sunk[1].reason, "snapshot: its parts came faster than they could be taken");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_snapshot_parts_in_order_give_a_picture),
        TEST(test_snapshot_of_one_part),
        TEST(test_snapshot_numbers_go_on_beyond_2_32),
        TEST(test_snapshot_without_numbers),
        TEST(test_snapshot_one_after_the_other),
        TEST(test_snapshot_two_sources_at_once),
        TEST(test_snapshot_65th_source_displaces_one),
        TEST(test_snapshot_parts_in_any_order_give_a_picture),
        TEST(test_snapshot_part_sent_again_is_passed_over),
        TEST(test_snapshot_missing_part_is_waited_for),
        TEST(test_snapshot_given_up_part_is_refused_once),
        TEST(test_snapshot_of_which_nothing_got_through_is_refused),
        TEST(test_snapshot_without_numbers_cannot_wait),
        TEST(test_snapshot_without_numbers_begins_with_part_0),
        TEST(test_snapshot_newer_one_refuses_the_first),
        TEST(test_snapshot_last_part_of_an_older_one_is_answered),
        TEST(test_snapshot_foreign_part_count),
        TEST(test_snapshot_foreign_session),
        TEST(test_snapshot_something_between_the_parts),
        TEST(test_snapshot_refusal_waits_for_what_is_missing_before_it),
        TEST(test_snapshot_settled_later_one_lets_the_earlier_be_refused),
        TEST(test_snapshot_refusals_of_a_session_that_is_over_are_told),
        TEST(test_snapshot_impossible_part_count),
        TEST(test_snapshot_part_beyond_the_count),
        TEST(test_snapshot_wrong_arguments),
        TEST(test_snapshot_bad_gzip),
        TEST(test_snapshot_bad_json),
        TEST(test_snapshot_refused_by_a_rule),
        TEST(test_snapshot_bomb_is_refused),
        TEST(test_snapshot_incomplete_at_the_end_is_refused),
        TEST(test_snapshot_waits_while_the_sink_is_full),
        TEST(test_snapshot_parts_too_fast_end_in_one_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
