/* `symlog eval`: evaluates a piece or a file of live code. */
#include "tools/symlog/command.h"
#include "tools/symlog/eval_client.h"
#include "tools/symlog/evaluation.h"
#include "tools/symlog/host.h"
#include "tools/symlog/note_lines.h"
#include "tools/symlog/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 << 20 }; /* a bigger one is not even read */

/* What is evaluated. */
typedef struct eval_code {
    const char *name;   /* of the buffer; NULL: none */
    const char *source; /* the command line's, or `text` */
    size_t length;
    uint8_t language; /* an sl_language */
    uint8_t quantize; /* an sl_quantize */
    char *text;       /* what was read of a file; freed by close_code */
} eval_code;

static int run(int argc, char **argv);
static int open_code(eval_code *code, const char *word, const char *name, const char *quantize);
static void close_code(eval_code *code);
static int print_notes(const eval_code *code, bool is_json);
static int ask(const sl_eval_request *request, bool is_json);

const sl_command sl_command_eval = {
    .name = "eval",
    .summary = "evaluate live code in a running serve, or print its notes",
    .help = "usage: symlog eval CODE|FILE|- [--name BUFFER] [--quantize bar|beat|off] [--ws URL]\n"
            "       symlog eval CODE|FILE|- --notes [--json]\n\n"
            "Evaluates code, or a file of it (.js, .mjs, .ts; - is standard input), in a process that can neither\n"
            "read nor write anything, for 2 s and in 256 MB at most; tells which tracks change, and when. An error\n"
            "leaves the music as it is.\n\n"
            "  --name BUFFER    whose text this is (the file's name): later edits see what it defines\n"
            "  --quantize MODE  when it takes effect (as the session has it: bar)\n"
            "  --ws URL         the serve to ask (default " SL_RPC_CLIENT_URL ")\n"
            "  --notes          prints the notes: track, beat, note, length in beats, velocity; without a serve\n"
            "  --json           one object on a line, an error, too\n\n"
            "TypeScript wants esbuild to be installed.\n\n"
            "example: symlog eval \"track('bass', t => t.clip(Clip.melody().note('E2', '8n').loop(8)))\" --notes\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    bool is_notes = false, is_json = false;
    const char *name = NULL, *quantize = NULL, *url = SL_RPC_CLIENT_URL;
    const sl_option table[] = {{.name = "--notes", .is_given = &is_notes},
                               {.name = "--json", .is_given = &is_json},
                               {.name = "--name", .value = &name},
                               {.name = "--quantize", .value = &quantize},
                               {.name = "--ws", .value = &url}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count != 1) return sl_usage_error("eval", "one piece or file of code is wanted");
    eval_code code;
    status = open_code(&code, operands.words[0], name, quantize);
    if (status == SL_EXIT_OK && is_notes) status = print_notes(&code, is_json);
    const bool is_asked = status == SL_EXIT_OK && !is_notes;
    if (is_asked && memchr(code.source, '\0', code.length) != NULL) {
        status = sl_failure("eval", "there is a NUL in the text: is it code?");
    } else if (is_asked) {
        const sl_eval_request request = {.url = url, .code = code.source, .name = code.name, .quantize = quantize};
        status = ask(&request, is_json);
    }
    close_code(&code);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* False, with errno set. */
static bool read_file(const char *path, char **text, size_t *length)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) return false;
    size_t capacity = 64 << 10;
    *length = 0;
    *text = malloc(capacity);
    while (*text != NULL && *length < FILE_BYTES_MAX) {
        *length += fread(*text + *length, 1, capacity - *length, file);
        if (*length < capacity) break; /* so there is room for the end */
        char *more = realloc(*text, capacity *= 2);
        if (more == NULL) free(*text);
        *text = more;
    }
    bool is_read = *text != NULL && *length < FILE_BYTES_MAX && ferror(file) == 0;
    if (is_read) (*text)[*length] = '\0';
    int error = is_read ? 0 : *text != NULL && *length >= FILE_BYTES_MAX ? EFBIG : errno;
    if (file != stdin) (void)fclose(file);
    errno = error;
    return is_read;
}

