/*
 * The share language: a groove as one line of ASCII ("t120;kick:4=Xxxx;hatClosed:4/2=X.x.x.x."). Parsing it, writing it
 * back in its canonical form, and editing a lane. (Source: PM Live-Sync; what its grammar leaves open core/TREE.md
 * decides, "The groove".)
 *
 * parse(write(patch)) is the same patch, always; write(parse(text)) is the same text where text is canonical. No memory
 * is taken: a patch has its bounds inside.
 */
#ifndef SL_CORE_PATCH_H
#define SL_CORE_PATCH_H

#include "core/bytes.h"
#include "core/err.h"

enum {
    SL_PATCH_LANES_MAX = 64,
    SL_PATCH_BEATS_MAX = 64,     /* of a lane: the sum of its groups */
    SL_PATCH_SUB_MAX = 6,        /* steps a beat */
    SL_PATCH_STEPS_MAX = 64 * 6, /* of a lane */
    SL_PATCH_SOUND_BYTES_MAX = 31,
    SL_PATCH_GROUPS_BYTES_MAX = 2 * 64,  /* of a lane's groups as text */
    SL_PATCH_OTHERS_MAX = 64,            /* unknown tokens … */
    SL_PATCH_OTHERS_BYTES_MAX = 2048,    /* … and all their bytes */
    SL_PATCH_NUMBER_MAX = 9999,          /* of bars, repeats and the like */
    SL_PATCH_TEXT_BYTES_MAX = 48 * 1024, /* of any patch in canonical form */
    SL_PATCH_BPM_MIN = 5,
    SL_PATCH_BPM_MAX = 300,
    SL_PATCH_BPM_DEFAULT = 120,
    SL_PATCH_VOLUME_MAX = 100,
    SL_PATCH_GAIN_MAX = 99 /* dB, either way */
};

/* What a step does: the numbers of PM Live-Sync. */
typedef enum sl_level { SL_LEVEL_REST = 0, SL_LEVEL_NORMAL = 1, SL_LEVEL_ACCENT = 2, SL_LEVEL_GHOST = 3 } sl_level;

typedef struct sl_lane {
    char sound[SL_PATCH_SOUND_BYTES_MAX + 1]; /* as written: a name, or a GM number */
    uint8_t group_count;
    uint8_t groups[SL_PATCH_BEATS_MAX]; /* beats of each; SL_PATCH_BEATS_MAX in all */
    uint8_t sub;                        /* steps a beat: 1, 2, 3, 4 or 6 */
    bool has_swing;                     /* 2:1 */
    bool is_poly;                       /* fitted into the first lane's bar */
    bool is_enabled;
    int8_t gain;                       /* dB */
    uint16_t step_count;               /* beats x sub */
    uint8_t steps[SL_PATCH_STEPS_MAX]; /* sl_level */
} sl_lane;

/* What `end=` says. */
typedef enum sl_patch_end { SL_PATCH_END_NONE = 0, SL_PATCH_END_STOP, SL_PATCH_END_NEXT, SL_PATCH_END_BY } sl_patch_end;

/* A token that is none of ours, kept. */
typedef struct sl_patch_other {
    uint16_t lane;   /* it stands before this lane */
    uint16_t offset; /* in others_bytes */
    uint16_t length;
} sl_patch_other;

/* About 33 KB: rather a member of something than a variable on a stack. */
typedef struct sl_patch {
    bool has_bpm;      /* "t" */
    bool has_volume;   /* "vol" */
    bool has_count_in; /* "cd" … */
    bool has_trainer;  /* "tr" */
    bool has_ramp;     /* "rmp" */
    bool has_repeat;   /* "rep=" */
    uint8_t end;       /* an sl_patch_end */
    uint16_t bpm;      /* SL_PATCH_BPM_MIN to _MAX */
    uint8_t volume;    /* 0 to 100 */
    uint16_t count_in; /* 0: "cd" without a number */
    uint16_t bars;     /* "b"; 0: none, it loops */
    uint16_t trainer_play;
    uint16_t trainer_mute;
    uint16_t ramp_start; /* bpm */
    int16_t ramp_amount; /* bpm */
    uint16_t ramp_every; /* bars */
    uint16_t repeat;
    int16_t end_by;      /* items on, or back */
    uint16_t lane_count; /* at least 1 */
    sl_lane lanes[SL_PATCH_LANES_MAX];
    uint16_t other_count;
    sl_patch_other others[SL_PATCH_OTHERS_MAX];
    uint16_t others_length;
    char others_bytes[SL_PATCH_OTHERS_BYTES_MAX];
} sl_patch;

/* Where and why a text is no patch, for a person. */
typedef struct sl_patch_error {
    size_t position;      /* the first byte that does not fit, from 0 */
    const char *expected; /* static: "a subdivision (1, 2, 3, 4 or 6)" */
} sl_patch_error;

/* The groove of which nothing is known: beep:4 (and neither tempo nor volume). */
void sl_patch_begin(sl_patch *patch);

/* Reads a whole patch. SL_ERR_MALFORMED with `error` (may be NULL) set; *out is then undefined. */
sl_err sl_patch_parse(const char *text, size_t length, sl_patch *out, sl_patch_error *error);

/* Writes the canonical form, at most SL_PATCH_TEXT_BYTES_MAX. SL_ERR_FULL: `out` has less room. */
sl_err sl_patch_write(const sl_patch *patch, sl_writer *out);

/* "2+2+3": a lane's groups as text, into at least SL_PATCH_GROUPS_BYTES_MAX bytes; its length. */
size_t sl_lane_write_groups(const sl_lane *lane, char *text);

/* Sets one field of a lane as `lane=` does: sound, groups, sub, swing, gain, poly, enabled. Where the number of steps
 * changes, what can be kept is kept (core/TREE.md). SL_ERR_NOT_FOUND: no such field; SL_ERR_MALFORMED: not a value of
 * that field, *expected then says what is (static); the lane is as before. */
sl_err sl_lane_set(sl_lane *lane, const char *field, size_t field_length, const char *value, size_t value_length,
                   const char **expected);

/* True if they are the same in every field. */
bool sl_lane_equal(const sl_lane *a, const sl_lane *b);

#endif
