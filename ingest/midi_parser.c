/* A stream of MIDI bytes, taken apart. */
#include "ingest/midi_parser.h"

#include <assert.h>
#include <stdlib.h>

enum { FRAME_BEGIN = 0xF0, FRAME_END = 0xF7, REAL_TIME = 0xF8, STATUS = 0x80 };

typedef enum place {
    OUTSIDE,    /* between messages: data bytes belong to nothing */
    IN_MESSAGE, /* a status byte that takes data bytes is in force, by running status for any number of messages */
    IN_FRAME,
    PASSING_OVER, /* the rest of a frame that became too long */
} place;

struct sl_midi_parser {
    place place;
    bool is_stray; /* bytes that belong to nothing have been told of */
    bool is_found; /* the bytes are a whole frame, told of last */
    size_t length;
    uint8_t bytes[SL_MIDI_FRAME_BYTES_MAX];
};

static sl_midi_finding take_data(sl_midi_parser *parser, uint8_t byte);
static sl_midi_finding take_end(sl_midi_parser *parser);
static sl_midi_finding take_status(sl_midi_parser *parser, uint8_t byte);

sl_err sl_midi_parser_create(sl_midi_parser **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? SL_OK : SL_ERR_MEMORY;
}

void sl_midi_parser_destroy(sl_midi_parser *parser)
{
    free(parser);
}

bool sl_midi_parser_reset(sl_midi_parser *parser)
{
    const bool is_lost = parser->place == IN_FRAME;
    parser->place = OUTSIDE;
    parser->is_stray = false;
    parser->is_found = false;
    return is_lost;
}

sl_midi_finding sl_midi_parser_take(sl_midi_parser *parser, const uint8_t *bytes, size_t length, size_t *taken)
{
    parser->is_found = false;
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = bytes[i];
        if (byte >= REAL_TIME) continue;
        sl_midi_finding finding = SL_MIDI_NOTHING;
        if (byte < STATUS) finding = take_data(parser, byte);
        if (byte == FRAME_END) finding = take_end(parser);
        if (byte >= STATUS && byte != FRAME_END) finding = take_status(parser, byte);
        if (finding == SL_MIDI_NOTHING) continue;
        *taken = i + 1;
        return finding;
    }
    *taken = length;
    return SL_MIDI_NOTHING;
}

static sl_midi_finding tell_stray(sl_midi_parser *parser)
{
    if (parser->is_stray) return SL_MIDI_NOTHING;
    parser->is_stray = true;
    return SL_MIDI_STRAY;
}

static sl_midi_finding take_data(sl_midi_parser *parser, uint8_t byte)
{
    if (parser->place == OUTSIDE) return tell_stray(parser);
    if (parser->place != IN_FRAME) return SL_MIDI_NOTHING;
    if (parser->length == SL_MIDI_FRAME_BYTES_MAX - 1) { /* no room for this byte and the end */
        parser->place = PASSING_OVER;
        return SL_MIDI_TOO_LONG;
    }
    parser->bytes[parser->length++] = byte;
    return SL_MIDI_NOTHING;
}

static sl_midi_finding take_end(sl_midi_parser *parser)
{
    const place before = parser->place;
    parser->place = OUTSIDE;
    if (before == PASSING_OVER) return SL_MIDI_NOTHING;
    if (before != IN_FRAME) return tell_stray(parser);
    parser->bytes[parser->length++] = FRAME_END;
    parser->is_found = true;
    parser->is_stray = false;
    return SL_MIDI_FRAME;
}

/* True for a status byte that data bytes follow: channel messages, whose status stays in force; and F1, F2 and F3,
 * whose data is not worth telling apart from more of it. */
static bool takes_data(uint8_t status)
{
    return status < FRAME_BEGIN || (status > FRAME_BEGIN && status <= 0xF3);
}

static sl_midi_finding take_status(sl_midi_parser *parser, uint8_t byte)
{
    const bool is_broken_off = parser->place == IN_FRAME;
    parser->is_stray = false;
    if (byte == FRAME_BEGIN) {
        parser->place = IN_FRAME;
        parser->bytes[0] = FRAME_BEGIN;
        parser->length = 1;
    } else {
        parser->place = takes_data(byte) ? IN_MESSAGE : OUTSIDE;
    }
    return is_broken_off ? SL_MIDI_ABORTED : SL_MIDI_NOTHING;
}

const uint8_t *sl_midi_parser_frame(const sl_midi_parser *parser, size_t *length)
{
    assert(parser->is_found);
    *length = parser->length;
    return parser->bytes;
}

const char *sl_midi_finding_text(sl_midi_finding finding)
{
    switch (finding) {
    case SL_MIDI_ABORTED: return "a frame was broken off before its F7";
    case SL_MIDI_TOO_LONG: return "a frame was longer than 64 KiB";
    case SL_MIDI_STRAY: return "bytes that belong to no message";
    case SL_MIDI_NOTHING:
    case SL_MIDI_FRAME: break;
    }
    return "";
}
