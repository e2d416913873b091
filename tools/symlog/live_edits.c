#include "tools/symlog/live_edits.h"

#include "core/buffers.h"
#include "core/payload.h"
#include "core/schedule.h"
#include "ingest/clock.h"
#include "ingest/code_watch.h"
#include "tools/symlog/evaluator.h"
#include "tools/symlog/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE_BYTES = 64,    /* of a code event beside its texts */
    REFUSED_BYTES = 64, /* of a refused event beside its reason */
    REASON_BYTES = 96,
    AGAIN_NS = 5000000 /* until an edit is offered again that the evaluator could not take */
};

/* Somebody waits for it. */
typedef struct edit {
    uint64_t ticket;    /* 0: this place is free */
    uint64_t code_seq;  /* 0: not in the log yet */
    uint64_t score_seq; /* 0: not evaluated yet */
    uint64_t due_ns;    /* then it is answered without a beat */
    bool is_given;      /* to the evaluator, which answers */
    bool is_refused;    /* by an event that is on its way */
    uint8_t quantize;   /* the score's */
    sl_text changed;    /* JSON list of its tracks */
    char *printed;      /* while it was evaluated; malloc'ed, or NULL */
} edit;

struct sl_live_edits {
    sl_live_edits_options options;
    sl_sink sink;
    sl_evaluator *evaluator; /* NULL: not yet, or no longer; and so the watch */
    sl_code_watch *watch;
    edit edits[SL_LIVE_EDITS_MAX];
    sl_text changed;         /* the tracks that the score being applied changes: "a","b" */
    const char *refused_why; /* why it was refused; NULL: it was not */
    uint64_t given_seq;      /* the code event that the evaluator was given last */
};

sl_err sl_live_edits_create(sl_live_edits **out, const sl_live_edits_options *options)
{
    sl_live_edits *edits = calloc(1, sizeof *edits);
    if (edits == NULL) return SL_ERR_MEMORY;
    edits->options = *options;
    sl_text_open(&edits->changed, sl_host_memory());
    *out = edits;
    return SL_OK;
}

static void free_edit(edit *edit)
{
    free(edit->printed);
    sl_text_close(&edit->changed);
    *edit = (struct edit){.ticket = 0};
}

void sl_live_edits_destroy(sl_live_edits *edits)
{
    if (edits == NULL) return;
    sl_live_edits_stop(edits);
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX; i++)
        if (edits->edits[i].ticket != 0) free_edit(&edits->edits[i]);
    sl_text_close(&edits->changed);
    free(edits);
}

sl_err sl_live_edits_start(sl_live_edits *edits, sl_sink sink)
{
    const sl_live_edits_options *options = &edits->options;
    const sl_code_watch_options watch = {
        .start_ns = options->start_ns, .sink = sink, .say = options->tell_unread, .ctx = options->ctx};
    edits->sink = sink;
    sl_err err = sl_code_watch_create(&edits->watch, &watch);
    if (err == SL_OK) err = sl_evaluator_start(&edits->evaluator, sink, options->start_ns);
    return err;
}

void sl_live_edits_stop(sl_live_edits *edits)
{
    sl_code_watch_destroy(edits->watch);
    sl_evaluator_stop(edits->evaluator);
    edits->watch = NULL;
    edits->evaluator = NULL;
}

/* In. */

static sl_err put(const sl_live_edits *edits, uint16_t kind, uint16_t version, uint64_t number,
                  const sl_writer *payload)
{
    const sl_event draft = {.kind = kind,
                            .version = version,
                            .source = SL_SOURCE_SELF,
                            .source_seq = number,
                            .time_ns = sl_clock_boot_ns() - edits->options.start_ns,
                            .payload = payload->bytes,
                            .length = (uint32_t)payload->length};
    return edits->sink.put(edits->sink.ctx, &draft);
}

/* The event bears the ticket as its number, so that it is known again when it has been committed. */
sl_err sl_live_edits_ask(sl_live_edits *edits, const sl_question *question)
{
    edit *free_place = NULL;
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX && free_place == NULL; i++)
        if (edits->edits[i].ticket == 0) free_place = &edits->edits[i];
    if (free_place == NULL || edits->evaluator == NULL) return SL_ERR_FULL;
    const sl_code *code = &question->code;
    sl_writer writer = {.capacity = CODE_BYTES + code->buffer_length + code->source_length};
    writer.bytes = malloc(writer.capacity);
    if (writer.bytes == NULL) return SL_ERR_MEMORY;
    sl_err err = sl_code_encode(code, &writer);
    if (err == SL_OK) err = put(edits, SL_KIND_CODE, SL_PAYLOAD_VERSION, question->ticket, &writer);
    free(writer.bytes);
    if (err != SL_OK) return err;
    *free_place = (edit){.ticket = question->ticket, .due_ns = UINT64_MAX};
    sl_text_open(&free_place->changed, sl_host_memory());
    return SL_OK;
}

