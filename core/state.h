/*
 * The state that the reducer changes, for the files that make it up: state.c (making and reading it), reduce.c (one
 * event), sources.c (who sent), reduce_osc.c (an OSC event), live.c (one message), scene_order.c (runs of
 * scene/reordered), turn.c (a sender's events in its own order), compare.c (two trees), effects.c (telling what
 * happened), state_codec.c, state_digest.c. Nothing outside core includes this.
 */
#ifndef SL_CORE_STATE_H
#define SL_CORE_STATE_H

#include "core/bytes.h"
#include "core/number.h"
#include "core/reduce.h"

enum {
    SL_RUN_COUNT_MAX = 16384,    /* scene/reordered messages in one run */
    SL_HOLD_COUNT_MAX = 4096,    /* events held for one source */
    SL_HOLD_BYTES_MAX = 1 << 20, /* their payloads */
    SL_RECENT_COUNT_MAX = 4096,  /* events remembered for a save that is on its way */
    SL_RECENT_BYTES_MAX = 1 << 20
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
    uint64_t number_count; /* that it stands for */
    bool is_answered;      /* it ends a snapshot, and what became of that is in the log already */
    uint8_t payload[];
} sl_held;

typedef struct sl_hold {
    bool is_waiting;     /* a snapshot's last part is there, and what became of it not yet */
    uint64_t part_count; /* of that snapshot; this and the next are 0 while nothing is waited for */
    uint64_t last_part;  /* the number of its last part, or SL_SOURCE_SEQ_NONE */
    bool gives_up;       /* no number up to given_up is waited for */
    uint64_t given_up;
    sl_held *first; /* by number */
    sl_held *last;
    uint32_t count;
    size_t size_bytes;
} sl_hold;

#define SL_RECENT_NS_MAX (60 * UINT64_C(1000000000))

/* An event that was applied, with its payload behind it. */
typedef struct sl_recent {
    struct sl_recent *next;
    sl_event event;
    uint64_t unnumbered_count; /* the source's, when it was applied: it stands in ids */
    uint8_t payload[];
} sl_recent;

typedef struct sl_recents {
    bool is_kept;       /* a project file is a source of this log */
    bool has_forgotten; /* some of this run are not here any more, the newest of */
    uint64_t forgotten_ns;
    bool is_save_open;   /* what was made of the newest save is not in the log yet */
    sl_digest last_save; /* XXH3-128 of the newest save's file; zero: there is none */
    sl_recent *first;    /* in the order in which they were applied */
    sl_recent *last;
    uint32_t count;
    size_t size_bytes;
} sl_recents;

/* A source, with what is waiting for it. */
typedef struct sl_source_state {
    sl_source source;
    uint64_t seq_last; /* its newest event in the log: the longest silent source gives way */
    bool has_number;   /* next_source_seq means something */
    bool has_horizon;  /* a heartbeat told: */
    uint64_t horizon;  /* the number that the sender will use next */
    sl_run run;
    sl_hold hold;
} sl_source_state;

typedef struct sl_kept_code sl_kept_code; /* core/code.h */

typedef struct sl_kept_codes {
    sl_kept_code *first;
    uint32_t count;
    size_t size_bytes; /* of the sources */
} sl_kept_codes;

struct sl_groove_state; /* core/groove_internal.h */
struct sl_schedule;     /* core/schedule.h */
struct sl_parameters;
struct sl_follow;

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
    sl_recents recents;
    struct sl_groove_state *groove; /* pool's; NULL as long as no event told of one */
    struct sl_schedule *schedule;   /* NULL as long as no event told of live code; and */
    sl_node *session;               /* its node */
    sl_kept_codes pending;          /* core/buffers.h */
    sl_kept_codes buffers;
    struct sl_parameters *parameters; /* core/parameters.h; pool's; NULL as long as no event set one */
    int64_t mark_wall_ns;             /* of the newest applied event; 0: none */
    uint8_t paths[256];               /* live.c: which row has a path with this hash, plus 1 */

    /* While an event is applied. */
    const sl_output *output;
    const sl_event *event;
    sl_source_state *sender;
    uint64_t seq_num;
    double timestamp;
    const sl_osc_message *message;
    uint32_t ordinal;          /* of the next id made */
    bool is_answered;          /* see sl_held */
    bool is_again;             /* reconcile.c applies what was applied before to a picture's tree */
    struct sl_follow *follows; /* what the event gave the schedule */
    uint32_t follow_count;
    uint32_t follow_capacity;
    uint8_t *lanes_bytes; /* what the last of them points at */
    size_t lanes_capacity;
    sl_diff diff;
    sl_change *changes; /* diff.changes */
};

/* state.c */

/* Makes the tree stale with a reason, and notes the change. */
sl_err sl_state_go_stale(sl_state *state, sl_value reason);

/* True for the stale_reason of a log that never had a picture. */
bool sl_state_is_without_picture(sl_value stale_reason);

/* Sets the two attributes that say whether the tree is stale, without noting it. */
sl_err sl_state_set_stale(sl_state *state, sl_value is_stale, sl_value reason);

