/* The names of event kinds, and the record codec. */
#include "core/event.h"

#include "core/bytes.h"

/* Layout of a record's header; every number little-endian. */
enum {
    AT_KIND = 0,        /* u16 */
    AT_VERSION = 2,     /* u16 */
    AT_SOURCE = 4,      /* u32 */
    AT_SESSION = 8,     /* u64 */
    AT_SOURCE_SEQ = 16, /* u64 */
    AT_TIME_NS = 24,    /* u64 */
    AT_LENGTH = 32,     /* u32 */
    AT_CRC = 36         /* u32, of log id, seq, the header up to here, and the payload */
};

static const char *const kind_names[] = {
    [SL_KIND_START] = "start",
    [SL_KIND_COUNTERS] = "counters",
    [SL_KIND_SESSION] = "session",
    [SL_KIND_OSC] = "osc",
    [SL_KIND_PICTURE] = "picture",
    [SL_KIND_REFUSED] = "refused",
    [SL_KIND_CHECKPOINT] = "checkpoint",
    [SL_KIND_MARK] = "mark",
    [SL_KIND_ORDER_SETTLED] = "order_settled",
    [SL_KIND_GAVE_UP] = "gave_up",
    [SL_KIND_BASE] = "base",
    [SL_KIND_LOST] = "lost",
    [SL_KIND_PAUSED] = "paused",
    [SL_KIND_SYSEX] = "sysex",
    [SL_KIND_SYSEX_SENT] = "sysex_sent",
    [SL_KIND_GROOVE_EDIT] = "groove_edit",
    [SL_KIND_SETLISTS] = "setlists",
    [SL_KIND_SAVE] = "save",
    [SL_KIND_CODE] = "code",
    [SL_KIND_SCORE] = "score",
    [SL_KIND_TRANSPORT] = "transport",
    [SL_KIND_APPLIED] = "applied",
    [SL_KIND_PARAMETER] = "parameter",
    [SL_KIND_PLAYER] = "player",
    [SL_KIND_HEARD] = "heard",
    [SL_KIND_PROCESSOR] = "processor",
};

static uint32_t record_crc(const sl_event *event, const uint8_t *id, const uint8_t *header);

const char *sl_kind_name(uint16_t kind)
{
    return kind <= SL_KIND_LAST && kind_names[kind] != NULL ? kind_names[kind] : "unknown";
}

uint16_t sl_kind_by_name(const char *name)
{
    for (unsigned kind = SL_KIND_START; kind <= SL_KIND_LAST; kind++) {
        if (kind_names[kind] != NULL && strcmp(name, kind_names[kind]) == 0) return (uint16_t)kind;
    }
    return 0;
}

void sl_record_encode(const sl_event *event, const uint8_t id[SL_LOG_ID_BYTES], uint8_t header[SL_RECORD_HEADER_BYTES])
{
    sl_put_le(header + AT_KIND, event->kind, 2);
    sl_put_le(header + AT_VERSION, event->version, 2);
    sl_put_le(header + AT_SOURCE, event->source, 4);
    sl_put_le(header + AT_SESSION, event->session, 8);
    sl_put_le(header + AT_SOURCE_SEQ, event->source_seq, 8);
    sl_put_le(header + AT_TIME_NS, event->time_ns, 8);
    sl_put_le(header + AT_LENGTH, event->length, 4);
    sl_put_le(header + AT_CRC, record_crc(event, id, header), 4);
}

sl_err sl_record_decode(const uint8_t *bytes, size_t length, sl_event *out)
{
    if (length != SL_RECORD_HEADER_BYTES) return SL_ERR_MALFORMED;
    uint32_t payload_length = (uint32_t)sl_get_le(bytes + AT_LENGTH, 4);
    if (payload_length > SL_PAYLOAD_BYTES_MAX) return SL_ERR_MALFORMED;
    out->kind = (uint16_t)sl_get_le(bytes + AT_KIND, 2);
    out->version = (uint16_t)sl_get_le(bytes + AT_VERSION, 2);
    out->source = (uint32_t)sl_get_le(bytes + AT_SOURCE, 4);
    out->session = sl_get_le(bytes + AT_SESSION, 8);
    out->source_seq = sl_get_le(bytes + AT_SOURCE_SEQ, 8);
    out->time_ns = sl_get_le(bytes + AT_TIME_NS, 8);
    out->length = payload_length;
    return SL_OK;
}

sl_err sl_record_check(const sl_event *event, const uint8_t id[SL_LOG_ID_BYTES],
                       const uint8_t header[SL_RECORD_HEADER_BYTES])
{
    uint32_t stored = (uint32_t)sl_get_le(header + AT_CRC, 4);
    return stored == record_crc(event, id, header) ? SL_OK : SL_ERR_CORRUPT;
}

static uint32_t record_crc(const sl_event *event, const uint8_t *id, const uint8_t *header)
{
    uint8_t seq[8];
    sl_put_le(seq, event->seq, sizeof seq);
    uint32_t crc = sl_crc32c(0, id, SL_LOG_ID_BYTES);
    crc = sl_crc32c(crc, seq, sizeof seq);
    crc = sl_crc32c(crc, header, AT_CRC);
    return sl_crc32c(crc, event->payload, event->length);
}
