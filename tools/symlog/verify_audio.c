/* The sound of a log, rendered again. */
#include "tools/symlog/verify_audio.h"

#include "tools/symlog/command.h"
#include "tools/symlog/heard_claims.h"
#include "tools/symlog/host.h"
#include "tools/symlog/performance.h"
#include "tools/symlog/printer.h"
#include "tools/symlog/progress.h"

#include <stdio.h>

typedef struct check {
    sl_log *log;
    sl_log_marks marks;
    sl_heard_claims claims;
    double unheard_s; /* the clock ran, and nobody says that it was heard */
    uint64_t last;    /* what is appended from now on is not looked at */
    uint64_t from_frame;
    sl_progress progress;
    sl_printer printer;
    sl_text line;
    bool is_json;
} check;

static sl_err read_all(check *check, const char *db, char errmsg[256]);
static sl_err render(check *check, const char *db, char errmsg[256]);
static bool hear(void *ctx, const sl_performance_block *block);
static uint64_t want(void *ctx, uint64_t from, uint64_t to);
static void print_wrong(check *check);
static int print_verdict(check *check);

int sl_verify_audio_run(const char *db, bool is_json)
{
    char errmsg[256];
    check check = {.is_json = is_json, .printer = sl_printer_stdout()};
    sl_text_open(&check.line, sl_host_memory());
    int status = SL_EXIT_FOUND;
    sl_err err = read_all(&check, db, errmsg);
    if (err == SL_OK) err = render(&check, db, errmsg);
    if (err == SL_OK) {
        print_wrong(&check);
        status = print_verdict(&check);
    } else {
        status = sl_failure("verify", "%s", errmsg);
    }
    status = sl_printer_close(&check.printer, "verify", status);
    sl_heard_claims_clear(&check.claims);
    sl_log_marks_clear(&check.marks);
    sl_text_close(&check.line);
    sl_log_close(check.log);
    return status;
}

static sl_err read_all(check *check, const char *db, char errmsg[256])
{
    sl_log_beginning beginning;
    sl_err err = sl_host_open_log(db, &check->log, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_last(check->log, &check->last);
    if (err == SL_OK) err = sl_log_begins(check->log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(check->log));
        return err;
    }
    err = sl_log_marks_read_all(db, check->log, check->last, &check->marks, errmsg);
    const sl_range range = {.from = beginning.first_seq, .through = check->last};
    if (err == SL_OK) err = sl_heard_claims_read(check->log, range, &check->marks, &check->claims, errmsg);
    if (err != SL_OK) return err;
    if (check->claims.count > 0) return SL_OK;
    snprintf(errmsg, 256, "%s",
             check->claims.unreadable > 0
                 ? "what was heard was recorded by a newer symlog, which must check it"
                 : "nothing says what was heard: this log was recorded without --sound, so there is nothing to prove");
    return SL_ERR_NOT_FOUND;
}

/* From the beginning of the sound in which the first of them lies; nothing saved is used, so that it is a proof. */
static sl_err render(check *check, const char *db, char errmsg[256])
{
    const sl_log_marks *marks = &check->marks;
    const uint64_t first = check->claims.items[0].heard.frame;
    const uint64_t end = sl_heard_claims_end(&check->claims, UINT64_MAX);
    size_t index = sl_log_marks_at_frame(marks, first);
    while (index > 0 && !marks->items[index - 1].is_beginning) index--;
    check->from_frame = index > 0 && marks->items[index - 1].frame < first ? marks->items[index - 1].frame : first;
    const sl_performance performance = {
        .db = db,
        .log = check->log,
        .through = check->last,
        .marks = marks,
        .hear = hear,
        .want = want,
        .ctx = check,
        .from_frame = check->from_frame,
        .to_frame = end,
    };
    check->progress = sl_progress_begin("rendering, frames:", end - check->from_frame, true);
    const sl_err err = sl_performance_run(&performance, NULL, NULL, errmsg);
    sl_progress_end(&check->progress);
    return err;
}

static bool hear(void *ctx, const sl_performance_block *block)
{
    check *check = ctx;
    const uint64_t unheard = sl_heard_claims_hear(&check->claims, block);
    if (block->is_playing) check->unheard_s += (double)unheard / block->rate;
    const uint64_t done = block->frame + block->frames - check->from_frame;
    sl_progress_show(&check->progress, done - done % SL_PERFORMANCE_BLOCK_FRAMES);
    return true;
}

static uint64_t want(void *ctx, uint64_t from, uint64_t to)
{
    const check *check = ctx;
    const uint64_t end = sl_heard_claims_end(&check->claims, to);
    if (end <= from) return from;
    return end < to ? end : to;
}

static void write_seconds(sl_text *line, double seconds)
{
    char text[40];
    snprintf(text, sizeof text, "%.3f", seconds);
    sl_text_string(line, text);
}

static double seconds_of(const check *check, sl_heard_verdict verdict)
{
    double seconds = 0;
    for (size_t i = 0; i < check->claims.count; i++) {
        const sl_heard_claim *claim = &check->claims.items[i];
        if (claim->verdict == verdict) seconds += (double)claim->heard.frames / claim->heard.rate;
    }
    return seconds;
}

