#include "tools/symlog/evaluator.h"

#include "core/payload.h"
#include "ingest/clock.h"
#include "ingest/thread.h"
#include "tools/symlog/evaluation.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PUT_TRIES_MAX = 1000, /* 10 ms each, while the log's queue is full */
    REFUSED_BYTES = 64    /* of a refused event beside its reason */
};

struct sl_evaluator {
    sl_sink sink;
    uint64_t start_ns;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t given;
    bool is_given;     /* under the lock, as is the edit until the thread has it */
    atomic_bool stops; /* an evaluation that is under way looks at it */
    atomic_bool is_idle;
    uint64_t code_seq;
    sl_evaluation_request request;
    char *texts; /* of the request; malloc'ed */
};

static void *run(void *ctx);

sl_err sl_evaluator_start(sl_evaluator **out, sl_sink sink, uint64_t start_ns)
{
    sl_evaluator *evaluator = calloc(1, sizeof *evaluator);
    if (evaluator == NULL) return SL_ERR_MEMORY;
    evaluator->sink = sink;
    evaluator->start_ns = start_ns;
    atomic_init(&evaluator->is_idle, true);
    pthread_mutex_init(&evaluator->lock, NULL);
    pthread_cond_init(&evaluator->given, NULL);
    const sl_err err = sl_thread_start(&evaluator->thread, "evaluator", run, evaluator);
    if (err != SL_OK) {
        free(evaluator);
        return err;
    }
    *out = evaluator;
    return SL_OK;
}

void sl_evaluator_stop(sl_evaluator *evaluator)
{
    if (evaluator == NULL) return;
    pthread_mutex_lock(&evaluator->lock);
    atomic_store(&evaluator->stops, true);
    pthread_cond_signal(&evaluator->given);
    pthread_mutex_unlock(&evaluator->lock);
    pthread_join(evaluator->thread, NULL);
    pthread_cond_destroy(&evaluator->given);
    pthread_mutex_destroy(&evaluator->lock);
    free(evaluator->texts);
    free(evaluator);
}

bool sl_evaluator_is_idle(const sl_evaluator *evaluator)
{
    return atomic_load(&evaluator->is_idle);
}

static const char *copy(char **at, const char *bytes, size_t length)
{
    char *copied = *at;
    memcpy(copied, bytes, length);
    *at += length;
    return copied;
}

static sl_evaluation_buffer copy_buffer(char **at, const sl_code *code)
{
    return (sl_evaluation_buffer){
        .name = copy(at, code->buffer, code->buffer_length),
        .name_length = code->buffer_length,
        .source = copy(at, code->source, code->source_length),
        .source_length = code->source_length,
        .language = code->language,
    };
}
