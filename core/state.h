/*
 * The state that the reducer changes, for the files that make it up: state.c (making and reading it), reduce.c (one
 * event), sources.c (who sent), reduce_osc.c (an OSC event), live.c (one message), scene_order.c (runs of
 * scene/reordered), hold.c (events that wait for a picture), compare.c (two trees), effects.c (telling what happened),
 * state_digest.c. Nothing outside core includes this.
 */
#ifndef SL_CORE_STATE_H
#define SL_CORE_STATE_H

#include "core/bytes.h"
#include "core/reduce.h"

enum {
    SL_RUN_COUNT_MAX = 16384,   /* scene/reordered messages in one run */
    SL_HOLD_COUNT_MAX = 4096,   /* events held for one source */
    SL_HOLD_BYTES_MAX = 1 << 20 /* their payloads */
};

/* One scene/reordered, copied out of its datagram. */
typedef struct sl_run_entry {
    uint32_t place;
    uint32_t name_length;
    char *name; /* state's pool */
} sl_run_entry;

typedef struct sl_run {
    sl_run_entry *entries; /* state's pool */
    uint32_t count;
    uint32_t capacity;
    bool is_bad; /* too long, or a place that is none: the order is unknown unless a scene/added follows */
} sl_run;

/* An event that waits, with its payload behind it. */
typedef struct sl_held {
    struct sl_held *next;
    sl_event event;
    uint8_t payload[];
} sl_held;

typedef struct sl_hold {
    bool is_open;        /* a snapshot's last part is there, and what became of it not yet */
    uint32_t part_count; /* of that snapshot; this and the next mean something while is_open */
    uint64_t last_part;  /* number of its last part, or SL_SOURCE_SEQ_NONE */
    sl_held *first;
    sl_held *last;
    uint32_t count;
    size_t size_bytes;
} sl_hold;

/* A source, with what is waiting for it. */
typedef struct sl_source_state {
    sl_source source;
    uint64_t seq_last; /* its newest event in the log: the longest silent source gives way */
    bool has_number;   /* next_source_seq means something */
    sl_run run;
    sl_hold hold;
} sl_source_state;

struct sl_state {
    sl_memory memory;
    sl_pool pool;
    sl_tree *tree;
    sl_tree *former;        /* replaced by a picture in this event; buried before the next */
    sl_node *launched;      /* the first scene whose is_triggered is true, or NULL */
    bool has_more_launched; /* there may be others: a picture brought them */
    uint64_t seq;
    int64_t wall_ns;
    uint64_t kernel_drops;
    uint64_t refused_unnamed;
    uint32_t source_next;
    uint32_t source_count;
    sl_source_state *sources[SL_SOURCES_MAX]; /* by number */
    uint8_t paths[256];                       /* live.c: which row has a path with this hash, plus 1 */

    /* While an event is applied. */
    const sl_output *output;
    const sl_event *event;
    sl_source_state *sender;
    uint64_t seq_num;
    double timestamp;
    const sl_osc_message *message;
    uint32_t ordinal; /* of the next id made */
    sl_diff diff;
    sl_change *changes; /* diff.changes */
};

/* state.c */

/* Sets the two attributes that say whether the tree is stale, without noting it. */
sl_err sl_state_set_stale(sl_state *state, sl_value is_stale, sl_value reason);

/* The first scene of a tree whose is_triggered is true; NULL: none. */
sl_node *sl_state_find_launched(const sl_tree *tree);

/* sources.c */

/* Makes the source of `event` the sender; a new one if nothing named it (any event is taken). */
sl_err sl_state_find_sender(sl_state *state, const sl_event *event);

/* How far `number` is above `next`: mod 2^32 while both are 32-bit numbers, as a sender's counter wraps. */
int64_t sl_state_number_distance(uint64_t number, uint64_t next);

/* The sender's number `count` after `number`: mod 2^32 where it is a 32-bit one. */
uint64_t sl_state_number_after(uint64_t number, uint64_t count);

/* Counts the `count` numbers that begin with event->source_seq, and a hole before them. */
void sl_state_count_numbers(sl_source_state *sender, const sl_event *event, uint64_t count);

