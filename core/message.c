/* The messages of the feed: FULL_AST, live_event, ERROR, stat. DIFF_UPDATE is in message_diff.c. */
#include "core/message.h"

#include "core/message_diff.h"
#include "core/number.h"
#include "core/payload.h"

#include <string.h>

void sl_message_close(sl_text *text, uint64_t seq)
{
    if (seq != 0) {
        sl_text_string(text, ",\"seq\":");
        sl_text_u64(text, seq);
    }
    sl_text_string(text, "}");
}

void sl_message_seq(sl_text *text, uint64_t seq)
{
    sl_text_string(text, "{\"type\":\"SEQ\"");
    sl_message_close(text, seq);
}

void sl_message_full_ast(sl_text *text, sl_state *state, const char *log_id, const sl_paths *paths)
{
    sl_state_digests(state, NULL, NULL);
    const sl_tree *tree = sl_state_tree_view(state);
    sl_text_string(text, "{\"type\":\"FULL_AST\",\"log\":\"");
    sl_text_string(text, log_id);
    sl_text_string(text, "\",\"seq\":");
    sl_text_u64(text, sl_state_seq(state));
    sl_text_string(text, ",\"payload\":{\"ast\":");
    sl_text_node_at(text, tree, sl_tree_project(tree), paths);
    sl_text_string(text, "}}");
}

void sl_message_error(sl_text *text, const char *error, const char *details)
{
    sl_text_string(text, "{\"type\":\"ERROR\",\"payload\":{\"error\":");
    sl_text_json(text, error, strlen(error));
    if (details != NULL) {
        sl_text_string(text, ",\"details\":");
        sl_text_json(text, details, strlen(details));
    }
    sl_text_string(text, "}}");
}

static void write_argument(sl_text *text, const sl_osc_argument *argument)
{
    switch (argument->tag) {
    case 'T': sl_text_string(text, "true"); break;
    case 'F': sl_text_string(text, "false"); break;
    case 'f':
    case 'd': sl_text_double(text, argument->number); break;
    case 's':
    case 'S': sl_text_json(text, (const char *)argument->bytes, argument->length); break;
    case 'b':
        sl_text_string(text, "\"");
        sl_text_hex(text, argument->bytes, argument->length);
        sl_text_string(text, "\"");
        break;
    case 'N':
    case 'I':
    case '[':
    case ']': sl_text_string(text, "null"); break;
    default: sl_text_i64(text, argument->integer);
    }
}

static void write_seq_num(sl_text *text, uint64_t seq_num)
{
    if (seq_num == SL_SOURCE_SEQ_NONE)
        sl_text_string(text, "null");
    else
        sl_text_u64(text, seq_num);
}

static void write_live_event(sl_text *text, const sl_effect *effect)
{
    const sl_osc_message *message = effect->message;
    sl_text_string(text, "{\"type\":\"live_event\",\"payload\":{\"event_path\":");
    sl_text_json(text, message->address, message->address_length);
    sl_text_string(text, ",\"args\":[");
    sl_osc_cursor cursor = sl_osc_arguments(message);
    sl_osc_argument argument;
    for (bool is_first = true; sl_osc_next(&cursor, &argument); is_first = false) {
        if (!is_first) sl_text_string(text, ",");
        write_argument(text, &argument);
    }
    sl_text_string(text, "],\"seq_num\":");
    write_seq_num(text, effect->seq_num);
    sl_text_string(text, ",\"timestamp\":");
    sl_text_double(text, effect->timestamp);
    sl_text_string(text, "}");
}

