/* Source to shared object. */
#include "tools/symlog/processor_build.h"

#include "tools/symlog/child.h"
#include "tools/symlog/processor_compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    OUT_BYTES_MAX = 4 << 20,
    MEMORY_MB_MAX = 4096,
    LINES_MAX = 3, /* of errors, and of warnings */
    ARGUMENTS_MAX = 64
};

/* The compiler's words for an error, and for a warning. */
static const char error_mark[] = "error: ", warning_mark[] = "warning: ";

static sl_err write_files(const sl_processor_build *build, const char *source, size_t length, char *message);
static sl_err compile(sl_processor_build *build, const char *name, const sl_processor_compiler *compiler,
                      const atomic_bool *is_cancelled);
static void take_lines(char *said, const char *mark, const sl_processor_build *build, const char *name, char *out);

/* The message, and err again. */
static sl_err say(char *message, sl_err err, const char *name, const char *what)
{
    (void)snprintf(message, SL_PROCESSOR_BUILD_TEXT_BYTES, "%.400s: %.400s", name, what);
    return err;
}

static sl_err read_file(int file, const char *path, char **source, size_t *length, char *message)
{
    struct stat about;
    if (fstat(file, &about) != 0) return say(message, SL_ERR_IO, path, strerror(errno));
    if (S_ISDIR(about.st_mode)) return say(message, SL_ERR_IO, path, "is a folder; a processor is one C file");
    if (!S_ISREG(about.st_mode)) return say(message, SL_ERR_IO, path, "is not a file");
    char *text = malloc(SL_PROCESSOR_SOURCE_BYTES_MAX + 1);
    if (text == NULL) return say(message, SL_ERR_MEMORY, path, "out of memory");
    size_t count = 0;
    ssize_t got = 1;
    while (got > 0 && count <= SL_PROCESSOR_SOURCE_BYTES_MAX) {
        got = read(file, text + count, SL_PROCESSOR_SOURCE_BYTES_MAX + 1 - count);
        if (got > 0) count += (size_t)got;
        if (got < 0 && errno == EINTR) got = 1;
    }
    sl_err err = SL_OK;
    if (got < 0)
        err = say(message, SL_ERR_IO, path, strerror(errno));
    else if (count > SL_PROCESSOR_SOURCE_BYTES_MAX)
        err = say(message, SL_ERR_RANGE, path, "is longer than 1 MiB; a processor is one C file");
    else if (memchr(text, '\0', count) != NULL)
        err = say(message, SL_ERR_MALFORMED, path, "is not text; a processor is one C file");
    if (err != SL_OK) {
        free(text);
        return err;
    }
    text[count] = '\0';
    *source = text;
    *length = count;
    return SL_OK;
}

sl_err sl_processor_read(const char *path, char **source, size_t *length, char message[SL_PROCESSOR_BUILD_TEXT_BYTES])
{
    message[0] = '\0';
    *source = NULL;
    *length = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us */
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
        return say(message, SL_ERR_NOT_FOUND, path, "no such file; processors/gain.c in symlog's tools is an example");
    if (file < 0) return say(message, SL_ERR_IO, path, strerror(errno));
    const sl_err err = read_file(file, path, source, length, message);
    close(file);
    return err;
}

static sl_err make_folder(sl_processor_build *build, const char *name)
{
    const char *given = getenv("TMPDIR");
    const char *parent = given == NULL || given[0] != '/' ? "/tmp" : given;
    const int needed = snprintf(build->folder, sizeof build->folder, "%s/symlog-processor-XXXXXX", parent);
    char why[256] = "its path is too long";
    const bool fits = needed > 0 && (size_t)needed < sizeof build->folder;
    if (fits && mkdtemp(build->folder) != NULL) return SL_OK; /* 0700 */
    if (fits) (void)snprintf(why, sizeof why, "%s", strerror(errno));
    build->folder[0] = '\0';
    (void)snprintf(build->message, sizeof build->message,
                   "%.400s: no folder to compile it in can be made in %.200s (%.200s): set TMPDIR to another", name,
                   parent, why);
    return SL_ERR_IO;
}

sl_err sl_processor_compile(const char *name, const char *source, size_t length, const atomic_bool *is_cancelled,
                            sl_processor_build *out)
{
    memset(out, 0, sizeof *out);
    sl_processor_compiler compiler;
    char why[512];
    sl_err err = sl_processor_compiler_find(&compiler, why, sizeof why);
    if (err != SL_OK) return say(out->message, err, name, why);
    err = make_folder(out, name);
    if (err != SL_OK) return err;
    (void)snprintf(out->path, sizeof out->path, "%s/processor.so", out->folder);
    err = write_files(out, source, length, why);
    if (err != SL_OK) err = say(out->message, err, name, why);
    if (err == SL_OK) err = compile(out, name, &compiler, is_cancelled);
    if (err != SL_OK) sl_processor_build_remove(out);
    return err;
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    (void)remove(path);
    return 0;
}

