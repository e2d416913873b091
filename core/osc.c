/* The OSC reader. Offsets in a packet are multiples of 4 everywhere, so texts are scanned a word at a time. */
#include "core/osc.h"

#include "core/bytes.h"

#include <assert.h>
#include <string.h>

enum {
    BUNDLE_HEADER_BYTES = 16, /* "#bundle", its NUL, and the timetag */
    TIMETAG_AT = 8,
    WRAPPER_TAGS = 3, /* number, timestamp, path */
};

static const char wrapper_address[] = "/live/seq";

/* What a type tag's argument looks like. */
typedef enum shape { SHAPE_UNKNOWN = 0, SHAPE_NONE, SHAPE_4, SHAPE_8, SHAPE_TEXT, SHAPE_BLOB } shape;

static const uint8_t shapes[256] = {
    ['i'] = SHAPE_4,    ['f'] = SHAPE_4,    ['c'] = SHAPE_4,    ['r'] = SHAPE_4,    ['m'] = SHAPE_4,
    ['h'] = SHAPE_8,    ['t'] = SHAPE_8,    ['d'] = SHAPE_8,    ['T'] = SHAPE_NONE, ['F'] = SHAPE_NONE,
    ['N'] = SHAPE_NONE, ['I'] = SHAPE_NONE, ['s'] = SHAPE_TEXT, ['S'] = SHAPE_TEXT, ['b'] = SHAPE_BLOB,
};

static const char *const fault_texts[SL_OSC_FAULT_COUNT] = {
    [SL_OSC_FAULT_NONE] = "no fault",
    [SL_OSC_FAULT_EMPTY] = "empty packet",
    [SL_OSC_FAULT_LENGTH] = "length not a multiple of 4, or too long",
    [SL_OSC_FAULT_ADDRESS] = "malformed address",
    [SL_OSC_FAULT_TAGS] = "missing or malformed type tags",
    [SL_OSC_FAULT_TAG] = "unknown type tag",
    [SL_OSC_FAULT_ARGUMENT] = "malformed argument",
    [SL_OSC_FAULT_TRAILING] = "bytes after the last argument",
    [SL_OSC_FAULT_BUNDLE] = "malformed bundle",
    [SL_OSC_FAULT_ELEMENT] = "empty bundle element",
    [SL_OSC_FAULT_DEPTH] = "bundles nested too deep",
};

static void read_message(const uint8_t *packet, size_t length, sl_osc_message *out);
static sl_osc_error check_message(const uint8_t *packet, size_t begin, size_t end);
static sl_osc_error check_arguments(const uint8_t *packet, size_t tags, size_t begin, size_t end);
static sl_osc_error check_bundle(const uint8_t *packet, size_t length);
static bool begins_bundle(const uint8_t *packet, size_t begin, size_t end);
static size_t text_end(const uint8_t *packet, size_t begin, size_t end);
static size_t text_length(const uint8_t *text, size_t limit);
static size_t blob_end(const uint8_t *packet, size_t begin, size_t end);
static size_t padded(size_t length);
static uint32_t get_u32(const uint8_t *from);
static uint64_t get_u64(const uint8_t *from);
static double wrapper_timestamp(char tag, const uint8_t *from);
static float get_float(const uint8_t *from);
static double get_double(const uint8_t *from);

const char *sl_osc_fault_text(sl_osc_fault fault)
{
    return fault < SL_OSC_FAULT_COUNT ? fault_texts[fault] : "unknown fault";
}

bool sl_osc_check(const uint8_t *packet, size_t length, sl_osc_error *error)
{
    sl_osc_error found;
    if (length == 0) {
        found = (sl_osc_error){SL_OSC_FAULT_EMPTY, 0};
    } else if (length % 4 != 0 || length > SL_OSC_PACKET_BYTES_MAX) {
        found = (sl_osc_error){SL_OSC_FAULT_LENGTH, length};
    } else if (packet[0] == '#') {
        found = check_bundle(packet, length);
    } else {
        found = check_message(packet, 0, length);
    }
    if (error != NULL) *error = found;
    return found.fault == SL_OSC_FAULT_NONE;
}

