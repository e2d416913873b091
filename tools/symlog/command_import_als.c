/* `symlog import-als`: what is in a Live set; with --db, as an event of a log. */
#include "core/message.h"
#include "ingest/clock.h"
#include "ingest/project_file.h"
#include "ingest/project_save.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/opening.h"
#include "tools/symlog/options.h"
#include "tools/symlog/outline.h"
#include "tools/symlog/project_source.h"
#include "tools/symlog/project_tree.h"
#include "tools/symlog/status.h"

#include <stdio.h>
#include <unistd.h>

static int run(int argc, char **argv);
static int print_tree(sl_tree *tree, bool is_json, bool all);
static int append_file(const char *path, const char *db);

const sl_command sl_command_import_als = {
    .name = "import-als",
    .summary = "print what is in a Live set",
    .help =
        "usage: symlog import-als FILE [--json] [--all] | symlog import-als FILE --db DIR\n\n"
        "Reads a Live set (.als, or its XML; Live 8 to 12) and prints its tree, a line a node.\n\n"
        "  --json     as one JSON object, shaped as FULL_AST's ast\n"
        "  --all      parameters and empty clip slots, too\n"
        "  --db DIR   prints nothing of it, but appends it to this log, which no serve may have open: the set is as\n"
        "             in FILE from then on (a running serve follows a set by itself, see serve --project)\n\n"
        "example: symlog import-als Song.als\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    bool is_json = false, all = false;
    const char *db = NULL;
    const sl_option table[] = {
        {.name = "--json", .is_given = &is_json}, {.name = "--all", .is_given = &all}, {.name = "--db", .value = &db}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count != 1) return sl_usage_error("import-als", "one FILE is wanted");
    if (db != NULL && (is_json || all)) return sl_usage_error("import-als", "--db prints no tree");
    if (db != NULL) return append_file(operands.words[0], db);
    char errmsg[256];
    sl_tree *tree;
    sl_err err = sl_project_tree_read(operands.words[0], &tree, errmsg);
    if (err != SL_OK) return sl_failure("import-als", "%s", errmsg);
    status = print_tree(tree, is_json, all);
    sl_tree_destroy(tree);
    return status;
}

static int print_tree(sl_tree *tree, bool is_json, bool all)
{
    sl_printer printer = sl_printer_stdout();
    int status = SL_EXIT_OK;
    if (is_json) {
        sl_text text;
        sl_text_open(&text, sl_host_memory());
        sl_tree_digest(tree);
        sl_text_node(&text, tree, sl_tree_project(tree), -1);
        if (text.bad) status = sl_failure("import-als", "out of memory");
        if (!text.bad) (void)sl_print_line(&printer, &text);
        sl_text_close(&text);
    } else {
        (void)sl_outline_print(&printer, sl_tree_project(tree), all);
    }
    return sl_printer_close(&printer, "import-als", status);
}

/* The session, the file and its picture in one transaction. */
static sl_err append_events(const char *path, sl_opening *opening, sl_project_events *events, char errmsg[256])
{
    sl_project_source source;
    sl_project_source_find(&source, opening->state, sl_state_source_next(opening->state), path);
    uint64_t now_ns = sl_clock_boot_ns() - opening->start_ns;
    sl_event drafts[] = {sl_project_source_event(&source, now_ns), events->save, events->answer};
    for (size_t i = 1; i < 3; i++) {
        drafts[i].source = source.number;
        drafts[i].session = source.session;
        drafts[i].time_ns = now_ns;
    }
    sl_err err = sl_log_append(opening->log, drafts, 3, NULL);
    if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_log_error(opening->log));
    return err;
}

/* A refused file is not appended: whoever called sees why. So it is read before the log is opened. */
static sl_err read_events(const char *path, sl_project_events *events, char errmsg[256])
{
    sl_project_file file;
    char reason[SL_ALS_REASON_BYTES];
    sl_err err = sl_project_file_read(path, &file, reason);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.100s: %.140s", path, reason);
        return err;
    }
    const sl_project_save save = {
        .saved_ns = UINT64_MAX, .mtime_ns = file.mtime_ns, .path = path, .bytes = file.bytes, .length = file.length};
    err = sl_project_events_make(&save, events);
    sl_project_file_free(&file);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "out of memory");
        return err;
    }
    if (events->verdict == SL_OK) return SL_OK;
    snprintf(errmsg, 256, "%.100s: %.140s", path, events->reason);
    sl_project_events_close(events);
    return events->verdict;
}

static int append_file(const char *path, const char *db)
{
    char errmsg[256], dir[SL_HOST_DIR_BYTES];
    if (!sl_host_db_dir(db, dir, sizeof dir, errmsg)) return sl_usage_error("import-als", "%s", errmsg);
    sl_project_events events;
    if (read_events(path, &events, errmsg) != SL_OK) return sl_failure("import-als", "%s", errmsg);
    sl_status status;
    sl_status_open(&status, STDERR_FILENO);
    const volatile sig_atomic_t no_signal = 0;
    const sl_opening_options options = {.dir = dir,
                                        .durability = SL_DURABILITY_POWER,
                                        .options = "import-als",
                                        .snapshot_every = SL_KEEPER_EVERY_EVENTS,
                                        .signal = &no_signal,
                                        .status = &status};
    sl_opening opening;
    sl_err err = sl_opening_open(&opening, &options, errmsg);
    if (err == SL_OK) {
        err = append_events(path, &opening, &events, errmsg);
        sl_opening_close(&opening);
    }
    sl_status_close(&status);
    const size_t node_count = events.node_count;
    sl_project_events_close(&events);
    if (err != SL_OK) return sl_failure("import-als", "%s", errmsg);
    printf("appended %s: %zu nodes\n", path, node_count);
    return SL_EXIT_OK;
}
