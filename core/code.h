/*
 * Live code in the state: its events are taken, and its session stands in the tree: session -> code_tracks ->
 * code_clips. A log without live code has neither: schedule and session are NULL. For the reducer's files
 * (core/state.h).
 */
#ifndef SL_CORE_CODE_H
#define SL_CORE_CODE_H

#include "core/buffers.h"
#include "core/groove_internal.h"
#include "core/schedule.h"
#include "core/state.h"

/* A text that the state keeps: buffer and source stand behind it. */
struct sl_kept_code {
    sl_kept_code *next;
    sl_code_text text;
    char bytes[];
};

/* Takes a score, transport or applied event. What cannot be applied is counted. */
sl_err sl_code_take(sl_state *state, const sl_event *event);

/* The schedule takes what another input says, as of the present event, and the state tells it. */
sl_err sl_code_give(sl_state *state, sl_follow follow);

/* Live said another tempo, or play or stop (`attribute` of the project): if there is a schedule, it follows. */
sl_err sl_code_follow(sl_state *state, sl_attribute attribute, sl_value value);

/* A picture has replaced the tree: the session stands in the new one as it did in state->former. */
sl_err sl_code_carry(sl_state *state);

/* Reads what sl_schedule_encode wrote; then, when the tree is there, finds the session in it. SL_ERR_MALFORMED: there
 * is none, or it is not the schedule's. */
sl_err sl_code_load(sl_state *state, sl_reader *reader);
sl_err sl_code_find_session(sl_state *state);

/* code_groove.c */

/* The groove becomes what is planned, which stands in groove->next: what that changes for the schedule, it is given.
 * The words play, stop and bpm= count even where nothing changes; what a FULL says only where it does. */
sl_err sl_code_follow_groove(sl_state *state, const sl_groove_plan *plan);

/* What a schedule that is made now begins with: the tempo, and the groove's lanes, waiting since the event that changed
 * them last. */
double sl_code_first_bpm(const sl_state *state);
sl_err sl_code_begin_groove(sl_state *state);

/* buffers.c */

/* Takes a code event: it waits for its answer. */
sl_err sl_buffers_take_code(sl_state *state, const sl_event *event);

/* The answer to the code event of that number has come, if one waits. */
void sl_buffers_answer(sl_state *state, uint64_t code_seq, bool is_accepted);

/* True if there is anything to encode; its bytes: i64 mark_wall_ns · the pending · the buffers, each list u32 count and
 * count x (u64 seq · u32 source · u8 quantize · u8 language · u32 buffer_length · u32 source_length · both). */
bool sl_buffers_is_any(const sl_state *state);
void sl_buffers_encode(const sl_state *state, sl_state_put put, void *ctx);
sl_err sl_buffers_decode(sl_state *state, sl_reader *reader);

void sl_buffers_close(sl_state *state);
size_t sl_buffers_size_bytes(const sl_state *state);

#endif
