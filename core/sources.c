/* Who sent: the table of sources, and the holes in their numbers. */
#include "core/state.h"

#include <string.h>

/* The longest silent source gives way to a new one. Its number is not used again. */
static void drop_silent_source(sl_state *state)
{
    uint32_t silent = 0;
    for (uint32_t i = 1; i < state->source_count; i++)
        if (state->sources[i]->seq_last < state->sources[silent]->seq_last) silent = i;
    sl_source_state *gone = state->sources[silent];
    sl_run_clear(state, &gone->run);
    sl_hold_clear(state, &gone->hold);
    sl_pool_give(&state->pool, gone, sizeof *gone);
    state->source_count--;
    memmove(&state->sources[silent], &state->sources[silent + 1],
            (state->source_count - silent) * sizeof(sl_source_state *));
}

/* The source of an event, made if it is new (an event of a source that nothing named is taken all the same). */
sl_err sl_state_find_sender(sl_state *state, const sl_event *event)
{
    uint32_t at = 0;
    while (at < state->source_count && state->sources[at]->source.number < event->source) at++;
    if (at == state->source_count || state->sources[at]->source.number != event->source) {
        if (state->source_count == SL_SOURCES_MAX) {
            drop_silent_source(state);
            return sl_state_find_sender(state, event);
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

int64_t sl_state_number_distance(uint64_t number, uint64_t next)
{
    if (number <= UINT32_MAX && next <= UINT32_MAX) return (int32_t)(uint32_t)(number - next);
    return (int64_t)(number - next);
}

uint64_t sl_state_number_after(uint64_t number, uint64_t count)
{
    return number <= UINT32_MAX ? (number + count) & UINT32_MAX : number + count;
}

/* Counts holes in the sender's numbers. `count` numbers begin with event->source_seq. */
void sl_state_count_numbers(sl_source_state *sender, const sl_event *event, uint64_t count)
{
    sl_source *source = &sender->source;
    if (event->source_seq == SL_SOURCE_SEQ_NONE) {
        source->unnumbered_count++;
        return;
    }
    int64_t ahead = sender->has_number ? sl_state_number_distance(event->source_seq, source->next_source_seq) : 0;
    if (ahead > 0) {
        source->gaps++;
        source->gap_size_total += (uint64_t)ahead;
    }
    if (ahead < 0) return;
    sender->has_number = true;
    source->next_source_seq = sl_state_number_after(event->source_seq, count);
}
