/* esbuild, started; its errors and its source map, read. */
#include "tools/symlog/typescript.h"

#include "tools/symlog/child.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_BYTES_MAX = 16 << 20, TIME_MS_MAX = 2000, MEMORY_MB_MAX = 256 };

static sl_err refuse(sl_typescript *out, sl_err err, const char *message)
{
    (void)snprintf(out->message, sizeof out->message, "%s", message);
    return err;
}

/* "✘ [ERROR] Expected …", and in a later line "    code.ts:2:9:", the column from 0. */
static sl_err read_error(const char *said, sl_typescript *out)
{
    static const char mark[] = "[ERROR] ", place[] = "code.ts:";
    const char *message = said == NULL ? NULL : strstr(said, mark);
    if (message == NULL) return refuse(out, SL_ERR_REFUSED, "esbuild cannot take the types out of the code");
    message += sizeof mark - 1;
    (void)snprintf(out->message, sizeof out->message, "%.*s", (int)strcspn(message, "\n"), message);
    const char *at = strstr(message, place);
    if (at == NULL) return SL_ERR_REFUSED;
    char *rest;
    out->line = (uint32_t)strtoul(at + sizeof place - 1, &rest, 10);
    if (*rest == ':') out->column = (uint32_t)strtoul(rest + 1, NULL, 10) + 1;
    return SL_ERR_REFUSED;
}

static int digit_of(char letter)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter == '\0' ? NULL : strchr(digits, letter);
    return found == NULL ? -1 : (int)(found - digits);
}

/* Base64 to text, in place of nothing: the caller frees it. */
static char *unpack(const char *packed, size_t length)
{
    char *text = malloc(length + 1), *to = text;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; text != NULL && i < length && digit_of(packed[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)digit_of(packed[i]);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        *to++ = (char)(bits >> count);
    }
    if (text != NULL) *to = '\0';
    return text;
}

/* A number of a source map: digits of five bits, least significant first, the sign last. False: there is none. */
static bool read_number(const char **at, int64_t *value)
{
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 40; shift += 5) {
        int digit = digit_of(**at);
        if (digit < 0) return false;
        (*at)++;
        bits |= (uint64_t)(digit & 31) << shift;
        if ((digit & 32) == 0) {
            *value += (bits & 1) != 0 ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
            return true;
        }
    }
    return false;
}

/* Lines end with ';', segments with ','; a segment is column, source, line, column [, name], each the difference to the
 * one before. */
static sl_err read_marks(const char *at, sl_typescript *out)
{
    size_t most = 1;
    for (const char *c = at; *c != '\0' && *c != '"'; c++) most += *c == ',' || *c == ';';
    out->marks = calloc(most, sizeof *out->marks);
    if (out->marks == NULL) return refuse(out, SL_ERR_MEMORY, "out of memory");
    int64_t column = 0, file = 0, source_line = 0, source_column = 0;
    for (uint32_t line = 0; *at != '\0' && *at != '"';) {
        if (*at == ';') {
            line++;
            column = 0;
        } else if (*at != ',') {
            if (!read_number(&at, &column)) break;
            if (digit_of(*at) < 0) continue;
            if (!read_number(&at, &file) || !read_number(&at, &source_line) || !read_number(&at, &source_column)) break;
            out->marks[out->mark_count++] = (sl_typescript_mark){.line = line,
                                                                 .column = (uint32_t)column,
                                                                 .source_line = (uint32_t)source_line,
                                                                 .source_column = (uint32_t)source_column};
            while (digit_of(*at) >= 0) at++;
            continue;
        }
        at++;
    }
    return SL_OK;
}

static sl_err read_map(sl_typescript *out)
{
    static const char comment[] = "//# sourceMappingURL=data:application/json;base64,", key[] = "\"mappings\": \"";
    char *map = NULL;
    for (char *at = strstr(out->text, comment); at != NULL; at = strstr(at + 1, comment)) map = at;
    if (map == NULL) return SL_OK;
    const char *packed = map + sizeof comment - 1;
    char *text = unpack(packed, strlen(packed));
    if (text == NULL) return refuse(out, SL_ERR_MEMORY, "out of memory");
    *map = '\0';
    out->length = (size_t)(map - out->text);
    const char *mappings = strstr(text, key);
    sl_err err = mappings == NULL ? SL_OK : read_marks(mappings + sizeof key - 1, out);
    free(text);
    return err;
}

sl_err sl_typescript_strip(const char *source, size_t length, const atomic_bool *is_cancelled, sl_typescript *out)
{
    static const char *const argv[] = {"esbuild",
                                       "--loader=ts",
                                       "--sourcemap=inline",
                                       "--charset=utf8",
                                       "--sources-content=false",
                                       "--sourcefile=code.ts",
                                       "--log-level=error",
                                       "--log-limit=1",
                                       "--color=false",
                                       NULL};
    const sl_child_job job = {.path = "esbuild",
                              .argv = argv,
                              .in = (const uint8_t *)source,
                              .in_length = length,
                              .out_max = OUT_BYTES_MAX,
                              .time_ms_max = TIME_MS_MAX,
                              .memory_mb_max = MEMORY_MB_MAX,
                              .is_cancelled = is_cancelled};
    sl_child_result child;
    memset(out, 0, sizeof *out);
    sl_err err = sl_child_run(&job, 1, &child);
    if (err == SL_OK && child.end == SL_CHILD_DONE) {
        out->text = (char *)child.out;
        out->length = child.out_length;
        return read_map(out);
    }
    if (err != SL_OK)
        err = refuse(out, err, "esbuild, which takes the types out of TypeScript, cannot be started");
    else if (child.end == SL_CHILD_MISSING)
        err = refuse(out, SL_ERR_REFUSED,
                     "TypeScript wants esbuild, which is not installed: install it (apt install "
                     "esbuild), or write JavaScript");
    else if (child.end == SL_CHILD_CANCELLED)
        err = refuse(out, SL_ERR_END, "was not evaluated: symlog is stopping");
    else if (child.end == SL_CHILD_FAILED)
        err = read_error((const char *)child.out, out);
    else
        err = refuse(out, SL_ERR_REFUSED, "esbuild took too long, or too much memory, for the types of this code");
    free(child.out);
    return err;
}

void sl_typescript_place(const sl_typescript *script, uint32_t *line, uint32_t *column)
{
    const sl_typescript_mark *found = NULL;
    for (size_t i = 0; i < script->mark_count; i++) {
        const sl_typescript_mark *mark = &script->marks[i];
        bool is_before = mark->line + 1 < *line || (mark->line + 1 == *line && mark->column + 1 <= *column);
        if (!is_before && found != NULL) break;
        found = mark;
        if (!is_before) break;
    }
    if (found == NULL) return;
    *line = found->source_line + 1;
    if (*column > 0) *column = found->source_column + 1;
}

void sl_typescript_free(sl_typescript *script)
{
    free(script->text);
    free(script->marks);
    script->text = NULL;
    script->marks = NULL;
}
