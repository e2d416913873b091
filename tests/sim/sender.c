/*
 * A sender as protocols §1 wants it: numbers what it sends, says hello and tells its next number in heartbeats if it
 * can, answers requests from its newest 4,096 datagrams, begins anew at times.
 */
#include "tests/sim/world.h"

#include "core/osc.h"
#include "ingest/resend.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_NS (300 * SIM_MS)  /* in which order_settled comes, whatever has to be asked for before */
#define DELICATE_NS (150 * SIM_MS) /* after a scene/reordered */
#define LOOK_NS (20 * SIM_MS)      /* between two looks at what it waits for */
#define PICTURE_PATIENCE_NS (2 * SIM_SECOND)
#define BEAT_IN_SILENCE_NS (10 * SIM_MS)

enum { FIRST_PORT = 50000, FIRST_DATAGRAMS = 256 };

static void begin_run(sim_world *world, sim_sender *sender, uint32_t first_number);
static void say_hello(sim_world *world, sim_sender *sender);
static void beat(sim_world *world, sim_sender *sender);
static void send_part(sim_world *world, sim_sender *sender);
static void await_picture(sim_world *world, sim_sender *sender);
static void play(sim_world *world, sim_sender *sender);
static void play_event(sim_world *world, sim_sender *sender);
static bool restart(sim_world *world, sim_sender *sender);
static void begin_anew(sim_world *world, sim_sender *sender);
static void resend(sim_world *world, sim_sender *sender, uint64_t first, uint64_t count);

void sim_sender_open(sim_world *world, uint32_t index)
{
    sim_sender *sender = &world->senders[index];
    const sim_plan *plan = world->plan;
    *sender = (sim_sender){.index = index, .plan = &plan->senders[index], .stream = &plan->sequence->streams[index]};
    sender->address.sin_family = AF_INET;
    sender->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sender->address.sin_port = htons((uint16_t)(FIRST_PORT + index));
    sender->end = plan->sequence->milestones[plan->milestone].at[index];
    begin_run(world, sender, sender->plan->first_number);
    sender->stage = index == 0 ? SIM_STAGE_PICTURE : SIM_STAGE_AWAIT;
    sender->picture = &plan->sequence->milestones[0];
}

uint32_t sim_run_next(const sim_run *run)
{
    return run->first_number + run->count;
}

static void begin_run(sim_world *world, sim_sender *sender, uint32_t first_number)
{
    assert(world->run_count < SIM_RUNS_MAX);
    sim_run *run = sim_take(world, sizeof *run);
    *run = (sim_run){.sender = sender,
                     .number = ++world->run_count,
                     .session = sim_between(&world->rng, 1, INT64_MAX),
                     .first_number = first_number};
    world->runs[run->number] = run;
    sender->run = run;
    sender->hello_count = 0;
    sender->hello_ns = sender->plan->has_hello ? world->now_ns : UINT64_MAX;
    sender->heartbeat_ns = sender->plan->has_heartbeat ? world->now_ns + sender->plan->heartbeat_ns : UINT64_MAX;
    sender->step_ns = world->now_ns + sim_between(&world->rng, 0, 2 * sender->plan->interval_ns);
}

/* Sending. */

static void send_control(sim_world *world, sim_sender *sender, const sim_packet_writer *packet)
{
    uint8_t *copy = sim_take(world, packet->length);
    memcpy(copy, packet->bytes, packet->length);
    sim_network_send(
        world, (sim_packet){.direction = SIM_TO_SYMLOG, .sender = sender, .bytes = copy, .length = packet->length});
}

static void send_datagram(sim_world *world, sim_datagram *datagram)
{
    sim_network_send(world, (sim_packet){.direction = SIM_TO_SYMLOG,
                                         .sender = datagram->run->sender,
                                         .datagram = datagram,
                                         .bytes = datagram->bytes,
                                         .length = datagram->length});
}

/* Keeps the packet, which stands for the run's next `count` numbers, and sends it. */
static void send_numbered(sim_world *world, sim_sender *sender, const sim_packet_writer *packet, uint32_t count)
{
    sim_run *run = sender->run;
    if (run->datagram_count == run->datagram_capacity) {
        uint32_t capacity = run->datagram_capacity == 0 ? FIRST_DATAGRAMS : run->datagram_capacity * 2;
        sim_datagram **grown = sim_take(world, capacity * sizeof(sim_datagram *));
        if (run->datagram_count > 0) memcpy(grown, run->datagrams, run->datagram_count * sizeof(sim_datagram *));
        run->datagrams = grown;
        run->datagram_capacity = capacity;
    }
    sim_datagram *datagram = sim_take(world, sizeof *datagram);
    *datagram = (sim_datagram){.run = run,
                               .bytes = sim_take(world, packet->length),
                               .length = (uint32_t)packet->length,
                               .offset = run->count,
                               .count = count};
    memcpy(datagram->bytes, packet->bytes, packet->length);
    run->datagrams[run->datagram_count++] = datagram;
    run->count += count;
    world->totals->numbers += count;
    send_datagram(world, datagram);
}

