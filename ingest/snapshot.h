/*
 * From /symlog/snapshot parts to a picture: collects the parts of a snapshot, in whatever order they come, unpacks
 * (zlib), reads the JSON (jansson) and encodes core's picture, on a thread of its own. The result, a picture or a
 * refused event with the reason, goes to the sink; its header carries the sender's source and session and the number of
 * the snapshot's last part, whichever part came last.
 *
 * A snapshot is known by source, session and the number of its last part. One that is not complete is refused when a
 * newer one of the same source begins, when none of its numbers is waited for any more, or at the end; when a refusal
 * is told, see ingest/snapshot_answers.h.
 */
#ifndef SL_INGEST_SNAPSHOT_H
#define SL_INGEST_SNAPSHOT_H

#include "core/err.h"
#include "core/event.h"
#include "core/osc.h"
#include "core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parts are numbered from 0, and their source numbers are consecutive. */
enum {
    SL_SNAPSHOT_PARTS_MAX = 65536,
    SL_SNAPSHOT_PACKED_BYTES_MAX = 64 << 20, /* gzip, all parts */
    SL_SNAPSHOT_ALL_BYTES_MAX = 256 << 20,   /* of all snapshots that are being collected */
    SL_SNAPSHOT_JSON_BYTES_MAX = 256 << 20   /* unpacked */
};

typedef struct sl_snapshot sl_snapshot;

/* Starts the thread. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_snapshot_start(sl_snapshot **out, sl_sink sink, uint64_t start_ns);

/* The same without the thread, for a simulator: who opens it calls sl_snapshot_work. SL_ERR_MEMORY. */
sl_err sl_snapshot_open(sl_snapshot **out, sl_sink sink, uint64_t start_ns);

/* Does what one message told; false if there is none. */
bool sl_snapshot_work(sl_snapshot *snapshot);

/* Frees what sl_snapshot_open made, at once and without a word. NULL is passed over. */
void sl_snapshot_close(sl_snapshot *snapshot);

/* Ends what sl_snapshot_start began. Lets work that is under way finish, refuses what is incomplete, then stops. NULL
 * is passed over. */
void sl_snapshot_stop(sl_snapshot *snapshot);

/* Receiver thread: one message whose address is /symlog/snapshot, from the datagram stamped as `draft`. Never waits. */
void sl_snapshot_take(sl_snapshot *snapshot, const sl_event *draft, const sl_osc_message *message);

/* The number of the last part of the snapshot that such a message belongs to; its own, where it cannot be a part.
 * False: it has none. */
bool sl_snapshot_last(const sl_event *draft, const sl_osc_message *message, uint64_t *last);

/* Receiver thread: of the snapshot with this last number, no part will come any more. False: no room, to be told
 * again. */
bool sl_snapshot_settle(sl_snapshot *snapshot, uint32_t source, uint64_t session, uint64_t last);

/* The pure part: JSON text to the payload of a picture event. `*payload` is malloc'ed, the caller frees it. On
 * SL_ERR_REFUSED (against the rules) and SL_ERR_MALFORMED (no JSON) `reason` says what and where. SL_ERR_MEMORY. */
sl_err sl_snapshot_picture(const char *json, size_t length, uint8_t **payload, size_t *payload_length,
                           char reason[256]);

#endif
