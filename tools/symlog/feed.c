/* The WebSocket server, on libwebsockets. */
#include "tools/symlog/feed.h"

#include "tools/symlog/backlog.h"
#include "tools/symlog/door.h"
#include "tools/symlog/host.h"
#include "tools/symlog/outbox.h"

#include <assert.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    TURN_BYTES_MAX = 256 << 10, /* to one subscriber before the others have their turn */
    TURN_PIECES_MAX = 1024,     /* likewise */
    SOCKET_BUFFER_BYTES = 128 << 10,
    OVERTAKEN_PATIENCE_TICKS = 40, /* for one that does not even take its closing */
    GROUP_US_MAX = 250 * 1000,
    CLOSING_TICK_NS = 20 * 1000 * 1000, /* a closing feed looks that often whether all have left */
};

_Static_assert(SL_BACKLOG_ROOM >= LWS_PRE, "a frame's header is written in front of its payload");

/* libwebsockets makes one, zeroed, for each connection, and frees it after CLOSED. */
typedef struct subscriber {
    struct subscriber *next;
    struct lws *wsi;
    uint64_t number;
    char peer[SL_FEED_PEER_BYTES];
    sl_outbox outbox;
    char *received; /* the fragments of a message so far; NULL between messages */
    size_t received_length;
    unsigned overtaken_ticks;
    bool is_stopped; /* its socket is not read, because too many answers wait */
    char why[64];    /* it was closed by us */
} subscriber;

struct sl_feed {
    sl_feed_owner owner;
    const sl_access *access;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t timer;
    uint64_t timer_due_us;
    sl_backlog *backlog;
    subscriber *first;
    size_t count;
    uint64_t last_number;
    bool is_closing;
    bool has_news;           /* published and not yet announced */
    lws_usec_t group_end_us; /* until then nothing is announced; 0: no group is open */
    sl_whole *whole;         /* for everybody who joins before the next message; NULL: to be made */
    sl_text text;            /* the whole, being written */
    uint8_t scratch[SL_BACKLOG_ROOM + SL_OUTBOX_PIECE_BYTES];
};

static void announce(sl_feed *feed);
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);
static void on_timer(lws_sorted_usec_list_t *timer);
static int admit(sl_feed *feed, struct lws *wsi);
static int on_joined(sl_feed *feed, struct lws *wsi, subscriber *subscriber);
static void on_left(sl_feed *feed, subscriber *subscriber);
static int on_received(sl_feed *feed, subscriber *subscriber, const char *bytes, size_t length);
static int on_writable(sl_feed *feed, subscriber *subscriber);
static bool give_whole(sl_feed *feed, subscriber *subscriber);
static int close_overtaken(subscriber *subscriber);
static int close_at_end(subscriber *subscriber);

static const struct lws_protocols protocols[] = {
    {
        .name = "symlog",
        .callback = on_event,
        .per_session_data_size = sizeof(subscriber),
        .rx_buffer_size = 4096,
        .tx_packet_size = SL_OUTBOX_PIECE_BYTES,
    },
    {0},
};

sl_err sl_feed_create(sl_feed **out, const sl_feed_owner *owner, const sl_access *access)
{
    sl_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL) return SL_ERR_MEMORY;
    feed->owner = *owner;
    feed->access = access;
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
    if (sl_backlog_create(SL_FEED_BACKLOG_BYTES, &feed->backlog) == SL_OK) feed->context = lws_create_context(&info);
    if (feed->context == NULL) {
        sl_feed_destroy(feed);
        return SL_ERR_MEMORY;
    }
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
    sl_whole_leave(feed->whole);
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
    for (subscriber *each = feed->first; each != NULL; each = each->next) {
        /* Its socket is full, so it cannot be told; who comes back within the patience is. */
        if (!sl_outbox_is_overtaken(&each->outbox) || ++each->overtaken_ticks != OVERTAKEN_PATIENCE_TICKS) continue;
        snprintf(each->why, sizeof each->why, "too slow");
        lws_set_timeout(each->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    }
    sl_feed_tick_within(feed, feed->is_closing ? CLOSING_TICK_NS : feed->owner.tick(feed->owner.ctx));
    announce(feed);
}