void sim_sender_send_quiet(sim_world *world, sim_sender *sender)
{
    static sim_packet_writer packet;
    sim_packet_quiet(&packet, sim_run_next(sender->run), sender->run->number);
    send_numbered(world, sender, &packet, 1);
}

static void say_hello(sim_world *world, sim_sender *sender)
{
    static const uint64_t pauses_ms[] = {20, 40, 90, 150, 300};
    static sim_packet_writer packet;
    sim_packet_hello(&packet, sender->run->session);
    send_control(world, sender, &packet);
    bool is_last = sender->hello_count == sizeof pauses_ms / sizeof *pauses_ms;
    sender->hello_ns = is_last ? UINT64_MAX : world->now_ns + pauses_ms[sender->hello_count++] * SIM_MS;
}

static void beat(sim_world *world, sim_sender *sender)
{
    static sim_packet_writer packet;
    sim_packet_heartbeat(&packet, sender->run->session, sim_run_next(sender->run));
    send_control(world, sender, &packet);
    sender->heartbeat_ns = world->now_ns + (sender->is_silent ? BEAT_IN_SILENCE_NS : sender->plan->heartbeat_ns);
}

/* Steps. */

uint64_t sim_sender_due_ns(const sim_sender *sender)
{
    uint64_t due_ns = sender->step_ns < sender->hello_ns ? sender->step_ns : sender->hello_ns;
    return due_ns < sender->heartbeat_ns ? due_ns : sender->heartbeat_ns;
}

void sim_sender_step(sim_world *world, sim_sender *sender)
{
    if (sender->hello_ns <= world->now_ns) say_hello(world, sender);
    if (sender->heartbeat_ns <= world->now_ns) beat(world, sender);
    if (sender->step_ns > world->now_ns) return;
    sender->step_ns = world->now_ns + sim_between(&world->rng, 1, 2 * sender->plan->interval_ns);
    switch (sender->stage) {
    case SIM_STAGE_PICTURE: send_part(world, sender); break;
    case SIM_STAGE_AWAIT: await_picture(world, sender); break;
    case SIM_STAGE_PLAY: play(world, sender); break;
    case SIM_STAGE_QUIET: begin_anew(world, sender); break;
    case SIM_STAGE_HEARD:
        sender->step_ns = world->now_ns + LOOK_NS;
        if (sim_process_has_heard(world, sender)) sender->stage = SIM_STAGE_PLAY;
        if (sender->hello_ns == UINT64_MAX) sender->hello_ns = world->now_ns;
        break;
    case SIM_STAGE_DONE: sender->step_ns = UINT64_MAX; break;
    }
}

/* Sends the next part of the picture. */
static void send_part(sim_world *world, sim_sender *sender)
{
    static sim_packet_writer packet;
    const sim_milestone *picture = sender->picture;
    uint32_t size = sender->plan->part_bytes;
    sim_part part = {.session = sender->run->session,
                     .number = sender->part,
                     .count = (picture->packed_length + size - 1) / size,
                     .bytes = picture->packed + (size_t)sender->part * size};
    size_t left = picture->packed_length - (size_t)sender->part * size;
    part.length = left < size ? left : size;
    sim_packet_part(&packet, &part, sim_run_next(sender->run), sender->run->number);
    send_numbered(world, sender, &packet, 1);
    if (++sender->part < part.count) return;
    sender->part = 0;
    sender->picture_ns = world->now_ns;
    bool is_first = sender->event == 0 && !world->is_healing;
    sender->stage = is_first && world->plan->waits_for_picture ? SIM_STAGE_AWAIT : SIM_STAGE_PLAY;
}

void sim_sender_send_picture(sim_world *world, sim_sender *sender, const sim_milestone *milestone)
{
    sender->picture = milestone;
    sender->part = 0;
    sender->stage = SIM_STAGE_PICTURE;
    sender->step_ns = world->now_ns;
}

/* The others begin when there is a picture, too, for what they tell is not in it; or when none will come any more. */
static void await_picture(sim_world *world, sim_sender *sender)
{
    sender->step_ns = world->now_ns + LOOK_NS;
    bool is_hopeless = sender->index > 0 && world->senders[0].stage == SIM_STAGE_DONE;
    if (is_hopeless || (world->process.is_up && sl_state_has_picture(world->process.state))) {
        sender->stage = world->plan->is_strict ? SIM_STAGE_HEARD : SIM_STAGE_PLAY;
    } else if (sender->index == 0 && world->now_ns - sender->picture_ns > PICTURE_PATIENCE_NS) {
        sim_tell(world, "there is no picture; it is sent again");
        sim_sender_send_picture(world, sender, &world->plan->sequence->milestones[0]);
    }
}

static bool begins_picture(sim_world *world, sim_sender *sender)
{
    const sim_plan *plan = world->plan;
    for (uint32_t i = 0; sender->index == 0 && i < plan->picture_count; i++) {
        const sim_milestone *milestone = &plan->sequence->milestones[plan->pictures[i]];
        if (sender->pictures_done[i] || milestone->at[0] != sender->event) continue;
        sender->pictures_done[i] = true;
        sim_sender_send_picture(world, sender, milestone);
        return true;
    }
    return false;
}

