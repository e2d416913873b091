/*
 * Who sends: numbers the peers, notices a new run of a sender, drops exact duplicates, counts. Pure bookkeeping: no
 * socket, no clock, so that a test can drive it. Receiver thread only, but where another thread is named.
 *
 * A peer that numbers its messages is an address and port; all unnumbered messages of an address are one peer, whose
 * session is 0. A number seen before with the same bytes is a duplicate (among the last SL_PEERS_WINDOW numbers); seen
 * before with other bytes, or more than 64 back (mod 2^32) of the highest, begins a new session. A peer's first session
 * is 1. SL_SOURCES_MAX peers are kept; the longest silent gives way (its number is not reused).
 *
 * Counts of a source: received = processed + queue_size + dropped + parse_errors + duplicates.
 */
#ifndef SL_INGEST_PEERS_H
#define SL_INGEST_PEERS_H

#include "core/err.h"
#include "core/payload.h"
#include "core/reduce.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SL_PEERS_WINDOW = 4096,
    SL_PEERS_BACK_MAX = 64 /* a number further back than this is a new run's */
};

typedef struct sl_peers sl_peers;

/* What to do with one checked datagram. */
typedef struct sl_peer_verdict {
    uint32_t source;
    uint64_t session;
    uint64_t source_seq; /* SL_SOURCE_SEQ_NONE if unnumbered */
    bool is_duplicate;   /* drop it */
    bool is_new;         /* first append a session event with `name`; said again until sl_peers_name */
    char name[SL_NAME_BYTES_MAX + 1];
} sl_peer_verdict;

/* `first_source` is the lowest number never used in the log (sl_state_source_next), at least 1. SL_ERR_MEMORY. */
sl_err sl_peers_create(uint32_t first_source, sl_peers **out);
void sl_peers_destroy(sl_peers *peers);

/* Takes up a source from the log's state at start, with its session, highest number and counts. Oldest first. Passes
 * over sources of other inputs. SL_ERR_MALFORMED: its name is no IPv4 address, with or without a port. */
sl_err sl_peers_restore(sl_peers *peers, const sl_source *source);

/* Takes up the count of malformed datagrams from nobody known (sl_state_refused_unnamed). */
void sl_peers_restore_unnamed(sl_peers *peers, uint64_t refused_unnamed);

/* Judges a datagram from `from` that stands for the numbers first..first+count-1 (mod 2^32; count 0: unnumbered; at
 * most SL_PEERS_WINDOW, asserted), and counts it. `checksum` is of its bytes. */
sl_peer_verdict sl_peers_judge(sl_peers *peers, const struct sockaddr_in *from, uint64_t first, uint32_t count,
                               uint32_t checksum);

/* The session event of the verdict given last has been appended. */
void sl_peers_name(sl_peers *peers);

/* The datagram judged last found the ring full: it counts as dropped, and as never seen, so that it is taken when it is
 * sent again. */
void sl_peers_count_dropped(sl_peers *peers);

/* Counts a datagram refused as malformed: for the peer with that address and port, else for the unnumbered peer of that
 * address, else as unnamed. */
void sl_peers_count_malformed(sl_peers *peers, const struct sockaddr_in *from);

/* Any thread: `count` datagrams (drafts of kind SL_KIND_OSC) of `source` have become events, and no longer wait.
 * A source that is none of the peers', or no longer, is passed over. */
void sl_peers_count_committed(sl_peers *peers, uint32_t source, uint32_t count);

/* The present statistics, kernel_drops left as it is. Any one thread. True if anything changed since the last call. */
bool sl_peers_counters(sl_peers *peers, sl_counters *out);

#endif
