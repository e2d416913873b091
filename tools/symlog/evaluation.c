/* Asks symlog-eval, and checks what it says. */
#include "tools/symlog/evaluation.h"

#include "core/part.h"
#include "tools/eval/eval_wire.h"
#include "tools/symlog/child.h"
#include "tools/symlog/host.h"
#include "tools/symlog/typescript.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert((int)SL_EVALUATION_BUFFERS_MAX == SL_EVAL_BUFFERS_MAX, "one bound");
_Static_assert((int)SL_EVALUATION_SOURCE_BYTES_MAX == SL_EVAL_SOURCE_BYTES_MAX, "one bound");
_Static_assert((int)SL_EVALUATION_SOURCES_BYTES_MAX == SL_EVAL_SOURCES_BYTES_MAX, "one bound");

/* One evaluation under way. */
typedef struct asking {
    const sl_evaluation_request *request;
    sl_evaluation_result *result;
    sl_typescript scripts[SL_EVALUATION_BUFFERS_MAX]; /* what became of the buffers that are TypeScript */
    char *notes;                                      /* becomes result->printed */
} asking;

static sl_err check_bounds(const asking *asking);
static sl_err strip_types(asking *asking);
static sl_err ask(asking *asking, sl_child_result *child);
static sl_err take_answer(asking *asking, const sl_child_result *child);
static sl_err check_score(asking *asking, const uint8_t *bytes, size_t length);

