/* Surveys a damaged log by way of children. */
#include "tools/symlog/survey.h"

#include "tools/symlog/host.h"
#include "tools/symlog/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RANGES_MAX = 4096,            /* that one child can tell of; then the next goes on */
    CRASHES_SINGLE = 64,          /* in a row, each of which costs one event; then steps double … */
    STEP_MAX = 1 << 20,           /* … up to this. What is passed over, salvage looks for on the pages themselves */
    LOOK_MS = 100,                /* between looks at how far a child is */
    STUCK_LOOKS = 30000 / LOOK_MS /* without any progress: a page that leads in circles */
};

/* Memory that a child shares with its parent. */
typedef struct trace {
    volatile sl_err err; // Why it could not begin.
    volatile bool is_open;
    volatile bool has_last;
    volatile bool is_done;
    volatile uint64_t reading_seq;
    uint64_t first;
    uint64_t last;
    uint8_t id[SL_LOG_ID_BYTES];
    sl_log_range missing[RANGES_MAX];
    volatile size_t missing_count;
    char errmsg[SL_LOG_ERRMSG_BYTES];
} trace;

static sl_err survey_with(sl_survey *survey, trace *trace, const char *dir, char errmsg[256]);
static sl_err run_child(trace *trace, const char *dir, uint64_t from, sl_progress *progress, char errmsg[256]);
static void look(trace *trace, const char *dir, uint64_t from);
static uint64_t count_max(const char *dir);
static void look_at_events(trace *trace, sl_log *log, uint64_t from);
static bool is_full_with(trace *trace, uint64_t seq);
static sl_err take_missing(sl_survey *survey, const trace *trace);
static sl_err add_missing(sl_survey *survey, sl_log_range range);

sl_err sl_survey_make(sl_survey *survey, const char *dir, char errmsg[256])
{
    *survey = (sl_survey){.first = 1};
    trace *trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trace == MAP_FAILED) {
        snprintf(errmsg, 256, "no memory to share with a child: %s", strerror(errno));
        return SL_ERR_MEMORY;
    }
    sl_err err = survey_with(survey, trace, dir, errmsg);
    munmap(trace, sizeof *trace);
    return err;
}

void sl_survey_close(sl_survey *survey)
{
    free(survey->missing);
    *survey = (sl_survey){0};
}

static sl_err survey_with(sl_survey *survey, trace *trace, const char *dir, char errmsg[256])
{
    sl_progress progress = sl_progress_begin("looking", 0, true);
    sl_err err = SL_OK;
    uint64_t from = 1;
    uint64_t crashes_in_a_row = 0;
    while (err == SL_OK) {
        err = run_child(trace, dir, from, &progress, errmsg);
        if (err == SL_OK) err = take_missing(survey, trace);
        if (err != SL_OK) break;
        survey->is_open |= trace->is_open;
        survey->has_last |= trace->has_last;
        if (trace->is_open) memcpy(survey->id, trace->id, sizeof survey->id);
        if (trace->has_last) survey->first = trace->first;
        if (trace->has_last) survey->last = trace->last;
        if (trace->is_done || !trace->has_last) break;
        const uint64_t died_at = trace->reading_seq;
        if (died_at > survey->last) break;
        crashes_in_a_row = died_at == from ? crashes_in_a_row + 1 : 1;
        uint64_t step = 1;
        for (uint64_t i = CRASHES_SINGLE; i < crashes_in_a_row && step < STEP_MAX; i++) step *= 2;
        if (step > survey->last - died_at + 1) step = survey->last - died_at + 1;
        err = add_missing(survey, (sl_log_range){died_at, died_at + step - 1});
        from = died_at + step;
        if (from > survey->last) break;
    }
    sl_progress_end(&progress);
    if (err == SL_ERR_MEMORY) snprintf(errmsg, 256, "memory ran out");
    return err;
}

/* Looks from `from` on until the child has ended, however. */
static sl_err run_child(trace *trace, const char *dir, uint64_t from, sl_progress *progress, char errmsg[256])
{
    memset(trace, 0, sizeof *trace);
    trace->reading_seq = from;
    int alive[2]; // The child holds its end for as long as it lives.
    fflush(NULL);
    if (pipe(alive) != 0) {
        snprintf(errmsg, 256, "no pipe: %s", strerror(errno));
        return SL_ERR_IO;
    }
    pid_t child = fork();
    if (child == 0) {
        close(alive[0]);
        look(trace, dir, from);
        _exit(0);
    }
    close(alive[1]);
    if (child < 0) {
        close(alive[0]);
        snprintf(errmsg, 256, "no child process can be started: %s", strerror(errno));
        return SL_ERR_IO;
    }
    struct pollfd end = {.fd = alive[0], .events = POLLIN};
    uint64_t seen = 0;
    for (int idle = 0; poll(&end, 1, LOOK_MS) <= 0; idle++) {
        if (trace->reading_seq != seen) idle = 0;
        seen = trace->reading_seq;
        if (idle >= STUCK_LOOKS) kill(child, SIGKILL);
        progress->total = trace->last;
        sl_progress_draw(progress, seen);
    }
    close(alive[0]);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    if (trace->err != SL_OK) snprintf(errmsg, 256, "%.255s", trace->errmsg);
    return trace->err;
}