/* "wrong: event 57 (+12.345) of frames 48000 to 95999: heard 8f…, rendered 91…" */
static void print_wrong(check *check)
{
    sl_text *line = &check->line;
    for (size_t i = 0; i < check->claims.count; i++) {
        const sl_heard_claim *claim = &check->claims.items[i];
        if (claim->verdict != SL_HEARD_WRONG) continue;
        char heard[SL_DIGEST_HEX + 1], rendered[SL_DIGEST_HEX + 1];
        sl_digest_hex(claim->heard.digest, heard);
        sl_digest_hex(claim->digest, rendered);
        sl_text_clear(line);
        sl_text_string(line, check->is_json ? "{\"wrong\":{\"seq\":" : "wrong: event ");
        sl_text_u64(line, claim->seq);
        sl_text_string(line, check->is_json ? ",\"time_s\":" : " (+");
        write_seconds(line, (double)claim->time_ns / 1e9);
        sl_text_string(line, check->is_json ? ",\"frame\":" : ") of frames ");
        sl_text_u64(line, claim->heard.frame);
        sl_text_string(line, check->is_json ? ",\"frames\":" : " to ");
        sl_text_u64(line, check->is_json ? claim->heard.frames : claim->heard.frame + claim->heard.frames - 1);
        sl_text_string(line, check->is_json ? ",\"heard\":\"" : ": heard ");
        sl_text_string(line, heard);
        sl_text_string(line, check->is_json ? "\",\"rendered\":\"" : ", the log gives ");
        sl_text_string(line, rendered);
        if (check->is_json) sl_text_string(line, "\"}}");
        if (!sl_print_line(&check->printer, line)) return;
    }
}

static const struct reason {
    sl_heard_verdict verdict;
    const char *json;
    const char *words;
} reasons[] = {
    {SL_HEARD_UNDERRUN, "underrun", "played too late"},
    {SL_HEARD_VERSION, "version", "by another version of the renderer"},
    {SL_HEARD_TWICE, "twice", "played twice"},
    {SL_HEARD_UNKNOWN, "unknown", "of a beginning that the log does not have"},
    {SL_HEARD_VERDICT_COUNT, "unheard", "that nobody says he played"},
};
enum { REASON_COUNT = sizeof reasons / sizeof reasons[0] };

static double seconds_for(const check *check, const struct reason *reason)
{
    return reason->verdict == SL_HEARD_VERDICT_COUNT ? check->unheard_s : seconds_of(check, reason->verdict);
}

static void write_json(check *check, bool is_ok)
{
    sl_text *line = &check->line;
    sl_text_string(line, is_ok ? "{\"ok\":true,\"proven_s\":" : "{\"ok\":false,\"proven_s\":");
    write_seconds(line, seconds_of(check, SL_HEARD_PROVEN));
    sl_text_string(line, ",\"wrong_s\":");
    write_seconds(line, seconds_of(check, SL_HEARD_WRONG));
    sl_text_string(line, ",\"unproven_s\":{");
    for (size_t i = 0; i < REASON_COUNT; i++) {
        sl_text_string(line, i > 0 ? ",\"" : "\"");
        sl_text_string(line, reasons[i].json);
        sl_text_string(line, "\":");
        write_seconds(line, seconds_for(check, &reasons[i]));
    }
    sl_text_string(line, "},\"unreadable\":");
    sl_text_u64(line, check->claims.unreadable);
    sl_text_string(line, "}");
}

/* "ok: 12.000 s of sound proven; unproven: 1.000 s played too late" */
static void write_words(check *check, bool is_ok)
{
    sl_text *line = &check->line;
    const double wrong = seconds_of(check, SL_HEARD_WRONG);
    const char *separator = "; unproven: ";
    sl_text_string(line, is_ok ? "ok: " : "not ok: ");
    write_seconds(line, seconds_of(check, SL_HEARD_PROVEN));
    sl_text_string(line, " s of sound proven");
    if (wrong > 0) {
        sl_text_string(line, ", ");
        write_seconds(line, wrong);
        sl_text_string(line, " s wrong");
    }
    for (size_t i = 0; i < REASON_COUNT; i++) {
        const double seconds = seconds_for(check, &reasons[i]);
        if (!(seconds > 0)) continue;
        sl_text_string(line, separator);
        write_seconds(line, seconds);
        sl_text_string(line, " s ");
        sl_text_string(line, reasons[i].words);
        separator = ", ";
    }
    if (check->claims.unreadable == 0) return;
    sl_text_string(line, "; heard events that only a newer symlog can read: ");
    sl_text_u64(line, check->claims.unreadable);
}

static int print_verdict(check *check)
{
    const bool is_ok = seconds_of(check, SL_HEARD_PROVEN) > 0 && !(seconds_of(check, SL_HEARD_WRONG) > 0);
    sl_text_clear(&check->line);
    if (check->is_json)
        write_json(check, is_ok);
    else
        write_words(check, is_ok);
    (void)sl_print_line(&check->printer, &check->line);
    return is_ok ? SL_EXIT_OK : SL_EXIT_FOUND;
}
