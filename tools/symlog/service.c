/* The service thread: log -> state -> messages -> feed. */
#include "tools/symlog/service_internal.h"

#include "core/message.h"
#include "ingest/clock.h"
#include "tools/symlog/host.h"
#include "tools/symlog/nearest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_EVENTS_MAX = 1024, /* then the sockets have their turn */
    TURN_CLOCK_EVERY = 32,  /* events between looks at the clock */
    TURN_NS_MAX = 5000000,
    GOODBYE_MS = 500,
    LEAVE_TICK_NS = 10000000,
    REFUSED_EVERY_NS = 1000000000
};

static void on_woken(void *ctx);
static uint64_t on_tick(void *ctx);
static bool find_nearest(void *ctx, uint64_t before_seq, sl_state **out);
static void on_past(void *ctx);
static uint64_t on_whole(void *ctx, sl_text *text, const sl_paths *paths);
static uint64_t on_head(void *ctx);
static void on_receive(void *ctx, uint64_t subscriber, const char *bytes, size_t length);
static sl_err on_receive_binary(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length, size_t *taken);
static void on_joined(void *ctx, uint64_t subscriber, const char *peer);
static void on_left(void *ctx, uint64_t subscriber, const char *peer, const char *why);
static void on_refused(void *ctx, const char *peer, const char *why);
static void on_missed(void *ctx, uint64_t subscriber);
static void on_effect(void *ctx, const sl_effect *effect);
static void on_message(void *ctx, const sl_message_view *message);
static bool apply_next(sl_service *service);
static void drive_groove(sl_service *service);
static void drive_edits(sl_service *service);
static void ask_for_snapshot(const sl_service *service, uint64_t seq);
static void pass_answers(const sl_service *service);
static void fail(sl_service *service, const char *why);

sl_err sl_service_create(sl_service **out, const sl_service_options *options)
{
    sl_service *service = calloc(1, sizeof *service);
    if (service == NULL) return SL_ERR_MEMORY;
    service->options = *options;
    sl_log *log = options->opening->log;
    service->state = options->opening->state;
    service->chores = (sl_chores){
        .log = log,
        .state = service->state,
        .start_ns = options->opening->start_ns,
        .checkpoint_every = options->checkpoint_every,
        .kernel_drops = sl_state_kernel_drops(service->state),
        .settle = options->opening->settle,
        .checkpoint_seq = sl_state_seq(service->state),
    };
    service->keeper.every_events = options->snapshot_every;
    const sl_listener listener = {.ctx = service, .message = on_message, .effect = on_effect};
    sl_teller_open(&service->teller, &listener);
    sl_report_open(&service->report, options->status, service->state, options->is_verbose);
    const sl_feed_owner feed = {
        .ctx = service,
        .woken = on_woken,
        .tick = on_tick,
        .whole = on_whole,
        .head = on_head,
        .receive = on_receive,
        .receive_binary = on_receive_binary,
        .joined = on_joined,
        .left = on_left,
        .refused = on_refused,
        .missed = on_missed,
    };
    sl_err err = sl_log_reader_open(log, sl_state_seq(service->state) + 1, &service->reader);
    const sl_catchup_options catchup = {
        .log = log, .ready = on_past, .ready_ctx = service, .nearest_state = find_nearest, .nearest_ctx = service};
    if (err == SL_OK) err = sl_catchup_start(&service->catchup, &catchup);
    const sl_feed_options feed_options = {.access = options->access,
                                          .log_id = sl_log_id_hex(log),
                                          .catchup = service->catchup,
                                          .backlog_bytes = options->backlog_bytes};
    if (err == SL_OK) err = sl_feed_create(&service->feed, &feed, &feed_options);
    if (err == SL_OK) err = sl_service_open_rpc(service);
    const sl_groove_driver_options groove = {
        .state = service->state,
        .start_ns = options->opening->start_ns,
        .is_authority = options->is_groove_authority,
        .is_listening = options->is_groove_listening,
        .outlet = sl_groove_ports_outlet(options->groove_ports),
    };
    if (err == SL_OK) err = sl_groove_driver_open(&service->groove, &groove);
    if (err != SL_OK) {
        sl_service_destroy(service);
        return err;
    }
    sl_catchup_set_head(service->catchup, sl_state_seq(service->state));
    sl_feed_wake(service->feed); /* for what the log holds behind the state already */
    *out = service;
    return SL_OK;
}

