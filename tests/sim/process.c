/*
 * The process of symlog: core and ingest wired as `symlog serve` wires them, with a committer that takes batches at
 * random, fails and dies. It comes back from what was committed.
 */
#include "tests/sim/world.h"

#include "core/message.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 4 << 20, DRAFTS_MAX = 512, CHECKPOINT_EVERY = 500 };

static void begin(sim_world *world);
static void restore_peers(sim_world *world);
static void know_datagrams(sim_world *world);
static void die(sim_world *world, const char *why);
static void commit(sim_world *world);
static bool apply(sim_world *world, const sl_event *event);
static void do_chores(sim_world *world);
static void put_pause(sim_world *world, const sl_source *source);
static void tick(sim_world *world);
static void schedule(sim_world *world);

/* Soon, for what waits: never twice as long as the plan says. */
static uint64_t soon(sim_world *world, uint64_t max_ns)
{
    return world->now_ns + (world->is_healing ? SIM_MS : sim_between(&world->rng, 0, max_ns));
}

/* The queue beside the ring. */

static sl_err put_queue(void *ctx, const sl_event *draft)
{
    sim_world *world = ctx;
    sim_process *process = &world->process;
    sim_queued *item = malloc(sizeof *item + draft->length);
    if (item == NULL) abort();
    *item = (sim_queued){.behind = process->ring_committed + sl_ring_count(process->ring), .draft = *draft};
    item->draft.payload = item->payload;
    item->draft.time_ns = world->now_ns - process->start_ns;
    if (draft->length > 0) memcpy(item->payload, draft->payload, draft->length);
    *process->end = item;
    process->end = &item->next;
    return SL_OK;
}

static sl_err put_picture(void *ctx, const sl_event *draft)
{
    sim_world *world = ctx;
    if (draft->kind == SL_KIND_PICTURE) {
        sl_peers_have_picture(world->process.peers);
        world->totals->pictures++;
    }
    return put_queue(ctx, draft);
}

static void put_own(sim_world *world, sl_kind kind, uint16_t version, const sl_writer *payload)
{
    assert(!payload->bad);
    sl_event draft = {.kind = (uint16_t)kind,
                      .version = version,
                      .source = SL_SOURCE_SELF,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = payload->bytes,
                      .length = (uint32_t)payload->length};
    sl_err err = put_queue(world, &draft);
    assert(err == SL_OK);
}

static sim_queued *take_first(sim_process *process)
{
    sim_queued *item = process->first;
    process->first = item->next;
    if (process->first == NULL) process->end = &process->first;
    return item;
}

/* Requests leave for their sender. */
static void send_request(void *ctx, const struct sockaddr_in *to, const uint8_t *packet, size_t length)
{
    sim_world *world = ctx;
    world->totals->requests++;
    for (uint32_t i = 0; i < world->sender_count; i++) {
        sim_sender *sender = &world->senders[i];
        if (sender->address.sin_port != to->sin_port) continue;
        uint8_t *copy = sim_take(world, length);
        memcpy(copy, packet, length);
        sim_network_send(world,
                         (sim_packet){.direction = SIM_TO_SENDER, .sender = sender, .bytes = copy, .length = length});
        return;
    }
    sim_fail(world, "a request for a port that nobody sends from");
}

/* Beginning. */

void sim_process_open(sim_world *world)
{
    begin(world);
}

