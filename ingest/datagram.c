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
    return SL_DATAGRAM_FAULT_NONE;
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
