/* Going through the past once for all who ask for it: the catch-up's thread. */
#include "ingest/clock.h"
#include "tools/symlog/catchup_internal.h"
#include "tools/symlog/host.h"
#include "tools/symlog/teller.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SEEKER_PATIENCE_MS = 100, GATHER_MS = 10, WAIT_MS = 10, SILENT_LOOK_EVERY = 4096 };

/* One way through the log; catch-up's thread only. */
typedef struct run {
    sl_catchup *catchup;
    bool is_compact;
    sl_state *state;
    sl_log_reader *reader;
    sl_teller teller;
    sl_chunk_writer writer;
    uint64_t from; /* where the first of them begins */
    uint64_t began_ns;
    bool has_begun; /* has the state after `from` */
    bool is_at_head;
    char why[SL_SEEKER_WHY_BYTES]; /* it failed; "" while all is well */
} run;

/* What a run is to do next. */
typedef struct plan {
    bool has_seekers;
    bool is_wanted;     /* somebody wants the very next event's messages */
    uint64_t cut_after; /* the next event after which somebody else begins; UINT64_MAX: none */
} plan;

static bool choose(sl_catchup *catchup, uint64_t *from, bool *is_compact);
static void wait(sl_catchup *catchup);
static void go(sl_catchup *catchup, uint64_t from, bool is_compact);
static bool begin(run *run);
static plan make_plan(run *run);
static bool advance(run *run, const plan *plan);
static bool apply_next(run *run, bool is_silent);
static void deliver(run *run, sl_chunk *chunk);
static void end(run *run);
static void on_message(void *ctx, const sl_message_view *message);

void *sl_catchup_main(void *ctx)
{
    sl_catchup *catchup = ctx;
    uint64_t from = 0;
    bool is_compact = false;
    while (choose(catchup, &from, &is_compact)) {
        if (from != UINT64_MAX) go(catchup, from, is_compact);
    }
    return NULL;
}

/* The one in the queue that is furthest back; NULL: nobody waits. */
static const sl_seeker *find_furthest(const sl_catchup *catchup)
{
    const sl_seeker *furthest = NULL;
    for (const sl_seeker *each = catchup->first; each != NULL; each = each->next) {
        if (each->place != PLACE_QUEUE) continue;
        if (furthest == NULL || each->through < furthest->through) furthest = each;
    }
    return furthest;
}

/* Waits until somebody is in the queue, and a little longer for those who come at the same time; then begins with
 * whoever is furthest back. False at the end. */
static bool choose(sl_catchup *catchup, uint64_t *from, bool *is_compact)
{
    pthread_mutex_lock(&catchup->lock);
    while (find_furthest(catchup) == NULL && !atomic_load(&catchup->is_stopping))
        pthread_cond_wait(&catchup->changed, &catchup->lock);
    const uint64_t end_ns = sl_clock_boot_ns() + GATHER_MS * UINT64_C(1000000);
    while (sl_clock_boot_ns() < end_ns && !atomic_load(&catchup->is_stopping)) wait(catchup);
    const sl_seeker *furthest = find_furthest(catchup);
    *from = furthest != NULL ? furthest->through : UINT64_MAX;
    *is_compact = furthest != NULL && furthest->is_compact;
    pthread_mutex_unlock(&catchup->lock);
    return !atomic_load(&catchup->is_stopping);
}

static void wait(sl_catchup *catchup)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&catchup->changed, &catchup->lock, &until);
}

static void go(sl_catchup *catchup, uint64_t from, bool is_compact)
{
    run run = {.catchup = catchup, .is_compact = is_compact, .from = from, .began_ns = sl_clock_boot_ns()};
    const sl_listener listener = {.ctx = &run, .message = on_message};
    sl_teller_open(&run.teller, &listener);
    run.teller.is_compact = is_compact;
    sl_chunk_writer_open(&run.writer);
    run.has_begun = begin(&run);
    while (run.has_begun) {
        const plan plan = make_plan(&run);
        if (!plan.has_seekers || run.is_at_head || !advance(&run, &plan)) break;
    }
    end(&run);
    sl_chunk_writer_close(&run.writer);
    sl_teller_close(&run.teller);
    sl_log_reader_close(run.reader);
    if (run.state != NULL) sl_state_destroy(run.state);
}

