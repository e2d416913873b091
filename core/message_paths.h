/*
 * Paths as subscribers name them: "tracks[0]", "scenes" (the whole list), "tracks[2].clip_slots[3].clip". Where one
 * stands in relation to others; no tree is needed for that.
 */
#ifndef SL_CORE_MESSAGE_PATHS_H
#define SL_CORE_MESSAGE_PATHS_H

#include "core/text.h"
#include "core/tree.h"

enum { SL_PATHS_MAX = 16, SL_PATH_DEPTH_MAX = 8 };

/* "tracks[0]", "clip", or as the last one of a path "scenes". */
typedef struct sl_path_segment {
    uint8_t type; /* an sl_node_type */
    bool has_index;
    uint32_t index;
} sl_path_segment;

/* Of a path that is deeper only its first SL_PATH_DEPTH_MAX + 1 segments are kept: enough to compare it with one that
 * is not. The project has none. */
typedef struct sl_path {
    uint8_t count;
    sl_path_segment segments[SL_PATH_DEPTH_MAX + 1];
} sl_path;

/* What a subscriber wants to see: what is at or below one of these. None: everything. */
typedef struct sl_paths {
    size_t count;
    sl_path paths[SL_PATHS_MAX];
} sl_paths;

typedef enum sl_path_place {
    SL_PATH_OUTSIDE,
    SL_PATH_ABOVE, /* something wanted may stand below it */
    SL_PATH_INSIDE /* wanted */
} sl_path_place;

/* False: not a path. */
bool sl_path_parse(sl_path *out, const char *bytes, size_t length);

/* "tracks[0],scenes"; one that is "project" wants everything. False: not a list of paths, or one that is too long (at
 * most SL_PATHS_MAX of at most SL_PATH_DEPTH_MAX segments). */
bool sl_paths_parse(sl_paths *out, const char *bytes, size_t length);

sl_path_place sl_paths_place(const sl_paths *paths, const sl_path *path);

/* True if, when a node comes or goes at `path`, its later siblings move into or out of one of the paths, or it is
 * itself above one: what a path names is then another node. */
bool sl_paths_change_by(const sl_paths *paths, const sl_path *path);

/* True if a node that goes from one path to another enters or leaves one of the paths, or is above one. */
bool sl_paths_change_by_move(const sl_paths *paths, const sl_path *before, const sl_path *after);

/* What happens to the paths when the tracks or scenes (`type`) from place `from` on move, with their clip_slots: ABOVE:
 * one names another node now; INSIDE: nodes at or below one moved, and stay there; OUTSIDE: nothing. */
sl_path_place sl_paths_shift(const sl_paths *paths, sl_node_type type, uint32_t from);

/* Appends the node as in FULL_AST (sl_text_node) as far as it is wanted. `paths` may be NULL. */
void sl_text_node_at(sl_text *text, const sl_tree *tree, const sl_node *project, const sl_paths *paths);

#endif
