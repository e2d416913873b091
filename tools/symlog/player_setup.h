/* How serve starts and stops what plays: the player, its MIDI output, its word to renderers. The service thread's. */
#ifndef SL_TOOLS_PLAYER_SETUP_H
#define SL_TOOLS_PLAYER_SETUP_H

#include "core/sink.h"
#include "tools/symlog/groove_ports.h"
#include "tools/symlog/opening.h"
#include "tools/symlog/service.h"

typedef struct sl_player_setup_options {
    const char *notes_out; /* --notes-out; NULL: none. Must outlive it */
    const sl_opening *opening;
    const sl_groove_ports *groove_ports; /* started */
    sl_sink sink;
    void (*say)(void *ctx, const char *name, const char *what, const char *why); /* as sl_notes_line_options */
    void *say_ctx;
} sl_player_setup_options;

/* Starts all and attaches it to the service. On failure `errmsg` says what to do, and what was started is to be stopped
 * all the same. */
sl_err sl_player_setup_start(sl_service_player *player, const sl_player_setup_options *options, sl_service *service,
                             char errmsg[256]);

/* Lets go what sounds, for `patience_ms` at most, detaches and ends all; before what it was started with. */
void sl_player_setup_stop(sl_service_player *player, sl_service *service, unsigned patience_ms);

#endif
