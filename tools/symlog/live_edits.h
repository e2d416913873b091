/*
 * Edits of live code on their way: from the wish of a client, through the `code` event, its evaluation and its `score`
 * or refusal, to the beat at which the player lets it be heard; and then the client is answered. Files that are watched
 * go the same way, and nobody is answered.
 *
 * The service thread's.
 */
#ifndef SL_TOOLS_LIVE_EDITS_H
#define SL_TOOLS_LIVE_EDITS_H

#include "core/reduce.h"
#include "core/sink.h"
#include "tools/symlog/question.h"

#include <stdint.h>

enum {
    SL_LIVE_EDITS_MAX = 48,               /* that somebody waits for; the state keeps a few more */
    SL_LIVE_EDITS_PATIENCE_NS = 500000000 /* for the player's mark; then the answer tells no beat */
};

typedef struct sl_live_edits sl_live_edits;

typedef struct sl_live_edits_options {
    const sl_state *state;
    uint64_t start_ns; /* sl_clock_boot_ns at which the log's time is 0 */
    void *ctx;
    /* Answers an SL_QUESTION_EVAL: {success, error?, changed, at_beat, seq, printed?}. The text stays the caller's. */
    void (*answer)(void *ctx, const sl_answer *answer);
    /* An edit was refused, whoever made it: the notification `evalError`; before the answer. */
    void (*tell_error)(void *ctx, const char *notification, size_t length);
    /* Any thread: a file that is watched could not be read. */
    void (*tell_unread)(void *ctx, const char *path, const char *why);
} sl_live_edits_options;

/* SL_ERR_MEMORY. */
sl_err sl_live_edits_create(sl_live_edits **out, const sl_live_edits_options *options);
void sl_live_edits_destroy(sl_live_edits *edits);

/* From now on edits are put into `sink` and evaluated; those that the last serve left first. SL_ERR_MEMORY, SL_ERR_IO.
 */
sl_err sl_live_edits_start(sl_live_edits *edits, sl_sink sink);

/* No longer: breaks off what is being evaluated, and watches no file any more. */
void sl_live_edits_stop(sl_live_edits *edits);

/* Watches a file of live code, or no longer. As sl_code_watch_add and _remove; errmsg says what is wrong. */
sl_err sl_live_edits_watch(sl_live_edits *edits, const char *path, bool is_wanted, char errmsg[256]);

/* Takes an SL_QUESTION_EVAL. SL_ERR_FULL: too many wait; SL_ERR_MEMORY. */
sl_err sl_live_edits_ask(sl_live_edits *edits, const sl_question *question);

/* What an event does to the tree, while it is applied. */
void sl_live_edits_note(sl_live_edits *edits, const sl_effect *effect);

/* An event has been applied. */
void sl_live_edits_see(sl_live_edits *edits, const sl_event *event, uint64_t now_ns);

/* Gives the evaluator what is next, and answers those that have waited long enough. Returns when it wants to be called
 * again, sl_clock_boot_ns; UINT64_MAX: after the next event. */
uint64_t sl_live_edits_tick(sl_live_edits *edits, uint64_t now_ns);

#endif
