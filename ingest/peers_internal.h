/* The table of peers, for the files that make it up: peers.c (who sends), peers_tick.c (what time brings). */
#ifndef SL_INGEST_PEERS_INTERNAL_H
#define SL_INGEST_PEERS_INTERNAL_H

#include "ingest/arrivals.h"
#include "ingest/peer_address.h"
#include "ingest/peer_counts.h"
#include "ingest/peers.h"

#include <assert.h>
#include <stdatomic.h>

typedef struct sl_peer {
    /* Receiver thread only. */
    sl_peer_address address; /* 0: a free place */
    uint64_t last_heard;     /* of sl_peers.tick */
    uint64_t heard_ns;
    uint64_t session;
    uint64_t said_session;   /* what the sender calls this run, if has_said */
    uint64_t former_session; /* what it called the one before, if has_former: what is left of it may come late */
    uint64_t young_until_ns; /* a hello until then belongs to the numbers that came before it */
    uint64_t watched;        /* see sl_peers_watch, if has_watch */
    bool has_said;
    bool has_former;
    bool has_hello;
    bool is_adopted; /* the hello came after numbers */
    bool has_watch;
    bool is_named;   /* its session event has been appended */
    bool is_resumed; /* what is missing before its next number is nobody's to wait for */
    sl_arrivals *arrivals;

    /* Any thread. */
    sl_peer_counts counts;
    _Atomic uint32_t paused; /* the source that is paused: this place's, or one that had it before */
    atomic_bool was_paused;  /* since the receiver looked last */
} sl_peer;

static_assert((int)SL_PEERS_HOLES_MAX == (int)SL_ARRIVALS_MAX, "what the state knows can be taken up");

/* Numbers of a source that had to give way: they are given up at once. */
typedef struct sl_leaving {
    uint32_t source;
    uint64_t session;
    uint64_t through;
} sl_leaving;

struct sl_peers {
    /* Receiver thread only. */
    sl_peer peers[SL_SOURCES_MAX];
    _Atomic uint32_t next_source; /* any thread */
    uint64_t tick;
    uint64_t due_ns; /* nothing is due before */
    sl_leaving leaving[SL_SOURCES_MAX];
    size_t leaving_count;
    struct {
        sl_peer *peer;
        sl_datagram datagram;
        uint32_t checksum;
        uint64_t queue_max; /* before it */
        bool is_known;      /* its numbers are none to remember */
    } judged;               /* the datagram judged last */

    atomic_bool has_picture;       /* Any thread. */
    sl_peer_count refused_unnamed; /* Any thread reads. */
    sl_counters told;              /* What sl_peers_counters gave last: its caller's thread only. */
    sl_arrivals arrivals[SL_SOURCES_MAX];
};

#endif