/* The first scene of a tree whose is_triggered is true; NULL: none. */
sl_node *sl_state_find_launched(const sl_tree *tree);

/* sources.c */

/* Makes the source of `event` the sender; a new one if nothing named it (any event is taken). */
sl_err sl_state_find_sender(sl_state *state, const sl_event *event);

/* Takes a source out of the table; what it holds is given up first. */
sl_err sl_state_drop_source(sl_state *state, uint32_t index);

/* effects.c */

/* Appends to the diff being made; nothing if nobody listens. */
sl_err sl_state_change(sl_state *state, sl_change change);

/* Tells the diff made so far, if there is any, and begins a new one. */
void sl_state_tell_diff(sl_state *state);

/* Tells the present message as it is, which changed nothing: a live_event, or a group's hint. */
void sl_state_tell_message(sl_state *state, sl_effect_type type);

/* Tells that numbers of a source were given up. */
void sl_state_tell_gap(sl_state *state, uint32_t source, sl_hole gap);

/* Counts a refusal of the present message and tells it. */
void sl_state_refuse(sl_state *state, sl_refusal refusal);

/* The same of a payload: what was expected (static, or NULL), and at which byte. */
void sl_state_refuse_at(sl_state *state, sl_refusal refusal, const char *detail, size_t position);

/* Tells what the present event was to the groove. */
void sl_state_tell_groove(sl_state *state, const sl_groove_change *change);

/* Sets an attribute and notes the change (`type`: MODIFIED or STATE). */
sl_err sl_state_set(sl_state *state, sl_node *node, sl_change_type type, sl_attribute attribute, sl_value value);

/* "SOURCE-SESSION-NUMBER" of the present message. */
void sl_state_write_origin(const sl_state *state, sl_writer *writer);

/* An id for a new node, made from the present message; its length. */
size_t sl_state_make_id(sl_state *state, sl_node_type type, char id[SL_ID_BYTES_MAX]);

/* reduce_osc.c */

/* Applies an OSC event whose turn it is. */
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

/* turn.c */

/* Takes an OSC event of the sender: applies it, with all that waited for it; or holds it; or, when the hold is full,
 * gives up what is waited for first. */
sl_err sl_turn_take(sl_state *state, const sl_event *event);

/* Waits for no number up to `through`. */
sl_err sl_turn_give_up(sl_state *state, sl_source_state *sender, uint64_t through);

/* True if `event` says what became of the snapshot that the sender's events wait for. */
bool sl_turn_is_answer(const sl_source_state *sender, const sl_event *event);

/* Says in the held event that `event` answers, if there is one, that nothing is to wait for that answer. */
void sl_turn_note_answer(sl_source_state *sender, const sl_event *event);

/* No answer will come to anything that the log has so far: neither waits for one, nor will what is held. */
sl_err sl_turn_forget_answers(sl_state *state, sl_source_state *sender);

/* Waits for the picture no longer. */
sl_err sl_turn_release(sl_state *state, sl_source_state *sender);

/* Gives up all that is waited for: the session ends. */
sl_err sl_turn_close(sl_state *state, sl_source_state *sender);

/* A picture has come that stands for all numbers up to `last`. */
sl_err sl_turn_skip(sl_state *state, sl_source_state *sender, uint64_t last);

/* True if something behind `last` has been applied. */
bool sl_turn_is_past(const sl_source_state *sender, uint64_t last);

/* True if something of the sender is known to be missing, or is held. */
bool sl_turn_is_waiting(const sl_source_state *sender);

/* A heartbeat told that the sender's next number will be `next`. */
void sl_turn_hear(sl_state *state, uint64_t next);

/* Holds an event behind all that the sender's hold has: for a state that is loaded. */
sl_err sl_hold_append(sl_state *state, const sl_event *event, uint64_t number_count, bool is_answered);

/* state_codec.c */

/* Puts out everything of a state but its tree, piece by piece: for its bytes, and for its digest. */
typedef void (*sl_state_put)(void *ctx, const void *bytes, size_t length);
void sl_state_encode_rest(const sl_state *state, sl_state_put put, void *ctx);

/* reconcile.c */

/* Remembers an OSC event of the sender that is being applied. */
sl_err sl_recents_note(sl_state *state, const sl_event *event);

/* Likewise, for a state that is loaded. */
sl_err sl_recents_append(sl_state *state, const sl_event *event, uint64_t unnumbered_count);

/* A snapshot is the picture of now: a save that is older has nothing to add, and would undo it. */
void sl_recents_forget(sl_state *state);

/* A new run of serve: its time begins at 0. */
void sl_recents_clear(sl_state *state);

/* state->tree is a save's, of the time saved_ns, state->former the tree before: keeps what the save does not tell, and
 * applies once more what came after it. */
sl_err sl_reconcile(sl_state *state, uint64_t saved_ns);

/* compare.c */

/* Notes, as changes of `state`'s diff, what leads from the former tree to the present one, matching nodes by id. */
sl_err sl_compare(sl_state *state, const sl_tree *former, const sl_tree *present);

#endif
