/* A place in what a subscriber goes through: the backlog's messages, or those of a chunk. Copied freely. */
#ifndef SL_TOOLS_STREAM_H
#define SL_TOOLS_STREAM_H

#include "tools/symlog/backlog.h"
#include "tools/symlog/chunk.h"

typedef struct sl_stream {
    const sl_backlog *backlog;
    bool is_compact;
    uint64_t place;        /* in the backlog: of the next message … */
    uint64_t end;          /* … and where to stop */
    const sl_chunk *chunk; /* not NULL: this one instead … */
    size_t at;             /* … from this message on */
} sl_stream;

/* The next message, and goes on to the one after it; false at the end. It has room in front of it only if it is the
 * backlog's; `next` is of no use for others. */
static inline bool sl_stream_next(sl_stream *stream, sl_backlog_message *out)
{
    if (stream->chunk != NULL) {
        if (stream->at == stream->chunk->count) return false;
        const sl_chunk_message *message = &stream->chunk->messages[stream->at++];
        *out = (sl_backlog_message){
            .bytes = stream->chunk->array + message->offset, .length = message->length, .seq = message->seq};
        return true;
    }
    if (stream->place >= stream->end) return false;
    if (!sl_backlog_read(stream->backlog, stream->place, stream->is_compact, out)) return false;
    stream->place = out->next;
    return true;
}

#endif
