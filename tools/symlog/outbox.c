/* What one subscriber is to be sent. */
#include "tools/symlog/outbox.h"

#include "core/message.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sl_waiting_answer {
    sl_waiting_answer *next;
    uint64_t after; /* the end of the backlog when it was given */
    size_t length;
    bool is_binary;
    uint8_t bytes[]; /* SL_BACKLOG_ROOM, then the message */
};

enum { PRESENT_NOTHING, PRESENT_PARCEL, PRESENT_ANSWER, PRESENT_MESSAGE, PRESENT_ARRAY, PRESENT_FRAME };

static sl_outbox_turn choose(sl_outbox *outbox, uint64_t now_us, size_t *input_bytes);
static sl_outbox_turn go_on(sl_outbox *outbox);
static bool may_read(sl_outbox *outbox, uint64_t now_us);
static sl_outbox_turn take_message(sl_outbox *outbox);
static sl_outbox_turn make_frame(sl_outbox *outbox, uint64_t now_us, size_t *input_bytes);
static void leave_past(sl_outbox *outbox);
static sl_err add_answer(sl_outbox *outbox, const void *bytes, size_t length, bool is_binary);
static void drop_answer(sl_outbox *outbox);

void sl_outbox_open(sl_outbox *outbox, const sl_outbox_shared *shared, const sl_wishes *wishes)
{
    *outbox = (sl_outbox){
        .shared = shared,
        .stream = {.backlog = shared->backlog,
                   .is_compact = wishes->is_compact,
                   .place = sl_backlog_end(shared->backlog)},
        .framing = {.wishes = wishes},
        .wants_whole = true,
    };
    outbox->answers_end = &outbox->answers;
}

void sl_outbox_close(sl_outbox *outbox)
{
    leave_past(outbox);
    sl_parcel_leave(outbox->parcel);
    while (outbox->answers != NULL) drop_answer(outbox);
}

void sl_outbox_resume(sl_outbox *outbox, uint64_t from)
{
    outbox->wants_whole = false;
    outbox->is_resuming = true;
    outbox->is_live = false;
    outbox->through = from;
    outbox->seq = from;
}

void sl_outbox_refuse(sl_outbox *outbox, const char *why)
{
    sl_text text;
    leave_past(outbox);
    outbox->wants_whole = true;
    sl_text_open(&text, sl_host_memory());
    sl_message_error(&text, "resume refused", why);
    if (!text.bad && outbox->parcel == NULL) outbox->parcel = sl_parcel_create(text.length, 0);
    if (!text.bad && outbox->parcel != NULL) memcpy(outbox->parcel->bytes + SL_BACKLOG_ROOM, text.bytes, text.length);
    sl_text_close(&text);
}

void sl_outbox_restart(sl_outbox *outbox)
{
    if (!outbox->is_resuming) outbox->wants_whole = true;
}

void sl_outbox_give_whole(sl_outbox *outbox, sl_parcel *whole)
{
    assert(outbox->wants_whole && outbox->parcel == NULL);
    whole->users++;
    outbox->parcel = whole;
    outbox->wants_whole = false;
    outbox->is_live = true;
    outbox->stream.place = outbox->stream.end = sl_backlog_end(outbox->shared->backlog);
    outbox->framing.is_amid_event = false;
    outbox->framing.untold_seq = 0;
}

sl_err sl_outbox_answer(sl_outbox *outbox, const char *bytes, size_t length)
{
    return add_answer(outbox, bytes, length, false);
}

sl_err sl_outbox_frame(sl_outbox *outbox, const uint8_t *bytes, size_t length)
{
    assert(length <= SL_OUTBOX_ANSWERS_BYTES_MAX);
    if (outbox->answer_count >= SL_OUTBOX_FRAMES_MAX) return SL_ERR_FULL;
    if (outbox->answer_bytes + length > SL_OUTBOX_ANSWERS_BYTES_MAX) return SL_ERR_FULL;
    return add_answer(outbox, bytes, length, true);
}

sl_err sl_outbox_notify(sl_outbox *outbox, const char *bytes, size_t length)
{
    if (outbox->answer_count >= SL_OUTBOX_ANSWERS_MAX) return SL_ERR_FULL;
    if (outbox->answer_bytes + length > SL_OUTBOX_ANSWERS_BYTES_MAX) return SL_ERR_FULL;
    return add_answer(outbox, bytes, length, false);
}

