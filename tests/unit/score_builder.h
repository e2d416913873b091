/* Scores for tests: a payload that grows operation by operation, and the events made of it. */
#ifndef SL_TESTS_SCORE_BUILDER_H
#define SL_TESTS_SCORE_BUILDER_H

#include "core/live_code.h"
#include "core/score.h"

#include <string.h>

typedef struct score_builder {
    uint8_t bytes[1 << 16];
    sl_writer writer;
    sl_score_writer score;
} score_builder;

static inline void score_begin(score_builder *builder, bool replaces, uint8_t quantize, double bpm)
{
    builder->writer = (sl_writer){.bytes = builder->bytes, .capacity = sizeof builder->bytes};
    sl_score_head head = {.quantize = quantize, .replaces = replaces, .buffer = "", .has_tempo = bpm > 0, .bpm = bpm};
    sl_score_begin(&builder->score, &builder->writer, &head);
}

static inline void score_track(score_builder *builder, const char *name, uint8_t channel)
{
    sl_score_track track = {
        .name = name, .name_length = strlen(name), .channel = channel, .instrument = "", .params = ""};
    sl_score_begin_track(&builder->score, &track);
    sl_score_begin_clip(&builder->score, "", 0);
}

static inline void score_step(score_builder *builder, sl_score_step step)
{
    sl_score_put_step(&builder->score, &step);
}

static inline void score_note(score_builder *builder, uint8_t pitch, uint32_t duration)
{
    score_step(builder,
               (sl_score_step){.op = SL_SCORE_NOTE, .pitch = pitch, .duration = duration, .velocity = SL_SCORE_ONE});
}

static inline void score_rest(score_builder *builder, uint32_t duration)
{
    score_step(builder, (sl_score_step){.op = SL_SCORE_REST, .duration = duration});
}

static inline void score_end_track(score_builder *builder)
{
    sl_score_end_clip(&builder->score);
    sl_score_end_track(&builder->score);
}

static inline sl_event score_end(score_builder *builder, uint64_t seq)
{
    sl_score_end(&builder->score);
    return (sl_event){.seq = seq,
                      .kind = SL_KIND_SCORE,
                      .version = SL_SCORE_VERSION,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = builder->bytes,
                      .length = (uint32_t)builder->writer.length};
}

/* A transport event in `bytes`. */
static inline sl_event transport_event(uint8_t bytes[512], uint64_t seq, sl_transport transport)
{
    sl_writer writer = {.bytes = bytes, .capacity = 512};
    if (transport.track == NULL) transport.track = "";
    if (transport.name == NULL) transport.name = "";
    if (transport.params == NULL) transport.params = "";
    transport.track_length = strlen(transport.track);
    transport.name_length = strlen(transport.name);
    transport.params_length = strlen(transport.params);
    sl_err err = sl_transport_encode(&transport, &writer);
    return (sl_event){.seq = seq,
                      .kind = SL_KIND_TRANSPORT,
                      .version = 1,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bytes,
                      .length = err == SL_OK ? (uint32_t)writer.length : 0};
}

static inline sl_event applied_event(uint8_t bytes[32], uint64_t seq, sl_applied applied)
{
    sl_writer writer = {.bytes = bytes, .capacity = 32};
    sl_err err = sl_applied_encode(&applied, &writer);
    return (sl_event){.seq = seq,
                      .kind = SL_KIND_APPLIED,
                      .version = 1,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = bytes,
                      .length = err == SL_OK ? (uint32_t)writer.length : 0};
}

#endif