bool sl_osc_is_bundle(const uint8_t *packet, size_t length)
{
    return length > 0 && packet[0] == '#';
}

sl_osc_message sl_osc_message_read(const uint8_t *packet, size_t length)
{
    sl_osc_message message;
    read_message(packet, length, &message);
    return message;
}

sl_osc_walk sl_osc_walk_begin(const uint8_t *packet, size_t length)
{
    bool is_bundle = sl_osc_is_bundle(packet, length);
    return (sl_osc_walk){
        .packet = packet,
        .position = is_bundle ? BUNDLE_HEADER_BYTES : 0,
        .length = length,
        .is_bundle = is_bundle,
    };
}

/* Elements follow each other without a gap at every depth, so no stack is needed to find the next one. */
bool sl_osc_walk_next(sl_osc_walk *walk, sl_osc_message *out)
{
    size_t element_length = walk->length;
    if (walk->is_bundle) {
        while (walk->position < walk->length) {
            element_length = get_u32(walk->packet + walk->position);
            walk->position += 4;
            if (walk->packet[walk->position] != '#') break;
            walk->position += BUNDLE_HEADER_BYTES;
        }
    }
    if (walk->position >= walk->length) return false;
    read_message(walk->packet + walk->position, element_length, out);
    walk->position += element_length;
    return true;
}

uint64_t sl_osc_timetag(const uint8_t *packet, size_t length)
{
    return sl_osc_is_bundle(packet, length) ? get_u64(packet + TIMETAG_AT) : 1;
}

sl_osc_cursor sl_osc_arguments(const sl_osc_message *message)
{
    return (sl_osc_cursor){.tags = message->tags, .bytes = message->arguments};
}

bool sl_osc_next(sl_osc_cursor *cursor, sl_osc_argument *out)
{
    char tag = *cursor->tags;
    if (tag == '\0') return false;
    const uint8_t *bytes = cursor->bytes;
    *out = (sl_osc_argument){.tag = tag};
    cursor->tags++;
    switch ((shape)shapes[(uint8_t)tag]) {
    case SHAPE_NONE: out->integer = tag == 'T' ? 1 : 0; break;
    case SHAPE_4:
        if (tag == 'f') {
            out->number = (double)get_float(bytes);
        } else {
            out->integer = (int32_t)get_u32(bytes);
        }
        cursor->bytes = bytes + 4;
        break;
    case SHAPE_8:
        if (tag == 'd') {
            out->number = get_double(bytes);
        } else {
            out->integer = (int64_t)get_u64(bytes);
        }
        cursor->bytes = bytes + 8;
        break;
    case SHAPE_TEXT:
        out->bytes = bytes;
        out->length = strlen((const char *)bytes);
        cursor->bytes = bytes + padded(out->length);
        break;
    case SHAPE_BLOB:
        out->bytes = bytes + 4;
        out->length = get_u32(bytes);
        cursor->bytes = bytes + 4 + (out->length + 3) / 4 * 4;
        break;
    case SHAPE_UNKNOWN:
        assert(false); /* a packet that sl_osc_check refused */
        return false;
    }
    return true;
}

