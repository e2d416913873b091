/*
 * The newest messages, one after the other in one ring of bytes, for any number of readers that each keep their own
 * place. Full: the oldest messages give way, and a reader that still stood there has been overtaken.
 *
 * Each message lies in one piece, with SL_BACKLOG_ROOM bytes before it that a reader may overwrite (a frame's header),
 * so that one buffer serves every subscriber. It knows nothing of sockets. One thread.
 */
#ifndef SL_TOOLS_BACKLOG_H
#define SL_TOOLS_BACKLOG_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_BACKLOG_ROOM = 16 };

typedef struct sl_backlog sl_backlog;

/* A message, as a view: valid until the next sl_backlog_append. */
typedef struct sl_backlog_message {
    uint8_t *bytes; /* SL_BACKLOG_ROOM more in front of it */
    size_t length;
    uint64_t seq;  /* as appended */
    uint64_t next; /* the place after it */
} sl_backlog_message;

/* `size_bytes` is a multiple of 16, at least 4096 (asserted). SL_ERR_MEMORY. */
sl_err sl_backlog_create(size_t size_bytes, sl_backlog **out);
void sl_backlog_destroy(sl_backlog *backlog);

/* Copies a message in; `seq` is given back with it. SL_ERR_FULL: it is too long for the ring (a quarter of it at
 * most); nothing changed. */
sl_err sl_backlog_append(sl_backlog *backlog, const char *bytes, size_t length, uint64_t seq);

/* Where the oldest message stands, and the place after the newest. Places only grow. */
uint64_t sl_backlog_begin(const sl_backlog *backlog);
uint64_t sl_backlog_end(const sl_backlog *backlog);

/* The message at `place`. False at the end, and where the reader was overtaken (place < sl_backlog_begin). */
bool sl_backlog_read(const sl_backlog *backlog, uint64_t place, sl_backlog_message *out);

#endif
