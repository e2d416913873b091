/*
 * From an event to the messages that it gives: the one place where it is decided what subscribers are told. The live
 * feed and the catch-up both go through it, so the same events give the same bytes, whoever tells them and when.
 *
 * One thread at a time.
 */
#ifndef SL_TOOLS_TELLER_H
#define SL_TOOLS_TELLER_H

#include "core/err.h"
#include "core/reduce.h"
#include "core/text.h"
#include "tools/symlog/backlog.h"

#include <stdbool.h>

/* Who listens; called in sl_teller_apply. */
typedef struct sl_listener {
    void *ctx;
    void (*message)(void *ctx, const sl_message_view *message); /* in order, each once */
    void (*effect)(void *ctx, const sl_effect *effect);         /* NULL, or: each effect, before its message */
} sl_listener;

typedef struct sl_teller {
    sl_listener listener;
    bool is_compact; /* compact forms are wanted, too */
    /* The newest message: not told yet, for it may be its event's last. */
    sl_text message;
    sl_text compact; /* empty: the same */
    uint64_t event;
    bool has_message;
} sl_teller;

void sl_teller_open(sl_teller *teller, const sl_listener *listener);
void sl_teller_close(sl_teller *teller);

/* Applies the event (sl_reduce) and tells the messages that it gives. SL_ERR_MEMORY: the state is unusable, or a
 * message could not be written. */
sl_err sl_teller_apply(sl_teller *teller, sl_state *state, const sl_event *event);

#endif