void sl_service_destroy(sl_service *service)
{
    if (service == NULL) return;
    sl_feed_destroy(service->feed);
    sl_catchup_stop(service->catchup);
    sl_rpc_destroy(service->rpc);
    sl_groove_driver_close(&service->groove);
    sl_live_edits_destroy(service->edits);
    if (service->reader != NULL) sl_log_reader_close(service->reader);
    sl_report_close(&service->report);
    sl_teller_close(&service->teller);
    free(service);
}

sl_err sl_service_listen(sl_service *service, const char *address, uint16_t port)
{
    return sl_feed_listen(service->feed, address, port);
}

uint16_t sl_service_port(const sl_service *service)
{
    return sl_feed_port(service->feed);
}

void sl_service_attach(sl_service *service, sl_sink sink, sl_peers *peers, const sl_udp *udp)
{
    service->chores.sink = sink;
    service->chores.groove_ports = service->options.groove_ports;
    service->groove.options.sink = sink;
    service->chores.peers = peers;
    service->chores.udp = udp;
}

sl_err sl_service_start_live_code(sl_service *service)
{
    return sl_live_edits_start(service->edits, service->chores.sink);
}

sl_err sl_service_watch(sl_service *service, const char *path, char errmsg[256])
{
    return sl_live_edits_watch(service->edits, path, true, errmsg);
}

void sl_service_stop_live_code(sl_service *service)
{
    sl_live_edits_stop(service->edits);
}

void sl_service_attach_worker(sl_service *service, sl_worker *worker)
{
    service->worker = worker;
}

void sl_service_attach_player(sl_service *service, const sl_service_player *player)
{
    service->player = player != NULL ? *player : (sl_service_player){0};
}

void sl_service_attach_sound(sl_service *service, sl_sound_status *sound)
{
    service->sound.status = sound;
}

void sl_service_detach_udp(sl_service *service)
{
    service->chores.kernel_drops += sl_udp_kernel_drops(service->chores.udp);
    service->chores.udp = NULL;
}

void sl_service_wake(sl_service *service)
{
    sl_feed_wake(service->feed);
}

void sl_service_turn(sl_service *service)
{
    sl_feed_turn(service->feed);
}

const char *sl_service_failure(const sl_service *service)
{
    return service->failure[0] != '\0' ? service->failure : NULL;
}

void sl_service_finish(sl_service *service, sl_sink sink)
{
    service->chores.sink = sink;
    while (apply_next(service)) {
    }
    sl_chores_finish(&service->chores);
    sl_feed_close(service->feed, GOODBYE_MS);
}

static void fail(sl_service *service, const char *why)
{
    if (service->failure[0] == '\0') snprintf(service->failure, sizeof service->failure, "%s", why);
}

/* A bounded part of what is new; the rest after the sockets had their turn. */
static void on_woken(void *ctx)
{
    sl_service *service = ctx;
    const uint64_t began_ns = sl_clock_boot_ns();
    int count = 0;
    pass_answers(service);
    sl_service_player_notify(&service->player, service->feed);
    sl_service_sound_notify(&service->sound, service->feed);
    while (apply_next(service)) {
        count++;
        const bool is_late = count % TURN_CLOCK_EVERY == 0 && sl_clock_boot_ns() - began_ns > TURN_NS_MAX;
        if (count < TURN_EVENTS_MAX && !is_late) continue;
        sl_feed_wake(service->feed);
        break;
    }
    drive_groove(service);
    drive_edits(service);
    const uint64_t due_ns = sl_settle_due_ns(&service->chores.settle);
    if (due_ns == UINT64_MAX) return;
    const uint64_t now_ns = sl_clock_boot_ns();
    sl_feed_tick_within(service->feed, due_ns > now_ns ? due_ns - now_ns : 0);
}

