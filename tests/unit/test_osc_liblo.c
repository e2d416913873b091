/*
 * core's OSC reader against liblo: what core accepts, liblo accepts and reads the same; what liblo builds, core accepts
 * and reads the same. liblo is never given a packet that core refused: it reads beyond the end of some.
 *
 *     test_osc_liblo [SEED]      the seed is printed; the same seed makes the same packets
 *
 * Not compared: `r` (rgba), which liblo does not know.
 */
#include "core/osc.h"

#include "tests/unit/cmocka_small.h"

#include <lo/lo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUILT_PACKETS = 60000,
    MUTATED_PACKETS = 200000,
    RANDOM_PACKETS = 200000,
    PACKET_BYTES_MAX = 4096,
    MESSAGES_MAX = 64, /* of a built bundle */
    ARGUMENTS_MAX = 6,
    DEPTH_MAX = 3,
};

static uint64_t seed = 20261;

/* A packet in a block of exactly its length. */
typedef struct packet {
    uint8_t *bytes;
    size_t length;
} packet;

static void compare_messages(packet given);
static void compare_message(const sl_osc_message *message);
static void compare_argument(const sl_osc_argument *ours, const uint8_t *theirs);
static void compare_dispatch(packet given);

/* xorshift64* */
static uint32_t below(uint32_t bound)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)(seed * 0x2545f4914f6cdd1d >> 32) % bound;
}

static uint64_t random_bits(void)
{
    return (uint64_t)below(UINT32_MAX) << 32 | below(UINT32_MAX);
}

static const char *random_text(char *buffer, size_t length_max)
{
    size_t length = below((uint32_t)length_max);
    for (size_t i = 0; i < length; i++) buffer[i] = (char)(1 + below(255));
    buffer[length] = '\0';
    return buffer;
}

static void add_argument(lo_message message)
{
    char text[24];
    uint8_t bytes[24];
    uint64_t bits = random_bits();
    float number;
    double wide;
    memcpy(&number, &bits, sizeof number);
    memcpy(&wide, &bits, sizeof wide);
    memcpy(bytes, &bits, sizeof bits);
    switch (below(14)) {
    case 0: lo_message_add_int32(message, (int32_t)bits); break;
    case 1: lo_message_add_float(message, number); break;
    case 2: lo_message_add_string(message, random_text(text, sizeof text)); break;
    case 3: {
        lo_blob blob = lo_blob_new((int32_t)(1 + below(8)), bytes);
        lo_message_add_blob(message, blob);
        lo_blob_free(blob);
        break;
    }
    case 4: lo_message_add_int64(message, (int64_t)bits); break;
    case 5: lo_message_add_timetag(message, (lo_timetag){(uint32_t)bits, (uint32_t)(bits >> 32)}); break;
    case 6: lo_message_add_double(message, wide); break;
    case 7: lo_message_add_symbol(message, random_text(text, sizeof text)); break;
    case 8: lo_message_add_char(message, (char)(bits & 127)); break;
    case 9: lo_message_add_midi(message, bytes); break;
    case 10: lo_message_add_true(message); break;
    case 11: lo_message_add_false(message); break;
    case 12: lo_message_add_nil(message); break;
    default: lo_message_add_infinitum(message); break;
    }
}

/* A message of random arguments, now and then in the wrapper. */
static lo_message build_message(char *address, size_t address_size)
{
    lo_message message = lo_message_new();
    address[0] = '/';
    (void)random_text(address + 1, address_size - 1);
    if (below(3) == 0) {
        lo_message_add_int32(message, (int32_t)below(1000));
        lo_message_add_float(message, 0);
        lo_message_add_string(message, address);
        (void)snprintf(address, address_size, "/live/seq");
    }
    for (uint32_t i = below(ARGUMENTS_MAX); i > 0; i--) add_argument(message);
    return message;
}

/* liblo keeps pointers to the addresses, so they live in `addresses` until the bundle is freed. */
static lo_bundle build_bundle(char (*addresses)[32], size_t *address_count, int depth)
{
    lo_bundle bundle = lo_bundle_new((lo_timetag){below(UINT32_MAX), below(UINT32_MAX)});
    for (uint32_t i = below(5); i > 0 && *address_count < MESSAGES_MAX; i--) {
        if (depth < DEPTH_MAX && below(4) == 0) {
            assert_int_equal(lo_bundle_add_bundle(bundle, build_bundle(addresses, address_count, depth + 1)), 0);
            continue;
        }
        char *address = addresses[(*address_count)++];
        lo_message message = build_message(address, sizeof addresses[0]);
        assert_int_equal(lo_bundle_add_message(bundle, address, message), 0);
    }
    return bundle;
}

