/*
 * A whole state as bytes: what snapshots and base events hold. Loading gives a state with the same digests, which goes
 * on exactly as the saved one would have.
 *
 * Layout, little-endian: u32 version · u32 reducer_version · u64 seq · i64 wall_ns · u64 kernel_drops ·
 * u64 refused_unnamed · u32 source_next · u32 source_count · the sources · u32 picture_length · the tree as a picture
 * (core/picture.h). core/state_codec.c says what a source is.
 */
#ifndef SL_CORE_STATE_CODEC_H
#define SL_CORE_STATE_CODEC_H

#include "core/reduce.h"
#include "core/text.h"

enum {
    SL_STATE_CODEC_VERSION = 1,    /* of a state that never heard of groove or live code; else the sum with: */
    SL_STATE_CODEC_GROOVE = 1,     /* the groove (core/groove_codec.c) stands behind the sources, */
    SL_STATE_CODEC_CODE = 2,       /* then the schedule (core/schedule_codec.c) */
    SL_STATE_CODEC_BUFFERS = 4,    /* then the texts of live code and when the newest mark was (core/buffers.c) */
    SL_STATE_CODEC_PARAMETERS = 8, /* then the parameters of the sound (core/parameters.h) */
    SL_STATE_CODEC_PARTS =
        SL_STATE_CODEC_GROOVE | SL_STATE_CODEC_CODE | SL_STATE_CODEC_BUFFERS | SL_STATE_CODEC_PARAMETERS
};

/* Appends the state's bytes to `out`; SL_ERR_MEMORY. */
sl_err sl_state_save(const sl_state *state, sl_text *out);

/* Makes a state of saved bytes. SL_ERR_MALFORMED; SL_ERR_VERSION: saved by another codec or reducer version;
 * SL_ERR_MEMORY. Whether it is the right state its digest tells. The caller destroys it. */
sl_err sl_state_load(const uint8_t *bytes, size_t length, sl_memory memory, sl_state **out);

#endif
