/*
 * Frames for subscribers that want the messages otherwise than as they are: several in one frame, only some paths,
 * coalesced. Each frame is made from the shared messages when its subscriber can be written to, in one buffer for all
 * subscribers; nothing of it is kept.
 *
 * What is coalesced: events that give state_changed entries only, as long as no other event lies between them; of each
 * attribute of a node the last one stays. They go out as one DIFF_UPDATE with the number of the last of these events.
 * An event that gives anything else goes out as it is.
 *
 * It knows nothing of sockets. One thread.
 */
#ifndef SL_TOOLS_FRAMER_H
#define SL_TOOLS_FRAMER_H

#include "core/err.h"
#include "tools/symlog/stream.h"
#include "tools/symlog/wishes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_FRAMER_FRAME_BYTES = 65536,
    SL_FRAMER_INPUT_BYTES = 1 << 20 /* read for one frame, so that the others have their turn */
};

typedef struct sl_framer sl_framer;

/* How far one subscriber is. Zero to begin with, but for the wishes. */
typedef struct sl_framing {
    const sl_wishes *wishes;
    bool is_lagging;     /* coalesced, whatever it wished */
    bool is_amid_event;  /* of an event that goes out as it is, some messages have gone */
    uint64_t untold_seq; /* the filter dropped the last message of this event, and nothing was told since; 0: none */
} sl_framing;

typedef enum sl_framed {
    SL_FRAMED_NOTHING, /* all is read, and there is nothing to tell */
    SL_FRAMED_FRAME,
    SL_FRAMED_LONG, /* a message too long for a frame */
    SL_FRAMED_ANEW  /* a path names another node now: the subscriber needs the project as it is */
} sl_framed;

/* A frame, or a long message: valid until the next call, or sl_backlog_append. */
typedef struct sl_frame {
    uint8_t *bytes; /* a frame has SL_BACKLOG_ROOM more in front of it, a long message has not */
    size_t length;
    uint64_t seq;       /* newest number told in it; 0: none */
    size_t input_bytes; /* read for it */
} sl_frame;

/* SL_ERR_MEMORY. */
sl_err sl_framer_create(sl_framer **out);
void sl_framer_destroy(sl_framer *framer);

/* True if a subscriber with these needs frames at all: without, messages go out one by one as they are. */
bool sl_framing_is_needed(const sl_framing *framing);

/* The next frame of what lies in the stream, which goes on behind it. */
sl_framed sl_framer_next(sl_framer *framer, sl_framing *framing, sl_stream *stream, sl_frame *out);

/* A buffer for one piece of a message that is sent in several: SL_BACKLOG_ROOM, then SL_FRAMER_FRAME_BYTES. */
uint8_t *sl_framer_scratch(sl_framer *framer);

#endif
