/*
 * The numbers of one run of a sender as they arrive: which were seen, and with which bytes (among the last
 * SL_ARRIVALS_WINDOW); which are missing; when to ask for those again, and when to give them up. Pure bookkeeping, for
 * a simulator to drive: no thread, no clock, no socket. Times are nanoseconds of any clock that only goes forward.
 *
 *     seen seen  ?  seen  ?   ?  seen │ next
 *               hole     hole         │
 *
 * What lies more than SL_ARRIVALS_WINDOW below `next` is no longer asked for: it is overdue at once. From the lowest
 * hole to `next` it is less than 2^31, so that all numbers between them have an order (core/number.h).
 */
#ifndef SL_INGEST_ARRIVALS_H
#define SL_INGEST_ARRIVALS_H

#include "core/reduce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_ARRIVALS_WINDOW = 4096,
    SL_ARRIVALS_BACK_MAX = 64,     /* a number further back than this may be a new run's */
    SL_ARRIVALS_MAX = 2048,        /* every other number of the window */
    SL_ARRIVALS_ASK_NUMBERS = 256, /* asked for in one round: what comes back must not overrun the socket */
};

#define SL_ARRIVALS_ASK_EVERY_NS UINT64_C(20000000)
#define SL_ARRIVALS_PATIENCE_NS UINT64_C(1000000000)     /* with a sender that answers resend requests */
#define SL_ARRIVALS_PATIENCE_MUTE_NS UINT64_C(100000000) /* with any other: for what comes late by itself */

/* What is known of a datagram's numbers. */
typedef enum sl_arrival {
    SL_ARRIVAL_NEW,      /* one of them at least was not seen */
    SL_ARRIVAL_SAME,     /* all were seen, with the same bytes */
    SL_ARRIVAL_RESTORED, /* all were seen, some before a restart: nobody knows the bytes */
    SL_ARRIVAL_OTHER     /* one of them was seen with other bytes */
} sl_arrival;

typedef enum sl_seen { SL_SEEN_NOT = 0, SL_SEEN, SL_SEEN_BEFORE_RESTART } sl_seen;

/* A number that was seen. */
typedef struct sl_arrived {
    uint64_t number;
    uint32_t checksum; /* of the datagram, if it was SL_SEEN */
    uint8_t seen;      /* an sl_seen */
} sl_arrived;

typedef struct sl_open_hole {
    uint64_t first;
    uint64_t count;
    uint64_t opened_ns; /* 0: overdue, whatever the time */
    uint64_t ask_ns;    /* when to ask for it, again */
} sl_open_hole;

typedef struct sl_arrivals {
    bool is_begun;         /* a number of this run is known */
    uint64_t next;         /* the one after the highest known */
    uint32_t ask_left;     /* numbers that may still be asked for in this round … */
    uint64_t ask_round_ns; /* … which began then */
    uint32_t open_count;
    sl_open_hole open[SL_ARRIVALS_MAX];  /* by number, and so by age */
    sl_arrived seen[SL_ARRIVALS_WINDOW]; /* a number stands at its low bits */
} sl_arrivals;

/* Forgets everything: a new run. */
void sl_arrivals_reset(sl_arrivals *arrivals);

/* The run's first number will be `first`. */
void sl_arrivals_begin(sl_arrivals *arrivals, uint64_t first);

/* A run of before a restart: `count` holes below `next`, everything else in the window seen. */
void sl_arrivals_restore(sl_arrivals *arrivals, uint64_t next, const sl_hole *open, size_t count, uint64_t now_ns);

/* What is known of the numbers first … first+count-1. Changes nothing. */
sl_arrival sl_arrivals_compare(const sl_arrivals *arrivals, uint64_t first, uint32_t count, uint32_t checksum);

/* True if `number` lies more than SL_ARRIVALS_BACK_MAX below the highest seen. */
bool sl_arrivals_is_far_back(const sl_arrivals *arrivals, uint64_t number);

/* True if `end`, the number after the last of a datagram or the one that a heartbeat tells, lies above all that is
 * known, and so far above the lowest hole that nobody can tell it from one below: such numbers are neither taken nor
 * heard of. */
bool sl_arrivals_is_too_far(const sl_arrivals *arrivals, uint64_t end);

/* True if `number` is missing, and not given up. */
bool sl_arrivals_is_open(const sl_arrivals *arrivals, uint64_t number);

/* The numbers first … first+count-1 have arrived, in one datagram: fills holes, and opens one before them if they are
 * not the next. The run must have begun (asserted), and they must not be too far. */
void sl_arrivals_take(sl_arrivals *arrivals, uint64_t first, uint32_t count, uint32_t checksum, uint64_t now_ns);

/* The sender says that its next number is `next`: what it has sent before, and nobody saw, is missing. */
void sl_arrivals_hear(sl_arrivals *arrivals, uint64_t next, uint64_t now_ns);

/* True if a hole has been open for `patience_ns`, or lies below the window; *through is then the last number to give
 * up. */
bool sl_arrivals_overdue(const sl_arrivals *arrivals, uint64_t patience_ns, uint64_t now_ns, uint64_t *through);

/* The numbers up to `through` are given up. */
void sl_arrivals_close(sl_arrivals *arrivals, uint64_t through);

/* Makes every open hole overdue. */
void sl_arrivals_expire(sl_arrivals *arrivals);

/* The holes to ask for now, lowest first, at most `max`; call it until it returns 0. Of a hole that is longer than the
 * round allows, the beginning. */
size_t sl_arrivals_ask(sl_arrivals *arrivals, uint64_t now_ns, sl_hole *out, size_t max);

/* When sl_arrivals_overdue or (`is_asking`) sl_arrivals_ask will next have something to say; UINT64_MAX: never. */
uint64_t sl_arrivals_due_ns(const sl_arrivals *arrivals, uint64_t patience_ns, bool is_asking);

/* True if no number up to `through` is waited for. */
bool sl_arrivals_are_settled(const sl_arrivals *arrivals, uint64_t through);

#endif
