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
    bool is_given;     /* under the lock */
    atomic_bool stops; /* an evaluation that is under way looks at it */
    atomic_bool is_idle;
    atomic_bool has_failed;
    sl_evaluation_request request;
    sl_evaluation_buffer buffers[SL_EVALUATION_BUFFERS_MAX]; /* the request's */
    sl_child ready;                                          /* the thread's: the process for the next edit */
    char *texts;                                             /* of the buffers; malloc'ed */
    char *printed;                                           /* by the last edit; under the lock; malloc'ed, or NULL */
    uint64_t printed_seq;                                    /* its code event */
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
    if (err == SL_OK) {
        *out = evaluator;
        return SL_OK;
    }
    pthread_cond_destroy(&evaluator->given);
    pthread_mutex_destroy(&evaluator->lock);
    free(evaluator);
    return err;
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
    free(evaluator->printed);
    free(evaluator);
}

char *sl_evaluator_take_printed(sl_evaluator *evaluator, uint64_t code_seq)
{
    pthread_mutex_lock(&evaluator->lock);
    char *printed = evaluator->printed_seq == code_seq ? evaluator->printed : NULL;
    if (printed != NULL) evaluator->printed = NULL;
    pthread_mutex_unlock(&evaluator->lock);
    return printed;
}

/* Takes it out of the result; before the answer is put, so that whoever sees that can have this. */
static void keep_printed(sl_evaluator *evaluator, sl_evaluation_result *result)
{
    pthread_mutex_lock(&evaluator->lock);
    free(evaluator->printed);
    evaluator->printed = result->printed;
    evaluator->printed_seq = evaluator->request.code_seq;
    pthread_mutex_unlock(&evaluator->lock);
    result->printed = NULL;
}

bool sl_evaluator_is_idle(const sl_evaluator *evaluator)
{
    return atomic_load(&evaluator->is_idle);
}

bool sl_evaluator_has_failed(const sl_evaluator *evaluator)
{
    return atomic_load(&evaluator->has_failed);
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

sl_err sl_evaluator_give(sl_evaluator *evaluator, uint64_t code_seq, const sl_code *code, const sl_code *earlier,
                         size_t earlier_count)
{
    assert(sl_evaluator_is_idle(evaluator));
    size_t size = code->buffer_length + code->source_length + 1;
    for (size_t i = 0; i < earlier_count; i++) size += earlier[i].buffer_length + earlier[i].source_length;
    char *texts = malloc(size), *at = texts;
    if (texts == NULL) return SL_ERR_MEMORY;
    size_t count = 0;
    const size_t begin = earlier_count < SL_EVALUATION_BUFFERS_MAX ? 0 : earlier_count - SL_EVALUATION_BUFFERS_MAX + 1;
    for (size_t i = begin; i < earlier_count; i++) {
        const bool is_same = earlier[i].buffer_length == code->buffer_length &&
                             memcmp(earlier[i].buffer, code->buffer, code->buffer_length) == 0;
        if (!is_same) evaluator->buffers[count++] = copy_buffer(&at, &earlier[i]);
    }
    evaluator->buffers[count++] = copy_buffer(&at, code);
    evaluator->texts = texts;
    evaluator->request = (sl_evaluation_request){.buffers = evaluator->buffers,
                                                 .buffer_count = count,
                                                 .code_seq = code_seq,
                                                 .quantize = code->quantize,
                                                 .is_cancelled = &evaluator->stops,
                                                 .ready = &evaluator->ready};
    atomic_store(&evaluator->is_idle, false);
    pthread_mutex_lock(&evaluator->lock);
    evaluator->is_given = true;
    pthread_cond_signal(&evaluator->given);
    pthread_mutex_unlock(&evaluator->lock);
    return SL_OK;
}

static sl_err put(const sl_evaluator *evaluator, uint16_t kind, uint16_t version, const void *payload, size_t length)
{
    const sl_event event = {.kind = kind,
                            .version = version,
                            .source = SL_SOURCE_SELF,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .time_ns = sl_clock_boot_ns() - evaluator->start_ns,
                            .payload = payload,
                            .length = (uint32_t)length};
    sl_err err = evaluator->sink.put(evaluator->sink.ctx, &event);
    for (int tries = 1; err == SL_ERR_FULL && tries < PUT_TRIES_MAX && !atomic_load(&evaluator->stops); tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        err = evaluator->sink.put(evaluator->sink.ctx, &event);
    }
    return err;
}

static sl_err put_refused(const sl_evaluator *evaluator, const sl_evaluation_result *result)
{
    uint8_t bytes[REFUSED_BYTES + SL_EVALUATION_MESSAGE_BYTES];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_refused refused = {.kind = SL_KIND_CODE,
                                .reason = result->message,
                                .reason_length = strlen(result->message),
                                .code_seq = evaluator->request.code_seq,
                                .line = result->line,
                                .column = result->column};
    const sl_err err = sl_refused_encode(&refused, &writer);
    return err == SL_OK ? put(evaluator, SL_KIND_REFUSED, SL_REFUSED_VERSION, bytes, writer.length) : err;
}

/* The answer, if there is any: who is cancelled says nothing. */
static void evaluate(sl_evaluator *evaluator)
{
    sl_evaluation_result result;
    sl_err err = sl_evaluate(&evaluator->request, &result);
    keep_printed(evaluator, &result);
    if (err == SL_OK)
        err = put(evaluator, SL_KIND_SCORE, SL_SCORE_VERSION, result.score, result.score_length);
    else if (err != SL_ERR_END)
        err = put_refused(evaluator, &result);
    atomic_store(&evaluator->has_failed, err != SL_OK && err != SL_ERR_END);
    sl_evaluation_free(&result);
    free(evaluator->texts);
    evaluator->texts = NULL;
}

static void *run(void *ctx)
{
    sl_evaluator *evaluator = ctx;
    for (;;) {
        pthread_mutex_lock(&evaluator->lock);
        while (!evaluator->is_given && !atomic_load(&evaluator->stops))
            pthread_cond_wait(&evaluator->given, &evaluator->lock);
        evaluator->is_given = false;
        pthread_mutex_unlock(&evaluator->lock);
        if (atomic_load(&evaluator->stops)) break;
        evaluate(evaluator);
        sl_evaluation_prepare(&evaluator->ready);
        atomic_store(&evaluator->is_idle, true);
    }
    sl_child_drop(&evaluator->ready);
    return NULL;
}