/* Details: what was refused, from whom, and what a person can do about it. */
static void write_refused(sl_text *text, const sl_state *state, const sl_effect *effect)
{
    static const char hint[] = "; there is no picture yet: save the set in Live, or send /symlog/snapshot";
    const sl_source *source = sl_state_source(state, effect->event->source);
    sl_text details;
    sl_text_open(&details, text->memory);
    if (effect->message != NULL)
        sl_text_bytes(&details, effect->message->address, effect->message->address_length);
    else
        sl_text_string(&details, sl_kind_name(effect->event->kind));
    sl_text_string(&details, " from ");
    sl_text_string(&details, source != NULL && source->name[0] != '\0' ? source->name : "nobody");
    bool is_of_live = effect->message != NULL;
    if (effect->refusal == SL_REFUSAL_INDEX && is_of_live && !sl_state_has_picture(state))
        sl_text_string(&details, hint);
    if (effect->detail != NULL) {
        sl_text_string(&details, ", byte ");
        sl_text_u64(&details, effect->position);
        sl_text_string(&details, ": expected ");
        sl_text_string(&details, effect->detail);
    }
    const char *error = sl_refusal_text(effect->refusal);
    sl_text_string(text, "{\"type\":\"ERROR\",\"payload\":{\"error\":");
    sl_text_json(text, error, strlen(error));
    sl_text_string(text, ",\"details\":");
    sl_text_json(text, details.bytes, details.length);
    sl_text_string(text, "}");
    if (details.bad) text->bad = true;
    sl_text_close(&details);
}

static void write_bad_save(sl_text *text, const sl_effect *effect)
{
    sl_refused refused;
    if (sl_refused_decode(effect->event, &refused) != SL_OK) refused.reason_length = 0;
    sl_text_string(text, "{\"type\":\"ERROR\",\"payload\":{\"error\":\"project file refused\",\"details\":");
    sl_text_json(text, refused.reason, refused.reason_length);
    sl_text_string(text, "}");
}

/* `a gap of 6 events (numbers 150 to 155) from 127.0.0.1:52011; …` */
static void write_gap(sl_text *text, const sl_state *state, const sl_effect *effect)
{
    const sl_source *source = sl_state_source(state, effect->source);
    sl_text details;
    sl_text_open(&details, text->memory);
    sl_text_string(&details, "a gap of ");
    sl_text_u64(&details, effect->gap.count);
    sl_text_string(&details, effect->gap.count == 1 ? " event (numbers " : " events (numbers ");
    sl_text_u64(&details, effect->gap.first);
    sl_text_string(&details, " to ");
    sl_text_u64(&details, sl_number_after(effect->gap.first, effect->gap.count - 1));
    sl_text_string(&details, ") from ");
    sl_text_string(&details, source != NULL ? source->name : "nobody");
    sl_text_string(&details, "; save the set in Live, or send /symlog/snapshot");
    sl_text_string(text, "{\"type\":\"ERROR\",\"payload\":{\"error\":\"UDP event gap detected\",\"details\":");
    sl_text_json(text, details.bytes, details.length); /* a name may hold anything */
    sl_text_string(text, "}");
    if (details.bad) text->bad = true;
    sl_text_close(&details);
}

void sl_message_effect(sl_text *text, const sl_state *state, const sl_effect *effect)
{
    switch (effect->type) {
    case SL_EFFECT_DIFF: sl_message_diff(text, effect->diff, effect->seq_num, false); break;
    case SL_EFFECT_LIVE_EVENT: write_live_event(text, effect); break;
    case SL_EFFECT_REFUSED: write_refused(text, state, effect); break;
    case SL_EFFECT_BAD_SAVE: write_bad_save(text, effect); break;
    case SL_EFFECT_GAP: write_gap(text, state, effect); break;
    case SL_EFFECT_GROUP_BEGIN:
    case SL_EFFECT_GROUP_END:
    case SL_EFFECT_GROOVE: break;
    }
}

bool sl_message_effect_compact(sl_text *text, const sl_effect *effect)
{
    if (effect->type != SL_EFFECT_DIFF || !sl_message_diff_has_compact(effect->diff)) return false;
    sl_message_diff(text, effect->diff, effect->seq_num, true);
    return true;
}

bool sl_message_is_told(const sl_state *state, const sl_effect *effect)
{
    if (effect->type == SL_EFFECT_GROUP_BEGIN || effect->type == SL_EFFECT_GROUP_END) return false;
    if (effect->type == SL_EFFECT_GROOVE) return false;
    if (effect->type != SL_EFFECT_REFUSED) return true;
    const sl_source *source = sl_state_source(state, effect->event->source);
    return source != NULL && source->refused[effect->refusal] == 1;
}

