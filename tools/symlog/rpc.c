/* Client messages and JSON-RPC: from a text to its answer. */
#include "tools/symlog/rpc.h"

#include "core/message.h"
#include "tools/symlog/host.h"
#include "tools/symlog/rpc_methods.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The answer to one text, while it is written or waits. */
typedef struct reply {
    uint64_t subscriber;
    sl_text text;
    bool is_batch;
    size_t waiting; /* for commits of marks, pauses, edits and the like, for answers to questions, and once while it is
                       written */
} reply;

/* A mark, the pause of a source, an edit of the groove or the like, on its way into the log. */
typedef struct pending {
    reply *reply;
    char *id;        /* JSON; NULL: nobody wants to know */
    bool is_command; /* answered with an ACK, or: */
    bool is_brief;   /* answered with {} */
} pending;

/* A question that waits for its answer. */
typedef struct asked {
    uint64_t ticket; /* 0: this place is free */
    reply *reply;
    char *id; /* JSON; NULL: nobody wants to know */
} asked;

struct sl_rpc {
    sl_rpc_owner owner;
    pending marks[SL_RPC_MARKS_MAX]; /* a ring, oldest at marks_begin */
    size_t marks_begin;
    size_t marks_count;
    asked questions[SL_RPC_QUESTIONS_MAX];
    uint64_t last_ticket;
};

static void answer_invalid(reply *reply, const json_error_t *error, const char *bytes, size_t length);
static void answer_batch(sl_rpc *rpc, reply *reply, const json_t *requests);
static void answer_request(sl_rpc *rpc, reply *reply, const json_t *request);
static void answer_message(sl_rpc *rpc, reply *reply, const json_t *message);
static bool put_mark(sl_rpc *rpc, sl_rpc_call *call, pending pending);
static bool put_question(sl_rpc *rpc, sl_rpc_call *call, asked asked);
static void let_go(sl_rpc *rpc, reply *reply);

sl_err sl_rpc_create(sl_rpc **out, const sl_rpc_owner *owner)
{
    sl_rpc *rpc = calloc(1, sizeof *rpc);
    if (rpc == NULL) return SL_ERR_MEMORY;
    rpc->owner = *owner;
    *out = rpc;
    return SL_OK;
}

static void free_reply(reply *reply)
{
    sl_text_close(&reply->text);
    free(reply);
}

void sl_rpc_destroy(sl_rpc *rpc)
{
    if (rpc == NULL) return;
    for (; rpc->marks_count > 0; rpc->marks_count--) {
        pending *mark = &rpc->marks[rpc->marks_begin];
        rpc->marks_begin = (rpc->marks_begin + 1) % SL_RPC_MARKS_MAX;
        free(mark->id);
        if (--mark->reply->waiting == 0) free_reply(mark->reply);
    }
    for (size_t i = 0; i < SL_RPC_QUESTIONS_MAX; i++) {
        asked *asked = &rpc->questions[i];
        if (asked->ticket == 0) continue;
        free(asked->id);
        if (--asked->reply->waiting == 0) free_reply(asked->reply);
    }
    free(rpc);
}

void sl_rpc_receive(sl_rpc *rpc, uint64_t subscriber, const char *bytes, size_t length)
{
    reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL) return;
    reply->subscriber = subscriber;
    reply->waiting = 1;
    sl_text_open(&reply->text, sl_host_memory());
    json_error_t error;
    json_t *root = json_loadb(bytes, length, JSON_DECODE_ANY, &error);
    if (root == NULL) {
        answer_invalid(reply, &error, bytes, length);
    } else if (json_is_array(root)) {
        answer_batch(rpc, reply, root);
    } else if (json_object_get(root, "jsonrpc") != NULL) {
        answer_request(rpc, reply, root);
    } else {
        answer_message(rpc, reply, root);
    }
    json_decref(root);
    let_go(rpc, reply);
}

/* Appends `value` as JSON; nothing, which is no JSON, when memory ran out. */
static void add_json(sl_text *text, const json_t *value)
{
    char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (json == NULL) text->bad = true;
    if (json != NULL) sl_text_string(text, json);
    free(json);
}

static void begin_response(reply *reply)
{
    if (reply->is_batch) sl_text_string(&reply->text, reply->text.length > 1 ? "," : "");
    sl_text_string(&reply->text, "{\"jsonrpc\":\"2.0\",\"id\":");
}

