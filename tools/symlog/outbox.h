/*
 * What one subscriber is to be sent, in order: the whole project once, then every message of the backlog from its place
 * on; and answers to what it asked, each after the messages that were there when it was given, so that an answer never
 * tells of a state that the subscriber has not seen yet. Handed out in pieces of at most SL_OUTBOX_PIECE_BYTES.
 *
 * It knows nothing of sockets. One thread.
 */
#ifndef SL_TOOLS_OUTBOX_H
#define SL_TOOLS_OUTBOX_H

#include "core/err.h"
#include "tools/symlog/backlog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_OUTBOX_PIECE_BYTES = 65536,
    SL_OUTBOX_ANSWERS_MAX = 64,           /* sl_outbox_is_crowded beyond that many, or */
    SL_OUTBOX_ANSWERS_BYTES_MAX = 1 << 20 /* that many bytes */
};

/* A whole project as a message, for everybody who joins before the next message. */
typedef struct sl_whole {
    unsigned users; /* freed with the last one */
    uint64_t seq;   /* of the state that it shows */
    size_t length;
    uint8_t bytes[]; /* SL_BACKLOG_ROOM, then the message */
} sl_whole;

typedef struct sl_answer sl_answer;

typedef enum sl_outbox_turn {
    SL_OUTBOX_NOTHING,   /* all is sent */
    SL_OUTBOX_PIECE,     /* send the piece, then call sl_outbox_sent */
    SL_OUTBOX_WHOLE,     /* give it the project with sl_outbox_give_whole, then ask again */
    SL_OUTBOX_OVERTAKEN, /* what it should get next is gone: close it */
} sl_outbox_turn;

typedef struct sl_outbox {
    const sl_backlog *backlog;
    uint64_t place;     /* in the backlog: of the next message */
    uint64_t seq;       /* last log number sent whole; 0 before any */
    bool wants_whole;   /* begins (again) with the whole project */
    sl_whole *whole;    /* to be sent next */
    sl_answer *answers; /* oldest first */
    sl_answer **answers_end;
    size_t answer_count;
    size_t answer_bytes;
    int sending;       /* which of these the present message is */
    size_t sent_bytes; /* of the present message */
} sl_outbox;

/* A piece of a message: `bytes` has SL_BACKLOG_ROOM to overwrite in front of it, and is valid until the next call on
 * the outbox or the backlog. */
typedef struct sl_piece {
    uint8_t *bytes;
    size_t length;
    bool is_first;
    bool is_last;
} sl_piece;

/* `backlog` must outlive it. */
void sl_outbox_open(sl_outbox *outbox, const sl_backlog *backlog);
void sl_outbox_close(sl_outbox *outbox);

/* Makes it begin anew with the whole project, after the message that is being sent. */
void sl_outbox_restart(sl_outbox *outbox);

/* Counts as a user of `whole` until it is sent. */
void sl_outbox_give_whole(sl_outbox *outbox, sl_whole *whole);

/* Copies an answer in. SL_ERR_MEMORY. */
sl_err sl_outbox_answer(sl_outbox *outbox, const char *bytes, size_t length);

/* True while more answers wait than one subscriber should have: stop reading from it. */
bool sl_outbox_is_crowded(const sl_outbox *outbox);

/* True if the message that it should get next is gone. */
bool sl_outbox_is_overtaken(const sl_outbox *outbox);

/* What to do next. `scratch` has SL_BACKLOG_ROOM + SL_OUTBOX_PIECE_BYTES bytes, for pieces of long messages. */
sl_outbox_turn sl_outbox_next(sl_outbox *outbox, uint8_t *scratch, sl_piece *out);

/* The piece that sl_outbox_next gave has been sent. */
void sl_outbox_sent(sl_outbox *outbox, const sl_piece *piece);

/* A whole with room for `length` bytes and one user, the caller; NULL: no memory. */
sl_whole *sl_whole_create(size_t length, uint64_t seq);

/* One user less; NULL is passed over. */
void sl_whole_leave(sl_whole *whole);

#endif