static void write_count(sl_text *text, const char *name, uint64_t value)
{
    sl_text_string(text, ",\"");
    sl_text_string(text, name);
    sl_text_string(text, "\":");
    sl_text_u64(text, value);
}

static void write_source(sl_text *text, const sl_source *source)
{
    const sl_source_counts *counts = &source->counts;
    sl_text_string(text, "{\"name\":");
    sl_text_json(text, source->name, strlen(source->name));
    write_count(text, "session", source->session);
    write_count(text, "received", counts->received);
    write_count(text, "processed", counts->processed);
    write_count(text, "dropped", counts->dropped);
    write_count(text, "parse_errors", counts->parse_errors);
    write_count(text, "duplicates", counts->duplicates);
    write_count(text, "gaps", source->gaps);
    write_count(text, "gap_size_total", source->gap_size_total);
    write_count(text, "recovered", source->recovered);
    write_count(text, "late", source->late);
    write_count(text, "held", source->held_count);
    write_count(text, "resends", counts->resends);
    write_count(text, "heartbeats", counts->heartbeats);
    write_count(text, "ignored", counts->ignored);
    write_count(text, "queue_size", counts->queue_size);
    write_count(text, "queue_max", counts->queue_max);
    sl_text_string(text, ",\"refused\":{");
    bool is_first = true;
    for (unsigned i = 1; i < SL_REFUSAL_COUNT; i++) {
        if (source->refused[i] == 0) continue;
        const char *name = sl_refusal_text((sl_refusal)i);
        if (!is_first) sl_text_string(text, ",");
        sl_text_json(text, name, strlen(name));
        sl_text_string(text, ":");
        sl_text_u64(text, source->refused[i]);
        is_first = false;
    }
    sl_text_string(text, "}}");
}

static void write_hex(sl_text *text, const char *name, sl_digest digest)
{
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(digest, hex);
    sl_text_string(text, ",\"");
    sl_text_string(text, name);
    sl_text_string(text, "\":\"");
    sl_text_string(text, hex);
    sl_text_string(text, "\"");
}

void sl_message_stat(sl_text *text, sl_state *state, const char *log_id)
{
    sl_digest content, whole;
    sl_state_digests(state, &content, &whole);
    sl_text_string(text, "{\"log_id\":\"");
    sl_text_string(text, log_id);
    sl_text_string(text, "\"");
    write_count(text, "head", sl_state_seq(state));
    write_hex(text, "digest", whole);
    write_hex(text, "content_digest", content);
    write_count(text, "reducer_version", SL_REDUCER_VERSION);
    write_count(text, "nodes", sl_tree_node_count(sl_state_tree_view(state)));
    write_count(text, "state_bytes", sl_state_size_bytes(state));
    write_count(text, "kernel_drops", sl_state_kernel_drops(state));
    write_count(text, "refused_unnamed", sl_state_refused_unnamed(state));
    const sl_node *project = sl_tree_project(sl_state_tree_view(state));
    sl_value is_stale = sl_node_value(project, SL_ATTRIBUTE_IS_STALE);
    sl_value reason = sl_node_value(project, SL_ATTRIBUTE_STALE_REASON);
    sl_text_string(text, ",\"is_stale\":");
    sl_text_value(text, &is_stale);
    sl_text_string(text, ",\"stale_reason\":");
    sl_text_value(text, &reason);
    sl_text_string(text, ",\"sources\":[");
    bool is_first = true;
    for (size_t i = 0; sl_state_source_at(state, i) != NULL; i++) {
        const sl_source *source = sl_state_source_at(state, i);
        if (source->number == SL_SOURCE_SELF) continue;
        if (!is_first) sl_text_string(text, ",");
        write_source(text, source);
        is_first = false;
    }
    sl_text_string(text, "]}");
}
