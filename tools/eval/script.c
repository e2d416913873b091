/* Puts buffers together, and finds them again. */
#include "tools/eval/script.h"

#include <stdlib.h>

static const char first_head[] = "(function(){\n", next_head[] = "\n;return function(){\n", end[] = "\n}";

static uint32_t lines_of(const char *text)
{
    uint32_t count = 0;
    for (const char *at = strchr(text, '\n'); at != NULL; at = strchr(at + 1, '\n')) count++;
    return count;
}

static char *append(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

bool sl_script_open(sl_script *script, char *const *texts, size_t count)
{
    size_t size = 2;
    for (size_t i = 0; i < count; i++) size += strlen(texts[i]) + sizeof next_head + sizeof end;
    *script = (sl_script){.text = malloc(size), .count = count};
    if (script->text == NULL) return false;
    char *to = script->text;
    uint32_t line = 1;
    for (size_t i = 0; i < count; i++) {
        const char *head = i == 0 ? first_head : next_head;
        to = append(append(to, head), texts[i]);
        line += lines_of(head);
        script->first_lines[i] = line;
        line += lines_of(texts[i]);
    }
    for (size_t i = 0; i < count; i++) to = append(to, end);
    append(to, ")");
    return true;
}

void sl_script_close(sl_script *script)
{
    free(script->text);
    script->text = NULL;
}

size_t sl_script_place(const sl_script *script, uint32_t *line)
{
    size_t i = script->count - 1;
    while (i > 0 && script->first_lines[i] > *line) i--;
    *line = *line >= script->first_lines[i] ? *line - script->first_lines[i] + 1 : 0;
    return i;
}

bool sl_script_place_part(const char *source, const char *part, uint32_t *line, uint32_t *column)
{
    const char *found = strstr(source, part);
    if (*part == '\0' || found == NULL || strstr(found + 1, part) != NULL) return false;
    const char *begin = found;
    while (begin > source && begin[-1] != '\n') begin--;
    if (*line == 1 && *column > 0) *column += (uint32_t)(found - begin);
    for (const char *at = source; at < found; at++) *line += *at == '\n';
    return true;
}

uint32_t sl_script_seed(const sl_eval_buffer *buffer)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < buffer->name_length; i++) hash = (hash ^ (uint8_t)buffer->name[i]) * 16777619U;
    hash *= 16777619U;
    for (size_t i = 0; i < buffer->source_length; i++) hash = (hash ^ (uint8_t)buffer->source[i]) * 16777619U;
    return hash;
}
