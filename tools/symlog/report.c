/* What serve tells people. */
#include "tools/symlog/report.h"

#include "core/live_code.h"
#include "core/message.h"
#include "tools/symlog/host.h"

#include <stdio.h>
#include <string.h>

enum { WHAT_BYTES_MAX = 100, REASON_BYTES_MAX = 300 };

static sl_reported *find_reported(sl_report *report, uint32_t source);
static void quote(sl_report *report, const char *bytes, size_t length);
static void tell_staleness(sl_report *report);
static void tell_gaps(sl_report *report, const sl_source *source);

void sl_report_open(sl_report *report, sl_status *status, const sl_state *state, bool is_verbose)
{
    *report = (sl_report){.status = status, .state = state, .is_verbose = is_verbose};
    sl_text_open(&report->text, sl_host_memory());
    const sl_source *source = NULL;
    for (size_t i = 0; (source = sl_state_source_at(state, i)) != NULL; i++) {
        sl_reported *reported = find_reported(report, source->number);
        reported->gaps = source->gaps;
        reported->gap_size_total = source->gap_size_total;
        report->dropped += source->counts.dropped;
    }
    report->dropped += sl_state_kernel_drops(state);
}

void sl_report_close(sl_report *report)
{
    sl_text_close(&report->text);
}

static sl_reported *find_reported(sl_report *report, uint32_t source)
{
    for (size_t i = 0; i < report->source_count; i++) {
        if (report->sources[i].source == source) return &report->sources[i];
    }
    sl_reported *made = &report->sources[report->source_next];
    *made = (sl_reported){.source = source};
    report->source_next = (report->source_next + 1) % SL_REPORT_SOURCES_MAX;
    if (report->source_count < SL_REPORT_SOURCES_MAX) report->source_count++;
    return made;
}

static const char *name_of(const sl_report *report, uint32_t number)
{
    const sl_source *source = sl_state_source(report->state, number);
    return source != NULL && source->name[0] != '\0' ? source->name : "unnamed";
}

void sl_report_refusal(sl_report *report, const sl_effect *effect)
{
    sl_reported *reported = find_reported(report, effect->event->source);
    const uint32_t bit = UINT32_C(1) << effect->refusal;
    if ((reported->refusals & bit) != 0) return;
    reported->refusals |= bit;
    const char *what = effect->message != NULL ? effect->message->address : sl_kind_name(effect->event->kind);
    quote(report, what, strnlen(what, WHAT_BYTES_MAX));
    sl_status_say(report->status, "refused what=%.*s source=%s reason=\"%s\" seq=%llu (told once per kind)",
                  (int)report->text.length, report->text.bytes, name_of(report, effect->event->source),
                  sl_refusal_text(effect->refusal), (unsigned long long)effect->event->seq);
}

/* Puts what a stranger wrote into report->text, in quotes: it may neither end the line nor speak to the terminal. */
static void quote(sl_report *report, const char *bytes, size_t length)
{
    sl_text_clear(&report->text);
    sl_text_json(&report->text, bytes, length);
}

static void keep_name(sl_report *report, const sl_event *event)
{
    sl_code code;
    if (sl_code_decode(event, &code) != SL_OK) return;
    sl_reported_code *kept = &report->codes[report->code_next++ % SL_REPORT_CODES_MAX];
    kept->seq = event->seq;
    kept->name_length = code.buffer_length;
    if (code.buffer_length > 0) memcpy(kept->name, code.buffer, code.buffer_length);
}

/* Whose text it is, and where in it: what an editor of a watched file wants to know. */
static void tell_refused_code(sl_report *report, const sl_refused *refused, size_t length, uint64_t seq)
{
    sl_text *text = &report->text;
    quote(report, refused->reason, length);
    for (size_t i = 0; i < SL_REPORT_CODES_MAX; i++) {
        const sl_reported_code *code = &report->codes[i];
        if (code->seq != refused->code_seq || code->name_length == 0) continue;
        sl_text_string(text, " name=");
        sl_text_json(text, code->name, code->name_length);
    }
    if (refused->line > 0) {
        sl_text_string(text, " line=");
        sl_text_u64(text, refused->line);
        sl_text_string(text, " column=");
        sl_text_u64(text, refused->column);
    }
    sl_status_say(report->status, "refused what=code reason=%.*s seq=%llu", (int)text->length, text->bytes,
                  (unsigned long long)seq);
}

