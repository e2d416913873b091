/*
 * Live code in the state: its events are taken, and its session stands in the tree: session -> code_tracks ->
 * code_clips. A log without live code has neither: schedule and session are NULL. For the reducer's files
 * (core/state.h).
 */
#ifndef SL_CORE_CODE_H
#define SL_CORE_CODE_H

#include "core/schedule.h"
#include "core/state.h"

/* Takes a code, score, transport or applied event. What cannot be applied is counted. */
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

#endif
