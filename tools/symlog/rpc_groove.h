/* JSON-RPC's groove.* methods: each makes one edit of the groove box's grammar. For rpc_methods.c. */
#ifndef SL_TOOLS_RPC_GROOVE_H
#define SL_TOOLS_RPC_GROOVE_H

#include "tools/symlog/rpc_methods.h"

/* play, stop -> {seq}, once it is committed; and so the others */
void sl_rpc_groove_play(sl_rpc_call *call);
void sl_rpc_groove_stop(sl_rpc_call *call);

void sl_rpc_groove_bpm(sl_rpc_call *call);   /* {bpm} */
void sl_rpc_groove_vol(sl_rpc_call *call);   /* {vol} */
void sl_rpc_groove_sel(sl_rpc_call *call);   /* {list, item} */
void sl_rpc_groove_beat(sl_rpc_call *call);  /* {lane, step, level} */
void sl_rpc_groove_lane(sl_rpc_call *call);  /* {lane, field, value} */
void sl_rpc_groove_patch(sl_rpc_call *call); /* {patch} */
void sl_rpc_groove_edit(sl_rpc_call *call);  /* {evt}: any of them, as a DELTA says it */

#endif
