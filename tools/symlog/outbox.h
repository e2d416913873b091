/*
 * What one subscriber is to be sent, in order: the whole project once, or when it resumes the past from chunks; then
 * every message of the backlog from its place on, as it is or framed as it wishes; and answers to what it asked, each
 * after the messages that were there when it was given, so that an answer never tells of a state that the subscriber
 * has not seen yet. Handed out in pieces of at most SL_OUTBOX_PIECE_BYTES.
 *
 * Memory of one that stops reading: the chunk that it is in and SL_SEEKER_CHUNKS more while it catches up, and the
 * answers (sl_outbox_is_crowded); besides, what it is in the middle of: the whole project (shared with those who came
 * at the same time), or with ?paths a message beyond 64 KiB.
 *
 * It knows nothing of sockets. One thread.
 */
#ifndef SL_TOOLS_OUTBOX_H
#define SL_TOOLS_OUTBOX_H

#include "core/err.h"
#include "tools/symlog/backlog.h"
#include "tools/symlog/catchup.h"
#include "tools/symlog/framer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_OUTBOX_PIECE_BYTES = SL_FRAMER_FRAME_BYTES,
    SL_OUTBOX_ANSWERS_MAX = 64,             /* sl_outbox_is_crowded beyond that many, or */
    SL_OUTBOX_ANSWERS_BYTES_MAX = 64 << 10, /* that many bytes */
    SL_OUTBOX_FRAMES_MAX = 1024,            /* of binary messages and answers that wait; see sl_outbox_frame */
    SL_OUTBOX_LIGHT_MAX = 16,               /* see sl_outbox_notify_lightly */
    SL_OUTBOX_LAG_BYTES = 8 << 20           /* one that falls further behind gets the changes coalesced */
};

/* A message in a buffer of its own: a whole project, for everybody who joins before the next message; or what only one
 * subscriber gets. */
typedef struct sl_parcel {
    unsigned users; /* freed with the last one */
    uint64_t seq;   /* of the state that it shows, or of its event; 0: none */
    size_t length;
    uint8_t bytes[]; /* SL_BACKLOG_ROOM, then the message */
} sl_parcel;

typedef struct sl_waiting_answer sl_waiting_answer;

typedef enum sl_outbox_turn {
    SL_OUTBOX_NOTHING,   /* all is sent, or it is not yet time for more (due_us), or more is being prepared */
    SL_OUTBOX_PIECE,     /* send the piece, then call sl_outbox_sent */
    SL_OUTBOX_WHOLE,     /* give it the project with sl_outbox_give_whole, then ask again */
    SL_OUTBOX_OVERTAKEN, /* what it should get next is gone: close it */
} sl_outbox_turn;

/* What all outboxes of a feed use; it must outlive them. */
typedef struct sl_outbox_shared {
    const sl_backlog *backlog;
    sl_framer *framer;
    sl_catchup *catchup; /* NULL: nobody can resume from further back than the backlog */
} sl_outbox_shared;

/* The message, or frame, that is being sent. */
typedef struct sl_outbox_present {
    int kind;
    uint8_t *bytes;
    size_t length;
    uint64_t seq;
    bool has_room; /* in front of it, to be overwritten */
    bool is_binary;
    size_t sent_bytes; /* of it */
} sl_outbox_present;

typedef struct sl_outbox {
    const sl_outbox_shared *shared;
    sl_stream stream;
    sl_framing framing;
    uint64_t seq;      /* last log number sent whole; 0 before any */
    uint64_t due_us;   /* throttled: it is to be asked again then; 0: it waits for nothing */
    uint64_t leave_us; /* throttled: before that, nothing more is sent, unless it lags */
    bool wants_whole;  /* begins (again) with the whole project */
    sl_parcel *parcel; /* to be sent next */
    bool is_live;      /* it has once had all there was: from then on it can lag */
    bool is_resuming;  /* goes through the past … */
    uint64_t through;  /* … and has had all events up to this one, or wants none of them */
    sl_seeker *seeker;
    sl_chunk *chunk;            /* stream.chunk */
    sl_waiting_answer *answers; /* oldest first */
    sl_waiting_answer **answers_end;
    size_t answer_count;
    size_t answer_bytes;
    sl_outbox_present present;
} sl_outbox;

/* A piece of a message: `bytes` has SL_BACKLOG_ROOM to overwrite in front of it, and is valid until the next call on
 * any outbox or the backlog. */
typedef struct sl_piece {
    uint8_t *bytes;
    size_t length;
    bool is_first;
    bool is_last;
    bool is_binary;
    size_t input_bytes; /* read to make it; at least its length */
} sl_piece;

/* Begins with the whole project. `wishes` must outlive it. */
void sl_outbox_open(sl_outbox *outbox, const sl_outbox_shared *shared, const sl_wishes *wishes);
void sl_outbox_close(sl_outbox *outbox);

/* Makes it begin with the messages after event `from` instead, which is not beyond the last event published. */
void sl_outbox_resume(sl_outbox *outbox, uint64_t from);

/* Makes it begin (anew) with an ERROR that says why it cannot resume, and the whole project. */
void sl_outbox_refuse(sl_outbox *outbox, const char *why);

/* Makes it begin anew with the whole project, after the message that is being sent; one that goes through the past will
 * come past what is missing now, and goes on. */
void sl_outbox_restart(sl_outbox *outbox);

/* Counts as a user of `whole` until it is sent. */
void sl_outbox_give_whole(sl_outbox *outbox, sl_parcel *whole);

/* Copies an answer in. SL_ERR_MEMORY. */
sl_err sl_outbox_answer(sl_outbox *outbox, const char *bytes, size_t length);

/* Copies a binary message in, of at most SL_OUTBOX_ANSWERS_BYTES_MAX; it is sent in the order of the answers.
 * SL_ERR_FULL: with what waits it would be more than that, or more than SL_OUTBOX_FRAMES_MAX messages. SL_ERR_MEMORY.
 */
sl_err sl_outbox_frame(sl_outbox *outbox, const uint8_t *bytes, size_t length);

/* Copies a text in that may be left out: SL_ERR_FULL likewise, or where answers crowd. SL_ERR_MEMORY. */
sl_err sl_outbox_notify(sl_outbox *outbox, const char *bytes, size_t length);

/* The same where a text is to be left out last (SL_ERR_FULL as sl_outbox_frame), or first: as soon as
 * SL_OUTBOX_LIGHT_MAX wait. */
sl_err sl_outbox_notify_surely(sl_outbox *outbox, const char *bytes, size_t length);
sl_err sl_outbox_notify_lightly(sl_outbox *outbox, const char *bytes, size_t length);

/* True while more answers wait than one subscriber should have: stop reading from it. */
bool sl_outbox_is_crowded(const sl_outbox *outbox);

/* True if the message that it should get next is gone. */
bool sl_outbox_is_overtaken(const sl_outbox *outbox);

/* What to do next. */
sl_outbox_turn sl_outbox_next(sl_outbox *outbox, uint64_t now_us, sl_piece *out);

/* The piece that sl_outbox_next gave has been sent. */
void sl_outbox_sent(sl_outbox *outbox, const sl_piece *piece);

/* A parcel with room for `length` bytes and one user, the caller; NULL: no memory. */
sl_parcel *sl_parcel_create(size_t length, uint64_t seq);

/* One user less; NULL is passed over. */
void sl_parcel_leave(sl_parcel *parcel);

#endif
