/*
 * The groove's bytes in a saved state, behind the sources: u8 flags (1 is_known, 2 is_running, 4 has set lists) · i32
 * set_list · i32 item · u64 own_seq · u64 changed_seq · u32 changed_source · u32 device_source · u64 device_seq · text
 * device_id · text id of the groove's node ("": not shown) · text patch · text setlists (the event's payload) · u32
 * count of "My edits", each text name, text patch · u32 peer count, each u32 source, u64 session, u8 flags (1
 * is_armed, 2 has_seq), u64 heard_seq, u64 seq, text origin.
 */
#include "core/groove_internal.h"

#include <assert.h>

enum { FLAG_KNOWN = 1, FLAG_RUNNING = 2, FLAG_SETLISTS = 4, FLAG_ARMED = 1, FLAG_SEQ = 2, NUMBERS_BYTES_MAX = 256 };

static void put_text(const char *text, size_t length, sl_state_put put, void *ctx)
{
    uint8_t bytes[4];
    sl_put_le(bytes, length, sizeof bytes);
    put(ctx, bytes, sizeof bytes);
    if (length > 0) put(ctx, text, length);
}

static void put_number(uint64_t number, size_t size, sl_state_put put, void *ctx)
{
    uint8_t bytes[8];
    sl_put_le(bytes, number, size);
    put(ctx, bytes, size);
}

static void put_peer(const sl_groove_peer *peer, sl_state_put put, void *ctx)
{
    uint8_t bytes[NUMBERS_BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&out, peer->source, 4);
    sl_write_le(&out, peer->session, 8);
    sl_write_le(&out, (peer->is_armed ? FLAG_ARMED : 0U) | (peer->has_seq ? FLAG_SEQ : 0U), 1);
    sl_write_le(&out, peer->heard_seq, 8);
    sl_write_le(&out, peer->seq, 8);
    sl_write_text(&out, peer->origin, peer->origin_length);
    assert(!out.bad);
    put(ctx, bytes, out.length);
}

void sl_groove_encode(const sl_groove_state *groove, sl_state_put put, void *ctx)
{
    uint8_t bytes[NUMBERS_BYTES_MAX];
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_groove *view = &groove->view;
    unsigned flags = (view->is_known ? FLAG_KNOWN : 0U) | (view->is_running ? FLAG_RUNNING : 0U) |
                     (groove->setlists != NULL ? FLAG_SETLISTS : 0U);
    sl_write_le(&out, flags, 1);
    sl_write_le(&out, (uint32_t)view->set_list, 4);
    sl_write_le(&out, (uint32_t)view->item, 4);
    sl_write_le(&out, view->own_seq, 8);
    sl_write_le(&out, view->changed_seq, 8);
    sl_write_le(&out, view->changed_source, 4);
    sl_write_le(&out, view->device_source, 4);
    sl_write_le(&out, view->device_seq, 8);
    sl_write_text(&out, view->device_id, strlen(view->device_id));
    assert(!out.bad);
    put(ctx, bytes, out.length);
    const sl_node *node = groove->node;
    put_text(node != NULL ? node->id : "", node != NULL ? node->id_length : 0, put, ctx);
    put_text(groove->text, view->patch_length, put, ctx);
    put_text((const char *)groove->setlists, view->setlists_length, put, ctx);
    put_number(view->edit_count, 4, put, ctx);
    for (uint32_t i = 0; i < view->edit_count; i++) {
        const sl_groove_edited *edit = &groove->edits[i];
        put_text(edit->text, edit->name_length, put, ctx);
        put_text(edit->text + edit->name_length, edit->patch_length, put, ctx);
    }
    put_number(view->peer_count, 4, put, ctx);
    for (uint32_t i = 0; i < view->peer_count; i++) put_peer(&groove->peers[i], put, ctx);
}

/* Reading. */

static bool is_index(int32_t index)
{
    return index >= -1 && index <= SL_SYSEX_INDEX_MAX;
}

/* The patch must be the canonical text that was written. */
static sl_err read_patch(sl_groove_state *groove, sl_reader *reader)
{
    size_t length;
    const char *text = sl_read_text(reader, &length);
    sl_writer out = {.bytes = (uint8_t *)groove->text, .capacity = sizeof groove->text};
    if (reader->bad || sl_patch_parse(text, length, &groove->patch, NULL) != SL_OK) return SL_ERR_MALFORMED;
    if (sl_patch_write(&groove->patch, &out) != SL_OK || !groove->patch.has_bpm) return SL_ERR_MALFORMED;
    groove->view.patch_length = out.length;
    return out.length == length && memcmp(out.bytes, text, length) == 0 ? SL_OK : SL_ERR_MALFORMED;
}

