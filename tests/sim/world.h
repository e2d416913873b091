/*
 * The simulated world: senders, a network, a process of symlog with its disk, a clock. One thread, no system call; the
 * same plan gives the same run, bit for bit.
 *
 *     sender ── network ──► intake ─ ring ─► commit ─ disk ─► reduce
 *        ▲                    │
 *        └───── network ◄── resend requests
 *
 * core and ingest are the real ones; only what they know of time comes from here.
 */
#ifndef SL_TESTS_SIM_WORLD_H
#define SL_TESTS_SIM_WORLD_H

#include "core/event.h"
#include "core/memory.h"
#include "core/reduce.h"
#include "core/text.h"
#include "ingest/intake.h"
#include "tests/sim/packet.h"
#include "tests/sim/plan.h"
#include "tools/symlog/settle.h"

#include <netinet/in.h>

enum {
    SIM_RUNS_MAX = SIM_SENDERS_MAX * (SIM_RESTARTS_MAX + 1) + 1, /* numbered from 1 */
    SIM_RING_DATAGRAMS = 4096,                                   /* that a sender still has */
    SIM_MESSAGE_BYTES = 512
};

typedef struct sim_world sim_world;

/* A numbered datagram, kept for the checks. */
typedef struct sim_datagram {
    struct sim_run *run;
    uint8_t *bytes;
    uint32_t length;
    uint32_t offset; /* of its first number in the run */
    uint32_t count;  /* of numbers */
    bool is_known;   /* the process has it, or its log */
} sim_datagram;

/* One run of a sender. */
typedef struct sim_run {
    struct sim_sender *sender;
    uint32_t number;       /* from 1, of all runs */
    uint64_t session;      /* what the sender calls it */
    uint32_t first_number; /* of its first datagram */
    uint32_t count;        /* of numbers so far */
    bool is_cut;           /* it ended while something was on the way: nobody can know its end */
    sim_datagram **datagrams;
    uint32_t datagram_count;
    uint32_t datagram_capacity;
} sim_run;

typedef enum sim_stage {
    SIM_STAGE_PICTURE, /* sends parts of a snapshot */
    SIM_STAGE_AWAIT,   /* waits until symlog has a picture */
    SIM_STAGE_PLAY,
    SIM_STAGE_QUIET, /* waits until all has arrived, to begin anew */
    SIM_STAGE_HEARD, /* waits until its hello has */
    SIM_STAGE_DONE
} sim_stage;

typedef struct sim_sender {
    uint32_t index;
    const sim_sender_plan *plan;
    const sim_stream *stream;
    struct sockaddr_in address;
    sim_run *run;
    sim_stage stage;
    uint64_t step_ns; /* when it does the next thing */
    uint64_t heartbeat_ns;
    uint64_t hello_ns; /* when it says hello again */
    uint32_t hello_count;
    uint32_t event;       /* to be played next */
    uint32_t end;         /* events to play */
    uint64_t delicate_ns; /* until then, see sim_is_delicate */
    bool is_silent;       /* waits for order_settled */
    bool restarts_done[SIM_RESTARTS_MAX];
    bool pictures_done[SIM_PICTURES_MAX];
    const sim_milestone *picture; /* that it sends */
    uint32_t part;
    uint64_t picture_ns;        /* when its last part was sent */
    uint64_t expected_received; /* by the process, as its counters must say */
    uint64_t expected_duplicates;
} sim_sender;

/* A packet on its way. */
typedef struct sim_packet {
    uint64_t due_ns;
    uint64_t order; /* of sending */
    sim_direction direction;
    sim_sender *sender;
    sim_datagram *datagram; /* NULL: a hello, a heartbeat or a request */
    const uint8_t *bytes;
    size_t length;
    uint32_t sent_at; /* the sender's count of numbers when it left */
} sim_packet;

typedef struct sim_network {
    sim_packet *packets;
    uint32_t count;
    uint32_t capacity;
    uint64_t order;
    uint64_t outage_ns; /* when the next one begins */
    uint64_t outage_end_ns[SIM_DIRECTIONS];
} sim_network;

/* The committed prefix: for each record u64 length of the payload, the record's header, the payload. */
typedef struct sim_disk {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    uint64_t last_seq;
} sim_disk;

/* A draft that does not come through the ring. */
typedef struct sim_queued {
    struct sim_queued *next;
    uint64_t behind; /* so many of the ring's drafts are committed first */
    sl_event draft;
    uint8_t payload[];
} sim_queued;

