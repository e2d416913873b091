/* Who sends, and what to do with what they sent. */
#include "ingest/peers.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* That a number was seen in a run of a peer, and with which bytes. */
typedef struct seen {
    uint64_t number;
    uint32_t checksum;
    uint32_t run; /* a peer's `run`; any other means an empty place */
} seen;

/* A statistic: the receiver writes, others read. */
typedef _Atomic uint64_t counter;

typedef struct peer {
    /* Receiver thread only. */
    uint64_t key;        /* see key_of; 0: a free place */
    uint64_t last_heard; /* of sl_peers.tick */
    uint64_t session;
    uint64_t highest; /* number seen in this session */
    bool has_highest;
    bool is_named; /* its session event has been appended */
    uint32_t run;  /* one more with every session that this place has had, so that `seen` need not be cleared */
    seen *seen;    /* SL_PEERS_WINDOW places; a number stands at its low bits */

    /* Any thread reads; the committing thread adds to the low half. High half: the source, 0 while the place changes
     * hands. Low half: the part of `accepted` that is committed, mod 2^32. One word, so that a late count cannot fall
     * to the place's next owner. */
    counter owner;

    /* Any thread reads; valid if `owner` names the same source before and after. */
    counter received;
    counter accepted; /* processed and waiting */
    counter dropped;
    counter parse_errors;
    counter duplicates;
    counter queue_max;
} peer;

struct sl_peers {
    /* Receiver thread only. */
    peer peers[SL_SOURCES_MAX];
    uint32_t next_source;
    uint64_t tick;
    struct {
        peer *peer;
        uint64_t first;
        uint32_t count;
        uint64_t queue_max; /* before it */
    } judged;               /* the datagram judged last */

    counter refused_unnamed; /* Any thread reads. */
    sl_counters told;        /* What sl_peers_counters gave last: its caller's thread only. */
    seen seen[SL_SOURCES_MAX][SL_PEERS_WINDOW];
};

static uint64_t get(const counter *counter)
{
    return atomic_load_explicit(counter, memory_order_acquire);
}

static void set(counter *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_release);
}

static void add_one(counter *counter)
{
    set(counter, get(counter) + 1); /* Only the receiver writes it. */
}

static uint64_t owner_of(uint32_t source, uint64_t committed)
{
    return (uint64_t)source << 32 | (uint32_t)committed;
}

/* Drafts that were accepted and are not committed, for an `owner` that was read before `accepted`. */
static uint32_t queue_of(uint64_t owner, uint64_t accepted)
{
    return (uint32_t)accepted - (uint32_t)owner;
}

/* An address and port, or an address whose messages bear no numbers. Never 0. */
static uint64_t key_of(uint32_t address, uint16_t port, bool is_numbered)
{
    return (uint64_t)address << 18 | (uint64_t)port << 2 | (is_numbered ? 2u : 0u) | 1u;
}

static uint64_t key_from(const struct sockaddr_in *from, bool is_numbered)
{
    return key_of(ntohl(from->sin_addr.s_addr), is_numbered ? ntohs(from->sin_port) : 0, is_numbered);
}

static peer *find(sl_peers *peers, uint64_t key)
{
    if (peers->judged.peer != NULL && peers->judged.peer->key == key) return peers->judged.peer;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++)
        if (peers->peers[i].key == key) return &peers->peers[i];
    return NULL;
}

/* Makes a place free. */
static void forget(peer *peer)
{
    set(&peer->owner, 0);
    peer->key = 0;
    peer->last_heard = 0;
}

/* Gives a new peer a free place, or that of the longest silent. */
static peer *admit(sl_peers *peers, uint64_t key, const sl_source_counts *counts)
{
    peer *place = &peers->peers[0];
    for (size_t i = 1; i < SL_SOURCES_MAX; i++)
        if (peers->peers[i].last_heard < place->last_heard) place = &peers->peers[i];
    set(&place->owner, 0);
    place->key = key;
    place->last_heard = ++peers->tick;
    place->has_highest = false;
    place->run++;
    set(&place->received, counts->received);
    set(&place->accepted, counts->processed);
    set(&place->dropped, counts->dropped);
    set(&place->parse_errors, counts->parse_errors);
    set(&place->duplicates, counts->duplicates);
    set(&place->queue_max, counts->queue_max);
    set(&place->owner, owner_of(counts->source, counts->processed));
    return place;
}

sl_err sl_peers_create(uint32_t first_source, sl_peers **out)
{
    assert(first_source > SL_SOURCE_SELF);
    sl_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) return SL_ERR_MEMORY;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++) peers->peers[i].seen = peers->seen[i];
    peers->next_source = first_source;
    *out = peers;
    return SL_OK;
}

