/* `symlog stat`: how a log stands: its head, its digests, and what came from each source and what was lost. */
#include "core/message.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/printer.h"
#include "tools/symlog/rpc_client.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 24 };

/* A column of the table of sources. */
typedef struct column {
    const char *key;
    const char *heading;
} column;

static const column columns[] = {
    {"received", "received"},      {"processed", "processed"},   {"dropped", "dropped"},
    {"parse_errors", "malformed"}, {"duplicates", "duplicates"}, {"gaps", "gaps"},
    {"gap_size_total", "missing"}, {"queue_max", "queue max"},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static int run(int argc, char **argv);
static sl_err ask_serve(const char *url, sl_text *stat, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES]);
static sl_err ask_log(const char *db, sl_text *stat, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES]);
static sl_err print_for_people(const sl_text *text, sl_printer *printer, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES]);
static void print_summary(const json_t *stat, FILE *to);
static void print_sources(const json_t *sources, FILE *to);
static void print_refusals(const json_t *sources, FILE *to);
static void print_ports(const json_t *ports, FILE *to);
static void print_audio(const json_t *audio, FILE *to);
static const char *text_of(const json_t *object, const char *key);
static long long number_of(const json_t *object, const char *key);

const sl_command sl_command_stat = {
    .name = "stat",
    .summary = "how a log stands: head, digests, sources, losses",
    .help = "usage: symlog stat [--db DIR | --ws URL] [--json]\n\n"
            "Reads it out of the log, whether serve runs or not; or asks a running serve, which also knows how the\n"
            "groove box's ports and the sound stand.\n\n"
            "  --db DIR   the log's folder\n"
            "  --ws URL   the serve to ask, as " SL_RPC_CLIENT_URL "\n"
            "  --json     one JSON object\n\n"
            "example: symlog stat --db ~/sets/friday\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *db = NULL;
    const char *url = NULL;
    bool is_json = false;
    const sl_option table[] = {
        {.name = "--db", .value = &db},
        {.name = "--ws", .value = &url},
        {.name = "--json", .is_given = &is_json},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("stat", "\"%s\" is no option", operands.words[0]);
    if (db != NULL && url != NULL)
        return sl_usage_error("stat", "--db reads a log, --ws asks a serve; use one of them");

    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    sl_printer printer = sl_printer_stdout();
    sl_text stat;
    sl_text_open(&stat, sl_host_memory());
    sl_err err = url != NULL ? ask_serve(url, &stat, errmsg) : ask_log(db, &stat, errmsg);
    if (err == SL_OK && is_json) {
        sl_print_line(&printer, &stat);
    } else if (err == SL_OK) {
        err = print_for_people(&stat, &printer, errmsg);
    }
    sl_text_close(&stat);
    if (url != NULL && err == SL_ERR_RANGE) return sl_usage_error("stat", "%s", errmsg);
    if (err != SL_OK) return sl_failure("stat", "%s", errmsg);
    return sl_printer_close(&printer, "stat", status);
}

static sl_err ask_serve(const char *url, sl_text *stat, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES])
{
    json_t *result = NULL;
    sl_err err = sl_rpc_client_call(url, "stat", NULL, SL_RPC_CLIENT_TIMEOUT_MS, &result, errmsg);
    if (err != SL_OK) return err;
    char *text = json_dumps(result, JSON_COMPACT);
    if (text != NULL) sl_text_string(stat, text);
    free(text);
    json_decref(result);
    return SL_OK;
}

static sl_err ask_log(const char *db, sl_text *stat, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES])
{
    sl_log *log = NULL;
    sl_state *state = NULL;
    sl_err err = sl_host_replay(db, &log, &state, errmsg);
    if (err != SL_OK) return err;
    sl_message_stat(stat, state, sl_log_id_hex(log));
    sl_state_destroy(state);
    sl_log_close(log);
    return SL_OK;
}

static sl_err print_for_people(const sl_text *text, sl_printer *printer, char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES])
{
    json_t *stat = text->bad ? NULL : json_loadb(text->bytes, text->length, 0, NULL);
    // A sender may have chosen a session beyond what jansson takes for an integer.
    if (stat == NULL && !text->bad) stat = json_loadb(text->bytes, text->length, JSON_DECODE_INT_AS_REAL, NULL);
    if (stat == NULL) {
        snprintf(errmsg, SL_RPC_CLIENT_ERRMSG_BYTES, "memory ran out");
        return SL_ERR_MEMORY;
    }
    print_summary(stat, printer->file);
    const json_t *sources = json_object_get(stat, "sources");
    if (json_array_size(sources) > 0) {
        print_sources(sources, printer->file);
        print_refusals(sources, printer->file);
    } else {
        fputs("sources    none yet\n", printer->file);
    }
    print_ports(json_object_get(stat, "ports"), printer->file);
    print_audio(json_object_get(stat, "audio"), printer->file);
    json_decref(stat);
    return SL_OK;
}

