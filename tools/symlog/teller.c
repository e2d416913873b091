/* What subscribers are told of an event. */
#include "tools/symlog/teller.h"

#include "core/message.h"
#include "tools/symlog/host.h"

static void on_effect(void *ctx, const sl_state *state, const sl_effect *effect);
static void tell(sl_teller *teller, bool is_last);

void sl_teller_open(sl_teller *teller, const sl_listener *listener)
{
    *teller = (sl_teller){.listener = *listener};
    sl_text_open(&teller->message, sl_host_memory());
    sl_text_open(&teller->compact, sl_host_memory());
}

void sl_teller_close(sl_teller *teller)
{
    sl_text_close(&teller->message);
    sl_text_close(&teller->compact);
}

sl_err sl_teller_apply(sl_teller *teller, sl_state *state, const sl_event *event)
{
    const sl_output output = {.tell = on_effect, .ctx = teller};
    teller->event = event->seq;
    sl_err err = sl_reduce(state, event, &output);
    if (err != SL_OK) return err;
    tell(teller, true);
    return teller->message.bad || teller->compact.bad ? SL_ERR_MEMORY : SL_OK;
}

/* An effect's message waits until it is known whether another follows. */
static void on_effect(void *ctx, const sl_state *state, const sl_effect *effect)
{
    sl_teller *teller = ctx;
    if (teller->listener.effect != NULL) teller->listener.effect(teller->listener.ctx, effect);
    if (!sl_message_is_told(state, effect)) return;
    tell(teller, false);
    sl_message_effect(&teller->message, state, effect);
    if (teller->is_compact) (void)sl_message_effect_compact(&teller->compact, effect);
    teller->has_message = true;
}

/* Hands the message that waits on, if there is one. */
static void tell(sl_teller *teller, bool is_last)
{
    if (!teller->has_message) return;
    const uint64_t seq = is_last ? teller->event : 0;
    const bool has_compact = teller->compact.length > 0;
    sl_message_close(&teller->message, seq);
    if (has_compact) sl_message_close(&teller->compact, seq);
    if (teller->message.bad || teller->compact.bad) return;
    const sl_message_view view = {
        .bytes = teller->message.bytes,
        .length = teller->message.length,
        .compact = has_compact ? teller->compact.bytes : NULL,
        .compact_length = teller->compact.length,
        .event = teller->event,
        .is_last = is_last,
    };
    teller->listener.message(teller->listener.ctx, &view);
    teller->has_message = false;
    sl_text_clear(&teller->message);
    sl_text_clear(&teller->compact);
}
