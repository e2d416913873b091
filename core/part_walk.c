/* Carries out the operations of a clip: where each note is written, how loud, and which ties join. */
#include "core/part_internal.h"

#include <string.h>

enum { PITCHES = 128, LEVEL_ONE = 100000000 /* dynamics, in hundred millionths */ };

/* An operation that is open: a loop, stack or transpose. */
typedef struct frame {
    uint8_t op;
    int16_t semitones; /* transpose: of what is around it */
    uint32_t left;     /* loop: how often still, this time included */
    size_t body;       /* loop: where its inside begins */
    uint64_t begin;    /* stack: when its operations begin … */
    uint64_t end;      /* … and the last of them ends so far */
} frame;

typedef struct dynamics {
    uint64_t begin;
    uint32_t duration;
    uint16_t from;
    uint16_t to;
} dynamics;

typedef struct walk {
    sl_draft *draft;
    uint16_t clip;
    uint64_t origin; /* where the clip begins */
    uint64_t time;   /* from there */
    int16_t semitones;
    uint16_t swing;
    uint16_t strength;
    uint32_t grid;
    dynamics dynamics;
    unsigned depth;
    frame frames[SL_SCORE_DEPTH_MAX];
    bool is_tied[PITCHES];
    uint32_t tied[PITCHES];     /* the note that waits to be made longer */
    uint64_t tied_end[PITCHES]; /* and where it ends so far */
} walk;

void *sl_part_list_add(sl_part_list *list, sl_memory memory)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        size_t size = list->item_size;
        void *items = memory.resize(memory.ctx, list->items, list->capacity * size, capacity * size);
        if (items == NULL) return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * list->item_size;
}

static sl_err refuse(walk *walk, sl_err err, const char *what)
{
    walk->draft->error->what = what;
    return err;
}

/* The level of dynamics now, in hundred millionths. */
static uint64_t level_at(const dynamics *dynamics, uint64_t time)
{
    uint64_t begun = time > dynamics->begin ? time - dynamics->begin : 0;
    if (begun >= dynamics->duration) return (uint64_t)dynamics->to * (LEVEL_ONE / SL_SCORE_ONE);
    uint64_t sum = (uint64_t)dynamics->from * (dynamics->duration - begun) + (uint64_t)dynamics->to * begun;
    return (sum * (LEVEL_ONE / SL_SCORE_ONE) + dynamics->duration / 2) / dynamics->duration;
}

static uint8_t velocity_of(const walk *walk, uint16_t velocity, unsigned articulation)
{
    uint64_t factor = articulation == SL_ARTICULATION_ACCENT    ? 120
                      : articulation == SL_ARTICULATION_MARCATO ? 130
                                                                : 100;
    uint64_t unit = (uint64_t)SL_SCORE_ONE * LEVEL_ONE * 100;
    uint64_t value = velocity * level_at(&walk->dynamics, walk->time) * factor;
    if (value > unit) value = unit;
    uint64_t rounded = (value * 127 + unit / 2) / unit;
    return (uint8_t)(rounded < 1 ? 1 : rounded);
}

/* Where what is written at `time` begins: drawn to the grid, then swung. */
static uint64_t start_of(const walk *walk, uint64_t time)
{
    if (walk->grid > 0) {
        uint64_t near = (time + walk->grid / 2) / walk->grid * walk->grid;
        uint64_t half = SL_SCORE_ONE / 2;
        if (near >= time)
            time += ((near - time) * walk->strength + half) / SL_SCORE_ONE;
        else
            time -= ((time - near) * walk->strength + half) / SL_SCORE_ONE;
    }
    if (walk->swing > 0 && time % SL_TICKS_PER_BEAT == SL_TICKS_PER_BEAT / 2)
        time += ((uint64_t)walk->swing * (SL_TICKS_PER_BEAT / 4) + SL_SCORE_ONE / 2) / SL_SCORE_ONE;
    return time;
}

static sl_err move_on(walk *walk, uint64_t duration)
{
    walk->time += duration;
    if (walk->origin + walk->time <= SL_PART_TICKS_MAX) return SL_OK;
    return refuse(walk, SL_ERR_RANGE, "a track that is too long");
}

