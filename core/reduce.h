/*
 * The reducer: state + event -> state. The only way in which a view of the log changes.
 *
 * It reads its state and one event, nothing else: no clock, no random, no system call. The same events give the same
 * state, digest for digest, on every CPU and in every build.
 *
 * One thread at a time for a state; states are independent of each other.
 */
#ifndef SL_CORE_REDUCE_H
#define SL_CORE_REDUCE_H

#include "core/digest.h"
#include "core/err.h"
#include "core/event.h"
#include "core/memory.h"
#include "core/osc.h"
#include "core/payload.h"
#include "core/tree.h"

/* Raised whenever the same events would give another digest; said in CHANGELOG.md. */
enum { SL_REDUCER_VERSION = 2 };

typedef struct sl_state sl_state;
typedef struct sl_groove_change sl_groove_change;

/* Why the reducer passed over a message. Stable numbers. */
typedef enum sl_refusal {
    SL_REFUSAL_NONE = 0,
    SL_REFUSAL_PATH,      /* unknown path */
    SL_REFUSAL_TYPES,     /* wrong types */
    SL_REFUSAL_FINITE,    /* a float that is not finite */
    SL_REFUSAL_INDEX,     /* no such index */
    SL_REFUSAL_BUNDLE,    /* a bundle with a message that is one of the first three */
    SL_REFUSAL_MALFORMED, /* a payload that does not follow its format (never from a healthy ingest) */
    SL_REFUSAL_LATE,      /* a picture, when later events of its sender had been applied */
    SL_REFUSAL_FRAME,     /* no SysEx frame: cut off, or nonsense */
    SL_REFUSAL_ASCII,     /* a frame with a byte above 7F inside */
    SL_REFUSAL_FIELDS,    /* too few fields, or too many */
    SL_REFUSAL_VALUE,     /* a field with a value that it cannot have */
    SL_REFUSAL_EVT,       /* an evt that is none of PM Live-Sync's */
    SL_REFUSAL_PATCH,     /* no patch of the share language */
    SL_REFUSAL_COUNT
} sl_refusal;

/* True if the numbers of a session begin at 0 although `first` is the first that came: the ones before it are missing.
 * Else it was joined in the middle. Who says hello says that a run begins, and still has its last 4,096 datagrams: what
 * is missing can be had. Ingest and reducer must agree on it. */
static inline bool sl_numbers_begin_at_zero(uint64_t first, bool has_hello, bool has_picture)
{
    return has_hello ? first < 4096 : first < 64 && has_picture;
}

/* In plain words ("no such index"); static. */
const char *sl_refusal_text(sl_refusal refusal);

/* One source as the log tells of it. Pointers to it are valid until the next sl_reduce. */
typedef struct sl_source {
    uint32_t number;
    uint8_t input; /* an sl_input */
    char name[SL_NAME_BYTES_MAX + 1];
    uint64_t session;
    uint64_t next_source_seq;  /* the number to be applied next in this session; 0 if none is known yet */
    uint64_t unnumbered_count; /* events without a number, in all */
    bool has_hello;            /* it answers resend requests */
    bool has_said;             /* its sender told, by hello or heartbeat: */
    uint64_t said_session;     /* what it calls this run; `session` is another number where the hello came late */
    bool is_paused;
    bool has_open_run;       /* scene/reordered messages wait for what ends them */
    uint64_t gaps;           /* holes that were given up, in all sessions */
    uint64_t gap_size_total; /* numbers missing in them */
    uint64_t recovered;      /* numbers that came after a later one, and in time */
    uint64_t late;           /* events whose number was given up, or had been applied: recorded, not applied */
    uint32_t held_count;     /* events that wait for a number, or for a picture */
    uint32_t held_bytes;
    uint64_t refused[SL_REFUSAL_COUNT];
    sl_source_counts counts; /* the newest counters event's */
} sl_source;

/* What one event did, told while it is applied; a message of a bundle is told on its own. All pointers are valid only
 * during the call, and the state is then as after this message. */
typedef enum sl_effect_type {
    SL_EFFECT_DIFF,        /* the tree changed: diff */
    SL_EFFECT_LIVE_EVENT,  /* message, nothing changed: a cursor */
    SL_EFFECT_REFUSED,     /* message was refused: refusal */
    SL_EFFECT_BAD_SAVE,    /* event says why a save was refused: the tree stays as it was */
    SL_EFFECT_GAP,         /* numbers of `source` were given up: gap */
    SL_EFFECT_GROUP_BEGIN, /* a hint, no message: what follows belongs together … */
    SL_EFFECT_GROUP_END,   /* … until here */
    SL_EFFECT_GROOVE       /* what a sysex or groove_edit event was to the groove: groove. No message; after the diff */
} sl_effect_type;

