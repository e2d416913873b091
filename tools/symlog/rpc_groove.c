/* JSON-RPC's groove.* methods. */
#include "tools/symlog/rpc_groove.h"

#include "core/groove.h"
#include "tools/symlog/host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Finds the edit wanting, or sets it. */
static void set_edit(sl_rpc_call *call, sl_text *edit)
{
    const char *detail = NULL;
    size_t position = 0;
    if (edit->bad) {
        sl_rpc_fail(call, SL_RPC_INTERNAL_ERROR, "memory ran out");
    } else if (edit->length > SL_SYSEX_FRAME_BYTES_MAX) {
        sl_rpc_fail(call, SL_RPC_OUT_OF_RANGE, "it is longer than a SysEx frame may be");
    } else {
        const sl_refusal refusal = sl_groove_check_edit(call->owner->state, sl_host_memory(), edit->bytes, edit->length,
                                                        &detail, &position);
        const int code = refusal == SL_REFUSAL_INDEX ? SL_RPC_OUT_OF_RANGE : SL_RPC_INVALID_PARAMS;
        if (refusal != SL_REFUSAL_NONE && detail != NULL) {
            sl_rpc_fail(call, code, "%s: at byte %zu of \"%.*s\" %s is expected", sl_refusal_text(refusal), position,
                        edit->length < 40 ? (int)edit->length : 40, edit->bytes, detail);
        } else if (refusal != SL_REFUSAL_NONE) {
            sl_rpc_fail(call, code, "%s", sl_refusal_text(refusal));
        }
    }
    if (call->code == 0) {
        call->edit = *edit;
    } else {
        sl_text_close(edit);
    }
}

static bool add_member(sl_rpc_call *call, sl_text *edit, const char *name)
{
    const json_t *value = json_object_get(call->params, name);
    if (json_is_string(value)) {
        sl_text_bytes(edit, json_string_value(value), json_string_length(value));
    } else if (json_is_boolean(value)) {
        sl_text_string(edit, json_is_true(value) ? "1" : "0");
    } else if (json_is_number(value) && fabs(json_number_value(value)) < 1e9) {
        sl_text_i64(edit, (int64_t)llround(json_number_value(value)));
    } else {
        sl_rpc_fail(call, SL_RPC_INVALID_PARAMS, "%s is missing, or neither a number nor a text", name);
        return false;
    }
    return true;
}

/* PREFIX and the members so named, with '/' between them. */
static void make_edit(sl_rpc_call *call, const char *prefix, const char *const *members, size_t count)
{
    sl_text edit;
    sl_text_open(&edit, sl_host_memory());
    sl_text_string(&edit, prefix);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) sl_text_string(&edit, "/");
        if (add_member(call, &edit, members[i])) continue;
        sl_text_close(&edit);
        return;
    }
    set_edit(call, &edit);
}

void sl_rpc_groove_play(sl_rpc_call *call)
{
    make_edit(call, "play", NULL, 0);
}

void sl_rpc_groove_stop(sl_rpc_call *call)
{
    make_edit(call, "stop", NULL, 0);
}

void sl_rpc_groove_bpm(sl_rpc_call *call)
{
    static const char *const members[] = {"bpm"};
    make_edit(call, "bpm=", members, 1);
}

void sl_rpc_groove_vol(sl_rpc_call *call)
{
    static const char *const members[] = {"vol"};
    make_edit(call, "vol=", members, 1);
}

void sl_rpc_groove_sel(sl_rpc_call *call)
{
    static const char *const members[] = {"list", "item"};
    make_edit(call, "sel=", members, 2);
}

void sl_rpc_groove_beat(sl_rpc_call *call)
{
    static const char *const members[] = {"lane", "step", "level"};
    make_edit(call, "beat=", members, 3);
}

void sl_rpc_groove_lane(sl_rpc_call *call)
{
    static const char *const members[] = {"lane", "field", "value"};
    make_edit(call, "lane=", members, 3);
}

void sl_rpc_groove_patch(sl_rpc_call *call)
{
    static const char *const members[] = {"patch"};
    make_edit(call, "patch=", members, 1);
}

void sl_rpc_groove_edit(sl_rpc_call *call)
{
    static const char *const members[] = {"evt"};
    make_edit(call, "", members, 1);
}
