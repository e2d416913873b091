/*
 * How the messages of Live are applied, for the files that do it: live.c (the table of paths, and messages that set one
 * attribute), live_track.c, live_clip.c, live_scene.c, and live_node.c (what they share). Part of core/state.h.
 *
 * An apply function gets a message whose arguments follow its row. What names no node is refused there; everything
 * returned but SL_OK is SL_ERR_MEMORY.
 */
#ifndef SL_CORE_LIVE_H
#define SL_CORE_LIVE_H

#include "core/state.h"

/* Sets the row's attribute of `node` to the message's last argument; NULL: refused. */
sl_err sl_live_set_attribute(sl_state *state, sl_node *node, const sl_live *live);

/* live_node.c: the node that the first arguments name, or NULL. */
sl_node *sl_live_find_track(const sl_state *state, const sl_live *live);
sl_node *sl_live_find_device(const sl_state *state, const sl_live *live);
sl_node *sl_live_find_slot(const sl_state *state, const sl_live *live);
sl_node *sl_live_find_scene(const sl_state *state, int64_t position);

/* Refuses the message. */
sl_err sl_live_no_such_index(sl_state *state);

/* Inserts a node, or puts a clip_slot at its place, with an id made from the present message. Not noted yet. */
sl_err sl_live_add_node(sl_state *state, sl_node *parent, sl_node_type type, uint32_t position, sl_node **out);

/* Takes a node out and notes it; its place closes up if `close`. */
sl_err sl_live_remove_node(sl_state *state, sl_node *node, bool close);

/* Sets a text that was given, without noting it: for nodes not yet noted. */
sl_err sl_live_set_text(sl_state *state, sl_node *node, sl_attribute attribute, const sl_live_argument *text);

sl_err sl_live_note_added(sl_state *state, const sl_node *node);

/* Notes that what stands from `position` on has moved `by`; nothing if nothing stands there. */
sl_err sl_live_note_shifted(sl_state *state, sl_node_type child, uint32_t position, int8_t by);

/* True if the attribute is told, and true. */
bool sl_live_is_true(const sl_node *node, sl_attribute attribute);

/* live_track.c */
sl_err sl_live_add_track(sl_state *state, const sl_live *live);
sl_err sl_live_delete_track(sl_state *state, const sl_live *live);
sl_err sl_live_add_device(sl_state *state, const sl_live *live);
sl_err sl_live_delete_device(sl_state *state, const sl_live *live);
sl_err sl_live_set_parameter(sl_state *state, const sl_live *live);

/* live_clip.c */
sl_err sl_live_create_slot(sl_state *state, const sl_live *live);
sl_err sl_live_set_playing_status(sl_state *state, const sl_live *live);
sl_err sl_live_add_clip(sl_state *state, const sl_live *live);
sl_err sl_live_set_clip(sl_state *state, const sl_live *live);
sl_err sl_live_trigger_clip(sl_state *state, const sl_live *live);
sl_err sl_live_stop_clip(sl_state *state, const sl_live *live);
sl_err sl_live_delete_clip(sl_state *state, const sl_live *live);

/* live_scene.c */
sl_err sl_live_add_scene(sl_state *state, const sl_live *live);
sl_err sl_live_remove_scene(sl_state *state, const sl_live *live);
sl_err sl_live_trigger_scene(sl_state *state, const sl_live *live);

#endif
