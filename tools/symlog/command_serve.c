/* symlog serve: wires receiver -> committer -> log -> service -> subscribers, and stops them in that order. */
#include "ingest/clock.h"
#include "ingest/peers.h"
#include "ingest/project_watch.h"
#include "ingest/udp.h"
#include "tools/symlog/chores.h"
#include "tools/symlog/command.h"
#include "tools/symlog/committer.h"
#include "tools/symlog/feed.h"
#include "tools/symlog/groove_setup.h"
#include "tools/symlog/host.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/opening.h"
#include "tools/symlog/options.h"
#include "tools/symlog/player_setup.h"
#include "tools/symlog/project_source.h"
#include "tools/symlog/service.h"
#include "tools/symlog/status.h"
#include "tools/symlog/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RING_BYTES = 16 << 20,
    RECEIVE_BUFFER_BYTES = 4 << 20,
    OPTIONS_BYTES = 512,
    LIST_BYTES = 1024,
    GROOVE_GOODBYE_MS = 500,
    NOTES_GOODBYE_MS = 200
};

#define LOOPBACK "127.0.0.1"

typedef struct serve_options {
    char dir[SL_HOST_DIR_BYTES];
    char osc_address[INET_ADDRSTRLEN];
    char ws_address[INET_ADDRSTRLEN];
    uint16_t osc_port;
    uint16_t ws_port;
    sl_durability durability;
    uint64_t checkpoint_every;
    uint64_t snapshot_every;
    uint64_t backlog_bytes;
    bool is_verbose;
    const char *project;   /* a set or a folder; NULL: none */
    const char *notes_out; /* where notes go; NULL: nowhere */
    sl_operands watched;   /* files of live code */
    sl_groove_setup groove;
    sl_access access;
    char origins[LIST_BYTES];    /* what access.origins points into */
    char summary[OPTIONS_BYTES]; /* for the start event: no token */
} serve_options;

typedef struct serve {
    const serve_options *options;
    sl_status status;
    sl_opening opening;
    sl_ring *ring;
    int wake_fd;
    sl_groove_ports *groove_ports;
    sl_project_source project_source;
    sl_project_watch *project_watch;
    sl_peers *peers;
    sl_service *service;
    sl_service_player player;
    sl_committer *committer;
    sl_worker *worker;
    sl_udp *udp;
    char errmsg[256];
} serve;

static int run(int argc, char **argv);
static int read_options(int argc, char **argv, serve_options *options);
static int read_origins(const char *name, const char *list, serve_options *options);
static void catch_signals(void);
static bool can_listen_for_all(serve *serve);
static bool can_bind(const char *address, uint16_t port, int type);
static bool start(serve *serve);
static bool start_pipeline(serve *serve);
static bool create_groove_ports(serve *serve);
static bool start_groove_ports(serve *serve);
static bool start_project(serve *serve);
static bool start_live_code(serve *serve);
static bool start_player(serve *serve);
static bool put_setlists(serve *serve);
static bool start_worker(serve *serve);
static bool listen_for_all(serve *serve);
static void say_where(serve *serve);
static bool restore_peers(serve *serve);
static void loop(serve *serve);
static void stop(serve *serve);
static void on_committed(void *ctx, const sl_event *drafts, size_t count);
static void on_fault(void *ctx, const char *reason);
static void on_answer(void *ctx);
static void on_pruned(void *ctx);
static bool on_groove_send(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length);
static void on_groove_say(void *ctx, const char *name, const char *what, const char *why);
static uint32_t on_new_source(void *ctx);

const sl_command sl_command_serve = {
    .name = "serve",
    .summary = "record a set, and show it to subscribers",
    .help =
        "usage: symlog serve [--db DIR] [--osc [ADDR:]PORT] [--ws [ADDR:]PORT] [OPTION...]\n"
        "\n"
        "Records what Ableton Live sends by OSC, and a groove box by MIDI, in the log, and tells every change to\n"
        "WebSocket subscribers. Ctrl-C stops it; everything received is in the log then.\n"
        "\n"
        "  --db DIR             the log's folder ($SYMLOG_DB, or $XDG_DATA_HOME/symlog/default)\n"
        "  --osc [ADDR:]PORT    where OSC comes in by UDP (127.0.0.1:9002); port 0 picks one\n"
        "  --ws [ADDR:]PORT     where subscribers connect (127.0.0.1:8765); port 0 picks one\n"
        "  --token T            what subscribers must bring (?token=T); needed beyond 127.0.0.1\n"
        "  --allow-origin O     lets pages of this origin subscribe, too; several with commas between\n"
        "  --project PATH       the Live set that is played, or its folder (the newest set counts): each save is "
        "taken\n"
        "  --midi PATH          a groove box on a raw MIDI device, a pty or a FIFO; may be given several times\n"
        "  --midi-port NAME     or on a port that has a name (symlog ports lists them); likewise\n"
        "  --groove-authority   what symlog has counts: it tells it every 4 s\n"
        "  --groove-listen      records the groove box, and sends nothing\n"
        "  --setlists FILE      the built-in set lists: programs.json\n"
        "  --notes-out WHERE    where the notes of live code go: a raw MIDI device, a pty, a FIFO (a path), or a port\n"
        "                       that has a name (symlog ports)\n"
        "  --durability WHAT    power: a commit survives a power cut (the default); process: quicker, survives\n"
        "                       the death of the program only\n"
        "  --verbose            a line for every event\n"
        "\n"
        "example: symlog serve --db ~/tonight --osc 9002 --ws 8765 --midi /dev/snd/midiC1D0\n",
    .run = run,
};

