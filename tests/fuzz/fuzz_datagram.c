/*
 * Any bytes as a datagram: what core's OSC reader accepts must read to the last byte, inside the packet, the same way
 * each time, and every datagram must have a text.
 */
#include "core/message.h"
#include "core/osc.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_BYTES_MAX = 4096 };

static void check_messages(const uint8_t *data, size_t size);
static void check_message(const sl_osc_message *message, const uint8_t *data, size_t size);
static void check_text(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_osc_error error;
    bool is_good = sl_osc_check(data, size, &error);
    require(is_good == (error.fault == SL_OSC_FAULT_NONE) && error.fault < SL_OSC_FAULT_COUNT);
    require(error.position <= size);
    if (is_good) check_messages(data, size);
    check_text(data, size);
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
