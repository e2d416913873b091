/* The groove: making and reading it, and the frames in which symlog tells of it. */
#include "core/groove.h"

#include "core/groove_internal.h"

#include <assert.h>
#include <string.h>

static const char default_text[] = "t120;beep:4=Xxxx";

sl_err sl_groove_open(sl_state *state)
{
    if (state->groove != NULL) return SL_OK;
    sl_groove_state *groove = sl_pool_take(&state->pool, sizeof *groove);
    if (groove == NULL) return SL_ERR_MEMORY;
    memset(groove, 0, sizeof *groove);
    sl_groove_default_patch(&groove->patch);
    memcpy(groove->text, default_text, strlen(default_text));
    groove->view = (sl_groove){.patch = groove->text,
                               .patch_length = strlen(default_text),
                               .set_list = -1,
                               .item = -1,
                               .title = "",
                               .peers = groove->peers};
    state->groove = groove;
    return SL_OK;
}

void sl_groove_default_patch(sl_patch *patch)
{
    sl_patch_begin(patch);
    patch->has_bpm = true;
}

sl_groove_peer *sl_groove_find_peer(sl_groove_state *groove, uint32_t source, uint64_t session, bool make)
{
    uint32_t at = 0, count = groove->view.peer_count;
    while (at < count && groove->peers[at].source < source) at++;
    bool is_there = at < count && groove->peers[at].source == source;
    if (!make) return is_there ? &groove->peers[at] : NULL;
    if (is_there && groove->peers[at].session == session) return &groove->peers[at];
    if (!is_there) {
        assert(count < SL_SOURCES_MAX); /* each is one of the state's sources */
        memmove(&groove->peers[at + 1], &groove->peers[at], (count - at) * sizeof *groove->peers);
        groove->view.peer_count++;
    }
    groove->peers[at] = (sl_groove_peer){.source = source, .session = session};
    return &groove->peers[at];
}

const sl_groove *sl_state_groove(const sl_state *state)
{
    return state->groove != NULL ? &state->groove->view : NULL;
}

const sl_groove_peer *sl_groove_peer_of(const sl_state *state, uint32_t source)
{
    return state->groove != NULL ? sl_groove_find_peer(state->groove, source, 0, false) : NULL;
}

sl_refusal sl_groove_check_edit(const sl_state *state, sl_memory memory, const char *edit, size_t length,
                                const char **detail, size_t *position)
{
    sl_groove_plan plan = {0};
    sl_patch *patch = memory.resize(memory.ctx, NULL, 0, sizeof *patch);
    if (patch == NULL) return SL_REFUSAL_MALFORMED;
    if (state->groove != NULL)
        *patch = state->groove->patch;
    else
        sl_groove_default_patch(patch);
    const char *text = length > 0 ? edit : ""; /* an empty one may be NULL */
    sl_refusal refusal = sl_groove_plan_evt(state->groove, text, length, true, patch, &plan);
    memory.resize(memory.ctx, patch, sizeof *patch, 0);
    *detail = plan.detail;
    *position = plan.position;
    return refusal;
}

/* The frames. */

/* Of the last start's wall clock, which no two runs share; 's' keeps it apart from an editor's. */
void sl_groove_origin(const sl_state *state, char origin[SL_GROOVE_ORIGIN_BYTES])
{
    uint8_t bytes[8];
    char hex[SL_DIGEST_HEX + 1];
    sl_put_le(bytes, (uint64_t)state->wall_ns, sizeof bytes);
    sl_digest_hex(sl_digest_bytes(bytes, sizeof bytes), hex);
    origin[0] = 's';
    memcpy(origin + 1, hex, SL_GROOVE_ORIGIN_BYTES - 1);
}

static sl_sysex_stamp stamp_of(const sl_state *state, uint64_t seq, char origin[SL_GROOVE_ORIGIN_BYTES])
{
    sl_groove_origin(state, origin);
    return (sl_sysex_stamp){.origin = origin, .origin_length = SL_GROOVE_ORIGIN_BYTES, .seq = seq};
}

sl_err sl_groove_write_hello(const sl_state *state, sl_writer *out)
{
    char origin[SL_GROOVE_ORIGIN_BYTES];
    return sl_sysex_write_hello(stamp_of(state, 0, origin), out);
}

sl_err sl_groove_write_bye(const sl_state *state, sl_writer *out)
{
    char origin[SL_GROOVE_ORIGIN_BYTES];
    return sl_sysex_write_bye(stamp_of(state, 0, origin), out);
}

sl_err sl_groove_write_full(const sl_state *state, uint64_t seq, sl_writer *out)
{
    char origin[SL_GROOVE_ORIGIN_BYTES];
    sl_sysex_full full = {.set_list = -1, .item = -1, .patch = default_text, .patch_length = strlen(default_text)};
    if (state->groove != NULL) {
        const sl_groove *view = &state->groove->view;
        full = (sl_sysex_full){.is_running = view->is_running,
                               .set_list = view->set_list,
                               .item = view->item,
                               .patch = view->patch,
                               .patch_length = view->patch_length};
    }
    return sl_sysex_write_full(stamp_of(state, seq, origin), &full, out);
}

sl_err sl_groove_write_delta(const sl_state *state, uint64_t seq, const char *evt, size_t evt_length, sl_writer *out)
{
    char origin[SL_GROOVE_ORIGIN_BYTES];
    return sl_sysex_write_delta(stamp_of(state, seq, origin), evt, evt_length, out);
}