/* Makes the note longer that waits for this one; true if there is one. */
static bool join_tie(walk *walk, uint8_t pitch, unsigned tie, uint32_t duration)
{
    bool is_joined = walk->is_tied[pitch] && walk->tied_end[pitch] == walk->time;
    if (tie != SL_TIE_END && tie != SL_TIE_CONTINUE) is_joined = false;
    if (is_joined) {
        sl_draft_note *notes = walk->draft->notes.items;
        notes[walk->tied[pitch]].written += duration;
    }
    walk->is_tied[pitch] = tie == SL_TIE_START || tie == SL_TIE_CONTINUE;
    walk->tied_end[pitch] = walk->time + duration;
    if (!is_joined) walk->tied[pitch] = (uint32_t)walk->draft->notes.count;
    return is_joined;
}

/* One note at the present time, which does not move. */
static sl_err add_note(walk *walk, const sl_score_step *step)
{
    int pitch = step->pitch + walk->semitones;
    if (pitch < 0 || pitch >= PITCHES) return SL_OK;
    if (join_tie(walk, (uint8_t)pitch, step->style >> 4, step->duration)) return SL_OK;
    sl_draft *draft = walk->draft;
    if (draft->notes.count == SL_PART_NOTES_MAX) return refuse(walk, SL_ERR_RANGE, "too many notes in a track");
    sl_draft_note *note = sl_part_list_add(&draft->notes, draft->memory);
    if (note == NULL) return SL_ERR_MEMORY;
    unsigned articulation = step->style & 15;
    *note = (sl_draft_note){.written = step->duration,
                            .start = (uint32_t)(walk->origin + start_of(walk, walk->time)),
                            .clip = walk->clip,
                            .pitch = (uint8_t)pitch,
                            .velocity = velocity_of(walk, step->velocity, articulation),
                            .articulation = (uint8_t)articulation};
    return SL_OK;
}

static sl_err add_cue(walk *walk, const sl_score_step *step)
{
    sl_draft *draft = walk->draft;
    if (draft->cues.count == SL_PART_CUES_MAX)
        return refuse(walk, SL_ERR_RANGE, "too many changes of tempo in a track");
    sl_cue *cue = sl_part_list_add(&draft->cues, draft->memory);
    if (cue == NULL) return SL_ERR_MEMORY;
    *cue = (sl_cue){.start = (uint32_t)(walk->origin + walk->time),
                    .type = step->op == SL_SCORE_TEMPO ? SL_CUE_TEMPO : SL_CUE_SIGNATURE,
                    .numerator = step->numerator,
                    .denominator = step->denominator,
                    .curve = step->curve,
                    .ramp = step->duration,
                    .bpm = step->bpm};
    return SL_OK;
}

static void begin_dynamics(walk *walk, const sl_score_step *step)
{
    uint64_t present = level_at(&walk->dynamics, walk->time) * SL_SCORE_ONE;
    walk->dynamics.from =
        step->from == SL_SCORE_AS_IT_IS ? (uint16_t)((present + LEVEL_ONE / 2) / LEVEL_ONE) : step->from;
    walk->dynamics.to = step->to;
    walk->dynamics.begin = walk->time;
    walk->dynamics.duration = step->duration;
}

/* Counts operations that are carried out. */
static sl_err count_steps(walk *walk, uint64_t count)
{
    walk->draft->steps += count;
    if (walk->draft->steps <= SL_PART_STEPS_MAX) return SL_OK;
    return refuse(walk, SL_ERR_RANGE, "loops that repeat too much");
}

/* Each step counts as an operation: those that are silent are bounded by nothing else. */
static sl_err add_euclid(walk *walk, const sl_score_step *step)
{
    uint8_t pattern[SL_EUCLID_STEPS_MAX];
    sl_part_euclid(step->hits, step->steps, step->rotation, pattern);
    sl_err err = count_steps(walk, (uint64_t)step->count * (step->steps > 0 ? step->steps : 1));
    for (uint32_t turn = 0; turn < step->count && err == SL_OK; turn++) {
        for (uint32_t i = 0; i < step->steps && err == SL_OK; i++) {
            if (pattern[i] != 0) err = add_note(walk, step);
            if (err == SL_OK) err = move_on(walk, step->duration);
        }
    }
    return err;
}

/* Passes over the inside of a loop of no times; the reader then stands behind its end. */
static sl_err pass_over(walk *walk, sl_reader *reader)
{
    for (unsigned depth = 1; depth > 0;) {
        sl_score_step step;
        sl_err err = sl_score_read_step(reader, &step, &walk->draft->error->what);
        if (err == SL_ERR_END) return refuse(walk, SL_ERR_MALFORMED, "a loop, stack or transpose without its end");
        if (err != SL_OK) return err;
        if (step.op == SL_SCORE_END) depth--;
        if (step.op == SL_SCORE_LOOP || step.op == SL_SCORE_STACK || step.op == SL_SCORE_TRANSPOSE) depth++;
    }
    return SL_OK;
}

