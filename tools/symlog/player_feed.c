/* Items for a player. */
#include "tools/symlog/player_feed.h"

#include "core/schedule.h"
#include "tools/symlog/host.h"

#include <string.h>

void sl_player_feed_open(sl_player_feed *feed, void (*wake)(void *ctx), void *ctx)
{
    *feed = (sl_player_feed){.wake = wake, .ctx = ctx};
    sl_player_queue_open(&feed->queue);
}

void sl_player_feed_close(sl_player_feed *feed)
{
    sl_player_queue_close(&feed->queue);
}

/* What is encoded: the same bytes that a snapshot has. */
static void put_bytes(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

sl_err sl_player_feed_put_whole(sl_player_feed *feed, const sl_state *state)
{
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_schedule_encode(sl_state_schedule(state), put_bytes, &text);
    sl_player_item *item = NULL;
    if (!text.bad) item = sl_player_item_create(SL_PLAYER_WHOLE, sl_state_seq(state), text.length);
    if (item != NULL) memcpy(item->bytes, text.bytes, text.length);
    sl_text_close(&text);
    const sl_err err = item != NULL ? sl_player_queue_put(&feed->queue, item) : SL_ERR_MEMORY;
    feed->has_whole = err == SL_OK;
    return err;
}

sl_err sl_player_feed_put_mixer(sl_player_feed *feed, uint64_t seq, const sl_mixer *mixer)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_MIXER, seq, sizeof *mixer);
    if (item == NULL) return SL_ERR_MEMORY;
    memcpy(item->bytes, mixer, sizeof *mixer);
    return sl_player_queue_put(&feed->queue, item);
}

sl_err sl_player_feed_put_wish(sl_player_feed *feed, uint64_t seq)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_WISH, seq, 0);
    if (item == NULL) return SL_ERR_MEMORY;
    const sl_err err = sl_player_queue_put(&feed->queue, item);
    if (err == SL_OK) feed->wake(feed->ctx);
    return err;
}

/* Passes an item on; without one, or without room for it, the player will have to begin anew. */
static void put(sl_player_feed *feed, sl_player_item *item)
{
    feed->has_whole = feed->has_whole && item != NULL && sl_player_queue_put(&feed->queue, item) == SL_OK;
}

static void put_event(sl_player_feed *feed, const sl_event *event)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_EVENT, event->seq, event->length);
    if (item != NULL) {
        item->event = *event;
        item->event.payload = item->bytes;
        if (event->length > 0) memcpy(item->bytes, event->payload, event->length);
    }
    put(feed, item);
}

static void put_follow(sl_player_feed *feed, uint64_t seq, const sl_follow *follow)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_FOLLOW, seq, follow->bytes_length);
    if (item != NULL) {
        item->follow = *follow;
        item->follow.bytes = item->bytes;
        if (follow->bytes_length > 0) memcpy(item->bytes, follow->bytes, follow->bytes_length);
    }
    put(feed, item);
}

/* True if the whole schedule was wanted. */
static bool renew(sl_player_feed *feed, const sl_state *state)
{
    const bool wants_whole = atomic_exchange(&feed->wants_whole, false);
    if (!wants_whole && feed->has_whole) return false;
    if (sl_player_feed_put_whole(feed, state) == SL_OK) feed->wake(feed->ctx);
    return true;
}

void sl_player_feed_tick(sl_player_feed *feed, const sl_state *state)
{
    if (sl_state_schedule(state) != NULL) (void)renew(feed, state);
}

void sl_player_feed_see(sl_player_feed *feed, const sl_state *state, const sl_event *event)
{
    const sl_follow *follows;
    const size_t count = sl_state_follows(state, &follows);
    const bool is_own =
        event->kind == SL_KIND_SCORE || event->kind == SL_KIND_TRANSPORT || event->kind == SL_KIND_APPLIED;
    if (renew(feed, state)) return;
    if (is_own) put_event(feed, event);
    for (size_t i = 0; i < count; i++) put_follow(feed, event->seq, &follows[i]);
    if (is_own || count > 0) feed->wake(feed->ctx);
}

bool sl_player_feed_is_half_full(sl_player_feed *feed)
{
    return sl_player_queue_is_half_full(&feed->queue);
}

sl_player_item *sl_player_feed_take(sl_player_feed *feed)
{
    return sl_player_queue_take(&feed->queue);
}

void sl_player_feed_ask(sl_player_feed *feed)
{
    atomic_store(&feed->wants_whole, true);
}
