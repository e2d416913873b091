/*
 * SysEx frames: F0 7D op payload F7, the payload 7-bit ASCII. Reading a frame into its fields, and building the four
 * frames of PM Live-Sync. What a patch or an evt says is read elsewhere (core/patch.h, core/groove.h).
 *
 *   40 HELLO origin · 41 FULL origin;seq;running;list;item;patch · 42 DELTA origin;seq;evt · 43 BYE origin
 */
#ifndef SL_CORE_SYSEX_H
#define SL_CORE_SYSEX_H

#include "core/bytes.h"
#include "core/err.h"

enum {
    SL_SYSEX_BEGIN = 0xF0,
    SL_SYSEX_END = 0xF7,
    SL_SYSEX_MANUFACTURER = 0x7D,
    SL_SYSEX_FRAME_BYTES_MAX = 64 * 1024, /* F0 and F7 included */
    SL_SYSEX_ORIGIN_BYTES_MAX = 32,
    SL_SYSEX_INDEX_MAX = 9999, /* of a set list, or an item of one */
    SL_SYSEX_EVT_BYTES_MAX = 256
};

/* The ops seen on the channel; any other is recorded too. */
typedef enum sl_sysex_op {
    SL_SYSEX_RTC = 0x01,
    SL_SYSEX_VERSION_QUERY = 0x02,
    SL_SYSEX_VERSION = 0x03, /* its answer: "K;0.0.23" */
    SL_SYSEX_PROGRAMS = 0x10,
    SL_SYSEX_FIRMWARE_FIRST = 0x20, /* to … */
    SL_SYSEX_FIRMWARE_LAST = 0x23,
    SL_SYSEX_HELLO = 0x40,
    SL_SYSEX_FULL = 0x41,
    SL_SYSEX_DELTA = 0x42,
    SL_SYSEX_BYE = 0x43,
    SL_SYSEX_NAK = 0x7E,
    SL_SYSEX_ACK = 0x7F
} sl_sysex_op;

/* Why bytes are no frame of ours. */
typedef enum sl_sysex_fault {
    SL_SYSEX_FAULT_NONE = 0,
    SL_SYSEX_FAULT_FRAME,  /* not F0 … F7, or nothing between */
    SL_SYSEX_FAULT_ASCII,  /* a byte above 7F inside */
    SL_SYSEX_FAULT_FIELDS, /* HELLO, FULL, DELTA, BYE: too few fields, or too many */
    SL_SYSEX_FAULT_VALUE   /* a field that is no origin, number, 0 or 1, or index */
} sl_sysex_fault;

/* A frame taken apart. Texts are views into its bytes. */
typedef struct sl_sysex {
    bool is_ours; /* manufacturer 7D: what follows is set */
    uint8_t op;
    const char *payload; /* behind op */
    size_t payload_length;
    const char *origin; /* HELLO, FULL, DELTA, BYE */
    size_t origin_length;
    uint64_t seq;     /* FULL, DELTA; the highest number where it has more digits */
    bool is_running;  /* FULL */
    int32_t set_list; /* FULL: index, or -1 */
    int32_t item;     /* likewise */
    const char *tail; /* FULL: the patch; DELTA: the evt */
    size_t tail_length;
    size_t position; /* of the first byte that is at fault, in the frame */
} sl_sysex;

/* Reads a whole frame. Frames of other manufacturers, and ops that are none of the four, are good whatever they hold,
 * as long as it is 7-bit. With a fault, `out` has what was read before it. */
sl_sysex_fault sl_sysex_read(const uint8_t *bytes, size_t length, sl_sysex *out);

/* In plain words ("a byte above 7F inside a frame"); static. */
const char *sl_sysex_fault_text(sl_sysex_fault fault);

/* "HELLO"; "firmware"; "op" for one that has no name. Static. */
const char *sl_sysex_op_name(uint8_t op);

/* True for HELLO, FULL, DELTA, BYE. */
bool sl_sysex_is_live_sync(uint8_t op);

/* True if the op is one of a firmware push, which nothing may cut into. */
bool sl_sysex_is_firmware(uint8_t op);

/* An origin and a number that tell frames of one sender apart. */
typedef struct sl_sysex_stamp {
    const char *origin; /* ASCII without ';', 1 to SL_SYSEX_ORIGIN_BYTES_MAX */
    size_t origin_length;
    uint64_t seq; /* HELLO and BYE have none */
} sl_sysex_stamp;

/* What FULL says. */
typedef struct sl_sysex_full {
    bool is_running;
    int32_t set_list;
    int32_t item;
    const char *patch; /* ASCII */
    size_t patch_length;
} sl_sysex_full;

/* Write a whole frame, F0 and F7 included. SL_ERR_FULL: `out` has no room for it. */
sl_err sl_sysex_write_hello(sl_sysex_stamp stamp, sl_writer *out);
sl_err sl_sysex_write_bye(sl_sysex_stamp stamp, sl_writer *out);
sl_err sl_sysex_write_delta(sl_sysex_stamp stamp, const char *evt, size_t evt_length, sl_writer *out);
sl_err sl_sysex_write_full(sl_sysex_stamp stamp, const sl_sysex_full *full, sl_writer *out);

#endif
