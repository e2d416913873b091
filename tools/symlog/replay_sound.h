/* `symlog replay --sound`: a stretch of a log's sound, heard again. */
#ifndef SL_TOOLS_REPLAY_SOUND_H
#define SL_TOOLS_REPLAY_SOUND_H

#include "core/err.h"
#include "store/log.h"

/* Plays from the moment `from` to `to` (as sl_stretch_find) on the default device; returns when it has been heard, or
 * at Ctrl-C. Errors of sl_stretch_find, sl_audio_out_open and sl_performance_run, with a sentence in `errmsg`. */
sl_err sl_replay_sound(const char *db, sl_log *log, const char *from, const char *to, char errmsg[256]);

#endif
