/* Frames made of messages. */
#include "tools/symlog/framer.h"

#include "core/message.h"
#include "tools/symlog/coalescer.h"
#include "tools/symlog/host.h"
#include "tools/symlog/sieve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sl_framer {
    uint8_t scratch[SL_BACKLOG_ROOM + SL_FRAMER_FRAME_BYTES];
    size_t length;  /* of the frame, in scratch */
    sl_text text;   /* a message that was made here */
    sl_picks picks; /* of one event or message */
    sl_coalescer *coalescer;
};

/* What may be sent next, and how far its subscriber is once it has been. */
typedef struct candidate {
    sl_stream stream;
    sl_framing framing;
    const uint8_t *bytes;
    size_t length;
    uint64_t seq;
    size_t input_bytes;
} candidate;

static sl_framed choose(sl_framer *framer, candidate *candidate);
static uint64_t coalesce(sl_framer *framer, candidate *candidate);
static sl_framed sift(sl_framer *framer, candidate *candidate, const sl_backlog_message *message);
static void add(sl_framer *framer, const candidate *candidate, bool is_batch);

sl_err sl_framer_create(sl_framer **out)
{
    sl_framer *framer = calloc(1, sizeof *framer);
    if (framer == NULL || sl_coalescer_create(&framer->coalescer) != SL_OK) {
        free(framer);
        return SL_ERR_MEMORY;
    }
    sl_text_open(&framer->text, sl_host_memory());
    *out = framer;
    return SL_OK;
}

void sl_framer_destroy(sl_framer *framer)
{
    if (framer == NULL) return;
    sl_coalescer_destroy(framer->coalescer);
    sl_picks_close(&framer->picks);
    sl_text_close(&framer->text);
    free(framer);
}

uint8_t *sl_framer_scratch(sl_framer *framer)
{
    return framer->scratch;
}

static bool is_coalescing(const sl_framing *framing)
{
    return framing->is_lagging || framing->wishes->throttle_ms > 0;
}

bool sl_framing_is_needed(const sl_framing *framing)
{
    return framing->wishes->is_batch || framing->wishes->paths.count > 0 || is_coalescing(framing);
}

sl_framed sl_framer_next(sl_framer *framer, sl_framing *framing, sl_stream *stream, sl_frame *out)
{
    const bool is_batch = framing->wishes->is_batch;
    const size_t overhead = is_batch ? 2 : 0; /* its bracket or comma, and the closing bracket */
    framer->length = 0;
    *out = (sl_frame){.bytes = framer->scratch + SL_BACKLOG_ROOM};
    while (out->input_bytes < SL_FRAMER_INPUT_BYTES) {
        candidate candidate = {.stream = *stream, .framing = *framing};
        const sl_framed chosen = choose(framer, &candidate);
        const bool is_long = candidate.length + overhead > SL_FRAMER_FRAME_BYTES;
        if (framer->length > 0 && chosen == SL_FRAMED_ANEW) break; /* what went before is told first */
        if (framer->length > 0 && framer->length + candidate.length + overhead > SL_FRAMER_FRAME_BYTES) break;
        *stream = candidate.stream;
        *framing = candidate.framing;
        out->input_bytes += candidate.input_bytes;
        if (chosen == SL_FRAMED_ANEW) return chosen;
        if (chosen == SL_FRAMED_NOTHING) break;
        if (candidate.seq != 0) out->seq = candidate.seq;
        if (is_long) {
            out->bytes = (uint8_t *)(uintptr_t)candidate.bytes;
            out->length = candidate.length;
            return SL_FRAMED_LONG;
        }
        add(framer, &candidate, is_batch);
        if (!is_batch) break;
    }
    if (framer->length == 0) return SL_FRAMED_NOTHING;
    if (is_batch) out->bytes[framer->length++] = ']';
    out->length = framer->length;
    return SL_FRAMED_FRAME;
}

static void add(sl_framer *framer, const candidate *candidate, bool is_batch)
{
    uint8_t *bytes = framer->scratch + SL_BACKLOG_ROOM;
    if (is_batch) bytes[framer->length++] = framer->length == 0 ? '[' : ',';
    memcpy(bytes + framer->length, candidate->bytes, candidate->length);
    framer->length += candidate->length;
}

