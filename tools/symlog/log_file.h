/*
 * The forms in which a log leaves symlog and comes back.
 *
 * NDJSON: a line {"symlog_log":1,"log_id":"HEX"}, then a line for each event as sl_text_event_json writes it, numbered
 * from 1 without a hole; in a log that was pruned from "first":N, which stands in the first line, too, and a base with
 * that number is among the events. Raw: the 16 bytes of the log's id, then for each event its number (u64,
 * little-endian), the 40 bytes of its record header, and its payload.
 */
#ifndef SL_TOOLS_LOG_FILE_H
#define SL_TOOLS_LOG_FILE_H

#include "core/err.h"
#include "core/event.h"
#include "core/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_LOG_FILE_VERSION = 1, SL_LOG_FILE_REASON_BYTES = 160 };

/* True if this is the first line of an exported log, of whatever version. */
bool sl_log_file_is_head(const json_t *object);

/* Reads that line. SL_ERR_MALFORMED, SL_ERR_VERSION: `reason` says what is wrong. */
sl_err sl_log_file_read_head(const json_t *object, uint8_t id[SL_LOG_ID_BYTES], char reason[SL_LOG_FILE_REASON_BYTES]);

/* The number of the first event, as that line says. SL_ERR_MALFORMED: `reason` says what is wrong. */
sl_err sl_log_file_read_first(const json_t *object, uint64_t *first_seq, char reason[SL_LOG_FILE_REASON_BYTES]);

/* Reads an event's line. Its payload is appended to `payload` and event->payload left NULL, since `payload` may move
 * as it grows. SL_ERR_MALFORMED, SL_ERR_RANGE, SL_ERR_MEMORY: `reason` says what is wrong. */
sl_err sl_log_file_read_event(const json_t *object, sl_event *event, sl_text *payload,
                              char reason[SL_LOG_FILE_REASON_BYTES]);

/* `log export`: writes the log that --db `db` names to `path` ("-": standard output). Returns the exit status. */
int sl_log_file_export(const char *db, const char *path, bool is_raw);

/* `log import`: reads `path` ("-": standard input) into a new log in the folder that `db` names, `batch` events a
 * transaction. Returns the exit status. */
int sl_log_file_import(const char *db, const char *path, size_t batch);

#endif
