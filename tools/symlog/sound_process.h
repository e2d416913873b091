/*
 * The sound process: it follows the log that serve writes, renders what sounds, plays it, and says in the log what was
 * heard (all that it says goes through serve, sound_wire.h). serve starts it, and starts it again when it dies.
 *
 * Threads: this one (follows, reports), the one that renders (sound_thread.h), and the device's (audio_output.h).
 */
#ifndef SL_TOOLS_SOUND_PROCESS_H
#define SL_TOOLS_SOUND_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_sound_process_options {
    const char *db;
    int link;              /* to serve */
    int wake_fd;           /* serve writes this eventfd when the log has grown */
    const char *device;    /* NULL: the usual one */
    bool no_device;        /* none is to be looked for: whoever did so died of it */
    uint32_t rate;         /* 0: the device's */
    uint32_t block;        /* likewise */
    bool with_audio;       /* an input, and what is made of it */
    const char *processor; /* a C file that makes it; NULL: it goes through as it is */
    int64_t after_save_ns; /* as that file was saved then it has crashed, and is not to run; 0: it never did */
} sl_sound_process_options;

/* Returns when serve wants it to, or is gone, or something went wrong: an exit status of sound_wire.h. */
int sl_sound_process_run(const sl_sound_process_options *options);

#endif