void sl_feed_publish(sl_feed *feed, const sl_text *message, uint64_t seq)
{
    if (sl_backlog_append(feed->backlog, message->bytes, message->length, seq) != SL_OK) {
        /* Too long to be kept; the whole project says it too. */
        for (subscriber *each = feed->first; each != NULL; each = each->next) sl_outbox_restart(&each->outbox);
    }
    feed->has_news = true;
    sl_whole_leave(feed->whole);
    feed->whole = NULL;
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
    for (subscriber *each = feed->first; each != NULL; each = each->next) lws_callback_on_writable(each->wsi);
}

void sl_feed_answer(sl_feed *feed, uint64_t number, const char *bytes, size_t length)
{
    for (subscriber *each = feed->first; each != NULL; each = each->next) {
        if (each->number != number) continue;
        if (sl_outbox_answer(&each->outbox, bytes, length) != SL_OK) {
            snprintf(each->why, sizeof each->why, "out of memory");
            lws_set_timeout(each->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
        }
        lws_callback_on_writable(each->wsi);
        return;
    }
}

void sl_feed_close(sl_feed *feed, unsigned patience_ms)
{
    const lws_usec_t end_us = lws_now_usecs() + (lws_usec_t)patience_ms * 1000;
    feed->is_closing = true;
    sl_feed_tick_within(feed, CLOSING_TICK_NS);
    for (subscriber *each = feed->first; each != NULL; each = each->next) lws_callback_on_writable(each->wsi);
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
        return 0;
    case LWS_CALLBACK_HTTP:
        sl_door_turn_away(wsi, "426 Upgrade Required", "this is symlog's WebSocket, no web page");
        return -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return admit(feed, wsi);
    case LWS_CALLBACK_ESTABLISHED: return on_joined(feed, wsi, user);
    case LWS_CALLBACK_CLOSED: on_left(feed, user); return 0;
    case LWS_CALLBACK_RECEIVE: return on_received(feed, user, in, length);
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(feed, user);
    default: return lws_callback_http_dummy(wsi, reason, user, in, length);
    }
}

/* Lets a connection in (0), or answers with why not. */
static int admit(sl_feed *feed, struct lws *wsi)
{
    const char *why = NULL;
    if (feed->is_closing || feed->count >= SL_FEED_SUBSCRIBERS_MAX) {
        why = feed->is_closing ? "symlog stops" : "there are too many subscribers";
        sl_door_turn_away(wsi, "503 Service Unavailable", why);
    } else {
        why = sl_door_judge(wsi, feed->access);
    }
    if (why == NULL) return 0;
    char peer[SL_FEED_PEER_BYTES] = "";
    lws_get_peer_simple(wsi, peer, sizeof peer);
    feed->owner.refused(feed->owner.ctx, peer, why);
    return -1;
}

static int on_joined(sl_feed *feed, struct lws *wsi, subscriber *subscriber)
{
    const int size = SOCKET_BUFFER_BYTES; /* the default lets megabytes pile up where nobody can take them back */
    (void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    struct sockaddr_in from = {0};
    socklen_t from_size = sizeof from;
    char address[SL_FEED_PEER_BYTES / 2] = "?";
    (void)getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)(void *)&from, &from_size);
    lws_get_peer_simple(wsi, address, sizeof address);
    snprintf(subscriber->peer, sizeof subscriber->peer, "%s:%u", address, (unsigned)ntohs(from.sin_port));
    subscriber->wsi = wsi;
    subscriber->number = ++feed->last_number;
    sl_outbox_open(&subscriber->outbox, feed->backlog);
    subscriber->next = feed->first;
    feed->first = subscriber;
    feed->count++;
    feed->owner.joined(feed->owner.ctx, subscriber->number, subscriber->peer);
    lws_callback_on_writable(wsi);
    return 0;
}

static void on_left(sl_feed *feed, subscriber *subscriber)
{
    struct subscriber **link = &feed->first;
    while (*link != NULL && *link != subscriber) link = &(*link)->next;
    if (*link == NULL) return; /* it never joined */
    *link = subscriber->next;
    feed->count--;
    sl_outbox_close(&subscriber->outbox);
    free(subscriber->received);
    const char *why = subscriber->why[0] != '\0' ? subscriber->why : NULL;
    feed->owner.left(feed->owner.ctx, subscriber->number, subscriber->peer, why);
}

