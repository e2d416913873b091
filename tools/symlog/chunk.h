/*
 * A piece of the past: the messages of some events in a row, as one JSON array and with a list of where each lies. Made
 * by the catch-up thread, shared by the subscribers that go through the same events, freed with its last user. Its
 * content is immutable.
 */
#ifndef SL_TOOLS_CHUNK_H
#define SL_TOOLS_CHUNK_H

#include "core/err.h"
#include "core/text.h"
#include "tools/symlog/backlog.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_CHUNK_BYTES = 65536, /* of the array; longer only where a single event's messages are */
    SL_CHUNK_MESSAGES_MAX = 512
};

typedef struct sl_chunk_message {
    uint32_t offset; /* in the array */
    uint32_t length;
    uint64_t seq; /* of its event if it is the last, else 0 */
} sl_chunk_message;

typedef struct sl_chunk {
    atomic_uint users;
    uint64_t after;   /* the events after this one … */
    uint64_t through; /* … up to this one */
    size_t count;
    size_t length;
    const sl_chunk_message *messages; /* behind this struct */
    uint8_t *array;                   /* SL_BACKLOG_ROOM more in front of it, the service thread's to overwrite */
} sl_chunk;

void sl_chunk_join(sl_chunk *chunk);

/* One user less; NULL is passed over. Any thread. */
void sl_chunk_leave(sl_chunk *chunk);

/* A chunk that is being filled, event by event. */
typedef struct sl_chunk_writer {
    sl_text array;
    sl_chunk_message *messages;
    size_t count;
    size_t capacity;
    uint64_t after;
    uint64_t through;   /* the last event that is in it whole and fits … */
    size_t whole_bytes; /* … up to here */
    size_t whole_count;
    uint64_t rest_through; /* the event behind that, which does not fit any more; 0: none */
    bool bad;              /* memory ran out */
} sl_chunk_writer;

void sl_chunk_writer_open(sl_chunk_writer *writer);
void sl_chunk_writer_close(sl_chunk_writer *writer);

/* Empties it; it begins with the events after this one. */
void sl_chunk_writer_begin(sl_chunk_writer *writer, uint64_t after);

/* Adds a message of the next event, in its compact form if it is wanted and there is one. */
void sl_chunk_writer_add(sl_chunk_writer *writer, const sl_message_view *message, bool is_compact);

/* All messages of `event` have been added; there may be none. */
void sl_chunk_writer_end(sl_chunk_writer *writer, uint64_t event);

/* True if it should be taken before more is added. */
bool sl_chunk_writer_is_full(const sl_chunk_writer *writer);

/* The events that fit as a chunk with one user, the caller; one that did not begins the next chunk. SL_ERR_MEMORY. */
sl_err sl_chunk_writer_take(sl_chunk_writer *writer, sl_chunk **out);

#endif
