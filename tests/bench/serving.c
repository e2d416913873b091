/* The child process, and the thread that reads its log. */
#include "tests/bench/serving.h"

#include "store/log.h"
#include "tests/bench/udp_client.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct serving {
    char dir[BENCH_DIR_BYTES];
    pid_t child;
    FILE *output;
    uint16_t osc_port;
    uint16_t ws_port;
    bool is_watched;
    _Atomic bool is_stopping;
    pthread_t watcher;
    taker taken;
};

enum { OWN_WORDS = 8, WORDS_MAX = 24 };
static const uint64_t LOOK_NS = 1000000;

static serving *make(void);
static void start(serving *serving, const char *program, const char *const *words);
static void read_ports(serving *serving);
static void add_tracks(const serving *serving);
static void *watch(void *ctx);

serving *serving_open(const bench *bench)
{
    serving *serving = make();
    bench_make_dir(bench, serving->dir);
    start(serving, bench->program, (const char *const[]){NULL});
    read_ports(serving);
    add_tracks(serving);
    return serving;
}

serving *serving_open_log(const bench *bench, const char *dir)
{
    return serving_open_with(bench, dir, (const char *const[]){NULL});
}

serving *serving_open_player(const bench *bench, const char *dir, const char *notes_out)
{
    return serving_open_with(bench, dir, (const char *const[]){"--notes-out", notes_out, NULL});
}

serving *serving_open_with(const bench *bench, const char *dir, const char *const *words)
{
    serving *serving = make();
    snprintf(serving->dir, sizeof serving->dir, "%s", dir);
    start(serving, bench->program, words);
    read_ports(serving);
    return serving;
}

static serving *make(void)
{
    serving *serving = calloc(1, sizeof *serving);
    if (serving == NULL) bench_die("out of memory");
    return serving;
}

void serving_close(serving *serving)
{
    if (serving->is_watched) {
        atomic_store(&serving->is_stopping, true);
        pthread_join(serving->watcher, NULL);
    }
    int status = 0;
    kill(serving->child, SIGTERM);
    if (waitpid(serving->child, &status, 0) < 0 || status != 0) bench_die("symlog serve ended with status %d", status);
    fclose(serving->output);
    bench_remove_dir(serving->dir);
    free(serving);
}

pid_t serving_pid(const serving *serving)
{
    return serving->child;
}

const char *serving_dir(const serving *serving)
{
    return serving->dir;
}

uint16_t serving_osc_port(const serving *serving)
{
    return serving->osc_port;
}

uint16_t serving_ws_port(const serving *serving)
{
    return serving->ws_port;
}

void serving_pause(const serving *serving)
{
    int status = 0;
    kill(serving->child, SIGSTOP);
    if (waitpid(serving->child, &status, WUNTRACED) < 0 || !WIFSTOPPED(status)) bench_die("symlog serve is gone");
}

void serving_resume(const serving *serving)
{
    kill(serving->child, SIGCONT);
}

uint64_t serving_memory_bytes(const serving *serving)
{
    char path[64], line[128];
    unsigned long long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)serving->child);
    FILE *file = fopen(path, "r");
    if (file == NULL) bench_die("%s: %s", path, strerror(errno));
    while (kib == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "RssAnon:", strlen("RssAnon:")) == 0) kib = strtoull(line + strlen("RssAnon:"), NULL, 10);
    }
    fclose(file);
    return kib << 10;
}

uint64_t serving_count_datagrams(const serving *serving, uint64_t after_seq, uint64_t *oldest_seq)
{
    char errmsg[SL_LOG_ERRMSG_BYTES] = "cannot read the log of symlog serve";
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    sl_log_beginning beginning = {0};
    const sl_log_options options = {.dir = serving->dir};
    if (sl_log_open(&log, &options, errmsg) != SL_OK || sl_log_begins(log, &beginning) != SL_OK ||
        sl_log_reader_open(log, after_seq + 1, &reader) != SL_OK)
        bench_die("%s", errmsg);
    if (oldest_seq != NULL) *oldest_seq = beginning.oldest_seq;
    sl_event event;
    sl_err err = SL_OK;
    uint64_t count = 0;
    while ((err = sl_log_read(reader, &event)) == SL_OK) count += event.kind == SL_KIND_OSC;
    if (err != SL_ERR_END) bench_die("%s", sl_log_reader_error(reader));
    sl_log_reader_close(reader);
    sl_log_close(log);
    return count;
}

taker *serving_taken(serving *serving)
{
    return &serving->taken;
}

static void start(serving *serving, const char *program, const char *const *words)
{
    const char *argv[WORDS_MAX] = {program, "serve", "--db", serving->dir, "--osc", "0", "--ws", "0"};
    for (size_t count = OWN_WORDS; *words != NULL; words++) {
        if (count + 1 == WORDS_MAX) bench_die("too many words for symlog serve");
        argv[count++] = *words;
    }
    int ends[2];
    if (pipe(ends) != 0) bench_die("pipe: %s", strerror(errno));
    serving->child = fork();
    if (serving->child < 0) bench_die("fork: %s", strerror(errno));
    if (serving->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a bench that died */
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program, (char *const *)(uintptr_t)argv); /* which does not change the words */
        _exit(127);
    }
    close(ends[1]);
    serving->output = fdopen(ends[0], "r");
    if (serving->output == NULL) bench_die("out of memory");
}

static void read_ports(serving *serving)
{
    char line[1024];
    while ((serving->osc_port == 0 || serving->ws_port == 0) && fgets(line, sizeof line, serving->output) != NULL) {
        const char *colon = strrchr(line, ':');
        const unsigned long port = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;
        if (strncmp(line, "listening osc=", strlen("listening osc=")) == 0) serving->osc_port = (uint16_t)port;
        if (strncmp(line, "listening ws=", strlen("listening ws=")) == 0) serving->ws_port = (uint16_t)port;
    }
    if (serving->osc_port == 0 || serving->ws_port == 0) bench_die("symlog serve does not say where it listens");
}

static void add_tracks(const serving *serving)
{
    const int fd = udp_client_open(serving->osc_port);
    for (int i = 0; i < SERVING_TRACKS; i++) udp_client_send(fd, -1, "/live/track/added", "is", i, "Track");
    close(fd);
}

void serving_watch(serving *serving)
{
    if (pthread_create(&serving->watcher, NULL, watch, serving) != 0) bench_die("cannot start a thread");
    serving->is_watched = true;
    if (taker_wait(&serving->taken, SERVING_TRACKS) != SERVING_TRACKS)
        bench_die("symlog serve did not take the tracks");
}

static void *watch(void *ctx)
{
    serving *serving = ctx;
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    char errmsg[SL_LOG_ERRMSG_BYTES] = "cannot read the log of symlog serve";
    const sl_log_options options = {.dir = serving->dir};
    if (sl_log_open(&log, &options, errmsg) != SL_OK || sl_log_reader_open(log, 1, &reader) != SL_OK)
        bench_die("%s", errmsg);
    while (!atomic_load(&serving->is_stopping)) {
        sl_event event;
        uint64_t count = 0;
        sl_err err = SL_OK;
        while ((err = sl_log_read(reader, &event)) == SL_OK) count += event.kind == SL_KIND_OSC;
        if (err != SL_ERR_END) bench_die("%s", sl_log_reader_error(reader));
        taker_add(&serving->taken, count);
        bench_wait_until(bench_now_ns() + LOOK_NS);
    }
    sl_log_reader_close(reader);
    sl_log_close(log);
    return NULL;
}
