/*
 * The feed: a WebSocket server that sends every subscriber the whole project, or the past from where it resumes, and
 * then each message, as the subscriber wishes (wishes.h), and hands what subscribers say to its owner. One buffer of a
 * message serves all of them; each has its own place in it, so a slow one costs the others nothing. One that lags gets
 * the changes coalesced, and one that falls behind the whole backlog is closed with the number to resume from. Binary
 * messages go both ways beside that, and mean nothing to it.
 *
 * A subscriber that stops reading keeps less than 0.5 MB busy (sl_outbox, SL_FEED_RECEIVE_BYTES_MAX, and a frame that
 * the kernel has not taken whole), besides the 256 KiB that the kernel gives its socket. A longer answer comes on top,
 * as do those to the questions of the past that it put before (SL_WORKER_QUESTIONS_MAX for all subscribers together).
 *
 * It also owns the loop that the service thread waits in (libwebsockets' poll), with one timer. It knows nothing of
 * the log, of events, or of what messages mean.
 *
 * All functions are the service thread's, but for sl_feed_wake.
 */
#ifndef SL_TOOLS_FEED_H
#define SL_TOOLS_FEED_H

#include "core/err.h"
#include "core/message_paths.h"
#include "core/text.h"
#include "tools/symlog/access.h"
#include "tools/symlog/backlog.h"
#include "tools/symlog/catchup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_FEED_BACKLOG_BYTES = 32 << 20,
    SL_FEED_SUBSCRIBERS_MAX = 256,
    SL_FEED_RECEIVE_BYTES_MAX = 64 << 10, /* one message of a subscriber */
    SL_FEED_PEER_BYTES = 64
};

typedef struct sl_feed sl_feed;

/* What the feed asks of its owner; called in sl_feed_turn. `peer` is the subscriber's address. */
typedef struct sl_feed_owner {
    void *ctx;
    void (*woken)(void *ctx);    /* after sl_feed_wake */
    uint64_t (*tick)(void *ctx); /* the timer; returns when it is wanted again, in nanoseconds */
    /* Writes the project, or of it what is at or below the paths, as a message; returns the number that it is of. */
    uint64_t (*whole)(void *ctx, sl_text *text, const sl_paths *paths);
    uint64_t (*head)(void *ctx); /* number of the last event published */
    void (*receive)(void *ctx, uint64_t subscriber, const char *bytes, size_t length); /* one message */
    /* A part of a binary message, of which it takes `taken` bytes. SL_ERR_FULL: it comes with the rest soon again, and
     * nothing more of this subscriber is read before. SL_ERR_BUSY: it can take none from this one, which is closed. */
    sl_err (*receive_binary)(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length, size_t *taken);
    void (*joined)(void *ctx, uint64_t subscriber, const char *peer);
    void (*left)(void *ctx, uint64_t subscriber, const char *peer, const char *why); /* why: NULL if it just went */
    void (*refused)(void *ctx, const char *peer, const char *why);
    void (*missed)(void *ctx, uint64_t subscriber); /* NULL, or: see sl_feed_notify_surely */
} sl_feed_owner;

typedef struct sl_feed_options {
    const sl_access *access;
    const char *log_id;   /* hex; "": nobody can resume */
    sl_catchup *catchup;  /* NULL: nobody can resume from further back than the backlog */
    size_t backlog_bytes; /* of messages that are kept, as SL_FEED_BACKLOG_BYTES */
} sl_feed_options;

/* Makes the loop; nobody can connect yet. What the options and owner point to must outlive it. SL_ERR_MEMORY. */
sl_err sl_feed_create(sl_feed **out, const sl_feed_owner *owner, const sl_feed_options *options);

/* Closes every connection and frees everything; NULL is passed over. */
void sl_feed_destroy(sl_feed *feed);

/* Opens the port (0: the system picks one). SL_ERR_IO: it could not be opened. */
sl_err sl_feed_listen(sl_feed *feed, const char *address, uint16_t port);
uint16_t sl_feed_port(const sl_feed *feed);

/* Has owner.woken called soon in the service thread, and those who catch up looked after. Any thread. */
void sl_feed_wake(sl_feed *feed);

/* Waits for something to do and does it; returns at the latest when the timer is due. */
void sl_feed_turn(sl_feed *feed);

/* Has owner.tick called in `delay_ns` if it would come later than that. */
void sl_feed_tick_within(sl_feed *feed, uint64_t delay_ns);

/* Sends a message to every subscriber. */
void sl_feed_publish(sl_feed *feed, const sl_message_view *message);

/* True while some subscriber wishes compact messages. */
bool sl_feed_wants_compact(const sl_feed *feed);

/* From `begins` on, what is published goes out together when the group ends, at the latest after 250 ms (an end may be
 * lost). */
void sl_feed_group(sl_feed *feed, bool begins);

/* Sends a message to one subscriber, after what has been published so far. Nothing happens if it has left. */
void sl_feed_answer(sl_feed *feed, uint64_t subscriber, const char *bytes, size_t length);

/* Sends a binary message to one subscriber, likewise. SL_ERR_FULL: too much waits for it (sl_outbox_frame);
 * SL_ERR_NOT_FOUND: it has left; SL_ERR_MEMORY. Then nothing is sent. */
sl_err sl_feed_send_binary(sl_feed *feed, uint64_t subscriber, const uint8_t *bytes, size_t length);

/* The subscriber wants to be notified from now on; nothing happens if it has left. */
void sl_feed_hear(sl_feed *feed, uint64_t subscriber);

/* How many do. */
size_t sl_feed_hearer_count(const sl_feed *feed);

/* Sends a notification to all of them: a text that those for whom too much waits already never get. */
void sl_feed_notify(sl_feed *feed, const char *bytes, size_t length);

/* The same for what nobody is to miss. One for whom too much waits does: once that is sent, owner.missed is called for
 * it, who tells it how things stand by then. */
void sl_feed_notify_surely(sl_feed *feed, const char *bytes, size_t length);

/* The same for what may be missed before anything else is, but not to the subscriber `except` (0: to all). */
void sl_feed_notify_lightly(sl_feed *feed, uint64_t except, const char *bytes, size_t length);

/* Says goodbye to every subscriber once it has all that waits for it, but waits at most `patience_ms` for that. */
void sl_feed_close(sl_feed *feed, unsigned patience_ms);

size_t sl_feed_subscriber_count(const sl_feed *feed);

#endif
