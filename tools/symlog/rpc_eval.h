/* JSON-RPC's eval, watch and unwatch: live code comes in. For rpc_methods.c. */
#ifndef SL_TOOLS_RPC_EVAL_H
#define SL_TOOLS_RPC_EVAL_H

#include "tools/symlog/rpc_methods.h"

/* {code, name?, quantize?} -> {success, error?, changed, at_beat, seq}, once it counts, or was refused */
void sl_rpc_eval(sl_rpc_call *call);

void sl_rpc_watch(sl_rpc_call *call);   /* {path} -> {}: each save of this file of serve's machine is evaluated */
void sl_rpc_unwatch(sl_rpc_call *call); /* {path} -> {} */

#endif
