/* `symlog diff`: what differs between two saves of a set, or between a save and the present tree. */
#include "core/message.h"
#include "core/payload.h"
#include "core/picture.h"
#include "core/reconcile.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/project_tree.h"
#include "tools/symlog/tree_diff.h"

#include <stdlib.h>
#include <string.h>

typedef struct diff_trees {
    sl_tree *from, *to;
    sl_tree *mine[2]; /* to be destroyed */
    sl_log *log;
    sl_state *state; /* whose tree one of them is */
} diff_trees;

static int run(int argc, char **argv);
static sl_err open_trees(diff_trees *trees, const sl_operands *operands, const char *db, char errmsg[256]);
static void close_trees(diff_trees *trees);
static int print_diff(const diff_trees *trees, bool is_stat);
static int print_json(const diff_trees *trees);

const sl_command sl_command_diff = {
    .name = "diff",
    .summary = "what differs between two saves of a Live set",
    .help = "usage: symlog diff A.als [B.als] [--db DIR] [--json | --stat]\n\n"
            "Prints what leads from the save A to the save B, as the set is built: track, device, clip. Without B:\n"
            "from A to the present state of the log. Exit status 0, also where they differ.\n\n"
            "  --json     as one DIFF_UPDATE, as subscribers get it\n"
            "  --stat     only how much was added, removed, moved and changed\n"
            "  --db DIR   the log's folder, without B ($SYMLOG_DB, or $XDG_DATA_HOME/symlog/default)\n\n"
            "As git's diff for sets (git calls it with seven words or nine):\n"
            "  git config diff.als.command 'symlog diff'; echo '*.als diff=als' >> .gitattributes\n\n"
            "example: symlog diff \"Song Project/Backup/Song [2026-10-26 140508].als\" \"Song Project/Song.als\"\n",
    .run = run,
};

/* git: path old-file old-hex old-mode new-file new-hex new-mode, and where it was renamed its new path and how that was
 * found; of what is not merged yet, the path alone. */
enum { GIT_UNMERGED = 1, GIT_WORDS = 7, GIT_WORDS_RENAMED = 9 };

static bool is_called_by_git(const sl_operands *operands)
{
    return getenv("GIT_DIFF_PATH_COUNTER") != NULL &&
           (operands->count == GIT_UNMERGED || operands->count == GIT_WORDS || operands->count == GIT_WORDS_RENAMED);
}

/* Whatever is wrong with a set, the status is 0: at any other git stops, and shows no other file. */
static int run_for_git(const sl_operands *operands, bool is_json, bool is_stat)
{
    const char *const *words = operands->words;
    if (operands->count == GIT_UNMERGED) {
        printf("symlog diff %s\nnot merged yet\n", words[0]);
        return SL_EXIT_OK;
    }
    if (operands->count == GIT_WORDS_RENAMED)
        printf("symlog diff %s -> %s\n", words[0], words[7]);
    else
        printf("symlog diff %s\n", words[0]);
    const sl_operands pair = {.words = {words[1], words[4]}, .count = 2};
    char errmsg[256];
    diff_trees trees = {0};
    sl_err err = open_trees(&trees, &pair, NULL, errmsg);
    int status = SL_EXIT_OK;
    if (err == SL_OK) status = is_json ? print_json(&trees) : print_diff(&trees, is_stat);
    if (err != SL_OK) printf("cannot be compared: %s\n", errmsg);
    close_trees(&trees);
    return status;
}