static sl_err refuse(sl_evaluation_result *result, sl_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static sl_err refuse(sl_evaluation_result *result, sl_err err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(result->message, sizeof result->message, format, arguments);
    va_end(arguments);
    return err;
}

sl_err sl_evaluate(const sl_evaluation_request *request, sl_evaluation_result *result)
{
    memset(result, 0, sizeof *result);
    asking *asking = calloc(1, sizeof *asking);
    if (asking == NULL) return refuse(result, SL_ERR_MEMORY, "out of memory");
    asking->request = request;
    asking->result = result;
    sl_child_result child = {.out = NULL};
    sl_err err = check_bounds(asking);
    if (err == SL_OK) err = strip_types(asking);
    if (err == SL_OK) err = ask(asking, &child);
    if (err == SL_OK) err = take_answer(asking, &child);
    free(child.out);
    result->printed = asking->notes;
    for (size_t i = 0; i < SL_EVALUATION_BUFFERS_MAX; i++) sl_typescript_free(&asking->scripts[i]);
    free(asking);
    return err;
}

void sl_evaluation_free(sl_evaluation_result *result)
{
    free(result->score);
    free(result->printed);
    result->score = NULL;
    result->printed = NULL;
}

static sl_err check_bounds(const asking *asking)
{
    const sl_evaluation_request *request = asking->request;
    size_t total = 0;
    if (request->buffer_count < 1 || request->buffer_count > SL_EVALUATION_BUFFERS_MAX)
        return refuse(asking->result, SL_ERR_REFUSED, "there are %zu buffers of code; %d at most can be evaluated",
                      request->buffer_count, SL_EVALUATION_BUFFERS_MAX);
    for (size_t i = 0; i < request->buffer_count; i++) {
        const sl_evaluation_buffer *buffer = &request->buffers[i];
        total += buffer->source_length;
        if (buffer->name_length > SL_SCORE_NAME_BYTES_MAX)
            return refuse(asking->result, SL_ERR_REFUSED, "the name of a buffer is longer than %d bytes",
                          SL_SCORE_NAME_BYTES_MAX);
        if (buffer->source_length > SL_EVALUATION_SOURCE_BYTES_MAX)
            return refuse(asking->result, SL_ERR_REFUSED, "the code has %zu bytes; 1 MiB is the most",
                          buffer->source_length);
    }
    if (total > SL_EVALUATION_SOURCES_BYTES_MAX)
        return refuse(asking->result, SL_ERR_REFUSED, "all buffers together have %zu bytes of code; 4 MiB is the most",
                      total);
    return SL_OK;
}

/* A line for a person. */
static void note(asking *asking, const char *text, size_t length)
{
    size_t before = asking->notes == NULL ? 0 : strlen(asking->notes);
    char *notes = realloc(asking->notes, before + length + 2);
    if (notes == NULL) return;
    memcpy(notes + before, text, length);
    if (length > 0 && text[length - 1] != '\n') notes[before + length++] = '\n';
    notes[before + length] = '\0';
    asking->notes = notes;
}

static void note_skipped(asking *asking, const char *name, size_t name_length, const char *message, uint32_t line)
{
    char text[SL_SCORE_NAME_BYTES_MAX + SL_EVAL_MESSAGE_BYTES_MAX + 64];
    int length = snprintf(text, sizeof text, "left out the buffer %.*s, which fails now: %.1000s (line %u)",
                          (int)name_length, name, message, (unsigned)line);
    if (length > 0) note(asking, text, strlen(text));
}

static sl_err strip_types(asking *asking)
{
    const sl_evaluation_request *request = asking->request;
    for (size_t i = 0; i < request->buffer_count; i++) {
        const sl_evaluation_buffer *buffer = &request->buffers[i];
        if (buffer->language != SL_LANGUAGE_TYPESCRIPT) continue;
        sl_typescript *script = &asking->scripts[i];
        sl_err err = sl_typescript_strip(buffer->source, buffer->source_length, request->is_cancelled, script);
        if (err == SL_OK) continue;
        if (err == SL_ERR_REFUSED && i + 1 < request->buffer_count) {
            note_skipped(asking, buffer->name, buffer->name_length, script->message, script->line);
            continue;
        }
        asking->result->line = script->line;
        asking->result->column = script->column;
        return refuse(asking->result, err, "%s", script->message);
    }
    return SL_OK;
}

/* Beside the running program; $SYMLOG_EVAL, for tests, is another. */
static bool find_program(char *path, size_t size)
{
    const char *given = getenv("SYMLOG_EVAL");
    if (given != NULL && *given != '\0') return (size_t)snprintf(path, size, "%s", given) < size;
    return sl_host_beside("symlog-eval", path, size);
}

static sl_err encode(const asking *asking, sl_writer *out)
{
    const sl_evaluation_request *request = asking->request;
    sl_eval_request *wire = calloc(1, sizeof *wire);
    if (wire == NULL) return SL_ERR_MEMORY;
    wire->code_seq = request->code_seq;
    wire->quantize = request->quantize;
    wire->buffer_count = (uint8_t)request->buffer_count;
    size_t total = 0;
    for (size_t i = 0; i < request->buffer_count; i++) {
        const sl_evaluation_buffer *buffer = &request->buffers[i];
        const sl_typescript *script = &asking->scripts[i];
        sl_eval_buffer *to = &wire->buffers[i];
        *to = (sl_eval_buffer){.name = buffer->name, .name_length = buffer->name_length};
        to->source = buffer->language == SL_LANGUAGE_TYPESCRIPT ? script->text : buffer->source;
        to->source_length = buffer->language == SL_LANGUAGE_TYPESCRIPT ? script->length : buffer->source_length;
        if (to->source == NULL) *to = (sl_eval_buffer){.name = to->name, .name_length = to->name_length, .source = ""};
        total += to->source_length;
    }
    out->capacity = total + (64 << 10);
    out->bytes = malloc(out->capacity);
    sl_err err = out->bytes == NULL ? SL_ERR_MEMORY : sl_eval_request_encode(wire, out);
    free(wire);
    return err;
}

void sl_evaluation_prepare(sl_child *ready)
{
    char path[SL_HOST_DIR_BYTES];
    if (sl_child_waits(ready) || !find_program(path, sizeof path)) return;
    const char *const argv[] = {path, NULL};
    const sl_child_job job = {.path = path, .argv = argv};
    sl_child_result ignored;
    (void)sl_child_start(ready, &job, 0, &ignored);
}

static sl_err ask(asking *asking, sl_child_result *child)
{
    sl_evaluation_result *result = asking->result;
    char path[SL_HOST_DIR_BYTES];
    if (!find_program(path, sizeof path)) return refuse(result, SL_ERR_IO, "symlog-eval is not beside symlog");
    sl_writer in = {.bytes = NULL};
    sl_err err = encode(asking, &in);
    if (err == SL_ERR_RANGE) err = refuse(result, SL_ERR_REFUSED, "the code without its types is more than 1 MiB");
    const char *const argv[] = {path, NULL};
    const sl_child_job job = {.path = path,
                              .argv = argv,
                              .in = in.bytes,
                              .in_length = in.length,
                              .out_max = SL_EVAL_ANSWER_BYTES_MAX,
                              .time_ms_max = SL_EVALUATION_TIME_MS_MAX,
                              .memory_mb_max = SL_EVALUATION_MEMORY_MB_MAX,
                              .is_cancelled = asking->request->is_cancelled};
    sl_child *ready = asking->request->ready;
    const bool is_ready = err == SL_OK && ready != NULL && sl_child_waits(ready);
    if (err == SL_OK) err = is_ready ? sl_child_finish(ready, &job, child) : sl_child_run(&job, 0, child);
    free(in.bytes);
    if (err == SL_ERR_REFUSED) return err;
    if (err == SL_ERR_MEMORY) return refuse(result, err, "out of memory");
    if (err != SL_OK) return refuse(result, SL_ERR_IO, "symlog-eval cannot be started: %s", child->error);
    switch (child->end) {
    case SL_CHILD_DONE: return SL_OK;
    case SL_CHILD_TIME: return refuse(result, SL_ERR_REFUSED, "took longer than 2 s: is there a loop without end?");
    case SL_CHILD_MEMORY: return refuse(result, SL_ERR_REFUSED, "used more than 256 MB");
    case SL_CHILD_OUTPUT: return refuse(result, SL_ERR_REFUSED, "more than 16 MiB of music");
    case SL_CHILD_CANCELLED: return refuse(result, SL_ERR_END, "was not evaluated: symlog is stopping");
    case SL_CHILD_MISSING:
        return refuse(result, SL_ERR_IO, "there is no symlog-eval at %.900s: build symlog again", path);
    case SL_CHILD_FAILED: break;
    }
    return refuse(result, SL_ERR_REFUSED, "the code broke the evaluator (status %d): too much memory, or too deep",
                  child->status);
}

static void take_place(asking *asking, const sl_eval_fault *fault)
{
    const sl_typescript *script = &asking->scripts[asking->request->buffer_count - 1];
    asking->result->line = fault->line;
    asking->result->column = fault->column;
    if (script->text != NULL && fault->line > 0)
        sl_typescript_place(script, &asking->result->line, &asking->result->column);
}

static void take_skipped(asking *asking, const sl_eval_fault *fault)
{
    char message[SL_EVAL_MESSAGE_BYTES_MAX + 1];
    memcpy(message, fault->message, fault->message_length);
    message[fault->message_length] = '\0';
    note_skipped(asking, fault->buffer, fault->buffer_length, message, fault->line);
}

static sl_err take_answer(asking *asking, const sl_child_result *child)
{
    sl_eval_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL) return refuse(asking->result, SL_ERR_MEMORY, "out of memory");
    sl_err err = sl_eval_answer_decode(child->out, child->out_length, answer);
    if (err != SL_OK) {
        err = refuse(asking->result, SL_ERR_IO, "symlog-eval gave an answer that makes no sense: build symlog again");
    } else {
        for (size_t i = 0; i < answer->skipped_count; i++) take_skipped(asking, &answer->skipped[i]);
        if (answer->printed_length > 0) note(asking, answer->printed, answer->printed_length);
        if (answer->type == SL_EVAL_SCORE) err = check_score(asking, answer->score, answer->score_length);
        if (answer->type == SL_EVAL_FAULT) {
            take_place(asking, &answer->fault);
            err = refuse(asking->result, SL_ERR_REFUSED, "%.*s", (int)answer->fault.message_length,
                         answer->fault.message);
        }
    }
    free(answer);
    return err;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Each track is bounded by core; all together by time. */
static sl_err compile_tracks(asking *asking, sl_reader *reader, unsigned count)
{
    uint64_t begun_ms = now_ms();
    for (unsigned i = 0; i < count; i++) {
        sl_score_track track;
        sl_score_error error = {.what = ""};
        sl_part *part = NULL;
        sl_err err = sl_score_read_track(reader, &track, &error.what);
        if (err == SL_OK) err = sl_part_compile(&track, sl_host_memory(), &part, &error);
        sl_part_drop(part);
        if (err == SL_ERR_MEMORY) return refuse(asking->result, err, "out of memory");
        if (err != SL_OK)
            return refuse(asking->result, SL_ERR_REFUSED, "the track %.*s: %s", (int)track.name_length, track.name,
                          error.what);
        if (asking->request->is_cancelled != NULL && atomic_load(asking->request->is_cancelled))
            return refuse(asking->result, SL_ERR_END, "was not evaluated: symlog is stopping");
        if (now_ms() - begun_ms > SL_EVALUATION_TIME_MS_MAX)
            return refuse(asking->result, SL_ERR_REFUSED, "its notes took longer than 2 s to compile");
    }
    return SL_OK;
}

/* What the process says is believed as far as this: the score is well formed, is the answer to this request, and can be
 * applied. */
static sl_err check_score(asking *asking, const uint8_t *bytes, size_t length)
{
    const sl_evaluation_request *request = asking->request;
    const sl_evaluation_buffer *last = &request->buffers[request->buffer_count - 1];
    const sl_event event = {
        .kind = SL_KIND_SCORE, .version = SL_SCORE_VERSION, .payload = bytes, .length = (uint32_t)length};
    sl_score_error error = {.what = ""};
    if (sl_score_check(&event, &error) != SL_OK)
        return refuse(asking->result, SL_ERR_REFUSED, "no score can be made of it: %s", error.what);
    sl_reader reader = {.bytes = bytes, .length = length};
    sl_score_head head;
    sl_err err = sl_score_read_head(&reader, &head, &error.what);
    bool is_answer = err == SL_OK && head.code_seq == request->code_seq && head.buffer_length == last->name_length &&
                     memcmp(head.buffer, last->name, last->name_length) == 0 &&
                     (head.quantize == request->quantize || request->quantize == SL_QUANTIZE_DEFAULT);
    if (!is_answer) return refuse(asking->result, SL_ERR_IO, "symlog-eval answered something else");
    err = compile_tracks(asking, &reader, head.track_count);
    if (err != SL_OK) return err;
    asking->result->score = malloc(length);
    if (asking->result->score == NULL) return refuse(asking->result, SL_ERR_MEMORY, "out of memory");
    memcpy(asking->result->score, bytes, length);
    asking->result->score_length = length;
    return SL_OK;
}
