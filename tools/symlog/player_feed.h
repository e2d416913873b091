/*
 * How a player is told what the log has: from whoever reduces events, by a bounded queue of items, to the player's
 * thread.
 *
 * Two threads: one that reduces (see, tick, put), one that plays (take, ask).
 */
#ifndef SL_TOOLS_PLAYER_FEED_H
#define SL_TOOLS_PLAYER_FEED_H

#include "core/mixer.h"
#include "core/reduce.h"
#include "tools/symlog/player_queue.h"

#include <stdatomic.h>

typedef struct sl_player_feed {
    void (*wake)(void *ctx); /* Immutable, as the next: something is there; the reducing thread calls it. */
    void *ctx;
    sl_player_queue queue;
    atomic_bool wants_whole;
    bool has_whole; /* Reducing thread: the player has had a whole schedule, and all that came after it. */
} sl_player_feed;

void sl_player_feed_open(sl_player_feed *feed, void (*wake)(void *ctx), void *ctx);
void sl_player_feed_close(sl_player_feed *feed);

/* Tells what an event did to the schedule, which is there; right after sl_reduce. Never waits: where there is no room,
 * it begins anew with the whole schedule, at the next call of this or of tick. */
void sl_player_feed_see(sl_player_feed *feed, const sl_state *state, const sl_event *event);

/* Gives the whole schedule, if it is wanted and there is one; now and then, for there may be no event for long. */
void sl_player_feed_tick(sl_player_feed *feed, const sl_state *state);

/* SL_ERR_MEMORY, SL_ERR_FULL. */
sl_err sl_player_feed_put_whole(sl_player_feed *feed, const sl_state *state);
sl_err sl_player_feed_put_mixer(sl_player_feed *feed, uint64_t seq, const sl_mixer *mixer);
sl_err sl_player_feed_put_wish(sl_player_feed *feed, uint64_t seq);

/* Half of its room, or more, is taken: who must not lose anything waits. */
bool sl_player_feed_is_half_full(sl_player_feed *feed);

/* All that waits, in order, linked; the player's. NULL: nothing. */
sl_player_item *sl_player_feed_take(sl_player_feed *feed);

/* The player lost its schedule. */
void sl_player_feed_ask(sl_player_feed *feed);

#endif
