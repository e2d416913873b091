/* Which buffers are evaluated, and what becomes of those that fail. */
#include "tools/eval/buffers.h"

#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>

static bool open_texts(sl_buffers *buffers, sl_eval_answer *answer);
static bool try_all(sl_buffers *buffers, sl_eval_answer *answer);

void sl_buffers_run(sl_buffers *buffers, sl_engine *engine, const sl_eval_request *request, sl_eval_answer *answer)
{
    *buffers = (sl_buffers){.request = request, .engine = engine};
    *answer = (sl_eval_answer){.type = SL_EVAL_FAULT, .printed = ""};
    const sl_eval_buffer *last = &request->buffers[request->buffer_count - 1];
    engine->code_seq = request->code_seq;
    engine->quantize = request->quantize;
    engine->buffer = last->name;
    engine->buffer_length = last->name_length;
    if (!open_texts(buffers, answer)) return;
    /* Each time one buffer less is in it. */
    while (!try_all(buffers, answer)) {
        if (!sl_engine_renew(engine)) break;
    }
    answer->printed = (const char *)engine->printed.bytes;
    answer->printed_length = engine->printed.length;
}

static sl_eval_fault fault_of(const sl_buffers *buffers, size_t index)
{
    const sl_eval_buffer *buffer = &buffers->request->buffers[index];
    const sl_engine_fault *fault = &buffers->faults[index];
    return (sl_eval_fault){.buffer = buffer->name,
                           .buffer_length = buffer->name_length,
                           .message = fault->message,
                           .message_length = strlen(fault->message),
                           .line = fault->line,
                           .column = fault->line > 0 ? fault->column : 0};
}

/* The new buffer is refused; an earlier one is left out. True: refused. */
static bool give_up(sl_buffers *buffers, size_t index, sl_eval_answer *answer)
{
    bool is_new = index + 1 == buffers->request->buffer_count;
    if (is_new)
        answer->fault = fault_of(buffers, index);
    else
        answer->skipped[answer->skipped_count++] = fault_of(buffers, index);
    return is_new;
}

static char *copy_of(const sl_eval_buffer *buffer)
{
    char *copy = malloc(buffer->source_length + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, buffer->source, buffer->source_length);
    copy[buffer->source_length] = '\0';
    return copy;
}

static bool is_utf8(const char *text, size_t length)
{
    bool is_valid = true;
    for (size_t at = 0; at < length && is_valid;)
        at += (unsigned char)text[at] < 0x80 ? 1 : sl_text_utf8_part(text + at, length - at, &is_valid);
    return is_valid;
}

static bool open_text(sl_buffers *buffers, size_t index)
{
    const sl_eval_buffer *buffer = &buffers->request->buffers[index];
    sl_engine_fault *fault = &buffers->faults[index];
    if (memchr(buffer->source, '\0', buffer->source_length) != NULL) {
        (void)snprintf(fault->message, sizeof fault->message, "there is a NUL in the text: is it code?");
        return false;
    }
    if (!is_utf8(buffer->source, buffer->source_length)) {
        (void)snprintf(fault->message, sizeof fault->message, "the text is not UTF-8");
        return false;
    }
    char *copy = copy_of(buffer), *script = NULL;
    if (copy == NULL) return false;
    bool is_fine = sl_engine_check(buffers->engine, copy, &script, fault);
    if (script != copy) free(copy);
    buffers->used[buffers->count] = index;
    buffers->texts[buffers->count] = script;
    if (is_fine)
        buffers->count++;
    else
        free(script);
    return is_fine;
}

/* False: the new buffer is refused. */
static bool open_texts(sl_buffers *buffers, sl_eval_answer *answer)
{
    for (size_t i = 0; i < buffers->request->buffer_count; i++) {
        if (!open_text(buffers, i) && give_up(buffers, i, answer)) return false;
    }
    return true;
}

static void leave_out(sl_buffers *buffers, size_t place)
{
    free(buffers->texts[place]);
    buffers->count--;
    for (size_t i = place; i < buffers->count; i++) {
        buffers->texts[i] = buffers->texts[i + 1];
        buffers->used[i] = buffers->used[i + 1];
    }
}

/* From where the engine says to where it is in the text of `place`, as the person wrote it. */
static void map_fault(const sl_buffers *buffers, const sl_script *script, size_t place, sl_engine_fault *fault)
{
    unsigned number;
    uint32_t line = fault->line, column = fault->column;
    fault->line = 0;
    if (sscanf(fault->url, "live%2u", &number) == 1) { // NOLINT(cert-err34-c): two digits
        const sl_engine *engine = buffers->engine;
        if (line > 1) line--; /* the function around it */
        if (number < engine->string_count &&
            sl_script_place_part(buffers->texts[place], engine->strings[number], &line, &column))
            fault->line = line;
    } else if (strcmp(fault->url, "code") == 0) {
        size_t other = sl_script_place(script, &line);
        fault->line = line;
        if (other == place) {
            fault->column = column;
            return;
        }
        char message[sizeof fault->message];
        (void)snprintf(message, sizeof message, "%.900s", fault->message);
        const sl_eval_buffer *buffer = &buffers->request->buffers[buffers->used[other]];
        (void)snprintf(fault->message, sizeof fault->message, "%s (in the buffer %.*s, line %u, column %u)", message,
                       (int)buffer->name_length, buffer->name, (unsigned)line, (unsigned)column);
        fault->line = column = 0;
    }
    fault->column = column;
}

static bool load(sl_buffers *buffers, sl_script *script, JSObjectRef *function, sl_engine_fault *fault)
{
    *fault = (sl_engine_fault){.message = "out of memory"};
    return sl_script_open(script, buffers->texts, buffers->count) &&
           sl_engine_load(buffers->engine, script->text, "code", function, fault);
}

/* False: an earlier buffer failed and is left out; once more with the rest. */
static bool try_all(sl_buffers *buffers, sl_eval_answer *answer)
{
    sl_engine *engine = buffers->engine;
    sl_script script;
    JSObjectRef function = NULL;
    sl_engine_fault fault;
    size_t place = buffers->count - 1;
    bool is_fine = load(buffers, &script, &function, &fault);
    if (!is_fine && script.text != NULL && fault.line > 0) {
        uint32_t line = fault.line;
        place = sl_script_place(&script, &line);
    }
    for (size_t i = 0; i < buffers->count && is_fine; i++) {
        place = i;
        const sl_eval_buffer *buffer = &buffers->request->buffers[buffers->used[i]];
        is_fine = function != NULL && sl_engine_call(engine, function, sl_script_seed(buffer), &function, &fault);
    }
    if (is_fine) is_fine = sl_engine_finish(engine, &fault);
    if (is_fine) {
        answer->type = SL_EVAL_SCORE;
        answer->score = engine->out.bytes;
        answer->score_length = engine->out.length;
    } else {
        map_fault(buffers, &script, place, &fault);
        buffers->faults[buffers->used[place]] = fault;
    }
    sl_script_close(&script);
    if (is_fine || give_up(buffers, buffers->used[place], answer)) return true;
    leave_out(buffers, place);
    return false;
}
