/* A log's sound, heard again. */
#include "tools/symlog/replay_sound.h"

#include "tools/symlog/audio_out.h"
#include "tools/symlog/pace.h"
#include "tools/symlog/performance.h"
#include "tools/symlog/progress.h"
#include "tools/symlog/stretch.h"

#include <stdio.h>

typedef struct listening {
    sl_audio_out *out;
    sl_progress progress;
    uint64_t from_frame;
    bool is_interrupted;
    char errmsg[256]; /* the device's */
} listening;

static bool hear(void *ctx, const sl_performance_block *block)
{
    listening *listening = ctx;
    if (!sl_pace_sleep(0)) {
        listening->is_interrupted = true;
        return false;
    }
    const uint64_t seconds = (block->frame - listening->from_frame) / block->rate;
    sl_progress_draw(&listening->progress, seconds);
    return sl_audio_out_write(listening->out, block->left_right, (size_t)block->frames, listening->errmsg) == SL_OK;
}

sl_err sl_replay_sound(const char *db, sl_log *log, const char *from, const char *to, char errmsg[256])
{
    sl_stretch stretch;
    listening listening = {0};
    sl_err err = sl_stretch_find(&stretch, db, log, from, to, errmsg);
    if (err == SL_OK) err = sl_audio_out_open(&listening.out, stretch.rate, errmsg);
    if (err != SL_OK) {
        sl_stretch_clear(&stretch);
        return err;
    }
    sl_sound_states *states = sl_sound_states_find(db, log);
    const sl_performance performance = {
        .db = db,
        .log = log,
        .through = stretch.last,
        .marks = &stretch.marks,
        .states = states,
        .hear = hear,
        .ctx = &listening,
        .from_frame = stretch.from_frame,
        .to_frame = stretch.to_frame,
    };
    sl_pace_hold_signals();
    listening.from_frame = stretch.from_frame;
    const uint64_t seconds = (stretch.to_frame - stretch.from_frame) / stretch.rate;
    listening.progress = sl_progress_begin("playing, seconds:", seconds, true);
    err = sl_performance_run(&performance, NULL, NULL, errmsg);
    if (err == SL_OK) sl_audio_out_drain(listening.out);
    sl_progress_end(&listening.progress);
    if (err == SL_ERR_END) {
        err = listening.is_interrupted ? SL_OK : SL_ERR_IO;
        snprintf(errmsg, 256, "%s", listening.errmsg);
    }
    sl_audio_out_close(listening.out);
    sl_sound_states_close(states);
    sl_stretch_clear(&stretch);
    return err;
}
