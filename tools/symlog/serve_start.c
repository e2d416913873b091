/* Starts the parts of serve, and takes their words to where they belong. */
#include "tools/symlog/serve.h"

#include "ingest/clock.h"
#include "tools/symlog/chores.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum { RING_BYTES = 16 << 20, RECEIVE_BUFFER_BYTES = 4 << 20 };

static bool start_pipeline(sl_serve *serve);
static bool create_groove_ports(sl_serve *serve);
static bool start_groove_ports(sl_serve *serve);
static bool start_project(sl_serve *serve);
static bool start_live_code(sl_serve *serve);
static bool start_player(sl_serve *serve);
static bool start_sound(sl_serve *serve);
static bool put_setlists(sl_serve *serve);
static bool start_worker(sl_serve *serve);
static bool listen_for_all(sl_serve *serve);
static void say_where(sl_serve *serve);
static bool restore_peers(sl_serve *serve);
static void on_committed(void *ctx, const sl_event *drafts, size_t count);
static void on_fault(void *ctx, const char *reason);
static void on_answer(void *ctx);
static void on_pruned(void *ctx);
static void on_sound(void *ctx);
static bool on_groove_send(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length);
static void on_groove_say(void *ctx, const char *name, const char *what, const char *why);
static uint32_t on_new_source(void *ctx);

bool sl_serve_start(sl_serve *serve, const volatile sig_atomic_t *signal)
{
    const sl_serve_options *options = serve->options;
    const sl_opening_options opening = {
        .dir = options->dir,
        .durability = options->durability,
        .options = options->summary,
        .snapshot_every = options->snapshot_every,
        .signal = signal,
        .status = &serve->status,
    };
    sl_err err = sl_opening_open(&serve->opening, &opening, serve->errmsg);
    if (err == SL_ERR_END) serve->errmsg[0] = '\0'; /* who pressed Ctrl-C knows why */
    if (err == SL_ERR_CORRUPT && strstr(serve->errmsg, "symlog verify") == NULL) {
        const size_t length = strlen(serve->errmsg);
        snprintf(serve->errmsg + length, sizeof serve->errmsg - length, "; symlog verify tells how much is damaged");
    }
    if (err != SL_OK) return false;
    const unsigned long long events = sl_state_seq(serve->opening.state);
    char *dir = realpath(options->dir, NULL); /* it is there by now */
    const char *shown = dir != NULL ? dir : options->dir;
    if (serve->status.is_terminal) {
        sl_status_say(&serve->status, SL_PROGRAM_VERSION ", with %llu event%s in the log %s", events,
                      events == 1 ? "" : "s", shown);
    } else {
        sl_status_say(&serve->status, "log dir=%s events=%llu id=%s", shown, events, sl_log_id_hex(serve->opening.log));
    }
    free(dir);
    return create_groove_ports(serve) && start_pipeline(serve) && put_setlists(serve) && listen_for_all(serve) &&
           start_groove_ports(serve) && start_project(serve) && start_player(serve) && start_sound(serve) &&
           start_live_code(serve);
}

/* Before all else that numbers sources. */
static bool create_groove_ports(sl_serve *serve)
{
    const sl_groove_ports_options options = {
        .cables = serve->options->groove.cables,
        .cable_count = serve->options->groove.cable_count,
        .state = serve->opening.state,
        .start_ns = serve->opening.start_ns,
        .send = on_groove_send,
        .say = on_groove_say,
        .new_source = on_new_source,
        .ctx = serve,
    };
    if (sl_groove_ports_create(&serve->groove_ports, &options) == SL_OK) return true;
    snprintf(serve->errmsg, sizeof serve->errmsg, "out of memory");
    return false;
}

static bool start_groove_ports(sl_serve *serve)
{
    const sl_err err = sl_groove_ports_start(serve->groove_ports, sl_committer_sink(serve->committer));
    if (err != SL_OK) snprintf(serve->errmsg, sizeof serve->errmsg, "cannot open the MIDI ports: %s", sl_err_text(err));
    return err == SL_OK;
}

static bool start_live_code(sl_serve *serve)
{
    const sl_operands *watched = &serve->options->watched;
    if (sl_service_start_live_code(serve->service) != SL_OK) {
        snprintf(serve->errmsg, sizeof serve->errmsg, "the system gives no more threads");
        return false;
    }
    for (size_t i = 0; i < watched->count; i++) {
        char errmsg[256];
        const sl_err err = sl_service_watch(serve->service, watched->words[i], errmsg);
        if (err == SL_OK) continue;
        snprintf(serve->errmsg, sizeof serve->errmsg, "cannot watch %.100s: %.120s", watched->words[i], errmsg);
        return false;
    }
    return true;
}

static bool start_player(sl_serve *serve)
{
    const sl_player_setup_options options = {
        .notes_out = serve->options->notes_out,
        .opening = &serve->opening,
        .groove_ports = serve->groove_ports,
        .sink = sl_committer_sink(serve->committer),
        .say = on_groove_say,
        .say_ctx = serve,
    };
    return sl_player_setup_start(&serve->player, &options, serve->service, serve->errmsg) == SL_OK;
}

