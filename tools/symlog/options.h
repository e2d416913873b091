/* A command's options: a table of names and of where their values go. Knows no command. */
#ifndef SL_TOOLS_OPTIONS_H
#define SL_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_OPERANDS_MAX = 9, SL_OPTION_TIMES_MAX = 8 };

/* Words, in order; views into argv. */
typedef struct sl_operands {
    const char *words[SL_OPERANDS_MAX];
    size_t count;
} sl_operands;

typedef struct sl_option {
    const char *name;   /* "--db" */
    const char **value; /* set to the word that follows (or to what stands after "--db="); NULL: it takes none */
    bool *is_given;     /* set true; NULL: nobody asks */
    sl_operands *many; /* in place of `value`, for one that may be given up to SL_OPTION_TIMES_MAX times: all of them */
} sl_option;

/* Reads argv[1] … by the table `options` of `count` entries; argv[0] is the command's name, for messages. "--" ends the
 * options, "-" is an operand; the words that are no options go to `operands`. Returns SL_EXIT_OK; or SL_EXIT_USAGE,
 * having said why. */
int sl_options_read(int argc, char **argv, const sl_option *options, size_t count, sl_operands *operands);

/* Reads decimal digits. False: it is something else, or not from `min` to `max`. */
bool sl_option_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* Reads a speed: a positive factor, or "max", which is 0 (do not wait). */
bool sl_option_speed(const char *text, double *out);

/* True if the text is HOST:PORT with a port from 1 to 65535. */
bool sl_option_is_target(const char *text);

#endif
