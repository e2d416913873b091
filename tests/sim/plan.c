/* What a seed means. */
#include "tests/sim/plan.h"

static void plan_sender(sim_plan *plan, sim_rng *rng, uint32_t index);
static void plan_network(sim_plan *plan, sim_rng *rng);
static void plan_process(sim_plan *plan, sim_rng *rng);

sim_plan sim_plan_make(uint64_t seed, const sim_sequences *sequences, uint32_t event_count)
{
    sim_rng rng = {.state = seed * 2 + 1};
    sim_plan plan = {.seed = seed, .has_faults = true};
    plan.is_strict = sim_chance(&rng, 65);
    plan.sequence = &sequences->all[sim_between(&rng, 0, sequences->count - 1)];
    uint32_t last = plan.sequence->milestone_count - 1;
    plan.milestone = (uint32_t)sim_between(&rng, 1, last < 8 || sim_chance(&rng, 80) ? (last < 8 ? last : 8) : last);
    if (event_count > 0) {
        plan.milestone = 1;
        while (plan.milestone < last && plan.sequence->milestones[plan.milestone].at[0] < event_count) plan.milestone++;
    }
    plan.picture_count = plan.is_strict ? 0 : (uint32_t)sim_between(&rng, 0, SIM_PICTURES_MAX);
    for (uint32_t i = 0; i < plan.picture_count; i++) plan.pictures[i] = (uint32_t)sim_between(&rng, 1, plan.milestone);
    plan_network(&plan, &rng);
    plan_process(&plan, &rng);
    for (uint32_t i = 0; i < plan.sequence->stream_count; i++) plan_sender(&plan, &rng, i);
    plan.waits_for_picture = plan.is_strict || sim_chance(&rng, 50);
    bool has_pauses = !plan.is_strict && sim_chance(&rng, 30);
    plan.pause_every_ns = has_pauses ? sim_between(&rng, 50, 1500) * SIM_MS : UINT64_MAX;
    return plan;
}

static void plan_sender(sim_plan *plan, sim_rng *rng, uint32_t index)
{
    sim_sender_plan *sender = &plan->senders[index];
    bool is_hasty = !plan->is_strict && sim_chance(rng, 40);
    uint64_t slowest_us = sim_chance(rng, 20) ? 5000 : 1500;
    sender->has_hello = plan->is_strict || sim_chance(rng, 50);
    sender->has_heartbeat = sender->has_hello || sim_chance(rng, 30);
    sender->first_number = sim_chance(rng, 30) ? UINT32_MAX - (uint32_t)sim_between(rng, 0, 1500) : 0;
    sender->interval_ns = 1000 * (is_hasty ? sim_between(rng, 50, 120) : sim_between(rng, 300, slowest_us));
    if (index > 0) sender->interval_ns *= 5;
    sender->heartbeat_ns = sim_between(rng, 20, 60) * SIM_MS;
    sender->part_bytes = (uint32_t)sim_between(rng, 300, 8192);
    sender->restart_count = sim_chance(rng, 40) ? (uint32_t)sim_between(rng, 1, SIM_RESTARTS_MAX) : 0;
    for (uint32_t i = 0; i < sender->restart_count; i++) {
        uint32_t end = plan->sequence->milestones[plan->milestone].at[index];
        uint32_t milestone = (uint32_t)sim_between(rng, 1, plan->milestone);
        sender->restarts[i] =
            plan->is_strict ? plan->sequence->milestones[milestone].at[index] : (uint32_t)sim_between(rng, 1, end);
    }
}

static void plan_network(sim_plan *plan, sim_rng *rng)
{
    bool is_calm = sim_chance(rng, 10);
    for (int i = 0; i < SIM_DIRECTIONS; i++) plan->loss[i] = is_calm ? 0 : (double)sim_between(rng, 0, 30);
    plan->duplicate = (double)sim_between(rng, 0, 50);
    plan->window = (uint32_t)sim_between(rng, 0, 64);
    plan->latency_ns = sim_between(rng, 10, 3000) * 1000;
    plan->outage_every_ns = sim_chance(rng, 60) ? sim_between(rng, 300, 3000) * SIM_MS : UINT64_MAX;
    plan->outage_max_ns = sim_between(rng, 20, plan->is_strict ? 250 : 1400) * SIM_MS;
}

static void plan_process(sim_plan *plan, sim_rng *rng)
{
    bool is_mortal = sim_chance(rng, 50);
    plan->batch_max = (uint32_t)sim_between(rng, 1, 300);
    plan->commit_max_ns = sim_between(rng, 10, 5000) * 1000;
    plan->picture_max_ns = sim_between(rng, 1, 50) * SIM_MS;
    plan->commit_error = is_mortal ? (double)sim_between(rng, 0, 20) / 200 : 0;
    plan->crash_every_ns = is_mortal ? sim_between(rng, 300, 3000) * SIM_MS : UINT64_MAX;
    plan->down_max_ns = sim_between(rng, 5, plan->is_strict ? 200 : 1500) * SIM_MS;
}

sim_plan sim_plan_without_faults(const sim_plan *plan)
{
    sim_plan calm = *plan;
    calm.has_faults = false;
    calm.picture_count = 0;
    calm.waits_for_picture = true;
    for (int i = 0; i < SIM_DIRECTIONS; i++) calm.loss[i] = 0;
    calm.duplicate = 0;
    calm.window = 0;
    calm.outage_every_ns = UINT64_MAX;
    calm.commit_error = 0;
    calm.crash_every_ns = UINT64_MAX;
    calm.pause_every_ns = UINT64_MAX;
    for (uint32_t i = 0; i < SIM_SENDERS_MAX; i++) {
        calm.senders[i].has_hello = calm.senders[i].has_heartbeat = true;
        calm.senders[i].restart_count = 0;
    }
    return calm;
}
