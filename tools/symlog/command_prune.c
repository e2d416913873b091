/*
 * `symlog prune`: lets a log begin later. A serve that has the log does it itself, asked over its WebSocket; otherwise
 * it is done here.
 */
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/moment.h"
#include "tools/symlog/options.h"
#include "tools/symlog/progress.h"
#include "tools/symlog/prune.h"
#include "tools/symlog/rpc_client.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 16384 /* nobody else writes */ };

/* What is to be done, and to what. */
typedef struct job {
    const char *db;
    const char *url;
    char dir[SL_HOST_DIR_BYTES];
    char log_id[SL_LOG_ID_HEX + 1];
    uint64_t before;
    uint64_t base; /* the number of the base, once there is one */
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
} job;

static int run(int argc, char **argv);
static sl_err find_moment(job *job, const char *before);
static sl_err prune_here(job *job);
static sl_err make_base(job *job, sl_log *log);
static sl_err append_base(job *job, sl_log *log, const sl_text *payload);
static sl_err delete_all(job *job, sl_log *log, uint64_t oldest_seq);
static sl_err ask_serve(job *job);

const sl_command sl_command_prune = {
    .name = "prune",
    .summary = "let a log begin later, and give its room back",
    .help = "usage: symlog prune --before MOMENT [--db DIR] [--ws URL]\n\n"
            "Deletes all events before a moment. The state before it is kept in the log, so that every later state\n"
            "stays as it was, digest for digest; what was before it cannot be seen again. The file keeps its size:\n"
            "what is recorded from now on fills the room.\n\n"
            "  --before MOMENT  the first event that stays: its number, a time (2025-11-08T21:30), +SECONDS since the\n"
            "                   first start, or a mark's text\n"
            "  --db DIR         the log's folder\n"
            "  --ws URL         where its serve is, if one runs (default " SL_RPC_CLIENT_URL ")\n\n"
            "example: symlog prune --before 2025-11-08 --db ~/sets/friday\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *before = NULL;
    job job = {.url = SL_RPC_CLIENT_URL};
    const sl_option table[] = {
        {.name = "--before", .value = &before},
        {.name = "--db", .value = &job.db},
        {.name = "--ws", .value = &job.url},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("prune", "\"%s\" is no option", operands.words[0]);
    if (before == NULL) return sl_usage_error("prune", "--before says which event is to be the first");
    if (!sl_host_db_dir(job.db, job.dir, sizeof job.dir, job.errmsg)) return sl_usage_error("prune", "%s", job.errmsg);

    sl_err err = find_moment(&job, before);
    if (err == SL_OK) err = prune_here(&job);
    const bool is_served = err == SL_ERR_BUSY;
    if (is_served) err = ask_serve(&job);
    if (err != SL_OK) return sl_failure("prune", "%s", job.errmsg);
    printf("the log begins with event %llu; the state before it is event %llu%s\n", (unsigned long long)job.before,
           (unsigned long long)job.base, is_served ? "; serve goes on deleting what lay before it" : "");
    return SL_EXIT_OK;
}

static sl_err find_moment(job *job, const char *before)
{
    sl_log *log = NULL;
    sl_moment moment;
    sl_err err = sl_host_open_log(job->db, &log, job->errmsg);
    if (err != SL_OK) return err;
    memcpy(job->log_id, sl_log_id_hex(log), sizeof job->log_id);
    err = sl_moment_parse(before, &moment);
    if (err != SL_OK) {
        snprintf(job->errmsg, sizeof job->errmsg, "\"%.100s\" is no moment; say a number, a time, +SECONDS or a mark",
                 before);
    } else {
        err = sl_moment_find(log, &moment, SL_MOMENT_FROM, &job->before, job->errmsg);
    }
    sl_log_close(log);
    return err;
}

/* SL_ERR_BUSY: a serve has the log. */
static sl_err prune_here(job *job)
{
    sl_log *log = NULL;
    sl_log_beginning beginning = {0};
    const sl_log_options options = {.dir = job->dir, .is_writer = true};
    sl_err err = sl_log_open(&log, &options, job->errmsg);
    if (err != SL_OK) return err;
    err = sl_log_begins(log, &beginning);
    if (err != SL_OK) {
        snprintf(job->errmsg, sizeof job->errmsg, "%s", sl_log_error(log));
    } else if (beginning.first_seq == job->before && beginning.oldest_seq < job->before) {
        job->base = beginning.base_seq; /* that was done; what was broken off is the deleting */
    } else {
        err = make_base(job, log);
    }
    if (err == SL_OK) err = delete_all(job, log, beginning.oldest_seq);
    sl_log_close(log);
    return err;
}

static sl_err make_base(job *job, sl_log *log)
{
    sl_text payload;
    sl_text_open(&payload, sl_host_memory());
    const sl_nearest from = {.log = log}; /* snapshots would save a second where nobody waits for one */
    sl_err err = sl_prune_make_base(&from, job->before, NULL, &payload, job->errmsg);
    if (err == SL_OK) {
        err = append_base(job, log, &payload);
        if (err != SL_OK) snprintf(job->errmsg, sizeof job->errmsg, "%s", sl_log_error(log));
    }
    sl_text_close(&payload);
    return err;
}

/* At the time of the last event: this process has not recorded. */
static sl_err append_base(job *job, sl_log *log, const sl_text *payload)
{
    uint64_t last = 0;
    sl_event newest = {0};
    sl_log_reader *reader = NULL;
    sl_err err = sl_log_last(log, &last);
    if (err == SL_OK) err = sl_log_reader_open(log, last, &reader);
    if (err == SL_OK) err = sl_log_read(reader, &newest);
    sl_log_reader_close(reader);
    if (err != SL_OK) return err;
    const sl_event draft = {
        .kind = SL_KIND_BASE,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = newest.time_ns,
        .payload = (const uint8_t *)payload->bytes,
        .length = (uint32_t)payload->length,
    };
    return sl_log_append(log, &draft, 1, &job->base);
}

/* What this does not come to do the next serve does. */
static sl_err delete_all(job *job, sl_log *log, uint64_t oldest_seq)
{
    sl_err err = SL_OK;
    uint64_t deleted = 0;
    sl_progress progress = sl_progress_begin("deleting", job->before - oldest_seq, true);
    for (bool is_done = false; err == SL_OK && !is_done; deleted += BATCH) {
        err = sl_log_delete_some(log, BATCH, &is_done);
        sl_progress_show(&progress, deleted);
    }
    sl_progress_end(&progress);
    if (err != SL_OK) snprintf(job->errmsg, sizeof job->errmsg, "%s", sl_log_error(log));
    return err;
}

static sl_err ask_serve(job *job)
{
    json_t *params = json_pack("{s:I, s:s}", "before", (json_int_t)job->before, "log", job->log_id);
    json_t *result = NULL;
    sl_err err = sl_rpc_client_call(job->url, "prune", params, SL_RPC_CLIENT_LONG_TIMEOUT_MS, &result, job->errmsg);
    json_decref(params);
    if (err == SL_ERR_IO) {
        const size_t length = strlen(job->errmsg);
        snprintf(job->errmsg + length, sizeof job->errmsg - length,
                 "; a serve has this log: say with --ws where it listens");
    }
    if (err != SL_OK) return err;
    job->base = (uint64_t)json_integer_value(json_object_get(result, "base"));
    json_decref(result);
    return SL_OK;
}
