/* The clock, and what happens when. */
#include "tests/sim/world.h"

#include "core/heap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_NS (1000 * SIM_SECOND) /* since the machine started */
#define FAULTS_MAX_NS (600 * SIM_SECOND)
#define COMMITTED_NS (5 * SIM_MS)
#define NOTICED_NS (300 * SIM_MS)
#define HEALING_NS (5 * SIM_SECOND) /* in which everything must converge */

enum { QUIETS = 200 };

void *sim_take(sim_world *world, size_t size)
{
    void **chunk = malloc(sizeof(void *) * 2 + size);
    if (chunk == NULL) abort();
    *chunk = world->chunks;
    world->chunks = chunk;
    return chunk + 2;
}

void sim_fail(sim_world *world, const char *format, ...)
{
    if (world->failure[0] != '\0') return;
    va_list list;
    va_start(list, format);
    vsnprintf(world->failure, sizeof world->failure, format, list);
    va_end(list);
    sim_tell(world, "FAILED: %s", world->failure);
}

void sim_tell(const sim_world *world, const char *format, ...)
{
    if (!world->is_verbose) return;
    printf("%10.4f  ", (double)(world->now_ns - BEGIN_NS) / SIM_SECOND);
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

bool sim_is_delicate(const sim_world *world)
{
    for (uint32_t i = 0; i < world->sender_count; i++)
        if (world->now_ns < world->senders[i].delicate_ns) return true;
    return false;
}

void sim_world_open(sim_world *world, const sim_plan *plan, sim_totals *totals, bool is_verbose)
{
    *world = (sim_world){.plan = plan,
                         .rng = {.state = ~plan->seed},
                         .now_ns = BEGIN_NS,
                         .is_verbose = is_verbose,
                         .sender_count = plan->sequence->stream_count,
                         .totals = totals,
                         .memory = sl_heap_memory()};
    sim_tell(world, "%s, loss %.0f %% and %.0f %%, duplicates %.0f %%, window %u, %s",
             plan->is_strict ? "strict" : "wild", plan->loss[0], plan->loss[1], plan->duplicate, (unsigned)plan->window,
             plan->has_faults ? "faults" : "no faults");
    for (uint32_t i = 0; i < world->sender_count; i++) {
        const sim_sender_plan *sender = &plan->senders[i];
        sim_tell(world, "sender %u: %s, %s, from #%u, an event each %.3f ms, %u restarts", (unsigned)i,
                 sender->has_hello ? "hello" : "mute", sender->has_heartbeat ? "heartbeats" : "no heartbeats",
                 (unsigned)sender->first_number, (double)sender->interval_ns / SIM_MS, (unsigned)sender->restart_count);
    }
    for (uint32_t i = 0; i < world->sender_count; i++) sim_sender_open(world, i);
    sim_network_open(world);
    sim_process_open(world);
}

void sim_world_close(sim_world *world)
{
    sim_process_close(world);
    free(world->network.packets);
    free(world->disk.bytes);
    while (world->chunks != NULL) {
        void **chunk = world->chunks;
        world->chunks = *chunk;
        free(chunk);
    }
}

/* Goes on to the next moment at which something happens, and lets it happen. */
static void advance(sim_world *world)
{
    uint64_t due_ns = sim_process_due_ns(world);
    uint64_t network_ns = sim_network_due_ns(world);
    if (network_ns < due_ns) due_ns = network_ns;
    for (uint32_t i = 0; i < world->sender_count; i++) {
        uint64_t sender_ns = sim_sender_due_ns(&world->senders[i]);
        if (sender_ns < due_ns) due_ns = sender_ns;
    }
    if (due_ns > world->now_ns) world->now_ns = due_ns;
    sim_process_step(world);
    sim_network_deliver(world);
    for (uint32_t i = 0; i < world->sender_count; i++)
        if (sim_sender_due_ns(&world->senders[i]) <= world->now_ns) sim_sender_step(world, &world->senders[i]);
}

static bool are_done(const sim_world *world)
{
    for (uint32_t i = 0; i < world->sender_count; i++)
        if (world->senders[i].stage != SIM_STAGE_DONE) return false;
    return true;
}

static bool have_all(const sim_world *world)
{
    for (uint32_t i = 0; i < world->sender_count; i++)
        if (!sim_process_has_all(world, &world->senders[i])) return false;
    return true;
}

/* What the state does not have yet, for the message. */
static void fail_to_converge(sim_world *world)
{
    for (uint32_t i = 0; i < world->sender_count && world->process.is_up; i++) {
        const sim_sender *sender = &world->senders[i];
        const sl_source *source = sim_process_source(world, sender);
        if (sim_process_has_all(world, sender)) continue;
        sim_fail(world, "sender %u does not converge: next is %u, the state waits for %llu and holds %u%s%s",
                 (unsigned)i, (unsigned)sim_run_next(sender->run),
                 (unsigned long long)(source != NULL ? source->next_source_seq : 0),
                 (unsigned)(source != NULL ? source->held_count : 0),
                 source != NULL && source->has_open_run ? ", a run is open" : "",
                 world->process.picture_ns != UINT64_MAX ? ", a picture is under way" : "");
    }
    sim_fail(world, "symlog does not come back");
}

static void converge(sim_world *world)
{
    uint64_t end_ns = world->now_ns + HEALING_NS;
    while (world->failure[0] == '\0' && !(are_done(world) && have_all(world))) {
        if (world->now_ns > end_ns)
            fail_to_converge(world);
        else
            advance(world);
    }
}

static void wait(sim_world *world, uint64_t time_ns)
{
    uint64_t end_ns = world->now_ns + time_ns;
    while (world->now_ns < end_ns || !world->process.is_up) advance(world);
}

/* Whoever tells nothing of itself shows by another number what was lost before it; who began anew without a word needs
 * more of them until that is noticed, and then one more. */
static void heal(sim_world *world)
{
    world->is_healing = true;
    sim_tell(world, "the faults end");
    world->process.up_ns = world->now_ns;
    wait(world, COMMITTED_NS);
    sim_process_end_pauses(world);
    wait(world, COMMITTED_NS);
    for (uint32_t i = 0; i < world->sender_count && !world->plan->is_strict; i++) {
        sim_sender *sender = &world->senders[i];
        uint32_t count = sender->plan->restart_count > 0 ? QUIETS : 1;
        for (uint32_t n = 0; n < count; n++) sim_sender_send_quiet(world, sender);
        wait(world, NOTICED_NS);
        if (count > 1) sim_sender_send_quiet(world, sender);
    }
    converge(world);
}

static bool is_stale(const sim_world *world)
{
    const sl_node *project = sl_tree_project(sl_state_tree_view(world->process.state));
    return sl_node_value(project, SL_ATTRIBUTE_IS_STALE).as.integer != 0;
}

/* A person saves the set, and the other senders say again what is not in its picture. */
static void save_set(sim_world *world)
{
    const sim_plan *plan = world->plan;
    sim_sender_send_picture(world, &world->senders[0], &plan->sequence->milestones[plan->milestone]);
    converge(world);
    for (uint32_t i = 1; i < world->sender_count; i++) sim_sender_repeat(world, &world->senders[i], 2);
    converge(world);
}

void sim_world_run(sim_world *world)
{
    while (world->failure[0] == '\0' && !are_done(world)) {
        if (world->now_ns - BEGIN_NS > FAULTS_MAX_NS)
            sim_fail(world, "the senders do not come to an end");
        else
            advance(world);
    }
    if (world->failure[0] == '\0') heal(world);
    if (world->failure[0] != '\0') return;
    bool needs_picture = is_stale(world) || world->is_unknowable || world->plan->picture_count > 0;
    if (is_stale(world)) world->totals->stale_seeds++;
    if (is_stale(world) && world->plan->is_strict) sim_fail(world, "stale, though nothing is lost for good");
    if (!world->plan->is_strict && needs_picture) save_set(world);
    if (world->failure[0] == '\0') sim_check_all(world);
}
