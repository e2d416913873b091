/* `symlog import-als`: what is in a Live set. */
#include "core/message.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/outline.h"
#include "tools/symlog/project_tree.h"

static int run(int argc, char **argv);
static int print_tree(sl_tree *tree, bool is_json, bool all);

const sl_command sl_command_import_als = {
    .name = "import-als",
    .summary = "print what is in a Live set",
    .help = "usage: symlog import-als FILE [--json] [--all]\n\n"
            "Reads a Live set (.als, or its XML; Live 8 to 12) and prints its tree, a line a node.\n\n"
            "  --json   as one JSON object, shaped as FULL_AST's ast\n"
            "  --all    parameters and empty clip slots, too\n\n"
            "example: symlog import-als Song.als\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    bool is_json = false, all = false;
    const sl_option table[] = {{.name = "--json", .is_given = &is_json}, {.name = "--all", .is_given = &all}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count != 1) return sl_usage_error("import-als", "one FILE is wanted");
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
