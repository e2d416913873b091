/*
 * A part: a track of a score, compiled. Which notes it has, in ticks from its beginning; it then begins again, for
 * ever.
 *
 * A part never changes once it is made; who keeps it counts as a holder, and the last one frees it. Two tracks with the
 * same music bytes have the same digest: an edit that leaves a track as it was is recognised, and nothing is compiled.
 */
#ifndef SL_CORE_PART_H
#define SL_CORE_PART_H

#include "core/digest.h"
#include "core/memory.h"
#include "core/score.h"

enum {
    SL_PART_CUES_MAX = 4096,     /* changes of tempo and signature in a track */
    SL_PART_NOTES_MAX = 1 << 20, /* of a track */
    SL_PART_STEPS_MAX =
        1 << 23, /* operations (and steps of euclids) carried out for one track: loops of loops end somewhere */
    SL_PART_TICKS_MAX = 1 << 30 /* how long a track may be: 53,000 beats */
};

/* One note. In a part they stand by start, then pitch. Swing and quantize may take a start beyond the part's length: it
 * then lies in the next repetition. */
typedef struct sl_note {
    uint32_t start;   /* ticks from the part's beginning */
    uint32_t length;  /* as written and articulated, at least 1; may reach beyond the part's end */
    uint32_t sounds;  /* the same, cut where this pitch begins again: so no key is pressed twice. 0: another note of the
                         same start and pitch, longer or before it, stands for both */
    uint8_t pitch;    /* 0 to 127 */
    uint8_t velocity; /* 1 to 127 */
    uint16_t clip;    /* which of the track's clips it is from */
} sl_note;

typedef enum sl_cue_type { SL_CUE_TEMPO = 0, SL_CUE_SIGNATURE = 1 } sl_cue_type;

/* A change of tempo or time signature inside a part, by start. */
typedef struct sl_cue {
    uint32_t start;
    uint8_t type; /* an sl_cue_type */
    uint8_t numerator;
    uint8_t denominator;
    uint8_t curve; /* an sl_curve */
    uint32_t ramp; /* ticks */
    double bpm;
} sl_cue;

typedef struct sl_part_clip {
    uint32_t start; /* ticks */
    uint32_t length;
    uint32_t note_count;
    const char *name; /* view into the part's bytes */
    uint32_t name_length;
} sl_part_clip;

typedef struct sl_part {
    uint32_t holders;
    uint32_t length; /* ticks, after which it begins again; 0: there is nothing in it */
    uint32_t note_count;
    uint32_t cue_count;
    uint32_t clip_count;
    uint32_t start_max;     /* the last note's start */
    uint32_t sounds_max;    /* the longest note's `sounds` */
    sl_digest digest;       /* of its bytes */
    const sl_note *notes;   /* by start, pitch */
    const uint32_t *by_end; /* the notes' indexes, by start + sounds */
    const sl_cue *cues;
    const sl_part_clip *clips;
    const uint8_t *bytes; /* the track's, from clip_count on, copied */
    size_t bytes_length;
    size_t size_bytes; /* of all of it, in one block of `memory` */
    sl_memory memory;
} sl_part;

/* Compiles a track's clips. *out has one holder. SL_ERR_MALFORMED, SL_ERR_RANGE (more than the bounds above), with
 * error->what set (position: in the track's bytes); SL_ERR_MEMORY. Velocity: note * dynamics * articulation * 127,
 * rounded half up, 1 to 127. Lengths and starts are rounded half up to a tick. */
sl_err sl_part_compile(const sl_score_track *track, sl_memory memory, sl_part **out, sl_score_error *error);

/* The digest that the part of this track has; compiles nothing. */
sl_digest sl_part_digest(const sl_score_track *track);

/* One holder more, one less. NULL is passed over. */
sl_part *sl_part_hold(sl_part *part);
void sl_part_drop(sl_part *part);

/* Writes the pattern of `hits` in `steps` (Bjorklund's, rotated to the right by `rotation`) as 0 and 1. hits <= steps
 * <= SL_EUCLID_STEPS_MAX. */
enum { SL_EUCLID_STEPS_MAX = 256 };
void sl_part_euclid(uint32_t hits, uint32_t steps, uint32_t rotation, uint8_t pattern[SL_EUCLID_STEPS_MAX]);

#endif
