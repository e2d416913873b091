/*
 * The schedule: what sounds when. Session, transport and tempo map as one value that only events change, so that the
 * notes that were sent follow from the log alone. The reducer holds one for the state; a player holds one of its own
 * and feeds it the same events.
 *
 * Two times. Inputs (score, transport, and what Live or the groove box says of tempo and transport) are taken at their
 * number and wait. `applied {through_seq, frame}` says that from that frame on all inputs up to that number count: only
 * then do they change what sounds. The schedule before the newest mark is kept until a player event without `late`
 * follows; a mark with `late` voids the one before it.
 *
 * Ticks never run backwards: they are the clock of all that was played since the log began. Bars and beats count from
 * where the transport was last started from a stop (or a time signature changed). A change takes effect at one tick T,
 * the first that is not before the mark's frame: that itself (off), the next beat or bar at or after it.
 *
 *   splice   tracks that are the same, by digest, go on untouched. One that changed ends at T (what it holds is let go
 *            there) and its new version begins at its beginning at T. One whose instrument, effects or channel alone
 *            changed goes on where it was, and is struck anew at T.
 *   stop     a track, or all: they end at T. All: the clock stands still at T, and play starts everything anew.
 *   pause    at once: what sounds is let go, the clock stands still; play goes on from there.
 *   panic    stop at once, and every key of every channel is let go (sl_schedule_panics counts them).
 *   undo     the session as it was before the last score or stop of a track; redo, back again. Both are splices.
 *   tempo    at once, or where a score says it: at T. A score's tempo counts when it is another than the session's
 *            before: else who last said one leads. A track's own tempo changes come each time it passes them.
 *   lanes    what the groove box plays (core/lanes.h): tracks beside the session's, which score, undo and a stop of a
 *            track leave alone. They sound while the box runs and the clock does. They begin where the clock begins;
 *            where it runs already, at the next bar; a lane that is edited goes on in the phase of all, at once. The
 *            box's play, stop and tempo are the transport's, as everybody's.
 *   waiting  of several changes that wait for their T the later word counts: a splice of a track takes away what
 *            waits for it from T on; play takes back a stop that waits.
 *
 * How a player's schedule stays the same as the state's, byte for byte: it is made of the state's (encode, decode) when
 * that appears, and from then on takes, after each event was reduced, the event itself (sl_schedule_take) and each of
 * sl_state_follows (sl_schedule_follow, with the event's number).
 *
 * A note that starts is always ended: at its end, where its track is spliced or stopped, or where the clock stands
 * still.
 *
 * One thread at a time for a schedule, reading included.
 */
#ifndef SL_CORE_SCHEDULE_H
#define SL_CORE_SCHEDULE_H

#include "core/live_code.h"
#include "core/part.h"

enum {
    SL_SCHEDULE_RATE = 48000, /* frames in a second, until a player says another */
    SL_SCHEDULE_INPUTS_MAX =
        1024, /* that wait for a mark; beyond it the oldest event's count at the last mark's frame */
    SL_SCHEDULE_HISTORY_MAX = 64, /* sessions that undo can reach */
    SL_SCHEDULE_CHANNELS = 16
};

#define SL_TICK_NEVER INT64_MAX
#define SL_FRAME_NEVER UINT64_MAX

typedef struct sl_schedule sl_schedule;

/* Which sounding of a note: `voice` is a version of a track since it was spliced in, `ordinal` counts its notes through
 * all its repetitions. Unique in a log, the same in start and end. */
typedef struct sl_note_id {
    uint64_t voice;
    uint64_t ordinal;
} sl_note_id;

/* A note that starts or ends. Ends come before starts of the same tick; then by voice, then by ordinal. */
typedef struct sl_sound {
    bool is_start;
    uint8_t pitch;
    uint8_t velocity; /* of the start, in both */
    uint8_t channel;  /* 1 to 16 */
    int64_t tick;
    uint64_t frame; /* the first not before that tick */
    bool is_lane;   /* of the groove box */
    sl_note_id id;
    const char *track; /* its name; valid until the schedule changes */
    size_t track_length;
} sl_sound;

typedef struct sl_position {
    int64_t tick; /* of the clock */
    double beat;  /* quarter notes since the transport was started */
    uint64_t bar; /* from 0, since then; counted on through changes of signature */
    double next_bar_beat;
    uint8_t numerator;
    uint8_t denominator;
    bool is_playing;
    double bpm;
} sl_position;

/* An empty session at 120 bpm in 4/4, stopped. SL_ERR_MEMORY. */
sl_err sl_schedule_create(sl_memory memory, sl_schedule **out);
void sl_schedule_destroy(sl_schedule *schedule);

/* The tempo until somebody says another; before the first event. */
void sl_schedule_begin(sl_schedule *schedule, double bpm);

/* Takes a score, transport or applied event (others are passed over). SL_ERR_REFUSED: a score or transport that cannot
 * be applied, *what says why (static), nothing changed; SL_ERR_MEMORY: it can only be destroyed. */
sl_err sl_schedule_take(sl_schedule *schedule, const sl_event *event, const char **what);

/* What an input that is no event of live code gives the schedule: Live, or the groove box. One event may give several
 * (a bundle; one that released others); the reducer tells them in order (sl_state_follows). None is quantized. */
typedef enum sl_follow_type {
    SL_FOLLOW_PLAY = 1,
    SL_FOLLOW_STOP = 2,
    SL_FOLLOW_TEMPO = 3, /* value */
    SL_FOLLOW_LANES = 4  /* what the groove box plays: is_running, length, bytes */
} sl_follow_type;

