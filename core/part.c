/* Compiles a track into a part: its operations are carried out, then its notes are put in order. */
#include "core/part.h"

#include "core/part_internal.h"
#include "core/sort.h"

#include <assert.h>
#include <string.h>

enum {
    INDEX_BITS = 20, /* a note's index in a sort key; SL_PART_NOTES_MAX of them */
    PITCH_BITS = 7
};
#define INDEX_MASK ((1U << INDEX_BITS) - 1)

static sl_digest digest_of(const uint8_t *bytes, size_t length)
{
    return sl_digest_bytes(bytes, length);
}

sl_digest sl_part_digest(const sl_score_track *track)
{
    return digest_of(track->bytes + track->music_position, track->length - track->music_position);
}

sl_part *sl_part_hold(sl_part *part)
{
    if (part != NULL) part->holders++;
    return part;
}

void sl_part_drop(sl_part *part)
{
    if (part == NULL || --part->holders > 0) return;
    part->memory.resize(part->memory.ctx, part, part->size_bytes, 0);
}

/* Bjorklund's algorithm: k sequences "1" and n-k sequences "0"; the rest is dealt out over the first until at most one
 * is left. Two kinds of sequences exist at any time, so they are kept as one of each and their counts. */
static uint32_t append(uint8_t *to, uint32_t length, const uint8_t *from, uint32_t count)
{
    memcpy(to + length, from, count);
    return length + count;
}

void sl_part_euclid(uint32_t hits, uint32_t steps, uint32_t rotation, uint8_t pattern[SL_EUCLID_STEPS_MAX])
{
    memset(pattern, 0, SL_EUCLID_STEPS_MAX);
    if (hits == 0 || steps == 0) return;
    uint8_t front[SL_EUCLID_STEPS_MAX] = {1}, back[SL_EUCLID_STEPS_MAX] = {0}, joined[SL_EUCLID_STEPS_MAX];
    uint32_t front_length = 1, back_length = 1, front_count = hits, back_count = steps - hits;
    while (back_count > 1) {
        uint32_t pairs = front_count < back_count ? front_count : back_count;
        uint32_t length = append(joined, append(joined, 0, front, front_length), back, back_length);
        if (front_count > back_count) {
            memcpy(back, front, front_length);
            back_length = front_length;
            back_count = front_count - pairs;
        } else {
            back_count -= pairs;
        }
        memcpy(front, joined, length);
        front_length = length;
        front_count = pairs;
    }
    uint32_t length = 0;
    for (uint32_t i = 0; i < front_count; i++) length = append(joined, length, front, front_length);
    for (uint32_t i = 0; i < back_count; i++) length = append(joined, length, back, back_length);
    for (uint32_t i = 0; i < steps; i++) pattern[i] = joined[(i + steps - rotation % steps) % steps];
}

static void drop_list(sl_part_list *list, sl_memory memory)
{
    if (list->items != NULL) memory.resize(memory.ctx, list->items, list->capacity * list->item_size, 0);
}

static sl_err walk_clips(sl_draft *draft, const sl_score_track *track)
{
    sl_reader clips = sl_score_clips(track);
    for (uint16_t i = 0; i < track->clip_count; i++) {
        sl_score_clip clip;
        draft->error->position = clips.position;
        sl_err err = sl_score_read_clip(&clips, &clip, &draft->error->what);
        if (err != SL_OK) return err;
        draft->error->position = 0;
        err = sl_part_walk(draft, &clip, i);
        if (err != SL_OK) {
            draft->error->position += (size_t)(clip.operations - track->bytes);
            return err;
        }
    }
    if (clips.position == clips.length) return SL_OK;
    draft->error->what = "more bytes than a track";
    return SL_ERR_MALFORMED;
}

