/*
 * The payloads of live code's events but the score's (core/score.h): code, transport, applied. As core/payload.h says:
 * little-endian, texts as u32 length and bytes, decoded texts are views.
 *
 * An edit that was refused is a `refused` event of version 2 (core/payload.h), with the edit's number, line and column.
 */
#ifndef SL_CORE_LIVE_CODE_H
#define SL_CORE_LIVE_CODE_H

#include "core/bytes.h"
#include "core/event.h"
#include "core/score.h"

typedef enum sl_language { SL_LANGUAGE_JAVASCRIPT = 0, SL_LANGUAGE_TYPESCRIPT = 1 } sl_language;

/* code: u8 quantize · u8 language · text buffer · text source. Appended when the edit arrives; `score` or `refused`
 * when the sandbox has answered. */
typedef struct sl_code {
    uint8_t quantize; /* an sl_quantize */
    uint8_t language; /* an sl_language */
    const char *buffer;
    size_t buffer_length; /* at most SL_SCORE_NAME_BYTES_MAX */
    const char *source;
    size_t source_length;
} sl_code;

typedef enum sl_transport_action {
    SL_TRANSPORT_PLAY = 1,
    SL_TRANSPORT_PAUSE = 2,    /* at once */
    SL_TRANSPORT_STOP = 3,     /* the track named, or all */
    SL_TRANSPORT_PANIC = 4,    /* at once */
    SL_TRANSPORT_TEMPO = 5,    /* value: bpm, 1 to 1000 */
    SL_TRANSPORT_QUANTIZE = 6, /* `quantize` is the session's default from now on */
    SL_TRANSPORT_UNDO = 7,
    SL_TRANSPORT_REDO = 8,
    SL_TRANSPORT_CHANNEL = 9,     /* of the track named: value 0 to 16 */
    SL_TRANSPORT_INSTRUMENT = 10, /* of the track named: name, params */
    SL_TRANSPORT_EFFECT = 11,     /* likewise, one more (or, where it has one so named, instead of it) */
    SL_TRANSPORT_ACTION_LAST = SL_TRANSPORT_EFFECT
} sl_transport_action;

/* transport: u8 action · u8 quantize · f64 value · text track · text name · text params. What a person or client said.
 */
typedef struct sl_transport {
    uint8_t action;   /* an sl_transport_action */
    uint8_t quantize; /* an sl_quantize: when stop, undo and redo take effect */
    double value;
    const char *track;
    size_t track_length;
    const char *name;
    size_t name_length;
    const char *params; /* JSON */
    size_t params_length;
} sl_transport;

/* applied: u64 through_seq · u64 frame · u32 rate · u8 flags (1: late). Only a player says it. */
typedef struct sl_applied {
    uint64_t through_seq; /* from `frame` on, every event up to this one counts */
    uint64_t frame;       /* since the log began; never below the mark before (that is not voided) */
    uint32_t rate;        /* frames in a second, 8000 to 384000 */
    bool late;            /* the mark before this one is void */
} sl_applied;

sl_err sl_code_encode(const sl_code *in, sl_writer *out);
sl_err sl_code_decode(const sl_event *event, sl_code *out);
sl_err sl_transport_encode(const sl_transport *in, sl_writer *out);
sl_err sl_transport_decode(const sl_event *event, sl_transport *out);
sl_err sl_applied_encode(const sl_applied *in, sl_writer *out);
sl_err sl_applied_decode(const sl_event *event, sl_applied *out);

/* "play"; NULL for a number that has none. */
const char *sl_transport_action_name(uint8_t action);

#endif
