/* The query worker's thread and its two queues. */
#include "tools/symlog/worker.h"

#include "core/message.h"
#include "ingest/clock.h"
#include "ingest/thread.h"
#include "tools/symlog/history.h"
#include "tools/symlog/host.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/prune.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    NICENESS = 10, /* where there are too few CPUs the feed goes first */
    COMMIT_LOOK_NS = 1000000,
    COMMIT_LOOKS_MAX = 60000 /* a minute */
};

struct sl_worker {
    sl_worker_options options; /* Immutable. */
    pthread_t thread;          /* Immutable. */
    _Atomic bool is_stopping;

    pthread_mutex_t lock;
    pthread_cond_t has_question;
    sl_question questions[SL_WORKER_QUESTIONS_MAX]; /* Under the lock, as all below: a ring. */
    size_t questions_begin;
    size_t questions_count;
    sl_answer answers[SL_WORKER_QUESTIONS_MAX]; /* a ring */
    size_t answers_begin;
    size_t answers_count;
    size_t under_way; /* questions put whose answers have not been taken */

    bool cannot_keep; /* Worker's thread: a snapshot could not be written; no other is tried. */
};

static void *run(void *ctx);
static bool next_question(sl_worker *worker, sl_question *question);
static void put_answer(sl_worker *worker, const sl_answer *answer);
static void answer_question(sl_worker *worker, const sl_question *question, sl_answer *answer);
static sl_err answer_state_at(const sl_nearest *from, sl_worker *worker, uint64_t seq, sl_answer *answer);
static sl_err prune(const sl_nearest *from, sl_worker *worker, uint64_t before, sl_answer *answer);
static sl_err append_base(sl_worker *worker, uint64_t before, const sl_text *payload, sl_answer *answer);
static sl_nearest where_from(sl_worker *worker);
static void take_snapshot(sl_worker *worker, uint64_t seq);
static void on_bad(void *ctx, uint64_t seq, const char *reason);

sl_err sl_worker_start(sl_worker **out, const sl_worker_options *options)
{
    sl_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) return SL_ERR_MEMORY;
    worker->options = *options;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->has_question, NULL);
    const sl_err err = sl_thread_start(&worker->thread, "worker", run, worker);
    if (err != SL_OK) {
        pthread_cond_destroy(&worker->has_question);
        pthread_mutex_destroy(&worker->lock);
        free(worker);
        return err;
    }
    *out = worker;
    return SL_OK;
}

void sl_worker_stop(sl_worker *worker)
{
    if (worker == NULL) return;
    pthread_mutex_lock(&worker->lock);
    atomic_store(&worker->is_stopping, true);
    pthread_cond_signal(&worker->has_question);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    sl_answer answer;
    while (sl_worker_take(worker, &answer)) sl_text_close(&answer.result);
    pthread_cond_destroy(&worker->has_question);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

sl_err sl_worker_ask(sl_worker *worker, const sl_question *question)
{
    sl_err err = SL_ERR_FULL;
    pthread_mutex_lock(&worker->lock);
    if (worker->under_way < SL_WORKER_QUESTIONS_MAX) {
        const size_t end = (worker->questions_begin + worker->questions_count++) % SL_WORKER_QUESTIONS_MAX;
        worker->questions[end] = *question;
        worker->under_way++;
        pthread_cond_signal(&worker->has_question);
        err = SL_OK;
    }
    pthread_mutex_unlock(&worker->lock);
    return err;
}

bool sl_worker_take(sl_worker *worker, sl_answer *answer)
{
    pthread_mutex_lock(&worker->lock);
    const bool is_there = worker->answers_count > 0;
    if (is_there) {
        *answer = worker->answers[worker->answers_begin];
        worker->answers_begin = (worker->answers_begin + 1) % SL_WORKER_QUESTIONS_MAX;
        worker->answers_count--;
        worker->under_way--;
    }
    pthread_mutex_unlock(&worker->lock);
    return is_there;
}

static void *run(void *ctx)
{
    sl_worker *worker = ctx;
    sl_question question;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* a thread's own, on Linux */
    while (next_question(worker, &question)) {
        if (question.type == SL_QUESTION_SNAPSHOT) {
            take_snapshot(worker, question.through);
            pthread_mutex_lock(&worker->lock);
            worker->under_way--;
            pthread_mutex_unlock(&worker->lock);
            continue;
        }
        sl_answer answer = {.ticket = question.ticket};
        sl_text_open(&answer.result, sl_host_memory());
        answer_question(worker, &question, &answer);
        put_answer(worker, &answer);
        worker->options.wake(worker->options.ctx);
    }
    return NULL;
}

static sl_nearest where_from(sl_worker *worker)
{
    return (sl_nearest){
        .log = worker->options.log, .snapshots = worker->options.snapshots, .report = on_bad, .ctx = worker};
}

/* Waits for one; false: it is time to stop. */
static bool next_question(sl_worker *worker, sl_question *question)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->questions_count == 0 && !atomic_load(&worker->is_stopping)) {
        pthread_cond_wait(&worker->has_question, &worker->lock);
    }
    const bool goes_on = !atomic_load(&worker->is_stopping);
    if (goes_on) {
        *question = worker->questions[worker->questions_begin];
        worker->questions_begin = (worker->questions_begin + 1) % SL_WORKER_QUESTIONS_MAX;
        worker->questions_count--;
    }
    pthread_mutex_unlock(&worker->lock);
    return goes_on;
}