/* As serve does: all that is in the log, then a start event. */
static void begin(sim_world *world)
{
    sim_process *process = &world->process;
    process->is_up = true;
    process->start_ns = world->now_ns;
    process->end = &process->first;
    process->settle = (sl_settle){0};
    if (sl_state_create(world->memory, &process->state) != SL_OK) abort();
    sl_event event;
    for (size_t at = 0; sim_disk_read(world, &at, &event);)
        if (!apply(world, &event)) return;
    int64_t jump_ns = (int64_t)sim_between(&world->rng, 0, 2) - 1; /* an hour back, none, an hour on */
    sl_start start = {.wall_ns = (int64_t)world->now_ns + jump_ns * 3600 * (int64_t)SIM_SECOND,
                      .reducer_version = SL_REDUCER_VERSION};
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    if (sl_ring_create(RING_BYTES, &process->ring) != SL_OK) abort();
    restore_peers(world);
    sl_err err = sl_start_encode(&start, &writer);
    assert(err == SL_OK);
    sl_event first = {.seq = world->disk.last_seq + 1,
                      .kind = SL_KIND_START,
                      .version = SL_PAYLOAD_VERSION,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bytes,
                      .length = (uint32_t)writer.length};
    sim_disk_append(world, &first);
    (void)apply(world, &first);
    if (sl_snapshot_open(&process->snapshot, (sl_sink){.put = put_picture, .ctx = world}, process->start_ns) != SL_OK)
        abort();
    process->intake = (sl_intake){.start_ns = process->start_ns,
                                  .ring = process->ring,
                                  .peers = process->peers,
                                  .snapshot = process->snapshot,
                                  .send = send_request,
                                  .send_ctx = world};
    uint64_t crash_every_ns = world->plan->crash_every_ns;
    process->crash_ns = UINT64_MAX;
    if (crash_every_ns != UINT64_MAX)
        process->crash_ns = world->now_ns + SIM_SECOND + sim_between(&world->rng, 0, 2 * crash_every_ns);
    process->pause_ns = UINT64_MAX;
    if (world->plan->pause_every_ns != UINT64_MAX) process->pause_ns = world->now_ns + world->plan->pause_every_ns;
    process->counters_ns = world->now_ns + SIM_SECOND;
    process->picture_ns = UINT64_MAX;
    process->commit_ns = UINT64_MAX;
    process->checkpoint_seq = sl_state_seq(process->state);
    process->intake_due_ns = world->now_ns;
    know_datagrams(world);
}

static void restore_peers(sim_world *world)
{
    sim_process *process = &world->process;
    const sl_state *state = process->state;
    sl_hole holes[SL_PEERS_HOLES_MAX];
    if (sl_peers_create(sl_state_source_next(state), &process->peers) != SL_OK) abort();
    const sl_source *source;
    for (size_t i = 0; (source = sl_state_source_at(state, i)) != NULL; i++) {
        sl_peer_run run = {.next = sl_state_source_end(state, source->number), .holes = holes};
        run.hole_count = sl_state_holes(state, source->number, holes, SL_PEERS_HOLES_MAX);
        if (run.hole_count > SL_PEERS_HOLES_MAX) run.hole_count = SL_PEERS_HOLES_MAX;
        if (sl_peers_restore(process->peers, source, &run, world->now_ns) != SL_OK)
            sim_fail(world, "source %u cannot be restored", (unsigned)source->number);
        sl_settle_see(&process->settle, source, world->now_ns);
    }
    sl_peers_restore_unnamed(process->peers, sl_state_refused_unnamed(state));
    if (sl_state_has_picture(state)) sl_peers_have_picture(process->peers);
}

/* The datagrams of the log are those that the process knows; what came before the first of a run counts as known, too.
 * Its counts are those of the log. */
static void know_datagrams(sim_world *world)
{
    bool has_begun[SIM_RUNS_MAX + 1] = {false};
    for (uint32_t r = 1; r <= world->run_count; r++)
        for (uint32_t i = 0; i < world->runs[r]->datagram_count; i++) world->runs[r]->datagrams[i]->is_known = false;
    sl_event event;
    for (size_t at = 0; sim_disk_read(world, &at, &event);) {
        sim_datagram *datagram = event.kind == SL_KIND_OSC ? sim_check_datagram(world, &event) : NULL;
        if (datagram == NULL) continue;
        sim_run *run = datagram->run;
        bool is_joined = !has_begun[run->number] && run->first_number > 0;
        for (uint32_t i = 0; is_joined && run->datagrams[i] != datagram; i++) run->datagrams[i]->is_known = true;
        has_begun[run->number] = true;
        datagram->is_known = true;
    }
    for (uint32_t i = 0; i < world->sender_count; i++) {
        sim_sender *sender = &world->senders[i];
        const sl_source *source = sim_process_source(world, sender);
        sender->expected_received = source != NULL ? source->counts.received : 0;
        sender->expected_duplicates = source != NULL ? source->counts.duplicates : 0;
    }
}

