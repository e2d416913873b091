/*
 * The thread that renders: it feeds the engine, keeps the ring between it and the device's callback filled, and makes a
 * digest of every second.
 *
 * Created, asked and destroyed by one thread.
 */
#ifndef SL_TOOLS_SOUND_THREAD_H
#define SL_TOOLS_SOUND_THREAD_H

#include "tools/symlog/audio_output.h"
#include "tools/symlog/player_feed.h"
#include "tools/symlog/sound_engine.h"
#include "tools/symlog/sound_handover.h"

enum {
    SL_SOUND_RING_LEAD = 512, /* frames that are ready before the device asks; two of its blocks, if those are bigger */
    SL_SOUND_SAVE_S = 10      /* so often the renderer's state is given out */
};

typedef struct sl_sound_thread sl_sound_thread;

typedef struct sl_sound_thread_options {
    uint32_t rate;
    sl_playback *playback; /* as sl_sound_engine_create; the thread's from now on */
    sl_clock_anchor clock; /* which frame is when, at this rate: it begins there */
    sl_player_feed *feed;  /* whose wake posts `wake` */
    sl_audio_output *output;
    sem_t *wake;
    sl_sound_handover *handover; /* what it gives: digests, its renderer's state every SL_SOUND_SAVE_S, levels */
    int link;                    /* marks are drafts there */
} sl_sound_thread_options;

/* SL_ERR_MEMORY, SL_ERR_IO: the playback was destroyed. */
sl_err sl_sound_thread_start(sl_sound_thread **out, const sl_sound_thread_options *options);

/* NULL is passed over. */
void sl_sound_thread_stop(sl_sound_thread *thread);

/* Ends the thread, and hands over what it has begun of a second: as far as `played`, the log's frame that would be
 * played next. */
void sl_sound_thread_finish(sl_sound_thread *thread, uint64_t played);

/* False: memory ran out, or it was told nonsense; nothing is rendered any more. */
bool sl_sound_thread_is_well(const sl_sound_thread *thread);

/* The clock runs: meters are of interest. */
bool sl_sound_thread_is_running(const sl_sound_thread *thread);

uint64_t sl_sound_thread_marks(const sl_sound_thread *thread);
uint64_t sl_sound_thread_late(const sl_sound_thread *thread);

#endif
