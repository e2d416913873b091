/*
 * What the payloads of symlog's own events hold, little-endian, texts as u32 length and bytes. Each is written in its
 * newest version (SL_PAYLOAD_VERSION, where no other is named) and read in all; an OSC event's payload is the datagram,
 * a sysex's the frame (core/sysex.h), a mark's its UTF-8 text, order_settled's is empty, a picture's is described in
 * core/picture.h, a score's in core/score.h, those of the rest of live code in core/live_code.h.
 *
 * encode: SL_ERR_FULL if it does not fit. decode: SL_ERR_MALFORMED if the bytes are not exactly one such payload,
 * SL_ERR_VERSION for another version. Texts decoded are views into the event's payload.
 */
#ifndef SL_CORE_PAYLOAD_H
#define SL_CORE_PAYLOAD_H

#include "core/bytes.h"
#include "core/digest.h"
#include "core/event.h"

enum {
    SL_PAYLOAD_VERSION = 1,  /* of every payload … */
    SL_SESSION_VERSION = 2,  /* … but a session's */
    SL_COUNTERS_VERSION = 2, /* … and the counters' */
    SL_REFUSED_VERSION = 2,  /* … and what an edit of code was refused with */
    SL_SOURCES_MAX = 64,
    SL_NAME_BYTES_MAX = 95
};

/* start: i64 wall_ns · u32 reducer_version · 16 bytes boot_id · text program · text options */
typedef struct sl_start {
    int64_t wall_ns;          /* Unix time at which time_ns was 0 */
    uint32_t reducer_version; /* SL_REDUCER_VERSION of the program that wrote it */
    uint8_t boot_id[16];      /* the kernel's, so that a machine's crash is noticed */
    const char *program;      /* "symlog 0.1.0" */
    size_t program_length;
    const char *options; /* the command line's, one line */
    size_t options_length;
} sl_start;

/* session, version 2: u8 input · u8 has_hello · text name; version 1 has no has_hello. The header's source gets this
 * name; another session than before is a new run of the sender, the same one has moved or said hello. */
typedef enum sl_input {
    SL_INPUT_SELF = 0,
    SL_INPUT_OSC = 1,
    SL_INPUT_CLIENT = 2,
    SL_INPUT_SYSEX = 3,   /* "midi:PATH", "port:NAME" or "ws:N" */
    SL_INPUT_PROJECT = 4, /* a project file: its path */
    SL_INPUT_LAST = SL_INPUT_PROJECT
} sl_input;

typedef struct sl_session {
    uint8_t input;    /* an sl_input */
    bool has_hello;   /* the sender said /symlog/hello: it answers resend requests */
    const char *name; /* "127.0.0.1:52011"; the address alone for a source of unnumbered messages */
    size_t name_length;
} sl_session;

/* What ingest counts of one source; holes in its numbers the reducer counts itself. Totals since the log's first start:
 * a restart goes on from the state's. */
typedef struct sl_source_counts {
    uint32_t source;
    uint64_t received;     /* datagrams */
    uint64_t processed;    /* became events */
    uint64_t dropped;      /* thrown away because the ring was full */
    uint64_t parse_errors; /* refused as malformed */
    uint64_t duplicates;   /* exact duplicates, dropped */
    uint64_t resends;      /* resend requests sent to it */
    uint64_t heartbeats;   /* that told nothing new: not logged */
    uint64_t ignored;      /* datagrams while it was paused: not logged */
    uint64_t queue_size;   /* of its drafts waiting to be committed, now */
    uint64_t queue_max;    /* the most there ever were */
} sl_source_counts;

/* counters: u64 kernel_drops · u64 refused_unnamed · u32 count · count x (u32 source, 10 x u64);
 * version 1 has 7 x u64, without resends, heartbeats and ignored */
typedef struct sl_counters {
    uint64_t kernel_drops;    /* SO_RXQ_OVFL, total since the log's first start */
    uint64_t refused_unnamed; /* malformed datagrams from peers that have no source */
    uint32_t count;
    sl_source_counts sources[SL_SOURCES_MAX + 1];
} sl_counters;

/* checkpoint: u64 through_seq · u32 reducer_version · 16 bytes state digest */
typedef struct sl_checkpoint {
    uint64_t through_seq; /* the digest is of the state after this event */
    uint32_t reducer_version;
    sl_digest digest;
} sl_checkpoint;

/* refused: u16 kind of the input · text reason. Header source, session and source_seq are the input's. Version 2, of a
 * code event (no other is written in it): … · u64 code_seq · u32 line · u32 column. */