/* Set by the first SIGINT or SIGTERM; a handler can reach nothing else. */
static volatile sig_atomic_t stop_signal;

static int run(int argc, char **argv)
{
    serve_options *options = calloc(1, sizeof *options);
    if (options == NULL) return sl_failure(argv[0], "out of memory");
    int status = read_options(argc, argv, options);
    if (status == SL_EXIT_OK) {
        serve serve = {.options = options, .wake_fd = -1};
        sl_status_open(&serve.status, STDOUT_FILENO);
        catch_signals();
        if (can_listen_for_all(&serve) && start(&serve)) loop(&serve);
        stop(&serve);
        sl_status_close(&serve.status);
        if (serve.errmsg[0] != '\0') status = sl_failure(argv[0], "%s", serve.errmsg);
    }
    free(options);
    return status;
}

static int read_options(int argc, char **argv, serve_options *options)
{
    const char *name = argv[0];
    const char *db = NULL, *osc = "9002", *ws = "8765", *origins = NULL, *durability = "power";
    const char *checkpoint_every = NULL, *snapshot_every = NULL, *backlog = NULL;
    const sl_option table[] = {
        {.name = "--db", .value = &db},
        {.name = "--osc", .value = &osc},
        {.name = "--ws", .value = &ws},
        {.name = "--token", .value = &options->access.token},
        {.name = "--allow-origin", .value = &origins},
        {.name = "--midi", .many = &options->groove.paths},
        {.name = "--project", .value = &options->project},
        {.name = "--midi-port", .many = &options->groove.names},
        {.name = "--groove-authority", .is_given = &options->groove.is_authority},
        {.name = "--groove-listen", .is_given = &options->groove.is_listening},
        {.name = "--watch", .many = &options->watched},
        {.name = "--setlists", .value = &options->groove.setlists},
        {.name = "--notes-out", .value = &options->notes_out},
        {.name = "--durability", .value = &durability},
        {.name = "--checkpoint-every", .value = &checkpoint_every}, /* for tests: no help tells of these three */
        {.name = "--snapshot-every", .value = &snapshot_every},
        {.name = "--backlog", .value = &backlog},
        {.name = "--verbose", .is_given = &options->is_verbose},
    };
    sl_operands operands;
    const int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error(name, "it takes no \"%s\"", operands.words[0]);

    char errmsg[256];
    if (!sl_host_db_dir(db, options->dir, sizeof options->dir, errmsg)) return sl_usage_error(name, "%s", errmsg);
    memcpy(options->osc_address, LOOPBACK, sizeof LOOPBACK);
    memcpy(options->ws_address, LOOPBACK, sizeof LOOPBACK);
    if (!sl_host_endpoint(osc, options->osc_address, sizeof options->osc_address, &options->osc_port))
        return sl_usage_error(name, "--osc wants [ADDR:]PORT, such as 9002 or 0.0.0.0:9002, not \"%s\"", osc);
    if (!sl_host_endpoint(ws, options->ws_address, sizeof options->ws_address, &options->ws_port))
        return sl_usage_error(name, "--ws wants [ADDR:]PORT, such as 8765 or 0.0.0.0:8765, not \"%s\"", ws);
    if (strcmp(durability, "power") != 0 && strcmp(durability, "process") != 0)
        return sl_usage_error(name, "--durability is power or process, not \"%s\"", durability);
    options->durability = durability[1] == 'o' ? SL_DURABILITY_POWER : SL_DURABILITY_PROCESS;
    options->checkpoint_every = SL_CHORES_CHECKPOINT_EVERY;
    options->snapshot_every = SL_KEEPER_EVERY_EVENTS;
    if (checkpoint_every != NULL && !sl_option_number(checkpoint_every, 1, UINT32_MAX, &options->checkpoint_every))
        return sl_usage_error(name, "--checkpoint-every wants a number of events");
    if (snapshot_every != NULL && !sl_option_number(snapshot_every, 1, UINT32_MAX, &options->snapshot_every))
        return sl_usage_error(name, "--snapshot-every wants a number of events");
    options->backlog_bytes = SL_FEED_BACKLOG_BYTES;
    if (backlog != NULL && !sl_option_number(backlog, 1 << 16, SL_FEED_BACKLOG_BYTES, &options->backlog_bytes))
        return sl_usage_error(name, "--backlog wants a number of bytes, from 65536");
    if (options->notes_out != NULL && options->notes_out[0] == '\0')
        return sl_usage_error(name, "--notes-out wants a path or a port's name");
    if (options->access.token != NULL && options->access.token[0] == '\0')
        return sl_usage_error(name, "--token is empty");
    if (options->access.token == NULL && !sl_access_is_loopback(options->ws_address))
        return sl_usage_error(name, "others can reach %s, so it needs --token", options->ws_address);
    snprintf(options->summary, sizeof options->summary, "--osc %s:%u --ws %s:%u --durability %s%s%s",
             options->osc_address, options->osc_port, options->ws_address, options->ws_port, durability,
             options->groove.is_authority ? " --groove-authority" : "",
             options->groove.is_listening ? " --groove-listen" : "");
    const int groove = sl_groove_setup_check(&options->groove, name);
    if (groove != SL_EXIT_OK) return groove;
    return origins != NULL ? read_origins(name, origins, options) : SL_EXIT_OK;
}

