/*
 * What differs between two trees, as a musician reads it: grouped as Live groups it, one line a difference.
 *
 *     Tempo: 120.0 -> 199.99
 *     Track "Bass"
 *       Device "EQ Eight"
 *         Bands.0/ParameterA/Freq: 2500.0 -> 3200.0
 *       Clip "Loop"
 *         Notes: 3 added, 1 removed
 *
 * Nodes are matched by id below the same parent. What another line says already is left out: an index that moved
 * because something was inserted before it, a count of notes, a slot that came with its scene, a track's mute in its
 * mixer, that a parameter is automated. Of children in another order as few as possible have moved.
 */
#ifndef SL_TOOLS_TREE_DIFF_H
#define SL_TOOLS_TREE_DIFF_H

#include "core/tree.h"
#include "tools/symlog/printer.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sl_tree_diff_counts {
    size_t added, removed, moved; /* nodes, each with all below it as one */
    size_t changed;               /* attributes */
} sl_tree_diff_counts;

/* Prints what leads from one tree to the other; only counts if `printer` is NULL. Both have digests up to date
 * (sl_tree_digest): what is equal is not walked through. False: nobody reads on, or memory ran out. */
bool sl_tree_diff_print(sl_printer *printer, const sl_tree *from, const sl_tree *to, sl_tree_diff_counts *counts);

#endif