typedef struct sl_refused {
    uint16_t kind;
    const char *reason;
    size_t reason_length;
    uint64_t code_seq; /* the code event; these are 0 in version 1 */
    uint32_t line;     /* from 1; 0: not known */
    uint32_t column;   /* likewise */
} sl_refused;

/* gave_up: u64 through. The header's source and session wait no longer for any number up to `through`. */
typedef struct sl_gave_up {
    uint64_t through; /* the last number that was missing */
} sl_gave_up;

/* base: u64 before_seq · the state's bytes (core/state_codec.h). The state is as before event `before_seq`; whatever
 * the log holds below that number may be gone. lost: empty. paused: u8 is_paused. */
typedef struct sl_base {
    uint64_t before_seq;
    const uint8_t *state;
    size_t state_length;
} sl_base;

/* save: i64 mtime_ns · text path · the file's bytes */
typedef struct sl_save {
    int64_t mtime_ns; /* wall clock: when the file was written */
    const char *path; /* as it was found */
    size_t path_length;
    const uint8_t *bytes;
    size_t length;
} sl_save;

typedef struct sl_paused {
    bool is_paused; /* the header's source */
} sl_paused;

/* sysex_sent: u32 to · the frame, F0 to F7. */
typedef struct sl_sysex_sent {
    uint32_t to; /* the source that it goes to; 0: all */
    const uint8_t *frame;
    size_t frame_length;
} sl_sysex_sent;

/* groove_edit: the text alone: one evt as in a DELTA ("bpm=120"), or "patch=" and a patch. */

/* setlists: u32 list_count · each (text title · u32 item_count · each (text name · text patch)). It begins with the
 * count, and the lists are walked: next_list, then next_item as often as it said. */
typedef struct sl_setlists {
    sl_reader reader;
    uint32_t list_count;
} sl_setlists;

enum { SL_SETLISTS_BYTES_MAX = 1 << 20, SL_SETLISTS_LISTS_MAX = 256, SL_SETLISTS_ITEMS_MAX = 4096 /* of one list */ };

enum { SL_COUNTERS_BYTES_MAX = 20 + (SL_SOURCES_MAX + 1) * 84 };

sl_err sl_start_encode(const sl_start *in, sl_writer *out);
sl_err sl_start_decode(const sl_event *event, sl_start *out);
sl_err sl_session_encode(const sl_session *in, sl_writer *out);
sl_err sl_session_decode(const sl_event *event, sl_session *out);
sl_err sl_counters_encode(const sl_counters *in, sl_writer *out);
sl_err sl_counters_decode(const sl_event *event, sl_counters *out);
sl_err sl_checkpoint_encode(const sl_checkpoint *in, sl_writer *out);
sl_err sl_checkpoint_decode(const sl_event *event, sl_checkpoint *out);
/* Writes version 2 if in->code_seq > 0, else version 1. */
sl_err sl_refused_encode(const sl_refused *in, sl_writer *out);
sl_err sl_refused_decode(const sl_event *event, sl_refused *out);
sl_err sl_gave_up_encode(const sl_gave_up *in, sl_writer *out);
sl_err sl_gave_up_decode(const sl_event *event, sl_gave_up *out);
sl_err sl_base_encode(const sl_base *in, sl_writer *out);
sl_err sl_base_decode(const sl_event *event, sl_base *out);
sl_err sl_paused_encode(const sl_paused *in, sl_writer *out);
sl_err sl_paused_decode(const sl_event *event, sl_paused *out);
sl_err sl_save_encode(const sl_save *in, sl_writer *out);
sl_err sl_save_decode(const sl_event *event, sl_save *out);
sl_err sl_sysex_sent_encode(const sl_sysex_sent *in, sl_writer *out);
sl_err sl_sysex_sent_decode(const sl_event *event, sl_sysex_sent *out);

/* Writing set lists piece by piece: the counts are the caller's to keep. */
void sl_setlists_encode_begin(uint32_t list_count, sl_writer *out);
void sl_setlists_encode_list(const char *title, size_t title_length, uint32_t item_count, sl_writer *out);
void sl_setlists_encode_item(const char *name, size_t name_length, const char *patch, size_t patch_length,
                             sl_writer *out);

/* Checks the whole payload, bounds included (patches are not read), and begins a walk. */
sl_err sl_setlists_decode(const sl_event *event, sl_setlists *out);

/* The next list, or item of the list; what is not there is "", of 0 items. */
void sl_setlists_next_list(sl_setlists *lists, const char **title, size_t *title_length, uint32_t *item_count);
void sl_setlists_next_item(sl_setlists *lists, const char **name, size_t *name_length, const char **patch,
                           size_t *patch_length);

#endif