/* A random message or bundle as liblo writes it; the caller frees the bytes. */
static packet build_packet(void)
{
    packet built;
    if (below(4) == 0) {
        char addresses[MESSAGES_MAX][32];
        size_t address_count = 0;
        lo_bundle bundle = build_bundle(addresses, &address_count, 1);
        built.bytes = lo_bundle_serialise(bundle, NULL, &built.length);
        lo_bundle_free_recursive(bundle);
    } else {
        char address[32];
        lo_message message = build_message(address, sizeof address);
        built.bytes = lo_message_serialise(message, address, NULL, &built.length);
        lo_message_free(message);
    }
    assert_non_null(built.bytes);
    return built;
}

static void mutate(packet *given)
{
    static const uint8_t favourites[] = {0, 1, 2, 3, 4, 8, 12, 16, 20, 0x7f, 0x80, 0xff, '/', ',', '#', 'b', 's', 'i'};
    if (given->length == 0) return;
    uint8_t *place = given->bytes + below((uint32_t)given->length);
    switch (below(8)) {
    case 0: *place = (uint8_t)below(256); break;
    case 1: *place = (uint8_t)(*place ^ 1U << below(8)); break;
    case 2: *place = given->bytes[below((uint32_t)given->length)]; break;
    case 3: /* cut, mostly at a multiple of 4 */
        given->length = (size_t)(place - given->bytes);
        if (below(8) != 0) given->length -= given->length % 4;
        break;
    case 4: /* a word out of the middle */
        if (given->length < 8) break;
        place = given->bytes + (size_t)4 * below((uint32_t)given->length / 4 - 1);
        memmove(place, place + 4, (size_t)(given->bytes + given->length - place) - 4);
        given->length -= 4;
        break;
    default: *place = favourites[below(sizeof favourites)]; break;
    }
}

/* Moves the packet into a block of its present length. */
static void fit(packet *given)
{
    uint8_t *exact = malloc(given->length > 0 ? given->length : 1);
    if (exact == NULL) abort();
    memcpy(exact, given->bytes, given->length);
    free(given->bytes);
    given->bytes = exact;
}

static void test_osc_liblo_reads_what_liblo_builds(void **state)
{
    (void)state;
    for (int i = 0; i < BUILT_PACKETS; i++) {
        packet built = build_packet();
        assert_true(sl_osc_check(built.bytes, built.length, NULL));
        compare_messages(built);
        free(built.bytes);
    }
}

static void test_osc_liblo_accepts_mutated(void **state)
{
    (void)state;
    int accepted = 0;
    for (int i = 0; i < MUTATED_PACKETS; i++) {
        packet mutated = build_packet();
        for (uint32_t times = 1 + below(3); times > 0; times--) mutate(&mutated);
        fit(&mutated);
        if (sl_osc_check(mutated.bytes, mutated.length, NULL)) {
            compare_messages(mutated);
            accepted++;
        }
        free(mutated.bytes);
    }
    assert_true(accepted > MUTATED_PACKETS / 100 && accepted < MUTATED_PACKETS);
}

static void test_osc_liblo_accepts_random(void **state)
{
    (void)state;
    static const uint8_t alphabet[] = {0, 0, 0, 0, 0, 0, 1, 4, '/', ',', 'i', 's', 'b', 'T'};
    int accepted = 0;
    for (int i = 0; i < RANDOM_PACKETS; i++) {
        packet random = {.length = (size_t)4 * (1 + below(8))};
        random.bytes = malloc(random.length);
        if (random.bytes == NULL) abort();
        for (size_t at = 0; at < random.length; at++) random.bytes[at] = alphabet[below(sizeof alphabet)];
        random.bytes[0] = '/';
        if (below(2) == 0) memset(random.bytes + 1, 0, 3);
        if (random.length > 4 && below(4) != 0) random.bytes[4] = ',';
        if (sl_osc_check(random.bytes, random.length, NULL)) {
            compare_messages(random);
            accepted++;
        }
        free(random.bytes);
    }
    assert_true(accepted > RANDOM_PACKETS / 1000);
}

static void test_osc_liblo_dispatches_the_same_messages(void **state)
{
    (void)state;
    for (int i = 0; i < BUILT_PACKETS; i++) {
        packet given = build_packet();
        if (below(2) == 0) mutate(&given);
        fit(&given);
        if (sl_osc_check(given.bytes, given.length, NULL)) compare_dispatch(given);
        free(given.bytes);
    }
}

static bool has_rgba(const sl_osc_message *message)
{
    return strchr(message->tags, 'r') != NULL;
}

static void compare_messages(packet given)
{
    sl_osc_walk walk = sl_osc_walk_begin(given.bytes, given.length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) {
        if (!has_rgba(&message)) compare_message(&message);
    }
}

