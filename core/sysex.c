/* SysEx frames: reading and building them. */
#include "core/sysex.h"

#include <assert.h>

/* The next field, up to ';' or the end; false if there is none. */
typedef struct fields {
    const char *bytes;
    size_t length;
    size_t position; /* of the next field; length + 1: there is none */
} fields;

typedef struct field {
    const char *bytes;
    size_t length;
} field;

static sl_sysex_fault read_live_sync(fields *fields, sl_sysex *out);
static sl_sysex_fault read_full(fields *fields, sl_sysex *out);
static bool next_field(fields *fields, field *out);
static bool is_origin(field field);
static bool read_number(field field, uint64_t *out);
static bool read_index(field field, int32_t *out);

sl_sysex_fault sl_sysex_read(const uint8_t *bytes, size_t length, sl_sysex *out)
{
    *out = (sl_sysex){.origin = "", .tail = "", .payload = ""};
    if (length < 3 || length > SL_SYSEX_FRAME_BYTES_MAX || bytes[0] != SL_SYSEX_BEGIN) return SL_SYSEX_FAULT_FRAME;
    for (size_t i = 1; i < length - 1; i++) {
        out->position = i;
        if (bytes[i] > 0x7F) return bytes[i] == SL_SYSEX_END ? SL_SYSEX_FAULT_FRAME : SL_SYSEX_FAULT_ASCII;
    }
    out->position = length - 1;
    if (bytes[length - 1] != SL_SYSEX_END) return SL_SYSEX_FAULT_FRAME;
    if (bytes[1] != SL_SYSEX_MANUFACTURER) return SL_SYSEX_FAULT_NONE;
    out->position = 2;
    if (length < 4) return SL_SYSEX_FAULT_FRAME;
    out->is_ours = true;
    out->op = bytes[2];
    out->payload = (const char *)bytes + 3;
    out->payload_length = length - 4;
    if (!sl_sysex_is_live_sync(out->op)) return SL_SYSEX_FAULT_NONE;
    fields fields = {.bytes = out->payload, .length = out->payload_length};
    sl_sysex_fault fault = read_live_sync(&fields, out);
    if (fault != SL_SYSEX_FAULT_NONE) out->position += 3;
    return fault;
}

/* On a fault, out->position is in the payload. */
static sl_sysex_fault read_live_sync(fields *fields, sl_sysex *out)
{
    field field;
    out->position = 0;
    if (!next_field(fields, &field) || !is_origin(field)) return SL_SYSEX_FAULT_VALUE;
    out->origin = field.bytes;
    out->origin_length = field.length;
    out->position = field.length;
    bool is_alone = out->op == SL_SYSEX_HELLO || out->op == SL_SYSEX_BYE;
    bool has_more = fields->position <= fields->length;
    if (is_alone) return has_more ? SL_SYSEX_FAULT_FIELDS : SL_SYSEX_FAULT_NONE;
    out->position = fields->length;
    if (!next_field(fields, &field)) return SL_SYSEX_FAULT_FIELDS;
    out->position = (size_t)(field.bytes - fields->bytes);
    if (!read_number(field, &out->seq)) return SL_SYSEX_FAULT_VALUE;
    if (out->op == SL_SYSEX_FULL) return read_full(fields, out);
    out->position = fields->length;
    if (!next_field(fields, &field)) return SL_SYSEX_FAULT_FIELDS;
    out->position = fields->position - 1;
    if (fields->position <= fields->length) return SL_SYSEX_FAULT_FIELDS;
    out->tail = field.bytes;
    out->tail_length = field.length;
    return SL_SYSEX_FAULT_NONE;
}

/* The patch is the rest: it has ';' inside. */
static sl_sysex_fault read_full(fields *fields, sl_sysex *out)
{
    field running, set_list, item;
    out->position = fields->length;
    bool is_there = next_field(fields, &running) && next_field(fields, &set_list) && next_field(fields, &item);
    if (!is_there || fields->position > fields->length) return SL_SYSEX_FAULT_FIELDS;
    out->position = (size_t)(running.bytes - fields->bytes);
    if (running.length != 1 || (running.bytes[0] != '0' && running.bytes[0] != '1')) return SL_SYSEX_FAULT_VALUE;
    out->is_running = running.bytes[0] == '1';
    out->position = (size_t)(set_list.bytes - fields->bytes);
    if (!read_index(set_list, &out->set_list)) return SL_SYSEX_FAULT_VALUE;
    out->position = (size_t)(item.bytes - fields->bytes);
    if (!read_index(item, &out->item)) return SL_SYSEX_FAULT_VALUE;
    out->tail = fields->bytes + fields->position;
    out->tail_length = fields->length - fields->position;
    return SL_SYSEX_FAULT_NONE;
}

static bool next_field(fields *fields, field *out)
{
    if (fields->position > fields->length) return false;
    size_t begin = fields->position, end = begin;
    while (end < fields->length && fields->bytes[end] != ';') end++;
    *out = (field){.bytes = fields->bytes + begin, .length = end - begin};
    fields->position = end + 1;
    return true;
}