/* Out. */

/* Closes the object, and the edit. */
static void answer(sl_live_edits *edits, edit *edit, sl_text *result)
{
    if (edit->printed != NULL) {
        sl_text_string(result, ",\"printed\":");
        sl_text_json(result, edit->printed, strlen(edit->printed));
    }
    sl_text_string(result, "}");
    const sl_answer answer = {.ticket = edit->ticket,
                              .err = result->bad ? SL_ERR_MEMORY : SL_OK,
                              .result = *result,
                              .reason = "memory ran out"};
    edits->options.answer(edits->options.ctx, &answer);
    free_edit(edit);
}

/* The beat at which what the newest mark let in counts; false: nothing plays. */
static bool find_beat(const sl_live_edits *edits, uint8_t quantize, double *beat)
{
    const sl_schedule *schedule = sl_state_schedule(edits->options.state);
    sl_applied mark;
    if (schedule == NULL || !sl_schedule_mark(schedule, &mark)) return false;
    const sl_position position = sl_schedule_position(schedule, mark.frame);
    const sl_quantize meant = quantize == SL_QUANTIZE_DEFAULT ? sl_schedule_quantize(schedule) : (sl_quantize)quantize;
    const int64_t tick = sl_schedule_tick(schedule, mark.frame);
    *beat = position.beat + (double)(sl_schedule_next(schedule, tick, meant) - tick) / (double)SL_TICKS_PER_BEAT;
    return position.is_playing;
}

static void answer_score(sl_live_edits *edits, edit *edit, bool is_applied)
{
    double beat = 0;
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_string(&text, "{\"success\":true,\"changed\":[");
    sl_text_bytes(&text, edit->changed.bytes, edit->changed.length);
    sl_text_string(&text, "],\"at_beat\":");
    if (is_applied && find_beat(edits, edit->quantize, &beat))
        sl_text_double(&text, beat);
    else
        sl_text_string(&text, "null");
    sl_text_string(&text, ",\"seq\":");
    sl_text_u64(&text, edit->score_seq);
    answer(edits, edit, &text);
    sl_text_close(&text);
}

/* {"message":…,"line":…,"column":…; what is not known is null. The brace stays open. */
static void begin_error(sl_text *text, const sl_refused *refused)
{
    sl_text_string(text, "{\"message\":");
    sl_text_json(text, refused->reason, refused->reason_length);
    const uint32_t numbers[] = {refused->line, refused->column};
    for (size_t i = 0; i < 2; i++) {
        sl_text_string(text, i == 0 ? ",\"line\":" : ",\"column\":");
        if (numbers[i] > 0)
            sl_text_u64(text, numbers[i]);
        else
            sl_text_string(text, "null");
    }
}

static void answer_refused(sl_live_edits *edits, edit *edit, const sl_refused *refused, uint64_t seq)
{
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_string(&text, "{\"success\":false,\"error\":");
    begin_error(&text, refused);
    sl_text_string(&text, "},\"changed\":[],\"at_beat\":null,\"seq\":");
    sl_text_u64(&text, seq);
    answer(edits, edit, &text);
    sl_text_close(&text);
}

static void tell_error(const sl_live_edits *edits, const sl_refused *refused, uint64_t seq)
{
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_string(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"evalError\",\"params\":");
    begin_error(&text, refused);
    sl_text_string(&text, ",\"seq\":");
    sl_text_u64(&text, seq);
    sl_text_string(&text, "}}");
    if (!text.bad) edits->options.tell_error(edits->options.ctx, text.bytes, text.length);
    sl_text_close(&text);
}

/* What the log says of them. */

static edit *find_ticket(sl_live_edits *edits, uint64_t ticket)
{
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX; i++)
        if (ticket != 0 && edits->edits[i].ticket == ticket) return &edits->edits[i];
    return NULL;
}

static edit *find_code(sl_live_edits *edits, uint64_t code_seq)
{
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX; i++)
        if (edits->edits[i].ticket != 0 && edits->edits[i].code_seq == code_seq) return &edits->edits[i];
    return NULL;
}

