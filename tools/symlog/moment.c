/* Moments of a log as people name them. */
#include "tools/symlog/moment.h"

#include "core/payload.h"
#include "tools/symlog/beginning.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

enum { SECONDS_MAX = 2000000000 };

/* A place in a text that is being read; what does not fit makes it bad. */
typedef struct cursor {
    const char *at;
    bool bad;
} cursor;

/* A moment that is looked for, and what the events so far have said about the clock. */
typedef struct search {
    sl_moment moment; // A mark, or a time; SINCE becomes Unix time at the first start.
    int64_t wall_ns;  // Of the run that is being read, at its time_ns 0.
    bool has_started;
    uint64_t time_ns; // The moment, in the run of the last event that was found.
} search;

static bool is_digits(const char *text);
static bool parse_since(const char *text, int64_t *ns);
static bool parse_wall(const char *text, int64_t *ns);
static void take_clock(cursor *text, struct tm *fields, int64_t *fraction_ns);
static void take_zone(cursor *text, int64_t *east_s);
static int take_number(cursor *text, int digits, int min, int max);
static void take_char(cursor *text, char expected);
static int64_t take_fraction(cursor *text);
static int days_in_month(int year, int month);
static sl_err find_last(sl_log *log, search *search, uint64_t *seq, char errmsg[256]);
static sl_err begin_search(sl_log *log, search *search, uint64_t *first, char errmsg[256]);
static void note_start(search *search, int64_t wall_ns);
static bool is_mark(const search *search, const sl_event *event);
static bool is_by_then(search *search, const sl_event *event);

sl_err sl_moment_parse(const char *text, sl_moment *out)
{
    *out = (sl_moment){0};
    if (text[0] == '\0') return SL_ERR_MALFORMED;
    if (is_digits(text)) {
        out->type = SL_MOMENT_SEQ;
        return sl_option_number(text, 0, UINT64_MAX - 1, &out->seq) ? SL_OK : SL_ERR_RANGE;
    }
    if (text[0] == '+' && parse_since(text + 1, &out->ns)) {
        out->type = SL_MOMENT_SINCE;
        return out->ns >= 0 ? SL_OK : SL_ERR_RANGE;
    }
    if (parse_wall(text, &out->ns)) {
        out->type = SL_MOMENT_WALL;
        return SL_OK;
    }
    out->type = SL_MOMENT_MARK;
    out->mark = strncmp(text, "mark:", strlen("mark:")) == 0 ? text + strlen("mark:") : text;
    return out->mark[0] != '\0' ? SL_OK : SL_ERR_MALFORMED;
}

