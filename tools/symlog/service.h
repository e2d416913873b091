/*
 * The service thread: reads what the committer has committed, applies it to the state, turns what it did into messages
 * once, and puts them into the feed. Only what is committed is ever told.
 *
 * All functions are the service thread's, but for sl_service_wake.
 */
#ifndef SL_TOOLS_SERVICE_H
#define SL_TOOLS_SERVICE_H

#include "core/err.h"
#include "core/sink.h"
#include "ingest/peers.h"
#include "ingest/udp.h"
#include "tools/symlog/access.h"
#include "tools/symlog/groove_ports.h"
#include "tools/symlog/opening.h"
#include "tools/symlog/service_player.h"
#include "tools/symlog/sound_status.h"
#include "tools/symlog/status.h"
#include "tools/symlog/worker.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_service sl_service;

typedef struct sl_service_options {
    sl_opening *opening; /* the log, and the state, which is the service's from now on */
    const sl_access *access;
    sl_status *status;
    uint64_t checkpoint_every; /* events */
    uint64_t snapshot_every;   /* events */
    uint64_t backlog_bytes;    /* of messages that the feed keeps */
    bool is_verbose;
    sl_groove_ports *groove_ports; /* must outlive the service */
    bool is_groove_authority;
    bool is_groove_listening;
} sl_service_options;

/* SL_ERR_MEMORY; SL_ERR_IO: see sl_log_error. What the options point to must outlive it. */
sl_err sl_service_create(sl_service **out, const sl_service_options *options);
void sl_service_destroy(sl_service *service);

/* Opens the WebSocket port. SL_ERR_IO. */
sl_err sl_service_listen(sl_service *service, const char *address, uint16_t port);
uint16_t sl_service_port(const sl_service *service);

/* What it appends (marks, counters, checkpoints) goes to `sink`; `peers` and `udp` are counted. They must stay until
 * sl_service_finish (the sink; then it gets another), sl_service_destroy (peers) and sl_service_detach_udp. */
void sl_service_attach(sl_service *service, sl_sink sink, sl_peers *peers, const sl_udp *udp);

/* From now on live code is evaluated, once the sink is there. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_service_start_live_code(sl_service *service);

/* Watches a file of live code: sl_code_watch_add. */
sl_err sl_service_watch(sl_service *service, const char *path, char errmsg[256]);

/* No more of it is put into the sink. */
void sl_service_stop_live_code(sl_service *service);

/* Questions to the past go to `worker`, and so does word of each snapshot that is due; NULL: they are refused from now
 * on. */
void sl_service_attach_worker(sl_service *service, sl_worker *worker);

/* What plays, from now on. NULL: nothing any more. */
void sl_service_attach_player(sl_service *service, const sl_service_player *player);

/* What is known of the sound, from now on; NULL: nothing any more. It must outlive its being attached; its `wake` is
 * sl_service_wake. */
void sl_service_attach_sound(sl_service *service, sl_sound_status *sound);

/* Sends a frame to a subscriber: sl_groove_ports_options.send, whose ctx is the service. */
bool sl_service_send_binary(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length);

/* Says goodbye on the groove box's ports, and turns the loop until that is committed and sent, or `patience_ms` have
 * passed. The committer still runs. */
void sl_service_leave_groove(sl_service *service, unsigned patience_ms);

/* Takes the receiver's last counts: it is about to be stopped. */
void sl_service_detach_udp(sl_service *service);

/* There may be more to read. Any thread. */
void sl_service_wake(sl_service *service);

/* One turn of the loop: waits until there is something to do (at most a quarter of a second) and does a bounded part
 * of it. */
void sl_service_turn(sl_service *service);

/* Why it cannot go on; NULL while it can. */
const char *sl_service_failure(const sl_service *service);

/* The end: the receiver and the committer have stopped. Applies and tells what they left, appends the last counters and
 * checkpoint through `sink`, and says goodbye to the subscribers. */
void sl_service_finish(sl_service *service, sl_sink sink);

#endif
