/*
 * What becomes of snapshots, on its way into the log: a picture at once, a refusal as soon as no number up to the
 * snapshot's last is missing. For the reducer, which takes a sender's events in the sender's order, waits for an answer
 * from the moment at which it takes the last part; a refusal that came while that part was held back would be
 * overheard. (A picture is never too early: it stands for everything up to its last part.)
 */
#ifndef SL_INGEST_SNAPSHOT_ANSWERS_H
#define SL_INGEST_SNAPSHOT_ANSWERS_H

#include "core/err.h"
#include "core/event.h"
#include "core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_SNAPSHOT_REASON_BYTES = 256, SL_SNAPSHOT_REFUSALS_MAX = 64 };

/* A refusal that waits for its turn. */
typedef struct sl_snapshot_refusal {
    sl_event header; /* source_seq is the snapshot's last */
    char why[SL_SNAPSHOT_REASON_BYTES];
} sl_snapshot_refusal;

/* All zero to begin with, but for the first two. */
typedef struct sl_snapshot_answers {
    sl_sink sink;
    uint64_t start_ns;
    size_t count;
    sl_snapshot_refusal waiting[SL_SNAPSHOT_REFUSALS_MAX]; /* oldest first */
} sl_snapshot_answers;

/* Puts a picture; waits while the sink is full. Errors are the sink's. */
sl_err sl_snapshot_answer_picture(sl_snapshot_answers *answers, const sl_event *header, const void *picture,
                                  size_t length);

/* Refuses the snapshot of `header`: at once if its parts are not numbered, else when they are settled. With too many in
 * waiting the oldest goes at once. One that is in waiting already is passed over. */
void sl_snapshot_answer_refusal(sl_snapshot_answers *answers, const sl_event *header, const char *why);

/* True if a refusal of that snapshot waits. */
bool sl_snapshot_answer_waits(const sl_snapshot_answers *answers, const sl_event *header);

/* No number up to `last` of the sender's session is missing any more; other sessions of that source are over. */
void sl_snapshot_answer_settled(sl_snapshot_answers *answers, uint32_t source, uint64_t session, uint64_t last);

/* Puts everything that waits. */
void sl_snapshot_answer_all(sl_snapshot_answers *answers);

#endif
