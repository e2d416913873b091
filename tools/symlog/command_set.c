/* `symlog set`, `symlog get`: the parameters of a running serve's sound, from the shell. */
#include "tools/symlog/columns.h"
#include "tools/symlog/command.h"
#include "tools/symlog/options.h"
#include "tools/symlog/printer.h"
#include "tools/symlog/rpc_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_set(int argc, char **argv);
static int run_get(int argc, char **argv);

const sl_command sl_command_set = {
    .name = "set",
    .summary = "set a parameter of the sound",
    .help = "usage: symlog set ID VALUE [--ws URL]\n\n"
            "Sets a parameter of an instrument, an effect, the processor or the master; symlog get lists them with\n"
            "their ranges. It is logged, and counts until it is set again.\n\n"
            "  --ws URL   the serve to ask (default " SL_RPC_CLIENT_URL ")\n\n"
            "example: symlog set lead.cutoff 1200\n"
            "example: symlog set processor.gain -- -6\n",
    .run = run_set,
};

const sl_command sl_command_get = {
    .name = "get",
    .summary = "tell the parameters of the sound",
    .help = "usage: symlog get [ID] [--ws URL]\n\n"
            "Prints the value of the parameter ID, or of each: id, value, range and unit. ID may also be the part\n"
            "before the dot: lead, reverb, processor.\n\n"
            "  --ws URL   the serve to ask (default " SL_RPC_CLIENT_URL ")\n\n"
            "example: symlog get master.volume\n"
            "example: symlog get lead\n",
    .run = run_get,
};

/* Asks serve; the result is the caller's, and NULL once *status says that it failed. */
static json_t *ask(const char *name, const char *url, const char *method, const json_t *params, int *status)
{
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL;
    const sl_err err = sl_rpc_client_call(url, method, params, SL_RPC_CLIENT_TIMEOUT_MS, &result, errmsg);
    *status = SL_EXIT_OK;
    if (err == SL_ERR_RANGE) *status = sl_usage_error(name, "%s", errmsg);
    if (err != SL_OK && err != SL_ERR_RANGE) *status = sl_failure(name, "%s", errmsg);
    return err == SL_OK ? result : NULL;
}

static int run_set(int argc, char **argv)
{
    const char *url = SL_RPC_CLIENT_URL;
    const sl_option table[] = {{.name = "--ws", .value = &url}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, 1, &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count < 2) return sl_usage_error("set", "ID and VALUE are wanted");
    if (operands.count > 2) return sl_usage_error("set", "it takes no \"%s\"", operands.words[2]);
    char *end = NULL;
    const char *word = operands.words[1];
    const double value = strtod(word, &end);
    json_t *number = end != word && *end == '\0' ? json_real(value) : NULL; /* none of what is not finite */
    if (number == NULL) return sl_usage_error("set", "\"%s\" is no VALUE", word);

    json_t *params = json_object();
    json_object_set_new(params, "id", json_string(operands.words[0]));
    json_object_set_new(params, "value", number);
    json_t *result = ask("set", url, "setParameter", params, &status);
    json_decref(result);
    json_decref(params);
    return status;
}

/* The ID itself, or the group before its dot; any, if none is wanted. */
static bool is_wanted(const json_t *parameter, const char *wanted)
{
    const char *id = json_string_value(json_object_get(parameter, "id"));
    const char *group = json_string_value(json_object_get(parameter, "group"));
    return id != NULL && (wanted == NULL || strcmp(id, wanted) == 0 || (group != NULL && strcmp(group, wanted) == 0));
}

static double number_of(const json_t *parameter, const char *key)
{
    return json_number_value(json_object_get(parameter, key));
}

/* How wide the ids are that are wanted; 0: there are none. */
static int find_width(const json_t *parameters, const char *wanted)
{
    size_t index = 0;
    size_t width = 0;
    const json_t *parameter = NULL;
    json_array_foreach(parameters, index, parameter)
    {
        const json_t *id = json_object_get(parameter, "id");
        if (is_wanted(parameter, wanted) && json_string_length(id) > width) width = json_string_length(id);
    }
    return (int)width;
}

/* What a processor calls itself may hold what a terminal obeys. */
static void print_shown(const char *text, FILE *to)
{
    const size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        const sl_glyph glyph = sl_glyph_at(text + at, length - at);
        if (glyph.is_shown) fwrite(text + at, 1, glyph.size, to);
        if (!glyph.is_shown) fputc('?', to);
        at += glyph.size;
    }
}

static void print_parameter(const json_t *parameter, int width, FILE *to)
{
    const char *id = json_string_value(json_object_get(parameter, "id"));
    const char *unit = json_string_value(json_object_get(parameter, "unit"));
    char range[64];
    snprintf(range, sizeof range, "%.9g to %.9g", number_of(parameter, "min"), number_of(parameter, "max"));
    print_shown(id, to);
    fprintf(to, "%*s  %12.9g  %s", width - (int)strlen(id), "", number_of(parameter, "value"), range);
    if (unit != NULL) fputc(' ', to);
    if (unit != NULL) print_shown(unit, to);
    fputc('\n', to);
}

static int run_get(int argc, char **argv)
{
    const char *url = SL_RPC_CLIENT_URL;
    const sl_option table[] = {{.name = "--ws", .value = &url}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, 1, &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 1) return sl_usage_error("get", "it takes no \"%s\"", operands.words[1]);
    const char *wanted = operands.count == 1 ? operands.words[0] : NULL;
    json_t *result = ask("get", url, "getAllParameters", NULL, &status);
    if (result == NULL) return status;

    const json_t *parameters = json_object_get(result, "parameters");
    const int width = find_width(parameters, wanted);
    sl_printer printer = sl_printer_stdout();
    size_t index = 0;
    const json_t *parameter = NULL;
    json_array_foreach(parameters, index, parameter)
    {
        const char *id = json_string_value(json_object_get(parameter, "id"));
        if (!is_wanted(parameter, wanted)) continue;
        if (wanted != NULL && strcmp(id, wanted) == 0) {
            fprintf(printer.file, "%.9g\n", number_of(parameter, "value"));
        } else {
            print_parameter(parameter, width, printer.file);
        }
    }
    if (width == 0)
        status = sl_failure("get", "there is no parameter \"%s\"; symlog get lists them", wanted != NULL ? wanted : "");
    json_decref(result);
    return sl_printer_close(&printer, "get", status);
}
