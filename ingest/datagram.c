/* What a datagram stands for. */
#include "ingest/datagram.h"

#include "core/event.h"

#include <assert.h>
#include <string.h>

static const char snapshot_address[] = "/symlog/snapshot";

static const char *const fault_texts[SL_DATAGRAM_FAULT_COUNT] = {
    [SL_DATAGRAM_FAULT_NONE] = "no fault",
    [SL_DATAGRAM_FAULT_WRAPPER] = "a /live/seq without number, timestamp and path",
    [SL_DATAGRAM_FAULT_MIXED] = "a bundle of numbered and unnumbered messages",
    [SL_DATAGRAM_FAULT_NUMBERS] = "a bundle whose numbers do not follow each other",
};

static void read_control(const sl_osc_message *message, sl_datagram *out);
static uint64_t number_as_sent(int64_t number);
static bool follows(uint64_t number, uint64_t before);

const char *sl_datagram_fault_text(sl_datagram_fault fault)
{
    assert(fault < SL_DATAGRAM_FAULT_COUNT);
    return fault_texts[fault];
}

sl_datagram_fault sl_datagram_read(const uint8_t *packet, size_t length, sl_datagram *out)
{
    *out = (sl_datagram){.first = SL_SOURCE_SEQ_NONE};
    sl_osc_walk walk = sl_osc_walk_begin(packet, length);
    sl_osc_message message;
    uint32_t unnumbered_count = 0;
    uint64_t last = 0;
    while (sl_osc_walk_next(&walk, &message)) {
        sl_osc_message inner;
        int64_t number;
        double timestamp;
        bool is_bad_wrapper;
        if (sl_osc_unwrap(&message, &inner, &number, &timestamp, &is_bad_wrapper)) {
            uint64_t sent = number_as_sent(number);
            if (out->count == 0) out->first = sent;
            if (out->count > 0 && !follows(sent, last)) return SL_DATAGRAM_FAULT_NUMBERS;
            last = sent;
            out->count++;
        } else {
            if (is_bad_wrapper) return SL_DATAGRAM_FAULT_WRAPPER;
            inner = message;
            unnumbered_count++;
        }
        if (out->count > 0 && unnumbered_count > 0) return SL_DATAGRAM_FAULT_MIXED;
        if (sl_datagram_is_snapshot(&inner)) out->has_snapshot = true;
    }
    if (unnumbered_count == 1 && !sl_osc_is_bundle(packet, length)) read_control(&message, out);
    return SL_DATAGRAM_FAULT_NONE;
}

/* True if the tags begin as `wanted` does: i for i or h, s for s or S. */
static bool begin_with(const char *tags, const char *wanted)
{
    for (; *wanted != '\0'; wanted++, tags++) {
        bool is_integer = *tags == 'i' || *tags == 'h';
        bool is_text = *tags == 's' || *tags == 'S';
        if (*wanted == 'i' ? !is_integer : !is_text) return false;
    }
    return true;
}

/* One with other arguments than it should have is a message like any other, for the reducer to refuse. */
static void read_control(const sl_osc_message *message, sl_datagram *out)
{
    bool is_hello = strcmp(message->address, "/symlog/hello") == 0 && begin_with(message->tags, "issi");
    bool is_heartbeat = strcmp(message->address, "/symlog/heartbeat") == 0 && begin_with(message->tags, "ii");
    if (!is_hello && !is_heartbeat) return;
    sl_osc_cursor cursor = sl_osc_arguments(message);
    sl_osc_argument session, next;
    (void)sl_osc_next(&cursor, &session);
    (void)sl_osc_next(&cursor, &next);
    out->control = is_hello ? SL_CONTROL_HELLO : SL_CONTROL_HEARTBEAT;
    out->session = (uint64_t)session.integer;
    out->next = is_hello ? 0 : number_as_sent(next.integer);
}

sl_osc_message sl_datagram_unwrap(const sl_osc_message *message, uint64_t *number)
{
    sl_osc_message inner;
    int64_t sent;
    double timestamp;
    bool is_bad_wrapper;
    *number = SL_SOURCE_SEQ_NONE;
    if (!sl_osc_unwrap(message, &inner, &sent, &timestamp, &is_bad_wrapper)) return *message;
    *number = number_as_sent(sent);
    return inner;
}

bool sl_datagram_is_snapshot(const sl_osc_message *message)
{
    return message->address_length == sizeof snapshot_address - 1 &&
           memcmp(message->address, snapshot_address, sizeof snapshot_address) == 0;
}

static uint64_t number_as_sent(int64_t number)
{
    return number < 0 ? (uint32_t)number : (uint64_t)number;
}

/* After 2^32 - 1 comes 0 where numbers are int32, 2^32 where they are int64. */
static bool follows(uint64_t number, uint64_t before)
{
    return number == before + 1 || (before == UINT32_MAX && number == 0);
}
