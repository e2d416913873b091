/*
 * Saved states of the renderer, by the number of the last event taken: what makes a restart, and a rendering that
 * begins in the middle, quick. Kept like snapshots (store/snapshots.h), in the folder `sound` in the log's. A cache:
 * losing any of them, or all, costs time and nothing else.
 *
 * One process writes, any number may read.
 */
#ifndef SL_TOOLS_SOUND_STATES_H
#define SL_TOOLS_SOUND_STATES_H

#include "core/err.h"
#include "core/playback.h"
#include "store/log.h"

#include <stdbool.h>
#include <stdint.h>

enum { SL_SOUND_STATES_BYTES_MAX = 256 << 20 };

typedef struct sl_sound_states sl_sound_states;

/* Opens those of a log that sl_host_open_log opened with the same `db`, once in a process at a time. A writer makes the
 * folder, and removes what the log no longer leads from or to. `errmsg` gets a sentence on failure. SL_ERR_NOT_FOUND:
 * reading, and there are none; SL_ERR_CORRUPT, SL_ERR_BUSY, SL_ERR_IO, SL_ERR_MEMORY: as sl_snapshots_open. It forks
 * for a moment, so before anything plays. */
sl_err sl_sound_states_open(sl_sound_states **out, const char *db, sl_log *log, bool is_writer, char errmsg[256]);

/* For reading; NULL where there are none, or none that can be read, which is then said on standard error. */
sl_sound_states *sl_sound_states_find(const char *db, sl_log *log);

/* NULL is passed over. */
void sl_sound_states_close(sl_sound_states *states);

/* Keeps the playback after all events up to `seq` were taken, in its present frame, with the mixer of the newest mark
 * told; one for each number, the last counts. It is passed over when it is looked for, unless it stands at or behind
 * the newest of the marks taken, at or before the next one, and that is not `late`. Takes a few ms and writes a file:
 * no thread for that must be in time. SL_ERR_FULL, SL_ERR_CORRUPT, SL_ERR_IO, SL_ERR_MEMORY: sl_sound_states_error;
 * nothing was kept, which is no harm. */
sl_err sl_sound_states_save(sl_sound_states *states, uint64_t seq, const sl_playback *playback);

/* The same of what sl_playback_encode wrote. */
sl_err sl_sound_states_save_bytes(sl_sound_states *states, uint64_t seq, const char *bytes, size_t length);

/* Makes the playback of the newest one at or before `seq` that is good; *found is its number. The caller destroys it.
 * SL_ERR_NOT_FOUND; SL_ERR_MEMORY. */
sl_err sl_sound_states_nearest(sl_sound_states *states, uint64_t seq, uint64_t *found, sl_playback **out);

/* Why the last save failed; valid until the next. */
const char *sl_sound_states_error(const sl_sound_states *states);

#endif