static sl_err read_setlists(sl_state *state, sl_reader *reader, bool is_there)
{
    size_t length;
    const char *payload = sl_read_text(reader, &length);
    if (!is_there) return length == 0 ? SL_OK : SL_ERR_MALFORMED;
    sl_event event = {.version = SL_PAYLOAD_VERSION, .payload = (const uint8_t *)payload, .length = (uint32_t)length};
    sl_setlists lists;
    if (reader->bad || sl_setlists_decode(&event, &lists) != SL_OK) return SL_ERR_MALFORMED;
    return sl_groove_put_setlists(state, event.payload, length);
}

static sl_err read_edits(sl_state *state, sl_reader *reader)
{
    uint32_t count = (uint32_t)sl_read_le(reader, 4);
    if (count > SL_GROOVE_EDITS_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        size_t name_length, length;
        const char *name = sl_read_text(reader, &name_length);
        const char *patch = sl_read_text(reader, &length);
        if (reader->bad) return SL_ERR_MALFORMED;
        sl_err err = sl_groove_append_edit(state, name, name_length, patch, length);
        if (err != SL_OK) return err == SL_ERR_FULL ? SL_ERR_MALFORMED : err;
    }
    return SL_OK;
}

static sl_err read_peer(sl_state *state, sl_reader *reader)
{
    sl_groove_state *groove = state->groove;
    sl_groove_peer *peer = &groove->peers[groove->view.peer_count];
    peer->source = (uint32_t)sl_read_le(reader, 4);
    peer->session = sl_read_le(reader, 8);
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    peer->is_armed = (flags & FLAG_ARMED) != 0;
    peer->has_seq = (flags & FLAG_SEQ) != 0;
    peer->heard_seq = sl_read_le(reader, 8);
    peer->seq = sl_read_le(reader, 8);
    size_t length;
    const char *origin = sl_read_text(reader, &length);
    bool is_in_order = groove->view.peer_count == 0 || peer[-1].source < peer->source;
    bool is_known = sl_state_source(state, peer->source) != NULL;
    if (reader->bad || length > sizeof peer->origin || !is_in_order || !is_known) return SL_ERR_MALFORMED;
    memcpy(peer->origin, origin, length);
    peer->origin_length = (uint8_t)length;
    groove->view.peer_count++;
    return SL_OK;
}

sl_err sl_groove_decode(sl_state *state, sl_reader *reader, sl_id *node)
{
    sl_err err = sl_groove_open(state);
    if (err != SL_OK) return err;
    sl_groove *view = &state->groove->view;
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    view->is_known = (flags & FLAG_KNOWN) != 0;
    view->is_running = (flags & FLAG_RUNNING) != 0;
    view->set_list = (int32_t)sl_read_le(reader, 4);
    view->item = (int32_t)sl_read_le(reader, 4);
    view->own_seq = sl_read_le(reader, 8);
    view->changed_seq = sl_read_le(reader, 8);
    view->changed_source = (uint32_t)sl_read_le(reader, 4);
    view->device_source = (uint32_t)sl_read_le(reader, 4);
    view->device_seq = sl_read_le(reader, 8);
    size_t length;
    const char *device_id = sl_read_text(reader, &length);
    if (reader->bad || length > SL_GROOVE_DEVICE_BYTES_MAX || !is_index(view->set_list) || !is_index(view->item))
        return SL_ERR_MALFORMED;
    memcpy(view->device_id, device_id, length);
    node->bytes = sl_read_text(reader, &node->length);
    err = read_patch(state->groove, reader);
    if (err == SL_OK) err = read_setlists(state, reader, (flags & FLAG_SETLISTS) != 0);
    if (err == SL_OK) err = read_edits(state, reader);
    uint32_t peer_count = err == SL_OK ? (uint32_t)sl_read_le(reader, 4) : 0;
    if (peer_count > SL_SOURCES_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < peer_count && err == SL_OK; i++) err = read_peer(state, reader);
    if (err == SL_OK) sl_groove_find_title(state->groove);
    return err;
}