static sl_err add_answer(sl_outbox *outbox, const void *bytes, size_t length, bool is_binary)
{
    sl_waiting_answer *answer = malloc(sizeof *answer + SL_BACKLOG_ROOM + length);
    if (answer == NULL) return SL_ERR_MEMORY;
    answer->next = NULL;
    answer->after = sl_backlog_end(outbox->shared->backlog);
    answer->length = length;
    answer->is_binary = is_binary;
    memcpy(answer->bytes + SL_BACKLOG_ROOM, bytes, length);
    *outbox->answers_end = answer;
    outbox->answers_end = &answer->next;
    outbox->answer_count++;
    outbox->answer_bytes += length;
    return SL_OK;
}

static void drop_answer(sl_outbox *outbox)
{
    sl_waiting_answer *answer = outbox->answers;
    outbox->answers = answer->next;
    if (outbox->answers == NULL) outbox->answers_end = &outbox->answers;
    outbox->answer_count--;
    outbox->answer_bytes -= answer->length;
    free(answer);
}

sl_err sl_outbox_notify_surely(sl_outbox *outbox, const char *bytes, size_t length)
{
    if (outbox->answer_count >= SL_OUTBOX_FRAMES_MAX) return SL_ERR_FULL;
    if (outbox->answer_bytes + length > SL_OUTBOX_ANSWERS_BYTES_MAX) return SL_ERR_FULL;
    return add_answer(outbox, bytes, length, false);
}

sl_err sl_outbox_notify_lightly(sl_outbox *outbox, const char *bytes, size_t length)
{
    if (outbox->answer_count >= SL_OUTBOX_LIGHT_MAX) return SL_ERR_FULL;
    return sl_outbox_notify(outbox, bytes, length);
}

bool sl_outbox_is_crowded(const sl_outbox *outbox)
{
    return outbox->answer_count > SL_OUTBOX_ANSWERS_MAX || outbox->answer_bytes > SL_OUTBOX_ANSWERS_BYTES_MAX;
}

bool sl_outbox_is_overtaken(const sl_outbox *outbox)
{
    if (outbox->is_resuming) return false;
    /* Who begins anew does not need what is gone, unless it is in the middle of it. */
    if (outbox->wants_whole && outbox->present.kind != PRESENT_MESSAGE) return false;
    return outbox->stream.place < sl_backlog_begin(outbox->shared->backlog);
}

sl_outbox_turn sl_outbox_next(sl_outbox *outbox, uint64_t now_us, sl_piece *out)
{
    sl_outbox_present *present = &outbox->present;
    size_t input_bytes = 0;
    if (sl_outbox_is_overtaken(outbox)) return SL_OUTBOX_OVERTAKEN;
    if (present->kind == PRESENT_NOTHING) {
        const sl_outbox_turn turn = choose(outbox, now_us, &input_bytes);
        if (turn != SL_OUTBOX_PIECE) return turn;
    }
    const size_t left = present->length - present->sent_bytes;
    *out = (sl_piece){
        .bytes = present->bytes,
        .length = left < SL_OUTBOX_PIECE_BYTES ? left : SL_OUTBOX_PIECE_BYTES,
        .is_first = present->sent_bytes == 0,
        .is_last = left <= SL_OUTBOX_PIECE_BYTES,
        .is_binary = present->is_binary,
    };
    out->input_bytes = input_bytes > out->length ? input_bytes : out->length;
    if (!present->has_room || !out->is_first || !out->is_last) {
        /* What lies before this piece is still needed by others: room must be made elsewhere. */
        out->bytes = sl_framer_scratch(outbox->shared->framer) + SL_BACKLOG_ROOM;
        memcpy(out->bytes, present->bytes + present->sent_bytes, out->length);
    }
    return SL_OUTBOX_PIECE;
}

