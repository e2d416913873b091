/* Starting and stopping what plays. */
#include "tools/symlog/player_setup.h"

#include <stdio.h>
#include <string.h>

/* Player's thread. */
static void on_announced(void *ctx)
{
    sl_service_wake(ctx);
}

static sl_err start_out(sl_service_player *player, const sl_player_setup_options *options)
{
    const bool is_named = strchr(options->notes_out, '/') == NULL;
    const sl_notes_out_options out = {
        .target = options->notes_out,
        .shared = sl_groove_ports_find(options->groove_ports, options->notes_out, is_named),
        .say = options->say,
        .say_ctx = options->say_ctx,
    };
    return sl_notes_out_start(&player->out, &out);
}

sl_err sl_player_setup_start(sl_service_player *player, const sl_player_setup_options *options, sl_service *service,
                             char errmsg[256])
{
    sl_err err = sl_announcer_create(&player->announcer, on_announced, service);
    if (err == SL_OK && options->notes_out != NULL) err = start_out(player, options);
    const sl_player_options thread = {
        .state = options->opening->state,
        .start_ns = options->opening->start_ns,
        .sink = options->sink,
        .out = player->out,
        .announcer = player->announcer,
    };
    if (err == SL_OK) err = sl_player_start(&player->player, &thread);
    if (err == SL_OK) sl_service_attach_player(service, player);
    if (err != SL_OK) snprintf(errmsg, 256, "cannot start the player: %s", sl_err_text(err));
    return err;
}

void sl_player_setup_stop(sl_service_player *player, sl_service *service, unsigned patience_ms)
{
    if (service != NULL) sl_service_attach_player(service, NULL);
    sl_player_stop(player->player);
    sl_notes_out_stop(player->out, patience_ms);
    sl_announcer_destroy(player->announcer);
    *player = (sl_service_player){0};
}
