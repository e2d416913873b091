/* Who sends, and what to do with what they sent. */
#include "ingest/peers.h"

#include "core/number.h"
#include "ingest/peers_internal.h"

#include <assert.h>
#include <stdlib.h>

static sl_peer *find(sl_peers *peers, sl_peer_address address);
static sl_peer *find_moved(sl_peers *peers, sl_peer_address address, const sl_datagram *datagram, uint64_t now_ns);
static void release(sl_peers *peers, sl_peer *peer);
static sl_peer *admit(sl_peers *peers, sl_peer_address address, const sl_source_counts *counts);
static void begin_run(sl_peer *peer, uint64_t session, uint64_t now_ns);
static void resume(sl_peer *peer);
static bool judge_control(sl_peers *peers, sl_peer *peer, const sl_datagram *datagram, uint64_t now_ns);
static bool judge_numbers(sl_peers *peers, sl_peer *peer, uint64_t now_ns);

sl_err sl_peers_create(uint32_t first_source, sl_peers **out)
{
    assert(first_source > SL_SOURCE_SELF);
    sl_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) return SL_ERR_MEMORY;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++) peers->peers[i].arrivals = &peers->arrivals[i];
    atomic_init(&peers->next_source, first_source);
    peers->due_ns = UINT64_MAX;
    *out = peers;
    return SL_OK;
}

void sl_peers_destroy(sl_peers *peers)
{
    free(peers);
}

sl_err sl_peers_restore(sl_peers *peers, const sl_source *source, const sl_peer_run *run, uint64_t now_ns)
{
    if (source->input != SL_INPUT_OSC) return SL_OK;
    sl_peer_address address;
    if (!sl_peer_address_parse(source->name, &address)) return SL_ERR_MALFORMED;
    sl_source_counts counts = source->counts;
    counts.source = source->number;
    sl_peer *peer = find(peers, address);
    if (peer != NULL) release(peers, peer); /* The same sender under an older number. */
    peer = admit(peers, address, &counts);
    begin_run(peer, source->session, now_ns);
    peer->heard_ns = now_ns;
    peer->young_until_ns = 0;
    peer->is_named = true;
    peer->has_hello = source->has_hello;
    peer->has_said = source->has_said;
    peer->said_session = source->said_session;
    atomic_store(&peer->was_paused, source->is_paused);
    atomic_store(&peer->paused, source->is_paused ? source->number : 0);
    if (run->next > 0 || run->hole_count > 0)
        sl_arrivals_restore(peer->arrivals, run->next, run->holes, run->hole_count, now_ns);
    if (run->hole_count > 0) peers->due_ns = 0;
    sl_peers_counters(peers, &peers->told);
    return SL_OK;
}

void sl_peers_restore_unnamed(sl_peers *peers, uint64_t refused_unnamed)
{
    atomic_store(&peers->refused_unnamed, refused_unnamed);
    peers->told.refused_unnamed = refused_unnamed;
}

void sl_peers_have_picture(sl_peers *peers)
{
    atomic_store(&peers->has_picture, true);
}

uint32_t sl_peers_new_source(sl_peers *peers)
{
    return atomic_fetch_add(&peers->next_source, 1);
}

sl_peer_verdict sl_peers_judge(sl_peers *peers, const struct sockaddr_in *from, const sl_datagram *datagram,
                               uint32_t checksum, uint64_t now_ns)
{
    assert(datagram->count <= SL_ARRIVALS_WINDOW);
    bool is_unnumbered = datagram->count == 0 && datagram->control == SL_CONTROL_NONE;
    sl_peer_address address = sl_peer_address_of(from, !is_unnumbered);
    sl_peer *peer = find(peers, address);
    if (peer == NULL && !is_unnumbered) peer = find_moved(peers, address, datagram, now_ns);
    if (peer == NULL) {
        peer = admit(peers, address, &(sl_source_counts){.source = sl_peers_new_source(peers)});
        begin_run(peer, is_unnumbered ? 0 : 1, now_ns);
    }
    peer->last_heard = ++peers->tick;
    peer->heard_ns = now_ns;
    peers->judged.peer = peer;
    peers->judged.datagram = *datagram;
    peers->judged.checksum = checksum;
    peers->judged.is_known = false;
    sl_peer_count_add(&peer->counts.received, 1);
    sl_peer_verdict verdict = {.source = sl_peer_counts_source(&peer->counts), .source_seq = SL_SOURCE_SEQ_NONE};
    if (atomic_load(&peer->paused) == verdict.source) {
        sl_peer_count_add(&peer->counts.ignored, 1);
        /* Which run this is must be known when the pause is over: the next event says it. */
        if (datagram->control != SL_CONTROL_NONE) (void)judge_control(peers, peer, datagram, now_ns);
        verdict.is_dropped = true;
        return verdict;
    }
    if (atomic_load(&peer->was_paused)) resume(peer);
    if (datagram->control != SL_CONTROL_NONE) {
        verdict.is_dropped = !judge_control(peers, peer, datagram, now_ns);
        if (verdict.is_dropped) sl_peer_count_add(&peer->counts.heartbeats, 1);
    } else if (datagram->count > 0) {
        verdict.source_seq = datagram->first;
        verdict.is_dropped = !judge_numbers(peers, peer, now_ns);
        if (verdict.is_dropped) sl_peer_count_add(&peer->counts.duplicates, 1);
    }
    verdict.session = peer->session;
    if (verdict.is_dropped) return verdict;
    peers->judged.queue_max = sl_peer_counts_accept(&peer->counts);
    verdict.is_new = !peer->is_named;
    verdict.has_hello = peer->has_hello;
    if (verdict.is_new) sl_peer_address_name(address, verdict.name);
    return verdict;
}