void sl_report_event(sl_report *report, const sl_event *event)
{
    if (event->kind == SL_KIND_CODE) keep_name(report, event);
    if (event->kind == SL_KIND_OSC) report->has_source = true;
    if (report->is_verbose) {
        sl_text_clear(&report->text);
        sl_text_event(&report->text, event, report->state);
        const int length = report->text.length < SL_STATUS_LINE_BYTES ? (int)report->text.length : SL_STATUS_LINE_BYTES;
        sl_status_say(report->status, "event %.*s", length, report->text.bytes);
    } else if (event->kind == SL_KIND_SESSION) {
        sl_status_say(report->status, "source name=%s number=%u session=%llu", name_of(report, event->source),
                      (unsigned)event->source, (unsigned long long)event->session);
    } else if (event->kind == SL_KIND_PICTURE) {
        sl_status_say(report->status, "picture source=%s seq=%llu", name_of(report, event->source),
                      (unsigned long long)event->seq);
    } else if (event->kind == SL_KIND_REFUSED) {
        sl_refused refused;
        if (sl_refused_decode(event, &refused) != SL_OK) return;
        const size_t length = refused.reason_length < REASON_BYTES_MAX ? refused.reason_length : REASON_BYTES_MAX;
        if (refused.code_seq != 0) {
            tell_refused_code(report, &refused, length, event->seq);
            return;
        }
        quote(report, refused.reason, length);
        sl_status_say(report->status, "refused what=%s source=%s reason=%.*s seq=%llu", sl_kind_name(refused.kind),
                      name_of(report, event->source), (int)report->text.length, report->text.bytes,
                      (unsigned long long)event->seq);
    }
}

void sl_report_tick(sl_report *report, uint64_t now_ns, size_t subscribers, const sl_groove_figures *groove)
{
    sl_figures figures = {.now_ns = now_ns,
                          .events = sl_state_seq(report->state),
                          .subscribers = subscribers,
                          .ports = groove->ports,
                          .frames_in = groove->frames_in,
                          .frames_out = groove->frames_out,
                          .frames_refused = groove->refused};
    const sl_source *source = NULL;
    for (size_t i = 0; (source = sl_state_source_at(report->state, i)) != NULL; i++) {
        if (source->input == SL_INPUT_OSC) figures.sources++;
        figures.gaps += source->gaps;
        figures.dropped += source->counts.dropped;
        tell_gaps(report, source);
    }
    figures.dropped += sl_state_kernel_drops(report->state);
    if (figures.dropped > report->dropped) {
        sl_status_say(report->status, "dropped events=%llu total=%llu hint=\"more came at once than could be taken\"",
                      (unsigned long long)(figures.dropped - report->dropped), (unsigned long long)figures.dropped);
    }
    report->dropped = figures.dropped;
    tell_staleness(report);
    if (report->stale_reason[0] != '\0') figures.stale_reason = report->stale_reason;
    sl_status_draw(report->status, &figures);
}

static void tell_gaps(sl_report *report, const sl_source *source)
{
    sl_reported *reported = find_reported(report, source->number);
    if (source->gaps > reported->gaps) {
        sl_status_say(report->status, "gap source=%s gaps=%llu missing=%llu missing_total=%llu", source->name,
                      (unsigned long long)(source->gaps - reported->gaps),
                      (unsigned long long)(source->gap_size_total - reported->gap_size_total),
                      (unsigned long long)source->gap_size_total);
    }
    reported->gaps = source->gaps;
    reported->gap_size_total = source->gap_size_total;
}

/* Nobody needs to know that there is no picture before somebody plays. */
static void tell_staleness(sl_report *report)
{
    char reason[SL_REPORT_REASON_BYTES];
    if (!sl_report_stale_reason(report->state, reason)) reason[0] = '\0';
    if (!report->has_source || strcmp(reason, report->stale_reason) == 0) return;
    memcpy(report->stale_reason, reason, sizeof reason);
    if (reason[0] != '\0') {
        sl_status_say(report->status, "stale reason=\"%s\" hint=\"save the set in Live, or send /symlog/snapshot\"",
                      reason);
    } else {
        sl_status_say(report->status, "complete seq=%llu", (unsigned long long)sl_state_seq(report->state));
    }
}

bool sl_report_stale_reason(const sl_state *state, char reason[SL_REPORT_REASON_BYTES])
{
    const sl_node *project = sl_tree_project(sl_state_tree_view(state));
    const sl_value is_stale = sl_node_value(project, SL_ATTRIBUTE_IS_STALE);
    const sl_value why = sl_node_value(project, SL_ATTRIBUTE_STALE_REASON);
    if (is_stale.type != SL_VALUE_BOOL || is_stale.as.integer == 0) return false;
    const bool is_said = why.type == SL_VALUE_TEXT && why.length > 0 && why.length < SL_REPORT_REASON_BYTES;
    snprintf(reason, SL_REPORT_REASON_BYTES, "%.*s", is_said ? (int)why.length : 7, is_said ? why.as.text : "unknown");
    return true;
}
