/* DIFF_UPDATE, part of core/message.h. */
#ifndef SL_CORE_MESSAGE_DIFF_H
#define SL_CORE_MESSAGE_DIFF_H

#include "core/text.h"
#include "core/tree.h"

/* The message without its closing brace. seq_num may be SL_SOURCE_SEQ_NONE: null. Compact: one `shifted` entry
 * {type,parent_id,node_type,from,by,seq_num} stands for the tracks or scenes that moved and for their clip_slots. */
void sl_message_diff(sl_text *text, const sl_diff *diff, uint64_t seq_num, bool is_compact);

/* True if the compact message is another one. */
bool sl_message_diff_has_compact(const sl_diff *diff);

/* The beginning of a node as in FULL_AST, up to and with `"attributes":`. Digests must be up to date. */
void sl_text_node_head(sl_text *text, const sl_node *node);

/* The attributes of a node as a JSON object, positions included while it stands somewhere. */
void sl_text_attributes(sl_text *text, const sl_node *node);

/* Where a child of `type` at `position` of `parent` stands (or stood). */
void sl_text_place(sl_text *text, const sl_node *parent, sl_node_type type, uint32_t position);

#endif
