/* Taking snapshots. */
#include "tools/symlog/keeper.h"

#include "core/state_codec.h"
#include "tools/symlog/host.h"

bool sl_keeper_see(sl_keeper *keeper, const sl_event *event)
{
    keeper->events++;
    keeper->bytes += event->length;
    if (keeper->events < keeper->every_events && keeper->bytes < SL_KEEPER_EVERY_BYTES) return false;
    keeper->events = 0;
    keeper->bytes = 0;
    return true;
}

sl_err sl_keeper_take(sl_snapshots *snapshots, sl_state *state)
{
    sl_text bytes;
    sl_text_open(&bytes, sl_host_memory());
    sl_snapshot snapshot = {.seq = sl_state_seq(state), .reducer_version = SL_REDUCER_VERSION};
    sl_state_digests(state, NULL, &snapshot.digest);
    sl_err err = sl_state_save(state, &bytes);
    if (err == SL_OK) err = sl_snapshots_put(snapshots, &snapshot, bytes.bytes, bytes.length);
    sl_text_close(&bytes);
    return err;
}
