/* `symlog log`: prints the events as they stand in the log, exports and imports logs. */
#include "core/message.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_file.h"
#include "tools/symlog/moment.h"
#include "tools/symlog/options.h"
#include "tools/symlog/pace.h"
#include "tools/symlog/printer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { POLL_NS = 20 * 1000 * 1000, BATCH_DEFAULT = 1024, BATCH_MAX = 1 << 20, LOOK_EVERY = 256 };

typedef struct options {
    const char *db;
    const char *from;
    const char *to;
    const char *batch;
    bool follows;
    bool is_json;
    bool is_raw;
} options;

/* What printing works with. */
typedef struct listing {
    sl_log *log;
    sl_log_reader *reader;
    sl_state *names; // Told of sessions alone: names the sources. It begins as the state before the first event.
    sl_printer printer;
    sl_text line;
    sl_range range;
    const options *options;
} listing;

static int run(int argc, char **argv);
static int run_file_command(const options *options, const sl_operands *operands);
static int list(const options *options);
static sl_err open_listing(listing *out, char errmsg[256]);
static sl_err print_events(listing *out, char errmsg[256]);
static sl_err print_event(listing *out, const sl_event *event);
static sl_err remember_name(sl_state *names, const sl_event *event);

const sl_command sl_command_log = {
    .name = "log",
    .summary = "print, export or import a log's events",
    .help =
        "usage: symlog log [--db DIR] [--from MOMENT] [--to MOMENT] [--follow] [--json]\n"
        "       symlog log export [--raw] FILE [--db DIR]\n"
        "       symlog log import FILE [--db DIR] [--batch N]\n\n"
        "Prints the events as they were recorded, one a line. Works while serve runs.\n\n"
        "  --db DIR       the log's folder\n"
        "  --from MOMENT  first event: a number, a time (2025-11-08T21:30, local unless a zone follows),\n"
        "                 +SECONDS since the first start (events show theirs since the last one), or a mark's text\n"
        "  --to MOMENT    last event\n"
        "  --follow       go on with what is recorded from now on; Ctrl-C ends it\n"
        "  --json         one JSON object a line, as export writes them\n\n"
        "export writes the whole log as NDJSON, import makes a new log of such a file: the same events under the\n"
        "same numbers, the same log id. FILE may be - for standard output or input.\n\n"
        "  --raw          the records themselves, binary, for tools that read them with core\n"
        "  --batch N      events that import commits at once (default 1024)\n\n"
        "example: symlog log --from chorus --to +300\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    options options = {0};
    const sl_option table[] = {
        {.name = "--db", .value = &options.db},
        {.name = "--from", .value = &options.from},
        {.name = "--to", .value = &options.to},
        {.name = "--batch", .value = &options.batch},
        {.name = "--follow", .is_given = &options.follows},
        {.name = "--json", .is_given = &options.is_json},
        {.name = "--raw", .is_given = &options.is_raw},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return run_file_command(&options, &operands);
    if (options.is_raw) return sl_usage_error("log", "--raw belongs to log export");
    if (options.batch != NULL) return sl_usage_error("log", "--batch belongs to log import");
    return list(&options);
}

static int run_file_command(const options *options, const sl_operands *operands)
{
    const char *word = operands->words[0];
    bool is_export = strcmp(word, "export") == 0;
    bool is_import = strcmp(word, "import") == 0;
    if (!is_export && !is_import) return sl_usage_error("log", "\"%s\" is neither export nor import", word);
    if (operands->count != 2) return sl_usage_error("log", "%s wants one FILE", word);
    if (options->from != NULL || options->to != NULL || options->follows || options->is_json) {
        return sl_usage_error("log", "%s takes a whole log, as NDJSON: no --from, --to, --follow, --json", word);
    }
    const char *path = operands->words[1];
    if (is_export) {
        if (options->batch != NULL) return sl_usage_error("log", "--batch belongs to log import");
        return sl_log_file_export(options->db, path, options->is_raw);
    }
    if (options->is_raw) return sl_usage_error("log", "--raw belongs to log export");
    uint64_t batch = BATCH_DEFAULT;
    if (options->batch != NULL && !sl_option_number(options->batch, 1, BATCH_MAX, &batch)) {
        return sl_usage_error("log", "--batch wants a number from 1 to %d, not \"%s\"", BATCH_MAX, options->batch);
    }
    return sl_log_file_import(options->db, path, (size_t)batch);
}

static int list(const options *options)
{
    char errmsg[256];
    listing out = {.options = options, .printer = sl_printer_stdout()};
    sl_text_open(&out.line, sl_host_memory());
    sl_err err = open_listing(&out, errmsg);
    if (err == SL_OK) err = print_events(&out, errmsg);
    sl_printer_flush(&out.printer); // Before the message, which tells of what comes after.
    int status = err == SL_OK ? SL_EXIT_OK : sl_failure("log", "%s", errmsg);
    status = sl_printer_close(&out.printer, "log", status);
    if (out.reader != NULL) sl_log_reader_close(out.reader);
    if (out.names != NULL) sl_state_destroy(out.names);
    sl_log_close(out.log);
    sl_text_close(&out.line);
    return status;
}

static sl_err open_listing(listing *out, char errmsg[256])
{
    sl_err err = sl_host_open_log(out->options->db, &out->log, errmsg);
    if (err != SL_OK) return err;
    err = sl_moment_range(out->log, out->options->from, out->options->to, &out->range, errmsg);
    if (err != SL_OK) return err;
    if (!out->options->follows && sl_moment_check(out->log, &out->range, errmsg) == SL_ERR_RANGE)
        (void)sl_failure("log", "%s", errmsg); // Nothing is an answer, too; but not without a word.
    uint64_t last = 0;
    err = sl_log_last(out->log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(out->log));
        return err;
    }
    const uint64_t before = out->range.from <= last ? out->range.from - 1 : last;
    err = sl_host_nearest(out->options->db, out->log, before, &out->names, errmsg);
    uint64_t from = err == SL_OK ? sl_state_seq(out->names) + 1 : out->range.from;
    if (err == SL_ERR_VERSION)
        err = sl_state_create(sl_host_memory(), &out->names); // The events can be read all the same.
    if (err == SL_OK) err = sl_log_reader_open(out->log, from, &out->reader);
    if (err == SL_ERR_MEMORY) snprintf(errmsg, 256, "%s", sl_err_text(err));
    return err;
}

