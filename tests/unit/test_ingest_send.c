/* Sending: what liblo builds is what core's reader reads. */
#include "ingest/osc_send.h"

#include "core/osc.h"
#include "tests/unit/cmocka_small.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

typedef struct fixture {
    int receiver;
    uint16_t port;
    sl_osc_sender *sender;
    uint8_t packet[65507]; /* received last */
    size_t length;
} fixture;

static int start(void **state)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char target[32];
    char errmsg[256];
    fixture->receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(fixture->receiver, (struct sockaddr *)&address, sizeof address) != 0) return -1;
    if (getsockname(fixture->receiver, (struct sockaddr *)&address, &length) != 0) return -1;
    fixture->port = ntohs(address.sin_port);
    snprintf(target, sizeof target, "localhost:%u", fixture->port);
    return sl_osc_sender_open(&fixture->sender, target, errmsg) == SL_OK ? 0 : -1;
}

static int stop(void **state)
{
    fixture *fixture = *state;
    sl_osc_sender_close(fixture->sender);
    close(fixture->receiver);
    free(fixture);
    return 0;
}

static void receive(fixture *fixture)
{
    struct pollfd wanted = {.fd = fixture->receiver, .events = POLLIN};
    assert_int_equal(poll(&wanted, 1, WAIT_MS), 1);
    ssize_t got = recv(fixture->receiver, fixture->packet, sizeof fixture->packet, 0);
    assert_true(got >= 0);
    fixture->length = (size_t)got;
}

/* Sends words and reads the message that arrives. */
static sl_osc_message send_words(fixture *fixture, int64_t number, const char *path, const char *tags,
                                 const char *const *words, size_t count)
{
    const sl_osc_words message = {.path = path, .tags = tags, .words = words, .word_count = count};
    uint8_t *packet;
    size_t length;
    assert_int_equal(sl_osc_build(&message, number, &packet, &length), SL_OK);
    assert_int_equal(sl_osc_sender_packet(fixture->sender, packet, length), SL_OK);
    free(packet);
    receive(fixture);
    assert_true(sl_osc_check(fixture->packet, fixture->length, NULL));
    return sl_osc_message_read(fixture->packet, fixture->length);
}

static sl_osc_argument next(sl_osc_cursor *cursor)
{
    sl_osc_argument argument;
    assert_true(sl_osc_next(cursor, &argument));
    return argument;
}

static void test_send_packet_goes_as_it_is(void **state)
{
    fixture *fixture = *state;
    assert_int_equal(sl_osc_sender_packet(fixture->sender, (const uint8_t *)"bytes", 5), SL_OK);
    receive(fixture);
    assert_int_equal(fixture->length, 5);
    assert_memory_equal(fixture->packet, "bytes", 5);
}

static void test_send_packet_too_long_fails(void **state)
{
    fixture *fixture = *state;
    static uint8_t bytes[65508];
    assert_int_equal(sl_osc_sender_packet(fixture->sender, bytes, sizeof bytes), SL_ERR_IO);
}

static void test_send_to_nobody_is_no_error(void **state)
{
    fixture *fixture = *state;
    close(fixture->receiver);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sl_osc_sender_packet(fixture->sender, (const uint8_t *)"bytes", 5), SL_OK);
}

static void test_send_words_of_every_tag(void **state)
{
    fixture *fixture = *state;
    const char *const words[] = {"-7", "5000000000", "0.5", "0.1", "some text", "symbol"};
    sl_osc_message message = send_words(fixture, -1, "/live/test", "ihfdsSTFNI", words, 6);
    assert_string_equal(message.address, "/live/test");
    assert_string_equal(message.tags, "ihfdsSTFNI");
    sl_osc_cursor cursor = sl_osc_arguments(&message);
    assert_int_equal(next(&cursor).integer, -7);
    assert_true(next(&cursor).integer == 5000000000);
    assert_true(next(&cursor).number == 0.5);
    assert_true(next(&cursor).number == 0.1);
    assert_string_equal((const char *)next(&cursor).bytes, "some text");
    assert_string_equal((const char *)next(&cursor).bytes, "symbol");
}

