#include "tools/symlog/repl_input.h"

#include <ctype.h>
#include <editline/readline.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HISTORY_LINES = 1000, PATH_BYTES = 4096 };

struct sl_repl_input {
    bool is_terminal;
    char history[PATH_BYTES]; /* the file; "": none */
    char *line;               /* getline's */
    size_t capacity;
};

static volatile sig_atomic_t is_interrupted; /* Ctrl-C while a line is typed */

/* $XDG_STATE_HOME/symlog/repl_history; "" where there is no home. */
static void find_history(char path[PATH_BYTES])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[PATH_BYTES - 32];
    int length = -1;
    if (state != NULL && state[0] == '/') length = snprintf(folder, sizeof folder, "%s", state);
    if (length < 0 && home != NULL && home[0] == '/') length = snprintf(folder, sizeof folder, "%s/.local/state", home);
    path[0] = '\0';
    if (length < 0 || (size_t)length >= sizeof folder - 8) return;
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(folder, 0700);
        *slash = '/';
    }
    (void)mkdir(folder, 0700);
    memcpy(folder + length, "/symlog", sizeof "/symlog");
    if (mkdir(folder, 0700) == 0 || errno == EEXIST) snprintf(path, PATH_BYTES, "%s/repl_history", folder);
}

sl_repl_input *sl_repl_input_open(bool is_terminal)
{
    sl_repl_input *input = calloc(1, sizeof *input);
    if (input == NULL) return NULL;
    input->is_terminal = is_terminal;
    if (!is_terminal) return input;
    /* libedit takes what is typed by the locale's letters, and code is UTF-8. */
    (void)setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) (void)setlocale(LC_CTYPE, "C.UTF-8");
    rl_readline_name = "symlog";
    using_history();
    stifle_history(HISTORY_LINES);
    find_history(input->history);
    if (input->history[0] != '\0') (void)read_history(input->history);
    return input;
}

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* While a line is typed, Ctrl-C ends the line, not the program. Prompts are ASCII: libedit dies of one that the locale
 * cannot read. */
static char *edit_line(const char *prompt)
{
    struct sigaction before, while_typing = {.sa_handler = interrupt};
    sigemptyset(&while_typing.sa_mask);
    is_interrupted = 0;
    (void)sigaction(SIGINT, &while_typing, &before);
    char *line = readline(prompt);
    (void)sigaction(SIGINT, &before, NULL);
    if (is_interrupted == 0) return line;
    free(line);
    putchar('\n');
    return strdup(".cancel");
}

/* Written at once, so that it outlives whatever ends the program. */
static void remember(const sl_repl_input *input, const char *text)
{
    if (!input->is_terminal) return;
    add_history(text);
    if (input->history[0] != '\0') (void)write_history(input->history);
}