/* Decides what the next message or frame is. */
static sl_outbox_turn choose(sl_outbox *outbox, uint64_t now_us, size_t *input_bytes)
{
    sl_outbox_present *present = &outbox->present;
    outbox->due_us = 0;
    if (outbox->parcel == NULL && outbox->is_resuming) {
        const sl_outbox_turn turn = go_on(outbox);
        if (turn != SL_OUTBOX_PIECE) return turn;
    }
    if (outbox->parcel != NULL) {
        sl_parcel *parcel = outbox->parcel;
        *present = (sl_outbox_present){.kind = PRESENT_PARCEL,
                                       .bytes = parcel->bytes + SL_BACKLOG_ROOM,
                                       .length = parcel->length,
                                       .seq = parcel->seq,
                                       .has_room = true};
        return SL_OUTBOX_PIECE;
    }
    if (outbox->wants_whole) return SL_OUTBOX_WHOLE;
    sl_waiting_answer *answer = outbox->answers;
    if (answer != NULL && !outbox->is_resuming && answer->after <= outbox->stream.place) {
        *present = (sl_outbox_present){.kind = PRESENT_ANSWER,
                                       .bytes = answer->bytes + SL_BACKLOG_ROOM,
                                       .length = answer->length,
                                       .has_room = true,
                                       .is_binary = answer->is_binary};
        return SL_OUTBOX_PIECE;
    }
    if (!outbox->is_resuming && !may_read(outbox, now_us)) return SL_OUTBOX_NOTHING;
    return sl_framing_is_needed(&outbox->framing) ? make_frame(outbox, now_us, input_bytes) : take_message(outbox);
}

/* Finds what comes next in the past: PIECE once there is a chunk to read, or the backlog goes on from here, or there is
 * a parcel that says why not. */
static sl_outbox_turn go_on(sl_outbox *outbox)
{
    const sl_outbox_shared *shared = outbox->shared;
    for (;;) {
        if (outbox->chunk != NULL && outbox->stream.at < outbox->chunk->count) return SL_OUTBOX_PIECE;
        if (outbox->chunk != NULL) outbox->through = outbox->chunk->through;
        sl_chunk_leave(outbox->chunk);
        outbox->chunk = NULL;
        if (sl_backlog_floor(shared->backlog) <= outbox->through) {
            leave_past(outbox);
            outbox->stream.place = outbox->stream.end = sl_backlog_find(shared->backlog, outbox->through);
            return SL_OUTBOX_PIECE;
        }
        sl_err err = SL_ERR_RANGE;
        if (outbox->seeker == NULL && shared->catchup != NULL)
            err = sl_catchup_seek(shared->catchup, outbox->through, outbox->stream.is_compact, &outbox->seeker);
        if (outbox->seeker == NULL) {
            char why[128];
            snprintf(why, sizeof why, "%s, while at most %d events are told again",
                     err == SL_ERR_RANGE ? "it is too far back" : "memory ran out", SL_CATCHUP_EVENTS_MAX);
            sl_outbox_refuse(outbox, why);
            return outbox->parcel != NULL ? SL_OUTBOX_PIECE : SL_OUTBOX_WHOLE;
        }
        switch (sl_seeker_take(outbox->seeker, &outbox->chunk)) {
        case SL_SEEK_WAIT: return SL_OUTBOX_NOTHING;
        case SL_SEEK_CHUNK: break;
        case SL_SEEK_FAILED: {
            char why[SL_SEEKER_WHY_BYTES];
            memcpy(why, sl_seeker_why(outbox->seeker), sizeof why);
            sl_outbox_refuse(outbox, why);
            return outbox->parcel != NULL ? SL_OUTBOX_PIECE : SL_OUTBOX_WHOLE;
        }
        }
        outbox->stream.chunk = outbox->chunk;
        outbox->stream.at = 0;
    }
}

static void leave_past(sl_outbox *outbox)
{
    sl_chunk_leave(outbox->chunk);
    sl_seeker_leave(outbox->seeker);
    outbox->chunk = NULL;
    outbox->stream.chunk = NULL;
    outbox->seeker = NULL;
    outbox->is_resuming = false;
}

/* Sets how far the backlog may be read now; false if there is nothing, or a throttle has it wait. */
static bool may_read(sl_outbox *outbox, uint64_t now_us)
{
    const uint64_t end = sl_backlog_end(outbox->shared->backlog);
    const uint64_t throttle_us = (uint64_t)outbox->framing.wishes->throttle_ms * 1000;
    sl_stream *stream = &outbox->stream;
    const bool is_far = end - stream->place > SL_OUTBOX_LAG_BYTES;
    if (outbox->is_live && is_far) outbox->framing.is_lagging = true;
    if (end == stream->place) {
        outbox->framing.is_lagging = false;
        outbox->is_live = true;
    }
    if (stream->place < stream->end && throttle_us > 0) return true;   /* the rest of what it had leave for */
    if (stream->place < end && now_us < outbox->leave_us && !is_far) { /* waiting on, it would be overtaken */
        outbox->due_us = outbox->leave_us;
        return false;
    }
    if (stream->place < end && throttle_us > 0) outbox->leave_us = now_us + throttle_us;
    stream->end = end;
    return stream->place < end;
}

