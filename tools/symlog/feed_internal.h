/* What feed.c (the server and its loop) and feed_subscriber.c (one connection) share. */
#ifndef SL_TOOLS_FEED_INTERNAL_H
#define SL_TOOLS_FEED_INTERNAL_H

#include "tools/symlog/feed.h"
#include "tools/symlog/outbox.h"
#include "tools/symlog/wishes.h"

#include <libwebsockets.h>

enum { SL_FEED_OFFER_AGAIN_NS = 2 * 1000 * 1000 /* what the owner had no room for */ };

/* libwebsockets makes one, zeroed, for each connection, and frees it after CLOSED. */
typedef struct sl_subscriber {
    struct sl_subscriber *next;
    struct lws *wsi;
    uint64_t number;
    char peer[SL_FEED_PEER_BYTES];
    sl_wishes wishes;
    sl_outbox outbox;
    char *received; /* the fragments of a message so far; NULL between messages */
    size_t received_length;
    unsigned overtaken_ticks;
    bool is_stopped; /* its socket is not read, because too many answers wait, or: */
    bool is_hearing; /* it is notified */
    bool has_missed; /* what nobody is to miss */
    bool has_rest;   /* the owner has no room for what it sent: it gets it again, … */
    uint8_t *rest;   /* … the bytes that it did not take; may be NULL */
    size_t rest_length;
    char why[64]; /* it was closed by us */
} sl_subscriber;

struct sl_feed {
    sl_feed_owner owner;
    sl_feed_options options;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t timer;
    uint64_t timer_due_us;
    sl_backlog *backlog;
    sl_outbox_shared shared;
    sl_subscriber *first;
    size_t count;
    size_t compact_count; /* of them wish compact messages */
    size_t hearer_count;  /* are notified */
    uint64_t last_number;
    bool is_closing;
    bool has_news;           /* published and not yet announced */
    lws_usec_t group_end_us; /* until then nothing is announced; 0: no group is open */
    sl_parcel *whole;        /* for everybody who joins before the next message; NULL: to be made */
    sl_text text;            /* the whole, being written */
};

/* libwebsockets' events of one connection; what they return goes back to it (-1: close). */
int sl_subscriber_admit(sl_feed *feed, struct lws *wsi);
int sl_subscriber_joined(sl_feed *feed, struct lws *wsi, sl_subscriber *subscriber);
void sl_subscriber_left(sl_feed *feed, sl_subscriber *subscriber);
int sl_subscriber_received(sl_feed *feed, sl_subscriber *subscriber, const char *bytes, size_t length);
void sl_subscriber_offer_rest(sl_feed *feed, sl_subscriber *subscriber);
int sl_subscriber_writable(sl_feed *feed, sl_subscriber *subscriber);

#endif
