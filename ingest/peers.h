/*
 * Who sends: numbers the peers, notices a new run of a sender, drops exact duplicates, watches the holes in each run by
 * the clock, counts. Pure bookkeeping: no socket, no thread; times are nanoseconds of any clock that only goes forward
 * and is at least a second old. So a test and a simulator can drive it. Receiver thread only, but where another thread
 * is named.
 *
 * A peer that numbers its messages, or says hello, is an address and port; all unnumbered messages of an address are
 * one peer, whose session is 0. SL_SOURCES_MAX peers are kept; the longest silent gives way (its number is not reused).
 *
 * A new session begins
 * - with a hello, or a heartbeat, that tells another number of the run than the one before;
 * - of a peer that never said hello, also with a number more than SL_ARRIVALS_BACK_MAX back (mod 2^32), one that is too
 *   far (sl_arrivals_is_too_far), or one that was seen with other bytes.
 * It bears the number that the sender says, else one more than before, from 1. A hello that comes within a second after
 * the first number of a run belongs to that run: it was overtaken, or lost and said again. An unknown port of a known
 * address, whose number is exactly the next of a session that was silent for a second, has moved: same source and
 * session under a new name.
 */
#ifndef SL_INGEST_PEERS_H
#define SL_INGEST_PEERS_H

#include "core/err.h"
#include "core/payload.h"
#include "core/reduce.h"
#include "ingest/datagram.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_PEERS_HOLES_MAX = 2048, /* in one run */
    SL_PEERS_ASK_HOLES = 32    /* in one request: its bundle fits an Ethernet frame */
};

#define SL_PEERS_YOUNG_NS UINT64_C(1000000000)  /* a run is so long, for a hello that comes late */
#define SL_PEERS_SILENT_NS UINT64_C(1000000000) /* a session that may have moved was silent for so long */

typedef struct sl_peers sl_peers;

/* What to do with one checked datagram. */
typedef struct sl_peer_verdict {
    uint32_t source;
    uint64_t session;
    uint64_t source_seq; /* SL_SOURCE_SEQ_NONE if unnumbered */
    bool is_dropped;     /* an exact duplicate, a hello or heartbeat without news, or its source is paused */
    bool is_new;         /* first append a session event with has_hello and name; said again until sl_peers_name */
    bool has_hello;
    char name[SL_NAME_BYTES_MAX + 1];
} sl_peer_verdict;

/* What time brings. `source` and `session` are the sender's. */
typedef struct sl_peers_output {
    /* The numbers up to `through` are waited for no longer. False: no room; it is told again later. */
    bool (*give_up)(void *ctx, uint32_t source, uint64_t session, uint64_t through);
    /* Ask the sender for these numbers: one request, lowest first, at most SL_PEERS_ASK_HOLES. */
    void (*ask)(void *ctx, const struct sockaddr_in *to, const sl_hole *holes, size_t count);
    /* No number up to `through` is missing any more, as sl_peers_watch asked. False: no room; it is told again. */
    bool (*settle)(void *ctx, uint32_t source, uint64_t session, uint64_t through);
    void *ctx;
} sl_peers_output;

/* `first_source` is the lowest number never used in the log (sl_state_source_next), at least 1. SL_ERR_MEMORY. */
sl_err sl_peers_create(uint32_t first_source, sl_peers **out);
void sl_peers_destroy(sl_peers *peers);

/* A number that no source of the log has: for another input that comes in later. Any thread. */
uint32_t sl_peers_new_source(sl_peers *peers);

/* What the log's state knows of a run, beyond the sl_source. */
typedef struct sl_peer_run {
    uint64_t next;        /* the number after the highest that came, or that a heartbeat told of; 0: none is known */
    const sl_hole *holes; /* below it; borrowed */
    size_t hole_count;
} sl_peer_run;

/* Takes up a source from the log's state at start. Oldest first. Passes over sources of other inputs.
 * SL_ERR_MALFORMED: its name is no IPv4 address, with or without a port. */
sl_err sl_peers_restore(sl_peers *peers, const sl_source *source, const sl_peer_run *run, uint64_t now_ns);

/* Takes up the count of malformed datagrams from nobody known (sl_state_refused_unnamed). */
void sl_peers_restore_unnamed(sl_peers *peers, uint64_t refused_unnamed);

/* Any thread: the log has a picture, or is about to have one. Said before its event is put. */
void sl_peers_have_picture(sl_peers *peers);

/* Judges a datagram from `from`, which stands for at most SL_ARRIVALS_WINDOW numbers (asserted), and counts it.
 * `checksum` is of its bytes. What is not dropped must be followed by sl_peers_take or sl_peers_drop. */
sl_peer_verdict sl_peers_judge(sl_peers *peers, const struct sockaddr_in *from, const sl_datagram *datagram,
                               uint32_t checksum, uint64_t now_ns);

/* The session event of the verdict given last has been appended. */
void sl_peers_name(sl_peers *peers);

/* The datagram judged last has been appended: its numbers are seen. */
void sl_peers_take(sl_peers *peers, uint64_t now_ns);

/* It found no room: it counts as dropped, and as never seen, so that it is taken when it is sent again. */
void sl_peers_drop(sl_peers *peers);

/* Wants to be told (settle) when no number up to `through` of the sender judged last is missing any more. One wish per
 * session: the highest number counts. */
void sl_peers_watch(sl_peers *peers, uint64_t through);

/* Does what is due; returns when it wants to be called again, UINT64_MAX: not before another datagram was taken. */
uint64_t sl_peers_tick(sl_peers *peers, uint64_t now_ns, const sl_peers_output *output);

/* Counts a datagram refused as malformed: for the peer with that address and port, else for the unnumbered peer of that
 * address, else as unnamed. */
void sl_peers_count_malformed(sl_peers *peers, const struct sockaddr_in *from);

/* Any thread: pauses a source, or lets it go on. Datagrams of a paused one are counted as ignored; the numbers that it
 * missed are given up when it goes on. False: it is none of the peers'. */
bool sl_peers_pause(sl_peers *peers, uint32_t source, bool is_paused);

/* Any thread: `count` datagrams (drafts of kind SL_KIND_OSC) of `source` have become events, and no longer wait.
 * A source that is none of the peers', or no longer, is passed over. */
void sl_peers_count_committed(sl_peers *peers, uint32_t source, uint32_t count);

/* The present statistics, kernel_drops left as it is. Any one thread. True if anything but the number of heartbeats
 * changed since the last call. */
bool sl_peers_counters(sl_peers *peers, sl_counters *out);

#endif