static bool fail(run *run, const char *why)
{
    snprintf(run->why, sizeof run->why, "%s", why);
    return false;
}

/* Makes the state after event `from`. */
static bool begin(run *run)
{
    const uint64_t from = run->from;
    const sl_catchup_options *options = &run->catchup->options;
    const bool has_state =
        options->nearest_state != NULL && options->nearest_state(options->nearest_ctx, from + 1, &run->state);
    if (!has_state && sl_state_create(sl_host_memory(), &run->state) != SL_OK) return fail(run, "out of memory");
    if (sl_log_reader_open(run->catchup->options.log, sl_state_seq(run->state) + 1, &run->reader) != SL_OK)
        return fail(run, "out of memory");
    while (sl_state_seq(run->state) < from) {
        if (!apply_next(run, true)) return false;
    }
    sl_chunk_writer_begin(&run->writer, from);
    return true;
}

/* Takes along who waits for an event that is still to come, and looks who wants what. */
static plan make_plan(run *run)
{
    sl_catchup *catchup = run->catchup;
    const uint64_t position = run->writer.after;
    plan plan = {.cut_after = UINT64_MAX};
    pthread_mutex_lock(&catchup->lock);
    for (sl_seeker *each = catchup->first; each != NULL; each = each->next) {
        if (each->place == PLACE_QUEUE && each->is_compact == run->is_compact && each->through >= position) {
            each->place = PLACE_RUN;
            /* As long again as it took to come here, so that most of the time is spent on what is wanted. */
            each->patience_ns = SEEKER_PATIENCE_MS * UINT64_C(1000000) + sl_clock_boot_ns() - run->began_ns;
        }
        if (each->place != PLACE_RUN) continue;
        plan.has_seekers = true;
        if (each->through == position)
            plan.is_wanted = true;
        else if (each->through < plan.cut_after)
            plan.cut_after = each->through;
    }
    pthread_mutex_unlock(&catchup->lock);
    if (atomic_load(&catchup->is_stopping)) plan.has_seekers = false;
    return plan;
}

/* Makes the next chunk and hands it out; or, when nobody wants it, goes on to where somebody begins. */
static bool advance(run *run, const plan *plan)
{
    if (!plan->is_wanted) {
        for (int i = 0; i < SILENT_LOOK_EVERY && sl_state_seq(run->state) < plan->cut_after; i++) {
            if (!apply_next(run, true)) return false;
        }
        sl_chunk_writer_begin(&run->writer, sl_state_seq(run->state));
        return true;
    }
    while (!sl_chunk_writer_is_full(&run->writer) && sl_state_seq(run->state) < plan->cut_after) {
        if (!apply_next(run, false)) {
            if (run->is_at_head) break;
            return false;
        }
        sl_chunk_writer_end(&run->writer, sl_state_seq(run->state));
    }
    while (run->writer.through > run->writer.after) {
        sl_chunk *chunk = NULL;
        if (sl_chunk_writer_take(&run->writer, &chunk) != SL_OK) return fail(run, "out of memory");
        deliver(run, chunk);
        sl_chunk_leave(chunk);
    }
    return true;
}

/* Applies the next event; false at the head, at the end of the program, and when it failed. */
static bool apply_next(run *run, bool is_silent)
{
    const uint64_t head = atomic_load(&run->catchup->head);
    run->is_at_head = sl_state_seq(run->state) >= head || atomic_load(&run->catchup->is_stopping);
    if (run->is_at_head) return false;
    sl_event event;
    sl_err err = sl_log_read(run->reader, &event);
    if (err == SL_ERR_END) return fail(run, "the log ends before its last event");
    if (err != SL_OK) {
        sl_host_read_error(run->reader, err, run->why);
        return false;
    }
    err = is_silent ? sl_reduce(run->state, &event, NULL) : sl_teller_apply(&run->teller, run->state, &event);
    return err == SL_OK || fail(run, "out of memory");
}