static sl_peer *find(sl_peers *peers, sl_peer_address address)
{
    if (peers->judged.peer != NULL && peers->judged.peer->address == address) return peers->judged.peer;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++)
        if (peers->peers[i].address == address) return &peers->peers[i];
    return NULL;
}

/* The peer whose silent session goes on from this port, of all such the one heard last. */
static sl_peer *find_moved(sl_peers *peers, sl_peer_address address, const sl_datagram *datagram, uint64_t now_ns)
{
    if (datagram->control == SL_CONTROL_HELLO) return NULL;
    uint64_t next = datagram->count > 0 ? datagram->first : datagram->next;
    sl_peer *found = NULL;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++) {
        sl_peer *peer = &peers->peers[i];
        bool is_next = peer->address != 0 && sl_peer_address_is_near(peer->address, address) &&
                       peer->arrivals->is_begun && peer->arrivals->next == next;
        bool is_silent = now_ns - peer->heard_ns >= SL_PEERS_SILENT_NS;
        bool is_its = datagram->count > 0 || (peer->has_said && peer->said_session == datagram->session);
        if (is_next && is_silent && is_its && (found == NULL || peer->last_heard > found->last_heard)) found = peer;
    }
    if (found == NULL) return NULL;
    found->address = address;
    found->is_named = false;
    return found;
}

/* Makes a place free. What its holes hold back will not be waited for. */
static void release(sl_peers *peers, sl_peer *peer)
{
    if (peer->address != 0 && peer->arrivals->open_count > 0 && peers->leaving_count < SL_SOURCES_MAX) {
        peers->leaving[peers->leaving_count++] = (sl_leaving){.source = sl_peer_counts_source(&peer->counts),
                                                              .session = peer->session,
                                                              .through = sl_number_before(peer->arrivals->next, 1)};
        peers->due_ns = 0;
    }
    sl_peer_counts_begin(&peer->counts, &(sl_source_counts){0});
    peer->address = 0;
    peer->last_heard = 0;
}

/* Gives a new peer a free place, or that of the longest silent. */
static sl_peer *admit(sl_peers *peers, sl_peer_address address, const sl_source_counts *counts)
{
    sl_peer *place = &peers->peers[0];
    for (size_t i = 1; i < SL_SOURCES_MAX; i++)
        if (peers->peers[i].last_heard < place->last_heard) place = &peers->peers[i];
    release(peers, place);
    sl_peer_counts_begin(&place->counts, counts);
    place->address = address;
    place->last_heard = ++peers->tick;
    place->has_said = false;
    place->is_resumed = false;
    atomic_store(&place->was_paused, false);
    return place;
}

static void begin_run(sl_peer *peer, uint64_t session, uint64_t now_ns)
{
    peer->has_former = peer->has_said;
    peer->former_session = peer->said_session;
    peer->session = session;
    peer->young_until_ns = now_ns + SL_PEERS_YOUNG_NS;
    peer->has_said = false;
    peer->has_hello = false;
    peer->is_adopted = false;
    peer->is_unheard = false;
    peer->has_watch = false;
    peer->is_named = false;
    sl_arrivals_reset(peer->arrivals);
}

/* What came before the pause is known still: some of it may come again, or late. */
static void resume(sl_peer *peer)
{
    atomic_store(&peer->was_paused, false);
    peer->has_watch = false;
    peer->is_resumed = true;
}

static bool begin_at_zero(sl_peers *peers, const sl_peer *peer, uint64_t first)
{
    return sl_numbers_begin_at_zero(first, peer->has_hello, atomic_load(&peers->has_picture));
}

