/*
 * A picture: a whole project tree as bytes, the payload of a picture event. Made by ingest from a snapshot or a save,
 * read by the reducer.
 *
 * Layout, version 1, little-endian: u32 node_count, then each node in the order parent before children, children in
 * their order:
 *   u8 node_type · u8 depth (0: the project) · u32 position (a clip_slot's scene index; else 0)
 *   · text id (u32 length, bytes; length 0: to be made) · u8 attribute_count
 *   · attribute_count x (u8 attribute · u8 value_type · value)
 *   value: null none · bool u8 · int i64 · float 8 bytes IEEE · text and JSON u32 length, bytes
 * node_type, attribute and value_type are the numbers of core/schema.h.
 *
 * Version 2 is of a save: before that stands u64 saved_ns, when the file was written, on the clock of the log's events
 * (0: before serve started; all ones: whatever was said before the picture is older).
 */
#ifndef SL_CORE_PICTURE_H
#define SL_CORE_PICTURE_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/schema.h"
#include "core/tree.h"

enum { SL_PICTURE_VERSION = 1, SL_PICTURE_SAVE_VERSION = 2, SL_PICTURE_DEPTH_MAX = 32, SL_PICTURE_NODES_MAX = 4 << 20 };

/* Why a picture was not taken, for a person. */
typedef struct sl_picture_error {
    const char *what; /* static: "a child where it may not stand" */
    uint32_t node;    /* which node, counted from 0 */
} sl_picture_error;

/* Encoding goes node by node into a writer: begin (leaves room for the count), node, its attributes, …, end. The
 * counts are written back by the next call. */
typedef struct sl_picture_writer {
    sl_writer *out;
    size_t count_position;      /* of node_count */
    size_t attributes_position; /* of the open node's attribute_count */
    uint32_t node_count;
    uint8_t attribute_count;
} sl_picture_writer;

void sl_picture_begin(sl_picture_writer *picture, sl_writer *out);
void sl_picture_node(sl_picture_writer *picture, sl_node_type type, uint8_t depth, uint32_t position, const char *id,
                     size_t id_length);
void sl_picture_attribute(sl_picture_writer *picture, sl_attribute attribute, const sl_value *value);
void sl_picture_end(sl_picture_writer *picture);

/* Writes a whole tree as a picture. SL_ERR_FULL: it does not fit. */
sl_err sl_picture_write(const sl_tree *tree, sl_writer *out);

/* Checks all of a picture's rules (core/TREE.md, "Snapshot") by building a tree in `memory` and throwing it away.
 * SL_ERR_REFUSED with `error` set; SL_ERR_MEMORY. */
sl_err sl_picture_check(const uint8_t *bytes, size_t length, sl_memory memory, sl_picture_error *error);

/* Builds a tree of a picture into `tree`, which must be fresh (only its project node). Made ids read
 * TYPE-`id_prefix`-ORDINAL. Errors as sl_picture_check; the tree is then to be destroyed. */
sl_err sl_picture_build(const uint8_t *bytes, size_t length, const char *id_prefix, sl_tree *tree,
                        sl_picture_error *error);

#endif
