/* One subscriber's connection. */
#include "tools/symlog/door.h"
#include "tools/symlog/feed_internal.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    TURN_BYTES_MAX = 256 << 10, /* read for one subscriber before the others have their turn */
    TURN_PIECES_MAX = 1024,     /* likewise */
    SOCKET_BUFFER_BYTES = 128 << 10,
};

_Static_assert(SL_BACKLOG_ROOM >= LWS_PRE, "a frame's header is written in front of its payload");
_Static_assert((SL_SEEKER_CHUNKS + 1) * (SL_CHUNK_BYTES + SL_CHUNK_MESSAGES_MAX * sizeof(sl_chunk_message)) +
                       SL_OUTBOX_ANSWERS_BYTES_MAX + SL_FEED_RECEIVE_BYTES_MAX + SL_OUTBOX_PIECE_BYTES <
                   500000,
               "what feed.h says of one that stops reading");

static void begin(sl_feed *feed, sl_subscriber *subscriber);
static bool give_whole(sl_feed *feed, sl_subscriber *subscriber);
static int close_overtaken(sl_subscriber *subscriber);
static int close_at_end(const sl_subscriber *subscriber);

/* Lets a connection in (0), or answers with why not. */
int sl_subscriber_admit(sl_feed *feed, struct lws *wsi)
{
    const char *why = NULL;
    if (feed->is_closing || feed->count >= SL_FEED_SUBSCRIBERS_MAX) {
        why = feed->is_closing ? "symlog stops" : "there are too many subscribers";
        sl_door_turn_away(wsi, "503 Service Unavailable", why);
    } else {
        sl_wishes wishes;
        why = sl_door_judge(wsi, feed->options.access);
        if (why == NULL) why = sl_door_read_wishes(wsi, &wishes);
    }
    if (why == NULL) return 0;
    char peer[SL_FEED_PEER_BYTES] = "";
    lws_get_peer_simple(wsi, peer, sizeof peer);
    feed->owner.refused(feed->owner.ctx, peer, why);
    return -1;
}

int sl_subscriber_joined(sl_feed *feed, struct lws *wsi, sl_subscriber *subscriber)
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
    (void)sl_door_read_wishes(wsi, &subscriber->wishes); /* they have been judged */
    begin(feed, subscriber);
    subscriber->next = feed->first;
    feed->first = subscriber;
    feed->count++;
    if (subscriber->wishes.is_compact) feed->compact_count++;
    feed->owner.joined(feed->owner.ctx, subscriber->number, subscriber->peer);
    lws_callback_on_writable(wsi);
    return 0;
}

/* With the whole project, or where it left off. */
static void begin(sl_feed *feed, sl_subscriber *subscriber)
{
    const sl_wishes *wishes = &subscriber->wishes;
    const uint64_t head = feed->owner.head(feed->owner.ctx);
    char why[128];
    sl_outbox_open(&subscriber->outbox, &feed->shared, wishes);
    if (!wishes->has_from) return;
    if (wishes->log_id[0] == '\0') {
        sl_outbox_refuse(&subscriber->outbox, "log=ID is missing: FULL_AST tells it, and another log has other events");
    } else if (strcasecmp(wishes->log_id, feed->options.log_id) != 0) {
        sl_outbox_refuse(&subscriber->outbox, "this is another log");
    } else if (wishes->from > head) {
        snprintf(why, sizeof why, "there is no event %llu: the log ends with %llu", (unsigned long long)wishes->from,
                 (unsigned long long)head);
        sl_outbox_refuse(&subscriber->outbox, why);
    } else {
        sl_outbox_resume(&subscriber->outbox, wishes->from);
    }
}

void sl_subscriber_left(sl_feed *feed, sl_subscriber *subscriber)
{
    sl_subscriber **link = &feed->first;
    while (*link != NULL && *link != subscriber) link = &(*link)->next;
    if (*link == NULL) return; /* it never joined */
    *link = subscriber->next;
    feed->count--;
    if (subscriber->wishes.is_compact) feed->compact_count--;
    if (subscriber->is_hearing) feed->hearer_count--;
    sl_outbox_close(&subscriber->outbox);
    free(subscriber->received);
    free(subscriber->rest);
    const char *why = subscriber->why[0] != '\0' ? subscriber->why : NULL;
    feed->owner.left(feed->owner.ctx, subscriber->number, subscriber->peer, why);
}

/* Hands bytes of a binary message on. What the owner has no room for is kept, and nothing more is read until it has. */
static int pass_binary(sl_feed *feed, sl_subscriber *subscriber, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;
    if (feed->is_closing) return 0;
    const sl_err err = feed->owner.receive_binary(feed->owner.ctx, subscriber->number, bytes, length, &taken);
    subscriber->has_rest = err == SL_ERR_FULL;
    if (err == SL_ERR_BUSY) {
        static unsigned char reason[] = "too many subscribers send binary messages";
        snprintf(subscriber->why, sizeof subscriber->why, "%s", (const char *)reason);
        lws_close_reason(subscriber->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, reason, sizeof reason - 1);
        return -1;
    }
    if (!subscriber->has_rest) return 0;
    uint8_t *rest = taken < length ? malloc(length - taken) : NULL;
    if (taken < length && rest == NULL) return -1;
    if (rest != NULL) memcpy(rest, bytes + taken, length - taken);
    subscriber->rest = rest;
    subscriber->rest_length = length - taken;
    if (!subscriber->is_stopped) lws_rx_flow_control(subscriber->wsi, 0);
    subscriber->is_stopped = true;
    sl_feed_tick_within(feed, SL_FEED_OFFER_AGAIN_NS);
    return 0;
}

