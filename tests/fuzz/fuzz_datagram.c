/*
 * Any bytes as a datagram: what core's OSC reader accepts must read to the last byte, inside the packet, the same way
 * each time, and every datagram must have a text. Then the way that serve takes it: what is put into the ring is taken
 * by the reducer, numbers that come again are not put there again, and nothing is waited for in the end.
 */
#include "core/message.h"
#include "core/osc.h"
#include "ingest/intake.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>

enum { TEXT_BYTES_MAX = 4096, RING_BYTES = 1 << 20, DRAFTS_MAX = 16, TICKS_MAX = 200 };

#define SECOND_NS UINT64_C(1000000000)

static void check_messages(const uint8_t *data, size_t size);
static void check_message(const sl_osc_message *message, const uint8_t *data, size_t size);
static void check_text(const uint8_t *data, size_t size);
static void check_intake(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_osc_error error;
    bool is_good = sl_osc_check(data, size, &error);
    require(is_good == (error.fault == SL_OSC_FAULT_NONE) && error.fault < SL_OSC_FAULT_COUNT);
    require(error.position <= size);
    if (is_good) check_messages(data, size);
    check_text(data, size);
    if (is_good) check_intake(data, size);
    return 0;
}

static void check_messages(const uint8_t *data, size_t size)
{
    sl_osc_walk walk = sl_osc_walk_begin(data, size);
    sl_osc_message message;
    size_t count = 0;
    while (sl_osc_walk_next(&walk, &message)) {
        check_message(&message, data, size);
        const uint8_t *begin = (const uint8_t *)message.address;
        size_t length = (size_t)(message.arguments + message.arguments_length - begin);
        require(sl_osc_check(begin, length, NULL)); /* each message is a packet of its own */
        sl_osc_message inner;
        int64_t number;
        double timestamp;
        bool is_bad_wrapper;
        bool is_wrapper = sl_osc_unwrap(&message, &inner, &number, &timestamp, &is_bad_wrapper);
        require(!(is_wrapper && is_bad_wrapper));
        if (is_wrapper) check_message(&inner, data, size);
        count++;
    }
    require(walk.position == size);
    require(sl_osc_is_bundle(data, size) || count == 1);
    require(sl_osc_is_bundle(data, size) || sl_osc_timetag(data, size) == 1);
}

/* Reads all arguments: they must be inside the packet and fill the message. */
static void check_message(const sl_osc_message *message, const uint8_t *data, size_t size)
{
    require(strlen(message->address) == message->address_length);
    require(strlen(message->tags) == message->tag_count);
    require(message->arguments >= data && message->arguments + message->arguments_length <= data + size);
    sl_osc_cursor cursor = sl_osc_arguments(message);
    sl_osc_argument argument;
    size_t count = 0;
    while (sl_osc_next(&cursor, &argument)) {
        require(argument.tag == message->tags[count++]);
        if (argument.bytes == NULL) continue;
        require(argument.bytes >= message->arguments);
        require(argument.bytes + argument.length <= message->arguments + message->arguments_length);
    }
    require(count == message->tag_count);
    require(cursor.bytes == message->arguments + message->arguments_length);
}

static void check_text(const uint8_t *data, size_t size)
{
    const sl_event event = {.seq = 1, .kind = SL_KIND_OSC, .version = 1, .payload = data, .length = (uint32_t)size};
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_event(&text, &event, NULL);
    require(!text.bad && text.length < TEXT_BYTES_MAX);
    for (size_t i = 0; i < text.length; i++) require((uint8_t)text.bytes[i] >= ' '); /* one line */
    sl_text_clear(&text);
    sl_text_event_json(&text, &event, NULL);
    require(!text.bad && text.bytes[0] == '{' && text.bytes[text.length - 1] == '}');
    sl_text_close(&text);
}

/* Reduces what is in the ring; returns how many of it are OSC. */
static size_t drain(sl_intake *intake, sl_state *state)
{
    sl_event drafts[DRAFTS_MAX];
    size_t count = sl_ring_take(intake->ring, drafts, DRAFTS_MAX);
    size_t osc_count = 0;
    for (size_t i = 0; i < count; i++) {
        drafts[i].seq = sl_state_seq(state) + 1;
        osc_count += drafts[i].kind == SL_KIND_OSC;
        require(sl_reduce(state, &drafts[i], NULL) == SL_OK);
    }
    sl_ring_release(intake->ring);
    return osc_count;
}

static void check_intake(const uint8_t *data, size_t size)
{
    static sl_ring *ring; /* empty after each datagram */
    if (ring == NULL) require(sl_ring_create(RING_BYTES, &ring) == SL_OK);
    sl_intake intake = {.start_ns = SECOND_NS, .ring = ring};
    sl_state *state;
    require(sl_peers_create(1, &intake.peers) == SL_OK);
    require(sl_state_create(sl_host_memory(), &state) == SL_OK);
    struct sockaddr_in from = {
        .sin_family = AF_INET, .sin_port = htons(9000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    uint64_t now_ns = 2 * SECOND_NS;
    sl_intake_take(&intake, &from, data, size, now_ns);
    size_t first = drain(&intake, state);
    sl_intake_take(&intake, &from, data, size, now_ns);
    size_t again = drain(&intake, state);
    sl_datagram datagram;
    bool is_taken = sl_datagram_read(data, size, &datagram) == SL_DATAGRAM_FAULT_NONE;
    bool is_event = is_taken && datagram.control == SL_CONTROL_NONE;
    require(is_event ? first == 1 : first <= is_taken);
    require(again == (is_event && datagram.count == 0));
    int ticks = 0;
    while (sl_intake_tick(&intake, now_ns) != UINT64_MAX) {
        now_ns += SECOND_NS / 50;
        (void)drain(&intake, state);
        require(++ticks < TICKS_MAX);
    }
    (void)drain(&intake, state);
    const sl_source *source;
    for (size_t i = 0; (source = sl_state_source_at(state, i)) != NULL; i++)
        require(sl_state_holes(state, source->number, NULL, 0) == 0);
    sl_state_destroy(state);
    sl_peers_destroy(intake.peers);
}