/* Sets the candidate's message to the one in framer->text. */
static sl_framed take_text(const sl_framer *framer, candidate *candidate, uint64_t seq)
{
    candidate->bytes = (const uint8_t *)framer->text.bytes;
    candidate->length = framer->text.length;
    candidate->seq = seq;
    if (seq != 0) candidate->framing.untold_seq = 0;
    /* Who cannot be told of a change is given the whole instead, which says the same. */
    return framer->text.bad || framer->picks.bad ? SL_FRAMED_ANEW : SL_FRAMED_FRAME;
}

/* Reads on until there is a message to send. */
static sl_framed choose(sl_framer *framer, candidate *candidate)
{
    sl_framing *framing = &candidate->framing;
    sl_backlog_message message;
    while (candidate->input_bytes < SL_FRAMER_INPUT_BYTES) {
        const bool may_coalesce = is_coalescing(framing) && !framing->is_amid_event;
        const uint64_t seq = may_coalesce ? coalesce(framer, candidate) : 0;
        if (seq != 0) return take_text(framer, candidate, seq);
        if (!sl_stream_next(&candidate->stream, &message)) break;
        candidate->input_bytes += message.length;
        framing->is_amid_event = message.seq == 0;
        const sl_framed sifted = sift(framer, candidate, &message);
        if (sifted != SL_FRAMED_NOTHING) return sifted;
        if (message.seq != 0) framing->untold_seq = message.seq;
    }
    if (framing->untold_seq == 0) return SL_FRAMED_NOTHING;
    sl_text_clear(&framer->text);
    sl_message_seq(&framer->text, framing->untold_seq);
    return take_text(framer, candidate, framing->untold_seq);
}

/* What is left of a message for the subscriber; NOTHING: no part of it. */
static sl_framed sift(sl_framer *framer, candidate *candidate, const sl_backlog_message *message)
{
    framer->picks.count = 0;
    framer->picks.bad = false;
    sl_sifted sifted = SL_SIFTED_ALL;
    const sl_paths *paths = &candidate->framing.wishes->paths;
    if (paths->count > 0) sifted = sl_sieve(paths, (const char *)message->bytes, message->length, &framer->picks);
    if (sifted == SL_SIFTED_NONE) return SL_FRAMED_NOTHING;
    if (sifted == SL_SIFTED_ANEW) return SL_FRAMED_ANEW;
    if (sifted == SL_SIFTED_SOME) {
        sl_text_clear(&framer->text);
        sl_entries_write(&framer->text, framer->picks.entries, framer->picks.count, message->seq);
        return take_text(framer, candidate, message->seq);
    }
    candidate->bytes = message->bytes;
    candidate->length = message->length;
    candidate->seq = message->seq;
    if (message->seq != 0) candidate->framing.untold_seq = 0;
    return SL_FRAMED_FRAME;
}

/* Reads the next event's entries into framer->picks and returns its number; 0 if there is none, or it may not be
 * coalesced. */
static uint64_t read_event(sl_framer *framer, const sl_framing *framing, sl_stream *stream, size_t *input_bytes)
{
    sl_backlog_message message = {.seq = 0};
    framer->picks.count = 0;
    framer->picks.bad = false;
    while (message.seq == 0) {
        sl_entries entries;
        if (!sl_stream_next(stream, &message)) return 0;
        *input_bytes += message.length;
        if (!sl_entries_begin(&entries, (const char *)message.bytes, message.length)) return 0;
        const sl_sifted sifted =
            sl_sieve(&framing->wishes->paths, (const char *)message.bytes, message.length, &framer->picks);
        if (sifted == SL_SIFTED_ANEW || framer->picks.bad) return 0;
    }
    return message.seq;
}

/* Takes as many events as can be coalesced and writes the message of them into framer->text. Returns its number; 0 if
 * there is nothing to be sent. */
static uint64_t coalesce(sl_framer *framer, candidate *candidate)
{
    uint64_t seq = 0;
    sl_coalescer_clear(framer->coalescer);
    while (candidate->input_bytes < SL_FRAMER_INPUT_BYTES) {
        sl_stream ahead = candidate->stream;
        const uint64_t event = read_event(framer, &candidate->framing, &ahead, &candidate->input_bytes);
        if (event == 0 || !sl_coalescer_add(framer->coalescer, framer->picks.entries, framer->picks.count)) break;
        candidate->stream = ahead;
        seq = event;
    }
    if (seq != 0) candidate->framing.untold_seq = seq;
    if (sl_coalescer_is_empty(framer->coalescer)) return 0;
    sl_text_clear(&framer->text);
    sl_coalescer_write(framer->coalescer, &framer->text, seq);
    return seq;
}