/* One block of memory for a part, its lists, and the track's bytes. */
static sl_part *make_part(const sl_draft *draft, const sl_score_track *track)
{
    const uint8_t *bytes = track->bytes + track->music_position;
    size_t bytes_length = track->length - track->music_position;
    size_t cues_at = (sizeof(sl_part) + 15) / 16 * 16;
    size_t clips_at = cues_at + draft->cues.count * sizeof(sl_cue);
    size_t notes_at = clips_at + draft->clips.count * sizeof(sl_part_clip);
    size_t ends_at = notes_at + draft->notes.count * sizeof(sl_note);
    size_t bytes_at = ends_at + draft->notes.count * sizeof(uint32_t);
    size_t size = bytes_at + bytes_length;
    char *block = draft->memory.resize(draft->memory.ctx, NULL, 0, size);
    if (block == NULL) return NULL;
    sl_part *part = (sl_part *)(void *)block;
    *part = (sl_part){.holders = 1,
                      .length = (uint32_t)draft->length,
                      .note_count = (uint32_t)draft->notes.count,
                      .cue_count = (uint32_t)draft->cues.count,
                      .clip_count = (uint32_t)draft->clips.count,
                      .digest = digest_of(bytes, bytes_length),
                      .notes = (sl_note *)(void *)(block + notes_at),
                      .by_end = (uint32_t *)(void *)(block + ends_at),
                      .cues = (sl_cue *)(void *)(block + cues_at),
                      .clips = (sl_part_clip *)(void *)(block + clips_at),
                      .bytes = (uint8_t *)block + bytes_at,
                      .bytes_length = bytes_length,
                      .size_bytes = size,
                      .memory = draft->memory};
    memcpy(block + bytes_at, bytes, bytes_length);
    if (draft->cues.count > 0) memcpy(block + cues_at, draft->cues.items, draft->cues.count * sizeof(sl_cue));
    sl_part_clip *clips = (sl_part_clip *)(void *)(block + clips_at);
    assert(part->clip_count == 0 || draft->clips.items != NULL);
    for (uint32_t i = 0; i < part->clip_count; i++) {
        clips[i] = ((const sl_part_clip *)draft->clips.items)[i];
        size_t at = (size_t)((const uint8_t *)clips[i].name - bytes);
        clips[i].name = clips[i].name_length > 0 ? (const char *)part->bytes + at : "";
    }
    return part;
}

static uint32_t articulated(const sl_draft_note *note)
{
    uint64_t percent = note->articulation == SL_ARTICULATION_STACCATO  ? 50
                       : note->articulation == SL_ARTICULATION_LEGATO  ? 105
                       : note->articulation == SL_ARTICULATION_MARCATO ? 80
                                                                       : 100;
    uint64_t length = (note->written * percent + 50) / 100;
    return (uint32_t)(length < 1 ? 1 : length);
}

/* Cues stand in the order of the operations, which a stack takes back in time. */
static void order_cues(sl_part *part)
{
    sl_cue *cues = (sl_cue *)part->cues;
    for (uint32_t i = 1; i < part->cue_count; i++) {
        sl_cue cue = cues[i];
        uint32_t at = i;
        for (; at > 0 && cues[at - 1].start > cue.start; at--) cues[at] = cues[at - 1];
        cues[at] = cue;
    }
}

/* By start, then pitch, then as they were written. */
static void order_notes(sl_part *part, const sl_draft *draft, uint64_t *keys)
{
    const sl_draft_note *drafts = draft->notes.items;
    sl_note *notes = (sl_note *)part->notes;
    for (uint32_t i = 0; i < part->note_count; i++)
        keys[i] = (uint64_t)drafts[i].start << (PITCH_BITS + INDEX_BITS) | (uint64_t)drafts[i].pitch << INDEX_BITS | i;
    sl_sort_keys(keys, keys + part->note_count, part->note_count);
    for (uint32_t i = 0; i < part->note_count; i++) {
        const sl_draft_note *note = &drafts[keys[i] & INDEX_MASK];
        notes[i] = (sl_note){.start = note->start,
                             .length = articulated(note),
                             .pitch = note->pitch,
                             .velocity = note->velocity,
                             .clip = note->clip};
    }
    if (part->note_count > 0) part->start_max = notes[part->note_count - 1].start;
}

