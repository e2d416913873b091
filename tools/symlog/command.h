/* One subcommand of symlog. Each stands in command_<name>.c; main.c holds the table of them. */
#ifndef SL_TOOLS_COMMAND_H
#define SL_TOOLS_COMMAND_H

/* Exit statuses of every command. */
enum { SL_EXIT_OK = 0, SL_EXIT_FOUND = 1 /* it found something wrong */, SL_EXIT_USAGE = 2 };

typedef struct sl_command {
    const char *name;
    const char *summary; /* one line for `symlog --help` */
    const char *help;    /* the whole text of `symlog NAME --help`, with an example */
    /* argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
} sl_command;

extern const sl_command sl_command_serve;
extern const sl_command sl_command_replay;
extern const sl_command sl_command_verify;
extern const sl_command sl_command_render;
extern const sl_command sl_command_log;
extern const sl_command sl_command_send;
extern const sl_command sl_command_stat;
extern const sl_command sl_command_mark;
extern const sl_command sl_command_watch;
extern const sl_command sl_command_prune;
extern const sl_command sl_command_import_als;
extern const sl_command sl_command_diff;
extern const sl_command sl_command_ports;
extern const sl_command sl_command_eval;
extern const sl_command sl_command_repl;
extern const sl_command sl_command_sound;
extern const sl_command sl_command_play; /* command_live.c, and so are the rest */
extern const sl_command sl_command_pause;
extern const sl_command sl_command_stop;
extern const sl_command sl_command_panic;
extern const sl_command sl_command_tempo;
extern const sl_command sl_command_undo;
extern const sl_command sl_command_redo;
extern const sl_command sl_command_set;
extern const sl_command sl_command_get;

/* Prints "symlog NAME: MESSAGE" and a hint to --help on stderr; returns SL_EXIT_USAGE. */
int sl_usage_error(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "symlog NAME: MESSAGE" on stderr; returns SL_EXIT_FOUND. The message says what to do. */
int sl_failure(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