/* Ending. */

static void end(sim_world *world)
{
    sim_process *process = &world->process;
    if (!process->is_up) return;
    while (process->first != NULL) free(take_first(process));
    sl_snapshot_close(process->snapshot);
    sl_ring_destroy(process->ring);
    sl_peers_destroy(process->peers);
    sl_state_destroy(process->state);
    *process = (sim_process){.death_count = process->death_count};
}

void sim_process_close(sim_world *world)
{
    end(world);
}

/* Whatever was not committed is gone, and so is what arrives before it is back. */
static void die(sim_world *world, const char *why)
{
    sim_process *process = &world->process;
    end(world);
    process->death_count++;
    process->up_ns = soon(world, world->plan->down_max_ns);
    world->totals->deaths++;
    sim_tell(world, "symlog dies: %s; back in %.3f s", why, (double)(process->up_ns - world->now_ns) / SIM_SECOND);
}

/* Receiving. */

void sim_process_receive(sim_world *world, const sim_packet *packet)
{
    sim_process *process = &world->process;
    if (!process->is_up) return;
    sim_sender *sender = packet->sender;
    sender->expected_received++;
    if (packet->datagram != NULL && packet->datagram->is_known) sender->expected_duplicates++;
    if (packet->datagram != NULL) packet->datagram->is_known = true;
    sl_intake_take(&process->intake, &sender->address, packet->bytes, packet->length, world->now_ns);
    tick(world);
    schedule(world);
}

/* What time brings; the worker of the snapshots wakes up, too. */
static void tick(sim_world *world)
{
    sim_process *process = &world->process;
    process->intake_due_ns = sl_intake_tick(&process->intake, world->now_ns);
    if (process->picture_ns == UINT64_MAX) process->picture_ns = soon(world, world->plan->picture_max_ns);
}

/* When something waits for a commit, and none is under way, one begins. */
static void schedule(sim_world *world)
{
    sim_process *process = &world->process;
    bool is_waiting = process->first != NULL || sl_ring_count(process->ring) > 0;
    if (is_waiting && process->commit_ns == UINT64_MAX) process->commit_ns = soon(world, world->plan->commit_max_ns);
}

uint64_t sim_process_due_ns(const sim_world *world)
{
    const sim_process *process = &world->process;
    if (!process->is_up) return process->up_ns;
    const uint64_t all[] = {process->intake_due_ns,
                            process->commit_ns,
                            process->picture_ns,
                            process->counters_ns,
                            world->is_healing ? UINT64_MAX : process->crash_ns,
                            world->is_healing ? UINT64_MAX : process->pause_ns,
                            sl_settle_due_ns(&process->settle)};
    uint64_t due_ns = UINT64_MAX;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] < due_ns) due_ns = all[i];
    return due_ns;
}

void sim_process_step(sim_world *world)
{
    sim_process *process = &world->process;
    if (!process->is_up) {
        if (process->up_ns <= world->now_ns) begin(world);
        return;
    }
    if (!world->is_healing && process->crash_ns <= world->now_ns) {
        die(world, "killed");
        return;
    }
    if (process->intake_due_ns <= world->now_ns) tick(world);
    if (process->picture_ns <= world->now_ns) {
        process->picture_ns = sl_snapshot_work(process->snapshot) ? soon(world, SIM_MS) : UINT64_MAX;
    }
    do_chores(world);
    schedule(world);
    if (process->commit_ns <= world->now_ns) commit(world);
}

