/* symlog serve: starts receiver -> committer -> log -> service -> subscribers (serve_start.c), and stops them in that
 * order. */
#include "tools/symlog/audio_device.h"
#include "tools/symlog/command.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GROOVE_GOODBYE_MS = 500, NOTES_GOODBYE_MS = 200 };

static int run(int argc, char **argv);
static void catch_signals(void);
static bool can_listen_for_all(sl_serve *serve);
static bool can_bind(const char *address, uint16_t port, int type);
static void loop(sl_serve *serve);
static void stop(sl_serve *serve);

const sl_command sl_command_serve = {
    .name = "serve",
    .summary = "record a set, and show it to subscribers",
    .help = sl_serve_help,
    .run = run,
};

/* Set by the first SIGINT or SIGTERM; a handler can reach nothing else. */
static volatile sig_atomic_t stop_signal;

static int run(int argc, char **argv)
{
    sl_serve_options *options = calloc(1, sizeof *options);
    if (options == NULL) return sl_failure(argv[0], "out of memory");
    int status = sl_serve_options_read(argc, argv, options);
    if (status == SL_EXIT_OK && options->lists_devices) {
        if (!sl_audio_list(stdout)) status = sl_failure(argv[0], "there is no sound device");
    } else if (status == SL_EXIT_OK) {
        sl_serve serve = {.options = options, .wake_fd = -1};
        sl_status_open(&serve.status, STDOUT_FILENO);
        catch_signals();
        if (can_listen_for_all(&serve) && sl_serve_start(&serve, &stop_signal)) loop(&serve);
        stop(&serve);
        sl_status_close(&serve.status);
        if (serve.errmsg[0] != '\0') status = sl_failure(argv[0], "%s", serve.errmsg);
    }
    free(options);
    return status;
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
static bool can_listen_for_all(sl_serve *serve)
{
    const sl_serve_options *options = serve->options;
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

static void loop(sl_serve *serve)
{
    while (stop_signal == 0 && serve->errmsg[0] == '\0') {
        sl_service_turn(serve->service);
        const char *failure = sl_service_failure(serve->service);
        if (failure != NULL) snprintf(serve->errmsg, sizeof serve->errmsg, "%s", failure);
        if (sl_committer_failed(serve->committer)) break;
    }
}

/* Against the direction in which events flow nothing may vanish: first the source, then what it feeds. */
static void stop(sl_serve *serve)
{
    const bool is_well = serve->udp != NULL && serve->errmsg[0] == '\0' && !sl_committer_failed(serve->committer);
    if (is_well) sl_service_leave_groove(serve->service, GROOVE_GOODBYE_MS);
    sl_sound_child_stop(serve->sound); /* it has the player, and puts into the committer's queue */
    sl_player_setup_stop(&serve->player, serve->service, NOTES_GOODBYE_MS);
    if (serve->groove_ports != NULL) sl_groove_ports_stop(serve->groove_ports, is_well ? GROOVE_GOODBYE_MS : 0);
    if (serve->udp != NULL) {
        sl_service_detach_udp(serve->service);
        sl_udp_stop(serve->udp);
    }
    if (serve->worker != NULL) sl_service_attach_worker(serve->service, NULL);
    sl_project_watch_stop(serve->project_watch); /* as the next two, it puts into the committer's queue */
    if (serve->service != NULL) sl_service_stop_live_code(serve->service);
    sl_worker_stop(serve->worker);
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
    sl_sound_child_destroy(serve->sound);
    sl_sound_status_destroy(serve->sound_status);
    sl_groove_ports_destroy(serve->groove_ports);
    sl_peers_destroy(serve->peers);
    if (serve->ring != NULL) sl_ring_destroy(serve->ring);
    if (serve->wake_fd >= 0) close(serve->wake_fd);
    sl_opening_close(&serve->opening);
}
