/* What the service has of the player: the thread, and what hangs on it. */
#ifndef SL_TOOLS_SERVICE_PLAYER_H
#define SL_TOOLS_SERVICE_PLAYER_H

#include "tools/symlog/announcer.h"
#include "tools/symlog/notes_out.h"
#include "tools/symlog/player.h"

/* All must outlive their being attached. */
typedef struct sl_service_player {
    sl_player *player;
    sl_announcer *announcer;
    sl_notes_out *out; /* NULL: no MIDI */
} sl_service_player;

#endif