typedef struct sl_follow {
    uint8_t type; /* an sl_follow_type */
    bool is_running;
    double value;         /* bpm, 1 to 1000; what is not is passed over */
    int64_t length_ticks; /* after which the lanes end; 0: never */
    const uint8_t *bytes; /* the lanes as a score's payload (core/lanes.h); not kept */
    size_t bytes_length;
} sl_follow;

/* Takes what another input says, at event `seq`. SL_ERR_MEMORY: it can only be destroyed. */
sl_err sl_schedule_follow(sl_schedule *schedule, uint64_t seq, const sl_follow *follow);

/* The number of the last input (score, transport, follow) taken, and of the last that counts for sound. A player has
 * something to apply where they differ. */
uint64_t sl_schedule_taken_seq(const sl_schedule *schedule);
uint64_t sl_schedule_applied_seq(const sl_schedule *schedule);

/* The newest mark; false: there is none yet. */
bool sl_schedule_mark(const sl_schedule *schedule, sl_applied *out);

/* The first tick at or after a frame; the clock where it stands still. frame >= the mark's. */
int64_t sl_schedule_tick(const sl_schedule *schedule, uint64_t frame);

/* The first frame at or after a tick; SL_FRAME_NEVER: the clock stands still before it, and the like. */
uint64_t sl_schedule_frame(const sl_schedule *schedule, int64_t tick);

sl_position sl_schedule_position(const sl_schedule *schedule, uint64_t frame);

/* The first beat (the unit of the time signature) or bar at or after a tick; off: the tick itself. */
int64_t sl_schedule_next(const sl_schedule *schedule, int64_t tick, sl_quantize quantize);

/* Tells the notes that start or end in frames from <= f < to, in order of time. from >= the mark's frame. Windows that
 * follow each other, none left out, tell each start and each end exactly once; a mark's frame must lie where one window
 * ends and the next begins. What is let go by a mark itself (off, pause, panic) is told by the window that begins with
 * its frame. `tell` returns false to stop. */
typedef bool sl_schedule_tell(void *ctx, const sl_sound *sound);
void sl_schedule_notes(const sl_schedule *schedule, uint64_t from, uint64_t to, sl_schedule_tell *tell, void *ctx);

/* How many panics count so far: one more after a mark means, let every key of every channel go at its frame. */
uint64_t sl_schedule_panics(const sl_schedule *schedule);

/* True if anything sounds or may sound from `frame` on without another event: the clock runs and there are notes. */
bool sl_schedule_is_sounding(const sl_schedule *schedule, uint64_t frame);

/* Moves what is computed from forward to `frame`: changes no answer for later frames, makes them quick. A player that
 * plays long without a mark calls it each second or so. */
void sl_schedule_advance(sl_schedule *schedule, uint64_t frame);

/* A track of the session: who plays it, and what. Shared as long as its bytes are the same. */
typedef struct sl_code_track {
    uint32_t holders;
    uint32_t index; /* schedule_codec.c's */
    const char *name;
    const char *instrument;
    const char *params; /* JSON, or "" */
    uint32_t name_length;
    uint32_t instrument_length;
    uint32_t params_length;
    uint8_t channel; /* as the code says: 0, where symlog chooses */
    uint8_t effect_count;
    const uint8_t *effects; /* effect_count x (text name · text params), as in the score */
    size_t effects_length;
    sl_digest digest; /* of all that its score says */
    sl_part *part;
    size_t head_length;
    uint8_t head[]; /* the score's bytes of a track, up to its clips */
} sl_code_track;

/* The session as the code has it (at the last event taken, whatever sounds yet). */
uint32_t sl_schedule_track_count(const sl_schedule *schedule);
const sl_code_track *sl_schedule_track(const sl_schedule *schedule, uint32_t index);
bool sl_schedule_track_is_stopped(const sl_schedule *schedule, uint32_t index);

/* The track that the note of a sounding (sl_note_id's voice) is played by; NULL: none that still counts. */
const sl_code_track *sl_schedule_track_of(const sl_schedule *schedule, uint64_t voice);

bool sl_schedule_has_track(const sl_schedule *schedule, const char *name, size_t length, uint32_t hint);

/* Which tracks an event changes: begun before it is taken, asked afterwards, ended. */
typedef struct sl_session_diff {
    struct sl_session_view *before;
} sl_session_diff;

sl_session_diff sl_session_diff_begin(const sl_schedule *schedule);
bool sl_session_diff_is_any(const sl_session_diff *diff, const sl_schedule *schedule);
/* True if the track of this name was another, stopped when it is not, or the reverse. */
bool sl_session_diff_has(const sl_session_diff *diff, const sl_code_track *track, bool is_stopped, uint32_t hint);
bool sl_session_diff_bpm(const sl_session_diff *diff, double bpm);
void sl_session_diff_end(const sl_schedule *schedule, sl_session_diff *diff);

/* What the last score or Session.tempo said; 0: nothing. */
double sl_schedule_session_bpm(const sl_schedule *schedule);
bool sl_schedule_session_signature(const sl_schedule *schedule, uint8_t *numerator, uint8_t *denominator);

sl_quantize sl_schedule_quantize(const sl_schedule *schedule);
uint32_t sl_schedule_undo_count(const sl_schedule *schedule);
uint32_t sl_schedule_redo_count(const sl_schedule *schedule);

/* Bytes: for snapshots and the state's digest. Loading gives a schedule that goes on exactly as the saved one. */
typedef void sl_schedule_put(void *ctx, const void *bytes, size_t length);
void sl_schedule_encode(const sl_schedule *schedule, sl_schedule_put *put, void *ctx);
sl_err sl_schedule_decode(sl_reader *reader, sl_memory memory, sl_schedule **out);

size_t sl_schedule_size_bytes(const sl_schedule *schedule);

#endif