static void test_send_numbered_is_wrapped(void **state)
{
    fixture *fixture = *state;
    const char *const words[] = {"3", "Bass"};
    sl_osc_message message = send_words(fixture, 12, "/live/track/renamed", "is", words, 2);
    sl_osc_message inner;
    int64_t number;
    double timestamp;
    bool is_bad;
    assert_string_equal(message.tags, "ifsis");
    assert_true(sl_osc_unwrap(&message, &inner, &number, &timestamp, &is_bad));
    assert_int_equal(number, 12);
    assert_true(timestamp > 1e9);
    assert_string_equal(inner.address, "/live/track/renamed");
    sl_osc_cursor cursor = sl_osc_arguments(&inner);
    assert_int_equal(next(&cursor).integer, 3);
    assert_string_equal((const char *)next(&cursor).bytes, "Bass");
}

static void test_send_number_is_int32_mod_2_32(void **state)
{
    sl_osc_message message = send_words(*state, UINT32_MAX, "/live/test", "", NULL, 0);
    sl_osc_cursor cursor = sl_osc_arguments(&message);
    sl_osc_argument number = next(&cursor);
    assert_int_equal(number.tag, 'i');
    assert_int_equal(number.integer, -1);
}

static void test_send_number_beyond_2_32_is_int64(void **state)
{
    sl_osc_message message = send_words(*state, 5000000000, "/live/test", "", NULL, 0);
    sl_osc_cursor cursor = sl_osc_arguments(&message);
    sl_osc_argument number = next(&cursor);
    assert_int_equal(number.tag, 'h');
    assert_true(number.integer == 5000000000);
}

typedef struct misfit {
    const char *path;
    const char *tags;
    const char *word; /* NULL: none */
} misfit;

static const misfit misfits[] = {
    {"live/test", "", NULL},
    {"", "", NULL},
    {"/a", "i", NULL},
    {"/a", "", "1"},
    {"/a", "T", "1"},
    {"/a", "x", "1"},
    {"/a", "b", "1"},
    {"/a", "i", ""},
    {"/a", "i", "1x"},
    {"/a", "i", "1.5"},
    {"/a", "i", "2147483648"},
    {"/a", "i", "-2147483649"},
    {"/a", "h", "9223372036854775808"},
    {"/a", "f", "loud"},
    {"/a", "d", ""},
};

static void test_send_words_that_do_not_fit_are_refused(void **state)
{
    fixture *fixture = *state;
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        const misfit *misfit = &misfits[i];
        size_t count = misfit->word != NULL ? 1 : 0;
        const sl_osc_words message = {
            .path = misfit->path, .tags = misfit->tags, .words = &misfit->word, .word_count = count};
        uint8_t *packet;
        size_t length;
        sl_err err = sl_osc_build(&message, -1, &packet, &length);
        assert_int_equal(err, SL_ERR_MALFORMED);
    }
    char nothing;
    assert_int_equal(recv(fixture->receiver, &nothing, 1, MSG_DONTWAIT), -1);
}

static void test_send_target_must_have_host_and_port(void **state)
{
    (void)state;
    const char *const targets[] = {"", "localhost", ":9002", "localhost:"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        sl_osc_sender *sender;
        char errmsg[256];
        char expected[256];
        snprintf(expected, sizeof expected, "send: \"%s\" is not HOST:PORT", targets[i]);
        assert_int_equal(sl_osc_sender_open(&sender, targets[i], errmsg), SL_ERR_NOT_FOUND);
        assert_string_equal(errmsg, expected);
    }
}

static void test_send_unknown_host_is_said(void **state)
{
    (void)state;
    sl_osc_sender *sender;
    char errmsg[256] = "";
    assert_int_equal(sl_osc_sender_open(&sender, "127.0.0.1:port", errmsg), SL_ERR_NOT_FOUND);
    assert_non_null(strstr(errmsg, "send: 127.0.0.1:port: "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_send_packet_goes_as_it_is),
        TEST(test_send_packet_too_long_fails),
        TEST(test_send_to_nobody_is_no_error),
        TEST(test_send_words_of_every_tag),
        TEST(test_send_numbered_is_wrapped),
        TEST(test_send_number_is_int32_mod_2_32),
        TEST(test_send_number_beyond_2_32_is_int64),
        TEST(test_send_words_that_do_not_fit_are_refused),
        cmocka_unit_test(test_send_target_must_have_host_and_port),
        cmocka_unit_test(test_send_unknown_host_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
