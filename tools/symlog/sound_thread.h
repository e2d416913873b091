/*
 * The thread that renders: it feeds the engine, keeps the ring between it and the device's callback filled, and makes a
 * digest of every second.
 *
 * Created, asked and destroyed by one thread.
 */
#ifndef SL_TOOLS_SOUND_THREAD_H
#define SL_TOOLS_SOUND_THREAD_H

#include "core/sound_events.h"
#include "core/text.h"
#include "tools/symlog/audio_output.h"
#include "tools/symlog/player_feed.h"
#include "tools/symlog/sound_engine.h"

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
    int link; /* marks are drafts there */
} sl_sound_thread_options;

/* What the renderer's tracks sounded like in the last 60th of a second. */
typedef struct sl_sound_levels {
    uint64_t turn; /* it counts up */
    uint32_t count;
    struct {
        sl_digest name; /* as sl_playback_name has it */
        float peak_left;
        float rms_left;
        float peak_right;
        float rms_right;
    } tracks[SL_RENDERER_TRACKS];
} sl_sound_levels;

/* SL_ERR_MEMORY, SL_ERR_IO: the playback was destroyed. */
sl_err sl_sound_thread_start(sl_sound_thread **out, const sl_sound_thread_options *options);

/* NULL is passed over. */
void sl_sound_thread_stop(sl_sound_thread *thread);

/* False: memory ran out, or it was told nonsense; it only says silence any more. */
bool sl_sound_thread_is_well(const sl_sound_thread *thread);

/* The clock runs: meters are of interest. */
bool sl_sound_thread_is_running(const sl_sound_thread *thread);

/* The oldest stretch that was rendered and can have been heard, if `played` (the log's frame) is past it. What of it
 * was missed is the caller's to say. A silent one, while nothing plays, is left out. False: there is none. */
bool sl_sound_thread_take_heard(sl_sound_thread *thread, uint64_t played, sl_heard *out);

/* True every SL_SOUND_SAVE_S: *bytes (opened; they change places with others) are those of sl_playback_encode, as after
 * all events up to *seq. */
bool sl_sound_thread_take_saved(sl_sound_thread *thread, uint64_t *seq, sl_text *bytes);

void sl_sound_thread_levels(sl_sound_thread *thread, sl_sound_levels *out);

uint64_t sl_sound_thread_marks(const sl_sound_thread *thread);
uint64_t sl_sound_thread_late(const sl_sound_thread *thread);

#endif