/* The child. LMDB's last words about a damaged page tell nobody anything. */
static void look(trace *trace, const char *dir, uint64_t from)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null_fd >= 0) dup2(null_fd, STDERR_FILENO);

    sl_log *log = NULL;
    const sl_log_options options = {.dir = dir};
    sl_err err = sl_log_open(&log, &options, trace->errmsg);
    if (err == SL_ERR_BUSY || err == SL_ERR_VERSION || err == SL_ERR_NOT_FOUND || err == SL_ERR_MEMORY)
        trace->err = err;
    if (err != SL_OK) return;
    memcpy(trace->id, sl_log_id(log), sizeof trace->id);
    trace->is_open = true;
    uint64_t count = 0;
    sl_log_beginning beginning = {.first_seq = 1};
    if (sl_log_count(log, &count) == SL_OK && count <= count_max(dir)) {
        if (sl_log_begins(log, &beginning) != SL_OK || beginning.base_seq == 0) beginning.oldest_seq = 1;
        trace->first = beginning.first_seq;
        trace->last = beginning.oldest_seq + count - 1;
        trace->has_last = true;
        look_at_events(trace, log, from > trace->first ? from : trace->first);
    }
    sl_log_close(log);
}

/* More events than that cannot be in the file: what says so is damaged. */
static uint64_t count_max(const char *dir)
{
    char path[SL_HOST_DIR_BYTES + sizeof "/data.mdb"];
    struct stat file;
    int length = snprintf(path, sizeof path, "%s/data.mdb", dir);
    if (length < 0 || (size_t)length >= sizeof path || stat(path, &file) != 0) return 0;
    return (uint64_t)file.st_size / SL_RECORD_HEADER_BYTES;
}

static void look_at_events(trace *trace, sl_log *log, uint64_t from)
{
    sl_log_reader *reader = NULL;
    if (sl_log_reader_open(log, from, &reader) != SL_OK) abort(); // As any other crash: the next child tries.
    bool is_full = false;
    while (!is_full) {
        const uint64_t seq = sl_log_reader_next_seq(reader);
        trace->reading_seq = seq;
        sl_event event;
        if (sl_log_read(reader, &event) == SL_OK) {
            if (trace->last < seq) trace->last = seq; // The count may be damaged too.
            continue;
        }
        if (seq > trace->last) break;
        is_full = is_full_with(trace, seq);
        if (!is_full) sl_log_reader_skip(reader);
    }
    sl_log_reader_close(reader);
    trace->is_done = !is_full;
}

/* Notes that `seq` cannot be read; true if there is no room for it. */
static bool is_full_with(trace *trace, uint64_t seq)
{
    const size_t count = trace->missing_count;
    if (count > 0 && trace->missing[count - 1].end == seq - 1) {
        trace->missing[count - 1].end = seq;
        return false;
    }
    if (count == RANGES_MAX) return true;
    trace->missing[count] = (sl_log_range){seq, seq};
    trace->missing_count = count + 1;
    return false;
}

static sl_err take_missing(sl_survey *survey, const trace *trace)
{
    sl_err err = SL_OK;
    for (size_t i = 0; i < trace->missing_count && err == SL_OK; i++) err = add_missing(survey, trace->missing[i]);
    return err;
}

static sl_err add_missing(sl_survey *survey, sl_log_range range)
{
    if (survey->missing_count > 0 && survey->missing[survey->missing_count - 1].end + 1 == range.begin) {
        survey->missing[survey->missing_count - 1].end = range.end;
        return SL_OK;
    }
    if (survey->missing_count == survey->missing_capacity) {
        size_t capacity = 2 * survey->missing_capacity + 64;
        void *grown = realloc(survey->missing, capacity * sizeof *survey->missing);
        if (grown == NULL) return SL_ERR_MEMORY;
        survey->missing = grown;
        survey->missing_capacity = capacity;
    }
    survey->missing[survey->missing_count++] = range;
    return SL_OK;
}