/* Somebody pauses a source, or resumes it. */
static void pause_some(sim_world *world)
{
    sim_process *process = &world->process;
    if (world->is_healing || process->pause_ns > world->now_ns) return;
    process->pause_ns = world->now_ns + sim_between(&world->rng, 1, 2 * world->plan->pause_every_ns);
    size_t count = 0;
    while (sl_state_source_at(process->state, count) != NULL) count++;
    if (count == 0) return;
    const sl_source *source = sl_state_source_at(process->state, sim_between(&world->rng, 0, count - 1));
    if (source->input == SL_INPUT_OSC) put_pause(world, source);
}

static void put_pause(sim_world *world, const sl_source *source)
{
    uint8_t bytes[1];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_err err = sl_paused_encode(&(sl_paused){.is_paused = !source->is_paused}, &writer);
    assert(err == SL_OK);
    sl_event draft = {.kind = SL_KIND_PAUSED,
                      .version = SL_PAYLOAD_VERSION,
                      .source = source->number,
                      .session = source->session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bytes,
                      .length = (uint32_t)writer.length};
    err = put_queue(world, &draft);
    assert(err == SL_OK);
}

void sim_process_end_pauses(sim_world *world)
{
    const sl_source *source;
    for (size_t i = 0; (source = sl_state_source_at(world->process.state, i)) != NULL; i++)
        if (source->is_paused) put_pause(world, source);
    schedule(world);
}

/* What is committed, the receiver follows. */
static void follow_pause(sim_world *world, const sl_event *event)
{
    sl_paused paused;
    if (event->kind != SL_KIND_PAUSED || sl_paused_decode(event, &paused) != SL_OK) return;
    world->has_pauses = true;
    world->totals->pauses += paused.is_paused;
    (void)sl_peers_pause(world->process.peers, event->source, paused.is_paused);
}