static sl_err open_frame(walk *walk, const sl_score_step *step, sl_reader *reader)
{
    if (step->op == SL_SCORE_LOOP && step->count == 0) return pass_over(walk, reader);
    if (walk->depth == SL_SCORE_DEPTH_MAX) return refuse(walk, SL_ERR_MALFORMED, "operations nested too deep");
    walk->frames[walk->depth++] = (frame){.op = step->op,
                                          .semitones = walk->semitones,
                                          .left = step->count,
                                          .body = reader->position,
                                          .begin = walk->time,
                                          .end = walk->time};
    if (step->op == SL_SCORE_TRANSPOSE) walk->semitones = (int16_t)(walk->semitones + step->semitones);
    return SL_OK;
}

/* True if the frame goes on from its beginning. */
static bool close_frame(walk *walk, sl_reader *reader)
{
    frame *top = &walk->frames[walk->depth - 1];
    if (top->op == SL_SCORE_LOOP && --top->left > 0) {
        reader->position = top->body;
        return true;
    }
    if (top->op == SL_SCORE_STACK) walk->time = top->end;
    walk->semitones = top->semitones;
    walk->depth--;
    return false;
}

/* An operation is over: in a stack the next one begins when it began. */
static void end_operation(walk *walk)
{
    if (walk->depth == 0 || walk->frames[walk->depth - 1].op != SL_SCORE_STACK) return;
    frame *stack = &walk->frames[walk->depth - 1];
    if (walk->time > stack->end) stack->end = walk->time;
    walk->time = stack->begin;
}

static sl_err carry_out(walk *walk, const sl_score_step *step, sl_reader *reader)
{
    sl_err err = SL_OK;
    switch ((sl_score_op)step->op) {
    case SL_SCORE_NOTE:
        err = add_note(walk, step);
        if (err == SL_OK) err = move_on(walk, step->duration);
        break;
    case SL_SCORE_REST: err = move_on(walk, step->duration); break;
    case SL_SCORE_LOOP:
    case SL_SCORE_STACK:
    case SL_SCORE_TRANSPOSE:
        err = open_frame(walk, step, reader);
        if (step->op != SL_SCORE_LOOP || step->count > 0) return err;
        break;
    case SL_SCORE_END:
        if (walk->depth == 0) return refuse(walk, SL_ERR_MALFORMED, "an end of nothing");
        if (close_frame(walk, reader)) return SL_OK;
        break;
    case SL_SCORE_TEMPO:
    case SL_SCORE_SIGNATURE: err = add_cue(walk, step); break;
    case SL_SCORE_DYNAMICS: begin_dynamics(walk, step); break;
    case SL_SCORE_SWING: walk->swing = step->amount; break;
    case SL_SCORE_QUANTIZE:
        walk->grid = step->duration;
        walk->strength = step->amount;
        break;
    case SL_SCORE_EUCLID: err = add_euclid(walk, step); break;
    case SL_SCORE_OP_COUNT: break;
    }
    end_operation(walk);
    return err;
}

sl_err sl_part_walk(sl_draft *draft, const sl_score_clip *clip, uint16_t index)
{
    walk walk = {.draft = draft, .clip = index, .origin = draft->length};
    walk.dynamics.to = SL_SCORE_ONE;
    size_t notes_before = draft->notes.count;
    sl_reader reader = sl_score_steps(clip);
    for (;;) {
        sl_score_step step;
        sl_err err = sl_score_read_step(&reader, &step, &draft->error->what);
        if (err == SL_ERR_END) break;
        if (err == SL_OK) err = count_steps(&walk, 1);
        if (err == SL_OK) err = carry_out(&walk, &step, &reader);
        if (err == SL_OK) continue;
        draft->error->position = reader.position; /* sl_part_compile adds where the clip is */
        return err;
    }
    if (walk.depth > 0) return refuse(&walk, SL_ERR_MALFORMED, "a loop, stack or transpose without its end");
    sl_part_clip *made = sl_part_list_add(&draft->clips, draft->memory);
    if (made == NULL) return SL_ERR_MEMORY;
    *made = (sl_part_clip){.start = (uint32_t)draft->length,
                           .length = (uint32_t)walk.time,
                           .note_count = (uint32_t)(draft->notes.count - notes_before),
                           .name = clip->name,
                           .name_length = (uint32_t)clip->name_length};
    draft->length += walk.time;
    return SL_OK;
}
