/*
 * Reading our own DIFF_UPDATE messages back, entry by entry: what a filter and the throttle need of them. Not a JSON
 * parser: it relies on the shapes that core/message_diff.c writes. Pure; all spans point into the message.
 */
#ifndef SL_TOOLS_ENTRIES_H
#define SL_TOOLS_ENTRIES_H

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a message. */
typedef struct sl_span {
    const char *bytes;
    size_t length;
} sl_span;

typedef enum sl_entry_type {
    SL_ENTRY_REMOVED,
    SL_ENTRY_MODIFIED,
    SL_ENTRY_STATE, /* state_changed */
    SL_ENTRY_SHIFTED,
    SL_ENTRY_ADDED
} sl_entry_type;

/* Values are JSON, strings with their quotes; empty where the entry has no such member. */
typedef struct sl_entry {
    sl_entry_type type;
    sl_span whole; /* the entry, braces included */
    sl_span node_id;
    sl_span node_type;
    sl_span path;
    sl_span attribute;
    sl_span param_index;
    sl_span old_value;
    sl_span new_value;
    sl_span from;
    sl_span first_old_value; /* to be written in place of old_value; empty: that itself */
} sl_entry;

/* A place among the entries of a message. */
typedef struct sl_entries {
    const char *at;
    const char *end;
} sl_entries;

/* False: the message is no DIFF_UPDATE. */
bool sl_entries_begin(sl_entries *entries, const char *message, size_t length);

/* The next entry; false after the last. */
bool sl_entries_next(sl_entries *entries, sl_entry *out);

/* Appends the DIFF_UPDATE of these entries, its lists of ids included; `seq` as for sl_message_close. */
void sl_entries_write(sl_text *text, const sl_entry *entries, size_t count, uint64_t seq);

/* The member `name` of a JSON object, empty if there is none. */
sl_span sl_entries_member(sl_span object, const char *name);

/* What stands between a JSON string's quotes. */
sl_span sl_span_unquoted(sl_span string);

bool sl_span_is(sl_span span, const char *text);

#endif
