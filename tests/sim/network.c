/* A network that loses, doubles, delays and reorders, and at times lets nothing through. */
#include "tests/sim/world.h"

#include <stdlib.h>

#define REST_NS (1200 * SIM_MS) /* between two outages of a strict seed: longer than any hole stays open */

#define LATE_MAX_NS (100 * SIM_MS)

static void begin_outage(sim_world *world);
static void push(sim_world *world, sim_packet packet, uint64_t delay_ns);
static uint64_t delay(sim_world *world, const sim_packet *packet);
static bool is_overtaken(const sim_world *world, const sim_packet *packet);

static uint64_t some_time(sim_world *world, uint64_t mean_ns)
{
    return mean_ns == UINT64_MAX ? UINT64_MAX : sim_between(&world->rng, mean_ns / 4, mean_ns * 2);
}

void sim_network_open(sim_world *world)
{
    uint64_t first_ns = some_time(world, world->plan->outage_every_ns);
    world->network.outage_ns = first_ns == UINT64_MAX ? UINT64_MAX : world->now_ns + first_ns;
}

void sim_network_send(sim_world *world, sim_packet packet)
{
    sim_network *network = &world->network;
    bool is_out = !world->is_healing && world->now_ns < network->outage_end_ns[packet.direction];
    bool is_calm = world->is_healing;
    uint32_t copies = 1;
    while (!is_calm && copies < 3 && sim_chance(&world->rng, world->plan->duplicate)) copies++;
    packet.sent_at = packet.sender->run->count;
    packet.order = network->order++;
    world->totals->datagrams++;
    world->totals->copies += copies - 1;
    for (uint32_t i = 0; i < copies; i++) {
        bool is_lost = is_out || (!is_calm && sim_chance(&world->rng, world->plan->loss[packet.direction]));
        if (is_lost)
            world->totals->lost++;
        else
            push(world, packet, delay(world, &packet));
    }
}

/* Most come in order; some wait until up to `window` others have gone past. */
static uint64_t delay(sim_world *world, const sim_packet *packet)
{
    const sim_plan *plan = world->plan;
    if (world->is_healing || plan->window == 0 || sim_chance(&world->rng, 50)) return plan->latency_ns;
    uint64_t others = sim_between(&world->rng, 0, plan->window);
    uint64_t more_ns = others * packet->sender->plan->interval_ns;
    return plan->latency_ns + (more_ns < LATE_MAX_NS ? more_ns : LATE_MAX_NS);
}

static void push(sim_world *world, sim_packet packet, uint64_t delay_ns)
{
    sim_network *network = &world->network;
    if (network->count == network->capacity) {
        network->capacity = network->capacity == 0 ? 256 : network->capacity * 2;
        network->packets = realloc(network->packets, network->capacity * sizeof packet);
        if (network->packets == NULL) abort();
    }
    packet.due_ns = world->now_ns + delay_ns;
    network->packets[network->count++] = packet;
}

/* True if as many numbers as may have gone past it. */
static bool is_overtaken(const sim_world *world, const sim_packet *packet)
{
    return packet->datagram != NULL && packet->sender->run == packet->datagram->run &&
           packet->sender->run->count - packet->sent_at >= world->plan->window;
}

/* When a packet is to be delivered. */
static uint64_t due_of(const sim_world *world, const sim_packet *packet)
{
    bool is_late = world->plan->window > 0 && is_overtaken(world, packet);
    return is_late ? world->now_ns : packet->due_ns;
}

uint64_t sim_network_due_ns(const sim_world *world)
{
    const sim_network *network = &world->network;
    uint64_t due_ns = world->is_healing ? UINT64_MAX : network->outage_ns;
    for (uint32_t i = 0; i < network->count; i++) {
        uint64_t packet_ns = due_of(world, &network->packets[i]);
        if (packet_ns < due_ns) due_ns = packet_ns;
    }
    return due_ns;
}

/* One or both ways, for a while. A strict seed puts it off where nobody could notice in time what it costs. */
static void begin_outage(sim_world *world)
{
    sim_network *network = &world->network;
    const sim_plan *plan = world->plan;
    if (plan->is_strict && sim_is_delicate(world)) {
        network->outage_ns = world->now_ns + 5 * SIM_MS;
        return;
    }
    uint64_t end_ns = world->now_ns + sim_between(&world->rng, SIM_MS, plan->outage_max_ns);
    uint64_t ways = sim_between(&world->rng, 0, 2);
    if (ways != 1) network->outage_end_ns[SIM_TO_SYMLOG] = end_ns;
    if (ways != 0) network->outage_end_ns[SIM_TO_SENDER] = end_ns;
    network->outage_ns = end_ns + (plan->is_strict ? REST_NS : 0) + some_time(world, plan->outage_every_ns);
    sim_tell(world, "nothing gets through, ways %u, for %.3f s", (unsigned)ways,
             (double)(end_ns - world->now_ns) / SIM_SECOND);
}

void sim_network_deliver(sim_world *world)
{
    sim_network *network = &world->network;
    if (!world->is_healing && network->outage_ns <= world->now_ns) begin_outage(world);
    for (;;) {
        uint32_t first = UINT32_MAX;
        for (uint32_t i = 0; i < network->count; i++) {
            const sim_packet *packet = &network->packets[i];
            if (due_of(world, packet) > world->now_ns) continue;
            if (first == UINT32_MAX || packet->due_ns < network->packets[first].due_ns ||
                (packet->due_ns == network->packets[first].due_ns && packet->order < network->packets[first].order))
                first = i;
        }
        if (first == UINT32_MAX) return;
        sim_packet packet = network->packets[first];
        network->packets[first] = network->packets[--network->count];
        if (packet.direction == SIM_TO_SYMLOG)
            sim_process_receive(world, &packet);
        else
            sim_sender_answer(world, packet.sender, packet.bytes, packet.length);
    }
}

bool sim_network_has(const sim_world *world, const sim_sender *sender)
{
    for (uint32_t i = 0; i < world->network.count; i++)
        if (world->network.packets[i].sender == sender) return true;
    return false;
}
