/*
 * The event: what the log holds, and all that a reducer ever sees. A draft is an event that has no sequence number yet.
 *
 * Also the codec of a record, the bytes in which the log keeps an event (drawn in store/README.md), so that whoever
 * gets raw records (a subscriber, a relay, a test on another CPU) needs nothing but core.
 */
#ifndef SL_CORE_EVENT_H
#define SL_CORE_EVENT_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

/* Numbers are appended, never reused. What a payload holds is said in core/payload.h. */
typedef enum sl_kind {
    SL_KIND_START = 1,         /* serve began: wall clock, versions, options */
    SL_KIND_COUNTERS = 2,      /* statistics of every source, and the kernel's drops */
    SL_KIND_SESSION = 3,       /* names a source, or says that its sender began anew */
    SL_KIND_OSC = 4,           /* one UDP datagram as it arrived */
    SL_KIND_PICTURE = 5,       /* a whole tree, made of a snapshot or a save */
    SL_KIND_REFUSED = 6,       /* a person's input that was not taken, and why */
    SL_KIND_CHECKPOINT = 7,    /* the state digest after an earlier event */
    SL_KIND_MARK = 8,          /* a person's bookmark: UTF-8 text */
    SL_KIND_ORDER_SETTLED = 9, /* 100 ms have passed since a source's last scene/reordered */
    SL_KIND_GAVE_UP = 10,      /* the numbers missing up to a number are waited for no longer */
    SL_KIND_BASE = 11,         /* the whole state before an event: the beginning of a log that was pruned */
    SL_KIND_LOST = 12,         /* a tombstone: what was here could not be saved by a repair */
    SL_KIND_PAUSED = 13,       /* a source is listened to no longer, or again */
    SL_KIND_SYSEX = 14,        /* one SysEx frame, F0 to F7, as it arrived */
    SL_KIND_SYSEX_SENT = 15,   /* one that symlog says, appended before it is sent */
    SL_KIND_GROOVE_EDIT = 16,  /* a client's edit of the groove: one evt, or a patch */
    SL_KIND_SETLISTS = 17,     /* the built-in set lists in force */
    SL_KIND_SAVE = 18,         /* a project file as it was found on disk; a picture or a refused event follows */
    SL_KIND_CODE = 19,         /* an edit of live code, as it arrived */
    SL_KIND_SCORE = 20,        /* what the sandbox made of it (core/score.h) */
    SL_KIND_TRANSPORT = 21,    /* play, stop, tempo, undo …, as a person or a client said it */
    SL_KIND_APPLIED = 22,      /* from which frame on the player counts what is in the log */
    SL_KIND_PARAMETER = 23,    /* a parameter of the sound has another value */
    SL_KIND_PLAYER = 24,       /* another player plays from now on: at which rate, through what */
    SL_KIND_HEARD = 25,        /* the digest of a stretch of sound that was played */
    SL_KIND_PROCESSOR = 26,    /* the source of a processor that was loaded */
    SL_KIND_LAST = SL_KIND_PROCESSOR
} sl_kind;

enum {
    SL_SOURCE_SELF = 0,            /* symlog's own events */
    SL_LOG_ID_BYTES = 16,          /* random, chosen when a log is made */
    SL_RECORD_HEADER_BYTES = 40,   /* before the payload */
    SL_PAYLOAD_BYTES_MAX = 1 << 30 /* of any event */
};

#define SL_SOURCE_SEQ_NONE UINT64_MAX /* the sender put no number on it */

typedef struct sl_event {
    uint64_t seq;           /* in the log, from 1; 0 in a draft */
    uint16_t kind;          /* an sl_kind; unknown ones are kept and passed over */
    uint16_t version;       /* of the payload's encoding */
    uint32_t source;        /* who sent it; named by a session event */
    uint64_t session;       /* the sender's run */
    uint64_t source_seq;    /* the sender's own number, or SL_SOURCE_SEQ_NONE */
    uint64_t time_ns;       /* received, CLOCK_BOOTTIME since serve's start */
    const uint8_t *payload; /* borrowed; whoever hands out the event says until when */
    uint32_t length;        /* of the payload, bytes */
} sl_event;

/* A short lower-case name ("osc"); "unknown" for a number that has none. Static. */
const char *sl_kind_name(uint16_t kind);

/* The kind so named, or 0. */
uint16_t sl_kind_by_name(const char *name);

/* Writes the 40 header bytes of `event` as the log `id` keeps it under event->seq. The checksum covers id, seq, the
 * header before it, and the payload. */
void sl_record_encode(const sl_event *event, const uint8_t id[SL_LOG_ID_BYTES], uint8_t header[SL_RECORD_HEADER_BYTES]);

/* Reads a header into `out` (all but seq and payload). SL_ERR_MALFORMED: not of SL_RECORD_HEADER_BYTES, or a payload
 * length above SL_PAYLOAD_BYTES_MAX. The checksum is not looked at yet: the payload may be stored elsewhere. */
sl_err sl_record_decode(const uint8_t *bytes, size_t length, sl_event *out);

/* SL_OK if the checksum in `header` matches event (seq and payload set); SL_ERR_CORRUPT if not. */
sl_err sl_record_check(const sl_event *event, const uint8_t id[SL_LOG_ID_BYTES],
                       const uint8_t header[SL_RECORD_HEADER_BYTES]);

/* CRC-32C (Castagnoli) of `length` bytes, continuing from `crc` (0 to begin). */
uint32_t sl_crc32c(uint32_t crc, const void *bytes, size_t length);

#endif