/* The next message as it is. */
static sl_outbox_turn take_message(sl_outbox *outbox)
{
    sl_stream ahead = outbox->stream;
    sl_backlog_message message;
    if (!sl_stream_next(&ahead, &message)) return SL_OUTBOX_NOTHING;
    const bool is_of_chunk = outbox->chunk != NULL;
    outbox->present = (sl_outbox_present){.kind = PRESENT_MESSAGE,
                                          .bytes = message.bytes,
                                          .length = message.length,
                                          .seq = message.seq,
                                          .has_room = !is_of_chunk};
    return SL_OUTBOX_PIECE;
}

/* True if the next message is too long for a frame and goes out as it is, straight from where it lies. */
static bool is_next_long(const sl_outbox *outbox)
{
    sl_stream ahead = outbox->stream;
    sl_backlog_message message;
    return outbox->framing.wishes->paths.count == 0 && sl_stream_next(&ahead, &message) &&
           message.length + 2 > SL_FRAMER_FRAME_BYTES;
}

static sl_outbox_turn make_frame(sl_outbox *outbox, uint64_t now_us, size_t *input_bytes)
{
    const sl_wishes *wishes = outbox->framing.wishes;
    sl_chunk *chunk = outbox->chunk;
    const bool is_plain = wishes->paths.count == 0 && wishes->throttle_ms == 0 && !outbox->framing.is_lagging;
    if (chunk != NULL && outbox->stream.at == 0 && wishes->is_batch && is_plain) {
        outbox->present = (sl_outbox_present){.kind = PRESENT_ARRAY,
                                              .bytes = chunk->array,
                                              .length = chunk->length,
                                              .seq = chunk->through,
                                              .has_room = true};
        return SL_OUTBOX_PIECE;
    }
    if (is_next_long(outbox)) return take_message(outbox);
    sl_frame frame;
    switch (sl_framer_next(outbox->shared->framer, &outbox->framing, &outbox->stream, &frame)) {
    case SL_FRAMED_NOTHING: /* so far: one event's messages may be more than is read at once */
        if (!outbox->is_resuming && outbox->stream.place == outbox->stream.end) return SL_OUTBOX_NOTHING;
        *input_bytes += frame.input_bytes;
        return choose(outbox, now_us, input_bytes);
    case SL_FRAMED_FRAME:
        outbox->present = (sl_outbox_present){
            .kind = PRESENT_FRAME, .bytes = frame.bytes, .length = frame.length, .seq = frame.seq, .has_room = true};
        *input_bytes += frame.input_bytes;
        return SL_OUTBOX_PIECE;
    case SL_FRAMED_LONG:
        *input_bytes += frame.input_bytes;
        outbox->parcel = sl_parcel_create(frame.length, frame.seq);
        if (outbox->parcel == NULL) break;
        memcpy(outbox->parcel->bytes + SL_BACKLOG_ROOM, frame.bytes, frame.length);
        return choose(outbox, now_us, input_bytes);
    case SL_FRAMED_ANEW: break;
    }
    leave_past(outbox);
    outbox->wants_whole = true;
    return SL_OUTBOX_WHOLE;
}

void sl_outbox_sent(sl_outbox *outbox, const sl_piece *piece)
{
    sl_outbox_present *present = &outbox->present;
    sl_backlog_message message;
    present->sent_bytes += piece->length;
    if (!piece->is_last) return;
    assert(present->sent_bytes == present->length);
    switch (present->kind) {
    case PRESENT_PARCEL:
        sl_parcel_leave(outbox->parcel);
        outbox->parcel = NULL;
        break;
    case PRESENT_ANSWER: drop_answer(outbox); break;
    case PRESENT_ARRAY: outbox->stream.at = outbox->chunk->count; break;
    case PRESENT_MESSAGE:
        (void)sl_stream_next(&outbox->stream, &message);
        outbox->framing.is_amid_event = present->seq == 0;
        break;
    default: break;
    }
    if (present->seq != 0) outbox->seq = present->seq;
    present->kind = PRESENT_NOTHING;
}

sl_parcel *sl_parcel_create(size_t length, uint64_t seq)
{
    sl_parcel *parcel = malloc(sizeof *parcel + SL_BACKLOG_ROOM + length);
    if (parcel == NULL) return NULL;
    parcel->users = 1;
    parcel->seq = seq;
    parcel->length = length;
    return parcel;
}

void sl_parcel_leave(sl_parcel *parcel)
{
    if (parcel != NULL && --parcel->users == 0) free(parcel);
}