static bool is_file(const char *word)
{
    FILE *file = strchr(word, '\n') == NULL ? fopen(word, "rb") : NULL;
    if (file != NULL) (void)fclose(file);
    return file != NULL || strcmp(word, "-") == 0;
}

/* True where a missing file is meant rather than code. */
static bool is_path(const char *word)
{
    bool has_end = ends_with(word, ".js") || ends_with(word, ".mjs") || ends_with(word, ".ts");
    return has_end && strpbrk(word, "\n(;`") == NULL;
}

static int open_code(eval_code *code, const char *word, const char *name, const char *quantize)
{
    *code = (eval_code){.name = name, .source = word, .length = strlen(word), .quantize = SL_QUANTIZE_DEFAULT};
    static const char *const modes[] = {"off", "beat", "bar"};
    for (uint8_t i = 0; quantize != NULL && i < 3; i++)
        if (strcmp(quantize, modes[i]) == 0) code->quantize = i;
    if (quantize != NULL && code->quantize == SL_QUANTIZE_DEFAULT)
        return sl_usage_error("eval", "--quantize is bar, beat or off, not \"%s\"", quantize);
    if (name != NULL && strlen(name) > SL_SCORE_NAME_BYTES_MAX)
        return sl_usage_error("eval", "--name has at most %d bytes", SL_SCORE_NAME_BYTES_MAX);
    if (!is_file(word) && !is_path(word)) {
        return SL_EXIT_OK;
    }
    if (!read_file(word, &code->text, &code->length))
        return sl_failure("eval", "%s cannot be read: %s", word, strerror(errno));
    code->source = code->text;
    const char *slash = strrchr(word, '/');
    if (name == NULL && strcmp(word, "-") != 0) code->name = slash == NULL ? word : slash + 1;
    if (ends_with(word, ".ts")) code->language = SL_LANGUAGE_TYPESCRIPT;
    return SL_EXIT_OK;
}

static void close_code(eval_code *code)
{
    free(code->text);
}

/* Has a running serve evaluate it. */
static int ask(const sl_eval_request *request, bool is_json)
{
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL;
    const sl_err err = sl_eval_client_ask(request, &result, errmsg);
    if (err == SL_ERR_RANGE) return sl_usage_error("eval", "%s", errmsg);
    if (err != SL_OK) return sl_failure("eval", "%s", errmsg);
    bool is_accepted = json_is_true(json_object_get(result, "success"));
    if (is_json) {
        (void)json_dumpf(result, stdout, JSON_COMPACT);
        (void)fputc('\n', stdout);
    } else {
        is_accepted = sl_eval_client_show(stdout, stderr, result, request->code);
    }
    json_decref(result);
    return is_accepted ? SL_EXIT_OK : SL_EXIT_FOUND;
}

/* "symlog eval: song.js:3:9: there is no note …" */
static int print_error(const eval_code *code, const sl_evaluation_result *result, bool is_json)
{
    if (is_json) return sl_note_lines_error(result);
    const char *name = code->name != NULL ? code->name : "eval";
    if (result->line == 0) return sl_failure("eval", "%s: %s", name, result->message);
    return sl_failure("eval", "%s:%u:%u: %s", name, (unsigned)result->line, (unsigned)result->column, result->message);
}

static int print_notes(const eval_code *code, bool is_json)
{
    const char *name = code->name != NULL ? code->name : "";
    const sl_evaluation_buffer buffer = {.name = name,
                                         .name_length = strlen(name),
                                         .source = code->source,
                                         .source_length = code->length,
                                         .language = code->language};
    const sl_evaluation_request request = {.buffers = &buffer, .buffer_count = 1, .quantize = code->quantize};
    sl_evaluation_result result;
    sl_err err = sl_evaluate(&request, &result);
    if (result.printed != NULL) (void)fputs(result.printed, stderr);
    int status = err == SL_OK ? sl_note_lines_print(&result, is_json) : print_error(code, &result, is_json);
    sl_evaluation_free(&result);
    return status;
}