/* The number with which a run begins when `first` is the first that came. If that is after a pause, nothing before it
 * is waited for: the reducer, which may let the run begin at 0, needs a gave_up up to it, and so one number is missing.
 */
static uint64_t find_beginning(sl_peers *peers, const sl_peer *peer, uint64_t first)
{
    if (peer->is_resumed) return sl_number_before(first, 1);
    return begin_at_zero(peers, peer, first) ? 0 : first;
}

/* True if a heartbeat before any number tells that there were some, from 0 on. */
static bool tells_beginning(sl_peers *peers, const sl_peer *peer, const sl_datagram *heartbeat)
{
    return heartbeat->next > 0 && begin_at_zero(peers, peer, heartbeat->next);
}

/* The sender says which run this is. */
static void hear_session(sl_peer *peer, const sl_datagram *datagram, uint64_t now_ns)
{
    bool is_hello = datagram->control == SL_CONTROL_HELLO;
    bool has_numbers = peer->arrivals->is_begun;
    bool is_other = peer->has_said ? datagram->session != peer->said_session
                                   : is_hello && has_numbers && now_ns >= peer->young_until_ns;
    if (is_other) begin_run(peer, datagram->session, now_ns);
    if (!peer->has_said && !has_numbers && !peer->is_named) peer->session = datagram->session;
    peer->has_said = true;
    peer->said_session = datagram->session;
    if (!is_hello || peer->has_hello) return;
    peer->is_adopted = !is_other && has_numbers;
    peer->has_hello = true;
    peer->is_named = false;
}

/* True if a hello or a heartbeat tells something new. */
static bool judge_control(sl_peers *peers, sl_peer *peer, const sl_datagram *datagram, uint64_t now_ns)
{
    bool is_young = now_ns < peer->young_until_ns;
    if (is_young && peer->has_former && datagram->session == peer->former_session) return false;
    bool had_hello = peer->has_hello;
    bool was_said = peer->has_said && peer->said_session == datagram->session;
    bool was_named = peer->is_named;
    bool is_unheard = peer->is_unheard;
    hear_session(peer, datagram, now_ns);
    /* A run that ends must end in the log: its holes are nobody's to give up any more. */
    if ((was_named && !peer->is_named) || is_unheard) return true;
    if (datagram->control == SL_CONTROL_HELLO) return !had_hello || !was_said;
    const sl_arrivals *arrivals = peer->arrivals;
    if (!arrivals->is_begun) return tells_beginning(peers, peer, datagram);
    return sl_number_distance(datagram->next, arrivals->next) > 0 && !sl_arrivals_is_too_far(arrivals, datagram->next);
}

static bool is_too_far(const sl_peer *peer, uint64_t last)
{
    return sl_arrivals_is_too_far(peer->arrivals, sl_number_after(last, 1));
}

/* True if numbers tell that their sender began anew. Who said hello would have said it again; but a hello that came
 * after numbers may have been meant for those that follow it. */
static bool is_new_run(const sl_peer *peer, sl_arrival known, uint64_t last, uint64_t now_ns)
{
    bool is_far_back = sl_arrivals_is_far_back(peer->arrivals, last) || is_too_far(peer, last);
    if (!peer->has_hello) return known == SL_ARRIVAL_OTHER || is_far_back;
    if (!peer->is_adopted || now_ns >= peer->young_until_ns) return false;
    return known == SL_ARRIVAL_OTHER || (is_far_back && !sl_arrivals_is_open(peer->arrivals, last));
}

/* False if the numbers are exact duplicates. */
static bool judge_numbers(sl_peers *peers, sl_peer *peer, uint64_t now_ns)
{
    const sl_datagram *datagram = &peers->judged.datagram;
    uint64_t last = sl_number_after(datagram->first, datagram->count - 1);
    sl_arrival known = sl_arrivals_compare(peer->arrivals, datagram->first, datagram->count, peers->judged.checksum);
    if (known == SL_ARRIVAL_SAME) return false;
    if (is_new_run(peer, known, last, now_ns)) {
        bool had_hello = peer->has_hello;
        uint64_t said_session = peer->said_session;
        begin_run(peer, had_hello && said_session != peer->session ? said_session : peer->session + 1, now_ns);
        if (!had_hello) return true;
        peer->has_hello = peer->has_said = true;
        peer->said_session = said_session;
        peer->has_former = false;
        return true;
    }
    /* Another datagram under a number of the same run, or one too far ahead, is late for the reducer, whatever it is:
     * to be logged, not to be remembered. */
    peers->judged.is_known = known == SL_ARRIVAL_OTHER || is_too_far(peer, last);
    return known != SL_ARRIVAL_RESTORED;
}