/* Has what is due on the groove box's ports said, and itself called again when more is. */
static void drive_groove(sl_service *service)
{
    if (service->groove.options.sink.put == NULL) return; /* not attached yet */
    const uint64_t now_ns = sl_clock_boot_ns();
    const uint64_t due_ns = sl_groove_driver_tick(&service->groove, now_ns);
    if (due_ns != SL_GROOVE_NEVER) sl_feed_tick_within(service->feed, due_ns > now_ns ? due_ns - now_ns : 0);
}

/* Has the next edit of live code evaluated, and those answered that have waited for a beat long enough. */
static void drive_edits(sl_service *service)
{
    const uint64_t now_ns = sl_clock_boot_ns();
    const uint64_t due_ns = sl_live_edits_tick(service->edits, now_ns);
    if (due_ns != UINT64_MAX) sl_feed_tick_within(service->feed, due_ns > now_ns ? due_ns - now_ns : 0);
}

void sl_service_leave_groove(sl_service *service, unsigned patience_ms)
{
    const uint64_t end_ns = sl_clock_boot_ns() + (uint64_t)patience_ms * 1000000;
    while (sl_groove_driver_finish(&service->groove, sl_clock_boot_ns()) && sl_clock_boot_ns() < end_ns &&
           service->failure[0] == '\0') {
        sl_feed_tick_within(service->feed, LEAVE_TICK_NS);
        sl_feed_turn(service->feed);
    }
}

/* Applies the next committed event and publishes what it did; false if there is none, or the service has failed. */
static bool apply_next(sl_service *service)
{
    sl_event event;
    if (service->failure[0] != '\0') return false;
    sl_err err = sl_log_read(service->reader, &event);
    if (err == SL_ERR_END) return false;
    if (err != SL_OK) {
        char why[256];
        sl_host_read_error(service->reader, err, why);
        fail(service, why);
        return false;
    }
    service->teller.is_compact = sl_feed_wants_compact(service->feed);
    service->refused_why = NULL;
    err = sl_teller_apply(&service->teller, service->state, &event);
    if (err != SL_OK) {
        fail(service, "memory ran out while applying an event; it is in the log, so start again with more");
        return false;
    }
    sl_catchup_set_head(service->catchup, event.seq);
    if (service->player.player != NULL) sl_player_see(service->player.player, service->state, &event);
    if (event.kind == SL_KIND_PAUSED) sl_service_follow_pause(service, &event);
    const bool is_parameter = event.kind == SL_KIND_PARAMETER;
    if (is_parameter && service->refused_why == NULL)
        sl_service_sound_tell_parameter(service->feed, service->state, &event);
    const bool is_of_rpc = is_parameter || event.kind == SL_KIND_MARK || event.kind == SL_KIND_PAUSED ||
                           event.kind == SL_KIND_GROOVE_EDIT || event.kind == SL_KIND_TRANSPORT;
    if (is_of_rpc) sl_rpc_marked(service->rpc, event.seq, service->refused_why);
    sl_groove_driver_see(&service->groove, &event, sl_clock_boot_ns());
    sl_live_edits_see(service->edits, &event, sl_clock_boot_ns());
    sl_report_event(&service->report, &event);
    sl_chores_see(&service->chores, &event);
    if (sl_keeper_see(&service->keeper, &event)) ask_for_snapshot(service, event.seq);
    return true;
}

/* With a full queue it is left out: the next one will do. */
static void ask_for_snapshot(const sl_service *service, uint64_t seq)
{
    const sl_question question = {.type = SL_QUESTION_SNAPSHOT, .through = seq};
    if (service->worker != NULL && sl_worker_ask(service->worker, &question) != SL_OK) return;
}

static void pass_answers(const sl_service *service)
{
    sl_answer answer;
    while (service->worker != NULL && sl_worker_take(service->worker, &answer)) {
        sl_rpc_answered(service->rpc, &answer);
        sl_text_close(&answer.result);
    }
}

static void on_effect(void *ctx, const sl_effect *effect)
{
    sl_service *service = ctx;
    if (effect->type == SL_EFFECT_GROUP_BEGIN || effect->type == SL_EFFECT_GROUP_END)
        sl_feed_group(service->feed, effect->type == SL_EFFECT_GROUP_BEGIN);
    sl_groove_driver_note(&service->groove, effect);
    sl_live_edits_note(service->edits, effect);
    if (effect->type == SL_EFFECT_REFUSED) service->refused_why = sl_refusal_text(effect->refusal);
    if (effect->type == SL_EFFECT_REFUSED) sl_report_refusal(&service->report, effect);
}

