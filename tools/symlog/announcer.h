/*
 * What the player tells renderers (a page, another program) about what sounds: JSON-RPC notifications `notes`, `beat`,
 * `bar`, `panic`, on their way from the player's thread to the service thread. No log messages: those who lag miss
 * some.
 *
 * The player's thread says, the service thread takes; sl_announcer_set_heard is the service thread's.
 */
#ifndef SL_TOOLS_ANNOUNCER_H
#define SL_TOOLS_ANNOUNCER_H

#include "core/err.h"
#include "core/text.h"
#include "tools/symlog/planner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_ANNOUNCER_COUNT_MAX = 256,        /* that wait; what comes beyond is left out and counted */
    SL_ANNOUNCER_NOTES_BYTES = 16 << 10, /* a batch of notes that is longer is divided */
};

typedef struct sl_announcement {
    struct sl_announcement *next;
    size_t length;
    char bytes[];
} sl_announcement;

typedef struct sl_announcer sl_announcer;

/* `wake` is called in the player's thread when something waits. SL_ERR_MEMORY. */
sl_err sl_announcer_create(sl_announcer **out, void (*wake)(void *ctx), void *ctx);

/* NULL is passed over. */
void sl_announcer_destroy(sl_announcer *announcer);

/* Somebody listens, or nobody: then there is no need to say anything. */
void sl_announcer_set_heard(sl_announcer *announcer, bool is_heard);
bool sl_announcer_is_heard(const sl_announcer *announcer);

/* A beat (and a bar, where one begins), a silence (nothing is said) or a panic, at a time of the wall clock. */
void sl_announcer_say_moment(sl_announcer *announcer, const sl_planned *planned, int64_t time_us);

/* The notes that start or end in from_us <= time < to_us, one after the other; they replace what was said from from_us
 * on. */
void sl_announcer_begin_notes(sl_announcer *announcer, int64_t from_us, int64_t to_us);
void sl_announcer_add_note(sl_announcer *announcer, const sl_planned *planned, int64_t time_us);
void sl_announcer_end_notes(sl_announcer *announcer);

/* All that waits, in order, linked; the caller's, to be freed one by one. NULL: nothing. */
sl_announcement *sl_announcer_take(sl_announcer *announcer);

/* How many were left out. Any thread. */
uint64_t sl_announcer_dropped(const sl_announcer *announcer);

#endif