/* Puts the fragments of a message together and hands it on. */
static int on_received(sl_feed *feed, subscriber *subscriber, const char *bytes, size_t length)
{
    const bool is_last =
        lws_is_final_fragment(subscriber->wsi) != 0 && lws_remaining_packet_payload(subscriber->wsi) == 0;
    if (subscriber->received_length + length > SL_FEED_RECEIVE_BYTES_MAX) {
        static unsigned char reason[] = "a message may have 64 KiB";
        snprintf(subscriber->why, sizeof subscriber->why, "a message too long");
        lws_close_reason(subscriber->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, reason, sizeof reason - 1);
        return -1;
    }
    if (subscriber->received == NULL) subscriber->received = malloc(SL_FEED_RECEIVE_BYTES_MAX);
    if (subscriber->received == NULL) return -1;
    if (length > 0) memcpy(subscriber->received + subscriber->received_length, bytes, length);
    subscriber->received_length += length;
    if (!is_last) return 0;
    char *message = subscriber->received;
    const size_t message_length = subscriber->received_length;
    subscriber->received = NULL;
    subscriber->received_length = 0;
    if (!feed->is_closing) feed->owner.receive(feed->owner.ctx, subscriber->number, message, message_length);
    free(message);
    if (!subscriber->is_stopped && sl_outbox_is_crowded(&subscriber->outbox)) {
        subscriber->is_stopped = true;
        lws_rx_flow_control(subscriber->wsi, 0);
    }
    return 0;
}

static int on_writable(sl_feed *feed, subscriber *subscriber)
{
    size_t bytes = 0;
    for (int pieces = 0; pieces < TURN_PIECES_MAX && bytes < TURN_BYTES_MAX; pieces++) {
        if (lws_send_pipe_choked(subscriber->wsi) != 0) break;
        sl_piece piece;
        sl_outbox_turn turn = sl_outbox_next(&subscriber->outbox, feed->scratch, &piece);
        if (turn == SL_OUTBOX_WHOLE) {
            if (!give_whole(feed, subscriber)) return -1;
            continue;
        }
        if (turn == SL_OUTBOX_NOTHING) return feed->is_closing ? close_at_end(subscriber) : 0;
        if (turn == SL_OUTBOX_OVERTAKEN) return close_overtaken(subscriber);
        const int flags = lws_write_ws_flags(LWS_WRITE_TEXT, piece.is_first, piece.is_last);
        if (lws_write(subscriber->wsi, piece.bytes, piece.length, (enum lws_write_protocol)flags) < 0) return -1;
        sl_outbox_sent(&subscriber->outbox, &piece);
        bytes += piece.length;
        if (subscriber->is_stopped && !sl_outbox_is_crowded(&subscriber->outbox)) {
            subscriber->is_stopped = false;
            lws_rx_flow_control(subscriber->wsi, 1);
        }
    }
    lws_callback_on_writable(subscriber->wsi);
    return 0;
}

/* Gives it the whole project, made once for all who ask between two messages. */
static bool give_whole(sl_feed *feed, subscriber *subscriber)
{
    if (feed->whole == NULL) {
        sl_text_clear(&feed->text);
        const uint64_t seq = feed->owner.whole(feed->owner.ctx, &feed->text);
        if (!feed->text.bad) feed->whole = sl_whole_create(feed->text.length, seq);
        if (feed->whole == NULL) {
            snprintf(subscriber->why, sizeof subscriber->why, "out of memory");
            return false;
        }
        memcpy(feed->whole->bytes + SL_BACKLOG_ROOM, feed->text.bytes, feed->text.length);
    }
    sl_outbox_give_whole(&subscriber->outbox, feed->whole);
    return true;
}

static int close_overtaken(subscriber *subscriber)
{
    char reason[64];
    const unsigned long long seq = subscriber->outbox.seq;
    const int length = snprintf(reason, sizeof reason, "too slow: resume from %llu", seq);
    snprintf(subscriber->why, sizeof subscriber->why, "%s", reason);
    lws_close_reason(subscriber->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, (unsigned char *)reason, (size_t)length);
    return -1;
}

static int close_at_end(subscriber *subscriber)
{
    static unsigned char reason[] = "symlog stops";
    lws_close_reason(subscriber->wsi, LWS_CLOSE_STATUS_GOINGAWAY, reason, sizeof reason - 1);
    return -1;
}