static int run(int argc, char **argv)
{
    bool is_json = false, is_stat = false;
    const char *db = NULL;
    const sl_option table[] = {{.name = "--db", .value = &db},
                               {.name = "--json", .is_given = &is_json},
                               {.name = "--stat", .is_given = &is_stat}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (is_called_by_git(&operands)) return run_for_git(&operands, is_json, is_stat);
    if (operands.count < 1 || operands.count > 2) return sl_usage_error("diff", "one or two sets are wanted");
    if (is_json && is_stat) return sl_usage_error("diff", "--json and --stat do not go together");
    if (operands.count == 2 && db != NULL) return sl_usage_error("diff", "--db is for one set alone");
    char errmsg[256];
    diff_trees trees = {0};
    sl_err err = open_trees(&trees, &operands, db, errmsg);
    if (err == SL_OK) status = is_json ? print_json(&trees) : print_diff(&trees, is_stat);
    if (err != SL_OK) status = sl_failure("diff", "%s", errmsg);
    close_trees(&trees);
    return status;
}

/* git names /dev/null where there is no file: an empty tree. */
static sl_err open_file(const char *path, sl_tree **tree, char errmsg[256])
{
    if (strcmp(path, "/dev/null") != 0) return sl_project_tree_read(path, tree, errmsg);
    sl_err err = sl_tree_create(sl_host_memory(), tree);
    if (err != SL_OK) snprintf(errmsg, 256, "out of memory");
    return err;
}

static sl_err open_trees(diff_trees *trees, const sl_operands *operands, const char *db, char errmsg[256])
{
    sl_err err = open_file(operands->words[0], &trees->mine[0], errmsg);
    if (err != SL_OK) return err;
    trees->from = trees->mine[0];
    if (operands->count == 2) {
        err = open_file(operands->words[1], &trees->mine[1], errmsg);
        trees->to = trees->mine[1];
    } else {
        err = sl_host_replay(db, &trees->log, &trees->state, errmsg);
        if (err == SL_OK) trees->to = sl_state_tree(trees->state);
        if (err == SL_OK) err = sl_reconcile_ids(trees->from, trees->to);
    }
    if (err != SL_OK) return err;
    sl_tree_digest(trees->from);
    sl_tree_digest(trees->to);
    return SL_OK;
}

static void close_trees(diff_trees *trees)
{
    for (size_t i = 0; i < 2; i++)
        if (trees->mine[i] != NULL) sl_tree_destroy(trees->mine[i]);
    if (trees->state != NULL) sl_state_destroy(trees->state);
    if (trees->log != NULL) sl_log_close(trees->log);
}

static void print_count(sl_text *line, size_t count, const char *what)
{
    if (line->length > 0) sl_text_string(line, ", ");
    sl_text_u64(line, count);
    sl_text_string(line, what);
}

static int print_diff(const diff_trees *trees, bool is_stat)
{
    sl_printer printer = sl_printer_stdout();
    sl_tree_diff_counts counts;
    (void)sl_tree_diff_print(is_stat ? NULL : &printer, trees->from, trees->to, &counts);
    if (is_stat) {
        sl_text line;
        sl_text_open(&line, sl_host_memory());
        print_count(&line, counts.added, " added");
        print_count(&line, counts.removed, " removed");
        print_count(&line, counts.moved, " moved");
        print_count(&line, counts.changed, " changed");
        (void)sl_print_line(&printer, &line);
        sl_text_close(&line);
    }
    return sl_printer_close(&printer, "diff", SL_EXIT_OK);
}

/* As the reducer tells it: both trees as pictures, one after the other. */

static sl_err take_tree(sl_state *state, const sl_tree *tree, const sl_output *output)
{
    sl_err err = SL_ERR_FULL;
    for (size_t capacity = 1 << 20; err == SL_ERR_FULL && capacity <= SL_PAYLOAD_BYTES_MAX; capacity *= 2) {
        sl_writer writer = {.bytes = malloc(capacity), .capacity = capacity};
        if (writer.bytes == NULL) return SL_ERR_MEMORY;
        err = sl_picture_write(tree, &writer);
        const sl_event event = {.seq = sl_state_seq(state) + 1,
                                .kind = SL_KIND_PICTURE,
                                .version = SL_PICTURE_VERSION,
                                .source = 1,
                                .source_seq = SL_SOURCE_SEQ_NONE,
                                .payload = writer.bytes,
                                .length = (uint32_t)writer.length};
        if (err == SL_OK) err = sl_reduce(state, &event, output);
        free(writer.bytes);
    }
    return err;
}

static void write_effect(void *ctx, const sl_state *state, const sl_effect *effect)
{
    sl_text *text = ctx;
    if (effect->type == SL_EFFECT_DIFF) sl_message_effect(text, state, effect);
}

static int print_json(const diff_trees *trees)
{
    sl_printer printer = sl_printer_stdout();
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_state *state = NULL;
    const sl_output output = {.tell = write_effect, .ctx = &text};
    sl_err err = sl_state_create(sl_host_memory(), &state);
    if (err == SL_OK) err = take_tree(state, trees->from, NULL);
    if (err == SL_OK) err = take_tree(state, trees->to, &output);
    if (text.length == 0)
        sl_text_string(&text,
                       "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[],\"added\":[],\"removed\":[],"
                       "\"modified\":[],\"unchanged\":[]}}}");
    else
        sl_message_close(&text, 0);
    int status = err == SL_OK && !text.bad ? SL_EXIT_OK : sl_failure("diff", "out of memory");
    if (status == SL_EXIT_OK) (void)sl_print_line(&printer, &text);
    sl_text_close(&text);
    sl_state_destroy(state);
    return sl_printer_close(&printer, "diff", status);
}
