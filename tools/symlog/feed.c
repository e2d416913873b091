/* The WebSocket server, on libwebsockets. */
#include "tools/symlog/door.h"
#include "tools/symlog/feed_internal.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OVERTAKEN_PATIENCE_TICKS = 40, /* for one that does not even take its closing */
    GROUP_US_MAX = 250 * 1000,
    CLOSING_TICK_NS = 20 * 1000 * 1000, /* a closing feed looks that often whether all have left */
};

static void announce(sl_feed *feed);
static void announce_past(sl_feed *feed);
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);
static void on_timer(lws_sorted_usec_list_t *timer);
static void look_after(sl_feed *feed, sl_subscriber *subscriber);

static const struct lws_protocols protocols[] = {
    {
        .name = "symlog",
        .callback = on_event,
        .per_session_data_size = sizeof(sl_subscriber),
        .rx_buffer_size = 4096,
        .tx_packet_size = SL_OUTBOX_PIECE_BYTES,
    },
    {0},
};

sl_err sl_feed_create(sl_feed **out, const sl_feed_owner *owner, const sl_feed_options *options)
{
    sl_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL) return SL_ERR_MEMORY;
    feed->owner = *owner;
    feed->options = *options;
    sl_text_open(&feed->text, sl_host_memory());
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
        .fd_limit_per_thread = SL_FEED_SUBSCRIBERS_MAX + 32,
        .user = feed,
        .ka_time = 30, /* seconds: who vanished without a word is noticed within a minute */
        .ka_probes = 3,
        .ka_interval = 10,
    };
    lws_set_log_level(0, NULL); /* whatever goes wrong is told by the owner */
    if (sl_backlog_create(options->backlog_bytes, owner->head(owner->ctx), &feed->backlog) == SL_OK &&
        sl_framer_create(&feed->shared.framer) == SL_OK)
        feed->context = lws_create_context(&info);
    if (feed->context == NULL) {
        sl_feed_destroy(feed);
        return SL_ERR_MEMORY;
    }
    feed->shared.backlog = feed->backlog;
    feed->shared.catchup = options->catchup;
    feed->timer_due_us = UINT64_MAX;
    sl_feed_tick_within(feed, 0);
    *out = feed;
    return SL_OK;
}

void sl_feed_destroy(sl_feed *feed)
{
    if (feed == NULL) return;
    lws_sul_cancel(&feed->timer);
    if (feed->context != NULL) lws_context_destroy(feed->context);
    assert(feed->first == NULL);
    sl_parcel_leave(feed->whole);
    sl_framer_destroy(feed->shared.framer);
    sl_backlog_destroy(feed->backlog);
    sl_text_close(&feed->text);
    free(feed);
}

sl_err sl_feed_listen(sl_feed *feed, const char *address, uint16_t port)
{
    const struct lws_context_creation_info info = {
        .port = port,
        .iface = address,
        .protocols = protocols,
        .vhost_name = "symlog",
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_VALIDATE_UTF8,
        .ka_time = 30,
        .ka_probes = 3,
        .ka_interval = 10,
        .user = feed,
    };
    feed->vhost = lws_create_vhost(feed->context, &info);
    return feed->vhost != NULL && lws_get_vhost_listen_port(feed->vhost) > 0 ? SL_OK : SL_ERR_IO;
}

uint16_t sl_feed_port(const sl_feed *feed)
{
    return (uint16_t)lws_get_vhost_listen_port(feed->vhost);
}

void sl_feed_wake(sl_feed *feed)
{
    lws_cancel_service(feed->context);
}

void sl_feed_turn(sl_feed *feed)
{
    lws_service(feed->context, 0);
}

void sl_feed_tick_within(sl_feed *feed, uint64_t delay_ns)
{
    const uint64_t delay_us = delay_ns / 1000 + 1;
    const uint64_t due_us = (uint64_t)lws_now_usecs() + delay_us;
    if (due_us >= feed->timer_due_us) return;
    feed->timer_due_us = due_us;
    lws_sul_schedule(feed->context, 0, &feed->timer, on_timer, (lws_usec_t)delay_us);
}

static void on_timer(lws_sorted_usec_list_t *timer)
{
    sl_feed *feed = lws_container_of(timer, sl_feed, timer);
    feed->timer_due_us = UINT64_MAX;
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) look_after(feed, each);
    sl_feed_tick_within(feed, feed->is_closing ? CLOSING_TICK_NS : feed->owner.tick(feed->owner.ctx));
    announce(feed);
}

