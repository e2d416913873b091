/* What time brings: resend requests, numbers given up, wishes come true. */
#include "ingest/peers_internal.h"

#define RETRY_NS SL_ARRIVALS_ASK_EVERY_NS /* when there was no room */

static uint64_t earlier(uint64_t one_ns, uint64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* Gives up what is overdue. False: no room. */
static bool give_up(sl_peer *peer, uint64_t patience_ns, uint64_t now_ns, const sl_peers_output *output)
{
    uint64_t through;
    if (!sl_arrivals_overdue(peer->arrivals, patience_ns, now_ns, &through)) return true;
    uint32_t source = sl_peer_counts_source(&peer->counts);
    if (!output->give_up(output->ctx, source, peer->session, through)) return false;
    sl_arrivals_close(peer->arrivals, through);
    return true;
}

static void ask(sl_peer *peer, uint64_t now_ns, const sl_peers_output *output)
{
    sl_hole holes[SL_PEERS_ASK_HOLES];
    struct sockaddr_in to = sl_peer_address_socket(peer->address);
    size_t count;
    while ((count = sl_arrivals_ask(peer->arrivals, now_ns, holes, SL_PEERS_ASK_HOLES)) > 0) {
        output->ask(output->ctx, &to, holes, count);
        sl_peer_count_add(&peer->counts.resends, 1);
    }
}

/* Returns when this peer is due again. */
static uint64_t tick(sl_peer *peer, uint64_t now_ns, const sl_peers_output *output)
{
    uint32_t source = sl_peer_counts_source(&peer->counts);
    bool is_asking = peer->has_hello && atomic_load(&peer->paused) != source;
    uint64_t patience_ns = peer->has_hello ? SL_ARRIVALS_PATIENCE_NS : SL_ARRIVALS_PATIENCE_MUTE_NS;
    if (!give_up(peer, patience_ns, now_ns, output)) return now_ns + RETRY_NS;
    if (is_asking) ask(peer, now_ns, output);
    if (peer->has_watch && sl_arrivals_are_settled(peer->arrivals, peer->watched)) {
        if (!output->settle(output->ctx, source, peer->session, peer->watched)) return now_ns + RETRY_NS;
        peer->has_watch = false;
    }
    return sl_arrivals_due_ns(peer->arrivals, patience_ns, is_asking);
}

uint64_t sl_peers_tick(sl_peers *peers, uint64_t now_ns, const sl_peers_output *output)
{
    if (now_ns < peers->due_ns) return peers->due_ns;
    uint64_t due_ns = UINT64_MAX;
    for (; peers->leaving_count > 0; peers->leaving_count--) {
        const sl_leaving *leaving = &peers->leaving[peers->leaving_count - 1];
        if (output->give_up(output->ctx, leaving->source, leaving->session, leaving->through)) continue;
        due_ns = now_ns + RETRY_NS;
        break;
    }
    for (size_t i = 0; i < SL_SOURCES_MAX; i++) {
        sl_peer *peer = &peers->peers[i];
        bool is_waiting = peer->address != 0 && (peer->arrivals->open_count > 0 || peer->has_watch);
        if (is_waiting) due_ns = earlier(due_ns, tick(peer, now_ns, output));
    }
    peers->due_ns = due_ns;
    return due_ns;
}
