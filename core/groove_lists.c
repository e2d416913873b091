/* Set lists: the built-in ones, as an event put them in force, and "My edits", which symlog makes itself. */
#include "core/groove_internal.h"

static const char my_edits[] = "My edits";

sl_err sl_groove_put_setlists(sl_state *state, const uint8_t *payload, size_t length)
{
    sl_groove_state *groove = state->groove;
    uint8_t *copy = sl_pool_take(&state->pool, length);
    if (copy == NULL) return SL_ERR_MEMORY;
    if (length > 0) memcpy(copy, payload, length);
    sl_pool_give(&state->pool, groove->setlists, groove->view.setlists_length);
    groove->setlists = copy;
    groove->view.setlists = copy;
    groove->view.setlists_length = length;
    groove->view.list_count = (uint32_t)sl_get_le(copy, 4);
    sl_groove_find_title(groove);
    return SL_OK;
}

/* Begins a walk through the built-in lists, behind the title and count of list `list`. */
static bool walk_to(const sl_groove_state *groove, uint32_t list, sl_setlists *walk, const char **title,
                    size_t *title_length, uint32_t *item_count)
{
    if (groove->setlists == NULL || list >= groove->view.list_count) return false;
    *walk = (sl_setlists){.list_count = groove->view.list_count};
    walk->reader = (sl_reader){.bytes = groove->setlists, .length = groove->view.setlists_length, .position = 4};
    for (uint32_t i = 0;; i++) {
        sl_setlists_next_list(walk, title, title_length, item_count);
        if (i == list) return true;
        const char *text;
        size_t length;
        for (uint32_t item = 0; item < *item_count; item++) sl_setlists_next_item(walk, &text, &length, &text, &length);
    }
}

sl_err sl_groove_find_item(const sl_groove_state *groove, int32_t list, int32_t item, sl_groove_item *out)
{
    const char *title;
    size_t title_length;
    uint32_t count;
    sl_setlists walk;
    if (list < 0 || item < 0 || groove->setlists == NULL) return SL_ERR_NOT_FOUND;
    if ((uint32_t)list == groove->view.list_count && (uint32_t)item < groove->view.edit_count) {
        const sl_groove_edited *edit = &groove->edits[item];
        *out = (sl_groove_item){edit->text, edit->name_length, edit->text + edit->name_length, edit->patch_length};
        return SL_OK;
    }
    if (!walk_to(groove, (uint32_t)list, &walk, &title, &title_length, &count) || (uint32_t)item >= count)
        return SL_ERR_NOT_FOUND;
    for (int32_t i = 0; i <= item; i++)
        sl_setlists_next_item(&walk, &out->name, &out->name_length, &out->patch, &out->patch_length);
    return SL_OK;
}

void sl_groove_find_title(sl_groove_state *groove)
{
    sl_groove_item item;
    groove->view.title = "";
    groove->view.title_length = 0;
    if (sl_groove_find_item(groove, groove->view.set_list, groove->view.item, &item) != SL_OK) return;
    groove->view.title = item.name;
    groove->view.title_length = item.name_length;
}

sl_err sl_groove_list_at(const sl_state *state, uint32_t list, const char **title, size_t *title_length,
                         uint32_t *item_count)
{
    sl_setlists walk;
    const sl_groove_state *groove = state->groove;
    if (groove == NULL) return SL_ERR_NOT_FOUND;
    if (walk_to(groove, list, &walk, title, title_length, item_count)) return SL_OK;
    if (list != groove->view.list_count || groove->view.edit_count == 0) return SL_ERR_NOT_FOUND;
    *title = my_edits;
    *title_length = strlen(my_edits);
    *item_count = groove->view.edit_count;
    return SL_OK;
}

sl_err sl_groove_item_at(const sl_state *state, uint32_t list, uint32_t item, sl_groove_item *out)
{
    if (state->groove == NULL || list > INT32_MAX || item > INT32_MAX) return SL_ERR_NOT_FOUND;
    return sl_groove_find_item(state->groove, (int32_t)list, (int32_t)item, out);
}

/* My edits. */

static sl_err make_room(sl_state *state)
{
    sl_groove_state *groove = state->groove;
    if (groove->view.edit_count < groove->edit_capacity) return SL_OK;
    uint32_t capacity = groove->edit_capacity == 0 ? 8 : groove->edit_capacity * 2;
    sl_groove_edited *edits = sl_pool_take(&state->pool, capacity * sizeof *edits);
    if (edits == NULL) return SL_ERR_MEMORY;
    if (groove->view.edit_count > 0) memcpy(edits, groove->edits, groove->view.edit_count * sizeof *edits);
    sl_pool_give(&state->pool, groove->edits, groove->edit_capacity * sizeof *edits);
    groove->edits = edits;
    groove->edit_capacity = capacity;
    return SL_OK;
}

static sl_err make_edited(sl_state *state, sl_groove_item item, sl_groove_edited *out)
{
    char *text = sl_pool_take(&state->pool, item.name_length + item.patch_length);
    if (text == NULL) return SL_ERR_MEMORY;
    if (item.name_length > 0) memcpy(text, item.name, item.name_length);
    if (item.patch_length > 0) memcpy(text + item.name_length, item.patch, item.patch_length);
    *out = (sl_groove_edited){text, (uint32_t)item.name_length, (uint32_t)item.patch_length};
    return SL_OK;
}

sl_err sl_groove_append_edit(sl_state *state, const char *name, size_t name_length, const char *patch, size_t length)
{
    sl_groove_state *groove = state->groove;
    bool has_room = groove->view.edit_count < SL_GROOVE_EDITS_MAX &&
                    groove->edit_bytes + name_length + length <= SL_GROOVE_EDITS_BYTES_MAX;
    if (!has_room) return SL_ERR_FULL;
    sl_err err = make_room(state);
    if (err != SL_OK) return err;
    err =
        make_edited(state, (sl_groove_item){name, name_length, patch, length}, &groove->edits[groove->view.edit_count]);
    if (err != SL_OK) return err;
    groove->view.edit_count++;
    groove->edit_bytes += name_length + length;
    return SL_OK;
}

sl_err sl_groove_replace_edit(sl_state *state, uint32_t item, const char *patch, size_t length)
{
    sl_groove_state *groove = state->groove;
    sl_groove_edited *edit = &groove->edits[item], made;
    size_t bytes = groove->edit_bytes - edit->patch_length + length;
    if (bytes > SL_GROOVE_EDITS_BYTES_MAX) return SL_ERR_FULL;
    sl_err err = make_edited(state, (sl_groove_item){edit->text, edit->name_length, patch, length}, &made);
    if (err != SL_OK) return err;
    sl_pool_give(&state->pool, edit->text, (size_t)edit->name_length + edit->patch_length);
    *edit = made;
    groove->edit_bytes = bytes;
    return SL_OK;
}
