/*
 * The sound process, as serve has it: started, listened to, started again when it dies; until then the player without
 * sound bridges the gap. What it says goes into the log, to subscribers (sound_status.h), and to the terminal.
 *
 * A thread of its own; started, woken and stopped by the service thread, sl_sound_child_wake by any.
 */
#ifndef SL_TOOLS_SOUND_CHILD_H
#define SL_TOOLS_SOUND_CHILD_H

#include "core/err.h"
#include "core/sink.h"
#include "tools/symlog/player.h"
#include "tools/symlog/sound_status.h"
#include "tools/symlog/status.h"

typedef struct sl_sound_child sl_sound_child;

/* What is wished for; texts must outlive it. */
typedef struct sl_sound_wishes {
    bool with_sound;
    bool with_audio;       /* an input, too */
    const char *processor; /* NULL: the input goes through as it is */
    const char *device;    /* NULL: the usual one */
    uint32_t rate;         /* 0: the device's */
    uint32_t block;        /* likewise */
} sl_sound_wishes;

typedef struct sl_sound_child_options {
    const sl_sound_wishes *wishes; /* all of these must outlive it */
    const char *dir;               /* the log's */
    uint64_t start_ns;             /* sl_clock_boot_ns at which time_ns is 0 */
    sl_sink sink;
    sl_player *player;
    sl_sound_status *sound;
    sl_status *status;
} sl_sound_child_options;

/* Starts the thread, and the process. SL_ERR_MEMORY, SL_ERR_IO. */
sl_err sl_sound_child_start(sl_sound_child **out, const sl_sound_child_options *options);

/* The log has grown. Any thread; waits for nothing. NULL is passed over. */
void sl_sound_child_wake(sl_sound_child *child);

/* Ends the process, within a second, and the thread. NULL is passed over, and below. */
void sl_sound_child_stop(sl_sound_child *child);

/* After sl_sound_child_stop, when nobody wakes it any more. */
void sl_sound_child_destroy(sl_sound_child *child);

#endif
