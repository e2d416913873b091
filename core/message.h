/*
 * The texts that subscribers and people see: WebSocket messages, and the canonical text of an event and of a state.
 * Same state and event, same bytes. Everything is appended to `text`; a text that ran out of memory is `bad`.
 */
#ifndef SL_CORE_MESSAGE_H
#define SL_CORE_MESSAGE_H

#include "core/message_paths.h"
#include "core/reduce.h"
#include "core/text.h"

/* The message of an effect (DIFF_UPDATE, live_event, ERROR; nothing for a group's hint) as a JSON object, without its
 * closing brace: the caller ends it with sl_message_close, which knows whether it is the last of its event. */
void sl_message_effect(sl_text *text, const sl_state *state, const sl_effect *effect);

/* The same for who asked for compact messages: one `shifted` entry where thousands would tell that they moved. False,
 * and nothing written: it is the plain message. */
bool sl_message_effect_compact(sl_text *text, const sl_effect *effect);

/* True if the effect has a message for subscribers, in the call of sl_output.tell. A refusal has one only if it is its
 * source's first of that kind, by the state's own count: so a replay of the log tells the same as the live feed did. */
bool sl_message_is_told(const sl_state *state, const sl_effect *effect);

/* Ends a message: `,"seq":N}` where seq is not 0, else `}`. */
void sl_message_close(sl_text *text, uint64_t seq);

/* {"type":"SEQ","seq":N}: in place of an event's last message that a filter dropped. */
void sl_message_seq(sl_text *text, uint64_t seq);

/* A whole FULL_AST. `log_id` is hex. Brings digests up to date. With `paths` (NULL: everything) only what is at or
 * below them; the nodes above stand there without attributes. */
void sl_message_full_ast(sl_text *text, sl_state *state, const char *log_id, const sl_paths *paths);

/* ERROR with details (may be NULL). */
void sl_message_error(sl_text *text, const char *error, const char *details);

/* A node with its children down to `depth` levels (0: none; -1: all), shaped as in FULL_AST. Digests must be up to
 * date (sl_state_digests). */
void sl_text_node(sl_text *text, const sl_tree *tree, const sl_node *node, int depth);

/* stat's object: {"log_id","head","digest","content_digest","sources":[…],"kernel_drops",…}. */
void sl_message_stat(sl_text *text, sl_state *state, const char *log_id);

/* One line without a newline: seq, time, kind, source, and what the payload says in words, e.g.
 * `12 +3.250s osc 127.0.0.1:52011 #7 /live/track/renamed 0 "Bass"`. `state` names the source (may be NULL). */
void sl_text_event(sl_text *text, const sl_event *event, const sl_state *state);

/* The same as a JSON object: {"seq","time_ns","kind","version","source","session","source_seq","payload":"hex"} plus
 * "text" (the words). This is what export writes and import reads. */
void sl_text_event_json(sl_text *text, const sl_event *event, const sl_state *state);

/* Where a node stands: "project", "tracks[0].clip_slots[3].clip". */
void sl_text_path(sl_text *text, const sl_node *node);

/* A value as JSON; null if it is absent. */
void sl_text_value(sl_text *text, const sl_value *value);

/* The changes of a diff as one short line for people: `tracks[0].name "1-MIDI" -> "Bass"`. */
void sl_text_diff(sl_text *text, const sl_diff *diff);

/* The canonical text of a state: a line per source and per node (path, attributes, in order), for golden files. */
void sl_text_state(sl_text *text, sl_state *state);

#endif
