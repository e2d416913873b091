/* What the service has of the player: the thread, and what hangs on it. The service thread's. */
#ifndef SL_TOOLS_SERVICE_PLAYER_H
#define SL_TOOLS_SERVICE_PLAYER_H

#include "tools/symlog/announcer.h"
#include "tools/symlog/feed.h"
#include "tools/symlog/notes_out.h"
#include "tools/symlog/player.h"

/* All must outlive their being attached. */
typedef struct sl_service_player {
    sl_player *player;
    sl_announcer *announcer;
    sl_notes_out *out; /* NULL: no MIDI */
} sl_service_player;

/* Passes on to `feed` what the player tells renderers. */
void sl_service_player_notify(const sl_service_player *player, sl_feed *feed);

/* Whether anybody who subscribes to `feed` wants to be told. */
void sl_service_player_count_hearers(const sl_service_player *player, const sl_feed *feed);

/* Appends {"notes_out": what sl_notes_out_write says or null, "unannounced": notifications that found no room}. */
void sl_service_player_write(const sl_service_player *player, sl_text *text);

#endif
