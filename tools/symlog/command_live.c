/* `symlog play`, `pause`, `stop`, `panic`, `tempo`, `undo`, `redo`: what a running serve is told from the shell. */
#include "tools/symlog/command.h"
#include "tools/symlog/options.h"
#include "tools/symlog/rpc_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

#define HELP_WS                                                                                                        \
    "\n  --ws URL   the serve to ask (default " SL_RPC_CLIENT_URL ")\n\n"                                              \
    "Prints the number of the event that says it.\n\n"

const sl_command sl_command_play = {
    .name = "play",
    .summary = "start the music of live code, or let it go on",
    .help = "usage: symlog play [--ws URL]\n\n"
            "Starts what the session has from its beginning; after a pause it goes on where it was.\n" HELP_WS
            "example: symlog play\n",
    .run = run,
};

const sl_command sl_command_pause = {
    .name = "pause",
    .summary = "let the music of live code stand still",
    .help = "usage: symlog pause [--ws URL]\n\n"
            "At once: what sounds is let go, and symlog play goes on from there.\n" HELP_WS "example: symlog pause\n",
    .run = run,
};

const sl_command sl_command_stop = {
    .name = "stop",
    .summary = "stop the music of live code, or one track of it",
    .help = "usage: symlog stop [TRACK] [--quantize bar|beat|off] [--ws URL]\n\n"
            "Stops TRACK, or everything, at the next bar, unless the session or --quantize says otherwise.\n" HELP_WS
            "example: symlog stop drums\n",
    .run = run,
};

const sl_command sl_command_panic = {
    .name = "panic",
    .summary = "stop at once, and let every key of every channel go",
    .help = "usage: symlog panic [--ws URL]\n\nStops at once, and lets every key of every channel go.\n" HELP_WS
            "example: symlog panic\n",
    .run = run,
};

const sl_command sl_command_tempo = {
    .name = "tempo",
    .summary = "set the tempo of live code",
    .help = "usage: symlog tempo BPM [--ws URL]\n\nSets the tempo, 1 to 1000 beats a minute, at once.\n" HELP_WS
            "example: symlog tempo 128\n",
    .run = run,
};

const sl_command sl_command_undo = {
    .name = "undo",
    .summary = "take the last edit of live code back",
    .help = "usage: symlog undo [--quantize bar|beat|off] [--ws URL]\n\n"
            "The session is again as it was before the last edit, from the next bar on.\n" HELP_WS
            "example: symlog undo --quantize off\n",
    .run = run,
};

const sl_command sl_command_redo = {
    .name = "redo",
    .summary = "bring back what symlog undo took",
    .help = "usage: symlog redo [--quantize bar|beat|off] [--ws URL]\n\n"
            "Brings back what undo took, from the next bar on.\n" HELP_WS "example: symlog redo\n",
    .run = run,
};

/* What a command asks for. */
typedef struct verb {
    const sl_command *command;
    const char *method;
    const char *operand; /* as people call it; NULL: it takes none */
    const char *param;   /* the operand's name in the call */
    bool is_needed;
    bool is_number;
    bool has_quantize;
} verb;

static const verb verbs[] = {
    {.command = &sl_command_play, .method = "play"},
    {.command = &sl_command_pause, .method = "pause"},
    {.command = &sl_command_stop, .method = "stop", .operand = "TRACK", .param = "track", .has_quantize = true},
    {.command = &sl_command_panic, .method = "panic"},
    {.command = &sl_command_tempo,
     .method = "setTempo",
     .operand = "BPM",
     .param = "bpm",
     .is_needed = true,
     .is_number = true},
    {.command = &sl_command_undo, .method = "undo", .has_quantize = true},
    {.command = &sl_command_redo, .method = "redo", .has_quantize = true},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static const verb *find(const char *name)
{
    size_t i = 0;
    while (i < VERB_COUNT && strcmp(verbs[i].command->name, name) != 0) i++;
    assert(i < VERB_COUNT);
    return &verbs[i];
}

/* The operand as JSON; NULL: it is not what it should be. */
static json_t *make_value(const verb *verb, const char *word)
{
    if (!verb->is_number) return json_string(word);
    char *end = NULL;
    const double number = strtod(word, &end);
    return end != word && *end == '\0' ? json_real(number) : NULL;
}

static int call(const verb *verb, const char *url, const json_t *params)
{
    const char *name = verb->command->name;
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL;
    const sl_err err = sl_rpc_client_call(url, verb->method, params, SL_RPC_CLIENT_TIMEOUT_MS, &result, errmsg);
    if (err == SL_ERR_RANGE) return sl_usage_error(name, "%s", errmsg);
    if (err != SL_OK) return sl_failure(name, "%s", errmsg);
    const json_t *seq = json_object_get(result, "seq");
    const bool has_seq = json_is_integer(seq);
    if (has_seq) printf("%lld\n", (long long)json_integer_value(seq));
    json_decref(result);
    return has_seq ? SL_EXIT_OK : sl_failure(name, "the answer tells no number; is it another version of symlog?");
}

static int run(int argc, char **argv)
{
    const verb *verb = find(argv[0]);
    const char *name = argv[0];
    const char *url = SL_RPC_CLIENT_URL;
    const char *quantize = NULL;
    const sl_option table[] = {{.name = "--ws", .value = &url}, {.name = "--quantize", .value = &quantize}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, verb->has_quantize ? 2 : 1, &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > (verb->operand != NULL ? 1 : 0))
        return sl_usage_error(name, "it takes no \"%s\"", operands.words[operands.count - 1]);
    if (verb->is_needed && operands.count == 0) return sl_usage_error(name, "%s is wanted", verb->operand);

    json_t *params = json_object();
    json_t *value = operands.count > 0 ? make_value(verb, operands.words[0]) : NULL;
    const bool is_bad = operands.count > 0 && value == NULL;
    if (value != NULL) json_object_set_new(params, verb->param, value);
    if (quantize != NULL) json_object_set_new(params, "quantize", json_string(quantize));
    status =
        is_bad ? sl_usage_error(name, "\"%s\" is no %s", operands.words[0], verb->operand) : call(verb, url, params);
    json_decref(params);
    return status;
}