/* effects.c */

/* Appends to the diff being made; nothing if nobody listens. */
sl_err sl_state_change(sl_state *state, sl_change change);

/* Tells the diff made so far, if there is any, and begins a new one. */
void sl_state_tell_diff(sl_state *state);

/* Tells the present message as it is, which changed nothing: a live_event, or a group's hint. */
void sl_state_tell_message(sl_state *state, sl_effect_type type);

/* Counts a refusal of the present message and tells it. */
void sl_state_refuse(sl_state *state, sl_refusal refusal);

/* Sets an attribute and notes the change (`type`: MODIFIED or STATE). */
sl_err sl_state_set(sl_state *state, sl_node *node, sl_change_type type, sl_attribute attribute, sl_value value);

/* "SOURCE-SESSION-NUMBER" of the present message. */
void sl_state_write_origin(const sl_state *state, sl_writer *writer);

/* An id for a new node, made from the present message; its length. */
size_t sl_state_make_id(sl_state *state, sl_node_type type, char id[SL_ID_BYTES_MAX]);

/* reduce_osc.c */

/* Takes an OSC event: applies it, or holds it while the sender's events wait. */
sl_err sl_state_take_osc(sl_state *state, const sl_event *event);

/* Applies one whose turn it is. */
sl_err sl_state_apply_osc(sl_state *state, const sl_event *event);

/* live.c */

enum { SL_LIVE_ARGUMENTS_MAX = 6 };

typedef struct sl_live_argument {
    int64_t integer;  /* i, and a boolean as 0 or 1 */
    double number;    /* f */
    const char *text; /* s: a view into the datagram */
    size_t length;
    bool is_given;
} sl_live_argument;

/* A message that follows its row of the table. */
typedef struct sl_live {
    const struct sl_live_row *row;
    size_t argument_count; /* the row's */
    sl_live_argument arguments[SL_LIVE_ARGUMENTS_MAX];
} sl_live;

/* Makes the table of paths; once for a state. */
void sl_live_open(sl_state *state);

/* What a message does to a run of scene/reordered of its sender. `live` may be of a message that was refused. */
typedef enum sl_run_effect { SL_RUN_ENDS, SL_RUN_DROPPED, SL_RUN_GOES_ON } sl_run_effect;
sl_run_effect sl_live_run_effect(const sl_osc_message *message, const sl_live *live);

/* Reads a message: path, argument types, finite floats. Changes nothing. */
sl_refusal sl_live_read(const sl_state *state, const sl_osc_message *message, sl_live *out);

/* Applies a message that sl_live_read took; refuses what names no node. */
sl_err sl_live_apply(sl_state *state, const sl_live *live);

/* scene_order.c */

/* Adds to the sender's run. */
sl_err sl_run_add(sl_state *state, int64_t place, const char *name, size_t name_length);

/* Ends the sender's run, if there is one: drops it before a scene/added, else applies it or finds the order unknown. */
sl_err sl_run_end(sl_state *state, bool is_before_added);

/* Forgets the run and its memory. */
void sl_run_clear(sl_state *state, sl_run *run);

/* hold.c */

/* Keeps a copy of the event for the sender; *is_full when no more may be kept. */
sl_err sl_hold_add(sl_state *state, const sl_event *event, bool *is_full);

/* Whether `event`, a picture or a refusal, tells what became of the snapshot that `sender` waits for: those of earlier
 * ones may come so late. */
bool sl_hold_is_answered(const sl_source_state *sender, const sl_event *event);

/* Applies what is held for `sender`, in order, up to the last part of another snapshot. */
sl_err sl_hold_release(sl_state *state, sl_source_state *sender);

/* Applies all that is held: nothing is waited for any more. */
sl_err sl_hold_release_all(sl_state *state, sl_source_state *sender);

/* Forgets it all (a state's end). */
void sl_hold_clear(sl_state *state, sl_hold *hold);

/* compare.c */

/* Notes, as changes of `state`'s diff, what leads from the former tree to the present one, matching nodes by id. */
sl_err sl_compare(sl_state *state, const sl_tree *former, const sl_tree *present);

#endif
