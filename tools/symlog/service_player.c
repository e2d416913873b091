/* What the service has of the player. */
#include "tools/symlog/service_player.h"

#include <stdlib.h>

void sl_service_player_notify(const sl_service_player *player, sl_feed *feed)
{
    if (player->announcer == NULL) return;
    for (sl_announcement *each = sl_announcer_take(player->announcer); each != NULL;) {
        sl_announcement *next = each->next;
        sl_feed_notify(feed, each->bytes, each->length);
        free(each);
        each = next;
    }
}

void sl_service_player_count_hearers(const sl_service_player *player, const sl_feed *feed)
{
    if (player->announcer != NULL) sl_announcer_set_heard(player->announcer, sl_feed_hearer_count(feed) > 0);
}

void sl_service_player_write(const sl_service_player *player, sl_text *text)
{
    sl_text_string(text, "{\"notes_out\":");
    if (player->out != NULL) sl_notes_out_write(player->out, text);
    if (player->out == NULL) sl_text_string(text, "null");
    sl_text_string(text, ",\"unannounced\":");
    sl_text_u64(text, player->announcer != NULL ? sl_announcer_dropped(player->announcer) : 0);
    sl_text_string(text, "}");
}
