/* JSON-RPC's parameters, meters and status of the sound. For rpc_methods.c. */
#ifndef SL_TOOLS_RPC_AUDIO_H
#define SL_TOOLS_RPC_AUDIO_H

#include "core/parameters.h"
#include "tools/symlog/rpc_methods.h"

void sl_rpc_get_parameter(sl_rpc_call *call); /* {id} -> {id, value} */

/* {id, value} -> {}, once it is committed and reduced */
void sl_rpc_set_parameter(sl_rpc_call *call);

/* -> {parameters: [{id, name, type, value, default, min, max, unit?, group?}]}: the renderer's, the processor's */
void sl_rpc_get_all_parameters(sl_rpc_call *call);

void sl_rpc_get_meter_frame(sl_rpc_call *call);  /* -> {frame: {peak_l, peak_r, rms_l, rms_r, timestamp} or null} */
void sl_rpc_get_audio_status(sl_rpc_call *call); /* -> {status} */

/* {client_id, sample_rate, buffer_size} -> {status: "registered"}: from now on its meterUpdates go to the others */
void sl_rpc_register_audio(sl_rpc_call *call);

/* {timestamp_us, left_peak, left_rms, right_peak, right_rms} -> {} */
void sl_rpc_meter_update(sl_rpc_call *call);

/* Appends {"id", "value"} of one that an event has set. */
void sl_rpc_write_parameter(const sl_parameter_value *value, sl_text *text);

#endif