static bool start_sound(sl_serve *serve)
{
    if (!serve->options->sound.with_sound) return true;
    sl_err err = sl_sound_status_create(&serve->sound_status, on_sound, serve);
    const sl_sound_child_options options = {
        .wishes = &serve->options->sound,
        .dir = serve->options->dir,
        .start_ns = serve->opening.start_ns,
        .sink = sl_committer_sink(serve->committer),
        .player = serve->player.player,
        .sound = serve->sound_status,
        .status = &serve->status,
    };
    sl_sound_child *sound = NULL;
    if (err == SL_OK) sl_service_attach_sound(serve->service, serve->sound_status);
    if (err == SL_OK) err = sl_sound_child_start(&sound, &options);
    if (err != SL_OK) snprintf(serve->errmsg, sizeof serve->errmsg, "cannot start the sound: %s", sl_err_text(err));
    atomic_store(&serve->sound, sound);
    return err == SL_OK;
}

static bool put_setlists(sl_serve *serve)
{
    const uint64_t time_ns = sl_clock_boot_ns() - serve->opening.start_ns;
    return sl_groove_setup_put_lists(&serve->options->groove, serve->opening.state, sl_committer_sink(serve->committer),
                                     time_ns, serve->errmsg) == SL_OK;
}

/* Everything behind the sockets. */
static bool start_pipeline(sl_serve *serve)
{
    const sl_serve_options *options = serve->options;
    const sl_service_options service = {
        .opening = &serve->opening,
        .access = &options->access,
        .status = &serve->status,
        .checkpoint_every = options->checkpoint_every,
        .snapshot_every = options->snapshot_every,
        .backlog_bytes = options->backlog_bytes,
        .is_verbose = options->is_verbose,
        .groove_ports = serve->groove_ports,
        .is_groove_authority = options->groove.is_authority,
        .is_groove_listening = options->groove.is_listening,
    };
    snprintf(serve->errmsg, sizeof serve->errmsg, "out of memory");
    serve->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (serve->wake_fd < 0) return false;
    if (sl_ring_create(RING_BYTES, &serve->ring) != SL_OK || !restore_peers(serve)) return false;
    if (sl_service_create(&serve->service, &service) != SL_OK) return false;
    const sl_committer_options committer = {
        .log = serve->opening.log, .ring = serve->ring, .wake_fd = serve->wake_fd, .tell = on_committed, .ctx = serve};
    if (sl_committer_start(&serve->committer, &committer) != SL_OK) return false;
    if (serve->opening.is_pruning) sl_committer_delete(serve->committer);
    if (!start_worker(serve)) return false;
    serve->errmsg[0] = '\0';
    return true;
}

static bool start_worker(sl_serve *serve)
{
    const sl_worker_options worker = {
        .log = serve->opening.log,
        .snapshots = serve->opening.snapshots,
        .status = &serve->status,
        .sink = sl_committer_sink(serve->committer),
        .start_ns = serve->opening.start_ns,
        .wake = on_answer,
        .pruned = on_pruned,
        .ctx = serve,
    };
    if (sl_worker_start(&serve->worker, &worker) != SL_OK) return false;
    sl_service_attach_worker(serve->service, serve->worker);
    return true;
}

/* The lowest source number that neither it nor a port has. */
static uint32_t find_project_source(sl_serve *serve)
{
    uint32_t next = sl_groove_ports_source_next(serve->groove_ports);
    if (serve->options->project == NULL) return next;
    sl_project_source_find(&serve->project_source, serve->opening.state, next, serve->options->project);
    return next + (serve->project_source.is_new ? 1 : 0);
}

/* From now on each save becomes an event. The one that the log has last is not taken again: what live events have said
 * since then would be undone. */
static bool start_project(sl_serve *serve)
{
    if (serve->options->project == NULL) return true;
    const sl_sink sink = sl_committer_sink(serve->committer);
    const uint64_t now_ns = sl_clock_boot_ns() - serve->opening.start_ns;
    const sl_event session = sl_project_source_event(&serve->project_source, now_ns);
    const sl_project_watch_options options = {
        .path = serve->options->project,
        .source = serve->project_source.number,
        .session = serve->project_source.session,
        .start_ns = serve->opening.start_ns,
        .last_save = sl_state_last_save(serve->opening.state),
        .sink = sink,
    };
    if (sink.put(sink.ctx, &session) != SL_OK) {
        snprintf(serve->errmsg, sizeof serve->errmsg, "out of memory");
        return false;
    }
    char why[256];
    if (sl_project_watch_start(&serve->project_watch, &options, why) == SL_OK) return true;
    snprintf(serve->errmsg, sizeof serve->errmsg, "--project %.230s", why);
    return false;
}