static void add_error(reply *reply, const json_t *id, int code, const char *reason)
{
    begin_response(reply);
    if (id != NULL) add_json(&reply->text, id);
    if (id == NULL) sl_text_string(&reply->text, "null");
    sl_text_string(&reply->text, ",\"error\":{\"code\":");
    sl_text_i64(&reply->text, code);
    sl_text_string(&reply->text, ",\"message\":");
    sl_text_json(&reply->text, reason, strlen(reason));
    sl_text_string(&reply->text, "}}");
}

/* Nobody can tell for sure which protocol a text that is no JSON was meant for; JSON-RPC's has its name in it. */
static void answer_invalid(reply *reply, const json_error_t *error, const char *bytes, size_t length)
{
    char where[JSON_ERROR_TEXT_LENGTH + 64];
    snprintf(where, sizeof where, "%s: line %d column %d (char %d)", error->text, error->line, error->column,
             error->position);
    if (memmem(bytes, length, "\"jsonrpc\"", strlen("\"jsonrpc\"")) != NULL) {
        add_error(reply, NULL, SL_RPC_PARSE_ERROR, where);
    } else {
        sl_message_error(&reply->text, "Invalid JSON", where);
    }
}

static void answer_batch(sl_rpc *rpc, reply *reply, const json_t *requests)
{
    const size_t count = json_array_size(requests);
    if (count == 0) {
        add_error(reply, NULL, SL_RPC_INVALID_REQUEST, "an empty batch");
        return;
    }
    reply->is_batch = true;
    sl_text_string(&reply->text, "[");
    for (size_t i = 0; i < count; i++) answer_request(rpc, reply, json_array_get(requests, i));
}

/* Why a request is none; NULL if it is one. */
static const char *request_fault(const json_t *request)
{
    const json_t *version = json_object_get(request, "jsonrpc");
    const json_t *id = json_object_get(request, "id");
    const json_t *params = json_object_get(request, "params");
    if (!json_is_object(request)) return "a request is an object";
    if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0) return "jsonrpc is not \"2.0\"";
    if (!json_is_string(json_object_get(request, "method"))) return "there is no method";
    if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id)) return "no such id is allowed";
    if (params != NULL && !json_is_object(params) && !json_is_array(params)) return "params is no object";
    return NULL;
}

/* Runs the call, if it can be found; afterwards call->code says whether it failed. */
static void run_call(sl_rpc_call *call, const json_t *request, size_t answered_bytes)
{
    const char *name = json_string_value(json_object_get(request, "method"));
    const sl_rpc_method *method = sl_rpc_method_find(name);
    if (method == NULL) {
        sl_rpc_fail(call, SL_RPC_METHOD_NOT_FOUND, "there is no method %.60s", name);
    } else if (json_is_array(call->params) && json_array_size(call->params) > 0) {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "params go by name, in an object");
    } else if (answered_bytes > SL_RPC_ANSWER_BYTES_MAX) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "the batch has become too long");
    } else {
        method->run(call);
    }
}

static void answer_request(sl_rpc *rpc, reply *reply, const json_t *request)
{
    const char *fault = request_fault(request);
    if (fault != NULL) {
        add_error(reply, NULL, SL_RPC_INVALID_REQUEST, fault);
        return;
    }
    const json_t *id = json_object_get(request, "id");
    rpc->owner.heard(rpc->owner.ctx, reply->subscriber);
    sl_rpc_call call = {.owner = &rpc->owner,
                        .subscriber = reply->subscriber,
                        .params = json_object_get(request, "params"),
                        .result = &reply->text};
    const size_t begin = reply->text.length;
    begin_response(reply);
    if (id != NULL) add_json(&reply->text, id);
    sl_text_string(&reply->text, ",\"result\":");
    run_call(&call, request, begin);
    sl_text_string(&reply->text, "}");

    if (call.code == 0 && (call.mark != NULL || call.source != NULL || call.edit.length > 0)) {
        char *id_json = id != NULL ? json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        const pending mark = {.reply = reply, .id = id_json, .is_brief = call.is_parameter};
        if (put_mark(rpc, &call, mark)) reply->text.length = begin;
    }
    if (call.code == 0 && call.is_question) {
        char *id_json = id != NULL ? json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        if (put_question(rpc, &call, (asked){.reply = reply, .id = id_json})) reply->text.length = begin;
    }
    sl_text_close(&call.edit);
    if (call.code != 0 || id == NULL) reply->text.length = begin;
    if (call.code != 0 && id != NULL) add_error(reply, id, call.code, call.reason);
}