static void on_message(void *ctx, const sl_message_view *message)
{
    const sl_service *service = ctx;
    sl_feed_publish(service->feed, message);
}

/* Catch-up's thread. Where a snapshot is bad an earlier one does; the worker tells of it when it comes across. */
static bool find_nearest(void *ctx, uint64_t before_seq, sl_state **out)
{
    const sl_service *service = ctx;
    char ignored[256];
    const sl_nearest from = {.log = service->options.opening->log, .snapshots = service->options.opening->snapshots};
    return sl_nearest_state(&from, before_seq - 1, out, ignored) == SL_OK;
}

/* Catch-up's thread. */
static void on_past(void *ctx)
{
    const sl_service *service = ctx;
    sl_feed_wake(service->feed);
}

static uint64_t on_tick(void *ctx)
{
    sl_service *service = ctx;
    const sl_groove_figures groove = sl_groove_ports_figures(service->options.groove_ports);
    sl_report_tick(&service->report, sl_clock_boot_ns(), sl_feed_subscriber_count(service->feed), &groove);
    if (sl_log_check_name(service->options.opening->log) == SL_ERR_NOT_FOUND) {
        fail(service,
             "the log's file was deleted while it was being written: what it held is gone, and what came after "
             "would be; start again");
    }
    drive_groove(service);
    drive_edits(service);
    if (service->player.player != NULL) sl_player_tick(service->player.player, service->state);
    return sl_chores_tick(&service->chores);
}

static uint64_t on_whole(void *ctx, sl_text *text, const sl_paths *paths)
{
    sl_service *service = ctx;
    sl_message_full_ast(text, service->state, sl_log_id_hex(service->options.opening->log), paths);
    return sl_state_seq(service->state);
}

static uint64_t on_head(void *ctx)
{
    const sl_service *service = ctx;
    return sl_state_seq(service->state);
}

static void on_receive(void *ctx, uint64_t subscriber, const char *bytes, size_t length)
{
    sl_service *service = ctx;
    sl_rpc_receive(service->rpc, subscriber, bytes, length);
}

static sl_err on_receive_binary(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length, size_t *taken)
{
    const sl_service *service = ctx;
    return sl_groove_ports_receive(service->options.groove_ports, subscriber, bytes, length, taken);
}

bool sl_service_send_binary(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length)
{
    const sl_service *service = ctx;
    return sl_feed_send_binary(service->feed, subscriber, bytes, length) == SL_OK;
}

static void on_joined(void *ctx, uint64_t subscriber, const char *peer)
{
    sl_service *service = ctx;
    sl_status_say(service->options.status, "subscriber joined=%s number=%llu subscribers=%zu", peer,
                  (unsigned long long)subscriber, sl_feed_subscriber_count(service->feed));
}

static void on_left(void *ctx, uint64_t subscriber, const char *peer, const char *why)
{
    sl_service *service = ctx;
    sl_groove_ports_left(service->options.groove_ports, subscriber);
    sl_service_player_count_hearers(&service->player, service->feed);
    sl_service_sound_remove_client(&service->sound, subscriber);
    sl_status_say(service->options.status, "subscriber left=%s number=%llu subscribers=%zu%s%s%s", peer,
                  (unsigned long long)subscriber, sl_feed_subscriber_count(service->feed), why != NULL ? " why=\"" : "",
                  why != NULL ? why : "", why != NULL ? "\"" : "");
}

static void on_refused(void *ctx, const char *peer, const char *why)
{
    sl_service *service = ctx;
    const uint64_t now_ns = sl_clock_boot_ns();
    if (now_ns - service->refused_ns < REFUSED_EVERY_NS) return; /* a page that tries again and again */
    service->refused_ns = now_ns;
    sl_status_say(service->options.status, "refused what=subscriber from=%s reason=\"%s\"", peer, why);
}

static void on_missed(void *ctx, uint64_t subscriber)
{
    const sl_service *service = ctx;
    sl_service_sound_tell_all(&service->sound, service->feed, subscriber);
}
