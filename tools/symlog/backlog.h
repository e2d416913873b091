/*
 * The newest messages, one after the other in one ring of bytes, for any number of readers that each keep their own
 * place. Full: the oldest messages give way, and a reader that still stood there has been overtaken.
 *
 * Each message lies in one piece, with SL_BACKLOG_ROOM bytes before it that a reader may overwrite (a frame's header),
 * so that one buffer serves every subscriber. A message may have a compact form besides, for those who asked for it. It
 * knows nothing of sockets. One thread.
 */
#ifndef SL_TOOLS_BACKLOG_H
#define SL_TOOLS_BACKLOG_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_BACKLOG_ROOM = 16 };

typedef struct sl_backlog sl_backlog;

/* A message, as a view. */
typedef struct sl_message_view {
    const char *bytes;
    size_t length;
    const char *compact; /* its compact form; NULL: there is none, or it is the same */
    size_t compact_length;
    uint64_t event; /* number of the event that gave it */
    bool is_last;   /* of that event's messages: it bears the number */
} sl_message_view;

/* One that was read: valid until the next sl_backlog_append. */
typedef struct sl_backlog_message {
    uint8_t *bytes; /* SL_BACKLOG_ROOM more in front of it */
    size_t length;
    uint64_t seq;  /* of its event if it is the last, else 0 */
    uint64_t next; /* the place after it */
} sl_backlog_message;

/* `size_bytes` is at least 4096 (asserted). Events up to `floor` are not going to be in it.
 * SL_ERR_MEMORY. */
sl_err sl_backlog_create(size_t size_bytes, uint64_t floor, sl_backlog **out);
void sl_backlog_destroy(sl_backlog *backlog);

/* Copies a message in. SL_ERR_FULL: it is too long for the ring (a quarter of it at most); it is left out, and its
 * event with all before it counts as gone. */
sl_err sl_backlog_append(sl_backlog *backlog, const sl_message_view *message);

/* Where the oldest message stands, and the place after the newest. Places only grow. */
uint64_t sl_backlog_begin(const sl_backlog *backlog);
uint64_t sl_backlog_end(const sl_backlog *backlog);

/* All messages of every event after this one are still here. */
uint64_t sl_backlog_floor(const sl_backlog *backlog);

/* The place of the first message of an event after `event`, which is not below the floor (asserted). */
uint64_t sl_backlog_find(const sl_backlog *backlog, uint64_t event);

/* The message at `place`, in its compact form if it is wanted and there is one. False at the end, and where the reader
 * was overtaken (place < sl_backlog_begin). */
bool sl_backlog_read(const sl_backlog *backlog, uint64_t place, bool is_compact, sl_backlog_message *out);

#endif
