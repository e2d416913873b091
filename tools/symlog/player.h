/*
 * The player without sound: a thread that knows musical time. It sends notes to a MIDI output when they are due, tells
 * renderers what comes, and says in the log (`applied`) from which frame on it counts what is new (planner.h); unless
 * one with sound does (sound_child.h), which it then follows. Where nothing plays it sleeps.
 *
 * Threads: created, fed (sl_player_see), asked and destroyed by the service thread.
 */
#ifndef SL_TOOLS_PLAYER_H
#define SL_TOOLS_PLAYER_H

#include "core/err.h"
#include "core/reduce.h"
#include "core/sink.h"
#include "tools/symlog/announcer.h"
#include "tools/symlog/notes_out.h"
#include "tools/symlog/player_clock.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_player sl_player;

typedef struct sl_player_options {
    const sl_state *state;   /* after the log's last event; read by sl_player_start only */
    uint64_t start_ns;       /* sl_clock_boot_ns at which time_ns is 0 */
    sl_sink sink;            /* where its marks go; must stay until sl_player_stop */
    sl_notes_out *out;       /* NULL: no MIDI; else it must outlive the player */
    sl_announcer *announcer; /* likewise: where renderers hear of it */
} sl_player_options;

/* Starts the thread. The options are copied. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_player_start(sl_player **out, const sl_player_options *options);

/* Tells it what an event did to the schedule; right after sl_reduce. Never waits: where its queue is full, it begins
 * anew with the whole schedule, at the next event or sl_player_tick. */
void sl_player_see(sl_player *player, const sl_state *state, const sl_event *event);

/* Gives it the whole schedule, if it wants it; now and then, for there may be no event for long. */
void sl_player_tick(sl_player *player, const sl_state *state);

/* The frame that is now. Any thread. */
uint64_t sl_player_now(sl_player *player);

/* The clock as it is. Any thread, and so are the next three. */
sl_clock_anchor sl_player_anchor(sl_player *player);

/* Another player says from now on when what is new counts, and this one follows: it puts no more marks, and its clock
 * goes as that one's says. Returns when its last mark is on its way. */
void sl_player_follow(sl_player *player);
void sl_player_set_clock(sl_player *player, const sl_clock_anchor *anchor);

/* The other one has gone: this one leads again, and says so in the log. */
void sl_player_lead(sl_player *player);

/* Lets go what sounds and ends the thread. NULL is passed over. */
void sl_player_stop(sl_player *player);

#endif
