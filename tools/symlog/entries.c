/* The entries of a DIFF_UPDATE. */
#include "tools/symlog/entries.h"

#include "core/message.h"

#include <assert.h>
#include <string.h>

static const char head[] = "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[";

static const struct {
    const char *name;
    size_t offset; /* of its span in sl_entry */
} members[] = {
    {"node_id", offsetof(sl_entry, node_id)},
    {"node_type", offsetof(sl_entry, node_type)},
    {"path", offsetof(sl_entry, path)},
    {"attribute", offsetof(sl_entry, attribute)},
    {"param_index", offsetof(sl_entry, param_index)},
    {"old_value", offsetof(sl_entry, old_value)},
    {"new_value", offsetof(sl_entry, new_value)},
    {"from", offsetof(sl_entry, from)},
};
enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static const char *skip_string(const char *at, const char *end);
static const char *skip_value(const char *at, const char *end);
static sl_entry_type type_of(sl_span name);

bool sl_entries_begin(sl_entries *entries, const char *message, size_t length)
{
    const size_t head_length = sizeof head - 1;
    if (length < head_length || memcmp(message, head, head_length) != 0) return false;
    *entries = (sl_entries){.at = message + head_length, .end = message + length};
    return true;
}

/* The next `"name":value`, from behind `{` or `,`; false at the closing brace. */
static bool next_member(const char **at, const char *end, sl_span *name, sl_span *value)
{
    if (*at >= end || **at != '"') return false;
    const char *name_end = skip_string(*at, end);
    const char *value_end = skip_value(name_end + 1, end);
    *name = (sl_span){*at + 1, (size_t)(name_end - *at) - 2};
    *value = (sl_span){name_end + 1, (size_t)(value_end - name_end) - 1};
    *at = value_end < end && *value_end == ',' ? value_end + 1 : value_end;
    return true;
}

bool sl_entries_next(sl_entries *entries, sl_entry *out)
{
    const char *at = entries->at;
    if (at < entries->end && *at == ',') at++;
    if (at >= entries->end || *at != '{') return false;
    *out = (sl_entry){.whole.bytes = at};
    at++;
    sl_span name, value;
    if (!next_member(&at, entries->end, &name, &value)) return false; /* "type" stands first */
    out->type = type_of(sl_span_unquoted(value));
    while (next_member(&at, entries->end, &name, &value)) {
        for (size_t i = 0; i < MEMBER_COUNT; i++) {
            if (!sl_span_is(name, members[i].name)) continue;
            *(sl_span *)(void *)((char *)out + members[i].offset) = value;
            break;
        }
    }
    assert(at < entries->end && *at == '}');
    entries->at = at + 1;
    out->whole.length = (size_t)(entries->at - out->whole.bytes);
    return true;
}

static void write_span(sl_text *text, sl_span span)
{
    sl_text_bytes(text, span.bytes, span.length);
}

static void write_entry(sl_text *text, const sl_entry *entry)
{
    if (entry->first_old_value.length == 0) {
        write_span(text, entry->whole);
        return;
    }
    const char *end = entry->old_value.bytes + entry->old_value.length;
    sl_text_bytes(text, entry->whole.bytes, (size_t)(entry->old_value.bytes - entry->whole.bytes));
    write_span(text, entry->first_old_value);
    sl_text_bytes(text, end, (size_t)(entry->whole.bytes + entry->whole.length - end));
}

static bool is_listed(const sl_entry *entry, sl_entry_type list)
{
    return entry->type == list || (list == SL_ENTRY_MODIFIED && entry->type == SL_ENTRY_STATE);
}

void sl_entries_write(sl_text *text, const sl_entry *entries, size_t count, uint64_t seq)
{
    static const struct {
        const char *before;
        sl_entry_type type;
    } lists[] = {{"],\"added\":[", SL_ENTRY_ADDED},
                 {"],\"removed\":[", SL_ENTRY_REMOVED},
                 {"],\"modified\":[", SL_ENTRY_MODIFIED}};
    sl_text_string(text, head);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) sl_text_string(text, ",");
        write_entry(text, &entries[i]);
    }
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        bool is_first = true;
        sl_text_string(text, lists[list].before);
        for (size_t i = 0; i < count; i++) {
            if (!is_listed(&entries[i], lists[list].type)) continue;
            if (!is_first) sl_text_string(text, ",");
            write_span(text, entries[i].node_id);
            is_first = false;
        }
    }
    sl_text_string(text, "],\"unchanged\":[]}}");
    sl_message_close(text, seq);
}

sl_span sl_entries_member(sl_span object, const char *name)
{
    const char *at = object.bytes + 1;
    sl_span found, value;
    while (object.length > 2 && next_member(&at, object.bytes + object.length, &found, &value)) {
        if (sl_span_is(found, name)) return value;
    }
    return (sl_span){0};
}

sl_span sl_span_unquoted(sl_span string)
{
    return string.length < 2 ? (sl_span){0} : (sl_span){string.bytes + 1, string.length - 2};
}

bool sl_span_is(sl_span span, const char *text)
{
    const size_t length = strlen(text);
    return span.length == length && memcmp(span.bytes, text, length) == 0;
}

static sl_entry_type type_of(sl_span name)
{
    if (sl_span_is(name, "state_changed")) return SL_ENTRY_STATE;
    if (sl_span_is(name, "modified")) return SL_ENTRY_MODIFIED;
    if (sl_span_is(name, "added")) return SL_ENTRY_ADDED;
    if (sl_span_is(name, "removed")) return SL_ENTRY_REMOVED;
    assert(sl_span_is(name, "shifted"));
    return SL_ENTRY_SHIFTED;
}

/* The place behind the string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"') return at + 1;
        if (*at == '\\') at++;
    }
    return end;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"') return skip_string(at, end);
    size_t depth = 0;
    while (at < end) {
        const char c = *at;
        if (c == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return at + 1;
        at++;
    }
    return end;
}
