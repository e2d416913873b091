/* serve's thread that has the sound process. */
#include "tools/symlog/sound_child.h"

#include "core/payload.h"
#include "ingest/clock.h"
#include "ingest/thread.h"
#include "tools/symlog/sound_wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAUSE_MS = 100, /* from its death to the next one; doubled each time that it does not last … */
    PAUSE_MS_MAX = 10000,
    LASTS_MS = 10000,      /* … so long */
    SILENCE_MS_MAX = 5000, /* then it hangs */
    END_MS = 500,          /* it has to end by itself; then it is killed */
    LINK_BYTES = 1 << 20,
    FULL_MS = 2,          /* so often it is looked whether the committer's queue has room again */
    EARLY_DEATHS_MAX = 2, /* libraries of sound may die of a system's configuration: then there is no device */
    ARGUMENTS_MAX = 24,
    LINK_FD = 3, /* in the child */
    WAKE_FD = 4
};

struct sl_sound_child {
    sl_sound_child_options options; /* Immutable while the thread runs. */
    pthread_t thread;
    bool has_thread;
    int stop_fd;
    int wake_fd; /* the child has it, too */
    atomic_bool is_stopping;
    pid_t pid; /* The thread's, and so is the rest. */
    int link;
    bool is_leading;       /* it is the player */
    bool is_speaking;      /* it has said something since it is */
    bool is_hung;          /* it said nothing any more */
    unsigned early_deaths; /* that came before it was, one after the other */
    int64_t loaded_ns;     /* when the processor that it loaded last was saved; 0: it has loaded none */
    int64_t after_save_ns; /* as it was saved then it has crashed; 0: it never did */
    unsigned pause_ms;
    sl_sound_message message;
};

static void *run(void *ctx);
static bool spawn(sl_sound_child *child);
static void listen_to(sl_sound_child *child);
static void take(sl_sound_child *child);
static int end(sl_sound_child *child);
static void explain(sl_sound_child *child, int status);
static void wait_a_moment(sl_sound_child *child, uint64_t lasted_ms);

sl_err sl_sound_child_start(sl_sound_child **out, const sl_sound_child_options *options)
{
    sl_sound_child *child = calloc(1, sizeof *child);
    if (child == NULL) return SL_ERR_MEMORY;
    child->options = *options;
    child->link = -1;
    child->pause_ms = PAUSE_MS;
    child->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    child->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sl_err err = child->stop_fd >= 0 && child->wake_fd >= 0 ? SL_OK : SL_ERR_IO;
    if (err == SL_OK) err = sl_thread_start(&child->thread, "sound child", run, child);
    child->has_thread = err == SL_OK;
    if (err == SL_OK) *out = child;
    if (err != SL_OK) sl_sound_child_destroy(child);
    return err;
}

static void write_one(int fd)
{
    /* Fails only when the counter is full, and then its reader is awake. */
    if (write(fd, &(uint64_t){1}, sizeof(uint64_t)) < 0) assert(errno == EAGAIN);
}

void sl_sound_child_wake(sl_sound_child *child)
{
    if (child != NULL) write_one(child->wake_fd);
}

void sl_sound_child_stop(sl_sound_child *child)
{
    if (child == NULL || !child->has_thread) return;
    atomic_store(&child->is_stopping, true);
    write_one(child->stop_fd);
    pthread_join(child->thread, NULL);
    child->has_thread = false;
}

void sl_sound_child_destroy(sl_sound_child *child)
{
    if (child == NULL) return;
    assert(!child->has_thread);
    if (child->stop_fd >= 0) close(child->stop_fd);
    if (child->wake_fd >= 0) close(child->wake_fd);
    free(child);
}

static uint64_t now_ms(void)
{
    return sl_player_clock_ns() / 1000000;
}