/* Adds a track's name, once. */
static void add_changed(sl_text *changed, const sl_node *track)
{
    const sl_value name = track != NULL ? sl_node_value(track, SL_ATTRIBUTE_NAME) : sl_value_null();
    if (name.type != SL_VALUE_TEXT) return;
    sl_text one;
    sl_text_open(&one, sl_host_memory());
    sl_text_json(&one, name.as.text, name.length);
    const bool is_there = changed->length > 0 && memmem(changed->bytes, changed->length, one.bytes, one.length) != NULL;
    if (!is_there && changed->length > 0) sl_text_string(changed, ",");
    if (!is_there) sl_text_bytes(changed, one.bytes, one.length);
    sl_text_close(&one);
}

void sl_live_edits_note(sl_live_edits *edits, const sl_effect *effect)
{
    if (effect->event->kind != SL_KIND_SCORE) return;
    if (effect->type == SL_EFFECT_REFUSED)
        edits->refused_why = effect->detail != NULL ? effect->detail : sl_refusal_text(effect->refusal);
    for (size_t i = 0; effect->type == SL_EFFECT_DIFF && i < effect->diff->count; i++) {
        const sl_change *change = &effect->diff->changes[i];
        const sl_node *node = change->node;
        if (node != NULL && node->type == SL_NODE_CODE_CLIP)
            node = change->parent != NULL ? change->parent : sl_node_parent(node);
        if (node != NULL && node->type == SL_NODE_CODE_TRACK) add_changed(&edits->changed, node);
    }
}

static void take_printed(const sl_live_edits *edits, edit *edit)
{
    if (edits->evaluator != NULL) edit->printed = sl_evaluator_take_printed(edits->evaluator, edit->code_seq);
}

static void see_score(sl_live_edits *edits, const sl_event *event, uint64_t now_ns)
{
    sl_reader reader = {.bytes = event->payload, .length = event->length};
    sl_score_head head;
    const char *what;
    edit *edit = NULL;
    if (sl_score_read_head(&reader, &head, &what) == SL_OK) edit = find_code(edits, head.code_seq);
    if (edit != NULL) take_printed(edits, edit);
    if (edit != NULL && edits->refused_why != NULL) {
        const sl_refused refused = {.reason = edits->refused_why, .reason_length = strlen(edits->refused_why)};
        answer_refused(edits, edit, &refused, event->seq);
    } else if (edit != NULL) {
        edit->score_seq = event->seq;
        edit->quantize = head.quantize;
        edit->due_ns = now_ns + SL_LIVE_EDITS_PATIENCE_NS;
        sl_text_bytes(&edit->changed, edits->changed.bytes, edits->changed.length);
    }
    edits->changed.length = 0;
    edits->refused_why = NULL;
}

static void see_refused(sl_live_edits *edits, const sl_event *event)
{
    sl_refused refused;
    if (sl_refused_decode(event, &refused) != SL_OK || refused.code_seq == 0) return;
    edit *edit = find_code(edits, refused.code_seq);
    tell_error(edits, &refused, event->seq);
    if (edit != NULL) take_printed(edits, edit);
    if (edit != NULL) answer_refused(edits, edit, &refused, event->seq);
}

static void see_applied(sl_live_edits *edits, const sl_event *event)
{
    sl_applied applied;
    if (sl_applied_decode(event, &applied) != SL_OK) return;
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX; i++) {
        edit *edit = &edits->edits[i];
        if (edit->ticket != 0 && edit->score_seq != 0 && edit->score_seq <= applied.through_seq)
            answer_score(edits, edit, true);
    }
}

/* The state has no such text, so the evaluator never sees it: somebody has to answer. */
static void put_refused(sl_live_edits *edits, uint64_t code_seq, const char *reason)
{
    uint8_t bytes[REFUSED_BYTES + REASON_BYTES];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_refused refused = {
        .kind = SL_KIND_CODE, .reason = reason, .reason_length = strlen(reason), .code_seq = code_seq};
    edit *edit = find_code(edits, code_seq);
    if (sl_refused_encode(&refused, &writer) != SL_OK) return;
    if (put(edits, SL_KIND_REFUSED, SL_REFUSED_VERSION, SL_SOURCE_SEQ_NONE, &writer) != SL_OK) return;
    if (edit != NULL) edit->is_refused = true;
}

/* After a restart nobody asks any more. */
static void refuse_too_long(sl_live_edits *edits, const sl_event *event)
{
    sl_code code;
    if (edits->evaluator == NULL || sl_code_decode(event, &code) != SL_OK) return;
    if (code.source_length <= SL_BUFFER_BYTES_MAX) return;
    char reason[REASON_BYTES];
    snprintf(reason, sizeof reason, "the text has %zu bytes, more than the %d that a buffer may have",
             code.source_length, SL_BUFFER_BYTES_MAX);
    put_refused(edits, event->seq, reason);
}