/* "https://a.example,https://b.example" */
static int read_origins(const char *name, const char *list, serve_options *options)
{
    if (strlen(list) >= sizeof options->origins) return sl_usage_error(name, "--allow-origin is too long");
    memcpy(options->origins, list, strlen(list) + 1);
    char *rest = NULL;
    for (char *one = strtok_r(options->origins, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (options->access.origin_count == SL_ACCESS_ORIGINS_MAX)
            return sl_usage_error(name, "--allow-origin takes at most %d origins", SL_ACCESS_ORIGINS_MAX);
        options->access.origins[options->access.origin_count++] = one;
    }
    return SL_EXIT_OK;
}

static void on_signal(int number)
{
    stop_signal = number;
}

/* The second Ctrl-C ends the program at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Before a log is made, or a start event appended, for a serve that cannot serve. Whoever takes the places between now
 * and then is noticed when they are taken. */
static bool can_listen_for_all(serve *serve)
{
    const serve_options *options = serve->options;
    if (!can_bind(options->osc_address, options->osc_port, SOCK_DGRAM)) {
        snprintf(serve->errmsg, sizeof serve->errmsg, "cannot listen on %s:%u for OSC: %s. Name another with --osc",
                 options->osc_address, options->osc_port, strerror(errno));
        return false;
    }
    if (!can_bind(options->ws_address, options->ws_port, SOCK_STREAM)) {
        snprintf(serve->errmsg, sizeof serve->errmsg,
                 "cannot listen on %s:%u for WebSockets: %s. Name another with --ws", options->ws_address,
                 options->ws_port, strerror(errno));
        return false;
    }
    return true;
}

/* False: no; errno says why. What the socket itself finds wrong it will say for itself. */
static bool can_bind(const char *address, uint16_t port, int type)
{
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0) return true;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &place.sin_addr);
    const int yes = 1; /* what a closed connection leaves behind is no hindrance */
    if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool is_free =
        bind(fd, (const struct sockaddr *)&place, sizeof place) == 0 && (type != SOCK_STREAM || listen(fd, 1) == 0);
    const int code = errno;
    close(fd);
    errno = code;
    return is_free;
}