static void read_again(sl_subscriber *subscriber)
{
    if (!subscriber->is_stopped || subscriber->has_rest || sl_outbox_is_crowded(&subscriber->outbox)) return;
    subscriber->is_stopped = false;
    lws_rx_flow_control(subscriber->wsi, 1);
}

void sl_subscriber_offer_rest(sl_feed *feed, sl_subscriber *subscriber)
{
    uint8_t *rest = subscriber->rest;
    subscriber->rest = NULL;
    subscriber->has_rest = false;
    if (pass_binary(feed, subscriber, rest, subscriber->rest_length) != 0)
        lws_set_timeout(subscriber->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    free(rest);
    read_again(subscriber);
}

/* Puts the fragments of a text together and hands it on. */
int sl_subscriber_received(sl_feed *feed, sl_subscriber *subscriber, const char *bytes, size_t length)
{
    if (lws_frame_is_binary(subscriber->wsi) != 0) return pass_binary(feed, subscriber, (const uint8_t *)bytes, length);
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

/* Nothing is to be sent now. */
static int wait_for_more(sl_feed *feed, const sl_subscriber *subscriber)
{
    const uint64_t due_us = subscriber->outbox.due_us;
    const uint64_t now_us = (uint64_t)lws_now_usecs();
    if (feed->is_closing) return close_at_end(subscriber);
    if (due_us != 0) sl_feed_tick_within(feed, due_us > now_us ? (due_us - now_us) * 1000 : 0);
    return 0;
}

/* With all sent that waited for it, it hears what it missed. */
static void tell_missed(sl_feed *feed, sl_subscriber *subscriber)
{
    if (!subscriber->has_missed || subscriber->outbox.answer_count > 0) return;
    subscriber->has_missed = false;
    if (feed->owner.missed != NULL) feed->owner.missed(feed->owner.ctx, subscriber->number);
}

int sl_subscriber_writable(sl_feed *feed, sl_subscriber *subscriber)
{
    size_t bytes = 0;
    for (int pieces = 0; pieces < TURN_PIECES_MAX && bytes < TURN_BYTES_MAX; pieces++) {
        if (lws_send_pipe_choked(subscriber->wsi) != 0) break;
        tell_missed(feed, subscriber);
        sl_piece piece;
        const uint64_t now_us = feed->is_closing ? UINT64_MAX : (uint64_t)lws_now_usecs(); /* no throttle at the end */
        const sl_outbox_turn turn = sl_outbox_next(&subscriber->outbox, now_us, &piece);
        if (turn == SL_OUTBOX_WHOLE) {
            if (!give_whole(feed, subscriber)) return -1;
            continue;
        }
        if (turn == SL_OUTBOX_NOTHING) return wait_for_more(feed, subscriber);
        if (turn == SL_OUTBOX_OVERTAKEN) return close_overtaken(subscriber);
        const enum lws_write_protocol type = piece.is_binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        const int flags = lws_write_ws_flags((int)type, piece.is_first, piece.is_last);
        if (lws_write(subscriber->wsi, piece.bytes, piece.length, (enum lws_write_protocol)flags) < 0) return -1;
        sl_outbox_sent(&subscriber->outbox, &piece);
        bytes += piece.input_bytes;
        read_again(subscriber);
    }
    lws_callback_on_writable(subscriber->wsi);
    return 0;
}

/* Writes the project into a parcel with one user; NULL: memory ran out. */
static sl_parcel *make_whole(sl_feed *feed, const sl_paths *paths)
{
    sl_text_clear(&feed->text);
    const uint64_t seq = feed->owner.whole(feed->owner.ctx, &feed->text, paths);
    sl_parcel *whole = feed->text.bad ? NULL : sl_parcel_create(feed->text.length, seq);
    if (whole != NULL) memcpy(whole->bytes + SL_BACKLOG_ROOM, feed->text.bytes, feed->text.length);
    return whole;
}

/* Gives it the whole project, made once for all who ask between two messages; or its own part of it. */
static bool give_whole(sl_feed *feed, sl_subscriber *subscriber)
{
    const sl_paths *paths = &subscriber->wishes.paths;
    const bool is_part = paths->count > 0;
    if (!is_part && feed->whole == NULL) feed->whole = make_whole(feed, NULL);
    sl_parcel *whole = is_part ? make_whole(feed, paths) : feed->whole;
    if (whole == NULL) {
        snprintf(subscriber->why, sizeof subscriber->why, "out of memory");
        return false;
    }
    sl_outbox_give_whole(&subscriber->outbox, whole);
    if (is_part) sl_parcel_leave(whole);
    return true;
}

static int close_overtaken(sl_subscriber *subscriber)
{
    char reason[64];
    const unsigned long long seq = subscriber->outbox.seq;
    const int length = snprintf(reason, sizeof reason, "too slow: resume from %llu", seq);
    snprintf(subscriber->why, sizeof subscriber->why, "%s", reason);
    lws_close_reason(subscriber->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, (unsigned char *)reason, (size_t)length);
    return -1;
}

static int close_at_end(const sl_subscriber *subscriber)
{
    static unsigned char reason[] = "symlog stops";
    lws_close_reason(subscriber->wsi, LWS_CLOSE_STATUS_GOINGAWAY, reason, sizeof reason - 1);
    return -1;
}