void sl_peers_destroy(sl_peers *peers)
{
    free(peers);
}

/* Reads "127.0.0.1:52011" or "127.0.0.1". */
static bool parse_name(const char *name, uint64_t *key)
{
    char address[INET_ADDRSTRLEN];
    const char *colon = strchr(name, ':');
    size_t length = colon != NULL ? (size_t)(colon - name) : strlen(name);
    if (length >= sizeof address) return false;
    memcpy(address, name, length);
    address[length] = '\0';
    struct in_addr parsed;
    if (inet_pton(AF_INET, address, &parsed) != 1) return false;
    unsigned long port = 0;
    if (colon != NULL) {
        if (colon[1] < '0' || colon[1] > '9') return false;
        char *end;
        port = strtoul(colon + 1, &end, 10);
        if (*end != '\0' || port > UINT16_MAX) return false;
    }
    *key = key_of(ntohl(parsed.s_addr), (uint16_t)port, colon != NULL);
    return true;
}

sl_err sl_peers_restore(sl_peers *peers, const sl_source *source)
{
    if (source->input != SL_INPUT_OSC) return SL_OK;
    uint64_t key;
    if (!parse_name(source->name, &key)) return SL_ERR_MALFORMED;
    sl_source_counts counts = source->counts;
    counts.source = source->number;
    peer *peer = find(peers, key);
    if (peer != NULL) forget(peer); /* The same sender under an older number. */
    peer = admit(peers, key, &counts);
    peer->session = source->session;
    peer->is_named = true;
    peer->has_highest = source->next_source_seq > 0;
    peer->highest = source->next_source_seq - 1;
    sl_peers_counters(peers, &peers->told);
    return SL_OK;
}

void sl_peers_restore_unnamed(sl_peers *peers, uint64_t refused_unnamed)
{
    set(&peers->refused_unnamed, refused_unnamed);
    peers->told.refused_unnamed = refused_unnamed;
}

static uint64_t number_after(uint64_t number, uint32_t count)
{
    return number > UINT32_MAX ? number + count : (uint32_t)(number + count);
}

static seen *place_of(const peer *peer, uint64_t number)
{
    return &peer->seen[number % SL_PEERS_WINDOW];
}

/* How far `number` lies ahead of `highest`, mod 2^32; negative: behind it. */
static int32_t distance(uint64_t highest, uint64_t number)
{
    return (int32_t)((uint32_t)number - (uint32_t)highest);
}

typedef enum relation { NEW_NUMBERS, DUPLICATE, NEW_RUN } relation;

/* How the numbers of a datagram relate to what the peer has sent in this session. */
static relation compare(const peer *peer, uint64_t first, uint32_t count, uint32_t checksum)
{
    uint32_t same_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = number_after(first, i);
        const seen *seen = place_of(peer, number);
        if (seen->run != peer->run || seen->number != number) continue;
        if (seen->checksum != checksum) return NEW_RUN;
        same_count++;
    }
    if (same_count == count) return DUPLICATE;
    uint64_t last = number_after(first, count - 1);
    return peer->has_highest && distance(peer->highest, last) < -SL_PEERS_BACK_MAX ? NEW_RUN : NEW_NUMBERS;
}

static void begin_session(peer *peer)
{
    peer->session++;
    peer->run++;
    peer->has_highest = false;
    peer->is_named = false;
}

static void remember(peer *peer, uint64_t first, uint32_t count, uint32_t checksum)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = number_after(first, i);
        *place_of(peer, number) = (seen){.number = number, .checksum = checksum, .run = peer->run};
    }
    uint64_t last = number_after(first, count - 1);
    if (!peer->has_highest || distance(peer->highest, last) > 0) peer->highest = last;
    peer->has_highest = true;
}

static void count_accepted(sl_peers *peers, peer *peer, uint64_t first, uint32_t count)
{
    peers->judged.peer = peer;
    peers->judged.first = first;
    peers->judged.count = count;
    peers->judged.queue_max = get(&peer->queue_max);
    add_one(&peer->accepted);
    uint32_t queue = queue_of(get(&peer->owner), get(&peer->accepted));
    if (queue > peers->judged.queue_max) set(&peer->queue_max, queue);
}

static void write_name(char name[SL_NAME_BYTES_MAX + 1], const struct sockaddr_in *from, bool is_numbered)
{
    inet_ntop(AF_INET, &from->sin_addr, name, SL_NAME_BYTES_MAX + 1);
    size_t length = strlen(name);
    if (is_numbered) snprintf(name + length, SL_NAME_BYTES_MAX + 1 - length, ":%u", ntohs(from->sin_port));
}

