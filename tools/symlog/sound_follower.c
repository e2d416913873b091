/* Following the log. */
#include "tools/symlog/sound_follower.h"

#include "tools/symlog/host.h"

#include <time.h>

enum { WAIT_NS = 1000000 };

sl_err sl_sound_follower_open(sl_sound_follower *follower, sl_log *log, sl_state *state, sl_player_feed *feed)
{
    *follower = (sl_sound_follower){.state = state, .feed = feed};
    sl_err err = sl_log_reader_open(log, sl_state_seq(state) + 1, &follower->reader);
    sl_mixer_read(state, &follower->last);
    if (err == SL_OK && sl_state_schedule(state) != NULL) err = sl_player_feed_put_whole(feed, state);
    if (err != SL_OK) sl_sound_follower_close(follower);
    return err;
}

void sl_sound_follower_close(sl_sound_follower *follower)
{
    if (follower->reader != NULL) sl_log_reader_close(follower->reader);
    if (follower->state != NULL) sl_state_destroy(follower->state);
    follower->reader = NULL;
    follower->state = NULL;
}

/* The player's queue is bounded, and what does not fit would be lost. */
static void wait_for_room(const sl_sound_follower *follower)
{
    while (sl_player_feed_is_half_full(follower->feed)) nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
}

static sl_err take(sl_sound_follower *follower, const sl_event *event)
{
    sl_err err = SL_OK;
    wait_for_room(follower);
    if (event->kind == SL_KIND_APPLIED) {
        sl_mixer_read(follower->state, &follower->last);
        err = sl_player_feed_put_mixer(follower->feed, event->seq, &follower->last);
    }
    if (err == SL_OK) err = sl_reduce(follower->state, event, NULL);
    if (err == SL_OK && sl_state_schedule(follower->state) != NULL)
        sl_player_feed_see(follower->feed, follower->state, event);
    return err;
}

sl_err sl_sound_follower_follow(sl_sound_follower *follower)
{
    sl_event event;
    sl_err err;
    while ((err = sl_log_read(follower->reader, &event)) == SL_OK) {
        err = take(follower, &event);
        if (err != SL_OK) return err;
    }
    if (err != SL_ERR_END) return err;
    if (sl_state_schedule(follower->state) == NULL) return SL_OK;
    sl_mixer_read(follower->state, &follower->now);
    if (sl_mixer_equal(&follower->now, &follower->last)) return SL_OK;
    follower->last = follower->now;
    return sl_player_feed_put_wish(follower->feed, sl_state_seq(follower->state));
}