bool sl_osc_unwrap(const sl_osc_message *message, sl_osc_message *inner, int64_t *number, double *timestamp,
                   bool *is_bad_wrapper)
{
    *is_bad_wrapper = false;
    if (message->address_length != sizeof wrapper_address - 1) return false;
    if (memcmp(message->address, wrapper_address, sizeof wrapper_address) != 0) return false;

    const char *tags = message->tags;
    bool fits = message->tag_count >= WRAPPER_TAGS && (tags[0] == 'i' || tags[0] == 'h') &&
                (tags[1] == 'f' || tags[1] == 'd' || tags[1] == 'h' || tags[1] == 't') &&
                (tags[2] == 's' || tags[2] == 'S');
    if (!fits) {
        *is_bad_wrapper = true;
        return false;
    }
    const uint8_t *at = message->arguments;
    *number = tags[0] == 'i' ? (int32_t)get_u32(at) : (int64_t)get_u64(at);
    at += tags[0] == 'i' ? 4 : 8;
    *timestamp = wrapper_timestamp(tags[1], at);
    at += tags[1] == 'f' ? 4 : 8;
    size_t left = message->arguments_length - (size_t)(at - message->arguments);
    size_t path_length = text_length(at, left);
    *inner = (sl_osc_message){
        .address = (const char *)at,
        .address_length = path_length,
        .tags = tags + WRAPPER_TAGS,
        .tag_count = message->tag_count - WRAPPER_TAGS,
        .arguments = at + padded(path_length),
        .arguments_length = left - padded(path_length),
    };
    return true;
}

static void read_message(const uint8_t *packet, size_t length, sl_osc_message *out)
{
    size_t address_length = text_length(packet, length);
    size_t comma = padded(address_length);
    size_t tags_length = text_length(packet + comma, length - comma); /* comma included */
    size_t arguments = comma + padded(tags_length);
    assert(tags_length > 0 && arguments <= length);
    out->address = (const char *)packet;
    out->address_length = address_length;
    out->tags = (const char *)packet + comma + 1;
    out->tag_count = tags_length - 1;
    out->arguments = packet + arguments;
    out->arguments_length = length - arguments;
}

/* The message in packet[begin, end); both are multiples of 4 and begin < end. */
static sl_osc_error check_message(const uint8_t *packet, size_t begin, size_t end)
{
    if (packet[begin] != '/') return (sl_osc_error){SL_OSC_FAULT_ADDRESS, begin};
    size_t tags = text_end(packet, begin, end);
    if (tags == 0) return (sl_osc_error){SL_OSC_FAULT_ADDRESS, begin};
    if (tags == end || packet[tags] != ',') return (sl_osc_error){SL_OSC_FAULT_TAGS, tags};
    size_t arguments = text_end(packet, tags, end);
    if (arguments == 0) return (sl_osc_error){SL_OSC_FAULT_TAGS, tags};
    return check_arguments(packet, tags + 1, arguments, end);
}

static sl_osc_error check_arguments(const uint8_t *packet, size_t tags, size_t begin, size_t end)
{
    size_t at = begin;
    for (const uint8_t *tag = packet + tags; *tag != '\0'; tag++) {
        size_t next = 0; /* stays 0 where the argument is malformed */
        switch ((shape)shapes[*tag]) {
        case SHAPE_NONE: next = at; break;
        case SHAPE_4: next = end - at >= 4 ? at + 4 : 0; break;
        case SHAPE_8: next = end - at >= 8 ? at + 8 : 0; break;
        case SHAPE_TEXT: next = text_end(packet, at, end); break;
        case SHAPE_BLOB: next = blob_end(packet, at, end); break;
        case SHAPE_UNKNOWN: return (sl_osc_error){SL_OSC_FAULT_TAG, (size_t)(tag - packet)};
        }
        if (next == 0) return (sl_osc_error){SL_OSC_FAULT_ARGUMENT, at};
        at = next;
    }
    if (at != end) return (sl_osc_error){SL_OSC_FAULT_TRAILING, at};
    return (sl_osc_error){SL_OSC_FAULT_NONE, end};
}