void sl_processor_build_remove(sl_processor_build *build)
{
    if (build->folder[0] != '\0') (void)nftw(build->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    build->folder[0] = '\0';
    build->path[0] = '\0';
}

static sl_err write_file(const sl_processor_build *build, const char *name, const char *text, size_t length, char *why)
{
    char path[SL_PROCESSOR_BUILD_FOLDER_BYTES + 32];
    (void)snprintf(path, sizeof path, "%s/%s", build->folder, name);
    FILE *file = fopen(path, "wxe");
    bool is_written = file != NULL && fwrite(text, 1, length, file) == length;
    if (file != NULL && fclose(file) != 0) is_written = false;
    if (is_written) return SL_OK;
    (void)snprintf(why, 512, "its copy cannot be written into %.200s: %.200s", build->folder, strerror(errno));
    return SL_ERR_IO;
}

static sl_err write_files(const sl_processor_build *build, const char *source, size_t length, char *why)
{
    const char *header = sl_processor_header_text;
    const sl_err err = write_file(build, "symlog_processor.h", header, strlen(header), why);
    return err == SL_OK ? write_file(build, "processor.c", source, length, why) : err;
}

/* The arguments of one run, and the text that they point into. */
typedef struct command {
    const char *arguments[ARGUMENTS_MAX];
    size_t count;
    char text[16 << 10];
    size_t used;
} command;

static void add(command *command, const char *argument)
{
    if (command->count + 1 < ARGUMENTS_MAX) command->arguments[command->count++] = argument;
}

/* "before" and "after" as one argument; one that finds no room is left out. */
static void add_joined(command *command, const char *before, const char *after)
{
    char *to = command->text + command->used;
    const size_t left = sizeof command->text - command->used;
    const int needed = snprintf(to, left, "%s%s", before, after);
    if (needed < 0 || (size_t)needed >= left) return;
    command->used += (size_t)needed + 1;
    add(command, to);
}

/* Children have an empty environment: `env` gives it what compilers look for. What they leave lying is in the folder.
 */
static void add_environment(command *command, const sl_processor_build *build)
{
    static const char *const passed[] = {"PATH=",       "HOME=",  "XDG_CACHE_HOME=", "ZIG_GLOBAL_CACHE_DIR=",
                                         "CCACHE_DIR=", "CPATH=", "LIBRARY_PATH=",   "LD_LIBRARY_PATH=",
                                         "SDKROOT="};
    add(command, "/usr/bin/env");
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", (int)strlen(passed[i]) - 1, passed[i]);
        const char *value = getenv(name);
        if (value != NULL) add_joined(command, passed[i], value);
    }
    if (getenv("HOME") == NULL && getenv("XDG_CACHE_HOME") == NULL && getenv("ZIG_GLOBAL_CACHE_DIR") == NULL)
        add_joined(command, "ZIG_GLOBAL_CACHE_DIR=", build->folder);
    add_joined(command, "TMPDIR=", build->folder);
    add(command, "LC_ALL=C");
}

static void add_compiler(command *command, const sl_processor_compiler *compiler, const sl_processor_build *build)
{
    static const char *const flags[] = {"-std=gnu17",
                                        "-O2",
                                        "-g",
                                        "-fPIC",
                                        "-shared",
                                        "-fvisibility=hidden",
                                        "-fdiagnostics-color=never",
                                        "-Wall",
                                        "-Wextra",
                                        "-Wno-unused-parameter",
                                        "-Werror=implicit-function-declaration",
                                        "-Werror=incompatible-pointer-types",
                                        "-Werror=int-conversion",
                                        "-Werror=return-type"};
    for (size_t i = 0; i < compiler->word_count; i++) add(command, compiler->words[i]);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) add(command, flags[i]);
    add(command, "-o");
    add(command, build->path);
    add_joined(command, build->folder, "/processor.c");
    add(command, "-lm");
}

