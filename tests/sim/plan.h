/*
 * What a seed means: who plays what, and which faults there are. All of it is decided before the run begins, so that
 * the run without losses plays the same.
 *
 * Seeds of two sorts. In a *strict* one every sender answers resend requests, no fault lasts longer than these can
 * cure, and no picture comes after the first: nothing may be given up. What nobody can know is kept from them: events
 * begin when the picture is there, and those of a new run when its hello is in the log (an event that overtakes its
 * hello is taken for one of the old run). In the others anything may happen, but what is lost must be said.
 */
#ifndef SL_TESTS_SIM_PLAN_H
#define SL_TESTS_SIM_PLAN_H

#include "tests/sim/rng.h"
#include "tests/sim/sequences.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_MS UINT64_C(1000000)
#define SIM_SECOND (1000 * SIM_MS)

enum { SIM_PICTURES_MAX = 3, SIM_RESTARTS_MAX = 2 };

typedef enum sim_direction { SIM_TO_SYMLOG, SIM_TO_SENDER, SIM_DIRECTIONS } sim_direction;

typedef struct sim_sender_plan {
    bool has_hello;
    bool has_heartbeat;
    uint32_t first_number; /* of its first run */
    uint64_t interval_ns;  /* between two events, at most twice that */
    uint64_t heartbeat_ns; /* between two heartbeats */
    uint32_t part_bytes;   /* of a snapshot */
    uint32_t restart_count;
    uint32_t restarts[SIM_RESTARTS_MAX]; /* before these events */
} sim_sender_plan;

typedef struct sim_plan {
    uint64_t seed;
    const sim_sequence *sequence;
    uint32_t milestone; /* up to which it is played */
    bool is_strict;
    bool has_faults;                     /* false: the run without losses */
    bool waits_for_picture;              /* events begin when the picture is there */
    uint32_t picture_count;              /* later ones … */
    uint32_t pictures[SIM_PICTURES_MAX]; /* … when these milestones are reached */
    sim_sender_plan senders[SIM_SENDERS_MAX];

    /* The network, each way. */
    double loss[SIM_DIRECTIONS]; /* percent */
    double duplicate;            /* percent */
    uint32_t window;             /* numbers by which a datagram may come late */
    uint64_t latency_ns;
    uint64_t outage_every_ns; /* UINT64_MAX: never. Everything is lost for a while, one way or both */
    uint64_t outage_max_ns;

    /* The process and its disk. */
    uint32_t batch_max;
    uint64_t commit_max_ns; /* how long a draft waits for its commit */
    uint64_t picture_max_ns;
    double commit_error; /* percent of the batches */
    uint64_t crash_every_ns;
    uint64_t down_max_ns;
    uint64_t pause_every_ns; /* UINT64_MAX: never. Some source is paused or, if it is, resumed */
} sim_plan;

/* `event_count` is how many events of the first stream to play, at least; 0: the seed says. */
sim_plan sim_plan_make(uint64_t seed, const sim_sequences *sequences, uint32_t event_count);

/* The same without faults. */
sim_plan sim_plan_without_faults(const sim_plan *plan);

#endif
