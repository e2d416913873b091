/*
 * Playback: a schedule's notes through a renderer. What is heard is a function of the log alone: of the schedule (what
 * was taken, and from which frames on it counts), of the mixer as the caller reads it from the tree, of the parameters
 * set; and of nothing else, block sizes included.
 *
 * A track's instrument, params, effects and channel count from the first note on that its version starts. It plays what
 * the code names; an unknown name is keys; without a name see sl_instrument_by_track.
 *
 * The caller, for each player event: takes it into the schedule, and plays on from its frame. Settings are said at the
 * frame that the log gives them, before that frame is played.
 */
#ifndef SL_CORE_PLAYBACK_H
#define SL_CORE_PLAYBACK_H

#include "core/mixer.h"
#include "core/schedule.h"

enum { SL_PLAYBACK_VERSION = 2 };

typedef struct sl_playback sl_playback;

/* Silent; its first frame is the log's frame `frame`. Errors as sl_renderer_create. */
sl_err sl_playback_create(sl_memory memory, uint32_t rate, uint64_t frame, sl_playback **out);
void sl_playback_destroy(sl_playback *playback);

/* The log's frame that is rendered next. */
uint64_t sl_playback_frame(const sl_playback *playback);

/* Renders the next `frames` frames into left_right, interleaved. What the schedule has until then must be known: its
 * mark, if that is newer than the frame, lies where a call begins (sl_schedule_notes says so). What a track beyond
 * SL_RENDERER_TRACKS plays is not heard. */
void sl_playback_render(sl_playback *playback, const sl_schedule *schedule, float *left_right, size_t frames);

/* The mixer and the parameters, from the present frame on. Copied. */
void sl_playback_set_mixer(sl_playback *playback, const sl_mixer *mixer);

/* For meters and the like. */
sl_renderer *sl_playback_renderer(sl_playback *playback);

/* The name of what plays the renderer's track `index`: its digest; of a lane, another than of a track so named. Zero:
 * nothing did. */
sl_digest sl_playback_track_name(const sl_playback *playback, uint32_t index);
sl_digest sl_playback_name(const char *name, size_t length, bool is_lane);

/* Bytes, as sl_renderer_encode's; the schedule has its own. */
void sl_playback_encode(const sl_playback *playback, sl_renderer_put *put, void *ctx);
sl_err sl_playback_decode(sl_reader *reader, sl_memory memory, sl_playback **out);

#endif