static sl_osc_error check_bundle(const uint8_t *packet, size_t length)
{
    size_t ends[SL_OSC_DEPTH_MAX]; /* of the bundles that are open */
    size_t depth = 1;
    size_t at = BUNDLE_HEADER_BYTES;
    if (!begins_bundle(packet, 0, length)) return (sl_osc_error){SL_OSC_FAULT_BUNDLE, 0};
    ends[0] = length;
    while (depth > 0) {
        if (at == ends[depth - 1]) {
            depth--;
            continue;
        }
        size_t size = get_u32(packet + at);
        size_t begin = at + 4;
        if (size == 0) return (sl_osc_error){SL_OSC_FAULT_ELEMENT, at};
        if (size % 4 != 0 || size > ends[depth - 1] - begin) return (sl_osc_error){SL_OSC_FAULT_BUNDLE, at};
        if (packet[begin] != '#') {
            sl_osc_error found = check_message(packet, begin, begin + size);
            if (found.fault != SL_OSC_FAULT_NONE) return found;
            at = begin + size;
            continue;
        }
        if (!begins_bundle(packet, begin, begin + size)) return (sl_osc_error){SL_OSC_FAULT_BUNDLE, begin};
        if (depth == SL_OSC_DEPTH_MAX) return (sl_osc_error){SL_OSC_FAULT_DEPTH, begin};
        ends[depth++] = begin + size;
        at = begin + BUNDLE_HEADER_BYTES;
    }
    return (sl_osc_error){SL_OSC_FAULT_NONE, length};
}

static bool begins_bundle(const uint8_t *packet, size_t begin, size_t end)
{
    return end - begin >= BUNDLE_HEADER_BYTES && memcmp(packet + begin, "#bundle", 8) == 0;
}

/* Where the text at `begin` ends, padding included; 0 if it has no end, or a padding byte is not zero. */
static size_t text_end(const uint8_t *packet, size_t begin, size_t end)
{
    size_t length = text_length(packet + begin, end - begin);
    if (length == end - begin) return 0;
    uint64_t last = sl_get_le(packet + begin + length / 4 * 4, 4);
    return last >> (length % 4 * 8) == 0 ? begin + padded(length) : 0;
}

/* Bytes before the first NUL; `limit`, a multiple of 4, if there is none. */
static size_t text_length(const uint8_t *text, size_t limit)
{
    const uint64_t low_bits = 0x0101010101010101U;
    const uint64_t high_bits = 0x8080808080808080U;
    for (size_t at = 0; at < limit; at += 8) {
        uint64_t word = limit - at >= 8 ? sl_get_le(text + at, 8) : sl_get_le(text + at, 4);
        /* The lowest bit set is that of the first zero byte; the four bytes beyond the limit count as such. */
        uint64_t zeros = (word - low_bits) & ~word & high_bits;
        if (zeros != 0) return at + (unsigned)__builtin_ctzll(zeros) / 8;
    }
    return limit;
}

/* Where the blob at `begin` ends, padding included; 0 if it does not fit, or a padding byte is not zero. */
static size_t blob_end(const uint8_t *packet, size_t begin, size_t end)
{
    if (end - begin < 4) return 0;
    size_t size = get_u32(packet + begin);
    size_t room = end - begin - 4;
    if (size > room) return 0; /* a negative length too: it is above 2^31 here */
    size_t last = begin + 4 + size;
    size_t next = begin + 4 + (size + 3) / 4 * 4; /* <= end, because room is a multiple of 4 */
    for (size_t at = last; at < next; at++) {
        if (packet[at] != 0) return 0;
    }
    return next;
}

/* Bytes that a text of `length` takes with its NUL and padding. */
static size_t padded(size_t length)
{
    return (length / 4 + 1) * 4;
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static uint64_t get_u64(const uint8_t *from)
{
    return (uint64_t)get_u32(from) << 32 | get_u32(from + 4);
}

static float get_float(const uint8_t *from)
{
    uint32_t bits = get_u32(from);
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static double get_double(const uint8_t *from)
{
    uint64_t bits = get_u64(from);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* In seconds since 1970. A `t` is an NTP time: seconds since 1900, and 2^-32 parts of one. */
static double wrapper_timestamp(char tag, const uint8_t *from)
{
    switch (tag) {
    case 'f': return (double)get_float(from);
    case 'd': return get_double(from);
    case 'h': return (double)(int64_t)get_u64(from);
    default: return (double)get_u32(from) - 2208988800.0 + (double)get_u32(from + 4) / 4294967296.0;
    }
}
