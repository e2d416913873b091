/*
 * The user's processor in the sound process: compiled and loaded when it is saved, swapped while it sounds, its
 * parameters set as the log has them, watched for being stuck. Where none is named, the input goes through as it is;
 * one that is not there (yet) is silent.
 *
 * Threads: created, ticked and destroyed by the process' own; compiles in one of its own; runs in the device's.
 */
#ifndef SL_TOOLS_SOUND_PROCESSOR_H
#define SL_TOOLS_SOUND_PROCESSOR_H

#include "core/reduce.h"
#include "tools/symlog/audio_output.h"

typedef struct sl_sound_processor sl_sound_processor;

typedef struct sl_sound_processor_options {
    const char *path;      /* the C file; NULL: none */
    int64_t after_save_ns; /* as it was saved then it is not to run: it has crashed; 0: it never did */
    uint32_t rate;
    int link; /* to serve: its source is an event, its parameters and failures are told */
    sl_audio_output *output;
} sl_sound_processor_options;

/* From now on the input is processed. A file that cannot be watched (its folder is not there, it is none) is said, as
 * all that is wrong with it. SL_ERR_MEMORY, SL_ERR_IO; errmsg says it. */
sl_err sl_sound_processor_start(sl_sound_processor **out, const sl_sound_processor_options *options, char errmsg[256]);

/* When the device is closed. NULL is passed over. */
void sl_sound_processor_stop(sl_sound_processor *processor);

/* True while the file has crashed as it is, and was not saved since. NULL: there is none. */
bool sl_sound_processor_is_left_out(sl_sound_processor *processor);

/* Now and then: closes what was swapped out, sets parameters as the state has them, tells what went wrong. False: it
 * does not return any more, which only the end of the process ends. */
bool sl_sound_processor_tick(sl_sound_processor *processor, const sl_state *state);

#endif
