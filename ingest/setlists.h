/*
 * The built-in set lists: programs.json, read with jansson, to the payload of a `setlists` event (core/payload.h).
 *
 *   {"format": 2, "setlists": [{"title": "Styles", "programs": [{"name": "Rock", "prog": "t120;kick:4=X.x."}, …]}, …]}
 *
 * Other members are passed over. Every program must be a patch of the share language (core/patch.h).
 */
#ifndef SL_INGEST_SETLISTS_H
#define SL_INGEST_SETLISTS_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

enum { SL_SETLISTS_FILE_BYTES_MAX = 4 << 20, SL_SETLISTS_REASON_BYTES = 256 };

/* JSON text to a payload, the caller's to be freed. SL_ERR_MALFORMED: no JSON; SL_ERR_VERSION: another format;
 * SL_ERR_REFUSED: not so shaped, or a program is no patch; SL_ERR_FULL: more than core/payload.h allows; SL_ERR_MEMORY.
 * `reason` then says what and where. */
sl_err sl_setlists_make(const char *json, size_t json_length, uint8_t **payload, size_t *length,
                        char reason[SL_SETLISTS_REASON_BYTES]);

/* The same of a file. SL_ERR_IO: it cannot be read. */
sl_err sl_setlists_read(const char *path, uint8_t **payload, size_t *length, char reason[SL_SETLISTS_REASON_BYTES]);

#endif