static void on_message(void *ctx, const sl_message_view *message)
{
    run *run = ctx;
    sl_chunk_writer_add(&run->writer, message, run->is_compact);
}

/* Puts the chunk into the rings of all who want it and have room; true if all of them had. *is_anyone_starving: one of
 * the others could read on. */
static bool hand_out(run *run, sl_chunk *chunk, bool *is_anyone_starving, bool *is_news)
{
    bool have_all = true;
    *is_anyone_starving = false;
    for (sl_seeker *each = run->catchup->first; each != NULL; each = each->next) {
        if (each->place == PLACE_RUN && each->through == chunk->after && each->count < SL_SEEKER_CHUNKS) {
            sl_chunk_join(chunk);
            each->chunks[(each->begin + each->count) % SL_SEEKER_CHUNKS] = chunk;
            if (each->count++ == 0) *is_news = true;
            each->through = chunk->through;
        }
        if (each->place == PLACE_RUN && each->through == chunk->after) have_all = false;
        if (each->place == PLACE_QUEUE || (each->place == PLACE_RUN && each->count == 0)) *is_anyone_starving = true;
    }
    return have_all;
}

/* Lets go of those who have kept the others waiting for too long. */
static void lose_patience(run *run, const sl_chunk *chunk, uint64_t waited_ns)
{
    for (sl_seeker *each = run->catchup->first; each != NULL; each = each->next) {
        if (each->place != PLACE_RUN || each->through != chunk->after) continue;
        each->patience_ns -= waited_ns < each->patience_ns ? waited_ns : each->patience_ns;
        if (each->patience_ns == 0) each->place = PLACE_NOWHERE;
    }
}

static void deliver(run *run, sl_chunk *chunk)
{
    sl_catchup *catchup = run->catchup;
    bool is_resting = false;
    pthread_mutex_lock(&catchup->lock);
    for (;;) {
        bool is_anyone_starving, is_news = false;
        const bool have_all = hand_out(run, chunk, &is_anyone_starving, &is_news);
        if (is_news) catchup->options.ready(catchup->options.ready_ctx);
        if (have_all || atomic_load(&catchup->is_stopping)) break;
        if (!is_resting) sl_log_reader_rest(run->reader);
        is_resting = true;
        const uint64_t began_ns = sl_clock_boot_ns();
        wait(catchup);
        if (is_anyone_starving) lose_patience(run, chunk, sl_clock_boot_ns() - began_ns);
    }
    pthread_mutex_unlock(&catchup->lock);
}

/* True if the seeker wants what this run has failed at: later events may be read from another state. */
static bool is_failed_for(const run *run, const sl_seeker *seeker)
{
    if (run->why[0] == '\0') return false;
    if (!run->has_begun) return seeker->through <= run->from;
    return seeker->place == PLACE_RUN && seeker->through <= sl_state_seq(run->state);
}

/* Nobody is part of it any more. */
static void end(run *run)
{
    sl_catchup *catchup = run->catchup;
    bool is_news = false;
    pthread_mutex_lock(&catchup->lock);
    for (sl_seeker *each = catchup->first; each != NULL; each = each->next) {
        if (each->place == PLACE_NOWHERE) continue;
        if (is_failed_for(run, each)) {
            each->has_failed = true;
            memcpy(each->why, run->why, sizeof each->why);
            each->place = PLACE_NOWHERE;
            is_news = true;
        } else if (each->place == PLACE_RUN) {
            each->place = run->why[0] != '\0' ? PLACE_QUEUE : PLACE_NOWHERE;
            is_news = true;
        }
    }
    /* Under the lock: who is told may be gone as soon as its seekers have left. */
    if (is_news) catchup->options.ready(catchup->options.ready_ctx);
    pthread_mutex_unlock(&catchup->lock);
}