/* What comes due for one subscriber by time. */
static void look_after(sl_feed *feed, sl_subscriber *subscriber)
{
    const sl_outbox *outbox = &subscriber->outbox;
    const uint64_t now_us = (uint64_t)lws_now_usecs();
    if (outbox->due_us != 0 && outbox->due_us <= now_us) lws_callback_on_writable(subscriber->wsi);
    if (subscriber->has_rest) sl_subscriber_offer_rest(feed, subscriber);
    if (outbox->due_us > now_us) sl_feed_tick_within(feed, (outbox->due_us - now_us) * 1000);
    /* Its socket is full, so it cannot be told; who comes back within the patience is. */
    if (!sl_outbox_is_overtaken(outbox) || ++subscriber->overtaken_ticks != OVERTAKEN_PATIENCE_TICKS) return;
    snprintf(subscriber->why, sizeof subscriber->why, "too slow");
    lws_set_timeout(subscriber->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

void sl_feed_publish(sl_feed *feed, const sl_message_view *message)
{
    if (sl_backlog_append(feed->backlog, message) != SL_OK) {
        /* Too long to be kept; the whole project says it too. */
        for (sl_subscriber *each = feed->first; each != NULL; each = each->next) sl_outbox_restart(&each->outbox);
    }
    feed->has_news = true;
    sl_parcel_leave(feed->whole);
    feed->whole = NULL;
}

bool sl_feed_wants_compact(const sl_feed *feed)
{
    return feed->compact_count > 0;
}

void sl_feed_group(sl_feed *feed, bool begins)
{
    feed->group_end_us = begins ? lws_now_usecs() + GROUP_US_MAX : 0;
}

/* Has everybody served, once after many messages. */
static void announce(sl_feed *feed)
{
    if (!feed->has_news) return;
    const lws_usec_t group_left_us = feed->group_end_us - lws_now_usecs();
    if (group_left_us > 0) {
        sl_feed_tick_within(feed, (uint64_t)group_left_us * 1000);
        return;
    }
    feed->group_end_us = 0;
    feed->has_news = false;
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) lws_callback_on_writable(each->wsi);
}

/* Has those served who go through the past: there may be more of it. */
static void announce_past(sl_feed *feed)
{
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) {
        if (each->outbox.is_resuming) lws_callback_on_writable(each->wsi);
    }
}

void sl_feed_answer(sl_feed *feed, uint64_t number, const char *bytes, size_t length)
{
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) {
        if (each->number != number) continue;
        if (sl_outbox_answer(&each->outbox, bytes, length) != SL_OK) {
            snprintf(each->why, sizeof each->why, "out of memory");
            lws_set_timeout(each->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
        }
        lws_callback_on_writable(each->wsi);
        return;
    }
}

sl_err sl_feed_send_binary(sl_feed *feed, uint64_t number, const uint8_t *bytes, size_t length)
{
    sl_subscriber *each = feed->first;
    while (each != NULL && each->number != number) each = each->next;
    if (each == NULL) return SL_ERR_NOT_FOUND;
    sl_err err = sl_outbox_frame(&each->outbox, bytes, length);
    if (err == SL_OK) lws_callback_on_writable(each->wsi);
    return err;
}

void sl_feed_hear(sl_feed *feed, uint64_t number)
{
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) {
        if (each->number != number || each->is_hearing) continue;
        each->is_hearing = true;
        feed->hearer_count++;
    }
}

size_t sl_feed_hearer_count(const sl_feed *feed)
{
    return feed->hearer_count;
}

void sl_feed_notify(sl_feed *feed, const char *bytes, size_t length)
{
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) {
        if (!each->is_hearing || sl_outbox_notify(&each->outbox, bytes, length) != SL_OK) continue;
        lws_callback_on_writable(each->wsi);
    }
}

void sl_feed_notify_surely(sl_feed *feed, const char *bytes, size_t length)
{
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) {
        if (!each->is_hearing) continue;
        if (sl_outbox_notify_surely(&each->outbox, bytes, length) != SL_OK) each->has_missed = true;
        lws_callback_on_writable(each->wsi);
    }
}

void sl_feed_notify_lightly(sl_feed *feed, uint64_t except, const char *bytes, size_t length)
{
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) {
        if (!each->is_hearing || each->number == except) continue;
        if (sl_outbox_notify_lightly(&each->outbox, bytes, length) == SL_OK) lws_callback_on_writable(each->wsi);
    }
}

void sl_feed_close(sl_feed *feed, unsigned patience_ms)
{
    const lws_usec_t end_us = lws_now_usecs() + (lws_usec_t)patience_ms * 1000;
    feed->is_closing = true;
    sl_feed_tick_within(feed, CLOSING_TICK_NS);
    for (sl_subscriber *each = feed->first; each != NULL; each = each->next) lws_callback_on_writable(each->wsi);
    while (feed->first != NULL && lws_now_usecs() < end_us) lws_service(feed->context, 0);
}

size_t sl_feed_subscriber_count(const sl_feed *feed)
{
    return feed->count;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    sl_feed *feed = lws_context_user(lws_get_context(wsi));
    /* libwebsockets has a hundred reasons; those that are not ours are left to it. */
    switch ((int)reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        feed->owner.woken(feed->owner.ctx);
        announce(feed);
        announce_past(feed);
        return 0;
    case LWS_CALLBACK_HTTP:
        sl_door_turn_away(wsi, "426 Upgrade Required", "this is symlog's WebSocket, no web page");
        return -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return sl_subscriber_admit(feed, wsi);
    case LWS_CALLBACK_ESTABLISHED: return sl_subscriber_joined(feed, wsi, user);
    case LWS_CALLBACK_CLOSED: sl_subscriber_left(feed, user); return 0;
    case LWS_CALLBACK_RECEIVE: return sl_subscriber_received(feed, user, in, length);
    case LWS_CALLBACK_SERVER_WRITEABLE: return sl_subscriber_writable(feed, user);
    default: return lws_callback_http_dummy(wsi, reason, user, in, length);
    }
}
