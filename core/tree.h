/*
 * The project as a tree: nodes with typed attributes, ordered children, parent links, ids and digests.
 *
 * Costs: reading or setting an attribute, finding a child by position: O(1) but for a scan over the list's blocks.
 * Insert, removal, shift: one block of the list. Digests are brought up to date when asked, along what changed; a
 * change only marks the node and its ancestors, so that no digest is ever stale and none is computed in vain.
 *
 * Positions are not stored in nodes: a node's place is where it stands, so a scene pushed down costs its slots
 * nothing. One thread at a time.
 */
#ifndef SL_CORE_TREE_H
#define SL_CORE_TREE_H

#include "core/digest.h"
#include "core/err.h"
#include "core/memory.h"
#include "core/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_ID_BYTES_MAX = 95, SL_POSITION_MAX = 1 << 24 };

typedef struct sl_tree sl_tree;
typedef struct sl_block sl_block; /* core/list.h */
typedef struct sl_list sl_list;

/* An id to be copied, borrowed during the call. */
typedef struct sl_id {
    const char *bytes;
    size_t length; /* 1 to SL_ID_BYTES_MAX */
} sl_id;

/* Read-only outside tree.c; valid until removed and then until sl_tree_bury. */
typedef struct sl_node {
    sl_block *home;               /* where it stands; NULL: the project, or removed */
    sl_list *lists;               /* its children, one list for each type of sl_schema_children */
    const char *id;               /* not NUL-terminated; unique in the tree */
    struct sl_node *next_removed; /* tree.c: removed nodes, until sl_tree_bury */
    sl_digest content;            /* of the subtree: types, values, order; current unless is_dirty */
    sl_digest whole;              /* the same with ids and staleness */
    uint8_t id_length;
    uint8_t type;      /* an sl_node_type */
    bool is_dirty;     /* digests are not up to date; then the parent's is set too */
    bool is_moving;    /* core/compare.c: its place among its siblings changed */
    sl_value values[]; /* by sl_schema_slot; SL_VALUE_ABSENT where there is none, never SL_VALUE_NULL */
} sl_node;

/* A tree of one project node without attributes, id "project". SL_ERR_MEMORY. */
sl_err sl_tree_create(sl_memory memory, sl_tree **out);
void sl_tree_destroy(sl_tree *tree);

sl_node *sl_tree_project(const sl_tree *tree);
size_t sl_tree_node_count(const sl_tree *tree);
size_t sl_tree_size_bytes(const sl_tree *tree);

/* NULL for the project and for a removed node. */
sl_node *sl_node_parent(const sl_node *node);

/* Where it stands in its parent's list of its type; 0 for the project. */
uint32_t sl_node_position(const sl_node *node);

/* Places in the list of children of `type`, empty ones included. 0 if there are none, or may be none. */
uint32_t sl_node_child_count(const sl_node *node, sl_node_type type);

/* The child of `type` at `position`; NULL if there is none, or the place is empty. */
sl_node *sl_node_child(const sl_node *node, sl_node_type type, uint32_t position);

/* The stored value; one of type SL_VALUE_ABSENT if the node's type has no such attribute. Positions (index …) are
 * computed. Text is valid until the attribute changes. */
sl_value sl_node_value(const sl_node *node, sl_attribute attribute);

/* The node with this id or NULL. */
sl_node *sl_tree_find(const sl_tree *tree, const char *id, size_t id_length);

/* The node at a path ("project", "tracks[0].devices[1]") or NULL. */
sl_node *sl_tree_find_path(const sl_tree *tree, const char *path, size_t path_length);

/* Changes. All return SL_ERR_MEMORY when memory has run out: the tree can then only be destroyed. */

/* A new node before `position` (<= count) of the parent's list; the later ones move up. `id` is copied and must be
 * free; the type must be allowed there (asserted). */
sl_err sl_tree_insert(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position, sl_id id, sl_node **out);

/* A new node at an empty place, or beyond the end: places between become empty ones. */
sl_err sl_tree_place(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position, sl_id id, sl_node **out);

/* Takes the node, and all below it, out. Its place closes up if `close`, else it becomes empty. The nodes stay readable
 * until sl_tree_bury. */
void sl_tree_remove(sl_tree *tree, sl_node *node, bool close);

/* Opens an empty place before `position`, or closes the empty place there; beyond the end nothing happens. */
sl_err sl_tree_open_place(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position);
void sl_tree_close_place(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t position);

/* Reorders: the child (or empty place) now at from[i] goes to place at[i], for i < count. Both arrays hold the same
 * set of positions. Places beyond the end count as empty. */
sl_err sl_tree_permute(sl_tree *tree, sl_node *parent, sl_node_type type, const uint32_t *at, const uint32_t *from,
                       size_t count);

/* Takes the child (or empty place) at `from` out and puts it in at place `to`; those between move by one. Places beyond
 * the end count as empty. */
sl_err sl_tree_move(sl_tree *tree, sl_node *parent, sl_node_type type, uint32_t from, uint32_t to);

/* Sets an attribute that the type stores (asserted); text is copied; null takes the value away. *old (may be NULL) is
 * the value before, its text valid until sl_tree_bury. *changed (may be NULL) is false if it had that value already. */
sl_err sl_tree_set(sl_tree *tree, sl_node *node, sl_attribute attribute, sl_value value, sl_value *old, bool *changed);

/* Gives the node another id, which must be free. */
sl_err sl_tree_rename(sl_tree *tree, sl_node *node, sl_id id);

/* Frees what was removed or replaced since the last call. Done by the reducer before each event. */
void sl_tree_bury(sl_tree *tree);

/* Brings all digests up to date: afterwards each node's `content` and `whole` are current. */
void sl_tree_digest(sl_tree *tree);

/* A node's own digest: type and attributes without its children. */
sl_digest sl_node_own_digest(const sl_node *node);

/*
 * What changed. A diff is a list of changes in the order removed, modified, added, told to whoever listens while
 * removed nodes and old values are still readable.
 */
typedef enum sl_change_type {
    SL_CHANGE_REMOVED,  /* node (removed) stood at place `position` of `parent` (NULL: where its links say) */
    SL_CHANGE_MODIFIED, /* node's attribute: old_value, new_value. Adjacent ones of a node make one message entry */
    SL_CHANGE_STATE,    /* the same for what changes often */
    SL_CHANGE_SHIFTED,  /* the tracks (node: the project, child: track) or scenes from place `position` on now stand
                           `by` further; their clip_slots with them */
    SL_CHANGE_PERMUTED, /* scenes: the one now at at[i] stood at from[i]; their clip_slots with them */
    SL_CHANGE_ADDED     /* node, where it now stands */
} sl_change_type;

typedef struct sl_change {
    uint8_t type;      /* an sl_change_type */
    uint8_t attribute; /* an sl_attribute */
    uint8_t child;     /* SHIFTED: an sl_node_type */
    int8_t by;         /* SHIFTED: +1 or -1 */
    uint32_t position; /* REMOVED, SHIFTED (the first place that moved, as it is now) */
    const sl_node *node;
    const sl_node *parent; /* REMOVED; NULL: see above */
    const sl_node *place;  /* MODIFIED: a node of the former tree that tells the path; NULL: node itself */
    sl_value old_value;
    sl_value new_value;
    const uint32_t *at; /* PERMUTED */
    const uint32_t *from;
    uint32_t count;
} sl_change;

typedef struct sl_diff {
    const sl_change *changes;
    size_t count;
    size_t capacity;
} sl_diff;

#endif