static void print_summary(const json_t *stat, FILE *to)
{
    bool is_stale = json_is_true(json_object_get(stat, "is_stale"));
    fprintf(to, "log        %s\n", text_of(stat, "log_id"));
    fprintf(to, "head       event %lld\n", number_of(stat, "head"));
    fprintf(to, "state      %s\n", text_of(stat, "digest"));
    fprintf(to, "content    %s\n", text_of(stat, "content_digest"));
    fprintf(to, "tree       %lld nodes, %s%s\n", number_of(stat, "nodes"), is_stale ? "stale: " : "up to date",
            is_stale ? text_of(stat, "stale_reason") : "");
    fprintf(to, "lost       %lld in the kernel; %lld malformed from unknown senders\n", number_of(stat, "kernel_drops"),
            number_of(stat, "refused_unnamed"));
}

static void print_sources(const json_t *sources, FILE *to)
{
    size_t index = 0;
    const json_t *source = NULL;
    fprintf(to, "\n%-*s", NAME_COLUMNS, "source");
    for (size_t i = 0; i < COLUMN_COUNT; i++) fprintf(to, "  %10s", columns[i].heading);
    fputc('\n', to);
    json_array_foreach(sources, index, source)
    {
        fprintf(to, "%-*s", NAME_COLUMNS, text_of(source, "name"));
        for (size_t i = 0; i < COLUMN_COUNT; i++) fprintf(to, "  %10lld", number_of(source, columns[i].key));
        fputc('\n', to);
    }
}

/* Messages that were understood but could not be carried out, by reason. */
static void print_refusals(const json_t *sources, FILE *to)
{
    size_t index = 0;
    const json_t *source = NULL;
    json_array_foreach(sources, index, source)
    {
        json_t *refused = json_object_get(source, "refused");
        const char *reason = NULL;
        json_t *count = NULL;
        json_object_foreach(refused, reason, count)
        {
            fprintf(to, "\n%s refused, %s: %.0f", text_of(source, "name"), reason, json_number_value(count));
        }
        if (json_object_size(refused) > 0) fputc('\n', to);
    }
}

/* The groove box's, of a running serve. */
static void print_ports(const json_t *ports, FILE *to)
{
    size_t index = 0;
    const json_t *port = NULL;
    json_array_foreach(ports, index, port)
    {
        fprintf(to, "\nport %s: %s, frames %lld in, %lld out, %lld refused, %lld not sent", text_of(port, "name"),
                json_is_true(json_object_get(port, "is_open")) ? "open" : "not open", number_of(port, "processed"),
                number_of(port, "sent"), number_of(port, "refused") + number_of(port, "dropped"),
                number_of(port, "unsent"));
    }
    if (json_array_size(ports) > 0) fputc('\n', to);
}

/* The sound of a running serve, where it makes some. */
static void print_audio(const json_t *audio, FILE *to)
{
    const json_t *status = json_object_get(audio, "status");
    const json_t *counts = json_object_get(status, "counts");
    const json_t *times = json_object_get(status, "callback_us");
    const json_t *diagnostic = json_object_get(status, "diagnostic");
    const bool is_disabled = strcmp(text_of(status, "phase"), "disabled") == 0;
    if (audio == NULL) return;
    fprintf(to, "\nsound: %s", text_of(status, "phase"));
    if (json_object_get(status, "device") != NULL) fprintf(to, ", device %s", text_of(status, "device"));
    if (number_of(status, "sample_rate") > 0) fprintf(to, ", %lld Hz", number_of(status, "sample_rate"));
    if (number_of(status, "buffer_size") > 0) fprintf(to, ", %lld frames at a time", number_of(status, "buffer_size"));
    if (!is_disabled)
        fprintf(to, "; xruns %lld in, %lld out, underruns %lld, frames missed %lld, marks late %lld",
                number_of(counts, "xruns_input"), number_of(counts, "xruns_output"), number_of(counts, "underruns"),
                number_of(counts, "missed_frames"), number_of(counts, "late_marks"));
    if (number_of(counts, "callbacks") > 0)
        fprintf(to, "; callbacks %lld, flagged %lld, p99 %.0f us, longest %.0f us", number_of(counts, "callbacks"),
                number_of(counts, "flagged"), json_number_value(json_object_get(times, "p99")),
                json_number_value(json_object_get(times, "max")));
    if (number_of(audio, "clients") > 0) fprintf(to, "; clients that make sound %lld", number_of(audio, "clients"));
    fputc('\n', to);
    if (diagnostic != NULL)
        fprintf(to, "%s: %s (%s)\n", text_of(diagnostic, "code"), text_of(diagnostic, "message"),
                text_of(diagnostic, "hint"));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "unknown";
}

static long long number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : (long long)json_number_value(value);
}
