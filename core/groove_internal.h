/*
 * The groove's part of the state, for the files that make it up: groove.c (making and reading it, the frames that it
 * says), groove_event.c (one event), groove_evt.c (what one evt would do), groove_lists.c (set lists), groove_tree.c
 * (its nodes), groove_codec.c (its bytes).
 */
#ifndef SL_CORE_GROOVE_INTERNAL_H
#define SL_CORE_GROOVE_INTERNAL_H

#include "core/groove.h"
#include "core/patch.h"
#include "core/state.h"

enum {
    SL_GROOVE_EDITS_MAX = 1024,         /* items of "My edits" … */
    SL_GROOVE_EDITS_BYTES_MAX = 1 << 20 /* … and their texts */
};

/* An item of "My edits"; the texts are the pool's, name first. */
typedef struct sl_groove_edited {
    char *text;
    uint32_t name_length;
    uint32_t patch_length;
} sl_groove_edited;

/* About 170 KB, taken when the first event of a groove comes. */
typedef struct sl_groove_state {
    sl_groove view;
    sl_node *node; /* the groove in the tree; NULL: not shown yet */
    sl_patch patch;
    sl_patch next; /* what an event makes of it, until it is taken over */
    char text[SL_PATCH_TEXT_BYTES_MAX];
    char next_text[SL_PATCH_TEXT_BYTES_MAX];
    sl_groove_peer peers[SL_SOURCES_MAX];
    uint8_t *setlists;       /* pool's; view.setlists */
    sl_groove_edited *edits; /* pool's */
    uint32_t edit_capacity;
    size_t edit_bytes;
} sl_groove_state;

/* What an event wants the groove to be; the patch stands in a patch beside it. */
typedef struct sl_groove_plan {
    bool is_running;
    int32_t set_list;
    int32_t item;
    bool is_edit;    /* of the program: one of a built-in list is copied first */
    bool wants_full; /* no evt says it */
    uint8_t evt_length;
    char evt[SL_SYSEX_EVT_BYTES_MAX]; /* canonical */
    const char *detail;               /* where it was refused: what was expected, or NULL … */
    size_t position;                  /* … and where */
} sl_groove_plan;

/* groove.c */

/* Makes the groove part, if there is none. */
sl_err sl_groove_open(sl_state *state);

/* The source's peer, made anew for another session; NULL only if there is none and `make` is false. */
sl_groove_peer *sl_groove_find_peer(sl_groove_state *groove, uint32_t source, uint64_t session, bool make);

/* The groove before anything is known of it. */
void sl_groove_default_patch(sl_patch *patch);

/* groove_evt.c */

/* What evt (or, with `is_client`, "patch=") would make of the groove: `patch` holds the present one, and is changed.
 * `groove` may be NULL. */
sl_refusal sl_groove_plan_evt(const sl_groove_state *groove, const char *text, size_t length, bool is_client,
                              sl_patch *patch, sl_groove_plan *plan);

/* Reads a patch that is to be played now: where it names no tempo, or volume, `now` has them. */
sl_refusal sl_groove_plan_patch(const char *text, size_t length, sl_patch *patch, sl_groove_plan *plan);

/* groove_event.c */

sl_err sl_groove_take_sysex(sl_state *state, const sl_event *event);
sl_err sl_groove_take_sent(sl_state *state, const sl_event *event);
sl_err sl_groove_take_edit(sl_state *state, const sl_event *event);
sl_err sl_groove_take_setlists(sl_state *state, const sl_event *event);

/* A connection of the present sender begins anew; serve begins anew; a source is forgotten. */
void sl_groove_take_session(sl_state *state, const sl_event *event);
void sl_groove_take_start(sl_state *state);
void sl_groove_forget(sl_state *state, uint32_t source);

/* groove_lists.c */

/* Puts other built-in lists in force (`payload` is a good one). */
sl_err sl_groove_put_setlists(sl_state *state, const uint8_t *payload, size_t length);

/* Appends to "My edits". SL_ERR_FULL: it has no room. */
sl_err sl_groove_append_edit(sl_state *state, const char *name, size_t name_length, const char *patch, size_t length);

/* Puts another patch in place of that of an item of "My edits". SL_ERR_FULL: there is no room. */
sl_err sl_groove_replace_edit(sl_state *state, uint32_t item, const char *patch, size_t length);

/* Finds an item of any list. SL_ERR_NOT_FOUND. */
sl_err sl_groove_find_item(const sl_groove_state *groove, int32_t list, int32_t item, sl_groove_item *out);

/* Brings view.title up to date. */
void sl_groove_find_title(sl_groove_state *groove);

/* groove_tree.c */

/* Shows groove->next, with the plan's other values, in place of groove->patch, and notes what changed. */
sl_err sl_groove_show(sl_state *state, const sl_groove_plan *plan, const char *text, size_t length);

/* Shows a device's id. */
sl_err sl_groove_show_device(sl_state *state);

/* Puts the groove of the former tree into the present one, before the grooves that a picture brought. */
sl_err sl_groove_carry(sl_state *state);

/* True if the nodes below groove->node are those of groove->patch. */
bool sl_groove_fits(const sl_groove_state *groove);

/* groove_codec.c */

/* The groove's bytes, behind the sources. */
void sl_groove_encode(const sl_groove_state *groove, sl_state_put put, void *ctx);

/* Reads them into a state whose sources are read. *node is the id of the groove's node, a view into the reader's bytes:
 * whoever has the tree finds it, and asks sl_groove_fits. SL_ERR_MALFORMED; SL_ERR_MEMORY. */
sl_err sl_groove_decode(sl_state *state, sl_reader *reader, sl_id *node);

#endif
