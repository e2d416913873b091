/*
 * ?paths: what of a message is left for a subscriber that wants to see some paths only. Entries at or below them stay;
 * ERRORs stay; live_events go. When another node comes to stand at a path (a track before tracks[0], say), no entry
 * tells what the new one is like: then the subscriber begins anew with the project as it is. Pure.
 */
#ifndef SL_TOOLS_SIEVE_H
#define SL_TOOLS_SIEVE_H

#include "core/message_paths.h"
#include "tools/symlog/entries.h"

typedef enum sl_sifted {
    SL_SIFTED_ALL,
    SL_SIFTED_SOME, /* of a DIFF_UPDATE: these entries */
    SL_SIFTED_NONE,
    SL_SIFTED_ANEW /* a path names another node now */
} sl_sifted;

/* Entries that stayed; the array is reused from message to message. Zero to begin with. */
typedef struct sl_picks {
    sl_entry *entries;
    size_t count;
    size_t capacity;
    bool bad; /* memory ran out */
} sl_picks;

void sl_picks_close(sl_picks *picks);

/* Appends an entry. */
void sl_picks_add(sl_picks *picks, const sl_entry *entry);

/* Appends the entries of the message that stay, if it is a DIFF_UPDATE, up to where it is clear that it is ANEW. */
sl_sifted sl_sieve(const sl_paths *paths, const char *message, size_t length, sl_picks *picks);

#endif
