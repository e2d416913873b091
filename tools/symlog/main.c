/* symlog's entry: finds the command in a table and runs it. */
#include "tools/symlog/command.h"
#include "tools/symlog/fault.h"
#include "tools/symlog/host.h"
#include "tools/symlog/printer.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const sl_command *const commands[] = {
    &sl_command_serve,      &sl_command_replay, &sl_command_verify, &sl_command_render, &sl_command_log,
    &sl_command_send,       &sl_command_stat,   &sl_command_mark,   &sl_command_watch,  &sl_command_prune,
    &sl_command_import_als, &sl_command_diff,   &sl_command_ports,  &sl_command_eval,   &sl_command_repl,
    &sl_command_play,       &sl_command_pause,  &sl_command_stop,   &sl_command_panic,  &sl_command_tempo,
    &sl_command_undo,       &sl_command_redo,   &sl_command_set,    &sl_command_get,    &sl_command_sound,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(FILE *to);
static const sl_command *find_command(const char *name);
static bool asks_for_help(int argc, char **argv);
static int finish(const char *name, int status);

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); // Who writes to a reader that has left gets EPIPE, and ends in order.
    if (argc < 2) {
        print_help(stderr);
        return SL_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return finish(argv[1], SL_EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts(SL_PROGRAM_VERSION);
        return finish(argv[1], SL_EXIT_OK);
    }
    const sl_command *command = find_command(argv[1]);
    if (command == NULL) {
        fprintf(stderr, "symlog: there is no command \"%s\"; symlog --help lists them\n", argv[1]);
        return SL_EXIT_USAGE;
    }
    if (asks_for_help(argc - 1, argv + 1)) {
        fputs(command->help, stdout);
        return finish(command->name, SL_EXIT_OK);
    }
    if (command != &sl_command_verify) sl_fault_guard(); // Its children may die of a damaged file: it looks how.
    return finish(command->name, command->run(argc - 1, argv + 1));
}

/* The exit status: what standard output could not take is not done. */
static int finish(const char *name, int status)
{
    sl_printer printer = sl_printer_stdout();
    return status == SL_EXIT_OK ? sl_printer_close(&printer, name, status) : status;
}

static void print_help(FILE *to)
{
    fputs("symlog: the flight recorder and time machine of a live music set\n\n"
          "usage: symlog COMMAND [OPTION...]\n\n",
          to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nsymlog COMMAND --help explains one of them, with an example.\n"
          "--db DIR names the log; without it $SYMLOG_DB does, else it is $XDG_DATA_HOME/symlog/default.\n"
          "Exit status: 0 done, 1 something was found wrong, 2 the command line was.\n",
          to);
}

static const sl_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    }
    return NULL;
}

/* After "--" come operands, which may be called what they like. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    }
    return false;
}
