/* `symlog repl`: live coding line by line, against a running serve. */
#include "tools/symlog/command.h"
#include "tools/symlog/eval_client.h"
#include "tools/symlog/options.h"
#include "tools/symlog/repl_input.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run(int argc, char **argv);

const sl_command sl_command_repl = {
    .name = "repl",
    .summary = "live coding, line by line",
    .help = "usage: symlog repl [--quantize bar|beat|off] [--ws URL]\n"
            "\n"
            "Evaluates what is typed in a running serve, as soon as its brackets are closed. What an input declares\n"
            "(const, let, function, class) later ones can use. An error leaves the music as it is.\n"
            "\n"
            "  .play  .pause  .stop [TRACK]  .panic  .tempo BPM  .quantize bar|beat|off  .undo  .redo\n"
            "  .load FILE   evaluates a file\n"
            "  .cancel      forgets what is typed so far (as do Ctrl-C and an empty line after it)\n"
            "  .exit        leaves (Ctrl-D); the music goes on\n"
            "\n"
            "  --quantize WHAT   when inputs take effect (as the session has it: bar)\n"
            "  --ws URL          the serve to ask (default " SL_RPC_CLIENT_URL ")\n"
            "\n"
            "example: symlog repl\n"
            "         > track('drums', t => t.clip(Drums.euclidean(16, 5)))\n"
            "         > .play\n",
    .run = run,
};

/* A line that begins with a dot: a method and its one parameter. */
typedef struct dot_command {
    const char *name;
    const char *method;
    const char *param; /* NULL: none */
    bool is_number;
    bool is_optional;
} dot_command;

static const dot_command dot_commands[] = {
    {".play", "play", NULL, false, false},      {".pause", "pause", NULL, false, false},
    {".stop", "stop", "track", false, true},    {".panic", "panic", NULL, false, false},
    {".tempo", "setTempo", "bpm", true, false}, {".quantize", "setQuantize", "mode", false, false},
    {".undo", "undo", NULL, false, false},      {".redo", "redo", NULL, false, false},
};

static void call(const char *url, const dot_command *command, const char *argument)
{
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL, *params = json_object();
    if (command->param == NULL && argument[0] != '\0') {
        printf("%s takes nothing\n", command->name);
    } else if (command->param != NULL && argument[0] == '\0' && !command->is_optional) {
        printf("%s wants the %s\n", command->name, command->param);
    } else {
        if (argument[0] != '\0') {
            json_object_set_new(params, command->param,
                                command->is_number ? json_real(strtod(argument, NULL)) : json_string(argument));
        }
        if (sl_rpc_client_call(url, command->method, params, SL_RPC_CLIENT_TIMEOUT_MS, &result, errmsg) != SL_OK)
            printf("%s\n", errmsg);
    }
    json_decref(params);
    json_decref(result);
}

static bool evaluate(const sl_eval_request *request)
{
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL;
    const bool is_asked = sl_eval_client_ask(request, &result, errmsg) == SL_OK;
    const bool is_accepted = is_asked && sl_eval_client_show(stdout, stdout, result, request->code);
    if (!is_asked) printf("%s\n", errmsg);
    json_decref(result);
    return is_accepted;
}

static bool load(sl_eval_request request, const char *path)
{
    char errmsg[256];
    char *text = sl_repl_read_file(path, SL_EVAL_CLIENT_PARAMS_BYTES_MAX, errmsg);
    if (text == NULL) {
        printf("%s\n", errmsg);
        return false;
    }
    const char *slash = strrchr(path, '/');
    request.code = text;
    request.name = slash != NULL ? slash + 1 : path;
    const bool is_accepted = evaluate(&request);
    free(text);
    return is_accepted;
}

/* A command of the REPL; false: it is none. */
static bool obey(const sl_eval_request *request, char *line)
{
    const size_t length = strcspn(line, " \t");
    char *argument = line + length + strspn(line + length, " \t");
    for (size_t end = strlen(argument); end > 0 && isspace((unsigned char)argument[end - 1]); end--)
        argument[end - 1] = '\0';
    if (length == strlen(".load") && memcmp(line, ".load", length) == 0) {
        (void)load(*request, argument);
        return true;
    }
    for (size_t i = 0; i < sizeof dot_commands / sizeof dot_commands[0]; i++) {
        const dot_command *command = &dot_commands[i];
        if (strlen(command->name) != length || memcmp(line, command->name, length) != 0) continue;
        call(request->url, command, argument);
        return true;
    }
    return false;
}

static int run(int argc, char **argv)
{
    sl_eval_request request = {.url = SL_RPC_CLIENT_URL};
    const sl_option table[] = {{.name = "--ws", .value = &request.url},
                               {.name = "--quantize", .value = &request.quantize}};
    sl_operands operands;
    const int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("repl", "it takes no \"%s\"", operands.words[0]);

    bool is_well = true;
    sl_repl_input *input = sl_repl_input_open(isatty(STDIN_FILENO) != 0);
    if (input == NULL) return sl_failure("repl", "memory ran out");
    for (char *text; (text = sl_repl_input_next(input)) != NULL; free(text)) {
        if (strncmp(text, ".exit", 5) == 0) {
            free(text);
            break;
        }
        if (text[0] == '.') {
            if (!obey(&request, text)) printf("there is no %s; symlog repl --help tells what there is\n", text);
            continue;
        }
        char name[SL_REPL_NAME_BYTES];
        request.code = text;
        request.name = sl_repl_declared(text, name) ? name : NULL;
        is_well = evaluate(&request) && is_well;
        fflush(stdout);
    }
    const bool is_terminal = sl_repl_input_close(input);
    return is_well || is_terminal ? SL_EXIT_OK : SL_EXIT_FOUND;
}