static void do_chores(sim_world *world)
{
    sim_process *process = &world->process;
    uint8_t bytes[SL_COUNTERS_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_settle_put(&process->settle, world->now_ns, 0, (sl_sink){.put = put_queue, .ctx = world});
    pause_some(world);
    if (process->counters_ns <= world->now_ns) {
        process->counters_ns = world->now_ns + SIM_SECOND;
        sl_counters counters = {0};
        sl_err err = sl_peers_counters(process->peers, &counters) ? sl_counters_encode(&counters, &writer) : SL_ERR_END;
        if (err == SL_OK) put_own(world, SL_KIND_COUNTERS, SL_COUNTERS_VERSION, &writer);
    }
    if (sl_state_seq(process->state) - process->checkpoint_seq < CHECKPOINT_EVERY) return;
    process->checkpoint_seq = sl_state_seq(process->state);
    sl_checkpoint checkpoint = {.through_seq = process->checkpoint_seq, .reducer_version = SL_REDUCER_VERSION};
    sl_state_digests(process->state, NULL, &checkpoint.digest);
    writer = (sl_writer){.bytes = bytes, .capacity = sizeof bytes};
    sl_err err = sl_checkpoint_encode(&checkpoint, &writer);
    assert(err == SL_OK);
    put_own(world, SL_KIND_CHECKPOINT, SL_PAYLOAD_VERSION, &writer);
}

/* Committing. */

/* "scene order unknown", or "fresh". */
static void write_staleness(const sl_state *state, char out[64])
{
    sl_value reason = sl_node_value(sl_tree_project(sl_state_tree_view(state)), SL_ATTRIBUTE_STALE_REASON);
    bool is_stale = reason.type == SL_VALUE_TEXT;
    snprintf(out, 64, "%.*s", is_stale ? (int)reason.length : 5, is_stale ? reason.as.text : "fresh");
}

static bool apply(sim_world *world, const sl_event *event)
{
    sim_process *process = &world->process;
    char before[64], after[64];
    if (world->is_verbose) write_staleness(process->state, before);
    if (sl_reduce(process->state, event, NULL) != SL_OK) abort();
    if (world->is_verbose) write_staleness(process->state, after);
    if (world->is_verbose && strcmp(before, after) != 0)
        sim_tell(world, "after event %llu the tree is: %s", (unsigned long long)event->seq, after);
    const sl_source *source = sl_state_source(process->state, event->source);
    if (source != NULL) sl_settle_see(&process->settle, source, world->now_ns);
    return world->failure[0] == '\0';
}

static void tell_event(const sim_world *world, const sl_event *event)
{
    if (!world->is_verbose) return;
    sl_text text;
    sl_text_open(&text, world->memory);
    sl_text_event(&text, event, world->process.state);
    sim_tell(world, "%.*s", (int)text.length, text.bytes);
    sl_text_close(&text);
}

/* One batch, in one transaction: all of it is in the log, or nothing. */
static void commit(sim_world *world)
{
    sim_process *process = &world->process;
    sl_event drafts[DRAFTS_MAX];
    size_t max = world->is_healing ? DRAFTS_MAX / 2 : (size_t)sim_between(&world->rng, 1, world->plan->batch_max);
    process->commit_ns = UINT64_MAX;
    size_t from_ring = sl_ring_take(process->ring, drafts, max);
    size_t count = from_ring;
    for (const sim_queued *item = process->first; item != NULL && count < DRAFTS_MAX; item = item->next) {
        if (item->behind > process->ring_committed + from_ring) break;
        drafts[count++] = item->draft;
    }
    bool fails = !world->is_healing && sim_chance(&world->rng, world->plan->commit_error);
    bool dies_behind = !world->is_healing && sim_chance(&world->rng, world->plan->commit_error);
    if (fails) {
        die(world, "a commit failed");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        drafts[i].seq = world->disk.last_seq + 1;
        sim_disk_append(world, &drafts[i]);
        tell_event(world, &drafts[i]);
    }
    if (dies_behind) {
        die(world, "between commit and reduce");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (drafts[i].kind == SL_KIND_OSC) sl_peers_count_committed(process->peers, drafts[i].source, 1);
        (void)apply(world, &drafts[i]);
        follow_pause(world, &drafts[i]);
    }
    sl_ring_release(process->ring);
    process->ring_committed += from_ring;
    for (size_t i = from_ring; i < count; i++) free(take_first(process));
    schedule(world);
}

/* Asking. */

const sl_source *sim_process_source(const sim_world *world, const sim_sender *sender)
{
    char name[SL_NAME_BYTES_MAX + 1];
    snprintf(name, sizeof name, "127.0.0.1:%u", (unsigned)ntohs(sender->address.sin_port));
    const sl_source *found = NULL;
    const sl_source *source;
    for (size_t i = 0; (source = sl_state_source_at(world->process.state, i)) != NULL; i++)
        if (strcmp(source->name, name) == 0) found = source;
    return found;
}

bool sim_process_has_heard(const sim_world *world, const sim_sender *sender)
{
    const sl_source *source = world->process.is_up ? sim_process_source(world, sender) : NULL;
    return source != NULL && source->has_hello && source->said_session == sender->run->session;
}

bool sim_process_has_all(const sim_world *world, const sim_sender *sender)
{
    const sim_process *process = &world->process;
    if (!process->is_up || process->first != NULL || sl_ring_count(process->ring) > 0) return false;
    if (process->picture_ns != UINT64_MAX) return false;
    if (sim_network_has(world, sender, false)) return false;
    const sl_source *source = sim_process_source(world, sender);
    if (source == NULL) return sender->run->count == 0;
    return source->next_source_seq == sim_run_next(sender->run) && source->held_count == 0 && !source->has_open_run &&
           sl_state_holes(process->state, source->number, NULL, 0) == 0;
}
