/*
 * What the thread that renders gives to the one that reports: digests of the seconds that it rendered, the renderer's
 * state now and then, how loud each track was. Of each the newest, or a bounded number: it never waits for being taken.
 *
 * Two threads: one puts, one takes.
 */
#ifndef SL_TOOLS_SOUND_HANDOVER_H
#define SL_TOOLS_SOUND_HANDOVER_H

#include "core/playback.h"
#include "core/sound_events.h"
#include "core/text.h"

#include <pthread.h>

enum { SL_SOUND_HEARD_MAX = 64 /* seconds that wait until they have been heard; others are left out */ };

/* What the renderer's tracks sounded like in the last 60th of a second. */
typedef struct sl_sound_levels {
    uint32_t count;
    struct {
        sl_digest name; /* as sl_playback_name has it */
        float peak_left;
        float rms_left;
        float peak_right;
        float rms_right;
    } tracks[SL_RENDERER_TRACKS];
} sl_sound_levels;

typedef struct sl_sound_handover {
    pthread_mutex_t lock;
    sl_heard heard[SL_SOUND_HEARD_MAX]; /* Under the lock, and so is the rest; heard_first is the oldest. */
    uint32_t heard_first;
    uint32_t heard_count;
    bool has_saved;
    uint64_t saved_seq;
    sl_text saved;
    sl_sound_levels levels;
} sl_sound_handover;

void sl_sound_handover_open(sl_sound_handover *handover);
void sl_sound_handover_close(sl_sound_handover *handover);

/* A stretch that was rendered: it is heard when the device has come so far. */
void sl_sound_handover_put_heard(sl_sound_handover *handover, const sl_heard *heard);

/* The oldest stretch, if `played` (the log's frame that is played next) is past it. False: there is none. What of it
 * was missed is the taker's to say. */
bool sl_sound_handover_take_heard(sl_sound_handover *handover, uint64_t played, sl_heard *out);

/* The renderer's state (sl_playback_encode's bytes) as after all events up to `seq`. The texts, opened, change places:
 * whoever calls has the other one's memory from then on. */
void sl_sound_handover_put_saved(sl_sound_handover *handover, uint64_t seq, sl_text *bytes);
bool sl_sound_handover_take_saved(sl_sound_handover *handover, uint64_t *seq, sl_text *bytes);

/* Left out where the other thread looks just then. */
void sl_sound_handover_put_levels(sl_sound_handover *handover, const sl_sound_levels *levels);
void sl_sound_handover_levels(sl_sound_handover *handover, sl_sound_levels *out);

#endif