static bool is_origin(field field)
{
    if (field.length == 0 || field.length > SL_SYSEX_ORIGIN_BYTES_MAX) return false;
    for (size_t i = 0; i < field.length; i++)
        if (field.bytes[i] <= ' ' || field.bytes[i] > '~') return false;
    return true;
}

static bool read_number(field field, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < field.length; i++) {
        if (field.bytes[i] < '0' || field.bytes[i] > '9') return false;
        uint64_t digit = (uint64_t)(field.bytes[i] - '0');
        *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
    }
    return field.length > 0;
}

static bool read_index(field field, int32_t *out)
{
    uint64_t number;
    *out = -1;
    if (field.length == 2 && field.bytes[0] == '-' && field.bytes[1] == '1') return true;
    if (!read_number(field, &number) || number > SL_SYSEX_INDEX_MAX) return false;
    *out = (int32_t)number;
    return true;
}

const char *sl_sysex_fault_text(sl_sysex_fault fault)
{
    switch (fault) {
    case SL_SYSEX_FAULT_NONE: return "none";
    case SL_SYSEX_FAULT_FRAME: return "no frame from F0 to F7";
    case SL_SYSEX_FAULT_ASCII: return "a byte above 7F";
    case SL_SYSEX_FAULT_FIELDS: return "too few fields, or too many";
    case SL_SYSEX_FAULT_VALUE: return "not a value of this field";
    }
    return "unknown";
}

const char *sl_sysex_op_name(uint8_t op)
{
    if (sl_sysex_is_firmware(op)) return "firmware";
    switch (op) {
    case SL_SYSEX_RTC: return "RTC";
    case SL_SYSEX_VERSION_QUERY: return "version?";
    case SL_SYSEX_VERSION: return "version";
    case SL_SYSEX_PROGRAMS: return "programs";
    case SL_SYSEX_HELLO: return "HELLO";
    case SL_SYSEX_FULL: return "FULL";
    case SL_SYSEX_DELTA: return "DELTA";
    case SL_SYSEX_BYE: return "BYE";
    case SL_SYSEX_NAK: return "NAK";
    case SL_SYSEX_ACK: return "ACK";
    default: return "op";
    }
}

bool sl_sysex_is_live_sync(uint8_t op)
{
    return op >= SL_SYSEX_HELLO && op <= SL_SYSEX_BYE;
}

bool sl_sysex_is_firmware(uint8_t op)
{
    return op >= SL_SYSEX_FIRMWARE_FIRST && op <= SL_SYSEX_FIRMWARE_LAST;
}

/* Building. */

static void begin_frame(sl_sysex_op op, sl_sysex_stamp stamp, sl_writer *out)
{
    assert(stamp.origin_length >= 1 && stamp.origin_length <= SL_SYSEX_ORIGIN_BYTES_MAX);
    sl_write_le(out, SL_SYSEX_BEGIN, 1);
    sl_write_le(out, SL_SYSEX_MANUFACTURER, 1);
    sl_write_le(out, op, 1);
    sl_write_bytes(out, stamp.origin, stamp.origin_length);
}

static void write_number(uint64_t number, sl_writer *out)
{
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    sl_write_bytes(out, ";", 1);
    sl_write_bytes(out, digits + at, sizeof digits - at);
}

static void write_index(int32_t index, sl_writer *out)
{
    assert(index >= -1 && index <= SL_SYSEX_INDEX_MAX);
    if (index < 0)
        sl_write_bytes(out, ";-1", 3);
    else
        write_number((uint64_t)index, out);
}

static sl_err end_frame(sl_writer *out)
{
    sl_write_le(out, SL_SYSEX_END, 1);
    return out->bad ? SL_ERR_FULL : SL_OK;
}

sl_err sl_sysex_write_hello(sl_sysex_stamp stamp, sl_writer *out)
{
    begin_frame(SL_SYSEX_HELLO, stamp, out);
    return end_frame(out);
}

sl_err sl_sysex_write_bye(sl_sysex_stamp stamp, sl_writer *out)
{
    begin_frame(SL_SYSEX_BYE, stamp, out);
    return end_frame(out);
}

sl_err sl_sysex_write_delta(sl_sysex_stamp stamp, const char *evt, size_t evt_length, sl_writer *out)
{
    begin_frame(SL_SYSEX_DELTA, stamp, out);
    write_number(stamp.seq, out);
    sl_write_bytes(out, ";", 1);
    sl_write_bytes(out, evt, evt_length);
    return end_frame(out);
}

sl_err sl_sysex_write_full(sl_sysex_stamp stamp, const sl_sysex_full *full, sl_writer *out)
{
    begin_frame(SL_SYSEX_FULL, stamp, out);
    write_number(stamp.seq, out);
    write_number(full->is_running ? 1 : 0, out);
    write_index(full->set_list, out);
    write_index(full->item, out);
    sl_write_bytes(out, ";", 1);
    sl_write_bytes(out, full->patch, full->patch_length);
    return end_frame(out);
}