static void play(sim_world *world, sim_sender *sender)
{
    if (restart(world, sender) || begins_picture(world, sender)) return;
    if (sender->event == sender->end) {
        sender->stage = SIM_STAGE_DONE;
        sender->step_ns = UINT64_MAX;
        return;
    }
    play_event(world, sender);
}

/* A strict seed waits until nothing of the old run is left that symlog could ask for. In the others nothing of it is on
 * the way: a sender needs longer to start than a datagram to arrive. */
static void begin_anew(sim_world *world, sim_sender *sender)
{
    bool has_all = sim_process_has_all(world, sender);
    sender->step_ns = world->now_ns + LOOK_NS;
    if (world->plan->is_strict ? !has_all : sim_network_has(world, sender)) return;
    if (!world->plan->is_strict) sender->run->is_cut = world->is_unknowable = true;
    begin_run(world, sender, 0);
    sender->stage = world->plan->is_strict ? SIM_STAGE_HEARD : SIM_STAGE_PLAY;
}

/* True if the sender begins anew before its next event. */
static bool restart(sim_world *world, sim_sender *sender)
{
    for (uint32_t i = 0; i < sender->plan->restart_count; i++) {
        if (sender->restarts_done[i] || sender->plan->restarts[i] != sender->event) continue;
        sender->restarts_done[i] = true;
        world->totals->restarts++;
        sim_tell(world, "sender %u begins anew before event %u", (unsigned)sender->index, (unsigned)sender->event);
        sender->stage = SIM_STAGE_QUIET;
        if (!world->plan->is_strict) sender->hello_ns = sender->heartbeat_ns = UINT64_MAX; /* it is gone already */
        return true;
    }
    return false;
}

static bool is_reordered(const sim_event *event)
{
    static const char path[] = "/live/scene/reordered";
    const uint8_t *at = event->messages;
    if (event->message_count != 1) return false;
    sim_message message = sim_message_read(&at);
    return message.path_length == strlen(path) && memcmp(message.path, path, strlen(path)) == 0;
}

static void send_event(sim_world *world, sim_sender *sender, const sim_event *event)
{
    static sim_packet_writer packet;
    sim_packet_event(&packet, event, sim_run_next(sender->run), sender->run->number);
    send_numbered(world, sender, &packet, event->message_count);
}

static void play_event(sim_world *world, sim_sender *sender)
{
    const sim_event *event = &sender->stream->events[sender->event++];
    sender->is_silent = event->message_count == 0;
    if (sender->is_silent) {
        sender->step_ns = world->now_ns + SILENCE_NS;
        sender->delicate_ns = sender->step_ns + DELICATE_NS;
        if (sender->plan->has_heartbeat) sender->heartbeat_ns = world->now_ns;
        return;
    }
    if (is_reordered(event)) sender->delicate_ns = world->now_ns + DELICATE_NS;
    send_event(world, sender, event);
}

/* Sends its last events once more: all that it ever changes. */
void sim_sender_repeat(sim_world *world, sim_sender *sender, uint32_t event_count)
{
    for (uint32_t i = event_count; i > 0; i--) send_event(world, sender, &sender->stream->events[sender->end - i]);
}

/* Answering. */

void sim_sender_answer(sim_world *world, sim_sender *sender, const uint8_t *request, size_t length)
{
    if (sender->stage == SIM_STAGE_QUIET && !world->plan->is_strict) return;
    if (!sl_osc_check(request, length, NULL)) {
        sim_fail(world, "a malformed request");
        return;
    }
    sl_osc_walk walk = sl_osc_walk_begin(request, length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) {
        sl_osc_cursor cursor = sl_osc_arguments(&message);
        sl_osc_argument first, count;
        if (strcmp(message.address, "/symlog/resend") != 0 || strcmp(message.tags, "hh") != 0) {
            sim_fail(world, "a request that is none: %s ,%s", message.address, message.tags);
            return;
        }
        (void)sl_osc_next(&cursor, &first);
        (void)sl_osc_next(&cursor, &count);
        resend(world, sender, (uint64_t)first.integer, (uint64_t)count.integer);
    }
}

/* Sends the datagrams with these numbers, as far as it still has them. */
static void resend(sim_world *world, sim_sender *sender, uint64_t first, uint64_t count)
{
    const sim_run *run = sender->run;
    uint32_t offset = (uint32_t)first - run->first_number;
    if (first > UINT32_MAX || offset >= run->count) return; /* of another run */
    uint32_t low = 0, high = run->datagram_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->datagrams[middle]->offset + run->datagrams[middle]->count <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint32_t i = low; i < run->datagram_count && run->datagrams[i]->offset < offset + count; i++) {
        if (run->datagram_count - i > SIM_RING_DATAGRAMS) continue;
        world->totals->resent++;
        send_datagram(world, run->datagrams[i]);
    }
}
