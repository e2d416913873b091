/* Reads an instrument's or effect's params: numbers of a JSON object, whatever else the bytes hold. */
#include "core/instruments.h"

#include <string.h>

enum { EXPONENT_MAX = 400, DIGITS_MAX = 17 };

typedef struct scan {
    const char *at;
    const char *end;
} scan;

static bool read_pair(scan *scan, const char **name, size_t *name_length, double *value, bool *is_number);
static bool read_string(scan *scan, const char **text, size_t *length);
static bool read_number(scan *scan, double *value);
static bool skip_value(scan *scan);
static bool take(scan *scan, const char *word);
static void skip_space(scan *scan);

uint32_t sl_params_read(const char *json, size_t length, const sl_parameter *parameters, uint32_t count, float *values)
{
    scan scan = {.at = json, .end = json + length};
    uint32_t given = 0;
    if (length == 0) return 0;
    skip_space(&scan);
    if (!take(&scan, "{")) return 0;
    do {
        const char *name;
        size_t name_length;
        double value = 0;
        bool is_number = false;
        if (!read_pair(&scan, &name, &name_length, &value, &is_number)) return given;
        for (uint32_t i = 0; i < count && is_number; i++) {
            if (strlen(parameters[i].name) != name_length || memcmp(parameters[i].name, name, name_length) != 0)
                continue;
            values[i] = sl_parameter_clamp(&parameters[i], value);
            given |= 1U << i;
        }
        skip_space(&scan);
    } while (take(&scan, ","));
    return given;
}

static bool read_pair(scan *scan, const char **name, size_t *name_length, double *value, bool *is_number)
{
    skip_space(scan);
    if (!read_string(scan, name, name_length)) return false;
    skip_space(scan);
    if (!take(scan, ":")) return false;
    skip_space(scan);
    if (take(scan, "true")) {
        *value = 1;
        *is_number = true;
        return true;
    }
    *is_number = take(scan, "false") || read_number(scan, value);
    return *is_number || skip_value(scan);
}

/* What stands between the quotes, escapes as they are. */
static bool read_string(scan *scan, const char **text, size_t *length)
{
    if (!take(scan, "\"")) return false;
    *text = scan->at;
    while (scan->at < scan->end && *scan->at != '"') {
        if (*scan->at == '\\' && scan->end - scan->at > 1) scan->at++;
        scan->at++;
    }
    *length = (size_t)(scan->at - *text);
    return take(scan, "\"");
}

static double scale(double value, int exponent)
{
    for (; exponent > 0; exponent--) value = value * 10;
    for (; exponent < 0; exponent++) value = value / 10;
    return value;
}

static bool is_digit(const scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* Seventeen digits, the rest as zeros. */
static void read_digits(scan *scan, double *value, int *exponent, int *digits, bool is_fraction)
{
    for (; is_digit(scan); scan->at++) {
        const bool is_taken = *digits < DIGITS_MAX;
        if (is_taken) *value = *value * 10 + (*scan->at - '0');
        if (*value > 0) (*digits)++;
        if (is_taken && is_fraction) (*exponent)--;
        if (!is_taken && !is_fraction && *exponent < EXPONENT_MAX) (*exponent)++;
    }
}

static bool read_number(scan *scan, double *value)
{
    const bool is_negative = take(scan, "-");
    int exponent = 0, digits = 0, power = 0;
    *value = 0;
    if (!is_digit(scan)) return false;
    read_digits(scan, value, &exponent, &digits, false);
    if (take(scan, ".")) read_digits(scan, value, &exponent, &digits, true);
    if (take(scan, "e") || take(scan, "E")) {
        const bool is_small = take(scan, "-");
        if (!is_small) (void)take(scan, "+");
        for (; is_digit(scan); scan->at++)
            if (power < EXPONENT_MAX) power = power * 10 + (*scan->at - '0');
        exponent += is_small ? -power : power;
    }
    if (exponent > EXPONENT_MAX) exponent = EXPONENT_MAX;
    if (exponent < -EXPONENT_MAX) exponent = -EXPONENT_MAX;
    if (*value > 0) *value = scale(*value, exponent);
    if (is_negative) *value = -*value;
    return true;
}

/* A string, a list, an object, null: to its end, by counting brackets. */
static bool skip_value(scan *scan)
{
    size_t depth = 0;
    const char *text;
    size_t length;
    while (scan->at < scan->end) {
        const char c = *scan->at;
        if (c == '"') {
            if (!read_string(scan, &text, &length)) return false;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}')) return true;
        if (c == '[' || c == '{') depth++;
        if ((c == ']' || c == '}') && depth-- == 0) return false;
        scan->at++;
    }
    return false;
}

static bool take(scan *scan, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) return false;
    scan->at += length;
    return true;
}

static void skip_space(scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || (*scan->at >= '\t' && *scan->at <= '\r'))) scan->at++;
}
