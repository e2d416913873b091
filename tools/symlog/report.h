/*
 * What serve tells people about the events that come in: sources named, gaps, refusals (once per kind and source), what
 * was dropped, and whether the project that it shows can be relied on. The service thread's.
 */
#ifndef SL_TOOLS_REPORT_H
#define SL_TOOLS_REPORT_H

#include "core/reduce.h"
#include "core/score.h"
#include "core/text.h"
#include "tools/symlog/groove_ports.h"
#include "tools/symlog/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_REPORT_SOURCES_MAX = 256, SL_REPORT_REASON_BYTES = 128, SL_REPORT_CODES_MAX = 64 };

/* What has been told of one source. */
typedef struct sl_reported {
    uint32_t source;
    uint32_t refusals; /* a bit for each kind */
    uint64_t gaps;
    uint64_t gap_size_total;
} sl_reported;

/* Whose text an edit of live code is. */
typedef struct sl_reported_code {
    uint64_t seq;
    size_t name_length;
    char name[SL_SCORE_NAME_BYTES_MAX];
} sl_reported_code;

typedef struct sl_report {
    sl_status *status;
    const sl_state *state;
    bool is_verbose; /* a line for every event */
    bool has_source; /* an OSC event came since the start */
    uint64_t dropped;
    char stale_reason[SL_REPORT_REASON_BYTES]; /* as told last; "" for none */
    sl_text text;
    sl_reported sources[SL_REPORT_SOURCES_MAX]; /* the newest, a ring */
    size_t source_count;
    size_t source_next;
    sl_reported_code codes[SL_REPORT_CODES_MAX]; /* the newest, a ring */
    size_t code_next;
} sl_report;

/* `state` as it is now is taken as told. */
void sl_report_open(sl_report *report, sl_status *status, const sl_state *state, bool is_verbose);
void sl_report_close(sl_report *report);

/* Tells of a refusal, unless one of that kind and source has been told before. */
void sl_report_refusal(sl_report *report, const sl_effect *effect);

/* Looks at an event that the state has just taken. */
void sl_report_event(sl_report *report, const sl_event *event);

/* Tells what has changed in the state since the last call, and draws the status line. */
void sl_report_tick(sl_report *report, uint64_t now_ns, size_t subscribers, const sl_groove_figures *groove);

/* The reason why the project is stale into `reason`; false if it is not. */
bool sl_report_stale_reason(const sl_state *state, char reason[SL_REPORT_REASON_BYTES]);

#endif