static void put_answer(sl_worker *worker, const sl_answer *answer)
{
    pthread_mutex_lock(&worker->lock);
    assert(worker->answers_count < SL_WORKER_QUESTIONS_MAX);
    worker->answers[(worker->answers_begin + worker->answers_count++) % SL_WORKER_QUESTIONS_MAX] = *answer;
    pthread_mutex_unlock(&worker->lock);
}

static void answer_question(sl_worker *worker, const sl_question *question, sl_answer *answer)
{
    const sl_nearest from = where_from(worker);
    switch (question->type) {
    case SL_QUESTION_STATE_AT: answer->err = answer_state_at(&from, worker, question->through, answer); break;
    case SL_QUESTION_HISTORY:
        answer->err = sl_history_write(&from, question->from, question->through, &worker->is_stopping, answer);
        break;
    case SL_QUESTION_PRUNE: answer->err = prune(&from, worker, question->from, answer); break;
    case SL_QUESTION_SNAPSHOT:    /* gets no answer */
    case SL_QUESTION_EVAL: break; /* not for the worker */
    }
    if (answer->err != SL_OK || !answer->result.bad) return;
    answer->err = SL_ERR_MEMORY;
    snprintf(answer->reason, sizeof answer->reason, "memory ran out on the answer");
}

static sl_err answer_state_at(const sl_nearest *from, sl_worker *worker, uint64_t seq, sl_answer *answer)
{
    sl_state *state = NULL;
    sl_err err = sl_nearest_reach(from, seq, &worker->is_stopping, &state, answer->reason);
    if (err == SL_ERR_END && !atomic_load(&worker->is_stopping)) err = SL_ERR_RANGE; /* there is no such event */
    if (err != SL_OK) return err;
    const sl_tree *tree = sl_state_tree_view(state);
    sl_state_digests(state, NULL, NULL); /* brings them up to date */
    sl_text_node(&answer->result, tree, sl_tree_project(tree), -1);
    sl_state_destroy(state);
    return SL_OK;
}

static sl_err prune(const sl_nearest *from, sl_worker *worker, uint64_t before, sl_answer *answer)
{
    sl_text payload;
    sl_text_open(&payload, sl_host_memory());
    sl_err err = sl_prune_make_base(from, before, &worker->is_stopping, &payload, answer->reason);
    if (err == SL_OK) err = append_base(worker, before, &payload, answer);
    sl_text_close(&payload);
    if (err != SL_OK) return err;
    worker->options.pruned(worker->options.ctx);
    /* What cannot be removed is passed over by whoever meets it. */
    if (from->snapshots != NULL && !worker->cannot_keep)
        worker->cannot_keep = sl_snapshots_keep(from->snapshots, SL_REDUCER_VERSION, before - 1, UINT64_MAX) != SL_OK;
    return SL_OK;
}

/* Puts the base on its way and waits for its commit. */
static sl_err append_base(sl_worker *worker, uint64_t before, const sl_text *payload, sl_answer *answer)
{
    const sl_event draft = {
        .kind = SL_KIND_BASE,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = sl_clock_boot_ns() - worker->options.start_ns,
        .payload = (const uint8_t *)payload->bytes,
        .length = (uint32_t)payload->length,
    };
    sl_err err = worker->options.sink.put(worker->options.sink.ctx, &draft);
    if (err != SL_OK) {
        snprintf(answer->reason, sizeof answer->reason, "too much is waiting for the log; try again");
        return err;
    }
    sl_log_beginning beginning = {0};
    for (unsigned looks = 0; looks < COMMIT_LOOKS_MAX && !atomic_load(&worker->is_stopping); looks++) {
        nanosleep(&(struct timespec){.tv_nsec = COMMIT_LOOK_NS}, NULL);
        err = sl_log_begins(worker->options.log, &beginning);
        if (err != SL_OK || beginning.first_seq == before) break;
    }
    if (err == SL_OK && beginning.first_seq != before) err = SL_ERR_END;
    if (err != SL_OK) {
        snprintf(answer->reason, sizeof answer->reason, "its base was not committed in time; look at what serve says");
        return err;
    }
    sl_text_string(&answer->result, "{\"before\":");
    sl_text_u64(&answer->result, before);
    sl_text_string(&answer->result, ",\"base\":");
    sl_text_u64(&answer->result, beginning.base_seq);
    sl_text_string(&answer->result, "}");
    return SL_OK;
}

/* Keeps the state after event `seq`. The first that cannot be written is the last that is tried: each that is missing
 * makes the next take longer. */
static void take_snapshot(sl_worker *worker, uint64_t seq)
{
    const sl_nearest from = where_from(worker);
    if (from.snapshots == NULL || worker->cannot_keep) return;
    char errmsg[256];
    sl_state *state = NULL;
    sl_err err = sl_nearest_reach(&from, seq, &worker->is_stopping, &state, errmsg);
    if (err == SL_ERR_END || err == SL_ERR_RANGE) return; /* stopping, or pruned meanwhile */
    if (err == SL_OK) {
        err = sl_keeper_take(from.snapshots, state);
        snprintf(errmsg, sizeof errmsg, "%.255s", sl_snapshots_error(from.snapshots));
        sl_state_destroy(state);
    }
    if (err == SL_OK) return;
    worker->cannot_keep = true;
    sl_status_say(worker->options.status, "snapshots stopped=true reason=\"%s\"", errmsg);
}

static void on_bad(void *ctx, uint64_t seq, const char *reason)
{
    sl_worker *worker = ctx;
    if (worker->cannot_keep) return;
    worker->cannot_keep = true;
    sl_status_say(worker->options.status, "snapshot bad=%llu reason=\"%s\" hint=\"made anew at the next start\"",
                  (unsigned long long)seq, reason);
    sl_snapshots_condemn(worker->options.snapshots);
}
