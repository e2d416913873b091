/*
 * How the sound process follows the log: it reads what was committed, reduces it, and tells the player's thread what
 * sounds. With each mark goes the mixer as it was just before it.
 *
 * One thread.
 */
#ifndef SL_TOOLS_SOUND_FOLLOWER_H
#define SL_TOOLS_SOUND_FOLLOWER_H

#include "core/mixer.h"
#include "store/log.h"
#include "tools/symlog/player_feed.h"

typedef struct sl_sound_follower {
    sl_log_reader *reader;
    sl_state *state;
    sl_player_feed *feed;
    sl_mixer last; /* what was told, or wished for, last */
    sl_mixer now;
} sl_sound_follower;

/* `state` is after some event of the log, and the follower's from now on; `feed` must outlive it. Tells the schedule
 * that is there. SL_ERR_IO, SL_ERR_MEMORY: the state was destroyed. */
sl_err sl_sound_follower_open(sl_sound_follower *follower, sl_log *log, sl_state *state, sl_player_feed *feed);
void sl_sound_follower_close(sl_sound_follower *follower);

/* Takes what the log has. Where the player is far behind it waits. Errors of sl_log_read and sl_reduce: it can only be
 * closed. */
sl_err sl_sound_follower_follow(sl_sound_follower *follower);

#endif