static bool is_digits(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

/* SECONDS or SECONDS.FRACTION; *ns is -1 when they are too many. */
static bool parse_since(const char *text, int64_t *ns)
{
    size_t digits = strspn(text, "0123456789");
    cursor rest = {.at = text + digits};
    int64_t fraction_ns = take_fraction(&rest);
    if (digits == 0 || rest.bad || *rest.at != '\0') return false;
    int64_t seconds = 0;
    for (size_t i = 0; i < digits && seconds <= SECONDS_MAX; i++) seconds = seconds * 10 + (text[i] - '0');
    *ns = seconds <= SECONDS_MAX ? seconds * NS_PER_S + fraction_ns : -1;
    return true;
}

/* YYYY-MM-DD[(T| )HH:MM[:SS[.FRACTION]][ZONE]] */
static bool parse_wall(const char *text, int64_t *ns)
{
    cursor rest = {.at = text};
    struct tm fields = {.tm_isdst = -1};
    int64_t fraction_ns = 0;
    int64_t east_s = 0;
    int year = take_number(&rest, 4, 1970, 2200);
    take_char(&rest, '-');
    int month = take_number(&rest, 2, 1, 12);
    take_char(&rest, '-');
    if (rest.bad) return false;
    int day = take_number(&rest, 2, 1, days_in_month(year, month));
    bool is_local = true;
    if (!rest.bad && (*rest.at == 'T' || *rest.at == 't' || *rest.at == ' ')) {
        rest.at++;
        take_clock(&rest, &fields, &fraction_ns);
        is_local = rest.bad || *rest.at == '\0';
        if (!is_local) take_zone(&rest, &east_s);
    }
    if (rest.bad || *rest.at != '\0') return false;
    fields.tm_year = year - 1900;
    fields.tm_mon = month - 1;
    fields.tm_mday = day;
    time_t seconds = is_local ? mktime(&fields) : timegm(&fields);
    *ns = ((int64_t)seconds - east_s) * NS_PER_S + fraction_ns;
    return true;
}

static void take_clock(cursor *text, struct tm *fields, int64_t *fraction_ns)
{
    fields->tm_hour = take_number(text, 2, 0, 23);
    take_char(text, ':');
    fields->tm_min = take_number(text, 2, 0, 59);
    if (text->bad || *text->at != ':') return;
    take_char(text, ':');
    fields->tm_sec = take_number(text, 2, 0, 60);
    *fraction_ns = take_fraction(text);
}

/* Z, ±HH, ±HHMM or ±HH:MM. */
static void take_zone(cursor *text, int64_t *east_s)
{
    char first = *text->at++;
    if (first == 'Z' || first == 'z') return;
    if (first != '+' && first != '-') {
        text->bad = true;
        return;
    }
    int minutes = take_number(text, 2, 0, 23) * 60;
    if (!text->bad && *text->at != '\0') {
        if (*text->at == ':') take_char(text, ':');
        minutes += take_number(text, 2, 0, 59);
    }
    *east_s = (first == '+' ? 60 : -60) * (int64_t)minutes;
}

static int take_number(cursor *text, int digits, int min, int max)
{
    int value = 0;
    for (int i = 0; i < digits && !text->bad; i++) {
        char digit = *text->at;
        text->bad = digit < '0' || digit > '9';
        if (text->bad) break;
        value = value * 10 + (digit - '0');
        text->at++;
    }
    if (value < min || value > max) text->bad = true;
    return value;
}

static void take_char(cursor *text, char expected)
{
    if (text->bad || *text->at != expected) {
        text->bad = true;
    } else {
        text->at++;
    }
}

/* Nothing, or a point and digits, as nanoseconds; digits beyond those count as zero. */
static int64_t take_fraction(cursor *text)
{
    if (text->bad || *text->at != '.') return 0;
    text->at++;
    size_t digits = strspn(text->at, "0123456789");
    if (digits == 0) text->bad = true;
    int64_t ns = 0;
    for (size_t i = 0; i < 9; i++) ns = ns * 10 + (i < digits ? text->at[i] - '0' : 0);
    text->at += digits;
    return ns;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

sl_err sl_moment_find(sl_log *log, const sl_moment *moment, sl_moment_edge edge, uint64_t *seq, char errmsg[256])
{
    if (moment->type == SL_MOMENT_SEQ) {
        *seq = edge == SL_MOMENT_FROM && moment->seq == 0 ? 1 : moment->seq;
        return SL_OK;
    }
    bool is_time = moment->type != SL_MOMENT_MARK;
    search search = {.moment = *moment};
    // The first event not before a time is the one after the last that is before it.
    if (is_time && edge == SL_MOMENT_FROM) search.moment.ns--;
    sl_err err = find_last(log, &search, seq, errmsg);
    if (err != SL_OK) return err;
    if (is_time) {
        if (edge == SL_MOMENT_FROM) (*seq)++;
    } else if (*seq == 0) {
        snprintf(errmsg, 256, "the log has no mark \"%.100s\"; symlog replay --kind mark lists those that it has",
                 moment->mark);
        return SL_ERR_NOT_FOUND;
    }
    return SL_OK;
}

/* The last event that belongs to the moment; *seq is 0 if none does. */
static sl_err find_last(sl_log *log, search *search, uint64_t *seq, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    uint64_t first = 1;
    *seq = 0;
    sl_err err = begin_search(log, search, &first, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_reader_open(log, first, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    sl_event event;
    while ((err = sl_log_read(reader, &event)) == SL_OK) {
        bool is_found = search->moment.type == SL_MOMENT_MARK ? is_mark(search, &event) : is_by_then(search, &event);
        if (is_found) *seq = event.seq;
    }
    if (err != SL_ERR_END) sl_host_read_error(reader, err, errmsg);
    sl_log_reader_close(reader);
    return err == SL_ERR_END ? SL_OK : err;
}

/* A log that was pruned begins in the middle of a run, whose start the state in its base tells of. */
static sl_err begin_search(sl_log *log, search *search, uint64_t *first, char errmsg[256])
{
    sl_state *state = NULL;
    sl_err err = sl_beginning_state(log, &state, errmsg);
    if (err != SL_OK) return err;
    *first = sl_state_seq(state) + 1;
    if (*first > 1) note_start(search, sl_state_wall_ns(state));
    sl_state_destroy(state);
    return SL_OK;
}

static void note_start(search *search, int64_t wall_ns)
{
    search->wall_ns = wall_ns;
    if (!search->has_started && search->moment.type == SL_MOMENT_SINCE) {
        bool is_too_far = __builtin_add_overflow(search->moment.ns, wall_ns, &search->moment.ns);
        if (is_too_far) search->moment.ns = INT64_MAX;
    }
    search->has_started = true;
}

static bool is_mark(const search *search, const sl_event *event)
{
    size_t length = strlen(search->moment.mark);
    return event->kind == SL_KIND_MARK && event->length == length &&
           memcmp(event->payload, search->moment.mark, length) == 0;
}

/* True for what is not after the time, in a run that has begun by then; the last of these is in the last such run. What
 * stands before the first start event is a run of its own that begins at 0. */
static bool is_by_then(search *search, const sl_event *event)
{
    sl_start start;
    if (event->kind == SL_KIND_START && sl_start_decode(event, &start) == SL_OK) note_start(search, start.wall_ns);
    if (search->wall_ns > search->moment.ns) return false;
    const uint64_t time_ns = (uint64_t)search->moment.ns - (uint64_t)search->wall_ns;
    if (event->time_ns > time_ns) return false;
    search->time_ns = time_ns;
    return true;
}

/* SL_ERR_MALFORMED, SL_ERR_RANGE: with a sentence. */
static sl_err parse_told(const char *text, sl_moment *out, char errmsg[256])
{
    const sl_err err = sl_moment_parse(text, out);
    if (err != SL_OK)
        snprintf(errmsg, 256, "\"%.100s\" is no moment; say a number, a time, +SECONDS or a mark's text", text);
    return err;
}

/* The time of an event; of the log's first where that comes later. */
static sl_err read_time(sl_log *log, uint64_t *seq, uint64_t *time_ns, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_log_beginning beginning;
    sl_event event;
    sl_err err = sl_log_begins(log, &beginning);
    if (err == SL_OK && *seq < beginning.first_seq) *seq = beginning.first_seq;
    if (err == SL_OK) err = sl_log_reader_open(log, *seq, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    err = sl_log_read(reader, &event);
    if (err == SL_OK) *time_ns = event.time_ns;
    if (err != SL_OK && err != SL_ERR_END) sl_host_read_error(reader, err, errmsg);
    sl_log_reader_close(reader);
    if (err != SL_ERR_END) return err;
    uint64_t last = 0;
    err = sl_log_last(log, &last);
    snprintf(errmsg, 256, "the log ends with event %" PRIu64 ", before event %" PRIu64, last, *seq);
    return err == SL_OK ? SL_ERR_RANGE : err;
}

sl_err sl_moment_place(sl_log *log, const char *text, uint64_t *seq, uint64_t *time_ns, char errmsg[256])
{
    sl_moment moment;
    sl_err err = parse_told(text, &moment, errmsg);
    if (err != SL_OK) return err;
    if (moment.type == SL_MOMENT_WALL || moment.type == SL_MOMENT_SINCE) {
        search search = {.moment = moment};
        err = find_last(log, &search, seq, errmsg);
        *time_ns = search.time_ns;
        if (err != SL_OK || *seq > 0) return err;
    } else {
        err = sl_moment_find(log, &moment, SL_MOMENT_THROUGH, seq, errmsg);
        if (err != SL_OK) return err;
    }
    return read_time(log, seq, time_ns, errmsg);
}

sl_err sl_moment_range(sl_log *log, const char *from, const char *to, sl_range *out, char errmsg[256])
{
    const char *texts[] = {from, to};
    const sl_moment_edge edges[] = {SL_MOMENT_FROM, SL_MOMENT_THROUGH};
    uint64_t *ends[] = {&out->from, &out->through};
    assert(log != NULL && out != NULL);
    sl_log_beginning beginning;
    sl_err err = sl_log_begins(log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    *out = (sl_range){.from = beginning.first_seq, .through = UINT64_MAX};
    for (size_t i = 0; i < 2; i++) {
        if (texts[i] == NULL) continue;
        sl_moment moment;
        err = parse_told(texts[i], &moment, errmsg);
        if (err == SL_OK) err = sl_moment_find(log, &moment, edges[i], ends[i], errmsg);
        if (err != SL_OK) return err;
    }
    if (out->from < beginning.first_seq) out->from = beginning.first_seq;
    return SL_OK;
}

sl_err sl_moment_check(sl_log *log, const sl_range *range, char errmsg[256])
{
    uint64_t last = 0;
    sl_err err = sl_log_last(log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    if (last == 0) return SL_OK;
    if (range->through == 0) {
        snprintf(errmsg, 256, "nothing was recorded by then: the log's first event came later");
    } else if (range->from > last) {
        snprintf(errmsg, 256, "the log ends with event %" PRIu64 ", before that", last);
    } else if (range->from > range->through) {
        snprintf(errmsg, 256,
                 "nothing lies there: event %" PRIu64 " is the first not before it, event %" PRIu64
                 " the last not after it",
                 range->from, range->through);
    } else {
        return SL_OK;
    }
    return SL_ERR_RANGE;
}
