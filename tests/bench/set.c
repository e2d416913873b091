/* Pictures and streams. */
#include "tests/bench/set.h"

#include "core/heap.h"
#include "core/picture.h"
#include "tests/bench/bench.h"
#include "tests/unit/osc_builder.h"

#include <stdio.h>
#include <stdlib.h>

enum { SOURCE = 1, SESSION = 1, NODE_BYTES_MAX = 128, NAME_BYTES = 32 };

static void write_node(sl_picture_writer *picture, sl_node_type type, uint8_t depth, uint32_t position);
static void write_name(sl_picture_writer *picture, const char *kind, uint32_t number);
static void write_float(sl_picture_writer *picture, sl_attribute attribute, double number);
static void write_track(sl_picture_writer *picture, set_shape shape, uint32_t track);
static sl_event *next_event(set_stream *stream);

sl_memory set_memory(void)
{
    return sl_heap_memory();
}

set_picture set_picture_make(set_shape shape)
{
    const size_t nodes =
        1 + shape.scenes + (size_t)shape.tracks * (1 + SET_DEVICES * (1 + SET_PARAMETERS) + 2 * (size_t)shape.scenes);
    sl_writer out = {.bytes = malloc(nodes * NODE_BYTES_MAX), .capacity = nodes * NODE_BYTES_MAX};
    if (out.bytes == NULL) bench_die("out of memory");
    sl_picture_writer picture;
    sl_picture_begin(&picture, &out);
    write_node(&picture, SL_NODE_PROJECT, 0, 0);
    for (uint32_t i = 0; i < shape.tracks; i++) write_track(&picture, shape, i);
    for (uint32_t i = 0; i < shape.scenes; i++) {
        write_node(&picture, SL_NODE_SCENE, 1, 0);
        write_name(&picture, "scene", i);
    }
    sl_picture_end(&picture);
    if (out.bad) bench_die("the picture does not fit");
    return (set_picture){out.bytes, out.length};
}

void set_picture_free(set_picture *picture)
{
    free(picture->bytes);
}

static void write_node(sl_picture_writer *picture, sl_node_type type, uint8_t depth, uint32_t position)
{
    sl_picture_node(picture, type, depth, position, NULL, 0);
}

static void write_name(sl_picture_writer *picture, const char *kind, uint32_t number)
{
    char name[NAME_BYTES];
    const int length = snprintf(name, sizeof name, "%s-%u", kind, number);
    const sl_value value = sl_value_text(name, (size_t)length);
    sl_picture_attribute(picture, SL_ATTRIBUTE_NAME, &value);
}

static void write_float(sl_picture_writer *picture, sl_attribute attribute, double number)
{
    const sl_value value = sl_value_float(number);
    sl_picture_attribute(picture, attribute, &value);
}

static void write_track(sl_picture_writer *picture, set_shape shape, uint32_t track)
{
    write_node(picture, SL_NODE_TRACK, 1, 0);
    write_name(picture, "track", track);
    write_float(picture, SL_ATTRIBUTE_VOLUME, 0.85);
    for (uint32_t d = 0; d < SET_DEVICES; d++) {
        write_node(picture, SL_NODE_DEVICE, 2, 0);
        write_name(picture, "device", d);
        for (uint32_t p = 0; p < SET_PARAMETERS; p++) {
            write_node(picture, SL_NODE_PARAMETER, 3, 0);
            write_name(picture, "parameter", p);
            write_float(picture, SL_ATTRIBUTE_VALUE, 0.5);
        }
    }
    for (uint32_t s = 0; s < shape.scenes; s++) {
        const sl_value has_clip = sl_value_bool(s % 2 == 0), color = sl_value_int(0);
        write_node(picture, SL_NODE_CLIP_SLOT, 2, s);
        sl_picture_attribute(picture, SL_ATTRIBUTE_HAS_CLIP, &has_clip);
        sl_picture_attribute(picture, SL_ATTRIBUTE_COLOR, &color);
        if (s % 2 != 0) continue;
        write_node(picture, SL_NODE_CLIP, 3, 0);
        write_name(picture, "clip", s);
    }
}

sl_state *set_state_create(const set_picture *picture)
{
    sl_state *state = NULL;
    if (sl_state_create(set_memory(), &state) != SL_OK) bench_die("out of memory");
    const sl_event event = {.seq = 1,
                            .kind = SL_KIND_PICTURE,
                            .version = SL_PICTURE_VERSION,
                            .source = SOURCE,
                            .session = SESSION,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = picture->bytes,
                            .length = (uint32_t)picture->length};
    if (sl_reduce(state, &event, NULL) != SL_OK) bench_die("out of memory");
    sl_state_digests(state, NULL, NULL);
    set_check_nothing_refused(state);
    return state;
}

void set_stream_open(set_stream *stream, size_t capacity)
{
    *stream = (set_stream){.events = malloc(capacity * sizeof(sl_event)),
                           .capacity = capacity,
                           .bytes = malloc(capacity * SET_PACKET_BYTES_MAX)};
    if (stream->events == NULL || stream->bytes == NULL) bench_die("out of memory");
}

void set_stream_close(set_stream *stream)
{
    free(stream->events);
    free(stream->bytes);
}

void set_stream_add(set_stream *stream, const char *path, const char *tags, ...)
{
    sl_event *event = next_event(stream);
    osc_builder packet = {.length = 0};
    va_list list;
    va_start(list, tags);
    osc_message(&packet, (int64_t)event->source_seq, path, tags, list);
    va_end(list);
    assert(packet.length <= SET_PACKET_BYTES_MAX);
    memcpy(stream->bytes + stream->length, packet.bytes, packet.length);
    event->payload = stream->bytes + stream->length;
    event->length = (uint32_t)packet.length;
    stream->length += packet.length;
    stream->next_number++;
}

void set_stream_add_settled(set_stream *stream)
{
    sl_event *event = next_event(stream);
    event->kind = SL_KIND_ORDER_SETTLED;
    event->source_seq = SL_SOURCE_SEQ_NONE;
}

/* An OSC event with the next number. */
static sl_event *next_event(set_stream *stream)
{
    assert(stream->count < stream->capacity);
    sl_event *event = &stream->events[stream->count++];
    *event = (sl_event){.kind = SL_KIND_OSC,
                        .seq = stream->count + 1,
                        .version = SL_PAYLOAD_VERSION,
                        .source = SOURCE,
                        .session = SESSION,
                        .source_seq = stream->next_number};
    return event;
}

void set_reduce(sl_state *state, const set_stream *stream, size_t begin, size_t end, size_t digest_every,
                const sl_output *output)
{
    for (size_t i = begin; i < end; i++) {
        if (sl_reduce(state, &stream->events[i], output) != SL_OK) bench_die("out of memory");
        if (digest_every != 0 && (i + 1) % digest_every == 0) sl_state_digests(state, NULL, NULL);
    }
}

void set_check_nothing_refused(const sl_state *state)
{
    const sl_source *source = sl_state_source(state, SOURCE);
    for (size_t i = 0; source != NULL && i < SL_REFUSAL_COUNT; i++) {
        if (source->refused[i] > 0)
            bench_die("%llu events were refused: %s", (unsigned long long)source->refused[i],
                      sl_refusal_text((sl_refusal)i));
    }
    if (source == NULL || source->gaps > 0) bench_die("the events were not applied");
    const sl_value stale = sl_node_value(sl_tree_project(sl_state_tree_view(state)), SL_ATTRIBUTE_IS_STALE);
    if (stale.as.integer != 0) bench_die("the project is stale: the events do not fit together");
}
