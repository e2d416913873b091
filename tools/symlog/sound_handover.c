/* Between the thread that renders and the one that reports. */
#include "tools/symlog/sound_handover.h"

#include "tools/symlog/host.h"

void sl_sound_handover_open(sl_sound_handover *handover)
{
    *handover = (sl_sound_handover){.heard_count = 0};
    pthread_mutex_init(&handover->lock, NULL);
    sl_text_open(&handover->saved, sl_host_memory());
}

void sl_sound_handover_close(sl_sound_handover *handover)
{
    sl_text_close(&handover->saved);
    pthread_mutex_destroy(&handover->lock);
}

void sl_sound_handover_put_heard(sl_sound_handover *handover, const sl_heard *heard)
{
    pthread_mutex_lock(&handover->lock);
    if (handover->heard_count < SL_SOUND_HEARD_MAX)
        handover->heard[(handover->heard_first + handover->heard_count++) % SL_SOUND_HEARD_MAX] = *heard;
    pthread_mutex_unlock(&handover->lock);
}

bool sl_sound_handover_take_heard(sl_sound_handover *handover, uint64_t played, sl_heard *out)
{
    pthread_mutex_lock(&handover->lock);
    const sl_heard *oldest = &handover->heard[handover->heard_first];
    const bool is_there = handover->heard_count > 0 && oldest->frame + oldest->frames <= played;
    if (is_there) {
        *out = *oldest;
        handover->heard_first = (handover->heard_first + 1) % SL_SOUND_HEARD_MAX;
        handover->heard_count--;
    }
    pthread_mutex_unlock(&handover->lock);
    return is_there;
}

static void exchange(sl_text *a, sl_text *b)
{
    const sl_text former = *a;
    *a = *b;
    *b = former;
}

void sl_sound_handover_put_saved(sl_sound_handover *handover, uint64_t seq, sl_text *bytes)
{
    pthread_mutex_lock(&handover->lock);
    exchange(&handover->saved, bytes);
    handover->saved_seq = seq;
    handover->has_saved = true;
    pthread_mutex_unlock(&handover->lock);
}

bool sl_sound_handover_take_saved(sl_sound_handover *handover, uint64_t *seq, sl_text *bytes)
{
    pthread_mutex_lock(&handover->lock);
    const bool has_saved = handover->has_saved;
    if (has_saved) {
        exchange(&handover->saved, bytes);
        *seq = handover->saved_seq;
    }
    handover->has_saved = false;
    pthread_mutex_unlock(&handover->lock);
    return has_saved;
}

void sl_sound_handover_put_levels(sl_sound_handover *handover, const sl_sound_levels *levels)
{
    if (pthread_mutex_trylock(&handover->lock) != 0) return;
    handover->levels = *levels;
    pthread_mutex_unlock(&handover->lock);
}

void sl_sound_handover_levels(sl_sound_handover *handover, sl_sound_levels *out)
{
    pthread_mutex_lock(&handover->lock);
    *out = handover->levels;
    pthread_mutex_unlock(&handover->lock);
}