static sl_err put_call(const sl_rpc_owner *owner, const sl_rpc_call *call)
{
    if (call->is_parameter) return owner->parameter(owner->ctx, (const uint8_t *)call->edit.bytes, call->edit.length);
    if (call->is_transport) return owner->transport(owner->ctx, (const uint8_t *)call->edit.bytes, call->edit.length);
    if (call->edit.length > 0) return owner->edit(owner->ctx, call->edit.bytes, call->edit.length);
    if (call->source == NULL) return owner->mark(owner->ctx, call->mark, call->mark_length);
    return owner->pause(owner->ctx, call->source->number, call->source->session, call->is_paused);
}

/* Puts the call's mark, pause or edit on its way and remembers whom to tell; takes pending.id. False: the call has
 * failed. */
static bool put_mark(sl_rpc *rpc, sl_rpc_call *call, pending pending)
{
    const sl_err err = rpc->marks_count < SL_RPC_MARKS_MAX ? put_call(&rpc->owner, call) : SL_ERR_FULL;
    if (err != SL_OK) {
        free(pending.id);
        sl_rpc_fail(call, SL_RPC_INTERNAL_ERROR,
                    err == SL_ERR_REFUSED ? "this serve only listens to the groove box (--groove-listen)"
                                          : "too much is waiting for the log; try again");
        return false;
    }
    pending.reply->waiting++;
    rpc->marks[(rpc->marks_begin + rpc->marks_count++) % SL_RPC_MARKS_MAX] = pending;
    return true;
}

/* Likewise the call's question; takes asked.id. */
static bool put_question(sl_rpc *rpc, sl_rpc_call *call, asked asked)
{
    size_t place = 0;
    while (place < SL_RPC_QUESTIONS_MAX && rpc->questions[place].ticket != 0) place++;
    call->question.ticket = rpc->last_ticket + 1;
    sl_err err = SL_ERR_FULL;
    if (place < SL_RPC_QUESTIONS_MAX) err = rpc->owner.ask(rpc->owner.ctx, &call->question);
    if (err != SL_OK) {
        free(asked.id);
        sl_rpc_fail(call, SL_RPC_INTERNAL_ERROR, "too many questions wait for their answers; try again");
        return false;
    }
    asked.ticket = ++rpc->last_ticket;
    asked.reply->waiting++;
    rpc->questions[place] = asked;
    return true;
}