/* Numbers of a sender that are missing: first, first + 1, … */
typedef struct sl_hole {
    uint64_t first;
    uint64_t count;
} sl_hole;

typedef struct sl_effect {
    sl_effect_type type;
    const sl_event *event;
    uint64_t seq_num;               /* the sender's number of this message, or SL_SOURCE_SEQ_NONE */
    double timestamp;               /* of the wrapper; 0 without */
    const sl_diff *diff;            /* SL_EFFECT_DIFF */
    const sl_osc_message *message;  /* the (inner) message, or NULL when the event is not OSC */
    sl_refusal refusal;             /* SL_EFFECT_REFUSED */
    const char *detail;             /* SL_EFFECT_REFUSED: what was expected (static), or NULL … */
    size_t position;                /* … and where: the byte of the payload, from 0 */
    sl_hole gap;                    /* SL_EFFECT_GAP */
    uint32_t source;                /* SL_EFFECT_GAP: not always the event's, which may be what ended another's wait */
    const sl_groove_change *groove; /* SL_EFFECT_GROOVE: core/groove.h */
} sl_effect;

typedef struct sl_output {
    void (*tell)(void *ctx, const sl_state *state, const sl_effect *effect);
    void *ctx;
} sl_output;

/* The state before the first event: a project without a picture. SL_ERR_MEMORY. The caller destroys it. */
sl_err sl_state_create(sl_memory memory, sl_state **out);
void sl_state_destroy(sl_state *state);

/* Applies `event`, which must be the next one (event->seq = sl_state_seq + 1; asserted). Whatever its bytes are, it is
 * taken: what cannot be applied is counted. `output` may be NULL: then nothing is told (and diffs cost nothing).
 * SL_ERR_MEMORY: the state is unusable from here on and can only be destroyed. */
sl_err sl_reduce(sl_state *state, const sl_event *event, const sl_output *output);

/* What sounds when (core/schedule.h); NULL: the log has no score, transport or applied event yet. Valid until the next
 * sl_reduce. */
typedef struct sl_schedule sl_schedule;
const sl_schedule *sl_state_schedule(const sl_state *state);

/* True if there is no schedule, but a groove box plays: a player then appends an applied event (through the present
 * number), with which the schedule appears, the groove's lanes and play in it. So a log in which nobody plays what a
 * groove box says has no schedule. */
bool sl_state_awaits_mark(const sl_state *state);

/* What the last event gave the schedule besides what sl_schedule_take reads in it: how many, in order. For whoever
 * keeps a schedule of its own; an event with which the schedule appears tells nothing: it is in it. Views, valid until
 * the next sl_reduce. */
typedef struct sl_follow sl_follow;
size_t sl_state_follows(const sl_state *state, const sl_follow **out);

/* Number of the last event applied; 0 before the first. */
uint64_t sl_state_seq(const sl_state *state);

/* The project tree; lives as long as the state, changes with every sl_reduce. */
sl_tree *sl_state_tree(sl_state *state);
const sl_tree *sl_state_tree_view(const sl_state *state);

/* The last SL_SOURCES_MAX sources heard of (symlog itself, number 0, is one), by number: index 0 …; NULL at the end. */
const sl_source *sl_state_source_at(const sl_state *state, size_t index);

/* One above the highest source number that any event has used; at least 1. */
uint32_t sl_state_source_next(const sl_state *state);

/* The source so numbered, or NULL. */
const sl_source *sl_state_source(const sl_state *state, uint32_t number);

/* The numbers that a source's held events wait for, lowest first: at most `max`; returns how many holes there are.
 * Where there are more, the last of those given reaches to the end of all. For ingest, which goes on asking for them
 * after a restart. */
size_t sl_state_holes(const sl_state *state, uint32_t source, sl_hole *holes, size_t max);

/* The number after the highest that a source sent, or that its heartbeat told of, in this session; 0 if none is known.
 */
uint64_t sl_state_source_end(const sl_state *state, uint32_t source);

/* True if the log had a picture: then what a session's first numbers are missing is a gap. */
bool sl_state_has_picture(const sl_state *state);

uint64_t sl_state_kernel_drops(const sl_state *state);
/* The digest (XXH3-128) of the file of the newest save; zero if there is none. */
sl_digest sl_state_last_save(const sl_state *state);

uint64_t sl_state_refused_unnamed(const sl_state *state);

/* The last start event's wall clock (Unix time at time_ns 0); 0 before the first. */
int64_t sl_state_wall_ns(const sl_state *state);

/* content: the tree's types, values and order; compares mirrors. state: everything; what checkpoints prove. Brings the
 * digests up to date first, hence not const. Either may be NULL. */
void sl_state_digests(sl_state *state, sl_digest *content, sl_digest *whole);

/* Bytes of memory that the state holds. */
size_t sl_state_size_bytes(const sl_state *state);

#endif
