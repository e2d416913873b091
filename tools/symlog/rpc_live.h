/* JSON-RPC's methods of live code's transport: each makes one `transport` event, and is answered {seq} once that is
 * committed and reduced; position and getTempo only look. For rpc_methods.c. */
#ifndef SL_TOOLS_RPC_LIVE_H
#define SL_TOOLS_RPC_LIVE_H

#include "tools/symlog/rpc_methods.h"

/* play, pause, stop {track?}, panic, undo, redo; stop, undo and redo take a quantize ("bar", "beat", "off"), too */
void sl_rpc_live_play(sl_rpc_call *call);
void sl_rpc_live_pause(sl_rpc_call *call);
void sl_rpc_live_stop(sl_rpc_call *call);
void sl_rpc_live_panic(sl_rpc_call *call);
void sl_rpc_live_undo(sl_rpc_call *call);
void sl_rpc_live_redo(sl_rpc_call *call);

void sl_rpc_live_set_tempo(sl_rpc_call *call);      /* {bpm} */
void sl_rpc_live_set_quantize(sl_rpc_call *call);   /* {mode} */
void sl_rpc_live_set_channel(sl_rpc_call *call);    /* {track, channel} */
void sl_rpc_live_set_instrument(sl_rpc_call *call); /* {track, name, params?} */
void sl_rpc_live_connect_effect(sl_rpc_call *call); /* {track, name, params?} */

/* -> {beat, bar, next_bar_beat, is_playing, bpm, numerator, denominator, frame, time_us} */
void sl_rpc_live_position(sl_rpc_call *call);
void sl_rpc_live_get_tempo(sl_rpc_call *call); /* -> {bpm} */

#endif