/* The ticks until the next phase, round the part's length; the length itself where there is no other. */
static uint32_t distance(uint32_t from, uint32_t to, uint32_t length)
{
    return to > from ? to - from : to + length - from;
}

/* Of notes of one pitch and phase (keys first to last) the longest is kept; then all are cut at the next phase. */
static void cut_group(sl_note *notes, const uint64_t *keys, uint32_t count, uint32_t gap)
{
    sl_note *longest = &notes[keys[0] & INDEX_MASK];
    for (uint32_t i = 1; i < count; i++) {
        sl_note *note = &notes[keys[i] & INDEX_MASK];
        if (note->length > longest->length) longest = note;
    }
    longest->sounds = longest->length < gap ? longest->length : gap;
}

/* How long each note sounds: until its pitch begins again, in this repetition or the next. */
static void cut_notes(sl_part *part, uint64_t *keys)
{
    sl_note *notes = (sl_note *)part->notes;
    uint32_t count = part->note_count;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = (uint64_t)notes[i].pitch << 52 | (uint64_t)(notes[i].start % part->length) << INDEX_BITS | i;
    sl_sort_keys(keys, keys + count, count);
    for (uint32_t first = 0; first < count;) {
        uint32_t pitch_end = first, phase = (uint32_t)(keys[first] >> INDEX_BITS);
        while (pitch_end < count && keys[pitch_end] >> 52 == keys[first] >> 52) pitch_end++;
        uint32_t group = first;
        while (group < pitch_end) {
            uint32_t next = group, here = (uint32_t)(keys[group] >> INDEX_BITS);
            while (next < pitch_end && (uint32_t)(keys[next] >> INDEX_BITS) == here) next++;
            uint32_t then = next < pitch_end ? (uint32_t)(keys[next] >> INDEX_BITS) : phase;
            cut_group(notes, keys + group, next - group, distance(here, then, part->length));
            group = next;
        }
        first = pitch_end;
    }
    for (uint32_t i = 0; i < count; i++)
        if (notes[i].sounds > part->sounds_max) part->sounds_max = notes[i].sounds;
}

static void order_ends(sl_part *part, uint64_t *keys)
{
    uint32_t *by_end = (uint32_t *)part->by_end;
    for (uint32_t i = 0; i < part->note_count; i++)
        keys[i] = ((uint64_t)part->notes[i].start + part->notes[i].sounds) << INDEX_BITS | i;
    sl_sort_keys(keys, keys + part->note_count, part->note_count);
    for (uint32_t i = 0; i < part->note_count; i++) by_end[i] = (uint32_t)(keys[i] & INDEX_MASK);
}

static sl_err finish(const sl_draft *draft, const sl_score_track *track, sl_part **out)
{
    sl_memory memory = draft->memory;
    size_t keys_size = 2 * draft->notes.count * sizeof(uint64_t);
    uint64_t *keys = NULL;
    if (keys_size > 0) keys = memory.resize(memory.ctx, NULL, 0, keys_size);
    sl_part *part = keys_size == 0 || keys != NULL ? make_part(draft, track) : NULL;
    if (part != NULL && keys != NULL) {
        order_notes(part, draft, keys);
        cut_notes(part, keys);
        order_ends(part, keys);
    }
    if (part != NULL) order_cues(part);
    if (keys != NULL) memory.resize(memory.ctx, keys, keys_size, 0);
    *out = part;
    return part != NULL ? SL_OK : SL_ERR_MEMORY;
}

sl_err sl_part_compile(const sl_score_track *track, sl_memory memory, sl_part **out, sl_score_error *error)
{
    *error = (sl_score_error){0};
    sl_draft draft = {.memory = memory,
                      .notes = {.item_size = sizeof(sl_draft_note)},
                      .cues = {.item_size = sizeof(sl_cue)},
                      .clips = {.item_size = sizeof(sl_part_clip)},
                      .error = error};
    sl_err err = walk_clips(&draft, track);
    if (err == SL_OK) err = finish(&draft, track, out);
    drop_list(&draft.notes, memory);
    drop_list(&draft.cues, memory);
    drop_list(&draft.clips, memory);
    return err;
}