static bool start(serve *serve)
{
    const serve_options *options = serve->options;
    const sl_opening_options opening = {
        .dir = options->dir,
        .durability = options->durability,
        .options = options->summary,
        .snapshot_every = options->snapshot_every,
        .signal = &stop_signal,
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
           start_groove_ports(serve) && start_project(serve) && start_player(serve) && start_live_code(serve);
}

/* Before all else that numbers sources. */
static bool create_groove_ports(serve *serve)
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

static bool start_groove_ports(serve *serve)
{
    const sl_err err = sl_groove_ports_start(serve->groove_ports, sl_committer_sink(serve->committer));
    if (err != SL_OK) snprintf(serve->errmsg, sizeof serve->errmsg, "cannot open the MIDI ports: %s", sl_err_text(err));
    return err == SL_OK;
}

static bool start_live_code(serve *serve)
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

static bool start_player(serve *serve)
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

static bool put_setlists(serve *serve)
{
    const uint64_t time_ns = sl_clock_boot_ns() - serve->opening.start_ns;
    return sl_groove_setup_put_lists(&serve->options->groove, serve->opening.state, sl_committer_sink(serve->committer),
                                     time_ns, serve->errmsg) == SL_OK;
}

/* Everything behind the sockets. */
static bool start_pipeline(serve *serve)
{
    const serve_options *options = serve->options;
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

static bool start_worker(serve *serve)
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
static uint32_t find_project_source(serve *serve)
{
    uint32_t next = sl_groove_ports_source_next(serve->groove_ports);
    if (serve->options->project == NULL) return next;
    sl_project_source_find(&serve->project_source, serve->opening.state, next, serve->options->project);
    return next + (serve->project_source.is_new ? 1 : 0);
}

/* From now on each save becomes an event. The one that the log has last is not taken again: what live events have said
 * since then would be undone. */
static bool start_project(serve *serve)
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

static bool restore_peers(serve *serve)
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

static bool listen_for_all(serve *serve)
{
    const serve_options *options = serve->options;
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

static void say_where(serve *serve)
{
    const serve_options *options = serve->options;
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

static void loop(serve *serve)
{
    while (stop_signal == 0 && serve->errmsg[0] == '\0') {
        sl_service_turn(serve->service);
        const char *failure = sl_service_failure(serve->service);
        if (failure != NULL) snprintf(serve->errmsg, sizeof serve->errmsg, "%s", failure);
        if (sl_committer_failed(serve->committer)) break;
    }
}

/* Against the direction in which events flow nothing may vanish: first the source, then what it feeds. */
static void stop(serve *serve)
{
    const bool is_well = serve->udp != NULL && serve->errmsg[0] == '\0' && !sl_committer_failed(serve->committer);
    if (is_well) sl_service_leave_groove(serve->service, GROOVE_GOODBYE_MS);
    sl_player_setup_stop(&serve->player, serve->service, NOTES_GOODBYE_MS);
    if (serve->groove_ports != NULL) sl_groove_ports_stop(serve->groove_ports, is_well ? GROOVE_GOODBYE_MS : 0);
    if (serve->udp != NULL) {
        sl_service_detach_udp(serve->service);
        sl_udp_stop(serve->udp);
    }
    if (serve->worker != NULL) sl_service_attach_worker(serve->service, NULL);
    sl_project_watch_stop(serve->project_watch);
    if (serve->service != NULL) sl_service_stop_live_code(serve->service);
    sl_worker_stop(serve->worker); /* both put into the committer's queue */
    uint64_t head = 0;
    if (!sl_committer_stop(serve->committer)) {
        if (sl_log_last(serve->opening.log, &head) != SL_OK) head = 0;
        snprintf(serve->errmsg, sizeof serve->errmsg, "%.160s; the log ends with event %llu. Mend that and start again",
                 sl_log_error(serve->opening.log), (unsigned long long)head);
    } else if (serve->udp != NULL && serve->errmsg[0] == '\0') {
        sl_service_finish(serve->service, sl_opening_sink(serve->opening.log));
        if (serve->opening.snapshots != NULL &&
            sl_keeper_take(serve->opening.snapshots, serve->opening.state) != SL_OK) {
            sl_status_say(&serve->status, "snapshots reason=\"%s\"", sl_snapshots_error(serve->opening.snapshots));
        }
        if (sl_log_last(serve->opening.log, &head) == SL_OK)
            sl_status_say(&serve->status, "stopped events=%llu", (unsigned long long)head);
    }
    sl_service_destroy(serve->service);
    sl_groove_ports_destroy(serve->groove_ports);
    sl_peers_destroy(serve->peers);
    if (serve->ring != NULL) sl_ring_destroy(serve->ring);
    if (serve->wake_fd >= 0) close(serve->wake_fd);
    sl_opening_close(&serve->opening);
}

/* Committer's thread. */
static void on_committed(void *ctx, const sl_event *drafts, size_t count)
{
    serve *serve = ctx;
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
}

/* Receiver's thread. */
static void on_fault(void *ctx, const char *reason)
{
    serve *serve = ctx;
    sl_status_say(&serve->status, "refused what=datagram reason=\"%s\"", reason);
}

/* Worker's thread. */
static void on_answer(void *ctx)
{
    const serve *serve = ctx;
    sl_service_wake(serve->service);
}

/* Worker's thread. */
static void on_pruned(void *ctx)
{
    const serve *serve = ctx;
    sl_committer_delete(serve->committer);
}

static bool on_groove_send(void *ctx, uint64_t subscriber, const uint8_t *bytes, size_t length)
{
    const serve *serve = ctx;
    return sl_service_send_binary(serve->service, subscriber, bytes, length);
}

/* A port's thread, or the service's. */
static void on_groove_say(void *ctx, const char *name, const char *what, const char *why)
{
    serve *serve = ctx;
    sl_status_say(&serve->status, "port name=%s is=%s%s%s%s", name, what, why[0] != '\0' ? " reason=\"" : "", why,
                  why[0] != '\0' ? "\"" : "");
}

static uint32_t on_new_source(void *ctx)
{
    const serve *serve = ctx;
    return sl_peers_new_source(serve->peers);
}