static void *run(void *ctx)
{
    sl_sound_child *child = ctx;
    while (!atomic_load(&child->is_stopping)) {
        const uint64_t begun_ms = now_ms();
        sl_sound_status_set(child->options.sound, &(sl_audio_status){.phase = SL_AUDIO_INITIALIZING});
        int status = -1;
        child->loaded_ns = 0;
        child->is_hung = false;
        if (spawn(child)) {
            listen_to(child);
            status = end(child);
        }
        if (atomic_load(&child->is_stopping)) break;
        if (child->is_leading) sl_player_lead(child->options.player);
        child->early_deaths = !child->is_leading && WIFSIGNALED(status) ? child->early_deaths + 1 : 0;
        child->is_leading = child->is_speaking = false;
        explain(child, status);
        wait_a_moment(child, now_ms() - begun_ms);
    }
    sl_sound_status_set(child->options.sound, &(sl_audio_status){.phase = SL_AUDIO_DISABLED});
    return NULL;
}

/* The words of the command line; numbers in `text`. */
static void write_arguments(const sl_sound_child *child, const char *argv[ARGUMENTS_MAX], char text[3][24])
{
    const sl_sound_wishes *wishes = child->options.wishes;
    size_t count = 0;
    argv[count++] = "symlog";
    argv[count++] = "sound";
    argv[count++] = "--db";
    argv[count++] = child->options.dir;
    argv[count++] = "--link";
    argv[count++] = "3";
    argv[count++] = "--wake";
    argv[count++] = "4";
    if (wishes->device != NULL) argv[count++] = "--device";
    if (wishes->device != NULL) argv[count++] = wishes->device;
    snprintf(text[0], sizeof text[0], "%u", wishes->rate);
    snprintf(text[1], sizeof text[1], "%u", wishes->block);
    argv[count++] = "--rate";
    argv[count++] = text[0];
    argv[count++] = "--block";
    argv[count++] = text[1];
    if (child->early_deaths >= EARLY_DEATHS_MAX) argv[count++] = "--no-device";
    if (wishes->with_audio) argv[count++] = "--with-audio";
    if (wishes->processor != NULL) argv[count++] = "--processor";
    if (wishes->processor != NULL) argv[count++] = wishes->processor;
    snprintf(text[2], sizeof text[2], "%lld", (long long)child->after_save_ns);
    if (child->after_save_ns > 0) argv[count++] = "--after-save";
    if (child->after_save_ns > 0) argv[count++] = text[2];
    argv[count] = NULL;
}

/* The child has the two descriptors, the standard ones, and no other. */
static int describe(posix_spawn_file_actions_t *actions, int link, int wake_fd)
{
    /* By way of numbers that neither of them has: to lay one upon the other would lose it. */
    const int high = (link > wake_fd ? link : wake_fd) + WAKE_FD + 1;
    int error = posix_spawn_file_actions_adddup2(actions, link, high);
    if (error == 0) error = posix_spawn_file_actions_adddup2(actions, wake_fd, high + 1);
    if (error == 0) error = posix_spawn_file_actions_adddup2(actions, high, LINK_FD);
    if (error == 0) error = posix_spawn_file_actions_adddup2(actions, high + 1, WAKE_FD);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, WAKE_FD + 1);
    return error;
}

