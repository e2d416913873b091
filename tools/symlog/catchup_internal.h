/* What catchup.c (seekers, as the service sees them) and catchup_run.c (the thread) share. */
#ifndef SL_TOOLS_CATCHUP_INTERNAL_H
#define SL_TOOLS_CATCHUP_INTERNAL_H

#include "tools/symlog/catchup.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum sl_seeker_place {
    PLACE_QUEUE,  /* waits for a run */
    PLACE_RUN,    /* is part of the present one */
    PLACE_NOWHERE /* has what it asked for, or was left behind: asks again if it wants more */
} sl_seeker_place;

/* Everything but the constants is under the catch-up's lock. */
struct sl_seeker {
    sl_catchup *catchup; /* Immutable. */
    bool is_compact;     /* Immutable. */
    sl_seeker *next;
    sl_seeker_place place;
    bool has_failed;
    uint64_t through;                   /* events up to this one have been put into its chunks, or are not wanted */
    uint64_t patience_ns;               /* how long the run still waits for it */
    sl_chunk *chunks[SL_SEEKER_CHUNKS]; /* a ring, oldest at `begin` */
    size_t begin;
    size_t count;
    char why[SL_SEEKER_WHY_BYTES];
};

struct sl_catchup {
    sl_catchup_options options; /* Immutable. */
    pthread_t thread;
    atomic_uint_fast64_t head;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a seeker came, left, or has room; or the end */
    sl_seeker *first;       /* under the lock, as is the next */
    atomic_bool is_stopping;
};

/* The thread: serves who is in the queue, run after run, until is_stopping. */
void *sl_catchup_main(void *catchup);

#endif
