/* What becomes of snapshots. */
#include "ingest/snapshot_answers.h"

#include "core/number.h"
#include "core/payload.h"
#include "core/picture.h"
#include "ingest/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PUT_TRIES_MAX = 1000, PUT_PAUSE_NS = 10000000 }; /* while the log's queue is full */

/* Puts a draft that bears a snapshot's source, session and number into the sink; waits while that is full. */
static sl_err put(sl_snapshot_answers *answers, const sl_event *header, sl_kind kind, const void *payload,
                  size_t length)
{
    sl_event draft = *header;
    draft.kind = (uint16_t)kind;
    draft.version = kind == SL_KIND_PICTURE ? SL_PICTURE_VERSION : SL_PAYLOAD_VERSION;
    draft.time_ns = sl_clock_boot_ns() - answers->start_ns;
    draft.payload = payload;
    draft.length = (uint32_t)length;
    sl_err err = answers->sink.put(answers->sink.ctx, &draft);
    for (int tries = 1; err == SL_ERR_FULL && tries < PUT_TRIES_MAX; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = PUT_PAUSE_NS}, NULL);
        err = answers->sink.put(answers->sink.ctx, &draft);
    }
    return err;
}

sl_err sl_snapshot_answer_picture(sl_snapshot_answers *answers, const sl_event *header, const void *picture,
                                  size_t length)
{
    return put(answers, header, SL_KIND_PICTURE, picture, length);
}

static void put_refusal(sl_snapshot_answers *answers, const sl_event *header, const char *why)
{
    char reason[SL_SNAPSHOT_REASON_BYTES + 16];
    int reason_length = snprintf(reason, sizeof reason, "snapshot: %s", why);
    uint8_t payload[sizeof reason + 8];
    sl_writer writer = {.bytes = payload, .capacity = sizeof payload};
    sl_refused refused = {.kind = SL_KIND_OSC, .reason = reason, .reason_length = (size_t)reason_length};
    sl_err err = sl_refused_encode(&refused, &writer);
    assert(err == SL_OK);
    /* If even this finds no room for ten seconds, the log stands still, and whoever runs it knows. */
    err = put(answers, header, SL_KIND_REFUSED, payload, writer.length);
    (void)err;
}

static void put_waiting(sl_snapshot_answers *answers, size_t at)
{
    const sl_snapshot_refusal *refusal = &answers->waiting[at];
    put_refusal(answers, &refusal->header, refusal->why);
    answers->count--;
    memmove(&answers->waiting[at], &answers->waiting[at + 1], (answers->count - at) * sizeof answers->waiting[0]);
}

bool sl_snapshot_answer_waits(const sl_snapshot_answers *answers, const sl_event *header)
{
    for (size_t i = 0; i < answers->count; i++) {
        const sl_event *waiting = &answers->waiting[i].header;
        if (waiting->source == header->source && waiting->session == header->session &&
            waiting->source_seq == header->source_seq)
            return true;
    }
    return false;
}

void sl_snapshot_answer_refusal(sl_snapshot_answers *answers, const sl_event *header, const char *why)
{
    if (header->source_seq == SL_SOURCE_SEQ_NONE) {
        put_refusal(answers, header, why);
        return;
    }
    if (sl_snapshot_answer_waits(answers, header)) return;
    if (answers->count == SL_SNAPSHOT_REFUSALS_MAX) put_waiting(answers, 0);
    sl_snapshot_refusal *refusal = &answers->waiting[answers->count++];
    refusal->header = *header;
    refusal->header.payload = NULL;
    snprintf(refusal->why, sizeof refusal->why, "%s", why);
}

void sl_snapshot_answer_settled(sl_snapshot_answers *answers, uint32_t source, uint64_t session, uint64_t last)
{
    for (size_t i = 0; i < answers->count;) {
        const sl_event *header = &answers->waiting[i].header;
        bool is_its = header->source == source;
        bool is_settled = header->session != session || sl_number_distance(header->source_seq, last) <= 0;
        if (is_its && is_settled)
            put_waiting(answers, i);
        else
            i++;
    }
}

void sl_snapshot_answer_all(sl_snapshot_answers *answers)
{
    while (answers->count > 0) put_waiting(answers, 0);
}
