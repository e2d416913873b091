/*
 * Jitter of MIDI: serve plays 200 notes a second to a pty, and at the same time a bare loop sleeps (clock_nanosleep, to
 * absolute times) and writes as many to another. Both are read in the same way, by a thread each; how much later than
 * the earliest each note came, by the grid of 5 ms, is its lateness.
 */
#include "tests/bench/bench.h"

#include "core/live_code.h"
#include "core/score.h"
#include "store/log.h"
#include "tests/bench/serving.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
    NOTES = 800, /* a round: four seconds */
    WARM_UP = 100,
    NOTE_TICKS = 210, /* 5 ms at 125 bpm */
    TRACK_NOTES = 96,
    BPM = 125,
    SCORE_BYTES = 8192
};
static const uint64_t STEP_NS = 5000000;

/* A pty in raw mode, and when notes began at its end. */
typedef struct line {
    int end;
    int other;
    char path[64];
    pthread_t thread;
    uint64_t times_ns[NOTES];
} line;

static void line_open(line *line);
static void line_close(line *line);
static void *read_notes(void *ctx);
static void *write_notes(void *ctx);
static void make_log(const char *dir);
static double find_p99(const line *line);

static atomic_bool is_over;

void bench_midi(bench *bench)
{
    if (bench->program == NULL) return;
    bench_series own = {0}, peer = {0}, beyond = {0};
    char dir[BENCH_DIR_BYTES];
    line ours, bare;
    pthread_t writer;
    bench_make_dir(bench, dir);
    make_log(dir);
    line_open(&ours);
    line_open(&bare);
    atomic_store(&is_over, false);
    serving *serving = serving_open_player(bench, dir, ours.path);
    if (pthread_create(&writer, NULL, write_notes, &bare) != 0) bench_die("cannot start a thread");
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        line *const lines[] = {&ours, &bare};
        for (size_t k = 0; k < 2; k++) {
            if (pthread_create(&lines[k]->thread, NULL, read_notes, lines[k]) != 0) bench_die("cannot start a thread");
        }
        for (size_t k = 0; k < 2; k++) pthread_join(lines[k]->thread, NULL);
        bench_add(&own, find_p99(&ours));
        bench_add(&peer, find_p99(&bare));
        bench_add(&beyond, find_p99(&ours) - find_p99(&bare));
    }
    atomic_store(&is_over, true);
    pthread_join(writer, NULL);
    serving_close(serving);
    line_close(&ours);
    line_close(&bare);
    bench_report(bench, &(bench_figure){"lateness of 200 notes/s on a pty, p99", "ms", &own, "clock_nanosleep loop",
                                        &peer, BENCH_LIMIT_NONE, 0});
    bench_report(bench, &(bench_figure){"beyond the loop's, p99", "ms", &beyond, NULL, NULL, BENCH_LIMIT_VALUE_MAX, 1});
}

/* A track that plays 200 notes a second, and a player's word to play. */
static void make_log(const char *dir)
{
    uint8_t score_bytes[SCORE_BYTES], play_bytes[64];
    sl_writer score = {.bytes = score_bytes, .capacity = sizeof score_bytes};
    sl_writer play = {.bytes = play_bytes, .capacity = sizeof play_bytes};
    sl_score_writer writer;
    const sl_score_head head = {.replaces = true, .has_tempo = true, .bpm = BPM, .buffer = ""};
    const sl_score_track track = {.name = "lead", .name_length = 4, .instrument = "", .params = ""};
    const sl_transport transport = {.action = SL_TRANSPORT_PLAY, .track = "", .name = "", .params = ""};
    sl_score_begin(&writer, &score, &head);
    sl_score_begin_track(&writer, &track);
    sl_score_begin_clip(&writer, "", 0);
    for (int i = 0; i < TRACK_NOTES; i++) {
        const sl_score_step step = {.op = SL_SCORE_NOTE,
                                    .pitch = (uint8_t)(i % TRACK_NOTES + 12),
                                    .duration = NOTE_TICKS,
                                    .velocity = SL_SCORE_ONE};
        sl_score_put_step(&writer, &step);
    }
    sl_score_end_clip(&writer);
    sl_score_end_track(&writer);
    sl_score_end(&writer);
    if (score.bad || sl_transport_encode(&transport, &play) != SL_OK) bench_die("the score is too long");
    const sl_event events[] = {
        {.kind = SL_KIND_SCORE,
         .version = SL_SCORE_VERSION,
         .source_seq = SL_SOURCE_SEQ_NONE,
         .payload = score_bytes,
         .length = (uint32_t)score.length},
        {.kind = SL_KIND_TRANSPORT,
         .version = 1,
         .source_seq = SL_SOURCE_SEQ_NONE,
         .payload = play_bytes,
         .length = (uint32_t)play.length},
    };
    char errmsg[SL_LOG_ERRMSG_BYTES];
    sl_log *log = NULL;
    const sl_log_options options = {.dir = dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS};
    if (sl_log_open(&log, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    if (sl_log_append(log, events, 2, NULL) != SL_OK) bench_die("%s", sl_log_error(log));
    sl_log_close(log);
}

static void line_open(line *line)
{
    struct termios terms;
    line->end = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (line->end < 0 || grantpt(line->end) != 0 || unlockpt(line->end) != 0 ||
        ptsname_r(line->end, line->path, sizeof line->path) != 0)
        bench_die("cannot open a pty: %s", strerror(errno));
    line->other = open(line->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (line->other < 0 || tcgetattr(line->other, &terms) != 0) bench_die("%s: %s", line->path, strerror(errno));
    cfmakeraw(&terms);
    if (tcsetattr(line->other, TCSANOW, &terms) != 0) bench_die("%s: %s", line->path, strerror(errno));
}

static void line_close(line *line)
{
    close(line->end);
    close(line->other);
}

/* Both sides write whole messages of three bytes. */
static void *read_notes(void *ctx)
{
    line *line = ctx;
    for (int count = -WARM_UP; count < NOTES;) {
        uint8_t bytes[3 * 256];
        const ssize_t length = read(line->end, bytes, sizeof bytes);
        const uint64_t now_ns = bench_now_ns();
        if (length <= 0) bench_die("a pty is gone: %s", strerror(errno));
        for (ssize_t i = 0; i + 3 <= length && count < NOTES; i += 3) {
            if ((bytes[i] & 0xF0) != 0x90) continue;
            if (count >= 0) line->times_ns[count] = now_ns;
            count++;
        }
    }
    return NULL;
}

static void *write_notes(void *ctx)
{
    const line *line = ctx;
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* as the player does */
    while (!atomic_load(&is_over)) {
        static const uint8_t note[] = {0x80, 60, 64, 0x90, 60, 100};
        due.tv_nsec += (long)STEP_NS;
        if (due.tv_nsec >= 1000000000) due.tv_sec++;
        due.tv_nsec %= 1000000000;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
        if (write(line->other, note, sizeof note) != (ssize_t)sizeof note) bench_die("write: %s", strerror(errno));
    }
    return NULL;
}

static double find_p99(const line *line)
{
    static double late_ms[NOTES];
    double earliest_ms = 0;
    for (int i = 0; i < NOTES; i++) {
        const double time_ms = (double)(int64_t)(line->times_ns[i] - line->times_ns[0]) / 1e6;
        late_ms[i] = time_ms - (double)i * (double)STEP_NS / 1e6;
        if (late_ms[i] < earliest_ms) earliest_ms = late_ms[i];
    }
    for (int i = 0; i < NOTES; i++) late_ms[i] -= earliest_ms;
    return bench_quantile(late_ms, NOTES, 0.99);
}