static bool is_pending(const sl_live_edits *edits, uint64_t code_seq)
{
    sl_code_text text;
    for (size_t i = 0; sl_state_pending_code(edits->options.state, i, &text); i++)
        if (text.seq == code_seq) return true;
    return false;
}

/* Where too much waits the state forgets the oldest (core/buffers.h). */
static void refuse_forgotten(sl_live_edits *edits)
{
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX && edits->evaluator != NULL; i++) {
        const edit *edit = &edits->edits[i];
        const bool is_open = edit->ticket != 0 && edit->code_seq != 0 && edit->score_seq == 0;
        if (!is_open || edit->is_given || edit->is_refused || is_pending(edits, edit->code_seq)) continue;
        put_refused(edits, edit->code_seq, "was not evaluated: too much came after it; try again");
    }
}

void sl_live_edits_see(sl_live_edits *edits, const sl_event *event, uint64_t now_ns)
{
    if (event->kind == SL_KIND_CODE && event->source == SL_SOURCE_SELF) {
        edit *edit = find_ticket(edits, event->source_seq != SL_SOURCE_SEQ_NONE ? event->source_seq : 0);
        if (edit != NULL && edit->code_seq == 0) edit->code_seq = event->seq;
    }
    if (event->kind == SL_KIND_CODE) refuse_too_long(edits, event);
    if (event->kind == SL_KIND_CODE) refuse_forgotten(edits);
    if (event->kind == SL_KIND_SCORE) see_score(edits, event, now_ns);
    if (event->kind == SL_KIND_REFUSED) see_refused(edits, event);
    if (event->kind == SL_KIND_APPLIED) see_applied(edits, event);
}

/* False: the evaluator cannot take the next one yet. Nothing wakes us when it can: its last answer may be in the log
 * before it is idle. */
static bool give_next(sl_live_edits *edits)
{
    sl_code_text next, each;
    sl_code earlier[SL_BUFFERS_MAX];
    size_t count = 0;
    if (edits->evaluator == NULL) return true;
    if (!sl_state_pending_code(edits->options.state, 0, &next)) return true;
    if (next.seq == edits->given_seq && !sl_evaluator_has_failed(edits->evaluator)) return true;
    if (!sl_evaluator_is_idle(edits->evaluator)) return false;
    while (count < SL_BUFFERS_MAX && sl_state_buffer(edits->options.state, count, &each)) earlier[count++] = each.code;
    if (sl_evaluator_give(edits->evaluator, next.seq, &next.code, earlier, count) != SL_OK) return false;
    edits->given_seq = next.seq;
    edit *edit = find_code(edits, next.seq);
    if (edit != NULL) edit->is_given = true;
    return true;
}

uint64_t sl_live_edits_tick(sl_live_edits *edits, uint64_t now_ns)
{
    uint64_t due_ns = give_next(edits) ? UINT64_MAX : now_ns + AGAIN_NS;
    for (size_t i = 0; i < SL_LIVE_EDITS_MAX; i++) {
        edit *edit = &edits->edits[i];
        if (edit->ticket == 0 || edit->score_seq == 0) continue;
        if (edit->due_ns <= now_ns)
            answer_score(edits, edit, false);
        else if (edit->due_ns < due_ns)
            due_ns = edit->due_ns;
    }
    return due_ns;
}

sl_err sl_live_edits_watch(sl_live_edits *edits, const char *path, bool is_wanted, char errmsg[256])
{
    if (edits->watch == NULL) {
        snprintf(errmsg, 256, "serve is about to stop");
        return SL_ERR_REFUSED;
    }
    if (!is_wanted) {
        const sl_err err = sl_code_watch_remove(edits->watch, path);
        if (err != SL_OK) snprintf(errmsg, 256, "%.200s is not watched", path);
        return err;
    }
    const char *name = sl_code_watch_buffer(path);
    const size_t length = strlen(name);
    sl_code_text known, each;
    bool is_known = false;
    for (size_t i = 0; sl_state_buffer(edits->options.state, i, &each); i++) {
        if (each.code.buffer_length != length || memcmp(each.code.buffer, name, length) != 0) continue;
        known = each;
        is_known = true;
    }
    return sl_code_watch_add(edits->watch, path, is_known ? known.code.source : NULL,
                             is_known ? known.code.source_length : 0, errmsg);
}