sl_peer_verdict sl_peers_judge(sl_peers *peers, const struct sockaddr_in *from, uint64_t first, uint32_t count,
                               uint32_t checksum)
{
    assert(count <= SL_PEERS_WINDOW);
    bool is_numbered = count > 0;
    uint64_t key = key_from(from, is_numbered);
    peer *peer = find(peers, key);
    if (peer == NULL) {
        peer = admit(peers, key, &(sl_source_counts){.source = peers->next_source++});
        peer->session = is_numbered ? 1 : 0;
        peer->is_named = false;
    }
    peer->last_heard = ++peers->tick;
    add_one(&peer->received);
    sl_peer_verdict verdict = {.source = (uint32_t)(get(&peer->owner) >> 32), .source_seq = SL_SOURCE_SEQ_NONE};
    if (is_numbered) {
        verdict.source_seq = first;
        relation relation = compare(peer, first, count, checksum);
        if (relation == DUPLICATE) {
            add_one(&peer->duplicates);
            verdict.is_duplicate = true;
            verdict.session = peer->session;
            return verdict;
        }
        if (relation == NEW_RUN) begin_session(peer);
        remember(peer, first, count, checksum);
    }
    count_accepted(peers, peer, first, count);
    verdict.session = peer->session;
    verdict.is_new = !peer->is_named;
    if (verdict.is_new) write_name(verdict.name, from, is_numbered);
    return verdict;
}

void sl_peers_name(sl_peers *peers)
{
    assert(peers->judged.peer != NULL);
    peers->judged.peer->is_named = true;
}

void sl_peers_count_dropped(sl_peers *peers)
{
    peer *peer = peers->judged.peer;
    assert(peer != NULL);
    for (uint32_t i = 0; i < peers->judged.count; i++) place_of(peer, number_after(peers->judged.first, i))->run = 0;
    set(&peer->accepted, get(&peer->accepted) - 1);
    set(&peer->queue_max, peers->judged.queue_max);
    add_one(&peer->dropped);
}

void sl_peers_count_malformed(sl_peers *peers, const struct sockaddr_in *from)
{
    peer *peer = find(peers, key_from(from, true));
    if (peer == NULL) peer = find(peers, key_from(from, false));
    if (peer == NULL) {
        add_one(&peers->refused_unnamed);
        return;
    }
    add_one(&peer->received);
    add_one(&peer->parse_errors);
}

void sl_peers_count_committed(sl_peers *peers, uint32_t source, uint32_t count)
{
    for (size_t i = 0; i < SL_SOURCES_MAX; i++) {
        counter *owner = &peers->peers[i].owner;
        uint64_t now = get(owner);
        while (now >> 32 == source && source != 0) {
            if (atomic_compare_exchange_weak(owner, &now, owner_of(source, now + count))) return;
        }
    }
}

/* The counts of one place; false if it is empty or changing hands. */
static bool read_counts(const peer *peer, sl_source_counts *out)
{
    uint64_t owner = get(&peer->owner);
    uint64_t accepted = get(&peer->accepted);
    uint32_t queue = queue_of(owner, accepted);
    *out = (sl_source_counts){.source = (uint32_t)(owner >> 32),
                              .received = get(&peer->received),
                              .processed = accepted - queue,
                              .dropped = get(&peer->dropped),
                              .parse_errors = get(&peer->parse_errors),
                              .duplicates = get(&peer->duplicates),
                              .queue_size = queue,
                              .queue_max = get(&peer->queue_max)};
    return out->source != 0 && get(&peer->owner) >> 32 == out->source;
}

static bool is_same(const sl_source_counts *a, const sl_source_counts *b)
{
    return a->source == b->source && a->received == b->received && a->processed == b->processed &&
           a->dropped == b->dropped && a->parse_errors == b->parse_errors && a->duplicates == b->duplicates &&
           a->queue_size == b->queue_size && a->queue_max == b->queue_max;
}

bool sl_peers_counters(sl_peers *peers, sl_counters *out)
{
    sl_counters *told = &peers->told;
    out->refused_unnamed = get(&peers->refused_unnamed);
    out->count = 0;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++)
        if (read_counts(&peers->peers[i], &out->sources[out->count])) out->count++;
    bool is_changed = out->refused_unnamed != told->refused_unnamed || out->count != told->count;
    for (uint32_t i = 0; i < out->count && !is_changed; i++) is_changed = !is_same(&out->sources[i], &told->sources[i]);
    told->refused_unnamed = out->refused_unnamed;
    told->count = out->count;
    for (uint32_t i = 0; i < out->count; i++) told->sources[i] = out->sources[i];
    return is_changed;
}
