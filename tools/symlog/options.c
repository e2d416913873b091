/* A command's options. */
#include "tools/symlog/options.h"

#include "tools/symlog/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const sl_option *find_option(const sl_option *options, size_t count, const char *word);

int sl_options_read(int argc, char **argv, const sl_option *options, size_t count, sl_operands *operands)
{
    assert(argc >= 1 && operands != NULL);
    const char *command = argv[0];
    bool only_operands = false;
    operands->count = 0;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
            continue;
        }
        if (only_operands || word[0] != '-' || word[1] == '\0') {
            if (operands->count == SL_OPERANDS_MAX)
                return sl_usage_error(command, "too many words, from \"%s\" on", word);
            operands->words[operands->count++] = word;
            continue;
        }
        const sl_option *option = find_option(options, count, word);
        if (option == NULL) return sl_usage_error(command, "it has no option %s", word);
        if (option->is_given != NULL) *option->is_given = true;
        const char *equals = strchr(word, '=');
        if (option->value == NULL && option->many == NULL) {
            if (equals != NULL) return sl_usage_error(command, "%s takes no value", option->name);
            continue;
        }
        if (equals == NULL && i + 1 == argc) return sl_usage_error(command, "%s wants a value after it", option->name);
        const char *value = equals != NULL ? equals + 1 : argv[++i];
        if (option->value != NULL) *option->value = value;
        if (option->many == NULL) continue;
        if (option->many->count == SL_OPTION_TIMES_MAX)
            return sl_usage_error(command, "%s can be given %d times at most", option->name, SL_OPTION_TIMES_MAX);
        option->many->words[option->many->count++] = value;
    }
    return SL_EXIT_OK;
}

/* The option so named, or so named before a '='. */
static const sl_option *find_option(const sl_option *options, size_t count, const char *word)
{
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0) return &options[i];
    }
    return NULL;
}

bool sl_option_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (const char *digit = text; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') return false;
        uint64_t next = (uint64_t)(*digit - '0');
        if (value > (UINT64_MAX - next) / 10) return false;
        value = value * 10 + next;
    }
    if (value < min || value > max) return false;
    *out = value;
    return true;
}

bool sl_option_speed(const char *text, double *out)
{
    if (strcmp(text, "max") == 0) {
        *out = 0;
        return true;
    }
    char *end = NULL;
    double factor = strtod(text, &end);
    if (end == text || *end != '\0' || !(factor >= 1e-6 && factor <= 1e9)) return false;
    *out = factor;
    return true;
}

bool sl_option_is_target(const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    return colon != NULL && colon != text && sl_option_number(colon + 1, 1, UINT16_MAX, &port);
}
