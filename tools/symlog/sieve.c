/* The filter of ?paths. */
#include "tools/symlog/sieve.h"

#include <stdlib.h>
#include <string.h>

static sl_path_place place_of(const sl_paths *paths, const sl_entry *entry, bool *is_anew);
static bool read_move(const sl_entry *entry, const sl_path *before, sl_path *after);

void sl_picks_close(sl_picks *picks)
{
    free(picks->entries);
    *picks = (sl_picks){0};
}

void sl_picks_add(sl_picks *picks, const sl_entry *entry)
{
    if (picks->count == picks->capacity) {
        const size_t capacity = picks->capacity == 0 ? 64 : picks->capacity * 2;
        sl_entry *entries = realloc(picks->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            picks->bad = true;
            return;
        }
        picks->entries = entries;
        picks->capacity = capacity;
    }
    picks->entries[picks->count++] = *entry;
}

sl_sifted sl_sieve(const sl_paths *paths, const char *message, size_t length, sl_picks *picks)
{
    static const char live_event[] = "{\"type\":\"live_event\"";
    sl_entries entries;
    if (!sl_entries_begin(&entries, message, length)) {
        const bool is_cursor = length >= sizeof live_event && memcmp(message, live_event, sizeof live_event - 1) == 0;
        return is_cursor && paths->count > 0 ? SL_SIFTED_NONE : SL_SIFTED_ALL;
    }
    sl_entry entry;
    size_t stayed = 0, seen = 0;
    for (; sl_entries_next(&entries, &entry); seen++) {
        bool is_anew = false;
        const sl_path_place place = paths->count > 0 ? place_of(paths, &entry, &is_anew) : SL_PATH_INSIDE;
        if (is_anew) return SL_SIFTED_ANEW;
        if (place != SL_PATH_INSIDE) continue;
        sl_picks_add(picks, &entry);
        stayed++;
    }
    if (stayed == seen) return SL_SIFTED_ALL;
    return stayed > 0 ? SL_SIFTED_SOME : SL_SIFTED_NONE;
}

static uint32_t read_number(sl_span digits)
{
    uint32_t number = 0;
    for (size_t i = 0; i < digits.length; i++) number = number * 10 + (uint32_t)(digits.bytes[i] - '0');
    return number;
}

static sl_path_place place_of(const sl_paths *paths, const sl_entry *entry, bool *is_anew)
{
    if (entry->type == SL_ENTRY_SHIFTED) {
        const sl_span type = sl_span_unquoted(entry->node_type);
        const sl_path_place place =
            sl_paths_shift(paths, sl_schema_type_by_name(type.bytes, type.length), read_number(entry->from));
        *is_anew = place == SL_PATH_ABOVE;
        return place;
    }
    sl_path path, after;
    const sl_span text = sl_span_unquoted(entry->path);
    if (!sl_path_parse(&path, text.bytes, text.length)) return SL_PATH_OUTSIDE;
    if (entry->type == SL_ENTRY_ADDED || entry->type == SL_ENTRY_REMOVED) {
        *is_anew = sl_paths_change_by(paths, &path);
    } else if (entry->type == SL_ENTRY_MODIFIED && read_move(entry, &path, &after)) {
        *is_anew = sl_paths_change_by_move(paths, &path, &after);
    }
    return sl_paths_place(paths, &path);
}

/* Where the node stands afterwards; false if it stays. */
static bool read_move(const sl_entry *entry, const sl_path *before, sl_path *after)
{
    static const char *const last[] = {"index", "scene_index"};
    bool has_moved = false;
    *after = *before;
    if (before->count == 0) return false;
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) {
        const sl_span index = sl_entries_member(entry->new_value, last[i]);
        if (index.length == 0) continue;
        after->segments[after->count - 1].index = read_number(index);
        has_moved = true;
    }
    const sl_span track_index = sl_entries_member(entry->new_value, "track_index");
    if (track_index.length == 0) return has_moved;
    after->segments[0].index = read_number(track_index);
    return true;
}
