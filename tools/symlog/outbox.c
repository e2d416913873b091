/* What one subscriber is to be sent. */
#include "tools/symlog/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sl_answer {
    sl_answer *next;
    uint64_t after; /* the end of the backlog when it was given */
    size_t length;
    uint8_t bytes[]; /* SL_BACKLOG_ROOM, then the message */
};

enum { SENDING_NOTHING, SENDING_WHOLE, SENDING_ANSWER, SENDING_MESSAGE };

static sl_outbox_turn choose(sl_outbox *outbox);
static bool present(const sl_outbox *outbox, sl_backlog_message *out);
static void drop_answer(sl_outbox *outbox);

void sl_outbox_open(sl_outbox *outbox, const sl_backlog *backlog)
{
    *outbox = (sl_outbox){.backlog = backlog, .place = sl_backlog_end(backlog), .wants_whole = true};
    outbox->answers_end = &outbox->answers;
}

void sl_outbox_close(sl_outbox *outbox)
{
    sl_whole_leave(outbox->whole);
    while (outbox->answers != NULL) drop_answer(outbox);
}

void sl_outbox_restart(sl_outbox *outbox)
{
    outbox->wants_whole = true;
}

void sl_outbox_give_whole(sl_outbox *outbox, sl_whole *whole)
{
    assert(outbox->wants_whole && outbox->whole == NULL);
    whole->users++;
    outbox->whole = whole;
    outbox->wants_whole = false;
    outbox->place = sl_backlog_end(outbox->backlog);
}

sl_err sl_outbox_answer(sl_outbox *outbox, const char *bytes, size_t length)
{
    sl_answer *answer = malloc(sizeof *answer + SL_BACKLOG_ROOM + length);
    if (answer == NULL) return SL_ERR_MEMORY;
    answer->next = NULL;
    answer->after = sl_backlog_end(outbox->backlog);
    answer->length = length;
    memcpy(answer->bytes + SL_BACKLOG_ROOM, bytes, length);
    *outbox->answers_end = answer;
    outbox->answers_end = &answer->next;
    outbox->answer_count++;
    outbox->answer_bytes += length;
    return SL_OK;
}

static void drop_answer(sl_outbox *outbox)
{
    sl_answer *answer = outbox->answers;
    outbox->answers = answer->next;
    if (outbox->answers == NULL) outbox->answers_end = &outbox->answers;
    outbox->answer_count--;
    outbox->answer_bytes -= answer->length;
    free(answer);
}

bool sl_outbox_is_crowded(const sl_outbox *outbox)
{
    return outbox->answer_count > SL_OUTBOX_ANSWERS_MAX || outbox->answer_bytes > SL_OUTBOX_ANSWERS_BYTES_MAX;
}

bool sl_outbox_is_overtaken(const sl_outbox *outbox)
{
    /* Who begins anew does not need what is gone, unless it is in the middle of it. */
    if (outbox->wants_whole && outbox->sending != SENDING_MESSAGE) return false;
    return outbox->place < sl_backlog_begin(outbox->backlog);
}

sl_outbox_turn sl_outbox_next(sl_outbox *outbox, uint8_t *scratch, sl_piece *out)
{
    if (sl_outbox_is_overtaken(outbox)) return SL_OUTBOX_OVERTAKEN;
    if (outbox->sending == SENDING_NOTHING) {
        const sl_outbox_turn turn = choose(outbox);
        if (turn != SL_OUTBOX_PIECE) return turn;
    }
    sl_backlog_message message;
    if (!present(outbox, &message)) return SL_OUTBOX_OVERTAKEN;
    const size_t left = message.length - outbox->sent_bytes;
    *out = (sl_piece){
        .bytes = message.bytes,
        .length = left < SL_OUTBOX_PIECE_BYTES ? left : SL_OUTBOX_PIECE_BYTES,
        .is_first = outbox->sent_bytes == 0,
        .is_last = left <= SL_OUTBOX_PIECE_BYTES,
    };
    if (!out->is_first || !out->is_last) {
        /* What lies before this piece is the message itself, which others still need: room must be made elsewhere. */
        out->bytes = scratch + SL_BACKLOG_ROOM;
        memcpy(out->bytes, message.bytes + outbox->sent_bytes, out->length);
    }
    return SL_OUTBOX_PIECE;
}

/* Decides what the next message is. */
static sl_outbox_turn choose(sl_outbox *outbox)
{
    if (outbox->wants_whole && outbox->whole == NULL) return SL_OUTBOX_WHOLE;
    if (outbox->whole != NULL) {
        outbox->sending = SENDING_WHOLE;
    } else if (outbox->answers != NULL && outbox->answers->after <= outbox->place) {
        outbox->sending = SENDING_ANSWER;
    } else if (outbox->place != sl_backlog_end(outbox->backlog)) {
        outbox->sending = SENDING_MESSAGE;
    } else {
        return SL_OUTBOX_NOTHING;
    }
    outbox->sent_bytes = 0;
    return SL_OUTBOX_PIECE;
}

/* The message that is being sent; false if it has been overtaken. */
static bool present(const sl_outbox *outbox, sl_backlog_message *out)
{
    if (outbox->sending == SENDING_MESSAGE) return sl_backlog_read(outbox->backlog, outbox->place, out);
    *out = (sl_backlog_message){.next = outbox->place};
    if (outbox->sending == SENDING_WHOLE) {
        out->bytes = outbox->whole->bytes + SL_BACKLOG_ROOM;
        out->length = outbox->whole->length;
        out->seq = outbox->whole->seq;
    } else {
        out->bytes = outbox->answers->bytes + SL_BACKLOG_ROOM;
        out->length = outbox->answers->length;
    }
    return true;
}

void sl_outbox_sent(sl_outbox *outbox, const sl_piece *piece)
{
    outbox->sent_bytes += piece->length;
    if (!piece->is_last) return;
    sl_backlog_message message;
    const bool is_there = present(outbox, &message);
    assert(is_there && outbox->sent_bytes == message.length);
    if (message.seq != 0) outbox->seq = message.seq;
    outbox->place = message.next;
    if (outbox->sending == SENDING_WHOLE) {
        sl_whole_leave(outbox->whole);
        outbox->whole = NULL;
    } else if (outbox->sending == SENDING_ANSWER) {
        drop_answer(outbox);
    }
    outbox->sending = SENDING_NOTHING;
}

sl_whole *sl_whole_create(size_t length, uint64_t seq)
{
    sl_whole *whole = malloc(sizeof *whole + SL_BACKLOG_ROOM + length);
    if (whole == NULL) return NULL;
    whole->users = 1;
    whole->seq = seq;
    whole->length = length;
    return whole;
}

void sl_whole_leave(sl_whole *whole)
{
    if (whole != NULL && --whole->users == 0) free(whole);
}