static void compare_message(const sl_osc_message *message)
{
    uint8_t copy[PACKET_BYTES_MAX];
    int result = 0;
    size_t length = (size_t)((const char *)message->arguments - message->address) + message->arguments_length;
    assert_true(length <= sizeof copy);
    memcpy(copy, message->address, length);
    lo_message theirs = lo_message_deserialise(copy, length, &result);
    assert_int_equal(result, 0);
    assert_non_null(theirs);
    assert_string_equal(lo_get_path(copy, (ssize_t)length), message->address);
    assert_string_equal(lo_message_get_types(theirs), message->tags);
    assert_int_equal(lo_message_get_argc(theirs), message->tag_count);

    lo_arg **arguments = lo_message_get_argv(theirs);
    sl_osc_cursor cursor = sl_osc_arguments(message);
    sl_osc_argument ours;
    for (size_t i = 0; sl_osc_next(&cursor, &ours); i++) {
        assert_int_equal(ours.tag, message->tags[i]);
        compare_argument(&ours, (const uint8_t *)arguments[i]);
    }
    lo_message_free(theirs);
}

/* liblo's arguments stand at multiples of 4 and may not be read as lo_arg: they are copied out. */
static void compare_argument(const sl_osc_argument *ours, const uint8_t *theirs)
{
    int32_t word;
    int64_t wide;
    float number;
    double wide_number;
    switch (ours->tag) {
    case 'i':
    case 'c':
        memcpy(&word, theirs, sizeof word);
        assert_int_equal(ours->integer, word);
        break;
    case 'h':
        memcpy(&wide, theirs, sizeof wide);
        assert_true(ours->integer == wide);
        break;
    case 't': {
        lo_timetag timetag;
        memcpy(&timetag, theirs, sizeof timetag);
        assert_true((uint64_t)ours->integer == ((uint64_t)timetag.sec << 32 | timetag.frac));
        break;
    }
    case 'f':
        memcpy(&number, theirs, sizeof number);
        assert_true(ours->number == (double)number || (ours->number != ours->number && number != number));
        break;
    case 'd':
        memcpy(&wide_number, theirs, sizeof wide_number);
        assert_memory_equal(&ours->number, &wide_number, sizeof wide_number);
        break;
    case 's':
    case 'S': assert_string_equal((const char *)ours->bytes, (const char *)theirs); break;
    case 'b':
        memcpy(&word, theirs, sizeof word);
        assert_int_equal(ours->length, word);
        assert_memory_equal(ours->bytes, theirs + 4, ours->length);
        break;
    case 'm':
        word = (int32_t)((uint32_t)theirs[0] << 24 | (uint32_t)theirs[1] << 16 | (uint32_t)theirs[2] << 8 | theirs[3]);
        assert_int_equal(ours->integer, word);
        break;
    case 'T': assert_int_equal(ours->integer, 1); break;
    default: assert_int_equal(ours->integer, 0); break;
    }
}

/* The walk that liblo's dispatch must follow. */
typedef struct expectation {
    sl_osc_walk walk;
    bool is_same;
} expectation;

static int on_message(const char *path, const char *types, lo_arg **arguments, int count, lo_message message,
                      void *user_data)
{
    (void)arguments;
    (void)count;
    (void)message;
    expectation *expected = user_data;
    sl_osc_message ours;
    expected->is_same = expected->is_same && sl_osc_walk_next(&expected->walk, &ours) &&
                        strcmp(ours.address, path) == 0 && strcmp(ours.tags, types) == 0;
    return 0;
}

static lo_server dispatcher; /* made for the group: each takes a socket */
static expectation expected;

static int make_dispatcher(void **state)
{
    (void)state;
    dispatcher = lo_server_new(NULL, NULL);
    if (dispatcher == NULL) return -1;
    (void)lo_server_enable_queue(dispatcher, 0, 0);
    return lo_server_add_method(dispatcher, NULL, NULL, on_message, &expected) != NULL ? 0 : -1;
}

static int free_dispatcher(void **state)
{
    (void)state;
    lo_server_free(dispatcher);
    return 0;
}

static void compare_dispatch(packet given)
{
    sl_osc_walk walk = sl_osc_walk_begin(given.bytes, given.length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) {
        if (has_rgba(&message)) return;
    }
    expected = (expectation){.walk = sl_osc_walk_begin(given.bytes, given.length), .is_same = true};
    assert_true(lo_server_dispatch_data(dispatcher, given.bytes, given.length) >= 0);
    assert_true(expected.is_same);
    assert_false(sl_osc_walk_next(&expected.walk, &message));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_osc_liblo_reads_what_liblo_builds),
        cmocka_unit_test(test_osc_liblo_accepts_mutated),
        cmocka_unit_test(test_osc_liblo_accepts_random),
        cmocka_unit_test(test_osc_liblo_dispatches_the_same_messages),
    };
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    print_message("seed %llu\n", (unsigned long long)seed);
    if (seed == 0) seed = 1; /* the generator's only fixed point */
    return cmocka_run_group_tests(tests, make_dispatcher, free_dispatcher);
}
