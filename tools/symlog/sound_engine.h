/*
 * The sound engine: the player that makes sound, without its threads, its ring and its device. It has a schedule and a
 * renderer of its own, fed with what was committed and reduced; renders what comes next; and says from which frame on
 * it counts what is new, by a mark (an `applied` event) that it has put into the log.
 *
 * A mark that comes back from the log before its frame is rendered counts from that frame on. One that comes later is
 * passed over, and another, which is `late`, voids it; until then nothing new counts. So what is rendered follows from
 * the log's events alone, and performance.h renders the same again.
 *
 * One thread. Frames are the log's.
 */
#ifndef SL_TOOLS_SOUND_ENGINE_H
#define SL_TOOLS_SOUND_ENGINE_H

#include "core/live_code.h"
#include "core/playback.h"
#include "tools/symlog/player_item.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_SOUND_BLOCK = 512, /* frames: at most one mark in so many */
    SL_SOUND_LEAD = 1024, /* frames from what is rendered next to a mark's, if commits are quick */
    SL_SOUND_LEAD_MAX = 2 * SL_SCHEDULE_RATE
};

typedef struct sl_sound_owner {
    void *ctx;
    /* Puts a mark on its way into the log; it comes back by sl_sound_engine_put. False: no room now. */
    bool (*mark)(void *ctx, const sl_applied *applied);
} sl_sound_owner;

typedef struct sl_sound_engine sl_sound_engine;

/* `playback` is as after all that the log has, and is the engine's from now on; NULL, or of another rate: silence, from
 * `frame` on until the first mark. Then it is fed with a whole schedule, if there is one. SL_ERR_MEMORY: the playback
 * was destroyed. */
sl_err sl_sound_engine_create(sl_sound_engine **out, const sl_sound_owner *owner, uint32_t rate, sl_playback *playback,
                              uint64_t frame);
void sl_sound_engine_destroy(sl_sound_engine *engine);

/* Gives it what came, in the order of the log; the item is the engine's from now on. */
void sl_sound_engine_put(sl_sound_engine *engine, sl_player_item *item);

/* From now on what it renders is heard, and it puts marks. Before that it catches up with the past. */
void sl_sound_engine_begin(sl_sound_engine *engine);

/* Takes what came, and puts a mark if one is needed and it has begun. SL_ERR_MEMORY, SL_ERR_MALFORMED (a whole schedule
 * that is none): it can only be destroyed, and so below. */
sl_err sl_sound_engine_step(sl_sound_engine *engine);

/* Renders the next frames into left_right, interleaved. */
sl_err sl_sound_engine_render(sl_sound_engine *engine, float *left_right, size_t frames);

/* The frame that is rendered next. */
uint64_t sl_sound_engine_frame(const sl_sound_engine *engine);

/* The frame from which on what is rendered is the log's sound: before it there is silence, whatever sounded earlier.
 * SL_FRAME_NEVER: there was no mark yet. */
uint64_t sl_sound_engine_first(const sl_sound_engine *engine);

/* Where the music is there. */
sl_position sl_sound_engine_position(const sl_sound_engine *engine);

/* True while the clock runs. */
bool sl_sound_engine_is_running(const sl_sound_engine *engine);

/* The renderer, for meters and the like, and the bytes of its state, if there is one, and nothing hangs in between: it
 * is then as after all events up to *seq. */
sl_playback *sl_sound_engine_playback(sl_sound_engine *engine);
bool sl_sound_engine_is_whole(const sl_sound_engine *engine, uint64_t *seq);

/* How many marks were put, and how many of them came too late. */
uint64_t sl_sound_engine_marks(const sl_sound_engine *engine);
uint64_t sl_sound_engine_late(const sl_sound_engine *engine);

#endif
