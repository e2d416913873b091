/* Who sent: the table of sources. */
#include "core/groove_internal.h"

#include <string.h>

sl_err sl_state_drop_source(sl_state *state, uint32_t index)
{
    sl_source_state *gone = state->sources[index];
    sl_err err = sl_turn_close(state, gone);
    if (err != SL_OK) return err;
    sl_groove_forget(state, gone->source.number);
    sl_run_clear(state, &gone->run);
    sl_pool_give(&state->pool, gone, sizeof *gone);
    state->source_count--;
    memmove(&state->sources[index], &state->sources[index + 1],
            (state->source_count - index) * sizeof(sl_source_state *));
    return SL_OK;
}

/* The longest silent source gives way to a new one. Its number is not used again. */
static sl_err drop_silent_source(sl_state *state)
{
    uint32_t silent = 0;
    for (uint32_t i = 1; i < state->source_count; i++)
        if (state->sources[i]->seq_last < state->sources[silent]->seq_last) silent = i;
    return sl_state_drop_source(state, silent);
}

/* The source of an event, made if it is new (an event of a source that nothing named is taken all the same). */
sl_err sl_state_find_sender(sl_state *state, const sl_event *event)
{
    uint32_t at = 0;
    while (at < state->source_count && state->sources[at]->source.number < event->source) at++;
    if (at == state->source_count || state->sources[at]->source.number != event->source) {
        if (state->source_count == SL_SOURCES_MAX) {
            sl_err err = drop_silent_source(state);
            return err == SL_OK ? sl_state_find_sender(state, event) : err;
        }
        sl_source_state *made = sl_pool_take(&state->pool, sizeof *made);
        if (made == NULL) return SL_ERR_MEMORY;
        memset(made, 0, sizeof *made);
        made->source.number = event->source;
        made->source.session = event->session;
        made->source.counts.source = event->source;
        memmove(&state->sources[at + 1], &state->sources[at], (state->source_count - at) * sizeof(sl_source_state *));
        state->sources[at] = made;
        state->source_count++;
        if (event->source >= state->source_next && event->source < UINT32_MAX) state->source_next = event->source + 1;
    }
    state->sender = state->sources[at];
    state->sender->seq_last = event->seq;
    return SL_OK;
}