static sl_err take_end(sl_processor_build *build, const char *name, const sl_processor_compiler *compiler,
                       const sl_child_result *child)
{
    char *message = build->message, why[512];
    const char *program = compiler->words[0];
    switch (child->end) {
    case SL_CHILD_DONE: break;
    case SL_CHILD_TIME: return say(message, SL_ERR_REFUSED, name, "the compiler took longer than a minute");
    case SL_CHILD_MEMORY: return say(message, SL_ERR_REFUSED, name, "the compiler used more than 4 GB");
    case SL_CHILD_CANCELLED: return say(message, SL_ERR_END, name, "was not compiled: symlog is stopping");
    case SL_CHILD_MISSING: return say(message, SL_ERR_NOT_FOUND, name, "/usr/bin/env, which starts it, is missing");
    case SL_CHILD_OUTPUT: /* so many errors that the first ones will do */
    case SL_CHILD_FAILED:
        if (child->out != NULL) take_lines((char *)child->out, error_mark, build, name, message);
        if (message[0] != '\0') return SL_ERR_REFUSED;
        (void)snprintf(why, sizeof why, "%.300s failed, and does not say why (%s %d)", program,
                       WIFSIGNALED(child->status) ? "signal" : "status",
                       WIFSIGNALED(child->status) ? WTERMSIG(child->status) : WEXITSTATUS(child->status));
        return say(message, SL_ERR_REFUSED, name, why);
    }
    if (child->out != NULL) take_lines((char *)child->out, warning_mark, build, name, build->warnings);
    if (access(build->path, R_OK) == 0) return SL_OK;
    (void)snprintf(why, sizeof why, "%.300s made no shared object of it: is it a C compiler?", program);
    return say(message, SL_ERR_REFUSED, name, why);
}

static sl_err compile(sl_processor_build *build, const char *name, const sl_processor_compiler *compiler,
                      const atomic_bool *is_cancelled)
{
    command *command = calloc(1, sizeof *command);
    if (command == NULL) return say(build->message, SL_ERR_MEMORY, name, "out of memory");
    add_environment(command, build);
    add_compiler(command, compiler, build);
    const sl_child_job job = {.path = command->arguments[0],
                              .argv = command->arguments,
                              .out_max = OUT_BYTES_MAX,
                              .time_ms_max = SL_PROCESSOR_BUILD_TIME_MS_MAX,
                              .memory_mb_max = MEMORY_MB_MAX,
                              .is_cancelled = is_cancelled};
    sl_child_result child;
    sl_err err = sl_child_run(&job, 1, &child);
    if (err != SL_OK)
        err = say(build->message, err, name, child.error[0] != '\0' ? child.error : "out of memory");
    else
        err = take_end(build, name, compiler, &child);
    free(child.out);
    free(command);
    return err;
}

/* One line to the end of `out`, with the user's name for the file instead of the copy's path. */
static void take_line(const char *line, const sl_processor_build *build, const char *name, char *out)
{
    const size_t before = strlen(out);
    size_t left = SL_PROCESSOR_BUILD_TEXT_BYTES - before;
    out += before;
    if (before > 0) {
        *out++ = '\n';
        left--;
    }
    char copy[SL_PROCESSOR_BUILD_FOLDER_BYTES + 32];
    (void)snprintf(copy, sizeof copy, "%s/processor.c", build->folder);
    const size_t copy_length = strlen(copy);
    while (left > 1 && *line != '\0') {
        const bool is_copy = strncmp(line, copy, copy_length) == 0;
        const int length = is_copy ? snprintf(out, left, "%s", name) : snprintf(out, left, "%c", *line);
        line += is_copy ? copy_length : 1;
        if (length < 0 || (size_t)length >= left) return; /* cut */
        out += length;
        left -= (size_t)length;
    }
    *out = '\0';
}

/* Summaries that name no place in the file. */
static bool is_summary(const char *line)
{
    static const char *const from[] = {"cc1: ", "collect2: ", "clang: "};
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++)
        if (strncmp(line, from[i], strlen(from[i])) == 0) return true;
    return false;
}

static void take_lines_with(char *said, const char *mark, const sl_processor_build *build, const char *name, char *out)
{
    size_t count = 0;
    for (char *line = said; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        const char was = *end;
        *end = '\0';
        if (strstr(line, mark) != NULL && (mark[0] == '\0' || !is_summary(line)) && count++ < LINES_MAX)
            take_line(line, build, name, out);
        *end = was;
        line = end + (was == '\n');
    }
    if (count <= LINES_MAX || mark[0] == '\0') return;
    char more[64];
    (void)snprintf(more, sizeof more, "(and %zu more)", count - LINES_MAX);
    take_line(more, build, name, out);
}

/* The first lines with the mark; of errors without one (the linker's, a broken compiler's) the first of all. */
static void take_lines(char *said, const char *mark, const sl_processor_build *build, const char *name, char *out)
{
    out[0] = '\0';
    take_lines_with(said, mark, build, name, out);
    if (out[0] != '\0' || said[0] == '\0' || mark == warning_mark) return;
    char line[512];
    (void)snprintf(line, sizeof line, "%.400s: the compiler failed:", name);
    take_line(line, build, name, out);
    take_lines_with(said, "", build, name, out);
}
