/*
 * From /symlog/snapshot parts to a picture: collects the parts of a session, unpacks (zlib), reads the JSON (jansson)
 * and encodes core's picture, on a thread of its own. The result, a picture or a refused event with the reason, goes
 * to the sink; its header carries the sender's source and session and the number of the last part.
 */
#ifndef SL_INGEST_SNAPSHOT_H
#define SL_INGEST_SNAPSHOT_H

#include "core/err.h"
#include "core/event.h"
#include "core/osc.h"
#include "core/sink.h"

#include <stddef.h>
#include <stdint.h>

/* Parts are numbered from 0 and come in order, with consecutive source numbers. */
enum {
    SL_SNAPSHOT_PARTS_MAX = 65536,
    SL_SNAPSHOT_PACKED_BYTES_MAX = 64 << 20, /* gzip, all parts */
    SL_SNAPSHOT_JSON_BYTES_MAX = 256 << 20   /* unpacked */
};

typedef struct sl_snapshot sl_snapshot;

/* Starts the thread. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_snapshot_start(sl_snapshot **out, sl_sink sink, uint64_t start_ns);

/* Lets work that is under way finish, refuses what is incomplete, then stops. NULL is passed over. */
void sl_snapshot_stop(sl_snapshot *snapshot);

/* Receiver thread: one message whose address is /symlog/snapshot, from the datagram stamped as `draft`. Parts that do
 * not follow each other begin anew or are refused (a refused event says so); so is the last part of what was refused
 * before, because the reducer holds what follows it until it hears. Never waits. */
void sl_snapshot_take(sl_snapshot *snapshot, const sl_event *draft, const sl_osc_message *message);

/* The pure part: JSON text to the payload of a picture event. `*payload` is malloc'ed, the caller frees it. On
 * SL_ERR_REFUSED (against the rules) and SL_ERR_MALFORMED (no JSON) `reason` says what and where. SL_ERR_MEMORY. */
sl_err sl_snapshot_picture(const char *json, size_t length, uint8_t **payload, size_t *payload_length,
                           char reason[256]);

#endif
