/* The dice, and a small model of the set, so that no event goes where nothing is. */
#include "tests/bench/set_mix.h"

#include "tests/bench/bench.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRACKS_MAX = 256,
    SCENES_MAX = 256,
    SCENES_SPREAD = 20, /* there are never fewer or more scenes by more than that */
    DEVICES_MAX = 4,
    MOVE_MAX = 8,
    NAME_BYTES = 32
};
enum { PLACE_EMPTY = 0, PLACE_SLOT, PLACE_CLIP };

/* A scene, with what stands in it on every track. */
typedef struct scene {
    uint32_t name;
    uint8_t places[TRACKS_MAX];
} scene;

typedef struct model {
    set_stream *stream;
    set_shape shape;
    uint64_t seed;
    uint32_t devices[TRACKS_MAX];
    scene scenes[SCENES_MAX];
    uint32_t scene_count;
    uint32_t names; /* of scenes, given so far */
    set_mix_counts counts;
} model;

static model *model_create(set_stream *stream, set_shape shape);
static void add_attribute(model *model);
static void add_slot_or_clip(model *model);
static void add_device(model *model);
static void add_scene(model *model);
static void move_scene(model *model);

void set_mix_attributes(set_stream *stream, set_shape shape, size_t count)
{
    uint64_t seed = 1;
    for (size_t i = 0; i < count; i++) {
        const int track = (int)bench_random(&seed, shape.tracks);
        const double value = bench_random(&seed, 1 << 20) / 1048576.0;
        switch (bench_random(&seed, 3)) {
        case 0: set_stream_add(stream, "/live/track/volume", "if", track, value); break;
        case 1:
            set_stream_add(stream, "/live/device/param", "iiif", track, (int)bench_random(&seed, SET_DEVICES),
                           (int)bench_random(&seed, SET_PARAMETERS), value);
            break;
        default:
            set_stream_add(stream, "/live/clip_slot/color", "iii", track, (int)bench_random(&seed, shape.scenes),
                           (int)bench_random(&seed, 1 << 24));
        }
    }
}

set_mix_counts set_mix_all(set_stream *stream, set_shape shape, size_t count)
{
    model *model = model_create(stream, shape);
    const size_t end = stream->count + count;
    while (stream->count + MOVE_MAX + 2 < end) {
        const uint32_t die = bench_random(&model->seed, 1000);
        if (die < 900) {
            add_attribute(model);
        } else if (die < 960) {
            add_slot_or_clip(model);
        } else if (die < 990) {
            add_device(model);
        } else if (model->counts.scenes * 100 < stream->count) {
            add_scene(model); /* a move is more than one event, hence the share */
        }
    }
    while (stream->count < end) add_attribute(model);
    const set_mix_counts counts = model->counts;
    free(model);
    return counts;
}

static model *model_create(set_stream *stream, set_shape shape)
{
    assert(shape.tracks <= TRACKS_MAX && shape.scenes + SCENES_SPREAD <= SCENES_MAX);
    model *model = calloc(1, sizeof *model);
    if (model == NULL) bench_die("out of memory");
    model->stream = stream;
    model->shape = shape;
    model->seed = 2;
    model->scene_count = shape.scenes;
    model->names = shape.scenes;
    for (uint32_t t = 0; t < shape.tracks; t++) model->devices[t] = SET_DEVICES;
    for (uint32_t s = 0; s < shape.scenes; s++) {
        model->scenes[s].name = s;
        memset(model->scenes[s].places, s % 2 == 0 ? PLACE_CLIP : PLACE_SLOT, TRACKS_MAX);
    }
    return model;
}

/* A random place; `*kind` is what stands there. */
static uint8_t *draw_place(model *model, int *track, int *scene)
{
    *track = (int)bench_random(&model->seed, model->shape.tracks);
    *scene = (int)bench_random(&model->seed, model->scene_count);
    return &model->scenes[*scene].places[*track];
}