/* A line without its end; malloc'ed. NULL: the end. */
static char *read_line(sl_repl_input *input, bool is_first)
{
    if (input->is_terminal) return edit_line(is_first ? "> " : "... ");
    const ssize_t length = getline(&input->line, &input->capacity, stdin);
    if (length < 0) return NULL;
    input->line[strcspn(input->line, "\r\n")] = '\0';
    return strdup(input->line);
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

static char *join(char *text, const char *line)
{
    const size_t length = text != NULL ? strlen(text) : 0, more = strlen(line);
    char *joined = realloc(text, length + more + 2);
    if (joined == NULL) {
        free(text);
        return NULL;
    }
    if (text != NULL) joined[length] = '\n';
    memcpy(joined + length + (text != NULL), line, more + 1);
    return joined;
}

char *sl_repl_input_next(sl_repl_input *input)
{
    char *text = NULL;
    for (;;) {
        char *line = read_line(input, text == NULL);
        if (line == NULL) return text; /* what is open is evaluated, which says what is missing */
        const bool is_command = line[0] == '.' && isalpha((unsigned char)line[1]);
        const bool is_given_up = strcmp(line, ".cancel") == 0 || (text != NULL && is_blank(line) && input->is_terminal);
        if (is_given_up || (text == NULL && is_blank(line))) {
            free(text);
            text = NULL;
        } else if (is_command && text == NULL) {
            remember(input, line);
            return line;
        } else {
            text = join(text, line);
        }
        free(line);
        if (text == NULL || sl_repl_is_open(text)) continue;
        remember(input, text);
        return text;
    }
}

bool sl_repl_input_close(sl_repl_input *input)
{
    const bool is_terminal = input->is_terminal;
    free(input->line);
    free(input);
    return is_terminal;
}

/* Behind a text in quotes, which does not go beyond its line; a template may. NULL: a template is open. */
static const char *skip_text(const char *at)
{
    const char quote = *at++;
    for (; *at != '\0' && *at != quote; at++) {
        if (*at == '\n' && quote != '`') return at;
        if (*at == '\\' && at[1] != '\0') at++;
    }
    if (*at == '\0') return quote == '`' ? NULL : at;
    return at + 1;
}

/* Behind a comment; NULL: it is open. */
static const char *skip_comment(const char *at)
{
    if (at[1] == '/') return at + strcspn(at, "\n");
    const char *end = strstr(at + 2, "*/");
    return end != NULL ? end + 2 : NULL;
}

bool sl_repl_is_open(const char *text)
{
    int depth = 0;
    for (const char *at = text; at != NULL && *at != '\0';) {
        const bool is_comment = *at == '/' && (at[1] == '/' || at[1] == '*');
        if (*at == '\'' || *at == '"' || *at == '`' || is_comment) {
            at = is_comment ? skip_comment(at) : skip_text(at);
            if (at == NULL) return true;
            continue;
        }
        if (strchr("([{", *at) != NULL) depth++;
        if (strchr(")]}", *at) != NULL) depth--;
        at++;
    }
    return depth > 0;
}

bool sl_repl_declared(const char *text, char name[SL_REPL_NAME_BYTES])
{
    static const char *const words[] = {"const", "let", "var", "function", "class", "async function"};
    const char *begin = text + strspn(text, " \t\r\n");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t length = strlen(words[i]);
        if (strncmp(begin, words[i], length) != 0 || !isspace((unsigned char)begin[length])) continue;
        const char *declared = begin + length + strspn(begin + length, " \t\r\n*");
        size_t end = 0;
        while (isalnum((unsigned char)declared[end]) || declared[end] == '_' || declared[end] == '$') end++;
        if (end == 0) end = strcspn(declared, "=\n"); /* a pattern: {a, b} */
        snprintf(name, SL_REPL_NAME_BYTES, "repl:%.*s", end < 40 ? (int)end : 40, declared);
        return true;
    }
    return false;
}

char *sl_repl_read_file(const char *path, size_t max, char errmsg[256])
{
    FILE *file = fopen(path, "re");
    char *text = malloc(max + 2);
    size_t length = 0;
    if (file == NULL) {
        snprintf(errmsg, 256, "%.150s: %.80s", path, strerror(errno));
    } else if (text == NULL) {
        snprintf(errmsg, 256, "memory ran out");
    } else {
        length = fread(text, 1, max + 1, file);
        if (ferror(file))
            snprintf(errmsg, 256, "%.150s: %.80s", path, strerror(errno));
        else if (length > max)
            snprintf(errmsg, 256, "%.150s is longer than %zu KiB; have serve watch it (--watch FILE)", path, max >> 10);
        else if (memchr(text, '\0', length) != NULL)
            snprintf(errmsg, 256, "%.150s is no text", path);
        else
            errmsg[0] = '\0';
    }
    const bool is_read = file != NULL && text != NULL && errmsg[0] == '\0';
    if (file != NULL) fclose(file);
    if (is_read) text[length] = '\0';
    if (!is_read) free(text);
    return is_read ? text : NULL;
}