static bool restore_peers(sl_serve *serve)
{
    const sl_state *state = serve->opening.state;
    sl_hole *holes = calloc(SL_PEERS_HOLES_MAX, sizeof *holes);
    if (holes == NULL || sl_peers_create(find_project_source(serve), &serve->peers) != SL_OK) {
        free(holes);
        return false;
    }
    const uint64_t now_ns = sl_clock_boot_ns();
    const sl_source *source = NULL;
    for (size_t i = 0; (source = sl_state_source_at(state, i)) != NULL; i++) {
        const size_t count = sl_state_holes(state, source->number, holes, SL_PEERS_HOLES_MAX);
        const sl_peer_run run = {.next = sl_state_source_end(state, source->number),
                                 .holes = holes,
                                 .hole_count = count < SL_PEERS_HOLES_MAX ? count : SL_PEERS_HOLES_MAX};
        if (sl_peers_restore(serve->peers, source, &run, now_ns) == SL_OK) continue;
        sl_status_say(&serve->status, "forgotten source=%s reason=\"its name is no address\"", source->name);
    }
    free(holes);
    sl_peers_restore_unnamed(serve->peers, sl_state_refused_unnamed(state));
    if (sl_state_has_picture(state)) sl_peers_have_picture(serve->peers);
    return true;
}

static bool listen_for_all(sl_serve *serve)
{
    const sl_serve_options *options = serve->options;
    if (sl_service_listen(serve->service, options->ws_address, options->ws_port) != SL_OK) {
        snprintf(serve->errmsg, sizeof serve->errmsg,
                 "cannot listen on %s:%u for WebSockets; is it in use, or not an address of this machine? Name another "
                 "with --ws",
                 options->ws_address, options->ws_port);
        return false;
    }
    const sl_udp_options udp = {
        .address = options->osc_address,
        .port = options->osc_port,
        .receive_buffer_bytes = RECEIVE_BUFFER_BYTES,
        .start_ns = serve->opening.start_ns,
        .ring = serve->ring,
        .wake_fd = serve->wake_fd,
        .peers = serve->peers,
        .sink = sl_committer_sink(serve->committer),
        .report = on_fault,
        .report_ctx = serve,
    };
    if (sl_udp_start(&serve->udp, &udp, serve->errmsg) != SL_OK) return false;
    sl_service_attach(serve->service, udp.sink, serve->peers, serve->udp);
    say_where(serve);
    return true;
}

static void say_where(sl_serve *serve)
{
    const sl_serve_options *options = serve->options;
    sl_status *status = &serve->status;
    const char *osc_label = status->is_terminal ? "OSC from Live is expected at       udp://" : "listening osc=";
    const char *ws_label = status->is_terminal ? "WebSocket subscribers connect to   ws://" : "listening ws=";
    sl_status_say(status, "%s%s:%u", osc_label, options->osc_address, sl_udp_port(serve->udp));
    sl_status_say(status, "%s%s:%u", ws_label, options->ws_address, sl_service_port(serve->service));
    /* The kernel doubles what it is asked for, and tells the double. */
    const int granted = sl_udp_buffer_bytes(serve->udp) / 2;
    if (granted < RECEIVE_BUFFER_BYTES) {
        sl_status_say(status, "receive_buffer granted=%d asked=%d hint=\"sysctl -w net.core.rmem_max=%d\"", granted,
                      RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_BYTES);
    }
}

/* Committer's thread. */
static void on_committed(void *ctx, const sl_event *drafts, size_t count)
{
    sl_serve *serve = ctx;
    for (size_t begin = 0; begin < count;) {
        size_t end = begin;
        uint32_t datagrams = 0;
        for (; end < count && drafts[end].source == drafts[begin].source; end++) {
            if (drafts[end].kind == SL_KIND_OSC) datagrams++;
        }
        if (datagrams > 0) sl_peers_count_committed(serve->peers, drafts[begin].source, datagrams);
        begin = end;
    }
    sl_service_wake(serve->service);
    sl_sound_child_wake(atomic_load(&serve->sound));
}

/* Receiver's thread. */
static void on_fault(void *ctx, const char *reason)
{
    sl_serve *serve = ctx;
    sl_status_say(&serve->status, "refused what=datagram reason=\"%s\"", reason);
}

/* Sound child's thread. */
static void on_sound(void *ctx)
{
    const sl_serve *serve = ctx;
    sl_service_wake(serve->service);
}

/* Worker's thread. */
static void on_answer(void *ctx)
{
    const sl_serve *serve = ctx;
    sl_service_wake(serve->service);
}

/* Worker's thread. */
static void on_pruned(void *ctx)
{
    const sl_serve *serve = ctx;
    sl_committer_delete(serve->committer);
}

static bool on_groove_send(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length)
{
    const sl_serve *serve = ctx;
    return sl_service_send_binary(serve->service, subscriber, bytes, length);
}

/* A port's thread, or the service's. */
static void on_groove_say(void *ctx, const char *name, const char *what, const char *why)
{
    sl_serve *serve = ctx;
    sl_status_say(&serve->status, "port name=%s is=%s%s%s%s", name, what, why[0] != '\0' ? " reason=\"" : "", why,
                  why[0] != '\0' ? "\"" : "");
}

static uint32_t on_new_source(void *ctx)
{
    const sl_serve *serve = ctx;
    return sl_peers_new_source(serve->peers);
}