void sl_peers_name(sl_peers *peers)
{
    assert(peers->judged.peer != NULL);
    peers->judged.peer->is_named = true;
}

void sl_peers_take(sl_peers *peers, uint64_t now_ns)
{
    sl_peer *peer = peers->judged.peer;
    const sl_datagram *datagram = &peers->judged.datagram;
    sl_arrivals *arrivals = peer->arrivals;
    if (datagram->control != SL_CONTROL_NONE) peer->is_unheard = false;
    if (datagram->control == SL_CONTROL_HELLO || peers->judged.is_known) return;
    uint64_t end = datagram->count > 0 ? sl_number_after(datagram->first, datagram->count) : datagram->next;
    bool is_behind = arrivals->is_begun && sl_number_distance(end, arrivals->next) <= 0;
    if (datagram->control == SL_CONTROL_HEARTBEAT) {
        if (!arrivals->is_begun && !tells_beginning(peers, peer, datagram)) return;
        if (!arrivals->is_begun) sl_arrivals_begin(arrivals, 0);
        sl_arrivals_hear(arrivals, datagram->next, now_ns);
    } else if (datagram->count > 0) {
        uint64_t first = datagram->first;
        if (!arrivals->is_begun) sl_arrivals_begin(arrivals, find_beginning(peers, peer, first));
        sl_arrivals_take(arrivals, first, datagram->count, peers->judged.checksum, now_ns);
    } else {
        return;
    }
    if (peer->is_resumed) sl_arrivals_expire(arrivals);
    peer->is_resumed = peer->is_resumed && is_behind;
    if (arrivals->open_count > 0 || peer->has_watch) peers->due_ns = 0;
}

void sl_peers_drop(sl_peers *peers)
{
    sl_peer *peer = peers->judged.peer;
    assert(peer != NULL);
    if (peers->judged.datagram.control != SL_CONTROL_NONE) peer->is_unheard = true;
    sl_peer_counts_undo(&peer->counts, peers->judged.queue_max);
    sl_peer_count_add(&peer->counts.dropped, 1);
}

void sl_peers_watch(sl_peers *peers, uint64_t through)
{
    sl_peer *peer = peers->judged.peer;
    if (!peer->has_watch || sl_number_distance(through, peer->watched) > 0) peer->watched = through;
    peer->has_watch = true;
    peers->due_ns = 0;
}

void sl_peers_count_malformed(sl_peers *peers, const struct sockaddr_in *from)
{
    sl_peer *peer = find(peers, sl_peer_address_of(from, true));
    if (peer == NULL) peer = find(peers, sl_peer_address_of(from, false));
    if (peer == NULL) {
        sl_peer_count_add(&peers->refused_unnamed, 1);
        return;
    }
    sl_peer_count_add(&peer->counts.received, 1);
    sl_peer_count_add(&peer->counts.parse_errors, 1);
}

bool sl_peers_pause(sl_peers *peers, uint32_t source, bool is_paused)
{
    for (size_t i = 0; i < SL_SOURCES_MAX && source != SL_SOURCE_SELF; i++) {
        sl_peer *peer = &peers->peers[i];
        if (sl_peer_counts_source(&peer->counts) != source) continue;
        atomic_store(&peer->paused, is_paused ? source : 0);
        if (is_paused) atomic_store(&peer->was_paused, true);
        return true;
    }
    return false;
}

void sl_peers_count_committed(sl_peers *peers, uint32_t source, uint32_t count)
{
    for (size_t i = 0; i < SL_SOURCES_MAX; i++)
        if (sl_peer_counts_commit(&peers->peers[i].counts, source, count)) return;
}

bool sl_peers_counters(sl_peers *peers, sl_counters *out)
{
    sl_counters *told = &peers->told;
    out->refused_unnamed = sl_peer_count_get(&peers->refused_unnamed);
    out->count = 0;
    for (size_t i = 0; i < SL_SOURCES_MAX; i++)
        if (sl_peer_counts_read(&peers->peers[i].counts, &out->sources[out->count])) out->count++;
    bool is_changed = out->refused_unnamed != told->refused_unnamed || out->count != told->count;
    for (uint32_t i = 0; i < out->count && !is_changed; i++)
        is_changed = !sl_peer_counts_are_same(&out->sources[i], &told->sources[i]);
    told->refused_unnamed = out->refused_unnamed;
    told->count = out->count;
    for (uint32_t i = 0; i < out->count; i++) told->sources[i] = out->sources[i];
    return is_changed;
}
