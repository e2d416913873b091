/* `symlog mark`: puts a bookmark into the log of a running serve. */
#include "tools/symlog/command.h"
#include "tools/symlog/options.h"
#include "tools/symlog/rpc_client.h"

#include <stdio.h>

static int run(int argc, char **argv);
static int print_number(const json_t *result);

const sl_command sl_command_mark = {
    .name = "mark",
    .summary = "put a bookmark into the log of a running serve",
    .help = "usage: symlog mark TEXT [--ws URL]\n\n"
            "Appends a mark and prints its number. TEXT then names this moment: symlog replay --from TEXT.\n\n"
            "  --ws URL   the serve to ask (default " SL_RPC_CLIENT_URL ")\n\n"
            "example: symlog mark \"second chorus\"\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *url = SL_RPC_CLIENT_URL;
    const sl_option table[] = {{.name = "--ws", .value = &url}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count != 1) return sl_usage_error("mark", "one TEXT is wanted; quote it if it has spaces");
    if (operands.words[0][0] == '\0') return sl_usage_error("mark", "TEXT must not be empty");

    json_t *params = json_pack("{s:s}", "text", operands.words[0]);
    if (params == NULL) return sl_usage_error("mark", "TEXT must be UTF-8");
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL;
    sl_err err = sl_rpc_client_call(url, "mark", params, SL_RPC_CLIENT_TIMEOUT_MS, &result, errmsg);
    json_decref(params);
    if (err == SL_ERR_RANGE) return sl_usage_error("mark", "%s", errmsg);
    if (err != SL_OK) return sl_failure("mark", "%s", errmsg);
    status = print_number(result);
    json_decref(result);
    return status;
}

static int print_number(const json_t *result)
{
    const json_t *seq = json_object_get(result, "seq");
    if (!json_is_integer(seq))
        return sl_failure("mark", "the answer tells no number; is it another version of symlog?");
    printf("%lld\n", (long long)json_integer_value(seq));
    return SL_EXIT_OK;
}