static bool spawn(sl_sound_child *child)
{
    extern char **environ;
    int links[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, links) != 0) return false;
    const int bytes = LINK_BYTES;
    (void)setsockopt(links[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    const char *argv[ARGUMENTS_MAX];
    char text[3][24];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    write_arguments(child, argv, text);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int error = describe(&actions, links[1], child->wake_fd);
    /* posix_spawn does not change the words, which it takes as not constant. */
    if (error == 0)
        error =
            posix_spawn(&child->pid, "/proc/self/exe", &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(links[1]);
    child->link = links[0];
    if (error == 0) return true;
    close(child->link);
    sl_status_say(child->options.status, "sound failed reason=\"%s\"", strerror(error));
    return false;
}

/* Until it ends, or has to. As the player it says something ten times a second, once it has read what the log got while
 * it was told that it is. */
static void listen_to(sl_sound_child *child)
{
    struct pollfd wanted[2] = {{.fd = child->link, .events = POLLIN}, {.fd = child->stop_fd, .events = POLLIN}};
    while (!atomic_load(&child->is_stopping)) {
        const int count = poll(wanted, 2, child->is_speaking ? SILENCE_MS_MAX : -1);
        child->is_hung = count == 0;
        if (child->is_hung) return;
        if (count < 0) continue;
        sl_err err = SL_OK;
        while (err != SL_ERR_NOT_FOUND && !atomic_load(&child->is_stopping)) {
            err = sl_sound_receive(child->link, &child->message);
            if (err == SL_ERR_END) return;
            if (err == SL_OK) take(child);
        }
    }
    child->message.type = SL_SOUND_END;
    (void)sl_sound_send(child->link, &child->message);
}

/* It is the player from now on. */
static void go(sl_sound_child *child)
{
    sl_player_follow(child->options.player);
    child->is_leading = true;
    child->message.type = SL_SOUND_GO;
    child->message.as.anchor = sl_player_anchor(child->options.player);
    (void)sl_sound_send(child->link, &child->message); /* who cannot be told has gone, which is noticed */
}

/* What it may say in the log: of others serve would have to know who waits for them. */
static bool is_sound(uint16_t kind)
{
    return kind == SL_KIND_APPLIED || kind == SL_KIND_PLAYER || kind == SL_KIND_HEARD || kind == SL_KIND_PROCESSOR ||
           kind == SL_KIND_REFUSED;
}

static void put_draft(sl_sound_child *child)
{
    if (!is_sound(child->message.as.draft.kind)) return;
    const sl_event draft = {
        .kind = child->message.as.draft.kind,
        .version = child->message.as.draft.version,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = sl_clock_boot_ns() - child->options.start_ns,
        .payload = child->message.as.draft.payload,
        .length = child->message.as.draft.length,
    };
    const sl_sink sink = child->options.sink;
    sl_err err = sink.put(sink.ctx, &draft);
    /* A mark that was lost would be waited for by the engine for ever. What comes meanwhile waits in the link. */
    while (err == SL_ERR_FULL && !atomic_load(&child->is_stopping)) {
        poll(NULL, 0, FULL_MS);
        err = sink.put(sink.ctx, &draft);
    }
    if (err == SL_OK) return;
    sl_status_say(child->options.status, "dropped what=%s reason=\"%s\"", sl_kind_name(draft.kind), sl_err_text(err));
}

static void take(sl_sound_child *child)
{
    const sl_sound_child_options *options = &child->options;
    sl_sound_message *message = &child->message;
    child->is_speaking = child->is_leading;
    switch ((sl_sound_message_type)message->type) {
    case SL_SOUND_READY: go(child); break;
    case SL_SOUND_DRAFT: put_draft(child); break;
    case SL_SOUND_CLOCK:
        if (message->as.anchor.rate > 0) sl_player_set_clock(options->player, &message->as.anchor);
        break;
    case SL_SOUND_STATUS: sl_sound_status_set(options->sound, &message->as.status); break;
    case SL_SOUND_METER: sl_sound_status_set_meter(options->sound, &message->as.meter); break;
    case SL_SOUND_PARAMETERS:
        if (message->as.parameters.count <= SL_AUDIO_PARAMETERS_MAX)
            sl_sound_status_set_processor(options->sound, message->as.parameters.list, message->as.parameters.count);
        break;
    case SL_SOUND_SAY:
        message->as.line[sizeof message->as.line - 1] = '\0';
        sl_status_say(options->status, "%s", message->as.line);
        break;
    case SL_SOUND_LOADS: child->loaded_ns = message->as.saved_ns; break;
    case SL_SOUND_GO: /* it is told these two, and does not say them */
    case SL_SOUND_END:
    default: break;
    }
}

static bool has_ended(const sl_sound_child *child)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

/* It has closed its end, or shall: soon it is no more, nor is what a processor may have started. Returns its status, as
 * wait gives it. */
static int end(sl_sound_child *child)
{
    int status = 0;
    const uint64_t until_ms = now_ms() + (child->is_hung ? 0 : END_MS);
    while (!has_ended(child) && now_ms() < until_ms) {
        poll(NULL, 0, 5);
        /* What it says last is heard, too. */
        while (sl_sound_receive(child->link, &child->message) == SL_OK) take(child);
    }
    kill(-child->pid, SIGKILL); /* its group, which bears its number until it is waited for */
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) continue;
    while (sl_sound_receive(child->link, &child->message) == SL_OK) take(child);
    close(child->link);
    child->link = -1;
    return status;
}

static void say_failure(sl_sound_child *child, sl_audio_phase phase, const char *code, const char *message,
                        const char *hint)
{
    sl_audio_status status = {.phase = phase};
    snprintf(status.code, sizeof status.code, "%s", code);
    snprintf(status.message, sizeof status.message, "%s", message);
    snprintf(status.hint, sizeof status.hint, "%s", hint);
    sl_sound_status_set(child->options.sound, &status);
    sl_status_say(child->options.status, "sound ended reason=\"%s\" hint=\"%s\"", message, hint);
}

/* In the log, as all that is wrong with what a person has written. */
static void put_refused(sl_sound_child *child, const char *reason)
{
    const sl_refused refused = {.kind = SL_KIND_PROCESSOR, .reason = reason, .reason_length = strlen(reason)};
    sl_writer writer = {.bytes = child->message.as.draft.payload, .capacity = SL_SOUND_DRAFT_BYTES};
    child->message.as.draft.kind = SL_KIND_REFUSED;
    child->message.as.draft.version = SL_PAYLOAD_VERSION;
    if (sl_refused_encode(&refused, &writer) != SL_OK) return;
    child->message.as.draft.length = (uint32_t)writer.length;
    put_draft(child);
}

/* Why it ended, as far as that is known. */
static void explain(sl_sound_child *child, int status)
{
    char message[160];
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const bool is_own = code == SL_SOUND_FAILED || code == SL_SOUND_DEVICE_LOST || code == SL_SOUND_DEVICE_FOUND;
    if (code == SL_SOUND_CRASHED || code == SL_SOUND_LOOPS) {
        child->after_save_ns = child->loaded_ns;
        snprintf(message, sizeof message, "the processor %s", code == SL_SOUND_LOOPS ? "does not return" : "crashed");
        say_failure(child, SL_AUDIO_DEGRADED, code == SL_SOUND_LOOPS ? "processor_loops" : "processor_crashed", message,
                    "the sound goes on without it; mend it and save it");
        put_refused(child, message);
    } else if (child->loaded_ns > 0 && WIFEXITED(status) && !is_own) {
        child->after_save_ns = child->loaded_ns;
        snprintf(message, sizeof message, "the processor ended the process, with status %d", code);
        say_failure(child, SL_AUDIO_DEGRADED, "processor_crashed", message,
                    "the sound goes on without it; take exit() out and save it");
        put_refused(child, message);
    } else if (code == SL_SOUND_DEVICE_LOST) {
        say_failure(child, SL_AUDIO_FAILED, "device_lost", "the sound device is gone", "it is looked for");
    } else if (code == SL_SOUND_DEVICE_FOUND) {
        sl_status_say(child->options.status, "sound device=found");
    } else if (child->is_hung) {
        say_failure(child, SL_AUDIO_FAILED, "hung", "it said nothing for 5 s", "it is started again");
    } else if (WIFSIGNALED(status)) {
        snprintf(message, sizeof message, "signal %d: %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
        say_failure(child, SL_AUDIO_FAILED, "ended", message, "it is started again");
    } else {
        snprintf(message, sizeof message, "it ended with status %d", code);
        say_failure(child, SL_AUDIO_FAILED, "ended", message, "it is started again");
    }
}

static void wait_a_moment(sl_sound_child *child, uint64_t lasted_ms)
{
    if (lasted_ms >= LASTS_MS) child->pause_ms = PAUSE_MS;
    struct pollfd stop = {.fd = child->stop_fd, .events = POLLIN};
    (void)poll(&stop, 1, (int)child->pause_ms); /* stopped earlier, it is looked at is_stopping */
    if (child->pause_ms < PAUSE_MS_MAX) child->pause_ms *= 2;
}