/* An object of the feed's own protocol. */
static void answer_message(sl_rpc *rpc, reply *reply, const json_t *message)
{
    if (!json_is_object(message)) {
        sl_message_error(&reply->text, "Not a message", "a JSON object, or JSON-RPC, is expected");
        return;
    }
    const json_t *type = json_object_get(message, "type");
    const json_t *payload = json_object_get(message, "payload");
    const json_t *request_id = json_object_get(message, "request_id");
    if (request_id == NULL) request_id = json_object_get(payload, "request_id");
    const bool is_command = json_is_string(type) && strcmp(json_string_value(type), "command") == 0;
    if (!is_command) {
        sl_text_string(&reply->text, "{\"type\":\"ACK\",\"payload\":{\"status\":\"ok\"");
        if (request_id != NULL) sl_text_string(&reply->text, ",\"request_id\":");
        if (request_id != NULL) add_json(&reply->text, request_id);
        sl_text_string(&reply->text, "}}");
        return;
    }
    const json_t *command = json_object_get(payload, "command");
    const char *name = json_is_string(command) ? json_string_value(command) : "(none)";
    const bool is_pause = strcmp(name, "pause_source") == 0;
    const bool is_mark = strcmp(name, "mark") == 0;
    if (!is_mark && !is_pause && strcmp(name, "resume_source") != 0) {
        char details[160];
        snprintf(
            details, sizeof details,
            "symlog has no command %.40s; there are: mark (args: a text), pause_source, resume_source (args: a name)",
            name);
        sl_message_error(&reply->text, "Unknown command", details);
        return;
    }
    const json_t *args = json_object_get(payload, "args");
    const json_t *first =
        json_is_array(args) ? json_array_get(args, 0) : json_object_get(args, is_mark ? "text" : "name");
    sl_rpc_call call = {.owner = &rpc->owner};
    if (is_mark) sl_rpc_set_mark(&call, first);
    if (!is_mark) sl_rpc_set_pause(&call, first, is_pause);
    if (call.code == 0) {
        char *id = request_id != NULL ? json_dumps(request_id, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        if (put_mark(rpc, &call, (pending){.reply = reply, .id = id, .is_command = true})) return;
    }
    sl_message_error(&reply->text, "Command failed", call.reason);
}

void sl_rpc_marked(sl_rpc *rpc, uint64_t seq, const char *why)
{
    assert(rpc->marks_count > 0);
    pending *mark = &rpc->marks[rpc->marks_begin];
    rpc->marks_begin = (rpc->marks_begin + 1) % SL_RPC_MARKS_MAX;
    rpc->marks_count--;
    reply *reply = mark->reply;
    sl_text *text = &reply->text;
    if (why != NULL && mark->id != NULL) {
        json_t *id = json_loads(mark->id, JSON_DECODE_ANY, NULL);
        add_error(reply, id, SL_RPC_OUT_OF_RANGE, why);
        json_decref(id);
    } else if (mark->is_command) {
        sl_text_string(text, "{\"type\":\"ACK\",\"payload\":{\"status\":\"ok\"");
        if (mark->id != NULL) sl_text_string(text, ",\"request_id\":");
        if (mark->id != NULL) sl_text_string(text, mark->id);
        sl_text_string(text, "}");
        sl_message_close(text, seq);
    } else if (mark->id != NULL) {
        begin_response(reply);
        sl_text_string(text, mark->id);
        sl_text_string(text, ",\"result\":{");
        if (!mark->is_brief) sl_text_string(text, "\"seq\":");
        if (!mark->is_brief) sl_text_u64(text, seq);
        sl_text_string(text, "}}");
    }
    free(mark->id);
    let_go(rpc, reply);
}

void sl_rpc_answered(sl_rpc *rpc, const sl_answer *answer)
{
    size_t place = 0;
    while (place < SL_RPC_QUESTIONS_MAX && rpc->questions[place].ticket != answer->ticket) place++;
    assert(place < SL_RPC_QUESTIONS_MAX);
    const asked asked = rpc->questions[place];
    rpc->questions[place] = (struct asked){0};
    reply *reply = asked.reply;
    const bool fits = reply->text.length + answer->result.length <= SL_RPC_ANSWER_BYTES_MAX || !reply->is_batch;
    if (asked.id != NULL && answer->err == SL_OK && fits) {
        begin_response(reply);
        sl_text_string(&reply->text, asked.id);
        sl_text_string(&reply->text, ",\"result\":");
        sl_text_bytes(&reply->text, answer->result.bytes, answer->result.length);
        sl_text_string(&reply->text, "}");
    } else if (asked.id != NULL) {
        json_t *id = json_loads(asked.id, JSON_DECODE_ANY, NULL);
        const bool is_range = answer->err == SL_ERR_RANGE || !fits;
        add_error(reply, id, is_range ? SL_RPC_OUT_OF_RANGE : SL_RPC_INTERNAL_ERROR,
                  fits ? answer->reason : "the batch has become too long");
        json_decref(id);
    }
    free(asked.id);
    let_go(rpc, reply);
}

/* One thing less that the reply waits for; sends it with the last one. */
static void let_go(sl_rpc *rpc, reply *reply)
{
    if (--reply->waiting > 0) return;
    static const char failed[] = "{\"jsonrpc\":\"2.0\",\"id\":null,"
                                 "\"error\":{\"code\":-32603,\"message\":\"out of memory\"}}";
    const bool is_empty = reply->text.length <= (reply->is_batch ? 1u : 0u); /* notifications alone: no answer */
    if (reply->is_batch) sl_text_string(&reply->text, "]");
    if (reply->text.bad) {
        rpc->owner.answer(rpc->owner.ctx, reply->subscriber, failed, sizeof failed - 1);
    } else if (!is_empty) {
        rpc->owner.answer(rpc->owner.ctx, reply->subscriber, reply->text.bytes, reply->text.length);
    }
    free_reply(reply);
}
