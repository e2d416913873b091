/*
 * The groove box as the log tells of it: what plays, who is on the line, which set lists there are. Changed by the
 * events sysex, sysex_sent, groove_edit, setlists (core/payload.h), and by session and start, which begin connections
 * anew; shown in the tree as groove, lane and step nodes (core/TREE.md, "The groove").
 *
 * What the driver of the ports needs: this view, the effect SL_EFFECT_GROOVE after each event, and the frames that
 * symlog says as a peer. What is due when is not known here.
 */
#ifndef SL_CORE_GROOVE_H
#define SL_CORE_GROOVE_H

#include "core/payload.h"
#include "core/reduce.h"
#include "core/sysex.h"

enum {
    SL_GROOVE_ORIGIN_BYTES = 8, /* of symlog's own origin */
    SL_GROOVE_DEVICE_BYTES_MAX = 63,
    SL_GROOVE_SEQ_FIRST = 1 /* the number of symlog's first frame */
};

/* A source that frames came from. */
typedef struct sl_groove_peer {
    uint32_t source;
    uint64_t session;
    bool is_armed;      /* HELLO, FULL or DELTA was heard in this session, and no BYE after it */
    uint64_t heard_seq; /* the log's number of its newest frame of Live-Sync */
    uint64_t seq;       /* of its newest DELTA since HELLO, if has_seq: */
    bool has_seq;
    uint8_t origin_length;                  /* 0: none yet */
    char origin[SL_SYSEX_ORIGIN_BYTES_MAX]; /* of its newest frame of Live-Sync */
} sl_groove_peer;

/* Valid until the next sl_reduce. */
typedef struct sl_groove {
    const char *patch; /* canonical, tempo and volume in it */
    size_t patch_length;
    bool is_known; /* a FULL, DELTA or edit has said something; until then: stopped, -1/-1, t120;beep:4 */
    bool is_running;
    int32_t set_list; /* index, or -1 */
    int32_t item;
    const char *title; /* of the item, where a list that symlog has names it; else "" */
    size_t title_length;
    char device_id[SL_GROOVE_DEVICE_BYTES_MAX + 1]; /* from the version reply: "K" of "K;0.0.23"; "" before */
    uint32_t device_source;                         /* that said it, … */
    uint64_t device_seq;                            /* … in this event; 0: none */
    uint64_t own_seq;                               /* the highest number in a frame that symlog said; 0: none */
    uint64_t changed_seq;                           /* the last event that changed what FULL says; 0: none … */
    uint32_t changed_source;                        /* … and its source */
    const uint8_t *setlists;                        /* the last setlists event's payload; NULL: none */
    size_t setlists_length;
    uint32_t list_count;         /* built in; "My edits" is list number list_count, once it has an item */
    uint32_t edit_count;         /* items of "My edits" */
    const sl_groove_peer *peers; /* by source number */
    uint32_t peer_count;
} sl_groove;

/* NULL as long as no event told of a groove. */
const sl_groove *sl_state_groove(const sl_state *state);

/* The peer of that source, or NULL. */
const sl_groove_peer *sl_groove_peer_of(const sl_state *state, uint32_t source);

/* What an event was to the groove: the effect's `groove`, told once after its diff for each sysex and groove_edit event
 * that was not refused, and for a setlists event that moved "My edits" away under its selected item (an EDIT). */
typedef enum sl_groove_what {
    SL_GROOVE_HELLO, /* a peer is there and wants a FULL */
    SL_GROOVE_FULL,
    SL_GROOVE_DELTA,
    SL_GROOVE_BYE,
    SL_GROOVE_EDIT,      /* of a client */
    SL_GROOVE_ECHO,      /* symlog's own origin: dropped, and not to be passed on */
    SL_GROOVE_DUPLICATE, /* likewise, origin and seq of the source's last one */
    SL_GROOVE_OTHER      /* not Live-Sync: recorded; to be passed on */
} sl_groove_what;

struct sl_groove_change {
    uint8_t what;    /* an sl_groove_what */
    bool is_changed; /* what FULL says is not what it was */
    bool wants_full; /* only a FULL tells the others: a lane or patch edit, or a copy into "My edits" */
    uint8_t op;      /* OTHER: an sl_sysex_op; 0: another manufacturer's */
    const char *evt; /* EDIT and DELTA, unless lane= or patch=: canonical ("bpm=300"); else "" */
    size_t evt_length;
};

/* symlog's own origin: 's' and 7 hex digits, which follow from the last start event; not NUL-terminated. */
void sl_groove_origin(const sl_state *state, char origin[SL_GROOVE_ORIGIN_BYTES]);

/* Frames that symlog says, with its origin; `seq` is above every one before (sl_groove.own_seq). At most
 * SL_SYSEX_FRAME_BYTES_MAX; SL_ERR_FULL: `out` has less room. The groove may be NULL still: FULL then says the default.
 */
sl_err sl_groove_write_hello(const sl_state *state, sl_writer *out);
sl_err sl_groove_write_bye(const sl_state *state, sl_writer *out);
sl_err sl_groove_write_full(const sl_state *state, uint64_t seq, sl_writer *out);
sl_err sl_groove_write_delta(const sl_state *state, uint64_t seq, const char *evt, size_t evt_length, sl_writer *out);

/* What would become of a groove_edit with this text now, changing nothing: SL_REFUSAL_NONE, or why not; *detail is then
 * what was expected (static; NULL: nothing to add) and *position where. For who is to answer before it is logged.
 * `memory` is for the time of the call; SL_REFUSAL_MALFORMED also where there is none. */
sl_refusal sl_groove_check_edit(const sl_state *state, sl_memory memory, const char *edit, size_t length,
                                const char **detail, size_t *position);

/* Set lists: title and items of a built-in list or of "My edits" (index list_count). Texts live as sl_groove.
 * SL_ERR_NOT_FOUND: no such list, or item. */
typedef struct sl_groove_item {
    const char *name;
    size_t name_length;
    const char *patch; /* as it was given */
    size_t patch_length;
} sl_groove_item;
sl_err sl_groove_list_at(const sl_state *state, uint32_t list, const char **title, size_t *title_length,
                         uint32_t *item_count);
sl_err sl_groove_item_at(const sl_state *state, uint32_t list, uint32_t item, sl_groove_item *out);

#endif
