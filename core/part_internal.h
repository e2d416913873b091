/* What the files of the compiler share: part.c (a track into a part), part_walk.c (carrying out its operations). */
#ifndef SL_CORE_PART_INTERNAL_H
#define SL_CORE_PART_INTERNAL_H

#include "core/part.h"

/* A note as it is written: not yet articulated, nor in order. */
typedef struct sl_draft_note {
    uint64_t written; /* ticks */
    uint32_t start;
    uint16_t clip;
    uint8_t pitch;
    uint8_t velocity;
    uint8_t articulation;
} sl_draft_note;

/* A list that grows in `memory`. */
typedef struct sl_part_list {
    void *items;
    size_t count;
    size_t capacity;
    size_t item_size;
} sl_part_list;

/* What carrying out a track's operations gives. */
typedef struct sl_draft {
    sl_memory memory;
    sl_part_list notes; /* of sl_draft_note, in the order of the operations */
    sl_part_list cues;  /* of sl_cue, likewise */
    sl_part_list clips; /* of sl_part_clip */
    uint64_t length;    /* ticks */
    uint64_t steps;     /* carried out so far */
    sl_score_error *error;
} sl_draft;

/* Carries out a clip behind what the draft has. Errors as sl_part_compile. */
sl_err sl_part_walk(sl_draft *draft, const sl_score_clip *clip, uint16_t index);

/* Room for one item more at the end of a list; NULL: no memory. */
void *sl_part_list_add(sl_part_list *list, sl_memory memory);

#endif