/* Ends at the last event asked for, at the end of the log unless it is followed, when nobody reads, or at Ctrl-C. */
static sl_err print_events(listing *out, char errmsg[256])
{
    if (out->options->follows) sl_pace_hold_signals();
    for (uint64_t count = 0; sl_log_reader_next_seq(out->reader) <= out->range.through; count++) {
        if (out->options->follows && count % LOOK_EVERY == 0 && !sl_pace_sleep(0)) break;
        sl_event event;
        sl_err err = sl_log_read(out->reader, &event);
        if (err == SL_ERR_END) {
            if (!out->options->follows || !sl_printer_flush(&out->printer) || !sl_pace_sleep(POLL_NS)) break;
            continue;
        }
        if (err != SL_OK) {
            sl_host_read_error(out->reader, err, errmsg);
            return err;
        }
        err = remember_name(out->names, &event);
        if (err == SL_OK && event.seq >= out->range.from) err = print_event(out, &event);
        if (err == SL_ERR_END) break;
        if (err != SL_OK) {
            snprintf(errmsg, 256, "%s", sl_err_text(err));
            return err;
        }
    }
    return SL_OK;
}

/* SL_ERR_END: nobody reads it any more. */
static sl_err print_event(listing *out, const sl_event *event)
{
    sl_text_clear(&out->line);
    if (out->options->is_json) {
        sl_text_event_json(&out->line, event, out->names);
        return sl_print_line(&out->printer, &out->line) ? SL_OK : SL_ERR_END;
    }
    sl_text_event(&out->line, event, out->names);
    return sl_print_screen_line(&out->printer, &out->line) ? SL_OK : SL_ERR_END;
}

/* A state takes events that follow each other, so it gets the sessions as if there were nothing else. */
static sl_err remember_name(sl_state *names, const sl_event *event)
{
    if (event->kind != SL_KIND_SESSION) return SL_OK;
    assert(names != NULL);
    sl_event session = *event;
    session.seq = sl_state_seq(names) + 1;
    return sl_reduce(names, &session, NULL);
}