typedef struct sim_process {
    bool is_up;
    uint64_t up_ns; /* when it begins, if it is not */
    uint64_t start_ns;
    sl_state *state;
    sl_ring *ring;
    sl_peers *peers;
    sl_snapshot *snapshot;
    sl_intake intake;
    sl_settle settle;
    sim_queued *first; /* of the queue */
    sim_queued **end;
    uint64_t ring_committed; /* drafts of the ring so far */
    uint64_t intake_due_ns;
    uint64_t commit_ns; /* UINT64_MAX: nothing waits */
    uint64_t picture_ns;
    uint64_t counters_ns;
    uint64_t crash_ns;
    uint64_t pause_ns;
    uint64_t checkpoint_seq;
    uint32_t death_count;
} sim_process;

/* What all runs of a seed saw, for the closing lines. */
typedef struct sim_totals {
    uint64_t datagrams, lost, copies, resent, requests, deaths, restarts, pauses, pictures, given_up, events, numbers;
    uint64_t strict_seeds, wrapping_seeds, stale_seeds, saying_seeds;
} sim_totals;

struct sim_world {
    const sim_plan *plan;
    sim_rng rng; /* of the faults */
    uint64_t now_ns;
    bool is_verbose;
    bool is_healing;    /* no faults any more */
    bool is_unknowable; /* a sender took with it what nobody can miss */
    bool has_pauses;    /* what a pause ignores is no duplicate, and what it forgets is none later */
    sim_sender senders[SIM_SENDERS_MAX];
    uint32_t sender_count;
    sim_run *runs[SIM_RUNS_MAX + 1];
    uint32_t run_count;
    sim_network network;
    sim_process process;
    sim_disk disk;
    sim_totals *totals;
    sl_memory memory;
    void *chunks;                    /* what sim_take gave, freed with the world */
    char failure[SIM_MESSAGE_BYTES]; /* the first; empty while all is well */
};

/* world.c: the clock, and what happens when. */

/* Plays the whole plan: faults, then healing. What went wrong is in world->failure. */
void sim_world_open(sim_world *world, const sim_plan *plan, sim_totals *totals, bool is_verbose);
void sim_world_run(sim_world *world);
void sim_world_close(sim_world *world);

/* Memory until the world ends. */
void *sim_take(sim_world *world, size_t size);

/* Notes what went wrong, if it is the first thing. */
void sim_fail(sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells what happens, with --verbose. */
void sim_tell(const sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True while it matters when a datagram arrives: a run of scene/reordered is under way, or its end is told by silence.
 * Whoever hears nothing of the rest for 100 ms cannot know that there is one. */
bool sim_is_delicate(const sim_world *world);

/* sender.c */
void sim_sender_open(sim_world *world, uint32_t index);
uint64_t sim_sender_due_ns(const sim_sender *sender);
void sim_sender_step(sim_world *world, sim_sender *sender);
void sim_sender_answer(sim_world *world, sim_sender *sender, const uint8_t *request, size_t length);
void sim_sender_send_quiet(sim_world *world, sim_sender *sender);
void sim_sender_send_picture(sim_world *world, sim_sender *sender, const sim_milestone *milestone);
void sim_sender_repeat(sim_world *world, sim_sender *sender, uint32_t event_count);

/* The number that its next datagram gets. */
uint32_t sim_run_next(const sim_run *run);

/* network.c */
void sim_network_open(sim_world *world);
void sim_network_send(sim_world *world, sim_packet packet);
uint64_t sim_network_due_ns(const sim_world *world);
void sim_network_deliver(sim_world *world); /* what is due */

/* True if a numbered datagram of the sender is on its way; or, `is_any`, any packet from it or to it. */
bool sim_network_has(const sim_world *world, const sim_sender *sender, bool is_any);

/* process.c */
void sim_process_open(sim_world *world); /* a new log */
void sim_process_close(sim_world *world);
uint64_t sim_process_due_ns(const sim_world *world);
void sim_process_step(sim_world *world);
void sim_process_receive(sim_world *world, const sim_packet *packet);
void sim_process_end_pauses(sim_world *world);

/* The state's source for the newest session of a sender; NULL: none. */
const sl_source *sim_process_source(const sim_world *world, const sim_sender *sender);

/* True if the log knows the sender's present run by its hello. */
bool sim_process_has_heard(const sim_world *world, const sim_sender *sender);

/* True if nothing waits anywhere, and the state has applied all that the sender ever sent in this run. */
bool sim_process_has_all(const sim_world *world, const sim_sender *sender);

/* disk.c */
void sim_disk_append(sim_world *world, const sl_event *event);

/* Reads the record at *at and moves it on; false at the end. A record that is not well is a failure. */
bool sim_disk_read(sim_world *world, size_t *at, sl_event *out);

/* check.c */

/* The datagram that a logged event is, NULL if it bears no number. One that no sender sent is a failure. */
sim_datagram *sim_check_datagram(sim_world *world, const sl_event *event);

/* The digest of a milestone's tree, which comes from the model. */
sl_digest sim_check_digest(sim_world *world, const sim_milestone *milestone);

/* Everything that must be true of the log and the state in the end. */
void sim_check_all(sim_world *world);

#endif