static void add_attribute(model *model)
{
    int track, scene;
    const double value = bench_random(&model->seed, 1 << 20) / 1048576.0;
    const uint8_t place = *draw_place(model, &track, &scene);
    const uint32_t die = bench_random(&model->seed, 3);
    if (die == 0 && model->devices[track] > 0) {
        set_stream_add(model->stream, "/live/device/param", "iiif", track,
                       (int)bench_random(&model->seed, model->devices[track]),
                       (int)bench_random(&model->seed, SET_PARAMETERS), value);
    } else if (die == 1 && place != PLACE_EMPTY) {
        set_stream_add(model->stream, "/live/clip_slot/color", "iii", track, scene,
                       (int)bench_random(&model->seed, 1 << 24));
    } else {
        set_stream_add(model->stream, "/live/track/volume", "if", track, value);
    }
    model->counts.attributes++;
}

static void add_slot_or_clip(model *model)
{
    int track, scene;
    uint8_t *place = draw_place(model, &track, &scene);
    if (*place == PLACE_CLIP) {
        set_stream_add(model->stream, "/live/clip/removed", "ii", track, scene);
        *place = PLACE_SLOT;
    } else if (*place == PLACE_SLOT) {
        set_stream_add(model->stream, "/live/clip/added", "iis", track, scene, "Loop");
        *place = PLACE_CLIP;
    } else {
        set_stream_add(model->stream, "/live/clip_slot/created", "iiFTi", track, scene, 0);
        *place = PLACE_SLOT;
    }
    model->counts.slots_and_clips++;
}

static void add_device(model *model)
{
    const uint32_t track = bench_random(&model->seed, model->shape.tracks);
    uint32_t *count = &model->devices[track];
    const bool is_added = *count == 0 || (*count < DEVICES_MAX && bench_random(&model->seed, 2) == 0);
    const int at = (int)bench_random(&model->seed, is_added ? *count + 1 : *count);
    if (is_added) {
        set_stream_add(model->stream, "/live/device/added", "iis", (int)track, at, "Reverb");
        (*count)++;
    } else {
        set_stream_add(model->stream, "/live/device/deleted", "iis", (int)track, at, "Reverb");
        (*count)--;
    }
    model->counts.devices++;
}

static void scene_name(char name[NAME_BYTES], const scene *scene)
{
    snprintf(name, NAME_BYTES, "scene-%u", scene->name);
}

static void add_scene(model *model)
{
    const uint32_t die = bench_random(&model->seed, 3);
    scene *scenes = model->scenes;
    if (die == 0 && model->scene_count < model->shape.scenes + SCENES_SPREAD) {
        char name[NAME_BYTES];
        const uint32_t at = bench_random(&model->seed, model->scene_count + 1);
        memmove(&scenes[at + 1], &scenes[at], (model->scene_count - at) * sizeof *scenes);
        scenes[at] = (scene){.name = model->names++};
        scene_name(name, &scenes[at]);
        set_stream_add(model->stream, "/live/scene/added", "is", (int)at, name);
        model->scene_count++;
        model->counts.scenes++;
    } else if (die == 1 && model->scene_count > model->shape.scenes - SCENES_SPREAD) {
        const uint32_t at = bench_random(&model->seed, model->scene_count);
        set_stream_add(model->stream, "/live/scene/removed", "i", (int)at);
        memmove(&scenes[at], &scenes[at + 1], (model->scene_count - at - 1) * sizeof *scenes);
        model->scene_count--;
        model->counts.scenes++;
    } else {
        move_scene(model);
    }
}

/* Tells of each scene between the two places, as Live does, and then of something else, which ends the run. */
static void move_scene(model *model)
{
    scene *scenes = model->scenes;
    const uint32_t distance = 1 + bench_random(&model->seed, MOVE_MAX);
    const uint32_t from = bench_random(&model->seed, model->scene_count - distance);
    const scene moved = scenes[from];
    memmove(&scenes[from], &scenes[from + 1], distance * sizeof *scenes);
    scenes[from + distance] = moved;
    for (uint32_t i = from; i <= from + distance; i++) {
        char name[NAME_BYTES];
        scene_name(name, &scenes[i]);
        set_stream_add(model->stream, "/live/scene/reordered", "is", (int)i, name);
        model->counts.scenes++;
    }
    add_attribute(model);
}
